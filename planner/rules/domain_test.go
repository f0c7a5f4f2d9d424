package rules

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"halsted/planner"
)

func ExampleRanges() {
	rs, err := Ranges("liver.resection", OfImage)
	if err != nil {
		panic(err)
	}
	for _, f := range planner.OutOfDomain(rs[:1], []planner.Measured{{ID: "slice_thickness", Value: 5, Unit: "mm"}}) {
		fmt.Println(f.ID, strings.Split(f.Text, " [")[0])
	}
	// Output:
	// slice_thickness Longest side of a voxel: 5 mm lies outside what was verified, up to 3.1 mm
}

const goodRange = `{"procedure":"p","of":"image","id":"r","label":"R","unit":"mm","low":1,"high":3,"source":"s","evidence":"computed"}`

func domain(ranges ...string) string {
	return `{"schema":"halsted.domain/1","version":"1","ranges":[` + strings.Join(ranges, ",") + "]}"
}

func TestRangesAreRefusedWithTheReason(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"twice":       {domain(goodRange, goodRange), "twice"},
		"no end":      {domain(strings.Replace(goodRange, `"low":1,"high":3,`, "", 1)), "no end"},
		"upside down": {domain(strings.Replace(goodRange, `"low":1`, `"low":4`, 1)), "not below"},
		"no unit":     {domain(strings.Replace(goodRange, `"unit":"mm",`, "", 1)), "unit"},
		"no source":   {domain(strings.Replace(goodRange, `"source":"s",`, "", 1)), "source"},
		"no evidence": {domain(strings.Replace(goodRange, `,"evidence":"computed"`, "", 1)), "evidence"},
		"of what":     {domain(strings.Replace(goodRange, "image", "moon", 1)), "moon"},
		"misspelt":    {domain(strings.Replace(goodRange, `"high"`, `"hgih"`, 1)), "hgih"},
		"schema":      {strings.Replace(domain(goodRange), "domain/1", "domain/2", 1), "schema"},
	} {
		_, err := LoadRanges(strings.NewReader(c.text))
		if _, ok := errors.AsType[*RangeError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to name %q", name, err, c.want)
		}
	}
	rs, err := LoadRanges(strings.NewReader(domain(strings.Replace(goodRange, `"high":3,`, "", 1))))
	if err != nil || len(rs) != 1 || !math.IsInf(rs[0].High, 1) || rs[0].Low != 1 || rs[0].Touches != nil {
		t.Errorf("%+v, %v", rs, err)
	}
}

// TestShippedRangesAgreeWithTheRules keeps the ranges that are named after
// outputs in the unit of the rules on the same outputs.
func TestShippedRangesAgreeWithTheRules(t *testing.T) {
	p, err := Shipped("liver.resection")
	if err != nil {
		t.Fatal(err)
	}
	rs, err := Ranges("liver.resection", OfPlan)
	if err != nil || len(rs) == 0 {
		t.Fatalf("%v, %v", rs, err)
	}
	for _, r := range rs {
		for _, rule := range p.Rules {
			if rule.Quantity == r.ID && rule.Unit != r.Unit {
				t.Errorf("range %s is in %s, rule %s in %s", r.ID, r.Unit, rule.ID, rule.Unit)
			}
		}
	}
	if rs, err := Ranges("nothing", OfPlan); err != nil || rs != nil {
		t.Errorf("%v, %v", rs, err)
	}
}

func FuzzLoadRanges(f *testing.F) {
	f.Add(domain(goodRange))
	f.Fuzz(func(t *testing.T, s string) {
		rs, err := LoadRanges(strings.NewReader(s))
		if err != nil {
			return
		}
		for _, r := range rs {
			if !(r.Low < r.High) || len(planner.OutOfDomain([]planner.Range{r.Range}, nil)) != 1 {
				t.Fatalf("%+v", r)
			}
		}
	})
}
