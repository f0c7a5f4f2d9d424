package segment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// tumourSettings are the numbers of the tumours step.
type tumourSettings struct {
	BelowHU float64 // HU
	MinML   float64 // ml
	OpenMM  float64 // mm
	Round   float64 // 1
	ReachMM float64 // mm
	FairMM  float64 // mm
	Most    float64 // 1
}

func tumourOperation() operation {
	return define(operation{
		name: "tumours", share: 0.1, needs: []imaging.Label{imaging.LabelLiver}, gives: []imaging.Label{imaging.LabelTumour},
		seeds: []imaging.Label{imaging.LabelTumour},
		doc:   "from seeds, or else round dark pieces of the liver as candidates",
	}, []parameter[tumourSettings]{
		{Parameter{"BelowHU", "HU", 5, 100, "candidates are this much darker than the liver"}, func(s *tumourSettings) *float64 { return &s.BelowHU }},
		{Parameter{"MinML", "ml", 0.05, 100, "smaller candidates are dropped"}, func(s *tumourSettings) *float64 { return &s.MinML }},
		{Parameter{"OpenMM", "mm", 0.5, 15, "what is thinner than twice this is not tumour"}, func(s *tumourSettings) *float64 { return &s.OpenMM }},
		{Parameter{"Round", "1", 0.05, 1, "sphericity of a candidate, at least"}, func(s *tumourSettings) *float64 { return &s.Round }},
		{Parameter{"ReachMM", "mm", 3, 150, "a seeded tumour stays within this distance of its seed"}, func(s *tumourSettings) *float64 { return &s.ReachMM }},
		{Parameter{"FairMM", "mm", 0.1, 10, "radius over which the outline is smoothed"}, func(s *tumourSettings) *float64 { return &s.FairMM }},
		{Parameter{"Most", "1", 0, 16, "automatic candidates, at most; 0 for none"}, func(s *tumourSettings) *float64 { return &s.Most }},
	}, nil, findTumours)
}

// tumour is one tumour at working resolution.
type tumour struct {
	label  imaging.Label
	m      filter.Mask
	voxels int
	origin Origin
}

// seedBallMM is the radius around a tumour seed from which its HU is taken.
const seedBallMM = 4

// findTumours takes the seeded tumours in the order of their labels, then
// automatic candidates by volume.
func findTumours(ctx context.Context, w *work, s tumourSettings) error {
	g := w.c.Grid
	taken := make(filter.Mask, g.Len())
	var out []tumour
	seeded := false
	keep := func(t tumour) {
		for n, in := range t.m {
			if in && taken[n] {
				t.m[n] = false
			} else if in {
				taken[n] = true
			}
		}
		t.voxels = t.m.Count()
		out = append(out, t)
	}
	for l := imaging.LabelTumour; l.IsTumour(); l++ {
		if seeds := w.seeds(l); len(seeds) > 0 {
			m, err := w.growTumour(ctx, l, seeds, s)
			var none *NotFoundError
			if errors.As(err, &none) {
				w.missing(l, none.Do)
				seeded = true
				continue
			}
			if err != nil {
				return err
			}
			keep(tumour{label: l, m: m, origin: FromSeed})
		}
	}
	if s.Most == 0 || seeded || len(out) > 0 {
		return w.paintTumours(ctx, out, s) // who seeds tumours names them all
	}
	dark := float32(w.liverHU - s.BelowHU)
	m, err := w.rounded(ctx, s, filter.Where(g.Len(), func(n int) bool { return w.liver[n] && w.smooth[n] > fatHU && w.smooth[n] < dark }))
	if err != nil {
		return err
	}
	p := filter.Components(g, m)
	if err := ctx.Err(); err != nil {
		return err
	}
	shape := w.sphericity(p)
	var ids []int32
	for c := int32(1); c < int32(len(p.Count)); c++ {
		if w.ml(p.Count[c]) >= s.MinML && shape[c] >= s.Round {
			ids = append(ids, c)
		}
	}
	slices.SortStableFunc(ids, func(a, b int32) int { return cmp.Compare(p.Count[b], p.Count[a]) })
	for n, id := range ids[:min(len(ids), int(s.Most))] {
		keep(tumour{label: imaging.LabelTumour + imaging.Label(n), m: p.Only(func(c int32) bool { return c == id }), origin: AutomaticCandidate})
	}
	if len(ids) > int(s.Most) {
		w.rep.note("%d smaller tumour candidates are left out", len(ids)-int(s.Most))
	}
	return w.paintTumours(ctx, out, s)
}

// paintTumours paints the tumours into the full grid, inside the liver.
func (w *work) paintTumours(ctx context.Context, ts []tumour, s tumourSettings) error {
	w.tumours = ts
	liver := w.out.Bit(imaging.LabelLiver)
	for _, t := range ts {
		err := w.paint(ctx, w.out, t.label, t.m, s.FairMM, func(phi float32, n int) bool {
			return phi < 0 && w.out.Bits[n]&liver != 0
		})
		if err != nil {
			return err
		}
		w.found(t.label, t.origin, 1)
		if err := w.show(t.label.String(), w.c.Grid, t.m); err != nil {
			return err
		}
	}
	return nil
}

// growTumour follows from the seeds what is unlike liver on the tumour's side,
// and calcification, as far as TumourReachMM and the liver go.
func (w *work) growTumour(ctx context.Context, l imaging.Label, seeds []r3.Vec, s tumourSettings) (filter.Mask, error) {
	g := w.c.Grid
	near := func(n int, mm float64) bool {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		for _, at := range seeds {
			if r3.Norm(r3.Sub(p, at)) <= mm {
				return true
			}
		}
		return false
	}
	var sum, count float64
	start := make(filter.Mask, g.Len())
	for n, in := range w.liver {
		if in && near(n, seedBallMM) {
			start[n] = true
			sum += float64(w.smooth[n])
			count++
		}
	}
	if count == 0 {
		return nil, &NotFoundError{l, "its seed does not lie in the liver that was found; move the seed, or add a seed for the liver"}
	}
	mean := sum / count
	if math.Abs(mean-w.liverHU) < 2*w.liverSD {
		return nil, &NotFoundError{l, fmt.Sprintf("at its seed the tissue has %.0f HU, the same as liver (%.0f ± %.0f); move the seed to the middle of the tumour", mean, w.liverHU, w.liverSD)}
	}
	// halfway to liver, or for a dark tumour what a candidate would need: its
	// rim is often less dark than the middle, where the seed is
	half := (mean + w.liverHU) / 2
	if mean < w.liverHU {
		half = max(half, w.liverHU-s.BelowHU)
	}
	like := filter.Where(g.Len(), func(n int) bool {
		x := float64(w.smooth[n])
		return w.liver[n] && (start[n] || ((mean < w.liverHU) == (x < half) || w.chalk[n]) && near(n, s.ReachMM))
	})
	m, err := w.rounded(ctx, s, like)
	if err != nil {
		return nil, err
	}
	if grown := filter.Reach(g, filter.Where(len(m), func(n int) bool { return start[n] && m[n] }), m); grown.Count() > 0 {
		return grown, nil
	}
	return filter.Reach(g, start, like), nil // smaller than what opening leaves
}

// rounded opens a mask to cut tails, then closes and fills it to take in
// calcification and septa, inside the liver.
func (w *work) rounded(ctx context.Context, s tumourSettings, m filter.Mask) (filter.Mask, error) {
	g, r := w.c.Grid, s.OpenMM
	core, err := filter.Erode(ctx, g, m, r)
	if err != nil {
		return nil, err
	}
	grown, err := filter.Dilate(ctx, g, core, r+w.stepMM())
	if err != nil {
		return nil, err
	}
	opened := filter.Where(g.Len(), func(n int) bool { return grown[n] && m[n] })
	wide, err := filter.Dilate(ctx, g, opened, r)
	if err != nil {
		return nil, err
	}
	if wide, err = filter.Erode(ctx, g, wide, r); err != nil {
		return nil, err
	}
	return filter.Fill(g, filter.Where(g.Len(), func(n int) bool { return opened[n] || wide[n] && w.liver[n] })), ctx.Err()
}

// sphericity of each component: the surface of a ball of its volume over its
// own (Wadell 1935). Counted voxel faces overestimate a smooth surface by 3/2
// on average over directions, which is taken out.
func (w *work) sphericity(p *filter.Parts) []float64 {
	g, h := w.c.Grid, w.c.Grid.SpacingMM()
	area := make([]float64, len(p.Count))
	for n, c := range p.Of {
		if c == 0 {
			continue
		}
		filter.Neighbours(w.c.Grid, n, func(o int) {
			if p.Of[o] == c {
				return
			}
			switch d := max(o-n, n-o); {
			case d == 1:
				area[c] += h[1] * h[2]
			case d == g.Size[0]:
				area[c] += h[0] * h[2]
			default:
				area[c] += h[0] * h[1]
			}
		})
	}
	out := make([]float64, len(p.Count))
	for c := 1; c < len(out); c++ {
		v := float64(p.Count[c]) * g.VoxelMM3()
		out[c] = math.Cbrt(math.Pi) * math.Pow(6*v, 2.0/3) / (area[c] / 1.5)
	}
	return out
}
