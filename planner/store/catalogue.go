package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"halsted/planner"
)

// Page asks for part of a list.
type Page struct {
	Size  int    // at most this many; below 1: 100; above 1000: 1000
	Token string // token of the page before, or ""
}

const (
	defaultPage = 100
	maxPage     = 1000
	maxID       = 64 // bytes
)

func (p Page) size() int {
	if p.Size < 1 {
		return defaultPage
	}
	return min(p.Size, maxPage)
}

// CheckID reports a string that cannot name a study, case, plan or run: 1 to
// 64 of a-z, 0-9, '_' and '-', with a letter or digit first.
func CheckID(id string) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("store: %w id %.80q: want 1 to %d characters", ErrInvalid, id, maxID)
	}
	for n, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (n == 0 || c != '_' && c != '-') {
			return fmt.Errorf("store: %w id %q: want a-z, 0-9, '_' or '-'", ErrInvalid, id)
		}
	}
	return nil
}

// PutStudy keeps a study. A study of the same id with other content is an
// ErrConflict.
func (s *Store) PutStudy(ctx context.Context, st planner.Study) error {
	if err := CheckID(st.ID); err != nil {
		return err
	}
	b, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("store: study %s: %w: %w", st.ID, ErrInvalid, err)
	}
	return s.Write(ctx, func(tx *sql.Tx) error {
		var old string
		err := tx.QueryRowContext(ctx, "SELECT json FROM studies WHERE id = ?", st.ID).Scan(&old)
		switch {
		case err == nil && old == string(b):
			return nil
		case err == nil:
			return fmt.Errorf("store: study %s: %w: another study has this id", st.ID, ErrConflict)
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO studies (id, json) VALUES (?, ?)", st.ID, string(b))
		return err
	})
}

// Study returns a study.
func (s *Store) Study(ctx context.Context, id string) (planner.Study, error) {
	return one[planner.Study](ctx, s, "study", "studies", id)
}

// Studies returns a page of all studies and the token of the next page, empty
// on the last.
func (s *Store) Studies(ctx context.Context, p Page) ([]planner.Study, string, error) {
	return page[planner.Study](ctx, s, p, "SELECT id, json FROM studies WHERE id > ? ORDER BY id LIMIT ?")
}

// PutCase keeps a case, whose study must be there and whose ID must be that of
// Case.Sealed. A case that is there stays as it is.
func (s *Store) PutCase(ctx context.Context, c planner.Case) error {
	if want := c.Sealed().ID; c.ID != want {
		return fmt.Errorf("store: case %q: %w: its content has the id %s", c.ID, ErrInvalid, want)
	}
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("store: case %s: %w: %w", c.ID, ErrInvalid, err)
	}
	return s.Write(ctx, func(tx *sql.Tx) error {
		if err := mustExist(ctx, tx, "study", "studies", c.Study); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO cases (id, study, json) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", c.ID, c.Study, string(b))
		return err
	})
}

// SetCaseResult records what the pipeline made of a case: the blob key of its
// labels and the hash of its surface. An empty string leaves what is there.
func (s *Store) SetCaseResult(ctx context.Context, id, labels, surface string) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		c, err := scanOne[planner.Case](tx.QueryRowContext(ctx, "SELECT json FROM cases WHERE id = ?", id), "case", id)
		if err != nil {
			return err
		}
		if labels != "" {
			c.Labels = labels
		}
		if surface != "" {
			c.Surface = surface
		}
		b, err := json.Marshal(c)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE cases SET json = ? WHERE id = ?", string(b), id)
		return err
	})
}

// Case returns a case.
func (s *Store) Case(ctx context.Context, id string) (planner.Case, error) {
	return one[planner.Case](ctx, s, "case", "cases", id)
}

// Cases returns a page of all cases.
func (s *Store) Cases(ctx context.Context, p Page) ([]planner.Case, string, error) {
	return page[planner.Case](ctx, s, p, "SELECT id, json FROM cases WHERE id > ? ORDER BY id LIMIT ?")
}

// PutPlan keeps a plan that passes Plan.Validate and whose ID is that of
// Plan.Sealed. Its case, and its parent in the same case, must be there.
func (s *Store) PutPlan(ctx context.Context, p planner.Plan) error {
	if err := p.Validate(); err != nil {
		return fmt.Errorf("store: %w: %w", ErrInvalid, err)
	}
	if want := p.Sealed().ID; p.ID != want {
		return fmt.Errorf("store: plan %q: %w: its content has the id %s", p.ID, ErrInvalid, want)
	}
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("store: plan %s: %w: %w", p.ID, ErrInvalid, err)
	}
	return s.Write(ctx, func(tx *sql.Tx) error {
		if err := mustExist(ctx, tx, "case", "cases", p.Case); err != nil {
			return err
		}
		parent := sql.NullString{String: p.Parent, Valid: p.Parent != ""}
		if parent.Valid {
			pp, err := scanOne[planner.Plan](tx.QueryRowContext(ctx, "SELECT json FROM plans WHERE id = ?", p.Parent), "parent plan", p.Parent)
			if err != nil {
				return err
			}
			if pp.Case != p.Case {
				return fmt.Errorf("store: plan %s: %w: its parent belongs to case %s", p.ID, ErrInvalid, pp.Case)
			}
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO plans (id, case_id, parent, json) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", p.ID, p.Case, parent, string(b))
		return err
	})
}

// Plan returns a plan.
func (s *Store) Plan(ctx context.Context, id string) (planner.Plan, error) {
	return one[planner.Plan](ctx, s, "plan", "plans", id)
}

// Plans returns a page of the plans of a case.
func (s *Store) Plans(ctx context.Context, caseID string, p Page) ([]planner.Plan, string, error) {
	if _, err := s.Case(ctx, caseID); err != nil {
		return nil, "", err
	}
	return page[planner.Plan](ctx, s, p, "SELECT id, json FROM plans WHERE case_id = ? AND id > ? ORDER BY id LIMIT ?", caseID)
}

func mustExist(ctx context.Context, tx *sql.Tx, what, table, id string) error {
	var n int
	err := tx.QueryRowContext(ctx, "SELECT 1 FROM "+table+" WHERE id = ?", id).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("store: %s %q: %w", what, id, ErrNotFound)
	}
	return err
}

func one[T any](ctx context.Context, s *Store, what, table, id string) (T, error) {
	return scanOne[T](s.reader.QueryRowContext(ctx, "SELECT json FROM "+table+" WHERE id = ?", id), what, id)
}

func scanOne[T any](row *sql.Row, what, id string) (v T, err error) {
	var b string
	switch err := row.Scan(&b); {
	case errors.Is(err, sql.ErrNoRows):
		return v, fmt.Errorf("store: %s %.80q: %w", what, id, ErrNotFound)
	case err != nil:
		return v, explain("reading "+what+" "+id, err)
	}
	if err := json.Unmarshal([]byte(b), &v); err != nil {
		return v, fmt.Errorf("store: %s %s in the catalogue is damaged: %w", what, id, err)
	}
	return v, nil
}

// page runs a statement that selects (id, json) with id > ? LIMIT ? last.
func page[T any](ctx context.Context, s *Store, p Page, query string, args ...any) ([]T, string, error) {
	if p.Token != "" && CheckID(p.Token) != nil {
		return nil, "", fmt.Errorf("store: %w %.80q", ErrPageToken, p.Token)
	}
	n := p.size()
	rows, err := s.reader.QueryContext(ctx, query, append(args, p.Token, n+1)...)
	if err != nil {
		return nil, "", explain("reading a list", err)
	}
	defer rows.Close()
	var out []T
	var last string
	for rows.Next() {
		var id, b string
		if err := rows.Scan(&id, &b); err != nil {
			return nil, "", explain("reading a list", err)
		}
		if len(out) == n {
			return out, last, nil
		}
		var v T
		if err := json.Unmarshal([]byte(b), &v); err != nil {
			return nil, "", fmt.Errorf("store: %s in the catalogue is damaged: %w", id, err)
		}
		out, last = append(out, v), id
	}
	return out, "", explain("reading a list", rows.Err())
}
