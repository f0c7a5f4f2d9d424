package needle

import (
	"fmt"

	"halsted/imaging"
	"halsted/planner"
)

// What the procedure was verified on (tests on synthetic abdomens).
const (
	maxSliceMM  = 3  // thicker slices hide vessels of wideMM
	edgeMM      = 6  // a target closer to the field's edge may go on beyond it
	minTargetMM = 5  // diameter
	maxTargetMM = 60 // diameter
)

// findFlags tells where the case lies outside the verified range. segs is what
// was given, before the crop.
func (c *Case) findFlags(segs *imaging.Segments) []planner.Flag {
	var out []planner.Flag
	add := func(id string, touches []string, format string, a ...any) {
		out = append(out, planner.Flag{ID: id, Text: fmt.Sprintf(format, a...), Touches: touches})
	}
	h := segs.Grid.SpacingMM()
	if s := max(h[0], h[1], h[2]); s > maxSliceMM {
		add("slice_thickness", nil, "Voxels are %.1f mm long; the planner was verified up to %d mm: vessels of %d mm may be missing.", s, maxSliceMM, wideMM)
	}
	bit := segs.Bit(c.target)
	box := segs.Grid.Bounds(func(n int) bool { return segs.Bits[n]&bit != 0 })
	near := box.Grow(segs.Grid, edgeMM)
	if near.Clip(segs.Grid) != near {
		touches := []string{"tip_depth_mm", "p_tip_percent", "coverage_percent", "ablated_ml", "healthy_ml", "zone_vessel_mm", "target_shift_mm", "min_clearance_mm"}
		add("target_at_edge", touches, "The target lies within %d mm of the edge of the scanned field: it may go on beyond, and obstacles there are not seen.", edgeMM)
	}
	if d := 2 * c.depthMM; d < minTargetMM || d > maxTargetMM {
		add("target_size", nil, "The target's largest inscribed ball has a diameter of %.1f mm; the planner was verified for %d to %d mm.", d, minTargetMM, maxTargetMM)
	}
	if open := bodyAtSide(segs); open > 0 {
		add("skin_cut", []string{"min_clearance_mm", "length_mm"}, "The body reaches the side of the scanned field over %.0f cm²: there is no skin there to enter by, and an entry beyond it is not proposed.", open)
	}
	for _, o := range c.obst {
		if !o.hard {
			add("no_rule_"+o.ID, []string{"clearance_" + o.ID + "_mm"}, "No hard rule speaks of %s: trajectories may cross it.", o.Name)
		}
	}
	return out
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
