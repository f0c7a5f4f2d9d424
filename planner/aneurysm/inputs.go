package aneurysm

import (
	"fmt"
	"slices"

	"halsted/fem/material"
	"halsted/planner"
	"halsted/planner/uncertainty"
)

// Inputs, in the order of a sample.
const (
	inBorder = iota // border of the segmentation, mm outward
	inImagingPressure
	inSystolicPressure
	inThickness
	inAlpha
	inBeta
	inEnds
	inNormal   // diameter of a healthy aorta
	inStrength // factor on the predicted strength
	inThrombus // only with thrombus
)

var inputIDs = [...]string{"border_mm", "imaging_pressure_mmhg", "systolic_pressure_mmhg", "wall_thickness_mm", "wall_alpha_kpa", "wall_beta_kpa", "ends", "normal_diameter_mm", "strength_factor", "thrombus_kpa"}

const (
	clinical     = "clinical.md §7"
	defaultMean  = 93 // mmHg
	meanSD       = 10
	measuredSD   = 8 // of one cuff measurement against the pressure at the time of the scan
	defaultLow   = 120
	defaultHigh  = 140
	normalMM     = 20 // infrarenal aorta of a man
	normalWoman  = 18
	normalSD     = 2
	halfVoxel95  = 1.96 // half a voxel is the 95 % interval of the border
	strengthSD   = 0.25 // rel_sd of the record
	paPerKPa     = 1000
	mmPerM       = 1000
	thrombusLow  = 40. / 6 // kPa: range of E over 6, D1 = D2 = E/6
	thrombusHigh = 200. / 6
)

// makeInputs fills the uncertain inputs. A wall without published or measured
// spread is refused.
func (c *Case) makeInputs() error {
	wall, err := material.Lookup(WallTissue)
	if err != nil {
		return err
	}
	ev, err := planner.ParseEvidence(wall.Evidence)
	if err != nil {
		return err
	}
	var patient planner.Patient
	if c.Config.Patient != nil {
		patient = *c.Config.Patient
	}
	add := func(id int, label, unit string, d planner.Distribution, source string, e planner.Evidence) {
		if err == nil {
			c.inputs = append(c.inputs, planner.Input{ID: inputIDs[id], Label: label, Unit: unit, Spread: d, Source: source, Evidence: e})
		}
	}
	normal := func(what int, mean, sd float64) planner.Distribution {
		d, e := uncertainty.NewNormal(inputIDs[what], mean, sd)
		if err == nil {
			err = e
		}
		return d
	}
	voxel := slices.Max(c.voxelMM[:])
	add(inBorder, "Border of the lumen and the wall, outward", "mm", normal(inBorder, 0, voxel/2/halfVoxel95), "half a voxel as the 95 % interval", planner.EvidenceUnverified)

	mean, sd, src, grade := float64(defaultMean), float64(meanSD), clinical+"; spread assumed", planner.EvidenceUnverified
	if patient.MeanMmHg > 0 {
		mean, sd, src, grade = patient.MeanMmHg, measuredSD, "measured in the patient; spread assumed", planner.EvidenceClassic
	}
	add(inImagingPressure, "Mean arterial pressure at imaging", "mm[Hg]", normal(inImagingPressure, mean, sd), src, grade)

	var systolic planner.Distribution
	src, grade = "standard load 120 to 140 mmHg, "+clinical, planner.EvidenceClassic
	if patient.SystolicMmHg > 0 {
		systolic, src = normal(inSystolicPressure, patient.SystolicMmHg, measuredSD), "measured in the patient; spread assumed"
	} else {
		d, e := uncertainty.NewUniform(inputIDs[inSystolicPressure], defaultLow, defaultHigh)
		if systolic = d; err == nil {
			err = e
		}
	}
	add(inSystolicPressure, "Systolic pressure", "mm[Hg]", systolic, src, grade)

	thick, gsd, src, grade := c.Config.ThicknessMM, c.Config.ThicknessGSD, "measured in the patient", planner.EvidenceClassic
	if thick == 0 && gsd == 0 {
		s := wall.Spreads["thickness_m"]
		thick, gsd, src, grade = s.Median*mmPerM, s.GSD, "tissue record "+WallTissue, ev
	}
	t, e := uncertainty.NewLogNormal(inputIDs[inThickness], thick, gsd)
	if e != nil {
		return fmt.Errorf("aneurysm: wall thickness: %w", e)
	}
	add(inThickness, "Thickness of the wall", "mm", t, src, grade)

	for n, name := range [2]string{"alpha_Pa", "beta_Pa"} {
		s := wall.Spreads[name]
		add(inAlpha+n, [2]string{"Wall constant α (Raghavan–Vorp)", "Wall constant β (Raghavan–Vorp)"}[n], "kPa", normal(inAlpha+n, s.Mean/paPerKPa, s.SD/paPerKPa), "tissue record "+WallTissue, ev)
	}
	add(inEnds, "How the ends of the aorta are held", "1", uncertainty.Choice{Levels: []string{EndsHeld.String(), LowerFree.String()}}, "modelling choice, both equally likely", planner.EvidenceUnverified)
	healthy := float64(normalMM)
	if patient.Sex == "F" {
		healthy = normalWoman
	}
	add(inNormal, "Diameter of the healthy infrarenal aorta", "mm", normal(inNormal, healthy, normalSD), "population range by sex, recalled", planner.EvidenceUnverified)
	add(inStrength, "Strength of the wall over its prediction", "1", normal(inStrength, 1, strengthSD), "tissue record "+StrengthRecord, planner.EvidenceClassic)
	if c.hasThrombus() {
		d, e := uncertainty.NewUniform(inputIDs[inThrombus], thrombusLow, thrombusHigh)
		if err == nil {
			err = e
		}
		add(inThrombus, "Thrombus constant D1 = D2", "kPa", d, "tissue record "+ThrombusTissue+": Young's modulus over 6", planner.EvidenceUnverified)
	}
	return err
}

// hasThrombus says whether the outer border was seen and lies away from the
// lumen by more than a wall somewhere.
func (c *Case) hasThrombus() bool {
	const wall = 3 // mm, more than nearly any wall
	for i, row := range c.Shape.Outer {
		for j, r := range row {
			if r-c.Shape.Lumen[i][j] > wall+minThrombusMM {
				return true
			}
		}
	}
	return false
}

// Inputs are the uncertain inputs.
func (c *Case) Inputs() []planner.Input { return slices.Clone(c.inputs) }
