package inverse

import (
	"context"
	"fmt"
	"math"
	"sort"
	"strings"

	"halsted/fem"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Parameter is a positive constant to be found. It is fitted by its logarithm.
type Parameter struct {
	Name, Unit string
	Start      float64 // first guess and centre of the prior; > 0
	Min, Max   float64 // bounds; 0 means none
	// LogSD is the standard deviation of the natural logarithm of a lognormal
	// prior around Start (0.3: about a third either way); 0 means no prior.
	LogSD float64
}

// Interval is how the 95 % intervals are made.
type Interval uint8

// The intervals. All are for the logarithm, so that they hold positive values.
const (
	// Wald goes by the Gauss–Newton Hessian at the optimum: the fit
	// ± t·standard deviation.
	Wald Interval = iota
	// Profile finds where the sum of squares, minimised over the other
	// parameters, has grown by t²·s² (D. Bates & D. Watts, Nonlinear Regression
	// Analysis (1988), section 6.1): right where the model is not linear in the
	// parameter over the width of the interval; a few solves per end and
	// parameter.
	Profile
	// Bootstrap fits Samples data sets drawn around the fit with the noise
	// found (parametric bootstrap, B. Efron & R. Tibshirani, An Introduction to
	// the Bootstrap (1993), section 6.5) and takes the 2.5 % and 97.5 %
	// quantiles; about one solve per sample. It knows nothing of the
	// uncertainty of the noise itself: with few measured components it is too
	// narrow.
	Bootstrap
)

// String names the interval.
func (i Interval) String() string {
	switch i {
	case Wald:
		return "Wald"
	case Profile:
		return "profile likelihood"
	case Bootstrap:
		return "bootstrap"
	}
	return fmt.Sprintf("interval %d", uint8(i))
}

// CalibrateOptions controls Calibrate; the zero value means the documented
// defaults.
type CalibrateOptions struct {
	Settings      fem.Settings // of the forward solves; ResidualTol 0 means 1e-9
	MaxIterations int          // 0 means 50
	// NoiseKnown takes the standard deviations as they are; otherwise they are
	// relative weights and the noise is estimated from the residuals, with
	// Student's t for the intervals.
	NoiseKnown bool
	Interval   Interval
	Samples    int    // of the bootstrap; 0 means 200
	Seed       uint64 // of the bootstrap
	// Solve replaces fem.Solve, for wrapped solvers; nil means fem.Solve.
	Solve fem.Solver
}

// Estimate is a parameter found.
type Estimate struct {
	Name, Unit string
	Value      float64
	Low, High  float64 // 95 % interval
	LogSD      float64 // standard deviation of the natural logarithm
	// PriorShare is the variance left, relative to that of the prior: 1 means
	// that the observations added nothing; 0 without a prior.
	PriorShare float64
	AtBound    bool // Min or Max holds it; the interval is then one of the bound
}

// Fit is the outcome of Calibrate.
type Fit struct {
	Parameters    []Estimate
	LogCovariance [][]float64 // of the natural logarithms
	Correlation   [][]float64 // of the natural logarithms
	// NoiseFactor is the estimated standard deviation of the noise relative to
	// the one stated: √(χ²/DOF); 0 when DOF is.
	NoiseFactor   float64
	ChiSquare     float64 // Σ(residual/SD)²
	DOF           int     // measured components less parameters without a prior
	Residuals     []Residual
	Iterations    int
	ForwardSolves int
	Interval      Interval
	Samples       int // bootstrap samples used
}

const (
	confidence = 0.95
	// identTol is the least change of the observations for a change of
	// parameters by a factor e, relative to the observations, that counts. The
	// differences are exact to about ResidualTol/diffStep = 1e-7.
	identTol = 1e-5
	// openFactor is the factor by which a combination of parameters may be
	// uncertain (one standard deviation) before it counts as not determined.
	openFactor = 10
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

// FitError says that the fit did not end in the allowed iterations.
type FitError struct {
	Iterations int
	Parameters string // where it stands
	ChiSquare  float64
}

func (e *FitError) Error() string {
	return fmt.Sprintf("inverse: no best fit within %d iterations; it stands at %s, χ² = %.4g: start nearer, or give bounds or priors", e.Iterations, e.Parameters, e.ChiSquare)
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

// identifiable looks for a combination of parameters that the observations and
// priors leave open: a singular vector of the Jacobian with a singular value
// below identTol of the observations, or, where the noise factor s is given,
// above openFactor of uncertainty.
func identifiable(f *fitter, ob *observer, params []Parameter, s float64) error {
	n, m := len(params), len(f.target)
	a := mat.NewDense(m+n, n, nil)
	a.Slice(0, m, 0, n).(*mat.Dense).Copy(f.jac)
	for j, w := range f.prior {
		a.Set(m+j, j, math.Sqrt(w))
	}
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDThin) {
		return fmt.Errorf("inverse: the sensitivities have no singular values: a model answer is not finite")
	}
	var v mat.Dense
	svd.VTo(&v)
	least := svd.Values(nil)[n-1]
	singular := least <= identTol*math.Sqrt(dot(f.y, f.y))
	open := !singular && s/least > math.Log(openFactor)
	if !singular && !open {
		return nil
	}
	e := &UnidentifiableError{MovesSigma: least}
	var big float64
	for j := range n {
		if w := v.At(j, n-1); math.Abs(w) > math.Abs(big) {
			big = w
		}
	}
	for j, p := range params {
		if w := v.At(j, n-1) / big; math.Abs(w) > 0.05 {
			e.Parameters = append(e.Parameters, p.Name)
			e.Direction = append(e.Direction, w)
		}
	}
	what := "changing it by a factor e"
	if len(e.Parameters) > 1 {
		what = "changing them together"
	}
	switch {
	case open:
		e.Reason = fmt.Sprintf("%s moves them by only %.2g of the noise: the result is uncertain by more than a factor of %d; measure more points, more exactly, or give a prior (LogSD)", what, least/s, openFactor)
	case math.Sqrt(dot(f.y, f.y)) == 0:
		e.Reason = "nothing that was measured moves in the model; check loads, steps and points"
	case !driven(ob.model) && len(ob.obs.Reactions) == 0:
		e.Reason = what + " moves no point: the model is driven by prescribed motion alone, so displacements tell ratios of stiffness but no absolute one; measure a force (Observations.Reactions), apply the known load, hold one parameter fixed, or give a prior (LogSD)"
	default:
		e.Reason = what + " moves nothing that was measured; measure where it matters, hold one parameter fixed, or give a prior (LogSD)"
	}
	return e
}

// summarise makes the estimates with Wald's intervals.
func summarise(f *fitter, ob *observer, params []Parameter, o *CalibrateOptions) (*Fit, error) {
	n, m := len(params), len(f.target)
	fit := &Fit{ChiSquare: f.cost(f.x, f.y) - f.priorCost(f.x), DOF: m, Interval: o.Interval}
	for _, w := range f.prior {
		if w == 0 {
			fit.DOF--
		}
	}
	if fit.DOF > 0 {
		fit.NoiseFactor = math.Sqrt(fit.ChiSquare / float64(fit.DOF))
	}
	if err := identifiable(f, ob, params, noise(fit, o)); err != nil {
		return nil, err
	}
	var jj mat.Dense
	jj.Mul(f.jac.T(), f.jac)
	s2 := noise(fit, o) * noise(fit, o)
	a := mat.NewSymDense(n, nil) // s²·(JᵀJ/s² + Π), which holds for s = 0 too
	for i := range n {
		for j := i; j < n; j++ {
			v := jj.At(i, j)
			if i == j {
				v += s2 * f.prior[i]
			}
			a.SetSym(i, j, v)
		}
	}
	var chol mat.Cholesky
	var inv mat.SymDense
	if !chol.Factorize(a) || chol.InverseTo(&inv) != nil {
		return nil, fmt.Errorf("inverse: the normal matrix of the fit is singular")
	}
	q := quantile(fit, o)
	fit.LogCovariance, fit.Correlation = make([][]float64, n), make([][]float64, n)
	for i, p := range params {
		fit.LogCovariance[i], fit.Correlation[i] = make([]float64, n), make([]float64, n)
		for j := range n {
			fit.LogCovariance[i][j] = s2 * inv.At(i, j)
			fit.Correlation[i][j] = inv.At(i, j) / math.Sqrt(inv.At(i, i)*inv.At(j, j))
		}
		sd := math.Sqrt(fit.LogCovariance[i][i])
		fit.Parameters = append(fit.Parameters, Estimate{
			Name: p.Name, Unit: p.Unit, Value: math.Exp(f.x[i]),
			Low: math.Exp(f.x[i] - q*sd), High: math.Exp(f.x[i] + q*sd), LogSD: sd,
			PriorShare: fit.LogCovariance[i][i] * f.prior[i],
			AtBound:    f.x[i] <= f.lo[i] || f.x[i] >= f.hi[i],
		})
	}
	for i, r := range ob.rows {
		fit.Residuals = append(fit.Residuals, Residual{Name: ob.obs.name(r), Axis: r.axis, Measured: r.value, Fitted: f.y[i] * r.sd, SD: r.sd})
	}
	return fit, nil
}

// noise is the factor s on the stated standard deviations.
func noise(fit *Fit, o *CalibrateOptions) float64 {
	if o.NoiseKnown {
		return 1
	}
	return fit.NoiseFactor
}

// quantile is the half width of the interval in standard deviations.
func quantile(fit *Fit, o *CalibrateOptions) float64 {
	if o.NoiseKnown {
		return distuv.UnitNormal.Quantile((1 + confidence) / 2)
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(fit.DOF)}.Quantile((1 + confidence) / 2)
}

// percentile is the linear interpolation between order statistics.
func percentile(x []float64, p float64) float64 {
	sort.Float64s(x)
	at := p * float64(len(x)-1)
	i := min(int(at), len(x)-2)
	return x[i] + (at-float64(i))*(x[i+1]-x[i])
}
