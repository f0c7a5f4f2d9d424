// Package rank puts plans in order and says why: hard vetoes first, then a
// Pareto front over named objectives.
//
// A plan dominates another when it is at least as good in every objective and
// better in one (Deb et al. 2002, doi 10.1109/4235.996017, section III). There
// is no weighted sum across a veto, and objectives are never added up to say
// that one plan dominates another. Within a front, plans are ordered by their
// distance to the ideal point in objectives scaled to the range of the plans.
// The result depends only on the values, with plan ids to break ties.
package rank

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"halsted/planner"
)

// cost is the value of an objective turned so that smaller is better.
func cost(o planner.Objective, v float64) float64 {
	if o.Cap != 0 {
		if o.Less {
			v = max(v, o.Cap)
		} else {
			v = min(v, o.Cap)
		}
	}
	if o.Less {
		return v
	}
	return -v
}

// Dominates reports whether costs a are no worse than b everywhere and better
// somewhere.
func Dominates(a, b []float64) bool {
	better := false
	for n := range a {
		if a[n] > b[n] {
			return false
		}
		better = better || a[n] < b[n]
	}
	return better
}

// Fronts sorts points into non-dominated fronts: front 0 is dominated by no
// point, front 1 only by points of front 0, and so on. costs[p] has one entry
// per objective, smaller is better. The result gives each point's front.
func Fronts(costs [][]float64) []int {
	front := make([]int, len(costs))
	left := make([]int, len(costs))
	for n := range left {
		left[n] = n
	}
	for f := 0; len(left) > 0; f++ {
		var next []int
		for _, p := range left {
			front[p] = f
			if slices.ContainsFunc(left, func(q int) bool { return Dominates(costs[q], costs[p]) }) {
				next = append(next, p)
			}
		}
		left = next
	}
	return front
}

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

// ideal is each point's Euclidean distance to the best value of every
// objective, objectives scaled to the range found.
func ideal(costs [][]float64) []float64 {
	out := make([]float64, len(costs))
	for p, c := range scale(costs) {
		out[p] = distance(c, make([]float64, len(c)))
	}
	return out
}

// Order ranks evaluations in place: plans without veto get ranks from 1 (front
// by front, then by distance to the ideal point) and reasons; vetoed plans get
// rank 0 and stand last, the least violating first. An objective that any unvetoed plan lacks is an error.
func Order(es []planner.Evaluation, objectives []planner.Objective) error {
	var open []int
	for n := range es {
		es[n].Rank, es[n].Reasons = 0, nil
		if len(es[n].Vetoes) == 0 {
			open = append(open, n)
			continue
		}
		for _, v := range es[n].Vetoes {
			es[n].Reasons = append(es[n].Reasons, "vetoed: "+v.Text+" ["+v.Want.Evidence.String()+"]")
		}
	}
	costs := make([][]float64, len(open))
	for p, n := range open {
		for _, o := range objectives {
			q, ok := es[n].Quantity(o.ID)
			if !ok {
				return fmt.Errorf("rank: plan %s has no %s", es[n].Plan, o.ID)
			}
			costs[p] = append(costs[p], cost(o, q.Value))
		}
	}
	front, far := Fronts(costs), ideal(costs)
	order := make([]int, len(open))
	for p := range order {
		order[p] = p
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(front[a], front[b]), cmp.Compare(far[a], far[b]), cmp.Compare(es[open[a]].Plan, es[open[b]].Plan))
	})
	for r, p := range order {
		e := &es[open[p]]
		e.Rank = r + 1
		e.Reasons = reasons(es, open, costs, front, p, objectives)
	}
	slices.SortStableFunc(es, func(a, b planner.Evaluation) int {
		ra, rb := a.Rank, b.Rank
		if ra == 0 {
			ra = math.MaxInt
		}
		if rb == 0 {
			rb = math.MaxInt
		}
		return cmp.Or(cmp.Compare(ra, rb), cmp.Compare(violation(a), violation(b)), cmp.Compare(a.Plan, b.Plan))
	})
	return nil
}

// violation adds up how far a plan is from its broken limits, each relative to
// its limit; plans without veto have 0.
func violation(e planner.Evaluation) (sum float64) {
	for _, v := range e.Vetoes {
		sum += math.Abs(v.Have.Value-v.Want.Value) / max(math.Abs(v.Want.Value), 1)
	}
	return sum
}

// Spread picks at most k of the ordered evaluations that differ most: the
// first, then again and again the unvetoed plan of the best front whose nearest
// picked plan is furthest away, in objectives scaled to their range; then the
// others in their order. The result are indices into es, in order of rank.
func Spread(es []planner.Evaluation, objectives []planner.Objective, k int) ([]int, error) {
	costs := make([][]float64, len(es))
	open := 0
	for n, e := range es {
		for _, o := range objectives {
			q, ok := e.Quantity(o.ID)
			if !ok {
				return nil, fmt.Errorf("rank: plan %s has no %s", e.Plan, o.ID)
			}
			costs[n] = append(costs[n], cost(o, q.Value))
		}
		if len(e.Vetoes) == 0 {
			open++
		}
	}
	if open == 0 || k >= len(es) {
		out := make([]int, min(k, len(es)))
		for n := range out {
			out[n] = n
		}
		return out, nil
	}
	scaled := scale(costs[:open])
	best := 0 // plans of the best front stand first
	for _, f := range Fronts(costs[:open]) {
		if f == 0 {
			best++
		}
	}
	picked := []int{0}
	for len(picked) < k && len(picked) < best {
		far, next := -1.0, 0
		for n := range best {
			near := math.Inf(1)
			for _, p := range picked {
				near = min(near, distance(scaled[n], scaled[p]))
			}
			if near > far {
				far, next = near, n
			}
		}
		if slices.Contains(picked, next) { // all left are like one picked
			break
		}
		picked = append(picked, next)
	}
	for n := 0; len(picked) < k && n < len(es); n++ {
		if !slices.Contains(picked, n) {
			picked = append(picked, n)
		}
	}
	slices.Sort(picked)
	return picked, nil
}

// reasons says where plan p is best, and what dominates it.
func reasons(es []planner.Evaluation, open []int, costs [][]float64, front []int, p int, objectives []planner.Objective) []string {
	var best, out []string
	for o, obj := range objectives {
		alone := len(costs) > 1
		for q := range costs {
			if q != p && costs[q][o] <= costs[p][o] {
				alone = false
			}
		}
		if alone {
			v, _ := es[open[p]].Quantity(obj.ID)
			best = append(best, fmt.Sprintf("%s (%s)", v.Label, v.Short()))
		}
	}
	switch {
	case len(costs) == 1:
		out = append(out, "the only plan without a veto")
	case front[p] == 0:
		out = append(out, "no other plan is at least as good in everything")
	default:
		for q := range costs {
			if Dominates(costs[q], costs[p]) {
				out = append(out, "another plan is at least as good in everything: "+es[open[q]].Plan)
				break
			}
		}
	}
	if len(best) > 0 {
		out = append(out, "best in: "+strings.Join(best, "; "))
	}
	return out
}
