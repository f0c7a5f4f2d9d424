package fem

import (
	"context"
	"errors"
	"math"

	"halsted/internal/sparse"

	"gonum.org/v1/gonum/spatial/r3"
)

// ArcLength lets the load factor of a stage rise and fall so that a body that
// snaps or bursts is followed past its limit points. Each step is found on the
// cylinder ‖Δu‖ = Δs around the last state (Crisfield, Comput. Struct. 13
// (1981) 55); the first goes to the factor 1/Settings.Steps, later ones are as
// long as their Newton iterations allow. A stage ends when the factor comes to
// 1. Tangents are factored as L·D·Lᵀ. Laws with a history answer as in an
// instant; Model.Dynamic does not go with it.
type ArcLength struct {
	// MaxSteps ends the solve after so many steps of a stage; 0 means 200.
	MaxSteps int
	// MaxMM ends the solve with the first state in which a node has moved
	// farther, mm; 0: no bound.
	MaxMM float64
	// StepMM bounds the motion that a step sets out to give any node, mm;
	// 0: no bound.
	StepMM float64
}

func (a *ArcLength) check() error {
	switch {
	case a == nil:
		return nil
	case a.MaxSteps < 0:
		return badInput("Settings.ArcLength.MaxSteps", "is %d; must not be negative", a.MaxSteps)
	case !(a.MaxMM >= 0) || !(a.StepMM >= 0) || !finite(a.MaxMM, a.StepMM):
		return badInput("Settings.ArcLength", "has MaxMM %g and StepMM %g; neither may be negative", a.MaxMM, a.StepMM)
	}
	return nil
}

const (
	arcSteps    = 200 // default of MaxSteps
	arcWanted   = 5   // Newton iterations of a step of the right length
	arcGrowth   = 2.0 // and its bounds from one step to the next
	arcSlopeEps = 1e-3
	arcSkewTol  = 1e-3 // of a linear solve with an unsymmetric tangent
)

// errArcEnd ends a solve at a bound of ArcLength.
var errArcEnd = errors.New("fem: the path ends at a bound")

// arc is the state of a path.
type arc struct {
	*newton
	factor *sparse.Cholesky // L·D·Lᵀ
	of     *sparse.BSR3     // the matrix it was analysed for
	limit  int64            // bytes left for it; 0: any

	lambda float64   // load factor
	v      []float64 // du/dλ
	w      []float64 // Newton step at fixed λ
	q      []float64 // −∂R/∂λ
	move   []float64 // Δu of the step
	last   []float64 // Δu of the step before
	keep   []float64 // u at the step's start
}

// path carries the stage along its path.
func (n *newton) path(ctx context.Context, res *Result, emit func(*Frame) error) error {
	a := &arc{newton: n}
	for _, v := range []*[]float64{&a.v, &a.w, &a.q, &a.move, &a.last, &a.keep} {
		*v = make([]float64, len(n.u))
	}
	if n.s.MemoryLimit > 0 {
		a.limit = max(1, n.s.MemoryLimit-res.MemoryEstimate)
	}
	steps := n.s.ArcLength.MaxSteps
	if steps == 0 {
		steps = arcSteps
	}
	var ds, smallest float64
	for step := 1; ; step++ {
		iter, err := a.step(ctx, &ds, step)
		res.Newton += iter
		if errors.Is(err, errDiverged) {
			if smallest == 0 {
				smallest = ds * math.Pow(0.5, float64(n.s.MaxCutbacks)) * (1 - 1e-9)
			}
			if ds /= 2; !(ds > 0 && ds >= smallest && finite(ds)) { // 0: there is not even a direction
				st := n.step
				return &NotConvergedError{Stage: n.sys.stage, LoadFactor: a.lambda, Iter: st.iter, Residual: st.residual,
					Element: st.element, AtMM: n.sys.centroid(st.element), Reason: st.reason}
			}
			step--
			continue
		}
		if err != nil {
			return err
		}
		smallest = 0
		ds *= min(arcGrowth, max(1/arcGrowth, math.Sqrt(arcWanted/float64(max(1, iter)))))
		copy(a.last, a.move)
		res.Steps++
		f := n.sys.frame(res.Steps, n.u, n.fint)
		f.Newton, f.Residual = iter, n.step.residual
		if err := f.finite(); err != nil {
			return err
		}
		if err := emit(f); err != nil {
			return err
		}
		n.progress(min(1, max(a.lambda, float64(step)/float64(steps))))
		if a.lambda == 1 {
			return nil
		}
		if m := n.s.ArcLength.MaxMM; step >= steps || m > 0 && largest(n.u) > m {
			return errArcEnd
		}
	}
}

// largest is the largest motion of a node.
func largest(u []float64) (m float64) {
	for v := 0; v < len(u); v += 3 {
		m = max(m, r3.Norm(r3.Vec{X: u[v], Y: u[v+1], Z: u[v+2]}))
	}
	return m
}

// at puts the clock at a load factor.
func (a *arc) at(lambda float64) {
	a.lambda = lambda
	a.sys.now.s, a.sys.now.t = lambda, a.start+lambda*a.sys.stages[a.sys.stage].duration()
}

// step goes one step of length ds along the path, or back to its start with
// errDiverged. With ds = 0 it chooses the length.
func (a *arc) step(ctx context.Context, ds *float64, number int) (iter int, err error) {
	n, sys := a.newton, a.sys
	from := a.lambda
	copy(a.keep, n.u)
	defer func() {
		if err != nil {
			copy(n.u, a.keep)
			a.at(from)
			sys.internal(n.fint, n.u)
			n.bulk = sys.bulk
		}
	}()
	n.step.element, n.step.reason, n.step.residual = 0, "", math.NaN()
	if err := n.begin(from, from); err != nil {
		return 0, err
	}
	norm, _ := n.residual(n.rhs, n.fint, n.bulk, from)
	n.mixed.reset(n, norm)
	if err := a.solve(ctx, number == 1); err != nil {
		return 0, err
	}
	// Predictor along the tangent, on in the direction of the last step.
	long := math.Sqrt(sparse.Dot(a.v, a.v))
	if long == 0 {
		a.at(1) // the stage brings nothing
		sys.commit(n.u)
		return 0, nil
	}
	if *ds == 0 {
		*ds = long / float64(n.s.Steps)
	}
	if b := n.s.ArcLength.StepMM; b > 0 {
		*ds = min(*ds, b*long/largest(a.v))
	}
	d := *ds / long
	if sparse.Dot(a.last, a.v) < 0 {
		d = -d
	}
	for i := range a.v {
		n.du[i] = d * a.v[i]
	}
	clear(a.move)
	level := false // the step ends on the factor 1 in place of the cylinder
	for rounds := 0; ; {
		if err := ctx.Err(); err != nil {
			return iter, err
		}
		if bad := a.take(d); bad.element >= 0 {
			return iter, n.fail("an element turns inside out", bad.element)
		}
		if iter++; iter > n.s.MaxNewton*max(1, rounds) {
			return iter, n.fail("the residual did not fall in the allowed iterations", sys.worst(n.rhs))
		}
		norm, scale := n.residual(n.rhs, n.fint, n.bulk, a.lambda)
		n.step.iter, n.step.residual = iter, norm/max(scale, 1e-300)
		if !finite(norm) {
			return iter, n.fail("the residual is not finite", 0)
		}
		if norm <= max(n.s.ResidualTol*scale, n.floor) {
			switch {
			case a.lambda > 1 && !level: // it went past the end: back to it
				level = true
			case level && a.lambda != 1:
			default:
				rounds++
				again, why := sys.augment(n.u, rounds >= maxRounds)
				if why != "" {
					return iter, n.fail(why, sys.worst(n.fint))
				}
				if !again {
					again = sys.commit(n.u) && rounds < maxRounds
				}
				if !again {
					return iter, nil
				}
				sys.internal(n.fint, n.u)
				n.bulk = sys.bulk
				norm, _ = n.residual(n.rhs, n.fint, n.bulk, a.lambda)
				n.mixed.reset(n, norm)
			}
		}
		if err := a.solve(ctx, false); err != nil {
			return iter, err
		}
		if level {
			d = 1 - a.lambda
		} else {
			var ok bool
			if d, ok = a.root(*ds); !ok {
				return iter, n.fail("the path turns within the step", sys.worst(n.rhs))
			}
		}
		for i := range n.du {
			n.du[i] = a.w[i] + d*a.v[i]
		}
	}
}
