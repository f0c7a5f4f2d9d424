package uncertainty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"halsted/fem"
	"halsted/planner"
)

// toy is a procedure with closed-form outputs. The plan's retraction scales
// them, so that plans differ.
type toy struct {
	inputs []planner.Input
	fails  func(x []float64) bool // at L2
	runs   atomic.Int64
	after  func() // called after each run
}

func newToy() *toy {
	return &toy{inputs: []planner.Input{
		{ID: "pull", Label: "Pull", Unit: "mm", Spread: Normal{10, 2}, Evidence: planner.EvidenceSource},
		{ID: "stiffness", Label: "Stiffness", Unit: "kPa", Spread: LogNormal{2, 0.3}, Evidence: planner.EvidenceUnverified},
		{ID: "gravity", Label: "Gravity", Unit: "1", Spread: Fixed{1}, Evidence: planner.EvidenceClassic},
	}}
}

func (p *toy) Name() string            { return "test.toy" }
func (p *toy) Inputs() []planner.Input { return p.inputs }
func (p *toy) Outputs() []planner.Output {
	return []planner.Output{
		{ID: "share_percent", Label: "Share", Unit: "%", Level: planner.L0, Inputs: []string{"gravity"}},
		{ID: "margin_mm", Label: "Margin", Unit: "mm", Level: planner.L0, Inputs: []string{"pull"}},
		{ID: "count", Label: "Count", Unit: "1", Level: planner.L0, Inputs: []string{}},
		{ID: "force_n", Label: "Force", Unit: "N", Level: planner.L2},
		{ID: "absent", Label: "Absent", Unit: "mm", Level: planner.L0},
	}
}
func (p *toy) Objectives(planner.Level) []planner.Objective {
	return []planner.Objective{{ID: "margin_mm", Cap: 14}, {ID: "force_n", Less: true}}
}
func (p *toy) Flags() []planner.Flag {
	return []planner.Flag{{ID: "slices", Text: "slices of 5 mm, verified up to 2.5 mm", Touches: []string{"margin_mm"}}}
}
func (p *toy) Generate(context.Context, uint64, func(planner.Candidate) error) error { return nil }
func (p *toy) Simulate(ctx context.Context, plan planner.Plan, l planner.Level, x []float64) (*planner.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.runs.Add(1)
	if p.after != nil {
		defer p.after()
	}
	if plan.Name == "broken" {
		return nil, errors.New("toy: no such organ")
	}
	o := &planner.Outcome{Values: []planner.Value{{ID: "share_percent", V: 40}, {ID: "margin_mm", V: x[0] + plan.RetractionMM}, {ID: "count", V: 3}}}
	if l == planner.L2 {
		if p.fails != nil && p.fails(x) {
			return nil, fmt.Errorf("toy: %w", &fem.NotConvergedError{LoadFactor: 0.5, Reason: "test"})
		}
		o.Values = append(o.Values, planner.Value{ID: "force_n", V: x[0] * x[1], Solution: &planner.Solution{Residual: 1e-9 * x[0], MeshError: 0.1}})
	}
	return o, nil
}

func toyPlan(shift float64) planner.Plan {
	return planner.Plan{Case: "c", Procedure: "test.toy", Name: "p", Cuts: []planner.Plane{}, RetractionMM: shift}.Sealed()
}

func quantify(t *testing.T, p planner.Procedure, plan planner.Plan, o Options) *Result {
	t.Helper()
	r, err := Quantify(context.Background(), p, plan, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Result) quantity(t *testing.T, id string) planner.Quantity {
	t.Helper()
	for _, q := range r.Quantities {
		if q.ID == id {
			return q
		}
	}
	t.Fatalf("no %s", id)
	return planner.Quantity{}
}

// memory is a journal that can be cut off.
type memory struct {
	mu   sync.Mutex
	kept map[string]Sample
}

func key(plan string, l planner.Level, index int) string { return fmt.Sprint(plan, l, index) }

func (m *memory) Find(plan string, l planner.Level, index int) (Sample, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.kept[key(plan, l, index)]
	return s, ok
}

func (m *memory) Keep(s Sample) error {
	b, err := json.Marshal(s) // what a real journal does
	if err != nil {
		return err
	}
	var back Sample
	if err := json.Unmarshal(b, &back); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[key(s.Plan, s.Level, s.Index)] = back
	return nil
}

// Quantiles, violation, evidence, flags and solution against closed forms, for
// every method.
func TestQuantitiesAgainstClosedForms(t *testing.T) {
	limits := []Limit{{"margin-5mm", "margin_mm", ">=", 8}, {"margin-1mm", "margin_mm", ">=", 1}, {"force", "force_n", "<=", 30}}
	var force []float64 // the product of the inputs on a fine grid of probabilities
	for i := range 400 {
		for j := range 400 {
			force = append(force, Normal{10, 2}.Quantile((float64(i)+0.5)/400)*LogNormal{2, 0.3}.Quantile((float64(j)+0.5)/400))
		}
	}
	slices.Sort(force)
	for _, c := range []struct {
		m                Method
		tolMargin, tolFo float64 // of a quantile, in standard deviations
	}{
		{Method{Kind: Random, Runs: 4000, Seed: 1}, 0.15, 0.15}, {Method{Kind: LatinHypercube, Runs: 2000, Seed: 1}, 0.02, 0.1},
		{Method{Kind: SobolPoints, Runs: 1024, Seed: 1}, 0.03, 0.1}, {Method{Kind: Chaos, Seed: 1}, 0.01, 0.3},
	} {
		r := quantify(t, newToy(), toyPlan(0), Options{Method: c.m, Level: planner.L2, Limits: limits})
		if len(r.Quantities) != 4 || len(r.Samples) != r.Method.Runs {
			t.Fatalf("%s: %d quantities, %d samples of %d", c.m.Kind, len(r.Quantities), len(r.Samples), r.Method.Runs)
		}
		m, f := r.quantity(t, "margin_mm"), r.quantity(t, "force_n")
		for k, got := range []float64{m.Spread.P2_5, m.Spread.P5, m.Spread.P50, m.Spread.P95, m.Spread.P97_5} {
			if want := (Normal{10, 2}).Quantile(ends[k]); math.Abs(got-want) > c.tolMargin*2 {
				t.Errorf("%s: margin quantile %g is %.3f, want %.3f", c.m.Kind, ends[k], got, want)
			}
		}
		for k, got := range []float64{f.Spread.P2_5, f.Spread.P5, f.Spread.P50, f.Spread.P95, f.Spread.P97_5} {
			if want := quantile(force, 0, 0, ends[k]); math.Abs(got-want) > c.tolFo*20*0.36 {
				t.Errorf("%s: force quantile %g is %.3f, want %.3f", c.m.Kind, ends[k], got, want)
			}
		}
		if m.Value != 10 || f.Value != 20 {
			t.Errorf("%s: values at the medians %g, %g", c.m.Kind, m.Value, f.Value)
		}
		if p := m.Violation; p == nil || p.Rule != "margin-5mm" || math.Abs(p.P-0.1587) > 0.02 || p.Runs != r.Method.Runs || math.Abs(float64(p.Broken)/float64(p.Runs)-0.1587) > 0.1 {
			t.Errorf("%s: violation %+v, want 15.9 %% of margin-5mm", c.m.Kind, p)
		}
		if m.Evidence != planner.EvidenceSource || f.Evidence != planner.EvidenceUnverified {
			t.Errorf("%s: evidence %v, %v", c.m.Kind, m.Evidence, f.Evidence)
		}
		if len(m.Flags) != 1 || len(f.Flags) != 0 {
			t.Errorf("%s: flags %v, %v", c.m.Kind, m.Flags, f.Flags)
		}
		if m.Solution != nil || f.Solution == nil || f.Solution.MeshError != 0.1 || f.Solution.Residual < 1e-8 {
			t.Errorf("%s: solutions %v, %v", c.m.Kind, m.Solution, f.Solution)
		}
		for _, want := range []string{"seed 1", "0 did not converge", fmt.Sprint(r.Method.Runs)} {
			if !strings.Contains(f.Basis, want) {
				t.Errorf("%s: basis %q lacks %q", c.m.Kind, f.Basis, want)
			}
		}
		for _, id := range []string{"share_percent", "count"} {
			if q := r.quantity(t, id); q.Spread != nil || q.Basis == "" || q.Violation != nil {
				t.Errorf("%s: %s depends on nothing that varies and has %+v", c.m.Kind, id, q)
			}
		}
		if r.quantity(t, "share_percent").Evidence != planner.EvidenceClassic {
			t.Error("a fixed input's evidence is lost")
		}
		if (len(r.Bounds) > 0) != (c.m.Kind == Random) || (len(r.Indices) > 0) != (c.m.Kind == Chaos) {
			t.Errorf("%s: %d bounds, %d indices", c.m.Kind, len(r.Bounds), len(r.Indices))
		}
		for _, b := range r.Bounds {
			// the margin has its worse side below, the force above
			if b.Upper != (b.Output == "force_n") || !b.Holds {
				t.Errorf("bound %v of %s", b, b.Output)
			}
		}
	}
}

func resultBits(t *testing.T, r *Result) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSameBitsForAnyCoreCount(t *testing.T) {
	fails := func(x []float64) bool { return x[1] > 3.5 }
	for _, k := range []Kind{Random, LatinHypercube, SobolPoints, Chaos} {
		want := ""
		for _, workers := range []int{0, 1, 3, 16} {
			for _, procs := range []int{1, 2, 7} {
				old := runtime.GOMAXPROCS(procs)
				p := newToy()
				p.fails = fails
				got := resultBits(t, quantify(t, p, toyPlan(1), Options{Method: Method{Kind: k, Runs: 97, Seed: 5}, Level: planner.L2, Workers: workers}))
				runtime.GOMAXPROCS(old)
				if want == "" {
					want = got
				} else if got != want {
					t.Fatalf("%s: %d workers on %d cores give other bits", k, workers, procs)
				}
			}
		}
	}
}

// A run that is stopped goes on from its last finished sample, to the same
// bits, and does not run a finished sample again.
func TestAStoppedRunGoesOn(t *testing.T) {
	o := Options{Method: Method{Kind: SobolPoints, Runs: 64, Seed: 3}, Level: planner.L2, Workers: 2}
	fails := func(x []float64) bool { return x[1] > 2.8 }
	whole := newToy()
	whole.fails = fails
	want := resultBits(t, quantify(t, whole, toyPlan(2), o))

	journal := &memory{kept: map[string]Sample{}}
	o.Journal = journal
	p := newToy()
	p.fails = fails
	ctx, cancel := context.WithCancel(context.Background())
	p.after = func() {
		if p.runs.Load() == 20 {
			cancel()
		}
	}
	if _, err := Quantify(ctx, p, toyPlan(2), o); !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled run: %v", err)
	}
	kept := len(journal.kept)
	if kept < 10 || kept > 30 {
		t.Fatalf("%d samples kept", kept)
	}
	p = newToy()
	p.fails = fails
	if got := resultBits(t, quantify(t, p, toyPlan(2), o)); got != want {
		t.Error("the resumed run has other bits")
	}
	if n := len(journal.kept); n != 65 {
		t.Errorf("%d samples kept, want 64 and the median", n)
	}
	again := newToy()
	again.fails = fails
	if got := resultBits(t, quantify(t, again, toyPlan(2), o)); got != want || again.runs.Load() != 0 {
		t.Errorf("from the journal alone: %d runs, same bits %v", again.runs.Load(), got == want)
	}
	// samples of another seed are not taken for this one's
	o.Method.Seed = 4
	if quantify(t, again, toyPlan(2), o); again.runs.Load() < 64 {
		t.Errorf("another seed took %d samples from the journal", 64-again.runs.Load())
	}
}

func TestSamplesRoundTrip(t *testing.T) {
	for _, s := range []Sample{
		{Plan: "p", Level: planner.L1, Index: 7, X: []float64{0.1, math.Nextafter(1, 2), 5e-324, math.Copysign(0, -1)}, Values: []planner.Value{{ID: "a", V: 1.0 / 3, Solution: &planner.Solution{Residual: 1e-9, MeshError: 0.3}}, {ID: "b"}}},
		{Plan: "p", X: []float64{}, Failed: "no convergence"},
	} {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Sample
		if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(s, back) {
			t.Errorf("%+v became %+v, %v", s, back, err)
		}
	}
}

// Failed runs count as the worst value, on the worse side; what needs no
// solution keeps its values; too many leave no interval and no number that is
// not finite.
func TestFailedSamples(t *testing.T) {
	p := newToy()
	p.fails = func(x []float64) bool { return x[1] > 3.3 } // about 5 % of the samples, those with the largest force
	o := Options{Method: Method{Kind: Random, Runs: 200, Seed: 2}, Level: planner.L2, Limits: []Limit{{"force", "force_n", "<=", 45}}}
	r := quantify(t, p, toyPlan(0), o)
	failed := 0
	for _, s := range r.Samples {
		if s.Failed != "" {
			failed++
			if _, ok := find(s.Values, "margin_mm"); !ok {
				t.Error("a failed run lost its margin")
			}
		}
	}
	f, m := r.quantity(t, "force_n"), r.quantity(t, "margin_mm")
	if failed < 5 || f.Spread != nil || !strings.Contains(f.Basis, fmt.Sprintf("%d did not converge", failed)) {
		t.Errorf("%d failed, force %+v", failed, f)
	}
	if f.Violation == nil || f.Violation.P < float64(failed)/200 {
		t.Errorf("violation %+v with %d of 200 failed", f.Violation, failed)
	}
	if m.Spread == nil || !strings.Contains(m.Basis, "0 did not converge") {
		t.Errorf("margin %+v", m)
	}
	for _, b := range r.Bounds {
		if b.Output == "force_n" && (b.Failed != failed || b.Holds) {
			t.Errorf("bound with %d failed: %v", failed, b)
		}
	}
	// few failed runs move the worse quantile outwards and leave the other
	p.fails = func(x []float64) bool { return x[0] < 4.7 } // 0.4 %
	o.Method.Runs = 500
	with := quantify(t, p, toyPlan(0), o).quantity(t, "force_n")
	p.fails = nil
	without := quantify(t, p, toyPlan(0), o).quantity(t, "force_n")
	if with.Spread == nil || !(with.Spread.P97_5 > without.Spread.P97_5) {
		t.Errorf("with failed runs %v, without %v", with, without)
	}
	// the median must converge
	p.fails = func(x []float64) bool { return x[0] == 10 }
	if _, err := Quantify(context.Background(), p, toyPlan(0), o); err == nil || !strings.Contains(err.Error(), "median") {
		t.Errorf("a median that does not converge: %v", err)
	}
	// everything but the median fails
	p.fails = func(x []float64) bool { return x[0] != 10 }
	for _, k := range []Kind{Random, Chaos} {
		o.Method = Method{Kind: k, Seed: 1}
		f := quantify(t, p, toyPlan(0), o).quantity(t, "force_n")
		if f.Spread != nil || f.Value != 20 || f.Violation == nil || f.Violation.P != 1 {
			t.Errorf("%s: all failed: %+v", k, f)
		}
	}
}

// Bands stream as samples arrive; the last is the result.
func TestBandsStream(t *testing.T) {
	var bands []Band
	r := quantify(t, newToy(), toyPlan(0), Options{Method: Method{Kind: Random, Runs: 59, Seed: 1}, Level: planner.L2, Workers: 4, Watch: func(b Band) { bands = append(bands, b) }})
	if len(bands) != 59 {
		t.Fatalf("%d bands of 59 samples", len(bands))
	}
	for n, b := range bands {
		if b.Done != n+1 || b.Total != 59 || len(b.Quantities) != 4 {
			t.Errorf("band %d: %d of %d with %d quantities", n, b.Done, b.Total, len(b.Quantities))
		}
		for _, q := range b.Quantities {
			if err := q.Validate(); err != nil {
				t.Error(err)
			}
		}
	}
	if !reflect.DeepEqual(bands[58].Quantities, r.Quantities) {
		t.Error("the last band is not the result")
	}
}

// Plans see the same samples; a plan that is 1 mm better in every one of them
// is better with certainty, whatever the spread.
func TestCompareOnCommonRandomNumbers(t *testing.T) {
	o := Options{Method: Method{Kind: LatinHypercube, Runs: 100, Seed: 8}, Level: planner.L2}
	p := newToy()
	a, b := quantify(t, p, toyPlan(1), o), quantify(t, p, toyPlan(0), o)
	for n := range a.Samples {
		if !sameBits(a.Samples[n].X, b.Samples[n].X) {
			t.Fatal("plans see other samples")
		}
	}
	better, same, worse := Shares(a, b, "margin_mm")
	if worse != 0 || same == 0 || better < 0.9 || better+same != 1 { // both beyond the cap of 14 mm: the same
		t.Errorf("1 mm more margin: %g better, %g the same, %g worse", better, same, worse)
	}
	if v := Compare(a, b, "margin_mm"); v <= 0.9 || v+Compare(b, a, "margin_mm") != 1 {
		t.Errorf("P(better) %g", v)
	}
	if v := Compare(a, b, "force_n"); v != 0.5 {
		t.Errorf("the same force: P(better) %g", v)
	}
	if v := Compare(a, b, "count"); v != 0.5 {
		t.Errorf("neither side of a count is better, P %g", v)
	}
	// failed runs are worse
	p.fails = func(x []float64) bool { return x[1] > 2.2 }
	c := quantify(t, p, toyPlan(1), o)
	if better, _, worse := Shares(c, b, "force_n"); better != 0 || worse < 0.2 {
		t.Errorf("a plan whose runs fail is %g better, %g worse", better, worse)
	}
	o.Method.Seed++
	if better, same, _ := Shares(a, quantify(t, p, toyPlan(0), o), "margin_mm"); better != 0 || same != 1 {
		t.Errorf("no common sample: %g better, %g the same", better, same)
	}
}

func TestQuantifyRefuses(t *testing.T) {
	ctx := context.Background()
	bare := newToy()
	bare.inputs[1].Spread = nil
	var none *NoSpreadError
	if _, err := Quantify(ctx, bare, toyPlan(0), Options{}); !errors.As(err, &none) || !strings.Contains(err.Error(), "stiffness") {
		t.Errorf("an input without spread: %v", err)
	}
	broken := toyPlan(0)
	broken.Name = "broken"
	if _, err := Quantify(ctx, newToy(), broken, Options{}); err == nil || !strings.Contains(err.Error(), "no such organ") {
		t.Errorf("a plan that cannot be simulated: %v", err)
	}
	var runs *RunsError
	if _, err := Quantify(ctx, newToy(), toyPlan(0), Options{Method: Method{Kind: Chaos, Runs: 3}}); !errors.As(err, &runs) {
		t.Errorf("3 runs for chaos: %v", err)
	}
	if _, err := Quantify(ctx, newToy(), toyPlan(0), Options{Limits: []Limit{{"r", "margin_mm", "<", 3}}}); err == nil {
		t.Error("an operator < passed")
	}
	if _, err := Quantify(ctx, newToy(), toyPlan(0), Options{Limits: []Limit{{"r", "margin_mm", "<=", math.NaN()}}}); err == nil {
		t.Error("a limit of NaN passed")
	}
	// nothing varies: the value alone, and the basis says so
	fixed := newToy()
	for n := range fixed.inputs {
		fixed.inputs[n].Spread = Fixed{fixed.inputs[n].Spread.Quantile(0.5)}
	}
	r := quantify(t, fixed, toyPlan(0), Options{Level: planner.L2, Limits: []Limit{{"force", "force_n", "<=", 1}}})
	if q := r.quantity(t, "force_n"); q.Spread != nil || q.Violation != nil || !strings.Contains(q.Basis, "no input is uncertain") || len(r.Samples) != 0 {
		t.Errorf("all fixed: %+v", q)
	}
}
