package fem

import (
	"context"
	"math"
	"slices"

	"halsted/internal/sparse"

	"gonum.org/v1/gonum/spatial/r3"
)

// look computes forces and residual at u, and the potential; ok is false where
// a term cannot take u or the numbers are not finite.
func (w *coarseRun) look(f, u, r []float64) (norm, scale, potential float64, ok bool) {
	sys := w.sys
	if w.k.forces(f, u) >= 0 {
		return 0, 0, 0, false
	}
	potential = w.k.energy
	var ee, ii, rr float64
	for i, v := range w.rest.nodes {
		for c := range 3 {
			d := 3*int(v) + c
			e := sys.external(d, sys.now.s)
			ee += e * e
			ii += f[d] * f[d]
			x := 0.0
			if !sys.fixed[d] {
				x = e - f[d]
				potential -= e * u[d]
			}
			r[3*i+c] = x
			rr += x * x
		}
	}
	norm, scale = math.Sqrt(rr), math.Sqrt(max(ee, ii))
	return norm, scale, potential, finite(norm)
}

// guess sets u at part t of the stage from the past states, by a parabola or a
// line through them; with one state alone, or after a failure, the prescribed
// motion is carried by one linear solve.
func (w *coarseRun) guess(t float64) {
	sys := w.sys
	if len(w.past) > 1 && !w.plain {
		p := w.past
		var c [3]float64
		for i := range p {
			c[i] = 1
			for j := range p {
				if j != i {
					c[i] *= (t - p[j].at) / (p[i].at - p[j].at)
				}
			}
		}
		for i := range w.u {
			var v float64
			for k := range p {
				v += c[k] * p[k].u[i]
			}
			w.u[i] = v
		}
	}
	var gap float64
	for d, fixed := range sys.fixed {
		w.trial[d] = 0
		if fixed {
			w.trial[d] = sys.bar(d, t) - w.u[d]
			gap = max(gap, math.Abs(w.trial[d]))
		}
	}
	if (len(w.past) == 1 || w.plain) && gap > 0 {
		// K·Δū by a difference of forces, small enough to be of first order.
		h := 1e-4 * sys.size / gap
		move := slices.Clone(w.trial)
		for d := range w.trial {
			w.trial[d] = w.u[d] + h*move[d]
		}
		if w.k.forces(w.f, w.u) < 0 && w.k.forces(w.ftrial, w.trial) < 0 {
			for i, v := range w.rest.nodes {
				for c := range 3 {
					d := 3*int(v) + c
					w.r[3*i+c] = 0
					if !sys.fixed[d] {
						w.r[3*i+c] = -(w.ftrial[d] - w.f[d]) / h
					}
				}
			}
			w.precondition(w.d, w.r)
			w.spread(w.u, 1, w.d)
		}
	}
	for d, fixed := range sys.fixed {
		if fixed {
			w.u[d] = sys.bar(d, t)
		}
	}
}

// spread adds a·d, over the nodes of rest, to u.
func (w *coarseRun) spread(u []float64, a float64, d []float64) {
	for i, v := range w.rest.nodes {
		for c := range 3 {
			u[3*int(v)+c] += a * d[3*i+c]
		}
	}
}

// precondition writes R·K₀⁻¹·Rᵀ·r into d, R the rotations of the nodes at the
// last state.
func (w *coarseRun) precondition(d, r []float64) {
	w.k.nodeRotations(w.turn, w.spin, w.rest.nodes)
	for i := range w.turn {
		m := &w.turn[i]
		a := r3.Vec{X: r[3*i], Y: r[3*i+1], Z: r[3*i+2]}
		w.next[3*i], w.next[3*i+1], w.next[3*i+2] = r3.Dot(m[0], a), r3.Dot(m[1], a), r3.Dot(m[2], a)
	}
	w.rest.chol.Solve(d, w.next)
	w.solves++
	for i := range w.turn {
		m := &w.turn[i]
		b := r3.Add(r3.Scale(d[3*i], m[0]), r3.Add(r3.Scale(d[3*i+1], m[1]), r3.Scale(d[3*i+2], m[2])))
		d[3*i], d[3*i+1], d[3*i+2] = b.X, b.Y, b.Z
	}
}

// direction writes the step of limited-memory BFGS (J. Nocedal & S. Wright,
// Numerical Optimization (2006), algorithm 7.4).
func (w *coarseRun) direction() {
	copy(w.q, w.r)
	alpha := make([]float64, len(w.pairs))
	for i := len(w.pairs) - 1; i >= 0; i-- {
		p := &w.pairs[i]
		alpha[i] = p.rho * sparse.Dot(p.s, w.q)
		sparse.AXPY(w.q, -alpha[i], p.y)
	}
	w.precondition(w.d, w.q)
	for i := range w.pairs {
		p := &w.pairs[i]
		sparse.AXPY(w.d, alpha[i]-p.rho*sparse.Dot(p.y, w.d), p.s)
	}
}

// increment brings u from part t0 of the stage to t1, to ‖R‖ ≤ tol·scale. The
// error is errDiverged when a smaller increment may help.
func (w *coarseRun) increment(ctx context.Context, t0, t1, tol float64) (iter int, rel float64, err error) {
	sys := w.sys
	failed := func(reason string) (int, float64, error) {
		w.fail.iter, w.fail.residual, w.fail.reason = iter, rel, reason
		return iter, rel, errDiverged
	}
	for _, t := range sys.terms {
		if _, err := t.begin(w.u, sys.now); err != nil {
			return 0, 0, err
		}
	}
	w.guess(t1)
	w.pairs = w.pairs[:0]
	floor := roundingFloor(w.rest.m, sys.size)
	norm, scale, pot, ok := w.look(w.f, w.u, w.r)
	if !ok {
		copy(w.ftrial, w.f)
		return failed("the guess is not a state")
	}
	old, fresh := make([]float64, len(w.r)), true
	for ; ; iter++ {
		if err := ctx.Err(); err != nil {
			return iter, rel, err
		}
		rel = norm / max(scale, 1e-300)
		if norm <= max(tol*scale, floor) {
			return iter, rel, nil
		}
		if iter == w.set.MaxNewton {
			copy(w.ftrial, w.f)
			return failed("the residual did not fall in the allowed iterations")
		}
		w.direction()
		slope := -sparse.Dot(w.r, w.d)
		copy(old, w.r)
		a := 1.0
		var n1, s1, p1 float64
		for {
			copy(w.trial, w.u)
			w.spread(w.trial, a, w.d)
			if n1, s1, p1, ok = w.look(w.ftrial, w.trial, w.r); ok && (n1 < norm || p1 <= pot+1e-4*a*slope) {
				break
			}
			if a /= 2; a < smallestStep {
				break
			}
		}
		if a < smallestStep {
			norm, scale, pot, _ = w.look(w.f, w.u, w.r)
			if fresh {
				copy(w.ftrial, w.f)
				return failed("the line search found no lower residual or energy")
			}
			w.pairs, fresh = w.pairs[:0], true
			continue
		}
		fresh = false
		w.remember(a, old)
		w.u, w.trial = w.trial, w.u
		w.f, w.ftrial = w.ftrial, w.f
		norm, scale, pot = n1, max(scale, s1), p1
	}
}

// remember keeps the step a·d and the change of the residual from old to r.
func (w *coarseRun) remember(a float64, old []float64) {
	var p pair
	if len(w.pairs) == memoryPairs {
		p = w.pairs[0]
		copy(w.pairs, w.pairs[1:])
		w.pairs = w.pairs[:memoryPairs-1]
	} else {
		p.s, p.y = make([]float64, len(old)), make([]float64, len(old))
	}
	for i, d := range w.d {
		p.s[i], p.y[i] = a*d, old[i]-w.r[i]
	}
	if sy := sparse.Dot(p.s, p.y); sy > 0 {
		p.rho = 1 / sy
		w.pairs = append(w.pairs, p)
	}
}
