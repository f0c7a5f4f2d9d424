package report

import (
	"slices"
	"strings"
)

// Columns are the quantities of the plan table by procedure, the most telling
// first; a table shows those that its plans have.
var Columns = map[string][]string{
	"liver.resection": {"flr_percent", "margin_mm", "devascularised_ml", "congested_ml", "blood_loss_ml", "tear_margin_percent", "cut_area_cm2", "vessels_cut",
		"largest_vessel_cut_mm", "pringle_min", "tumour_shift_mm", "displacement_mm", "reaction_n", "peak_stress_kpa", "peak_strain_percent"},
	"needle.trajectory": {"min_clearance_mm", "coverage_percent", "p_tip_percent", "tip_depth_mm", "length_mm", "capsule_angle_deg", "needles", "healthy_ml",
		"target_shift_mm", "puncture_shift_mm", "organ_track_mm", "scan_plane_angle_deg"},
	"vessel.aneurysm": {"oversizing_neck_min_percent", "oversizing_neck_max_percent", "seal_neck_mm", "oversizing_lower_off_percent", "seal_lower_mm", "rupture_index",
		"wall_stress_p99_kpa", "access_margin_mm", "max_diameter_mm", "clearance_internal_mm", "components", "neck_length_mm", "neck_angle_deg", "wall_stress_max_kpa"},
}

// short heads narrow columns.
var short = map[string]string{
	"flr_percent": "FLR", "margin_mm": "margin", "vessels_cut": "vessels cut", "largest_vessel_cut_mm": "largest radius", "cut_area_cm2": "cut area",
	"devascularised_ml": "devascularised", "congested_ml": "congested", "blood_loss_ml": "blood loss", "tear_margin_percent": "strain to failure", "pringle_min": "Pringle time",
	"tumour_shift_mm": "tumour moved", "displacement_mm": "moved", "reaction_n": "pull force", "peak_stress_kpa": "peak stress", "peak_strain_percent": "peak strain",
	"min_clearance_mm": "clearance", "coverage_percent": "coverage", "p_tip_percent": "P(tip inside)", "tip_depth_mm": "tip depth", "length_mm": "length",
	"capsule_angle_deg": "capsule angle", "healthy_ml": "healthy killed", "target_shift_mm": "target shift", "puncture_shift_mm": "puncture shift", "organ_track_mm": "organ track", "scan_plane_angle_deg": "scan angle",
	"rupture_index": "rupture index", "wall_stress_p99_kpa": "wall stress, 99 %", "wall_stress_max_kpa": "wall stress, peak", "oversizing_neck_max_percent": "most oversizing",
	"oversizing_neck_min_percent": "least oversizing", "seal_neck_mm": "neck seal", "access_margin_mm": "access margin", "max_diameter_mm": "diameter", "neck_length_mm": "neck length", "oversizing_neck_off_percent": "neck off 15 %", "oversizing_lower_off_percent": "lower end off 15 %", "seal_lower_mm": "lower seal", "clearance_internal_mm": "above branching", "components": "parts", "neck_angle_deg": "neck angle",
}

// mostColumns is what a text table holds.
const mostColumns = 9

// columns are the ids of a plan table: those of the procedure's Columns that a
// plan has, else every id in the order of the plans.
func columns(items []Item) []string {
	var all, known []string
	procedure := ""
	for _, it := range items {
		procedure = it.Plan.Procedure
		for _, q := range it.Evaluation.Quantities {
			if !slices.Contains(all, q.ID) {
				all = append(all, q.ID)
			}
		}
	}
	list, ok := Columns[procedure]
	if !ok {
		list = Columns["liver.resection"]
	}
	for _, c := range list {
		if slices.Contains(all, c) {
			known = append(known, c)
		}
	}
	if len(known) == 0 {
		known = all
	}
	return known[:min(len(known), mostColumns)]
}

// label is what people read for an id.
func label(items []Item, id string) string {
	for _, it := range items {
		if q, ok := it.Evaluation.Quantity(id); ok && q.Label != "" {
			return clean(q.Label)
		}
	}
	return clean(id)
}

// heading is label for a narrow column.
func heading(items []Item, id string) string {
	if s, ok := short[id]; ok {
		return s
	}
	return shortened(name(label(items, id)), 36)
}

// name is a label up to its first comma or bracket.
func name(label string) string {
	if n := strings.IndexAny(label, ",(:"); n > 0 {
		return strings.TrimSpace(label[:n])
	}
	return label
}

// headline are the ids of the numbers on the first page.
func (d *Dossier) headline() []string {
	ids := d.Headline
	if len(ids) == 0 {
		ids = columns(append(slices.Clone(d.Items), d.Rejected...))
	}
	return ids[:min(6, len(ids))]
}
