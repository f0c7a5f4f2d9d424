package uncertainty

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Coverage and confidence of the bounds that Quantify gives.
const (
	boundCoverage   = 0.95
	boundConfidence = 0.95
)

// ShareError says that a probability is not between 0 and 1.
type ShareError struct {
	What  string
	Value float64
}

func (e *ShareError) Error() string {
	return fmt.Sprintf("uncertainty: %s is %g, want between 0 and 1", e.What, e.Value)
}

// NotIndependentError says that order statistics were asked of samples that
// are not independent draws. Their guarantee holds for those alone.
type NotIndependentError struct{ Kind Kind }

func (e *NotIndependentError) Error() string {
	return fmt.Sprintf("uncertainty: a bound by order statistics needs independent random samples, these are of the method %s; run the method random", e.Kind)
}

// atLeast is P(X ≥ r) for X binomial with n trials of probability p:
// the regularised incomplete beta function I_p(r, n−r+1).
func atLeast(n, r int, p float64) float64 {
	switch {
	case r <= 0:
		return 1
	case r > n:
		return 0
	}
	return mathext.RegIncBeta(float64(r), float64(n-r+1), p)
}

// betaError bounds the rounding of the incomplete beta function.
const betaError = 1e-12

// WilksRuns is the least number of independent random samples whose order-th
// largest value is, with the confidence, no less than the coverage quantile:
// 1 − Σ_(j<order) C(n,j)·(1−coverage)^j·coverage^(n−j) ≥ confidence (Wilks, Ann.
// Math. Stat. 12 (1941) 91, doi 10.1214/aoms/1177731788). 59 for 95/95 and first
// order, 93 for the second. 93 is also the number for both sides at once,
// smallest to largest value: the formula is that of the second order.
func WilksRuns(coverage, confidence float64, order int) (int, error) {
	if !(coverage > 0 && coverage < 1) {
		return 0, &ShareError{"coverage", coverage}
	}
	if !(confidence > 0 && confidence < 1) {
		return 0, &ShareError{"confidence", confidence}
	}
	if order < 1 {
		return 0, fmt.Errorf("uncertainty: order statistic %d, want 1 (the extreme value) or more", order)
	}
	enough := func(n int) bool { return atLeast(n, order, 1-coverage) >= confidence-betaError }
	high := order
	for ; !enough(high); high *= 2 {
		if high > maxRuns {
			return 0, &RunsError{Method{Kind: Random, Runs: high}, 1, maxRuns}
		}
	}
	low := max(order-1, high/2)
	for high-low > 1 {
		if mid := (low + high) / 2; enough(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high, nil
}

// WilksOrder is the highest order that n samples carry, 0 when none: the r-th
// largest of them is the tightest bound.
func WilksOrder(n int, coverage, confidence float64) int {
	r := 0
	for atLeast(n, r+1, 1-coverage) >= confidence-betaError {
		r++
	}
	return r
}

// Bound is a limit that a share of all outcomes keeps, with a confidence,
// whatever their distribution. It holds for its own output alone, not for all
// the bounds of a run at once.
type Bound struct {
	Output     string  `json:"output"`
	Upper      bool    `json:"upper"` // an upper limit; else a lower one
	Both       bool    `json:"both"`  // coverage and confidence are those of the interval that it makes with its partner
	Coverage   float64 `json:"coverage"`
	Confidence float64 `json:"confidence"`
	Order      int     `json:"order"` // which value from the end; 0: too few runs
	Runs       int     `json:"runs"`
	Failed     int     `json:"failed"` // runs that did not converge, counted as the worst value
	// Holds is false when there is no bound: too few runs, or so many failed
	// ones that the order statistic is one of them. Value is then 0.
	Holds bool    `json:"holds"`
	Value float64 `json:"value"` // in the output's unit
}

func (b Bound) String() string {
	side := "at least"
	if b.Upper {
		side = "at most"
	}
	if b.Both {
		side += " (one end of an interval)"
	}
	if !b.Holds {
		return fmt.Sprintf("no %g/%g bound (%s) from %d runs, %d of which did not converge", 100*b.Coverage, 100*b.Confidence, side, b.Runs, b.Failed)
	}
	return fmt.Sprintf("%g %% of outcomes are %s %.4g with %g %% confidence (order statistic %d of %d runs, %d did not converge)", 100*b.Coverage, side, b.Value, 100*b.Confidence, b.Order, b.Runs, b.Failed)
}

// Wilks bounds one output from independent random samples: values are those of
// the runs that converged; the failed ones count as beyond every value on the
// side of the bound. Samples of another kind are a *NotIndependentError.
func Wilks(k Kind, values []float64, failed int, upper bool, coverage, confidence float64) (Bound, error) {
	return orderBound(k, values, failed, upper, 1, coverage, confidence)
}

// WilksBoth is Wilks for the interval between the r-th smallest and the r-th
// largest value, which holds the coverage with the confidence when
// P(X ≥ 2r) ≥ confidence: at 95/95 and r = 1 from 93 runs on. A failed run
// counts as beyond the end at both ends.
func WilksBoth(k Kind, values []float64, failed int, coverage, confidence float64) (low, high Bound, err error) {
	if low, err = orderBound(k, values, failed, false, 2, coverage, confidence); err != nil {
		return low, high, err
	}
	high, err = orderBound(k, values, failed, true, 2, coverage, confidence)
	return low, high, err
}

// orderBound is one end of a bound with so many ends.
func orderBound(k Kind, values []float64, failed int, upper bool, ends int, coverage, confidence float64) (Bound, error) {
	if k != Random {
		return Bound{}, &NotIndependentError{k}
	}
	if !(coverage > 0 && coverage < 1) {
		return Bound{}, &ShareError{"coverage", coverage}
	}
	if !(confidence > 0 && confidence < 1) {
		return Bound{}, &ShareError{"confidence", confidence}
	}
	n := len(values) + failed
	b := Bound{Upper: upper, Both: ends == 2, Coverage: coverage, Confidence: confidence, Runs: n, Failed: failed, Order: WilksOrder(n, coverage, confidence) / ends}
	if b.Order <= failed {
		return b, nil // no order, or the value there is a failed run
	}
	sorted := slices.Sorted(slices.Values(values))
	at := b.Order - failed - 1 // from the end, among those that converged
	if upper {
		at = len(sorted) - 1 - at
	}
	b.Holds, b.Value = true, sorted[at]
	return b, nil
}

// ClopperPearson is the exact interval of a probability of which k of n trials
// came true: each side leaves out (1−confidence)/2 at most (Clopper and Pearson,
// Biometrika 26 (1934) 404, doi 10.1093/biomet/26.4.404).
func ClopperPearson(k, n int, confidence float64) (low, high float64, err error) {
	if n < 1 || k < 0 || k > n {
		return 0, 0, fmt.Errorf("uncertainty: %d of %d trials", k, n)
	}
	if !(confidence > 0 && confidence < 1) {
		return 0, 0, &ShareError{"confidence", confidence}
	}
	high = 1
	tail := (1 - confidence) / 2
	if k > 0 {
		low = mathext.InvRegIncBeta(float64(k), float64(n-k+1), tail)
	}
	if k < n {
		high = mathext.InvRegIncBeta(float64(k+1), float64(n-k), 1-tail)
	}
	return low, high, nil
}

// quantile is the p-quantile of sorted values of which below and above more lie
// beyond the ends: the median-unbiased estimate, definition 8 of Hyndman and
// Fan (Am. Stat. 50 (1996) 361, doi 10.1080/00031305.1996.10473566), held to
// the extremes. It is ±Inf where it falls among those beyond.
func quantile(sorted []float64, below, above int, p float64) float64 {
	n := below + len(sorted) + above
	h := float64(n)*p + (p+1)/3 // rank from 1
	h = max(1, min(float64(n), h))
	at := func(rank int) float64 {
		switch i := rank - 1 - below; {
		case i < 0:
			return math.Inf(-1)
		case i >= len(sorted):
			return math.Inf(1)
		default:
			return sorted[i]
		}
	}
	lo := math.Floor(h)
	a := at(int(lo))
	if h == lo {
		return a
	}
	b := at(int(lo) + 1)
	if math.IsInf(a, 0) || math.IsInf(b, 0) {
		if math.IsInf(a, -1) {
			return a
		}
		return b
	}
	return a + (h-lo)*(b-a)
}
