package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/planner"
	"halsted/planner/jobs"
	"halsted/planner/pipeline"
	"halsted/planner/store"
)

// runner does the planner's work on what the store holds: it proposes plans
// for a case and simulates them. It keeps the last case it prepared, so that
// the plans of one case share their meshes.
type runner struct {
	st       *store.Store
	settings pipeline.Settings
	// simulated, if set, is told of each finished simulation.
	simulated func(*pipeline.Prepared, *pipeline.Simulated)

	bundles string // folder for what decisions leave to go on from

	mu     sync.Mutex // guards the two below, and that one case is prepared at a time
	last   *pipeline.Prepared
	opened *opened
}

var _ jobs.Runner = (*runner)(nil)

// Run simulates the plan of a job, keeps its evaluation and orders the case's
// plans anew.
func (r *runner) Run(ctx context.Context, j jobs.Job, rep jobs.Reporter) error {
	plan, err := r.st.Plan(ctx, j.Plan)
	if err != nil {
		return err
	}
	prep, err := r.prepare(ctx, j.Case, func(stage string, done float64) { rep.Progress(stage, 0.4*done) })
	if err != nil {
		return err
	}
	sink := pipeline.Sink{
		Topology: func(t *planner.Topology) error { _, err := rep.Topology(t); return err },
		Frame:    func(f *planner.DisplayFrame) error { return rep.Frame(*f) },
	}
	sim, err := prep.Simulate(ctx, plan, sink, func(stage string, done float64) { rep.Progress(stage, 0.4+0.6*done) })
	if err != nil {
		return err
	}
	if r.simulated != nil {
		r.simulated(prep, sim)
	}
	return r.rank(ctx, prep, sim.Evaluation)
}

// Propose searches plans for a case and keeps them with their geometric
// evaluation.
func (r *runner) Propose(ctx context.Context, caseID string, most int, progress func(stage string, done float64)) ([]planner.Plan, error) {
	prep, err := r.prepare(ctx, caseID, progress)
	if err != nil {
		return nil, err
	}
	plans, es, err := prep.Propose(ctx, most, progress)
	if err != nil {
		return nil, err
	}
	for _, p := range plans {
		if err := r.st.PutPlan(ctx, p); err != nil {
			return nil, err
		}
	}
	return plans, r.st.PutEvaluations(ctx, es...)
}

// rank puts a new evaluation among those of the case that are simulated too.
func (r *runner) rank(ctx context.Context, prep *pipeline.Prepared, fresh planner.Evaluation) error {
	es := []planner.Evaluation{fresh}
	for page := (store.Page{}); ; {
		more, next, err := r.st.Evaluations(ctx, prep.Case.ID, page)
		if err != nil {
			return err
		}
		for _, e := range more {
			if _, simulated := e.Quantity("peak_stress_kpa"); simulated && e.Plan != fresh.Plan {
				es = append(es, e)
			}
		}
		if next == "" {
			break
		}
		page.Token = next
	}
	if err := prep.Rank(es); err != nil {
		return err
	}
	return r.st.PutEvaluations(ctx, es...)
}

// prepare walks a case up to its meshes, or takes what it prepared last.
func (r *runner) prepare(ctx context.Context, caseID string, p pipeline.Progress) (*pipeline.Prepared, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last != nil && r.last.Case.ID == caseID {
		return r.last, nil
	}
	c, v, err := r.volume(ctx, caseID, p)
	if err != nil {
		return nil, err
	}
	segs, notes, err := (&caseFlags{}).segments(ctx, v, c, p)
	if err != nil {
		return nil, err
	}
	prep, err := pipeline.Prepare(ctx, c, segs, r.settings, p)
	if err != nil {
		return nil, err
	}
	prep.Notes = notes
	if err := r.keep(ctx, prep); err != nil {
		return nil, err
	}
	r.last = prep
	return prep, nil
}

// volume reads a stored case and its study.
func (r *runner) volume(ctx context.Context, caseID string, p pipeline.Progress) (c planner.Case, v *imaging.Volume, err error) {
	if c, err = r.st.Case(ctx, caseID); err != nil {
		return c, nil, err
	}
	if c.Masks != "" {
		return c, nil, refusedError{errors.New("the case names imported masks; the service plans on its own segmentation, `halsted plan --structures` on imported ones")}
	}
	study, err := r.st.Study(ctx, c.Study)
	if err != nil {
		return c, nil, err
	}
	v, _, err = pipeline.OpenFS(ctx, &blobFS{ctx: ctx, st: r.st, keys: study.Files}, p)
	return c, v, err
}

// keep stores the labels and the displayed surfaces of a prepared case.
func (r *runner) keep(ctx context.Context, prep *pipeline.Prepared) error {
	var b bytes.Buffer
	if err := nifti.EncodeLabels(&b, prep.Anatomy.Labels); err != nil {
		return err
	}
	labels, err := r.st.PutBytes(ctx, b.Bytes())
	if err != nil {
		return err
	}
	t, err := prep.Topology()
	if err != nil {
		return err
	}
	surface, err := r.st.PutTopology(ctx, t)
	if err != nil {
		return err
	}
	return r.st.SetCaseResult(ctx, prep.Case.ID, labels, surface)
}

// ingest puts the files of a received series into the store as a study.
func ingest(ctx context.Context, st *store.Store, folder fs.FS) (planner.Study, error) {
	_, study, err := pipeline.OpenFS(ctx, folder, nil) // refuses what cannot be planned on
	if err != nil {
		return planner.Study{}, err
	}
	err = fs.WalkDir(folder, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		f, err := folder.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, _, err = st.PutBlob(ctx, f)
		return err
	})
	if err != nil {
		return planner.Study{}, fmt.Errorf("storing the series: %w", err)
	}
	return study, st.PutStudy(ctx, study)
}
