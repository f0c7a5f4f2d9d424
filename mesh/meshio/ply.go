package meshio

import (
	"encoding/binary"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/mesh"
)

// The per-face properties that carry the pair of labels.
const plyInside, plyOutside = "inside_label", "outside_label"

// writePLY writes vertices as doubles and each face with its two labels
// (G. Turk, The PLY Polygon File Format, 1994).
func writePLY(o *output, s *mesh.Surface, opt *WriteOptions) error {
	kind := "binary_little_endian"
	var order binary.AppendByteOrder = binary.LittleEndian
	switch {
	case opt.Text:
		kind = "ascii"
	case opt.BigEndian:
		kind, order = "binary_big_endian", binary.BigEndian
	}
	o.str("ply\nformat ", kind, " 1.0\ncomment halsted SPACE=LPS ", unitMark, opt.Unit.String(), "\n")
	for _, l := range pairLabels(s) {
		o.int("comment label ", int64(l))
		o.str(" ", oneWord(opt.name(l)), "\n")
	}
	o.int("element vertex ", int64(len(s.Verts)))
	o.str("\nproperty double x\nproperty double y\nproperty double z\n")
	o.int("element face ", int64(len(s.Tris)))
	o.str("\nproperty list uchar int vertex_indices\nproperty uchar " + plyInside + "\nproperty uchar " + plyOutside + "\nend_header\n")
	u := opt.Unit.mm(Millimetre)
	for _, p := range s.Verts {
		if opt.Text {
			o.float("", p.X/u)
			o.float(" ", p.Y/u)
			o.float(" ", p.Z/u)
			o.str("\n")
			continue
		}
		for _, x := range [3]float64{p.X, p.Y, p.Z} {
			o.buf = order.AppendUint64(o.buf, math.Float64bits(x/u))
		}
		o.pass()
	}
	for t, v := range s.Tris {
		r := s.Region[t]
		if opt.Text {
			o.int("3 ", int64(v[0]))
			o.int(" ", int64(v[1]))
			o.int(" ", int64(v[2]))
			o.int(" ", int64(r.Inside))
			o.int(" ", int64(r.Outside))
			o.str("\n")
			continue
		}
		o.buf = append(o.buf, 3)
		for _, n := range v {
			o.buf = order.AppendUint32(o.buf, uint32(n))
		}
		o.buf = append(o.buf, byte(r.Inside), byte(r.Outside))
		o.pass()
	}
	return o.err
}

// pairLabels lists the labels of the faces, background too, in order.
func pairLabels(s *mesh.Surface) []imaging.Label {
	var seen [256]bool
	for _, r := range s.Region {
		seen[r.Inside], seen[r.Outside] = true, true
	}
	var out []imaging.Label
	for l, ok := range seen {
		if ok {
			out = append(out, imaging.Label(l))
		}
	}
	return out
}

// oneWord makes a name that formats with words and commas can hold.
func oneWord(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c <= ' ' || c >= 0x7f || slices.Contains([]byte(`,"'<>&=*`), c) {
			b[i] = '_'
		}
	}
	return string(b)
}
