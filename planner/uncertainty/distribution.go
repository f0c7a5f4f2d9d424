package uncertainty

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mathext"

	"halsted/planner"
)

// z975 is the 97.5 % quantile of the standard normal distribution.
const z975 = 1.959963984540054

// NoSpreadError says that a number has no spread where one is needed: a source
// that gives a value and nothing about how it varies. The caller looks for a
// source that does, or states Fixed on purpose.
type NoSpreadError struct {
	What string // the input or the record: "liver_shear_kpa"
	Why  string
}

func (e *NoSpreadError) Error() string {
	return fmt.Sprintf("uncertainty: %s has no spread: %s; give a source that states one, or hold it fixed on purpose", e.What, e.Why)
}

// DistributionError says what is wrong with a distribution's numbers.
type DistributionError struct {
	Distribution string
	Why          string
}

func (e *DistributionError) Error() string {
	return fmt.Sprintf("uncertainty: %s: %s", e.Distribution, e.Why)
}

// Normal is a normal distribution.
type Normal struct{ Mean, SD float64 }

// NewNormal is the normal distribution of a quantity called what. A standard
// deviation of 0 is a *NoSpreadError, another bad number a *DistributionError.
func NewNormal(what string, mean, sd float64) (Normal, error) {
	d := Normal{mean, sd}
	if sd == 0 {
		return Normal{}, &NoSpreadError{what, "its standard deviation is 0"}
	}
	return d, d.Validate()
}

// Quantile is the mean plus the standard deviation times the normal quantile.
func (d Normal) Quantile(p float64) float64 { return d.Mean + d.SD*mathext.NormalQuantile(p) }

func (d Normal) String() string { return fmt.Sprintf("normal, mean %.4g, sd %.4g", d.Mean, d.SD) }

// Validate reports numbers that make no distribution.
func (d Normal) Validate() error { return check(d, finite(d.Mean) && d.SD > 0 && finite(d.SD)) }

// LogNormal is a distribution whose logarithm is normal.
type LogNormal struct {
	Median float64
	SDLog  float64 // standard deviation of the natural logarithm: ln of the geometric standard deviation
}

// NewLogNormal is the lognormal distribution of a quantity called what with a
// median and a geometric standard deviation. gsd 0 or 1 is a *NoSpreadError,
// another bad number a *DistributionError.
func NewLogNormal(what string, median, gsd float64) (LogNormal, error) {
	if gsd == 0 || gsd == 1 {
		return LogNormal{}, &NoSpreadError{what, fmt.Sprintf("its geometric standard deviation is %g", gsd)}
	}
	d := LogNormal{median, math.Log(gsd)}
	return d, d.Validate()
}

// WithinFactor is the lognormal distribution of a quantity called what that
// has 95 % between median/factor and median·factor. A factor of 0 or 1 is a
// *NoSpreadError.
func WithinFactor(what string, median, factor float64) (LogNormal, error) {
	if factor == 0 || factor == 1 {
		return LogNormal{}, &NoSpreadError{what, fmt.Sprintf("95 %% of it lie within a factor of %g", factor)}
	}
	d := LogNormal{median, math.Log(factor) / z975}
	return d, d.Validate()
}

// Factor is the ratio of the 97.5 % quantile to the median.
func (d LogNormal) Factor() float64 { return math.Exp(z975 * d.SDLog) }

// Quantile is the median times e to the normal quantile of the logarithm.
func (d LogNormal) Quantile(p float64) float64 {
	return d.Median * math.Exp(d.SDLog*mathext.NormalQuantile(p))
}

func (d LogNormal) String() string {
	return fmt.Sprintf("lognormal, median %.4g, 95 %% within a factor of %.3g", d.Median, d.Factor())
}

// Validate reports numbers that make no distribution.
func (d LogNormal) Validate() error {
	return check(d, d.Median > 0 && finite(d.Median) && d.SDLog > 0 && finite(d.Factor()))
}

// Uniform is constant between its ends.
type Uniform struct{ Low, High float64 }

// NewUniform is the uniform distribution of a quantity called what. Equal ends
// are a *NoSpreadError.
func NewUniform(what string, low, high float64) (Uniform, error) {
	if low == high {
		return Uniform{}, &NoSpreadError{what, fmt.Sprintf("its range is from %g to %g", low, high)}
	}
	d := Uniform{low, high}
	return d, d.Validate()
}

// Quantile is linear from end to end.
func (d Uniform) Quantile(p float64) float64 { return d.Low*(1-p) + d.High*p }

func (d Uniform) String() string { return fmt.Sprintf("uniform, %.4g to %.4g", d.Low, d.High) }

// Validate reports numbers that make no distribution.
func (d Uniform) Validate() error {
	return check(d, finite(d.Low) && finite(d.High) && finite(d.High-d.Low) && d.Low < d.High)
}

// Triangular rises linearly from Low to Mode and falls to High.
type Triangular struct{ Low, Mode, High float64 }

// NewTriangular is the triangular distribution of a quantity called what. Equal
// ends are a *NoSpreadError.
func NewTriangular(what string, low, mode, high float64) (Triangular, error) {
	if low == high {
		return Triangular{}, &NoSpreadError{what, fmt.Sprintf("its range is from %g to %g", low, high)}
	}
	d := Triangular{low, mode, high}
	return d, d.Validate()
}

// Quantile inverts F = (x−Low)²/((High−Low)(Mode−Low)) below the mode and
// 1−F = (High−x)²/((High−Low)(High−Mode)) above it.
func (d Triangular) Quantile(p float64) float64 {
	w, l := d.High-d.Low, d.Mode-d.Low
	if p*w <= l {
		return d.Low + math.Sqrt(p*w*l)
	}
	return d.High - math.Sqrt((1-p)*w*(d.High-d.Mode))
}

func (d Triangular) String() string {
	return fmt.Sprintf("triangular, %.4g to %.4g, mode %.4g", d.Low, d.High, d.Mode)
}

// Validate reports numbers that make no distribution.
func (d Triangular) Validate() error {
	return check(d, finite(d.Low) && finite(d.High) && finite((d.High-d.Low)*(d.High-d.Low)) && d.Low < d.High && d.Low <= d.Mode && d.Mode <= d.High)
}

// Choice is one of several levels: the value of a sample is the index of the
// level, 0 for the first. The order of the levels is that of the quantiles, so
// the level to plan with (the median) stands where half the weight is reached.
type Choice struct {
	Levels  []string
	Weights []float64 // positive, of any sum; nil: all the same
}

func (d Choice) weight(n int) float64 {
	if d.Weights == nil {
		return 1
	}
	return d.Weights[n]
}

// shares are the probabilities of the levels.
func (d Choice) shares() []float64 {
	sum := 0.0
	for n := range d.Levels {
		sum += d.weight(n)
	}
	s := make([]float64, len(d.Levels))
	for n := range s {
		s[n] = d.weight(n) / sum
	}
	return s
}

// Quantile is the first index whose cumulated share is at least p.
func (d Choice) Quantile(p float64) float64 {
	sum := 0.0
	for n, s := range d.shares() {
		if sum += s; p <= sum {
			return float64(n)
		}
	}
	return float64(len(d.Levels) - 1)
}

func (d Choice) String() string {
	parts := make([]string, len(d.Levels))
	if d.Validate() != nil {
		return fmt.Sprintf("one of %d levels", len(d.Levels))
	}
	for n, s := range d.shares() {
		parts[n] = fmt.Sprintf("%s %.3g %%", d.Levels[n], 100*s)
	}
	return "one of: " + strings.Join(parts, ", ")
}

// Validate reports fewer than two levels, or weights that are not positive.
func (d Choice) Validate() error {
	if len(d.Levels) < 2 {
		return &NoSpreadError{"a choice", fmt.Sprintf("it has %d levels", len(d.Levels))}
	}
	ok := d.Weights == nil || len(d.Weights) == len(d.Levels)
	for _, w := range d.Weights {
		ok = ok && w > 0 && finite(w)
	}
	if !ok {
		return &DistributionError{fmt.Sprintf("choice of %d levels with weights %v", len(d.Levels), d.Weights), "want one positive weight per level"}
	}
	return nil
}

// Fixed is an input that is held at one value on purpose. It takes part in no
// sampling: nothing of the spread of an output comes from it.
type Fixed struct{ V float64 }

// Quantile is V.
func (d Fixed) Quantile(float64) float64 { return d.V }

func (d Fixed) String() string { return fmt.Sprintf("fixed at %.4g", d.V) }

// Validate reports a value that is not finite.
func (d Fixed) Validate() error { return check(d, finite(d.V)) }

// FieldSeed is the input that seeds a random field (NewOffset): uniform between
// 0 and 1. It has no order, so no surrogate is fitted along it: what the field
// does shows as scatter around the surrogate. The median, exactly ½, stands for
// no offset: the border as segmented.
type FieldSeed struct{}

// Quantile is p.
func (FieldSeed) Quantile(p float64) float64 { return p }

func (FieldSeed) String() string { return "seed of a random field" }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func check(d planner.Distribution, ok bool) error {
	if !ok {
		return &DistributionError{d.String(), "want finite numbers, in order, and a positive spread"}
	}
	return nil
}

// validate checks the inputs of a procedure and tells which of them vary.
func validate(inputs []planner.Input) (vary []int, err error) {
	for n, in := range inputs {
		if in.Spread == nil {
			return nil, &NoSpreadError{"input " + in.ID, "it has no distribution"}
		}
		if v, ok := in.Spread.(interface{ Validate() error }); ok {
			if err := v.Validate(); err != nil {
				return nil, fmt.Errorf("uncertainty: input %s: %w", in.ID, err)
			}
		}
		if _, ok := in.Spread.(Fixed); ok {
			continue
		}
		low, mid, high := in.Spread.Quantile(0.025), in.Spread.Quantile(0.5), in.Spread.Quantile(0.975)
		if !(low <= mid && mid <= high && finite(low) && finite(high)) {
			return nil, &DistributionError{"input " + in.ID + ": " + in.Spread.String(), fmt.Sprintf("its quantiles are %g, %g and %g: they fall or are not finite", low, mid, high)}
		}
		if _, choice := in.Spread.(Choice); low == high && !choice {
			return nil, &NoSpreadError{"input " + in.ID, fmt.Sprintf("%s is %g from the 2.5 to the 97.5 %% quantile", in.Spread, mid)}
		}
		vary = append(vary, n)
	}
	return vary, nil
}

var (
	_ planner.Distribution = Normal{}
	_ planner.Distribution = LogNormal{}
	_ planner.Distribution = Uniform{}
	_ planner.Distribution = Triangular{}
	_ planner.Distribution = Choice{}
	_ planner.Distribution = Fixed{}
	_ planner.Distribution = FieldSeed{}
)
