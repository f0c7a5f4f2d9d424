package needle

import (
	"halsted/fem/material"
	"halsted/planner"
	"halsted/planner/uncertainty"
)

// The uncertain inputs, in the order of a sample.
const (
	inX = iota
	inY
	inZ
	inTiltA
	inTiltB
	inDepth
	inBreath
	inBoundary
	inTarget
	inAlong
	inAcross
	inShear
	inRatio
	inFriction
	inTipForce
	inPuncture
	inBed
	inNoise
	inBlur
	inputs
)

// straying are the inputs that move a needle against what it must not hit.
var straying = []string{"registration_x_mm", "registration_y_mm", "registration_z_mm", "tilt_a_deg", "tilt_b_deg", "depth_mm", "breathing_mm", "boundary_mm", "scan_noise", "blur_correction"}

// ofBorders are the inputs that move a measured border.
var ofBorders = straying[8:]

const (
	parenchymaTissue = "liver.parenchyma.normal"
	tumourTissue     = "liver.tumour.malignant.mre"
	bedTissue        = "fat.invivo"
	capsuleTissue    = "liver.capsule"
)

// Inputs are the uncertain inputs. Zone sizes count for ablation only, tissue
// and forces for the shift of the target.
func (c *Case) Inputs() []planner.Input {
	e := &c.errors
	normal := func(sd float64) planner.Distribution { return uncertainty.Normal{SD: sd} }
	list := make([]planner.Input, inputs)
	const registration = "clinical.md §4: registration 1.0 mm"
	for n, axis := range []string{"x", "y", "z"} {
		list[inX+n] = planner.Input{ID: "registration_" + axis + "_mm", Label: "Registration error along " + axis, Unit: "mm", Spread: normal(e.RegistrationMM), Source: registration, Evidence: planner.EvidenceClassic}
	}
	for n, id := range []string{"tilt_a_deg", "tilt_b_deg"} {
		list[inTiltA+n] = planner.Input{ID: id, Label: "Error of the insertion's direction, plane " + string(rune('A'+n)), Unit: "deg", Spread: normal(e.AngleDeg), Source: "assumed: 1° of hand or guide", Evidence: planner.EvidenceUnverified}
	}
	list[inDepth] = planner.Input{ID: "depth_mm", Label: "Error of the insertion's depth", Unit: "mm", Spread: normal(e.DepthMM), Source: "assumed: 1 mm", Evidence: planner.EvidenceUnverified}
	list[inBreath] = planner.Input{ID: "breathing_mm", Label: "Place of the organs along z against the scan", Unit: "mm", Spread: normal(e.HoldMM),
		Source: "assumed: 2.5 mm from breath-hold to breath-hold", Evidence: planner.EvidenceUnverified}
	if e.FreeMM > 0 {
		list[inBreath].Spread = uncertainty.Uniform{Low: -e.FreeMM / 2, High: e.FreeMM / 2}
		list[inBreath].Source, list[inBreath].Evidence = "respiratory liver motion 10 to 25 mm cranio-caudally (materials.md)", planner.EvidenceClassic
	}
	list[inBoundary] = planner.Input{ID: "boundary_mm", Label: "Border of the structures to keep clear of, outwards", Unit: "mm", Spread: normal(e.BoundaryMM), Source: "half a voxel (clinical.md §10)", Evidence: planner.EvidenceUnverified}
	list[inTarget] = planner.Input{ID: "target_boundary_mm", Label: "Border of the target, outwards", Unit: "mm", Spread: normal(e.BoundaryMM), Source: "half a voxel (clinical.md §10)", Evidence: planner.EvidenceUnverified}
	noise := planner.Input{ID: "scan_noise", Label: "Noise of the scan at the borders", Unit: "1", Spread: uncertainty.Fixed{V: 0.5}, Source: "no border was measured", Evidence: planner.EvidenceComputed}
	blur := planner.Input{ID: "blur_correction", Label: "Correction of the borders for blur", Unit: "1", Spread: uncertainty.Fixed{V: 1}, Source: noise.Source, Evidence: planner.EvidenceComputed}
	if c.borders.any() {
		noise.Spread, noise.Source = uncertainty.FieldSeed{}, "noise and blur measured in the image (planner/uncertainty)"
		blur.Spread, blur.Source = uncertainty.Normal{Mean: 1, SD: uncertainty.BiasSD}, "what the correction leaves on scans without noise (planner/uncertainty)"
		if t := c.borders.target; t != nil && t.SeenShare == 1 {
			list[inTarget].Spread, list[inTarget].Source, list[inTarget].Evidence = uncertainty.Fixed{}, "measured in the image", planner.EvidenceComputed
		}
	}
	list[inNoise], list[inBlur] = noise, blur
	c.zoneInputs(list)
	c.tissueInputs(list)
	return list
}

// zoneInputs are the diameters of one burn; needles without a zone have them
// fixed at 0.
func (c *Case) zoneInputs(list []planner.Input) {
	for _, z := range []struct {
		at        int
		id, label string
		v         float64
	}{{inAlong, "zone_along", "Length of a burn", 2 * c.zone.along}, {inAcross, "zone_across", "Width of a burn", 2 * c.zone.across}} {
		in := planner.Input{ID: z.id + "_mm", Label: z.label, Unit: "mm", Spread: uncertainty.Fixed{V: z.v}, Source: c.device.Source, Evidence: c.device.Grade()}
		if sd, err := c.device.Number(z.id+"_sd", "mm"); err == nil && sd > 0 && z.v > 0 {
			// as wide as the published mean and standard deviation, never negative
			if d, err := uncertainty.WithinFactor(in.ID, z.v, 1+1.96*sd/z.v); err == nil {
				in.Spread = d
			}
		}
		list[z.at] = in
	}
}

// tissueInputs are what the shift of the target depends on.
func (c *Case) tissueInputs(list []planner.Input) {
	shear := planner.Input{ID: "organ_shear_kpa", Label: "Shear modulus of the organ", Unit: "kPa", Spread: uncertainty.Fixed{V: 0.9}, Evidence: planner.EvidenceUnverified}
	if t, err := material.Lookup(parenchymaTissue); err == nil {
		shear.Evidence, _ = planner.ParseEvidence(t.Evidence)
		shear.Source = "tissue record " + t.ID
		if s := t.Spreads["mu_Pa"]; s.GSD > 1 {
			if d, err := uncertainty.NewLogNormal(shear.ID, s.Median/1000, s.GSD); err == nil {
				shear.Spread = d
			}
		}
	}
	ratio := planner.Input{ID: "tumour_ratio", Label: "Stiffness of the target against the organ", Unit: "1", Spread: uncertainty.Fixed{V: 1}, Evidence: planner.EvidenceUnverified}
	if t, err := material.Lookup(tumourTissue); err == nil {
		ratio.Evidence, _ = planner.ParseEvidence(t.Evidence)
		ratio.Source = "tissue record " + t.ID
		if s := t.Spreads["ratio_to_parenchyma"]; s.GSD > 1 {
			if d, err := uncertainty.NewLogNormal(ratio.ID, s.Median, s.GSD); err == nil {
				ratio.Spread = d
			}
		}
	}
	const forces = "materials.md: insertion 1 to 5 N at the peak, friction 0.1 to 0.5 N/cm"
	force := func(id, label, unit string, low, high float64) planner.Input {
		return planner.Input{ID: id, Label: label, Unit: unit, Spread: uncertainty.Uniform{Low: low, High: high}, Source: forces, Evidence: planner.EvidenceUnverified}
	}
	list[inShear], list[inRatio] = shear, ratio
	list[inFriction] = force("friction_n_per_mm", "Friction on the shaft", "N/mm", 0.01, 0.05)
	list[inTipForce] = force("tip_force_n", "Force at the tip while it cuts", "N", 0.2, 1)
	list[inTipForce].Source = "assumed: a fifth of the peak of 1 to 5 N (materials.md)"
	list[inPuncture] = force("puncture_n", "Force at which the capsule gives way", "N", 1, 5)
	list[inBed] = planner.Input{ID: "bed", Label: "Fat that the organ lies in", Unit: "1", Source: "assumed: no measurement says what holds it against a needle", Evidence: planner.EvidenceUnverified,
		Spread: uncertainty.Choice{Levels: []string{"5 mm", "10 mm", "20 mm"}}}
}
