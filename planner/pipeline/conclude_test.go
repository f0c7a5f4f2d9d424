package pipeline

import (
	"slices"
	"strings"
	"testing"

	"halsted/planner"
	"halsted/planner/uncertainty"
)

// A plan whose strain or mesh lies outside what was verified carries that on
// every mechanical number, and on no other.
func TestPlansOutsideTheVerifiedRange(t *testing.T) {
	plan := func(strain, top float64, mesh ...planner.Measured) *quantified {
		q := func(id, unit string, v float64) planner.Quantity {
			return planner.Quantity{ID: id, Label: id, Unit: unit, Value: v, Spread: &planner.Spread{P2_5: v, P5: v, P50: v, P95: v, P97_5: top}}
		}
		return &quantified{mechanics: &uncertainty.Result{}, mesh: mesh, eval: planner.Evaluation{Plan: "p",
			Quantities: []planner.Quantity{q("flr_percent", "%", 40), q("peak_strain_percent", "%", strain), q("reaction_n", "N", 1)},
			Vetoes:     []planner.Veto{{Have: q("reaction_n", "N", 1)}}}}
	}
	sound := []planner.Measured{{ID: "dihedral_min", Value: 12, Unit: "deg"}, {ID: "dihedral_max", Value: 150, Unit: "deg"}}
	for name, c := range map[string]struct {
		of   *quantified
		want string // in the only flag; none when empty
	}{
		"inside":            {plan(10, 15, sound...), ""},
		"strain":            {plan(30, 40, sound...), "Peak principal strain: 30"},
		"end of its spread": {plan(20, 40, sound...), "Peak principal strain: 40"},
		"flat element":      {plan(10, 15, planner.Measured{ID: "dihedral_min", Value: 2, Unit: "deg"}, sound[1]), "Smallest dihedral angle"},
		"mesh not measured": {plan(10, 15, sound[0]), "not measured"},
	} {
		if err := c.of.flag("liver.resection"); err != nil {
			t.Fatal(err)
		}
		for _, q := range append(slices.Clone(c.of.eval.Quantities), c.of.eval.Vetoes[0].Have) {
			if touched := c.want != "" && q.ID != "flr_percent"; !touched && len(q.Flags) > 0 || touched && (len(q.Flags) != 1 || !strings.Contains(q.Flags[0], c.want)) {
				t.Errorf("%s: %s has flags %v", name, q.ID, q.Flags)
			}
		}
	}
	// Without mechanics there is no mesh to flag.
	q := plan(10, 15)
	q.mechanics = nil
	if err := q.flag("liver.resection"); err != nil || len(q.eval.Quantities[2].Flags) > 0 {
		t.Errorf("%v, %v", err, q.eval.Quantities[2].Flags)
	}
}
