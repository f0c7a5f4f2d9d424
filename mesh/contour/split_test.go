package contour

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"halsted/imaging"
	"halsted/mesh"
)

// pinches counts the vertices at which the boundary of label l is not one fan.
func pinches(s *mesh.Surface, l imaging.Label) (count int) {
	type wedge struct{ a, b int32 } // the edge of a face opposite the vertex
	fans := make([][]wedge, len(s.Verts))
	for t, r := range s.Region {
		if r.Inside != l && r.Outside != l {
			continue
		}
		v := s.Tris[t]
		for c := range v {
			fans[v[c]] = append(fans[v[c]], wedge{v[(c+1)%3], v[(c+2)%3]})
		}
	}
	for _, f := range fans {
		if len(f) == 0 {
			continue
		}
		at, steps := f[0].b, 1
		used := make([]bool, len(f))
		used[0] = true
		for at != f[0].a {
			next := slices.IndexFunc(f, func(w wedge) bool { return w.a == at || w.b == at })
			for next >= 0 && used[next] {
				more := slices.IndexFunc(f[next+1:], func(w wedge) bool { return w.a == at || w.b == at })
				if more < 0 {
					next = -1
				} else {
					next += 1 + more
				}
			}
			if next < 0 {
				break
			}
			used[next] = true
			steps++
			at = f[next].a + f[next].b - at
		}
		if steps != len(f) {
			count++
		}
	}
	return count
}

func TestManifold(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for _, kinds := range []int{2, 3, 4, 6} {
		var verts, edges, verts0, edges0, all int
		for n := range 40 {
			size := [3]int{2 + r.IntN(12), 2 + r.IntN(12), 2 + r.IntN(12)}
			l := noise(r, size, kinds, []float64{0.1, 0.5, 1}[n%3])
			for _, manifold := range []bool{false, true} {
				net, err := NewNet(context.Background(), l, Options{Manifold: manifold})
				if err != nil {
					t.Fatal(err)
				}
				if err := net.Smooth(context.Background(), n%3*3); err != nil {
					t.Fatal(err)
				}
				s := net.Surface()
				if err := s.Check(); err != nil {
					t.Fatal(err)
				}
				inCells(t, l, net)
				for _, x := range s.Labels() {
					e, p := s.Topology(x).NonManifoldEdges, pinches(s, x)
					if manifold {
						edges += e
						verts += p
						all += s.Topology(x).Verts
					} else {
						edges0 += e
						verts0 += p
					}
				}
			}
		}
		t.Logf("%d labels: %d edges and %d vertices of %d are not manifold, without Manifold %d and %d", kinds, edges, verts, all, edges0, verts0)
		if kinds == 2 && edges+verts > 0 {
			t.Fatal("one label must be a manifold")
		}
	}
}

// Parts of one label that touch along an edge or at a corner come apart.
func TestTouchingPartsAreManifolds(t *testing.T) {
	for name, at := range map[string]func(i, j, k int) bool{
		"checkerboard": func(i, j, k int) bool { return (i+j+k)&1 == 0 },
		"edge":         func(i, j, _ int) bool { return (i < 2) == (j < 2) },
		"corner":       func(i, j, k int) bool { return (i < 2) == (j < 2) && (j < 2) == (k < 2) },
		"tunnels":      func(i, j, k int) bool { return i&1+j&1+k&1 < 2 },
		"full":         func(_, _, _ int) bool { return true },
	} {
		l := labelsOf([3]int{4, 4, 4}, func(i, j, k int) imaging.Label {
			if at(i, j, k) {
				return 1
			}
			return 0
		})
		for _, flip := range []bool{false, true} {
			if flip { // label and background change places
				for n, x := range l.ID {
					l.ID[n] = 1 - x
				}
				if l.Count(func(x imaging.Label) bool { return x == 1 }) == 0 {
					continue
				}
			}
			s, err := Extract(context.Background(), l, Options{Manifold: true, SmoothPasses: 4})
			if err == nil {
				err = s.Check()
			}
			if err != nil {
				t.Fatal(name, err)
			}
			if top := s.Topology(1); !top.Manifold() || pinches(s, 1) > 0 {
				t.Fatalf("%s: %+v, %d pinched vertices", name, top, pinches(s, 1))
			}
		}
	}
}

// inCells checks that each vertex of the net lies in a cell whose labels
// differ, short of its walls.
func inCells(t *testing.T, l *imaging.Labels, n *Net) {
	t.Helper()
	for v := range int32(n.Len()) {
		i, j, k := n.Cell(v)
		for a, c := range [3]int{i, j, k} {
			if d := n.Pos[3*v+int32(a)] - float32(c) - 0.5; d > CellLimit+1e-5 || d < -CellLimit-1e-5 {
				t.Fatalf("vertex %d is %g from the middle of cell %v", v, d, [3]int{i, j, k})
			}
		}
		labels := map[imaging.Label]bool{}
		for c := range 8 {
			x := imaging.Label(0)
			if p := [3]int{i + c&1, j + c>>1&1, k + c>>2}; l.Grid.Contains(p[0], p[1], p[2]) {
				x = l.ID[l.Grid.Index(p[0], p[1], p[2])]
			}
			labels[x] = true
		}
		if len(labels) < 2 {
			t.Fatalf("vertex %d lies in the uniform cell %v", v, [3]int{i, j, k})
		}
	}
}
