package planner

import "time"

// VesselCut is one vessel that a plan severs.
type VesselCut struct {
	System string     `json:"system"`         // "portal", "hepatic" or "unknown"
	Name   string     `json:"name,omitempty"` // as surgeons name it, where the tree allows
	Radius Quantity   `json:"radius"`         // "radius_mm"
	Flow   *Quantity  `json:"flow,omitempty"` // "flow_ml_min"; nil: not known
	At     [3]float64 `json:"at_mm"`          // centre of the section, LPS
}

// Limit is what a rule asks of a quantity, with where it comes from.
type Limit struct {
	Operator string   `json:"operator"` // ">=" or "<="
	Value    float64  `json:"value"`
	Unit     string   `json:"unit"` // UCUM
	Source   string   `json:"source"`
	Evidence Evidence `json:"evidence"`
}

// Veto is a hard rule that a plan breaks, with its distance to feasibility:
// that of Have to the limit.
type Veto struct {
	Rule string   `json:"rule"` // id in the rule pack
	Text string   `json:"text"` // one sentence
	Have Quantity `json:"have"`
	Want Limit    `json:"want"`
}

// Score is a cheap figure used to search; never shown as a result.
type Score struct {
	ID    string
	Value float64
	Less  bool // smaller is better
}

// Evaluation is what a plan does to the organ, and the rules it breaks.
type Evaluation struct {
	Plan       string      `json:"plan"`
	Vetoes     []Veto      `json:"vetoes,omitempty"`
	Quantities []Quantity  `json:"quantities"`
	Vessels    []VesselCut `json:"vessels_cut"`
	Reasons    []string    `json:"reasons,omitempty"` // why it stands where it stands
	Rank       int         `json:"rank"`              // 1 is first; 0 is not ranked (vetoed)
	Warnings   []string    `json:"warnings,omitempty"`
}

// Quantity finds a quantity by id.
func (e *Evaluation) Quantity(id string) (Quantity, bool) {
	for _, q := range e.Quantities {
		if q.ID == id {
			return q, true
		}
	}
	return Quantity{}, false
}

// RunState is where a run stands.
type RunState uint8

// The states of a run, in the order of the wire.
const (
	RunUnspecified RunState = iota
	RunQueued
	RunRunning
	RunSucceeded
	RunFailed
	RunCancelled
)

// Done reports whether the run has ended.
func (s RunState) Done() bool { return s >= RunSucceeded }

func (s RunState) String() string {
	return [...]string{"unspecified", "queued", "running", "succeeded", "failed", "cancelled"}[s]
}

// Run is one simulation of one plan.
type Run struct {
	ID         string // hash of plan, build of the solver and request
	Case, Plan string
	State      RunState
	Progress   float64 // 0 to 1
	Stage      string  // what it is doing
	Err        string  // one sentence, when failed
	Epoch      uint64
	LastSeq    uint64
	Topology   string    // hash of the displayed surface
	Created    time.Time // catalogue only; never part of an artefact
}

// Notice is printed with every output.
const Notice = "Research and planning support, not a diagnosis. A surgeon decides."
