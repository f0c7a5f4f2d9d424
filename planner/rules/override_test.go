package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"halsted/planner"
)

// rule writes one rule; more is appended to its fields.
func rule(id, condition, quantity, operator string, value float64, severity, more string) string {
	return fmt.Sprintf(`{"id":%q,"condition":%q,"quantity":%q,"operator":%q,"value":%g,"unit":"%%","severity":%q,"text":"the remnant","source":"paper","evidence":"M+"%s}`,
		id, condition, quantity, operator, value, severity, more)
}

func pack(rs ...string) string {
	return `{"schema":"halsted.rules/1","id":"liver","version":"1","rules":[` + strings.Join(rs, ",") + "]}"
}

func mustLoad(t *testing.T, text string) *Pack {
	t.Helper()
	p, err := Load(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func overText(fields string) string {
	return `{"schema":"halsted.rules-override/1","procedure":"liver","base":"1","version":"h2","who":"Dr. A. Weiss, liver board","why":"own series"` + fields + "}"
}

var (
	kishi   = rule("flr.kishi", "normal", "flr", ">=", 20, "hard", `,"off":true,"alternative_to":"flr"`)
	schindl = rule("flr.schindl", "normal", "flr", ">=", 26.6, "hard", `,"off":true,"alternative_to":"flr"`)
	flr     = rule("flr", "normal", "flr", ">=", 25, "hard", "")
	loss    = rule("loss", "*", "loss", "<=", 50, "soft", "")
)

func TestContradictoryRulesAreRefusedByName(t *testing.T) {
	lo, hi := rule("lo", "a", "q", ">=", 30, "hard", ""), rule("hi", "a", "q", "<=", 20, "hard", "")
	for name, c := range map[string]struct {
		a, b    string
		refused bool
	}{
		"same condition":      {lo, hi, true},
		"the other order":     {hi, lo, true},
		"one for all":         {lo, rule("hi", "*", "q", "<=", 20, "hard", ""), true},
		"other condition":     {lo, rule("hi", "b", "q", "<=", 20, "hard", ""), false},
		"other quantity":      {lo, rule("hi", "a", "p", "<=", 20, "hard", ""), false},
		"soft":                {lo, rule("hi", "a", "q", "<=", 20, "soft", ""), false},
		"off":                 {lo, rule("hi", "a", "q", "<=", 20, "hard", `,"off":true`), false},
		"one value keeps":     {lo, rule("hi", "a", "q", "<=", 30, "hard", ""), false},
		"both from the left":  {lo, rule("hi", "a", "q", ">=", 20, "hard", ""), false},
		"in two units":        {lo, strings.Replace(rule("hi", "a", "q", ">=", 20, "hard", ""), `"%"`, `"mm"`, 1), true},
		"two alternatives":    {flr, strings.Replace(kishi, `"off":true,`, "", 1), true},
		"alternative to none": {lo, kishi, true},
	} {
		_, err := Load(strings.NewReader(pack(c.a, c.b)))
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
		if e, ok := errors.AsType[*Error](err); err != nil && (!ok || !strings.Contains(name, "none") && !(strings.Contains(e.Error(), "hi") && strings.Contains(e.Error(), "lo") || strings.Contains(e.Error(), "flr.kishi"))) {
			t.Errorf("%s: %v does not name both", name, err)
		}
	}
}

func TestAnOverrideIsRecordedAndLeavesItsBase(t *testing.T) {
	base := mustLoad(t, pack(flr, kishi, schindl, loss))
	before, _ := json.Marshal(base)
	p, err := Override(base, strings.NewReader(overText(`,"choose":["flr.kishi"],"off":["loss"],"add":[`+rule("new", "*", "x", "<=", 3, "hard", "")+`]`)))
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := json.Marshal(base); string(after) != string(before) {
		t.Error("the base was changed")
	}
	want := Change{"Dr. A. Weiss, liver board", "own series", "h2", "1", nil, []string{"new"}, []string{"loss", "flr"}, []string{"flr.kishi"}}
	if p.Version != "1+h2" || len(p.Changes) != 1 || !reflect.DeepEqual(p.Changes[0], want) {
		t.Errorf("version %s, changes %+v", p.Version, p.Changes)
	}
	limits, err := p.Limits("normal")
	if err != nil || !reflect.DeepEqual(limits, []Limit{{"flr.kishi", "flr", ">=", 20, "%"}, {"new", "x", "<=", 3, "%"}}) {
		t.Errorf("limits %v, %v", limits, err)
	}
	e := planner.Evaluation{Quantities: []planner.Quantity{quantity("flr", "%", 19)}}
	missing, err := p.Check(&e, "normal")
	if err != nil || len(e.Vetoes) != 1 || !reflect.DeepEqual(missing, []string{"x"}) {
		t.Fatalf("%v %v %+v", missing, err, e)
	}
	if s := e.Vetoes[0].Want.Source; !strings.Contains(s, "paper") || !strings.Contains(s, "Weiss") || !strings.Contains(s, "own series") {
		t.Errorf("the veto's source is %q", s)
	}
	if len(e.Warnings) != 2 || !strings.Contains(strings.Join(e.Warnings, "|"), "loss") {
		t.Errorf("a rule was switched off without a word: %q", e.Warnings)
	}
	// The record survives being written and read.
	b, _ := json.Marshal(p)
	q := mustLoad(t, string(b))
	if !reflect.DeepEqual(p, q) {
		t.Errorf("%+v became %+v", p, q)
	}
	// A second override stands on the first.
	r, err := Override(p, strings.NewReader(strings.Replace(overText(`,"replace":[`+rule("loss", "*", "loss", "<=", 40, "soft", "")+`]`), `"base":"1"`, `"base":"1+h2"`, 1)))
	if err != nil || len(r.Changes) != 2 || r.Version != "1+h2+h2" {
		t.Fatalf("%v %+v", err, r)
	}
}

func TestOverridesThatCannotBeMeantAreRefused(t *testing.T) {
	base := mustLoad(t, pack(flr, kishi, schindl, loss))
	good := overText(`,"off":["loss"]`)
	for name, c := range map[string]struct{ text, want string }{
		"no change":           {overText(""), "nothing"},
		"other procedure":     {strings.Replace(good, "liver", "kidney", 1), "kidney"},
		"other version":       {strings.Replace(good, `"base":"1"`, `"base":"0"`, 1), `"0"`},
		"nobody":              {strings.Replace(good, "Dr. A. Weiss, liver board", " ", 1), "who"},
		"no reason":           {strings.Replace(good, "own series", "", 1), "why"},
		"no version":          {strings.Replace(good, "h2", "", 1), "version"},
		"schema":              {strings.Replace(good, "override/1", "override/9", 1), "schema"},
		"unknown field":       {overText(`,"of":["loss"]`), "of"},
		"off: unknown":        {overText(`,"off":["los"]`), "los"},
		"off: twice":          {overText(`,"off":["loss","loss"]`), "loss"},
		"off: an alternative": {overText(`,"off":["flr.kishi"]`), "kishi"},
		"choose: on":          {overText(`,"choose":["flr"]`), "flr"},
		"choose: two":         {overText(`,"choose":["flr.kishi","flr.schindl"]`), "alternatives"},
		"add: there":          {overText(`,"add":[` + loss + `]`), "loss"},
		"replace: not there":  {overText(`,"replace":[` + rule("x", "*", "x", "<=", 1, "hard", "") + `]`), `"x"`},
		"replace: unit":       {overText(`,"replace":[` + strings.Replace(loss, `"%"`, `"mm"`, 1) + `]`), "mm"},
		"replace: quantity":   {overText(`,"replace":[` + strings.Replace(loss, `"quantity":"loss"`, `"quantity":"gain"`, 1) + `]`), "gain"},
		"no value":            {overText(`,"add":[` + strings.Replace(rule("x", "*", "x", "<=", 1, "hard", ""), `"value":1,`, "", 1) + `]`), "no value"},
		"no source":           {overText(`,"add":[` + strings.Replace(rule("x", "*", "x", "<=", 1, "hard", ""), `"source":"paper",`, "", 1) + `]`), "source"},
		"contradicts":         {overText(`,"add":[` + rule("x", "*", "flr", "<=", 10, "hard", "") + `]`), `"flr"`},
	} {
		_, err := Override(base, strings.NewReader(c.text))
		if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to name %s", name, err, c.want)
		}
	}
}

func TestEveryRuleGetsAState(t *testing.T) {
	p := mustLoad(t, pack(flr, loss, rule("z", "*", "z", "<=", 1, "hard", "")))
	e := planner.Evaluation{Quantities: []planner.Quantity{quantity("flr", "%", 24.9), quantity("loss", "%", 50)}}
	vs, err := p.Judge(&e, "normal")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []State{Broken, Kept, Unchecked} {
		if vs[n].State != want {
			t.Errorf("rule %s is %s, want %s", vs[n].Rule.ID, vs[n].State, want)
		}
		if s := vs[n].String(); !strings.Contains(s, "unverified source") || !strings.Contains(s, "paper") {
			t.Errorf("%q lacks source or evidence", s)
		}
	}
	if lost := Lost(vs); len(lost) != 1 || !strings.Contains(lost[0], "does not give the number") {
		t.Errorf("lost %q", lost)
	}
	if len(e.Vetoes) != 0 {
		t.Error("Judge wrote into the evaluation")
	}
}

func TestALikelyViolationWarns(t *testing.T) {
	p := mustLoad(t, pack(flr))
	for _, c := range []struct {
		p     float64
		warns int
	}{{0.02, 0}, {0.3, 1}} {
		q := quantity("flr", "%", 27)
		q.Violation = &planner.Violation{Rule: "flr", P: c.p}
		e := planner.Evaluation{Quantities: []planner.Quantity{q}}
		if _, err := p.Check(&e, "normal"); err != nil || len(e.Warnings) != c.warns || len(e.Vetoes) != 0 {
			t.Errorf("P %g: %v, %q", c.p, err, e.Warnings)
		}
		if *e.Quantities[0].Violation != *q.Violation {
			t.Error("Check changed the violation")
		}
	}
}

func TestAPackForAllConditionsKnowsEveryCondition(t *testing.T) {
	p := mustLoad(t, pack(loss))
	for _, c := range []string{"normal", "", "*"} {
		if rs, err := p.For(c); err != nil || len(rs) != 1 {
			t.Errorf("condition %q: %v %v", c, rs, err)
		}
	}
}

func TestDevicesCanBeOverridden(t *testing.T) {
	base, err := LoadDevices(strings.NewReader(catalogue(goodDevice, strings.Replace(goodDevice, `"probe"`, `"drain"`, 1))))
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.NewReplacer(`"version":"1"`, `"version":"2"`, "150", "200").Replace(goodDevice)
	ds, err := OverrideDevices(base, strings.NewReader(catalogue(newer)))
	if err != nil || len(ds) != 2 || ds[0].ID != "drain" || ds[1].Ref() != "probe@2" || len(base) != 2 || base[0].Ref() != "probe@1" {
		t.Fatalf("%v %+v", err, ds)
	}
	if _, err := OverrideDevices(base, strings.NewReader(catalogue(strings.Replace(goodDevice, "150", "200", 1)))); err == nil {
		t.Error("other numbers under the same id and version passed")
	}
	if ds, err := OverrideDevices(base, strings.NewReader(catalogue(goodDevice))); err != nil || len(ds) != 2 {
		t.Errorf("the same again: %v %v", ds, err)
	}
}

func FuzzOverride(f *testing.F) {
	f.Add(overText(`,"choose":["flr.kishi"],"off":["loss"]`))
	f.Add(overText(`,"add":[` + rule("x", "*", "flr", "<=", 10, "hard", "") + `]`))
	base, err := Load(strings.NewReader(pack(flr, kishi, schindl, loss)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Override(base, strings.NewReader(s))
		if err != nil {
			return
		}
		if p.validate() != nil || p.Version == base.Version || len(p.Changes) != 1 || p.Changes[0].Who == "" {
			t.Fatalf("%+v", p)
		}
	})
}
