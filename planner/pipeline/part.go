package pipeline

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"halsted/planner"
)

// part is a procedure seen through some of its outputs and the inputs that
// these depend on; all other inputs stay at their medians. So the mechanics
// are not spread over what geometry alone depends on, and polynomial chaos
// needs as few runs as it can.
type part struct {
	planner.Procedure
	outputs []planner.Output
	inputs  []planner.Input
	at      []int // of inputs, among all inputs
	medians []float64

	mu     sync.Mutex       // guards the one below
	median *planner.Outcome // of the run with every input at its median
}

// partOf takes the outputs for which keep holds.
func partOf(p planner.Procedure, keep func(planner.Output) bool) *part {
	all := p.Inputs()
	out := &part{Procedure: p, medians: planner.Medians(all)}
	needed := make([]bool, len(all))
	for _, o := range p.Outputs() {
		if !keep(o) {
			continue
		}
		out.outputs = append(out.outputs, o)
		for n, in := range all {
			needed[n] = needed[n] || o.Inputs == nil || slices.Contains(o.Inputs, in.ID)
		}
	}
	for n, in := range all {
		if needed[n] {
			out.inputs, out.at = append(out.inputs, in), append(out.at, n)
		}
	}
	return out
}

func (p *part) Inputs() []planner.Input   { return p.inputs }
func (p *part) Outputs() []planner.Output { return p.outputs }

// Objectives are those of the procedure that are outputs of the part.
func (p *part) Objectives(l planner.Level) []planner.Objective {
	var out []planner.Objective
	for _, o := range p.Procedure.Objectives(l) {
		if p.has(o.ID) {
			out = append(out, o)
		}
	}
	return out
}

func (p *part) has(output string) bool {
	return slices.ContainsFunc(p.outputs, func(o planner.Output) bool { return o.ID == output })
}

// atMedian is the run with every input at its median; it is run again when a
// journal had it.
func (p *part) atMedian(ctx context.Context, plan planner.Plan, l planner.Level) (*planner.Outcome, error) {
	p.mu.Lock()
	o := p.median
	p.mu.Unlock()
	if o == nil {
		if _, err := p.Simulate(ctx, plan, l, nil); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.median, nil
}

// Simulate fills the sample up with medians and leaves the other outputs out.
func (p *part) Simulate(ctx context.Context, plan planner.Plan, l planner.Level, sample []float64) (*planner.Outcome, error) {
	if sample != nil {
		if len(sample) != len(p.at) {
			return nil, fmt.Errorf("pipeline: a sample of %d values for %d inputs", len(sample), len(p.at))
		}
		full := slices.Clone(p.medians)
		for n, at := range p.at {
			full[at] = sample[n]
		}
		sample = full
	}
	o, err := p.Procedure.Simulate(ctx, plan, l, sample)
	if err != nil {
		return nil, err
	}
	if sample == nil || slices.Equal(sample, p.medians) {
		p.mu.Lock()
		p.median = o
		p.mu.Unlock()
	}
	kept := *o
	kept.Values = nil
	for _, v := range o.Values {
		if p.has(v.ID) {
			kept.Values = append(kept.Values, v)
		}
	}
	return &kept, nil
}
