package liver

import (
	"fmt"
	"math"

	"halsted/planner"
	"halsted/planner/uncertainty"
)

// The uncertain inputs of level L0, in the order of a sample.
const (
	inOrganBorder = iota
	inTumourBorder
	inPortalSplit
	inPortalBorders
	inHepaticBorders
	inInflow
	inCongestion
	inGrowth
	inOpenSmall
	inOpenMajor
	inClamped
	inOozing
	inBleeding
	inTransection
	inNoise
	inBlur
	geometricInputs
)

// bleedingMedian brings the median blood loss of minor resections to 700 ml:
// BenchmarkCalibrateBloodLoss prints what it has to be, over 141 plans of three
// phantom livers that take less than a quarter of the organ. bleedingSD gives
// the coefficient of variation of 671 ± 533 ml.
const (
	bleedingMedian = 0.85
	bleedingSD     = 0.7
)

// geometric are the inputs of level L0. Borders that were measured err by a
// field of the noise of the scan, the same for all of them, and by their
// correction for blur. Others are known to about half a voxel (standard
// deviation), taken as one offset of the whole border: that is the widest a
// correlated field of that size can make a volume.
func (a *Anatomy) geometric(bo *borders) []planner.Input {
	const own = "half a voxel of the scan"
	half := func(measured bool, where string) planner.Input {
		if measured {
			return planner.Input{Unit: "mm", Spread: uncertainty.Fixed{}, Source: "measured in the image", Evidence: planner.EvidenceComputed}
		}
		return planner.Input{Unit: "mm", Spread: uncertainty.Normal{Mean: 0, SD: math.Cbrt(a.Grid.VoxelMM3()) / 2}, Source: own + where, Evidence: planner.EvidenceUnverified}
	}
	organ, tumours := bo.measured()
	all, where := organ, ""
	if organ && bo.organ.SeenShare < 1 {
		all, where = false, fmt.Sprintf(", at the %.0f %% of the border that show no step in the image", 100*(1-bo.organ.SeenShare))
	}
	ofOrgan := half(all, where)
	ofOrgan.ID, ofOrgan.Label = "organ_border_mm", "Offset of the organ's border"
	ofTumours := half(tumours && bo.seen(), "")
	ofTumours.ID, ofTumours.Label = "tumour_border_mm", "Offset of the tumours' borders"
	noise := planner.Input{ID: "scan_noise", Label: "Noise of the scan at the borders", Unit: "1", Spread: uncertainty.Fixed{V: 0.5}, Source: "no border was measured", Evidence: planner.EvidenceComputed}
	blur := planner.Input{ID: "blur_correction", Label: "Correction of the borders for blur", Unit: "1", Spread: uncertainty.Fixed{V: 1}, Source: noise.Source, Evidence: planner.EvidenceComputed}
	if bo.any() {
		noise.Spread, noise.Source = uncertainty.FieldSeed{}, "noise and blur measured in the image (planner/uncertainty)"
		blur.Spread, blur.Source = uncertainty.Normal{Mean: 1, SD: uncertainty.BiasSD}, "what the correction leaves on scans without noise (planner/uncertainty)"
	}
	return []planner.Input{
		ofOrgan,
		ofTumours,
		{ID: "portal_split", Label: "Territory of the larger portal branch against the others, in standard deviations", Unit: "1", Spread: uncertainty.Normal{Mean: 0, SD: 1},
			Source: "completions of the visible portal tree (mesh/vessel)", Evidence: planner.EvidenceComputed},
		{ID: "portal_borders", Label: "Other borders of portal territories, in standard deviations", Unit: "1", Spread: uncertainty.Normal{Mean: 0, SD: 1},
			Source: "completions of the visible portal tree (mesh/vessel)", Evidence: planner.EvidenceComputed},
		{ID: "hepatic_borders", Label: "Borders of drained territories, in standard deviations", Unit: "1", Spread: uncertainty.Normal{Mean: 0, SD: 1},
			Source: "completions of the visible hepatic tree (mesh/vessel)", Evidence: planner.EvidenceComputed},
		{ID: "hepatic_flow_ml_min", Label: "Blood flow through the liver", Unit: "mL/min", Spread: uncertainty.LogNormal{Median: HepaticFlowMLMin, SDLog: 0.2},
			Source: "American Society of Anesthesiologists resident toolbox, question 5 (1500 ml/min); spread recalled", Evidence: planner.EvidenceClassic},
		{ID: "congestion_weight", Label: "Function lost in congested tissue", Unit: "1", Spread: uncertainty.Uniform{Low: 0.25, High: 0.75},
			Source: "0.5, recalled; spread assumed", Evidence: planner.EvidenceUnverified},
		{ID: "embolisation_growth", Label: "Growth of the remnant after portal vein embolisation", Unit: "1", Spread: uncertainty.LogNormal{Median: 36.0 / 26, SDLog: 0.12},
			Source: "Vauthey et al. 2000: 26 to 36 %; spread assumed", Evidence: planner.EvidenceUnverified},
		{ID: "open_small_s", Label: "Time a small vessel bleeds", Unit: "s", Spread: uncertainty.LogNormal{Median: 20, SDLog: 0.5}, Source: "recalled", Evidence: planner.EvidenceUnverified},
		{ID: "open_major_s", Label: "Time a major vessel bleeds", Unit: "s", Spread: uncertainty.LogNormal{Median: 60, SDLog: 0.5}, Source: "recalled", Evidence: planner.EvidenceUnverified},
		{ID: "clamped_flow_ml_min", Label: "Most that a cut vessel bleeds", Unit: "mL/min", Spread: uncertainty.LogNormal{Median: 60, SDLog: 0.5}, Source: "back-flow under clamping, assumed", Evidence: planner.EvidenceUnverified},
		{ID: "oozing_ml_cm2", Label: "Oozing of the cut surface", Unit: "mL/cm2", Spread: uncertainty.Uniform{Low: 1.5, High: 4}, Source: "1.5 to 4 ml/cm², recalled (Lesurtel et al., Ann Surg 2005;242:814)", Evidence: planner.EvidenceUnverified},
		{ID: "bleeding_factor", Label: "Bleeding of the patient and the team against the estimate", Unit: "1", Spread: uncertainty.LogNormal{Median: bleedingMedian, SDLog: bleedingSD},
			Source: "calibrated to 671 ± 533 ml and 735 ± 397 ml of minor resections, PMC1357061", Evidence: planner.EvidenceUnverified},
		{ID: "transection_cm2_min", Label: "Speed of transection", Unit: "cm2/min", Spread: uncertainty.LogNormal{Median: 2.7, SDLog: 0.3},
			Source: "2.3 to 3.9 cm²/min, recalled (Lesurtel et al., Ann Surg 2005;242:814)", Evidence: planner.EvidenceUnverified},
		noise,
		blur,
	}
}

// medianGrowth is the median of the remnant's growth after embolisation.
const medianGrowth = 36.0 / 26
