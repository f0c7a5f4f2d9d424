package meshio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"halsted/imaging"
	"halsted/mesh"

	"github.com/hschendel/stl"
	"gonum.org/v1/gonum/spatial/r3"
)

// stlHeader must not begin with "solid", which would mean ASCII to many.
const stlHeader = "halsted SPACE=LPS UNIT=mm"

// FormatError says what is wrong with a file.
type FormatError struct{ Format, Reason string }

func (e *FormatError) Error() string { return "meshio: " + e.Format + ": " + e.Reason }

func badSTL(format string, a ...any) error {
	return &FormatError{Format: "STL", Reason: fmt.Sprintf(format, a...)}
}

// WriteSTL writes all faces of s as binary STL, in LPS mm rounded to float32.
// STL keeps no labels: write one structure at a time (mesh.Surface.Bounding).
func WriteSTL(w io.Writer, s *mesh.Surface) error {
	if err := checkSurface("STL", s); err != nil {
		return err
	}
	if len(s.Tris) > math.MaxUint32 {
		return badSTL("%d faces are more than the format can count", len(s.Tris))
	}
	header := make([]byte, 80)
	copy(header, stlHeader)
	solid := stl.Solid{BinaryHeader: header, Triangles: make([]stl.Triangle, len(s.Tris))}
	for t, v := range s.Tris {
		a, b, c := s.Verts[v[0]], s.Verts[v[1]], s.Verts[v[2]]
		n := r3.Cross(r3.Sub(b, a), r3.Sub(c, a))
		if l := r3.Norm(n); l > 0 {
			n = r3.Scale(1/l, n)
		}
		solid.Triangles[t] = stl.Triangle{Normal: vec3(n), Vertices: [3]stl.Vec3{vec3(a), vec3(b), vec3(c)}}
	}
	buf := bufio.NewWriterSize(w, 1<<16)
	if err := solid.WriteAll(buf); err != nil {
		return err
	}
	return buf.Flush()
}

func vec3(p r3.Vec) stl.Vec3 { return stl.Vec3{float32(p.X), float32(p.Y), float32(p.Z)} }

// checkSurface refuses what no format can hold.
func checkSurface(format string, s *mesh.Surface) error {
	for n, p := range s.Verts {
		for _, x := range [3]float64{p.X, p.Y, p.Z} {
			if !(math.Abs(x) <= math.MaxFloat32) {
				return &FormatError{format, fmt.Sprintf("vertex %d is at %v", n, p)}
			}
		}
	}
	for t, v := range s.Tris {
		for _, n := range v {
			if n < 0 || int(n) >= len(s.Verts) {
				return &FormatError{format, fmt.Sprintf("face %d names vertex %d of %d", t, n, len(s.Verts))}
			}
		}
	}
	return nil
}

// STLOptions says how to read a file; the zero value means LPS mm.
type STLOptions struct {
	// Label is the structure inside; background is outside. 0: LabelLiver.
	Label imaging.Label
	// UnitMM is the length of one file unit: 1000 for metres. 0: 1.
	UnitMM float64
	// MaxBytes bounds the file; 0: DefaultMaxBytes.
	MaxBytes int64
}

// DefaultMaxBytes bounds a file to be read (21 million faces of binary STL).
const DefaultMaxBytes = 1 << 30

const (
	stlHeaderBytes   = 84
	stlTriangleBytes = 50
)

// ReadSTL reads a binary or ASCII STL file. Corners with equal coordinates
// become one vertex, numbered by first use; faces with two equal corners have
// no area and are left out. The surface may be open: see mesh.Surface.Check.
//
// Errors: *FormatError for a file that is too long, truncated, has trailing
// bytes, cannot be parsed or holds a number that is not finite.
func ReadSTL(r io.Reader, opt STLOptions) (*mesh.Surface, error) {
	if opt.MaxBytes == 0 {
		opt.MaxBytes = DefaultMaxBytes
	}
	if opt.UnitMM == 0 {
		opt.UnitMM = 1
	}
	if opt.Label == 0 {
		opt.Label = imaging.LabelLiver
	}
	if !(opt.UnitMM > 0) || math.IsInf(opt.UnitMM, 0) || opt.MaxBytes < 0 {
		return nil, fmt.Errorf("meshio: STLOptions %+v", opt)
	}
	data, err := io.ReadAll(io.LimitReader(r, opt.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("meshio: STL: %w", err)
	}
	if int64(len(data)) > opt.MaxBytes {
		return nil, badSTL("the file is longer than %d bytes", opt.MaxBytes)
	}
	if err := checkLength(data); err != nil {
		return nil, err
	}
	solid, err := parse(data)
	if err != nil {
		return nil, err
	}
	s := &mesh.Surface{}
	number := map[stl.Vec3]int32{}
	for t := range solid.Triangles {
		var f [3]int32
		for i, p := range solid.Triangles[t].Vertices {
			for a, x := range p {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) || math.IsInf(float64(x)*opt.UnitMM, 0) {
					return nil, badSTL("corner %d of face %d is at %v", i, t, p)
				}
				p[a] = x + 0 // −0 and 0 are the same place
			}
			n, ok := number[p]
			if !ok {
				n = int32(len(s.Verts))
				number[p] = n
				s.Verts = append(s.Verts, r3.Scale(opt.UnitMM, r3.Vec{X: float64(p[0]), Y: float64(p[1]), Z: float64(p[2])}))
			}
			f[i] = n
		}
		if f[0] == f[1] || f[1] == f[2] || f[2] == f[0] {
			continue
		}
		s.Tris = append(s.Tris, f)
		s.Region = append(s.Region, mesh.Sides{Inside: opt.Label})
	}
	if len(s.Tris) == 0 {
		return nil, badSTL("the file holds no face")
	}
	return s, nil
}

// checkLength decides whether data can be STL at all: binary of exactly the
// counted length, or text that begins with "solid".
func checkLength(data []byte) error {
	if len(data) >= stlHeaderBytes {
		count := int64(binary.LittleEndian.Uint32(data[80:]))
		want := stlHeaderBytes + stlTriangleBytes*count
		have := int64(len(data))
		if have == want {
			return nil
		}
		if !bytes.HasPrefix(data, []byte("solid")) || bytes.IndexByte(data[:stlHeaderBytes], 0) >= 0 {
			if have < want {
				return badSTL("the file is cut off or not STL: %d faces need %d bytes, it has %d", count, want, have)
			}
			return badSTL("%d bytes follow the last of %d faces", have-want, count)
		}
		return nil
	}
	if !bytes.HasPrefix(data, []byte("solid")) {
		return badSTL("%d bytes are too few for a header, and it is not text", len(data))
	}
	return nil
}

// parse runs the codec; a panic in it becomes an error.
func parse(data []byte) (solid *stl.Solid, err error) {
	defer func() {
		if r := recover(); r != nil {
			solid, err = nil, badSTL("the parser gave up: %v", r)
		}
	}()
	solid, err = stl.ReadAll(bytes.NewReader(data))
	if err != nil {
		why := strings.Join(strings.Fields(err.Error()), " ") // it comes in many lines
		return nil, badSTL("%s", why[:min(len(why), 200)])
	}
	return solid, nil
}
