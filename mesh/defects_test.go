package mesh

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// torus has 2·n·m faces around the liver.
func torus(n, m int) *Surface {
	s := &Surface{}
	for i := range n {
		for j := range m {
			u, v := 2*math.Pi*float64(i)/float64(n), 2*math.Pi*float64(j)/float64(m)
			r := 60 + 20*math.Cos(v)
			s.Verts = append(s.Verts, r3.Vec{X: r * math.Cos(u), Y: r * math.Sin(u), Z: 20*math.Sin(v) + 300})
			a, b, c, d := int32(i*m+j), int32((i+1)%n*m+j), int32((i+1)%n*m+(j+1)%m), int32(i*m+(j+1)%m)
			s.Tris = append(s.Tris, [3]int32{a, b, c}, [3]int32{a, c, d})
			s.Region = append(s.Region, Sides{Inside: imaging.LabelLiver}, Sides{Inside: imaging.LabelLiver})
		}
	}
	return s
}

func ExampleSurface_Defects() {
	s := torus(8, 6)
	fmt.Println(s.Defects())
	s.Tris[5][0], s.Tris[5][1] = s.Tris[5][1], s.Tris[5][0]
	appendFace(s, s.Tris[40])
	fmt.Println(s.Defects())
	// Output:
	// 96 faces, no fault
	// 97 faces: 1 faces given twice, 6 edges with a face turned over, 3 edges with more than two faces; first at face 4
}

func TestDefects(t *testing.T) {
	const faces = 2 * 12 * 10
	for name, c := range map[string]struct {
		spoil func(s *Surface)
		want  Defects
	}{
		"sound":        {func(*Surface) {}, Defects{FirstFace: -1}},
		"no regions":   {func(s *Surface) { s.Region = nil }, Defects{FirstFace: -1}},
		"hole":         {func(s *Surface) { s.Tris[7] = s.Tris[faces-1]; cutTail(s) }, Defects{OpenEdges: 3, FirstFace: 6}},
		"turned":       {func(s *Surface) { slices.Reverse(s.Tris[7][:]) }, Defects{TurnedEdges: 3, FirstFace: 6}},
		"twin":         {func(s *Surface) { appendFace(s, s.Tris[7]) }, Defects{Duplicate: 1, TurnedEdges: 3, CrowdedEdges: 3, FirstFace: 6}},
		"turned twin":  {func(s *Surface) { v := s.Tris[7]; slices.Reverse(v[:]); appendFace(s, v) }, Defects{Duplicate: 1, TurnedEdges: 3, CrowdedEdges: 3, FirstFace: 6}},
		"pocket":       {func(s *Surface) { s.Tris, s.Region = [][3]int32{{0, 1, 2}, {2, 1, 0}}, s.Region[:2] }, Defects{Faces: 2, Duplicate: 1, FirstFace: 1}},
		"repeats":      {func(s *Surface) { s.Tris[7][2] = s.Tris[7][1] }, Defects{Degenerate: 1, OpenEdges: 3, FirstFace: 6}},
		"out of range": {func(s *Surface) { s.Tris[7][2] = 120 }, Defects{BadIndex: 1, OpenEdges: 3, FirstFace: 6}},
		"negative":     {func(s *Surface) { s.Tris[7][2] = -1 }, Defects{BadIndex: 1, OpenEdges: 3, FirstFace: 6}},
		"NaN":          {func(s *Surface) { s.Verts[120-1].Y = math.NaN() }, Defects{NonFinite: 1, FirstFace: -2}},
		"Inf":          {func(s *Surface) { s.Verts[120-1].Y = math.Inf(-1) }, Defects{NonFinite: 1, FirstFace: -2}},
		"flat": {func(s *Surface) {
			for n := range s.Verts {
				s.Verts[n].Z, s.Verts[n].Y = 0, 0
			}
		}, Defects{Degenerate: faces, FirstFace: 0}},
		"empty": {func(s *Surface) { *s = Surface{} }, Defects{Faces: -1, FirstFace: -1}},
	} {
		s := torus(12, 10)
		c.spoil(s)
		got := s.Defects()
		c.want.Verts, c.want.Faces = len(s.Verts), len(s.Tris)
		if c.want.FirstFace == -2 {
			// the lowest face around the spoilt vertex
			c.want.FirstFace = slices.IndexFunc(s.Tris, func(v [3]int32) bool { return slices.Contains(v[:], 119) })
		}
		if got.FirstFace >= 0 && c.want.FirstFace > 0 && name != "NaN" && name != "Inf" && name != "pocket" {
			got.FirstFace, c.want.FirstFace = 0, 0 // which neighbour is lowest is of no matter here
		}
		if got != c.want || got.Sound() != (name == "sound" || name == "no regions" || name == "empty") {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func appendFace(s *Surface, v [3]int32) {
	s.Tris, s.Region = append(s.Tris, v), append(s.Region, s.Region[0])
}

func cutTail(s *Surface) {
	s.Tris, s.Region = s.Tris[:len(s.Tris)-1], s.Region[:len(s.Region)-1]
}

// Where three regions meet, edges have three faces and nothing is wrong.
func TestDefectsJunction(t *testing.T) {
	// two boxes side by side would do; two tetrahedra on one face are smaller
	s := &Surface{
		Verts:  []r3.Vec{{}, {X: 1}, {Y: 1}, {Z: 1}, {Z: -1}},
		Tris:   [][3]int32{{0, 2, 1}, {0, 1, 3}, {1, 2, 3}, {2, 0, 3}, {1, 0, 4}, {2, 1, 4}, {0, 2, 4}},
		Region: []Sides{{1, 2}, {1, 0}, {1, 0}, {1, 0}, {2, 0}, {2, 0}, {2, 0}},
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	if d := s.Defects(); !d.Sound() {
		t.Fatal(d)
	}
	s.Region[0] = Sides{2, 1}
	if d := s.Defects(); d.TurnedEdges != 3 || d.CrowdedEdges != 0 || s.Check() == nil {
		t.Fatal(d)
	}
}

// A million faces on one edge are sorted, not compared with one another.
func TestDefectsHub(t *testing.T) {
	const n = 200000
	s := &Surface{Verts: make([]r3.Vec, n+2)}
	s.Verts[1].Z = 1
	for i := range n {
		a := 2 * math.Pi * float64(i) / n
		s.Verts[i+2] = r3.Vec{X: math.Cos(a), Y: math.Sin(a)}
		s.Tris = append(s.Tris, [3]int32{0, 1, int32(i) + 2})
	}
	if d := s.Defects(); d.Duplicate != 0 || d.CrowdedEdges != 1 || d.TurnedEdges != 1 || d.OpenEdges != 2*n || d.Degenerate != 0 {
		t.Fatal(d)
	}
}

func BenchmarkDefects(b *testing.B) {
	s := torus(1000, 500)
	for b.Loop() {
		if d := s.Defects(); !d.Sound() {
			b.Fatal(d)
		}
	}
}

func BenchmarkCheckMillion(b *testing.B) {
	s := torus(1000, 500)
	for b.Loop() {
		if err := s.Check(); err != nil {
			b.Fatal(err)
		}
	}
}
