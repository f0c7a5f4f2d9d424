package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"reflect"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// backend is what the contract below asks of any store.
type backend interface {
	PutBlob(context.Context, io.Reader) (string, int64, error)
	ReadBlob(context.Context, string, int64) ([]byte, error)
	HasBlob(string) (bool, error)
	PutStudy(context.Context, planner.Study) error
	Study(context.Context, string) (planner.Study, error)
	Studies(context.Context, Page) ([]planner.Study, string, error)
	PutCase(context.Context, planner.Case) error
	SetCaseResult(ctx context.Context, id, labels, surface string) error
	Case(context.Context, string) (planner.Case, error)
	Cases(context.Context, Page) ([]planner.Case, string, error)
	PutPlan(context.Context, planner.Plan) error
	Plan(context.Context, string) (planner.Plan, error)
	Plans(context.Context, string, Page) ([]planner.Plan, string, error)
	PutEvaluations(context.Context, ...planner.Evaluation) error
	Evaluation(context.Context, string) (planner.Evaluation, error)
	Evaluations(context.Context, string, Page) ([]planner.Evaluation, string, error)
	PutApprovals(context.Context, ...planner.Approval) error
	Approvals(ctx context.Context, planID string) ([]planner.Approval, error)
	CreateRun(context.Context, planner.Run) (planner.Run, bool, error)
	UpdateRun(context.Context, string, func(*planner.Run) error) (planner.Run, error)
	BeginEpoch(context.Context, string) (planner.Run, error)
	Run(context.Context, string) (planner.Run, error)
	Runs(ctx context.Context, caseID, planID string, p Page) ([]planner.Run, string, error)
	AppendFrames(context.Context, string, uint64, []planner.DisplayFrame) error
	Frames(ctx context.Context, run string, epoch, afterSeq uint64) iter.Seq2[*planner.DisplayFrame, error]
	PutTopology(context.Context, *planner.Topology) (string, error)
	Topology(context.Context, string) (*planner.Topology, error)
	Close() error
}

var _ backend = (*Store)(nil)

func TestContract(t *testing.T) {
	contract(t, func(t *testing.T, dir string) backend {
		s, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// contract is what every backend must do; open opens the one kept in dir,
// again after a Close.
func contract(t *testing.T, open func(t *testing.T, dir string) backend) {
	for _, c := range []struct {
		name string
		f    func(*testing.T, backend)
	}{
		{"blobs", blobContract},
		{"catalogue", catalogueContract},
		{"runs", runContract},
		{"frames", frameContract},
		{"topologies", topologyContract},
		{"evaluations", evaluationContract},
		{"approvals", approvalContract},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, t.TempDir())
			defer s.Close()
			c.f(t, s)
		})
	}
	t.Run("survives closing", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		run := newRun(t, s, "r1")
		want := testFrames(1, 3, 50)
		must(t, s.AppendFrames(t.Context(), run.ID, 1, want))
		p, err := s.Plan(t.Context(), run.Plan)
		must(t, err)
		given := testApprovals(t, p)
		must(t, s.PutApprovals(t.Context(), given...))
		must(t, s.Close())
		s = open(t, dir)
		defer s.Close()
		if got := collect(t, s.Frames(t.Context(), run.ID, 1, 0)); !reflect.DeepEqual(got, want) {
			t.Error("frames changed over a restart")
		}
		again, err := s.Run(t.Context(), run.ID)
		must(t, err)
		if again.LastSeq != 3 || again.Epoch != 1 || !again.Created.Equal(run.Created) {
			t.Errorf("run came back as %+v", again)
		}
		if kept, err := s.Approvals(t.Context(), run.Plan); err != nil || !reflect.DeepEqual(kept, given) {
			t.Errorf("approvals came back as %v, %v", kept, err)
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, target error, words ...string) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error %v, want %v", err, target)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

func testCase(study string) planner.Case {
	return planner.Case{
		Study: study, Procedure: "liver.resection", Condition: "normal",
		Seeds: []planner.Seed{{Label: imaging.LabelLiver, LPS: r3.Vec{X: 0.1, Y: -20, Z: 1.0 / 3}}},
	}.Sealed()
}

func testPlan(caseID string, n float64) planner.Plan {
	return planner.Plan{
		Case: caseID, Procedure: "liver.resection", Name: fmt.Sprintf("plan %g", n), RetractionMM: 30,
		Cuts: []planner.Plane{{Point: r3.Vec{X: n, Y: math.Pi, Z: -1e-300}, Normal: r3.Vec{Z: 1}}},
	}.Sealed()
}

func newPlan(t *testing.T, s backend) planner.Plan {
	t.Helper()
	must(t, s.PutStudy(t.Context(), planner.Study{ID: "s1", Modality: "CT", Kind: "HU", Size: [3]int{512, 512, 120}, Spacing: [3]float64{0.7, 0.7, 2.5}}))
	c := testCase("s1")
	must(t, s.PutCase(t.Context(), c))
	p := testPlan(c.ID, 1)
	must(t, s.PutPlan(t.Context(), p))
	return p
}

// newRun makes a run in its first epoch.
func newRun(t *testing.T, s backend, id string) planner.Run {
	t.Helper()
	p := newPlan(t, s)
	_, _, err := s.CreateRun(t.Context(), planner.Run{ID: id, Case: p.Case, Plan: p.ID, State: planner.RunQueued})
	must(t, err)
	r, err := s.BeginEpoch(t.Context(), id)
	must(t, err)
	return r
}

// testFrames makes frames 1 to n of an epoch, with numbers that float32 or a
// text form would spoil.
func testFrames(epoch uint64, n, vertices int) []planner.DisplayFrame {
	out := make([]planner.DisplayFrame, n)
	for k := range out {
		f := planner.DisplayFrame{Epoch: epoch, Seq: uint64(k + 1), SimTimeS: float64(k) / 3, Pos: make([]r3.Vec, vertices)}
		mises, u := make([]float32, vertices), make([]float32, vertices)
		for i := range f.Pos {
			x := float64(i+1) * math.Sqrt(float64(k+2))
			f.Pos[i] = r3.Vec{X: x, Y: -x / 7, Z: 1e-9 * x}
			mises[i], u[i] = float32(x)/3, float32(k)
		}
		e := float64(k) / 7
		f.Fields = []planner.Field{
			{ID: "von_mises", Unit: "kPa", Values: mises, Quality: &planner.FieldQuality{Residual: 1e-9 / 3, Error: &e, Evidence: planner.EvidenceUnverified}},
			{ID: "displacement", Unit: "mm", Values: u, Quality: &planner.FieldQuality{}},
		}
		if k%2 == 1 {
			f.Fields[1].Quality = nil // of one frame alone
		}
		out[k] = f
	}
	return out
}

func collect(t testing.TB, seq iter.Seq2[*planner.DisplayFrame, error]) []planner.DisplayFrame {
	t.Helper()
	var out []planner.DisplayFrame
	for f, err := range seq {
		must(t, err)
		out = append(out, *f)
	}
	return out
}
