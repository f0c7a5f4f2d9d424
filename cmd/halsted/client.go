package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"halsted/internal/access"
	"halsted/planner"
	pb "halsted/proto/halsted/v1"
	"halsted/viewer/feed"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// client speaks to a planning service.
type client struct{ conn *grpc.ClientConn }

// dialClient connects to the server of this process with its token file, as a
// client elsewhere would.
func dialClient(s *server) (*client, error) { return connect(s.API.String(), s.Token) }

// connect prepares a client of the service at host:port with the token of a
// file.
func connect(api, tokenFile string) (*client, error) {
	token, err := access.ReadToken(tokenFile)
	if err != nil {
		return nil, refusedError{err}
	}
	conn, err := feed.Dial(api, token, nil)
	if err != nil {
		return nil, refusedError{err}
	}
	return &client{conn}, nil
}

// link is where a command finds the service.
type link struct{ server, token string }

func (l *link) register(fs *flag.FlagSet, server, what, token string) {
	fs.StringVar(&l.server, "server", server, what)
	fs.StringVar(&l.token, "token-file", "", token)
}

func (c *client) close() { _ = c.conn.Close() }

// said strips the wire from an error: what the service said, or the context's
// own error.
func said(err error) error {
	if err == nil {
		return nil
	}
	st, ok := status.FromError(err)
	switch {
	case !ok:
		return err
	case st.Code() == codes.Canceled:
		return context.Canceled
	}
	switch st.Code() {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.NotFound, codes.PermissionDenied, codes.Unauthenticated:
		return refusedError{errors.New(st.Message())}
	}
	return errors.New(st.Message())
}

// study is the newest study of the service; the demo's has one.
func (c *client) study(ctx context.Context) (string, error) {
	r, err := pb.NewStudyServiceClient(c.conn).ListStudies(ctx, &pb.ListStudiesRequest{})
	if err != nil {
		return "", said(err)
	}
	if len(r.Studies) != 1 {
		return "", fmt.Errorf("the service has %d studies, expected the one just sent", len(r.Studies))
	}
	return r.Studies[0].Name, nil
}

func (c *client) createCase(ctx context.Context, study string, f caseFlags) (string, error) {
	in := &pb.Case{Study: study, Procedure: "liver.resection", Condition: f.condition}
	for _, s := range f.seeds {
		in.Seeds = append(in.Seeds, &pb.Seed{Label: &pb.StructureLabel{Id: s.Label.String()}, Point: &pb.Point{XMm: s.LPS.X, YMm: s.LPS.Y, ZMm: s.LPS.Z}})
	}
	r, err := pb.NewCaseServiceClient(c.conn).CreateCase(ctx, &pb.CreateCaseRequest{Case: in})
	if err != nil {
		return "", said(err)
	}
	return r.Case.Name, nil
}

// propose lets the service search two plans; it returns their names.
func (c *client) propose(ctx context.Context, kase string, progress func(string, float64)) ([]string, error) {
	stream, err := pb.NewPlanServiceClient(c.conn).ProposePlans(ctx, &pb.ProposePlansRequest{Parent: kase, MaxPlans: 2})
	if err != nil {
		return nil, said(err)
	}
	var names []string
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, said(err)
		}
		switch e := r.Event.(type) {
		case *pb.ProposePlansResponse_Progress:
			progress(e.Progress.Stage, e.Progress.Done)
		case *pb.ProposePlansResponse_Proposed:
			for _, p := range e.Proposed.Plans {
				names = append(names, p.Name)
			}
		}
	}
}

func (c *client) run(ctx context.Context, plan string) (string, error) {
	r, err := pb.NewRunServiceClient(c.conn).CreateRun(ctx, &pb.CreateRunRequest{Parent: plan, RequestId: "demo"})
	if err != nil {
		return "", said(err)
	}
	return r.Run.Name, nil
}

const progressPoll = 250 * time.Millisecond

// watchProgress reports a run's stage until done is closed.
func (c *client) watchProgress(ctx context.Context, run string, done <-chan struct{}, progress func(string, float64)) {
	t := time.NewTicker(progressPoll)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-t.C:
			r, err := pb.NewRunServiceClient(c.conn).GetRun(ctx, &pb.GetRunRequest{Name: run})
			if err == nil && r.Run.Stage != "" {
				progress("simulate", r.Run.Progress)
			}
		}
	}
}

// evaluations fetches the ranked evaluations of a case that were simulated.
func (c *client) evaluations(ctx context.Context, kase string) ([]planner.Evaluation, error) {
	var out []planner.Evaluation
	in := &pb.ListEvaluationsRequest{Parent: kase}
	for {
		r, err := pb.NewEvaluationServiceClient(c.conn).ListEvaluations(ctx, in)
		if err != nil {
			return nil, said(err)
		}
		for _, e := range r.Evaluations {
			out = append(out, fromWire(e))
		}
		if r.NextPageToken == "" {
			return out, nil
		}
		in.PageToken = r.NextPageToken
	}
}

func evidence(v pb.Evidence) planner.Evidence {
	return planner.Evidence(v - pb.Evidence_EVIDENCE_COMPUTED)
}

// quantity reads a quantity off the wire.
func quantity(q *pb.Quantity) planner.Quantity {
	out := planner.Quantity{ID: q.GetId(), Label: q.GetLabel(), Value: q.GetValue(), Unit: q.GetUnit(), Basis: q.GetBasis(), Evidence: evidence(q.GetEvidence()), Flags: q.GetFlags()}
	if s := q.GetSpread(); s != nil {
		out.Spread = &planner.Spread{P2_5: s.P2_5, P5: s.P5, P50: s.P50, P95: s.P95, P97_5: s.P97_5}
	}
	if v := q.GetViolation(); v != nil {
		out.Violation = &planner.Violation{Rule: v.Rule, P: v.Probability, Broken: int(v.Broken), Runs: int(v.Runs)}
	}
	if s := q.GetSolution(); s != nil {
		out.Solution = &planner.Solution{Residual: s.Residual, MeshError: s.MeshError}
	}
	return out
}

// vetoes reads vetoes off the wire.
func vetoes(list []*pb.Veto) (out []planner.Veto) {
	for _, v := range list {
		out = append(out, planner.Veto{Rule: v.Rule, Text: v.Text, Have: quantity(v.Have),
			Want: planner.Limit{Operator: v.Want.GetOperator(), Value: v.Want.GetValue(), Unit: v.Want.GetUnit(), Source: v.Want.GetSource(), Evidence: evidence(v.Want.GetEvidence())}})
	}
	return out
}

// fromWire reads an evaluation off the wire.
func fromWire(m *pb.Evaluation) planner.Evaluation {
	e := planner.Evaluation{Plan: m.Plan[strings.LastIndexByte(m.Plan, '/')+1:], Rank: int(m.Rank), Reasons: m.Reasons, Warnings: m.Warnings}
	e.Vetoes = vetoes(m.Vetoes)
	for _, q := range m.Quantities {
		e.Quantities = append(e.Quantities, quantity(q))
	}
	for _, v := range m.VesselsCut {
		c := planner.VesselCut{System: v.System, Name: v.VesselName, Radius: quantity(v.Radius), At: [3]float64{v.At.GetXMm(), v.At.GetYMm(), v.At.GetZMm()}}
		if v.Flow != nil {
			f := quantity(v.Flow)
			c.Flow = &f
		}
		e.Vessels = append(e.Vessels, c)
	}
	return e
}
