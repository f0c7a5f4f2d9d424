package fem

import (
	"context"
	"math"

	"halsted/internal/sparse"

	"gonum.org/v1/gonum/spatial/r3"
)

// residual writes the external load at part t of the stage less fint into r at
// free degrees of freedom, 0 at fixed ones, and returns ‖r‖ and the scale it is
// compared with: the largest of the norms of the external load, of fint, and of
// the elements' forces alone.
func (n *newton) residual(r, fint []float64, bulk, t float64) (norm, scale float64) {
	ee, ii := 0.0, bulk*bulk
	var all float64
	for i, f := range fint {
		e := n.sys.external(i, t)
		ee += e * e
		all += f * f
		r[i] = 0
		if !n.sys.fixed[i] {
			r[i] = e - f
		}
	}
	return math.Sqrt(sparse.Dot(r, r)), math.Sqrt(max(ee, ii, all))
}

// extrapolate guesses the state at t from the past: a parabola through three
// states or a line through two, whichever leaves the smaller residual; where
// nothing is moved by prescription, only if it beats staying, in its residual or
// in its energy: a small error of stiff sheets on soft tissue leaves a large
// residual, of which one step of Newton's method is rid. It returns false
// when there is no such guess; then n.u is untouched.
func (n *newton) extrapolate(t float64) bool {
	best := math.Inf(1)
	stay, still := n.gap(t) == 0, math.NaN() // energy of staying
	if stay {
		best, _ = n.residual(n.tmp, n.fint, n.bulk, t)
		still = n.potential(n.u, t)
	}
	found := false
	try := func() {
		if bad := n.sys.internal(n.ftrial, n.trial); bad.element >= 0 {
			return
		}
		norm, _ := n.residual(n.tmp, n.ftrial, n.sys.bulk, t)
		if norm < best || finite(norm) && !found && n.potential(n.trial, t) < still {
			best, found = norm, true
			copy(n.u, n.trial)
			copy(n.fint, n.ftrial)
			n.bulk = n.sys.bulk
		}
	}
	if g, from := n.guess(); g != nil && len(n.past) == 1 {
		for v, d := range g {
			if from != nil {
				d = r3.Sub(d, from[v])
			}
			start := n.past[0].u[3*v : 3*v+3]
			n.trial[3*v], n.trial[3*v+1], n.trial[3*v+2] = start[0]+t*d.X, start[1]+t*d.Y, start[2]+t*d.Z
		}
		for i, f := range n.sys.fixed {
			if f {
				n.trial[i] = n.sys.bar(i, t)
			}
		}
		try()
	}
	for order := len(n.past) - 1; order >= 1; order-- {
		p := n.past[len(n.past)-1-order:]
		c := make([]float64, order+1) // Lagrange weights at t
		for i := range p {
			c[i] = 1
			for j := range p {
				if j != i {
					c[i] *= (t - p[j].at) / (p[i].at - p[j].at)
				}
			}
		}
		for i := range n.trial {
			var v float64
			for k := range p {
				v += c[k] * p[k].u[i]
			}
			if n.sys.fixed[i] {
				v = n.sys.bar(i, t)
			}
			n.trial[i] = v
		}
		try()
	}
	return found
}

// guess is what Settings says of the displacement at the end and at the start of
// the stage under way; nil: nothing, or at rest.
func (n *newton) guess() (to, from []r3.Vec) {
	i := n.sys.stage
	if len(n.s.Guesses) == 0 {
		if i == 0 {
			to = n.s.Guess
		}
		return to, nil
	}
	if i > 0 {
		if from = n.s.Guesses[i-1]; from == nil {
			return nil, nil
		}
	}
	return n.s.Guesses[i], from
}

// increment brings n.u, a converged state at t0, to t1. fint follows u. The
// error is errDiverged when a smaller increment may help.
func (n *newton) increment(ctx context.Context, t0, t1 float64, guess bool) (iter int, rel float64, err error) {
	sys := n.sys
	n.step.element, n.step.reason, n.step.residual = 0, "", math.NaN()
	if err := n.begin(t0, t1); err != nil {
		return 0, 0, err
	}
	_, start := n.residual(n.rhs, n.fint, n.bulk, t1)
	lifted := guess && n.extrapolate(t1) || n.gap(t1) == 0 // the prescribed motion is in u already
	norm, scale := n.residual(n.rhs, n.fint, n.bulk, t1)
	scale = max(scale, start)
	prev, eta := 0.0, firstEta
	rounds := 0
	n.mixed.reset(n, norm)
	for iter = 0; ; iter++ {
		n.step.iter = iter
		if err := ctx.Err(); err != nil {
			return iter, rel, err
		}
		if !finite(norm, scale) {
			return iter, 0, n.fail("the forces are not finite", 0)
		}
		target := max(n.s.ResidualTol*scale, n.floor)
		if lifted {
			if norm <= target {
				rounds++
				again, why := sys.augment(n.u, rounds >= maxRounds)
				if why != "" {
					return iter, 0, n.fail(why, sys.worst(n.fint))
				}
				if !again {
					again = sys.commit(n.u) && rounds < maxRounds
				}
				if again { // the multipliers have moved
					sys.internal(n.fint, n.u)
					n.bulk = sys.bulk
					norm, scale = n.residual(n.rhs, n.fint, n.bulk, t1)
					prev, eta = 0, firstEta
					n.mixed.reset(n, norm)
					if norm <= target {
						continue
					}
				} else {
					n.progress(t1)
					return iter, norm / max(scale, 1e-300), nil
				}
			}
			n.step.residual = norm / scale
		}
		if iter >= n.s.MaxNewton*max(1, rounds) {
			return iter, 0, n.fail("the residual did not fall in the allowed iterations", sys.worst(n.rhs))
		}
		n.progress(t0 + (t1-t0)*min(0.9, 0.15*float64(iter)))
		sys.tangent(n.lin.m, n.lin.pos, n.u)
		if iter == 0 && n.floor == 0 {
			n.floor = roundingFloor(n.lin.m, sys.size)
		}
		tol := firstEta
		if !lifted { // the prescribed motion enters the first linear solve
			for i, f := range sys.fixed {
				n.tmp[i] = 0
				if f {
					n.tmp[i] = sys.bar(i, t1) - n.u[i]
				}
			}
			n.lin.m.MulVec(n.trial, n.tmp)
			for i, f := range sys.fixed {
				if !f {
					n.rhs[i] -= n.trial[i]
				}
			}
			tol = liftEta
			if sys.dil != nil { // what is left of a force of κ·strain must be small beside μ·strain
				tol = liftEtaDilatation
			}
		} else if iter > 0 && prev > 0 {
			eta = nextEta(eta, n.mixed.merit/prev)
			tol = eta
		}
		if lifted {
			tol *= n.mixed.merit / norm
			tol = max(tol, 0.5*target/norm)
		}
		n.lin.m.Constrain(sys.fixed)
		if err := n.lin.prepareShifted(ctx); err != nil {
			if notPositive(err) {
				return iter, 0, n.fail("the stiffness is not positive: the body buckles or a tissue softens", sys.worst(n.rhs))
			}
			return iter, 0, err
		}
		r, err := n.lin.solve(ctx, n.du, n.rhs, min(tol, 0.5))
		if err != nil {
			return iter, 0, err
		}
		if r.Stop == sparse.BrokenDown || (r.Stop == sparse.Indefinite && !lifted) {
			n.lin.stale = true
			return iter, 0, n.fail("the linear solve failed ("+r.Stop.String()+")", sys.worst(n.rhs))
		}
		if err := sys.complete(ctx, n.lin.m, n.u, n.du, n.rhs, min(tol, 0.5), func(z, v []float64) error {
			_, err := n.lin.solve(ctx, z, v, skewEta)
			return err
		}); err != nil {
			return iter, 0, err
		}
		if !lifted {
			sparse.AXPY(n.du, 1, n.tmp)
		}
		prev = n.mixed.merit
		if norm, scale, err = n.search(norm, scale, t1, lifted); err != nil {
			return iter, 0, err
		}
		scale = max(scale, start) // not that of a guess or of states between: a wild one would loosen the tolerance
		lifted = true
	}
}

// gap is the largest distance of a prescribed value from u, mm.
func (n *newton) gap(t float64) (g float64) {
	for i, f := range n.sys.fixed {
		if f {
			g = max(g, math.Abs(n.sys.bar(i, t)-n.u[i]))
		}
	}
	return g
}

// Forcing terms of the inexact Newton method: firstEta for the first linear
// solve of a step, liftEta for the one that carries prescribed motion (with mean
// dilatation liftEtaDilatation: κ/μ is 5000 at ν = 0.4999); later ones by
// nextEta.
const (
	firstEta          = 0.05
	liftEta           = 0.01
	liftEtaDilatation = 1e-6
)

// nextEta is Eisenstat & Walker's choice 2, η = 0.9·(‖R_k‖/‖R_{k−1}‖)², with
// their safeguard against falling too fast.
func nextEta(eta, ratio float64) float64 {
	next := 0.9 * ratio * ratio
	if guard := 0.9 * eta * eta; guard > 0.1 {
		next = max(next, guard)
	}
	return min(max(next, 1e-4), 0.1)
}

// search moves u along du: the whole way if the residual falls, else as far as
// its slope says until residual or potential energy fall enough. A step that
// carries the prescribed motion is taken whole or not at all.
//
// Where the energy falls and the residual does not, the step must also end
// where the energy is less steep than at its start, ahead or behind (the strong
// conditions of Wolfe; Nocedal & Wright, Numerical Optimization, 2006, §3.1):
// beyond the kink of a sheet that draws taut the first is true of states far up
// the other side.
func (n *newton) search(norm, scale, t float64, lifted bool) (float64, float64, error) {
	sys := n.sys
	if sys.dil != nil {
		if new, sc, ok := n.searchMixed(t, lifted); ok {
			return new, sc, nil
		}
		defer func() { n.mixed.reset(n, n.mixed.merit) }()
	}
	slope := -sparse.Dot(n.rhs, n.du) // of the potential energy
	start := math.NaN()
	bad := inversion{element: -1}
	second := 0.0 // a part of the step that lowers the energy, if no better is found
	for a := 1.0; a > leastStep; {
		if bad = n.try(a, t, lifted); bad.element >= 0 {
			if !lifted {
				break
			}
			a /= 2
			continue
		}
		new, sc := n.residual(n.tmp, n.ftrial, sys.bulk, t)
		next := a / 2
		ok := !lifted && finite(new) || new < norm*(1-1e-4*a)
		if !ok && finite(new) {
			if math.IsNaN(start) {
				start = n.potential(n.u, t)
			}
			if n.potential(n.trial, t) < start+1e-4*a*slope {
				end := -sparse.Dot(n.tmp, n.du)
				ok = end <= -wolfe*slope
				if !ok {
					second = max(second, a)
					next = a * min(max(slope/(slope-end), 0.1), 0.7) // where the slope is zero by its chord
				}
			}
			if !ok && a == 1 && new < scale && n.mixed.growths < maxGrowths {
				n.mixed.growths++
				ok = true
			}
		}
		if ok {
			n.take(new)
			return new, sc, nil
		}
		if !lifted {
			break
		}
		a = next
	}
	if second > 0 {
		if bad = n.try(second, t, lifted); bad.element < 0 {
			new, sc := n.residual(n.tmp, n.ftrial, sys.bulk, t)
			n.take(new)
			return new, sc, nil
		}
	}
	if bad.element >= 0 {
		return norm, scale, n.fail("an element turns inside out", bad.element)
	}
	return norm, scale, n.fail("the line search found no lower residual or energy", sys.worst(n.rhs))
}

// The least part of a step that search tries, and the part of the slope at its
// start that may be left at its end where the residual does not fall.
const (
	leastStep = 1.0 / 300
	wolfe     = 0.9
)

// try puts the state a part a along du into trial and its forces into ftrial.
func (n *newton) try(a, t float64, lifted bool) inversion {
	copy(n.trial, n.u)
	sparse.AXPY(n.trial, a, n.du)
	if !lifted {
		for i, f := range n.sys.fixed {
			if f {
				n.trial[i] = n.sys.bar(i, t)
			}
		}
	}
	return n.sys.internal(n.ftrial, n.trial)
}

// take makes the state last tried, whose residual is in tmp, the present one.
func (n *newton) take(norm float64) {
	n.u, n.trial = n.trial, n.u
	n.fint, n.ftrial = n.ftrial, n.fint
	n.bulk = n.sys.bulk
	n.mixed.merit = norm
	copy(n.rhs, n.tmp)
}

// potential is ∫W − fext·u with the loads at part t of the stage.
func (n *newton) potential(u []float64, t float64) float64 {
	w := n.sys.energy(u)
	for i, v := range u {
		w -= n.sys.external(i, t) * v
	}
	return w
}

// maxRounds bounds the augmentations of an increment.
const maxRounds = 20

// begin sets the clock to the end of the increment and lets the terms search.
func (n *newton) begin(t0, t1 float64) error {
	sys := n.sys
	d := sys.stages[sys.stage].duration()
	sys.now = clock{s: t1, t: n.start + t1*d, dt: (t1 - t0) * d, at: n.start + t0*d}
	changed := false
	for _, t := range sys.terms {
		c, err := t.begin(n.u, sys.now)
		if err != nil {
			return err
		}
		changed = changed || c
	}
	if changed {
		n.rebuild()
	}
	if len(sys.terms) > 0 || sys.old != nil || sys.actFrom != sys.actTo { // they answer to the clock
		sys.internal(n.fint, n.u)
		n.bulk = sys.bulk
	}
	return nil
}

// rebuild makes the matrix and its preconditioner for the present couplings.
func (n *newton) rebuild() {
	old := n.lin
	n.lin = newLinear(n.sys)
	n.lin.iters, n.lin.limit = old.iters, old.limit
	if old.asked && old.chol != nil { // iterations were too slow before
		n.lin.whole()
	}
	n.lin.m.Zero()
	n.lin.pos = n.sys.positions(n.lin.m)
}

func (n *newton) fail(reason string, element int32) error {
	for _, t := range n.sys.terms {
		if c, ok := t.(*contactTerm); ok {
			reason += c.remark()
		}
	}
	n.step.reason, n.step.element = reason, element
	return errDiverged
}

// roundingFloor is the residual that rounding can leave in a body of the given
// size: 16 units in the last place of a force ‖K_ii‖·size at each node, added
// as independent errors.
func roundingFloor(m *sparse.BSR3, size float64) float64 {
	var sum float64
	for i := range m.N {
		d := m.Val[9*m.Diag[i] : 9*m.Diag[i]+9]
		k := max(d[0], d[4], d[8])
		sum += k * k
	}
	const ulp = 0x1p-52
	return 16 * ulp * size * math.Sqrt(sum)
}

func decades(tol float64) float64 { return max(0.5, -math.Log10(tol)) }
