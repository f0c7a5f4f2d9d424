package element

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Rule is a quadrature rule on a reference element: ∫f ≈ Σ W_q·f(P_q), exact
// for polynomials up to Degree. Weights are positive and sum to the reference
// volume 1/6 or area 1/2.
type Rule struct {
	Name, Source string
	Degree       int
	P            []r3.Vec
	W            []float64
}

// TetRule returns the rule with the fewest points among those kept here that
// is exact to the degree: 1, 4 or 14 points for degrees ≤ 1, 2, 5. It panics
// above degree 5.
func TetRule(degree int) *Rule { return pick(tetRules, degree) }

// TriRule is TetRule for triangles: 1, 3 or 6 points for degrees ≤ 1, 2, 4.
func TriRule(degree int) *Rule { return pick(triRules, degree) }

func pick(rules []*Rule, degree int) *Rule {
	for _, r := range rules {
		if degree <= r.Degree {
			return r
		}
	}
	panic("element: no quadrature rule of that degree")
}

var tetRules = []*Rule{
	{
		Name: "tet1", Source: "centroid rule", Degree: 1,
		P: []r3.Vec{{X: 0.25, Y: 0.25, Z: 0.25}}, W: []float64{1. / 6},
	},
	tet("tet4", "Hammer, Marlowe & Stroud, Math. Tables Aids Comput. 10 (1956) 130", 2,
		orbit{(5 - math.Sqrt(5)) / 20, 1. / 4, 4}),
	tet("tet14", "Walkington, Quadrature on simplices of arbitrary dimension (2000); Grundmann & Möller, SIAM J. Numer. Anal. 15 (1978) 282", 5,
		orbit{0.31088591926330060980, 0.11268792571801585080, 4},
		orbit{0.092735250310891226402, 0.073493043116361949544, 4},
		orbit{0.045503704125649649492, 0.042546020777081466438, 6}),
}

var triRules = []*Rule{
	{Name: "tri1", Source: "centroid rule", Degree: 1, P: []r3.Vec{{X: 1. / 3, Y: 1. / 3}}, W: []float64{0.5}},
	tri("tri3", "Strang & Fix, An Analysis of the Finite Element Method (1973)", 2, orbit{1. / 6, 1. / 3, 3}),
	tri("tri6", "Dunavant, Int. J. Numer. Meth. Eng. 21 (1985) 1129, degree 4", 4,
		orbit{0.44594849091596488632, 0.22338158967801146570, 3},
		orbit{0.09157621350977074346, 0.10995174365532186764, 3}),
}

// orbit is a set of points equal up to the symmetry of the simplex: for
// vertices (a,…,a, rest), for the six edges of a tetrahedron (a, a, ½−a, ½−a);
// w is the weight of each as a part of the whole.
type orbit struct {
	a, w  float64
	count int
}

func tet(name, source string, degree int, orbits ...orbit) *Rule {
	r := &Rule{Name: name, Source: source, Degree: degree}
	add := func(l [4]float64, w float64) {
		r.P = append(r.P, r3.Vec{X: l[1], Y: l[2], Z: l[3]})
		r.W = append(r.W, w/6)
	}
	for _, o := range orbits {
		if o.count == 4 {
			for v := range 4 {
				l := [4]float64{o.a, o.a, o.a, o.a}
				l[v] = 1 - 3*o.a
				add(l, o.w)
			}
			continue
		}
		for _, e := range tetEdges {
			l := [4]float64{o.a, o.a, o.a, o.a}
			l[e[0]], l[e[1]] = 0.5-o.a, 0.5-o.a
			add(l, o.w)
		}
	}
	return r
}

func tri(name, source string, degree int, orbits ...orbit) *Rule {
	r := &Rule{Name: name, Source: source, Degree: degree}
	for _, o := range orbits {
		for v := range 3 {
			l := [3]float64{o.a, o.a, o.a}
			l[v] = 1 - 2*o.a
			r.P = append(r.P, r3.Vec{X: l[1], Y: l[2]})
			r.W = append(r.W, o.w/2)
		}
	}
	return r
}
