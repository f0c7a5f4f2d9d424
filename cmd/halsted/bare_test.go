package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"halsted/planner"
)

// What in a sentence may hold numbers that are not results: an interval or the
// reason why there is none, a source, a limit, a published spread, a count, a
// place, an identifier, and the way an assumption is set.
var notResults = []*regexp.Regexp{
	regexp.MustCompile(`-?[\d.]+(e[-+]?\d+)?( [^ ()\d]+| percentage points|°)? \((95 %: |spread not quantified: )[^()]*(\([^()]*\)[^()]*)*\)`), // a quantity
	regexp.MustCompile(`\[[^\[\]]*\]`), // evidence and source
	regexp.MustCompile(`\([^()]*(unverified source|PMC\d+|doi )[^()]*(\([^()]*\)[^()]*)*\)`),
	regexp.MustCompile(`\((no knee, )?[A-Z][a-z]+ (19|20)\d\d\)`), // a paper
	regexp.MustCompile(`(≥|≤|wanted|asked|at least|at most|from a diameter of|from|want|beyond|under|over|up to|below) -?[\d.]+°?( [^ \d,.;:)]+)?`),
	regexp.MustCompile(`[\d.]+ ± [\d.]+ [^ ]+`),
	regexp.MustCompile(`(in )?\d+ of \d+ (common )?(samples|runs)`),
	regexp.MustCompile(`[<>=]? ?[\d.]+ % \((at most [\d.]+ %, )?\)?`), // a probability, after its count is gone
	regexp.MustCompile(`with probability [<>]? ?[\d.]+ %`),
	regexp.MustCompile(`\(-?\d+, -?\d+, -?\d+\) mm LPS`),
	regexp.MustCompile(`\bR[012]\b`), // class of a resection
	regexp.MustCompile(`\d+ (hard rules?|others?|patients|with symptoms|ruptured|candidate|plans?|needles?|burns?|runs?|samples?)`),
}

var digit = regexp.MustCompile(`\d`)

// bare gives what is left of a sentence that holds a number without unit,
// interval, or a word that makes it a limit, a count or a setting; names are
// those of plans, labels of quantities and devices, which may hold numbers.
func bare(s string, names []string) string {
	for _, n := range names {
		if n != "" {
			s = strings.ReplaceAll(s, n, "NAME")
		}
	}
	for _, r := range notResults {
		s = r.ReplaceAllString(s, "…")
	}
	if digit.MatchString(s) {
		return s
	}
	return ""
}

// noBareNumber reads every sentence of a decision.
func noBareNumber(t *testing.T, d *planner.Decision) {
	t.Helper()
	var names []string
	for _, p := range d.Plans {
		names = append(names, p.Name)
	}
	for _, w := range d.WhyNot {
		names = append(names, w.Plan.Name)
	}
	for _, e := range d.Evaluations {
		for _, q := range e.Quantities {
			names = append(names, q.Label)
		}
	}
	seen, count := map[string]bool{}, 0
	look := func(where, s string) {
		count++
		if left := bare(s, names); left != "" && !seen[left] {
			seen[left] = true
			t.Errorf("%s has a bare number:\n  %s\n  left: %s", where, s, left)
		}
	}
	for _, e := range d.Evaluations {
		for _, s := range e.Reasons {
			look("a reason", s)
		}
		for _, s := range e.Warnings {
			look("a warning", s)
		}
		for _, v := range e.Vetoes {
			look("a veto", v.Text)
		}
	}
	for _, w := range d.WhyNot {
		look("why not", w.Text)
	}
	for _, c := range d.Contingencies {
		look("a contingency", strings.ReplaceAll(c.Text, c.If, "IF"))
	}
	look("the proposal", d.KneeText)
	if count < 5 {
		t.Errorf("only %d sentences", count)
	}
}

// rawID is the name of an output, rule or structure as programs write it.
var rawID = regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9]*_[A-Za-z0-9_]+`)

// noRawID reads every sentence of a decision, and the files of its dossier that
// people read: outputs and structures have names in words there.
func noRawID(t *testing.T, d *planner.Decision, dir string) {
	t.Helper()
	seen, count := map[string]bool{}, 0
	look := func(where, s string) {
		count++
		if id := rawID.FindString(s); id != "" && !seen[where+id] {
			seen[where+id] = true
			t.Errorf("%s has the raw id %s: %.200s", where, id, s)
		}
	}
	for _, f := range d.Flags {
		look("a flag", f.Text)
	}
	for _, s := range d.Lost {
		look("what is lost", s)
	}
	for _, p := range d.Plans {
		look("a plan's name", p.Name)
	}
	for _, e := range d.Evaluations {
		for _, q := range e.Quantities {
			look("a label", q.Label)
			look("a basis", q.Basis)
			for _, s := range q.Flags {
				look("a flag", s)
			}
		}
		for _, s := range slices.Concat(e.Reasons, e.Warnings) {
			look("a reason or warning", s)
		}
		for _, v := range e.Vetoes {
			look("a veto", v.Text)
		}
	}
	for _, w := range d.WhyNot {
		look("why not", w.Text)
	}
	for _, c := range d.Contingencies {
		look("a contingency", c.Text)
	}
	look("the proposal", d.KneeText)
	tag := regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)
	for _, name := range []string{"plans.txt", "report.html"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(tag.ReplaceAllString(string(b), "\n")) {
			look(name, line)
		}
	}
	if count < 50 {
		t.Errorf("only %d sentences", count)
	}
}

func TestBareFindsANumberInAReason(t *testing.T) {
	for _, s := range []string{"keeps 41 % of the liver", "margin of 5.2 mm", "best in: margin (5.2 mm)", "P(breaks) is 3", "margin (of 1999)", "seal: 32.2 mm keeps ≥ 10 mm"} {
		if bare(s, nil) == "" {
			t.Errorf("%q passes", s)
		}
	}
	for _, s := range []string{"margin: 5.2 mm (95 %: 4.1 to 6), wanted ≥ 10 mm [S; Table 1]", "breaks one hard rule more", "better in margin (in 120 of 128 samples)",
		"remnant: 24 % (spread not quantified: one simulation, every input at its median)", "breaks it with probability 43 % (at most 51 %, 55 of 128 runs)", "towards what is best in all (Das 1999); a proposal"} {
		if left := bare(s, nil); left != "" {
			t.Errorf("%q leaves %q", s, left)
		}
	}
}
