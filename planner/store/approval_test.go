package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"halsted/planner"
)

var testSurgeon = planner.Approver{Name: "Доктор Вайс", Role: planner.ApprovingRole, Kind: planner.AccountPerson}

// testApprovals are an approval of p, its withdrawal and a second approval.
func testApprovals(t *testing.T, p planner.Plan) []planner.Approval {
	t.Helper()
	e := planner.Evaluation{Plan: p.ID, Rank: 1, Vetoes: []planner.Veto{{Rule: "flr.min", Have: planner.Quantity{ID: "flr_percent", Value: 20, Unit: "%", Basis: "b"}}}}
	shown, err := planner.EvaluationID(&e)
	must(t, err)
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	a, err := planner.Approve(p, &e, shown, testSurgeon, "I choose this plan.\nAll seen.", at)
	must(t, err)
	w, err := planner.Withdraw(a, testSurgeon, "The tumour has grown.", at.Add(time.Hour))
	must(t, err)
	again, err := planner.Approve(p, &e, shown, testSurgeon, "After all.", at.Add(2*time.Hour))
	must(t, err)
	return []planner.Approval{*a, *w, *again}
}

func approvalContract(t *testing.T, s backend) {
	ctx := t.Context()
	p := newPlan(t, s)
	list := testApprovals(t, p)
	if none, err := s.Approvals(ctx, p.ID); err != nil || len(none) != 0 {
		t.Errorf("before any: %v, %v", none, err)
	}
	// A withdrawal needs what it takes back; the one before it stays out too.
	wantErr(t, s.PutApprovals(ctx, list[2], list[1]), ErrNotFound, list[0].ID)
	if none, err := s.Approvals(ctx, p.ID); err != nil || len(none) != 0 {
		t.Errorf("half a batch was kept: %v, %v", none, err)
	}
	must(t, s.PutApprovals(ctx, list[0]))
	must(t, s.PutApprovals(ctx, list[1:]...))
	must(t, s.PutApprovals(ctx, list...)) // again
	got, err := s.Approvals(ctx, p.ID)
	must(t, err)
	if !reflect.DeepEqual(got, list) {
		t.Errorf("came back as %#v", got)
	}
	changed := list[0]
	changed.Statement = "x"
	wantErr(t, s.PutApprovals(ctx, changed), ErrConflict, list[0].ID)
	changed = list[0]
	changed.ID = "../x"
	wantErr(t, s.PutApprovals(ctx, changed), ErrInvalid)
	changed.ID, changed.Plan = "x", "gone"
	wantErr(t, s.PutApprovals(ctx, changed), ErrNotFound, "gone")
	changed.Plan, changed.Case = p.ID, "other"
	wantErr(t, s.PutApprovals(ctx, changed), ErrInvalid, p.Case)
	// Another plan's approval cannot be taken back here.
	other := testPlan(p.Case, 2)
	must(t, s.PutPlan(ctx, other))
	stray := list[1]
	stray.ID, stray.Plan = "x", other.ID
	wantErr(t, s.PutApprovals(ctx, stray), ErrNotFound, list[0].ID)
	if none, err := s.Approvals(ctx, other.ID); err != nil || len(none) != 0 {
		t.Errorf("of another plan: %v, %v", none, err)
	}
	for n := len(list); n < maxApprovals; n++ {
		more := list[0]
		more.ID = fmt.Sprintf("a%d", n)
		must(t, s.PutApprovals(ctx, more))
	}
	changed = list[0]
	changed.ID = "last"
	wantErr(t, s.PutApprovals(ctx, changed), ErrConflict, p.ID)
}

// What is in the catalogue can neither be changed nor removed, not even by a
// statement of this program.
func TestApprovalsAreAppendOnly(t *testing.T) {
	s := opened(t, t.TempDir())
	p := newPlan(t, s)
	list := testApprovals(t, p)
	must(t, s.PutApprovals(t.Context(), list...))
	for _, q := range []string{"UPDATE approvals SET json = '{}'", "DELETE FROM approvals", "DELETE FROM approvals WHERE place = 2"} {
		err := s.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.ExecContext(t.Context(), q); return err })
		if err == nil || !strings.Contains(err.Error(), "never") {
			t.Errorf("%s: %v", q, err)
		}
	}
	if got, err := s.Approvals(t.Context(), p.ID); err != nil || !reflect.DeepEqual(got, list) {
		t.Errorf("came back as %v, %v", got, err)
	}
}

// A catalogue of the first version gets the new table and keeps what it has.
func TestACatalogueOfTheFirstVersionIsBroughtUp(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	p := newPlan(t, s)
	must(t, s.Close())
	db, err := sql.Open("sqlite", filepath.Join(dir, "catalogue.db"))
	must(t, err)
	_, err = db.ExecContext(context.Background(), "DROP TABLE approvals; PRAGMA user_version = 1")
	must(t, err)
	must(t, db.Close())
	s = opened(t, dir)
	must(t, s.PutApprovals(t.Context(), testApprovals(t, p)...))
	if got, err := s.Plan(t.Context(), p.ID); err != nil || got.ID != p.ID {
		t.Errorf("plan %v, %v", got.ID, err)
	}
}
