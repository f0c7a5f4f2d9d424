package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Result is a case that was run.
type Result struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Group   string `json:"group"`
	Text    string `json:"text"`
	Source  string `json:"source"`
	Rows    []Row  `json:"rows"`
	Failure string `json:"failure,omitempty"` // why the case gave no rows; it does not hold then
	NotRun  string `json:"not_run,omitempty"` // why the case could not be run here: it says nothing then
}

// notRun is the error of a case that cannot be run here: files that are absent,
// or a case of the other level.
type notRun string

func (e notRun) Error() string { return string(e) }

// Holds reports that the case was solved and every row holds, or that it was
// not run (NotRun), which no row can speak against.
func (r *Result) Holds() bool {
	if r.Failure != "" {
		return false
	}
	for _, w := range r.Rows {
		if !w.Holds {
			return false
		}
	}
	return true
}

// Run runs the cases in order. done (may be nil) is called before each case and
// at the end, with the number of cases behind and the name of the next one;
// each (may be nil) receives a result as soon as it is there. A case that fails
// is a Result with a Failure; Run itself fails only when ctx ends, with what
// was done so far.
func Run(ctx context.Context, cases []Case, l Level, done func(behind int, next string), each func(*Result)) ([]Result, error) {
	out := make([]Result, 0, len(cases))
	for i, c := range cases {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		if done != nil {
			done(i, c.Name)
		}
		r := Result{Name: c.Name, Title: c.Title, Group: c.Group, Text: c.Text, Source: c.Source}
		rows, err := c.Run(ctx, l)
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		r.Rows = rows
		var absent notRun
		if err == nil {
			err = checkRows(rows)
		} else if errors.As(err, &absent) && len(rows) == 0 {
			r.NotRun, err = string(absent), nil
		}
		if err != nil {
			r.Rows, r.Failure = finiteRows(rows), err.Error()
		}
		out = append(out, r)
		if each != nil {
			each(&out[len(out)-1])
		}
	}
	if done != nil {
		done(len(cases), "")
	}
	return out, nil
}

// checkRows refuses a case without a judged row, and figures that are no
// numbers.
func checkRows(rows []Row) error {
	judgedRows := 0
	for _, r := range rows {
		if !finiteRow(r) {
			return fmt.Errorf("verify: %s on %s is %v (reference %v): no number", r.Quantity, r.Mesh, r.Value, r.Reference)
		}
		if r.Check != Shown {
			judgedRows++
		}
	}
	if judgedRows == 0 {
		return fmt.Errorf("verify: the case judges nothing")
	}
	return nil
}

func finiteRow(r Row) bool {
	for _, v := range []float64{r.Value, r.Reference, r.Error, r.Tolerance, r.HMM} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

func finiteRows(rows []Row) (out []Row) {
	for _, r := range rows {
		if finiteRow(r) {
			out = append(out, r)
		}
	}
	return out
}
