package rank

import (
	"fmt"
	"strings"
	"testing"

	"halsted/planner"
)

func evaluation(id string, flr, margin float64, vetoed bool) planner.Evaluation {
	q := func(id, unit string, v float64) planner.Quantity {
		return planner.Quantity{ID: id, Label: id, Unit: unit, Value: v, Basis: "test"}
	}
	e := planner.Evaluation{Plan: id, Quantities: []planner.Quantity{q("flr", "%", flr), q("margin", "mm", margin)}}
	if vetoed {
		e.Vetoes = []planner.Veto{{Rule: "r", Text: "too small", Have: q("flr", "%", 20), Want: planner.Limit{Operator: ">=", Value: 25, Unit: "%", Evidence: planner.EvidenceSource}}}
	}
	return e
}

var objectives = []planner.Objective{{ID: "flr"}, {ID: "margin", Cap: 10}}

func Example() {
	es := []planner.Evaluation{evaluation("a", 40, 5, false), evaluation("b", 90, 9, true), evaluation("c", 50, 8, false)}
	if err := Order(es, objectives); err != nil {
		panic(err)
	}
	for _, e := range es {
		fmt.Println(e.Rank, e.Plan, e.Reasons[0])
	}
	// Output:
	// 1 c no other plan is at least as good in everything
	// 2 a another plan is at least as good in everything: plan c
	// 0 b vetoed: too small: 20 % (spread not quantified: test), wanted ≥ 25 % [S]
}

func TestAVetoIsNeverOutweighed(t *testing.T) {
	es := []planner.Evaluation{evaluation("good", 99, 20, true), evaluation("bad", 26, 1, false)}
	if err := Order(es, objectives); err != nil {
		t.Fatal(err)
	}
	if es[0].Plan != "bad" || es[0].Rank != 1 || es[1].Rank != 0 || !strings.HasPrefix(es[1].Reasons[0], "vetoed") {
		t.Fatalf("%+v", es)
	}
}

func TestTheLeastViolatingVetoedPlanStandsFirst(t *testing.T) {
	es := []planner.Evaluation{evaluation("a", 10, 5, true), evaluation("b", 20, 5, true)}
	for n, have := range []float64{10, 20} {
		es[n].Vetoes[0].Have.Value, es[n].Vetoes[0].Want.Value = have, 25
	}
	if err := Order(es, objectives); err != nil || es[0].Plan != "b" {
		t.Fatalf("%v, %+v", err, es)
	}
}

func TestOrderDoesNotDependOnTheInputOrder(t *testing.T) {
	a := []planner.Evaluation{evaluation("x", 40, 12, false), evaluation("y", 40, 15, false), evaluation("z", 30, 3, false)}
	b := []planner.Evaluation{a[2], a[1], a[0]}
	if err := Order(a, objectives); err != nil {
		t.Fatal(err)
	}
	if err := Order(b, objectives); err != nil {
		t.Fatal(err)
	}
	for n := range a {
		if a[n].Plan != b[n].Plan || a[n].Rank != b[n].Rank {
			t.Fatalf("%v and %v", a, b)
		}
	}
	if a[0].Plan != "x" { // beyond the cap both margins count the same
		t.Errorf("first is %s", a[0].Plan)
	}
}

func TestSpreadPicksPlansThatDiffer(t *testing.T) {
	es := []planner.Evaluation{evaluation("a", 40, 8, false), evaluation("b", 41, 7.9, false), evaluation("c", 70, 2, false), evaluation("d", 99, 9, true)}
	if err := Order(es, objectives); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[int]string{1: "", 2: "c", 4: "d"} {
		got, err := Spread(es, objectives, k)
		if err != nil || len(got) != k || got[0] != 0 {
			t.Fatalf("k %d: %v %v", k, got, err)
		}
		if want != "" && es[got[k-1]].Plan != want {
			t.Errorf("k %d: the last picked is %s, want %s", k, es[got[k-1]].Plan, want)
		}
	}
}

func TestAMissingObjectiveIsAnError(t *testing.T) {
	es := []planner.Evaluation{{Plan: "p"}}
	if err := Order(es, objectives); err == nil || !strings.Contains(err.Error(), "flr") {
		t.Fatalf("got %v", err)
	}
}
