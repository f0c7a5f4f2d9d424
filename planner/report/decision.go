package report

import (
	"fmt"
	"slices"

	"halsted/planner"
)

// maxRejected is how many of the plans that were not kept a dossier lists.
const maxRejected = 12

// FromDecision lays out a decision as a dossier: the plans with their
// evaluations, the proposal, why others were not kept, contingencies, flags and
// lost outputs. Patient, limits, pictures and approvals are the caller's to add.
// A decision whose lists do not belong together is an error.
func FromDecision(study planner.Study, c *planner.Decision) (Dossier, error) {
	d := Dossier{Case: c.Case, Study: study, RulePack: c.RulePack, Knee: c.Knee, Flags: c.Flags, Missing: c.Lost}
	if c.KneeText != "" {
		d.KneeWhy = []string{c.KneeText}
	}
	if len(c.Plans) != len(c.Evaluations) {
		return Dossier{}, fmt.Errorf("report: a decision with %d plans and %d evaluations", len(c.Plans), len(c.Evaluations))
	}
	for n, e := range c.Evaluations {
		if e.Plan != c.Plans[n].ID {
			return Dossier{}, fmt.Errorf("report: evaluation %d is not of plan %d", n, n)
		}
		d.Items = append(d.Items, Item{Plan: c.Plans[n], Evaluation: e})
	}
	if d.Case.Procedure == "" {
		d.Case.Procedure = c.Procedure
	}
	for _, k := range c.Contingencies {
		if it := d.plan(k.Plan); it != nil {
			then := k.Then
			if k.Holds {
				then = k.Plan
			}
			it.Contingency = append(it.Contingency, Contingency{If: k.If, Then: then, Text: k.Text})
		}
	}
	for _, w := range c.WhyNot {
		if it := d.plan(w.Plan.ID); it != nil {
			it.WhyNot = append(it.WhyNot, w.Text)
			continue
		}
		if len(d.Rejected) < maxRejected {
			d.Rejected = append(d.Rejected, Item{Plan: w.Plan, Evaluation: planner.Evaluation{Plan: w.Plan.ID, Vetoes: w.Vetoes}, WhyNot: []string{w.Text}})
		}
	}
	d.Method = slices.Clone(c.Method)
	if len(d.Method) == 0 {
		d.Method = []string{fmt.Sprintf("%d candidates were searched; %d of them break no hard rule.", c.Searched, c.Feasible)}
	}
	if n := len(c.WhyNot) - len(d.Rejected); n > 0 && len(d.Rejected) == maxRejected {
		d.Method = append(d.Method, fmt.Sprintf("%d more plans were not kept; the run has why.", n))
	}
	return d, nil
}
