package service

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"halsted/planner"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/grpc/codes"
)

// decider is a Decider made of a function.
type decider func(ctx context.Context, r DecideRequest, w Watching) (*planner.Decision, error)

func (d decider) Decide(ctx context.Context, r DecideRequest, w Watching) (*planner.Decision, error) {
	return d(ctx, r, w)
}

// decide receives a decision to its end.
func (r *rig) decide(ctx context.Context, t *testing.T, req *pb.DecideRequest) (bands []*pb.Band, d *pb.Decision, err error) {
	t.Helper()
	stream, err := pb.NewDecisionServiceClient(r.conn).Decide(ctx, req)
	must(t, err)
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return bands, d, nil
		}
		if err != nil {
			return bands, d, err
		}
		if b := m.GetBand(); b != nil {
			bands = append(bands, b)
		}
		if m.GetDecision() != nil {
			d = m.GetDecision()
		}
	}
}

func TestDecide(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	plan := r.plan(t)
	c := plan[:strings.Index(plan, "/plans/")]
	ctx := testContext(t)
	_, _, err := r.decide(ctx, t, &pb.DecideRequest{Parent: c})
	wantStatus(t, err, codes.Unimplemented, "does not decide")

	flr := planner.Quantity{ID: "flr_percent", Value: 40, Unit: "%", Spread: planner.Around(38, 40, 43), Basis: "b", Violation: &planner.Violation{Rule: "r", P: 0.01}}
	r.server.cfg.Decider = decider(func(ctx context.Context, q DecideRequest, w Watching) (*planner.Decision, error) {
		if q.Case != runID(c) || q.Level == nil || *q.Level != planner.L2 || q.Method != "chaos" || q.Runs != 42 || q.Shown != 5 || q.Seed != 9 {
			t.Errorf("asked for %+v", q)
		}
		p, err := r.st.Plan(ctx, runID(plan))
		if err != nil {
			return nil, err
		}
		w.Progress("quantify", 0.5)
		for n := range 3 {
			w.Band(p.ID, n+1, 3, 1, []planner.Quantity{flr})
		}
		return &planner.Decision{
			Case: planner.Case{ID: q.Case}, Procedure: "liver.resection", RulePack: "liver.resection@1", Searched: 12, Feasible: 3, Plans: []planner.Plan{p},
			Evaluations: []planner.Evaluation{{Plan: p.ID, Rank: 1, Quantities: []planner.Quantity{flr}}}, Knee: p.ID,
			WhyNot:        []planner.WhyNot{{Plan: p, Text: "too little is left", Vetoes: []planner.Veto{{Rule: "r", Have: flr}}}},
			Contingencies: []planner.Contingency{{Plan: p.ID, If: "a clamp slips", Text: "no plan stays feasible"}},
			Flags:         []planner.Flag{{ID: "thick", Text: "slices of 8 mm", Touches: []string{"flr_percent"}}}, Lost: []string{"no weight"}, Method: []string{"m"},
		}, nil
	})
	bands, d, err := r.decide(ctx, t, &pb.DecideRequest{Parent: c, Level: pb.SimulationLevel_SIMULATION_LEVEL_NONLINEAR, Method: pb.SamplingMethod_SAMPLING_METHOD_CHAOS, Runs: 42, MaxPlans: 5, RandomSeed: 9})
	must(t, err)
	if len(bands) == 0 || bands[len(bands)-1].DoneCount != 3 || bands[0].Plan != plan || bands[0].FailedCount != 1 || bands[0].Quantities[0].Violation.Probability != 0.01 {
		t.Errorf("bands %v", bands)
	}
	if d.Parent != c || d.SearchedCount != 12 || d.KneePlan != plan || d.Plans[0].Name != plan || d.Evaluations[0].Plan != plan || d.Evaluations[0].EvaluationId == "" || d.Evaluations[0].ApprovalState != pb.ApprovalState_APPROVAL_STATE_NONE || d.WhyNot[0].Vetoes[0].Have.Value != 40 ||
		d.Contingencies[0].ThenPlan != "" || d.Contingencies[0].Assumption != "a clamp slips" || d.Flags[0].Touches[0] != "flr_percent" || d.Lost[0] != "no weight" || d.Notice != planner.Notice {
		t.Errorf("decision %v", d)
	}

	for field, q := range map[string]*pb.DecideRequest{
		"parent":    {Parent: plan},
		"level":     {Parent: c, Level: 9},
		"method":    {Parent: c, Method: 9},
		"runs":      {Parent: c, Runs: -1},
		"max_plans": {Parent: c, MaxPlans: 17},
	} {
		_, _, err = r.decide(ctx, t, q)
		wantStatus(t, err, codes.InvalidArgument, field)
	}
	r.server.cfg.Decider = decider(func(context.Context, DecideRequest, Watching) (*planner.Decision, error) {
		return nil, errors.New("the tumour lies outside the liver")
	})
	_, _, err = r.decide(ctx, t, &pb.DecideRequest{Parent: c})
	wantStatus(t, err, codes.FailedPrecondition, "outside the liver")

	// A client that leaves ends the work.
	began, stopped := make(chan struct{}), make(chan struct{})
	r.server.cfg.Decider = decider(func(ctx context.Context, _ DecideRequest, _ Watching) (*planner.Decision, error) {
		close(began)
		<-ctx.Done()
		close(stopped)
		return nil, ctx.Err()
	})
	leaving, leave := context.WithCancel(ctx)
	go func() { <-began; leave() }()
	_, _, err = r.decide(leaving, t, &pb.DecideRequest{Parent: c})
	wantStatus(t, err, codes.Canceled, "")
	select {
	case <-stopped:
	case <-ctx.Done():
		t.Fatal("the work goes on")
	}
}
