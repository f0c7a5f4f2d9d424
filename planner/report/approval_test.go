package report

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"halsted/planner"
)

var approvedAt = time.Date(2026, 11, 1, 9, 30, 0, 0, time.UTC)

// approve lets a surgeon approve an item as it stands, sealing its plan.
func approve(t *testing.T, it *Item, by string) {
	t.Helper()
	it.Plan = it.Plan.Sealed()
	it.Evaluation.Plan = it.Plan.ID
	shown, err := planner.EvaluationID(&it.Evaluation)
	if err != nil {
		t.Fatal(err)
	}
	a, err := planner.Approve(it.Plan, &it.Evaluation, shown, planner.Approver{Name: by, Role: planner.ApprovingRole, Kind: planner.AccountPerson}, "I choose this plan.", approvedAt)
	if err != nil {
		t.Fatal(err)
	}
	it.Given = append(it.Given, *a)
}

// everyForm is what the forms say, those that can be read here.
func everyForm(t *testing.T, d Dossier) map[string]string {
	t.Helper()
	out := map[string]string{"HTML": plainHTML(render(t, "HTML", d)), "JSON": string(render(t, "JSON", d)), "SR": srText(t, render(t, "SR", d)), "PDF": pdfText(t, render(t, "PDF", d))}
	for form, s := range out {
		if out[form] = strings.Join(strings.Fields(s), " "); s == "" {
			delete(out, form) // the tool that reads it is not there
		}
	}
	return out
}

// Nothing but an approval that planner.Approve made, for this plan and the very
// evaluation that is shown, makes a plan read "approved".
func TestNothingApprovesItself(t *testing.T) {
	for form, s := range everyForm(t, sampleDossier()) {
		if strings.Contains(s, "approved by") || !strings.Contains(s, "Proposed, not approved") && form != "JSON" || !strings.Contains(s, "No plan is approved.") {
			t.Errorf("%s does not say that no plan is approved", form)
		}
	}
	base := sampleDossier()
	approve(t, &base.Items[0], "Dr. Ada Weiss")
	good := base.Items[0].Given[0]
	surgeon := planner.Approver{Name: "Dr. Bo Lind", Role: planner.ApprovingRole, Kind: planner.AccountPerson}
	back, err := planner.Withdraw(&good, surgeon, "It has grown.", approvedAt.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	edited := func(change func(*planner.Approval)) []planner.Approval {
		a := good
		change(&a)
		return []planner.Approval{a}
	}
	for name, c := range map[string]struct {
		given  []planner.Approval
		change func(*Item)
		why    string
	}{
		"written by hand":   {[]planner.Approval{{ID: "x", Plan: good.Plan, Case: good.Case, Evaluation: good.Evaluation, By: "Dr. Ada Weiss", Role: planner.ApprovingRole, Statement: "x", At: approvedAt}}, nil, "not as it was given"},
		"another name":      {edited(func(a *planner.Approval) { a.By = "Dr. Bo Lind" }), nil, "not as it was given"},
		"no name":           {edited(func(a *planner.Approval) { a.By = " \x00\u202e" }), nil, "not as it was given"},
		"a machine":         {edited(func(a *planner.Approval) { a.Role = "admin" }), nil, "not as it was given"},
		"of another plan":   {edited(func(a *planner.Approval) { a.Plan = base.Items[1].Plan.ID }), nil, "not as it was given"},
		"withdrawn":         {[]planner.Approval{good, *back}, nil, "was withdrawn"},
		"only a withdrawal": {[]planner.Approval{*back}, nil, "nobody approved it"},
		"another number":    {[]planner.Approval{good}, func(it *Item) { it.Evaluation.Rank++ }, "changed since"},
		"an edited plan":    {[]planner.Approval{good}, func(it *Item) { it.Plan.RetractionMM++ }, "not that of its content"},
	} {
		d := sampleDossier()
		it := base.Items[0]
		it.Given = c.given
		if c.change != nil {
			c.change(&it)
		}
		d.Items[0], d.Knee = it, it.Plan.ID
		if a, _ := it.standing(); a != nil {
			t.Errorf("%s: it stands", name)
		}
		for form, s := range everyForm(t, d) {
			if strings.Contains(s, "approved by") || !strings.Contains(s, "No plan is approved.") || !strings.Contains(s, "not approved: ") || !strings.Contains(s, c.why) {
				t.Errorf("%s: %s reads as approved, or does not say why not (%s)", name, form, c.why)
			}
		}
	}
	// The dossier holds no other place for it.
	for n := range reflect.TypeFor[Item]().NumField() {
		if f := reflect.TypeFor[Item]().Field(n); strings.Contains(f.Name, "Approv") {
			t.Errorf("the item has a field %s of its own", f.Name)
		}
	}
}

func TestAnApprovedPlanSaysByWhomAndWhen(t *testing.T) {
	d := sampleDossier()
	approve(t, &d.Items[0], "Dr. Ada Weiss")
	approve(t, &d.Items[6], "Dr. Ada Weiss") // vetoed: approved all the same
	d.Knee = d.Items[0].Plan.ID
	for form, s := range everyForm(t, d) {
		for _, want := range []string{"approved by Dr. Ada Weiss at 2026-11-01 09:30 UTC", "I choose this plan.", "liver.flr.normal"} {
			if !strings.Contains(s, want) {
				t.Errorf("%s lacks %q", form, want)
			}
		}
		if strings.Contains(s, "No plan is approved") {
			t.Errorf("%s contradicts itself", form)
		}
	}
	var back struct {
		Status string
		Plans  []struct {
			Approval approvalJSON
			Given    []planner.Approval
		}
	}
	if err := json.Unmarshal(render(t, "JSON", d), &back); err != nil {
		t.Fatal(err)
	}
	if a := back.Plans[0].Approval; a.By != "Dr. Ada Weiss" || a.On != "2026-11-01T09:30:00Z" || len(back.Plans[0].Given) != 1 || back.Plans[1].Approval.State != notApproved {
		t.Errorf("JSON %+v", back.Plans[:2])
	}
	if s := d.Items[6].said(); !strings.Contains(s, "although it breaks liver.flr.normal") {
		t.Error(s)
	}
}
