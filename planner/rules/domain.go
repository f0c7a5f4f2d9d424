package rules

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"halsted/planner"
)

// What a verified range speaks of.
const (
	OfImage = "image" // the case: scan and segmentation
	OfMesh  = "mesh"  // the finite-element mesh of a plan
	OfPlan  = "plan"  // outputs of a plan: the range's id is the output's
)

// VerifiedRange is a range in which the numbers of a procedure were verified.
type VerifiedRange struct {
	Procedure string
	Of        string // OfImage, OfMesh or OfPlan
	planner.Range
}

// RangeError is a verified range, or a file of them, that is refused.
type RangeError struct{ Range, Why string }

func (e *RangeError) Error() string {
	if e.Range == "" {
		return "rules: verified ranges: " + e.Why
	}
	return fmt.Sprintf("rules: verified range %q: %s", e.Range, e.Why)
}

const domainSchema = "halsted.domain/1"

// domainSuffix ends the names of the shipped files that hold verified ranges.
const domainSuffix = "-domain.json"

type domainFile struct {
	Schema  string      `json:"schema"`
	Version string      `json:"version"`
	Ranges  []rangeFile `json:"ranges"`
}

// rangeFile is a range as it is written; an end that is left out is open.
type rangeFile struct {
	ID        string   `json:"id"`
	Procedure string   `json:"procedure"`
	Of        string   `json:"of"`
	Label     string   `json:"label"`
	Unit      string   `json:"unit"`
	Low       *float64 `json:"low"`
	High      *float64 `json:"high"`
	Source    string   `json:"source"`
	Evidence  string   `json:"evidence"`
	Touches   []string `json:"touches"` // left out: all numbers
}

// LoadRanges reads and checks verified ranges (schema "halsted.domain/1"), in
// the order of the file. What lacks a unit, a source or an evidence tag, or has
// no end, is refused with a *RangeError.
func LoadRanges(r io.Reader) ([]VerifiedRange, error) {
	b, err := readAll(r)
	if err != nil {
		return nil, &RangeError{Why: err.Error()}
	}
	var f domainFile
	if err := decode(b, &f); err != nil {
		return nil, &RangeError{Why: err.Error()}
	}
	if f.Schema != domainSchema || f.Version == "" {
		return nil, &RangeError{Why: "needs schema " + domainSchema + " and a version"}
	}
	var out []VerifiedRange
	seen := map[[2]string]bool{}
	for _, v := range f.Ranges {
		evidence, err := planner.ParseEvidence(v.Evidence)
		if err == nil {
			err = checkUnit(v.Unit)
		}
		low, high := math.Inf(-1), math.Inf(1)
		if v.Low != nil {
			low = *v.Low
		}
		if v.High != nil {
			high = *v.High
		}
		why := ""
		switch {
		case v.ID == "" || v.Procedure == "" || v.Label == "" || v.Source == "":
			why = "needs an id, a procedure, a label and a source"
		case !slices.Contains([]string{OfImage, OfMesh, OfPlan}, v.Of):
			why = fmt.Sprintf("is of %q, want image, mesh or plan", v.Of)
		case seen[[2]string{v.Procedure, v.ID}]:
			why = "is given twice"
		case err != nil:
			why = err.Error()
		case v.Low == nil && v.High == nil || !(low < high):
			why = "has no end, or the lower one is not below the upper one"
		case slices.Contains(v.Touches, ""):
			why = "touches an output without a name"
		}
		if why != "" {
			return nil, &RangeError{v.ID, why}
		}
		seen[[2]string{v.Procedure, v.ID}] = true
		out = append(out, VerifiedRange{v.Procedure, v.Of, planner.Range{ID: v.ID, Label: v.Label, Unit: v.Unit, Low: low, High: high,
			Source: v.Source, Evidence: evidence, Touches: v.Touches}})
	}
	return out, nil
}

// Ranges lists the shipped verified ranges of a procedure that speak of one of
// OfImage, OfMesh and OfPlan, in the order of the files. There may be none.
func Ranges(procedure, of string) ([]planner.Range, error) {
	entries, err := shipped.ReadDir("data")
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	var out []planner.Range
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), domainSuffix) {
			continue
		}
		f, err := shipped.Open("data/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		rs, err := LoadRanges(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		for _, r := range rs {
			if r.Procedure == procedure && r.Of == of {
				out = append(out, r.Range)
			}
		}
	}
	return out, nil
}
