package inverse

import (
	"fmt"

	"halsted/fem"
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
