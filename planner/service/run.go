package service

import (
	"context"
	"fmt"
	"strings"

	"halsted/planner"
	"halsted/planner/jobs"
	"halsted/planner/store"
	pb "halsted/proto/halsted/v1"
)

type runs struct {
	pb.UnimplementedRunServiceServer
	*Server
}

func (s runs) CreateRun(ctx context.Context, in *pb.CreateRunRequest) (*pb.CreateRunResponse, error) {
	if err := checkRequestID(in.RequestId); err != nil {
		return nil, err
	}
	p, err := s.plan(ctx, "parent", in.Parent)
	if err != nil {
		return nil, err
	}
	id := planner.ContentID("run", []string{p.ID, s.cfg.Build, in.RequestId})
	r, err := s.queue.Submit(ctx, jobs.Job{ID: id, Case: p.Case, Plan: p.ID})
	if err != nil {
		return nil, err
	}
	return &pb.CreateRunResponse{Run: toRun(r)}, nil
}

func checkRequestID(id string) error {
	ok := len(id) >= 1 && len(id) <= 64
	for _, c := range []byte(id) {
		ok = ok && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("._-", c) >= 0)
	}
	if !ok {
		return badField("request_id", "%.80q is not 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'", id)
	}
	return nil
}

func (s runs) GetRun(ctx context.Context, in *pb.GetRunRequest) (*pb.GetRunResponse, error) {
	r, err := s.run(ctx, "name", in.Name)
	if err != nil {
		return nil, err
	}
	return &pb.GetRunResponse{Run: toRun(r)}, nil
}

func (s runs) ListRuns(ctx context.Context, in *pb.ListRunsRequest) (*pb.ListRunsResponse, error) {
	caseID, planID := "", ""
	if parent, ok := strings.CutSuffix(in.Parent, "/plans/-"); ok {
		ids, err := parseName("parent", parent, casePattern)
		if err != nil {
			return nil, err
		}
		caseID = ids[0]
	} else {
		ids, err := parseName("parent", in.Parent, planPattern)
		if err != nil {
			return nil, err
		}
		caseID, planID = ids[0], ids[1]
	}
	p, err := pageOf(in.PageSize, in.PageToken)
	if err != nil {
		return nil, err
	}
	list, next, err := s.st.Runs(ctx, caseID, planID, p)
	if err != nil {
		return nil, err
	}
	return &pb.ListRunsResponse{Runs: mapped(list, toRun), NextPageToken: next}, nil
}

func (s runs) CancelRun(ctx context.Context, in *pb.CancelRunRequest) (*pb.CancelRunResponse, error) {
	r, err := s.run(ctx, "name", in.Name)
	if err != nil {
		return nil, err
	}
	if r, err = s.queue.Cancel(ctx, r.ID); err != nil {
		return nil, err
	}
	return &pb.CancelRunResponse{Run: toRun(r)}, nil
}

// run finds the run that a field names; case and plan must be its own.
func (s *Server) run(ctx context.Context, field, name string) (planner.Run, error) {
	ids, err := parseName(field, name, runPattern)
	if err != nil {
		return planner.Run{}, err
	}
	r, err := s.st.Run(ctx, ids[2])
	if err == nil && (r.Case != ids[0] || r.Plan != ids[1]) {
		err = fmt.Errorf("run %q of plan %q: %w", ids[2], ids[1], store.ErrNotFound)
	}
	return r, err
}
