package liver

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"halsted/internal/par"
	"halsted/planner"
)

// The scores of a candidate plan of Procedure; for search only.
const (
	ScoreFLR        = "flr"              // share of CT volume minus tumours that stays
	ScoreFunctional = "flr_functional"   // the same without what lost its inflow and half of what lost its outflow
	ScoreFlow       = "flow_cut"         // of the vessels cut, ml/min
	ScoreCut        = "cut_cm2"          // area of the cut
	ScoreClear      = "margin_clear_mm"  // least margin, at most 10 mm
	ScoreIsolated   = "isolated_percent" // of the remnant
)

// search bounds of a case; they bound the time, not the quality.
const (
	planeDirections = 40  // per margin
	unionSheets     = 10  // directions for all tumours at once, per margin
	singleSheets    = 7   // directions per tumour and margin, of several tumours
	pairsAtMost     = 40  // combinations per margin and kind
	ownUnions       = 4   // anatomical resections of one tumour that are combined
	mostShare       = 0.7 // of the organ that a curved cut may take
)

// proposal is a plan before it is scored.
type proposal struct{ plan planner.Plan }

// option is a way to take some of the tumours.
type option struct {
	tumours []int
	sheets  []planner.Sheet
	divided []planner.Branch
	name    string
	cost    float64
}

// proposals lists plans in the order of their kind: territories, curved cuts,
// combinations, planes.
func (pr *Procedure) proposals(ctx context.Context, seed uint64) ([]proposal, error) {
	a, t := pr.a, pr.trees
	all := make([]int, len(a.Tumours))
	for n := range all {
		all[n] = n
	}
	var out []proposal
	add := func(name string, o ...option) {
		p := planner.Plan{Case: pr.spec.CaseID, Procedure: ProcedureName, Name: name, RetractionMM: pr.spec.RetractionMM}
		for _, x := range o {
			p.Sheets = append(p.Sheets, x.sheets...)
			for _, b := range x.divided {
				if !slices.Contains(p.Divided, b) {
					p.Divided = append(p.Divided, b)
				}
			}
		}
		out = append(out, proposal{p.Sealed()})
	}
	least := slices.Min(pr.spec.MarginsMM)
	singles := make([][][]option, len(all)) // curved cuts by tumour, margin
	for n := range all {
		var err error
		if singles[n], err = pr.sheets(ctx, []int{n}, singleSheets, seed, uint64(n)+1); err != nil {
			return nil, err
		}
	}
	if t.Portal != nil {
		for k, m := range pr.spec.MarginsMM {
			for _, u := range t.unions(all, m, whole) {
				o, name := t.Portal.divide(u)
				add(name, option{divided: o})
			}
			for _, u := range thinOut(t.unions(all, m, loose), looseAtMost) { // borders of territories pass through margins
				o, name := t.Portal.divide(u)
				for n := range all {
					if c := singles[n][k]; len(c) > 0 {
						add(fmt.Sprintf("%s, and curved cut %s, %g mm margin aimed at", name, c[0].name, m), option{divided: o}, c[0])
					}
				}
			}
		}
	}
	margins := pr.spec.MarginsMM
	union, err := pr.sheets(ctx, all, unionSheets, seed, 0)
	if err != nil {
		return nil, err
	}
	for n, m := range margins {
		for _, o := range union[n] {
			add(fmt.Sprintf("curved cut, %s, %g mm margin", o.name, m), o)
		}
	}
	if len(all) > 1 {
		pr.combine(singles, least, add)
	}
	for _, m := range margins {
		for _, d := range sphere(planeDirections) {
			p := planner.Plan{Case: pr.spec.CaseID, Procedure: ProcedureName, Cuts: []planner.Plane{a.plane(d, all, m)}, RetractionMM: pr.spec.RetractionMM}
			p.Name = name(p.Cuts, m)
			out = append(out, proposal{p.Sealed()})
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(p proposal) bool {
		dup := seen[p.plan.ID]
		seen[p.plan.ID] = true
		return dup
	}), nil
}

// sheets finds curved cuts around tumours, per margin in the order of their
// cost.
func (pr *Procedure) sheets(ctx context.Context, tumours []int, count int, seed, stream uint64) ([][]option, error) {
	margins := pr.spec.MarginsMM
	dirs := pr.a.outward(tumours, count)
	found := make([]*option, len(margins)*len(dirs))
	err := par.ChunksCtx(ctx, len(found), 1, func(n, _ int) error {
		m, d := margins[n/len(dirs)], dirs[n%len(dirs)]
		s, cost, err := pr.a.sheet(ctx, pr.trees, tumours, d, m, seed, stream*1024+uint64(n))
		if s != nil && pr.trees.blocks.above(s) <= mostShare {
			found[n] = &option{tumours: tumours, sheets: []planner.Sheet{*s}, name: "from " + side(d), cost: cost}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([][]option, len(margins))
	for n, o := range found {
		if o != nil {
			out[n/len(dirs)] = append(out[n/len(dirs)], *o)
		}
	}
	for n := range out {
		slices.SortStableFunc(out[n], func(x, y option) int { return cmp.Compare(x.cost, y.cost) })
	}
	return out, nil
}

// combine takes one option per tumour: curved cuts with each other, and
// territories with curved cuts.
func (pr *Procedure) combine(curved [][][]option, least float64, add func(string, ...option)) {
	a, t := pr.a, pr.trees
	territory := make([][]option, len(a.Tumours))
	for n := range a.Tumours {
		if t.Portal == nil {
			continue
		}
		us := t.unions([]int{n}, least, whole)
		for _, u := range us[:min(len(us), ownUnions)] {
			of, name := t.Portal.divide(u)
			territory[n] = append(territory[n], option{tumours: []int{n}, divided: of, name: name, cost: t.Portal.feeds(u) / volumePerArea})
		}
	}
	for m, margin := range pr.spec.MarginsMM {
		var sets, mixed [][]option
		for n := range a.Tumours {
			own := curved[n][m]
			sets = cross(sets, n, own)
			mixed = cross(mixed, n, slices.Concat(territory[n], own[:min(len(own), 3)]))
		}
		for _, s := range sets {
			add(fmt.Sprintf("%d curved cuts, %s, %g mm margin", len(s), parts(s), margin), s...)
		}
		for _, s := range mixed {
			if slices.ContainsFunc(s, func(o option) bool { return o.divided != nil }) && slices.ContainsFunc(s, func(o option) bool { return o.sheets != nil }) {
				add(fmt.Sprintf("%s, %g mm margin aimed at", parts(s), margin), s...)
			}
		}
	}
}

// cross extends each set by each option, keeping the cheapest.
func cross(sets [][]option, n int, own []option) [][]option {
	if n == 0 {
		sets = [][]option{nil}
	}
	var out [][]option
	for _, s := range sets {
		for _, o := range own {
			out = append(out, append(slices.Clone(s), o))
		}
	}
	cost := func(s []option) (c float64) {
		for _, o := range s {
			c += o.cost
		}
		return c
	}
	slices.SortStableFunc(out, func(x, y []option) int { return cmp.Compare(cost(x), cost(y)) })
	return out[:min(len(out), pairsAtMost)]
}

func parts(s []option) string {
	text := ""
	for n, o := range s {
		if n > 0 {
			text += " and "
		}
		text += o.name
	}
	return text
}

// Score is the cheap look at a plan that Generate sorts candidates by:
// geometry on the voxels, vessels severed on the centrelines, inflow and
// outflow by the most probable branch of each block. It fails with
// *NothingLeftError when the cut misses or takes the whole organ.
func (pr *Procedure) Score(ctx context.Context, p planner.Plan) ([]planner.Score, error) {
	c := cutaways.Get().(*cutaway)
	defer cutaways.Put(c)
	if err := pr.a.newCutaway(ctx, pr.trees, &p, c); err != nil {
		return nil, err
	}
	return pr.scores(c), nil
}

func (pr *Procedure) scores(c *cutaway) []planner.Score {
	tumour := 0.0
	for _, t := range pr.a.Tumours {
		tumour += t.ML
	}
	of := pr.trees.blocks.total - tumour
	functional := c.remnantML - c.dryML - 0.5*(c.congestedML-c.bothML)
	flow := 0.0
	for _, x := range c.crossings {
		flow += max(0, [2]*System{pr.trees.Portal, pr.trees.Hepatic}[x.system].FlowMLMin[x.branch])
	}
	return []planner.Score{
		{ID: ScoreFLR, Value: c.remnantML / of}, {ID: ScoreFunctional, Value: functional / of},
		{ID: ScoreClear, Value: min(10, c.parenchymaMM, c.vesselMM)},
		{ID: ScoreFlow, Value: flow, Less: true}, {ID: ScoreCut, Value: c.areaMM2 / 100, Less: true},
		{ID: ScoreIsolated, Value: 100 * c.isolatedML / (c.remnantML + c.isolatedML), Less: true},
	}
}
