package report

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"halsted/planner"
)

func item(name string, rank int) Item {
	return Item{
		Plan: planner.Plan{ID: "0123", Name: name},
		Evaluation: planner.Evaluation{Plan: "0123", Rank: rank, Reasons: []string{"best in: margin"}, Quantities: []planner.Quantity{
			{ID: "flr_percent", Label: "Future liver remnant", Value: 42.5, Unit: "%", Spread: planner.Around(41, 42.5, 44), Basis: "half a voxel"},
			{ID: "peak_stress_kpa", Label: "Peak stress", Value: 3.25, Unit: "kPa", Basis: "not known", Evidence: planner.EvidenceUnverified},
		}},
	}
}

func ExampleTable() {
	if err := Table(os.Stdout, []Item{{Plan: planner.Plan{Name: "one plane"}, Evaluation: planner.Evaluation{Rank: 1,
		Quantities: []planner.Quantity{{ID: "margin_mm", Value: 5, Unit: "mm", Spread: planner.Around(4.5, 5, 5.5)}}}}}); err != nil {
		panic(err)
	}
	// Output:
	// rank  plan       FLR  margin           vessels cut  largest radius  cut area  moved  pull force  peak stress  peak strain
	// 1     one plane  –    5 mm [4.5, 5.5]  –            –               –         –      –           –            –
	// Research and planning support, not a diagnosis. A surgeon decides.
}

func TestPageShowsEveryNumberWithUnitIntervalAndEvidence(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, Dossier{Items: []Item{item("plan A", 1), item("plan B", 0)}, Pictures: []Picture{{"a liver", []byte("png")}}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"42.5 %", "41 to 44 %", "3.25 kPa", "not quantified", "M (unverified source)", "1. plan A", "Vetoed", planner.Notice, "data:image/png;base64,cG5n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestWarningsOfAllPlansStandOnceAndFirst(t *testing.T) {
	a, b := item("plan A", 1), item("plan B", 2)
	a.Evaluation.Warnings = []string{"the tumour is a guess", "own"}
	b.Evaluation.Warnings = []string{"the tumour is a guess"}
	var page, table bytes.Buffer
	if err := Write(&page, Dossier{Items: []Item{a, b}}); err != nil {
		t.Fatal(err)
	}
	if err := Table(&table, []Item{a, b}); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{"page": page.String(), "table": table.String()} {
		if strings.Count(s, "the tumour is a guess") != 1 || strings.Count(s, "own") < 1 {
			t.Errorf("%s:\n%s", name, s)
		}
	}
	if p := page.String(); strings.Index(p, "the tumour is a guess") > strings.Index(p, "plan A") {
		t.Error("the common warning stands below the plans")
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	var b bytes.Buffer
	d := Dossier{Study: planner.Study{Modality: `<script>alert(1)</script>`}, Items: []Item{item(`"><img src=x onerror=alert(1)>`, 1)}}
	if err := Write(&b, d); err != nil {
		t.Fatal(err)
	}
	if s := b.String(); strings.Contains(s, "<script>") || strings.Contains(s, "<img src=x") {
		t.Error("text from outside became markup")
	}
}

func TestANakedNumberIsRefused(t *testing.T) {
	it := item("p", 1)
	it.Evaluation.Quantities[0].Unit = ""
	if err := Write(&bytes.Buffer{}, Dossier{Items: []Item{it}}); err == nil {
		t.Fatal("a quantity without unit was printed")
	}
}
