package needle

import (
	"context"
	"math"
	"testing"
)

// What plans by length and angle alone picks (an open planner for liver
// ablation ranks so: Medical-AI-Research/Path-Planning-for-liver-Ablation,
// clinical.md §3) is either vetoed or dominated, or on the front.
func TestLengthAndAngleAloneMissTheRest(t *testing.T) {
	vetoed, beaten := 0, 0
	for seed := range uint64(6) {
		c := newCase(t, randomPhantom(seed), Config{Candidates: 3000, SkinMM: 4})
		f, err := c.Search(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		best, score := Trajectory{}, math.Inf(1)
		for n, e := range c.skin {
			for _, p := range c.points {
				tip, over := c.tip(e, p)
				if over > 0 {
					continue
				}
				s := newShaft(&c.Grid, tip, e)
				enter, _ := c.organWay(&s, s.first)
				if v := s.mm/100 + c.capsuleDeg(&s, enter)/90; v < score {
					best, score = Trajectory{Entry: e, Tip: tip, skin: int32(n), LengthMM: s.mm}, v
				}
			}
		}
		in := judge{c: c}
		s := newShaft(&c.Grid, best.Tip, best.Entry)
		cost, ok := in.costs(&s)
		if !ok {
			vetoed++
			continue
		}
		for _, o := range f.Front {
			no, less := true, false
			for a := range cost {
				no, less = no && o.cost[a] <= cost[a], less || o.cost[a] < cost[a]
			}
			if no && less {
				beaten++
				break
			}
		}
	}
	if vetoed+beaten < 4 {
		t.Errorf("of 6 picks by length and angle %d break a hard rule and %d are dominated; expected most", vetoed, beaten)
	}
	t.Logf("of 6 picks by length and angle %d break a hard rule, %d more are dominated", vetoed, beaten)
}
