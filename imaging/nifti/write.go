package nifti

import (
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"halsted/imaging"
	"halsted/internal/atomicfile"

	"gonum.org/v1/gonum/spatial/r3"
)

// Encode writes a volume as an uncompressed NIfTI-1 image of int16 samples
// with its slope and intercept.
func Encode(w io.Writer, v *imaging.Volume) error {
	if err := v.Validate(); err != nil {
		return err
	}
	return encode(w, v.Grid, Int16, v.Slope, v.Intercept, func(b []byte, n int) {
		binary.LittleEndian.PutUint16(b, uint16(v.Data[n]))
	})
}

// EncodeSegments writes bit masks as an uncompressed NIfTI-1 image: bit b of a
// sample is structure s.Of[b]. The file does not name them; keep s.Of with it.
func EncodeSegments(w io.Writer, s *imaging.Segments) error {
	if err := s.Grid.Validate(); err != nil {
		return err
	}
	if len(s.Bits) != s.Grid.Len() {
		return fmt.Errorf("nifti: %d masks for %d voxels", len(s.Bits), s.Grid.Len())
	}
	switch {
	case len(s.Of) <= 8:
		return encode(w, s.Grid, Uint8, 1, 0, func(b []byte, n int) { b[0] = byte(s.Bits[n]) })
	case len(s.Of) <= 16:
		return encode(w, s.Grid, Uint16, 1, 0, func(b []byte, n int) { binary.LittleEndian.PutUint16(b, uint16(s.Bits[n])) })
	}
	return encode(w, s.Grid, Uint32, 1, 0, func(b []byte, n int) { binary.LittleEndian.PutUint32(b, s.Bits[n]) })
}

// EncodeLabels writes a label map as an uncompressed NIfTI-1 image of uint8
// samples: the numbers of imaging.Label.
func EncodeLabels(w io.Writer, l *imaging.Labels) error {
	if err := l.Grid.Validate(); err != nil {
		return err
	}
	if len(l.ID) != l.Grid.Len() {
		return fmt.Errorf("nifti: %d labels for %d voxels", len(l.ID), l.Grid.Len())
	}
	return encode(w, l.Grid, Uint8, 1, 0, func(b []byte, n int) { b[0] = byte(l.ID[n]) })
}

// WriteVolume writes a volume file; a name that ends in .gz is compressed.
func WriteVolume(path string, v *imaging.Volume) error {
	return save(path, func(w io.Writer) error { return Encode(w, v) })
}

// WriteSegments writes a file of bit masks (see EncodeSegments).
func WriteSegments(path string, s *imaging.Segments) error {
	return save(path, func(w io.Writer) error { return EncodeSegments(w, s) })
}

// WriteLabels writes a label map file (see EncodeLabels).
func WriteLabels(path string, l *imaging.Labels) error {
	return save(path, func(w io.Writer) error { return EncodeLabels(w, l) })
}

// encode writes header and samples; put stores sample n.
func encode(w io.Writer, g imaging.Grid, t DataType, slope, inter float64, put func(b []byte, n int)) error {
	for _, s := range g.Size {
		if s > maxSide-1 { // dim is an int16
			return fmt.Errorf("nifti: %v voxels do not fit a NIfTI-1 header", g.Size)
		}
	}
	head := head(g, t, slope, inter)
	if _, err := w.Write(head); err != nil {
		return err
	}
	size := t.size()
	buf := make([]byte, 0, 1<<16)
	for n := range g.Len() {
		buf = buf[:len(buf)+size]
		put(buf[len(buf)-size:], n)
		if len(buf) == cap(buf) {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err := w.Write(buf)
	return err
}

// head is a NIfTI-1 header with the four bytes that say "no extension". The
// sform (code 1, scanner) carries the affine; the qform repeats it as a
// quaternion for readers that look there.
func head(g imaging.Grid, t DataType, slope, inter float64) []byte {
	b := make([]byte, header1+4)
	le := binary.LittleEndian
	f32 := func(at int, v float64) { le.PutUint32(b[at:], math.Float32bits(float32(v))) }
	le.PutUint32(b, header1)
	le.PutUint16(b[40:], 3)
	h := g.SpacingMM()
	for a := range 7 {
		n := 1
		if a < 3 {
			n = g.Size[a]
			f32(80+4*a, h[a])
		}
		le.PutUint16(b[42+2*a:], uint16(n))
	}
	le.PutUint16(b[70:], uint16(t))
	le.PutUint16(b[72:], uint16(8*t.size()))
	f32(108, header1+4)
	f32(112, slope)
	f32(116, inter)
	b[123] = 2 // millimetres
	le.PutUint16(b[252:], 1)
	le.PutUint16(b[254:], 1)
	ras := func(v r3.Vec) [3]float64 { return [3]float64{0 - v.X, 0 - v.Y, v.Z} }
	cols := [4][3]float64{ras(g.Axes[0]), ras(g.Axes[1]), ras(g.Axes[2]), ras(g.Origin)}
	for row := range 3 {
		for c := range 4 {
			f32(280+16*row+4*c, cols[c][row])
		}
		f32(268+4*row, cols[3][row])
	}
	var r [3][3]float64 // unit columns, made right-handed by qfac
	qfac := 1.0
	if !g.RightHanded() { // two signs changed: the handedness of LPS is that of RAS
		qfac = -1
	}
	for c := range 3 {
		for row := range 3 {
			r[row][c] = cols[c][row] / h[c]
			if c == 2 {
				r[row][c] *= qfac
			}
		}
	}
	f32(76, qfac)
	for a, q := range quaternion(r) {
		f32(256+4*a, q)
	}
	copy(b[344:], "n+1\x00")
	return b
}

// quaternion is (b,c,d) of a rotation with a ≥ 0. The largest of a, b, c, d is
// taken from the diagonal, the others from sums and differences with it, so
// nothing small is divided by (Shepperd, J. Guidance 1 (1978) 223).
func quaternion(r [3][3]float64) [3]float64 {
	sq := [4]float64{
		1 + r[0][0] + r[1][1] + r[2][2],
		1 + r[0][0] - r[1][1] - r[2][2],
		1 - r[0][0] + r[1][1] - r[2][2],
		1 - r[0][0] - r[1][1] + r[2][2],
	} // four times the squares of a, b, c, d
	p := 0
	for n := range sq {
		if sq[n] > sq[p] {
			p = n
		}
	}
	ab, ac, ad := r[2][1]-r[1][2], r[0][2]-r[2][0], r[1][0]-r[0][1]
	bc, bd, cd := r[0][1]+r[1][0], r[0][2]+r[2][0], r[1][2]+r[2][1]
	q := [4][4]float64{
		{sq[0], ab, ac, ad},
		{ab, sq[1], bc, bd},
		{ac, bc, sq[2], cd},
		{ad, bd, cd, sq[3]},
	}[p]
	s := 1 / (2 * math.Sqrt(sq[p]))
	if q[0] < 0 {
		s = -s
	}
	return [3]float64{q[1] * s, q[2] * s, q[3] * s}
}

// save writes a whole file or none, compressed when its name ends in .gz.
func save(path string, write func(io.Writer) error) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		if !strings.HasSuffix(path, ".gz") {
			return write(w)
		}
		z := gzip.NewWriter(w)
		if err := write(z); err != nil {
			return err
		}
		return z.Close()
	})
}
