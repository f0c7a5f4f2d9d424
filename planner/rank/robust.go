package rank

import (
	"fmt"
	"math"

	"halsted/planner"

	"gonum.org/v1/gonum/stat/distuv"
)

// surely is the share of the samples in which a claim must hold.
const surely = 0.9

// sampled are costs[plan][objective][sample] on common random numbers: sample
// s has the same inputs in every plan. A sample that did not converge is NaN
// and counts as the worst value.
type sampled [][][]float64

// count gives in how many samples plan a is better than b in objective o, and
// in how many it is no worse. Two samples that both failed are no worse than
// each other.
func (s sampled) count(a, b, o int) (better, noWorse int) {
	x, y := s[a][o], s[b][o]
	for n := range x {
		u, v := x[n], y[n]
		if math.IsNaN(u) {
			u = math.Inf(1)
		}
		if math.IsNaN(v) {
			v = math.Inf(1)
		}
		if u < v {
			better++
		}
		if u <= v {
			noWorse++
		}
	}
	return better, noWorse
}

func often(count, of int) bool { return float64(count) >= surely*float64(of) }

// beats reports whether plan a robustly dominates b: with a probability of at
// least 0.9 it is no worse, in every objective, and in one of them, which
// claims lists, it is better.
func (s sampled) beats(a, b int) (claims []int, ok bool) {
	for o := range s[a] {
		better, noWorse := s.count(a, b, o)
		if !often(noWorse, len(s[a][o])) {
			return nil, false
		}
		if often(better, len(s[a][o])) {
			claims = append(claims, o)
		}
	}
	return claims, len(claims) > 0
}

// fronts peels off the plans that no plan left beats. Robust dominance is no
// order: ten or more plans may beat each other in a ring, and then share a
// front.
func (s sampled) fronts() []int {
	front := make([]int, len(s))
	left := make([]int, len(s))
	for n := range left {
		left[n] = n
	}
	for f := 0; len(left) > 0; f++ {
		var next []int
		for _, p := range left {
			front[p] = f
			for _, q := range left {
				if _, ok := s.beats(q, p); ok {
					next = append(next, p)
					break
				}
			}
		}
		if len(next) == len(left) {
			break
		}
		left = next
	}
	return front
}

// differ reports whether some objective tells plans a and b apart.
func (s sampled) differ(a, b int) bool {
	for o := range s[a] {
		ab, _ := s.count(a, b, o)
		ba, _ := s.count(b, a, o)
		if n := len(s[a][o]); often(ab, n) || often(ba, n) {
			return true
		}
	}
	return false
}

// share is the probability of something seen in k of n common samples, with
// the quantiles of Jeffreys' Beta(k+½, n−k+½) (Brown, Cai and DasGupta, Stat.
// Sci. 16:101, 2001, doi 10.1214/ss/1009213286, section 4), which reach 0
// and 1 where none or all were seen.
func share(id, label string, k, n int) planner.Quantity {
	q := planner.Quantity{ID: id, Label: label, Value: 100 * float64(k) / float64(n), Unit: "%",
		Basis: fmt.Sprintf("%d of %d common samples, Jeffreys interval", k, n)}
	b := distuv.Beta{Alpha: float64(k) + 0.5, Beta: float64(n-k) + 0.5}
	at := func(p float64) float64 { return 100 * b.Quantile(p) }
	s := planner.Spread{P2_5: at(0.025), P5: at(0.05), P50: at(0.5), P95: at(0.95), P97_5: at(0.975)}
	if k == 0 {
		s.P2_5, s.P5 = 0, 0
	}
	if k == n {
		s.P95, s.P97_5 = 100, 100
	}
	q.Spread = &s
	return q
}
