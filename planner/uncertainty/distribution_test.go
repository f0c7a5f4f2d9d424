package uncertainty

import (
	"errors"
	"math"
	"strings"
	"testing"

	"halsted/planner"
)

// Quantiles against closed forms and tables.
func TestQuantilesAgainstClosedForms(t *testing.T) {
	const z95 = 1.6448536269514722 // normal table
	gsd, _ := NewLogNormal("a", 2, 1.5)
	factor, _ := WithinFactor("a", 2, 3)
	for _, c := range []struct {
		d       planner.Distribution
		p, want float64
	}{
		{Normal{3, 2}, 0.5, 3}, {Normal{3, 2}, 0.95, 3 + 2*z95}, {Normal{3, 2}, 0.025, 3 - 2*z975},
		{gsd, 0.5, 2}, {gsd, 0.95, 2 * math.Pow(1.5, z95)}, {gsd, 0.025, 2 * math.Pow(1.5, -z975)},
		{factor, 0.975, 6}, {factor, 0.025, 2. / 3},
		{Uniform{-1, 3}, 0.25, 0}, {Uniform{-1, 3}, 0.975, 2.9},
		{Triangular{0, 1, 2}, 0.5, 1}, {Triangular{0, 1, 2}, 0.125, 0.5}, {Triangular{0, 1, 2}, 0.875, 1.5},
		{Triangular{0, 0, 1}, 0.75, 0.5}, {Triangular{0, 1, 1}, 0.25, 0.5}, {Triangular{1, 2, 5}, 0.25, 2},
		{Choice{Levels: []string{"a", "b", "c"}, Weights: []float64{1, 2, 1}}, 0.25, 0},
		{Choice{Levels: []string{"a", "b", "c"}, Weights: []float64{1, 2, 1}}, 0.2500001, 1},
		{Choice{Levels: []string{"a", "b", "c"}, Weights: []float64{1, 2, 1}}, 0.9999, 2},
		{Choice{Levels: []string{"a", "b"}}, 0.5, 0}, {Choice{Levels: []string{"a", "b"}}, 0.51, 1},
		{Fixed{7}, 0.01, 7}, {FieldSeed{}, 0.3, 0.3},
	} {
		if got := c.d.Quantile(c.p); math.Abs(got-c.want) > 1e-12*max(1, math.Abs(c.want)) {
			t.Errorf("%s at %g: %.15g, want %.15g", c.d, c.p, got, c.want)
		}
	}
}

// The moments of a fine grid of quantiles are those of the distribution.
func TestMomentsOfQuantiles(t *testing.T) {
	for _, c := range []struct {
		d              planner.Distribution
		mean, variance float64
	}{
		{Normal{3, 2}, 3, 4},
		{LogNormal{1, 0.4}, math.Exp(0.08), (math.Exp(0.16) - 1) * math.Exp(0.16)},
		{Uniform{-1, 3}, 1, 16. / 12},
		{Triangular{1, 2, 5}, 8. / 3, (1. + 4 + 25 - 2 - 5 - 10) / 18},
		{Choice{Levels: []string{"a", "b", "c"}, Weights: []float64{1, 2, 1}}, 1, 0.5},
	} {
		const n = 1 << 17
		mean, sq := 0.0, 0.0
		last := math.Inf(-1)
		for i := range n {
			v := c.d.Quantile((float64(i) + 0.5) / n)
			if v < last {
				t.Fatalf("%s falls at %d", c.d, i)
			}
			last = v
			mean += v / n
			sq += v * v / n
		}
		if v := sq - mean*mean; math.Abs(mean-c.mean) > 1e-4 || math.Abs(v-c.variance) > 2e-3*c.variance {
			t.Errorf("%s: mean %.5f, variance %.5f; want %.5f, %.5f", c.d, mean, v, c.mean, c.variance)
		}
	}
}

func TestWhatHasNoSpreadIsRefused(t *testing.T) {
	_, e1 := NewNormal("pressure", 93, 0)
	_, e2 := NewLogNormal("stiffness", 2, 0)
	_, e3 := WithinFactor("stiffness", 2, 1)
	_, e4 := NewUniform("angle", 1, 1)
	_, e5 := NewTriangular("angle", 1, 1, 1)
	_, e6 := validate([]planner.Input{{ID: "x"}})
	_, e7 := validate([]planner.Input{{ID: "x", Spread: Choice{Levels: []string{"only"}}}})
	_, e8 := validate([]planner.Input{{ID: "x", Spread: constant(3)}})
	for n, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8} {
		var want *NoSpreadError
		if !errors.As(err, &want) {
			t.Errorf("case %d: %v", n+1, err)
		}
	}
	if !strings.Contains(e2.Error(), "stiffness") {
		t.Errorf("the message does not name the quantity: %v", e2)
	}
	nan, inf := math.NaN(), math.Inf(1)
	for _, d := range []planner.Distribution{
		Normal{nan, 1}, Normal{0, -1}, Normal{0, nan}, Normal{inf, 1}, LogNormal{-1, 1}, LogNormal{1, inf}, LogNormal{0, 1},
		Uniform{2, 1}, Uniform{0, inf}, Triangular{0, 3, 2}, Triangular{0, nan, 2}, Fixed{nan},
		Choice{Levels: []string{"a", "b"}, Weights: []float64{1}}, Choice{Levels: []string{"a", "b"}, Weights: []float64{1, -1}},
	} {
		if _, err := validate([]planner.Input{{ID: "x", Spread: d}}); err == nil {
			t.Errorf("%#v passed", d)
		}
	}
	if vary, err := validate([]planner.Input{{ID: "a", Spread: Fixed{1}}, {ID: "b", Spread: FieldSeed{}}}); err != nil || len(vary) != 1 || vary[0] != 1 {
		t.Errorf("fixed and seed: %v, %v", vary, err)
	}
}

// constant is a distribution of a caller that does not spread.
type constant float64

func (c constant) Quantile(float64) float64 { return float64(c) }
func (c constant) String() string           { return "constant" }

func TestDistributionsNameTheirNumbers(t *testing.T) {
	for want, d := range map[string]planner.Distribution{
		"normal, mean 93, sd 10":                         Normal{93, 10},
		"lognormal, median 2, 95 % within a factor of 3": LogNormal{2, math.Log(3) / z975},
		"uniform, 0 to 1":                                Uniform{0, 1},
		"triangular, 0 to 2, mode 1":                     Triangular{0, 1, 2},
		"one of: free 75 %, held 25 %":                   Choice{Levels: []string{"free", "held"}, Weights: []float64{3, 1}},
		"fixed at 4":                                     Fixed{4},
	} {
		if got := d.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
