package rank

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"halsted/planner"
)

func atLeast(output string, v float64) Bound {
	return Bound{"rule." + output, output, "Length " + output, planner.Limit{Operator: ">=", Value: v, Unit: "mm", Source: "a paper", Evidence: planner.EvidenceSource}}
}

func TestAnAssumptionThatFailsNamesTheNextPlan(t *testing.T) {
	// "a" is a margin that is to be ≥ 1, more is better; "b" an area.
	o := Options{Objectives: []planner.Objective{{ID: "a"}, {ID: "b", Less: true}}, Bounds: []Bound{atLeast("a", 1)}}
	es := []planner.Evaluation{plan("thin", 2, 10), plan("mid", 5, 22), plan("wide", 8, 40)}
	for by, want := range map[float64]map[string]string{ // "-": holds
		1: {"thin": "-", "mid": "-", "wide": "-"},
		2: {"thin": "?", "mid": "-", "wide": "-"},
		5: {"thin": "wide", "mid": "wide", "wide": "-"},
		9: {"thin": "", "mid": "", "wide": ""},
	} {
		o.Scenarios = []Scenario{MarginLost("a", by)}
		f := mustRank(t, es, o)
		if len(f.Contingency) != 3 {
			t.Fatalf("%+v", f.Contingency)
		}
		first := "" // of the list, that holds
		for _, n := range f.Shown {
			if es := want[f.Plans[n].Plan]; es == "-" && first == "" {
				first = f.Plans[n].Plan
			}
		}
		for _, c := range f.Contingency {
			w := want[c.Plan]
			if w == "?" {
				w = first
			}
			if c.Holds != (w == "-") || !c.Holds && c.Switch != w || c.Holds && c.Switch != "" {
				t.Errorf("%g mm lost: %+v, want %q", by, c, w)
			}
			if !c.Holds && (len(c.Breaks) != 1 || c.Breaks[0].By.Validate() != nil || !strings.Contains(c.Text, "mm of the margin are lost")) {
				t.Errorf("%+v", c)
			}
			if !c.Holds && c.Switch == "" && !strings.Contains(c.Text, "no other plan") {
				t.Errorf("%s", c.Text)
			}
		}
	}
}

func TestAnUnknownConsequenceIsNeverAFallback(t *testing.T) {
	o := Options{Objectives: less(1), Bounds: []Bound{atLeast("a", 1)}, Scenarios: []Scenario{{"s", "it fails", func(e planner.Evaluation) ([]Delta, error) {
		if e.Plan == "x" {
			return nil, errors.New("nobody looked")
		}
		return []Delta{{"a", -100, "mm"}}, nil
	}}}}
	f := mustRank(t, []planner.Evaluation{plan("x", 5), plan("y", 5.0)}, o)
	for _, c := range f.Contingency {
		if c.Switch != "" || c.Holds {
			t.Errorf("%+v", c)
		}
		if c.Plan == "x" && !strings.Contains(c.Unknown, "nobody looked") {
			t.Errorf("%+v", c)
		}
	}
	// Changes that cannot be applied are unknown, not ignored.
	for _, d := range []Delta{{"nothing", 1, "mm"}, {"a", 1, "cm"}} {
		o.Scenarios = []Scenario{Same("s", "it fails", d)}
		if f := mustRank(t, []planner.Evaluation{plan("x", 5)}, o); f.Contingency[0].Unknown == "" {
			t.Errorf("%v: %+v", d, f.Contingency[0])
		}
	}
}

func TestAClampThatSlipsBleedsTheLargestVessel(t *testing.T) {
	flow := func(v float64) planner.VesselCut {
		return planner.VesselCut{System: "portal", Flow: &planner.Quantity{ID: "flow_ml_min", Unit: "mL/min", Value: v, Basis: "test"}}
	}
	e := plan("p", 100)
	e.Vessels = []planner.VesselCut{flow(120), flow(600), flow(30)}
	d, err := ClampSlips("loss_ml", 30).Change(e)
	if err != nil || !slices.Equal(d, []Delta{{"loss_ml", 300, "mL"}}) {
		t.Errorf("%v, %v", d, err)
	}
	e.Vessels = append(e.Vessels, planner.VesselCut{System: "hepatic"})
	if _, err := ClampSlips("loss_ml", 30).Change(e); err == nil {
		t.Error("an unknown flow counts as none")
	}
	e.Vessels = nil
	if d, err := ClampSlips("loss_ml", 30).Change(e); err != nil || d != nil {
		t.Errorf("nothing is cut: %v, %v", d, err)
	}
}

func TestTheFallbackMayBeAPlanThatIsNotShown(t *testing.T) {
	o := Options{Objectives: []planner.Objective{{ID: "a", Cap: 3}, {ID: "b", Less: true}}, Bounds: []Bound{atLeast("a", 1)}, Scenarios: []Scenario{MarginLost("a", 5)}}
	f := mustRank(t, []planner.Evaluation{plan("thin", 4, 10), plan("beaten", 9, 11)}, o)
	if len(f.Shown) != 1 || len(f.Contingency) != 1 || f.Contingency[0].Plan != "thin" || f.Contingency[0].Switch != "beaten" {
		t.Errorf("%+v", f.Contingency)
	}
}

func TestBetweenIsTheChangeOfEveryOutput(t *testing.T) {
	d, err := Between(plan("p", 5, 7), plan("p", 4, 9))
	if err != nil || !slices.Equal(d, []Delta{{"a", -1, "mm"}, {"b", 2, "mm"}}) {
		t.Errorf("%v, %v", d, err)
	}
	// Applied to the first evaluation it gives the second.
	e := plan("p", 5, 7)
	breaks, err := under(&e, Same("s", "it changes", d...), []Bound{atLeast("a", 4.5)})
	if err != nil || len(breaks) != 1 || breaks[0].By.Value != 0.5 {
		t.Errorf("%+v, %v", breaks, err)
	}
	for _, c := range [][2]planner.Evaluation{{plan("p", 1), plan("p", 1, 2)}, {plan("p", 1, 2), plan("p", 1)}} {
		if _, err := Between(c[0], c[1]); err == nil {
			t.Error("an output that one of them lacks passed")
		}
	}
}

func ExampleMarginLost() {
	o := Options{Objectives: []planner.Objective{{ID: "a"}, {ID: "b", Less: true}}, Bounds: []Bound{atLeast("a", 1)}, Scenarios: []Scenario{MarginLost("a", 3)}}
	f, err := Rank([]planner.Evaluation{plan("thin", 2, 10), plan("wide", 8, 40)}, o)
	if err != nil {
		panic(err)
	}
	for _, c := range f.Contingency {
		fmt.Println(c.Text)
	}
	// Output:
	// If 3 mm of the margin are lost, plan thin does not keep the hard rules (Length a: -1 mm (95 %: -2 to 0); 2 mm (95 %: 1 to 3) short of ≥ 1 mm [S; a paper]); the next that does is plan wide.
	// If 3 mm of the margin are lost, plan wide still keeps the hard rules that can be checked.
}
