package rank

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"halsted/planner"
)

// Bound is a hard rule as rank needs it: planner/rules holds the rules.
type Bound struct {
	Rule   string // id in the rule pack
	Output string // Quantity.ID
	Text   string // what a surgeon reads
	Want   planner.Limit
}

// Delta is a change of one output of a plan.
type Delta struct {
	Output string  // Quantity.ID
	By     float64 // added, in the output's unit
	Unit   string  // UCUM; must equal the output's
}

// Scenario is one assumption that fails.
type Scenario struct {
	ID    string // stable name: "clamp_slips"
	Label string // what a surgeon reads: "the portal clamp slips"
	// Change tells what it does to a plan: nothing when the plan does not rest
	// on the assumption. An error says why that is not known for this plan.
	Change func(planner.Evaluation) ([]Delta, error)
}

// Same is a scenario that changes all plans alike.
func Same(id, label string, deltas ...Delta) Scenario {
	return Scenario{id, label, func(planner.Evaluation) ([]Delta, error) { return deltas, nil }}
}

// MarginLost is the loss of by mm of the margin that output names.
func MarginLost(output string, by float64) Scenario {
	return Same("margin_lost", fmt.Sprintf("%.3g mm of the margin are lost", by), Delta{output, -by, "mm"})
}

// ClampSlips is a clamp that comes off the cut vessel of the largest flow for
// some seconds: its blood, flow × time, is added to output (mL). The flow is
// the vessel's median. It is not known for a plan that cuts a vessel without a
// known flow.
func ClampSlips(output string, seconds float64) Scenario {
	return Scenario{"clamp_slips", fmt.Sprintf("the clamp of the largest cut vessel slips for %.3g s", seconds),
		func(e planner.Evaluation) ([]Delta, error) {
			most := 0.0
			for _, v := range e.Vessels {
				if v.Flow == nil || v.Flow.Unit != "mL/min" {
					return nil, fmt.Errorf("the flow of a cut %s vessel is not known in mL/min", v.System)
				}
				most = max(most, v.Flow.Value)
			}
			if most == 0 {
				return nil, nil
			}
			return []Delta{{output, most * seconds / 60, "mL"}}, nil
		}}
}

// Contingency is what becomes of one plan under one scenario.
type Contingency struct {
	Plan     string
	Scenario string // Scenario.ID
	// Holds: the plan keeps all hard rules that can be checked under it.
	Holds bool
	// Breaks are the rules that it does not keep, the worst first.
	Breaks []Shortfall
	// Unknown says why it cannot be told; then Holds is false and there are no
	// Breaks.
	Unknown string
	// Switch is the plan to go to: the next of the list that keeps all hard rules
	// under the scenario, those shown first. Empty: none, or not needed.
	Switch string
	Text   string // one sentence
}

// under applies a scenario to the quantities of e and measures them against
// the bounds. A bound whose output e lacks is passed over, as it was without
// the scenario.
func under(e *planner.Evaluation, s Scenario, bounds []Bound) (breaks []Shortfall, err error) {
	deltas, err := s.Change(*e)
	if err != nil {
		return nil, err
	}
	changed := slices.Clone(e.Quantities)
	for _, d := range deltas {
		n := slices.IndexFunc(changed, func(q planner.Quantity) bool { return q.ID == d.Output })
		switch {
		case n < 0:
			return nil, fmt.Errorf("%s is not known", d.Output)
		case changed[n].Unit != d.Unit:
			return nil, fmt.Errorf("%s is in %s, the change in %s", d.Output, changed[n].Unit, d.Unit)
		case math.IsNaN(d.By) || math.IsInf(d.By, 0):
			return nil, fmt.Errorf("the change of %s is not finite", d.Output)
		}
		changed[n] = shifted(changed[n], d.By, s.Label)
	}
	for _, b := range bounds {
		n := slices.IndexFunc(changed, func(q planner.Quantity) bool { return q.ID == b.Output })
		if n < 0 {
			continue
		}
		if changed[n].Unit != b.Want.Unit {
			return nil, fmt.Errorf("%s is in %s, rule %s in %s", b.Output, changed[n].Unit, b.Rule, b.Want.Unit)
		}
		sf := shortfall(b.Rule, fmt.Sprintf("%s: %s", b.Text, changed[n].Short()), changed[n], b.Want)
		if err := sf.By.Validate(); err != nil {
			return nil, err
		}
		if sf.By.Value > 0 {
			breaks = append(breaks, sf)
		}
	}
	sortShortfalls(breaks)
	return breaks, nil
}

// shifted is q with a constant added.
func shifted(q planner.Quantity, by float64, why string) planner.Quantity {
	q.Value += by
	if s := q.Spread; s != nil {
		q.Spread = &planner.Spread{P2_5: s.P2_5 + by, P5: s.P5 + by, P50: s.P50 + by, P95: s.P95 + by, P97_5: s.P97_5 + by}
	}
	q.Violation = nil
	q.Basis += "; shifted: " + why
	return q
}

// Between are the changes from one evaluation of a plan to another, output by
// output: what a scenario is that another simulation tells, such as a vessel
// more that has to be divided. An output that only one of them has is an error.
func Between(from, to planner.Evaluation) ([]Delta, error) {
	var out []Delta
	for _, q := range from.Quantities {
		r, ok := to.Quantity(q.ID)
		if !ok || r.Unit != q.Unit {
			return nil, fmt.Errorf("%s is not known in %s after the change", q.ID, q.Unit)
		}
		out = append(out, Delta{q.ID, r.Value - q.Value, q.Unit})
	}
	for _, q := range to.Quantities {
		if _, ok := from.Quantity(q.ID); !ok {
			return nil, fmt.Errorf("%s is not known before the change", q.ID)
		}
	}
	return out, nil
}

// contingencies gives for every shown plan what becomes of it under every
// scenario. The plan to switch to is sought among those shown, then among all
// without veto, in the order of their ranks.
func (f *Front) contingencies(o *Options) {
	list := slices.Clone(f.Shown)
	for n := range f.Levels {
		if !slices.Contains(f.Shown, n) {
			list = append(list, n)
		}
	}
	type outcome struct {
		breaks []Shortfall
		err    error
	}
	found := make([]map[int]outcome, len(o.Scenarios)) // by index in Plans, as far as asked for
	look := func(s, p int) outcome {
		got, ok := found[s][p]
		if !ok {
			got.breaks, got.err = under(&f.Plans[p], o.Scenarios[s], o.Bounds)
			found[s][p] = got
		}
		return got
	}
	for s := range found {
		found[s] = map[int]outcome{}
	}
	for _, p := range f.Shown {
		for n, s := range o.Scenarios {
			got := look(n, p)
			c := Contingency{Plan: f.Plans[p].Plan, Scenario: s.ID, Breaks: got.breaks}
			name := o.name(c.Plan)
			if c.Holds = got.err == nil && len(c.Breaks) == 0; c.Holds {
				c.Text = fmt.Sprintf("If %s, %s still keeps the hard rules that can be checked.", s.Label, name)
				f.Contingency = append(f.Contingency, c)
				continue
			}
			to := "no other plan is known to"
			for _, q := range list {
				if q == p {
					continue
				}
				if other := look(n, q); other.err == nil && len(other.breaks) == 0 {
					c.Switch = f.Plans[q].Plan
					to = "the next that does is " + o.name(c.Switch)
					break
				}
			}
			if got.err != nil {
				c.Unknown = got.err.Error()
				c.Text = fmt.Sprintf("If %s, it is not known whether %s keeps the hard rules (%s); %s.", s.Label, name, c.Unknown, to)
			} else {
				var rules []string
				for _, b := range c.Breaks {
					rules = append(rules, b.Text)
				}
				c.Text = fmt.Sprintf("If %s, %s does not keep the hard rules (%s); %s.", s.Label, name, strings.Join(rules, "; "), to)
			}
			f.Contingency = append(f.Contingency, c)
		}
	}
}
