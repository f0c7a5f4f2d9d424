package pipeline

import (
	"fmt"
	"math"
	"slices"

	"halsted/planner"
	"halsted/planner/rank"
	"halsted/planner/rules"
	"halsted/planner/uncertainty"
)

// quantified is a plan whose numbers have their spread.
type quantified struct {
	plan      planner.Plan
	eval      planner.Evaluation
	geometry  *uncertainty.Result
	mechanics *uncertainty.Result // nil at L0
	mesh      []planner.Measured  // that the mechanics were solved on
}

// flag marks every number of a plan whose outputs or mesh lie outside the
// verified ranges; the case's own flags are on them already. A range of an output
// that the plan lacks touches nothing.
func (s *quantified) flag(procedure string) error {
	for _, v := range []struct {
		of       string
		measured []planner.Measured
	}{{rules.OfPlan, planner.MeasuredOf(&s.eval)}, {rules.OfMesh, s.mesh}} {
		ranges, err := rules.Ranges(procedure, v.of)
		if err != nil {
			return err
		}
		if v.of == rules.OfMesh && s.mechanics == nil { // nothing was meshed
			continue
		}
		planner.FlagEvaluation(planner.OutOfDomain(ranges, v.measured), &s.eval)
	}
	return nil
}

// samples are an objective on the common samples; NaN where one did not
// converge, nil where the plan has no such output.
func (s *quantified) samples(id string) []float64 {
	for _, r := range []*uncertainty.Result{s.mechanics, s.geometry} {
		if r == nil || !slices.ContainsFunc(r.Quantities, func(q planner.Quantity) bool { return q.ID == id }) {
			continue
		}
		out := make([]float64, len(r.Samples))
		for n, one := range r.Samples {
			out[n] = math.NaN()
			for _, v := range one.Values {
				if v.ID == id && one.Failed == "" {
					out[n] = v.V
				}
			}
		}
		return out
	}
	return nil
}

// compared is the ranking of plans by a level's objectives.
func compared(p planner.Procedure, l planner.Level, q Question, condition string, es []planner.Evaluation, plans map[string]planner.Plan, shown []*quantified) (*rank.Front, error) {
	o := rank.Options{Most: q.Shown, Names: map[string]string{}, Scenarios: scenarios[p.Name()]}
	for _, obj := range p.Objectives(l) {
		// An objective that a plan lacks (a structure is missing, its mechanics
		// failed) compares nobody.
		if !slices.ContainsFunc(es, func(e planner.Evaluation) bool { _, ok := e.Quantity(obj.ID); return !ok }) {
			o.Objectives = append(o.Objectives, obj)
		}
	}
	for _, e := range es {
		o.Names[e.Plan] = plans[e.Plan].Name
	}
	applying, err := q.Pack.For(condition)
	if err != nil {
		return nil, err
	}
	for _, r := range applying {
		if r.Severity == rules.Hard {
			o.Bounds = append(o.Bounds, rank.Bound{Rule: r.ID, Output: r.Quantity, Text: r.Text, Want: r.Limit()})
		}
	}
	if shown != nil {
		o.Samples = map[string][][]float64{}
		for _, s := range shown {
			for _, obj := range o.Objectives {
				o.Samples[s.plan.ID] = append(o.Samples[s.plan.ID], s.samples(obj.ID))
			}
		}
	}
	return rank.Rank(es, o)
}

const whyNotSearched = 6 // plans of the search that are explained

// conclude ranks the quantified plans and says why the others are not among
// them.
func conclude(d *planner.Decision, p planner.Procedure, q Question, shown []*quantified, before *rank.Front, plans map[string]planner.Plan, beside map[string]bool) error {
	es := make([]planner.Evaluation, len(shown))
	for n, s := range shown {
		es[n] = s.eval
	}
	f, err := compared(p, q.Level, q, d.Case.Condition, es, plans, shown)
	if err != nil {
		return err
	}
	for _, e := range f.Plans {
		d.Plans, d.Evaluations = append(d.Plans, plans[e.Plan]), append(d.Evaluations, e)
	}
	if f.Knee >= 0 {
		d.Knee = f.Plans[f.Knee].Plan
	}
	d.KneeText = f.KneeText
	if only := onlyBest(before); d.Knee == "" && only != "" && len(f.Levels) > 0 && f.Plans[0].Plan == only {
		d.Knee = only
		d.KneeText = plans[only].Name + " is proposed: with every input at its median no other plan is as good in everything, and it ranks first when the inputs are spread; a proposal, not a decision"
	}
	for _, c := range f.Contingency {
		d.Contingencies = append(d.Contingencies, planner.Contingency{Plan: c.Plan, If: label(p.Name(), c.Scenario), Holds: c.Holds, Then: c.Switch, Text: c.Text})
	}
	d.WhyNot = whyNot(before, f, plans, beside)
	d.Method = append(d.Method, f.Basis)
	return nil
}

// whyNot explains the quantified plans that are not on the front, the nearest
// rejected plan, and the first others of the search.
func whyNot(before, after *rank.Front, plans map[string]planner.Plan, beside map[string]bool) []planner.WhyNot {
	var out []planner.WhyNot
	seen := map[string]bool{}
	add := func(f *rank.Front, plan, text string) {
		if seen[plan] {
			return
		}
		seen[plan] = true
		w := planner.WhyNot{Plan: plans[plan], Text: text}
		if n := slices.IndexFunc(f.Plans, func(e planner.Evaluation) bool { return e.Plan == plan }); n >= 0 {
			w.Vetoes = f.Plans[n].Vetoes
		}
		out = append(out, w)
	}
	for _, f := range []*rank.Front{after, before} {
		for _, r := range f.Least {
			text := r.Text
			for _, c := range r.Changes {
				text += " " + c
			}
			add(f, r.Plan, text)
		}
		for n, w := range f.WhyNot {
			if f == after || n < whyNotSearched {
				add(f, w.Plan, w.Text)
			}
		}
		if f.Nearest != nil {
			add(f, f.Nearest.Plan, f.Nearest.Text)
		}
	}
	// A plan that is shown after all needs no reason why it is not.
	out = slices.DeleteFunc(out, func(w planner.WhyNot) bool {
		return slices.ContainsFunc(after.Shown, func(n int) bool { return after.Plans[n].Plan == w.Plan.ID })
	})
	// But for one that is shown because it is next to the proposed one.
	var near []planner.WhyNot
	for _, n := range after.Shown {
		id := after.Plans[n].Plan
		if at := slices.IndexFunc(before.WhyNot, func(w rank.WhyNot) bool { return w.Plan == id }); beside[id] && at >= 0 {
			near = append(near, planner.WhyNot{Plan: plans[id], Text: before.WhyNot[at].Text + " That holds with every input at its median; within their spread it is not sure."})
		}
	}
	return append(near, out...)
}

// onlyBest is the one plan of the search that no other one beats; empty when
// there are several.
func onlyBest(f *rank.Front) string {
	if len(f.Levels) == 0 || len(f.Levels) > 1 && f.Levels[1] == 0 {
		return ""
	}
	return f.Plans[0].Plan
}

// method says how the numbers came about, for people.
func method(d *planner.Decision, q Question, shown []*quantified) []string {
	out := []string{fmt.Sprintf("%d candidate plans were compared by geometry and flow with every input at its median; %d keep all hard rules. %d were quantified.", d.Searched, d.Feasible, len(shown))}
	if len(shown) == 0 {
		return out
	}
	say := func(r *uncertainty.Result) string {
		return fmt.Sprintf("%d samples (%s, seed %d) of the uncertain inputs, the same for all plans", len(r.Samples), r.Method.Kind, r.Method.Seed)
	}
	out = append(out, "Geometry and flow: "+say(shown[0].geometry)+".")
	for _, s := range shown {
		if s.mechanics != nil {
			return append(out, fmt.Sprintf("Mechanics at %v: %s.", q.Level, say(s.mechanics)))
		}
	}
	return append(out, "No mechanics were simulated.")
}
