package liver

import (
	"math"

	"halsted/planner"
	"halsted/planner/uncertainty"
)

// spec of what the outputs of a case can be.
type reach struct {
	portal, hepatic bool
	heightCM        float64
	weightKG        float64
}

// lostWithout are the outputs that need a vessel system.
func lostWithout(system string) []string {
	if system == "portal" {
		return []string{"flr_functional_percent", "devascularised_ml", "devascularised_percent", "remnant_segments", "trunk_cut", "vessel_flow_cut_ml_min"}
	}
	return []string{"flr_functional_percent", "congested_ml", "congested_percent", "vessel_flow_cut_ml_min"}
}

// BSA is the body surface in m² (Mosteller, N Engl J Med 1987;317:1098):
// √(height · weight / 3600).
func BSA(heightCM, weightKG float64) float64 { return math.Sqrt(heightCM * weightKG / 3600) }

// StandardLiverML is the liver volume that belongs to a body surface in m²
// (Vauthey et al. 2002, as tabulated in PMC6422720): −794.41 + 1267.28·BSA.
func StandardLiverML(bsa float64) float64 { return -794.41 + 1267.28*bsa }

// l0Output is an output with the function that gives it.
type l0Output struct {
	planner.Output
	of func(r *result) float64
}

// result is a level0 under one sample.
type result struct {
	organML, tumourML, remnantML, resectedML float64
	parenchymaMM, vesselMM                   float64
	dryML, congestedML, functionalML         float64
	l                                        *level0
	x                                        []float64
	reach                                    reach
}

func (r *result) denominator() float64 { return r.organML - r.tumourML }

// l0Outputs are the outputs of level L0 that a case can have.
func l0Outputs(c reach) []l0Output {
	const computed, classic, unverified = planner.EvidenceComputed, planner.EvidenceClassic, planner.EvidenceUnverified
	organ := []string{"organ_border_mm", "scan_noise", "blur_correction", "portal_split", "portal_borders"}
	volume := append([]string{"embolisation_growth"}, organ...)
	share := append([]string{"tumour_border_mm"}, volume...)
	var out []l0Output
	add := func(id, label, unit string, e planner.Evidence, inputs []string, of func(r *result) float64) {
		out = append(out, l0Output{planner.Output{ID: id, Label: label, Unit: unit, Level: planner.L0, Evidence: e, Inputs: inputs}, of})
	}
	add("flr_percent", "Future liver remnant (of CT volume minus tumours)", "%", computed, share, func(r *result) float64 { return 100 * r.remnantML / r.denominator() })
	if c.portal && c.hepatic {
		add("flr_functional_percent", "Functional remnant: minus devascularised and half of congested tissue (of CT volume minus tumours)", "%", unverified,
			append([]string{"hepatic_borders", "congestion_weight"}, share...), func(r *result) float64 { return 100 * r.functionalML / r.denominator() })
	}
	if c.heightCM > 0 && c.weightKG > 0 {
		add("flr_standardised_percent", "Future liver remnant (of the standard volume for the body surface, Vauthey)", "%", planner.EvidenceClassic, volume,
			func(r *result) float64 { return 100 * r.remnantML / StandardLiverML(BSA(c.heightCM, c.weightKG)) })
	}
	add("flr_of_total_percent", "Future liver remnant (of CT volume with tumours)", "%", computed, volume, func(r *result) float64 { return 100 * r.remnantML / r.organML })
	add("remnant_ml", "Remnant volume", "mL", computed, volume, func(r *result) float64 { return r.remnantML })
	if c.weightKG > 0 {
		add("remnant_body_weight_percent", "Remnant (1 g/ml) of body weight", "%", classic, volume, func(r *result) float64 { return 100 * r.remnantML / 1000 / c.weightKG })
	}
	add("resected_ml", "Resected volume", "mL", computed, organ, func(r *result) float64 { return r.resectedML })
	if c.portal {
		in := volume
		add("devascularised_ml", "Remnant without portal inflow", "mL", computed, in, func(r *result) float64 { return r.dryML })
		add("devascularised_percent", "Remnant without portal inflow (of the remnant)", "%", computed, in, func(r *result) float64 { return 100 * r.dryML / r.remnantML })
	}
	if c.hepatic {
		in := append([]string{"hepatic_borders"}, volume...)
		add("congested_ml", "Remnant without venous outflow", "mL", computed, in, func(r *result) float64 { return r.congestedML })
		add("congested_percent", "Remnant without venous outflow (of the remnant)", "%", computed, in, func(r *result) float64 { return 100 * r.congestedML / r.remnantML })
	}
	border := []string{"tumour_border_mm", "scan_noise", "blur_correction"}
	add("tumour_ml", "Volume of the tumours", "mL", computed, border, func(r *result) float64 { return r.tumourML })
	add("margin_mm", "Resection margin", "mm", computed, border, func(r *result) float64 { return min(r.parenchymaMM, r.vesselMM) })
	add("margin_parenchyma_mm", "Margin towards parenchyma", "mm", computed, border, func(r *result) float64 { return r.parenchymaMM })
	add("margin_vessel_mm", "Margin along major vessels that stay", "mm", computed, border, func(r *result) float64 { return r.vesselMM })
	none := []string{}
	add("vessels_cut", "Vessels cut", "1", computed, none, func(r *result) float64 { return float64(len(r.l.vessels)) })
	if c.portal && c.hepatic {
		add("vessel_flow_cut_ml_min", "Flow of the vessels cut", "mL/min", classic, []string{"hepatic_flow_ml_min"}, func(r *result) float64 {
			sum := 0.0
			for _, v := range r.l.cuts {
				sum += v.flow
			}
			return sum * r.x[inInflow] / HepaticFlowMLMin
		})
	}
	if c.portal {
		add("trunk_cut", "Main portal trunk cut", "1", computed, none, func(r *result) float64 { return float64(r.l.trunk) })
		add("remnant_segments", "Neighbouring portal territories kept with inflow and outflow", "1", computed, none, func(r *result) float64 { return float64(r.l.segments) })
	} else {
		add("largest_vessel_cut_mm", "Radius of the largest vessel cut", "mm", computed, none, func(r *result) float64 { return r.l.largestMM })
	}
	add("cut_area_cm2", "Area of the cut", "cm2", computed, none, func(r *result) float64 { return r.l.areaCM2 })
	add("blood_loss_ml", "Blood loss", "mL", unverified, []string{"hepatic_flow_ml_min", "open_small_s", "open_major_s", "clamped_flow_ml_min", "oozing_ml_cm2", "bleeding_factor"}, (*result).bloodML)
	add("pringle_min", "Clamping time at one pass", "min", unverified, []string{"transection_cm2_min"}, func(r *result) float64 { return r.l.areaCM2 / r.x[inTransection] })
	add("isolated_percent", "Remnant cut off from the rest", "%", computed, none, func(r *result) float64 { return 100 * r.l.isolatedML / (r.l.remnantML + r.l.isolatedML) })
	return out
}

// volumes are those of the organ and the tumours under a sample, with the
// moved borders of those that were measured.
type volumes struct {
	organML, tumourML float64
	pieces            []float64 // ml that the organ gains at each piece of its border
	tumours           []*uncertainty.Moved
}

func (pr *Procedure) volumes(x []float64) (*volumes, error) {
	b, bo := pr.trees.blocks, pr.borders
	v := &volumes{organML: b.total + b.border*x[inOrganBorder], tumours: make([]*uncertainty.Moved, len(pr.a.Tumours))}
	if bo != nil && bo.organ != nil {
		m, err := bo.move(bo.organ, x, inOrganBorder)
		if err != nil {
			return nil, err
		}
		v.organML, v.pieces = b.total+bo.layer, make([]float64, len(bo.piece))
		m.Pieces(func(n int, mm3 float64) {
			v.pieces[n] = mm3 / 1000
			v.organML += v.pieces[n]
		})
	}
	for n := range pr.a.Tumours {
		if bo != nil && bo.tumours[n] != nil {
			m, err := bo.move(bo.tumours[n], x, inTumourBorder)
			if err != nil {
				return nil, err
			}
			v.tumours[n] = m
			v.tumourML += m.VolumeMM3() / 1000
			continue
		}
		ml := pr.a.Tumours[n].ML // as if round: V (1 + d A/3V)³
		v.tumourML += ml * math.Pow(max(0, 1+x[inTumourBorder]*pr.trees.near.skin[n]/(3*ml)), 3)
	}
	return v, nil
}

// move is a border under a sample; where the image shows no step it moves by
// the input unseen.
func (o *borders) move(b *uncertainty.Border, x []float64, unseen int) (*uncertainty.Moved, error) {
	m, err := b.Move(x[inNoise], x[inBlur])
	if err == nil {
		m.UnseenMM = x[unseen]
	}
	return m, err
}

// under is the plan under a sample of the inputs.
func (pr *Procedure) under(l *level0, x []float64) (*result, error) {
	v, err := pr.volumes(x)
	if err != nil {
		return nil, err
	}
	r := &result{l: l, x: x, reach: pr.reach, organML: v.organML, tumourML: v.tumourML}
	stay := l.remnantML + l.layerML
	for n, ml := range v.pieces {
		stay += float64(l.stay[n]) * ml
	}
	if v.pieces == nil {
		stay += l.skin * x[inOrganBorder]
	}
	// Margins cannot grow beyond the reach of the field.
	if l.contacts != nil {
		r.parenchymaMM, r.vesselMM = l.margins(v.tumours, x[inTumourBorder])
	} else {
		r.parenchymaMM, r.vesselMM = min(nearMM, l.parenchymaMM-x[inTumourBorder]), min(nearMM, l.vesselMM-x[inTumourBorder])
	}
	stay = max(0, stay)
	stay -= l.regionSD * (l.splitShare*x[inPortalSplit] + math.Sqrt(1-l.splitShare*l.splitShare)*x[inPortalBorders])
	stay = min(max(stay, 0.001*l.remnantML), 0.999*r.organML)
	r.resectedML = max(0, r.organML-stay-l.isolatedML)
	r.dryML = min(max(0, l.dryML+l.drySD*x[inPortalBorders]), stay)
	r.congestedML = min(max(0, l.congestedML+l.wetSD*x[inHepaticBorders]), stay)
	functional := max(0, stay-r.dryML-x[inCongestion]*min(r.congestedML*(1-l.bothShare), stay-r.dryML))
	r.remnantML = stay
	if l.embolised { // the rest of the organ shrinks as the remnant grows
		grown := min(stay*x[inGrowth], 0.999*r.denominator())
		functional *= grown / stay
		r.remnantML = grown
	}
	r.functionalML = functional
	return r, nil
}

// bloodML is Σ min(flow of the vessel, most that bleeds) · time open + area ·
// oozing, times the factor of the patient and the team. Vessels tied before
// they are cut do not bleed.
func (r *result) bloodML() float64 {
	sum := r.l.areaCM2 * r.x[inOozing]
	for _, v := range r.l.cuts {
		if v.tied {
			continue
		}
		open := r.x[inOpenSmall]
		if v.major {
			open = r.x[inOpenMajor]
		}
		sum += min(v.flow*r.x[inInflow]/HepaticFlowMLMin, r.x[inClamped]) * open / 60
	}
	return sum * r.x[inBleeding]
}
