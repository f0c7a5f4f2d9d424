package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"halsted/internal/access"
	"halsted/planner"
	"halsted/planner/store"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/protobuf/types/known/timestamppb"
)

type approvals struct {
	pb.UnimplementedApprovalServiceServer
	*Server
}

// maxStatement bounds what a person may write, in bytes.
const maxStatement = 4096

// approvalRequest is what both calls ask for.
type approvalRequest interface {
	GetName() string
	GetEvaluationId() string
	GetStatement() string
}

// checked finds who calls, the plan and what was written about it.
func (s approvals) checked(ctx context.Context, in approvalRequest) (by planner.Approver, p planner.Plan, statement string, err error) {
	// The caller is who the token says; nothing in the request can change it.
	id, err := access.RequirePerson(ctx, access.Approve)
	if err != nil {
		return by, p, "", err
	}
	by = planner.Approver{Name: id.Person, Role: string(id.Role), Kind: planner.AccountPerson}
	if p, err = s.plan(ctx, "name", in.GetName()); err != nil {
		return by, p, "", err
	}
	statement = strings.TrimSpace(in.GetStatement())
	switch {
	case in.GetEvaluationId() == "":
		err = badField("evaluation_id", "is missing: send the one that came with the evaluation that was shown")
	case store.CheckID(in.GetEvaluationId()) != nil:
		err = badField("evaluation_id", "%.80q is none", in.GetEvaluationId())
	case statement == "":
		err = badField("statement", "is missing: say why in your own words")
	case len(statement) > maxStatement:
		err = badField("statement", "has %d bytes, at most %d", len(statement), maxStatement)
	case strings.ContainsFunc(statement, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }):
		err = badField("statement", "holds a control character")
	}
	return by, p, statement, err
}

// ApprovePlan keeps the caller's approval of a plan.
func (s approvals) ApprovePlan(ctx context.Context, in *pb.ApprovePlanRequest) (*pb.ApprovePlanResponse, error) {
	by, p, statement, err := s.checked(ctx, in)
	if err != nil {
		return nil, err
	}
	e, given, err := s.evaluated(ctx, p)
	if err != nil {
		return nil, err
	}
	a, err := planner.Approve(p, e, in.EvaluationId, by, statement, time.Now())
	if err != nil {
		return nil, err
	}
	said := slices.IndexFunc(given, func(old planner.Approval) bool {
		return old.Withdraws == "" && old.By == a.By && old.Statement == a.Statement && stands(p, e, old, given)
	})
	if said >= 0 { // the call came again
		a = &given[said]
	} else if err := s.st.PutApprovals(ctx, *a); err != nil {
		return nil, err
	}
	return &pb.ApprovePlanResponse{Approval: toApproval(p, e, *a, nil)}, nil
}

// WithdrawApproval takes back what stands on an evaluation, or stood on it.
func (s approvals) WithdrawApproval(ctx context.Context, in *pb.WithdrawApprovalRequest) (*pb.WithdrawApprovalResponse, error) {
	by, p, statement, err := s.checked(ctx, in)
	if err != nil {
		return nil, err
	}
	e, given, err := s.evaluated(ctx, p)
	if err != nil {
		return nil, err
	}
	at := time.Now()
	var back, taken []planner.Approval
	for _, a := range given {
		if a.Withdraws != "" || a.Evaluation != in.EvaluationId {
			continue
		}
		if w := toApproval(p, e, a, given).Withdrawal; w != nil {
			if w.WithdrawerName == by.Name && w.Statement == statement { // the call came again
				taken = append(taken, a)
			}
			continue
		}
		w, err := planner.Withdraw(&a, by, statement, at)
		if err != nil {
			return nil, err
		}
		back, taken = append(back, *w), append(taken, a)
	}
	if len(taken) == 0 {
		return nil, &planner.ApprovalError{Plan: p.ID, Why: "there is no approval of that evaluation to take back"}
	}
	if err := s.st.PutApprovals(ctx, back...); err != nil {
		return nil, err
	}
	given = append(given, back...)
	return &pb.WithdrawApprovalResponse{Approvals: mapped(taken, func(a planner.Approval) *pb.Approval { return toApproval(p, e, a, given) })}, nil
}

// evaluated is a plan's evaluation, nil if there is none, and what was given.
func (s *Server) evaluated(ctx context.Context, p planner.Plan) (*planner.Evaluation, []planner.Approval, error) {
	given, err := s.st.Approvals(ctx, p.ID)
	if err != nil {
		return nil, nil, err
	}
	e, err := s.st.Evaluation(ctx, p.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, given, nil
	}
	return &e, given, err
}

func stands(p planner.Plan, e *planner.Evaluation, a planner.Approval, given []planner.Approval) bool {
	return toApproval(p, e, a, given).State == pb.ApprovalState_APPROVAL_STATE_STANDS
}

// toApprovals are the evaluation's id, where the plan stands with the
// surgeons, and all approvals of it.
func toApprovals(p planner.Plan, e *planner.Evaluation, given []planner.Approval) (id string, state pb.ApprovalState, out []*pb.Approval) {
	id, _ = planner.EvaluationID(e) // empty: Approve refuses it, and says why
	state = pb.ApprovalState_APPROVAL_STATE_NONE
	for _, a := range given {
		if a.Withdraws == "" {
			w := toApproval(p, e, a, given)
			out = append(out, w)
			state = w.State
		}
	}
	if standing, _ := planner.Approved(p, e, given); standing != nil {
		state = pb.ApprovalState_APPROVAL_STATE_STANDS
	}
	return id, state, out
}

// toApproval says what a surgeon said and whether it holds: planner.Approved
// asked about this one.
func toApproval(p planner.Plan, e *planner.Evaluation, a planner.Approval, given []planner.Approval) *pb.Approval {
	m := &pb.Approval{
		Name: approvalName(p.Case, p.ID, a.ID), EvaluationId: a.Evaluation, ApproverName: a.By, Statement: a.Statement, BrokenRules: a.Broken,
		ApproveTime: timestamppb.New(a.At), State: pb.ApprovalState_APPROVAL_STATE_STANDS,
	}
	list := []planner.Approval{a}
	for _, w := range given {
		if w.Withdraws == a.ID {
			list = append(list, w)
		}
	}
	stands, err := planner.Approved(p, e, list)
	if stands != nil {
		return m
	}
	m.State, m.VoidReason = pb.ApprovalState_APPROVAL_STATE_VOID, fmt.Sprint(err)
	if why, ok := errors.AsType[*planner.ApprovalError](err); ok {
		m.VoidReason = why.Why
	}
	if len(list) > 1 {
		w := list[1]
		m.State = pb.ApprovalState_APPROVAL_STATE_WITHDRAWN
		m.Withdrawal = &pb.Withdrawal{Name: approvalName(p.Case, p.ID, w.ID), WithdrawerName: w.By, Statement: w.Statement, WithdrawTime: timestamppb.New(w.At)}
	}
	return m
}
