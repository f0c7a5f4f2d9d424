package verify

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// Level is how much of a case is run.
type Level uint8

// The levels.
const (
	Quick Level = iota // small meshes, seconds for all cases
	Full               // the meshes that the tolerances are stated for, minutes
)

// The groups of cases, in the order of the table.
const (
	Formulations = "Formulations"
	ClosedForms  = "Closed forms"
	Published    = "Published codes"
)

var groupOrder = []string{Formulations, ClosedForms, Published}

// Case is one problem with known answers.
type Case struct {
	Name  string // unique, lower case, words joined by "-"
	Title string
	Group string // Formulations, ClosedForms or Published
	// Text says in a few sentences what is solved: geometry, law, loads, what is
	// read off. Markdown.
	Text string
	// Source starts with a tag, [C] computed, [R] read or [M] recalled, and
	// cites where the reference comes from.
	Source string
	// Run solves the case. Its error is that of the solver; a figure that is off
	// is no error, but a Row that does not hold.
	Run func(ctx context.Context, l Level) ([]Row, error)
}

// Check is how a row is judged.
type Check uint8

// The checks.
const (
	Shown    Check = iota // not judged: a coarser mesh of a series, or a figure without tolerance
	Relative              // |value/reference − 1| ≤ tolerance
	Absolute              // |value − reference| ≤ tolerance, in the row's unit
	AtLeast               // value ≥ reference − tolerance, in the row's unit
)

// Row is one figure of a case beside its reference.
type Row struct {
	Quantity  string  `json:"quantity"`
	Mesh      string  `json:"mesh"`
	Unit      string  `json:"unit,omitempty"`
	Value     float64 `json:"value"`
	Reference float64 `json:"reference"`
	Error     float64 `json:"error"` // signed; relative, or in Unit where Check is Absolute
	Tolerance float64 `json:"tolerance"`
	Check     Check   `json:"check"`
	Holds     bool    `json:"holds"` // true when Shown
	Note      string  `json:"note,omitempty"`
	// HMM is the size of the cells, mm (a series of rows with the same Quantity
	// and falling HMM is drawn); 0 where the row belongs to no series.
	HMM float64 `json:"h_mm,omitempty"`
}

// relative is a row judged by |value/reference − 1| ≤ tolerance.
func relative(quantity, mesh, unit string, value, reference, tolerance float64) Row {
	r := Row{Quantity: quantity, Mesh: mesh, Unit: unit, Value: value, Reference: reference, Error: value/reference - 1, Tolerance: tolerance, Check: Relative}
	r.Holds = math.Abs(r.Error) <= tolerance
	return r
}

// absolute is a row judged by |value − reference| ≤ tolerance, in its unit.
func absolute(quantity, mesh, unit string, value, reference, tolerance float64) Row {
	r := Row{Quantity: quantity, Mesh: mesh, Unit: unit, Value: value, Reference: reference, Error: value - reference, Tolerance: tolerance, Check: Absolute}
	r.Holds = math.Abs(r.Error) <= tolerance
	return r
}

// atLeast is a row judged by value ≥ reference − tolerance, in its unit: a rate
// that theory bounds from below.
func atLeast(quantity, mesh, unit string, value, reference, tolerance float64) Row {
	r := absolute(quantity, mesh, unit, value, reference, tolerance)
	r.Check, r.Holds = AtLeast, r.Error >= -tolerance
	return r
}

// bound is a row for an error that must not exceed a bound, in its unit.
func bound(quantity, mesh, unit string, value, limit float64) Row {
	return absolute(quantity, mesh, unit, value, 0, limit)
}

// shown is a row that is not judged; without a reference (0) it has no error.
func shown(quantity, mesh, unit string, value, reference float64) Row {
	r := Row{Quantity: quantity, Mesh: mesh, Unit: unit, Value: value, Reference: reference, Holds: true}
	if reference != 0 {
		r.Error = value/reference - 1
	}
	return r
}

// at puts the row in a series of meshes; h is the size of its cells, mm.
func (r Row) at(h float64) Row { r.HMM = h; return r }

// because adds a note.
func (r Row) because(note string) Row { r.Note = note; return r }

// judged turns the last row of a series into one with a tolerance.
func judged(rows []Row, tolerance float64) []Row {
	r := &rows[len(rows)-1]
	*r = relative(r.Quantity, r.Mesh, r.Unit, r.Value, r.Reference, tolerance).at(r.HMM).because(r.Note)
	return rows
}

// slope is the rate of a series: the least-squares slope of log |err| over
// log h.
func slope(h, err []float64) float64 {
	var mx, my, a, b float64
	n := float64(len(h))
	for i := range h {
		mx += math.Log(h[i]) / n
		my += math.Log(math.Abs(err[i])) / n
	}
	for i := range h {
		x := math.Log(h[i]) - mx
		a += x * (math.Log(math.Abs(err[i])) - my)
		b += x * x
	}
	return a / b
}

// rateOf is the slope over the rows of a series.
func rateOf(rows []Row) float64 {
	var h, e []float64
	for _, r := range rows {
		h, e = append(h, r.HMM), append(e, r.Error)
	}
	return slope(h, e)
}

var registry []Case

// register adds a case at start-up; every file of cases calls it from init.
func register(c ...Case) { registry = append(registry, c...) }

// Cases are all cases, by group and within it in the order of the files.
func Cases() []Case {
	all := slices.Clone(registry)
	slices.SortStableFunc(all, func(a, b Case) int {
		return cmp.Compare(slices.Index(groupOrder, a.Group), slices.Index(groupOrder, b.Group))
	})
	return all
}
