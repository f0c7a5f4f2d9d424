package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"halsted/planner"
)

// maxApprovals bounds the approvals and withdrawals of one plan.
const maxApprovals = 256

// PutApprovals keeps approvals and withdrawals for ever, all or none. Their
// plans must be there, in the case they name, and so must the approval, of the
// same plan, that a withdrawal takes back. Keeping one twice is harmless; one
// of the same ID with other content is an ErrConflict. Whether an approval
// holds is for planner.Approved to say: the store judges nothing.
func (s *Store) PutApprovals(ctx context.Context, list ...planner.Approval) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		for _, a := range list {
			if err := putApproval(ctx, tx, a); err != nil {
				return err
			}
		}
		return nil
	})
}

func putApproval(ctx context.Context, tx *sql.Tx, a planner.Approval) error {
	if err := CheckID(a.ID); err != nil {
		return err
	}
	b, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("store: approval %s: %w: %w", a.ID, ErrInvalid, err)
	}
	var old string
	switch err := tx.QueryRowContext(ctx, "SELECT json FROM approvals WHERE id = ?", a.ID).Scan(&old); {
	case err == nil && old == string(b):
		return nil
	case err == nil:
		return fmt.Errorf("store: approval %s: %w: another approval has this id", a.ID, ErrConflict)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	p, err := scanOne[planner.Plan](tx.QueryRowContext(ctx, "SELECT json FROM plans WHERE id = ?", a.Plan), "plan", a.Plan)
	if err != nil {
		return err
	}
	if p.Case != a.Case {
		return fmt.Errorf("store: approval %s: %w: its plan belongs to case %s", a.ID, ErrInvalid, p.Case)
	}
	if a.Withdraws != "" {
		var n int
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM approvals WHERE id = ? AND plan_id = ?", a.Withdraws, a.Plan).Scan(&n)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("store: approval %.80q of plan %s: %w", a.Withdraws, a.Plan, ErrNotFound)
		}
	}
	var have int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM approvals WHERE plan_id = ?", a.Plan).Scan(&have); err != nil {
		return err
	}
	if have >= maxApprovals {
		return fmt.Errorf("store: plan %s: %w: it has %d approvals and withdrawals already", a.Plan, ErrConflict, have)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO approvals (id, plan_id, json) VALUES (?, ?, ?)", a.ID, a.Plan, string(b))
	return err
}

// Approvals returns all approvals and withdrawals of a plan in the order in
// which they were kept; none is no error.
func (s *Store) Approvals(ctx context.Context, planID string) ([]planner.Approval, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT id, json FROM approvals WHERE plan_id = ? ORDER BY place", planID)
	if err != nil {
		return nil, explain("reading approvals", err)
	}
	defer rows.Close()
	var out []planner.Approval
	for rows.Next() {
		var id, b string
		if err := rows.Scan(&id, &b); err != nil {
			return nil, explain("reading approvals", err)
		}
		var a planner.Approval
		if err := json.Unmarshal([]byte(b), &a); err != nil {
			return nil, fmt.Errorf("store: approval %s in the catalogue is damaged: %w", id, err)
		}
		out = append(out, a)
	}
	return out, explain("reading approvals", rows.Err())
}
