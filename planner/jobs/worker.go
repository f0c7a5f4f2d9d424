package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"halsted/planner"
	"halsted/planner/store"
)

const (
	retryAfter = time.Second // after the catalogue failed
	maxErr     = 1000        // bytes of a run's error
)

// work takes jobs until the queue stops.
func (q *Queue) work() {
	for q.ctx.Err() == nil {
		j, err := q.claim()
		switch {
		case err == nil:
			q.do(j)
			continue
		case errors.Is(err, sql.ErrNoRows):
			select {
			case <-q.wake:
			case <-q.ctx.Done():
			}
			continue
		case q.ctx.Err() == nil:
			q.cfg.Log.Error("taking a job", "error", err.Error())
		}
		select {
		case <-time.After(retryAfter):
		case <-q.ctx.Done():
		}
	}
}

// claim marks the first waiting job as running, in a new epoch; sql.ErrNoRows
// when none waits.
func (q *Queue) claim() (j Job, err error) {
	ctx := q.ctx
	err = q.st.Write(ctx, func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, `SELECT jobs.id, kind, payload, case_id, plan_id FROM jobs JOIN runs USING (id)
			WHERE jobs.state = ? ORDER BY place LIMIT 1`, planner.RunQueued)
		if err := row.Scan(&j.ID, &j.Kind, &j.Payload, &j.Case, &j.Plan); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE jobs SET attempts = attempts + 1 WHERE id = ?", j.ID); err != nil {
			return err
		}
		r, err := store.BeginEpochTx(ctx, tx, j.ID)
		if err != nil {
			return err
		}
		j.Epoch = r.Epoch
		return setState(ctx, tx, j.ID, planner.RunRunning, "")
	})
	return j, err
}

// do runs one claimed job to its end.
func (q *Queue) do(j Job) {
	ctx, cancel := context.WithCancelCause(q.ctx)
	defer cancel(nil)
	q.mu.Lock()
	q.running[j.ID] = cancel
	q.mu.Unlock()
	// A Cancel between claim and here found nobody to tell.
	if q.wasCancelled(j.ID) {
		cancel(errCancelled)
	}
	q.bus.Publish(j.ID, nil)
	r := newReporter(ctx, q, j)
	err := q.call(ctx, j, r)
	r.finish()
	q.mu.Lock()
	delete(q.running, j.ID)
	q.mu.Unlock()

	state, text := planner.RunSucceeded, ""
	switch cause := context.Cause(ctx); {
	case err == nil:
	case errors.Is(cause, errCancelled):
		state = planner.RunCancelled
	case errors.Is(cause, errShutdown):
		state = planner.RunQueued
	default:
		state, text = planner.RunFailed, sentence(err)
	}
	q.settle(j, state, text)
	q.cfg.Log.Info("job ended", "run", j.ID, "epoch", j.Epoch, "state", state.String(), "error", text)
	q.bus.Publish(j.ID, nil)
}

// call runs the runner and turns a panic into an error.
func (q *Queue) call(ctx context.Context, j Job, r *reporter) (err error) {
	defer func() {
		if p := recover(); p != nil {
			q.cfg.Log.Error("runner panicked", "run", j.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("the simulation stopped on an internal error (%v); the service's log has the details: please report it", p)
		}
	}()
	if err := ctx.Err(); err != nil {
		return err
	}
	return q.runner.Run(ctx, j, r)
}

// settle writes the end of a job. It does not give up while the queue is open:
// a result must not be lost because the storage was full for a moment.
func (q *Queue) settle(j Job, state planner.RunState, text string) {
	ctx := context.WithoutCancel(q.ctx)
	for {
		err := q.st.Write(ctx, func(tx *sql.Tx) error {
			if state != planner.RunQueued {
				return setState(ctx, tx, j.ID, state, text)
			}
			// Stopped by us: does not count as an attempt; a Cancel that came
			// after the stop still holds.
			if _, err := tx.ExecContext(ctx, "UPDATE jobs SET attempts = attempts - 1 WHERE id = ?", j.ID); err != nil {
				return err
			}
			var now planner.RunState
			if err := tx.QueryRowContext(ctx, "SELECT state FROM jobs WHERE id = ?", j.ID).Scan(&now); err != nil {
				return err
			}
			if now == planner.RunCancelled {
				return setState(ctx, tx, j.ID, planner.RunCancelled, "")
			}
			return setState(ctx, tx, j.ID, planner.RunQueued, "")
		})
		if err == nil {
			return
		}
		q.cfg.Log.Error("writing the end of a job", "run", j.ID, "error", err.Error())
		select {
		case <-time.After(retryAfter):
		case <-q.ctx.Done():
			return // it is taken up by the next Open
		}
	}
}

func (q *Queue) wasCancelled(id string) bool {
	var state planner.RunState
	err := q.st.Read().QueryRowContext(q.ctx, "SELECT state FROM jobs WHERE id = ?", id).Scan(&state)
	return err == nil && state == planner.RunCancelled
}

// sentence makes an error fit for a run: one line, bounded, valid UTF-8.
func sentence(err error) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(err.Error(), "�")), " ")
	if len(s) > maxErr {
		n := maxErr
		for !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + "…"
	}
	return s
}
