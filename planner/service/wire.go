package service

import (
	"math"

	"halsted/imaging"
	"halsted/planner"
	pb "halsted/proto/halsted/v1"

	"gonum.org/v1/gonum/spatial/r3"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Bounds on what a client may send in one message.
const (
	maxText  = 200 // bytes of a name a person chose
	maxSeeds = 1000
	maxMM    = 1e5 // no point of a patient is 100 m from the scanner's centre
)

func toStudy(s planner.Study) *pb.Study {
	return &pb.Study{
		Name: studyName(s.ID), Modality: s.Modality, ValueKind: s.Kind, InstanceCount: uint32(len(s.Files)),
		SizeI: uint32(s.Size[0]), SizeJ: uint32(s.Size[1]), SizeK: uint32(s.Size[2]),
		SpacingIMm: s.Spacing[0], SpacingJMm: s.Spacing[1], SpacingKMm: s.Spacing[2],
	}
}

func toPoint(p r3.Vec) *pb.Point { return &pb.Point{XMm: p.X, YMm: p.Y, ZMm: p.Z} }

func fromPoint(field string, p *pb.Point) (r3.Vec, error) {
	if p == nil {
		return r3.Vec{}, badField(field, "is missing")
	}
	for _, c := range []float64{p.XMm, p.YMm, p.ZMm} {
		if !(math.Abs(c) <= maxMM) {
			return r3.Vec{}, badField(field, "coordinate %g mm is not within ±%g mm", c, float64(maxMM))
		}
	}
	return r3.Vec{X: p.XMm, Y: p.YMm, Z: p.ZMm}, nil
}

func toLabel(l imaging.Label) *pb.StructureLabel {
	c := l.Code()
	return &pb.StructureLabel{Id: l.String(), CodeValue: c.Value, CodeScheme: c.Scheme, CodeMeaning: c.Meaning}
}

func fromLabel(field string, m *pb.StructureLabel) (imaging.Label, error) {
	for n := range 256 {
		// Only structures with a coded concept: not background, not free numbers.
		if l := imaging.Label(n); l.String() == m.GetId() && l.Code().Value != "" {
			return l, nil
		}
	}
	return 0, badField(field, "unknown structure %.80q", m.GetId())
}

func text(field, s string) (string, error) {
	if len(s) > maxText {
		return "", badField(field, "has %d bytes, at most %d", len(s), maxText)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return "", badField(field, "holds the control character %U", r)
		}
	}
	return s, nil
}

// WireCase is a case as a client sends it.
func WireCase(c planner.Case) *pb.Case { return toCase(c) }

// ReadCase is the case that a client got. It is a *FieldError when it is none,
// or its name is not that of its content.
func ReadCase(m *pb.Case) (planner.Case, error) {
	c, err := fromCase(m)
	if err != nil {
		return c, err
	}
	if caseName(c.ID) != m.Name {
		return c, badField("case.name", "%.200q is not the name of this content", m.Name)
	}
	c.Labels, c.Surface = m.LabelsSha256, m.SurfaceTopologyHash
	return c, nil
}

func toCase(c planner.Case) *pb.Case {
	m := &pb.Case{
		Name: caseName(c.ID), Study: studyName(c.Study), Procedure: c.Procedure, Condition: c.Condition,
		MasksSha256: c.Masks, LabelsSha256: c.Labels, SurfaceTopologyHash: c.Surface,
	}
	for _, s := range c.Seeds {
		m.Seeds = append(m.Seeds, &pb.Seed{Label: toLabel(s.Label), Point: toPoint(s.LPS)})
	}
	if p := c.Patient; p != nil {
		m.Patient = &pb.PatientFacts{HeightCm: known(p.HeightCM), WeightKg: known(p.WeightKG), Sex: p.Sex,
			MeanPressureMmhg: known(p.MeanMmHg), SystolicPressureMmhg: known(p.SystolicMmHg), FamilyHistory: p.FamilyHistory}
	}
	return m
}

// known is a fact on the wire; 0 means not known.
func known(v float64) *float64 {
	if v == 0 {
		return nil
	}
	return &v
}

// fromCase reads the fields that a client sets and seals the case.
func fromCase(m *pb.Case) (planner.Case, error) {
	var c planner.Case
	if m == nil {
		return c, badField("case", "is missing")
	}
	ids, err := parseName("case.study", m.Study, studyPattern)
	if err != nil {
		return c, err
	}
	c.Study = ids[0]
	if c.Procedure, err = text("case.procedure", m.Procedure); err != nil {
		return c, err
	}
	if c.Procedure == "" {
		return c, badField("case.procedure", "is missing")
	}
	if c.Condition, err = text("case.condition", m.Condition); err != nil {
		return c, err
	}
	if len(m.Seeds) > maxSeeds {
		return c, badField("case.seeds", "%d seeds, at most %d", len(m.Seeds), maxSeeds)
	}
	for n, s := range m.Seeds {
		l, err := fromLabel(index("case.seeds", n, "label"), s.GetLabel())
		if err != nil {
			return c, err
		}
		p, err := fromPoint(index("case.seeds", n, "point"), s.GetPoint())
		if err != nil {
			return c, err
		}
		c.Seeds = append(c.Seeds, planner.Seed{Label: l, LPS: p})
	}
	c.Masks = m.MasksSha256
	if p := m.Patient; p != nil {
		c.Patient = &planner.Patient{HeightCM: p.GetHeightCm(), WeightKG: p.GetWeightKg(), Sex: p.Sex,
			MeanMmHg: p.GetMeanPressureMmhg(), SystolicMmHg: p.GetSystolicPressureMmhg(), FamilyHistory: p.FamilyHistory}
		if err := c.Patient.Validate(); err != nil {
			return c, badField("case.patient", "%s", err)
		}
	}
	return c.Sealed(), nil
}

func toRun(r planner.Run) *pb.Run {
	return &pb.Run{
		Name: runName(r.Case, r.Plan, r.ID), State: pb.RunState(r.State), Progress: r.Progress, Stage: r.Stage,
		ErrorMessage: r.Err, Epoch: r.Epoch, LastSeq: r.LastSeq, TopologyHash: r.Topology, CreateTime: timestamppb.New(r.Created),
	}
}

func toEvidence(e planner.Evidence) pb.Evidence {
	if e > planner.EvidenceUnverified {
		return pb.Evidence_EVIDENCE_UNSPECIFIED
	}
	return pb.Evidence(e) + pb.Evidence_EVIDENCE_COMPUTED
}

// toFieldInfo is the header of a field.
func toFieldInfo(f planner.Field) *pb.FieldInfo {
	m := &pb.FieldInfo{Id: f.ID, Unit: f.Unit}
	if q := f.Quality; q != nil {
		m.Residual, m.ErrorEstimate, m.Evidence = &q.Residual, q.Error, toEvidence(q.Evidence)
	}
	return m
}

func toQuantity(q planner.Quantity) *pb.Quantity {
	w := &pb.Quantity{Id: q.ID, Label: q.Label, Value: q.Value, Unit: q.Unit, Basis: q.Basis, Evidence: toEvidence(q.Evidence), Flags: q.Flags}
	if s := q.Spread; s != nil {
		w.Spread = &pb.Spread{P2_5: s.P2_5, P5: s.P5, P50: s.P50, P95: s.P95, P97_5: s.P97_5}
	}
	if v := q.Violation; v != nil {
		w.Violation = &pb.Violation{Rule: v.Rule, Probability: v.P, Broken: uint32(v.Broken), Runs: uint32(v.Runs)}
	}
	if s := q.Solution; s != nil {
		w.Solution = &pb.Solution{Residual: s.Residual, MeshError: s.MeshError}
	}
	return w
}

func toVeto(v planner.Veto) *pb.Veto {
	return &pb.Veto{Rule: v.Rule, Text: v.Text, Have: toQuantity(v.Have),
		Want: &pb.Limit{Operator: v.Want.Operator, Value: v.Want.Value, Unit: v.Want.Unit, Source: v.Want.Source, Evidence: toEvidence(v.Want.Evidence)}}
}

// toEvaluation also needs what was ever given for the plan, for it says
// whether one of these stands.
func toEvaluation(p planner.Plan, e planner.Evaluation, given []planner.Approval) *pb.Evaluation {
	m := &pb.Evaluation{
		Name: evaluationName(p.Case, e.Plan), Plan: planName(p.Case, e.Plan), Rank: uint32(max(e.Rank, 0)),
		Reasons: e.Reasons, Warnings: e.Warnings, Notice: planner.Notice,
	}
	m.EvaluationId, m.ApprovalState, m.Approvals = toApprovals(p, &e, given)
	m.Vetoes = mapped(e.Vetoes, toVeto)
	for _, q := range e.Quantities {
		m.Quantities = append(m.Quantities, toQuantity(q))
	}
	for _, v := range e.Vessels {
		c := &pb.VesselCut{System: v.System, VesselName: v.Name, Radius: toQuantity(v.Radius), At: toPoint(r3.Vec{X: v.At[0], Y: v.At[1], Z: v.At[2]})}
		if v.Flow != nil {
			c.Flow = toQuantity(*v.Flow)
		}
		m.VesselsCut = append(m.VesselsCut, c)
	}
	return m
}
