package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"halsted/internal/atomicfile"
	"halsted/planner"
	"halsted/planner/report"
	"halsted/planner/rules"
	"halsted/planner/service"
	pb "halsted/proto/halsted/v1"
)

// itemOf reads a plan with its evaluation and approvals off the wire.
func itemOf(p *pb.Plan, e *pb.Evaluation) (report.Item, error) {
	plan, err := service.ReadPlan(p)
	if err != nil {
		return report.Item{}, err
	}
	it := report.Item{Plan: plan, Evaluation: fromWire(e), Given: approvals(plan, e.Approvals)}
	if id, err := planner.EvaluationID(&it.Evaluation); err == nil && id != e.EvaluationId && it.Evaluation.Vessels == nil {
		it.Evaluation.Vessels = []planner.VesselCut{} // the wire does not tell none from an empty list
	}
	return it, nil
}

// approvals reads what surgeons said of a plan off the wire. Whether it holds
// is for planner.Approved to say, here as there.
func approvals(p planner.Plan, list []*pb.Approval) (out []planner.Approval) {
	for _, m := range list {
		a := planner.Approval{ID: path.Base(m.Name), Plan: p.ID, Case: p.Case, Evaluation: m.EvaluationId, By: m.ApproverName, Role: planner.ApprovingRole,
			Statement: m.Statement, Broken: m.BrokenRules, At: m.ApproveTime.AsTime()}
		out = append(out, a)
		if w := m.Withdrawal; w != nil {
			out = append(out, planner.Approval{ID: path.Base(w.Name), Plan: p.ID, Case: p.Case, Evaluation: m.EvaluationId, By: w.WithdrawerName, Role: planner.ApprovingRole,
				Statement: w.Statement, Withdraws: a.ID, At: w.WithdrawTime.AsTime()})
		}
	}
	return out
}

// decisionOf reads a decision off the wire; its plans come as items, with what
// surgeons said of them.
func decisionOf(c planner.Case, m *pb.Decision) (*planner.Decision, []report.Item, error) {
	if len(m.Plans) != len(m.Evaluations) {
		return nil, nil, fmt.Errorf("the service sent %d plans and %d evaluations", len(m.Plans), len(m.Evaluations))
	}
	id := func(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
	d := &planner.Decision{Case: c, Procedure: m.Procedure, RulePack: m.RulePack, Searched: int(m.SearchedCount), Feasible: int(m.FeasibleCount),
		Knee: id(m.KneePlan), KneeText: m.KneeText, Lost: m.Lost, Method: m.Method, Notice: m.Notice}
	var its []report.Item
	for n := range m.Plans {
		it, err := itemOf(m.Plans[n], m.Evaluations[n])
		if err != nil {
			return nil, nil, err
		}
		its, d.Plans, d.Evaluations = append(its, it), append(d.Plans, it.Plan), append(d.Evaluations, it.Evaluation)
	}
	for _, w := range m.WhyNot {
		p, err := service.ReadPlan(w.Plan)
		if err != nil {
			return nil, nil, err
		}
		d.WhyNot = append(d.WhyNot, planner.WhyNot{Plan: p, Text: w.Text, Vetoes: vetoes(w.Vetoes)})
	}
	for _, k := range m.Contingencies {
		d.Contingencies = append(d.Contingencies, planner.Contingency{Plan: id(k.Plan), If: k.Assumption, Holds: k.Holds, Then: id(k.ThenPlan), Text: k.Text})
	}
	for _, f := range m.Flags {
		d.Flags = append(d.Flags, planner.Flag{ID: f.Id, Text: f.Text, Touches: f.Touches})
	}
	return d, its, nil
}

// caseOf is the case of that name, or a new one of the study of that name with
// what the flags say.
func (j *planJob) caseOf(ctx context.Context, c *client, name string) (planner.Case, error) {
	cases := pb.NewCaseServiceClient(c.conn)
	var m *pb.Case
	if study, ok := strings.CutPrefix(name, "studies/"); ok {
		in := planner.Case{Study: study, Procedure: j.Procedure, Condition: j.Condition, Seeds: j.Seeds, Patient: j.Patient}
		r, err := cases.CreateCase(ctx, &pb.CreateCaseRequest{Case: service.WireCase(in)})
		if err != nil {
			return planner.Case{}, said(err)
		}
		m = r.Case
	} else {
		r, err := cases.GetCase(ctx, &pb.GetCaseRequest{Name: name})
		if err != nil {
			return planner.Case{}, said(err)
		}
		m = r.Case
	}
	return service.ReadCase(m)
}

// remote lets the service decide and writes the dossier, in which every plan
// has the approval that the service's store has of it.
func (j *planJob) remote(ctx context.Context, name string, b *bar) (*planResult, error) {
	c, err := connect(j.server, j.token)
	if err != nil {
		return nil, err
	}
	defer c.close()
	kase, err := j.caseOf(ctx, c, name)
	if err != nil {
		return nil, err
	}
	stream, err := pb.NewDecisionServiceClient(c.conn).Decide(ctx, &pb.DecideRequest{Parent: "cases/" + kase.ID, Level: pb.SimulationLevel(j.Level) + pb.SimulationLevel_SIMULATION_LEVEL_GEOMETRY,
		Method: wireMethods[j.method], Runs: int32(j.Runs), MaxPlans: int32(j.Shown), RandomSeed: j.Seed})
	if err != nil {
		return nil, said(err)
	}
	var got *pb.Decision
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, said(err)
		}
		if p := m.GetProgress(); p != nil {
			b.set(p.Stage, p.Done)
		}
		got = cmp.Or(m.GetDecision(), got)
	}
	if got == nil {
		return nil, errors.New("the service ended without a decision")
	}
	d, its, err := decisionOf(kase, got)
	if err != nil {
		return nil, err
	}
	st, err := pb.NewStudyServiceClient(c.conn).GetStudy(ctx, &pb.GetStudyRequest{Name: "studies/" + kase.Study})
	if err != nil {
		return nil, said(err)
	}
	m := st.Study
	page, err := report.FromDecision(planner.Study{ID: kase.Study, Modality: m.Modality, Kind: m.ValueKind,
		Size: [3]int{int(m.SizeI), int(m.SizeJ), int(m.SizeK)}, Spacing: [3]float64{m.SpacingIMm, m.SpacingJMm, m.SpacingKMm}}, d)
	if err != nil {
		return nil, err
	}
	for n := range page.Items {
		page.Items[n].Given = its[n].Given
	}
	if pack, err := rules.Shipped(kase.Procedure); err == nil && pack.ID+"@"+pack.Version == d.RulePack {
		if page.Limits, err = limits(pack, kase.Condition); err != nil {
			return nil, err
		}
	}
	r := &planResult{Decision: d, items: its}
	for _, it := range its {
		r.Names = append(r.Names, "cases/"+kase.ID+"/plans/"+it.Plan.ID)
	}
	files := decisionFiles(d, page, its)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := writeArtefacts(j.out, files); err != nil {
		return nil, err
	}
	r.Artefacts = names(files)
	return r, nil
}

var wireMethods = map[string]pb.SamplingMethod{
	"random": pb.SamplingMethod_SAMPLING_METHOD_RANDOM, "latin-hypercube": pb.SamplingMethod_SAMPLING_METHOD_LATIN_HYPERCUBE,
	"sobol": pb.SamplingMethod_SAMPLING_METHOD_SOBOL, "chaos": pb.SamplingMethod_SAMPLING_METHOD_CHAOS,
}

func names(files []atomicfile.File) (out []string) {
	for _, f := range files {
		out = append(out, f.Name)
	}
	return out
}
