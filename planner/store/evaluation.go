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

// storedEvaluation spells an open interval as null: JSON has no NaN.
type storedEvaluation struct {
	planner.Evaluation
	Quantities []storedQuantity `json:"quantities"`
}

type storedQuantity struct {
	ID       string           `json:"id"`
	Label    string           `json:"label"`
	Value    float64          `json:"value"`
	Unit     string           `json:"unit"`
	Low      *float64         `json:"low"`
	High     *float64         `json:"high"`
	Basis    string           `json:"basis"`
	Evidence planner.Evidence `json:"evidence"`
}

// notRanked sorts vetoed plans behind all ranked ones.
const notRanked = math.MaxInt32

// PutEvaluations keeps the evaluations of plans, replacing earlier ones, all
// or none: ranks are only true together. The plans must be there.
func (s *Store) PutEvaluations(ctx context.Context, evals ...planner.Evaluation) error {
	for _, e := range evals {
		for _, q := range e.Quantities {
			if err := q.Validate(); err != nil {
				return fmt.Errorf("store: evaluation of plan %s: %w: %w", e.Plan, ErrInvalid, err)
			}
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
			b, err := marshalEvaluation(e)
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

// Evaluation returns the evaluation of a plan.
func (s *Store) Evaluation(ctx context.Context, planID string) (planner.Evaluation, error) {
	e, err := scanOne[storedEvaluation](s.reader.QueryRowContext(ctx, "SELECT json FROM evaluations WHERE plan_id = ?", planID), "evaluation of plan", planID)
	return e.evaluation(), err
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
		var e storedEvaluation
		if err := json.Unmarshal([]byte(b), &e); err != nil {
			return nil, "", fmt.Errorf("store: evaluation of plan %s in the catalogue is damaged: %w", id, err)
		}
		out, last = append(out, e.evaluation()), strconv.Itoa(place)+"."+id
	}
	return out, "", explain("reading evaluations", rows.Err())
}

func marshalEvaluation(e planner.Evaluation) ([]byte, error) {
	s := storedEvaluation{Evaluation: e}
	for _, q := range e.Quantities {
		t := storedQuantity{q.ID, q.Label, q.Value, q.Unit, nil, nil, q.Basis, q.Evidence}
		if q.HasInterval() {
			t.Low, t.High = &q.Low, &q.High
		}
		s.Quantities = append(s.Quantities, t)
	}
	return json.Marshal(s)
}

func (s storedEvaluation) evaluation() planner.Evaluation {
	e := s.Evaluation
	e.Quantities = nil
	for _, t := range s.Quantities {
		q := planner.Quantity{ID: t.ID, Label: t.Label, Value: t.Value, Unit: t.Unit, Low: math.NaN(), High: math.NaN(), Basis: t.Basis, Evidence: t.Evidence}
		if t.Low != nil && t.High != nil {
			q.Low, q.High = *t.Low, *t.High
		}
		e.Quantities = append(e.Quantities, q)
	}
	return e
}
