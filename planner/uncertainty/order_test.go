package uncertainty

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// wilksSum is 1 − Σ_(j<order) C(n,j)·(1−γ)^j·γ^(n−j) in exact rationals.
func wilksSum(n, order int, gamma *big.Rat) float64 {
	rest := new(big.Rat).Sub(big.NewRat(1, 1), gamma)
	sum := big.NewRat(1, 1)
	for j := range order {
		term := new(big.Rat).SetInt(new(big.Int).Binomial(int64(n), int64(j)))
		for range j {
			term.Mul(term, rest)
		}
		for range n - j {
			term.Mul(term, gamma)
		}
		sum.Sub(sum, term)
	}
	f, _ := sum.Float64()
	return f
}

// The numbers that are published (Nutt and Wallis, Reliab. Eng. Syst. Saf. 83
// (2004) 57, table 1; 59, 93, 124, 153, 181 for 95/95) and the formula.
func TestWilksRuns(t *testing.T) {
	for order, want := range []int{59, 93, 124, 153, 181} {
		if n, err := WilksRuns(0.95, 0.95, order+1); err != nil || n != want {
			t.Errorf("order %d: %d runs, %v; want %d", order+1, n, err, want)
		}
	}
	if math.Abs(wilksSum(59, 1, big.NewRat(95, 100))-(1-math.Pow(0.95, 59))) > 1e-15 {
		t.Error("the sum does not give 1 − γ^n")
	}
	for _, gamma := range []*big.Rat{big.NewRat(1, 2), big.NewRat(9, 10), big.NewRat(95, 100), big.NewRat(99, 100)} {
		for _, beta := range []float64{0.5, 0.9, 0.95, 0.99} {
			for order := 1; order <= 4; order++ {
				g, _ := gamma.Float64()
				n, err := WilksRuns(g, beta, order)
				if err != nil || wilksSum(n, order, gamma) < beta || n > order && wilksSum(n-1, order, gamma) >= beta {
					t.Errorf("coverage %g, confidence %g, order %d: %d runs, %v", g, beta, order, n, err)
				}
				if n > 0 && (WilksOrder(n, g, beta) != order || WilksOrder(n-1, g, beta) >= order) {
					t.Errorf("coverage %g, confidence %g: order %d of %d runs, want %d", g, beta, WilksOrder(n, g, beta), n, order)
				}
			}
		}
	}
	for _, c := range [][2]float64{{0, 0.95}, {1, 0.95}, {0.95, 0}, {0.95, 1}, {math.NaN(), 0.5}, {0.5, math.NaN()}} {
		var e *ShareError
		if _, err := WilksRuns(c[0], c[1], 1); !errors.As(err, &e) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if _, err := WilksRuns(0.95, 0.95, 0); err == nil {
		t.Error("order 0 passed")
	}
	if _, err := WilksRuns(1-1e-12, 0.95, 1); err == nil {
		t.Error("10^12 runs passed")
	}
}

func TestWilksRefusesSamplesThatAreNotIndependent(t *testing.T) {
	for _, k := range []Kind{LatinHypercube, SobolPoints, Chaos} {
		var e *NotIndependentError
		if _, err := Wilks(k, make([]float64, 100), 0, true, 0.95, 0.95); !errors.As(err, &e) || e.Kind != k {
			t.Errorf("%s: %v", k, err)
		}
	}
}

// A failed run is the worst value: one of them leaves 59 runs without a bound
// and 93 with the largest of the others.
func TestFailedRunsCountAsTheWorst(t *testing.T) {
	values := make([]float64, 93)
	for n := range values {
		values[n] = float64(n + 1)
	}
	for _, c := range []struct {
		n, failed int
		upper     bool
		holds     bool
		want      float64
	}{
		{58, 0, true, false, 0}, {59, 0, true, true, 59}, {59, 0, false, true, 1},
		{58, 1, true, false, 0}, {58, 1, false, false, 0},
		{93, 0, true, true, 92}, {93, 0, false, true, 2}, {92, 1, true, true, 92}, {92, 1, false, true, 1}, {91, 2, true, false, 0},
	} {
		b, err := Wilks(Random, values[:c.n], c.failed, c.upper, 0.95, 0.95)
		if err != nil || b.Holds != c.holds || b.Value != c.want || b.Runs != c.n+c.failed {
			t.Errorf("%d runs and %d failed, upper %v: %v, %v", c.n, c.failed, c.upper, b, err)
		}
	}
	low, high, err := WilksBoth(Random, values, 0, 0.95, 0.95)
	if err != nil || !low.Holds || !high.Holds || low.Value != 1 || high.Value != 93 {
		t.Errorf("both sides of 93 runs: %v, %v, %v", low, high, err)
	}
	if low, high, _ = WilksBoth(Random, values[:92], 0, 0.95, 0.95); low.Holds || high.Holds {
		t.Errorf("both sides of 92 runs: %v, %v", low, high)
	}
}

// The bounds hold as often as they say, whatever the distribution.
func TestBoundsHoldAsOftenAsTheySay(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	const trials = 4000
	q95 := -math.Log(0.05) // of the exponential distribution
	upper, both := 0, 0
	values := make([]float64, 93)
	for range trials {
		for n := range values {
			values[n] = rng.ExpFloat64()
		}
		if b, _ := Wilks(Random, values[:59], 0, true, 0.95, 0.95); b.Value >= q95 {
			upper++
		}
		low, high, _ := WilksBoth(Random, values, 0, 0.95, 0.95)
		if math.Exp(-low.Value)-math.Exp(-high.Value) >= 0.95 {
			both++
		}
	}
	for what, c := range map[string]struct {
		hits int
		want float64
	}{"59 runs": {upper, 1 - math.Pow(0.95, 59)}, "93 runs, both sides": {both, 1 - math.Pow(0.95, 93) - 93*0.05*math.Pow(0.95, 92)}} {
		low, high, err := ClopperPearson(c.hits, trials, 0.999)
		if err != nil || c.want < low || c.want > high {
			t.Errorf("%s: %d of %d, exact interval %.4f to %.4f; want %.4f", what, c.hits, trials, low, high, c.want)
		}
	}
}

// Closed forms: (1−α/2)^(1/n) for no success; the tails of the binomial
// distribution are exactly half the rest at both ends.
func TestClopperPearson(t *testing.T) {
	low, high, err := ClopperPearson(0, 10, 0.95)
	if err != nil || low != 0 || math.Abs(high-(1-math.Pow(0.025, 0.1))) > 1e-12 {
		t.Errorf("0 of 10: %g to %g, %v", low, high, err)
	}
	for _, c := range [][2]int{{1, 10}, {380, 400}, {371, 400}, {9, 10}, {50, 100}} {
		low, high, err := ClopperPearson(c[0], c[1], 0.99)
		if err != nil {
			t.Fatal(err)
		}
		if p := atLeast(c[1], c[0], low); math.Abs(p-0.005) > 1e-9 {
			t.Errorf("%v: P(X ≥ k) at the lower end is %g", c, p)
		}
		if p := 1 - atLeast(c[1], c[0]+1, high); math.Abs(p-0.005) > 1e-9 {
			t.Errorf("%v: P(X ≤ k) at the upper end is %g", c, p)
		}
		// the mirror image
		l2, h2, _ := ClopperPearson(c[1]-c[0], c[1], 0.99)
		if math.Abs(l2-(1-high)) > 1e-9 || math.Abs(h2-(1-low)) > 1e-9 {
			t.Errorf("%v: mirrored %g to %g", c, l2, h2)
		}
	}
	for _, c := range []struct {
		k, n int
		conf float64
	}{{0, 0, 0.9}, {-1, 5, 0.9}, {6, 5, 0.9}, {1, 5, 0}, {1, 5, math.NaN()}} {
		if _, _, err := ClopperPearson(c.k, c.n, c.conf); err == nil {
			t.Errorf("%+v passed", c)
		}
	}
}

func TestQuantileOfFewValues(t *testing.T) {
	v := []float64{1, 2, 3, 4, 5}
	for _, c := range []struct {
		below, above int
		p, want      float64
	}{
		{0, 0, 0.5, 3}, {0, 0, 0.025, 1}, {0, 0, 0.975, 5}, {0, 0, 0.25, 5*0.25 + 1.25/3},
		{0, 1, 0.5, 3.5}, {1, 0, 0.5, 2.5}, {0, 1, 0.975, math.Inf(1)}, {1, 0, 0.025, math.Inf(-1)}, {0, 6, 0.5, math.Inf(1)},
	} {
		if got := quantile(v, c.below, c.above, c.p); math.Abs(got-c.want) > 1e-12 && got != c.want {
			t.Errorf("%+v: %g", c, got)
		}
	}
}
