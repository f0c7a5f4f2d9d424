package segment

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"halsted/imaging"
)

// Origin says how a structure was found.
type Origin string

// The origins.
const (
	Automatic          Origin = "automatic"
	FromSeed           Origin = "seed"
	AutomaticCandidate Origin = "automatic candidate" // a tumour nobody has confirmed
	ByRoot             Origin = "root"                // vessel system told by where it leaves the liver
)

// Structure is one line of the report: a structure that was looked for.
type Structure struct {
	Label      imaging.Label
	VolumeML   float64
	MeanHU     float64
	Origin     Origin
	Confidence float64  // 0 to 1: how far the facts behind it agree; 0 when it was not found
	Doubts     []string // why it is not 1, with numbers
	Missing    string   // why it was not found and what to do; empty when it was
}

// Check is an assumption of the recipe, measured.
type Check struct {
	Assumption string          // "portal-venous phase"
	Measured   string          // the number with its unit: "liver 58 HU, aorta 41 HU"
	Wanted     string          // "liver at least 80 HU"
	Holds      bool            //
	Affects    []imaging.Label // structures that lean on it
	AtMost     float64         // confidence those keep when it does not hold
	Do         string          // what to do then
}

// Report says what was found, how, how sure, and what to look at.
type Report struct {
	Recipe     Recipe // as used
	LiverHU    float64
	LiverSD    float64 // of the smoothed parenchyma
	Structures []Structure
	Checks     []Check
	Remarks    []string // what went otherwise than expected

	seeded []imaging.Label
}

func (r *Report) note(format string, args ...any) {
	r.Remarks = append(r.Remarks, fmt.Sprintf(format, args...))
}

// line is the line of a structure, made when there is none.
func (r *Report) line(l imaging.Label) *Structure {
	for n := range r.Structures {
		if r.Structures[n].Label == l {
			return &r.Structures[n]
		}
	}
	r.Structures = append(r.Structures, Structure{Label: l})
	return &r.Structures[len(r.Structures)-1]
}

// Of is the line of a structure; its Missing says so when it was not looked
// for.
func (r *Report) Of(l imaging.Label) Structure {
	for _, s := range r.Structures {
		if s.Label == l {
			return s
		}
	}
	return Structure{Label: l, Missing: "the recipe does not look for it"}
}

// Require is nil when all the structures were found, else a *NotFoundError for
// the first that was not.
func (r *Report) Require(ls ...imaging.Label) error {
	for _, l := range ls {
		if s := r.Of(l); s.Missing != "" {
			return &NotFoundError{l, s.Missing}
		}
	}
	return nil
}

// Failed is a *NotFoundError when a structure that the recipe must find, or that
// a seed was put into, was not found.
func (r *Report) Failed() error {
	var must []imaging.Label
	for _, name := range r.Recipe.Must {
		if l, err := imaging.ParseLabel(name); err == nil { // held by Recipe.Validate
			must = append(must, l)
		}
	}
	return r.Require(append(must, r.seeded...)...)
}

// Sound reports whether every structure that was looked for was found and every
// assumption held.
func (r *Report) Sound() bool {
	return !slices.ContainsFunc(r.Structures, func(s Structure) bool { return s.Missing != "" }) &&
		!slices.ContainsFunc(r.Checks, func(c Check) bool { return !c.Holds })
}

// Notes are the sentences a person should read before using the result: which
// assumptions failed, what was not found, what is a guess, and the remarks. One
// that holds a number says what it rests on.
func (r *Report) Notes() []string {
	var out []string
	said := func(format string, args ...any) {
		s := fmt.Sprintf(format, args...)
		if holdsNumber(s) {
			s += basis
		}
		out = append(out, s)
	}
	for _, c := range r.Checks {
		if !c.Holds {
			said("assumption failed: %s: %s, wanted %s; %s", c.Assumption, c.Measured, c.Wanted, c.Do)
		}
	}
	for _, s := range r.Structures {
		switch {
		case s.Missing != "":
			said("%s not found: %s", s.Label.Words(), s.Missing)
		case s.Origin == AutomaticCandidate:
			said("%s (%.1f ml) is an automatic candidate: confirm it or put a seed into each tumour", s.Label.Words(), s.VolumeML)
		case s.Origin == ByRoot:
			said("%s (%.1f ml) was told from the other vessels by where it leaves the liver: check it or give a seed", s.Label.Words(), s.VolumeML)
		case s.Label == imaging.LabelVessel && s.VolumeML > 0:
			said("%.1f ml of vessels could not be assigned to the portal or hepatic veins", s.VolumeML)
		}
		for _, d := range s.Doubts {
			said("%s, confidence %.2f: %s", s.Label.Words(), s.Confidence, d)
		}
	}
	for _, s := range r.Remarks {
		said("%s", s)
	}
	return out
}

// basis follows every sentence that holds a number: all of them are measured
// once, and a confidence is a score.
const basis = " (spread not quantified: measured once, in this scan)"

// notMeasured are the numbers in a sentence that nobody measured: names, limits,
// places and counts.
var notMeasured = regexp.MustCompile(`\btumour \d+|(at least|at most|within|less than|thicker than|denser than|above|up to|version|wanted) -?[\d.]+|for [\d.]+ ml or more|at -?\d+,-?\d+,-?\d+ mm|^\d+ (edits|smaller tumour candidates)`)

// holdsNumber reports whether a sentence holds a number that was measured.
func holdsNumber(s string) bool {
	return strings.ContainsAny(notMeasured.ReplaceAllString(s, ""), "0123456789")
}

// finish caps the confidence of what leans on a failed assumption and puts the
// lines in the order of the labels.
func (r *Report) finish() {
	for _, c := range r.Checks {
		for n := range r.Structures {
			if s := &r.Structures[n]; !c.Holds && s.Missing == "" && slices.Contains(c.Affects, base(s.Label)) {
				s.Confidence = min(s.Confidence, c.AtMost)
			}
		}
	}
	slices.SortStableFunc(r.Structures, func(a, b Structure) int { return cmp.Compare(a.Label, b.Label) })
}

// base is LabelTumour for every tumour, else the label itself.
func base(l imaging.Label) imaging.Label {
	if l.IsTumour() {
		return imaging.LabelTumour
	}
	return l
}

// NotFoundError says which structure was not found, why and what to do.
type NotFoundError struct {
	Label imaging.Label
	Do    string
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("segment: %v not found: %s", e.Label, e.Do)
}
