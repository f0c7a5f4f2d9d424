package store

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"

	"halsted/planner"
)

func catalogueContract(t *testing.T, s backend) {
	ctx := t.Context()
	p := newPlan(t, s)
	newPlan(t, s) // the same again
	st, err := s.Study(ctx, "s1")
	must(t, err)
	if st.Size != [3]int{512, 512, 120} || st.Spacing[2] != 2.5 || st.Kind != "HU" {
		t.Errorf("study came back as %+v", st)
	}
	wantErr(t, s.PutStudy(ctx, planner.Study{ID: "s1", Modality: "MR"}), ErrConflict, "s1")
	wantErr(t, s.PutStudy(ctx, planner.Study{ID: "a/b"}), ErrInvalid)
	c, err := s.Case(ctx, p.Case)
	must(t, err)
	if !reflect.DeepEqual(c, testCase("s1")) {
		t.Errorf("case came back as %+v", c)
	}
	wantErr(t, s.PutCase(ctx, testCase("s2")), ErrNotFound, `study "s2"`)
	forged := testCase("s1")
	forged.Condition = "cirrhosis"
	wantErr(t, s.PutCase(ctx, forged), ErrInvalid)
	must(t, s.SetCaseResult(ctx, c.ID, "labelkey", ""))
	must(t, s.SetCaseResult(ctx, c.ID, "", "surfacehash"))
	must(t, s.PutCase(ctx, testCase("s1"))) // does not take the results away
	if c, err = s.Case(ctx, c.ID); err != nil || c.Labels != "labelkey" || c.Surface != "surfacehash" {
		t.Errorf("case results came back as %+v, %v", c, err)
	}
	wantErr(t, s.SetCaseResult(ctx, "nobody", "x", "y"), ErrNotFound)
	got, err := s.Plan(ctx, p.ID)
	must(t, err)
	if !reflect.DeepEqual(got, p) {
		t.Errorf("plan came back as %+v, want %+v", got, p)
	}
	child := p
	child.Parent, child.RetractionMM = p.ID, 20
	child = child.Sealed()
	must(t, s.PutPlan(ctx, child))
	if again, err := s.Plan(ctx, p.ID); err != nil || again.RetractionMM != 30 {
		t.Errorf("the parent changed: %+v, %v", again, err)
	}
	orphan := p
	orphan.Parent = "gone"
	wantErr(t, s.PutPlan(ctx, orphan.Sealed()), ErrNotFound, "parent")
	other := testCase("s1")
	other.Condition = "cirrhosis"
	other = other.Sealed()
	must(t, s.PutCase(ctx, other))
	stray := child
	stray.Case = other.ID
	wantErr(t, s.PutPlan(ctx, stray.Sealed()), ErrInvalid, "parent belongs")
	wantErr(t, s.PutPlan(ctx, planner.Plan{Case: c.ID}.Sealed()), ErrInvalid, "no cut")
	forgedPlan := p
	forgedPlan.RetractionMM = 1
	wantErr(t, s.PutPlan(ctx, forgedPlan), ErrInvalid, "content")
	for what, f := range map[string]func() error{
		"study": func() error { _, err := s.Study(ctx, "x"); return err },
		"case":  func() error { _, err := s.Case(ctx, "x"); return err },
		"plan":  func() error { _, err := s.Plan(ctx, "'; DROP TABLE plans; --"); return err },
		"run":   func() error { _, err := s.Run(ctx, "x"); return err },
	} {
		wantErr(t, f(), ErrNotFound, what)
	}
	pages(t, s, c.ID)
}

// pages walks 25 plans with pages of every size.
func pages(t *testing.T, s backend, caseID string) {
	ctx := t.Context()
	for n := range 23 { // and the two that are there
		must(t, s.PutPlan(ctx, testPlan(caseID, float64(100+n))))
	}
	for _, size := range []int{1, 7, 24, 25, 26, 0, 5000} {
		seen, token, last := map[string]bool{}, "", ""
		for calls := 0; ; calls++ {
			list, next, err := s.Plans(ctx, caseID, Page{size, token})
			must(t, err)
			if size > 0 && len(list) > size {
				t.Fatalf("page of %d, want at most %d", len(list), size)
			}
			for _, p := range list {
				if p.ID <= last {
					t.Fatalf("%s after %s", p.ID, last)
				}
				last = p.ID
				seen[p.ID] = true
			}
			if token = next; token == "" {
				break
			}
			if len(list) == 0 || calls > 25 {
				t.Fatal("pages do not end")
			}
		}
		if len(seen) != 25 {
			t.Errorf("pages of %d: %d plans, want 25", size, len(seen))
		}
	}
	_, _, err := s.Plans(ctx, caseID, Page{Token: "!"})
	wantErr(t, err, ErrPageToken)
	_, _, err = s.Plans(ctx, "nobody", Page{})
	wantErr(t, err, ErrNotFound)
	if list, next, err := s.Studies(ctx, Page{}); err != nil || len(list) != 1 || next != "" {
		t.Errorf("studies: %d, %q, %v", len(list), next, err)
	}
	if list, next, err := s.Cases(ctx, Page{Size: 1}); err != nil || len(list) != 1 || next == "" {
		t.Errorf("first page of cases: %d, %q, %v", len(list), next, err)
	}
}

func evaluationContract(t *testing.T, s backend) {
	ctx := t.Context()
	first := newPlan(t, s)
	evals := []planner.Evaluation{{Plan: first.ID, Rank: 2}}
	for n := range 4 {
		p := testPlan(first.Case, float64(n+50))
		must(t, s.PutPlan(ctx, p))
		evals = append(evals, planner.Evaluation{Plan: p.ID, Rank: []int{1, 0, 3, 0}[n]})
	}
	evals[0].Quantities = []planner.Quantity{
		{ID: "flr_percent", Label: "Future liver remnant", Value: 41.5, Unit: "%", Spread: planner.Around(40, 41.5, 43.25), Basis: "voxel size", Evidence: planner.EvidenceComputed},
		{ID: "peak_stress", Label: "Peak stress", Value: 12, Unit: "kPa", Basis: "one run", Evidence: planner.EvidenceClassic},
	}
	number := func(id, unit string, v float64) planner.Quantity {
		return planner.Quantity{ID: id, Value: v, Unit: unit, Basis: "one run"}
	}
	flow := number("flow_ml_min", "mL/min", 40)
	evals[0].Vessels = []planner.VesselCut{{System: "portal", Radius: number("radius_mm", "mm", 2.5), Flow: &flow, At: [3]float64{1, 2, 3}}}
	evals[0].Reasons, evals[0].Warnings = []string{"second margin"}, []string{"thin remnant"}
	evals[2].Vetoes = []planner.Veto{{Rule: "flr.min", Text: "too little is left", Have: number("flr_percent", "%", 20), Want: planner.Limit{Operator: ">=", Value: 25, Unit: "%", Source: "x", Evidence: planner.EvidenceSource}}}
	must(t, s.PutEvaluations(ctx, evals...))
	got, err := s.Evaluation(ctx, first.ID)
	must(t, err)
	if !reflect.DeepEqual(got, evals[0]) {
		t.Errorf("came back as\n%+v, want\n%+v", got, evals[0])
	}
	var ranks []int
	for token := ""; ; {
		list, next, err := s.Evaluations(ctx, first.Case, Page{2, token})
		must(t, err)
		for _, e := range list {
			ranks = append(ranks, e.Rank)
		}
		if token = next; token == "" {
			break
		}
	}
	if fmt.Sprint(ranks) != "[1 2 3 0 0]" {
		t.Errorf("ranks in the order %v", ranks)
	}
	evals[0].Rank = 4
	must(t, s.PutEvaluations(ctx, evals[0]))
	if e, err := s.Evaluation(ctx, first.ID); err != nil || e.Rank != 4 {
		t.Errorf("replaced evaluation has rank %d, %v", e.Rank, err)
	}
	evals[0].Rank = 5
	wantErr(t, s.PutEvaluations(ctx, evals[0], planner.Evaluation{Plan: "gone"}), ErrNotFound)
	if e, err := s.Evaluation(ctx, first.ID); err != nil || e.Rank != 4 {
		t.Errorf("half a batch was kept: rank %d, %v", e.Rank, err)
	}
	bareNumbers(t, s, first.ID)
	for _, token := range []string{"x", "1", "x.y", "1./"} {
		_, _, err = s.Evaluations(ctx, first.Case, Page{Token: token})
		wantErr(t, err, ErrPageToken)
	}
	_, err = s.Evaluation(ctx, "gone")
	wantErr(t, err, ErrNotFound)
}

// bareNumbers tries to keep numbers that must not be shown, wherever one can
// stand in an evaluation; none is kept.
func bareNumbers(t *testing.T, s backend, plan string) {
	ctx := t.Context()
	good := planner.Quantity{ID: "x", Value: 1, Unit: "mm", Basis: "one run"}
	before, err := s.Evaluation(ctx, plan)
	must(t, err)
	for what, spoil := range map[string]func(*planner.Quantity){
		"without a unit":       func(q *planner.Quantity) { q.Unit = "" },
		"without a basis":      func(q *planner.Quantity) { q.Basis = "" },
		"without an id":        func(q *planner.Quantity) { q.ID = "" },
		"not a number":         func(q *planner.Quantity) { q.Value = math.NaN() },
		"infinite":             func(q *planner.Quantity) { q.Value = math.Inf(1) },
		"outside its interval": func(q *planner.Quantity) { q.Spread = planner.Around(2, 3, 4) },
	} {
		bad := good
		spoil(&bad)
		for where, e := range map[string]planner.Evaluation{
			"a quantity": {Quantities: []planner.Quantity{good, bad}},
			"a veto":     {Vetoes: []planner.Veto{{Rule: "r", Have: good}, {Rule: "r", Have: bad}}},
			"a radius":   {Vessels: []planner.VesselCut{{Radius: bad}}},
			"a flow":     {Vessels: []planner.VesselCut{{Radius: good, Flow: &good}, {Radius: good, Flow: &bad}}},
		} {
			e.Plan = plan
			if err := s.PutEvaluations(ctx, e); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s %s is kept: %v", where, what, err)
			}
		}
	}
	for _, e := range []planner.Evaluation{
		{Vetoes: []planner.Veto{{Rule: "r", Have: good, Want: planner.Limit{Value: math.NaN()}}}},
		{Vessels: []planner.VesselCut{{Radius: good, At: [3]float64{0, math.Inf(1), 0}}}},
	} {
		e.Plan = plan
		wantErr(t, s.PutEvaluations(ctx, e), ErrInvalid)
	}
	if after, err := s.Evaluation(ctx, plan); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("a refused evaluation changed the one before: %+v, %v", after, err)
	}
}
