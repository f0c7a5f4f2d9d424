package spatial_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/spatial"
	"halsted/mesh/tetra"

	"gonum.org/v1/gonum/spatial/r3"
)

func ball(tb testing.TB, r, edge float64) *mesh.TetMesh {
	tb.Helper()
	n := int(2*r) + 8
	c := -float64(n-1) / 2
	g := imaging.NewGrid([3]int{n, n, n}, r3.Vec{X: c, Y: c, Z: c}, [3]float64{1, 1, 1})
	d := tetra.Domain{Grid: g, Phi: make([]float32, g.Len())}
	for v := range d.Phi {
		i, j, k := g.IJK(v)
		d.Phi[v] = float32(r3.Norm(g.Point(float64(i), float64(j), float64(k))) - r)
	}
	m, _, err := tetra.Fill(tb.Context(), d, tetra.Options{EdgeMM: edge})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// Every point of a mesh is found, and none outside.
func TestTetsAt(t *testing.T) {
	m := ball(t, 15, 4)
	f, err := spatial.NewTets(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	check := func(p r3.Vec, want int) {
		t.Helper()
		tet, l := f.At(p)
		if tet < 0 || want >= 0 && int(tet) != want {
			t.Fatalf("%v is in %d, want %d", p, tet, want)
		}
		var back r3.Vec
		for i, n := range m.Tets[tet] {
			back = r3.Add(back, r3.Scale(l[i], m.Nodes[n]))
		}
		if d := r3.Norm(r3.Sub(back, p)); d > 1e-9 || min(l[0], l[1], l[2], l[3]) < -1e-9 {
			t.Fatalf("%v: coordinates %v in %d, %g mm off", p, l, tet, d)
		}
	}
	for n, v := range m.Tets {
		a, b, c, d := m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]
		check(r3.Scale(0.25, r3.Add(r3.Add(a, b), r3.Add(c, d))), n)
		check(r3.Scale(1./3, r3.Add(a, r3.Add(b, c))), -1)
		check(r3.Scale(0.5, r3.Add(a, b)), -1)
		check(a, -1)
	}
	s, _ := m.Boundary()
	b := tree(t, s)
	r := rand.New(rand.NewPCG(9, 9))
	found := 0
	for range 5000 {
		p := vec(r, 9)
		tet, _ := f.At(p)
		if d := b.Signed(p); math.Abs(d) > 1e-6 && d < 0 != (tet >= 0) {
			t.Fatalf("%v, signed distance %g mm, is in element %d", p, d, tet)
		}
		if tet >= 0 {
			found++
		}
	}
	if found < 1000 {
		t.Fatalf("only %d points inside", found)
	}
	if tet, _ := f.At(r3.Vec{X: math.NaN()}); tet != -1 {
		t.Fatal("NaN is in an element")
	}
	for range 50 {
		lo := vec(r, 10)
		hi := r3.Add(lo, r3.Vec{X: 4 * r.Float64(), Y: 4 * r.Float64(), Z: 9 * r.Float64()})
		var want []int32
		for n, v := range m.Tets {
			x, y := mesh.Bounds([]r3.Vec{m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]})
			if x.X <= hi.X && x.Y <= hi.Y && x.Z <= hi.Z && y.X >= lo.X && y.Y >= lo.Y && y.Z >= lo.Z {
				want = append(want, int32(n))
			}
		}
		if got := f.InBox(nil, lo, hi); !slices.Equal(got, want) {
			t.Fatalf("box: %v, want %v", got, want)
		}
	}
}
