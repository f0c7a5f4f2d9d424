package fem

import (
	"context"
	"math"

	"halsted/internal/sparse"
)

// root is the change of the load factor that brings Δu + w + dλ·v to the
// length ds, the one that turns Δu less.
func (a *arc) root(ds float64) (d float64, ok bool) {
	for i := range a.w {
		a.trial[i] = a.move[i] + a.w[i]
	}
	vv, vx, xx := sparse.Dot(a.v, a.v), sparse.Dot(a.v, a.trial), sparse.Dot(a.trial, a.trial)
	disc := vx*vx - vv*(xx-ds*ds)
	if !(disc >= 0) || !(vv > 0) {
		return 0, false
	}
	r := math.Sqrt(disc)
	if sparse.Dot(a.v, a.move) < 0 {
		r = -r
	}
	return (r - vx) / vv, true
}

// take goes the step du, with the load factor by d.
func (a *arc) take(d float64) inversion {
	n, sys := a.newton, a.sys
	if dil := sys.dil; dil != nil {
		if len(n.mixed.next) != len(dil.p) {
			n.mixed.next = make([]float64, len(dil.p))
		}
		sys.dilatations(n.u)
		sys.advance(n.mixed.next, n.u, n.du)
		copy(dil.p, n.mixed.next)
	}
	next := a.lambda + d
	if math.Abs(next-1) < 1e-14 {
		next = 1
	}
	a.at(next)
	sparse.AXPY(n.u, 1, n.du)
	sparse.AXPY(a.move, 1, n.du)
	for i, f := range sys.fixed {
		if f {
			n.u[i] = sys.bar(i, a.lambda)
		}
	}
	bad := sys.internal(n.fint, n.u)
	n.bulk = sys.bulk
	return bad
}

// solve factors the tangent at u and writes w = K⁻¹·rhs and v = du/dλ, which
// carries the prescribed motion.
func (a *arc) solve(ctx context.Context, first bool) error {
	n, sys := a.newton, a.sys
	if err := a.slope(); err != nil {
		return err
	}
	m := n.lin.m
	sys.tangent(m, n.lin.pos, n.u)
	if first && n.floor == 0 {
		n.floor = roundingFloor(m, sys.size)
	}
	for i, f := range sys.fixed {
		n.tmp[i] = 0
		if f {
			n.tmp[i] = sys.barTo[i] - sys.barFrom[i]
		}
	}
	m.MulVec(n.trial, n.tmp)
	for i, f := range sys.fixed {
		if f {
			a.q[i] = 0
		} else {
			a.q[i] -= n.trial[i]
		}
	}
	m.Constrain(sys.fixed)
	if a.of != m {
		a.factor, a.of = sparse.NewCholeskyWith(m, sparse.CholeskyConfig{Indefinite: true}), m
		if b := a.factor.Bytes(); a.limit > 0 && b > a.limit {
			return &MemoryError{NeedBytes: n.s.MemoryLimit - a.limit + b, LimitBytes: n.s.MemoryLimit}
		}
	}
	if err := a.factor.Factor(ctx, m); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return n.fail("the tangent cannot be factored ("+err.Error()+")", sys.worst(n.rhs))
	}
	a.factor.SolveMany([][]float64{a.v, a.w}, [][]float64{a.q, n.rhs})
	for _, p := range [][2][]float64{{a.v, a.q}, {a.w, n.rhs}} {
		if err := sys.complete(ctx, m, n.u, p[0], p[1], arcSkewTol, func(z, v []float64) error { a.factor.Solve(z, v); return nil }); err != nil {
			return err
		}
	}
	for i, f := range sys.fixed {
		if f {
			a.v[i], a.w[i] = n.tmp[i], 0
		}
	}
	return nil
}

// slope writes ∂(ext − fint)/∂λ at u into q: exact for dead loads and for
// everything that is linear in the factor (followers, weights, activation).
func (a *arc) slope() error {
	n, sys := a.newton, a.sys
	for i := range a.q {
		a.q[i] = sys.extTo[i] - sys.extFrom[i]
	}
	if len(sys.terms) == 0 && sys.actFrom == sys.actTo {
		return nil
	}
	here := a.lambda
	a.at(here + arcSlopeEps)
	bad := sys.internal(n.ftrial, n.u)
	a.at(here)
	if bad.element >= 0 {
		return n.fail("an element turns inside out", bad.element)
	}
	for i := range a.q {
		a.q[i] -= (n.ftrial[i] - n.fint[i]) / arcSlopeEps
	}
	sys.internal(n.ftrial, n.u) // leaves histories and dilatations at the present factor
	return nil
}
