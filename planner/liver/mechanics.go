package liver

import (
	"fmt"
	"math"

	"halsted/fem/material"
	"halsted/planner"
	"halsted/planner/uncertainty"
)

// Boundary is what holds the organ.
type Boundary int

// The choices of what holds the organ.
const (
	// BoundaryMobilised: the ligaments are divided; the groove of the vena cava
	// holds the organ elastically.
	BoundaryMobilised Boundary = iota
	// BoundaryLigaments: the bare area and its ligaments hold too.
	BoundaryLigaments
	// BoundaryFixed: the ligaments are divided, the groove is next to rigid.
	BoundaryFixed
)

// boundaryNames are what a surgeon reads, boundaryShare the probabilities.
var (
	boundaryNames = [3]string{"caval groove, ligaments divided", "ligaments too", "caval groove rigid, ligaments divided"}
	boundaryShare = [3]float64{0.6, 0.2, 0.2}
)

// MechanicalSample is one draw of the uncertain mechanical inputs.
type MechanicalSample struct {
	ShearKPa        float64 // shear modulus of the parenchyma
	TumourRatio     float64 // shear modulus of tumour over parenchyma
	CapsuleMPa      float64 // small-strain Young's modulus of the capsule
	SupportKPaPerMM float64 // bedding of the groove and of the ligaments
	FailureStrain   float64 // engineering strain at which parenchyma tears
	Boundary        Boundary
}

// NewMechanicalSample reads the values of MechanicalInputs, in their order; nil
// are the medians. The last is rounded to a Boundary.
func NewMechanicalSample(v []float64) (MechanicalSample, error) {
	if v == nil {
		v = planner.Medians(MechanicalInputs())
	}
	if len(v) != mechanicalInputs {
		return MechanicalSample{}, fmt.Errorf("liver: a mechanical sample has %d values, want %d", len(v), mechanicalInputs)
	}
	x := MechanicalSample{ShearKPa: v[0], TumourRatio: v[1], CapsuleMPa: v[2], SupportKPaPerMM: v[3], FailureStrain: v[4]}
	b := math.Round(v[5])
	if !(b >= 0 && b < float64(len(boundaryShare))) {
		return x, fmt.Errorf("liver: boundary condition %g is none of 0 to %d", v[5], len(boundaryShare)-1)
	}
	x.Boundary = Boundary(b)
	return x, x.check()
}

func (x *MechanicalSample) check() error {
	for _, p := range []struct {
		name string
		v    float64
	}{
		{"shear modulus", x.ShearKPa}, {"tumour ratio", x.TumourRatio}, {"capsule modulus", x.CapsuleMPa},
		{"support", x.SupportKPaPerMM}, {"failure strain", x.FailureStrain},
	} {
		if !(p.v > 0) || math.IsInf(p.v, 0) {
			return fmt.Errorf("liver: mechanical sample: the %s is %g, must be positive", p.name, p.v)
		}
	}
	if x.Boundary < BoundaryMobilised || x.Boundary > BoundaryFixed {
		return fmt.Errorf("liver: mechanical sample: boundary condition %d is not known", x.Boundary)
	}
	return nil
}

// Ids of the inputs, in their order.
const (
	inputShear       = "liver_shear_kpa"
	inputTumour      = "tumour_ratio"
	inputCapsule     = "capsule_mpa"
	inputSupport     = "support_kpa_per_mm"
	inputFailure     = "failure_strain"
	inputBoundary    = "boundary_choice"
	mechanicalInputs = 6
)

// supportKPaPerMM is the bedding modulus of the groove: fibrous tissue and caval
// wall of some 50 kPa over some 10 mm. No measurement of it was found; the wide
// spread and the evidence tag say so.
const (
	supportKPaPerMM = 5.0
	supportGSD      = 2.0
)

// MechanicalInputs are the uncertain inputs of the simulation, in the order of
// NewMechanicalSample. They are independent.
func MechanicalInputs() []planner.Input {
	tissue := func(id string) (material.Tissue, planner.Evidence) {
		t, err := material.Lookup(id)
		if err != nil {
			panic("liver: shipped tissue library: " + err.Error()) // tested
		}
		e, err := planner.ParseEvidence(t.Evidence)
		if err != nil {
			panic("liver: shipped tissue library: " + err.Error())
		}
		return t, e
	}
	source := func(t material.Tissue) string {
		s := t.ID
		for _, c := range t.Sources {
			s += "; " + c
		}
		return s
	}
	liver, le := tissue(ParenchymaTissue)
	tumour, te := tissue(TumourTissue)
	capsule, ce := tissue(CapsuleTissue)
	mu, ratio, e := liver.Spreads["mu_Pa"], tumour.Spreads["ratio_to_parenchyma"], capsule.Spreads["E_small_Pa"]
	logNormal := func(median, gsd float64) planner.Distribution {
		return uncertainty.LogNormal{Median: median, SDLog: math.Log(gsd)}
	}
	return []planner.Input{
		{ID: inputShear, Label: "Shear modulus of the liver", Unit: "kPa", Spread: logNormal(mu.Median/1000, mu.GSD), Source: source(liver), Evidence: le},
		{ID: inputTumour, Label: "Stiffness of tumour over liver", Unit: "1", Spread: logNormal(ratio.Median, ratio.GSD), Source: source(tumour), Evidence: te},
		{ID: inputCapsule, Label: "Modulus of the capsule", Unit: "MPa", Spread: positiveNormal(e.Mean*1e-6, e.SD*1e-6), Source: source(capsule), Evidence: ce},
		{ID: inputSupport, Label: "Bedding of the caval groove and the ligaments", Unit: "kPa/mm", Spread: logNormal(supportKPaPerMM, supportGSD),
			Source: "assumption: fibrous tissue of some 50 kPa over some 10 mm; no measurement found", Evidence: planner.EvidenceUnverified},
		{ID: inputFailure, Label: "Strain at which parenchyma tears", Unit: "1", Spread: uncertainty.Triangular{Low: liver.FailureStrain[0], Mode: failureMode(liver), High: liver.FailureStrain[1]}, Source: source(liver), Evidence: le},
		{ID: inputBoundary, Label: "What holds the liver", Unit: "1", Spread: uncertainty.Choice{Levels: boundaryNames[:], Weights: boundaryShare[:]},
			Source: "assumption: complete mobilisation is the rule in open resection", Evidence: planner.EvidenceUnverified},
	}
}

// failureMode is the mean of the record, 0.30 (Kemper et al. 2010), as the most
// likely value in its range.
func failureMode(t material.Tissue) float64 {
	return max(t.FailureStrain[0], min(t.FailureStrain[1], 0.3))
}

// positiveNormal is the lognormal distribution with the mean and standard
// deviation of a positive quantity: a normal one would reach below zero.
func positiveNormal(mean, sd float64) uncertainty.LogNormal {
	v := math.Log(1 + sd*sd/(mean*mean))
	return uncertainty.LogNormal{Median: mean * math.Exp(-v/2), SDLog: math.Sqrt(v)}
}

// Ids of the outputs.
const (
	outputDisplacement  = "displacement_mm"
	outputReaction      = "reaction_n"
	outputStress        = "peak_stress_kpa"
	outputStrain        = "peak_strain_percent"
	outputTumourShift   = "tumour_shift_mm"
	outputTearMargin    = "tear_margin_percent"
	outputCutOpening    = "cut_opening_mm"
	outputReactionAfter = "reaction_cut_n"
	outputRelaxed       = "relaxed_shift_mm"
)

// MechanicalOutputs are the numbers of Sample, in their order. Those of L2 come
// after those of L1.
func MechanicalOutputs() []planner.Output {
	elastic := []string{inputShear, inputTumour, inputCapsule, inputSupport, inputBoundary}
	worst := planner.EvidenceComputed
	for _, in := range MechanicalInputs() {
		worst = planner.Worst(worst, in.Evidence)
	}
	out := func(id, label, unit string, level planner.Level, inputs []string) planner.Output {
		return planner.Output{ID: id, Label: label, Unit: unit, Level: level, Evidence: worst, Inputs: inputs}
	}
	return []planner.Output{
		out(outputDisplacement, "Largest displacement under retraction", "mm", planner.L1, elastic),
		out(outputReaction, "Force at the grasp", "N", planner.L1, elastic),
		out(outputStress, "Peak von Mises stress away from grips and cut edge", "kPa", planner.L1, elastic),
		out(outputStrain, "Peak principal strain (Green–Lagrange) away from grips and cut edge", "%", planner.L1, elastic),
		out(outputTumourShift, "Largest tumour displacement under retraction, before the cut", "mm", planner.L1, elastic),
		out(outputTearMargin, "Failure strain less peak principal strain (engineering)", "%", planner.L1, nil),
		out(outputCutOpening, "Opened width of the cut, half way through the transection", "mm", planner.L2, elastic),
		out(outputReactionAfter, "Force at the grasp, half way through the transection", "N", planner.L2, elastic),
		out(outputRelaxed, "Largest displacement of the remnant after resection, grip released", "mm", planner.L2, elastic),
	}
}
