package aneurysm

import (
	"math"
	"slices"
	"strings"

	"halsted/planner"
)

// Neighbours picks, of the searched plans, the grafts that differ from p in one
// thing only and by one step of the catalogue: the body or tube a size smaller
// and a size larger at the same place, then the same graft lower in the neck,
// then a limb of another size. A surgeon sees with them why this size.
func (c *Case) Neighbours(p planner.Plan, among []planner.Plan) []planner.Plan {
	if p.Graft == nil {
		return nil
	}
	own, err := c.graft(p.Graft)
	if err != nil {
		return nil
	}
	parts := strings.Split(p.Graft.Device, partsMark)
	var smaller, larger, lower planner.Plan
	var limbs []planner.Plan
	down, up, below := math.Inf(1), math.Inf(1), math.Inf(1)
	for _, q := range among {
		if q.Graft == nil || q.ID == p.ID {
			continue
		}
		g, err := c.graft(q.Graft)
		if err != nil || g.body.Kind != own.body.Kind {
			continue
		}
		other := strings.Split(q.Graft.Device, partsMark)
		sameTop, sameBody, sameLimbs := g.top == own.top, other[0] == parts[0], slices.Equal(other[1:], parts[1:])
		d := g.diameter - own.diameter
		switch {
		case sameTop && sameLimbs && g.bottom == own.bottom && d < 0 && -d < down:
			smaller, down = q, -d
		case sameTop && sameLimbs && g.bottom == own.bottom && d > 0 && d < up:
			larger, up = q, d
		case sameBody && sameLimbs && g.top > own.top && g.top-own.top < below:
			lower, below = q, g.top-own.top
		case sameTop && sameBody && len(limbs) < 2 && len(other) == 3 && (other[1] == parts[1]) != (other[2] == parts[2]):
			limbs = append(limbs, q)
		}
	}
	var out []planner.Plan
	for _, q := range append([]planner.Plan{smaller, larger, lower}, limbs...) {
		if q.Graft != nil {
			out = append(out, q)
		}
	}
	return out
}
