package planner

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// AccountKind says who stands behind an account.
type AccountKind uint8

// The kinds of accounts. The zero value is not known, which approves nothing.
const (
	AccountUnknown AccountKind = iota
	AccountPerson
	AccountMachine // a service, a scanner, a script
)

// Approver is who approves, as the service authenticated them. It prints and
// logs without the name.
type Approver struct {
	Name string // of the person, as authenticated
	Role string // must be ApprovingRole
	Kind AccountKind
}

// String hides the name, so that no format verb shows it by accident.
func (a Approver) String() string { return a.Role + "(redacted)" }

// GoString hides the name from %#v.
func (a Approver) GoString() string { return a.String() }

// LogValue hides the name.
func (a Approver) LogValue() slog.Value { return slog.StringValue(a.String()) }

// ApprovingRole is the role that may approve plans.
const ApprovingRole = "surgeon"

// Approval is a surgeon's word that a plan is the one to operate by, given on
// an evaluation. It is a state that only Approve makes, from an authenticated
// person. It holds for that plan and that evaluation: an edit is another plan,
// and a changed evaluation voids it. It says nothing about the plan but that
// this person chose it.
//
// ID and Evaluation are checksums against mix-ups, not signatures: that the
// person was there is for the audit trail to prove.
type Approval struct {
	ID         string    `json:"id"` // hash of the other fields
	Plan       string    `json:"plan"`
	Case       string    `json:"case"`
	Evaluation string    `json:"evaluation"` // EvaluationID of what was shown
	By         string    `json:"by"`         // name of the person as authenticated
	Role       string    `json:"role"`
	Statement  string    `json:"statement"`           // in the person's words
	Broken     []string  `json:"broken,omitempty"`    // hard rules that the plan breaks: approved all the same
	Withdraws  string    `json:"withdraws,omitempty"` // ID of the approval that this takes back
	At         time.Time `json:"at"`                  // UTC
}

// LogValue hides the name.
func (a Approval) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", a.ID), slog.String("plan", a.Plan), slog.String("role", a.Role))
}

// String hides the name.
func (a Approval) String() string {
	return fmt.Sprintf("approval %s of plan %s by %s(redacted)", a.ID, a.Plan, a.Role)
}

// GoString hides the name from %#v.
func (a Approval) GoString() string { return a.String() }

// ApprovalError says why a plan is not approved.
type ApprovalError struct{ Plan, Why string }

func (e *ApprovalError) Error() string {
	return fmt.Sprintf("planner: plan %s is not approved: %s", e.Plan, e.Why)
}

// EvaluationID is the hash of all that an evaluation shows. It fails on an
// evaluation that must not be shown, because a number is not finite or lacks
// its unit or basis.
func EvaluationID(e *Evaluation) (string, error) {
	qs := e.Quantities[:len(e.Quantities):len(e.Quantities)]
	for _, v := range e.Vetoes {
		qs = append(qs, v.Have)
	}
	for _, v := range e.Vessels {
		qs = append(qs, v.Radius)
		if v.Flow != nil {
			qs = append(qs, *v.Flow)
		}
	}
	for _, q := range qs {
		if err := q.Validate(); err != nil {
			return "", err
		}
	}
	b, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("planner: evaluation of plan %s: %w", e.Plan, err)
	}
	return ContentID("evaluation", json.RawMessage(b)), nil
}

// Lengths of what a person may write, in bytes.
const (
	maxNameLen      = 256
	maxStatementLen = 4096
)

// Approve makes an approval. shown is the EvaluationID of what the person had
// before them: when the evaluation has changed since, it is refused. It is an
// *ApprovalError when by is no authenticated person in the role of a surgeon,
// the statement is empty, the plan was not evaluated, or plan, case and
// evaluation do not belong together.
func Approve(p Plan, e *Evaluation, shown string, by Approver, statement string, at time.Time) (*Approval, error) {
	switch {
	case p.ID == "" || p.Sealed().ID != p.ID:
		return nil, &ApprovalError{p.ID, "its id is not that of its content"}
	case e == nil:
		return nil, &ApprovalError{p.ID, "it was not evaluated"}
	case e.Plan != p.ID:
		return nil, &ApprovalError{p.ID, "the evaluation is that of plan " + e.Plan}
	}
	now, err := EvaluationID(e)
	if err != nil {
		return nil, &ApprovalError{p.ID, err.Error()}
	}
	if shown != now {
		return nil, &ApprovalError{p.ID, "its evaluation is not the one that was shown: look at it again"}
	}
	a := Approval{Plan: p.ID, Case: p.Case, Evaluation: now}
	for _, v := range e.Vetoes {
		a.Broken = append(a.Broken, v.Rule)
	}
	return a.signed(by, statement, at)
}

// Withdraw takes an approval back. Any surgeon may.
func Withdraw(a *Approval, by Approver, statement string, at time.Time) (*Approval, error) {
	if a.ID == "" || a.ID != a.seal() || a.Withdraws != "" {
		return nil, &ApprovalError{a.Plan, "there is no approval to withdraw"}
	}
	w := Approval{Plan: a.Plan, Case: a.Case, Evaluation: a.Evaluation, Withdraws: a.ID}
	return w.signed(by, statement, at)
}

// signed fills in who, what and when.
func (a Approval) signed(by Approver, statement string, at time.Time) (*Approval, error) {
	statement = strings.TrimSpace(statement)
	why := ""
	switch {
	case by.Kind == AccountMachine:
		why = "a machine does not approve plans: a person has to log in"
	case by.Kind != AccountPerson:
		why = "it is not known that a person stands behind the account"
	case by.Role != ApprovingRole:
		why = fmt.Sprintf("role %q may not approve, a %s may", by.Role, ApprovingRole)
	case !readable(by.Name, maxNameLen) || strings.TrimSpace(by.Name) == "":
		why = "the account has no readable name"
	case statement == "" || !readable(statement, maxStatementLen):
		why = fmt.Sprintf("the statement is empty, not readable or over %d bytes", maxStatementLen)
	case at.IsZero():
		why = "it has no time"
	}
	if why != "" {
		return nil, &ApprovalError{a.Plan, why}
	}
	a.By, a.Role, a.Statement, a.At = by.Name, by.Role, statement, at.UTC().Truncate(time.Millisecond)
	a.ID = a.seal()
	return &a, nil
}

// readable is text without control characters but line breaks.
func readable(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' })
}

// seal is the hash of all fields but ID.
func (a Approval) seal() string {
	return ContentID("approval", struct { // not an Approval: its methods hide the name
		Plan, Case, Evaluation, By, Role, Statement, Withdraws string
		Broken                                                 []string
		At                                                     string
	}{a.Plan, a.Case, a.Evaluation, a.By, a.Role, a.Statement, a.Withdraws, a.Broken, a.At.UTC().Format(time.RFC3339Nano)})
}

// Stands returns nil when the approval holds for p as it is evaluated by e, and
// an *ApprovalError saying why not otherwise.
func (a *Approval) Stands(p Plan, e *Evaluation) error {
	switch {
	case a.ID == "" || a.ID != a.seal() || a.Role != ApprovingRole:
		return &ApprovalError{p.ID, "the approval is not as it was given"}
	case a.Withdraws != "":
		return &ApprovalError{p.ID, "this takes an approval back"}
	case p.Sealed().ID != p.ID:
		return &ApprovalError{p.ID, "its id is not that of its content"}
	case a.Plan != p.ID && a.Plan == p.Parent:
		return &ApprovalError{p.ID, "the approval is that of the plan it was edited from"}
	case a.Plan != p.ID || a.Case != p.Case:
		return &ApprovalError{p.ID, "the approval is that of plan " + a.Plan}
	case e == nil || e.Plan != p.ID:
		return &ApprovalError{p.ID, "it has no evaluation"}
	}
	now, err := EvaluationID(e)
	if err != nil {
		return &ApprovalError{p.ID, err.Error()}
	}
	if now != a.Evaluation {
		return &ApprovalError{p.ID, "its evaluation has changed since it was approved"}
	}
	return nil
}

// Approved finds the first approval of the list that stands for p as evaluated
// by e and that none of the list withdraws; nil if there is none, with the
// reason of the last one that does not.
func Approved(p Plan, e *Evaluation, list []Approval) (*Approval, error) {
	err := error(&ApprovalError{p.ID, "nobody approved it"})
	withdrawn := map[string]bool{}
	for _, a := range list {
		if a.Withdraws != "" && a.ID == a.seal() {
			withdrawn[a.Withdraws] = true
		}
	}
	for n := range list {
		a := &list[n]
		if a.Withdraws != "" {
			continue
		}
		if withdrawn[a.ID] {
			err = &ApprovalError{p.ID, "its approval was withdrawn"}
			continue
		}
		why := a.Stands(p, e)
		if why == nil {
			return a, nil
		}
		if _, ok := errors.AsType[*ApprovalError](why); ok {
			err = why
		}
	}
	return nil, err
}
