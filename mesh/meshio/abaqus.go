package meshio

import (
	"math"
	"strconv"
	"strings"

	"halsted/imaging"
	"halsted/mesh"
)

// writeAbaqus writes an input file with nodes and one block of elements per
// region, C3D4 or C3D10; the block's element set is named after the region
// (Abaqus Keywords Guide, *NODE, *ELEMENT; CalculiX CrunchiX takes the same).
func writeAbaqus(o *output, m *mesh.TetMesh, opt *WriteOptions) error {
	o.str("** halsted SPACE=LPS ", unitMark, opt.Unit.String())
	o.int(" "+nodesMark, int64(len(m.Nodes)))   // the format has no end mark, so that
	o.int(" "+elementsMark, int64(len(m.Tets))) // a file cut off would go unseen
	o.str("\n*NODE, NSET=ALL\n")
	u := opt.Unit.mm(Millimetre)
	for n, p := range m.Nodes {
		o.int("", int64(n)+1)
		for _, x := range [3]float64{p.X, p.Y, p.Z} {
			o.buf = appendFloat20(append(o.buf, ", "...), x/u)
		}
		o.str("\n")
	}
	kind := "C3D4"
	if m.Mid != nil {
		kind = "C3D10"
	}
	for _, r := range byRegion(m) {
		o.str("*ELEMENT, TYPE=", kind)
		if m.Region != nil {
			o.str(", ELSET=", oneWord(opt.name(r.label)))
		}
		o.str("\n")
		for _, t := range r.elements {
			o.int("", int64(t)+1)
			var q [10]int32
			for _, n := range q[:corners(m, int(t), &q)] {
				o.int(", ", int64(n)+1)
			}
			o.str("\n")
		}
	}
	return o.err
}

// How a file of ours tells what it holds.
const nodesMark, elementsMark = "NODES=", "ELEMENTS="

// regionElements lists the elements of one region in order.
type regionElements struct {
	label    imaging.Label
	elements []int32
}

// byRegion lists the regions in the order of their labels; a mesh without
// regions has one, of label 0.
func byRegion(m *mesh.TetMesh) []regionElements {
	var count [256]int
	label := func(t int) imaging.Label {
		if m.Region == nil {
			return 0
		}
		return m.Region[t]
	}
	for t := range m.Tets {
		count[label(t)]++
	}
	all := make([]int32, 0, len(m.Tets))
	var out []regionElements
	var at [256]int
	for l, n := range count {
		if n > 0 {
			at[l] = len(out)
			out = append(out, regionElements{imaging.Label(l), all[len(all) : len(all) : len(all)+n]})
			all = all[:len(all)+n]
		}
	}
	for t := range m.Tets {
		r := &out[at[label(t)]]
		r.elements = append(r.elements, int32(t))
	}
	return out
}

// abaqusWidth is how many characters a number may take in an input file; more
// are cut off by the solvers.
const abaqusWidth = 20

// appendFloat20 writes the shortest text for x if it fits into 20 characters,
// as it does for all from 0.1 to 1e16; else as many digits as fit: for smaller
// numbers the error is at most 1e-18.
func appendFloat20(b []byte, x float64) []byte {
	from := len(b)
	form := byte('f')
	if a := math.Abs(x); a != 0 && (a < 1e-4 || a >= 1e17) {
		form = 'g'
	}
	b = strconv.AppendFloat(b, x, form, -1, 64)
	if len(b)-from <= abaqusWidth {
		return b
	}
	if math.Abs(x) < 1 {
		s := strconv.FormatFloat(x, 'f', 18, 64)
		s = strings.Replace(s, "0.", ".", 1)
		if s = strings.TrimRight(s, "0"); s == "." || s == "-." {
			s = "0"
		}
		return append(b[:from], s...)
	}
	return strconv.AppendFloat(b[:from], x, 'e', 12, 64)
}
