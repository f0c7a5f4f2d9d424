package rank

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"halsted/planner"
)

// plan makes an evaluation from values in mm of objectives "a", "b", …
func plan(id string, values ...float64) planner.Evaluation {
	e := planner.Evaluation{Plan: id}
	for n, v := range values {
		name := string(rune('a' + n))
		e.Quantities = append(e.Quantities, planner.Quantity{ID: name, Label: "Length " + name, Value: v, Unit: "mm", Spread: planner.Around(v-1, v, v+1), Basis: "test"})
	}
	return e
}

// vetoed adds a veto on quantity n.
func vetoed(e planner.Evaluation, n int, operator string, want float64) planner.Evaluation {
	q := e.Quantities[n]
	e.Vetoes = append(e.Vetoes, planner.Veto{Rule: "rule." + q.ID, Text: "Length " + q.ID, Have: q,
		Want: planner.Limit{Operator: operator, Value: want, Unit: q.Unit, Source: "a paper", Evidence: planner.EvidenceClassic}})
	return e
}

func less(k int) (out []planner.Objective) {
	for n := range k {
		out = append(out, planner.Objective{ID: string(rune('a' + n)), Less: true})
	}
	return out
}

// random is a set of plans, some vetoed, with samples about their values.
func random(rng *rand.Rand, plans, objectives, samples int, spread float64) ([]planner.Evaluation, Options) {
	o := Options{Objectives: less(objectives), Samples: map[string][][]float64{}}
	common := make([]float64, samples)
	for s := range common {
		common[s] = rng.NormFloat64()
	}
	var es []planner.Evaluation
	for p := range plans {
		v := make([]float64, objectives)
		for j := range v {
			v[j] = float64(5 + rng.IntN(20))
		}
		e := plan(fmt.Sprintf("p%02d", p), v...)
		if rng.IntN(4) == 0 {
			e = vetoed(e, rng.IntN(objectives), "<=", 3)
		}
		for j := range v {
			x := make([]float64, samples)
			for s := range x {
				x[s] = v[j] + spread*(2*common[s]+rng.NormFloat64())
			}
			o.Samples[e.Plan] = append(o.Samples[e.Plan], x)
		}
		es = append(es, e)
	}
	return es, o
}

func mustRank(t *testing.T, es []planner.Evaluation, o Options) *Front {
	t.Helper()
	f, err := Rank(es, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func ExampleRank() {
	es := []planner.Evaluation{plan("x", 2, 9), plan("y", 9, 2), plan("z", 4, 4), plan("w", 5, 5), vetoed(plan("v", 1, 1), 0, ">=", 3)}
	f, err := Rank(es, Options{Objectives: less(2)})
	if err != nil {
		panic(err)
	}
	for _, n := range f.Shown {
		fmt.Println(f.Plans[n].Rank, f.Plans[n].Plan)
	}
	fmt.Println("knee:", f.Plans[f.Knee].Plan)
	for _, w := range f.WhyNot {
		fmt.Println(w.Text)
	}
	// Output:
	// 1 z
	// 2 x
	// 3 y
	// knee: z
	// plan z beats plan w: it is better in Length a, Length b.
	// plan v is vetoed: Length a: 1 mm (95 %: 0 to 2); 2 mm (95 %: 1 to 3) short of ≥ 3 mm [M+ (unverified source); a paper].
}

func TestTheFrontDoesNotDependOnTheOrderOfThePlans(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	for round := range 20 {
		es, o := random(rng, 25, 3, 59, 1)
		if round%2 == 0 {
			o.Samples = nil
		}
		o.Scenarios = []Scenario{MarginLost("a", 3)}
		o.Bounds = []Bound{{"r", "a", "Length a", planner.Limit{Operator: ">=", Value: 4, Unit: "mm"}}}
		want := mustRank(t, es, o)
		rng.Shuffle(len(es), func(a, b int) { es[a], es[b] = es[b], es[a] })
		if got := mustRank(t, es, o); !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d:\n%+v\n%+v", round, got, want)
		}
	}
}

func TestShiftAndScaleOfAnObjectiveChangeNoFront(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 1))
	for range 20 {
		es, o := random(rng, 25, 3, 59, 1)
		want := mustRank(t, es, o)
		// Powers of two and small integers, so that no value is rounded.
		moved := slices.Clone(es)
		for p := range moved {
			moved[p].Quantities = slices.Clone(moved[p].Quantities)
			for j := range moved[p].Quantities {
				q := &moved[p].Quantities[j]
				q.Value = q.Value*math.Ldexp(1, 3*j) + 64
				q.Spread = nil
			}
		}
		movedSamples := map[string][][]float64{}
		for id, s := range o.Samples {
			for j := range s {
				x := make([]float64, len(s[j]))
				for i := range x {
					x[i] = s[j][i] * math.Ldexp(1, 3*j)
				}
				movedSamples[id] = append(movedSamples[id], x)
			}
		}
		o.Samples = movedSamples
		got := mustRank(t, moved, o)
		if !slices.Equal(got.Levels, want.Levels) || !slices.Equal(got.Shown, want.Shown) || got.Knee != want.Knee {
			t.Fatalf("levels %v and %v, shown %v and %v, knee %d and %d", got.Levels, want.Levels, got.Shown, want.Shown, got.Knee, want.Knee)
		}
	}
}

func TestSamplesWithoutSpreadGiveTheFrontsOfTheValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 1))
	for range 20 {
		es, o := random(rng, 30, 3, 20, 0)
		robust := mustRank(t, es, o)
		o.Samples = nil
		if plain := mustRank(t, es, o); !slices.Equal(robust.Levels, plain.Levels) {
			t.Fatalf("levels %v and %v", robust.Levels, plain.Levels)
		}
	}
}

func TestNoPlanOfAFrontIsBeatenByOneOfIt(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 1))
	es, o := random(rng, 40, 3, 59, 2)
	f := mustRank(t, es, o)
	s := sampled{}
	for p := range f.Levels {
		s = append(s, o.Samples[f.Plans[p].Plan])
	}
	for p, level := range f.Levels {
		beaten := false
		for q, other := range f.Levels {
			_, ok := s.beats(q, p)
			if ok && other >= level {
				t.Fatalf("plan %d of front %d is beaten by plan %d of front %d", p, level, q, other)
			}
			beaten = beaten || ok && other == level-1
		}
		if level > 0 && !beaten {
			t.Fatalf("plan %d of front %d is beaten by none of the front before", p, level)
		}
	}
}

func TestWeightsReorderWithinAFrontOnly(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 1))
	for range 30 {
		es, o := random(rng, 25, 3, 0, 0)
		o.Samples = nil
		base := mustRank(t, es, o)
		place := func(f *Front, id string) int {
			return slices.IndexFunc(f.Plans, func(e planner.Evaluation) bool { return e.Plan == id })
		}
		level := func(f *Front, id string) int { return f.Levels[place(f, id)] }
		if len(base.Levels) == 0 {
			continue
		}
		// The plan of front 0 that is best in "a" over all plans without veto.
		best := 0
		for p := range base.Levels {
			if base.Plans[p].Quantities[0].Value < base.Plans[best].Quantities[0].Value {
				best = p
			}
		}
		id, last := base.Plans[best].Plan, math.MaxInt
		for _, w := range []float64{0, 0.5, 1, 4, 100} {
			o.Weights = []float64{w, 1, 1}
			f := mustRank(t, es, o)
			for p := range f.Levels {
				if f.Levels[p] != level(base, f.Plans[p].Plan) {
					t.Fatal("a weight moved a plan to another front")
				}
			}
			if at := place(f, id); at > last {
				t.Fatalf("more weight on the objective that plan %s is best in moved it from %d to %d", id, last, at)
			} else {
				last = at
			}
		}
	}
}

func TestAtMostSevenPlansAreShownAndTheyDiffer(t *testing.T) {
	var es []planner.Evaluation
	for n := range 40 {
		x := float64(n) / 39
		es = append(es, plan(fmt.Sprintf("p%02d", n), x, 1-x))
	}
	es = append(es, plan("twin", 0, 1)) // of p00
	f := mustRank(t, es, Options{Objectives: less(2)})
	if len(f.Shown) != mostShown || !slices.IsSorted(f.Shown) {
		t.Errorf("shown %v", f.Shown)
	}
	ids := ""
	for _, n := range f.Shown {
		ids += f.Plans[n].Plan + " "
	}
	if strings.Contains(ids, "p00") == strings.Contains(ids, "twin") {
		t.Errorf("shown %s: want one of the twins", ids)
	}
	if len(f.WhyNot) != 41-mostShown {
		t.Errorf("%d plans are not shown and %d say why", 41-mostShown, len(f.WhyNot))
	}
	for _, w := range f.WhyNot {
		if w.Text == "" || w.By == "" {
			t.Errorf("%+v", w)
		}
		if (w.Plan == "p00" || w.Plan == "twin") && !strings.Contains(w.Text, "no objective tells it from") {
			t.Errorf("%s", w.Text)
		}
	}
	if f := mustRank(t, es, Options{Objectives: less(2), Most: 3}); len(f.Shown) != 3 {
		t.Errorf("shown %v, want 3", f.Shown)
	}
}

func TestWithoutAFeasiblePlanItSaysWhatWouldHaveToChange(t *testing.T) {
	es := []planner.Evaluation{
		vetoed(vetoed(plan("far", 1, 90), 0, ">=", 10), 1, "<=", 30),
		vetoed(plan("near", 8, 20), 0, ">=", 10),
		vetoed(plan("mid", 5, 20), 0, ">=", 10),
	}
	es[1].Quantities[1].ID = "other" // an objective that a vetoed plan lacks does not matter
	f := mustRank(t, es, Options{Objectives: less(2), Names: map[string]string{"near": "Left lobe"}})
	if len(f.Shown) != 0 || f.Knee != -1 || len(f.Least) != 3 || f.Nearest == nil || f.Nearest.Plan != "near" {
		t.Fatalf("%+v", f)
	}
	if got := []string{f.Least[0].Plan, f.Least[1].Plan, f.Least[2].Plan}; !slices.Equal(got, []string{"near", "mid", "far"}) {
		t.Errorf("the least violating are %v", got)
	}
	s := f.Nearest.Shortfalls[0]
	if s.By.Value != 2 || s.By.Unit != "mm" || s.Relative.Value != 20 || s.By.Spread.P2_5 != 1 || s.By.Spread.P97_5 != 3 {
		t.Errorf("%+v", s)
	}
	for _, want := range []string{"Left lobe", "8 mm", "2 mm", "≥ 10 mm", "unverified source", "a paper"} {
		if !strings.Contains(f.Nearest.Text, want) {
			t.Errorf("%q lacks %q", f.Nearest.Text, want)
		}
	}
	if c := f.Nearest.Changes; len(c) != 1 || !strings.Contains(c[0], "Length a would have to grow by 2 mm") {
		t.Errorf("%q", c)
	}
	// The worst in units of its limit stands first: 60 of 30 before 9 of 10.
	if far := f.Least[2]; far.Shortfalls[0].Rule != "rule.b" || !strings.Contains(far.Changes[0], "fall by 60 mm") || !strings.Contains(far.Text, "one hard rule more") {
		t.Errorf("%+v", far)
	}
	if v := f.Plans[2].Vetoes; v[0].Rule != "rule.b" || es[0].Vetoes[0].Rule != "rule.a" {
		t.Errorf("vetoes %+v of %+v", v, es[0].Vetoes)
	}
	for _, r := range f.Least {
		for _, s := range r.Shortfalls {
			if err := s.By.Validate(); err != nil {
				t.Error(err)
			}
			if err := s.Relative.Validate(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestALimitOfZeroHasNoRelativeDistance(t *testing.T) {
	e := vetoed(plan("p", 3), 0, "<=", 0)
	s := Shortfalls(&e)
	if len(s) != 1 || s[0].Relative != nil || s[0].By.Value != 3 || s[0].By.Spread.P2_5 != 2 {
		t.Errorf("%+v", s)
	}
}

func TestPlansThatCannotBeComparedAreRefused(t *testing.T) {
	es := []planner.Evaluation{plan("x", 1, 2), plan("y", 2, 1)}
	good := map[string][][]float64{"x": {{1, 2}, {1, 2}}, "y": {{1, 2}, {1, 2}}}
	for name, c := range map[string]struct {
		es   []planner.Evaluation
		o    Options
		want string
	}{
		"no objective":      {es, Options{}, "no objective"},
		"twice":             {append(es[:1:1], es[0]), Options{Objectives: less(2)}, "twice"},
		"missing":           {es, Options{Objectives: less(3)}, "has no c"},
		"not finite":        {[]planner.Evaluation{plan("x", math.NaN(), 1)}, Options{Objectives: less(2)}, "finite"},
		"weights":           {es, Options{Objectives: less(2), Weights: []float64{1}}, "1 weights"},
		"negative weight":   {es, Options{Objectives: less(2), Weights: []float64{1, -1}}, "-1"},
		"NaN weight":        {es, Options{Objectives: less(2), Weights: []float64{math.NaN(), 1}}, "NaN"},
		"negative most":     {es, Options{Objectives: less(2), Most: -1}, "-1"},
		"no samples of one": {es, Options{Objectives: less(2), Samples: map[string][][]float64{"x": good["x"]}}, "plan y"},
		"fewer samples":     {es, Options{Objectives: less(2), Samples: map[string][][]float64{"x": good["x"], "y": {{1, 2}, {1}}}}, "equally many"},
		"no sample of one":  {es, Options{Objectives: less(2), Samples: map[string][][]float64{"x": good["x"], "y": {{1, 2}, nil}}}, "0 samples"},
	} {
		_, err := Rank(c.es, c.o)
		if _, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to name %q", name, err, c.want)
		}
	}
	if _, err := Rank(es, Options{Objectives: less(2), Samples: good}); err != nil {
		t.Error(err)
	}
	// An objective without samples is compared by its value, and objectives need
	// not have equally many samples.
	f, err := Rank([]planner.Evaluation{plan("x", 1, 2), plan("y", 1, 3)}, Options{Objectives: less(2), Samples: map[string][][]float64{"x": {{1, 2}, nil}, "y": {{1, 2}, nil}}})
	if err != nil || !slices.Equal(f.Levels, []int{0, 1}) || f.WhyNot[0].Claims[0].Probability != nil {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := Rank(nil, Options{Objectives: less(2)}); err != nil || len(f.Plans) != 0 || f.Knee != -1 {
		t.Errorf("no plans: %+v, %v", f, err)
	}
}

func TestRankLeavesItsInputAlone(t *testing.T) {
	es, o := random(rand.New(rand.NewPCG(16, 1)), 10, 2, 20, 1)
	before := fmt.Sprintf("%+v", es)
	mustRank(t, es, o)
	if fmt.Sprintf("%+v", es) != before {
		t.Error("the evaluations were changed")
	}
}

func BenchmarkRank(b *testing.B) {
	rng := rand.New(rand.NewPCG(17, 1))
	var es []planner.Evaluation
	for n := range 20_000 {
		es = append(es, plan(fmt.Sprint(n), rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()))
	}
	for b.Loop() {
		if _, err := Rank(es, Options{Objectives: less(4)}); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzRank feeds Rank values of every kind: it fails with an *InputError or
// gives a front whose numbers are fit to be shown.
func FuzzRank(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, uint8(seed), uint8(3), uint8(seed%4))
	}
	f.Fuzz(func(t *testing.T, seed uint64, plans, objectives, samples uint8) {
		rng := rand.New(rand.NewPCG(seed, 18))
		odd := []float64{0, math.Copysign(0, -1), 1, -1, 1e300, -1e300, 5e-324, math.NaN(), math.Inf(1), math.Inf(-1)}
		value := func() float64 {
			if seed%3 == 0 && rng.IntN(8) == 0 {
				return odd[rng.IntN(len(odd))]
			}
			return float64(rng.IntN(5))
		}
		k := int(objectives%6) + 1
		o := Options{Objectives: less(k), Scenarios: []Scenario{MarginLost("a", value()), ClampSlips("b", value())}, Bounds: []Bound{atLeast("a", value())}}
		if samples > 0 {
			o.Samples = map[string][][]float64{}
		}
		var es []planner.Evaluation
		for n := range int(plans % 40) {
			v := make([]float64, k)
			for j := range v {
				v[j] = value()
			}
			e := plan(fmt.Sprint(n), v...)
			if rng.IntN(3) == 0 {
				e = vetoed(e, rng.IntN(k), "<=", value())
			}
			es = append(es, e)
			for range k {
				if samples == 0 {
					break
				}
				x := make([]float64, samples%8)
				for i := range x {
					x[i] = value()
				}
				o.Samples[e.Plan] = append(o.Samples[e.Plan], x)
			}
		}
		front, err := Rank(es, o)
		if err != nil {
			if _, ok := errors.AsType[*InputError](err); !ok {
				t.Fatal(err)
			}
			return
		}
		if len(front.Plans) != len(es) || len(front.Shown) > mostShown || len(front.WhyNot) != len(es)-len(front.Shown) ||
			len(front.Contingency) != len(o.Scenarios)*len(front.Shown) || front.Knee >= 0 && !slices.Contains(front.Shown, front.Knee) {
			t.Fatalf("%+v", front)
		}
		var short []Shortfall
		for _, c := range front.Contingency {
			short = append(short, c.Breaks...)
		}
		if front.Nearest != nil {
			short = append(short, front.Nearest.Shortfalls...)
		}
		for _, s := range short {
			if s.By.Validate() != nil || s.Relative != nil && s.Relative.Validate() != nil {
				t.Fatalf("%+v", s)
			}
		}
		for _, w := range front.WhyNot {
			for _, c := range w.Claims {
				if c.Probability != nil && c.Probability.Validate() != nil {
					t.Fatal(c.Probability.Validate())
				}
			}
		}
	})
}
