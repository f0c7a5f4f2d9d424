package fem

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Solve carries m through its stages and emits a frame for the unloaded state
// (step 0) and for every load step, as it converges. Load steps that do not
// converge are halved and regrown; a frame is emitted only where a whole step
// ends.
//
// Every step is solved by Newton's method with the consistent tangent, inexact
// linear solves (Eisenstat & Walker, SIAM J. Sci. Comput. 17 (1996) 16) and a
// line search on residual and energy; steps after the first start from the
// extrapolated motion. Loads and prescribed motion go in proportion to time
// from their value at the start of a stage to that at its end. Loads are dead,
// they act on the reference configuration, except pressures that follow.
//
// Errors: *InputError, *InvertedError, *UnconstrainedError and
// *MemoryError before anything is solved; *NotConvergedError; *NotFiniteError;
// the error of ctx, checked between chunks of elements and at every Newton and
// CG iteration; the error of emit, which ends the solve; emit may be nil. The Result is filled in as far as the solve came.
func Solve(ctx context.Context, m *Model, s Settings, emit func(*Frame) error) (Result, error) {
	if emit == nil {
		emit = func(*Frame) error { return nil }
	}
	s, err := s.withDefaults()
	res := Result{Settings: s}
	if err != nil {
		return res, err
	}
	if err := m.check(); err != nil {
		return res, err
	}
	if err := s.checkFor(m); err != nil {
		return res, err
	}
	if s.Resume != nil && s.ArcLength != nil {
		return res, badInput("Settings.Resume", "does not go with ArcLength; choose one")
	}
	if m.Dynamic != nil && s.ArcLength != nil {
		return res, badInput("Settings.ArcLength", "does not go with Model.Dynamic; choose one")
	}
	sys, err := newSystemCtx(ctx, m, s)
	if gone := ctx.Err(); gone != nil {
		res.Status = StatusCancelled
		return res, gone
	}
	if err != nil {
		return res, err
	}
	lin := newLinear(sys)
	if gone := ctx.Err(); gone != nil {
		res.Status = StatusCancelled
		return res, gone
	}
	for _, f := range sys.fixed {
		if !f {
			res.DOF++
		}
	}
	res.MemoryEstimate = lin.bytes(sys) + sys.contactBytes() + sys.inertiaBytes()
	if s.MemoryLimit > 0 && res.MemoryEstimate > s.MemoryLimit {
		return res, &MemoryError{NeedBytes: res.MemoryEstimate, LimitBytes: s.MemoryLimit}
	}
	if s.MemoryLimit > 0 {
		lin.limit = max(1, s.MemoryLimit-res.MemoryEstimate)
	}
	lin.m.Zero()
	lin.pos = sys.positions(lin.m)
	n := newNewton(sys, lin, s)
	var refused error // by emit
	err = n.run(ctx, &res, func(f *Frame) error {
		if gone := ctx.Err(); gone != nil {
			return gone // f may be unfinished
		}
		refused = emit(f)
		return refused
	})
	if gone := ctx.Err(); err != nil && gone != nil && refused == nil {
		err = gone // whatever failed, failed for this
	}
	res.LinearIterations = lin.iters
	switch {
	case err == nil:
		res.Status = StatusConverged
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		res.Status = StatusCancelled
	default:
		res.Status = StatusNotConverged
	}
	return res, err
}

// state is a converged displacement at a load factor.
type state struct {
	at float64
	u  []float64
}

// newton is the nonlinear loop and its vectors.
type newton struct {
	sys *system
	lin *linear
	s   Settings

	u, trial, du      []float64
	fint, ftrial, rhs []float64
	tmp               []float64
	bulk              float64     // of fint
	start             float64     // time of the stage's start, s
	past              []state     // up to three converged states of the stage, oldest first
	starts            [][]float64 // displacement at the starts of stages 1, 2, …
	mixed             mixed
	floor             float64 // residual that rounding alone can make, N
	done              float64 // progress reported

	step struct { // the attempt under way, for errors
		iter     int
		residual float64
		element  int32
		reason   string
	}
}

func newNewton(sys *system, lin *linear, s Settings) *newton {
	n := &newton{sys: sys, lin: lin, s: s}
	for _, v := range []*[]float64{&n.u, &n.trial, &n.du, &n.fint, &n.ftrial, &n.rhs, &n.tmp} {
		*v = make([]float64, 3*sys.n)
	}
	return n
}

var (
	errDiverged = errors.New("increment failed") // cut back and try again
	errStart    = errors.New("fem: internal: the unloaded state has no stiffness")
)

func (n *newton) run(ctx context.Context, res *Result, emit func(*Frame) error) error {
	sys := n.sys
	first, part := 0, 0.0
	if c := n.s.Resume; c != nil {
		if err := n.resume(c); err != nil {
			return err
		}
		first, part, res.Steps = c.Stage, c.Part, c.Steps
		res.Checkpoint = c
	} else {
		if bad := sys.internal(n.fint, n.u); bad.element >= 0 {
			return fmt.Errorf("%w at element %d", errStart, bad.element)
		}
		n.bulk = sys.bulk
		f := sys.frame(0, n.u, n.fint)
		if err := f.finite(); err != nil {
			return err
		}
		if err := emit(f); err != nil {
			return err
		}
	}
	for i := first; i < len(sys.stages); i++ {
		if i > first {
			part = 0
			n.starts = append(n.starts, slices.Clone(n.u))
			n.start += sys.stages[i-1].duration()
			rebuilt, err := sys.enterStage(i, n.u, n.start)
			if err != nil {
				return err
			}
			if rebuilt {
				n.rebuild()
			}
			n.lin.stale = true
			sys.internal(n.fint, n.u)
			n.bulk = sys.bulk
		}
		if i > first || n.s.Resume == nil {
			n.past = []state{{0, append([]float64(nil), n.u...)}}
		}
		var err error
		if n.s.ArcLength != nil {
			err = n.path(ctx, res, emit)
		} else {
			err = n.carry(ctx, part, res, emit)
		}
		if errors.Is(err, errArcEnd) {
			break
		} else if err != nil {
			return err
		}
	}
	n.progress(1)
	return nil
}

// carry takes the stage that sys is in from the part t that has passed to its
// end.
func (n *newton) carry(ctx context.Context, t float64, res *Result, emit func(*Frame) error) error {
	sys := n.sys
	steps := n.s.Steps
	if v := sys.stages[sys.stage].Steps; v > 0 {
		steps = v
	}
	full := 1 / float64(steps)
	dt := full
	guess := true // start from the extrapolated motion
	for step := 1 + int(math.Round(t*float64(steps))); step <= steps; step++ {
		end := float64(step) / float64(steps)
		stepIters, residual := 0, 0.0
		for t < end {
			next := t + dt
			if next > end-1e-9*full {
				next = end
			}
			iter, rel, err := n.increment(ctx, t, next, guess)
			stepIters += iter
			res.Newton += iter
			residual = rel
			if err == nil {
				t = next
				n.remember(t)
				dt, guess = min(full, 2*dt), true
				continue
			}
			if !errors.Is(err, errDiverged) {
				return err
			}
			copy(n.u, n.past[len(n.past)-1].u)
			sys.internal(n.fint, n.u)
			n.bulk = sys.bulk
			n.lin.restart()
			if guess && (len(n.past) > 1 || n.s.Guess != nil || len(n.s.Guesses) > 0) { // the guess may be to blame: go by the tangent
				guess = false
				continue
			}
			dt = (next - t) / 2
			if dt < full*math.Pow(0.5, float64(n.s.MaxCutbacks))*(1-1e-9) {
				st := n.step
				return &NotConvergedError{Stage: sys.stage, LoadFactor: t, Iter: st.iter, Residual: st.residual,
					Element: st.element, AtMM: sys.centroid(st.element), Reason: st.reason}
			}
		}
		res.Steps++
		f := sys.frame(res.Steps, n.u, n.fint)
		f.Newton, f.Residual = stepIters, residual
		if err := f.finite(); err != nil {
			return err
		}
		if n.s.Checkpoint && !sys.gone() {
			res.Checkpoint = n.checkpoint(t, res.Steps)
		}
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

func (n *newton) progress(v float64) {
	v = (float64(n.sys.stage) + v) / float64(len(n.sys.stages))
	if n.s.Progress != nil && v > n.done {
		n.done = v
		n.s.Progress(v)
	}
}

// finite names the first bad number of a frame.
func (f *Frame) finite() error {
	for v, u := range f.U {
		if !finiteVec(u) || !finiteVec(f.ReactionN[v]) || !finite(f.VonMisesMPa[v], f.StressMax[v], f.StressMin[v], f.StrainMax[v], f.StrainMin[v]) || !finite(f.Stress[v][:]...) || !finite(f.ErrorMPa[v], f.ErrorRel) {
			return &NotFiniteError{Step: f.Step, Node: int32(v)}
		}
	}
	return nil
}

func (n *newton) remember(t float64) {
	var buf []float64
	if len(n.past) == 3 {
		buf = n.past[0].u
		n.past = append(n.past[:0], n.past[1:]...)
	} else {
		buf = make([]float64, len(n.u))
	}
	copy(buf, n.u)
	n.past = append(n.past, state{t, buf})
}
