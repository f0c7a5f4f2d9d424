package inverse

import (
	"context"
	"fmt"
	"math"
	"strings"

	"halsted/fem"
)

// Calibrate finds the parameters of a model from measured displacements and
// forces: the least-squares fit of Marquardt (see fitter) on the logarithms,
// with priors as further observations. build makes the model for values in the
// order of params; it should return the same *mesh.TetMesh every time.
//
// The covariance of the logarithms is (JᵀJ/s² + Π)⁻¹ with J the sensitivities
// in units of the stated standard deviations, s² = χ²/DOF (1 with NoiseKnown)
// and Π the prior precision (G. Seber & C. Wild, Nonlinear Regression (1989),
// sections 2.1, 2.8).
//
// Errors: *InputError; *UnidentifiableError when a combination of parameters
// does not change the observations, or the noise leaves it open by more than a
// factor of ten: named, before a number is given; *FitError when the iteration
// does not end; those of build and of the solver at Start; the error of ctx.
func Calibrate(ctx context.Context, build func(params []float64) (*fem.Model, error), obs Observations, params []Parameter, o CalibrateOptions) (*Fit, error) {
	f, ob, err := prepare(ctx, build, &obs, params, &o)
	if err != nil {
		return nil, err
	}
	start := append([]float64(nil), f.centre...)
	f.x = start
	if f.y, err = f.predict(start); err != nil {
		return nil, fmt.Errorf("inverse: at the first guess: %w", err)
	}
	if err := f.differentiate(); err != nil {
		return nil, err
	}
	if err := identifiable(f, ob, params, math.NaN()); err != nil {
		return nil, err
	}
	converged, err := f.fit(start, false)
	if err != nil {
		return nil, err
	}
	if !converged {
		return nil, &FitError{Iterations: f.iter, Parameters: describe(params, f.x), ChiSquare: f.cost(f.x, f.y) - f.priorCost(f.x)}
	}
	fit, err := summarise(f, ob, params, &o)
	if err != nil {
		return nil, err
	}
	fit.Iterations = f.iter
	switch o.Interval {
	case Profile:
		err = profile(f, fit, &o)
	case Bootstrap:
		err = bootstrap(f, fit, &o)
	}
	fit.ForwardSolves = ob.solver.solves
	return fit, err
}

func describe(params []Parameter, x []float64) string {
	var s []string
	for j, p := range params {
		s = append(s, strings.TrimSpace(fmt.Sprintf("%s = %.4g %s", p.Name, math.Exp(x[j]), p.Unit)))
	}
	return strings.Join(s, ", ")
}

// prepare checks the input and fills in defaults.
func prepare(ctx context.Context, build func([]float64) (*fem.Model, error), obs *Observations, params []Parameter, o *CalibrateOptions) (*fitter, *observer, error) {
	if build == nil {
		return nil, nil, badInput("build", "is nil; give a function that makes the model")
	}
	if len(params) == 0 {
		return nil, nil, badInput("params", "are empty; give at least one parameter")
	}
	if o.MaxIterations == 0 {
		o.MaxIterations = 50
	}
	if o.Samples == 0 {
		o.Samples = 200
	}
	switch {
	case o.MaxIterations < 0:
		return nil, nil, badInput("CalibrateOptions.MaxIterations", "is %d; must not be negative", o.MaxIterations)
	case o.Samples < 40:
		return nil, nil, badInput("CalibrateOptions.Samples", "is %d; the 2.5 %% quantile needs 40 or more", o.Samples)
	case o.Interval > Bootstrap:
		return nil, nil, badInput("CalibrateOptions.Interval", "is %d, which is not known", o.Interval)
	}
	if o.Solve == nil {
		o.Solve = fem.Solve
	}
	if o.Settings.ResidualTol == 0 {
		o.Settings.ResidualTol = residualTol
	}
	rows, err := obs.rows()
	if err != nil {
		return nil, nil, err
	}
	n := len(params)
	f := &fitter{
		ctx: ctx, maxIter: o.MaxIterations,
		centre: make([]float64, n), prior: make([]float64, n), fixed: make([]bool, n),
		lo: make([]float64, n), hi: make([]float64, n),
	}
	names := map[string]bool{}
	without := 0
	for j, p := range params {
		field := fmt.Sprintf("params[%d]", j)
		switch {
		case p.Name == "" || names[p.Name]:
			return nil, nil, badInput(field, "has the name %q; give each its own", p.Name)
		case !(p.Start > 0) || !finite(p.Start):
			return nil, nil, badInput(field, "%s starts at %g %s; must be positive", p.Name, p.Start, p.Unit)
		case !(p.Min >= 0) || !(p.Max >= 0) || !finite(p.Min, p.Max) || p.Min > p.Start || p.Max != 0 && p.Max < p.Start:
			return nil, nil, badInput(field, "%s has bounds %g to %g that do not hold its start %g", p.Name, p.Min, p.Max, p.Start)
		case !(p.LogSD >= 0) || !finite(p.LogSD):
			return nil, nil, badInput(field, "%s has LogSD %g; must not be negative", p.Name, p.LogSD)
		}
		names[p.Name] = true
		f.centre[j], f.lo[j], f.hi[j] = math.Log(p.Start), math.Log(p.Min), math.Inf(1)
		if p.Max > 0 {
			f.hi[j] = math.Log(p.Max)
		}
		if p.LogSD > 0 {
			f.prior[j] = 1 / (p.LogSD * p.LogSD)
		} else {
			without++
		}
	}
	if len(rows) <= without && !o.NoiseKnown {
		return nil, nil, badInput("Observations", "hold %d measured components for %d parameters without a prior: the noise cannot be estimated; measure more or set NoiseKnown", len(rows), without)
	}
	for _, r := range rows {
		f.target = append(f.target, r.value/r.sd)
	}
	ob := &observer{build: build, obs: obs, rows: rows, solver: warm{solve: o.Solve, settings: o.Settings}}
	for _, r := range rows {
		ob.solver.whole = ob.solver.whole || r.step != 0
	}
	f.predict = func(x []float64) ([]float64, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := make([]float64, len(x))
		for j, v := range x {
			p[j] = math.Exp(v)
		}
		return ob.predict(ctx, p)
	}
	return f, ob, nil
}
