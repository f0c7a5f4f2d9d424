package service

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"halsted/planner"
	"halsted/planner/store"
	pb "halsted/proto/halsted/v1"
)

// index spells the path of a field in a repeated field.
func index(list string, n int, field string) string { return fmt.Sprintf("%s[%d].%s", list, n, field) }

func pageOf(size int32, token string) (store.Page, error) {
	if size < 0 {
		return store.Page{}, badField("page_size", "%d is negative", size)
	}
	return store.Page{Size: int(size), Token: token}, nil
}

func mapped[T, W any](in []T, f func(T) W) []W {
	out := make([]W, len(in))
	for n, v := range in {
		out[n] = f(v)
	}
	return out
}

type studies struct {
	pb.UnimplementedStudyServiceServer
	*Server
}

func (s studies) GetStudy(ctx context.Context, in *pb.GetStudyRequest) (*pb.GetStudyResponse, error) {
	ids, err := parseName("name", in.Name, studyPattern)
	if err != nil {
		return nil, err
	}
	st, err := s.st.Study(ctx, ids[0])
	if err != nil {
		return nil, err
	}
	return &pb.GetStudyResponse{Study: toStudy(st)}, nil
}

func (s studies) ListStudies(ctx context.Context, in *pb.ListStudiesRequest) (*pb.ListStudiesResponse, error) {
	p, err := pageOf(in.PageSize, in.PageToken)
	if err != nil {
		return nil, err
	}
	list, next, err := s.st.Studies(ctx, p)
	if err != nil {
		return nil, err
	}
	return &pb.ListStudiesResponse{Studies: mapped(list, toStudy), NextPageToken: next}, nil
}

type cases struct {
	pb.UnimplementedCaseServiceServer
	*Server
}

func (s cases) CreateCase(ctx context.Context, in *pb.CreateCaseRequest) (*pb.CreateCaseResponse, error) {
	c, err := fromCase(in.Case)
	if err != nil {
		return nil, err
	}
	if c.Masks != "" {
		if ok, err := s.st.HasBlob(c.Masks); errors.Is(err, store.ErrInvalid) {
			return nil, badField("case.masks_sha256", "is not 64 hex digits")
		} else if err != nil {
			return nil, err
		} else if !ok {
			return nil, badField("case.masks_sha256", "no such masks are stored; import them first")
		}
	}
	if err := s.st.PutCase(ctx, c); errors.Is(err, store.ErrNotFound) {
		return nil, badField("case.study", "%s is not stored; ingest it first", in.Case.Study)
	} else if err != nil {
		return nil, err
	}
	if c, err = s.st.Case(ctx, c.ID); err != nil {
		return nil, err
	}
	return &pb.CreateCaseResponse{Case: toCase(c)}, nil
}

func (s cases) GetCase(ctx context.Context, in *pb.GetCaseRequest) (*pb.GetCaseResponse, error) {
	ids, err := parseName("name", in.Name, casePattern)
	if err != nil {
		return nil, err
	}
	c, err := s.st.Case(ctx, ids[0])
	if err != nil {
		return nil, err
	}
	return &pb.GetCaseResponse{Case: toCase(c)}, nil
}

func (s cases) ListCases(ctx context.Context, in *pb.ListCasesRequest) (*pb.ListCasesResponse, error) {
	p, err := pageOf(in.PageSize, in.PageToken)
	if err != nil {
		return nil, err
	}
	list, next, err := s.st.Cases(ctx, p)
	if err != nil {
		return nil, err
	}
	return &pb.ListCasesResponse{Cases: mapped(list, toCase), NextPageToken: next}, nil
}

type plans struct {
	pb.UnimplementedPlanServiceServer
	*Server
}

func (s plans) CreatePlan(ctx context.Context, in *pb.CreatePlanRequest) (*pb.CreatePlanResponse, error) {
	ids, err := parseName("parent", in.Parent, casePattern)
	if err != nil {
		return nil, err
	}
	if in.Plan == nil {
		return nil, badField("plan", "is missing")
	}
	c, err := s.st.Case(ctx, ids[0])
	if err != nil {
		return nil, err
	}
	if in.Plan.Procedure != "" && in.Plan.Procedure != c.Procedure {
		return nil, badField("plan.procedure", "%.80q differs from the case's %q", in.Plan.Procedure, c.Procedure)
	}
	if in.Plan.ParentPlan != "" {
		return nil, badField("plan.parent_plan", "is set by EditPlan")
	}
	p := planner.Plan{Case: c.ID, Procedure: c.Procedure}
	if err := applyPlan(&p, in.Plan, planFields); err != nil {
		return nil, err
	}
	p = p.Sealed()
	if err := s.st.PutPlan(ctx, p); err != nil {
		return nil, err
	}
	return &pb.CreatePlanResponse{Plan: toPlan(p)}, nil
}

func (s plans) EditPlan(ctx context.Context, in *pb.EditPlanRequest) (*pb.EditPlanResponse, error) {
	p, err := s.plan(ctx, "name", in.Name)
	if err != nil {
		return nil, err
	}
	if in.Plan == nil {
		return nil, badField("plan", "is missing")
	}
	fields := in.UpdateMask.GetPaths()
	if len(fields) == 0 {
		fields = planFields
	}
	p.Parent = p.ID
	if err := applyPlan(&p, in.Plan, fields); err != nil {
		return nil, err
	}
	p = p.Sealed()
	if err := s.st.PutPlan(ctx, p); err != nil {
		return nil, err
	}
	return &pb.EditPlanResponse{Plan: toPlan(p)}, nil
}

func (s plans) GetPlan(ctx context.Context, in *pb.GetPlanRequest) (*pb.GetPlanResponse, error) {
	p, err := s.plan(ctx, "name", in.Name)
	if err != nil {
		return nil, err
	}
	return &pb.GetPlanResponse{Plan: toPlan(p)}, nil
}

func (s plans) ListPlans(ctx context.Context, in *pb.ListPlansRequest) (*pb.ListPlansResponse, error) {
	ids, err := parseName("parent", in.Parent, casePattern)
	if err != nil {
		return nil, err
	}
	p, err := pageOf(in.PageSize, in.PageToken)
	if err != nil {
		return nil, err
	}
	list, next, err := s.st.Plans(ctx, ids[0], p)
	if err != nil {
		return nil, err
	}
	return &pb.ListPlansResponse{Plans: mapped(list, toPlan), NextPageToken: next}, nil
}

// plan finds the plan that a field names; the case in the name must be its own.
func (s *Server) plan(ctx context.Context, field, name string) (planner.Plan, error) {
	ids, err := parseName(field, name, planPattern)
	if err != nil {
		return planner.Plan{}, err
	}
	return s.planOf(ctx, ids[0], ids[1])
}

func (s *Server) planOf(ctx context.Context, caseID, id string) (planner.Plan, error) {
	p, err := s.st.Plan(ctx, id)
	if err == nil && p.Case != caseID {
		err = fmt.Errorf("plan %q of case %q: %w", id, caseID, store.ErrNotFound)
	}
	return p, err
}

type evaluations struct {
	pb.UnimplementedEvaluationServiceServer
	*Server
}

func (s evaluations) GetEvaluation(ctx context.Context, in *pb.GetEvaluationRequest) (*pb.GetEvaluationResponse, error) {
	ids, err := parseName("name", in.Name, evaluationPattern)
	if err != nil {
		return nil, err
	}
	p, err := s.planOf(ctx, ids[0], ids[1])
	if err != nil {
		return nil, err
	}
	e, err := s.st.Evaluation(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	given, err := s.st.Approvals(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	return &pb.GetEvaluationResponse{Evaluation: toEvaluation(p, e, given)}, nil
}

func (s evaluations) ListEvaluations(ctx context.Context, in *pb.ListEvaluationsRequest) (*pb.ListEvaluationsResponse, error) {
	ids, err := parseName("parent", in.Parent, casePattern)
	if err != nil {
		return nil, err
	}
	p, err := pageOf(in.PageSize, in.PageToken)
	if err != nil {
		return nil, err
	}
	list, next, err := s.st.Evaluations(ctx, ids[0], p)
	if err != nil {
		return nil, err
	}
	var of []planner.Plan
	for _, e := range list {
		pl, err := s.st.Plan(ctx, e.Plan)
		if err != nil {
			return nil, err
		}
		of = append(of, pl)
	}
	wire, err := s.evaluations(ctx, of, list)
	if err != nil {
		return nil, err
	}
	return &pb.ListEvaluationsResponse{Evaluations: wire, NextPageToken: next}, nil
}

// evaluations adds to evaluations what was given for their plans.
func (s *Server) evaluations(ctx context.Context, plans []planner.Plan, list []planner.Evaluation) ([]*pb.Evaluation, error) {
	var out []*pb.Evaluation
	for _, e := range list {
		n := slices.IndexFunc(plans, func(p planner.Plan) bool { return p.ID == e.Plan })
		if n < 0 {
			return nil, fmt.Errorf("plan %q of an evaluation: %w", e.Plan, store.ErrNotFound)
		}
		given, err := s.st.Approvals(ctx, e.Plan)
		if err != nil {
			return nil, err
		}
		out = append(out, toEvaluation(plans[n], e, given))
	}
	return out, nil
}
