package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"halsted/imaging"
	"halsted/imaging/segment"
	"halsted/internal/par"
	"halsted/mesh"
	"halsted/mesh/contour"
	"halsted/mesh/tetra"
	"halsted/planner"
	"halsted/planner/liver"
	"halsted/planner/rank"
	"halsted/planner/rules"
)

// Progress is told how far a stage is, from 0 to 1. It may be nil.
type Progress func(stage string, done float64)

func (p Progress) stage(name string) func(float64) {
	if p == nil {
		return func(float64) {}
	}
	return func(done float64) { p(name, done) }
}

// stagef is stage with a name that is put together.
func (p Progress) stagef(format string, a ...any) func(float64) {
	return p.stage(fmt.Sprintf(format, a...))
}

// Settings are the knobs of a walk; the zero value means the defaults. They
// are part of every result.
type Settings struct {
	EdgeMM    float64 // target edge of the tetrahedra; default 10
	Steps     int     // load steps of a simulation; default 5
	Retract   float64 // mm of pull; default 30
	Smoothing int     // passes over the displayed surfaces; default 10
}

func (s Settings) withDefaults() Settings {
	if s.EdgeMM == 0 {
		s.EdgeMM = 10
	}
	if s.Steps == 0 {
		s.Steps = 5
	}
	if s.Retract == 0 {
		s.Retract = 30
	}
	if s.Smoothing == 0 {
		s.Smoothing = 10
	}
	return s
}

// Prepared is a case up to the meshes: what all its plans share.
type Prepared struct {
	Case     planner.Case
	Settings Settings
	Segments *imaging.Segments
	Anatomy  *liver.Anatomy
	Surface  *mesh.Surface // organ, vessels and tumours inside, on the crop
	Organ    *mesh.TetMesh // Tet4
	Fill     tetra.Report
	Notes    []string // what the segmentation wants people to know
}

// Segment is the arrow Volume → Segments by the shipped recipe for the abdomen
// and the case's seeds. A plan needs the liver and everything that was seeded:
// without one of them it returns the *segment.NotFoundError.
func Segment(ctx context.Context, v *imaging.Volume, c planner.Case, p Progress) (*imaging.Segments, *segment.Report, error) {
	return segmented(ctx, segment.AbdomenPortal, v, c, p)
}

func segmented(ctx context.Context, recipe string, v *imaging.Volume, c planner.Case, p Progress) (*imaging.Segments, *segment.Report, error) {
	r, err := segment.Builtin(recipe)
	if err != nil {
		return nil, nil, err
	}
	o := segment.Options{Progress: p.stage("segment")}
	for _, s := range c.Seeds {
		o.Seeds = append(o.Seeds, segment.Seed{Label: s.Label, LPS: s.LPS})
	}
	segs, rep, err := segment.Run(ctx, v, r, o)
	if err != nil {
		return nil, nil, err
	}
	return segs, rep, rep.Failed()
}

// Prepare is the arrow Segments → Mesh: distance fields, the displayed
// surfaces and the organ's tetrahedra.
func Prepare(ctx context.Context, c planner.Case, segs *imaging.Segments, s Settings, p Progress) (*Prepared, error) {
	s = s.withDefaults()
	report := p.stage("mesh")
	report(0)
	a, err := liver.NewAnatomy(ctx, segs)
	if err != nil {
		return nil, err
	}
	report(0.4)
	out := &Prepared{Case: c, Settings: s, Segments: segs, Anatomy: a}
	if out.Surface, err = contour.Extract(ctx, a.Labels, contour.Options{SmoothPasses: s.Smoothing}); err != nil {
		return nil, err
	}
	report(0.7)
	out.Organ, out.Fill, err = tetra.Fill(ctx, tetra.Domain{Grid: a.Grid, Phi: a.Phi, TargetMM3: a.OrganML * 1000}, tetra.Options{EdgeMM: s.EdgeMM})
	if err != nil {
		return nil, fmt.Errorf("organ: %w", err)
	}
	report(1)
	return out, nil
}

// Propose searches candidate plans and returns at most the given number, the
// best first, then those that differ most from it (rank.Spread), with their
// geometric evaluation. When every plan is vetoed, the least violating ones
// come back with their vetoes.
func (c *Prepared) Propose(ctx context.Context, most int, p Progress) ([]planner.Plan, []planner.Evaluation, error) {
	report := p.stage("propose")
	report(0)
	pack, err := rules.Shipped(c.Case.Procedure)
	if err != nil {
		return nil, nil, err
	}
	all, err := c.Anatomy.Generate(ctx, c.Case.ID, liver.Spec{RetractionMM: c.Settings.Retract})
	if err != nil {
		return nil, nil, err
	}
	report(0.5)
	plans, es, err := c.evaluate(ctx, shortlist(all), pack, func(done float64) { report(0.5 + done/2) })
	if err != nil {
		return nil, nil, err
	}
	if len(es) == 0 {
		return nil, nil, &StudyError{"no plane takes the tumours and leaves a remnant: check the tumours' seeds or masks"}
	}
	if err := rank.Order(es, geometric); err != nil {
		return nil, nil, err
	}
	picked, err := rank.Spread(es, geometric, most)
	if err != nil {
		return nil, nil, err
	}
	var outPlans []planner.Plan
	var out []planner.Evaluation
	for _, n := range picked {
		outPlans, out = append(outPlans, plans[es[n].Plan]), append(out, es[n])
	}
	report(1)
	return outPlans, out, nil
}

// evaluate computes what each candidate leaves, takes and severs, and checks
// the rules. Cuts that take all or nothing are no plans.
func (c *Prepared) evaluate(ctx context.Context, cands []liver.Candidate, pack *rules.Pack, report func(float64)) (map[string]planner.Plan, []planner.Evaluation, error) {
	all := make([]*planner.Evaluation, len(cands))
	var done atomic.Int64
	err := par.ChunksCtx(ctx, len(cands), 1, func(n, _ int) error {
		r, err := c.Anatomy.Resect(ctx, cands[n].Plan)
		if _, nothing := errors.AsType[*liver.NothingLeftError](err); nothing {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.check(pack, &r.Evaluation); err != nil {
			return err
		}
		all[n] = &r.Evaluation
		report(float64(done.Add(1)) / float64(len(cands)))
		return nil
	})
	plans := map[string]planner.Plan{}
	var es []planner.Evaluation
	for n, e := range all {
		if e != nil && plans[e.Plan].ID == "" {
			plans[e.Plan] = cands[n].Plan
			es = append(es, *e)
		}
	}
	return plans, es, err
}

// Rank checks the rules again, now with the mechanical quantities, and orders
// the evaluations.
func (c *Prepared) Rank(es []planner.Evaluation) error {
	pack, err := rules.Shipped(c.Case.Procedure)
	if err != nil {
		return err
	}
	for n := range es {
		if err := c.check(pack, &es[n]); err != nil {
			return err
		}
	}
	return rank.Order(es, complete)
}

// check applies the rules. What the segmentation wants people to know stands
// first among the warnings: a plan around a guessed tumour is a guess.
func (c *Prepared) check(pack *rules.Pack, e *planner.Evaluation) error {
	_, err := pack.Check(e, c.Case.Condition)
	e.Warnings = append(slices.Clone(c.Notes), e.Warnings...)
	return err
}

// RulePack names the rules of a procedure: id@version.
func RulePack(procedure string) string {
	pack, err := rules.Shipped(procedure)
	if err != nil {
		return procedure
	}
	return pack.ID + "@" + pack.Version
}

// geometric are the objectives before a simulation, complete those after it. A
// margin beyond 10 mm (the ideal in the rule data) is not better.
var (
	geometric = []planner.Objective{{ID: "flr_percent"}, {ID: "margin_mm", Cap: 10}, {ID: "vessels_cut", Less: true}, {ID: "cut_area_cm2", Less: true}}
	complete  = append(geometric[:len(geometric):len(geometric)], planner.Objective{ID: "peak_strain_percent", Less: true}, planner.Objective{ID: "reaction_n", Less: true})
)

const shortlistSize = 16

// shortlist keeps the candidates worth an exact look: the non-dominated ones
// by their search scores, thinned evenly over the remnant's share.
func shortlist(all []liver.Candidate) []liver.Candidate {
	costs := make([][]float64, len(all))
	for n, c := range all {
		for _, s := range c.Scores {
			v := s.Value
			if !s.Less {
				v = -v
			}
			costs[n] = append(costs[n], v)
		}
	}
	var front []liver.Candidate
	for n, f := range rank.Fronts(costs) {
		if f == 0 {
			front = append(front, all[n])
		}
	}
	return thin(front)
}
