package aneurysm

import (
	"fmt"
	"slices"

	"halsted/mesh/vessel"
	"halsted/planner"
	"halsted/planner/rules"
)

// flag finds in which ways the case lies outside the range that the procedure
// was verified in: measured ranges from planner/rules, and what the case lacks.
func (c *Case) flag(rep *vessel.Report) error {
	ranges, err := rules.Ranges(Name, rules.OfImage)
	if err != nil {
		return err
	}
	measured := []planner.Measured{
		{ID: "slice_thickness", Value: slices.Max(c.voxelMM[:]), Unit: "mm"},
		{ID: "aorta_width", Value: c.diameter(0, 0), Unit: "mm"},
		{ID: "border_slope", Value: c.steepest(), Unit: "1"},
		{ID: "lumen_loops", Value: float64(rep.Loops), Unit: "1"},
	}
	if c.Neck != nil {
		measured = append(measured, planner.Measured{ID: "neck_lumen", Value: c.Neck.DiameterMM, Unit: "mm"}, planner.Measured{ID: "neck_angle", Value: c.Neck.AngleDeg, Unit: "deg"})
	}
	for _, s := range c.Side {
		if s == nil {
			continue
		}
		for _, r := range s.Lumen {
			measured = append(measured, planner.Measured{ID: "iliac_lumen", Value: ringDiameter(r), Unit: "mm"})
		}
	}
	// What was not seen has no outputs (Lost), so that its range touches nothing.
	ranges = slices.DeleteFunc(ranges, func(r planner.Range) bool {
		return !slices.ContainsFunc(measured, func(m planner.Measured) bool { return m.ID == r.ID })
	})
	c.flags = planner.OutOfDomain(ranges, measured)
	add := func(id string, touches []string, text string) {
		c.flags = append(c.flags, planner.Flag{ID: id, Text: text, Touches: touches})
	}
	if c.Config.NoContrast {
		add("no_contrast", nil, "The scan was made without contrast: the border between blood, thrombus and wall is not seen in it.")
	}
	if c.Shape.Outer == nil {
		add("wall_not_seen", append(slices.Clone(stressOutputs), "max_diameter_mm"), "The outer border was not given: the wall is taken for the lumen with a constant thickness around it, and thrombus, if there is any, for none.")
	}
	if id := c.Config.WallRecord; id != "" {
		add("wall_record", stressOutputs, fmt.Sprintf("The wall is record %.60s, whose constants have no spread here: intervals of stress leave its stiffness out.", id))
	}
	return nil
}

// steepest is how fast the border rises or falls along the centreline at most,
// mm per mm.
func (c *Case) steepest() (steep float64) {
	r := c.Shape.border()
	for i := 1; i < len(r); i++ {
		for j := range r[i] {
			steep = max(steep, (r[i][j]-r[i-1][j])/c.Shape.StepMM, (r[i-1][j]-r[i][j])/c.Shape.StepMM)
		}
	}
	return steep
}
