package fem

import (
	"math"

	"halsted/internal/sparse"
)

// mixed is what Newton's method on (u, p) needs beside n.u: see dilatation.
// Without mean dilatation merit is the residual and nothing else happens.
type mixed struct {
	merit   float64   // residual with the pressure unknowns, N
	growths int       // accepted steps that did not lower it
	next, p []float64 // pressures at the step's end and at its start
}

// maxGrowths bounds the steps of an increment that may raise the residual: the
// first ones turn the body, and the stretch this makes is undone by the next.
const maxGrowths = 3

// reset starts from u alone, p = U'(θ), where the residual is norm.
func (m *mixed) reset(n *newton, norm float64) {
	m.merit, m.growths = norm, 0
	if n.sys.dil != nil {
		n.sys.dilatations(n.u)
		n.sys.resetPressures()
	}
}

// searchMixed moves u along du and p along its linearisation: the whole way if
// the mixed residual falls, else half as far. It returns the residual of u
// alone. When nothing helps, u and p are as before.
func (n *newton) searchMixed(t float64, lifted bool) (norm, scale float64, ok bool) {
	sys, m := n.sys, &n.mixed
	d := sys.dil
	if len(m.next) != len(d.p) {
		m.next = make([]float64, len(d.p))
	}
	sys.dilatations(n.u)
	sys.advance(m.next, n.u, n.du)
	m.p = append(m.p[:0], d.p...)
	for a := 1.0; a > 1./20; a /= 2 {
		copy(n.trial, n.u)
		sparse.AXPY(n.trial, a, n.du)
		if !lifted {
			for i, f := range sys.fixed {
				if f {
					n.trial[i] = sys.bar(i, t)
				}
			}
		}
		for p, v := range m.p {
			d.p[p] = v + a*(m.next[p]-v)
		}
		d.mixed = true
		bad := sys.internal(n.ftrial, n.trial)
		d.mixed = false
		if bad.element < 0 {
			merit, sc := n.residual(n.tmp, n.ftrial, sys.bulk, t)
			grows := !(merit < m.merit*(1-1e-4*a))
			if finite(merit) && (!lifted || !grows || (a == 1 && merit < sc && m.growths < maxGrowths)) {
				if lifted && grows {
					m.growths++
				}
				sys.internal(n.ftrial, n.trial)
				bulk := sys.bulk
				norm, _ = n.residual(n.rhs, n.ftrial, bulk, t)
				n.u, n.trial = n.trial, n.u
				n.fint, n.ftrial = n.ftrial, n.fint
				n.bulk, m.merit = bulk, merit
				return norm, sc, !math.IsNaN(norm)
			}
		}
		if !lifted {
			break
		}
	}
	copy(d.p, m.p)
	return 0, 0, false
}
