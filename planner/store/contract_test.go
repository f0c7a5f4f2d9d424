package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
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

func blobContract(t *testing.T, s backend) {
	ctx := t.Context()
	data := bytes.Repeat([]byte("liver"), 1000)
	sum := sha256.Sum256(data)
	for range 2 { // the same bytes twice
		key, size, err := s.PutBlob(ctx, bytes.NewReader(data))
		must(t, err)
		if key != hex.EncodeToString(sum[:]) || size != 5000 {
			t.Errorf("stored as %s, %d bytes", key, size)
		}
	}
	key := hex.EncodeToString(sum[:])
	got, err := s.ReadBlob(ctx, key, 5000)
	must(t, err)
	if !bytes.Equal(got, data) {
		t.Error("other bytes came back")
	}
	if _, err := s.ReadBlob(ctx, key, 4999); err == nil {
		t.Error("a blob above the limit was read")
	}
	for _, bad := range []string{"", "../../etc/passwd", strings.ToUpper(key), key[:63], key[:63] + "/"} {
		_, err := s.ReadBlob(ctx, bad, 10)
		wantErr(t, err, ErrInvalid)
		_, err = s.HasBlob(bad)
		wantErr(t, err, ErrInvalid)
	}
	missing := strings.Repeat("0", 64)
	_, err = s.ReadBlob(ctx, missing, 10)
	wantErr(t, err, ErrNotFound, missing)
	if ok, err := s.HasBlob(missing); ok || err != nil {
		t.Errorf("a missing blob is there: %v", err)
	}
	empty, _, err := s.PutBlob(ctx, strings.NewReader(""))
	must(t, err)
	if b, err := s.ReadBlob(ctx, empty, 0); err != nil || len(b) != 0 {
		t.Errorf("empty blob: %q, %v", b, err)
	}
	broken := errors.New("line dropped")
	_, _, err = s.PutBlob(ctx, io.MultiReader(strings.NewReader("half"), errReader{broken}))
	wantErr(t, err, broken)
	half := sha256.Sum256([]byte("half"))
	if ok, _ := s.HasBlob(hex.EncodeToString(half[:])); ok {
		t.Error("half a stream was stored")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, _, err = s.PutBlob(cancelled, bytes.NewReader(data))
	wantErr(t, err, context.Canceled)
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func catalogueContract(t *testing.T, s backend) {
	ctx := t.Context()
	p := newPlan(t, s)
	newPlan(t, s) // the same again
	st, err := s.Study(ctx, "s1")
	must(t, err)
	if st.Size != [3]int{512, 512, 120} || st.Spacing[2] != 2.5 || st.Kind != "HU" {
		t.Errorf("study came back as %+v", st)
	}
	wantErr(t, s.PutStudy(ctx, planner.Study{ID: "s1", Modality: "MR"}), ErrConflict, "s1")
	wantErr(t, s.PutStudy(ctx, planner.Study{ID: "a/b"}), ErrInvalid)
	c, err := s.Case(ctx, p.Case)
	must(t, err)
	if !reflect.DeepEqual(c, testCase("s1")) {
		t.Errorf("case came back as %+v", c)
	}
	wantErr(t, s.PutCase(ctx, testCase("s2")), ErrNotFound, `study "s2"`)
	forged := testCase("s1")
	forged.Condition = "cirrhosis"
	wantErr(t, s.PutCase(ctx, forged), ErrInvalid)
	must(t, s.SetCaseResult(ctx, c.ID, "labelkey", ""))
	must(t, s.SetCaseResult(ctx, c.ID, "", "surfacehash"))
	must(t, s.PutCase(ctx, testCase("s1"))) // does not take the results away
	if c, err = s.Case(ctx, c.ID); err != nil || c.Labels != "labelkey" || c.Surface != "surfacehash" {
		t.Errorf("case results came back as %+v, %v", c, err)
	}
	wantErr(t, s.SetCaseResult(ctx, "nobody", "x", "y"), ErrNotFound)
	got, err := s.Plan(ctx, p.ID)
	must(t, err)
	if !reflect.DeepEqual(got, p) {
		t.Errorf("plan came back as %+v, want %+v", got, p)
	}
	child := p
	child.Parent, child.RetractionMM = p.ID, 20
	child = child.Sealed()
	must(t, s.PutPlan(ctx, child))
	if again, err := s.Plan(ctx, p.ID); err != nil || again.RetractionMM != 30 {
		t.Errorf("the parent changed: %+v, %v", again, err)
	}
	orphan := p
	orphan.Parent = "gone"
	wantErr(t, s.PutPlan(ctx, orphan.Sealed()), ErrNotFound, "parent")
	other := testCase("s1")
	other.Condition = "cirrhosis"
	other = other.Sealed()
	must(t, s.PutCase(ctx, other))
	stray := child
	stray.Case = other.ID
	wantErr(t, s.PutPlan(ctx, stray.Sealed()), ErrInvalid, "parent belongs")
	wantErr(t, s.PutPlan(ctx, planner.Plan{Case: c.ID}.Sealed()), ErrInvalid, "no cut")
	forgedPlan := p
	forgedPlan.RetractionMM = 1
	wantErr(t, s.PutPlan(ctx, forgedPlan), ErrInvalid, "content")
	for what, f := range map[string]func() error{
		"study": func() error { _, err := s.Study(ctx, "x"); return err },
		"case":  func() error { _, err := s.Case(ctx, "x"); return err },
		"plan":  func() error { _, err := s.Plan(ctx, "'; DROP TABLE plans; --"); return err },
		"run":   func() error { _, err := s.Run(ctx, "x"); return err },
	} {
		wantErr(t, f(), ErrNotFound, what)
	}
	pages(t, s, c.ID)
}

// pages walks 25 plans with pages of every size.
func pages(t *testing.T, s backend, caseID string) {
	ctx := t.Context()
	for n := range 23 { // and the two that are there
		must(t, s.PutPlan(ctx, testPlan(caseID, float64(100+n))))
	}
	for _, size := range []int{1, 7, 24, 25, 26, 0, 5000} {
		seen, token, last := map[string]bool{}, "", ""
		for calls := 0; ; calls++ {
			list, next, err := s.Plans(ctx, caseID, Page{size, token})
			must(t, err)
			if size > 0 && len(list) > size {
				t.Fatalf("page of %d, want at most %d", len(list), size)
			}
			for _, p := range list {
				if p.ID <= last {
					t.Fatalf("%s after %s", p.ID, last)
				}
				last = p.ID
				seen[p.ID] = true
			}
			if token = next; token == "" {
				break
			}
			if len(list) == 0 || calls > 25 {
				t.Fatal("pages do not end")
			}
		}
		if len(seen) != 25 {
			t.Errorf("pages of %d: %d plans, want 25", size, len(seen))
		}
	}
	_, _, err := s.Plans(ctx, caseID, Page{Token: "!"})
	wantErr(t, err, ErrPageToken)
	_, _, err = s.Plans(ctx, "nobody", Page{})
	wantErr(t, err, ErrNotFound)
	if list, next, err := s.Studies(ctx, Page{}); err != nil || len(list) != 1 || next != "" {
		t.Errorf("studies: %d, %q, %v", len(list), next, err)
	}
	if list, next, err := s.Cases(ctx, Page{Size: 1}); err != nil || len(list) != 1 || next == "" {
		t.Errorf("first page of cases: %d, %q, %v", len(list), next, err)
	}
}

func runContract(t *testing.T, s backend) {
	ctx := t.Context()
	p := newPlan(t, s)
	want := planner.Run{ID: "r1", Case: p.Case, Plan: p.ID, State: planner.RunQueued}
	r, created, err := s.CreateRun(ctx, want)
	must(t, err)
	if !created || r.Created.IsZero() {
		t.Errorf("new run: %+v, created %v", r, created)
	}
	again, created, err := s.CreateRun(ctx, want)
	if err != nil || created || !reflect.DeepEqual(again, r) {
		t.Errorf("the same run again: %+v, %v, %v", again, created, err)
	}
	other := testPlan(p.Case, 2)
	must(t, s.PutPlan(ctx, other))
	_, _, err = s.CreateRun(ctx, planner.Run{ID: "r1", Case: p.Case, Plan: other.ID})
	wantErr(t, err, ErrConflict)
	_, _, err = s.CreateRun(ctx, planner.Run{ID: "r2", Case: p.Case, Plan: "gone"})
	wantErr(t, err, ErrNotFound)
	_, _, err = s.CreateRun(ctx, planner.Run{ID: "r2", Case: "gone", Plan: p.ID})
	wantErr(t, err, ErrNotFound)
	_, _, err = s.CreateRun(ctx, planner.Run{ID: "../r2", Case: p.Case, Plan: p.ID})
	wantErr(t, err, ErrInvalid)

	r, err = s.UpdateRun(ctx, "r1", func(r *planner.Run) error {
		r.State, r.Progress, r.Stage, r.Topology = planner.RunRunning, 0.25, "mesh", "abc"
		r.Plan, r.LastSeq = other.ID, 99 // not for change
		return nil
	})
	must(t, err)
	if now, err := s.Run(ctx, "r1"); err != nil || !reflect.DeepEqual(now, r) || r.Plan != p.ID || r.LastSeq != 0 || r.Progress != 0.25 || r.Stage != "mesh" {
		t.Errorf("updated run: %+v, stored %+v, %v", r, now, err)
	}
	stop := errors.New("stop")
	_, err = s.UpdateRun(ctx, "r1", func(r *planner.Run) error { r.Stage = "solve"; return stop })
	wantErr(t, err, stop)
	_, err = s.UpdateRun(ctx, "r1", func(r *planner.Run) error { r.Progress = math.NaN(); return nil })
	wantErr(t, err, ErrInvalid, "progress")
	if now, err := s.Run(ctx, "r1"); err != nil || now.Stage != "mesh" || now.Progress != 0.25 {
		t.Errorf("a refused update left %+v, %v", now, err)
	}
	r, err = s.BeginEpoch(ctx, "r1")
	if err != nil || r.Epoch != 1 || r.Progress != 0 || r.Topology != "" {
		t.Errorf("new epoch: %+v, %v", r, err)
	}
	_, err = s.BeginEpoch(ctx, "nobody")
	wantErr(t, err, ErrNotFound)
	for n := range 4 {
		_, _, err = s.CreateRun(ctx, planner.Run{ID: fmt.Sprint("x", n), Case: p.Case, Plan: other.ID})
		must(t, err)
	}
	one, next, err := s.Runs(ctx, p.Case, other.ID, Page{Size: 3})
	must(t, err)
	two, end, err := s.Runs(ctx, p.Case, other.ID, Page{Size: 3, Token: next})
	if err != nil || len(one) != 3 || len(two) != 1 || two[0].ID != "x3" || end != "" {
		t.Errorf("runs of the plan: %d then %d, %v", len(one), len(two), err)
	}
	if all, _, err := s.Runs(ctx, p.Case, "", Page{}); err != nil || len(all) != 5 {
		t.Errorf("runs of the case: %d, %v", len(all), err)
	}
	_, _, err = s.Runs(ctx, "gone", p.ID, Page{})
	wantErr(t, err, ErrNotFound)
}

func frameContract(t *testing.T, s backend) {
	ctx := t.Context()
	run := newRun(t, s, "r1").ID
	want := testFrames(1, 10, 40)
	must(t, s.AppendFrames(ctx, run, 1, want[:1]))
	must(t, s.AppendFrames(ctx, run, 1, nil))
	must(t, s.AppendFrames(ctx, run, 1, want[1:6]))
	must(t, s.AppendFrames(ctx, run, 1, want[6:]))
	for after := range uint64(11) {
		if got := collect(t, s.Frames(ctx, run, 1, after)); !reflect.DeepEqual(got, want[after:]) && len(want[after:])+len(got) > 0 {
			t.Errorf("after %d: %d frames, or others", after, len(got))
		}
	}
	for _, bad := range [][]planner.DisplayFrame{
		testFrames(1, 10, 40)[9:],        // sealed already
		testFrames(1, 12, 40)[11:],       // leaves a gap
		testFrames(2, 11, 40)[10:],       // another epoch
		{{Epoch: 1, Seq: 11}, {Seq: 12}}, // mixed epochs
		{{Epoch: 1, Seq: 11}, {Epoch: 1, Seq: 13}},
	} {
		wantErr(t, s.AppendFrames(ctx, run, 1, bad), ErrConflict, run)
	}
	nan := testFrames(1, 11, 40)[10]
	nan.Pos[7].Y = math.NaN()
	wantErr(t, s.AppendFrames(ctx, run, 1, []planner.DisplayFrame{nan}), ErrInvalid, "vertex 7")
	nan = testFrames(1, 11, 40)[10]
	nan.Fields[0].Quality = &planner.FieldQuality{Residual: math.NaN()}
	wantErr(t, s.AppendFrames(ctx, run, 1, []planner.DisplayFrame{nan}), ErrInvalid, "residual")

	_, err := s.BeginEpoch(ctx, run)
	must(t, err)
	wantErr(t, s.AppendFrames(ctx, run, 1, testFrames(1, 11, 40)[10:]), ErrConflict) // a worker of the past
	second := testFrames(2, 2, 40)
	second[1] = testFrames(2, 2, 9)[1] // other shape, other fields
	second[1].Fields = second[1].Fields[:1]
	must(t, s.AppendFrames(ctx, run, 2, second))
	if got := collect(t, s.Frames(ctx, run, 2, 0)); !reflect.DeepEqual(got, second) {
		t.Error("frames of different shape changed")
	}
	if got := collect(t, s.Frames(ctx, run, 1, 4)); !reflect.DeepEqual(got, want[4:]) {
		t.Error("frames of the first epoch are gone")
	}
	for _, err := range s.Frames(ctx, "nobody", 1, 0) {
		wantErr(t, err, ErrNotFound)
	}
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	n := 0
	for _, err = range s.Frames(cancelled, run, 1, 0) {
		if err != nil {
			break
		}
		n++
		cancel()
	}
	wantErr(t, err, context.Canceled)
	if n != 1 {
		t.Errorf("%d frames before a cancelled walk ended, want 1", n)
	}
	for range s.Frames(ctx, run, 1, 0) {
		break // stopping early is allowed
	}
	// Frames sealed during the walk are walked.
	n = 0
	for f, err := range s.Frames(ctx, run, 2, 1) {
		must(t, err)
		if n++; n == 1 {
			third := testFrames(2, 3, 9)[2]
			must(t, s.AppendFrames(ctx, run, 2, []planner.DisplayFrame{third}))
		} else if f.Seq != 3 {
			t.Errorf("frame %d after 2", f.Seq)
		}
	}
	if n != 2 {
		t.Errorf("%d frames, want 2", n)
	}
}

func testTopology() *planner.Topology {
	return &planner.Topology{
		Structures: []planner.Structure{
			{Name: "remnant", Label: imaging.LabelLiver, First: 0, Count: 4, Tris: [][3]int32{{0, 2, 1}, {0, 1, 3}, {1, 2, 3}, {2, 0, 3}}},
			{Name: "tumour_1", Label: imaging.LabelTumour, First: 4, Count: 3, Tris: [][3]int32{{4, 5, 6}}},
			{Name: "empty", Label: imaging.LabelBackground, First: 7},
		},
		Rest: []r3.Vec{{}, {X: 1}, {Y: 1}, {Z: 1. / 3}, {X: -5, Y: 1e-300, Z: math.Copysign(0, -1)}, {X: 1e5}, {Z: -2}},
	}
}

func topologyContract(t *testing.T, s backend) {
	ctx := t.Context()
	want := testTopology()
	hash, err := s.PutTopology(ctx, want)
	must(t, err)
	got, err := s.Topology(ctx, hash)
	must(t, err)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("came back as %+v", got)
	}
	if b, err := s.ReadBlob(ctx, hash, 1<<20); err != nil || len(b) == 0 {
		t.Errorf("the hash is not the key of its bytes: %v", err)
	}
	bad := testTopology()
	bad.Structures[1].Tris[0][2] = 3
	_, err = s.PutTopology(ctx, bad)
	wantErr(t, err, ErrInvalid, "tumour_1")
	bad = testTopology()
	bad.Rest[2].X = math.Inf(1)
	_, err = s.PutTopology(ctx, bad)
	wantErr(t, err, ErrInvalid, "vertex 2")
	_, err = s.Topology(ctx, strings.Repeat("0", 64))
	wantErr(t, err, ErrNotFound)
	noise, _, err := s.PutBlob(ctx, strings.NewReader("not a topology"))
	must(t, err)
	if _, err = s.Topology(ctx, noise); err == nil || !strings.Contains(err.Error(), noise) {
		t.Errorf("noise read as a topology: %v", err)
	}
}

func evaluationContract(t *testing.T, s backend) {
	ctx := t.Context()
	first := newPlan(t, s)
	evals := []planner.Evaluation{{Plan: first.ID, Rank: 2}}
	for n := range 4 {
		p := testPlan(first.Case, float64(n+50))
		must(t, s.PutPlan(ctx, p))
		evals = append(evals, planner.Evaluation{Plan: p.ID, Rank: []int{1, 0, 3, 0}[n]})
	}
	evals[0].Quantities = []planner.Quantity{
		{ID: "flr_percent", Label: "Future liver remnant", Value: 41.5, Unit: "%", Spread: planner.Around(40, 41.5, 43.25), Basis: "voxel size", Evidence: planner.EvidenceComputed},
		{ID: "peak_stress", Label: "Peak stress", Value: 12, Unit: "kPa", Basis: "one run", Evidence: planner.EvidenceClassic},
	}
	evals[0].Vessels = []planner.VesselCut{{System: "portal", Radius: planner.Quantity{Value: 2.5}, At: [3]float64{1, 2, 3}}}
	evals[0].Reasons, evals[0].Warnings = []string{"second margin"}, []string{"thin remnant"}
	evals[2].Vetoes = []planner.Veto{{Rule: "flr.min", Text: "too little is left", Have: planner.Quantity{Value: 20, Unit: "%"}, Want: planner.Limit{Operator: ">=", Value: 25, Unit: "%", Source: "x", Evidence: planner.EvidenceSource}}}
	must(t, s.PutEvaluations(ctx, evals...))
	got, err := s.Evaluation(ctx, first.ID)
	must(t, err)
	if !reflect.DeepEqual(got, evals[0]) {
		t.Errorf("came back as\n%+v, want\n%+v", got, evals[0])
	}
	var ranks []int
	for token := ""; ; {
		list, next, err := s.Evaluations(ctx, first.Case, Page{2, token})
		must(t, err)
		for _, e := range list {
			ranks = append(ranks, e.Rank)
		}
		if token = next; token == "" {
			break
		}
	}
	if fmt.Sprint(ranks) != "[1 2 3 0 0]" {
		t.Errorf("ranks in the order %v", ranks)
	}
	evals[0].Rank = 4
	must(t, s.PutEvaluations(ctx, evals[0]))
	if e, err := s.Evaluation(ctx, first.ID); err != nil || e.Rank != 4 {
		t.Errorf("replaced evaluation has rank %d, %v", e.Rank, err)
	}
	evals[0].Rank = 5
	wantErr(t, s.PutEvaluations(ctx, evals[0], planner.Evaluation{Plan: "gone"}), ErrNotFound)
	if e, err := s.Evaluation(ctx, first.ID); err != nil || e.Rank != 4 {
		t.Errorf("half a batch was kept: rank %d, %v", e.Rank, err)
	}
	wantErr(t, s.PutEvaluations(ctx, planner.Evaluation{Plan: first.ID, Quantities: []planner.Quantity{{ID: "x", Unit: "mm"}}}), ErrInvalid)
	for _, token := range []string{"x", "1", "x.y", "1./"} {
		_, _, err = s.Evaluations(ctx, first.Case, Page{Token: token})
		wantErr(t, err, ErrPageToken)
	}
	_, err = s.Evaluation(ctx, "gone")
	wantErr(t, err, ErrNotFound)
}
