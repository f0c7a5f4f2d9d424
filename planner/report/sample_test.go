package report

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"

	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// drawing is a PNG that stands for a rendering: an organ with a tumour.
func drawing(w, h int, shade uint8) []byte {
	key := [3]int{w, h, int(shade)}
	if b, ok := drawings[key]; ok {
		return b
	}
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(w)*2-1, float64(y)/float64(h)*2-1
			c := color.RGBA{245, 246, 248, 255}
			if u*u/0.7+v*v/0.45 < 1+0.15*math.Sin(4*u) {
				c = color.RGBA{150 + uint8(40*(1-v)), 70, 60 + shade, 255}
			}
			if math.Hypot(u-0.3, v+0.1) < 0.14 {
				c = color.RGBA{230, 200, 60, 255}
			}
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	drawings[key] = b.Bytes()
	return b.Bytes()
}

var drawings = map[[3]int][]byte{}

func quantity(id, label, unit string, lo, v, hi float64, basis string, e planner.Evidence) planner.Quantity {
	q := planner.Quantity{ID: id, Label: label, Unit: unit, Value: v, Basis: basis, Evidence: e}
	if hi > lo {
		q.Spread = planner.Around(lo, v, hi)
	}
	return q
}

// sampleItem is a plan of a liver resection with plausible numbers.
func sampleItem(n, rank int, name string, flr, margin, area, dev, blood, tear float64) Item {
	const segm = "Latin hypercube, 59 samples over stiffness, tumour ratio and the boundary of the segmentation (correlated, 1 voxel)"
	id := fmt.Sprintf("%032x", 0xabc0+n)
	q := []planner.Quantity{
		quantity("flr_percent", "Future liver remnant, of CT liver volume minus tumours", "%", flr-1.6, flr, flr+1.4, segm, planner.EvidenceSource),
		quantity("margin_mm", "Resection margin", "mm", max(0, margin-1.1), margin, margin+1.2, segm, planner.EvidenceComputed),
		quantity("cut_area_cm2", "Area of the cut", "cm2", area*0.96, area, area*1.05, segm, planner.EvidenceComputed),
		quantity("devascularised_ml", "Devascularised volume of the remnant", "mL", dev*0.5, dev, dev*1.7+2, segm, planner.EvidenceClassic),
		quantity("blood_loss_ml", "Blood loss", "mL", blood*0.45, blood, blood*2.3, "published regression and its residual spread", planner.EvidenceUnverified),
		quantity("reaction_n", "Force at the grasp", "N", tear*0.6, tear, tear*1.5, segm, planner.EvidencePartly),
		quantity("tear_percent", "Probability that the parenchyma tears under retraction", "%", 0, 0, 0, "one threshold, its spread is not published", planner.EvidenceUnverified),
		quantity("pringle_min", "Pringle time", "min", area*0.25, area*0.4, area*0.7, "speed of transection, published range", planner.EvidenceClassic),
		quantity("displacement_mm", "Displacement of the tumour under retraction", "mm", 8+tear, 11+tear, 15+tear, segm, planner.EvidenceComputed),
		quantity("vessels_cut", "Vessels cut, radius 1 mm and more", "1", 0, float64(2+n%4), 0, "a count at the median of all inputs", planner.EvidenceComputed),
	}
	q[6].Value = 1.3 * tear
	q[0].Violation = &planner.Violation{Rule: "liver.flr.normal", P: 1 / (1 + math.Exp(flr-25))}
	q[1].Violation = &planner.Violation{Rule: "liver.margin.r1", P: 1 / (1 + math.Exp(2*(margin-1)))}
	q[5].Solution = &planner.Solution{Residual: 3.1e-9, MeshError: 0.21}
	q[6].Solution = &planner.Solution{Residual: 3.1e-9, MeshError: 0.4}
	q[8].Solution = &planner.Solution{Residual: 3.1e-9, MeshError: 0.9}
	if tear > 6 {
		q[5].Flags = []string{"force above 8 N in 4 of 59 samples: beyond the range of the retraction model"}
	}
	flow := quantity("flow_ml_min", "Flow", "mL/min", 80, 118, 170, "Murray's law over the portal tree; inflow from literature", planner.EvidenceClassic)
	radius := func(v float64) planner.Quantity {
		return quantity("radius_mm", "Radius", "mm", v-0.4, v, v+0.4, "half a voxel", planner.EvidenceComputed)
	}
	it := Item{
		Plan: planner.Plan{ID: id, Name: name, Case: "c0ffee", Procedure: "liver.resection", RetractionMM: 30,
			Cuts: []planner.Plane{{Point: r3.Vec{X: 10, Y: 20, Z: 30}, Normal: r3.Vec{X: 1}}}},
		Evaluation: planner.Evaluation{Plan: id, Rank: rank, Quantities: q,
			Vessels: []planner.VesselCut{
				{System: "portal", Name: "portal branch of segment 6", Radius: radius(2.6), Flow: &flow, At: [3]float64{-61.2, -8.4, 1210.5}},
				{System: "hepatic", Name: "right inferior hepatic vein", Radius: radius(1.9), At: [3]float64{-48.0, 3.1, 1198.2}},
			},
			Reasons: []string{
				fmt.Sprintf("keeps %.3g %% of the liver, 95 %%: %.3g to %.3g", flr, flr-1.6, flr+1.4),
				fmt.Sprintf("margin of %.3g mm, all of it against portal branches of segment %d", margin, 4+n%4),
				"no other plan is at least as good in everything with P ≥ 0.9",
			},
			Warnings: []string{"territories rest on a portal tree cut off at 1 mm radius",
				fmt.Sprintf("the cut runs %.2g mm from the right hepatic vein; a margin below 1 mm counts as R1", 2.1+float64(n)/3)},
		},
		WhyNot:   []string{"larger remnant but 2.3 times the cut area of plan 1"},
		Pictures: []Picture{{Caption: "Remnant under retraction of 30 mm, von Mises stress 0 to 12 kPa; the resected part at rest, faint.", PNG: drawing(480, 320, uint8(10*n))}},
		Contingency: []Contingency{
			{If: "the clamp slips and inflow is not controlled", Then: fmt.Sprintf("%032x", 0xabc0+1+n%3), Text: "If the clamp slips for 60 s, this plan still keeps the hard rules; blood loss rises to the upper end of its interval."},
			{If: "the margin to the right hepatic vein is lost"},
		},
	}
	return it
}

// sampleDossier is a case of seven plans, one of them vetoed, as a surgeon
// would get it.
func sampleDossier() Dossier {
	d := Dossier{
		Patient:  Patient{Name: "Yamada^Tarou=山田^太郎=やまだ^たろう", ID: "PID-0042/7", BirthDate: "19610327", Sex: "M"},
		Scan:     Scan{Description: "CT Abdomen, portal venous phase", Date: "20260914", Accession: "A-77812"},
		Case:     planner.Case{ID: "c0ffee00c0ffee00c0ffee00c0ffee00", Study: "57d1", Procedure: "liver.resection", Condition: "normal"},
		Study:    planner.Study{ID: "57d157d157d157d157d157d157d157d1", Modality: "CT", Size: [3]int{512, 512, 129}, Spacing: [3]float64{0.703, 0.703, 1.6}, Kind: "HU"},
		RulePack: "liver.resection@2026.1", KernelSet: "halsted 1.0, kernels 7f3a91", Bundle: "b0d1e5b0d1e5b0d1e5b0d1e5b0d1e5b0",
		Headline: []string{"flr_percent", "margin_mm", "cut_area_cm2", "devascularised_ml", "blood_loss_ml", "reaction_n"},
		Found: []planner.Quantity{
			quantity("organ_ml", "Liver (parenchyma, tumours and vessels inside)", "mL", 1791, 1861, 1930, "organ border moved by half a voxel; segmentation error not included", planner.EvidenceComputed),
			quantity("tumour_1_ml", "Tumour 1", "mL", 31, 36.2, 42, "border moved by half a voxel", planner.EvidenceComputed),
		},
		Items: []Item{
			sampleItem(0, 1, "Segmentectomy 6 with a Bézier surface, margin 5 mm", 78.4, 5.6, 61, 9, 210, 3.4),
			sampleItem(1, 2, "Bisegmentectomy 6/7", 66.1, 8.8, 74, 4, 260, 4.1),
			sampleItem(2, 3, "Atypical resection, margin 1 mm", 88.9, 1.7, 48, 22, 180, 2.9),
			sampleItem(3, 4, "Atypical resection, margin 10 mm", 71.5, 10.3, 83, 17, 300, 3.9),
			sampleItem(4, 5, "Right posterior sectionectomy", 64.0, 12.1, 92, 2, 340, 5.2),
			sampleItem(5, 6, "Right hepatectomy after embolisation of the right portal vein", 37.2, 21.4, 118, 0, 520, 6.8),
			sampleItem(6, 0, "Right hepatectomy", 24.1, 21.4, 118, 0, 520, 6.6),
		},
		KneeWhy: []string{"a larger margin costs 6.9 points of remnant per mm from here, a smaller one gains 2.7",
			"plan 2 is next: 3.2 mm more margin for 12.3 points of remnant"},
		Limits: []Limit{
			{"liver.flr.normal", "flr_percent", "future liver remnant, normal liver", true, planner.Limit{Operator: ">=", Value: 25, Unit: "%", Source: "Vauthey; Shoup, as tabulated in PMC6422720 Table 1", Evidence: planner.EvidenceSource}},
			{"liver.margin.r1", "margin_mm", "resection margin; below 1 mm the resection counts as R1", true, planner.Limit{Operator: ">=", Value: 1, Unit: "mm", Source: "World J Surg Oncol 12:127; PMC2814403", Evidence: planner.EvidenceSource}},
			{"liver.margin.wide", "margin_mm", "margins under 5 mm raised local recurrence", false, planner.Limit{Operator: ">=", Value: 5, Unit: "mm", Source: "JCTH-2022-00383; PMC2814403", Evidence: planner.EvidenceSource}},
			{"liver.retraction.force.high", "reaction_n", "force of a retraction", false, planner.Limit{Operator: "<=", Value: 8, Unit: "N", Source: "recalled from measurements on retractors", Evidence: planner.EvidenceUnverified}},
		},
		Flags:   []planner.Flag{{ID: "slice", Text: "Slice thickness of 1.6 mm lies outside the verified range of 0.6 to 1.5 mm.", Touches: nil}},
		Notes:   []string{"tumour 1 is an automatic candidate: confirm it or put a seed into it"},
		Missing: []string{"No biliary tree in the masks: distance to bile ducts and bile leakage are not computed."},
		Method: []string{"Tetrahedra of 10 mm edge, quadratic (Tet10) with mean dilatation; nearly incompressible neo-Hookean parenchyma; 5 load steps.",
			"The organ is simulated as imaged: only the change of gravity since the scan would load it.",
			"214 candidates at L0, 7 plans of the front at L2."},
		Sources:  []string{"Future liver remnant: PMC6422720, Table 1.", "Parenchyma: liver.parenchyma.normal, material library 2026.1."},
		Pictures: []Picture{{Caption: "The liver from the front, with vessels and the tumour inside.", PNG: drawing(640, 420, 0)}},
		Rejected: []Item{{Plan: planner.Plan{ID: "feed", Name: "Enucleation"}, WhyNot: []string{"its margin of 0 mm is 1 mm short: the nearest plan that keeps the rule is plan 3"}}},
		Front:    [2]Axis{{"flr_percent", false}, {"margin_mm", false}},
	}
	d.Knee = d.Items[0].Plan.ID
	v := &d.Items[6].Evaluation
	have, _ := v.Quantity("flr_percent")
	v.Vetoes = []planner.Veto{{Rule: "liver.flr.normal", Text: "future liver remnant, normal liver", Have: have, Want: d.Limits[0].Limit}}
	v.Reasons = []string{"vetoed: future liver remnant", "embolisation of the right portal vein first would make it plan 6"}
	return d
}
