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

// costsOf are the costs of one plan, an *InputError if it lacks one.
func costsOf(e *planner.Evaluation, objectives []planner.Objective) ([]float64, error) {
	out := make([]float64, 0, len(objectives))
	for _, o := range objectives {
		q, ok := e.Quantity(o.ID)
		if !ok {
			return nil, &InputError{e.Plan, o.ID, "it cannot be compared with the others"}
		}
		if math.IsNaN(q.Value) || math.IsInf(q.Value, 0) {
			return nil, &InputError{e.Plan, o.ID, "its value is not finite"}
		}
		out = append(out, cost(o, q.Value))
	}
	return out, nil
}

// label is what a surgeon reads for an objective.
func label(e *planner.Evaluation, id string) string {
	if q, ok := e.Quantity(id); ok && q.Label != "" {
		return q.Label
	}
	return id
}

// comparison holds the plans without veto.
type comparison struct {
	costs   [][]float64
	scaled  [][]float64 // to 0 to 1 over these plans
	samples sampled     // nil: by costs
	front   []int
}

func newComparison(es []planner.Evaluation, o *Options) (*comparison, error) {
	c := &comparison{}
	for n := range es {
		costs, err := costsOf(&es[n], o.Objectives)
		if err != nil {
			return nil, err
		}
		c.costs = append(c.costs, costs)
	}
	c.scaled = scale(c.costs)
	if o.Samples == nil {
		c.front = Fronts(c.costs)
		return c, nil
	}
	c.samples = make(sampled, len(es))
	count := make([]int, len(o.Objectives))
	for n, e := range es {
		s := o.Samples[e.Plan]
		if len(s) != len(o.Objectives) {
			return nil, &InputError{Plan: e.Plan, Why: fmt.Sprintf("has samples of %d objectives, want %d", len(s), len(o.Objectives))}
		}
		for j, v := range s {
			if n == 0 {
				count[j] = len(v)
			}
			if len(v) != count[j] {
				return nil, &InputError{e.Plan, o.Objectives[j].ID, fmt.Sprintf("%d samples, others have %d: common random numbers give equally many", len(v), count[j])}
			}
			if len(v) == 0 { // not sampled: the value stands for it
				c.samples[n] = append(c.samples[n], c.costs[n][j:j+1])
				continue
			}
			costs := make([]float64, len(v))
			for i := range v {
				costs[i] = cost(o.Objectives[j], v[i]) // NaN stays NaN
			}
			c.samples[n] = append(c.samples[n], costs)
		}
	}
	c.front = c.samples.fronts()
	return c, nil
}

// permuted is the comparison with plan order[n] at place n.
func (c *comparison) permuted(order []int) *comparison {
	out := &comparison{}
	for _, p := range order {
		out.costs = append(out.costs, c.costs[p])
		out.scaled = append(out.scaled, c.scaled[p])
		out.front = append(out.front, c.front[p])
		if c.samples != nil {
			out.samples = append(out.samples, c.samples[p])
		}
	}
	return out
}

// beats reports whether plan a dominates b, robustly where there are samples,
// and the objectives in which it is better.
func (c *comparison) beats(a, b int) (claims []int, ok bool) {
	if c.samples != nil {
		return c.samples.beats(a, b)
	}
	for o := range c.costs[a] {
		if c.costs[a][o] < c.costs[b][o] {
			claims = append(claims, o)
		}
	}
	return claims, Dominates(c.costs[a], c.costs[b])
}

func (c *comparison) differ(a, b int) bool {
	if c.samples != nil {
		return c.samples.differ(a, b)
	}
	return !slices.Equal(c.costs[a], c.costs[b])
}

// order ranks by front, then by the weighted Euclidean distance to the best
// value of every objective, scaled; plans stand in the order of their ids.
func (c *comparison) order(weights []float64) []int {
	far := make([]float64, len(c.scaled))
	order := make([]int, len(c.scaled))
	for p, x := range c.scaled {
		order[p] = p
		for o, v := range x {
			w := 1.0
			if weights != nil {
				w = weights[o]
			}
			far[p] += w * v * v
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(c.front[a], c.front[b]), cmp.Compare(far[a], far[b]))
	})
	return order
}

// leaders are the plans that alone are best in an objective, one for each; −1
// for none.
func (c *comparison) leaders() []int {
	if len(c.costs) < 2 {
		return nil
	}
	out := make([]int, len(c.costs[0]))
	for j := range out {
		first, second := 0, -1 // of the values
		for p := 1; p < len(c.costs); p++ {
			switch {
			case c.costs[p][j] < c.costs[first][j]:
				first, second = p, first
			case second < 0 || c.costs[p][j] < c.costs[second][j]:
				second = p
			}
		}
		out[j] = first
		if c.samples == nil {
			if c.costs[first][j] == c.costs[second][j] {
				out[j] = -1
			}
			continue
		}
		// At most one plan is nearly always better than each other one; its
		// median need not be the smallest value.
		out[j] = -1
		for p := range c.samples {
			if alone := c.alone(p, j); alone {
				out[j] = p
			}
		}
	}
	return out
}

// alone reports whether plan p is robustly better than each other one in
// objective j.
func (c *comparison) alone(p, j int) bool {
	for q := range c.samples {
		if q == p {
			continue
		}
		if better, _ := c.samples.count(p, q, j); !often(better, len(c.samples[p][j])) {
			return false
		}
	}
	return true
}

// reasons says where plan p is best, and what beats it. order is that of the
// ranks, lead that of leaders.
func (c *comparison) reasons(p int, order, lead []int, es []planner.Evaluation, o *Options) []string {
	var best, out []string
	for j, l := range lead {
		if l == p {
			id := o.Objectives[j].ID
			v, _ := es[p].Quantity(id)
			best = append(best, fmt.Sprintf("%s (%s)", label(&es[p], id), v.Short()))
		}
	}
	switch {
	case len(c.costs) == 1:
		out = append(out, "the only one of the compared plans without a veto")
	case c.front[p] == 0:
		out = append(out, "no other plan is at least as good in everything")
	default:
		for _, q := range order {
			if _, ok := c.beats(q, p); ok {
				out = append(out, "another plan is at least as good in everything: "+o.name(es[q].Plan))
				break
			}
		}
	}
	if len(best) > 0 {
		out = append(out, "best in: "+strings.Join(best, "; "))
	}
	return out
}

// thin picks at most most of the first best plans: the first, the knee if
// there is one, then again and again the one whose nearest picked plan is
// furthest away in scaled objectives, leaving out those that no objective
// tells from a picked one. In order of rank.
func (c *comparison) thin(best, most, knee int) []int {
	picked := []int{0}
	if knee > 0 && most > 1 {
		picked = append(picked, knee)
	}
	for len(picked) < most {
		far, next := 0.0, -1
		for n := range best {
			near, same := math.Inf(1), false
			for _, p := range picked {
				near = min(near, distance(c.scaled[n], c.scaled[p]))
				same = same || n == p || !c.differ(n, p)
			}
			if !same && near > far {
				far, next = near, n
			}
		}
		if next < 0 {
			break
		}
		picked = append(picked, next)
	}
	slices.Sort(picked)
	return picked
}
