package needle

import (
	"fmt"

	"halsted/imaging"
	"halsted/planner"
	"halsted/planner/rules"
)

// edgeMM is how close to the field's edge a target may go on beyond it.
const edgeMM = 6

// findFlags tells where the case lies outside the verified ranges
// (planner/rules). segs is what was given, before the crop.
func (c *Case) findFlags(segs *imaging.Segments) ([]planner.Flag, error) {
	ranges, err := rules.Ranges(Name, rules.OfImage)
	if err != nil {
		return nil, err
	}
	h := segs.Grid.SpacingMM()
	out := planner.OutOfDomain(ranges, []planner.Measured{{ID: "slice_thickness", Value: max(h[0], h[1], h[2]), Unit: "mm"}, {ID: "target_diameter", Value: 2 * c.depthMM, Unit: "mm"}})
	add := func(id string, touches []string, format string, a ...any) {
		out = append(out, planner.Flag{ID: id, Text: fmt.Sprintf(format, a...), Touches: touches})
	}
	bit := segs.Bit(c.target)
	box := segs.Grid.Bounds(func(n int) bool { return segs.Bits[n]&bit != 0 })
	near := box.Grow(segs.Grid, edgeMM)
	if near.Clip(segs.Grid) != near {
		touches := []string{"tip_depth_mm", "p_tip_percent", "coverage_percent", "ablated_ml", "healthy_ml", "zone_vessel_mm", "target_shift_mm", "min_clearance_mm"}
		add("target_at_edge", touches, "The target lies within %d mm of the edge of the scanned field: it may go on beyond, and obstacles there are not seen.", edgeMM)
	}
	if open := bodyAtSide(segs); open > 0 {
		add("skin_cut", []string{"min_clearance_mm", "length_mm"}, "The body reaches the side of the scanned field over %.0f cm²: there is no skin there to enter by, and an entry beyond it is not proposed.", open)
	}
	for _, o := range c.obst {
		if !o.hard {
			add("no_rule_"+o.ID, []string{"clearance_" + o.ID + "_mm"}, "No hard rule speaks of %s: trajectories may cross it.", o.Name)
		}
	}
	return out, nil
}

// bodyAtSide is the area in cm² over which the body touches the four sides of
// the field along the slices.
func bodyAtSide(segs *imaging.Segments) float64 {
	bit := segs.Bit(imaging.LabelBody)
	g, h := segs.Grid, segs.Grid.SpacingMM()
	area := 0.0
	for k := range g.Size[2] {
		for j := range g.Size[1] {
			for _, i := range []int{0, g.Size[0] - 1} {
				if segs.Bits[g.Index(i, j, k)]&bit != 0 {
					area += h[1] * h[2]
				}
			}
		}
		for i := range g.Size[0] {
			for _, j := range []int{0, g.Size[1] - 1} {
				if segs.Bits[g.Index(i, j, k)]&bit != 0 {
					area += h[0] * h[2]
				}
			}
		}
	}
	return area / 100
}
