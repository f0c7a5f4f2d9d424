package liver

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// TestVeinsInADoubtfulBorderAreKept looks at where the plans of the sample
// patient that divide branches and cut nowhere else sever hepatic veins: where
// the completions of the portal tree agree that the place is theirs.
func TestVeinsInADoubtfulBorderAreKept(t *testing.T) {
	cs, err := candidates()
	if err != nil {
		t.Fatal(err)
	}
	pr := fixture(t)
	plans, severed := 0, 0
	for _, c := range cs {
		p := c.Plan
		if len(p.Divided) == 0 || len(p.Cuts)+len(p.Sheets) > 0 {
			continue
		}
		plans++
		var cut cutaway
		if err := pr.a.newCutaway(context.Background(), pr.trees, &p, &cut); err != nil {
			t.Fatal(err)
		}
		for _, x := range cut.crossings {
			if x.system != 1 {
				continue
			}
			severed++
			most := 0.0 // a crossing is midway between two points of the vein
			s := pr.trees.Hepatic
			for m := s.first[x.branch]; m < s.first[x.branch+1]; m++ {
				if q := s.points[m].p; r3.Norm(r3.Sub(q, x.at)) < 2*blockMM {
					most = math.Max(most, pr.trees.Portal.Supply.Share(cut.reg.in, q))
				}
			}
			if most < surePart {
				t.Errorf("%q severs hepatic branch %d at %.1f, where %.0f %% of the completions give the place to the territory", p.Name, x.branch, x.at, 100*most)
			}
		}
	}
	if t.Log(plans, "plans sever", severed, "hepatic veins"); plans < 5 || severed == 0 {
		t.Errorf("%d plans sever %d veins: nothing was looked at", plans, severed)
	}
}
