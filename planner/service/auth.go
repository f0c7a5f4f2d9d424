package service

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"halsted/internal/access"
	"halsted/planner/jobs"
	"halsted/planner/store"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Config of a server.
type Config struct {
	Store  *store.Store
	Queue  *jobs.Queue
	Tokens *access.Tokens // who may call
	// Proposer searches plans; nil: ProposePlans is not offered.
	Proposer Proposer
	// Decider quantifies and ranks them; nil: Decide is not offered.
	Decider Decider
	// Hosts are the names by which the service may be called; empty:
	// access.LocalHosts.
	Hosts []string
	// Origins are the web origins whose pages may call; empty: only pages that
	// come from the service itself.
	Origins []string
	// Trail gets a line for each call that changes something; nil: no trail.
	Trail *access.Trail
	// Build is the version of the solver. It is part of a run's identity, so
	// that a request repeated after an upgrade is another run.
	Build string
	Log   *slog.Logger // nil: no log
}

// Validate names a missing field.
func (c Config) Validate() error {
	switch {
	case c.Store == nil:
		return errors.New("service: Config.Store is missing")
	case c.Queue == nil:
		return errors.New("service: Config.Queue is missing")
	case c.Tokens == nil:
		return errors.New("service: Config.Tokens is missing: without it nobody could call")
	case c.Build == "":
		return errors.New("service: Config.Build is missing: runs of different solvers would be taken for one")
	}
	return nil
}

// actions says what a caller must be allowed to do; a method that is missing
// here is refused. A test checks that none is.
var actions = map[string]access.Action{
	pb.StudyService_GetStudy_FullMethodName:             access.Read,
	pb.StudyService_ListStudies_FullMethodName:          access.Read,
	pb.CaseService_CreateCase_FullMethodName:            access.Edit,
	pb.CaseService_GetCase_FullMethodName:               access.Read,
	pb.CaseService_ListCases_FullMethodName:             access.Read,
	pb.PlanService_CreatePlan_FullMethodName:            access.Edit,
	pb.PlanService_EditPlan_FullMethodName:              access.Edit,
	pb.PlanService_GetPlan_FullMethodName:               access.Read,
	pb.PlanService_ListPlans_FullMethodName:             access.Read,
	pb.PlanService_ProposePlans_FullMethodName:          access.Edit,
	pb.DecisionService_Decide_FullMethodName:            access.Edit,
	pb.RunService_CreateRun_FullMethodName:              access.Run,
	pb.RunService_GetRun_FullMethodName:                 access.Read,
	pb.RunService_ListRuns_FullMethodName:               access.Read,
	pb.RunService_CancelRun_FullMethodName:              access.Run,
	pb.EvaluationService_GetEvaluation_FullMethodName:   access.Read,
	pb.EvaluationService_ListEvaluations_FullMethodName: access.Read,
	pb.ApprovalService_ApprovePlan_FullMethodName:       access.Approve,
	pb.ApprovalService_WithdrawApproval_FullMethodName:  access.Approve,
	pb.FrameService_WatchFrames_FullMethodName:          access.Read,
	pb.FrameService_GetTopology_FullMethodName:          access.Read,
	healthpb.Health_Check_FullMethodName:                access.Read,
	healthpb.Health_List_FullMethodName:                 access.Read,
	healthpb.Health_Watch_FullMethodName:                access.Read,
}

// guard stands before the transcoder.
func (s *Server) guard(h http.Handler) http.Handler {
	return (&access.Guard{Tokens: s.cfg.Tokens, Hosts: s.cfg.Hosts, Origins: s.cfg.Origins}).Wrap(h)
}

// authorise finds out who calls and whether they may. Behind Handler the guard
// has looked already; over plain gRPC it is done here.
func (s *Server) authorise(ctx context.Context, method string) (context.Context, error) {
	if _, ok := access.From(ctx); !ok {
		md, _ := metadata.FromIncomingContext(ctx)
		host, header := md.Get(":authority"), md.Get("authorization")
		if len(host) != 1 || !access.HostAllowed(host[0], s.cfg.Hosts) {
			return ctx, status.Error(codes.PermissionDenied, "this host name is not served here")
		}
		if len(header) != 1 {
			return ctx, access.ErrUnauthenticated
		}
		id, err := s.cfg.Tokens.Authenticate(header[0])
		if err != nil {
			return ctx, err
		}
		ctx = access.WithIdentity(ctx, id)
	}
	a, ok := actions[method]
	if !ok {
		return ctx, status.Error(codes.PermissionDenied, "no role may call this method")
	}
	return ctx, access.Require(ctx, a)
}

// record writes a call that changes something, or that was denied, to the
// trail; object is what it made or changed. A change that cannot be recorded is an error, though it was made:
// changes may be repeated without harm.
func (s *Server) record(ctx context.Context, method, object string, err error) error {
	a := actions[method]
	_, denied := errors.AsType[*access.DeniedError](err)
	denied = denied || errors.Is(err, access.ErrNoPerson)
	if _, known := access.From(ctx); s.cfg.Trail == nil || !known || a == access.Read && !denied {
		return nil
	}
	e := access.Event{Action: a, Outcome: "ok", Detail: method[1:], Object: object}
	switch {
	case denied:
		e.Outcome = "denied"
	case err != nil:
		e.Outcome = "failed"
	}
	if err := s.cfg.Trail.Append(ctx, e); err != nil {
		s.log.Error("writing the audit trail", "method", method, "error", err.Error())
		return status.Error(codes.Unavailable, "the audit trail cannot be written; the service's log has the details")
	}
	return nil
}

// objectOf is the name of what a call made or changed; for an approval that
// was not given, the plan.
func objectOf(req, resp any, err error) string {
	if a, ok := req.(approvalRequest); ok && err != nil {
		if _, err := parseName("name", a.GetName(), planPattern); err != nil {
			return "" // what a stranger wrote stays out of the trail
		}
		return a.GetName()
	}
	switch m := resp.(type) {
	case *pb.CreateCaseResponse:
		return m.GetCase().GetName()
	case *pb.CreatePlanResponse:
		return m.GetPlan().GetName()
	case *pb.EditPlanResponse:
		return m.GetPlan().GetName()
	case *pb.CreateRunResponse:
		return m.GetRun().GetName()
	case *pb.CancelRunResponse:
		return m.GetRun().GetName()
	case *pb.ApprovePlanResponse:
		return m.GetApproval().GetName()
	case *pb.WithdrawApprovalResponse:
		return strings.Join(mapped(m.GetApprovals(), func(a *pb.Approval) string { return a.GetWithdrawal().GetName() }), " ")
	}
	return ""
}
