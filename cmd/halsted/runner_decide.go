package main

import (
	"context"
	"path/filepath"

	"halsted/planner"
	"halsted/planner/bundle"
	"halsted/planner/pipeline"
	"halsted/planner/service"
	"halsted/planner/uncertainty"
)

var _ service.Decider = (*runner)(nil)

// opened is the last case that was taken up to its procedure.
type opened struct {
	subject   *pipeline.Subject
	procedure planner.Procedure
}

// Decide searches, quantifies and ranks the plans of a stored case, and keeps
// them with their evaluations. Finished simulations stand in a bundle of the
// data folder, so that the same request goes on after a stop.
func (r *runner) Decide(ctx context.Context, req service.DecideRequest, w service.Watching) (*planner.Decision, error) {
	o, err := r.open(ctx, req.Case, w.Progress)
	if err != nil {
		return nil, err
	}
	s := o.subject
	j := planJob{planSettings: planSettings{Procedure: s.Case.Procedure, Condition: s.Case.Condition, Patient: s.Case.Patient, Seeds: s.Case.Seeds,
		Level: planner.L1, Method: uncertainty.Chaos, Runs: req.Runs, Shown: req.Shown, Seed: req.Seed}}
	if req.Level != nil {
		j.Level = *req.Level
	}
	if req.Method != "" {
		if err := j.Method.UnmarshalText([]byte(req.Method)); err != nil {
			return nil, err
		}
	}
	m, err := j.manifest(s)
	if err != nil {
		return nil, err
	}
	journal, err := bundle.Create(filepath.Join(r.bundles, m.ID()), m)
	if err != nil {
		return nil, err
	}
	defer journal.Close()
	q := j.question(s)
	q.Journal = journal
	q.Watch = func(b uncertainty.Band) { w.Band(b.Plan, b.Done, b.Total, b.Failed, b.Quantities) }
	d, err := pipeline.Decide(ctx, o.procedure, s.Case, q, w.Progress)
	if err != nil {
		return nil, err
	}
	if err := journal.Finish(d); err != nil {
		return nil, err
	}
	for _, plan := range d.Plans {
		if err := r.st.PutPlan(ctx, plan); err != nil {
			return nil, err
		}
	}
	return d, r.st.PutEvaluations(ctx, d.Evaluations...)
}

// open takes a stored case up to its procedure, or takes the last one.
func (r *runner) open(ctx context.Context, caseID string, p pipeline.Progress) (*opened, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opened != nil && r.opened.subject.Case.ID == caseID {
		return r.opened, nil
	}
	c, v, err := r.volume(ctx, caseID, p)
	if err != nil {
		return nil, err
	}
	o := &opened{subject: &pipeline.Subject{Case: c, Volume: v}}
	if o.procedure, err = o.subject.Open(ctx, p); err != nil {
		return nil, err
	}
	r.opened = o
	return o, nil
}
