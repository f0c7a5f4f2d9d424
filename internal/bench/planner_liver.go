package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"halsted/imaging/phantom"
	"halsted/planner"
	"halsted/planner/aneurysm"
	"halsted/planner/liver"
	"halsted/planner/uncertainty"

	"gonum.org/v1/gonum/spatial/r3"
)

// plannerScore is the search's look at one candidate: volumes, territories and
// vessels.
func plannerScore(context.Context) ([]Row, error) {
	m, err := goBench("planner/liver", "BenchmarkScore", 2000, 1)
	if err != nil {
		return nil, err
	}
	return []Row{atLeast("resection candidates scored at L0 with territories and vessels, 512×512×120, 1 core", m["plans/s"], "1/s", 100, "probe 125, volume split alone (quoted)")}, nil
}

// plannerBound bounds one plan by order statistics.
func plannerBound(context.Context) ([]Row, error) {
	s, err := tryOn(2, "bound")
	if err != nil {
		return nil, err
	}
	var b bound
	if err := json.Unmarshal(s.Result, &b); err != nil {
		return nil, err
	}
	const item = "59-run bound of one chosen plan at L2, 2 cores: "
	return []Row{
		atMost(item+"wall, meshing included", b.WallS, "s", 120, "–"),
		atLeast(item+"degrees of freedom", float64(b.DOF), "1", 30_000, "–"),
		atLeast(item+"bands before the last sample", float64(b.Bands), "1", 50, "–"),
		atLeast(item+"quantities with a 95/95 bound on their worse side", float64(b.Bounded), "1", float64(b.Quantities), "–"),
		atMost(item+"runs that did not converge", float64(b.Failed), "1", noLimit, "–"),
		atMost(item+"largest mesh error over the value's 95 % width", b.MeshError, "1", noLimit, "–"),
		atMost(item+"peak memory", s.PeakMB, "MB", noLimit, "–"),
	}, nil
}

// bound is what the trial of that name finds.
type bound struct {
	WallS                          float64
	DOF, Bands, Failed, Quantities int
	Bounded                        int // bounds that hold
	MeshError                      float64
}

// trialBound quantifies one plan of the sample patient by independent random
// samples on the mesh for the chosen plan: 59, or as many as the first argument
// says; the second is their seed, 1 if there is none.
func trialBound(args []string) (func() error, func() (any, error), error) {
	ctx, runs, seed := context.Background(), 59, 1
	for i, to := range []*int{&runs, &seed} {
		if i < len(args) {
			var err error
			if *to, err = strconv.Atoi(args[i]); err != nil {
				return nil, nil, err
			}
		}
	}
	l := phantom.NewLiver(1)
	a, err := liver.NewAnatomy(ctx, l.Truth(l.GridAt([3]float64{1.5, 1.5, 2})))
	if err != nil {
		return nil, nil, err
	}
	p := planner.Plan{Name: "right", RetractionMM: 30,
		Cuts: []planner.Plane{{Point: r3.Add(a.Tumours[0].Centre, r3.Vec{X: 30}), Normal: r3.Vec{X: -1}}}}.Sealed()
	var b bound
	return func() error {
		start := time.Now()
		m, err := a.PrepareMechanics(ctx, p, planner.L2, liver.MeshChosen)
		if err != nil {
			return err
		}
		r, err := uncertainty.Quantify(ctx, mechanics{m}, p, uncertainty.Options{
			Method: uncertainty.Method{Kind: uncertainty.Random, Runs: runs, Seed: uint64(seed)}, Level: planner.L2,
			Watch: func(uncertainty.Band) { b.Bands++ },
		})
		if err != nil {
			return err
		}
		b.WallS, b.DOF, b.Quantities = time.Since(start).Seconds(), m.DOF, len(r.Quantities)
		for _, s := range r.Samples {
			if s.Failed != "" {
				b.Failed++
			}
		}
		for _, q := range r.Quantities {
			if q.Spread == nil || q.Solution == nil {
				continue
			}
			if w := q.Spread.P97_5 - q.Spread.P2_5; w > 0 {
				b.MeshError = max(b.MeshError, q.Solution.MeshError/w)
			}
		}
		for _, o := range r.Bounds {
			if o.Holds {
				b.Bounded++
			}
		}
		return nil
	}, func() (any, error) { return b, nil }, nil
}

// mechanics is the mechanics of one plan as a procedure of its own.
type mechanics struct{ *liver.Mechanics }

func (mechanics) Name() string              { return "liver.mechanics" }
func (mechanics) Inputs() []planner.Input   { return liver.MechanicalInputs() }
func (mechanics) Outputs() []planner.Output { return liver.MechanicalOutputs() }
func (mechanics) Flags() []planner.Flag     { return nil }

// Objectives name the worse side of every output: larger, but for the distance
// to a tear.
func (mechanics) Objectives(planner.Level) (out []planner.Objective) {
	for _, o := range liver.MechanicalOutputs() {
		out = append(out, planner.Objective{ID: o.ID, Less: o.ID != "tear_margin_percent"})
	}
	return out
}

func (mechanics) Generate(context.Context, uint64, func(planner.Candidate) error) error { return nil }

// Simulate runs one sample. L0 has nothing of the mechanics.
func (m mechanics) Simulate(ctx context.Context, _ planner.Plan, l planner.Level, sample []float64) (*planner.Outcome, error) {
	if l == planner.L0 {
		return &planner.Outcome{}, nil
	}
	x, err := liver.NewMechanicalSample(sample)
	if err != nil {
		return nil, err
	}
	v, err := m.Sample(ctx, x)
	return &planner.Outcome{Values: v}, err
}

// plannerReinflate looks for the shapes without pressure and inflates them again.
func plannerReinflate(ctx context.Context) ([]Row, error) {
	var rows []Row
	for _, name := range aneurysm.Shapes {
		r, err := aneurysm.Reinflate(ctx, name, aneurysm.MeshOptions{})
		if err != nil {
			return rows, fmt.Errorf("%s: %w", name, err)
		}
		item := fmt.Sprintf("zero-pressure %s, %d nodes, moved by %.2g mm: ", name, r.Nodes, r.MovedMM)
		rows = append(rows,
			atMost(item+"largest distance, inflated again to imaged", 1000*r.MaxMM, "µm", 1, "8 µm in 8 iterations (PMC5013432, quoted)"),
			atMost(item+"forward solves", float64(r.ForwardSolves), "1", 5, "–"),
			atMost(item+"Newton steps of the inverse solve before them", float64(r.InverseNewton), "1", noLimit, "–"))
	}
	return rows, nil
}
