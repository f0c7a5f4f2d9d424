package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

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
