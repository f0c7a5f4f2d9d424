package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"halsted/internal/par"
	"halsted/planner"
	"halsted/planner/rank"
	"halsted/planner/rules"
	"halsted/planner/uncertainty"
)

// Question is what is asked of a procedure; the zero value asks for the
// defaults.
type Question struct {
	Pack      *rules.Pack        // nil: the shipped rules
	Seed      uint64             // of the search and of the samples
	Shown     int                // plans that are quantified; 0 means 7
	Level     planner.Level      // of the mechanics; L0: geometry alone
	Geometry  uncertainty.Method // at L0; zero: 128 scrambled Sobol points
	Mechanics uncertainty.Method // at Level; zero: polynomial chaos of degree 2
	Workers   int                // samples at a time; 0: one per core
	Lost      []string           // outputs that the case cannot give, and why
	// Journal keeps finished samples, so that a run goes on; may be nil.
	Journal uncertainty.Journal
	// Watch is told of a plan's bands as samples arrive; may be nil.
	Watch func(uncertainty.Band)

	limits []uncertainty.Limit // the hard rules for the case's condition
}

const shownPlans = 7 // as many as a surgeon compares

func (q Question) withDefaults(procedure, condition string) (Question, error) {
	if q.Shown == 0 {
		q.Shown = shownPlans
	}
	if q.Shown < 1 || q.Shown > 64 {
		return q, fmt.Errorf("pipeline: %d plans to show, want 1 to 64", q.Shown)
	}
	if q.Geometry == (uncertainty.Method{}) {
		q.Geometry.Kind = uncertainty.SobolPoints
	}
	if q.Mechanics == (uncertainty.Method{}) {
		q.Mechanics.Kind = uncertainty.Chaos
	}
	// The same samples for every plan: what two plans differ by is then not
	// noise of the samples.
	q.Geometry.Seed, q.Mechanics.Seed = q.Seed, q.Seed
	if q.Pack == nil {
		var err error
		if q.Pack, err = rules.Shipped(procedure); err != nil {
			return q, err
		}
	}
	hard, err := q.Pack.Limits(condition)
	if err != nil {
		return q, err
	}
	for _, l := range hard {
		q.limits = append(q.limits, uncertainty.Limit{Rule: l.Rule, Output: l.Output, Operator: l.Operator, Value: l.Value})
	}
	return q, nil
}

// NoCandidateError says that a procedure found nothing that could be tried.
type NoCandidateError struct{ Procedure string }

func (e *NoCandidateError) Error() string {
	return fmt.Sprintf("pipeline: %s has no candidate plan for this case: check that the target and the organ are segmented", e.Procedure)
}

// searched is one candidate with what it does at L0, every input at its median.
type searched struct {
	plan  planner.Plan
	eval  planner.Evaluation
	notes []string
}

// Decide is the arrow Case → Decision: every candidate of the procedure is
// simulated at L0, the ones worth comparing are quantified at L0 and at the
// level asked for, checked against the rules again, and ranked.
func Decide(ctx context.Context, p planner.Procedure, c planner.Case, q Question, progress Progress) (*planner.Decision, error) {
	q, err := q.withDefaults(p.Name(), c.Condition)
	if err != nil {
		return nil, err
	}
	all, err := search(ctx, p, c, q, progress)
	if err != nil {
		return nil, err
	}
	d := &planner.Decision{Case: c, Procedure: p.Name(), RulePack: q.Pack.ID + "@" + q.Pack.Version, Searched: len(all), Flags: p.Flags(), Lost: slices.Clone(q.Lost), Notice: planner.Notice}
	es := make([]planner.Evaluation, len(all))
	plans, notes := make(map[string]planner.Plan, len(all)), map[string][]string{}
	for n, s := range all {
		es[n], plans[s.plan.ID], notes[s.plan.ID] = s.eval, s.plan, s.notes
		if len(s.eval.Vetoes) == 0 {
			d.Feasible++
		}
	}
	before, err := compared(p, planner.L0, q, c.Condition, es, plans, nil)
	if err != nil {
		return nil, err
	}
	picked := before.Shown
	for _, r := range before.Least { // no plan keeps the rules: those that break them least
		picked = append(picked, slices.IndexFunc(before.Plans, func(e planner.Evaluation) bool { return e.Plan == r.Plan }))
	}
	picked, beside := withNeighbours(p, before, picked, plans, q.Shown)
	var shown []*quantified
	for n, at := range picked {
		one, err := quantify(ctx, p, plans[before.Plans[at].Plan], before.Plans[at].Vessels, q, progress.stagef("quantify %d/%d", n+1, len(picked)))
		if err != nil {
			return nil, err
		}
		for _, note := range notes[one.plan.ID] { // those of L0, which a higher level may repeat
			if !slices.Contains(one.eval.Warnings, note) {
				one.eval.Warnings = append(one.eval.Warnings, note)
			}
		}
		if err := check(q.Pack, c.Condition, &one.eval); err != nil {
			return nil, err
		}
		if err := one.flag(p.Name()); err != nil {
			return nil, err
		}
		shown = append(shown, one)
	}
	if len(shown) > 0 {
		vs, err := q.Pack.Judge(&shown[0].eval, c.Condition)
		if err != nil {
			return nil, err
		}
		d.Lost = append(d.Lost, lost(vs)...)
	}
	d.Method = method(d, q, shown)
	return d, conclude(d, p, q, shown, before, plans, beside)
}

// neighbouring procedures name plans that differ from one by a step, such as a
// device of the next size.
type neighbouring interface {
	Neighbours(p planner.Plan, among []planner.Plan) []planner.Plan
}

// withNeighbours fills the plans to quantify up with the neighbours of the
// proposed plan, or of the first, so that people see why this one and not the
// next. beside are the ids of those that were added.
func withNeighbours(p planner.Procedure, f *rank.Front, picked []int, plans map[string]planner.Plan, most int) (all []int, beside map[string]bool) {
	of, ok := p.(neighbouring)
	if !ok || len(picked) == 0 {
		return picked, nil
	}
	beside = map[string]bool{}
	first := picked[0]
	if f.Knee >= 0 {
		first = f.Knee
	}
	among := make([]planner.Plan, len(f.Plans))
	for n, e := range f.Plans {
		among[n] = plans[e.Plan]
	}
	for _, q := range of.Neighbours(among[first], among) {
		at := slices.IndexFunc(among, func(o planner.Plan) bool { return o.ID == q.ID })
		if at >= 0 && len(picked) < most && !slices.Contains(picked, at) {
			picked, beside[q.ID] = append(picked, at), true
		}
	}
	return picked, beside
}

// lost tells which rules could not be checked: hard ones in full, soft ones by
// what they speak of.
func lost(vs []rules.Verdict) []string {
	var hard []rules.Verdict
	var soft []string
	for _, v := range vs {
		switch {
		case v.Rule.Severity == rules.Hard:
			hard = append(hard, v)
		case v.State == rules.Unchecked:
			soft = append(soft, v.Rule.Text)
		}
	}
	out := rules.Lost(hard)
	if len(soft) > 0 {
		out = append(out, "soft rules that could not be checked, because their number was not computed: "+strings.Join(soft, "; "))
	}
	return out
}

// search simulates every candidate at L0.
func search(ctx context.Context, p planner.Procedure, c planner.Case, q Question, progress Progress) ([]searched, error) {
	report := progress.stage("generate")
	report(0)
	var all []searched
	seen := map[string]bool{}
	err := p.Generate(ctx, q.Seed, func(c planner.Candidate) error {
		if !seen[c.Plan.ID] {
			seen[c.Plan.ID] = true
			all = append(all, searched{plan: c.Plan})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	report(1)
	if len(all) == 0 {
		return nil, &NoCandidateError{p.Name()}
	}
	report = progress.stage("compare")
	report(0)
	var done atomic.Int64
	err = par.ChunksCtx(ctx, len(all), 1, func(n, _ int) error {
		o, err := p.Simulate(ctx, all[n].plan, planner.L0, nil)
		if err != nil {
			return fmt.Errorf("plan %q: %w", all[n].plan.Name, err)
		}
		all[n].eval, all[n].notes = atMedians(p, all[n].plan, o), o.Notes
		if err := check(q.Pack, c.Condition, &all[n].eval); err != nil {
			return err
		}
		report(float64(done.Add(1)) / float64(len(all)))
		return nil
	})
	return all, err
}

// atMedians is what one simulation gives: numbers without a spread, that a
// search compares and nobody is shown.
func atMedians(p planner.Procedure, plan planner.Plan, o *planner.Outcome) planner.Evaluation {
	e := planner.Evaluation{Plan: plan.ID, Vessels: o.Vessels}
	for _, out := range p.Outputs() {
		v, ok := o.Value(out.ID)
		if !ok {
			continue
		}
		e.Quantities = append(e.Quantities, planner.Quantity{ID: out.ID, Label: out.Label, Value: v.V, Unit: out.Unit, Evidence: out.Evidence, Solution: v.Solution,
			Basis: "one simulation, every input at its median"})
	}
	return e
}

// is reports whether err holds an error of type T.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// check applies the rules; what the procedure notes of the plan stands behind
// what the rules warn of, because readers see the first warning first.
func check(pack *rules.Pack, condition string, e *planner.Evaluation) error {
	notes := e.Warnings
	_, err := pack.Check(e, condition)
	e.Warnings = append(e.Warnings, notes...)
	return err
}

// quantify spreads the inputs over a plan: at L0 over what geometry gives, at
// the level asked for over the rest.
func quantify(ctx context.Context, p planner.Procedure, plan planner.Plan, vessels []planner.VesselCut, q Question, report func(float64)) (*quantified, error) {
	one := &quantified{plan: plan, eval: planner.Evaluation{Plan: plan.ID, Vessels: vessels}}
	run := func(of *part, l planner.Level, m uncertainty.Method, from, share float64) (*uncertainty.Result, error) {
		return uncertainty.Quantify(ctx, of, plan, uncertainty.Options{Method: m, Level: l, Workers: q.Workers, Journal: q.Journal, Limits: q.limits,
			Watch: func(b uncertainty.Band) {
				report(from + share*float64(b.Done)/float64(max(b.Total, 1)))
				if q.Watch != nil {
					q.Watch(b)
				}
			}})
	}
	share := 1.0
	if q.Level > planner.L0 {
		share = 0.1 // of the time, for the bar
	}
	report(0)
	var err error
	geometry := partOf(p, func(o planner.Output) bool { return o.Level == planner.L0 })
	if one.geometry, err = run(geometry, planner.L0, q.Geometry, 0, share); err != nil {
		return nil, fmt.Errorf("plan %q: %w", plan.Name, err)
	}
	one.eval.Quantities = one.geometry.Quantities
	if q.Level > planner.L0 {
		mechanics := partOf(p, func(o planner.Output) bool { return o.Level > planner.L0 && o.Level <= q.Level })
		one.mechanics, err = run(mechanics, q.Level, q.Mechanics, share, 1-share)
		switch {
		case err == nil:
			one.eval.Quantities = append(one.eval.Quantities, one.mechanics.Quantities...)
			o, err := mechanics.atMedian(ctx, plan, q.Level)
			if err != nil {
				return nil, fmt.Errorf("plan %q at %v: %w", plan.Name, q.Level, err)
			}
			one.eval.Warnings = append(one.eval.Warnings, o.Notes...)
			one.mesh = o.Measured
		case is[*uncertainty.MedianError](err):
			// The plan stands with what geometry tells of it.
			one.mechanics = nil
			one.eval.Warnings = append(one.eval.Warnings, fmt.Sprintf("its mechanics could not be simulated at %v: %v", q.Level, err))
		default:
			return nil, fmt.Errorf("plan %q at %v: %w", plan.Name, q.Level, err)
		}
	}
	report(1)
	return one, nil
}
