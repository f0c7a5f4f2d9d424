package uncertainty

import (
	"fmt"
	"math"
	"slices"

	"halsted/planner"
)

// outcome are the values of one output over the samples.
type outcome struct {
	at       []int     // sample by place in the list
	values   []float64 // of those that have one
	failed   int       // the others
	solution *planner.Solution
}

func (v outcome) sorted() []float64 { return slices.Sorted(slices.Values(v.values)) }

func find(values []planner.Value, id string) (planner.Value, bool) {
	for _, v := range values {
		if v.ID == id {
			return v, true
		}
	}
	return planner.Value{}, false
}

// gather collects an output. A failed run has no value of an output above L0.
func gather(out planner.Output, samples []Sample) outcome {
	var o outcome
	for n, s := range samples {
		v, ok := find(s.Values, out.ID)
		if !ok || s.Failed != "" && out.Level > planner.L0 {
			o.failed++
			continue
		}
		o.at, o.values = append(o.at, n), append(o.values, v.V)
		o.solution = worse(o.solution, v.Solution)
	}
	return o
}

// worse is the larger residual and the larger mesh error.
func worse(a, b *planner.Solution) *planner.Solution {
	if a == nil || b == nil {
		if a == nil {
			a = b
		}
		if a == nil {
			return nil
		}
		c := *a
		return &c
	}
	return &planner.Solution{Residual: max(a.Residual, b.Residual), MeshError: max(a.MeshError, b.MeshError)}
}

// dependsOn are the inputs of an output.
func (r *run) dependsOn(out planner.Output) (all []int) {
	for n, in := range r.inputs {
		if out.Inputs == nil || slices.Contains(out.Inputs, in.ID) {
			all = append(all, n)
		}
	}
	return all
}

// columns are the sampled inputs of an output, as columns of the points.
func (r *run) columns(out planner.Output) (cols []int) {
	on := r.dependsOn(out)
	for c, n := range r.vary {
		if slices.Contains(on, n) {
			cols = append(cols, c)
		}
	}
	return cols
}

// failedAs tells on which sides of the values failed runs stand: the worse one
// where it is known which that is, else both.
func (r *run) failedAs(output string) (low, high bool) {
	for _, l := range r.o.Limits {
		if l.Output == output {
			return l.Operator == ">=", l.Operator == "<="
		}
	}
	if d, ok := direction(r.better, output); ok {
		return !d.Less, d.Less
	}
	return true, true
}

// spread is what the samples say of an output.
type spread struct {
	s         *planner.Spread
	basis     string
	violation *planner.Violation
	solution  *planner.Solution
}

// ends are the probabilities of planner.Spread.
var ends = [5]float64{0.025, 0.05, 0.5, 0.95, 0.975}

// quantiles of sorted values of which the failed share stands beyond them; nil
// when a quantile falls among the failed ones.
func (r *run) quantiles(output string, sorted []float64, failed float64) *planner.Spread {
	low, high := r.failedAs(output)
	n := int(math.Round(failed))
	var q [5]float64
	for k, p := range ends {
		below, above := 0, 0
		if low && (!high || p < 0.5) {
			below = n
		}
		if high && (!low || p > 0.5) {
			above = n
		}
		if q[k] = quantile(sorted, below, above, p); !finite(q[k]) {
			return nil
		}
	}
	for k := range q[1:] { // where failed runs stand on both sides
		q[k+1] = max(q[k], q[k+1])
	}
	return &planner.Spread{P2_5: q[0], P5: q[1], P50: q[2], P95: q[3], P97_5: q[4]}
}

// breaks is the probability of breaking the rule on an output that is most
// likely broken; failed runs break every rule.
func (r *run) breaks(output string, values []float64, failed float64) *planner.Violation {
	var worst *planner.Violation
	for _, l := range r.o.Limits {
		if l.Output != output || float64(len(values))+failed == 0 {
			continue
		}
		if p := (l.brokenBy(values) + failed) / (float64(len(values)) + failed); worst == nil || p > worst.P {
			worst = &planner.Violation{Rule: l.Rule, P: p}
		}
	}
	return worst
}

// count fills in the runs that a violation of an output is counted from.
func (r *run) count(output string, v *planner.Violation, of outcome) {
	v.Broken, v.Runs = of.failed, len(of.values)+of.failed
	for _, l := range r.o.Limits {
		if l.Rule == v.Rule && l.Output == output {
			v.Broken += int(l.brokenBy(of.values))
		}
	}
}

// spreadOf is an output's spread from the values themselves, sorted. done is
// the number of samples so far.
func (r *run) spreadOf(out planner.Output, v outcome, sorted []float64, done int) spread {
	s := spread{solution: v.solution}
	m := r.o.Method
	if len(r.columns(out)) == 0 {
		s.basis = "depends on none of the uncertain inputs"
		if len(r.vary) == 0 {
			s.basis = "no input is uncertain"
		}
		if len(r.dependsOn(out)) > 0 {
			s.basis += "; those it depends on are held fixed"
		}
		return s
	}
	s.basis = fmt.Sprintf("%d %s, seed %d, %d did not converge", done, m.Kind.words(), m.Seed, v.failed)
	if done < r.n {
		s.basis = fmt.Sprintf("%d of %d %s, seed %d, %d did not converge", done, r.n, m.Kind.words(), m.Seed, v.failed)
	}
	s.s = r.quantiles(out.ID, sorted, float64(v.failed))
	if s.violation = r.breaks(out.ID, v.values, float64(v.failed)); s.violation != nil {
		r.count(out.ID, s.violation, v)
	}
	if s.s == nil {
		s.basis = "no interval: " + s.basis + " and count as the worst value"
	} else if n := len(sorted) + v.failed; n < tailRuns {
		s.basis += "; too few for 2.5 % tails: the ends are the extreme values"
	}
	return s
}

// tailRuns is the least number of runs whose 2.5 % quantile lies inside them:
// n·p + (p+1)/3 ≥ 1.
const tailRuns = 27

// quantity is an output as people get to see it; false when the median run has
// no such output.
func (r *run) quantity(out planner.Output, s spread) (planner.Quantity, bool) {
	v, ok := find(r.median.Values, out.ID)
	if !ok {
		return planner.Quantity{}, false
	}
	q := planner.Quantity{ID: out.ID, Label: out.Label, Unit: out.Unit, Value: v.V, Spread: s.s, Basis: s.basis, Violation: s.violation,
		Evidence: out.Evidence, Solution: worse(v.Solution, s.solution)}
	for _, n := range r.dependsOn(out) {
		q.Evidence = planner.Worst(q.Evidence, r.inputs[n].Evidence)
	}
	for _, f := range r.flags {
		if f.Touches == nil || slices.Contains(f.Touches, out.ID) {
			q.Flags = append(q.Flags, f.Text)
		}
	}
	if q.Spread != nil && (q.Value < q.Spread.P2_5 || q.Value > q.Spread.P97_5) {
		q.Spread.P2_5, q.Spread.P97_5 = min(q.Spread.P2_5, q.Value), max(q.Spread.P97_5, q.Value)
		q.Basis += "; widened to hold the value"
	}
	return q, true
}

// result sums up the finished samples.
func (r *run) result() (*Result, error) {
	res := &Result{Plan: r.id, Level: r.o.Level, Method: r.o.Method, Median: r.median, Samples: r.samples, Directions: r.better}
	failed := 0
	for _, s := range r.samples {
		if s.Failed != "" {
			failed++
		}
	}
	for _, out := range r.outputs {
		if _, ok := find(r.median.Values, out.ID); !ok {
			continue // a structure that it needs is missing
		}
		v := gather(out, r.samples)
		s := r.spreadOf(out, v, v.sorted(), r.n)
		if len(r.columns(out)) > 0 {
			switch r.o.Method.Kind {
			case Chaos:
				var err error
				if s, err = r.chaosSpread(res, out, v, s); err != nil {
					return nil, err
				}
			case Random:
				if err := r.bound(res, out, v); err != nil {
					return nil, err
				}
			}
		}
		q, ok := r.quantity(out, s)
		if !ok {
			continue
		}
		if err := q.Validate(); err != nil {
			return nil, fmt.Errorf("uncertainty: plan %s: %w", r.id, err)
		}
		res.Quantities = append(res.Quantities, q)
	}
	if r.o.Watch != nil {
		r.o.Watch(Band{Plan: r.id, Done: r.n, Total: r.n, Failed: failed, Quantities: res.Quantities})
	}
	return res, nil
}

// chaosSpread replaces the quantiles of the runs by those of a surrogate.
func (r *run) chaosSpread(res *Result, out planner.Output, v outcome, s spread) (spread, error) {
	cols := r.columns(out)
	if len(v.values) < 2 {
		return s, nil
	}
	inputs, points := make([]planner.Distribution, len(cols)), make([][]float64, len(v.at))
	for k, c := range cols {
		inputs[k] = r.inputs[r.vary[c]].Spread
	}
	for i, n := range v.at {
		for _, c := range cols {
			points[i] = append(points[i], r.points[n][c])
		}
	}
	fit, err := Fit(inputs, points, v.values)
	if err != nil {
		return s, fmt.Errorf("uncertainty: output %s: %w", out.ID, err)
	}
	values, err := fit.Sample(surrogateSamples, r.o.Method.Seed)
	if err != nil {
		return s, err
	}
	slices.Sort(values)
	share := float64(v.failed) / float64(r.n)
	beyond := share / (1 - share) * surrogateSamples // as many as there are failed ones among the runs
	m := r.o.Method
	s.s = r.quantiles(out.ID, values, beyond)
	if s.violation = r.breaks(out.ID, values, beyond); s.violation != nil {
		r.count(out.ID, s.violation, v) // points of a surrogate are no runs
	}
	s.basis = fmt.Sprintf("degree-2 polynomial chaos of %d runs, seed %d, %d did not converge, leave-one-out error %.2g %%", r.n, m.Seed, v.failed, 100*fit.LeaveOneOut)
	if s.s == nil {
		s.basis = "no interval: " + s.basis + "; runs that did not converge count as the worst value"
	}
	first, total, left := fit.Indices()
	for k, c := range cols {
		res.Indices = append(res.Indices, Index{out.ID, r.inputs[r.vary[c]].ID, first[k], total[k]})
	}
	res.Indices = append(res.Indices, Index{out.ID, "", left, left})
	return s, nil
}

// bound adds the bound of an output on its worse side, or of both sides at once
// where neither is the worse.
func (r *run) bound(res *Result, out planner.Output, v outcome) error {
	low, high := r.failedAs(out.ID)
	var bounds []Bound
	if low && high {
		a, b, err := WilksBoth(Random, v.values, v.failed, boundCoverage, boundConfidence)
		if err != nil {
			return err
		}
		bounds = []Bound{a, b}
	} else {
		b, err := Wilks(Random, v.values, v.failed, high, boundCoverage, boundConfidence)
		if err != nil {
			return err
		}
		bounds = []Bound{b}
	}
	for _, b := range bounds {
		b.Output = out.ID
		res.Bounds = append(res.Bounds, b)
	}
	return nil
}
