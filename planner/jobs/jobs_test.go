package jobs

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"halsted/planner"
	"halsted/planner/store"

	"gonum.org/v1/gonum/spatial/r3"
)

// patience is how long a test waits for what must happen; never a measure.
const patience = 20 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openStore(t testing.TB, dir string) (*store.Store, planner.Plan) {
	t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, dir)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	must(t, s.PutStudy(ctx, planner.Study{ID: "s1"}))
	c := planner.Case{Study: "s1", Procedure: "liver.resection"}.Sealed()
	must(t, s.PutCase(ctx, c))
	p := planner.Plan{Case: c.ID, Cuts: []planner.Plane{{Normal: r3.Vec{X: 1}}}}.Sealed()
	must(t, s.PutPlan(ctx, p))
	return s, p
}

func openQueue(t testing.TB, s *store.Store, cfg Config, r RunnerFunc) *Queue {
	t.Helper()
	if cfg.ProgressEvery == 0 {
		cfg.ProgressEvery = time.Millisecond
	}
	q, err := Open(context.Background(), s, r, cfg)
	must(t, err)
	t.Cleanup(func() { q.Close() })
	return q
}

func submit(t testing.TB, q *Queue, p planner.Plan, id string) planner.Run {
	t.Helper()
	r, err := q.Submit(t.Context(), Job{ID: id, Case: p.Case, Plan: p.ID, Kind: "test", Payload: []byte(id)})
	must(t, err)
	return r
}

// await waits until the stored run passes ok.
func await(t testing.TB, q *Queue, id string, ok func(planner.Run) bool) planner.Run {
	t.Helper()
	sub := q.Bus().Subscribe(id)
	defer sub.Close()
	limit := time.After(patience)
	for {
		r, err := q.st.Run(t.Context(), id)
		must(t, err)
		if ok(r) {
			return r
		}
		select {
		case <-sub.C:
		case <-limit:
			t.Fatalf("run %s stays at %+v", id, r)
		}
	}
}

func awaitDone(t testing.TB, q *Queue, id string) planner.Run {
	t.Helper()
	return await(t, q, id, func(r planner.Run) bool { return r.State.Done() })
}

var square = &planner.Topology{
	Structures: []planner.Structure{{Name: "square", Count: 4, Tris: [][3]int32{{0, 1, 2}, {0, 2, 3}}}},
	Rest:       []r3.Vec{{}, {X: 1}, {X: 1, Y: 1}, {Y: 1}},
}

func frameAt(z float64) planner.DisplayFrame {
	f := planner.DisplayFrame{SimTimeS: z, Fields: []planner.Field{{ID: "displacement", Unit: "mm", Values: make([]float32, 4)}}}
	for n, p := range square.Rest {
		f.Pos = append(f.Pos, r3.Vec{X: p.X, Y: p.Y, Z: z})
		f.Fields[0].Values[n] = float32(z)
	}
	return f
}

func TestJobRunsToItsEnd(t *testing.T) {
	s, p := openStore(t, t.TempDir())
	var got Job
	q := openQueue(t, s, Config{}, func(ctx context.Context, j Job, r Reporter) error {
		got = j
		r.Progress("mesh", 0.1)
		hash, err := r.Topology(square)
		if err != nil {
			return err
		}
		if again, err := r.Topology(square); err != nil || again != hash {
			return fmt.Errorf("the same topology again: %s, %w", again, err)
		}
		f := frameAt(0)
		for n := range 5 { // one frame's memory, used again
			f.SimTimeS = float64(n)
			f.Pos[0].Z = float64(n)
			if err := r.Frame(f); err != nil {
				return err
			}
		}
		r.Progress("solve", 0.7)
		return nil
	})
	if r := submit(t, q, p, "r1"); r.State != planner.RunQueued {
		t.Errorf("submitted run: %+v", r)
	}
	r := awaitDone(t, q, "r1")
	if r.State != planner.RunSucceeded || r.Progress != 1 || r.Stage != "solve" || r.Err != "" || r.Epoch != 1 || r.LastSeq != 5 || r.Topology == "" {
		t.Errorf("ended as %+v", r)
	}
	if got.ID != "r1" || got.Plan != p.ID || got.Case != p.Case || got.Kind != "test" || string(got.Payload) != "r1" || got.Epoch != 1 {
		t.Errorf("the runner got %+v", got)
	}
	n := 0.0
	for f, err := range s.Frames(t.Context(), "r1", 1, 0) {
		must(t, err)
		if f.SimTimeS != n || f.Pos[0].Z != n {
			t.Errorf("frame %d is at %g s", f.Seq, f.SimTimeS)
		}
		n++
	}
	if again := submit(t, q, p, "r1"); again.State != planner.RunSucceeded || again.LastSeq != 5 {
		t.Errorf("submitting again gave %+v", again)
	}
}

func TestFailuresAreOneSentence(t *testing.T) {
	s, p := openStore(t, t.TempDir())
	var log bytes.Buffer
	q := openQueue(t, s, Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, func(ctx context.Context, j Job, r Reporter) error {
		switch j.ID {
		case "error":
			return errors.New("element 17 is inverted:\n\tmake the mesh finer\n")
		case "long":
			return errors.New(strings.Repeat("ä", 5000))
		case "panic":
			var none []int
			_ = none[j.Epoch]
		case "frame":
			return r.Frame(frameAt(0))
		case "nan":
			if _, err := r.Topology(square); err != nil {
				return err
			}
			return r.Frame(frameAt(math.NaN()))
		case "topologies":
			if _, err := r.Topology(square); err != nil {
				return err
			}
			_, err := r.Topology(&planner.Topology{Rest: make([]r3.Vec, 1)})
			return err
		}
		return nil
	})
	for id, want := range map[string]string{
		"error": "element 17 is inverted: make the mesh finer", "panic": "internal error (runtime error: index out of range",
		"frame": "before the topology", "nan": "vertex 0 is not finite", "topologies": "second topology", "long": "ä…",
	} {
		submit(t, q, p, id)
		r := awaitDone(t, q, id)
		if r.State != planner.RunFailed || !strings.Contains(r.Err, want) || strings.ContainsAny(r.Err, "\n\t") || len(r.Err) > maxErr+4 {
			t.Errorf("%s ended as %v: %q", id, r.State, r.Err)
		}
		if r.LastSeq != 0 {
			t.Errorf("%s sealed %d frames", id, r.LastSeq)
		}
	}
	submit(t, q, p, "good")
	if r := awaitDone(t, q, "good"); r.State != planner.RunSucceeded {
		t.Errorf("after a panic the queue gives %+v", r)
	}
	must(t, q.Close())
	if !strings.Contains(log.String(), "jobs_test.go") {
		t.Error("the log has no stack of the panic")
	}
}

func TestFirstInFirstOut(t *testing.T) {
	s, p := openStore(t, t.TempDir())
	var mu sync.Mutex
	var order []string
	gate := make(chan struct{})
	q := openQueue(t, s, Config{Workers: 1, MaxQueued: 5}, func(ctx context.Context, j Job, r Reporter) error {
		<-gate
		mu.Lock()
		defer mu.Unlock()
		order = append(order, j.ID)
		return nil
	})
	submit(t, q, p, "first")
	await(t, q, "first", func(r planner.Run) bool { return r.State == planner.RunRunning })
	want := []string{"first", "z", "m", "a", "q", "b"}
	for _, id := range want[1:] {
		submit(t, q, p, id)
	}
	_, err := q.Submit(t.Context(), Job{ID: "toomany", Case: p.Case, Plan: p.ID})
	if !errors.Is(err, ErrQueueFull) {
		t.Errorf("a sixth waiting job: %v", err)
	}
	if _, err := s.Run(t.Context(), "toomany"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a refused job left a run: %v", err)
	}
	if _, err := q.Submit(t.Context(), Job{ID: "orphan", Case: p.Case, Plan: "gone"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a job of an unknown plan: %v", err)
	}
	if _, err := q.Submit(t.Context(), Job{ID: "big", Case: p.Case, Plan: p.ID, Payload: make([]byte, MaxPayload+1)}); err == nil {
		t.Error("an oversized payload was accepted")
	}
	close(gate)
	for _, id := range want {
		awaitDone(t, q, id)
	}
	if !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

func TestWorkersRunAtOnce(t *testing.T) {
	s, p := openStore(t, t.TempDir())
	var together sync.WaitGroup
	together.Add(3) // each waits for the other two
	q := openQueue(t, s, Config{Workers: 3}, func(ctx context.Context, j Job, r Reporter) error {
		together.Done()
		together.Wait()
		return nil
	})
	for _, id := range []string{"a", "b", "c"} {
		submit(t, q, p, id)
	}
	for _, id := range []string{"a", "b", "c"} {
		awaitDone(t, q, id)
	}
}

func TestCancel(t *testing.T) {
	s, p := openStore(t, t.TempDir())
	var ran atomic.Int32
	q := openQueue(t, s, Config{}, func(ctx context.Context, j Job, r Reporter) error {
		ran.Add(1)
		if j.ID == "done" {
			return nil
		}
		<-ctx.Done()
		return fmt.Errorf("solve: %w", ctx.Err())
	})
	submit(t, q, p, "done")
	awaitDone(t, q, "done")
	submit(t, q, p, "running")
	submit(t, q, p, "waiting")
	await(t, q, "running", func(r planner.Run) bool { return r.State == planner.RunRunning })
	r, err := q.Cancel(t.Context(), "waiting")
	if err != nil || r.State != planner.RunCancelled {
		t.Errorf("cancelled while waiting: %+v, %v", r, err)
	}
	_, err = q.Cancel(t.Context(), "running")
	must(t, err)
	if r := awaitDone(t, q, "running"); r.State != planner.RunCancelled || r.Err != "" {
		t.Errorf("cancelled while running: %+v", r)
	}
	if r, err := q.Cancel(t.Context(), "done"); err != nil || r.State != planner.RunSucceeded {
		t.Errorf("cancelled after the end: %+v, %v", r, err)
	}
	if _, err := q.Cancel(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("cancel of an unknown run: %v", err)
	}
	if ran.Load() != 2 {
		t.Errorf("%d jobs ran, want 2", ran.Load())
	}
}

// A stopped queue hands its running job on; the next one starts a new epoch.
func TestStopAndGoOn(t *testing.T) {
	dir := t.TempDir()
	s, p := openStore(t, dir)
	q := openQueue(t, s, Config{MaxAttempts: 1}, func(ctx context.Context, j Job, r Reporter) error {
		if _, err := r.Topology(square); err != nil {
			return err
		}
		if err := r.Frame(frameAt(1)); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	})
	submit(t, q, p, "r1")
	submit(t, q, p, "r2")
	await(t, q, "r1", func(r planner.Run) bool { return r.LastSeq == 1 })
	must(t, q.Close())
	if _, err := q.Submit(t.Context(), Job{ID: "late", Case: p.Case, Plan: p.ID}); !errors.Is(err, ErrClosed) {
		t.Errorf("submitting to a closed queue: %v", err)
	}
	if r, err := s.Run(t.Context(), "r1"); err != nil || r.State != planner.RunQueued {
		t.Errorf("after the stop: %+v, %v", r, err)
	}
	must(t, s.Close())
	s, _ = openStore(t, dir)
	q = openQueue(t, s, Config{MaxAttempts: 1}, func(ctx context.Context, j Job, r Reporter) error {
		if _, err := r.Topology(square); err != nil {
			return err
		}
		return errors.Join(r.Frame(frameAt(2)), r.Frame(frameAt(3)))
	})
	if r := awaitDone(t, q, "r1"); r.State != planner.RunSucceeded || r.Epoch != 2 || r.LastSeq != 2 {
		t.Errorf("second attempt: %+v", r)
	}
	if r := awaitDone(t, q, "r2"); r.State != planner.RunSucceeded || r.Epoch != 1 {
		t.Errorf("the job behind it: %+v", r)
	}
}

// crash leaves the catalogue as a killed process does.
func crash(t *testing.T, s *store.Store, id string, jobState planner.RunState, attempts int) {
	t.Helper()
	must(t, s.Write(t.Context(), func(tx *sql.Tx) error {
		_, err1 := tx.Exec("UPDATE jobs SET state = ?, attempts = ? WHERE id = ?", jobState, attempts, id)
		_, err2 := tx.Exec("UPDATE runs SET state = ? WHERE id = ?", planner.RunRunning, id)
		return errors.Join(err1, err2)
	}))
}

func TestCrash(t *testing.T) {
	ok := func(context.Context, Job, Reporter) error { return nil }
	block := func(ctx context.Context, _ Job, _ Reporter) error { <-ctx.Done(); return ctx.Err() }
	for _, c := range []struct {
		name     string
		cfg      Config
		jobState planner.RunState
		attempts int
		want     planner.RunState
		text     string
	}{
		{"again", Config{}, planner.RunRunning, 2, planner.RunSucceeded, ""},
		{"too often", Config{MaxAttempts: 2}, planner.RunRunning, 2, planner.RunFailed, "stopped 2 times"},
		{"policy", Config{FailOnRestart: true}, planner.RunRunning, 1, planner.RunFailed, "start a new run"},
		{"cancelled before", Config{}, planner.RunCancelled, 1, planner.RunCancelled, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := openStore(t, t.TempDir())
			q := openQueue(t, s, Config{}, block)
			submit(t, q, p, "r1")
			must(t, q.Close())
			crash(t, s, "r1", c.jobState, c.attempts)
			q = openQueue(t, s, c.cfg, ok)
			if r := awaitDone(t, q, "r1"); r.State != c.want || !strings.Contains(r.Err, c.text) {
				t.Errorf("taken up as %v: %q", r.State, r.Err)
			}
		})
	}
}

// Nobody waits for a watcher that takes nothing, and what it missed is in the
// store before the bus says so.
func TestSlowWatcherCostsNothing(t *testing.T) {
	s, p := openStore(t, t.TempDir())
	const n = 50
	q := openQueue(t, s, Config{}, func(ctx context.Context, j Job, r Reporter) error {
		if _, err := r.Topology(square); err != nil {
			return err
		}
		for k := range n {
			if err := r.Frame(frameAt(float64(k))); err != nil {
				return err
			}
		}
		return nil
	})
	asleep, awake := q.Bus().Subscribe("r1"), q.Bus().Subscribe("r1")
	defer asleep.Close()
	defer awake.Close()
	submit(t, q, p, "r1")
	last := uint64(0)
	for limit := time.After(patience); ; {
		var f *planner.DisplayFrame
		select {
		case f = <-awake.C:
		case <-limit:
			t.Fatal("the run does not end")
		}
		if f != nil {
			if f.Seq <= last {
				t.Fatalf("frame %d after %d", f.Seq, last)
			}
			last = f.Seq
			r, err := s.Run(t.Context(), "r1")
			must(t, err)
			if r.LastSeq < f.Seq {
				t.Fatalf("frame %d was published, %d are sealed", f.Seq, r.LastSeq)
			}
		}
		if r, err := s.Run(t.Context(), "r1"); err != nil || r.State.Done() {
			must(t, err)
			break
		}
	}
	got := 0
	for _, err := range s.Frames(t.Context(), "r1", 1, 0) {
		must(t, err)
		got++
	}
	if got != n {
		t.Errorf("%d frames are sealed, want %d", got, n)
	}
	if len(asleep.c) != 1 {
		t.Error("the sleeping watcher's channel does not hold the newest item")
	}
}

func TestBusForgetsItsWatchers(t *testing.T) {
	var b Bus
	one, two := b.Subscribe("r"), b.Subscribe("r")
	b.Publish("r", &planner.DisplayFrame{Seq: 1})
	b.Publish("r", &planner.DisplayFrame{Seq: 2})
	if f := <-one.C; f.Seq != 2 {
		t.Errorf("got frame %d, want the newest", f.Seq)
	}
	one.Close()
	one.Close()
	b.Publish("r", nil)
	if len(one.c) != 0 || len(two.c) != 1 || !b.Watched("r") {
		t.Error("a closed subscription still gets news, or an open one does not")
	}
	two.Close()
	if b.Watched("r") || len(b.subs) != 0 {
		t.Error("the bus remembers runs that nobody watches")
	}
}

// Progress is written at a bounded rate and the last word is not lost.
func TestProgressRate(t *testing.T) {
	s, p := openStore(t, t.TempDir())
	q := openQueue(t, s, Config{ProgressEvery: time.Hour}, func(ctx context.Context, j Job, r Reporter) error {
		for k := range 10_000 {
			r.Progress("solve", float64(k)/10_000)
		}
		r.Progress("last", math.NaN())
		r.Progress("last", 7)
		return errors.New("stop here")
	})
	must(t, s.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`CREATE TABLE written (n INTEGER);
			CREATE TRIGGER count_writes AFTER UPDATE ON runs BEGIN INSERT INTO written VALUES (1); END`)
		return err
	}))
	submit(t, q, p, "r1")
	r := awaitDone(t, q, "r1")
	var writes int
	must(t, s.Read().QueryRow("SELECT count(*) FROM written").Scan(&writes))
	if writes != 4 { // new epoch, running, the last progress, failed
		t.Errorf("%d writes of the run, want 4", writes)
	}
	if r.Stage != "last" || r.Progress != 1 {
		t.Errorf("progress %q %g", r.Stage, r.Progress)
	}
}

func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	s, p := openStore(t, t.TempDir())
	q := openQueue(t, s, Config{Workers: 4}, func(ctx context.Context, j Job, r Reporter) error { <-ctx.Done(); return ctx.Err() })
	for n := range 6 {
		submit(t, q, p, fmt.Sprint("r", n))
	}
	must(t, q.Close())
	must(t, q.Close()) // twice is harmless
	must(t, s.Close())
	for limit := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(limit) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	s, _ := openStore(t, t.TempDir())
	if _, err := Open(t.Context(), s, RunnerFunc(nil), Config{Workers: -1}); err == nil || !strings.Contains(err.Error(), "Workers -1") {
		t.Errorf("negative workers: %v", err)
	}
}
