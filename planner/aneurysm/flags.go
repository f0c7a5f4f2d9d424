package aneurysm

import (
	"fmt"
	"slices"

	"halsted/imaging"
	"halsted/mesh/vessel"
	"halsted/planner"
)

// What the procedure was verified on (synthetic aortas).
const (
	maxSliceMM    = 2   // thicker slices blur the neck and the wall
	minDiameterMM = 30  // an aorta below is no aneurysm
	maxVerifiedMM = 90  // diameter
	slopeLimit    = 1.0 // of the border along the centreline: 45°
)

// flag finds in which ways the case lies outside that range.
func (c *Case) flag(segs *imaging.Segments, rep *vessel.Report) {
	add := func(id string, touches []string, format string, a ...any) {
		c.flags = append(c.flags, planner.Flag{ID: id, Text: fmt.Sprintf(format, a...), Touches: touches})
	}
	if h := slices.Max(c.voxelMM[:]); h > maxSliceMM {
		add("slice_thickness", nil, "Voxels are %.1f mm long; the planner was verified up to %d mm.", h, maxSliceMM)
	}
	if c.Config.NoContrast {
		add("no_contrast", nil, "The scan was made without contrast: the border between blood, thrombus and wall is not seen in it.")
	}
	if d := c.diameter(0, 0); d < minDiameterMM || d > maxVerifiedMM {
		add("diameter", nil, "The aorta is at most %.0f mm wide; the planner was verified for %d to %d mm.", d, minDiameterMM, maxVerifiedMM)
	}
	steep := 0.0
	r := c.Shape.border()
	for i := 1; i < len(r); i++ {
		for j := range r[i] {
			steep = max(steep, (r[i][j]-r[i-1][j])/c.Shape.StepMM, (r[i-1][j]-r[i][j])/c.Shape.StepMM)
		}
	}
	stress := stressOutputs
	if steep > slopeLimit {
		add("mesh_quality", stress, "The border rises by %.1f mm per mm along the centreline; the wall model was verified up to %.1f.", steep, slopeLimit)
	}
	if c.Shape.Outer == nil {
		add("wall_not_seen", append(slices.Clone(stress), "max_diameter_mm"), "The outer border was not given: the wall is taken for the lumen with a constant thickness around it, and thrombus, if there is any, for none.")
	}
	if id := c.Config.WallRecord; id != "" {
		add("wall_record", stress, "The wall is record %.60s, whose constants have no spread here: intervals of stress leave its stiffness out.", id)
	}
	if rep.Loops > 0 {
		add("lumen_loops", nil, "The mask of the lumen has %d loops, which an aorta has not: check it for leaks into bone or vein.", rep.Loops)
	}
}
