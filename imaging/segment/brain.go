package segment

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// BrainT1 is the name of the recipe for skull stripping of T1-weighted MR.
const BrainT1 = "mr.brain.t1"

// brainSettings are the numbers of the brain step.
type brainSettings struct {
	Dark    float64 // 1
	Steps   float64 // 1
	MinML   float64 // ml
	MaxML   float64 // ml
	EdgePct float64 // %
	Tissue  float64 // 1
	LocalMM float64 // mm
	NeckMM  float64 // mm
	CloseMM float64 // mm
}

func brainOperation() operation {
	return define(operation{
		name: "brain", share: 0.8, gives: []imaging.Label{imaging.LabelBrain},
		doc: "the brain on T1-weighted MR: a surface that grows from the middle of the head until the image turns dark below the local brightness, smooth on the scale of its edges (Smith 2002); the local brightness follows a bias field",
	}, []parameter[brainSettings]{
		{Parameter{"Dark", "1", 0.1, 0.9, "the brain ends where the value falls below this part of the local maximum"}, func(s *brainSettings) *float64 { return &s.Dark }},
		{Parameter{"Steps", "1", 100, 5000, "moves of the surface"}, func(s *brainSettings) *float64 { return &s.Steps }},
		{Parameter{"MinML", "ml", 50, 1500, "a smaller brain is not believed"}, func(s *brainSettings) *float64 { return &s.MinML }},
		{Parameter{"MaxML", "ml", 500, 5000, "nor a larger one"}, func(s *brainSettings) *float64 { return &s.MaxML }},
		{Parameter{"EdgePct", "%", 1, 100, "part of the surface that must lie at an edge of the image"}, func(s *brainSettings) *float64 { return &s.EdgePct }},
		{Parameter{"Tissue", "1", 0.1, 0.95, "brain tissue inside the surface has at least this part of the local mean"}, func(s *brainSettings) *float64 { return &s.Tissue }},
		{Parameter{"LocalMM", "mm", 5, 60, "radius of the local mean inside the surface, which follows the bias field"}, func(s *brainSettings) *float64 { return &s.LocalMM }},
		{Parameter{"NeckMM", "mm", 0, 10, "what hangs on the brain by bridges of bright tissue thinner than twice this is cut off: eyes, marrow, meninges"}, func(s *brainSettings) *float64 { return &s.NeckMM }},
		{Parameter{"CloseMM", "mm", 0, 20, "sulci and cisterns as wide as twice this belong to the brain"}, func(s *brainSettings) *float64 { return &s.CloseMM }},
	}, func(s brainSettings) error {
		if s.MinML >= s.MaxML {
			return fmt.Errorf("MinML %g is not below MaxML %g", s.MinML, s.MaxML)
		}
		return nil
	}, findBrain)
}

// findBrain grows a surface, refuses what cannot be a brain, and paints it.
func findBrain(ctx context.Context, w *work, s brainSettings) error {
	g := w.c.Grid
	none := func(format string, a ...any) error {
		return &NotFoundError{imaging.LabelBrain, fmt.Sprintf(format, a...)}
	}
	h := measureHead(g, w.c.HU)
	if !(h.t98 > h.t2) || h.radius == 0 || h.tm <= h.t2 {
		return none("the values from the 2nd to the 98th percentile are %.0f to %.0f: nothing stands out", h.t2, h.t98)
	}
	b := icosphere(h.centre, h.radius/2, 4)
	if err := b.grow(ctx, g, w.c.HU, h, int(s.Steps), s.Dark, 1); err != nil {
		return err
	}
	m := b.mask(g)
	if err := w.show("surface", g, m); err != nil {
		return err
	}
	tissue, err := w.brainTissue(ctx, m, h, s)
	if err != nil {
		return err
	}
	m = tissue
	if err := w.show("brain", g, m); err != nil {
		return err
	}
	ml := w.ml(m.Count())
	edge, cut := b.atEdge(g, w.c.HU, h, s.Dark)
	if !(ml >= s.MinML && ml <= s.MaxML) {
		return none("the surface grown from the middle of the head holds %.0f ml, %.0f %% of it at an edge of the image; a brain has %g to %g ml: is this a T1-weighted head?", ml, 100*edge, s.MinML, s.MaxML)
	}
	if 100*edge < s.EdgePct/2 {
		return none("only %.0f %% of the surface of %.0f ml grown from the middle lies at an edge of the image, less than %g %%: is this a T1-weighted head?", 100*edge, ml, s.EdgePct/2)
	}
	d := doubts{confidence: 1}
	if 100*edge < s.EdgePct {
		d.lower(100*edge/s.EdgePct, "%.0f %% of its surface lies at an edge of the image, %g %% when seen clearly", 100*edge, s.EdgePct)
	}
	if cut > cutBrain {
		d.lower(0.5, "%.0f %% of its surface lies at the end of the scan: the field of view cuts it", 100*cut)
	}
	err = w.paint(ctx, w.out, imaging.LabelBrain, m, 0, func(phi float32, _ int) bool { return phi < 0 })
	if err != nil {
		return err
	}
	w.found(imaging.LabelBrain, Automatic, d.confidence, d.why...)
	return nil
}

// brainTissue is what is bright inside the surface m, against its local mean, in
// one piece after thin bridges are cut, with sulci closed and ventricles filled.
func (w *work) brainTissue(ctx context.Context, m filter.Mask, h headValues, s brainSettings) (filter.Mask, error) {
	g := w.c.Grid
	value, weight := make([]float32, g.Len()), make([]float32, g.Len())
	for n, in := range m {
		if v := w.c.HU[n]; in && float64(v) > h.t {
			value[n], weight[n] = min(v, float32(h.t98)), 1
		}
	}
	r := filter.Radius(g, s.LocalMM)
	value, err := filter.BoxMean(ctx, g, value, r)
	if err != nil {
		return nil, err
	}
	if weight, err = filter.BoxMean(ctx, g, weight, r); err != nil {
		return nil, err
	}
	tissue := filter.Where(g.Len(), func(n int) bool {
		if !m[n] || weight[n] <= 0 {
			return false
		}
		local := float64(value[n]/weight[n]) - h.t2
		return float64(w.c.HU[n]) > h.t2+s.Tissue*local
	})
	core, err := filter.Erode(ctx, g, tissue, s.NeckMM)
	if err != nil {
		return nil, err
	}
	if tissue, err = grownBack(ctx, g, filter.LargestOf(g, core), tissue, s.NeckMM); err != nil {
		return nil, err
	}
	wide, err := filter.Dilate(ctx, g, tissue, s.CloseMM)
	if err != nil {
		return nil, err
	}
	wide, err = filter.Erode(ctx, g, filter.Fill(g, wide), s.CloseMM)
	if err != nil {
		return nil, err
	}
	return filter.Fill(g, filter.Where(g.Len(), func(n int) bool { return tissue[n] || wide[n] && m[n] })), nil
}

// cutBrain is the part of the surface at the end of the scan beyond which the
// brain is taken for cut.
const cutBrain = 0.03

// atEdge is the part of the vertices beyond which the image turns darker than
// the local threshold within 6 mm, and the part at the end of the scan.
func (b *brainBalloon) atEdge(g imaging.Grid, f []float32, h headValues, dark float64) (edge, cut float64) {
	for v, p := range b.at {
		out := func(d float64) (float64, bool) {
			x, y, z := g.Voxel(r3.Add(p, r3.Scale(d, b.normal[v])))
			i, j, k := int(math.Round(x)), int(math.Round(y)), int(math.Round(z))
			if !g.Contains(i, j, k) {
				return 0, false
			}
			return float64(f[g.Index(i, j, k)]), true
		}
		most, least := h.t2, math.Inf(1)
		for d := 0.0; d <= lookBrightMM; d++ {
			if x, ok := out(-d); ok {
				most = max(most, x)
			}
		}
		ended := false
		for d := -2.0; d <= 6; d++ {
			x, ok := out(d)
			if !ok {
				ended = true
				break
			}
			least = min(least, x)
		}
		most = min(most, h.tm)
		switch {
		case ended:
			cut++
		case least < h.t2+dark*(most-h.t2):
			edge++
		}
	}
	n := float64(len(b.at))
	return edge / n, cut / n
}
