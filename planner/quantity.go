package planner

import (
	"fmt"
	"math"
)

// Evidence says how well a number's inputs are known. The order is from best
// to worst; a result carries the worst of its inputs.
type Evidence uint8

// Evidence tags, as in the rule and tissue data.
const (
	EvidenceComputed   Evidence = iota // geometry or physics computed here
	EvidenceSource                     // S: read in the named source
	EvidencePartly                     // S*: partly seen in the source
	EvidenceClassic                    // M+: classic value, unverified source
	EvidenceUnverified                 // M: low confidence, unverified source
)

var evidenceTags = [...]string{"computed", "S", "S*", "M+", "M"}

// ParseEvidence reads a tag of the rule and tissue data.
func ParseEvidence(tag string) (Evidence, error) {
	for e, t := range evidenceTags {
		if t == tag {
			return Evidence(e), nil
		}
	}
	return 0, fmt.Errorf("planner: unknown evidence tag %q (want one of S, S*, M+, M)", tag)
}

// String is the tag; unverified sources say so, because people read it.
func (e Evidence) String() string {
	switch e {
	case EvidenceClassic, EvidenceUnverified:
		return evidenceTags[e] + " (unverified source)"
	}
	if int(e) < len(evidenceTags) {
		return evidenceTags[e]
	}
	return "?"
}

// Tag is the bare tag, for machines.
func (e Evidence) Tag() string { return evidenceTags[e] }

// Worst returns the weaker of two evidences.
func Worst(a, b Evidence) Evidence { return max(a, b) }

// Quantity is a number as people get to see it.
type Quantity struct {
	ID    string  // stable name, e.g. "flr_percent"
	Label string  // what a surgeon reads, e.g. "Future liver remnant"
	Value float64 // in Unit
	Unit  string  // UCUM: "mm", "%", "mL", "N", "kPa", "1"
	// Low and High bound the value (95 %) under what Basis names; both NaN when
	// the spread is not quantified, and Basis then says why.
	Low, High float64
	Basis     string
	Evidence  Evidence
}

// HasInterval reports whether the spread is quantified.
func (q Quantity) HasInterval() bool { return !math.IsNaN(q.Low) && !math.IsNaN(q.High) }

// Validate reports a quantity that must not be shown: without a unit or a
// basis, not finite, or outside its own interval.
func (q Quantity) Validate() error {
	switch {
	case q.ID == "" || q.Unit == "" || q.Basis == "":
		return fmt.Errorf("planner: quantity %q lacks an id, a unit or the basis of its interval", q.ID)
	case math.IsNaN(q.Value) || math.IsInf(q.Value, 0):
		return fmt.Errorf("planner: quantity %s is not finite", q.ID)
	case math.IsNaN(q.Low) != math.IsNaN(q.High):
		return fmt.Errorf("planner: quantity %s has half an interval", q.ID)
	case q.HasInterval() && (q.Value < q.Low || q.Value > q.High):
		return fmt.Errorf("planner: quantity %s = %g lies outside its interval [%g, %g]", q.ID, q.Value, q.Low, q.High)
	}
	return nil
}

// UnitText writes a UCUM unit the way people do, with the space before it; a
// count has none.
func UnitText(ucum string) string {
	switch ucum {
	case "1":
		return ""
	case "cm2":
		return " cm²"
	case "mL":
		return " ml"
	}
	return " " + ucum
}

// Short prints value and unit.
func (q Quantity) Short() string { return fmt.Sprintf("%.3g%s", q.Value, UnitText(q.Unit)) }

// String prints value, unit and interval.
func (q Quantity) String() string {
	if !q.HasInterval() {
		return fmt.Sprintf("%.4g%s (spread not quantified: %s)", q.Value, UnitText(q.Unit), q.Basis)
	}
	return fmt.Sprintf("%.4g%s (95 %%: %.4g to %.4g)", q.Value, UnitText(q.Unit), q.Low, q.High)
}
