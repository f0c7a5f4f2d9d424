package service

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"halsted/planner"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Proposer searches at most the given number of plans for a case and stores
// them with their evaluations, best first. It returns soon after ctx is done,
// calls progress (0 to 1 of a stage) only before it returns, and its errors are
// for people: one sentence without identity.
type Proposer interface {
	Propose(ctx context.Context, caseID string, most int, progress func(stage string, done float64)) ([]planner.Plan, error)
}

// refusal is an error of the Proposer: what is wrong with the case, in a
// sentence for people.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

const (
	defaultPlans  = 2
	maxPlans      = 16
	progressEvery = 100 * time.Millisecond
)

// ProposePlans runs one search at a time; others wait for their turn.
func (s plans) ProposePlans(in *pb.ProposePlansRequest, out grpc.ServerStreamingServer[pb.ProposePlansResponse]) error {
	if s.cfg.Proposer == nil {
		return status.Error(codes.Unimplemented, "this service does not search plans; create them")
	}
	ids, err := parseName("parent", in.Parent, casePattern)
	if err != nil {
		return err
	}
	most := int(in.MaxPlans)
	if most == 0 {
		most = defaultPlans
	}
	if most < 1 || most > maxPlans {
		return badField("max_plans", "%d is not 1 to %d", most, maxPlans)
	}
	ctx, stop := s.stoppable(out.Context())
	defer stop()
	if _, err := s.st.Case(ctx, ids[0]); err != nil {
		return err
	}
	select {
	case s.search <- struct{}{}:
		defer func() { <-s.search }()
	case <-ctx.Done():
		return s.whyDone(ctx)
	}
	found, err := s.propose(ctx, ids[0], most, func(p *pb.ProposeProgress) error {
		return out.Send(&pb.ProposePlansResponse{Event: &pb.ProposePlansResponse_Progress{Progress: p}})
	})
	if ctx.Err() != nil {
		return s.whyDone(ctx)
	}
	if err != nil {
		return err
	}
	return out.Send(&pb.ProposePlansResponse{Event: &pb.ProposePlansResponse_Proposed{Proposed: &pb.ProposedPlans{Plans: mapped(found, toPlan)}}})
}

// propose runs the search beside a loop that sends its newest progress at a
// bounded rate, and waits for both.
func (s *Server) propose(ctx context.Context, caseID string, most int, send func(*pb.ProposeProgress) error) ([]planner.Plan, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu     sync.Mutex // guards newest
		newest *pb.ProposeProgress
		found  []planner.Plan
		ferr   error
	)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				s.log.Error("proposer panicked", "case", caseID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				ferr = status.Error(codes.Internal, "internal error; the service's log has the details")
			}
		}()
		found, ferr = s.cfg.Proposer.Propose(ctx, caseID, most, func(stage string, done float64) {
			mu.Lock()
			defer mu.Unlock()
			if !(done >= 0) {
				done = 0
			}
			newest = &pb.ProposeProgress{Stage: stage, Done: min(done, 1)}
		})
		if ferr != nil {
			ferr = &refusal{ferr}
		}
	}()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return found, ferr
		case <-tick.C:
		}
		mu.Lock()
		p := newest
		newest = nil
		mu.Unlock()
		if p == nil {
			continue
		}
		if err := send(p); err != nil {
			cancel()
			<-done
			return nil, err
		}
	}
}
