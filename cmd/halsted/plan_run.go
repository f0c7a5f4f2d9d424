package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"halsted/planner/bundle"
	"halsted/planner/pipeline"
)

// run decides and writes report and bundle.
func (j *planJob) run(ctx context.Context, path string, b *bar) (*planResult, error) {
	pack, err := j.pack()
	if err != nil {
		return nil, err
	}
	s, p, in, err := j.open(ctx, path, pack, b)
	if err != nil {
		return nil, err
	}
	m, err := j.manifest(s)
	if err != nil {
		return nil, err
	}
	journal, err := bundle.Create(filepath.Join(j.out, "bundle"), m)
	if err != nil {
		return nil, refusedError{err}
	}
	defer journal.Close()
	q := j.question(s)
	q.Journal = journal
	d, err := pipeline.Decide(ctx, p, s.Case, q, b.set)
	if err != nil {
		return nil, err
	}
	if err := journal.Finish(d); err != nil {
		return nil, err
	}
	r := &planResult{Decision: d, Bundle: m.ID()}
	r.Artefacts, err = writeDecision(ctx, j.out, path, s, in, d, m, b)
	return r, err
}

// replayed is how a second run of a bundle compares.
type replayed struct {
	Identical   bool                `json:"identical"`
	SameProgram bool                `json:"same_program"` // the kernel set is that of the bundle
	Differences []bundle.Difference `json:"differences,omitempty"`
}

const differencesShown = 20

func (r *replayed) String() string {
	if r.Identical {
		return "Replay: the result is the same, byte for byte."
	}
	s := "Replay: the result differs."
	if !r.SameProgram {
		s += " The bundle was made by another program, which may round otherwise."
	}
	for _, d := range r.Differences {
		s += fmt.Sprintf("\n  %s: was %s, is %s", d.Where, d.Was, d.Is)
	}
	return s
}

// differsError is a replay that did not give the same result.
type differsError struct{ *replayed }

func (e differsError) Error() string { return e.String() }

// again runs a bundle again, from its own settings on the case that is named,
// and compares.
func (j *planJob) again(ctx context.Context, path string, b *bar) (*planResult, error) {
	old, err := bundle.Open(j.replay)
	if err != nil {
		return nil, refusedError{err}
	}
	defer old.Close()
	was, err := old.Result()
	if err != nil {
		return nil, refusedError{err}
	}
	j.planSettings = planSettings{} // what flags say does not count
	if err := json.Unmarshal(old.Manifest.Settings, &j.planSettings); err != nil {
		return nil, refusedError{fmt.Errorf("the bundle's settings: %w", err)}
	}
	pack, err := j.pack()
	if err != nil {
		return nil, err
	}
	s, p, _, err := j.open(ctx, path, pack, b)
	if err != nil {
		return nil, err
	}
	m, err := j.manifest(s)
	if err != nil {
		return nil, err
	}
	if m.RulesHash != old.Manifest.RulesHash {
		return nil, refusedError{errors.New("the bundle was made with other rules (" + old.Manifest.RulePack + "): name its --rules")}
	}
	for n, in := range old.Manifest.Inputs {
		if n >= len(m.Inputs) || m.Inputs[n] != in {
			return nil, refusedError{fmt.Errorf("the bundle was made from another %s: name the case and the --structures of that run", in.Name)}
		}
	}
	d, err := pipeline.Decide(ctx, p, s.Case, j.question(s), b.set)
	if err != nil {
		return nil, err
	}
	is, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	r := &planResult{Decision: d, Bundle: old.Manifest.ID(), Replay: &replayed{
		Differences: bundle.Differences(was, is, differencesShown), SameProgram: m.Kernels == old.Manifest.Kernels}}
	r.Replay.Identical = string(was) == string(is)
	if !r.Replay.Identical {
		return nil, differsError{r.Replay}
	}
	return r, nil
}
