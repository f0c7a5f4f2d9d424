package cut

import (
	"math"
	"testing"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// A straight Tet10 mesh: the corner mesh is cut as a Tet4 mesh is, mid-edge
// nodes are in the middle, quadratic fields are carried over exactly.
func TestStraightTet10(t *testing.T) {
	linear := ball(t, 12, 3)
	m := linear.Quadratic()
	for _, opt := range []Options{{}, {Join: true}} {
		p := Plane{r3.Vec{X: 1.3}, r3.Vec{X: 1, Z: -.7}}
		r, l := apply(t, m, p, opt), apply(t, linear, p, opt)
		for k, v := range l.Mesh.Tets {
			if r.Mesh.Tets[k] != v {
				t.Fatalf("tetrahedron %d: %v, want %v", k, r.Mesh.Tets[k], v)
			}
		}
		corners := len(l.Mesh.Nodes)
		if got, want := len(r.Mesh.Nodes), len(l.Mesh.Quadratic().Nodes); got != want {
			t.Errorf("%d nodes, want %d", got, want)
		}
		f := func(p r3.Vec) float64 { return p.X*p.X - 2*p.X*p.Y + .5*p.Z*p.Z + p.Y - 3 }
		var old []float64
		for _, p := range m.Nodes {
			old = append(old, f(p))
		}
		used := make([]bool, len(r.Mesh.Nodes))
		for k, v := range r.Mesh.Tets {
			for e, c := range mesh.TetEdges {
				n := r.Mesh.Mid[k][e]
				if used[n] = true; int(n) < corners {
					t.Fatalf("mid-edge node %d is among the corners", n)
				}
				if mid := r3.Scale(.5, r3.Add(r.Mesh.Nodes[v[c[0]]], r.Mesh.Nodes[v[c[1]]])); r.Mesh.Nodes[n] != mid {
					t.Fatalf("mid-edge node %d is at %v, want %v", n, r.Mesh.Nodes[n], mid)
				}
			}
		}
		for n, x := range r.Map.Nodal(old) {
			if want := f(r.Mesh.Nodes[n]); math.Abs(x-want) > 1e-9*(1+math.Abs(want)) {
				t.Fatalf("node %d at %v: %g, want %g", n, r.Mesh.Nodes[n], x, want)
			}
			if !used[n] && n >= corners {
				t.Fatalf("node %d belongs to no element", n)
			}
		}
	}
}

// curve puts the mid-edge nodes of the boundary onto the sphere.
func curve(m *mesh.TetMesh, r float64) *mesh.TetMesh {
	q := m.Quadratic()
	q = &mesh.TetMesh{Nodes: append([]r3.Vec(nil), q.Nodes...), Tets: q.Tets, Mid: q.Mid, Region: q.Region}
	for k, next := range m.Neighbours() {
		for f, o := range next {
			if o >= 0 {
				continue
			}
			for e, c := range mesh.TetEdges {
				if c[0] != f && c[1] != f {
					n := q.Mid[k][e]
					q.Nodes[n] = r3.Scale(r/r3.Norm(q.Nodes[n]), q.Nodes[n])
				}
			}
		}
	}
	return q
}

// A curved Tet10 mesh: away from the cut every mid-edge node keeps its bits,
// beside it every element is valid.
func TestCurvedTet10(t *testing.T) {
	m := curve(ball(t, 12, 4), 12)
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	corners := int32(0)
	for _, v := range m.Tets {
		corners = max(corners, v[0]+1, v[1]+1, v[2]+1, v[3]+1)
	}
	for _, p := range []Plane{{r3.Vec{X: 1.3}, r3.Vec{X: 1, Z: -.7}}, {r3.Vec{X: 10.6}, r3.Vec{X: 1}}, {r3.Vec{Y: -9}, r3.Vec{Y: 1, X: .1}}} {
		r := apply(t, m, p, Options{})
		moved := 0
		for k, v := range m.Tets {
			if r.Mesh.Tets[k] != v {
				continue
			}
			stays := true
			for _, n := range v {
				stays = stays && r.Map.Node[n] == n
			}
			if !stays {
				continue
			}
			for e := range v {
				n, o := r.Mesh.Mid[k][e], m.Mid[k][e]
				if r.Map.Node[n] != o || r.Mesh.Nodes[n] != m.Nodes[o] {
					moved++
				}
			}
		}
		if moved > 2*r.Report.Straightened {
			t.Errorf("%v: %d mid-edge nodes of whole tetrahedra changed, %d edges straightened", p, moved, r.Report.Straightened)
		}
		curved := 0
		for n, at := range r.Mesh.Nodes {
			if o := r.Map.Node[n]; o >= corners && math.Abs(r3.Norm(at)-12) < 1e-9 {
				curved++
			}
		}
		t.Logf("%v: %d split, %d straightened, %d curved edges left", p, r.Report.Split, r.Report.Straightened, curved)
		if curved == 0 {
			t.Error("no curved edge is left")
		}
	}
}

// A curved edge that would invert a piece is made straight, on both sides of it.
func TestCurvedEdgesAreStraightenedWhereTheyInvert(t *testing.T) {
	m := cube(3).Quadratic()
	m = &mesh.TetMesh{Nodes: append([]r3.Vec(nil), m.Nodes...), Tets: m.Tets, Mid: m.Mid, Region: m.Region}
	for n, p := range m.Nodes { // mid-edge nodes of the top, pushed down as far as is valid
		if n >= 4*4*4+27 && p.Z == 3 && (p.X == math.Floor(p.X)) != (p.Y == math.Floor(p.Y)) {
			m.Nodes[n].Z -= .12
		}
	}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, z := range []float64{2.4, 2.5, 2.6, 2.7} {
		r := apply(t, m, Plane{r3.Vec{Z: z}, r3.Vec{Z: 1, X: .05}}, Options{})
		total += r.Report.Straightened
	}
	if total == 0 {
		t.Error("nothing had to be straightened: the test shows nothing")
	}
}
