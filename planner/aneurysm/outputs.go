package aneurysm

import (
	"fmt"
	"slices"

	"halsted/planner"
)

// sizingOutputs need the lowest renal artery; iliacOutputs both iliac arteries;
var (
	sizingOutputs = []string{"neck_length_mm", "neck_diameter_mm", "neck_angle_deg", "suprarenal_angle_deg",
		"oversizing_neck_min_percent", "oversizing_neck_max_percent", "oversizing_neck_off_percent", "seal_neck_mm", "components",
		ringOutput(rings[0]), ringOutput(rings[1]), ringOutput(rings[2]), ringOutput(rings[3])}
	iliacOutputs = []string{"access_margin_mm", "access_diameter_mm"}
	// lowerEnds are the worse of both lower ends.
	lowerEnds = []string{"oversizing_lower_off_percent", "seal_lower_mm", "clearance_internal_mm"}
	// stressOutputs need a wall that can be meshed.
	stressOutputs = []string{"wall_stress_max_kpa", "wall_stress_p99_kpa", "wall_stress_max_n_cm2", "wall_stress_p99_n_cm2",
		"principal_stress_max_kpa", "principal_stress_p99_kpa", "rupture_index", "unloaded_diameter_mm"}
)

// output ids of the two lower ends of a graft: iliac arteries, or the aorta's
// lower neck for a tube (there both are the same).
func lowerOutputs(n int) [4]string {
	return [4]string{"oversizing_" + sides[n] + "_min_percent", "oversizing_" + sides[n] + "_max_percent", "seal_" + sides[n] + "_mm", "clearance_internal_" + sides[n] + "_mm"}
}

// Outputs are what Simulate computes for a plan; those that are lost (Case.Lost)
// are not among them.
func (c *Case) Outputs() []planner.Output {
	return slices.DeleteFunc(c.allOutputs(), func(o planner.Output) bool {
		return slices.ContainsFunc(c.lost(), func(l Loss) bool { return l.Output == o.ID })
	})
}

// allOutputs are those of Outputs and those that are lost.
func (c *Case) allOutputs() []planner.Output {
	border := []string{inputIDs[inBorder]}
	none := []string{}
	geo := func(id, label, unit string, in []string) planner.Output {
		return planner.Output{ID: id, Label: label, Unit: unit, Level: planner.L0, Evidence: planner.EvidenceComputed, Inputs: in}
	}
	diameter := border
	if c.Shape.Outer == nil {
		diameter = []string{inputIDs[inBorder], inputIDs[inThickness]}
	}
	out := []planner.Output{geo("max_diameter_mm", "Largest outer diameter across the centreline", "mm", diameter)}
	if c.hasThrombus() {
		out = append(out, geo("thrombus_ml", "Volume of the thrombus", "mL", []string{inputIDs[inThickness]}))
	}
	out = append(out,
		geo("neck_length_mm", "Length of the upper neck", "mm", border),
		geo("neck_diameter_mm", "Lumen of the upper neck", "mm", border),
		geo("neck_angle_deg", "Angle between neck and aneurysm", "deg", none),
		geo("suprarenal_angle_deg", "Angle between suprarenal aorta and neck", "deg", none),
		geo("oversizing_neck_min_percent", "Least oversizing of a ring in the neck (graft over lumen diameter)", "%", border),
		geo("oversizing_neck_max_percent", "Largest oversizing of a ring in the neck (graft over lumen diameter)", "%", border),
		geo(ringOutput(rings[0]), "Oversizing at the graft's upper end", "%", border),
		geo(ringOutput(rings[1]), fmt.Sprintf("Oversizing %.0f mm below the graft's upper end", rings[1]), "%", border),
		geo(ringOutput(rings[2]), fmt.Sprintf("Oversizing %.0f mm below the graft's upper end", rings[2]), "%", border),
		geo(ringOutput(rings[3]), fmt.Sprintf("Oversizing %.0f mm below the graft's upper end", rings[3]), "%", border),
		geo("oversizing_neck_off_percent", fmt.Sprintf("Neck's oversizing off %d %% (distance of the worst ring; %d to %d %% are recommended)", midOversize, leastOversize, mostOversize), "%", border),
		geo("seal_neck_mm", "Seal in the neck (length over which the graft is wider)", "mm", border),
		geo("access_diameter_mm", "Narrowest iliac lumen seen, wider side", "mm", border),
		geo("access_margin_mm", "Iliac lumen beyond the delivery sheaths", "mm", border))
	for n := range 2 {
		ids := lowerOutputs(n)
		out = append(out,
			geo(ids[0], "Least oversizing of a ring at the "+sides[n]+" lower end", "%", border),
			geo(ids[1], "Largest oversizing of a ring at the "+sides[n]+" lower end", "%", border),
			geo(ids[2], "Seal at the "+sides[n]+" lower end", "mm", border),
			geo(ids[3], "From the "+sides[n]+" lower end down to the next branching", "mm", none))
	}
	out = append(out,
		geo("oversizing_lower_off_percent", fmt.Sprintf("Lower ends' oversizing off %d %% (distance of the worst ring)", midOversize), "%", border),
		geo("seal_lower_mm", "Seal at the lower ends (the shorter one)", "mm", border),
		geo("clearance_internal_mm", "Room between a lower end and the next branching (the shorter one)", "mm", none),
		geo("components", "Parts of the graft", "1", none))
	worst := planner.EvidenceUnverified // boundary choice, thrombus, pressures
	stress := func(id, label, unit string) {
		out = append(out, planner.Output{ID: id, Label: label, Unit: unit, Level: planner.L1, Evidence: worst, Inputs: c.mechanical(false)})
	}
	stress("wall_stress_max_kpa", "Peak wall stress (von Mises)", "kPa")
	stress("wall_stress_p99_kpa", "Wall stress that 99 % of the wall stay below (von Mises)", "kPa")
	stress("wall_stress_max_n_cm2", "Peak wall stress (von Mises)", "N/cm2")
	stress("wall_stress_p99_n_cm2", "Wall stress that 99 % of the wall stay below (von Mises)", "N/cm2")
	stress("principal_stress_max_kpa", "Peak first principal wall stress", "kPa")
	stress("principal_stress_p99_kpa", "First principal wall stress that 99 % of the wall stay below", "kPa")
	return append(out,
		planner.Output{ID: "rupture_index", Label: "Peak wall rupture index (stress over predicted strength)", Unit: "1", Level: planner.L1, Evidence: worst, Inputs: c.mechanical(true)},
		planner.Output{ID: "unloaded_diameter_mm", Label: "Largest outer diameter without pressure", Unit: "mm", Level: planner.L2, Evidence: worst, Inputs: c.mechanical(false)})
}

// mechanical are the inputs of a stress, or of the rupture index.
func (c *Case) mechanical(index bool) []string {
	var out []string
	for n, in := range c.inputs {
		if n == inNormal || n == inStrength {
			if !index {
				continue
			}
		}
		out = append(out, in.ID)
	}
	return out
}

// lost are the outputs that are not given, with those that follow from them.
func (c *Case) lost() []Loss {
	out := slices.Clone(c.Lost)
	p := c.Config.Patient
	switch {
	case p == nil || p.Sex == "":
		out = append(out, Loss{"rupture_index", "the patient's sex is not known: the strength of the wall is not predicted without it"})
	case p.FamilyHistory == nil:
		out = append(out, Loss{"rupture_index", "the patient's family history is not known: the strength of the wall is not predicted without it"})
	}
	if c.Neck == nil || c.Side[0] == nil || c.Side[1] == nil {
		for _, id := range iliacOutputs {
			out = append(out, Loss{id, "the iliac arteries were not seen on both sides"})
		}
	}
	if c.Neck == nil {
		for n := range 2 {
			for _, id := range lowerOutputs(n) {
				out = append(out, Loss{id, "the lowest renal artery is not known"})
			}
		}
		for _, id := range lowerEnds {
			out = append(out, Loss{id, "the lowest renal artery is not known"})
		}
	}
	out = append(out, Loss{"rupture_risk_equivalent_diameter_mm", "no source for its formula was read"})
	return out
}

// Missing tells which outputs are not given, and why: one sentence each.
func (c *Case) Missing() []string {
	var out []string
	all := c.allOutputs()
	for _, l := range c.lost() {
		what := "Rupture risk equivalent diameter"
		if n := slices.IndexFunc(all, func(o planner.Output) bool { return o.ID == l.Output }); n >= 0 {
			what = all[n].Label
		}
		if s := what + ": " + l.Why; !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Name is the procedure.
func (c *Case) Name() string { return Name }

// Objectives are what plans are compared by: every ring within the recommended
// oversizing (clinical.md §7: 10 to 20 %, doi 10.5772/66369) or as near to its
// middle as can be, above and below; as much of the neck sealed as there is; a lower seal up to twice
// the 10 mm asked for; the internal iliac arteries left open with room to
// place the limb; iliac lumen to spare around the sheaths up to 2 mm; few
// parts. The caps are settings. Wall stress is that of the untreated aneurysm:
// it is the same for every graft and does not rank them.
func (c *Case) Objectives(planner.Level) []planner.Objective {
	out := []planner.Objective{
		{ID: "oversizing_neck_off_percent", Less: true, Cap: midOversize - leastOversize},
		{ID: "oversizing_lower_off_percent", Less: true, Cap: midOversize - leastOversize},
		{ID: "seal_neck_mm"},
		{ID: "seal_lower_mm", Cap: 20},
		{ID: "clearance_internal_mm", Cap: 5},
		{ID: "access_margin_mm", Cap: 2},
		{ID: "components", Less: true},
	}
	have := c.Outputs()
	return slices.DeleteFunc(out, func(o planner.Objective) bool {
		return !slices.ContainsFunc(have, func(p planner.Output) bool { return p.ID == o.ID })
	})
}

// Flags tells where the case lies outside the verified range.
func (c *Case) Flags() []planner.Flag { return slices.Clone(c.flags) }
