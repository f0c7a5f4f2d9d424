package service

import (
	"math"
	"strings"

	"halsted/planner"
	pb "halsted/proto/halsted/v1"

	"gonum.org/v1/gonum/spatial/r3"
)

func toPlan(p planner.Plan) *pb.Plan {
	m := &pb.Plan{
		Name: planName(p.Case, p.ID), Procedure: p.Procedure, DisplayName: p.Name, RetractionMm: p.RetractionMM,
		GravityChange: &pb.GravityChange{XG: p.GravityG.X, YG: p.GravityG.Y, ZG: p.GravityG.Z},
	}
	if p.Parent != "" {
		m.ParentPlan = planName(p.Case, p.Parent)
	}
	for _, c := range p.Cuts {
		m.Cuts = append(m.Cuts, &pb.Plane{Point: toPoint(c.Point), Normal: &pb.Direction{X: c.Normal.X, Y: c.Normal.Y, Z: c.Normal.Z}})
	}
	for _, c := range p.Sheets {
		w := &pb.Sheet{Origin: toPoint(c.Origin), U: toDisplacement(c.U), V: toDisplacement(c.V)}
		for _, row := range c.HeightsMM {
			w.HeightMm = append(w.HeightMm, row[:]...)
		}
		m.Sheets = append(m.Sheets, w)
	}
	m.Divided, m.Embolised = mapped(p.Divided, toBranch), mapped(p.Embolised, toBranch)
	for _, n := range p.Needles {
		m.Needles = append(m.Needles, &pb.Needle{Entry: toPoint(n.Entry), Tip: toPoint(n.Tip), Device: n.Device})
	}
	if g := p.Graft; g != nil {
		m.Graft = &pb.Graft{Device: g.Device, ProximalMm: g.ProximalMM, DistalMm: g.DistalMM}
	}
	return m
}

// ReadPlan is the plan that a client got, sealed by its content. It is a
// *FieldError when the plan is none, or its name is not that of its content.
func ReadPlan(m *pb.Plan) (planner.Plan, error) {
	ids, err := parseName("plan.name", m.GetName(), planPattern)
	if err != nil {
		return planner.Plan{}, err
	}
	p := planner.Plan{Case: ids[0], Procedure: m.Procedure}
	if m.ParentPlan != "" {
		parent, err := parseName("plan.parent_plan", m.ParentPlan, planPattern)
		if err != nil {
			return planner.Plan{}, err
		}
		p.Parent = parent[1]
	}
	if err := applyPlan(&p, m, planFields); err != nil {
		return planner.Plan{}, err
	}
	for n, c := range m.Cuts { // to the bit: the name is a hash of them
		p.Cuts[n].Normal = r3.Vec{X: c.Normal.X, Y: c.Normal.Y, Z: c.Normal.Z}
	}
	sealed := p.Sealed()
	if sealed.ID != ids[1] && p.Cuts == nil { // the wire does not tell none from an empty list
		p.Cuts = []planner.Plane{}
		sealed = p.Sealed()
	}
	if sealed.ID != ids[1] {
		return planner.Plan{}, badField("plan.name", "%.200q is not the name of this content", m.Name)
	}
	return sealed, nil
}

// planFields are the fields of a plan that a client sets.
var planFields = []string{"display_name", "cuts", "retraction_mm", "gravity_change", "sheets", "divided", "embolised", "needles", "graft"}

// applyPlan writes the named fields of m into p.
func applyPlan(p *planner.Plan, m *pb.Plan, fields []string) (err error) {
	for _, f := range fields {
		switch f {
		case "display_name":
			p.Name, err = text("plan.display_name", m.DisplayName)
		case "cuts":
			p.Cuts, err = fromCuts(m.Cuts)
		case "retraction_mm":
			p.RetractionMM = m.RetractionMm
		case "gravity_change":
			g := m.GetGravityChange()
			p.GravityG = r3.Vec{X: g.GetXG(), Y: g.GetYG(), Z: g.GetZG()}
		case "sheets":
			p.Sheets, err = fromSheets(m.Sheets)
		case "divided":
			p.Divided, err = fromBranches("plan.divided", m.Divided)
		case "embolised":
			p.Embolised, err = fromBranches("plan.embolised", m.Embolised)
		case "needles":
			p.Needles, err = fromNeedles(m.Needles)
		case "graft":
			p.Graft, err = fromGraft(m.Graft)
		default:
			return badField("update_mask", "%.80q is not one of %s", f, strings.Join(planFields, ", "))
		}
		if err != nil {
			return err
		}
	}
	if err := p.Validate(); err != nil {
		return badField("plan", "%s", err)
	}
	return nil
}

func fromCuts(in []*pb.Plane) ([]planner.Plane, error) {
	if err := atMost("plan.cuts", len(in), maxCuts); err != nil {
		return nil, err
	}
	var out []planner.Plane
	for n, c := range in {
		p, err := fromPoint(index("plan.cuts", n, "point"), c.GetPoint())
		if err != nil {
			return nil, err
		}
		d := c.GetNormal()
		v := r3.Vec{X: d.GetX(), Y: d.GetY(), Z: d.GetZ()}
		if l := r3.Norm(v); !(math.Abs(l-1) <= wireUnitTol) {
			return nil, badField(index("plan.cuts", n, "normal"), "has length %g, want 1", l)
		} else if l != 1 {
			v = r3.Scale(1/l, v)
		}
		out = append(out, planner.Plane{Point: p, Normal: v})
	}
	return out, nil
}

// wireUnitTol is how far a client's normal may be from length 1: it may have
// been computed in single precision (2⁻²⁴ each way, times three components and
// a root). It is normalised on the way in.
const wireUnitTol = 1e-6

// The largest numbers of things in one plan.
const (
	maxCuts     = 64
	maxSheets   = 16
	maxBranches = 256
	maxNeedles  = 16
)

func atMost(field string, have, most int) error {
	if have > most {
		return badField(field, "%d of them, at most %d", have, most)
	}
	return nil
}

func toDisplacement(v r3.Vec) *pb.Displacement {
	return &pb.Displacement{XMm: v.X, YMm: v.Y, ZMm: v.Z}
}

func toBranch(b planner.Branch) *pb.VesselBranch {
	return &pb.VesselBranch{System: b.System, Index: uint32(b.Index), DisplayName: b.Name}
}

func fromSheets(in []*pb.Sheet) (out []planner.Sheet, err error) {
	if err := atMost("plan.sheets", len(in), maxSheets); err != nil {
		return nil, err
	}
	for n, w := range in {
		s := planner.Sheet{U: r3.Vec{X: w.GetU().GetXMm(), Y: w.GetU().GetYMm(), Z: w.GetU().GetZMm()}, V: r3.Vec{X: w.GetV().GetXMm(), Y: w.GetV().GetYMm(), Z: w.GetV().GetZMm()}}
		if s.Origin, err = fromPoint(index("plan.sheets", n, "origin"), w.GetOrigin()); err != nil {
			return nil, err
		}
		if len(w.GetHeightMm()) != 16 {
			return nil, badField(index("plan.sheets", n, "height_mm"), "%d heights, want 16", len(w.GetHeightMm()))
		}
		for i := range s.HeightsMM {
			copy(s.HeightsMM[i][:], w.HeightMm[4*i:])
		}
		out = append(out, s) // Plan.Validate checks the rest
	}
	return out, nil
}

func fromBranches(field string, in []*pb.VesselBranch) (out []planner.Branch, err error) {
	if err := atMost(field, len(in), maxBranches); err != nil {
		return nil, err
	}
	for n, w := range in {
		b := planner.Branch{Index: int(w.GetIndex())}
		if b.System, err = text(index(field, n, "system"), w.GetSystem()); err != nil {
			return nil, err
		}
		if b.Name, err = text(index(field, n, "display_name"), w.GetDisplayName()); err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func fromNeedles(in []*pb.Needle) (out []planner.Needle, err error) {
	if err := atMost("plan.needles", len(in), maxNeedles); err != nil {
		return nil, err
	}
	for n, w := range in {
		var d planner.Needle
		if d.Entry, err = fromPoint(index("plan.needles", n, "entry"), w.GetEntry()); err != nil {
			return nil, err
		}
		if d.Tip, err = fromPoint(index("plan.needles", n, "tip"), w.GetTip()); err != nil {
			return nil, err
		}
		if d.Device, err = text(index("plan.needles", n, "device"), w.GetDevice()); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func fromGraft(w *pb.Graft) (*planner.Graft, error) {
	if w == nil {
		return nil, nil
	}
	device, err := text("plan.graft.device", w.Device)
	if err != nil {
		return nil, err
	}
	return &planner.Graft{Device: device, ProximalMM: w.ProximalMm, DistalMM: w.DistalMm}, nil
}
