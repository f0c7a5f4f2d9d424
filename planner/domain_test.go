package planner

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

var verified = []Range{
	{ID: "slice_thickness", Label: "Slice thickness", Unit: "mm", Low: 0.5, High: 3, Source: "tests on phantoms"},
	{ID: "contrast", Label: "Contrast of the portal vein", Unit: "HU", Low: 30, High: math.Inf(1), Source: "a paper", Evidence: EvidenceClassic, Touches: []string{"radius_mm", "flr_percent"}},
}

func ExampleOutOfDomain() {
	flags := OutOfDomain(verified, []Measured{{"slice_thickness", 5, "mm"}})
	qs := []Quantity{{ID: "margin_mm"}, {ID: "flr_percent"}}
	ApplyFlags(flags, qs)
	for _, q := range qs {
		fmt.Println(q.ID, len(q.Flags), q.Flags[len(q.Flags)-1])
	}
	// Output:
	// margin_mm 1 Slice thickness: 5 mm lies outside what was verified, 0.5 to 3 mm [computed; tests on phantoms]
	// flr_percent 2 Contrast of the portal vein: not measured; verified from 30 HU [M+ (unverified source); a paper]
}

func TestTheEndsOfARangeAreInIt(t *testing.T) {
	for v, out := range map[float64]bool{0.5: false, 3: false, 1: false, 0.49: true, 3.01: true, math.NaN(): true, math.Inf(1): true} {
		got := OutOfDomain(verified[:1], []Measured{{"slice_thickness", v, "mm"}})
		if (len(got) == 1) != out {
			t.Errorf("%g mm: %v", v, got)
		}
	}
	if f := OutOfDomain(verified[:1], []Measured{{"slice_thickness", 1, "mm"}, {"slice_thickness", 7, "mm"}, {"slice_thickness", 2, "mm"}}); len(f) != 1 || !strings.Contains(f[0].Text, "7 mm") {
		t.Errorf("one of several: %v", f)
	}
	e := Evaluation{Quantities: []Quantity{{ID: "slice_thickness", Value: 2, Unit: "mm", Spread: Around(1, 2, 4)}}}
	if f := OutOfDomain(verified[:1], MeasuredOf(&e)); len(f) != 1 || !strings.Contains(f[0].Text, "4 mm") {
		t.Errorf("an interval that leaves the range: %v", f)
	}
	if f := OutOfDomain(verified[:1], []Measured{{"slice_thickness", 1, "cm"}}); len(f) != 1 || !strings.Contains(f[0].Text, "not compared") {
		t.Errorf("in another unit: %v", f)
	}
}

func TestAFlagStandsOnEveryNumberThatItTouches(t *testing.T) {
	flags := OutOfDomain(verified, nil)
	if len(flags) != 2 || !strings.Contains(flags[0].Text, "not measured") {
		t.Fatalf("%v", flags)
	}
	shared := append(make([]string, 0, 8), "first")
	e := Evaluation{Quantities: []Quantity{{ID: "flr_percent", Flags: shared}, {ID: "margin_mm", Flags: shared}},
		Vetoes:  []Veto{{Have: Quantity{ID: "flr_percent"}}},
		Vessels: []VesselCut{{Radius: Quantity{ID: "radius_mm"}, Flow: &Quantity{ID: "flow_ml_min"}}, {Radius: Quantity{ID: "radius_mm"}}}}
	flow := e.Vessels[0].Flow
	for range 2 { // twice changes nothing
		FlagEvaluation(flags, &e)
		for n, want := range []int{3, 2, 2, 2, 1, 2} {
			q := []Quantity{e.Quantities[0], e.Quantities[1], e.Vetoes[0].Have, e.Vessels[0].Radius, *e.Vessels[0].Flow, e.Vessels[1].Radius}[n]
			if len(q.Flags) != want {
				t.Errorf("%s has flags %q, want %d", q.ID, q.Flags, want)
			}
		}
	}
	if flow.Flags != nil || !slices.Equal(shared[:2:2][:1], []string{"first"}) || shared[:2][1] != "" {
		t.Error("a slice or quantity that others hold was changed")
	}
}
