package fem

import (
	"context"
	"errors"
	"math"
	"slices"

	"halsted/fem/material"
)

const (
	// coarseTol is the default of Settings.ResidualTol: displacements are then
	// within about 1 % of the equilibrium.
	coarseTol = 5e-3
	// coarseLoose is the tolerance between frames.
	coarseLoose = 0.05
	// coarseIncrements is the least number of increments of a stage.
	coarseIncrements = 4
	// smallestStep is the part of a step below which the line search gives up.
	smallestStep = 1e-3
	// memoryPairs steps make the approximation of the curvature.
	memoryPairs = 8
)

// Solve is as fem.Solve on the coarse level, for a model with the mesh, regions
// and stiffness field of the prepared one; supports, motions, loads and stages
// may be others. Other supports than those factored last cost a factorisation;
// removed regions, springs, trusses, foundations and membranes a new analysis.
//
// Of s, Steps is by default 1 (the end of each stage alone), MaxNewton 60
// iterations an increment, and ResidualTol 5e-3; Formulation and Guess have no
// meaning. Prescribed motion of mid-edge nodes is left out: they have the mean
// of their edge's ends, in displacement and stress. ErrorRel and ErrorMPa are of
// the coarse mesh's own stress, not the difference to Solve. Result.Newton
// counts iterations.
//
// Errors: as Solve, and *InputError as NewCoarse and for another mesh or other
// materials.
func (c *Coarse) Solve(ctx context.Context, m *Model, s Settings, emit func(*Frame) error) (Result, error) {
	if emit == nil {
		emit = func(*Frame) error { return nil }
	}
	s, err := coarseDefaults(s)
	res := Result{Settings: s}
	if err != nil {
		return res, err
	}
	if c.limit == 0 || s.MemoryLimit > 0 {
		c.limit = s.MemoryLimit
	}
	sys, err := c.system(m)
	if err != nil {
		return res, err
	}
	run := &coarseRun{c: c, sys: sys, set: s}
	err = run.all(ctx, &res, emit)
	res.MemoryEstimate = c.bytes
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

var _ Solver = (*Coarse)(nil).Solve

// coarseRun is one solve.
type coarseRun struct {
	c    *Coarse
	sys  *system
	set  Settings
	k    *corotated
	rest *restStiffness

	u, f, trial, ftrial []float64 // 3 per node of the mesh
	turn                []material.Mat3
	spin                []quaternion // of the nodes of rest
	r, d, q             []float64    // 3 per node of rest: residual, step, scratch
	next                []float64
	pairs               []pair
	past                []state // up to three states of the stage, oldest first
	plain               bool    // no guess from the past: it failed
	solves              int
	done                float64

	fail struct {
		iter     int
		residual float64
		reason   string
	}
}

// pair is a step and the change of the residual that it made.
type pair struct {
	s, y []float64
	rho  float64
}

func (w *coarseRun) all(ctx context.Context, res *Result, emit func(*Frame) error) error {
	sys := w.sys
	for _, v := range []*[]float64{&w.u, &w.f, &w.trial, &w.ftrial} {
		*v = make([]float64, 3*sys.n)
	}
	start := 0.0
	for i := range sys.stages {
		rebuilt := i == 0
		if i > 0 {
			start += sys.stages[i-1].duration()
			changed, err := sys.enterStage(i, w.u, start)
			if err != nil {
				return err
			}
			rebuilt = changed
		}
		if err := w.prepare(ctx, rebuilt); err != nil {
			return err
		}
		w.k.forces(w.f, w.u)
		if !sys.stages[i].Sudden { // what balanced the free nodes fades
			for d, fixed := range sys.fixed {
				if !fixed {
					sys.extFrom[d] = w.f[d]
				}
			}
		}
		if i == 0 {
			for _, f := range sys.fixed {
				if !f {
					res.DOF++
				}
			}
			if err := emit(w.k.frame(0, w.u, w.f, w.c.mids)); err != nil {
				return err
			}
			if sys.alive == nil {
				w.c.base.rec = sys.rec // the next solve has it ready
			}
		}
		w.past = []state{{0, slices.Clone(w.u)}}
		err := w.stage(ctx, start, res, emit)
		res.LinearIterations = w.solves
		if err != nil {
			return err
		}
	}
	w.progress(1)
	return nil
}

// prepare makes the kernel and the factor of the stage.
func (w *coarseRun) prepare(ctx context.Context, rebuilt bool) error {
	c, sys := w.c, w.sys
	plain := sys.alive == nil && len(sys.terms) == 0
	if rebuilt {
		d := c.d
		if sys.alive != nil || c.base.alive != nil {
			d = sys.newDomains()
		}
		w.k = newCorotated(sys, d)
	}
	switch {
	case plain && c.rest != nil:
		w.rest = c.rest
		if !slices.Equal(c.rest.fixed, sys.fixed) {
			if err := c.rest.factor(ctx, sys, c.patch, w.u); err != nil {
				return err
			}
		}
	default:
		r, patches, err := newRestStiffness(ctx, sys, w.k.d)
		if err != nil {
			return err
		}
		if err := c.afford(sys, r); err != nil {
			return err
		}
		if err := r.factor(ctx, sys, patches, w.u); err != nil {
			return err
		}
		w.rest = r
	}
	n := 3 * len(w.rest.nodes)
	if len(w.r) != n {
		for _, v := range []*[]float64{&w.r, &w.d, &w.q, &w.next} {
			*v = make([]float64, n)
		}
		w.turn, w.spin = make([]material.Mat3, n/3), make([]quaternion, n/3)
		for i := range w.spin {
			w.spin[i] = quaternion{1}
		}
	}
	return nil
}

// stage carries the stage that sys is in to its end.
func (w *coarseRun) stage(ctx context.Context, start float64, res *Result, emit func(*Frame) error) error {
	sys := w.sys
	st := &sys.stages[sys.stage]
	steps := w.set.Steps
	if st.Steps > 0 {
		steps = st.Steps
	}
	full := 1 / float64(steps*((coarseIncrements+steps-1)/steps))
	dt, t := full, 0.0
	for step := 1; step <= steps; step++ {
		end := float64(step) / float64(steps)
		iters, rel := 0, 0.0
		for t < end {
			next := t + dt
			tol := max(coarseLoose, w.set.ResidualTol)
			if next > end-1e-9*full {
				next, tol = end, w.set.ResidualTol
			}
			sys.now = clock{s: next, t: start + next*st.duration(), dt: (next - t) * st.duration(), at: start + t*st.duration()}
			n, got, err := w.increment(ctx, t, next, tol)
			iters += n
			res.Newton += n
			rel = got
			switch {
			case err == nil:
				t = next
				for _, term := range sys.terms {
					term.commit(w.u, sys.now)
				}
				w.past = append(w.past, state{t, slices.Clone(w.u)})
				if len(w.past) > 3 {
					w.past = w.past[1:]
				}
				dt, w.plain = min(full, 2*dt), false
				w.progress((float64(sys.stage) + t) / float64(len(sys.stages)))
			case !errors.Is(err, errDiverged):
				return err
			default:
				copy(w.u, w.past[len(w.past)-1].u)
				if !w.plain && len(w.past) > 1 {
					w.plain = true
					continue
				}
				dt = (next - t) / 2
				if dt < full*math.Pow(0.5, float64(w.set.MaxCutbacks))*(1-1e-9) {
					e := sys.worst(w.ftrial)
					return &NotConvergedError{Stage: sys.stage, LoadFactor: t, Iter: w.fail.iter, Residual: w.fail.residual,
						Element: e, AtMM: sys.centroid(e), Reason: w.fail.reason}
				}
			}
		}
		res.Steps++
		f := w.k.frame(res.Steps, w.u, w.f, w.c.mids)
		f.Newton, f.Residual = iters, rel
		if err := f.finite(); err != nil {
			return err
		}
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

func (w *coarseRun) progress(v float64) {
	if w.set.Progress != nil && v > w.done {
		w.done = v
		w.set.Progress(v)
	}
}
