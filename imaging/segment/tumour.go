package segment

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"
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
	SureSD  float64 // 1
	Doubt   float64 // 1
	BlurMM  float64 // mm
	Clear   float64 // 1
	Outside float64 // 1
	WallMM  float64 // mm
	HullMM  float64 // mm
	Stiff   float64 // 1
	Bend    float64 // 1
	Slope   float64 // 1
	Stretch float64 // 1
}

func tumourOperation() operation {
	return define(operation{
		name: "tumours", share: 0.1, needs: []imaging.Label{imaging.LabelLiver}, gives: []imaging.Label{imaging.LabelTumour},
		seeds: []imaging.Label{imaging.LabelTumour},
		doc:   "from seeds, or else round dark pieces of the liver as candidates",
	}, tumourParameters, nil, findTumours)
}

// tumourParameters name the numbers.
var tumourParameters = []parameter[tumourSettings]{
	{Parameter{"BelowHU", "HU", 5, 100, "candidates are this much darker than the liver"}, func(s *tumourSettings) *float64 { return &s.BelowHU }},
	{Parameter{"MinML", "ml", 0.05, 100, "smaller candidates are dropped"}, func(s *tumourSettings) *float64 { return &s.MinML }},
	{Parameter{"OpenMM", "mm", 0.5, 15, "what is thinner than twice this is not tumour"}, func(s *tumourSettings) *float64 { return &s.OpenMM }},
	{Parameter{"Round", "1", 0.05, 1, "sphericity of a candidate, at least"}, func(s *tumourSettings) *float64 { return &s.Round }},
	{Parameter{"ReachMM", "mm", 3, 150, "a seeded tumour stays within this distance of its seed"}, func(s *tumourSettings) *float64 { return &s.ReachMM }},
	{Parameter{"FairMM", "mm", 0.1, 10, "radius over which the outline is smoothed"}, func(s *tumourSettings) *float64 { return &s.FairMM }},
	{Parameter{"Most", "1", 0, 16, "automatic candidates, at most; 0 for none"}, func(s *tumourSettings) *float64 { return &s.Most }},
	{Parameter{"SureSD", "1", 0.5, 10, "a seed is refused when its tissue is less than this many standard deviations from liver"}, func(s *tumourSettings) *float64 { return &s.SureSD }},
	{Parameter{"Doubt", "1", -2, 5, "logarithm of the odds against a tumour of several values, before a voxel's value is seen"}, func(s *tumourSettings) *float64 { return &s.Doubt }},
	{Parameter{"BlurMM", "mm", 0.1, 3, "point spread of the scan, standard deviation, where too little skin against air shows it; small tumours seem to end inside their outline by it"}, func(s *tumourSettings) *float64 { return &s.BlurMM }},
	{Parameter{"Clear", "1", 0.5, 10, "logarithm of the odds that one voxel can give, at most"}, func(s *tumourSettings) *float64 { return &s.Clear }},
	{Parameter{"Outside", "1", 0, 10, "logarithm of the odds against a seeded tumour outside the liver that was found"}, func(s *tumourSettings) *float64 { return &s.Outside }},
	{Parameter{"WallMM", "mm", 0.1, 6, "the wall around calcification that belongs to a seeded tumour"}, func(s *tumourSettings) *float64 { return &s.WallMM }},
	{Parameter{"HullMM", "mm", 1, 40, "half-width of a notch of the liver that a seeded tumour may fill"}, func(s *tumourSettings) *float64 { return &s.HullMM }},
	{Parameter{"Stiff", "1", 0, 5, "price of bends of the first outline of a seeded tumour"}, func(s *tumourSettings) *float64 { return &s.Stiff }},
	{Parameter{"Bend", "1", 0, 5, "price of bends of its last outline"}, func(s *tumourSettings) *float64 { return &s.Bend }},
	{Parameter{"Slope", "1", 0.1, 5, "how steeply that may rise from a ball: tangent"}, func(s *tumourSettings) *float64 { return &s.Slope }},
	{Parameter{"Stretch", "1", 1, 3, "how far it may go beyond the first, as a multiple of its radius"}, func(s *tumourSettings) *float64 { return &s.Stretch }},
}

// tumour is one tumour at working resolution.
type tumour struct {
	label  imaging.Label
	m      filter.Mask
	star   *filter.Star // outline of one that is seeded and of one value; nil for others
	voxels int
	origin Origin
	doubts []string

	border         border       // of one that is seeded
	radius, finest float64      // of a ball of its volume and of a voxel of the scan, mm
	surface        *filter.Star // as found
	in             tissue       // in it
	cut            float64      // part of its surface with tissue like it outside the liver

	candidate candidate // the facts of an AutomaticCandidate
}

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
			t, err := w.growTumour(ctx, l, seeds, taken, s)
			var none *NotFoundError
			if errors.As(err, &none) {
				w.missing(l, none.Do)
				seeded = true
				continue
			}
			if err != nil {
				return err
			}
			for n, in := range t.m {
				w.liver[n] = w.liver[n] || in
			}
			keep(*t)
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
		t := tumour{label: imaging.LabelTumour + imaging.Label(n), m: p.Only(func(c int32) bool { return c == id }), origin: AutomaticCandidate}
		t.candidate = w.judgeCandidate(t.m, shape[id], s)
		keep(t)
	}
	if len(ids) > int(s.Most) {
		w.rep.note("%d smaller tumour candidates are left out", len(ids)-int(s.Most))
	}
	return w.paintTumours(ctx, out, s)
}

// paintTumours paints the tumours into the full grid, candidates inside the
// liver; a seeded tumour becomes part of it, calcification included.
func (w *work) paintTumours(ctx context.Context, ts []tumour, s tumourSettings) error {
	w.tumours = ts
	liver, bone := w.out.Bit(imaging.LabelLiver), w.out.Bit(imaging.LabelBone)
	for _, t := range ts {
		var err error
		if t.star != nil {
			err = w.paintStar(ctx, t)
		} else {
			err = w.paint(ctx, w.out, t.label, t.m, s.FairMM, func(phi float32, n int) bool {
				return phi < 0 && (w.out.Bits[n]&liver != 0 || t.origin == FromSeed && w.mean9(n) > notFatHU)
			})
		}
		if err != nil {
			return err
		}
		if bit := w.out.Bit(t.label); bit != 0 {
			box := w.out.Grid.Box()
			if t.star == nil {
				box = w.paintBox(t.m)
			}
			if err := amend(ctx, w.out, box, bit, bone, liver); err != nil {
				return err
			}
		}
		w.found(t.label, t.origin, t.sure(), t.told()...)
		if err := w.show(t.label.String(), w.c.Grid, t.m); err != nil {
			return err
		}
	}
	return nil
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
