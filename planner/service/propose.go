package service

import (
	"context"
	"fmt"
	"runtime/debug"
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
	release, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer release()
	var news news
	var found []planner.Plan
	err = s.beside(ctx, ids[0], func(ctx context.Context) (err error) {
		found, err = s.cfg.Proposer.Propose(ctx, ids[0], most, news.progress)
		return err
	}, func() error {
		p, _ := news.take()
		if p == nil {
			return nil
		}
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

// turn waits until no other search is under way.
func (s *Server) turn(ctx context.Context) (release func(), err error) {
	select {
	case s.search <- struct{}{}:
		return func() { <-s.search }, nil
	case <-ctx.Done():
		return nil, s.whyDone(ctx)
	}
}

// beside does work beside a loop that sends its news at a bounded rate, and
// waits for both. What work returns is a refusal for people.
func (s *Server) beside(ctx context.Context, caseID string, work func(context.Context) error, send func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var werr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				s.log.Error("search panicked", "case", caseID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				werr = status.Error(codes.Internal, "internal error; the service's log has the details")
			}
		}()
		if err := work(ctx); err != nil {
			werr = &refusal{err}
		}
	}()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			if werr != nil {
				return werr
			}
			return send() // what came after the last tick
		case <-tick.C:
		}
		if err := send(); err != nil {
			cancel()
			<-done
			return err
		}
	}
}
