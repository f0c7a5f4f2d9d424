package service

import (
	"context"
	"sync"

	"halsted/planner"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// DecideRequest is what is asked of a Decider; zero values are its choice.
type DecideRequest struct {
	Case   string
	Level  *planner.Level
	Method string // "random", "latin-hypercube", "sobol", "chaos"; empty: its choice
	Runs   int
	Shown  int
	Seed   uint64
}

// Watching is told of a decision under way, from any goroutine, only before
// Decide returns.
type Watching struct {
	Progress func(stage string, done float64) // done from 0 to 1 of the stage
	Band     func(plan string, done, total, failed int, quantities []planner.Quantity)
}

// Decider searches, quantifies and ranks the plans of a case and stores them
// with their evaluations. It returns soon after ctx is done; its errors are
// for people: one sentence without identity.
type Decider interface {
	Decide(ctx context.Context, r DecideRequest, w Watching) (*planner.Decision, error)
}

type decisions struct {
	pb.UnimplementedDecisionServiceServer
	*Server
}

var methodNames = map[pb.SamplingMethod]string{
	pb.SamplingMethod_SAMPLING_METHOD_UNSPECIFIED:     "",
	pb.SamplingMethod_SAMPLING_METHOD_RANDOM:          "random",
	pb.SamplingMethod_SAMPLING_METHOD_LATIN_HYPERCUBE: "latin-hypercube",
	pb.SamplingMethod_SAMPLING_METHOD_SOBOL:           "sobol",
	pb.SamplingMethod_SAMPLING_METHOD_CHAOS:           "chaos",
}

const maxSamples = 10000

func fromDecide(in *pb.DecideRequest) (r DecideRequest, err error) {
	ids, err := parseName("parent", in.Parent, casePattern)
	if err != nil {
		return r, err
	}
	method, known := methodNames[in.Method]
	switch {
	case !known:
		return r, badField("method", "%d is none", in.Method)
	case in.Level < 0 || int(in.Level) > int(planner.L2)+1:
		return r, badField("level", "%d is none", in.Level)
	case in.Runs < 0 || in.Runs > maxSamples:
		return r, badField("runs", "%d is not 0 to %d", in.Runs, maxSamples)
	case in.MaxPlans < 0 || in.MaxPlans > maxPlans:
		return r, badField("max_plans", "%d is not 0 to %d", in.MaxPlans, maxPlans)
	}
	r = DecideRequest{Case: ids[0], Method: method, Runs: int(in.Runs), Shown: int(in.MaxPlans), Seed: in.RandomSeed}
	if in.Level != pb.SimulationLevel_SIMULATION_LEVEL_UNSPECIFIED {
		l := planner.Level(in.Level - pb.SimulationLevel_SIMULATION_LEVEL_GEOMETRY)
		r.Level = &l
	}
	return r, nil
}

// Decide runs one decision at a time; others wait for their turn.
func (s decisions) Decide(in *pb.DecideRequest, out grpc.ServerStreamingServer[pb.DecideResponse]) error {
	if s.cfg.Decider == nil {
		return status.Error(codes.Unimplemented, "this service does not decide; create plans and runs")
	}
	r, err := fromDecide(in)
	if err != nil {
		return err
	}
	ctx, stop := s.stoppable(out.Context())
	defer stop()
	if _, err := s.st.Case(ctx, r.Case); err != nil {
		return err
	}
	release, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer release()
	var news news
	var found *planner.Decision
	err = s.beside(ctx, r.Case, func(ctx context.Context) (err error) {
		found, err = s.cfg.Decider.Decide(ctx, r, Watching{Progress: news.progress, Band: func(plan string, done, total, failed int, qs []planner.Quantity) {
			news.band(&pb.Band{Plan: planName(r.Case, plan), DoneCount: uint32(done), TotalCount: uint32(total), FailedCount: uint32(failed), Quantities: mapped(qs, toQuantity)})
		}})
		return err
	}, func() error {
		p, bands := news.take()
		if p != nil {
			if err := out.Send(&pb.DecideResponse{Event: &pb.DecideResponse_Progress{Progress: p}}); err != nil {
				return err
			}
		}
		for _, b := range bands {
			if err := out.Send(&pb.DecideResponse{Event: &pb.DecideResponse_Band{Band: b}}); err != nil {
				return err
			}
		}
		return nil
	})
	if ctx.Err() != nil {
		return s.whyDone(ctx)
	}
	if err != nil {
		return err
	}
	evals, err := s.evaluations(ctx, found.Plans, found.Evaluations)
	if err != nil {
		return err
	}
	return out.Send(&pb.DecideResponse{Event: &pb.DecideResponse_Decision{Decision: toDecision(found, evals)}})
}

// news keeps the newest progress and the newest band of each plan until they
// are sent.
type news struct {
	mu     sync.Mutex // guards the rest
	newest *pb.ProposeProgress
	bands  []*pb.Band
}

func (n *news) progress(stage string, done float64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !(done >= 0) {
		done = 0
	}
	n.newest = &pb.ProposeProgress{Stage: stage, Done: min(done, 1)}
}

func (n *news) band(b *pb.Band) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for m, old := range n.bands {
		if old.Plan == b.Plan {
			n.bands[m] = b
			return
		}
	}
	n.bands = append(n.bands, b)
}

func (n *news) take() (*pb.ProposeProgress, []*pb.Band) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, b := n.newest, n.bands
	n.newest, n.bands = nil, nil
	return p, b
}

// toDecision takes the decision's evaluations as they are sent.
func toDecision(d *planner.Decision, evals []*pb.Evaluation) *pb.Decision {
	id := d.Case.ID
	plan := func(p planner.Plan) *pb.Plan { return toPlan(p) }
	named := func(p string) string {
		if p == "" {
			return ""
		}
		return planName(id, p)
	}
	m := &pb.Decision{
		Parent: caseName(id), Procedure: d.Procedure, RulePack: d.RulePack, SearchedCount: uint32(d.Searched), FeasibleCount: uint32(d.Feasible),
		Plans: mapped(d.Plans, plan), Evaluations: evals,
		KneePlan: named(d.Knee), KneeText: d.KneeText, Lost: d.Lost, Method: d.Method, Notice: planner.Notice,
	}
	for _, w := range d.WhyNot {
		m.WhyNot = append(m.WhyNot, &pb.WhyNot{Plan: toPlan(w.Plan), Text: w.Text, Vetoes: mapped(w.Vetoes, toVeto)})
	}
	for _, c := range d.Contingencies {
		m.Contingencies = append(m.Contingencies, &pb.Contingency{Plan: named(c.Plan), Assumption: c.If, ThenPlan: named(c.Then), Text: c.Text, Holds: c.Holds})
	}
	for _, f := range d.Flags {
		m.Flags = append(m.Flags, &pb.DomainFlag{Id: f.ID, Text: f.Text, Touches: f.Touches})
	}
	return m
}
