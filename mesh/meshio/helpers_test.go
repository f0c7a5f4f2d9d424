package meshio

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
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

// twoRegions is a pair of tetrahedra of different regions that share a face.
func twoRegions() *mesh.Surface {
	l, m := imaging.LabelLiver, imaging.LabelTumour
	return &mesh.Surface{
		Verts:  []r3.Vec{{X: 0.1}, {X: 1.25, Z: 1. / 3}, {Y: 1e-7}, {Z: 123.456789012345678}, {Z: -1}},
		Tris:   [][3]int32{{0, 2, 1}, {0, 1, 3}, {1, 2, 3}, {2, 0, 3}, {1, 0, 4}, {2, 1, 4}, {0, 4, 2}},
		Region: []mesh.Sides{{Inside: l, Outside: m}, {Inside: l}, {Inside: l}, {Inside: l}, {Inside: m}, {Inside: m}, {Outside: m}},
	}
}

// block is a box of 6³ bent cells of six tetrahedra, liver on one side and
// tumour on the other.
func block() *mesh.TetMesh {
	const n = 6
	m := &mesh.TetMesh{}
	at := func(i, j, k int) int32 { return int32(i + (n+1)*(j+(n+1)*k)) }
	for k := range n + 1 {
		for j := range n + 1 {
			for i := range n + 1 {
				x, y, z := float64(i)*4-12, float64(j)*3-9, float64(k)*3.5+300
				m.Nodes = append(m.Nodes, r3.Vec{X: x + 0.5*math.Sin(y), Y: y + 0.5*math.Sin(z), Z: z + 0.3*math.Cos(x)})
			}
		}
	}
	for c := range n * n * n {
		i, j, k := c%n, c/n%n, c/n/n
		for _, p := range [6][3]int{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {2, 1, 0}, {1, 0, 2}} {
			var v [4]int32
			at3 := [3]int{i, j, k}
			v[0] = at(at3[0], at3[1], at3[2])
			for s, axis := range p {
				at3[axis]++
				v[s+1] = at(at3[0], at3[1], at3[2])
			}
			if mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) < 0 {
				v[1], v[2] = v[2], v[1]
			}
			m.Tets = append(m.Tets, v)
			l := imaging.LabelLiver
			if i >= n/2 {
				l = imaging.LabelTumour
			}
			m.Region = append(m.Region, l)
		}
	}
	return m
}

// pair is two tetrahedra, small enough to break at every byte; coordinates need
// all 17 digits.
func pair() *mesh.TetMesh {
	return &mesh.TetMesh{
		Nodes:  []r3.Vec{{X: 0.1}, {X: math.Pi}, {Y: 1. / 3, X: 0.1}, {Z: math.Sqrt2}, {X: -1e-3, Y: -2. / 7, Z: 0.1}},
		Tets:   [][4]int32{{0, 1, 2, 3}, {1, 0, 4, 3}},
		Region: []imaging.Label{imaging.LabelTumour, imaging.LabelLiver},
	}
}

// curved is a Tet10 mesh whose mid-edge nodes are off the middle, so that a
// wrong order shows.
func curved(m *mesh.TetMesh) *mesh.TetMesh {
	q := m.Quadratic()
	for n := len(m.Nodes); n < len(q.Nodes); n++ {
		q.Nodes[n] = r3.Add(q.Nodes[n], r3.Vec{X: 0.01 * math.Sin(float64(n)), Y: 0.01 * math.Cos(float64(n)), Z: 0.003})
	}
	return q
}

var bg = context.Background()

func surfaceBytes(t testing.TB, name string, s *mesh.Surface, opt WriteOptions) []byte {
	t.Helper()
	var b, again bytes.Buffer
	for _, w := range []*bytes.Buffer{&b, &again} {
		if err := WriteSurface(bg, w, name, s, opt); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Fatalf("%s: two writes differ", name)
	}
	return b.Bytes()
}

func tetBytes(t testing.TB, name string, m *mesh.TetMesh, opt WriteOptions) []byte {
	t.Helper()
	var b, again bytes.Buffer
	for _, w := range []*bytes.Buffer{&b, &again} {
		if err := WriteTetMesh(bg, w, name, m, opt); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Fatalf("%s: two writes differ", name)
	}
	return b.Bytes()
}

func readSurfaceBytes(t testing.TB, name string, data []byte, opt ReadOptions) *SurfaceFile {
	t.Helper()
	f, err := ReadSurface(bg, bytes.NewReader(data), name, opt)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

func readTetBytes(t testing.TB, name string, data []byte, opt ReadOptions) *TetFile {
	t.Helper()
	f, err := ReadTetMesh(bg, bytes.NewReader(data), name, opt)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

// sameTets demands equality to the last bit.
func sameTets(t testing.TB, what string, got, want *mesh.TetMesh) {
	t.Helper()
	if !slices.Equal(got.Nodes, want.Nodes) {
		for n := range got.Nodes {
			if n < len(want.Nodes) && got.Nodes[n] != want.Nodes[n] {
				t.Fatalf("%s: node %d came back as %v, not %v", what, n, got.Nodes[n], want.Nodes[n])
			}
		}
		t.Fatalf("%s: %d nodes of %d", what, len(got.Nodes), len(want.Nodes))
	}
	if !slices.Equal(got.Tets, want.Tets) || !slices.Equal(got.Mid, want.Mid) || !slices.Equal(got.Region, want.Region) {
		t.Fatalf("%s: elements changed\n%v %v %v\n%v %v %v", what, got.Tets[:2], got.Mid, got.Region[:2], want.Tets[:2], want.Mid, want.Region[:2])
	}
}

// refuses demands a *FormatError.
func refuses(t testing.TB, what string, err error) *FormatError {
	t.Helper()
	var bad *FormatError
	if !errors.As(err, &bad) {
		t.Errorf("%s: %v", what, err)
		return &FormatError{}
	}
	t.Logf("%s: %v", what, err)
	return bad
}

// failing stands for a full disk.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// tetForms are all ways to write tetrahedra.
var tetForms = []struct {
	name string
	file string
	opt  WriteOptions
}{
	{"VTU appended", "a.vtu", WriteOptions{}},
	{"VTU inline", "a.vtu", WriteOptions{Inline: true}},
	{"VTU text", "a.vtu", WriteOptions{Text: true}},
	{"gmsh 4.1", "a.msh", WriteOptions{}},
	{"gmsh 4.1 text", "a.msh", WriteOptions{Text: true}},
	{"gmsh 2.2", "a.msh", WriteOptions{Version: "2.2"}},
	{"gmsh 2.2 text", "a.msh", WriteOptions{Version: "2.2", Text: true}},
	{"Abaqus", "a.inp", WriteOptions{}},
	{"FEBio 4", "a.feb", WriteOptions{}},
	{"FEBio 3", "a.feb", WriteOptions{Version: "3.0"}},
}

// surfaceForms are all ways to write surfaces.
var surfaceForms = []struct {
	name string
	file string
	opt  WriteOptions
}{
	{"STL", "a.stl", WriteOptions{}},
	{"STL text", "a.stl", WriteOptions{Text: true}},
	{"PLY", "a.ply", WriteOptions{}},
	{"PLY big endian", "a.ply", WriteOptions{BigEndian: true}},
	{"PLY text", "a.ply", WriteOptions{Text: true}},
	{"GLB", "a.glb", WriteOptions{}},
	{"GLB float32", "a.glb", WriteOptions{Float32: true}},
}
