package pipeline

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"halsted/fem"
	"halsted/planner"
	"halsted/planner/bundle"
	"halsted/planner/rules"
	"halsted/planner/uncertainty"

	"gonum.org/v1/gonum/spatial/r3"
)

// rod is a procedure whose numbers are known in closed form: a rod of uncertain
// length (L0) is cut at x, and the rest is pulled on by a spring (L1). A tumour
// of uncertain radius lies at its end.
type rod struct {
	fails  bool // where the spring is stiff and the cut is far
	always bool // even at the medians
}

const rodMM, tumourMM, springNMM = 100.0, 10.0, 0.02

func (rod) Name() string { return "rod.resection" }

func (rod) Inputs() []planner.Input {
	return []planner.Input{
		{ID: "length_mm", Label: "Length", Unit: "mm", Spread: uncertainty.Normal{Mean: rodMM, SD: 1}, Source: "test", Evidence: planner.EvidenceComputed},
		{ID: "tumour_mm", Label: "Tumour", Unit: "mm", Spread: uncertainty.Normal{Mean: tumourMM, SD: 0.5}, Source: "test", Evidence: planner.EvidenceComputed},
		{ID: "spring_n_mm", Label: "Spring", Unit: "N/mm", Spread: uncertainty.Normal{Mean: springNMM, SD: springNMM / 10}, Source: "test", Evidence: planner.EvidenceUnverified},
	}
}

func (rod) Outputs() []planner.Output {
	return []planner.Output{
		{ID: "rest_percent", Label: "Rest of the length", Unit: "%", Inputs: []string{"length_mm"}},
		{ID: "margin_mm", Label: "Margin", Unit: "mm", Inputs: []string{"tumour_mm"}},
		{ID: "pull_n", Label: "Pull", Unit: "N", Level: planner.L1, Inputs: []string{"spring_n_mm"}},
	}
}

func (rod) Objectives(l planner.Level) []planner.Objective {
	o := []planner.Objective{{ID: "rest_percent"}, {ID: "margin_mm"}}
	if l > planner.L0 {
		o = append(o, planner.Objective{ID: "pull_n", Less: true})
	}
	return o
}

func (rod) Flags() []planner.Flag {
	return []planner.Flag{{ID: "thick", Text: "slices of 8 mm are thicker than 5 mm", Touches: []string{"margin_mm"}}}
}

func (rod) Generate(_ context.Context, seed uint64, emit func(planner.Candidate) error) error {
	for n := range 18 {
		p := planner.Plan{Case: "c", Procedure: "rod.resection", Name: fmt.Sprintf("cut at %d mm", 5*n+5+int(seed%2)), Cuts: []planner.Plane{{Point: r3.Vec{X: 5*float64(n) + 5}, Normal: r3.Vec{X: 1}}}}
		if err := emit(planner.Candidate{Plan: p.Sealed()}); err != nil {
			return err
		}
	}
	return nil
}

func (r rod) Simulate(ctx context.Context, p planner.Plan, l planner.Level, x []float64) (*planner.Outcome, error) {
	if x == nil {
		x = planner.Medians(r.Inputs())
	}
	cut := p.Cuts[0].Point.X
	o := &planner.Outcome{Values: []planner.Value{{ID: "rest_percent", V: 100 * cut / x[0]}, {ID: "margin_mm", V: rodMM - x[1] - cut}}, Notes: []string{"a rod"}}
	if l > planner.L0 {
		if r.fails && cut > 60 && (x[2] > springNMM || r.always) {
			return nil, &fem.NotConvergedError{}
		}
		o.Notes = []string{"a spring of one degree of freedom", "a rod"}
		o.Values = append(o.Values, planner.Value{ID: "pull_n", V: x[2] * cut, Solution: &planner.Solution{Residual: 1e-9, MeshError: 0.01}})
	}
	return o, ctx.Err()
}

var rodRules = func() *rules.Pack {
	p, err := rules.Load(strings.NewReader(`{"schema":"halsted.rules/1","id":"rod.resection","version":"1","rules":[
	{"id":"rod.rest","condition":"normal","quantity":"rest_percent","operator":">=","value":40,"unit":"%","severity":"hard","text":"the rest","source":"test","evidence":"S"},
	{"id":"rod.margin","condition":"*","quantity":"margin_mm","operator":">=","value":1,"unit":"mm","severity":"hard","text":"the margin","source":"test","evidence":"S"}]}`))
	if err != nil {
		panic(err)
	}
	return p
}()

var rodCase = planner.Case{Study: "s", Procedure: "rod.resection", Condition: "normal"}.Sealed()

func TestDecisionOfClosedForms(t *testing.T) {
	q := Question{Pack: rodRules, Level: planner.L1}
	d, err := Decide(t.Context(), rod{}, rodCase, q, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Cuts at 40 to 85 mm keep both rules.
	if d.Searched != 18 || d.Feasible != 10 || len(d.Plans) != 7 || len(d.Evaluations) != 7 {
		t.Fatalf("%d searched, %d feasible, %d shown", d.Searched, d.Feasible, len(d.Plans))
	}
	for n, e := range d.Evaluations {
		if e.Plan != d.Plans[n].ID || len(e.Vetoes) > 0 || e.Rank != n+1 {
			t.Errorf("plan %d: rank %d, vetoes %v", n, e.Rank, e.Vetoes)
		}
		cut := d.Plans[n].Cuts[0].Point.X
		for id, want := range map[string][2]float64{
			"margin_mm": {rodMM - tumourMM - cut, 0.5},
			"pull_n":    {springNMM * cut, springNMM / 10 * cut},
		} {
			q, ok := e.Quantity(id)
			if !ok || q.Validate() != nil || math.Abs(q.Value-want[0]) > 1e-9 {
				t.Fatalf("%s = %v", id, q)
			}
			// A linear output of a normal input: ± 1.96 standard deviations.
			half := (q.Spread.P97_5 - q.Spread.P2_5) / 2
			if math.Abs(half-1.96*want[1]) > 0.12*want[1] {
				t.Errorf("cut at %g: %s has a half width of %g, want %g", cut, id, half, 1.96*want[1])
			}
			if (len(q.Flags) == 1) != (id == "margin_mm") {
				t.Errorf("%s has flags %v", id, q.Flags)
			}
		}
		if q, _ := e.Quantity("pull_n"); q.Evidence != planner.EvidenceUnverified || q.Solution == nil || q.Solution.MeshError != 0.01 {
			t.Errorf("pull %+v", q)
		}
		if q, _ := e.Quantity("rest_percent"); q.Violation == nil || cut > 50 && q.Violation.P != 0 || cut == 40 && !(q.Violation.P > 0.3 && q.Violation.P < 0.7) {
			t.Errorf("cut at %g: the rest %+v", cut, q.Violation)
		}
	}
}

// The same question gives the same bytes on any number of cores, with and
// without what a stopped run left.
func TestDecisionIsContent(t *testing.T) {
	var want *planner.Decision
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		d, err := Decide(t.Context(), rod{}, rodCase, Question{Pack: rodRules, Level: planner.L1}, nil)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = d
		} else if !reflect.DeepEqual(d, want) {
			t.Errorf("GOMAXPROCS %d gives another decision", procs)
		}
	}
	dir := t.TempDir()
	m := bundle.Manifest{Procedure: "rod.resection", Case: rodCase}
	ctx, cancel := context.WithCancel(t.Context())
	b, err := bundle.Create(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	q := Question{Pack: rodRules, Level: planner.L1, Workers: 1, Journal: b, Watch: func(uncertainty.Band) {
		if b.Len() > 300 {
			cancel()
		}
	}}
	if _, err := Decide(ctx, rod{}, rodCase, q, nil); err == nil {
		t.Fatal("the run was not stopped")
	}
	kept := b.Len()
	b.Close()
	if b, err = bundle.Create(dir, m); err != nil || b.Len() != kept || kept < 300 {
		t.Fatalf("%d of %d samples kept: %v", b.Len(), kept, err)
	}
	defer b.Close()
	q.Journal, q.Watch = b, nil
	d, err := Decide(t.Context(), rod{}, rodCase, q, nil)
	if err != nil || !reflect.DeepEqual(d, want) {
		t.Errorf("going on gives another decision (%v)", err)
	}
}

// A seed moves the samples, not the values at the medians.
func TestSeedsMoveTheSamples(t *testing.T) {
	one, err := Decide(t.Context(), rod{}, rodCase, Question{Pack: rodRules}, nil)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Decide(t.Context(), rod{}, rodCase, Question{Pack: rodRules, Seed: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := one.Evaluations[0].Quantity("margin_mm")
	b, _ := two.Evaluations[0].Quantity("margin_mm")
	if a.Value != b.Value || *a.Spread == *b.Spread {
		t.Errorf("%v and %v", a, b)
	}
}

// A plan whose mechanics do not converge at some samples keeps them as the
// worst; one that does not even at the medians stands without mechanics.
func TestMechanicsThatFailAreTold(t *testing.T) {
	d, err := Decide(t.Context(), rod{fails: true}, rodCase, Question{Pack: rodRules, Level: planner.L1, Mechanics: uncertainty.Method{Kind: uncertainty.Random}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, e := range d.Evaluations {
		q, ok := e.Quantity("pull_n")
		if !ok {
			t.Fatalf("plan %d has no pull", n)
		}
		if failed := d.Plans[n].Cuts[0].Point.X > 60; failed != !strings.Contains(q.Basis, ", 0 did not converge") {
			t.Errorf("cut at %g: %s", d.Plans[n].Cuts[0].Point.X, q.Basis)
		} else if failed && q.HasInterval() {
			t.Errorf("half the samples failed, yet there is an interval: %v", q)
		}
	}
	d, err = Decide(t.Context(), rod{fails: true, always: true}, rodCase, Question{Pack: rodRules, Level: planner.L1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	warned := 0
	for _, e := range d.Evaluations {
		_, ok := e.Quantity("pull_n")
		if !ok {
			warned++
			if !strings.Contains(strings.Join(e.Warnings, " "), "could not be simulated") {
				t.Errorf("plan %s lacks its mechanics without a word: %v", e.Plan, e.Warnings)
			}
		}
	}
	if warned == 0 {
		t.Error("no plan failed")
	}
}

// Without a feasible plan the least violating ones are shown, none is
// proposed, and it is said what would have to change.
func TestNoFeasiblePlan(t *testing.T) {
	strict, err := rules.Load(strings.NewReader(`{"schema":"halsted.rules/1","id":"rod.resection","version":"1","rules":[
	{"id":"rod.rest","condition":"normal","quantity":"rest_percent","operator":">=","value":95,"unit":"%","severity":"hard","text":"the rest","source":"test","evidence":"S"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Decide(t.Context(), rod{}, rodCase, Question{Pack: strict}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.Feasible != 0 || d.Knee != "" || d.KneeText == "" || len(d.Plans) == 0 || len(d.Evaluations[0].Vetoes) != 1 {
		t.Fatalf("%+v", d)
	}
	if cut := d.Plans[0].Cuts[0].Point.X; cut != 90 {
		t.Errorf("the least violating plan is said to cut at %g mm", cut)
	}
	if len(d.WhyNot) == 0 || len(d.WhyNot[0].Vetoes) == 0 {
		t.Errorf("why not: %+v", d.WhyNot)
	}
}

// What is said of the plans: reasons, why not, contingencies.
func TestDecisionGivesItsReasons(t *testing.T) {
	d, err := Decide(t.Context(), rod{}, rodCase, Question{Pack: rodRules}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.KneeText == "" || len(d.Method) < 3 || d.Notice != planner.Notice || len(d.Flags) != 1 {
		t.Errorf("%+v", d)
	}
	vetoed := false
	for _, w := range d.WhyNot {
		if w.Plan.ID == "" || w.Text == "" {
			t.Errorf("why not %+v", w)
		}
		vetoed = vetoed || len(w.Vetoes) > 0
	}
	if !vetoed {
		t.Error("no rejected plan is explained")
	}
	for n, e := range d.Evaluations {
		if len(e.Reasons) == 0 {
			t.Errorf("plan %d has no reason", n)
		}
	}
}

// What a level notes of a plan reaches its evaluation, with and without a
// journal that has its samples already.
func TestNotesOfTheMechanicsReachThePlan(t *testing.T) {
	b, err := bundle.Create(t.TempDir(), bundle.Manifest{Procedure: "rod.resection"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for range 2 {
		d, err := Decide(t.Context(), rod{}, rodCase, Question{Pack: rodRules, Level: planner.L1, Journal: b}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for n, e := range d.Evaluations {
			w := e.Warnings // behind what the rules warn of
			if len(w) < 2 || w[len(w)-2] != "a spring of one degree of freedom" || w[len(w)-1] != "a rod" {
				t.Errorf("plan %d: %v", n, w)
			}
		}
	}
}
