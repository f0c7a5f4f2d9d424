package pipeline

import (
	"fmt"
	"strings"

	"halsted/planner"
	"halsted/planner/rank"
)

// scenarios are the assumptions whose failure each procedure's plans are tried
// under.
var scenarios = map[string][]rank.Scenario{
	"liver.resection":   {distanceLost("margin_lost", "margin", "margin_", 2), rank.ClampSlips("blood_loss_ml", 60)},
	"needle.trajectory": {distanceLost("clearance_lost", "clearance", "clearance_", 2)},
}

// distanceLost takes by mm from every distance of a plan whose id begins so,
// or is the least of them.
func distanceLost(id, what, prefix string, by float64) rank.Scenario {
	return rank.Scenario{ID: id, Label: fmt.Sprintf("%g mm of the %s are lost", by, what), Change: func(e planner.Evaluation) ([]rank.Delta, error) {
		var out []rank.Delta
		for _, q := range e.Quantities {
			if q.Unit == "mm" && (strings.HasPrefix(q.ID, prefix) || strings.HasPrefix(q.ID, "min_"+prefix)) {
				out = append(out, rank.Delta{Output: q.ID, By: -by, Unit: "mm"})
			}
		}
		return out, nil
	}}
}

// label is what a surgeon reads for a scenario.
func label(procedure, id string) string {
	for _, s := range scenarios[procedure] {
		if s.ID == id {
			return s.Label
		}
	}
	return id
}
