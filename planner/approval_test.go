package planner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/spatial/r3"
)

var (
	surgeon = Approver{"Dr. Ada Weiss", ApprovingRole, AccountPerson}
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func approvable() (Plan, *Evaluation) {
	p := Plan{Case: "c", Name: "left lobe", Cuts: []Plane{{Normal: r3.Vec{Z: 1}}}}.Sealed()
	q := Quantity{ID: "flr_percent", Value: 41, Unit: "%", Spread: Around(38, 41, 44), Basis: "test"}
	return p, &Evaluation{Plan: p.ID, Quantities: []Quantity{q}, Rank: 1,
		Vessels: []VesselCut{{System: "portal", Radius: Quantity{ID: "radius_mm", Value: 2, Unit: "mm", Basis: "test"}}}}
}

func mustApprove(t *testing.T, p Plan, e *Evaluation) *Approval {
	t.Helper()
	shown, err := EvaluationID(e)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Approve(p, e, shown, surgeon, "I choose this plan.", noon)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func ExampleApprove() {
	p, e := approvable()
	shown, _ := EvaluationID(e) // goes out with the evaluation, and comes back with the approval
	_, err := Approve(p, e, shown, Approver{"nightly", "surgeon", AccountMachine}, "fine", noon)
	fmt.Println(strings.TrimPrefix(err.Error(), "planner: plan "+p.ID+" "))
	a, err := Approve(p, e, shown, Approver{"Dr. Ada Weiss", "surgeon", AccountPerson}, "I choose this plan.", noon)
	fmt.Println(a.Stands(p, e), err)
	e.Quantities[0].Value = 40
	fmt.Println(strings.TrimPrefix(a.Stands(p, e).Error(), "planner: plan "+p.ID+" "))
	// Output:
	// is not approved: a machine does not approve plans: a person has to log in
	// <nil> <nil>
	// is not approved: its evaluation has changed since it was approved
}

func TestOnlyAnAuthenticatedSurgeonApproves(t *testing.T) {
	p, e := approvable()
	shown, _ := EvaluationID(e)
	for name, by := range map[string]Approver{
		"a machine":          {"Dr. Ada Weiss", ApprovingRole, AccountMachine},
		"a script as admin":  {"cron", "admin", AccountMachine},
		"nobody knows who":   {"Dr. Ada Weiss", ApprovingRole, AccountUnknown},
		"the zero value":     {},
		"no such kind":       {"Dr. Ada Weiss", ApprovingRole, 7},
		"a planner":          {"Bo Lind", "planner", AccountPerson},
		"an admin":           {"root", "admin", AccountPerson},
		"the archive":        {"pacs", "archive", AccountMachine},
		"without a role":     {"Dr. Ada Weiss", "", AccountPerson},
		"without a name":     {" ", ApprovingRole, AccountPerson},
		"a name that breaks": {"Dr.\x1b[2J", ApprovingRole, AccountPerson},
		"a name without end": {strings.Repeat("a", maxNameLen+1), ApprovingRole, AccountPerson},
	} {
		a, err := Approve(p, e, shown, by, "I choose this plan.", noon)
		if _, ok := errors.AsType[*ApprovalError](err); !ok || a != nil {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
	for name, err := range map[string]error{
		"no statement":       second(Approve(p, e, shown, surgeon, " \n", noon)),
		"not text":           second(Approve(p, e, shown, surgeon, "\xff", noon)),
		"no time":            second(Approve(p, e, shown, surgeon, "yes", time.Time{})),
		"no evaluation":      second(Approve(p, nil, shown, surgeon, "yes", noon)),
		"not seen":           second(Approve(p, e, "", surgeon, "yes", noon)),
		"of another plan":    second(Approve(p, &Evaluation{Plan: "other"}, shown, surgeon, "yes", noon)),
		"a forged id":        second(Approve(Plan{ID: p.ID, Case: "c"}, e, shown, surgeon, "yes", noon)),
		"a number not shown": second(Approve(p, &Evaluation{Plan: p.ID, Quantities: []Quantity{{ID: "x", Value: math.NaN()}}}, shown, surgeon, "yes", noon)),
	} {
		if _, ok := errors.AsType[*ApprovalError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := mustApprove(t, p, e).Stands(p, e); err != nil {
		t.Error(err)
	}
}

func second(_ *Approval, err error) error { return err }

func TestAnEditIsNotApproved(t *testing.T) {
	p, e := approvable()
	a := mustApprove(t, p, e)
	child := p
	child.Parent, child.RetractionMM = p.ID, 10
	child = child.Sealed()
	of := *e
	of.Plan = child.ID
	if err := a.Stands(child, &of); err == nil || !strings.Contains(err.Error(), "edited from") {
		t.Errorf("the child of an approved plan: %v", err)
	}
	if got, err := Approved(child, &of, []Approval{*a}); got != nil || err == nil {
		t.Errorf("approved: %v, %v", got, err)
	}
	// Changing the plan under its id does not help.
	forged := p
	forged.RetractionMM = 10
	if a.Stands(forged, e) == nil {
		t.Error("a changed plan under the approved id stands")
	}
}

// Every change of what is shown voids the approval.
func TestAChangedEvaluationVoidsTheApproval(t *testing.T) {
	p, e := approvable()
	a := mustApprove(t, p, e)
	for name, change := range map[string]func(*Evaluation){
		"value":    func(e *Evaluation) { e.Quantities[0].Value = 40.9 },
		"interval": func(e *Evaluation) { e.Quantities[0].Spread = Around(37, 41, 44) },
		"evidence": func(e *Evaluation) { e.Quantities[0].Evidence = EvidenceUnverified },
		"flag":     func(e *Evaluation) { e.Quantities[0].Flags = []string{"thick slices"} },
		"veto":     func(e *Evaluation) { e.Vetoes = []Veto{{Rule: "r", Have: e.Quantities[0]}} },
		"warning":  func(e *Evaluation) { e.Warnings = []string{"look"} },
		"rank":     func(e *Evaluation) { e.Rank = 2 },
		"vessel":   func(e *Evaluation) { e.Vessels[0].Name = "right portal vein" },
		"removed":  func(e *Evaluation) { e.Quantities = nil },
	} {
		_, c := approvable()
		change(c)
		if err := a.Stands(p, c); err == nil || !strings.Contains(err.Error(), "changed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnApprovalSurvivesTheStoreAndNothingElse(t *testing.T) {
	p, e := approvable()
	a := mustApprove(t, p, e)
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back Approval
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*a, back) || back.Stands(p, e) != nil {
		t.Errorf("%s came back as %#v", b, back)
	}
	v := reflect.ValueOf(&back).Elem()
	for n := range v.NumField() {
		c := *a
		switch f := reflect.ValueOf(&c).Elem().Field(n); f.Kind() {
		case reflect.String:
			f.SetString(f.String() + "x")
		case reflect.Slice:
			f.Set(reflect.ValueOf([]string{"r"}))
		case reflect.Struct:
			f.Set(reflect.ValueOf(noon.Add(time.Hour)))
		default:
			t.Fatalf("field %s is not tried", v.Type().Field(n).Name)
		}
		if c.Stands(p, e) == nil {
			t.Errorf("an approval with another %s stands", v.Type().Field(n).Name)
		}
	}
	if (&Approval{Plan: p.ID, Case: p.Case, By: "x", Role: ApprovingRole}).Stands(p, e) == nil {
		t.Error("an approval that Approve did not make stands")
	}
}

func TestAnApprovalCanBeWithdrawnByASurgeonOnly(t *testing.T) {
	p, e := approvable()
	a := mustApprove(t, p, e)
	if _, err := Withdraw(a, Approver{"cron", ApprovingRole, AccountMachine}, "no", noon); err == nil {
		t.Error("a machine withdrew")
	}
	w, err := Withdraw(a, surgeon, "The tumour has grown.", noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if w.Stands(p, e) == nil {
		t.Error("a withdrawal stands as an approval")
	}
	if got, err := Approved(p, e, []Approval{*a, *w}); got != nil || err == nil || !strings.Contains(err.Error(), "withdrawn") {
		t.Errorf("%v, %v", got, err)
	}
	forged := *w
	forged.Statement = "changed"
	if got, _ := Approved(p, e, []Approval{*a, forged}); got == nil {
		t.Error("a forged withdrawal counts")
	}
	later, err := Approve(p, e, a.Evaluation, surgeon, "After all.", noon.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Approved(p, e, []Approval{*a, *w, *later}); got == nil || got.ID != later.ID {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Withdraw(w, surgeon, "no", noon); err == nil {
		t.Error("a withdrawal was withdrawn")
	}
}

func TestAVetoedPlanSaysWhichRulesItBreaks(t *testing.T) {
	p, e := approvable()
	e.Vetoes = []Veto{{Rule: "liver.flr.normal", Have: e.Quantities[0]}}
	if a := mustApprove(t, p, e); !reflect.DeepEqual(a.Broken, []string{"liver.flr.normal"}) {
		t.Errorf("broken %v", a.Broken)
	}
}

func TestTheNameIsNotPrinted(t *testing.T) {
	p, e := approvable()
	a := mustApprove(t, p, e)
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	log.Info("x", "approval", a, "value", *a, "by", surgeon)
	fmt.Fprintf(&b, "%v %+v %#v %s %v %+v %#v", a, a, *a, *a, surgeon, surgeon, surgeon)
	if strings.Contains(b.String(), "Weiss") || !strings.Contains(b.String(), a.ID) {
		t.Error(b.String())
	}
}
