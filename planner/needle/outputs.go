package needle

import (
	"slices"
	"strings"

	"halsted/planner"
)

// Outputs are the numbers that the case gives for a plan; those that it lacks a
// structure for are in Lost.
func (c *Case) Outputs() []planner.Output {
	return slices.DeleteFunc(c.everyOutput(), func(o planner.Output) bool {
		return slices.ContainsFunc(c.Lost, func(l Loss) bool { return l.Output == o.ID })
	})
}

// clearanceID and hitID are the ids of a structure's outputs.
func clearanceID(s Structure) string { return "clearance_" + s.ID + "_mm" }
func hitID(s Structure) string       { return "p_hit_" + s.ID + "_percent" }

// everyOutput are the outputs of the case and those that are lost.
func (c *Case) everyOutput() []planner.Output {
	var out []planner.Output
	add := func(id, label, unit string, l planner.Level, e planner.Evidence, inputs ...string) {
		if inputs == nil {
			inputs = []string{}
		}
		out = append(out, planner.Output{ID: id, Label: label, Unit: unit, Level: l, Evidence: e, Inputs: inputs})
	}
	const geometry = planner.EvidenceComputed
	device, errors := c.device.Grade(), planner.EvidenceUnverified
	if len(c.obst) > 0 {
		add("min_clearance_mm", "Least clearance of the shaft from what it must keep clear of (20 mm at most)", "mm", planner.L0, errors, straying...)
	}
	structures := slices.Clone(c.lack)
	for n, o := range c.obst {
		structures = slices.Insert(structures, n, o.Structure)
	}
	for _, s := range structures {
		add(clearanceID(s), "Clearance of the shaft from "+s.Name+" (20 mm at most)", "mm", planner.L0, errors, straying...)
	}
	add("length_mm", "Length in the body", "mm", planner.L0, geometry)
	add("length_over_device_mm", "Length beyond the usable length of the device", "mm", planner.L0, device)
	add("capsule_angle_deg", "Angle between shaft and normal of the organ's surface", "deg", planner.L0, geometry)
	add("organ_track_mm", "Track through the organ before the target", "mm", planner.L0, geometry)
	add("scan_plane_angle_deg", "Angle between shaft and scan plane", "deg", planner.L0, geometry)
	add("needles", "Insertions or burns", "1", planner.L0, geometry)
	if c.condition == "ablation" {
		zone := append([]string{"target_boundary_mm", "zone_along_mm", "zone_across_mm", "scan_noise", "blur_correction"}, straying[:7]...)
		worst := planner.Worst(device, errors)
		add("coverage_percent", "Share of the target and the organ within 5 mm of it that is killed", "%", planner.L0, worst, zone...)
		add("ablated_ml", "Volume killed", "mL", planner.L0, worst, zone...)
		add("healthy_ml", "Organ killed outside the target", "mL", planner.L0, worst, zone...)
		if c.has("vessel") {
			add("zone_vessel_mm", "Distance of the target from vessels of 3 mm and more (15 mm at most): closer than 5 mm they carry heat away", "mm", planner.L0, errors, append([]string{"boundary_mm", "target_boundary_mm"}, ofBorders...)...)
		}
	} else {
		add("tip_depth_mm", "Depth of the tip inside the target", "mm", planner.L0, errors, append(append([]string{"target_boundary_mm"}, straying[:7]...), ofBorders...)...)
		add("p_tip_percent", "Probability that the tip ends inside the target", "%", planner.L0, errors, append([]string{"target_boundary_mm"}, ofBorders...)...)
	}
	for _, s := range structures {
		add(hitID(s), "Probability of hitting "+s.Name, "%", planner.L0, errors, append([]string{"boundary_mm"}, ofBorders...)...)
	}
	add("target_shift_mm", "Shift of the target while the needle is driven in, mean over the target", "mm", planner.L2, planner.EvidenceUnverified, "organ_shear_kpa", "tumour_ratio", "friction_n_per_mm", "tip_force_n", "bed")
	add("puncture_shift_mm", "Shift of the target just before the capsule gives way, mean over the target, to first order", "mm", planner.L2, planner.EvidenceUnverified, "organ_shear_kpa", "tumour_ratio", "puncture_n", "bed")
	return out
}

// lostText are the lost outputs of one reason as people read them: their labels
// and units.
func (c *Case) lostText(why string) string {
	var out []string
	for _, o := range c.everyOutput() {
		if slices.Contains(c.Lost, Loss{o.ID, why}) {
			out = append(out, o.Words())
		}
	}
	return strings.Join(out, ", ")
}

func (c *Case) has(structure string) bool {
	for _, o := range c.obst {
		if o.ID == structure {
			return true
		}
	}
	return false
}
