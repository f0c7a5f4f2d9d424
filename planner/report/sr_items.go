package report

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"halsted/imaging/dicomfile"
	"halsted/planner"
)

// srCode is a coded concept: value, scheme, meaning.
type srCode struct{ value, scheme, meaning string }

// privateScheme holds the concepts below (PS3.16 section 8: 99 marks a private
// scheme).
const privateScheme = "99HALSTED"

// srConcepts are the concepts that no standard scheme has.
var srConcepts = func() map[string]srCode {
	out := map[string]srCode{}
	for key, meaning := range map[string]string{
		"notice": "Intended use", "proposal": "Proposal of the ranking", "approval": "State of approval", "why": "Why it is proposed",
		"flag": "Outside the verified range", "missing": "Missing structure and lost outputs", "warning": "Warning", "rejected": "Rejected plan",
		"veto": "Broken hard rule", "rule": "Rule of the case", "method": "Method", "source": "Source", "origin": "Origin of the report",
		"reason": "Reason", "contingency": "Contingency", "rank": "Rank", "plan": "Plan id", "case": "Case id",
		"basis": "Basis of the interval", "evidence": "Evidence of the inputs",
		"p2_5": "2.5 % quantile", "p5": "5 % quantile", "p50": "50 % quantile", "p95": "95 % quantile", "p97_5": "97.5 % quantile",
		"violation": "Probability of breaking the rule", "residual": "Relative residual of the solution", "mesh_error": "Estimated error of the mesh",
		"vessel": "Vessel cut", "radius": "Radius of the vessel cut", "flow": "Flow of the vessel cut", "centre": "Centre of the cut",
	} {
		out[key] = srCode{key, privateScheme, meaning}
	}
	return out
}()

// procedureOf is the procedure reported for a modality (PS3.16 CID 100).
func procedureOf(modality string) srCode {
	switch modality {
	case "CT":
		return srCode{"77477000", "SCT", "Computed tomography"}
	case "MR":
		return srCode{"113091000", "SCT", "Magnetic resonance imaging"}
	}
	return srCode{"363679005", "SCT", "Imaging procedure"}
}

// unitMeaning is the meaning of a UCUM code.
var unitMeaning = map[string]string{"1": "no units", "%": "percent", "mm": "millimeter", "mL": "milliliter", "cm2": "square centimeter",
	"N": "newton", "kPa": "kilopascal", "min": "minute", "mL/min": "milliliter per minute", "deg": "degree", "mm[Hg]": "millimeter of mercury", "N/cm2": "newton per square centimeter", "g": "gram"}

// quantityCode is the concept of a quantity: its stable id in the private
// scheme with what a surgeon reads as meaning.
func quantityCode(q planner.Quantity) srCode {
	id, name := inBytes(clean(q.ID), 64), inBytes(clean(q.Label), 64)
	if name == "" {
		name = id
	}
	bar := strings.NewReplacer(`\`, "/") // the backslash separates values in DICOM
	return srCode{bar.Replace(id), privateScheme, bar.Replace(name)}
}

// inBytes cuts a text to a number of bytes: DICOM counts characters, but
// readers that do not know UTF-8 count bytes.
func inBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	most -= len("...")
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return strings.TrimRight(s[:most], " ") + "..."
}

func (b *srBuilder) codeItem(c srCode) *dicomfile.Dataset {
	d := dicomfile.New()
	if len(c.value) > 16 {
		b.set(d, dicomfile.LongCodeValue, c.value)
	} else {
		b.set(d, dicomfile.CodeValue, c.value)
	}
	b.set(d, dicomfile.CodingSchemeDesignator, c.scheme)
	b.set(d, dicomfile.CodeMeaning, c.meaning)
	return d
}

// contentItem begins an item of the tree (PS3.3 table C.17-5).
func (b *srBuilder) contentItem(relation, valueType string, name srCode) *dicomfile.Dataset {
	d := dicomfile.New()
	if relation != "" {
		b.set(d, dicomfile.RelationshipType, relation)
	}
	b.set(d, dicomfile.ValueType, valueType)
	if name.value != "" {
		b.set(d, dicomfile.ConceptNameCodeSequence, b.codeItem(name))
	}
	return d
}

func (b *srBuilder) container(relation string, name srCode, children []*dicomfile.Dataset) *dicomfile.Dataset {
	d := b.contentItem(relation, "CONTAINER", name)
	b.set(d, dicomfile.ContinuityOfContent, "SEPARATE")
	b.children(d, children)
	return d
}

func (b *srBuilder) children(d *dicomfile.Dataset, list []*dicomfile.Dataset) {
	if len(list) > 0 {
		b.set(d, dicomfile.ContentSequence, list)
	}
}

func (b *srBuilder) code(relation string, name, value srCode) *dicomfile.Dataset {
	d := b.contentItem(relation, "CODE", name)
	b.set(d, dicomfile.ConceptCodeSequence, b.codeItem(value))
	return d
}

// text is an item of cleaned text; an empty one is a dash.
func (b *srBuilder) text(relation string, name srCode, value string) *dicomfile.Dataset {
	d := b.contentItem(relation, "TEXT", name)
	b.set(d, dicomfile.TextValue, orDash(sentence(value)))
	return d
}

func (b *srBuilder) uid(relation string, name srCode, value string) *dicomfile.Dataset {
	d := b.contentItem(relation, "UIDREF", name)
	b.set(d, dicomfile.ContentUID, value)
	return d
}

// num is a number with its unit; the exact value stands beside the decimal
// string (PS3.3 section C.18.1).
func (b *srBuilder) num(relation string, name srCode, v float64, ucum string, children ...*dicomfile.Dataset) *dicomfile.Dataset {
	meaning := unitMeaning[ucum]
	if meaning == "" {
		meaning = ucum
	}
	m := dicomfile.New()
	b.set(m, dicomfile.NumericValue, v)
	b.set(m, dicomfile.FloatingPointValue, v)
	b.set(m, dicomfile.MeasurementUnitsCodeSequence, b.codeItem(srCode{ucum, "UCUM", meaning}))
	d := b.contentItem(relation, "NUM", name)
	b.set(d, dicomfile.MeasuredValueSequence, m)
	b.children(d, children)
	return d
}

// quantity is a NUM item with everything that is known of the number.
func (b *srBuilder) quantity(name srCode, q planner.Quantity, more ...*dicomfile.Dataset) *dicomfile.Dataset {
	const has = "HAS PROPERTIES"
	var list []*dicomfile.Dataset
	why := q.Basis
	if s := q.Spread; s != nil {
		for _, p := range []struct {
			key string
			v   float64
		}{{"p2_5", s.P2_5}, {"p5", s.P5}, {"p50", s.P50}, {"p95", s.P95}, {"p97_5", s.P97_5}} {
			list = append(list, b.num(has, srConcepts[p.key], p.v, q.Unit))
		}
	} else {
		why = "not quantified: " + why
	}
	list = append(list, b.text(has, srConcepts["basis"], why), b.text(has, srConcepts["evidence"], evidence(q.Evidence)))
	if v := q.Violation; v != nil {
		list = append(list, b.num(has, srConcepts["violation"], v.P, "1", b.text(has, srConcepts["rule"], v.Rule), b.text(has, srConcepts["basis"], v.String())))
	}
	if s := q.Solution; s != nil {
		list = append(list, b.num(has, srConcepts["residual"], s.Residual, "1"), b.num(has, srConcepts["mesh_error"], s.MeshError, q.Unit))
	}
	for _, f := range q.Flags {
		list = append(list, b.text(has, srConcepts["flag"], f))
	}
	return b.num("CONTAINS", name, q.Value, q.Unit, append(list, more...)...)
}

// organ is the measurement group of what was found.
func (b *srBuilder) organ() *dicomfile.Dataset {
	list := b.tracking("the organ", b.d.Case.ID)
	for _, q := range b.d.Found {
		list = append(list, b.quantity(quantityCode(q), q))
	}
	return b.container("CONTAINS", srCode{"125007", "DCM", "Measurement Group"}, list)
}

// tracking identifies a measurement group (TID 1501).
func (b *srBuilder) tracking(name, id string) []*dicomfile.Dataset {
	return []*dicomfile.Dataset{
		b.text("HAS OBS CONTEXT", srCode{"112039", "DCM", "Tracking Identifier"}, name),
		b.uid("HAS OBS CONTEXT", srCode{"112040", "DCM", "Tracking Unique Identifier"}, dicomfile.HashUID("tracked", b.id.StudyUID, name, id)),
	}
}

// plan is the measurement group of plan n.
func (b *srBuilder) plan(n int) *dicomfile.Dataset {
	d, it := b.d, b.d.Items[n]
	list := b.tracking(d.planTitle(n), it.Plan.ID)
	for _, q := range it.Evaluation.Quantities {
		list = append(list, b.quantity(quantityCode(q), q))
	}
	for _, v := range it.Evaluation.Vessels {
		list = append(list, b.vessel(v)...)
	}
	say := func(concept string, lines ...string) {
		for _, s := range lines {
			if sentence(s) != "" {
				list = append(list, b.text("CONTAINS", srConcepts[concept], s))
			}
		}
	}
	say("plan", it.Plan.ID)
	say("approval", it.State(), it.said())
	say("rank", rank(it.Evaluation))
	for _, v := range it.Evaluation.Vetoes {
		say("veto", veto(v))
	}
	say("reason", it.Evaluation.Reasons...)
	say("warning", it.Evaluation.Warnings...)
	say("why", it.WhyNot...)
	for _, c := range it.Contingency {
		say("contingency", d.fallback(c))
	}
	return b.container("CONTAINS", srCode{"125007", "DCM", "Measurement Group"}, list)
}

// vessel are the numbers of a cut vessel, placed by a point.
func (b *srBuilder) vessel(v planner.VesselCut) []*dicomfile.Dataset {
	about := func() []*dicomfile.Dataset {
		return []*dicomfile.Dataset{b.text("HAS PROPERTIES", srConcepts["vessel"], vesselName(v)), b.point(v.At)}
	}
	out := []*dicomfile.Dataset{b.quantity(srConcepts["radius"], v.Radius, about()...)}
	if v.Flow != nil {
		out = append(out, b.quantity(srConcepts["flow"], *v.Flow, about()...))
	}
	return out
}

// point is a place in the patient: SCOORD3D (PS3.3 C.18.9), or text when the
// frame of reference is not known.
func (b *srBuilder) point(at [3]float64) *dicomfile.Dataset {
	if b.id.FrameUID == "" {
		return b.text("HAS PROPERTIES", srConcepts["centre"], fmt.Sprintf("%s, frame of reference not known", place(at)))
	}
	for _, x := range at {
		if math.Abs(x) > math.MaxFloat32 {
			return b.text("HAS PROPERTIES", srConcepts["centre"], "out of range")
		}
	}
	d := b.contentItem("INFERRED FROM", "SCOORD3D", srConcepts["centre"])
	b.set(d, dicomfile.GraphicType, "POINT")
	b.set(d, dicomfile.GraphicData, at[0], at[1], at[2])
	b.set(d, dicomfile.ReferencedFrameOfReferenceUID, b.id.FrameUID)
	return d
}
