package needle

import (
	"context"
	"strings"
	"testing"

	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// No two plans of a case share a name, also where trajectories come from the
// same side and are as long.
func TestNamesTellPlansApart(t *testing.T) {
	for _, condition := range []string{"biopsy", "ablation"} {
		c := newCase(t, randomPhantom(1), Config{Condition: condition, Candidates: 1500, SkinMM: 5})
		names := map[string]bool{}
		err := c.Generate(context.Background(), 1, func(k planner.Candidate) error {
			if names[k.Plan.Name] {
				t.Errorf("%s: two plans are named %q", condition, k.Plan.Name)
			}
			names[k.Plan.Name] = true
			return nil
		})
		if err != nil || len(names) < 2 {
			t.Fatalf("%s: %d plans, %v", condition, len(names), err)
		}
	}
	// two ways a degree apart
	a := Trajectory{Entry: r3.Vec{X: -60, Y: -60}, LengthMM: 84.9}
	b := Trajectory{Entry: r3.Vec{X: -60, Y: -62}, LengthMM: 85.2}
	c := &Case{}
	one, two := c.describe(1, a), c.describe(2, b)
	if one == two || !strings.HasSuffix(one, " from anterior-right, 85 mm") || strings.TrimPrefix(one, "path 1") != strings.TrimPrefix(two, "path 2") {
		t.Errorf("%q and %q", one, two)
	}
}
