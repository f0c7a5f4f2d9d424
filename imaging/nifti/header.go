package nifti

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// DataType is a NIfTI sample type code.
type DataType int16

// The sample types this package reads.
const (
	Uint8   DataType = 2
	Int16   DataType = 4
	Int32   DataType = 8
	Float32 DataType = 16
	Float64 DataType = 64
	Int8    DataType = 256
	Uint16  DataType = 512
	Uint32  DataType = 768
)

// size is the bytes of one sample, 0 for a type that is not read.
func (t DataType) size() int {
	switch t {
	case Uint8, Int8:
		return 1
	case Int16, Uint16:
		return 2
	case Int32, Uint32, Float32:
		return 4
	case Float64:
		return 8
	}
	return 0
}

func (t DataType) String() string {
	switch t {
	case Uint8:
		return "uint8"
	case Int16:
		return "int16"
	case Int32:
		return "int32"
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	case Int8:
		return "int8"
	case Uint16:
		return "uint16"
	case Uint32:
		return "uint32"
	}
	return fmt.Sprintf("type %d", int16(t))
}

const (
	header1  = 348
	header2  = 540
	maxSkip  = 16 << 20 // header extensions: 16 MiB is far beyond any real one
	maxSide  = 1 << 15  // a CT has at most some thousand slices
	unitMask = 7
)

// header is what both versions of the format say, in one shape.
type header struct {
	order        binary.ByteOrder
	dim          [8]int64
	typ          DataType
	pixdim       [8]float64
	offset       int64 // of the first sample
	slope, inter float64
	units        int
	qcode, scode int
	quat         [3]float64
	qoffset      [3]float64
	srow         [3][4]float64
	version      int
}

// version looks at the first four bytes: the header's own length tells both
// the version and the byte order.
func version(b []byte) (v int, order binary.ByteOrder) {
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch o.Uint32(b) {
		case header1:
			return 1, o
		case header2:
			return 2, o
		}
	}
	return 0, nil
}

// parse reads the fields of a whole header of the given version.
func parse(b []byte, v int, order binary.ByteOrder) (*header, error) {
	h := &header{order: order, version: v}
	i16 := func(at int) int64 { return int64(int16(order.Uint16(b[at:]))) }
	i32 := func(at int) int64 { return int64(int32(order.Uint32(b[at:]))) }
	i64 := func(at int) int64 { return int64(order.Uint64(b[at:])) }
	f32 := func(at int) float64 { return float64(math.Float32frombits(order.Uint32(b[at:]))) }
	f64 := func(at int) float64 { return math.Float64frombits(order.Uint64(b[at:])) }
	if v == 1 {
		switch magic := b[344:348]; {
		case bytes.Equal(magic, []byte("n+1\x00")):
		case bytes.Equal(magic, []byte("ni1\x00")):
			return nil, &FormatError{"the samples are in a separate .img file; save it as one .nii file"}
		default:
			return nil, &FormatError{"no NIfTI-1 magic (an ANALYZE file has no trustworthy orientation)"}
		}
		for n := range 8 {
			h.dim[n], h.pixdim[n] = i16(40+2*n), f32(76+4*n)
		}
		h.typ, h.offset = DataType(i16(70)), int64(clampOffset(f32(108)))
		h.slope, h.inter, h.units = f32(112), f32(116), int(b[123])
		h.qcode, h.scode = int(i16(252)), int(i16(254))
		for n := range 3 {
			h.quat[n], h.qoffset[n] = f32(256+4*n), f32(268+4*n)
			for m := range 4 {
				h.srow[n][m] = f32(280 + 16*n + 4*m)
			}
		}
		return h, nil
	}
	if !bytes.Equal(b[4:12], []byte("n+2\x00\r\n\x1a\n")) {
		return nil, &FormatError{"no NIfTI-2 magic of a single file"}
	}
	h.typ = DataType(i16(12))
	for n := range 8 {
		h.dim[n], h.pixdim[n] = i64(16+8*n), f64(104+8*n)
	}
	h.offset, h.slope, h.inter = i64(168), f64(176), f64(184)
	h.qcode, h.scode = int(i32(344)), int(i32(348))
	for n := range 3 {
		h.quat[n], h.qoffset[n] = f64(352+8*n), f64(376+8*n)
		for m := range 4 {
			h.srow[n][m] = f64(400 + 32*n + 8*m)
		}
	}
	h.units = int(i32(500))
	return h, nil
}

// clampOffset keeps a float offset in the range an int64 holds; NaN becomes a
// value that is refused later.
func clampOffset(f float64) float64 {
	if !(math.Abs(f) < 1e15) {
		return -1
	}
	return f
}

// check refuses a header whose samples cannot be read, and returns the grid in
// LPS mm.
func (h *header) check() (imaging.Grid, error) {
	var g imaging.Grid
	nd := h.dim[0]
	if nd < 1 || nd > 7 {
		return g, &FormatError{fmt.Sprintf("%d dimensions", nd)}
	}
	bytesNeeded := int64(max(1, h.typ.size()))
	for a := 1; a <= 7; a++ {
		n := h.dim[a]
		if int64(a) > nd {
			n = 1
		}
		switch {
		case n < 1 || n > maxSide:
			return g, &FormatError{fmt.Sprintf("%d voxels along dimension %d", n, a)}
		case a > 3 && n != 1:
			return g, &FormatError{fmt.Sprintf("%d values per voxel (dimension %d); extract one 3-D image first", n, a)}
		}
		if a <= 3 {
			g.Size[a-1] = int(n)
		}
		if bytesNeeded > MaxBytes/n {
			return g, &FormatError{fmt.Sprintf("more than %d MiB of samples", MaxBytes>>20)}
		}
		bytesNeeded *= n
	}
	if h.typ.size() == 0 {
		return g, &FormatError{fmt.Sprintf("samples of %v are not read", h.typ)}
	}
	least := int64(header1 + 4)
	if h.version == 2 {
		least = header2 + 4
	}
	if h.offset < least || h.offset > maxSkip {
		return g, &FormatError{fmt.Sprintf("samples are said to begin at byte %d", h.offset)}
	}
	if h.slope == 0 { // "no scaling" in the standard
		h.slope, h.inter = 1, 0
	}
	if s := h.slope + h.inter; math.IsNaN(s) || math.IsInf(s, 0) {
		return g, &FormatError{"the scale of the samples is not finite"}
	}
	if err := h.place(&g); err != nil {
		return g, err
	}
	if err := g.Validate(); err != nil {
		return g, &FormatError{err.Error()}
	}
	return g, nil
}

// place fills the origin and axes of g from the sform or qform, in LPS mm.
func (h *header) place(g *imaging.Grid) error {
	mm := 1.0
	switch h.units & unitMask {
	case 0, 2: // unknown is millimetres by custom
	case 1:
		mm = 1000
	case 3:
		mm = 0.001
	default:
		return &FormatError{fmt.Sprintf("unknown unit of length %d", h.units&unitMask)}
	}
	scanner := func(code int) bool { return code == 1 || code == 2 }
	var m [3][4]float64
	switch {
	case h.scode > 0 && (scanner(h.scode) || !scanner(h.qcode)):
		m = h.srow
	case h.qcode > 0:
		m = h.qform()
	default:
		return &FormatError{"no sform and no qform: left and right are unknown; convert the image again with its orientation"}
	}
	lps := func(c int) r3.Vec { return r3.Vec{X: -mm * m[0][c], Y: -mm * m[1][c], Z: mm * m[2][c]} }
	g.Axes = [3]r3.Vec{lps(0), lps(1), lps(2)}
	g.Origin = lps(3)
	return nil
}

// qform is method 2 of nifti1.h: the rotation of the quaternion (a,b,c,d) with
// a = √(1−b²−c²−d²), columns scaled by pixdim, the third also by qfac.
func (h *header) qform() (m [3][4]float64) {
	b, c, d := h.quat[0], h.quat[1], h.quat[2]
	a := 1 - (b*b + c*c + d*d)
	if a < 1e-7 { // a turn of 180°: nifti1_io.c normalises b, c, d in this case
		s := 1 / math.Sqrt(b*b+c*c+d*d)
		a, b, c, d = 0, b*s, c*s, d*s
	} else {
		a = math.Sqrt(a)
	}
	r := [3][3]float64{
		{a*a + b*b - c*c - d*d, 2 * (b*c - a*d), 2 * (b*d + a*c)},
		{2 * (b*c + a*d), a*a + c*c - b*b - d*d, 2 * (c*d - a*b)},
		{2 * (b*d - a*c), 2 * (c*d + a*b), a*a + d*d - b*b - c*c},
	}
	qfac := 1.0
	if h.pixdim[0] < 0 {
		qfac = -1
	}
	for row := range 3 {
		for col := range 3 {
			m[row][col] = r[row][col] * h.pixdim[col+1]
		}
		m[row][2] *= qfac
		m[row][3] = h.qoffset[row]
	}
	return m
}
