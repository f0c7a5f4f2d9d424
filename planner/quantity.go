package planner

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
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

// MarshalText writes the bare evidence tag.
func (e Evidence) MarshalText() ([]byte, error) { return []byte(e.Tag()), nil }

// UnmarshalText reads a bare evidence tag.
func (e *Evidence) UnmarshalText(b []byte) (err error) {
	*e, err = ParseEvidence(string(b))
	return err
}

// Worst returns the weaker of two evidences.
func Worst(a, b Evidence) Evidence { return max(a, b) }

// Spread is the distribution of a quantity by its quantiles, in its unit.
type Spread struct {
	P2_5  float64 `json:"p2_5"`
	P5    float64 `json:"p5"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P97_5 float64 `json:"p97_5"`
}

// Around is the spread of two half normal distributions with the median mid
// and the 95 % interval from low to high.
func Around(low, mid, high float64) *Spread {
	const z = 1.6448536269514722 / 1.959963984540054 // normal quantiles of 95 and 97.5 %
	return &Spread{low, mid + z*(low-mid), mid, mid + z*(high-mid), high}
}

// Ordered reports whether the quantiles are finite and do not fall.
func (s *Spread) Ordered() bool {
	return s.P2_5 <= s.P5 && s.P5 <= s.P50 && s.P50 <= s.P95 && s.P95 <= s.P97_5 &&
		!math.IsInf(s.P2_5, 0) && !math.IsInf(s.P97_5, 0)
}

// Violation is the probability that the value breaks a hard rule, with the runs
// that it is counted from: none of a few says little.
type Violation struct {
	Rule   string  `json:"rule"`             // id in the rule pack
	P      float64 `json:"p"`                // 0 to 1
	Broken int     `json:"broken,omitempty"` // runs that broke the rule, those that did not converge among them
	Runs   int     `json:"runs,omitempty"`   // 0: not counted from runs
}

// Bounds are the one-sided bounds of 95 % confidence on the probability, each
// by itself, of Clopper and Pearson (Biometrika 26 (1934) 404). Without a
// broken run the upper one is 1 − 0.05^(1/n), about 3/n. Without runs, or
// where P comes from a surrogate that says more, they give way to P.
func (v Violation) Bounds() (low, high float64) {
	const tail = 0.05
	low, high = v.P, v.P
	if v.Broken > 0 {
		low = min(low, mathext.InvRegIncBeta(float64(v.Broken), float64(v.Runs-v.Broken+1), tail))
	} else if v.Runs > 0 {
		low = 0
	}
	if v.Broken < v.Runs {
		high = max(high, mathext.InvRegIncBeta(float64(v.Broken+1), float64(v.Runs-v.Broken), 1-tail))
	} else if v.Runs > 0 {
		high = 1
	}
	return low, high
}

// String prints the probability with its upper bound and what it is counted
// from: "< 2.3 % (0 of 128 runs)", "12 % (at most 18 %, 15 of 128 runs)".
func (v Violation) String() string {
	percent := func(p float64) string {
		switch {
		case p > 0 && p < 0.001:
			return "under 0.1 %"
		case p < 1 && p > 0.999:
			return "over 99.9 %"
		case p > 0.9:
			return fmt.Sprintf("%.3g %%", 100*p)
		}
		return fmt.Sprintf("%.2g %%", 100*p)
	}
	if v.Runs == 0 {
		return percent(v.P)
	}
	low, high := v.Bounds()
	counted := fmt.Sprintf("%d of %d runs", v.Broken, v.Runs)
	switch {
	case v.P == 0:
		return fmt.Sprintf("< %s (%s)", percent(high), counted)
	case v.P == 1:
		return fmt.Sprintf("> %s (%s)", percent(low), counted)
	}
	return fmt.Sprintf("%s (at most %s, %s)", percent(v.P), percent(high), counted)
}

// Solution says how well the equations behind a number were solved.
type Solution struct {
	Residual  float64 `json:"residual"`   // relative, worst of the samples
	MeshError float64 `json:"mesh_error"` // estimated error of the discretisation, in the quantity's unit
}

// Quantity is a number as people get to see it.
type Quantity struct {
	ID    string  `json:"id"`    // stable name, e.g. "flr_percent"
	Label string  `json:"label"` // what a surgeon reads, e.g. "Future liver remnant"
	Value float64 `json:"value"` // in Unit, with every input at its median
	Unit  string  `json:"unit"`  // UCUM: "mm", "%", "mL", "N", "kPa", "1"
	// Spread holds under what Basis names; nil when it is not quantified, and
	// Basis then says why.
	Spread    *Spread    `json:"spread"`
	Basis     string     `json:"basis"`
	Evidence  Evidence   `json:"evidence"`            // the worst of the inputs
	Violation *Violation `json:"violation,omitempty"` // nil: no hard rule on it, or no spread
	Solution  *Solution  `json:"solution,omitempty"`  // nil: geometry, no equations were solved
	Flags     []string   `json:"flags,omitempty"`     // in which way the case lies outside the verified range
}

// HasInterval reports whether the spread is quantified.
func (q Quantity) HasInterval() bool { return q.Spread != nil }

// Validate reports a quantity that must not be shown: without a unit or a
// basis, not finite, or outside its own interval.
func (q Quantity) Validate() error {
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	switch {
	case q.ID == "" || q.Unit == "" || q.Basis == "":
		return fmt.Errorf("planner: quantity %q lacks an id, a unit or the basis of its interval", q.ID)
	case !finite(q.Value):
		return fmt.Errorf("planner: quantity %s is not finite", q.ID)
	case q.Spread != nil && !q.Spread.Ordered():
		return fmt.Errorf("planner: quantity %s: its quantiles fall or are not finite", q.ID)
	case q.Spread != nil && (q.Value < q.Spread.P2_5 || q.Value > q.Spread.P97_5):
		return fmt.Errorf("planner: quantity %s = %g lies outside its interval [%g, %g]", q.ID, q.Value, q.Spread.P2_5, q.Spread.P97_5)
	case q.Violation != nil && !(q.Violation.P >= 0 && q.Violation.P <= 1):
		return fmt.Errorf("planner: quantity %s breaks rule %s with probability %g, not 0 to 1", q.ID, q.Violation.Rule, q.Violation.P)
	case q.Violation != nil && !(0 <= q.Violation.Broken && q.Violation.Broken <= q.Violation.Runs):
		return fmt.Errorf("planner: quantity %s breaks rule %s in %d of %d runs", q.ID, q.Violation.Rule, q.Violation.Broken, q.Violation.Runs)
	case q.Solution != nil && !(finite(q.Solution.Residual) && finite(q.Solution.MeshError) && q.Solution.Residual >= 0 && q.Solution.MeshError >= 0):
		return fmt.Errorf("planner: quantity %s: residual or mesh error is negative or not finite", q.ID)
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
	case "mL/min":
		return " ml/min"
	case "N/cm2":
		return " N/cm²"
	case "mm[Hg]":
		return " mmHg"
	case "deg":
		return "°"
	}
	return " " + ucum
}

// Short prints value, unit and interval with three digits, for a sentence:
// "9.73 % (95 %: 2.57 to 18.1)".
func (q Quantity) Short() string {
	if !q.HasInterval() {
		return fmt.Sprintf("%s%s (spread not quantified: %s)", three(q.Value), UnitText(q.Unit), q.Basis)
	}
	return fmt.Sprintf("%s%s (95 %%: %s to %s)", three(q.Value), UnitText(q.Unit), three(q.Spread.P2_5), three(q.Spread.P97_5))
}

// three writes a number with three digits; from 100 to a million whole, because
// people do not read exponents.
func three(v float64) string {
	if a := math.Abs(v); a >= 100 && a < 1e6 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// String prints value, unit and interval.
func (q Quantity) String() string {
	if !q.HasInterval() {
		return fmt.Sprintf("%.4g%s (spread not quantified: %s)", q.Value, UnitText(q.Unit), q.Basis)
	}
	return fmt.Sprintf("%.4g%s (95 %%: %.4g to %.4g)", q.Value, UnitText(q.Unit), q.Spread.P2_5, q.Spread.P97_5)
}
