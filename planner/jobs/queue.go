package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"halsted/planner"
	"halsted/planner/store"
)

// Job is one simulation to do. Its ID is the ID of the run.
type Job struct {
	ID         string // content-derived: submitting it again is harmless
	Case, Plan string
	Kind       string // what a Runner may tell jobs apart by; may be empty
	Payload    []byte // a Runner's own; at most MaxPayload bytes
	Epoch      uint64 // set by the queue: the attempt
}

// Runner does the work of a job. It must return soon after ctx is done. Its
// error becomes the run's error: one sentence that says what, where and what
// to do. A nil error is success.
type Runner interface {
	Run(ctx context.Context, j Job, r Reporter) error
}

// RunnerFunc is a function as a Runner.
type RunnerFunc func(ctx context.Context, j Job, r Reporter) error

// Run calls f.
func (f RunnerFunc) Run(ctx context.Context, j Job, r Reporter) error { return f(ctx, j, r) }

// Errors of the queue.
var (
	ErrQueueFull = errors.New("too many jobs are waiting")
	ErrClosed    = errors.New("the queue is closed")
)

// Causes of a job's context being done.
var (
	errCancelled = errors.New("jobs: cancelled")
	errShutdown  = errors.New("jobs: the service is stopping")
)

// MaxPayload bounds Job.Payload.
const MaxPayload = 1 << 20

// Config of a queue; the zero value of a field takes its default.
type Config struct {
	Workers       int           // jobs at once; default 1
	MaxQueued     int           // waiting jobs; default 1000
	MaxAttempts   int           // a job that was running at this many crashes is failed; default 3
	FailOnRestart bool          // fail jobs that were running at a crash instead of running them again
	ProgressEvery time.Duration // how often progress is written; default 250 ms
	Log           *slog.Logger  // default: none
}

// Validate reports a field that makes no sense.
func (c Config) Validate() error {
	if c.Workers < 0 || c.MaxQueued < 0 || c.MaxAttempts < 0 || c.ProgressEvery < 0 {
		return fmt.Errorf("jobs: negative Workers %d, MaxQueued %d, MaxAttempts %d or ProgressEvery %v", c.Workers, c.MaxQueued, c.MaxAttempts, c.ProgressEvery)
	}
	return nil
}

// Queue is an open queue with its workers.
type Queue struct {
	st     *store.Store
	runner Runner
	cfg    Config
	bus    Bus
	wake   chan struct{} // one token per worker that has something to look for
	ctx    context.Context
	stop   context.CancelCauseFunc
	wg     sync.WaitGroup

	mu      sync.Mutex // guards running
	running map[string]context.CancelCauseFunc
}

// Open takes up the queue kept in st: jobs that were running when the last
// process ended are queued again or failed, then the workers start. Close the
// queue before the store.
func Open(ctx context.Context, st *store.Store, r Runner, cfg Config) (*Queue, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	orDefault := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	orDefault(&cfg.Workers, 1)
	orDefault(&cfg.MaxQueued, 1000)
	orDefault(&cfg.MaxAttempts, 3)
	if cfg.ProgressEvery == 0 {
		cfg.ProgressEvery = 250 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	q := &Queue{st: st, runner: r, cfg: cfg, wake: make(chan struct{}, cfg.Workers), running: make(map[string]context.CancelCauseFunc)}
	if err := q.recover(ctx); err != nil {
		return nil, fmt.Errorf("jobs: taking up the queue: %w", err)
	}
	q.ctx, q.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	for range cfg.Workers {
		q.wg.Go(q.work)
	}
	return q, nil
}

// Bus carries the news of this queue's runs.
func (q *Queue) Bus() *Bus { return &q.bus }

// Close stops the workers and waits for them. Jobs that are running are
// stopped and queued again, for the next Open.
func (q *Queue) Close() error {
	q.stop(errShutdown)
	q.wg.Wait()
	return nil
}

// Submit stores the run of a job and queues it, both or neither, and returns
// the run. A job of the same ID, plan and case is left as it is and its run
// returned; ErrQueueFull when too many wait.
func (q *Queue) Submit(ctx context.Context, j Job) (planner.Run, error) {
	if len(j.Payload) > MaxPayload {
		return planner.Run{}, fmt.Errorf("jobs: job %s: payload of %d bytes, at most %d", j.ID, len(j.Payload), MaxPayload)
	}
	if q.ctx.Err() != nil {
		return planner.Run{}, fmt.Errorf("jobs: %w; try again when the service is back", ErrClosed)
	}
	var run planner.Run
	err := q.st.Write(ctx, func(tx *sql.Tx) error {
		r, created, err := store.CreateRunTx(ctx, tx, planner.Run{ID: j.ID, Case: j.Case, Plan: j.Plan, State: planner.RunQueued})
		if run = r; err != nil || !created {
			return err
		}
		var waiting int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM jobs WHERE state = ?", planner.RunQueued).Scan(&waiting); err != nil {
			return err
		}
		if waiting >= q.cfg.MaxQueued {
			return fmt.Errorf("jobs: %w (%d); try again later", ErrQueueFull, waiting)
		}
		payload := j.Payload
		if payload == nil {
			payload = []byte{}
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO jobs (id, kind, payload, state, attempts) VALUES (?, ?, ?, ?, 0)", j.ID, j.Kind, payload, planner.RunQueued)
		return err
	})
	if err != nil {
		return planner.Run{}, err
	}
	q.rouse()
	return run, nil
}

func (q *Queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default: // every worker will look
	}
}

// Cancel ends a waiting job at once and asks a running one to stop; it returns
// the run as it is now, perhaps still running. A run that has ended is left as
// it is. The wish survives a crash.
func (q *Queue) Cancel(ctx context.Context, id string) (run planner.Run, err error) {
	err = q.st.Write(ctx, func(tx *sql.Tx) error {
		run, err = store.UpdateRunTx(ctx, tx, id, func(r *planner.Run) error {
			if r.State == planner.RunQueued {
				r.State = planner.RunCancelled
			}
			return nil
		})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE jobs SET state = ? WHERE id = ? AND state IN (?, ?)", planner.RunCancelled, id, planner.RunQueued, planner.RunRunning)
		return err
	})
	if err != nil {
		return planner.Run{}, err
	}
	q.mu.Lock()
	cancel := q.running[id]
	q.mu.Unlock()
	if cancel != nil {
		cancel(errCancelled)
	}
	q.bus.Publish(id, nil)
	return run, nil
}

// recover settles what the last process left in the middle.
func (q *Queue) recover(ctx context.Context) error {
	return q.st.Write(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT jobs.id, jobs.state, jobs.attempts FROM jobs JOIN runs USING (id)
			WHERE runs.state = ? ORDER BY place`, planner.RunRunning)
		if err != nil {
			return err
		}
		type left struct {
			id              string
			state, attempts int
		}
		var all []left
		for rows.Next() {
			var l left
			if err := rows.Scan(&l.id, &l.state, &l.attempts); err != nil {
				rows.Close()
				return err
			}
			all = append(all, l)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for _, l := range all {
			state, text := planner.RunQueued, ""
			switch {
			case planner.RunState(l.state) == planner.RunCancelled:
				state = planner.RunCancelled
			case q.cfg.FailOnRestart:
				state, text = planner.RunFailed, "the service stopped while this ran; start a new run"
			case l.attempts >= q.cfg.MaxAttempts:
				state, text = planner.RunFailed, fmt.Sprintf("the service stopped %d times while this ran; make the plan or the mesh simpler and start a new run", l.attempts)
			}
			if err := setState(ctx, tx, l.id, state, text); err != nil {
				return err
			}
			q.cfg.Log.Info("job taken up", "run", l.id, "state", state.String(), "attempts", l.attempts)
		}
		return nil
	})
}

// setState writes the state of a job and of its run.
func setState(ctx context.Context, tx *sql.Tx, id string, state planner.RunState, text string) error {
	if _, err := tx.ExecContext(ctx, "UPDATE jobs SET state = ? WHERE id = ?", state, id); err != nil {
		return err
	}
	_, err := store.UpdateRunTx(ctx, tx, id, func(r *planner.Run) error {
		r.State, r.Err = state, text
		if state == planner.RunSucceeded {
			r.Progress = 1
		}
		return nil
	})
	return err
}
