package service

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"halsted/internal/access"
	"halsted/planner"
	"halsted/planner/store"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

func evaluationOf(plan string, flr float64) planner.Evaluation {
	return planner.Evaluation{Plan: runID(plan), Rank: 1, Quantities: []planner.Quantity{
		{ID: "flr_percent", Label: "Future liver remnant", Value: flr, Unit: "%", Spread: planner.Around(flr-2, flr, flr+2), Basis: "voxels"},
	}}
}

func (r *rig) evaluation(ctx context.Context, t *testing.T, plan string) *pb.Evaluation {
	t.Helper()
	e, err := pb.NewEvaluationServiceClient(r.conn).GetEvaluation(ctx, &pb.GetEvaluationRequest{Name: plan + "/evaluation"})
	must(t, err)
	return e.Evaluation
}

func wantState(t *testing.T, e *pb.Evaluation, want pb.ApprovalState, each ...pb.ApprovalState) {
	t.Helper()
	have := mapped(e.Approvals, func(a *pb.Approval) pb.ApprovalState { return a.State })
	if e.ApprovalState != want || !slices.Equal(have, each) {
		t.Errorf("the evaluation is %v with %v, want %v with %v", e.ApprovalState, have, want, each)
	}
}

// approvedRig has one evaluated plan and a client of Dr. Weiss.
func approvedRig(t *testing.T, dir string) (r *rig, plan string, surgeon pb.ApprovalServiceClient) {
	t.Helper()
	r = newRig(t, dir, bender(2, 1, nil))
	plan = r.plan(t)
	must(t, r.st.PutEvaluations(testContext(t), evaluationOf(plan, 40)))
	return r, plan, pb.NewApprovalServiceClient(r.dial(t, r.person))
}

const (
	none      = pb.ApprovalState_APPROVAL_STATE_NONE
	standing  = pb.ApprovalState_APPROVAL_STATE_STANDS
	void      = pb.ApprovalState_APPROVAL_STATE_VOID
	takenBack = pb.ApprovalState_APPROVAL_STATE_WITHDRAWN
)

func TestAPlanIsApprovedAndTakenBack(t *testing.T) {
	dir := t.TempDir()
	r, plan, surgeon := approvedRig(t, dir)
	ctx := testContext(t)
	e := r.evaluation(ctx, t, plan)
	wantState(t, e, none)
	req := &pb.ApprovePlanRequest{Name: plan, EvaluationId: e.EvaluationId, Statement: " I choose this plan.\n"}
	got, err := surgeon.ApprovePlan(ctx, req)
	must(t, err)
	a := got.Approval
	if !strings.HasPrefix(a.Name, plan+"/approvals/") || a.ApproverName != "Dr. Ada Weiss" || a.Statement != "I choose this plan." || a.State != standing ||
		a.EvaluationId != e.EvaluationId || a.ApproveTime.AsTime().IsZero() || a.VoidReason != "" || a.Withdrawal != nil {
		t.Errorf("approval %v", a)
	}
	// The same call again is the same approval.
	if again, err := surgeon.ApprovePlan(ctx, req); err != nil || !proto.Equal(again, got) {
		t.Errorf("again: %v, %v", again, err)
	}
	e = r.evaluation(ctx, t, plan)
	wantState(t, e, standing, standing)
	if !proto.Equal(e.Approvals[0], a) || e.EvaluationId != a.EvaluationId {
		t.Errorf("the approval changes what was evaluated: %v", e)
	}
	l, err := pb.NewEvaluationServiceClient(r.conn).ListEvaluations(ctx, &pb.ListEvaluationsRequest{Parent: plan[:strings.Index(plan, "/plans/")]})
	if err != nil || !proto.Equal(l.Evaluations[0], e) {
		t.Errorf("listed as %v, %v", l, err)
	}

	// A restart keeps it.
	r.close()
	r = newRig(t, dir, bender(2, 1, nil))
	surgeon = pb.NewApprovalServiceClient(r.dial(t, r.person))
	if again := r.evaluation(ctx, t, plan); !proto.Equal(again, e) {
		t.Errorf("after a restart: %v", again)
	}

	// An edit is another plan, and nobody approved it.
	child, err := pb.NewPlanServiceClient(r.conn).EditPlan(ctx, &pb.EditPlanRequest{Name: plan, Plan: &pb.Plan{DisplayName: "wider", Cuts: wirePlan().Cuts, RetractionMm: 20}})
	must(t, err)
	must(t, r.st.PutEvaluations(ctx, evaluationOf(child.Plan.Name, 40)))
	wantState(t, r.evaluation(ctx, t, child.Plan.Name), none)
	_, err = surgeon.ApprovePlan(ctx, &pb.ApprovePlanRequest{Name: child.Plan.Name, EvaluationId: e.EvaluationId, Statement: "x"})
	wantStatus(t, err, codes.FailedPrecondition, "not the one that was shown")

	// A changed evaluation voids it; the old id approves no more.
	must(t, r.st.PutEvaluations(ctx, evaluationOf(plan, 39)))
	now := r.evaluation(ctx, t, plan)
	wantState(t, now, void, void)
	if now.EvaluationId == e.EvaluationId || !strings.Contains(now.Approvals[0].VoidReason, "changed") {
		t.Errorf("after a change: %v", now)
	}
	_, err = surgeon.ApprovePlan(ctx, req)
	wantStatus(t, err, codes.FailedPrecondition, "look at it again")

	// The new evaluation is approved and taken back; the void one can be, too.
	_, err = surgeon.ApprovePlan(ctx, &pb.ApprovePlanRequest{Name: plan, EvaluationId: now.EvaluationId, Statement: "Still."})
	must(t, err)
	wantState(t, r.evaluation(ctx, t, plan), standing, void, standing)
	back := &pb.WithdrawApprovalRequest{Name: plan, EvaluationId: now.EvaluationId, Statement: "It has grown."}
	for range 2 { // again is harmless
		w, err := surgeon.WithdrawApproval(ctx, back)
		must(t, err)
		if len(w.Approvals) != 1 || w.Approvals[0].State != takenBack || w.Approvals[0].Withdrawal.WithdrawerName != "Dr. Ada Weiss" || w.Approvals[0].Withdrawal.Statement != "It has grown." {
			t.Errorf("taken back: %v", w)
		}
	}
	wantState(t, r.evaluation(ctx, t, plan), takenBack, void, takenBack)
	back.Statement = "Once more."
	_, err = surgeon.WithdrawApproval(ctx, back)
	wantStatus(t, err, codes.FailedPrecondition, "no approval")
	back.EvaluationId = e.EvaluationId
	_, err = surgeon.WithdrawApproval(ctx, back)
	must(t, err)
	must(t, r.st.PutEvaluations(ctx, evaluationOf(plan, 40))) // as it was: it does not come back to life
	wantState(t, r.evaluation(ctx, t, plan), takenBack, takenBack, takenBack)
}

// No account but a surgeon's own approves, whatever it sends along.
func TestNothingAutomaticApproves(t *testing.T) {
	r, plan, surgeon := approvedRig(t, t.TempDir())
	ctx := testContext(t)
	e := r.evaluation(ctx, t, plan)
	_, err := surgeon.ApprovePlan(ctx, &pb.ApprovePlanRequest{Name: plan, EvaluationId: e.EvaluationId, Statement: "x"})
	must(t, err)
	_, err = surgeon.WithdrawApproval(ctx, &pb.WithdrawApprovalRequest{Name: plan, EvaluationId: e.EvaluationId, Statement: "y"})
	must(t, err)
	spoofed := metadata.AppendToOutgoingContext(ctx, "person", "Dr. Ada Weiss", "role", "surgeon", "x-person", "Dr. Ada Weiss")
	for who, c := range map[string]struct {
		conn *grpc.ClientConn
		code codes.Code
		why  string
	}{
		"a machine with the role":  {r.dial(t, r.token), codes.PermissionDenied, "belongs to a machine"},
		"the same over plain gRPC": {r.overBufconn(t, r.token), codes.PermissionDenied, "belongs to a machine"},
		"the local admin":          {r.dial(t, r.admin), codes.PermissionDenied, "admin may not approve"},
		"a viewer":                 {r.dial(t, r.viewer), codes.PermissionDenied, "viewer may not approve"},
		"nobody":                   {r.dial(t, "x"), codes.Unauthenticated, "token"},
	} {
		as := pb.NewApprovalServiceClient(c.conn)
		_, err := as.ApprovePlan(spoofed, &pb.ApprovePlanRequest{Name: plan, EvaluationId: e.EvaluationId, Statement: "x"})
		t.Log(who)
		wantStatus(t, err, c.code, c.why)
		_, err = as.WithdrawApproval(spoofed, &pb.WithdrawApprovalRequest{Name: plan, EvaluationId: e.EvaluationId, Statement: "x"})
		wantStatus(t, err, c.code, c.why)
	}
	wantState(t, r.evaluation(ctx, t, plan), takenBack, takenBack)

	r.close()
	f, err := os.Open(r.trail)
	must(t, err)
	defer f.Close()
	count := map[string]int{}
	_, _, err = access.Verify(f, func(l access.Entry) error {
		if l.Action == access.Approve {
			what := "plan"
			if strings.HasPrefix(l.Object, plan+"/approvals/") {
				what = "approval"
			} else if l.Object != plan {
				t.Errorf("object %q", l.Object)
			}
			count[strings.Join([]string{l.Subject, l.Outcome, what}, " ")]++
		}
		return nil
	})
	must(t, err)
	want := map[string]int{"aw ok approval": 2, "s denied plan": 4, "local denied plan": 2, "v denied plan": 2}
	for line, n := range want {
		if count[line] != n {
			t.Errorf("trail: %d × %q, want %d", count[line], line, n)
		}
	}
	if len(count) != len(want) {
		t.Errorf("trail: %v", count)
	}
	if text := r.log.String(); strings.Contains(text, "Weiss") {
		t.Errorf("the log names the surgeon: %s", text)
	}
}

func TestBadApprovals(t *testing.T) {
	r, plan, surgeon := approvedRig(t, t.TempDir())
	ctx := testContext(t)
	id := r.evaluation(ctx, t, plan).EvaluationId
	for _, c := range []struct {
		field string
		in    *pb.ApprovePlanRequest
	}{
		{"name", &pb.ApprovePlanRequest{Name: plan + "/evaluation", EvaluationId: id, Statement: "x"}},
		{"evaluation_id", &pb.ApprovePlanRequest{Name: plan, Statement: "x"}},
		{"evaluation_id", &pb.ApprovePlanRequest{Name: plan, EvaluationId: "../x", Statement: "x"}},
		{"statement", &pb.ApprovePlanRequest{Name: plan, EvaluationId: id}},
		{"statement", &pb.ApprovePlanRequest{Name: plan, EvaluationId: id, Statement: " \n"}},
		{"statement", &pb.ApprovePlanRequest{Name: plan, EvaluationId: id, Statement: "a\x1b[2J"}},
		{"statement", &pb.ApprovePlanRequest{Name: plan, EvaluationId: id, Statement: strings.Repeat("x", maxStatement+1)}},
	} {
		_, err := surgeon.ApprovePlan(ctx, c.in)
		wantStatus(t, err, codes.InvalidArgument, c.field)
		_, err = surgeon.WithdrawApproval(ctx, &pb.WithdrawApprovalRequest{Name: c.in.Name, EvaluationId: c.in.EvaluationId, Statement: c.in.Statement})
		wantStatus(t, err, codes.InvalidArgument, c.field)
	}
	_, err := surgeon.ApprovePlan(ctx, &pb.ApprovePlanRequest{Name: plan + "0", EvaluationId: id, Statement: "x"})
	wantStatus(t, err, codes.NotFound, "")
	_, err = surgeon.ApprovePlan(ctx, &pb.ApprovePlanRequest{Name: plan, EvaluationId: "0123", Statement: "x"})
	wantStatus(t, err, codes.FailedPrecondition, "not the one that was shown")
	_, err = surgeon.WithdrawApproval(ctx, &pb.WithdrawApprovalRequest{Name: plan, EvaluationId: id, Statement: "x"})
	wantStatus(t, err, codes.FailedPrecondition, "no approval")
	// A plan that was not evaluated, or whose evaluation must not be shown.
	p, err := pb.NewPlanServiceClient(r.conn).EditPlan(ctx, &pb.EditPlanRequest{Name: plan, Plan: &pb.Plan{DisplayName: "b", Cuts: wirePlan().Cuts}})
	must(t, err)
	_, err = surgeon.ApprovePlan(ctx, &pb.ApprovePlanRequest{Name: p.Plan.Name, EvaluationId: id, Statement: "x"})
	wantStatus(t, err, codes.FailedPrecondition, "not evaluated")
	bare := evaluationOf(p.Plan.Name, 40)
	bare.Vessels = []planner.VesselCut{{System: "portal", Radius: planner.Quantity{ID: "radius_mm", Value: 2}}}
	if err := r.st.PutEvaluations(ctx, bare); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a bare number is kept: %v", err)
	}
	// One that an earlier version kept is shown to nobody as approvable.
	must(t, r.st.PutEvaluations(ctx, evaluationOf(p.Plan.Name, 40)))
	b, err := json.Marshal(bare)
	must(t, err)
	must(t, r.st.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE evaluations SET json = ? WHERE plan_id = ?", string(b), bare.Plan)
		return err
	}))
	if e := r.evaluation(ctx, t, p.Plan.Name); e.EvaluationId != "" || e.ApprovalState != none {
		t.Errorf("a bare number can be approved: %v", e)
	}
	_, err = surgeon.ApprovePlan(ctx, &pb.ApprovePlanRequest{Name: p.Plan.Name, EvaluationId: id, Statement: "x"})
	wantStatus(t, err, codes.FailedPrecondition, "radius_mm")
}

// A second surgeon's approval stands beside the first, and one withdrawal
// takes back both.
func TestTwoSurgeons(t *testing.T) {
	r, plan, surgeon := approvedRig(t, t.TempDir())
	ctx := testContext(t)
	second := pb.NewApprovalServiceClient(r.dial(t, issue(t, r.server.cfg.Tokens, access.Identity{Subject: "bl", Role: access.Surgeon, Person: "Dr. Bo Lind"})))
	id := r.evaluation(ctx, t, plan).EvaluationId
	for _, c := range []pb.ApprovalServiceClient{surgeon, second} {
		_, err := c.ApprovePlan(ctx, &pb.ApprovePlanRequest{Name: plan, EvaluationId: id, Statement: "Agreed."})
		must(t, err)
	}
	e := r.evaluation(ctx, t, plan)
	wantState(t, e, standing, standing, standing)
	if e.Approvals[0].ApproverName != "Dr. Ada Weiss" || e.Approvals[1].ApproverName != "Dr. Bo Lind" {
		t.Errorf("approvals %v", e.Approvals)
	}
	w, err := second.WithdrawApproval(ctx, &pb.WithdrawApprovalRequest{Name: plan, EvaluationId: id, Statement: "Not now."})
	if err != nil || len(w.Approvals) != 2 {
		t.Errorf("taken back: %v, %v", w, err)
	}
	wantState(t, r.evaluation(ctx, t, plan), takenBack, takenBack, takenBack)
}
