package uncertainty

import (
	"errors"
	"math"
	"slices"
	"testing"

	"halsted/planner"
)

var chaosInputs = []planner.Distribution{
	Normal{3, 2}, Uniform{-1, 3}, Triangular{0, 1, 4}, LogNormal{2, 0.3},
	Choice{Levels: []string{"a", "b", "c"}, Weights: []float64{3, 1, 2}}, Choice{Levels: []string{"a", "b"}},
}

// The polynomials are orthonormal under their input.
func TestGermsAreOrthonormal(t *testing.T) {
	const n = 1 << 18
	for _, d := range append(chaosInputs, Triangular{0, 0, 1}, Triangular{-2, 5, 5}, constant(0)) {
		g := germOf(d)
		if _, flat := d.(constant); flat {
			continue
		}
		var m [5]float64 // E[ψ1], E[ψ2], E[ψ1²], E[ψ2²], E[ψ1ψ2]
		for i := range n {
			a, b := g.psi((float64(i) + 0.5) / n)
			for k, v := range [5]float64{a, b, a * a, b * b, a * b} {
				m[k] += v / n
			}
		}
		want := [5]float64{0, 0, 1, 1, 0}
		for k := range m {
			if g.degree == 1 && (k == 1 || k == 3 || k == 4) {
				continue
			}
			if math.Abs(m[k]-want[k]) > 2e-3 {
				t.Errorf("%s: moments %v", d, m)
				break
			}
		}
	}
	if d := germOf(Choice{Levels: []string{"a", "b"}}).degree; d != 1 {
		t.Errorf("two levels carry degree %d", d)
	}
	if d := germOf(FieldSeed{}).degree; d != 0 {
		t.Errorf("a seed carries degree %d", d)
	}
}

// values are those of the inputs at a point.
func valuesAt(ds []planner.Distribution, u []float64) []float64 {
	x := make([]float64, len(ds))
	for n, d := range ds {
		x[n] = d.Quantile(u[n])
	}
	return x
}

func fitTo(t *testing.T, ds []planner.Distribution, seed uint64, f func(x []float64) float64) *Surrogate {
	t.Helper()
	points := design(t, Chaos, seed, ChaosRuns(len(ds)), len(ds))
	y := make([]float64, len(points))
	for i, u := range points {
		y[i] = f(valuesAt(ds, u))
	}
	s, err := Fit(ds, points, y)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A quadratic in the values (in the logarithm of a lognormal one) comes back
// exactly: at new points, with no leave-one-out error and no residual.
func TestChaosIsExactForQuadratics(t *testing.T) {
	f := func(x []float64) float64 {
		z := math.Log(x[3])
		return 2 + x[0] - 3*x[1]*x[1] + x[0]*x[2] + 0.5*x[2]*x[2] - z*z + 2*z*x[1] + x[4]*x[4] - x[4]*x[5] + x[0]*x[0]
	}
	s := fitTo(t, chaosInputs, 1, f)
	if s.LeaveOneOut > 1e-20 || s.Residual > 1e-20 {
		t.Errorf("leave-one-out error %g, residual %g", s.LeaveOneOut, s.Residual)
	}
	for _, u := range design(t, Random, 2, 50, len(chaosInputs)) {
		want := f(valuesAt(chaosInputs, u))
		if got := s.At(u); math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
			t.Fatalf("at %v: %g, want %g", u, got, want)
		}
	}
}

// Mean, variance and indices in closed form: y = a·x + b·w + c·x·w with
// standard normal x and w has mean 0, variance a² + b² + c² and indices
// a²/V, (a²+c²)/V. The Ishigami-like product of uniforms likewise.
func TestSobolIndicesInClosedForm(t *testing.T) {
	ds := []planner.Distribution{Normal{0, 1}, Normal{0, 1}, Normal{0, 1}}
	s := fitTo(t, ds, 3, func(x []float64) float64 { return 5 + 3*x[0] + 2*x[1] + x[0]*x[1] })
	first, total, left := s.Indices()
	for k, want := range []float64{9. / 14, 4. / 14, 0} {
		wantTotal := want
		if k < 2 {
			wantTotal += 1. / 14
		}
		if math.Abs(first[k]-want) > 1e-12 || math.Abs(total[k]-wantTotal) > 1e-12 {
			t.Errorf("input %d: first %g, total %g; want %g, %g", k, first[k], total[k], want, wantTotal)
		}
	}
	if math.Abs(s.Mean()-5) > 1e-12 || math.Abs(s.Variance()-14) > 1e-9 || left > 1e-20 {
		t.Errorf("mean %g, variance %g, left %g", s.Mean(), s.Variance(), left)
	}
}

// What the surrogate cannot explain is scatter around it: it is not fitted, it
// shows in the leave-one-out error, and sampling adds it back.
func TestChaosAddsBackWhatItLeavesOver(t *testing.T) {
	ds := []planner.Distribution{Normal{0, 1}, Uniform{0, 1}, Normal{0, 1}, FieldSeed{}, Uniform{0, 1}, Normal{0, 1}, Uniform{0, 1}}
	widths := 0.0
	const trials = 40
	for seed := range uint64(trials) {
		s := fitTo(t, ds, seed, func(x []float64) float64 {
			return x[0] + Normal{0, 2}.Quantile(openUnit(mix(math.Float64bits(x[3]))))
		})
		v, err := s.Sample(1<<12, seed)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(v)
		widths += (quantile(v, 0, 0, 0.975) - quantile(v, 0, 0, 0.025)) / trials
		if s.LeaveOneOut < 0.3 {
			t.Errorf("seed %d: leave-one-out error %g of what is four fifths noise", seed, s.LeaveOneOut)
		}
	}
	want := 2 * z975 * math.Sqrt(5)
	if math.Abs(widths/want-1) > 0.1 {
		t.Errorf("mean width of 95 %% is %.3f, want %.3f", widths, want)
	}
}

// openUnit makes a number in (0, 1) of random bits.
func openUnit(bits uint64) float64 { return (float64(bits>>12) + 0.5) / (1 << 52) }

// The quantiles of a lognormal product are those in closed form.
func TestChaosQuantilesOfASmoothOutput(t *testing.T) {
	ds := []planner.Distribution{LogNormal{2, 0.15}, LogNormal{3, 0.2}}
	points := design(t, Chaos, 4, 100, 2)
	y := make([]float64, len(points))
	for i, u := range points {
		x := valuesAt(ds, u)
		y[i] = x[0] * x[1]
	}
	s, err := Fit(ds, points, y)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Sample(surrogateSamples, 4)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(v)
	for _, p := range ends {
		want := LogNormal{6, 0.25}.Quantile(p)
		if got := quantile(v, 0, 0, p); math.Abs(got/want-1) > 0.015 { // the third order that is left out is 0.8 % at z = 2
			t.Errorf("quantile %g: %.4f, want %.4f", p, got, want)
		}
	}
}

func TestFitSaysWhatItNeeds(t *testing.T) {
	ds := []planner.Distribution{Normal{0, 1}}
	var e *FitError
	if _, err := Fit(ds, [][]float64{{0.5}}, []float64{1}); !errors.As(err, &e) {
		t.Errorf("one run: %v", err)
	}
	if _, err := Fit(ds, [][]float64{{0.5}, {0.6}}, []float64{1, math.NaN()}); err == nil {
		t.Error("NaN passed")
	}
	// two runs: only their mean has a run to spare
	s, err := Fit(ds, [][]float64{{0.4}, {0.6}}, []float64{1, 3})
	if err != nil || math.Abs(s.Mean()-2) > 1e-12 || len(s.terms) != 1 {
		t.Errorf("two runs: %+v, %v", s, err)
	}
	// an output that does not vary
	s = fitTo(t, ds, 1, func([]float64) float64 { return 7 })
	if first, total, left := s.Indices(); s.Mean() != 7 || first[0] != 0 || total[0] != 0 || left != 0 {
		t.Errorf("constant: mean %g, indices %v %v %g", s.Mean(), first, total, left)
	}
}
