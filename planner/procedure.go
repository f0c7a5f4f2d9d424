package planner

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Level is how faithfully a plan is simulated.
type Level uint8

// The levels, from cheap to verified.
const (
	L0 Level = iota // geometry and flow: no equations of motion
	L1              // coarse mesh, corotational elasticity: for ranking
	L2              // nonlinear finite elements, verified
)

func (l Level) String() string { return [...]string{"L0", "L1", "L2"}[l] }

// Distribution is how an uncertain input spreads.
type Distribution interface {
	// Quantile is the value that the input stays below with probability p,
	// 0 < p < 1. It does not fall with p.
	Quantile(p float64) float64
	// String names the distribution and its numbers, without the unit.
	String() string
}

// Input is one uncertain input of a procedure. A sample gives one value for
// each input, in the order of Procedure.Inputs.
type Input struct {
	ID       string // stable name: "liver_shear_kpa"
	Label    string // what a surgeon reads
	Unit     string // UCUM
	Spread   Distribution
	Source   string
	Evidence Evidence
}

// Medians is the sample in which every input has its median.
func Medians(inputs []Input) []float64 {
	x := make([]float64, len(inputs))
	for n, in := range inputs {
		x[n] = in.Spread.Quantile(0.5)
	}
	return x
}

// Output is a number that a procedure computes for a plan.
type Output struct {
	ID       string   // stable name, that of the Quantity: "flr_percent"
	Label    string   // what a surgeon reads; names the denominator of a share
	Unit     string   // UCUM
	Level    Level    // the lowest level that gives it
	Evidence Evidence // the worst of what it is computed from
	Inputs   []string // ids of the inputs that it depends on; nil: all
}

// Words is the label with its unit as it reads in a sentence: "resection margin in
// mm".
func (o Output) Words() string {
	s := o.Label
	if first, n := utf8.DecodeRuneInString(s); n < len(s) && unicode.IsLower(rune(s[n])) {
		s = string(unicode.ToLower(first)) + s[n:]
	}
	if unit := strings.TrimSpace(UnitText(o.Unit)); unit != "" {
		s += " in " + unit
	}
	return s
}

// Value is one output of one simulation.
type Value struct {
	ID string
	V  float64 // in the output's unit
	// Solution is nil when no equations were solved for it.
	Solution *Solution
}

// Outcome is what one simulation of a plan under one sample of the inputs
// found. It is a pure function of case, plan, level and sample.
type Outcome struct {
	Values  []Value     // in the order of Procedure.Outputs, those of the level
	Vessels []VesselCut // L0, with every input at its median
	Notes   []string    // what a surgeon should know of this plan
	// Measured are properties of the mesh that the plan was simulated on, for
	// the verified ranges that speak of it.
	Measured []Measured
}

// Value finds a value by the output's id.
func (o *Outcome) Value(id string) (Value, bool) {
	for _, v := range o.Values {
		if v.ID == id {
			return v, true
		}
	}
	return Value{}, false
}

// Candidate is a plan with the cheap scores of its search.
type Candidate struct {
	Plan   Plan
	Scores []Score
}

// Objective is one thing to make small or large.
type Objective struct {
	ID   string // Output.ID or Score.ID
	Less bool   // smaller is better
	// Cap is where more stops mattering (a margin beyond 10 mm is not better);
	// 0 means no cap.
	Cap float64
}

// Flag is a way in which a case lies outside the range that the procedure was
// verified in. It is shown on every number that it touches.
type Flag struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`    // one sentence with the number and the range
	Touches []string `json:"touches"` // Output ids; nil: all
}

// Procedure plans one kind of operation on one prepared case:
//
//	Generate → Simulate (L0, L1, L2) → Quantify → Rank → Verify
//
// The first two are its own; the others are the same for all procedures:
// planner/uncertainty spreads Inputs over Simulate, planner/rank orders what
// came out, planner/bundle runs it again.
//
// All methods give the same bits for the same arguments on any number of
// cores, and may be called from several goroutines.
type Procedure interface {
	Name() string // "liver.resection"
	// Inputs are the uncertain inputs; Outputs what Simulate gives.
	Inputs() []Input
	Outputs() []Output
	// Objectives are what plans are compared by at a level.
	Objectives(Level) []Objective
	// Flags tells where the case lies outside the verified range.
	Flags() []Flag
	// Generate hands candidate plans to emit, in an order that depends on the
	// case and the seed alone, until emit fails.
	Generate(ctx context.Context, seed uint64, emit func(Candidate) error) error
	// Simulate computes what a plan does under a sample of the inputs; nil is
	// Medians. A plan that cannot be simulated is an error; a sample that does
	// not converge is a *fem.NotConvergedError or *fem.InvertedError.
	Simulate(ctx context.Context, p Plan, l Level, sample []float64) (*Outcome, error)
}
