package rules

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"halsted/planner"
)

func ExampleShipped() {
	p, err := Shipped("liver.resection")
	if err != nil {
		panic(err)
	}
	rs, _ := p.For("cirrhosis")
	fmt.Println(rs[0].ID, rs[0].Operator, rs[0].Value, rs[0].Unit, rs[0].Evidence)
	// Output: liver.flr.cirrhosis >= 40 % S
}

func quantity(id, unit string, v float64) planner.Quantity {
	return planner.Quantity{ID: id, Unit: unit, Value: v, Basis: "test"}
}

func TestFLRDecidesByCondition(t *testing.T) {
	p, err := Shipped("liver.resection")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		condition string
		flr       float64
		vetoed    bool
	}{{"normal", 24.99, true}, {"normal", 25, false}, {"chemotherapy", 27.4, true}, {"cirrhosis", 39.9, true}, {"cirrhosis", 40, false}} {
		e := planner.Evaluation{Quantities: []planner.Quantity{quantity("flr_percent", "%", c.flr)}}
		missing, err := p.Check(&e, c.condition)
		if err != nil {
			t.Fatal(err)
		}
		if (len(e.Vetoes) > 0) != c.vetoed {
			t.Errorf("%s with FLR %g %%: vetoes %v", c.condition, c.flr, e.Vetoes)
		}
		if len(missing) == 0 {
			t.Error("margin is not given and not reported missing")
		}
	}
}

func TestSoftRulesWarnAndSayTheirEvidence(t *testing.T) {
	p, _ := Shipped("liver.resection")
	e := planner.Evaluation{Quantities: []planner.Quantity{quantity("reaction_n", "N", 9)}}
	if _, err := p.Check(&e, "normal"); err != nil {
		t.Fatal(err)
	}
	if len(e.Vetoes) != 0 || len(e.Warnings) != 1 || !strings.Contains(e.Warnings[0], "unverified source") {
		t.Fatalf("vetoes %v, warnings %v", e.Vetoes, e.Warnings)
	}
}

func TestUnknownConditionAndWrongUnitAreRefused(t *testing.T) {
	p, _ := Shipped("liver.resection")
	if _, err := p.For("unheard-of"); err == nil || !strings.Contains(err.Error(), "normal") {
		t.Errorf("got %v; want the known conditions", err)
	}
	e := planner.Evaluation{Quantities: []planner.Quantity{quantity("margin_mm", "cm", 1)}}
	if _, err := p.Check(&e, "normal"); err == nil {
		t.Error("a margin in cm passed a rule in mm")
	}
}

func TestRulesWithoutOriginAreRefused(t *testing.T) {
	const head = `{"schema":"halsted.rules/1","id":"p","version":"1","rules":[`
	good := `{"id":"r","condition":"*","quantity":"q","operator":">=","value":1,"unit":"mm","severity":"hard","text":"t","source":"s","evidence":"S"}`
	if _, err := Load(strings.NewReader(head + good + "]}")); err != nil {
		t.Fatal(err)
	}
	for _, cut := range []string{`"unit":"mm",`, `"source":"s",`, `,"evidence":"S"`, `"operator":">=",`, `"severity":"hard",`, `"id":"r",`} {
		_, err := Load(strings.NewReader(head + strings.Replace(good, cut, "", 1) + "]}"))
		if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("without %s: got %v", cut, err)
		}
	}
	if _, err := Load(strings.NewReader(head + strings.Replace(good, `"value"`, `"valu"`, 1) + "]}")); err == nil {
		t.Error("a misspelt field passed")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(`{"schema":"halsted.rules/1","id":"p","version":"1","rules":[]}`)
	f.Fuzz(func(_ *testing.T, s string) { _, _ = Load(strings.NewReader(s)) })
}
