package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"testing"

	"halsted/planner"
)

func item(name string, rank int) Item {
	return Item{
		Plan: planner.Plan{ID: "0123" + name, Name: name},
		Evaluation: planner.Evaluation{Plan: "0123" + name, Rank: rank, Reasons: []string{"best in: margin"}, Quantities: []planner.Quantity{
			{ID: "flr_percent", Label: "Future liver remnant", Value: 42.5, Unit: "%", Spread: planner.Around(41, 42.5, 44), Basis: "half a voxel"},
			{ID: "peak_stress_kpa", Label: "Peak stress", Value: 3.25, Unit: "kPa", Basis: "not known", Evidence: planner.EvidenceUnverified},
		}},
	}
}

func ExampleTable() {
	if err := Table(os.Stdout, []Item{{Plan: planner.Plan{Name: "one plane"}, Evaluation: planner.Evaluation{Rank: 1, Quantities: []planner.Quantity{
		{ID: "margin_mm", Label: "Resection margin", Value: 5, Unit: "mm", Spread: planner.Around(4.5, 5, 5.5), Basis: "half a voxel"},
		{ID: "reaction_n", Label: "Force at the grasp", Value: 6.1, Unit: "N", Basis: "one sample", Evidence: planner.EvidenceUnverified}}}}}); err != nil {
		panic(err)
	}
	// Output:
	// rank  plan       margin           pull force
	// 1     one plane  5 mm [4.5, 5.5]  6.1 N* (not quantified)
	// No plan is approved.
	// pull force: not quantified: one sample
	// * unverified source
	// Research and planning support, not a diagnosis. A surgeon decides.
}

// forms are the writers that take a whole dossier.
var forms = map[string]func(io.Writer, Dossier) error{
	"HTML": HTML, "PDF": PDF, "JSON": JSON, "Write": Write,
	"SR":    func(w io.Writer, d Dossier) error { return SR(w, d, SRIdentity{StudyUID: "1.2.3"}) },
	"Table": func(w io.Writer, d Dossier) error { return Table(w, d.Items) },
}

func render(t testing.TB, form string, d Dossier) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := forms[form](&b, d); err != nil {
		t.Fatalf("%s: %v", form, err)
	}
	return b.Bytes()
}

func TestPageShowsEveryNumberWithUnitIntervalAndEvidence(t *testing.T) {
	b := string(render(t, "HTML", Dossier{Items: []Item{item("plan A", 1), item("plan B", 0)}, Pictures: []Picture{{"a liver", drawing(4, 3, 0)}}}))
	for _, want := range []string{"42.5 %", "41 to 44 %", "3.25 kPa", "not quantified", "M (unverified source)", "Plan 1: plan A", "Vetoed", planner.Notice, "data:image/png;base64,"} {
		if !strings.Contains(b, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestWarningsOfAllPlansStandOnceAndFirst(t *testing.T) {
	a, b := item("plan A", 1), item("plan B", 2)
	a.Evaluation.Warnings = []string{"the tumour is a guess", "own"}
	b.Evaluation.Warnings = []string{"the tumour is a guess"}
	d := Dossier{Items: []Item{a, b}}
	for _, form := range []string{"HTML", "Table"} {
		s := string(render(t, form, d))
		if strings.Count(s, "the tumour is a guess") != 1 || strings.Count(s, "own") < 1 {
			t.Errorf("%s:\n%s", form, s)
		}
		if form == "HTML" && strings.Index(s, "the tumour is a guess") > strings.Index(s, "plan A") {
			t.Error("the common warning stands below the plans")
		}
	}
}

// TestANakedNumberIsRefused breaks each number of a dossier in each way that
// planner.Quantity.Validate knows; no form may print it.
func TestANakedNumberIsRefused(t *testing.T) {
	breaks := map[string]func(*planner.Quantity){
		"no unit":          func(q *planner.Quantity) { q.Unit = "" },
		"no basis":         func(q *planner.Quantity) { q.Basis = "" },
		"no id":            func(q *planner.Quantity) { q.ID = "" },
		"not finite":       func(q *planner.Quantity) { q.Value = math.NaN() },
		"outside":          func(q *planner.Quantity) { q.Spread = planner.Around(q.Value+1, q.Value+2, q.Value+3) },
		"bad probability":  func(q *planner.Quantity) { q.Violation = &planner.Violation{Rule: "r", P: 1.5} },
		"infinite residue": func(q *planner.Quantity) { q.Solution = &planner.Solution{Residual: math.Inf(1)} },
	}
	places := map[string]func(*Dossier) *planner.Quantity{
		"plan":   func(d *Dossier) *planner.Quantity { return &d.Items[1].Evaluation.Quantities[3] },
		"radius": func(d *Dossier) *planner.Quantity { return &d.Items[0].Evaluation.Vessels[0].Radius },
		"flow":   func(d *Dossier) *planner.Quantity { return d.Items[0].Evaluation.Vessels[0].Flow },
		"veto":   func(d *Dossier) *planner.Quantity { return &d.Items[6].Evaluation.Vetoes[0].Have },
		"organ":  func(d *Dossier) *planner.Quantity { return &d.Found[0] },
	}
	for form, write := range forms {
		for where, place := range places {
			if form == "Table" && where == "organ" {
				continue
			}
			for how, spoil := range breaks {
				d := sampleDossier()
				spoil(place(&d))
				var b bytes.Buffer
				if err := write(&b, d); err == nil || b.Len() > 0 {
					t.Errorf("%s: %s: %s: error %v, %d bytes written", form, where, how, err, b.Len())
				}
			}
		}
	}
}

func TestOtherFaultsAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Dossier){
		"limit without source": func(d *Dossier) { d.Limits[0].Limit.Source = "" },
		"limit without unit":   func(d *Dossier) { d.Limits[0].Limit.Unit = "" },
		"limit operator":       func(d *Dossier) { d.Limits[0].Limit.Operator = "<" },
		"veto without source":  func(d *Dossier) { d.Items[6].Evaluation.Vetoes[0].Want.Source = "" },
		"unknown knee":         func(d *Dossier) { d.Knee = "nobody" },
		"picture":              func(d *Dossier) { d.Pictures[0].PNG = []byte("GIF89a") },
		"place":                func(d *Dossier) { d.Items[0].Evaluation.Vessels[0].At[1] = math.Inf(1) },
		"too many":             func(d *Dossier) { d.Rejected = make([]Item, 60) },
	} {
		d := sampleDossier()
		spoil(&d)
		for form, write := range forms {
			if form == "Table" {
				continue
			}
			if err := write(io.Discard, d); err == nil {
				t.Errorf("%s: %s is written", form, name)
			}
		}
	}
}

func TestSameDossierSameBytes(t *testing.T) {
	for form := range forms {
		a, b := render(t, form, sampleDossier()), render(t, form, sampleDossier())
		if !bytes.Equal(a, b) {
			t.Errorf("%s: two runs differ", form)
		}
	}
}

// TestFormsSayTheSame looks for what a surgeon must find in every form.
func TestFormsSayTheSame(t *testing.T) {
	d := sampleDossier()
	approve(t, &d.Items[1], "Curie^Marie^^Dr")
	texts := map[string]string{"HTML": plainHTML(render(t, "HTML", d)), "JSON": string(render(t, "JSON", d)), "SR": srText(t, render(t, "SR", d)), "PDF": pdfText(t, render(t, "PDF", d))}
	for form, s := range texts {
		if s == "" {
			continue // the tool that reads it is not there
		}
		s = strings.Join(strings.Fields(s), " ")
		for _, want := range []string{planner.Notice, "Right posterior sectionectomy", "approved by Dr Curie, Marie at 2026-11-01 09:30 UTC", "I choose this plan.", "portal branch of segment 6",
			"Slice thickness of 1.6 mm lies outside", "liver.resection@2026.1", d.Bundle, "No biliary tree", "214 candidates", "is an automatic candidate"} {
			if form == "JSON" && strings.HasPrefix(want, "approved by") {
				want = "pproved by Dr Curie, Marie"
			}
			if !strings.Contains(strings.ToLower(s), strings.ToLower(want)) {
				t.Errorf("%s lacks %q", form, want)
			}
		}
		for _, never := range []string{"unsafe", " safe"} {
			if strings.Contains(strings.ToLower(s), never) {
				t.Errorf("%s says %q", form, never)
			}
		}
	}
}

// plainHTML drops the tags.
func plainHTML(b []byte) string {
	var out strings.Builder
	in := false
	for _, r := range string(b) {
		switch {
		case r == '<':
			in = true
		case r == '>':
			in = false
			out.WriteByte(' ')
		case !in:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func TestJSONReadsBack(t *testing.T) {
	d := sampleDossier()
	b := render(t, "JSON", d)
	var got struct {
		Schema string `json:"schema"`
		Dossier
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != Schema {
		t.Fatalf("schema %q", got.Schema)
	}
	if again := render(t, "JSON", got.Dossier); !bytes.Equal(again, b) {
		t.Error("read and written again, the document differs")
	}
}

// TestJSONNames holds the names that readers of the schema rely on. A name that
// goes or changes its meaning needs a new number in Schema.
func TestJSONNames(t *testing.T) {
	var got map[string]json.RawMessage
	if err := json.Unmarshal(render(t, "JSON", sampleDossier()), &got); err != nil {
		t.Fatal(err)
	}
	var plans []map[string]json.RawMessage
	if err := json.Unmarshal(got["plans"], &plans); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in    map[string]json.RawMessage
		names string
	}{
		{got, "schema notice status patient scan case study rule_pack kernel_set bundle headline found plans knee knee_why rejected front limits flags notes missing method sources pictures"},
		{plans[0], "plan evaluation why_not contingency approval pictures"},
	} {
		for _, n := range strings.Fields(c.names) {
			if c.in[n] == nil {
				t.Errorf("%s is not in the document", n)
			}
			delete(c.in, n)
		}
		for n := range c.in {
			t.Errorf("%s is in the document and not in this list", n)
		}
	}
}

// TestTornPicture: a picture whose pixels end early is named in the PDF.
func TestTornPicture(t *testing.T) {
	d := sampleDossier()
	d.Pictures[0].PNG = d.Pictures[0].PNG[:60]
	if text := pdfText(t, render(t, "PDF", d)); text != "" && !strings.Contains(text, "picture cannot be read") {
		t.Error("the PDF does not say that a picture is torn")
	}
}

// TestManyAtOnce writes from several goroutines; run with -race it also shows
// that they share nothing.
func TestManyAtOnce(t *testing.T) {
	want := render(t, "PDF", sampleDossier())
	d := sampleDossier()
	got := make([][]byte, 3)
	var wg sync.WaitGroup
	for n := range got {
		wg.Go(func() {
			var b bytes.Buffer
			if PDF(&b, d) == nil {
				got[n] = b.Bytes()
			}
		})
	}
	wg.Wait()
	for n := range got {
		if !bytes.Equal(got[n], want) {
			t.Errorf("document %d differs", n)
		}
	}
}

func TestNoFeasiblePlan(t *testing.T) {
	d := sampleDossier()
	d.Items, d.Knee, d.KneeWhy = d.Items[6:], "", nil
	if s := string(render(t, "HTML", d)); !strings.Contains(s, "No plan keeps all hard rules") || !strings.Contains(s, "missing by 0.9 percentage points") {
		t.Error("the page does not say that no plan is feasible, or how far the nearest is")
	}
	render(t, "PDF", d)
	for form := range forms {
		render(t, form, Dossier{}) // nothing at all
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 24.97: "25", 1860.62: "1861", 0.00312: "0.00312", -3.456: "-3.46", 12345.6: "12346", 3e-9: "3e-09", 99.96: "100", 1e9: "1e+09"} {
		if got := number(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}

// TestScales: an axis covers its values with at most seven round ticks.
func TestScales(t *testing.T) {
	for _, values := range [][]float64{{1}, {0}, {-3, 5}, {24, 78.4}, {1e-6, 2e-6}, {100, 100.5}, {0, 1e6}, {-7, -7}, nil} {
		s := newSpan(values)
		ticks := s.ticks()
		if n := len(ticks); n < 2 || n > 8 || !(s.hi > s.lo) {
			t.Errorf("%v: %d ticks on %+v", values, n, s)
		}
		for _, v := range values {
			if at := s.at(v, 1); at < -1e-9 || at > 1+1e-9 {
				t.Errorf("%v: %v lies at %v of the axis", values, v, at)
			}
		}
		if last := ticks[len(ticks)-1]; math.Abs(last-s.hi) > s.step/2 {
			t.Errorf("%v: the last tick %v is not the end %v", values, last, s.hi)
		}
	}
}

func ExampleParseName() {
	n := ParseName("Yamada^Tarou^^Dr=山田^太郎=やまだ^たろう")
	fmt.Println(n.Alphabetic, "|", n.Ideographic, "|", n.Phonetic)
	// Output: Dr Yamada, Tarou | 山田 太郎 | やまだ たろう
}
