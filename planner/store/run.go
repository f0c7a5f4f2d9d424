package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"halsted/planner"
)

const runColumns = "id, case_id, plan_id, state, progress, stage, err, epoch, last_seq, topology, created_ns"

// CreateRun keeps a new run; the plan of its case must be there, and Created
// is set when zero. If a run of this id is there already, that one is returned
// and created is false; it is an ErrConflict if it belongs to another plan.
func (s *Store) CreateRun(ctx context.Context, r planner.Run) (_ planner.Run, created bool, err error) {
	err = s.Write(ctx, func(tx *sql.Tx) error {
		r, created, err = CreateRunTx(ctx, tx, r)
		return err
	})
	return r, created, err
}

// CreateRunTx is CreateRun inside a transaction of Write.
func CreateRunTx(ctx context.Context, tx *sql.Tx, r planner.Run) (_ planner.Run, created bool, err error) {
	if err := CheckID(r.ID); err != nil {
		return r, false, err
	}
	old, err := scanRun(tx.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?", r.ID), r.ID)
	if err == nil {
		if old.Plan != r.Plan || old.Case != r.Case {
			return r, false, fmt.Errorf("store: run %s: %w: it belongs to plan %s", r.ID, ErrConflict, old.Plan)
		}
		return old, false, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return r, false, err
	}
	p, err := scanOne[planner.Plan](tx.QueryRowContext(ctx, "SELECT json FROM plans WHERE id = ?", r.Plan), "plan", r.Plan)
	if err != nil {
		return r, false, err
	}
	if p.Case != r.Case {
		return r, false, fmt.Errorf("store: plan %q of case %q: %w", r.Plan, r.Case, ErrNotFound)
	}
	if r.Created.IsZero() {
		r.Created = time.Now()
	}
	r.Created = time.Unix(0, r.Created.UnixNano()).UTC()
	_, err = tx.ExecContext(ctx, "INSERT INTO runs ("+runColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?)",
		r.ID, r.Case, r.Plan, r.State, r.Progress, r.Stage, r.Err, int64(r.Epoch), int64(r.LastSeq), r.Topology, r.Created.UnixNano())
	return r, err == nil, err
}

// UpdateRun reads a run, lets change alter its State, Progress, Stage, Err and
// Topology, writes it and returns it. An error of change is passed on and
// nothing is written.
func (s *Store) UpdateRun(ctx context.Context, id string, change func(*planner.Run) error) (r planner.Run, err error) {
	err = s.Write(ctx, func(tx *sql.Tx) error {
		r, err = UpdateRunTx(ctx, tx, id, change)
		return err
	})
	return r, err
}

// UpdateRunTx is UpdateRun inside a transaction of Write.
func UpdateRunTx(ctx context.Context, tx *sql.Tx, id string, change func(*planner.Run) error) (planner.Run, error) {
	r, err := scanRun(tx.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?", id), id)
	if err != nil {
		return r, err
	}
	keep := r
	if err := change(&r); err != nil {
		return r, err
	}
	r.ID, r.Case, r.Plan, r.Created, r.Epoch, r.LastSeq = keep.ID, keep.Case, keep.Plan, keep.Created, keep.Epoch, keep.LastSeq
	if !(r.Progress >= 0 && r.Progress <= 1) {
		return r, fmt.Errorf("store: run %s: %w: progress %g is outside 0 to 1", id, ErrInvalid, r.Progress)
	}
	_, err = tx.ExecContext(ctx, "UPDATE runs SET state = ?, progress = ?, stage = ?, err = ?, topology = ? WHERE id = ?",
		r.State, r.Progress, r.Stage, r.Err, r.Topology, id)
	return r, err
}

// BeginEpoch starts a new attempt of a run: the next epoch, no frames, no
// topology, no progress. Frames of earlier epochs stay readable.
func (s *Store) BeginEpoch(ctx context.Context, id string) (r planner.Run, err error) {
	err = s.Write(ctx, func(tx *sql.Tx) error {
		r, err = BeginEpochTx(ctx, tx, id)
		return err
	})
	return r, err
}

// BeginEpochTx is BeginEpoch inside a transaction of Write.
func BeginEpochTx(ctx context.Context, tx *sql.Tx, id string) (planner.Run, error) {
	_, err := tx.ExecContext(ctx, "UPDATE runs SET epoch = epoch + 1, last_seq = 0, topology = '', progress = 0, stage = '', err = '' WHERE id = ?", id)
	if err != nil {
		return planner.Run{}, err
	}
	return scanRun(tx.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?", id), id)
}

// Run returns a run.
func (s *Store) Run(ctx context.Context, id string) (planner.Run, error) {
	return scanRun(s.reader.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?", id), id)
}

// Runs returns a page of the runs of a plan, or of all plans of a case when
// planID is empty.
func (s *Store) Runs(ctx context.Context, caseID, planID string, p Page) ([]planner.Run, string, error) {
	if p.Token != "" && CheckID(p.Token) != nil {
		return nil, "", fmt.Errorf("store: %w %.80q", ErrPageToken, p.Token)
	}
	column, key := "case_id", caseID
	if planID != "" {
		pl, err := s.Plan(ctx, planID)
		if err != nil {
			return nil, "", err
		}
		if pl.Case != caseID {
			return nil, "", fmt.Errorf("store: plan %q of case %q: %w", planID, caseID, ErrNotFound)
		}
		column, key = "plan_id", planID
	} else if _, err := s.Case(ctx, caseID); err != nil {
		return nil, "", err
	}
	n := p.size()
	rows, err := s.reader.QueryContext(ctx, "SELECT "+runColumns+" FROM runs WHERE "+column+" = ? AND id > ? ORDER BY id LIMIT ?", key, p.Token, n+1)
	if err != nil {
		return nil, "", explain("reading runs", err)
	}
	defer rows.Close()
	var out []planner.Run
	for rows.Next() {
		r, err := scanRun(rows, "")
		if err != nil {
			return nil, "", err
		}
		if len(out) == n {
			return out, out[n-1].ID, nil
		}
		out = append(out, r)
	}
	return out, "", explain("reading runs", rows.Err())
}

func scanRun(row interface{ Scan(...any) error }, id string) (r planner.Run, err error) {
	var state, epoch, seq, created int64
	err = row.Scan(&r.ID, &r.Case, &r.Plan, &state, &r.Progress, &r.Stage, &r.Err, &epoch, &seq, &r.Topology, &created)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, fmt.Errorf("store: run %.80q: %w", id, ErrNotFound)
	case err != nil:
		return r, explain("reading run "+id, err)
	}
	if state < 0 || state > int64(planner.RunCancelled) || epoch < 0 || seq < 0 || epoch > math.MaxInt64/2 {
		return r, fmt.Errorf("store: run %s in the catalogue is damaged: state %d, epoch %d, seq %d", r.ID, state, epoch, seq)
	}
	r.State, r.Epoch, r.LastSeq, r.Created = planner.RunState(state), uint64(epoch), uint64(seq), time.Unix(0, created).UTC()
	return r, nil
}
