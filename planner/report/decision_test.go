package report

import (
	"fmt"
	"strings"
	"testing"

	"halsted/planner"
)

func TestFromDecision(t *testing.T) {
	s := sampleDossier()
	c := &planner.Decision{Case: s.Case, Procedure: "liver.resection", RulePack: s.RulePack, Searched: 214, Feasible: 102, Knee: s.Knee, KneeText: "It lies furthest out.", Flags: s.Flags, Lost: s.Missing, Method: s.Method}
	for _, it := range s.Items {
		c.Plans, c.Evaluations = append(c.Plans, it.Plan), append(c.Evaluations, it.Evaluation)
	}
	c.Contingencies = []planner.Contingency{{Plan: c.Plans[0].ID, If: "1 mm of the margin is lost", Then: c.Plans[1].ID}}
	for n := range 20 {
		c.WhyNot = append(c.WhyNot, planner.WhyNot{Plan: planner.Plan{ID: fmt.Sprint("w", n), Name: fmt.Sprint("candidate ", n)}, Text: "plan 1 is better in everything", Vetoes: s.Items[6].Evaluation.Vetoes})
	}
	d, err := FromDecision(s.Study, c)
	if err != nil {
		t.Fatal(err)
	}
	page := plainHTML(render(t, "HTML", d))
	for _, want := range []string{"If 1 mm of the margin is lost: plan 2 (Bisegmentectomy 6/7) keeps the rules.", "It lies furthest out.", "214 candidates at L0", "candidate 11", "8 more plans were not kept", "plan 1, Segmentectomy 6"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	c.Evaluations[0].Plan = "other"
	if _, err := FromDecision(s.Study, c); err == nil {
		t.Error("evaluations of other plans pass")
	}
}
