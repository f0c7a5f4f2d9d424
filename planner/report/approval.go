package report

import (
	"encoding/json"
	"errors"
	"strings"

	"halsted/planner"
)

const notApproved = "not approved"

// nobodyApproved is what approved says until a person has approved a plan.
const nobodyApproved = "No plan is approved."

// standing is the approval that holds for the plan as it is shown, nil if none
// does; why says what became of those that were given.
func (it Item) standing() (a *planner.Approval, why string) {
	a, err := planner.Approved(it.Plan, &it.Evaluation, it.Given)
	if a == nil && len(it.Given) > 0 {
		if e, ok := errors.AsType[*planner.ApprovalError](err); ok {
			why = clean(e.Why)
		}
	}
	return a, why
}

// State is the approval in words: "not approved", with what became of those that
// were given, or "approved by NAME at TIME".
func (it Item) State() string {
	a, why := it.standing()
	switch {
	case a != nil:
		return "approved by " + approver(a) + " at " + a.At.UTC().Format("2006-01-02 15:04 UTC")
	case why != "":
		return notApproved + ": " + why
	}
	return notApproved
}

// approver is the surgeon's name as people read it.
func approver(a *planner.Approval) string {
	if by := join(" ", ParseName(a.By).Groups()...); by != "" {
		return by
	}
	return "(without a name)"
}

// said is what the surgeon wrote with the approval that stands, and which hard
// rules were broken all the same; empty without one.
func (it Item) said() string {
	a, _ := it.standing()
	if a == nil {
		return ""
	}
	s := capital(it.State()) + ": “" + clean(a.Statement) + "”"
	if len(a.Broken) > 0 {
		s += " Approved although it breaks " + strings.Join(texts(a.Broken), ", ") + "."
	}
	return s
}

// approved says which plans have been approved; most often none.
func (d *Dossier) approved() string {
	var out []string
	for n, it := range d.Items {
		if a, _ := it.standing(); a != nil {
			out = append(out, "plan "+d.mark(n)+" "+it.State())
		}
	}
	if len(out) == 0 {
		return nobodyApproved
	}
	return capital(strings.Join(out, "; ")) + "."
}

// approvalJSON is the approval of a plan in the JSON form.
type approvalJSON struct {
	State string `json:"state"`        // in words
	By    string `json:"by,omitempty"` // name of the surgeon, when one stands
	On    string `json:"on,omitempty"` // RFC 3339
}

// MarshalJSON adds the state of approval to the fields.
func (it Item) MarshalJSON() ([]byte, error) {
	type fields Item
	out := approvalJSON{State: it.State()}
	if a, _ := it.standing(); a != nil {
		out.By, out.On = clean(a.By), a.At.UTC().Format("2006-01-02T15:04:05Z07:00")
	}
	return json.Marshal(struct {
		fields
		Approval approvalJSON `json:"approval"`
	}{fields(it), out})
}
