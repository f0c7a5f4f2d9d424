package rank

import (
	"math"
	"slices"
	"strings"
	"testing"

	"halsted/planner"
)

// steps are n samples of v, the first k of them lower by d.
func steps(n, k int, v, d float64) []float64 {
	out := slices.Repeat([]float64{v}, n)
	for i := range k {
		out[i] -= d
	}
	return out
}

func TestAPlanBeatsAnotherOnlyWhereItIsNearlySure(t *testing.T) {
	nan := steps(100, 0, 1, 0)
	for i := range 11 {
		nan[i] = math.NaN()
	}
	for name, c := range map[string]struct {
		a, b   [][]float64
		claims []int
		ok     bool
	}{
		"90 of 100":              {[][]float64{steps(100, 90, 5, 1)}, [][]float64{steps(100, 0, 5, 0)}, []int{0}, true},
		"89 of 100":              {[][]float64{steps(100, 89, 5, 1)}, [][]float64{steps(100, 0, 5, 0)}, nil, false},
		"equal":                  {[][]float64{steps(100, 0, 5, 0)}, [][]float64{steps(100, 0, 5, 0)}, nil, false},
		"better in one":          {[][]float64{steps(100, 95, 5, 1), steps(100, 0, 5, 0)}, [][]float64{steps(100, 0, 5, 0), steps(100, 0, 5, 0)}, []int{0}, true},
		"worse in the other":     {[][]float64{steps(100, 95, 5, 1), steps(100, 0, 5, 0)}, [][]float64{steps(100, 0, 5, 0), steps(100, 11, 5, 1)}, nil, false},
		"seldom worse in it":     {[][]float64{steps(100, 95, 5, 1), steps(100, 0, 5, 0)}, [][]float64{steps(100, 0, 5, 0), steps(100, 10, 5, 1)}, []int{0}, true},
		"failed samples are bad": {[][]float64{nan}, [][]float64{steps(100, 0, 2, 0)}, nil, false},
		"of both, equally bad":   {[][]float64{slices.Repeat([]float64{math.NaN()}, 9)}, [][]float64{slices.Repeat([]float64{math.NaN()}, 9)}, nil, false},
	} {
		claims, ok := sampled{c.a, c.b}.beats(0, 1)
		if ok != c.ok || !slices.Equal(claims, c.claims) {
			t.Errorf("%s: claims %v, beats %v", name, claims, ok)
		}
	}
}

// Two plans whose spreads overlap widely are told apart by common samples, and
// only by them.
func TestCommonSamplesTellPlansApart(t *testing.T) {
	es := []planner.Evaluation{plan("x", 10), plan("y", 11)}
	x, y := make([]float64, 59), make([]float64, 59)
	for i := range x {
		x[i] = 10 + float64(i%10) // the shared input moves both by far more than they differ
		y[i] = x[i] + 0.5
	}
	f := mustRank(t, es, Options{Objectives: less(1), Samples: map[string][][]float64{"x": {x}, "y": {y}}})
	if !slices.Equal(f.Levels, []int{0, 1}) || f.WhyNot[0].By != "x" {
		t.Fatalf("%+v", f)
	}
	p := f.WhyNot[0].Claims[0].Probability
	if err := p.Validate(); err != nil || p.Value != 100 || p.Spread.P97_5 != 100 || p.Spread.P2_5 < 90 || p.Spread.P2_5 > 99 {
		t.Errorf("%v, %v", p, err)
	}
	if !strings.Contains(f.WhyNot[0].Text, "in 59 of 59 samples") || !strings.Contains(f.Basis, "common random numbers") {
		t.Errorf("%q; %q", f.WhyNot[0].Text, f.Basis)
	}
	slices.Reverse(y) // not common any more
	if f = mustRank(t, es, Options{Objectives: less(1), Samples: map[string][][]float64{"x": {x}, "y": {y}}}); !slices.Equal(f.Levels, []int{0, 0}) {
		t.Errorf("levels %v", f.Levels)
	}
}

// TestJeffreysInterval integrates the density x^(k−½)(1−x)^(n−k−½) with x =
// sin²θ, where it is 2 sin^2k θ cos^2(n−k) θ, up to each quantile.
func TestJeffreysInterval(t *testing.T) {
	mass := func(k, n int, to float64) (s float64) {
		const steps = 4000
		h := math.Asin(math.Sqrt(to)) / steps
		for i := range steps {
			x := (float64(i) + 0.5) * h
			s += h * math.Pow(math.Sin(x), float64(2*k)) * math.Pow(math.Cos(x), float64(2*(n-k)))
		}
		return s
	}
	for _, c := range [][2]int{{1, 7}, {3, 7}, {30, 59}, {58, 59}} {
		k, n := c[0], c[1]
		q, all := share("p", "P", k, n), mass(k, n, 1)
		for _, at := range [][2]float64{{0.025, q.Spread.P2_5}, {0.05, q.Spread.P5}, {0.5, q.Spread.P50}, {0.95, q.Spread.P95}, {0.975, q.Spread.P97_5}} {
			if got := mass(k, n, at[1]/100) / all; math.Abs(got-at[0]) > 1e-4 {
				t.Errorf("%d of %d: %g lies below %g %%, want %g", k, n, got, at[1], at[0])
			}
		}
	}
	for n := 1; n < 200; n += 7 {
		for k := 0; k <= n; k++ {
			if err := share("p", "P", k, n).Validate(); err != nil {
				t.Fatalf("%d of %d: %v", k, n, err)
			}
		}
	}
}

// A ring of plans that beat each other shares a front: nothing hangs.
func TestARingOfPlansSharesAFront(t *testing.T) {
	const n = 12
	s := make(sampled, n)
	for p := range s {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64((i + p) % n) // p+1 is lower than p but in one of n samples
		}
		for i := range x {
			x[i] = -x[i]
		}
		s[p] = [][]float64{x}
	}
	if _, ok := s.beats(1, 0); !ok {
		t.Fatal("no ring")
	}
	if f := s.fronts(); slices.Max(f) != 0 {
		t.Errorf("fronts %v", f)
	}
}
