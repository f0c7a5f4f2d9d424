package rank

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"halsted/planner"
)

// Shortfall is how far a plan is from keeping a hard rule.
type Shortfall struct {
	Rule string // id in the rule pack
	// By is the distance of the value to the limit, in the quantity's unit;
	// positive where the rule is broken. Its spread is that of the quantity.
	By planner.Quantity
	// Relative is the same in % of the limit; nil for a limit of 0,
	// or next to it.
	Relative *planner.Quantity
	Want     planner.Limit
	Text     string // one sentence with the limit's source and evidence
}

// operatorText is how people write the operators of a limit.
var operatorText = map[string]string{">=": "≥", "<=": "≤"}

// shortfall measures a value against a limit.
func shortfall(rule, text string, have planner.Quantity, want planner.Limit) Shortfall {
	sign := 1.0 // want − have
	if want.Operator == "<=" {
		sign = -1
	}
	affine := func(id, label, unit string, factor float64) planner.Quantity {
		f := func(v float64) float64 { return sign * (want.Value - v) * factor }
		q := have
		q.ID, q.Label, q.Unit, q.Value = id, label, unit, f(have.Value)
		q.Evidence = planner.Worst(have.Evidence, want.Evidence)
		q.Violation = nil
		if s := have.Spread; s != nil {
			v := []float64{f(s.P2_5), f(s.P5), f(s.P50), f(s.P95), f(s.P97_5)}
			if sign > 0 {
				slices.Reverse(v)
			}
			q.Spread = &planner.Spread{P2_5: v[0], P5: v[1], P50: v[2], P95: v[3], P97_5: v[4]}
		}
		if s := have.Solution; s != nil {
			q.Solution = &planner.Solution{Residual: s.Residual, MeshError: s.MeshError * factor}
		}
		return q
	}
	out := Shortfall{Rule: rule, Want: want, By: affine(have.ID+".shortfall", have.Label+", distance to the limit", have.Unit, 1)}
	if want.Value != 0 {
		r := affine(have.ID+".shortfall_percent", have.Label+", distance to the limit in % of it", "%", 100/math.Abs(want.Value))
		if r.Validate() == nil { // a limit next to 0 overflows
			out.Relative = &r
		}
	}
	out.Text = fmt.Sprintf("%s; %s short of %s %.4g%s [%s; %s]", text, distanceText(out.By),
		operatorText[want.Operator], want.Value, planner.UnitText(want.Unit), want.Evidence, want.Source)
	return out
}

// distanceText writes a distance; one between two percentages is in points.
func distanceText(q planner.Quantity) string {
	s := q.Short()
	if q.Unit == "%" {
		s = strings.Replace(s, " %", " percentage points", 1)
	}
	return s
}

// relative is a distance in units of its limit; of a limit of 0, in the
// quantity's unit.
func (s *Shortfall) relative() float64 {
	if s.Relative != nil {
		return s.Relative.Value / 100
	}
	return s.By.Value
}

// Shortfalls are the distances of a plan to feasibility, one for each veto,
// the largest in units of its limit first.
func Shortfalls(e *planner.Evaluation) []Shortfall {
	var out []Shortfall
	for _, v := range e.Vetoes {
		out = append(out, shortfall(v.Rule, v.Text+": "+v.Have.Short(), v.Have, v.Want))
	}
	sortShortfalls(out)
	return out
}

func sortShortfalls(s []Shortfall) {
	slices.SortStableFunc(s, func(a, b Shortfall) int {
		return cmp.Or(cmp.Compare(b.relative(), a.relative()), cmp.Compare(a.Rule, b.Rule))
	})
}

// far is the distance of a veto in units of its limit; of a limit of 0, in the
// quantity's unit.
func far(v planner.Veto) float64 {
	unit := math.Abs(v.Want.Value)
	if unit == 0 {
		unit = 1
	}
	return math.Abs(v.Have.Value-v.Want.Value) / unit
}

// violation adds up how far a plan is from its broken limits, each in units of
// its limit; plans without veto have 0.
func violation(e *planner.Evaluation) (sum float64) {
	for _, v := range e.Vetoes {
		sum += far(v)
	}
	return sum
}

// change says in one sentence what would have to change for a rule to be kept.
func (s *Shortfall) change(label string) string {
	way := "grow"
	if s.Want.Operator == "<=" {
		way = "fall"
	}
	return fmt.Sprintf("%s would have to %s by %s to %s %.4g%s [%s; %s]", label, way, distanceText(s.By),
		operatorText[s.Want.Operator], s.Want.Value, planner.UnitText(s.Want.Unit), s.Want.Evidence, s.Want.Source)
}
