package service

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"halsted/planner"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/grpc/codes"
)

// proposer is a Proposer made of a function.
type proposer func(ctx context.Context, caseID string, most int, progress func(string, float64)) ([]planner.Plan, error)

func (p proposer) Propose(ctx context.Context, caseID string, most int, progress func(string, float64)) ([]planner.Plan, error) {
	return p(ctx, caseID, most, progress)
}

// propose receives a search to its end.
func (r *rig) propose(ctx context.Context, t *testing.T, req *pb.ProposePlansRequest) (stages []string, plans []*pb.Plan, err error) {
	t.Helper()
	stream, err := pb.NewPlanServiceClient(r.conn).ProposePlans(ctx, req)
	must(t, err)
	for {
		m, err := stream.Recv()
		if err != nil {
			return stages, plans, err
		}
		if p := m.GetProgress(); p != nil {
			stages = append(stages, p.Stage)
			if !(p.Done >= 0 && p.Done <= 1) {
				t.Errorf("progress %g", p.Done)
			}
		}
		if p := m.GetProposed(); p != nil {
			plans = p.Plans
		}
	}
}

func TestProposePlans(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	plan := r.plan(t)
	c := plan[:strings.Index(plan, "/plans/")]
	ctx := testContext(t)
	_, _, err := r.propose(ctx, t, &pb.ProposePlansRequest{Parent: c})
	wantStatus(t, err, codes.Unimplemented, "does not search")

	stop := make(chan struct{})
	r.server.cfg.Proposer = proposer(func(ctx context.Context, id string, most int, progress func(string, float64)) ([]planner.Plan, error) {
		progress("mesh", math.NaN())
		select {
		case <-time.After(3 * progressEvery): // longer than the rate of progress
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		p, err := r.st.Plan(ctx, runID(plan))
		if err != nil {
			return nil, err
		}
		return make([]planner.Plan, 0, most), errors.Join(err, r.st.PutPlan(ctx, p))
	})
	stages, plans, err := r.propose(ctx, t, &pb.ProposePlansRequest{Parent: c, MaxPlans: 3})
	if err == nil || err.Error() != "EOF" || len(plans) != 0 || len(stages) != 1 || stages[0] != "mesh" {
		t.Errorf("stages %v, %d plans, %v", stages, len(plans), err)
	}
	for _, bad := range []int32{-1, maxPlans + 1} {
		_, _, err = r.propose(ctx, t, &pb.ProposePlansRequest{Parent: c, MaxPlans: bad})
		wantStatus(t, err, codes.InvalidArgument, "max_plans")
	}
	_, _, err = r.propose(ctx, t, &pb.ProposePlansRequest{Parent: "cases/nobody"})
	wantStatus(t, err, codes.NotFound, "nobody")

	r.server.cfg.Proposer = proposer(func(_ context.Context, id string, most int, _ func(string, float64)) ([]planner.Plan, error) {
		if id != runID(c) || most != defaultPlans {
			t.Errorf("asked for %d plans of %s", most, id)
		}
		p, err := r.st.Plan(ctx, runID(plan))
		return []planner.Plan{p}, err
	})
	if _, plans, _ := r.propose(ctx, t, &pb.ProposePlansRequest{Parent: c}); len(plans) != 1 || plans[0].Name != plan {
		t.Errorf("proposed %v", plans)
	}
	r.server.cfg.Proposer = proposer(func(context.Context, string, int, func(string, float64)) ([]planner.Plan, error) {
		return nil, errors.New("the liver is empty: click into it")
	})
	_, _, err = r.propose(ctx, t, &pb.ProposePlansRequest{Parent: c})
	wantStatus(t, err, codes.FailedPrecondition, "click into it")
	r.server.cfg.Proposer = proposer(func(context.Context, string, int, func(string, float64)) ([]planner.Plan, error) {
		panic("secret")
	})
	_, _, err = r.propose(ctx, t, &pb.ProposePlansRequest{Parent: c})
	wantStatus(t, err, codes.Internal, "internal error")

	// A client that leaves ends the search, and the next may have its turn.
	began := make(chan struct{})
	r.server.cfg.Proposer = proposer(func(ctx context.Context, _ string, _ int, _ func(string, float64)) ([]planner.Plan, error) {
		close(began)
		<-ctx.Done()
		close(stop)
		return nil, ctx.Err()
	})
	leaving, leave := context.WithCancel(ctx)
	go func() { <-began; leave() }()
	_, _, err = r.propose(leaving, t, &pb.ProposePlansRequest{Parent: c})
	wantStatus(t, err, codes.Canceled, "")
	select {
	case <-stop:
	case <-ctx.Done():
		t.Fatal("the search goes on")
	}
	eventually(t, "the end of the turn", func() bool { return len(r.server.search) == 0 })
}
