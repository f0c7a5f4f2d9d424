package uncertainty

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"halsted/fem"
	"halsted/planner"
)

// Sample is one finished run of a plan. It goes through JSON and back without
// change.
type Sample struct {
	Plan  string        `json:"plan"`
	Level planner.Level `json:"level"`
	// Index is 1 for the first sample of the design; 0 is the run with every
	// input at its median.
	Index  int             `json:"index"`
	X      []float64       `json:"x"` // one value per input
	Values []planner.Value `json:"values,omitempty"`
	// Failed says why the run did not converge; empty: it did. A failed run
	// above L0 still has the values of L0.
	Failed string `json:"failed,omitempty"`
}

// Journal keeps finished samples, so that a run that was stopped goes on.
// Quantify calls it from several goroutines.
type Journal interface {
	Find(plan string, level planner.Level, index int) (Sample, bool)
	Keep(Sample) error
}

// Limit is a hard rule on an output, for the probability of breaking it and
// for the side on which a failed run stands.
type Limit struct {
	Rule     string  `json:"rule"` // id in the rule pack
	Output   string  `json:"output"`
	Operator string  `json:"operator"` // ">=" or "<="
	Value    float64 `json:"value"`    // in the output's unit
}

func (l Limit) broken(v float64) bool {
	if l.Operator == ">=" {
		return !(v >= l.Value)
	}
	return !(v <= l.Value)
}

// brokenBy is the number of values that break the rule.
func (l Limit) brokenBy(values []float64) (k float64) {
	for _, v := range values {
		if l.broken(v) {
			k++
		}
	}
	return k
}

// Band is how far a plan's quantities have converged: the quantiles of the
// samples so far. The last one is the result.
type Band struct {
	Plan                string
	Done, Total, Failed int
	Quantities          []planner.Quantity
}

// Options say how to quantify a plan.
type Options struct {
	Method  Method
	Level   planner.Level
	Workers int        // samples at a time; 0: one per core. Never changes the result
	Journal Journal    // may be nil
	Watch   func(Band) // may be nil; called by one goroutine at a time
	Limits  []Limit
}

// Direction tells which side of an output is better.
type Direction struct {
	Output string  `json:"output"`
	Less   bool    `json:"less"` // smaller is better
	Cap    float64 `json:"cap"`  // where more stops mattering; 0: nowhere
}

// Result is what a plan does, with its uncertainty.
type Result struct {
	Plan       string             `json:"plan"`
	Level      planner.Level      `json:"level"`
	Method     Method             `json:"method"` // with the number of runs
	Quantities []planner.Quantity `json:"quantities"`
	Median     Sample             `json:"median"`  // every input at its median
	Samples    []Sample           `json:"samples"` // by index, from 1
	Bounds     []Bound            `json:"bounds,omitempty"`
	Indices    []Index            `json:"indices,omitempty"` // chaos only
	Directions []Direction        `json:"directions,omitempty"`
}

// Quantify spreads the inputs of a procedure over what a plan does.
//
// The samples depend on the method, its seed and the inputs alone, so all plans
// see the same ones (common random numbers). The result has the same bits for
// any number of workers and cores, and after a stop and resume. A sample that
// does not converge is kept as failed and counts as the worst value; a median
// run that does not converge is an error, as is a plan that cannot be
// simulated. An input without spread is a *NoSpreadError, a bad one a
// *DistributionError, an unfit number of runs a *RunsError.
func Quantify(ctx context.Context, p planner.Procedure, plan planner.Plan, o Options) (*Result, error) {
	r, err := newRun(p, plan, o)
	if err != nil {
		return nil, err
	}
	median, err := r.sample(ctx, 0)
	if err != nil {
		return nil, err
	}
	if median.Failed != "" {
		return nil, &MedianError{r.id, o.Level, median.Failed}
	}
	r.median = median
	if err := r.all(ctx); err != nil {
		return nil, err
	}
	return r.result()
}

// MedianError is a plan whose run with every input at its median does not
// converge: there is nothing to spread.
type MedianError struct {
	Plan  string
	Level planner.Level
	Why   string
}

func (e *MedianError) Error() string {
	return fmt.Sprintf("uncertainty: plan %s at %s: the run with every input at its median did not converge: %s", e.Plan, e.Level, e.Why)
}

// run is one call of Quantify.
type run struct {
	p       planner.Procedure
	plan    planner.Plan
	id      string
	o       Options
	n       int
	inputs  []planner.Input
	vary    []int       // inputs that are sampled
	points  [][]float64 // [sample][vary]
	outputs []planner.Output
	flags   []planner.Flag
	better  []Direction
	median  Sample
	samples []Sample // by index − 1
}

func newRun(p planner.Procedure, plan planner.Plan, o Options) (*run, error) {
	r := &run{p: p, plan: plan, id: plan.ID, o: o, inputs: p.Inputs(), flags: p.Flags()}
	if r.id == "" {
		r.id = plan.Sealed().ID
	}
	for _, l := range o.Limits {
		if (l.Operator != ">=" && l.Operator != "<=") || !finite(l.Value) {
			return nil, fmt.Errorf("uncertainty: rule %s: limit %s %s %g is not \">=\" or \"<=\" a finite value", l.Rule, l.Output, l.Operator, l.Value)
		}
	}
	var err error
	if r.vary, err = validate(r.inputs); err != nil {
		return nil, err
	}
	if r.n, err = o.Method.runs(len(r.vary)); err != nil {
		return nil, err
	}
	if len(r.vary) == 0 {
		r.n = 0 // nothing to spread
	}
	r.o.Method.Runs = r.n
	if r.points, err = Points(o.Method, r.n, len(r.vary)); err != nil {
		return nil, err
	}
	for _, out := range p.Outputs() {
		if out.Level <= o.Level {
			r.outputs = append(r.outputs, out)
		}
	}
	for _, obj := range p.Objectives(o.Level) {
		r.better = append(r.better, Direction{obj.ID, obj.Less, obj.Cap})
	}
	for _, l := range o.Limits {
		if _, known := direction(r.better, l.Output); !known {
			r.better = append(r.better, Direction{Output: l.Output, Less: l.Operator == "<="})
		}
	}
	return r, nil
}

func direction(ds []Direction, output string) (Direction, bool) {
	for _, d := range ds {
		if d.Output == output {
			return d, true
		}
	}
	return Direction{}, false
}

// x are the inputs of a sample.
func (r *run) x(index int) []float64 {
	x := planner.Medians(r.inputs)
	if index > 0 {
		for c, n := range r.vary {
			x[n] = r.inputs[n].Spread.Quantile(r.points[index-1][c])
		}
	}
	return x
}

func sameBits(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for n := range a {
		if math.Float64bits(a[n]) != math.Float64bits(b[n]) {
			return false
		}
	}
	return true
}

// sample finds a finished sample in the journal or runs it. A sample of other
// inputs than this run's (another seed or method) is run again.
func (r *run) sample(ctx context.Context, index int) (Sample, error) {
	x := r.x(index)
	if j := r.o.Journal; j != nil {
		if s, ok := j.Find(r.id, r.o.Level, index); ok && s.Plan == r.id && s.Level == r.o.Level && s.Index == index && sameBits(s.X, x) {
			return s, nil
		}
	}
	s := Sample{Plan: r.id, Level: r.o.Level, Index: index, X: x}
	out, err := r.p.Simulate(ctx, r.plan, r.o.Level, append([]float64(nil), x...))
	switch {
	case err == nil:
		s.Values = append(s.Values, out.Values...)
	case ctx.Err() != nil:
		return Sample{}, ctx.Err()
	case notConverged(err):
		s.Failed = err.Error()
		if r.o.Level == planner.L0 {
			break
		}
		// What needs no solution is not lost with it.
		out, err := r.p.Simulate(ctx, r.plan, planner.L0, append([]float64(nil), x...))
		switch {
		case err == nil:
			s.Values = append(s.Values, out.Values...)
		case ctx.Err() != nil:
			return Sample{}, ctx.Err()
		case !notConverged(err):
			return Sample{}, fmt.Errorf("uncertainty: plan %s, sample %d at L0: %w", r.id, index, err)
		}
	default:
		return Sample{}, fmt.Errorf("uncertainty: plan %s, sample %d at %s: %w", r.id, index, r.o.Level, err)
	}
	for _, v := range s.Values {
		if !finite(v.V) || v.Solution != nil && !(v.Solution.Residual >= 0 && v.Solution.MeshError >= 0 && finite(v.Solution.Residual) && finite(v.Solution.MeshError)) {
			return Sample{}, fmt.Errorf("uncertainty: plan %s, sample %d at %s: %s is not finite", r.id, index, r.o.Level, v.ID)
		}
	}
	if j := r.o.Journal; j != nil {
		if err := j.Keep(s); err != nil {
			return Sample{}, fmt.Errorf("uncertainty: plan %s, sample %d is not kept: %w", r.id, index, err)
		}
	}
	return s, nil
}

func notConverged(err error) bool {
	if _, ok := errors.AsType[*fem.NotConvergedError](err); ok {
		return true
	}
	_, ok := errors.AsType[*fem.InvertedError](err)
	return ok
}

// all runs the samples, several at a time, and shows the bands as they come.
func (r *run) all(ctx context.Context) error {
	workers := r.o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	r.samples = make([]Sample, r.n)
	var (
		next, stop atomic.Int64
		wg         sync.WaitGroup
		mu         sync.Mutex // guards the five below
		done       int
		shown      int
		finished   = make([]bool, r.n)
		failAt     = r.n
		fail       error
	)
	step := max(1, r.n/200) // of the bands: never more than about 200
	for range min(workers, r.n) {
		wg.Go(func() {
			for stop.Load() == 0 && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= r.n {
					return
				}
				s, err := r.sample(ctx, i+1)
				mu.Lock()
				if err != nil {
					stop.Store(1)
					if i < failAt {
						failAt, fail = i, err
					}
					mu.Unlock()
					return
				}
				r.samples[i], finished[i] = s, true
				done++
				if r.o.Watch != nil && done < r.n && done-shown >= step {
					shown = done
					r.o.Watch(r.band(finished, done))
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return fail
}

// band is what the finished samples say so far.
func (r *run) band(finished []bool, done int) Band {
	b := Band{Plan: r.id, Done: done, Total: r.n}
	var have []Sample
	for i, ok := range finished {
		if ok {
			have = append(have, r.samples[i])
			if r.samples[i].Failed != "" {
				b.Failed++
			}
		}
	}
	for _, out := range r.outputs {
		v := gather(out, have)
		if q, ok := r.quantity(out, r.spreadOf(out, v, v.sorted(), done)); ok {
			b.Quantities = append(b.Quantities, q)
		}
	}
	return b
}
