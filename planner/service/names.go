package service

import (
	"fmt"
	"strings"

	"halsted/planner/store"
)

// FieldError says which field of a request is wrong, and why.
type FieldError struct{ Field, Reason string }

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

func badField(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// parseName takes a resource name apart by a pattern such as
// "cases/*/plans/*"; it returns the parts under the stars.
func parseName(field, name, pattern string) ([]string, error) {
	want, have := strings.Split(pattern, "/"), strings.Split(name, "/")
	var ids []string
	bad := name == "" || len(want) != len(have)
	for n := 0; n < len(want) && !bad; n++ {
		if want[n] != "*" {
			bad = want[n] != have[n]
			continue
		}
		bad = store.CheckID(have[n]) != nil
		ids = append(ids, have[n])
	}
	if bad {
		return nil, badField(field, "%.200q is not a name of the form %s", name, pattern)
	}
	return ids, nil
}

const (
	studyPattern      = "studies/*"
	casePattern       = "cases/*"
	planPattern       = "cases/*/plans/*"
	runPattern        = "cases/*/plans/*/runs/*"
	evaluationPattern = "cases/*/plans/*/evaluation"
)

func studyName(id string) string             { return "studies/" + id }
func caseName(id string) string              { return "cases/" + id }
func planName(caseID, id string) string      { return caseName(caseID) + "/plans/" + id }
func runName(caseID, plan, id string) string { return planName(caseID, plan) + "/runs/" + id }
func approvalName(caseID, plan, id string) string {
	return planName(caseID, plan) + "/approvals/" + id
}
func evaluationName(caseID, plan string) string {
	return planName(caseID, plan) + "/evaluation"
}
