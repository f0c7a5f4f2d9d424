package needle

import (
	"cmp"
	"context"
	"math"
	"slices"

	"halsted/internal/par"
)

const (
	leastKept     = 7
	leastApartMM  = 15 // between entries
	leastPerChunk = 64
)

// leastViolating finds the trajectories that come closest to keeping the hard
// limits: by the larger of what obstacles lack and what the device is short of,
// with entries apart where there are enough. Shafts that leave the body are not
// among them.
func (c *Case) leastViolating(ctx context.Context) ([]Trajectory, error) {
	type near struct {
		over        float64
		skin, point int32
	}
	order := func(a, b near) int {
		return cmp.Or(cmp.Compare(a.over, b.over), cmp.Compare(a.skin, b.skin), cmp.Compare(a.point, b.point))
	}
	parts := make([][]near, (len(c.skin)+chunkSkin-1)/chunkSkin)
	err := par.ChunksCtx(ctx, len(c.skin), chunkSkin, func(lo, hi int) error {
		var kept []near
		worst := math.Inf(1)
		for s := lo; s < hi; s++ {
			if s&15 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			best := near{over: math.Inf(1), skin: int32(s)}
			for t := range c.points {
				if o := c.over(s, t, min(best.over, worst)); o < best.over {
					best.over, best.point = o, int32(t)
				}
			}
			if best.over < worst {
				kept = append(kept, best)
				if len(kept) >= 2*leastPerChunk {
					slices.SortFunc(kept, order)
					kept = kept[:leastPerChunk]
					worst = kept[leastPerChunk-1].over
				}
			}
		}
		parts[lo/chunkSkin] = kept
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := slices.Concat(parts...)
	slices.SortFunc(all, order)
	var out []Trajectory
	for _, apart := range []float64{leastApartMM, 0} {
		for _, n := range all {
			if len(out) == leastKept {
				break
			}
			t := c.trajectory(candidate{skin: n.skin, point: n.point})
			t.OverMM = n.over
			if !slices.ContainsFunc(out, func(o Trajectory) bool { return o.skin == t.skin || dist(o.Entry, t.Entry) < apart }) {
				out = append(out, t)
			}
		}
	}
	return out, ctx.Err()
}

// over is how far the pair is from keeping the hard limits, mm; +Inf when that
// is more than most or the shaft does not lie in the body.
func (c *Case) over(skin, point int, most float64) float64 {
	entry := c.skin[skin]
	tip, long := c.tip(entry, c.points[point])
	if long >= most {
		return math.Inf(1)
	}
	s := newShaft(&c.Grid, tip, entry)
	if !s.within(c) {
		return math.Inf(1)
	}
	o := max(0, long)
	if c.clear != nil {
		v, _ := s.least(c.clear, 0, s.n, leastReserveMM, leastReserveMM-most, c.blur)
		if o = max(o, leastReserveMM-v); o >= most {
			return math.Inf(1)
		}
	}
	in := s.n - int(nearSkinMM/StepMM)
	if s.first(c.body, 0, in, false) <= in {
		return math.Inf(1)
	}
	return o
}
