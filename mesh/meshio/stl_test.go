package meshio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// octahedron has its corners 30 mm from the centre: volume 4/3·30³.
func octahedron(centre r3.Vec) *mesh.Surface {
	s := &mesh.Surface{Tris: [][3]int32{{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4}, {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}}}
	for _, d := range []r3.Vec{{X: 30}, {X: -30}, {Y: 30}, {Y: -30}, {Z: 30}, {Z: -30}} {
		s.Verts = append(s.Verts, r3.Add(centre, d))
	}
	for range s.Tris {
		s.Region = append(s.Region, mesh.Sides{Inside: imaging.LabelLiver})
	}
	return s
}

func stlBytes(t testing.TB, s *mesh.Surface) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSTL(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ExampleReadSTL() {
	var b bytes.Buffer
	if err := WriteSTL(&b, octahedron(r3.Vec{X: 100})); err != nil {
		panic(err)
	}
	s, err := ReadSTL(&b, STLOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d vertices, %.0f mm³, closed: %v\n", len(s.Verts), s.VolumeMM3(imaging.Label.InOrgan), s.Check() == nil)
	// Output: 6 vertices, 36000 mm³, closed: true
}

func TestSTLRoundTrip(t *testing.T) {
	s := octahedron(r3.Vec{X: -12.25, Y: 3.5, Z: 700})
	data := stlBytes(t, s)
	if len(data) != 84+50*8 || !bytes.Contains(data[:80], []byte("SPACE=LPS")) || !bytes.Equal(data, stlBytes(t, s)) {
		t.Fatalf("%d bytes, header %q", len(data), data[:80])
	}
	back, err := ReadSTL(bytes.NewReader(data), STLOptions{Label: imaging.LabelTumour})
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Tris) != len(s.Tris) || len(back.Verts) != 6 || back.Region[0] != (mesh.Sides{Inside: imaging.LabelTumour}) {
		t.Fatalf("%+v", back)
	}
	for n, v := range s.Tris {
		for i := range v {
			if back.Verts[back.Tris[n][i]] != s.Verts[v[i]] {
				t.Fatalf("face %d moved", n)
			}
		}
	}
	metres, err := ReadSTL(bytes.NewReader(data), STLOptions{UnitMM: 1000})
	if err != nil || metres.Verts[0] != r3.Scale(1000, back.Verts[0]) {
		t.Fatalf("%v %v", err, metres)
	}
	// the stored normal is the unit outward one
	var n [3]float64
	for a := range n {
		n[a] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[84+4*a:])))
	}
	if math.Abs(n[0]-1/math.Sqrt(3)) > 1e-6 || math.Abs(n[1]-n[0]) > 1e-6 || math.Abs(n[2]-n[0]) > 1e-6 {
		t.Fatalf("normal %v", n)
	}
}

func TestSTLText(t *testing.T) {
	text := `solid one
facet normal 0 0 1
outer loop
vertex 0 0 0
vertex 1 0 -0
vertex 0 1 0
endloop
endfacet
facet normal 0 0 1
outer loop
vertex 1 0 0
vertex 1 1 0
vertex 0 1 0
endloop
endfacet
endsolid one
`
	s, err := ReadSTL(strings.NewReader(text), STLOptions{})
	if err != nil || len(s.Tris) != 2 || len(s.Verts) != 4 || s.AreaMM2(nil) != 1 {
		t.Fatalf("%v %+v", err, s)
	}
}

func TestSTLHostile(t *testing.T) {
	good := stlBytes(t, octahedron(r3.Vec{}))
	with := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	for name, data := range map[string][]byte{
		"empty":     {},
		"short":     good[:50],
		"cut":       good[:len(good)-1],
		"trailing":  append(bytes.Clone(good), 0),
		"count":     with(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[80:], math.MaxUint32); return b }),
		"no face":   with(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[80:], 0); return b[:84] }),
		"NaN":       with(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[84+12:], 0x7fc00000); return b }),
		"Inf":       with(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[84+50+16:], 0xff800000); return b }),
		"text":      []byte("solid\nfacet normal 0 0 1\nouter loop\nvertex 0 0"),
		"solid":     append([]byte("solid"), good[5:len(good)-1]...),
		"not solid": []byte(strings.Repeat("hello ", 40)),
		"flat":      with(func(b []byte) []byte { clear(b[84:]); return b }),
		"text NaN":  []byte("solid a\nfacet normal 0 0 1\nouter loop\nvertex nan 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid a\n"),
	} {
		s, err := ReadSTL(bytes.NewReader(data), STLOptions{})
		var bad *FormatError
		if !errors.As(err, &bad) || s != nil {
			t.Errorf("%s: %v", name, err)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	if _, err := ReadSTL(bytes.NewReader(good), STLOptions{MaxBytes: 100}); err == nil {
		t.Error("a file beyond the limit was read")
	}
	if _, err := ReadSTL(bytes.NewReader(good), STLOptions{UnitMM: math.NaN()}); err == nil {
		t.Error("a unit of NaN was accepted")
	}
	s := octahedron(r3.Vec{})
	s.Verts[3].Y = math.NaN()
	if err := WriteSTL(&bytes.Buffer{}, s); err == nil {
		t.Error("NaN was written")
	}
	s = octahedron(r3.Vec{})
	s.Tris[3][1] = 6
	if err := WriteSTL(&bytes.Buffer{}, s); err == nil {
		t.Error("an index out of range was written")
	}
}

func FuzzReadSTL(f *testing.F) {
	good := stlBytes(f, octahedron(r3.Vec{}))
	f.Add(good)
	f.Add(good[:200])
	f.Add([]byte("solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid a\n"))
	f.Add([]byte("solid"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ReadSTL(bytes.NewReader(data), STLOptions{MaxBytes: 1 << 16})
		if err != nil {
			return
		}
		if len(s.Tris) == 0 || len(s.Tris) != len(s.Region) || len(s.Verts) > 3*len(s.Tris)+3*len(data)/50+3 {
			t.Fatalf("%d faces, %d vertices from %d bytes", len(s.Tris), len(s.Verts), len(data))
		}
		// what was read can be written, and reads back the same
		var b bytes.Buffer
		if err := WriteSTL(&b, s); err != nil {
			t.Fatal(err)
		}
		again, err := ReadSTL(&b, STLOptions{})
		if err != nil || len(again.Tris) != len(s.Tris) {
			t.Fatalf("%v: %d faces became %+v", err, len(s.Tris), again)
		}
	})
}

func BenchmarkSTL(b *testing.B) {
	s := octahedron(r3.Vec{})
	for len(s.Tris) < 1<<18 {
		s.Tris = append(s.Tris, s.Tris...)
		s.Region = append(s.Region, s.Region...)
	}
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			stlBytes(b, s)
		}
		b.ReportMetric(float64(len(s.Tris)*b.N)/b.Elapsed().Seconds()/1e6, "Mface/s")
	})
	data := stlBytes(b, s)
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := ReadSTL(bytes.NewReader(data), STLOptions{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(s.Tris)*b.N)/b.Elapsed().Seconds()/1e6, "Mface/s")
	})
}
