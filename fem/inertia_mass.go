package fem

import (
	"math"

	"halsted/fem/element"
	"halsted/internal/sparse"

	"gonum.org/v1/gonum/spatial/r3"
)

// assemble makes the consistent mass ∫ρ·N_a·N_b of what is there.
func (t *inertia) assemble() {
	s := t.sys
	var groups [][]int32
	for _, o := range s.terms {
		if m, ok := o.(massive); ok {
			m.couple(func(nodes ...int32) { groups = append(groups, append([]int32(nil), nodes...)) })
		}
	}
	t.pattern = sparse.NewBSR3(s.n, s.conn, s.k, groups...)
	t.mass, t.of = make([]float64, len(t.pattern.Col)), nil
	rule, shape := element.TetRule(2), element.Shape(element.Tet4)
	if s.k == element.Tet10Nodes {
		rule, shape = element.TetRule(5), element.Tet10
	}
	n, d := make([]float64, len(rule.P)*s.k), make([]r3.Vec, len(rule.P)*s.k)
	for q, p := range rule.P {
		shape(n[q*s.k:(q+1)*s.k], d[q*s.k:(q+1)*s.k], p)
	}
	for _, list := range s.colour { // clusters of a colour share no node
		t.sys.chunks(len(list), 1, func(lo, _ int) {
			first := int(list[lo]) * clusterSize
			t.clusterMass(s.order[first:min(s.elems, first+clusterSize)], rule.W, n, d)
		})
	}
	for _, o := range s.terms {
		if m, ok := o.(massive); ok {
			m.masses(func(i, j int32, m float64) { t.mass[t.pattern.Index(i, j)] += m })
		}
	}
}

// clusterMass adds the mass of elements; w, n, d are the rule and its shapes.
func (t *inertia) clusterMass(elements []int32, weights, n []float64, d []r3.Vec) {
	s := t.sys
	x, g := make([]r3.Vec, s.k), make([]r3.Vec, s.k)
	me := make([]float64, s.k*s.k)
	for _, e32 := range elements {
		e := int(e32)
		rho := s.reg[s.regOf[e]].rho
		if rho == 0 || s.alive != nil && !s.alive[e] {
			continue
		}
		nodes := s.conn[e*s.k : (e+1)*s.k]
		for a, v := range nodes {
			x[a] = s.x[v]
			if s.birth != nil && s.birth[e] > 0 {
				b := s.bases[s.birth[e]-1]
				x[a] = r3.Add(x[a], r3.Vec{X: b[3*v], Y: b[3*v+1], Z: b[3*v+2]})
			}
		}
		clear(me)
		for q, wq := range weights {
			nq := n[q*s.k : (q+1)*s.k]
			w := rho * wq * element.Gradients(g, d[q*s.k:(q+1)*s.k], x)
			for a, na := range nq {
				row := me[a*s.k : a*s.k+a+1]
				for b := range row {
					row[b] += w * na * nq[b]
				}
			}
		}
		for a, i := range nodes {
			for b, j := range nodes[:a+1] {
				m := me[a*s.k+b]
				t.mass[t.pattern.Index(i, j)] += m
				if a != b {
					t.mass[t.pattern.Index(j, i)] += m
				}
			}
		}
	}
}

// times writes M·x.
func (t *inertia) times(dst, x []float64) {
	p := t.pattern
	t.sys.chunks(p.N, 512, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			var a, b, c float64
			for k := p.RowPtr[i]; k < p.RowPtr[i+1]; k++ {
				m, j := t.mass[k], 3*p.Col[k]
				a += m * x[j]
				b += m * x[j+1]
				c += m * x[j+2]
			}
			dst[3*i], dst[3*i+1], dst[3*i+2] = a, b, c
		}
	})
}

// accelerate solves M·a = net − r·M·v for the free degrees of freedom by
// conjugate gradients with the diagonal of M.
func (t *inertia) accelerate(net []float64) {
	s, p := t.sys, t.pattern
	t.times(t.mv, t.v0)
	t.times(t.ma, t.a0)
	r, z, d := t.a1, t.v1, t.moved
	free := func(i int) bool { return !s.fixed[i] && t.mass[p.Diag[i/3]] > 0 }
	for i := range r {
		r[i], d[i] = 0, 0
		if free(i) {
			r[i] = net[i] - t.d.RayleighMassPerS*t.mv[i] - t.ma[i]
		}
	}
	rho, start := 0.0, math.Sqrt(sparse.Dot(r, r))
	for range massIterations {
		for i := range z {
			z[i] = 0
			if free(i) {
				z[i] = r[i] / t.mass[p.Diag[i/3]]
			}
		}
		next := sparse.Dot(r, z)
		if !(next > 0) || math.Sqrt(sparse.Dot(r, r)) <= 1e-13*start {
			break
		}
		for i := range d {
			if rho > 0 {
				d[i] *= next / rho
			}
			d[i] += z[i]
		}
		rho = next
		t.times(t.ma, d)
		curve := 0.0
		for i, v := range t.ma {
			if free(i) {
				curve += v * d[i]
			} else {
				t.ma[i] = 0
			}
		}
		if !(curve > 0) {
			break
		}
		sparse.AXPY(t.a0, rho/curve, d)
		sparse.AXPY(r, -rho/curve, t.ma)
	}
	t.times(t.ma, t.a0)
	for i, m := range t.ma { // G + M·a = 0
		t.g0[i] = -m
		t.last[i] = m + t.d.RayleighMassPerS*t.mv[i]
	}
}

// massIterations bounds accelerate; a consistent mass scaled by its diagonal
// has a condition below 10 (Wathen, IMA J. Numer. Anal. 7 (1987) 449).
const massIterations = 200

// inertiaBytes is the memory that inertia adds to a solve.
func (s *system) inertiaBytes() (n int64) {
	for _, o := range s.terms {
		if t, ok := o.(*inertia); ok {
			blocks := int64(len(t.mass))
			n += blocks*(4+8+4) + int64(s.n)*(3*8*(5+6)+8)
		}
	}
	return n
}
