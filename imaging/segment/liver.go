package segment

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// liverSettings are the numbers of the liver step.
type liverSettings struct {
	MinHU         float64 // HU
	MaxHU         float64 // HU
	EvenMM        float64 // mm
	EvenHU        float64 // HU
	BelowHU       float64 // HU
	AboveHU       float64 // HU
	OpenMM        float64 // mm
	CloseMM       float64 // mm
	FairMM        float64 // mm
	MinML         float64 // ml
	LesionReachMM float64 // mm
	LesionTouch   float64 // 1
	LesionBelowHU float64 // HU
	LesionOpenMM  float64 // mm
	LesionMinML   float64 // ml
}

func liverOperation() operation {
	return define(operation{
		name: "liver", share: 0.25, needs: []imaging.Label{imaging.LabelBody}, gives: []imaging.Label{imaging.LabelLiver},
		seeds: []imaging.Label{imaging.LabelLiver},
		doc:   "the whole organ: the commonest value of even tissue in the right front of the body, a window around it, opened, the piece on the right, grown back, closed; then lesions that reach the surface",
	}, []parameter[liverSettings]{
		{Parameter{"MinHU", "HU", 1, 150, "range searched for the liver's own value"}, func(s *liverSettings) *float64 { return &s.MinHU }},
		{Parameter{"MaxHU", "HU", 50, 400, "range searched for the liver's own value"}, func(s *liverSettings) *float64 { return &s.MaxHU }},
		{Parameter{"EvenMM", "mm", 2, 30, "radius of the box in which liver looks even"}, func(s *liverSettings) *float64 { return &s.EvenMM }},
		{Parameter{"EvenHU", "HU", 1, 60, "standard deviation in that box, at most"}, func(s *liverSettings) *float64 { return &s.EvenHU }},
		{Parameter{"BelowHU", "HU", 5, 100, "parenchyma reaches this far below the liver's value"}, func(s *liverSettings) *float64 { return &s.BelowHU }},
		{Parameter{"AboveHU", "HU", 5, 150, "and this far above"}, func(s *liverSettings) *float64 { return &s.AboveHU }},
		{Parameter{"OpenMM", "mm", 1, 30, "bridges to other organs thinner than twice this are cut"}, func(s *liverSettings) *float64 { return &s.OpenMM }},
		{Parameter{"CloseMM", "mm", 1, 30, "channels and notches narrower than twice this are closed"}, func(s *liverSettings) *float64 { return &s.CloseMM }},
		{Parameter{"FairMM", "mm", 0.1, 10, "radius over which the outline is smoothed"}, func(s *liverSettings) *float64 { return &s.FairMM }},
		{Parameter{"MinML", "ml", 0.1, 1000, "less is not a liver"}, func(s *liverSettings) *float64 { return &s.MinML }},
		{Parameter{"LesionReachMM", "mm", 1, 60, "half-width of the widest notch a surface tumour may leave"}, func(s *liverSettings) *float64 { return &s.LesionReachMM }},
		{Parameter{"LesionTouch", "1", 0.1, 1, "part of its surface there that must touch liver or lung"}, func(s *liverSettings) *float64 { return &s.LesionTouch }},
		{Parameter{"LesionBelowHU", "HU", 5, 100, "and how much darker than liver it is"}, func(s *liverSettings) *float64 { return &s.LesionBelowHU }},
		{Parameter{"LesionOpenMM", "mm", 1, 20, "what is thinner than twice this is not part of it"}, func(s *liverSettings) *float64 { return &s.LesionOpenMM }},
		{Parameter{"LesionMinML", "ml", 0.05, 100, "smaller ones are left out"}, func(s *liverSettings) *float64 { return &s.LesionMinML }},
	}, func(s liverSettings) error {
		if s.MinHU >= s.MaxHU {
			return fmt.Errorf("MinHU %g is not below MaxHU %g", s.MinHU, s.MaxHU)
		}
		return nil
	}, findLiver)
}

// outwardMM is how far the liver may go beyond its coarse outline. That lies
// inside the true one, as voxels that are half fat fall out of the window; a
// wider band would take in the muscle that the liver leans on.
const outwardMM = 1

const binHU = 2 // width of a histogram bin

// liverMode finds the HU of liver: the commonest value of tissue that is even
// over a box of LiverEvenMM, in the patient's right front. No other organ there
// is as large; muscle is streaked with fat and lies behind.
func (w *work) liverMode(ctx context.Context, s liverSettings) error {
	g := w.c.Grid
	var pick func(n int) bool
	if seeds := w.seeds(imaging.LabelLiver); len(seeds) > 0 {
		pick = func(n int) bool {
			i, j, k := g.IJK(n)
			p := g.Point(float64(i), float64(j), float64(k))
			for _, at := range seeds {
				if r3.Norm(r3.Sub(p, at)) <= s.EvenMM {
					return true
				}
			}
			return false
		}
	} else {
		b := filter.Bounds(g, w.body)
		lo := g.Point(float64(b.Lo[0]), float64(b.Lo[1]), 0)
		hi := g.Point(float64(b.Hi[0]-1), float64(b.Hi[1]-1), 0)
		midX := (lo.X + hi.X) / 2
		backY := lo.Y + 0.75*(hi.Y-lo.Y)
		mean, variance, err := filter.Moments(ctx, g, w.smooth, filter.Radius(g, s.EvenMM))
		if err != nil {
			return err
		}
		limit := float32(s.EvenHU * s.EvenHU)
		pick = func(n int) bool {
			if !w.body[n] || w.bone[n] || variance[n] > limit || mean[n] < float32(s.MinHU) || mean[n] > float32(s.MaxHU) {
				return false
			}
			i, j, k := g.IJK(n)
			p := g.Point(float64(i), float64(j), float64(k))
			return p.X < midX && p.Y < backY
		}
	}
	hist := make([]float64, int((s.MaxHU-s.MinHU)/binHU)+1)
	for n := range w.smooth {
		if b := int((float64(w.smooth[n]) - s.MinHU) / binHU); w.smooth[n] >= float32(s.MinHU) && b < len(hist) && pick(n) {
			hist[b]++
		}
	}
	hist = triangle(hist, 3)
	top := 0
	for b := range hist {
		if hist[b] > hist[top] {
			top = b
		}
	}
	if hist[top] == 0 {
		return &NotFoundError{imaging.LabelLiver, "no even tissue of liver density in the right upper body; give a seed inside the liver"}
	}
	// half width at half maximum, the narrower side: the other may hold a
	// neighbouring organ
	side := func(step int) float64 {
		b := top
		for b+step >= 0 && b+step < len(hist) && hist[b+step] > hist[top]/2 {
			b += step
		}
		return math.Abs(float64(b-top)) + 0.5
	}
	w.liverHU = s.MinHU + (float64(top)+0.5)*binHU
	w.liverSD = max(2, min(side(-1), side(1))*binHU/math.Sqrt(2*math.Ln2))
	return nil
}

// triangle smooths a histogram with a triangle of 2r−1 bins.
func triangle(h []float64, r int) []float64 {
	out := make([]float64, len(h))
	for b := range h {
		for d := 1 - r; d < r; d++ {
			if b+d >= 0 && b+d < len(h) {
				out[b] += h[b+d] * float64(r-max(d, -d)) / float64(r*r)
			}
		}
	}
	return out
}

// findLiver is the liver's shape at working resolution.
func findLiver(ctx context.Context, w *work, s liverSettings) error {
	if err := w.liverMode(ctx, s); err != nil {
		return err
	}
	g := w.c.Grid
	lo, hi := float32(w.liverHU-s.BelowHU), float32(w.liverHU+s.AboveHU)
	window := filter.Where(g.Len(), func(n int) bool { return w.body[n] && !w.bone[n] && w.smooth[n] >= lo && w.smooth[n] <= hi })
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.show("window around the liver's value", g, window); err != nil {
		return err
	}
	core, err := filter.Erode(ctx, g, window, s.OpenMM)
	if err != nil {
		return err
	}
	p := filter.Components(g, core)
	id, err := w.choose(p, s)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	core = p.Only(func(c int32) bool { return c == id })
	grown, err := filter.Dilate(ctx, g, core, s.OpenMM+w.stepMM())
	if err != nil {
		return err
	}
	w.liver = filter.Reach(g, core, filter.Where(g.Len(), func(n int) bool { return grown[n] && window[n] }))
	if err := w.closeLiver(ctx, s.CloseMM); err != nil {
		return err
	}
	if err := w.addLesions(ctx, s); err != nil {
		return err
	}
	if ml := float64(w.liver.Count()) * g.VoxelMM3() / 1000; ml < s.MinML {
		return &NotFoundError{imaging.LabelLiver, fmt.Sprintf("only %.0f ml of tissue at %.0f HU hangs together; give a seed inside the liver", ml, w.liverHU)}
	}
	if err := w.show("liver", g, w.liver); err != nil {
		return err
	}
	return w.paintLiver(ctx, s)
}

// paintLiver paints the organ into the full grid; calcified tumour in it is no
// bone.
func (w *work) paintLiver(ctx context.Context, s liverSettings) error {
	edge := (w.liverHU + fatHU) / 2
	err := w.paint(ctx, w.out, imaging.LabelLiver, w.liver, s.FairMM, func(phi float32, n int) bool {
		return phi < -bandMM || phi < outwardMM && w.mean9(n) > edge
	})
	if err != nil {
		return err
	}
	w.rep.LiverHU, w.rep.LiverSD = w.liverHU, w.liverSD
	from := Automatic
	if len(w.seeds(imaging.LabelLiver)) > 0 {
		from = FromSeed
	}
	w.found(imaging.LabelLiver, from, 1)
	liver, bone := w.out.Bit(imaging.LabelLiver), w.out.Bit(imaging.LabelBone)
	return par.ChunksCtx(ctx, len(w.out.Bits), 1<<18, func(lo, hi int) error {
		for n, b := range w.out.Bits[lo:hi] {
			if b&liver != 0 {
				w.out.Bits[lo+n] = b &^ bone
			}
		}
		return nil
	})
}

// closeLiver takes in vessels, small lesions and noise: soft tissue that a
// closing by mm reaches, and what the liver encloses on all sides.
func (w *work) closeLiver(ctx context.Context, mm float64) error {
	g := w.c.Grid
	hull, err := w.closed(ctx, mm)
	if err != nil {
		return err
	}
	w.liver = filter.Fill(g, filter.Where(g.Len(), func(n int) bool { return w.liver[n] || hull[n] && w.smooth[n] > fatHU && w.body[n] }))
	return ctx.Err()
}

func (w *work) closed(ctx context.Context, mm float64) (filter.Mask, error) {
	m, err := filter.Dilate(ctx, w.c.Grid, w.liver, mm)
	if err != nil {
		return nil, err
	}
	return filter.Erode(ctx, w.c.Grid, m, mm)
}

// fatHU separates fat from soft tissue and fluid, airHU lung from the rest.
const (
	fatHU = 0
	airHU = -400
)

// addLesions takes in large tumours that reach the surface: pieces of tissue
// unlike liver, darker or calcified, that lie for a good part in a notch of the
// liver and there touch mostly liver or lung. Stomach, gall bladder and muscle
// touch mostly fat. A seeded tumour is taken in whatever it touches.
func (w *work) addLesions(ctx context.Context, s liverSettings) error {
	g := w.c.Grid
	w.chalk = w.calcification()
	if err := ctx.Err(); err != nil {
		return err
	}
	for n, in := range w.chalk {
		w.liver[n] = w.liver[n] || in
	}
	near, err := filter.Dilate(ctx, g, w.liver, s.LesionReachMM)
	if err != nil {
		return err
	}
	hull, err := w.closed(ctx, s.LesionReachMM)
	if err != nil {
		return err
	}
	dark := float32(w.liverHU - s.LesionBelowHU)
	cand := filter.Where(g.Len(), func(n int) bool {
		return near[n] && !w.liver[n] && w.body[n] && !w.bone[n] && w.smooth[n] > fatHU && w.smooth[n] < dark
	})
	core, err := filter.Erode(ctx, g, cand, s.LesionOpenMM)
	if err != nil {
		return err
	}
	p := filter.Components(g, core)
	least := s.LesionMinML * 1000 / g.VoxelMM3() / 4 // an opened core is smaller than its lesion
	for n, c := range p.Of {
		if c > 0 && float64(p.Count[c]) < least {
			p.Of[n] = 0
		}
	}
	p.Spread(w.c.Grid, cand, s.LesionOpenMM+w.stepMM())
	if err := ctx.Err(); err != nil {
		return err
	}
	keep := w.lesions(p, hull, s)
	for _, seed := range w.o.Seeds {
		if n, ok := w.voxel(seed.LPS); ok && seed.Label.IsTumour() {
			keep[p.Of[n]] = true
		}
	}
	keep[0] = false
	for n, c := range p.Of {
		w.liver[n] = w.liver[n] || keep[c]
	}
	return w.closeLiver(ctx, s.CloseMM)
}

// lesions judges each component by its part inside the hull.
func (w *work) lesions(p *filter.Parts, hull filter.Mask, s liverSettings) []bool {
	k := len(p.Count)
	all, in, faces, touch := make([]int, k), make([]int, k), make([]int, k), make([]int, k)
	for n, c := range p.Of {
		if c == 0 {
			continue
		}
		all[c]++
		if !hull[n] {
			continue
		}
		in[c]++
		filter.Neighbours(w.c.Grid, n, func(o int) {
			if p.Of[o] == c && hull[o] {
				return
			}
			faces[c]++
			if w.liver[o] || w.c.HU[o] < airHU {
				touch[c]++
			}
		})
	}
	keep := make([]bool, k)
	for c := 1; c < k; c++ {
		keep[c] = 3*in[c] >= all[c] && float64(touch[c]) >= s.LesionTouch*float64(faces[c]) && in[c] > 0
	}
	return keep
}

// calcification is the bone-bright tissue in pieces that touch liver for a good
// part of their surface, as no rib does.
func (w *work) calcification() filter.Mask {
	g := w.c.Grid
	p := filter.Components(g, w.bone)
	touch, faces := make([]int, len(p.Count)), make([]int, len(p.Count))
	for n, c := range p.Of {
		if c > 0 {
			filter.Neighbours(w.c.Grid, n, func(o int) {
				if p.Of[o] != c {
					faces[c]++
					if w.liver[o] {
						touch[c]++
					}
				}
			})
		}
	}
	return p.Only(func(c int32) bool { return 4*touch[c] >= faces[c] && float64(p.Count[c])*g.VoxelMM3() < 20e3 })
}

// choose is the component of the opened core that holds the liver: the nearest
// to the seeds, or without any the one with most voxels to the right of the
// middle of the body.
func (w *work) choose(p *filter.Parts, s liverSettings) (int32, error) {
	g := w.c.Grid
	best, bestMM := int32(0), math.Inf(1)
	for _, at := range w.seeds(imaging.LabelLiver) {
		for n, c := range p.Of {
			if c == 0 {
				continue
			}
			i, j, k := g.IJK(n)
			if d := r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), at)); d < bestMM {
				best, bestMM = c, d
			}
		}
	}
	if best > 0 {
		if bestMM > 4*s.OpenMM {
			return 0, &NotFoundError{imaging.LabelLiver, fmt.Sprintf("nothing like the tissue at the seed within %.0f mm; move the seed into plain liver, away from vessels and tumours", 4*s.OpenMM)}
		}
		return best, nil
	}
	b := filter.Bounds(g, w.body)
	mid := (b.Lo[0] + b.Hi[0]) / 2
	count := make([]int, len(p.Count))
	for n, c := range p.Of {
		if i, _, _ := g.IJK(n); c > 0 && i < mid {
			count[c]++
		}
	}
	for c := 1; c < len(count); c++ {
		if count[c] > 0 && (best == 0 || count[c] > count[best]) {
			best = int32(c)
		}
	}
	if best == 0 {
		return 0, &NotFoundError{imaging.LabelLiver, "no thick piece of even tissue right of the midline; give a seed inside the liver"}
	}
	return best, nil
}
