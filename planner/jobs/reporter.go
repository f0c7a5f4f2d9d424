package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"halsted/planner"
)

// Reporter is how a Runner tells what it has. Its methods are for use by one
// or many goroutines until Run returns.
type Reporter interface {
	// Progress says what is being done and how far the whole job is, 0 to 1. It
	// does not wait; the newest state is written at a bounded rate.
	Progress(stage string, done float64)
	// Topology keeps the displayed surface, before the first frame, and
	// returns its hash. One per attempt.
	Topology(t *planner.Topology) (hash string, err error)
	// Frame seals a frame in the store, then hurries it to the watchers. Epoch
	// and Seq are set here. The frame may be reused when Frame returns.
	Frame(f planner.DisplayFrame) error
}

// reporter is the Reporter of one attempt.
type reporter struct {
	ctx  context.Context // the job's
	q    *Queue
	j    Job
	stop chan struct{}
	wg   sync.WaitGroup

	mu    sync.Mutex // guards stage, done, dirty
	stage string
	done  float64
	dirty bool

	frameMu sync.Mutex // guards topo, hash, seq and the order of frames; the store is called under it
	topo    *planner.Topology
	hash    string
	seq     uint64
}

var _ Reporter = (*reporter)(nil)

func newReporter(ctx context.Context, q *Queue, j Job) *reporter {
	r := &reporter{ctx: ctx, q: q, j: j, stop: make(chan struct{})}
	r.wg.Go(func() {
		t := time.NewTicker(q.cfg.ProgressEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				r.flush()
			case <-r.stop:
				return
			}
		}
	})
	return r
}

// finish writes what is left and ends the reporter's goroutine.
func (r *reporter) finish() {
	close(r.stop)
	r.wg.Wait()
	r.flush()
}

func (r *reporter) Progress(stage string, done float64) {
	if !(done >= 0) {
		done = 0
	}
	r.mu.Lock()
	r.stage, r.done, r.dirty = stage, min(done, 1), true
	r.mu.Unlock()
}

func (r *reporter) flush() {
	r.mu.Lock()
	stage, done, dirty := r.stage, r.done, r.dirty
	r.dirty = false
	r.mu.Unlock()
	if !dirty {
		return
	}
	_, err := r.q.st.UpdateRun(context.WithoutCancel(r.ctx), r.j.ID, func(run *planner.Run) error {
		run.Stage, run.Progress = stage, done
		return nil
	})
	if err != nil { // progress is a courtesy: the next tick writes again
		r.q.cfg.Log.Warn("writing progress", "run", r.j.ID, "error", err.Error())
		return
	}
	r.q.bus.Publish(r.j.ID, nil)
}

func (r *reporter) Topology(t *planner.Topology) (string, error) {
	hash, err := r.q.st.PutTopology(r.ctx, t)
	if err != nil {
		return "", err
	}
	r.frameMu.Lock()
	defer r.frameMu.Unlock()
	if r.topo != nil {
		if hash != r.hash {
			return "", errors.New("jobs: a second topology in one attempt")
		}
		return hash, nil
	}
	_, err = r.q.st.UpdateRun(r.ctx, r.j.ID, func(run *planner.Run) error {
		run.Topology = hash
		return nil
	})
	if err != nil {
		return "", err
	}
	r.topo, r.hash = t, hash
	r.q.bus.Publish(r.j.ID, nil)
	return hash, nil
}

func (r *reporter) Frame(f planner.DisplayFrame) error {
	r.frameMu.Lock()
	defer r.frameMu.Unlock()
	if r.topo == nil {
		return fmt.Errorf("jobs: run %s: a frame before the topology", r.j.ID)
	}
	f.Epoch, f.Seq = r.j.Epoch, r.seq+1
	if err := f.Validate(r.topo); err != nil {
		return err
	}
	if err := r.q.st.AppendFrames(r.ctx, r.j.ID, f.Epoch, []planner.DisplayFrame{f}); err != nil {
		return err
	}
	r.seq++
	if r.q.bus.Watched(r.j.ID) {
		f.Pos = slices.Clone(f.Pos)
		f.Fields = slices.Clone(f.Fields)
		for n := range f.Fields {
			f.Fields[n].Values = slices.Clone(f.Fields[n].Values)
		}
		r.q.bus.Publish(r.j.ID, &f)
	}
	return nil
}
