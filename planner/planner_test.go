package planner

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

func Example() {
	p := Plan{Case: "c", Name: "one plane", Cuts: []Plane{{Point: r3.Vec{X: 10}, Normal: r3.Vec{X: 1}}}, RetractionMM: 30}
	fmt.Println(p.Validate(), p.Resected(r3.Vec{X: 11}), p.SignedMM(r3.Vec{X: 4}))
	q := Quantity{ID: "margin_mm", Value: 7.5, Unit: "mm", Spread: Around(6.9, 7.5, 8.1), Basis: "half a voxel"}
	fmt.Println(q)
	// Output:
	// <nil> true -6
	// 7.5 mm (95 %: 6.9 to 8.1)
}

func TestIdentifiersComeFromContent(t *testing.T) {
	a := Plan{Case: "c", Cuts: []Plane{{Normal: r3.Vec{Z: 1}}}}.Sealed()
	b := Plan{ID: "something", Case: "c", Cuts: []Plane{{Normal: r3.Vec{Z: 1}}}}.Sealed()
	c := Plan{Case: "c", Cuts: []Plane{{Normal: r3.Vec{Z: -1}}}}.Sealed()
	child := Plan{Case: "c", Parent: a.ID, Cuts: []Plane{{Normal: r3.Vec{Z: 1}}}}.Sealed()
	if a.ID != b.ID || a.ID == c.ID || a.ID == child.ID || len(a.ID) != 32 {
		t.Errorf("ids %s %s %s %s", a.ID, b.ID, c.ID, child.ID)
	}
	k := Case{Study: "s", Condition: "normal"}.Sealed()
	k2 := k
	k2.Labels, k2.Surface = "later", "later"
	if k2.Sealed().ID != k.ID {
		t.Error("what the pipeline fills in later changed the case's id")
	}
}

func TestResectedIsTheUnionOfHalfSpaces(t *testing.T) {
	p := Plan{Cuts: []Plane{{Point: r3.Vec{X: 5}, Normal: r3.Vec{X: 1}}, {Point: r3.Vec{Y: 5}, Normal: r3.Vec{Y: 1}}}}
	for _, c := range []struct {
		q    r3.Vec
		want bool
	}{{r3.Vec{X: 6}, true}, {r3.Vec{Y: 6}, true}, {r3.Vec{X: 6, Y: 6}, true}, {r3.Vec{X: 4, Y: 4}, false}} {
		if p.Resected(c.q) != c.want {
			t.Errorf("%v: resected %v", c.q, !c.want)
		}
	}
}

func TestPlansThatCannotBeSimulatedAreRefused(t *testing.T) {
	ok := Plan{Name: "p", Cuts: []Plane{{Normal: r3.Vec{Z: 1}}}, RetractionMM: 30}
	for name, change := range map[string]func(*Plan){
		"no cut":      func(p *Plan) { p.Cuts = nil },
		"long normal": func(p *Plan) { p.Cuts = []Plane{{Normal: r3.Vec{Z: 2}}} },
		"NaN normal":  func(p *Plan) { p.Cuts = []Plane{{Normal: r3.Vec{Z: math.NaN()}}} },
		"NaN point":   func(p *Plan) { p.Cuts = []Plane{{Point: r3.Vec{X: math.NaN()}, Normal: r3.Vec{Z: 1}}} },
		"pull":        func(p *Plan) { p.RetractionMM = -1 },
		"NaN pull":    func(p *Plan) { p.RetractionMM = math.NaN() },
		"gravity":     func(p *Plan) { p.GravityG = r3.Vec{X: 3} },
	} {
		p := ok
		change(&p)
		if p.Validate() == nil {
			t.Errorf("%s: passed", name)
		}
	}
	if err := ok.Validate(); err != nil {
		t.Error(err)
	}
}

func TestQuantityRoundTripsAndRefusesNakedNumbers(t *testing.T) {
	for _, q := range []Quantity{
		{ID: "a", Label: "A", Value: 1, Unit: "mm", Spread: Around(0.5, 1, 2), Basis: "b", Evidence: EvidenceClassic,
			Violation: &Violation{"r", 0.25, 32, 128}, Solution: &Solution{1e-9, 0.1}, Flags: []string{"thick slices"}},
		{ID: "a", Label: "A", Value: 1, Unit: "mm", Basis: "not known", Evidence: EvidenceUnverified},
	} {
		b, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		var r Quantity
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(q, r) || q.Validate() != nil {
			t.Errorf("%v became %v", q, r)
		}
	}
	if !strings.Contains(EvidenceClassic.String(), "unverified source") {
		t.Error("M+ does not read as unverified")
	}
	for _, q := range []Quantity{
		{ID: "a", Value: 1, Basis: "b"}, {ID: "a", Value: 1, Unit: "mm"},
		{ID: "a", Value: math.NaN(), Unit: "mm", Basis: "b"},
		{ID: "a", Value: 3, Spread: Around(1, 1.5, 2), Unit: "mm", Basis: "b"},
		{ID: "a", Value: 3, Spread: &Spread{P2_5: 1, P5: 2, P50: 3, P95: math.NaN(), P97_5: 5}, Unit: "mm", Basis: "b"},
		{ID: "a", Value: 3, Spread: &Spread{1, 2, 4, 3, 5}, Unit: "mm", Basis: "b"},
		{ID: "a", Value: 3, Spread: Around(1, 3, 4), Violation: &Violation{Rule: "r", P: 1.5}, Unit: "mm", Basis: "b"},
		{ID: "a", Value: 3, Spread: Around(1, 3, 4), Solution: &Solution{Residual: math.NaN()}, Unit: "mm", Basis: "b"},
	} {
		if q.Validate() == nil {
			t.Errorf("%+v passed", q)
		}
	}
}

func TestDisplayDataIsCheckedBeforeItIsShown(t *testing.T) {
	top := Topology{Rest: make([]r3.Vec, 3), Structures: []Structure{{Name: "s", Count: 3, Tris: [][3]int32{{0, 1, 2}}}}}
	if err := top.Validate(); err != nil {
		t.Fatal(err)
	}
	f := DisplayFrame{Seq: 1, Pos: make([]r3.Vec, 3), Fields: []Field{{ID: "von_mises", Unit: "kPa", Values: make([]float32, 3)}}}
	if err := f.Validate(&top); err != nil {
		t.Fatal(err)
	}
	f.Fields[0].Values[2] = float32(math.Inf(1))
	if err := f.Validate(&top); err == nil || !strings.Contains(err.Error(), "vertex 2") {
		t.Errorf("got %v", err)
	}
	top.Structures[0].Tris[0][1] = 3
	if top.Validate() == nil {
		t.Error("an index outside the range passed")
	}
}

func TestFactsThatNoPatientHasAreRefused(t *testing.T) {
	for _, p := range []Patient{{}, {HeightCM: 170, WeightKG: 70, Sex: "F", MeanMmHg: 93, SystolicMmHg: 120}} {
		if err := p.Validate(); err != nil {
			t.Error(err)
		}
	}
	for _, p := range []Patient{{HeightCM: 1.7}, {WeightKG: -1}, {WeightKG: math.NaN()}, {MeanMmHg: 130, SystolicMmHg: 120}, {SystolicMmHg: math.Inf(1)}, {Sex: "x"}} {
		if p.Validate() == nil {
			t.Errorf("%+v passed", p)
		}
	}
}

// The bounds of Clopper and Pearson: 1 − 0.05^(1/128) = 2.31 % without a broken
// run; 15 of 128 have the upper bound 17.5 % (the binomial distribution function
// at 15 with that probability is 5 %).
func TestARareViolationHasItsUpperBound(t *testing.T) {
	for _, c := range []struct {
		v    Violation
		want string
	}{
		{Violation{"r", 0, 0, 128}, "< 2.3 % (0 of 128 runs)"},
		{Violation{"r", 1, 128, 128}, "> 97.7 % (128 of 128 runs)"},
		{Violation{"r", 15. / 128, 15, 128}, "12 % (at most 17 %, 15 of 128 runs)"},
		{Violation{"r", 0.004, 0, 72}, "0.4 % (at most 4.1 %, 0 of 72 runs)"},
		{Violation{Rule: "r", P: 0.0001}, "under 0.1 %"},
		{Violation{Rule: "r", P: 0.9999}, "over 99.9 %"},
		{Violation{Rule: "r"}, "0 %"},
		{Violation{Rule: "r", P: 1}, "100 %"},
		{Violation{Rule: "r", P: 0.985}, "98.5 %"},
		{Violation{Rule: "r", P: 0.25}, "25 %"},
	} {
		if got := c.v.String(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.v, got, c.want)
		}
	}
	_, high := Violation{P: 15. / 128, Broken: 15, Runs: 128}.Bounds()
	tail, term := 0.0, math.Pow(1-high, 128)
	for k := range 16 {
		tail += term
		term *= float64(128-k) / float64(k+1) * high / (1 - high)
	}
	if math.Abs(tail-0.05) > 1e-9 {
		t.Errorf("at most 15 of 128 have probability %g under the bound %g, want 5 %%", tail, high)
	}
	if err := (Quantity{ID: "a", Value: 1, Unit: "mm", Basis: "b", Violation: &Violation{"r", 0.5, 3, 2}}).Validate(); err == nil {
		t.Error("3 of 2 runs are taken")
	}
}
