package element

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

func ExampleGradients() {
	x := []r3.Vec{{}, {X: 2}, {Y: 2}, {Z: 2}} // mm
	var d, g [Tet4Nodes]r3.Vec
	Tet4(nil, d[:], r3.Vec{})
	det := Gradients(g[:], d[:], x)
	fmt.Printf("volume %.4f mm³, ∇N1 = %v /mm\n", det/6, g[1])
	// Output: volume 1.3333 mm³, ∇N1 = {0.5 0 0} /mm
}

// fact is n! for the exact integrals of monomials over a simplex:
// ∫ r^i s^j t^k = i!j!k!/(i+j+k+3)! (tetrahedron), i!j!/(i+j+2)! (triangle).
func fact(n int) float64 { return math.Gamma(float64(n) + 1) }

func TestRulesIntegrateMonomialsExactly(t *testing.T) {
	for _, r := range append(append([]*Rule{}, tetRules...), triRules...) {
		dim, maxK := 3, r.Degree
		if r.P[0].Z == 0 && r.Name[:3] == "tri" {
			dim, maxK = 2, 0
		}
		missed := 0.0 // worst error one degree above: a rule must not promise too little by accident
		for i := 0; i <= r.Degree+1; i++ {
			for j := 0; i+j <= r.Degree+1; j++ {
				for k := 0; i+j+k <= r.Degree+1 && k <= maxK+dim-2; k++ {
					var got float64
					for q, p := range r.P {
						got += r.W[q] * math.Pow(p.X, float64(i)) * math.Pow(p.Y, float64(j)) * math.Pow(p.Z, float64(k))
					}
					if dim == 2 && k > 0 {
						continue
					}
					want := fact(i) * fact(j) * fact(k) / fact(i+j+k+dim)
					if e := math.Abs(got - want); i+j+k <= r.Degree && e > 1e-16 {
						t.Errorf("%s: ∫r^%d s^%d t^%d = %v, want %v", r.Name, i, j, k, got, want)
					} else if i+j+k > r.Degree {
						missed = max(missed, e)
					}
				}
			}
		}
		if missed < 1e-9 {
			t.Errorf("%s is exact above its stated degree %d", r.Name, r.Degree)
		}
		for _, w := range r.W {
			if w <= 0 {
				t.Errorf("%s: weight %v", r.Name, w)
			}
		}
	}
}

var shapes = []struct {
	name  string
	f     Shape
	nodes []r3.Vec
}{
	{"Tet4", Tet4, TetNodes[:4]},
	{"Tet10", Tet10, TetNodes[:]},
	{"Tri3", Tri3, []r3.Vec{{}, {X: 1}, {Y: 1}}},
	{"Tri6", Tri6, []r3.Vec{{}, {X: 1}, {Y: 1}, {X: .5}, {X: .5, Y: .5}, {Y: .5}}},
}

func TestShapesInterpolateAndSumToOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range shapes {
		n, d := make([]float64, len(s.nodes)), make([]r3.Vec, len(s.nodes))
		for b, x := range s.nodes {
			s.f(n, nil, x)
			for a, v := range n {
				want := 0.0
				if a == b {
					want = 1
				}
				if v != want {
					t.Errorf("%s: N_%d at node %d is %v", s.name, a, b, v)
				}
			}
		}
		for range 20 {
			p := r3.Vec{X: rng.Float64(), Y: rng.Float64()}
			if len(s.nodes)%2 == 0 && s.name[:3] == "Tet" {
				p.Z = rng.Float64()
			}
			s.f(n, d, p)
			var sum float64
			var grad r3.Vec
			for a := range n {
				sum += n[a]
				grad = r3.Add(grad, d[a])
				const h = 1e-6 // central difference of a quadratic: exact up to rounding 1e-16/h
				lo, hi := make([]float64, len(n)), make([]float64, len(n))
				for _, axis := range []r3.Vec{{X: h}, {Y: h}, {Z: h}} {
					if s.name[:3] == "Tri" && axis.Z != 0 {
						continue
					}
					s.f(lo, nil, r3.Sub(p, axis))
					s.f(hi, nil, r3.Add(p, axis))
					fd := (hi[a] - lo[a]) / (2 * h)
					if e := math.Abs(fd - r3.Dot(d[a], axis)/h); e > 1e-8 {
						t.Errorf("%s: gradient of N_%d off by %g", s.name, a, e)
					}
				}
			}
			if math.Abs(sum-1) > 1e-14 || r3.Norm(grad) > 1e-14 {
				t.Errorf("%s: ΣN = %v, Σ∇N = %v", s.name, sum, grad)
			}
		}
	}
}

func TestGradientsReproduceALinearField(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var x, d, g [Tet10Nodes]r3.Vec
	for a, p := range TetNodes { // curved: every node moved
		x[a] = r3.Add(r3.Scale(7, p), r3.Vec{X: 100 + .3*rng.Float64(), Y: .3 * rng.Float64(), Z: .3 * rng.Float64()})
	}
	k := r3.Vec{X: 1.5, Y: -2, Z: .25}
	for _, p := range TetRule(5).P {
		Tet10(nil, d[:], p)
		if det := Gradients(g[:], d[:], x[:]); det <= 0 {
			t.Fatalf("det J = %v", det)
		}
		var got r3.Vec
		for a := range x {
			got = r3.Add(got, r3.Scale(r3.Dot(k, x[a]), g[a]))
		}
		if e := r3.Norm(r3.Sub(got, k)); e > 1e-12 {
			t.Errorf("gradient of a linear field off by %g", e)
		}
	}
	if n := testing.AllocsPerRun(10, func() { Tet10(nil, d[:], r3.Vec{}); Gradients(g[:], d[:], x[:]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAreaVectorOfAFlatTriangle(t *testing.T) {
	var d [Tri6Nodes]r3.Vec
	x := []r3.Vec{{X: 1}, {X: 3}, {X: 1, Y: 2}, {X: 2}, {X: 2, Y: 1}, {X: 1, Y: 1}}
	for _, p := range TriRule(4).P {
		Tri6(nil, d[:], p)
		if a := AreaVector(d[:], x); r3.Norm(r3.Sub(a, r3.Vec{Z: 4})) > 1e-14 {
			t.Errorf("area vector %v, want 2·area·normal = {0 0 4}", a)
		}
	}
}

func TestTooHighADegreePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("TetRule(6) did not panic")
		}
	}()
	TetRule(6)
}
