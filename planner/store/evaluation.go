package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"halsted/planner"
)

// notRanked sorts vetoed plans behind all ranked ones.
const notRanked = math.MaxInt32

// PutEvaluations keeps the evaluations of plans, replacing earlier ones, all
// or none: ranks are only true together. The plans must be there. An evaluation
// with a number that planner.Quantity.Validate refuses (without unit or basis,
// not finite, outside its interval) is an ErrInvalid, wherever the number
// stands: among the quantities, in a veto, or in a vessel that is cut.
func (s *Store) PutEvaluations(ctx context.Context, evals ...planner.Evaluation) error {
	for _, e := range evals {
		if err := checkNumbers(&e); err != nil {
			return fmt.Errorf("store: evaluation of plan %s: %w: %w", e.Plan, ErrInvalid, err)
		}
		if e.Rank < 0 || e.Rank >= notRanked {
			return fmt.Errorf("store: evaluation of plan %s: %w: rank %d", e.Plan, ErrInvalid, e.Rank)
		}
	}
	return s.Write(ctx, func(tx *sql.Tx) error {
		for _, e := range evals {
			p, err := scanOne[planner.Plan](tx.QueryRowContext(ctx, "SELECT json FROM plans WHERE id = ?", e.Plan), "plan", e.Plan)
			if err != nil {
				return err
			}
			b, err := json.Marshal(e)
			if err != nil {
				return fmt.Errorf("store: evaluation of plan %s: %w: %w", e.Plan, ErrInvalid, err)
			}
			place := e.Rank
			if place == 0 {
				place = notRanked
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO evaluations (plan_id, case_id, place, json) VALUES (?, ?, ?, ?)
				ON CONFLICT (plan_id) DO UPDATE SET place = excluded.place, json = excluded.json`, e.Plan, p.Case, place, string(b))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// checkNumbers refuses a number that must not be shown.
func checkNumbers(e *planner.Evaluation) error {
	for _, q := range e.Quantities {
		if err := q.Validate(); err != nil {
			return err
		}
	}
	for _, v := range e.Vetoes {
		if err := v.Have.Validate(); err != nil {
			return fmt.Errorf("veto %q: %w", v.Rule, err)
		}
		if math.IsNaN(v.Want.Value) || math.IsInf(v.Want.Value, 0) {
			return fmt.Errorf("veto %q: its limit is not finite", v.Rule)
		}
	}
	for _, v := range e.Vessels {
		if err := v.Radius.Validate(); err != nil {
			return fmt.Errorf("vessel %q: %w", v.Name, err)
		}
		if v.Flow != nil {
			if err := v.Flow.Validate(); err != nil {
				return fmt.Errorf("vessel %q: %w", v.Name, err)
			}
		}
		for _, x := range v.At {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("vessel %q: its place is not finite", v.Name)
			}
		}
	}
	return nil
}

// Evaluation returns the evaluation of a plan.
func (s *Store) Evaluation(ctx context.Context, planID string) (planner.Evaluation, error) {
	return scanOne[planner.Evaluation](s.reader.QueryRowContext(ctx, "SELECT json FROM evaluations WHERE plan_id = ?", planID), "evaluation of plan", planID)
}

// Evaluations returns a page of the evaluations of a case, in the order of
// rank, then the vetoed ones.
func (s *Store) Evaluations(ctx context.Context, caseID string, p Page) ([]planner.Evaluation, string, error) {
	place, after := 0, ""
	if p.Token != "" {
		a, b, ok := strings.Cut(p.Token, ".")
		n, err := strconv.Atoi(a)
		if !ok || err != nil || CheckID(b) != nil {
			return nil, "", fmt.Errorf("store: %w %.80q", ErrPageToken, p.Token)
		}
		place, after = n, b
	}
	if _, err := s.Case(ctx, caseID); err != nil {
		return nil, "", err
	}
	n := p.size()
	rows, err := s.reader.QueryContext(ctx, `SELECT place, plan_id, json FROM evaluations
		WHERE case_id = ? AND (place, plan_id) > (?, ?) ORDER BY place, plan_id LIMIT ?`, caseID, place, after, n+1)
	if err != nil {
		return nil, "", explain("reading evaluations", err)
	}
	defer rows.Close()
	var out []planner.Evaluation
	var last string
	for rows.Next() {
		var id, b string
		if err := rows.Scan(&place, &id, &b); err != nil {
			return nil, "", explain("reading evaluations", err)
		}
		if len(out) == n {
			return out, last, nil
		}
		var e planner.Evaluation
		if err := json.Unmarshal([]byte(b), &e); err != nil {
			return nil, "", fmt.Errorf("store: evaluation of plan %s in the catalogue is damaged: %w", id, err)
		}
		out, last = append(out, e), strconv.Itoa(place)+"."+id
	}
	return out, "", explain("reading evaluations", rows.Err())
}
