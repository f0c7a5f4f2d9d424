package liver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"halsted/imaging"
	"halsted/internal/par"
	"halsted/planner"
	"halsted/planner/rules"
)

// ProcedureName is what plans of this package are of.
const ProcedureName = "liver.resection"

// ProcedureSpec says whose liver it is and how the search is bounded. The zero
// value of a field means that it is not known, or the default.
type ProcedureSpec struct {
	CaseID             string
	Condition          string      // key of the rule pack; default "normal"
	HeightCM, WeightKG float64     // of the patient; 0: no standardised remnant
	Pack               *rules.Pack // nil: the shipped one
	MarginsMM          []float64   // aimed at; default 1, 5 and 10 mm
	RetractionMM       float64     // prescribed pull of L1 and L2; default 30 mm
	Phase              string      // of the contrast: "portal", "arterial", "venous", "none"; "": not known
	Confidence         float64     // of the segmentation, 0 to 1; 0: not known
	Mesh               MeshSize    // of L2
	// Measured are properties of the image that verified ranges speak of:
	// "portal_contrast", … Those that are not here are measured in Image; what is
	// measured in neither is flagged.
	Measured []planner.Measured
	// Image is the scan that the structures were found in, on their grid or on one
	// that theirs is a part of: the errors of their borders are measured in it. nil:
	// borders are taken to be known to half a voxel, and a flag says so.
	Image *imaging.Volume
}

// Procedure is liver.resection on one prepared case.
type Procedure struct {
	a       *Anatomy
	trees   *Trees
	spec    ProcedureSpec
	reach   reach
	inputs  []planner.Input
	l0      []l0Output
	outputs []planner.Output
	flags   []planner.Flag
	limit   *rules.Rule // the hard limit on the remnant
	organML float64     // with every input at its median, ml
	tumour  float64     // ml, the same
	borders *borders    // nil: not measured

	mu   sync.Mutex // guards kept and age
	kept map[string]*keptPlan
	age  int
}

// keptPlan is what of a plan does not depend on the sample.
type keptPlan struct {
	once sync.Once
	l    *level0
	m    *Mechanics // nil for L0
	err  error
	used int
}

var _ planner.Procedure = (*Procedure)(nil)

// NewProcedure prepares the trees of an anatomy (seconds of CPU time on first
// use) and binds the procedure to it. Missing vessels are not an error: Flags
// and Missing say which outputs are lost.
func NewProcedure(ctx context.Context, a *Anatomy, spec ProcedureSpec) (*Procedure, error) {
	if spec.Condition == "" {
		spec.Condition = "normal"
	}
	if len(spec.MarginsMM) == 0 {
		spec.MarginsMM = []float64{1, 5, 10}
	}
	for _, m := range spec.MarginsMM {
		if !(m >= 0 && m <= 50) {
			return nil, fmt.Errorf("liver: a margin of %g mm is outside 0 to 50 mm", m)
		}
	}
	if spec.RetractionMM == 0 {
		spec.RetractionMM = 30
	}
	who := planner.Patient{HeightCM: spec.HeightCM, WeightKG: spec.WeightKG}
	if err := who.Validate(); err != nil {
		return nil, err
	}
	if !(spec.Confidence >= 0 && spec.Confidence <= 1) {
		return nil, fmt.Errorf("liver: a segmentation confidence of %g is outside 0 to 1", spec.Confidence)
	}
	if spec.Pack == nil {
		var err error
		if spec.Pack, err = rules.Shipped(ProcedureName); err != nil {
			return nil, err
		}
	}
	rs, err := spec.Pack.For(spec.Condition)
	if err != nil {
		return nil, err
	}
	t, err := a.Trees(ctx)
	if err != nil {
		return nil, err
	}
	pr := &Procedure{a: a, trees: t, spec: spec, kept: map[string]*keptPlan{},
		reach: reach{t.Portal != nil, t.Hepatic != nil, spec.HeightCM, spec.WeightKG}}
	for n, r := range rs {
		if r.Quantity == "flr_percent" && r.Severity == rules.Hard && !r.Off && r.Operator == ">=" {
			pr.limit = &rs[n]
		}
	}
	if spec.Image != nil {
		if pr.borders, err = a.measureBorders(ctx, t.blocks, spec.Image); err != nil {
			return nil, err
		}
	}
	pr.inputs = append(a.geometric(pr.borders), MechanicalInputs()...)
	v, err := pr.volumes(planner.Medians(pr.inputs))
	if err != nil {
		return nil, err
	}
	pr.organML, pr.tumour = v.organML, v.tumourML
	pr.l0 = l0Outputs(pr.reach)
	for _, o := range pr.l0 {
		pr.outputs = append(pr.outputs, o.Output)
	}
	var mechanical []string
	for _, in := range pr.inputs[geometricInputs:] {
		mechanical = append(mechanical, in.ID)
	}
	for _, o := range MechanicalOutputs() {
		if o.Inputs == nil {
			o.Inputs = mechanical
		}
		pr.outputs = append(pr.outputs, o)
	}
	return pr, pr.findFlags()
}

// Name is "liver.resection".
func (pr *Procedure) Name() string { return ProcedureName }

// Inputs are the uncertain inputs, those of geometry and flow first.
func (pr *Procedure) Inputs() []planner.Input { return slices.Clone(pr.inputs) }

// Outputs are what Simulate gives on this case: outputs that need a missing
// structure or fact are not among them.
func (pr *Procedure) Outputs() []planner.Output { return slices.Clone(pr.outputs) }

// Missing lists the vessel systems that the case lacks and the outputs lost.
func (pr *Procedure) Missing() []MissingTree { return slices.Clone(pr.trees.Missing) }

// Trees are the vessel systems of the case.
func (pr *Procedure) Trees() *Trees { return pr.trees }

// Objectives are what plans are compared by. A margin beyond 10 mm (the ideal
// in the rules) is not better.
func (pr *Procedure) Objectives(l planner.Level) []planner.Objective {
	out := []planner.Objective{{ID: "flr_percent"}, {ID: "margin_mm", Cap: 10}, {ID: "blood_loss_ml", Less: true}, {ID: "cut_area_cm2", Less: true}}
	if pr.reach.portal && pr.reach.hepatic {
		out[0].ID = "flr_functional_percent"
	}
	if l > planner.L0 {
		out = append(out, planner.Objective{ID: outputStrain, Less: true}, planner.Objective{ID: outputReaction, Less: true})
	}
	return out
}

// Flags tells where the case lies outside the range that the procedure was
// verified in (planner/rules), and which structures are missing or doubtful.
func (pr *Procedure) Flags() []planner.Flag { return slices.Clone(pr.flags) }

// findFlags fills flags.
func (pr *Procedure) findFlags() error {
	h := pr.a.Grid.SpacingMM()
	thick, thin := max(h[0], h[1], h[2]), min(h[0], h[1], h[2])
	measured := append([]planner.Measured{{ID: "slice_thickness", Value: thick, Unit: "mm"}}, pr.spec.Measured...)
	if pr.spec.Confidence > 0 {
		measured = append(measured, planner.Measured{ID: "liver_confidence", Value: pr.spec.Confidence, Unit: "1"})
	}
	for _, m := range pr.a.contrasts(pr.spec.Image) {
		if !slices.ContainsFunc(measured, func(o planner.Measured) bool { return o.ID == m.ID }) {
			measured = append(measured, m)
		}
	}
	ranges, err := rules.Ranges(ProcedureName, rules.OfImage)
	if err != nil {
		return err
	}
	out := planner.OutOfDomain(ranges, measured)
	const longest = 5.0
	if thick > longest*thin {
		out = append(out, planner.Flag{ID: "anisotropy", Text: fmt.Sprintf("Voxels are %.2g times as long as wide; verified up to %g times.", thick/thin, longest)})
	}
	if p := pr.spec.Phase; p != "" && p != "portal" {
		out = append(out, planner.Flag{ID: "contrast_phase", Text: fmt.Sprintf("The contrast phase is %.20q; vessels and tumours were verified in the portal-venous phase.", p)})
	}
	out = append(out, pr.borders.flags(pr.spec.Image != nil)...)
	for _, m := range pr.trees.Missing {
		out = append(out, planner.Flag{ID: "no_" + m.System + "_tree", Text: fmt.Sprintf("There is no %s tree: %s.", m.System, m.Why), Touches: []string{"vessels_cut", "blood_loss_ml", "margin_vessel_mm"}})
	}
	for _, s := range pr.trees.Systems() {
		out = append(out, s.flags(pr.trees.blocks.total)...)
	}
	pr.flags = out
	return nil
}

// flags of a tree: what of the organ it does not reach, and radii that no
// vessel tree has.
func (s *System) flags(organML float64) []planner.Flag {
	touches := lostWithout(s.Name)
	var out []planner.Flag
	const reached, implausible = 0.02, 0.3
	if x := s.Supply.UnreachedML; x > reached*organML {
		out = append(out, planner.Flag{ID: s.Name + "_unreached", Text: fmt.Sprintf("%.0f ml of the organ lie in pieces without a %s branch; verified up to %.0f %%.", x, s.Name, 100*reached), Touches: touches})
	}
	bad := 0
	for _, m := range s.Report.Murray {
		if !m.Plausible {
			bad++
		}
	}
	if n := len(s.Report.Murray); n > 0 && float64(bad) > implausible*float64(n) {
		out = append(out, planner.Flag{ID: s.Name + "_radii", Text: fmt.Sprintf("%d of %d %s branchings have radii that Murray's law does not allow; verified up to %.0f %%.", bad, n, s.Name, 100*implausible), Touches: touches})
	}
	return out
}

// Generate hands over scored candidates: territories, curved cuts,
// combinations and planes that take every tumour with the margin aimed at, and
// the territories again with embolisation where the remnant is below the
// limit. Plans that take all or nothing, or fall short of the least margin, are
// left out. It takes some seconds of CPU time.
func (pr *Procedure) Generate(ctx context.Context, seed uint64, emit func(planner.Candidate) error) error {
	ps, err := pr.proposals(ctx, seed)
	if err != nil {
		return err
	}
	scored, err := pr.scoreAll(ctx, ps)
	if err != nil {
		return err
	}
	for n, s := range scored {
		if s == nil {
			continue
		}
		if err := emit(planner.Candidate{Plan: ps[n].plan, Scores: s}); err != nil {
			return err
		}
		if v, ok := pr.withEmbolisation(ps[n].plan, s); ok {
			if err := emit(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// shortMM is how far a candidate may fall short of the least margin aimed at:
// tables and blocks are not exact to the micrometre.
const shortMM = 0.25

func (pr *Procedure) scoreAll(ctx context.Context, ps []proposal) ([][]planner.Score, error) {
	out := make([][]planner.Score, len(ps))
	least := min(10, slices.Min(pr.spec.MarginsMM)) - shortMM
	err := par.ChunksCtx(ctx, len(ps), 2, func(lo, hi int) error {
		for n := lo; n < hi; n++ {
			s, err := pr.Score(ctx, ps[n].plan)
			if _, nothing := errors.AsType[*NothingLeftError](err); nothing {
				continue
			}
			if err != nil {
				return err
			}
			for _, x := range s {
				if x.ID == ScoreClear && x.Value >= least {
					out[n] = s
				}
			}
		}
		return nil
	})
	return out, err
}

// withEmbolisation is the variant of an anatomical plan whose remnant is below
// the limit.
func (pr *Procedure) withEmbolisation(p planner.Plan, s []planner.Score) (planner.Candidate, bool) {
	if len(p.Divided) == 0 || pr.limit == nil || 100*s[0].Value >= pr.limit.Value {
		return planner.Candidate{}, false
	}
	p.Parent, p.Embolised, p.Name = p.ID, slices.Clone(p.Divided), p.Name+", after embolisation"
	grown := slices.Clone(s)
	for n := range grown {
		if grown[n].ID == ScoreFLR || grown[n].ID == ScoreFunctional {
			grown[n].Value = min(1, grown[n].Value*medianGrowth)
		}
	}
	return planner.Candidate{Plan: p.Sealed(), Scores: grown}, true
}

// keptPlans bounds the plans that are kept between samples.
const keptPlans = 64

// prepared is what of p at a level does not depend on the sample, computed
// once: whoever comes while it is computed waits for it.
func (pr *Procedure) prepared(ctx context.Context, p *planner.Plan, level planner.Level) (*keptPlan, error) {
	q := *p
	q.ID, q.Parent, q.Name, q.Case = "", "", "", ""
	key := fmt.Sprint(planner.ContentID("prepared", q), level)
	pr.mu.Lock()
	pr.age++
	k := pr.kept[key]
	if k == nil {
		if len(pr.kept) >= keptPlans {
			old, oldest := "", math.MaxInt
			for key, v := range pr.kept { // ages are all different
				if v.used < oldest {
					old, oldest = key, v.used
				}
			}
			delete(pr.kept, old)
		}
		k = new(keptPlan)
		pr.kept[key] = k
	}
	k.used = pr.age
	pr.mu.Unlock()
	k.once.Do(func() {
		if level == planner.L0 {
			k.l, k.err = pr.a.newLevel0(ctx, pr.trees, pr.borders, p)
			return
		}
		k.m, k.err = pr.a.PrepareMechanics(ctx, *p, level, pr.spec.Mesh)
	})
	if k.err != nil { // the next one tries again
		pr.mu.Lock()
		if pr.kept[key] == k {
			delete(pr.kept, key)
		}
		pr.mu.Unlock()
		if ctx.Err() == nil && (errors.Is(k.err, context.Canceled) || errors.Is(k.err, context.DeadlineExceeded)) {
			return pr.prepared(ctx, p, level)
		}
	}
	return k, k.err
}

// Simulate computes what a plan does under a sample of the inputs; nil is the
// medians. Level L0 takes tens of milliseconds for a plan and microseconds for
// each further sample of it; L1 and L2 solve the mechanics as well. Errors: an
// invalid plan, *NothingLeftError, a *SystemError for branches that the case
// does not have, those of Anatomy.Mechanics, ctx.Err().
func (pr *Procedure) Simulate(ctx context.Context, p planner.Plan, level planner.Level, sample []float64) (*planner.Outcome, error) {
	if sample == nil {
		sample = planner.Medians(pr.inputs)
	}
	if len(sample) != len(pr.inputs) {
		return nil, fmt.Errorf("liver: a sample of %d inputs, want %d", len(sample), len(pr.inputs))
	}
	for n, x := range sample {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("liver: input %s of the sample is not finite", pr.inputs[n].ID)
		}
	}
	if level > planner.L2 {
		return nil, fmt.Errorf("liver: there is no level %d", level)
	}
	k, err := pr.prepared(ctx, &p, planner.L0)
	if err != nil {
		return nil, err
	}
	l := k.l
	out := &planner.Outcome{Vessels: slices.Clone(l.vessels)}
	r, err := pr.under(l, sample)
	if err != nil {
		return nil, err
	}
	for _, o := range pr.l0 {
		v := o.of(r)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("liver: output %s of plan %q is not finite", o.ID, p.Name)
		}
		out.Values = append(out.Values, planner.Value{ID: o.ID, V: v})
	}
	out.Notes = pr.notes(&p, l, out)
	if level == planner.L0 {
		return out, nil
	}
	return out, pr.mechanics(ctx, &p, level, sample[geometricInputs:], out)
}

// mechanics adds the mechanical outputs of a level.
func (pr *Procedure) mechanics(ctx context.Context, p *planner.Plan, level planner.Level, sample []float64, out *planner.Outcome) error {
	x, err := NewMechanicalSample(sample)
	if err != nil {
		return err
	}
	k, err := pr.prepared(ctx, p, level)
	if err != nil {
		return err
	}
	vs, err := k.m.Sample(ctx, x)
	if err != nil {
		return err
	}
	out.Values = append(out.Values, vs...)
	out.Notes = append(out.Notes, k.m.Notes...)
	out.Measured = []planner.Measured{{ID: "dihedral_min", Value: k.m.dihedrals[0], Unit: "deg"}, {ID: "dihedral_max", Value: k.m.dihedrals[1], Unit: "deg"}}
	return nil
}

// notes are what a surgeon should know of a plan beside its numbers.
func (pr *Procedure) notes(p *planner.Plan, l *level0, o *planner.Outcome) []string {
	out := slices.Clone(l.notes)
	if len(p.Embolised) > 0 {
		before := 100 * (l.remnantML + l.layerML) / (pr.organML - pr.tumour)
		out = append(out, fmt.Sprintf("remnants are those after embolisation; before it %.1f %% (spread not quantified: every input at its median) of CT volume minus tumours", before))
	}
	if pr.limit == nil {
		return out
	}
	above, below := "", ""
	for _, d := range []struct{ id, of string }{{"flr_percent", "CT volume minus tumours"}, {"flr_of_total_percent", "CT volume"}, {"flr_standardised_percent", "standard volume"}} {
		switch v, ok := o.Value(d.id); {
		case !ok:
		case v.V >= pr.limit.Value:
			above += ", " + d.of
		default:
			below += ", " + d.of
		}
	}
	if above != "" && below != "" {
		out = append(out, fmt.Sprintf("the denominator decides whether the remnant keeps the limit of %g %%: with every input at its median it does as a share of%s; it does not as one of%s", pr.limit.Value, above[1:], below[1:]))
	}
	return out
}
