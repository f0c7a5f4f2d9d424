package rank

import (
	"cmp"
	"math"
	"slices"

	"halsted/planner"
)

// scale maps each objective to 0 (best found) to 1 (worst found).
func scale(costs [][]float64) [][]float64 {
	out := make([][]float64, len(costs))
	for p := range out {
		out[p] = make([]float64, len(costs[p]))
	}
	if len(costs) == 0 {
		return out
	}
	for o := range costs[0] {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, c := range costs {
			lo, hi = min(lo, c[o]), max(hi, c[o])
		}
		if hi > lo {
			for p, c := range costs {
				out[p][o] = (c[o] - lo) / (hi - lo)
			}
		}
	}
	return out
}

func distance(a, b []float64) float64 {
	s := 0.0
	for n := range a {
		s += (a[n] - b[n]) * (a[n] - b[n])
	}
	return math.Sqrt(s)
}

// Order ranks evaluations in place by their values: plans without veto get
// ranks from 1 (front by front, then by distance to the ideal point) and
// reasons; vetoed plans get rank 0, their vetoes the furthest first, and stand
// last, the least violating first.
// An objective that any unvetoed plan lacks is an *InputError.
func Order(es []planner.Evaluation, objectives []planner.Objective) error {
	sorted := slices.Clone(es)
	vetoedLast(sorted)
	open := unvetoed(sorted)
	o := &Options{Objectives: objectives}
	c, err := newComparison(sorted[:open], o)
	if err != nil {
		return err
	}
	order, lead := c.order(nil), c.leaders()
	for r, p := range order {
		es[r] = sorted[p]
		es[r].Rank = r + 1
		es[r].Reasons = c.reasons(p, order, lead, sorted, o)
	}
	for n := open; n < len(sorted); n++ {
		es[n] = sorted[n]
		reject(&es[n])
	}
	return nil
}

// vetoedLast sorts plans without veto by their ids, then the vetoed ones, the
// least violating first.
func vetoedLast(es []planner.Evaluation) {
	type keyed struct {
		e   planner.Evaluation
		far float64
	}
	ks := make([]keyed, len(es))
	for n := range es {
		ks[n] = keyed{es[n], violation(&es[n])}
	}
	slices.SortFunc(ks, func(a, b keyed) int {
		return cmp.Or(cmp.Compare(min(len(a.e.Vetoes), 1), min(len(b.e.Vetoes), 1)), cmp.Compare(a.far, b.far), cmp.Compare(a.e.Plan, b.e.Plan))
	})
	for n := range ks {
		es[n] = ks[n].e
	}
}

// unvetoed is how many plans without veto stand first.
func unvetoed(es []planner.Evaluation) int {
	if n := slices.IndexFunc(es, func(e planner.Evaluation) bool { return len(e.Vetoes) > 0 }); n >= 0 {
		return n
	}
	return len(es)
}

// Spread picks at most k of the ordered evaluations that differ most: the
// first, then again and again the unvetoed plan of the best front whose nearest
// picked plan is furthest away, in objectives scaled to their range; then the
// others in their order. The result are indices into es, in order of rank.
func Spread(es []planner.Evaluation, objectives []planner.Objective, k int) ([]int, error) {
	open := unvetoed(es)
	picked := []int{}
	if open > 0 && k > 0 {
		c, err := newComparison(es[:open], &Options{Objectives: objectives})
		if err != nil {
			return nil, err
		}
		best := 0 // plans of the best front stand first
		for best < open && c.front[best] == 0 {
			best++
		}
		picked = c.thin(best, k, -1)
	}
	for n := 0; len(picked) < k && n < len(es); n++ {
		if !slices.Contains(picked, n) {
			picked = append(picked, n)
		}
	}
	slices.Sort(picked)
	return picked, nil
}
