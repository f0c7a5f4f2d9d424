package segment

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// spleenSettings are the numbers of the spleen.
type spleenSettings struct {
	AboveHU float64 // HU
	EvenMM  float64 // mm
	EvenHU  float64 // HU
	BelowHU float64 // HU
	RiseHU  float64 // HU
	OpenMM  float64 // mm
	CloseMM float64 // mm
	MinML   float64 // ml
	MaxML   float64 // ml
}

func spleenOperation() operation {
	return define(operation{
		name: "spleen", share: 0.06, needs: []imaging.Label{imaging.LabelBody, imaging.LabelBone}, gives: []imaging.Label{imaging.LabelSpleen},
		doc: "the commonest value of even tissue in the left back of the body, a window around it, opened, the largest piece there, grown back, closed; other organs left out",
	}, []parameter[spleenSettings]{
		{Parameter{"AboveHU", "HU", 3, 100, "brighter than muscle by this much"}, func(s *spleenSettings) *float64 { return &s.AboveHU }},
		{Parameter{"EvenMM", "mm", 2, 20, "radius of the box in which it looks even"}, func(s *spleenSettings) *float64 { return &s.EvenMM }},
		{Parameter{"EvenHU", "HU", 1, 60, "standard deviation in that box, at most"}, func(s *spleenSettings) *float64 { return &s.EvenHU }},
		{Parameter{"BelowHU", "HU", 5, 100, "it reaches this far below its value, not below the middle of it and muscle"}, func(s *spleenSettings) *float64 { return &s.BelowHU }},
		{Parameter{"RiseHU", "HU", 5, 150, "and this far above"}, func(s *spleenSettings) *float64 { return &s.RiseHU }},
		{Parameter{"OpenMM", "mm", 1, 15, "bridges to other organs thinner than twice this are cut"}, func(s *spleenSettings) *float64 { return &s.OpenMM }},
		{Parameter{"CloseMM", "mm", 1, 20, "notches narrower than twice this are closed"}, func(s *spleenSettings) *float64 { return &s.CloseMM }},
		{Parameter{"MinML", "ml", 1, 100, "less is not a spleen"}, func(s *spleenSettings) *float64 { return &s.MinML }},
		{Parameter{"MaxML", "ml", 200, 3000, "more has leaked into a neighbour or is splenomegaly"}, func(s *spleenSettings) *float64 { return &s.MaxML }},
	}, nil, findSpleen)
}

// Where the spleen lies, mm from the spine: left of the vertebrae; and the flank,
// the part of that which kidney, heart and stomach hardly reach: beyond this
// part of half the body's width, and not far before the spine.
const (
	spleenLeftMM, spleenAheadMM = 25.0, 110.0
	flankPart, flankAheadMM     = 0.55, 40.0
)

func findSpleen(ctx context.Context, w *work, set spleenSettings) error {
	l, err := w.find(ctx, imaging.LabelSpleen)
	if err != nil {
		return err
	}
	g, h, s, smooth, taken := w.c.Grid, w.c.Grid.SpacingMM(), l.spine, w.smooth, w.others()
	within := func(n int, left, ahead float64) bool {
		i, j, k := g.IJK(n)
		return (float64(i)-s.I[k])*h[0] > left && (float64(j)-s.Front[k])*h[1] > -ahead
	}
	b := filter.Bounds(g, w.body)
	flankLeftMM := flankPart * float64(b.Hi[0]-b.Lo[0]) * h[0] / 2
	mean, variance, err := filter.Moments(ctx, g, smooth, filter.Radius(g, set.EvenMM))
	if err != nil {
		return err
	}
	const binsAbove = 150
	hist := make([]float64, binsAbove)
	limit := float32(set.EvenHU * set.EvenHU)
	for n, v := range smooth {
		bin := int((float64(v) - l.muscle) / binHU)
		if w.body[n] && !taken[n] && float64(v) > l.muscle+set.AboveHU && bin < binsAbove && variance[n] < limit && mean[n]-v < float32(set.EvenHU) && within(n, flankLeftMM, flankAheadMM) {
			hist[bin]++
		}
	}
	hist = triangle(hist, 4)
	top := 0
	for b := range hist {
		if hist[b] > hist[top] {
			top = b
		}
	}
	if hist[top] == 0 {
		return &NotFoundError{imaging.LabelSpleen, fmt.Sprintf("no even tissue left of the spine is %.0f HU brighter than muscle (%.0f HU): no contrast, or no spleen in the field", set.AboveHU, l.muscle)}
	}
	hu := l.muscle + (float64(top)+0.5)*binHU
	lo, hi := max((hu+l.muscle)/2, hu-set.BelowHU), hu+set.RiseHU
	window := filter.Where(g.Len(), func(n int) bool {
		return w.body[n] && !taken[n] && float64(smooth[n]) > lo && float64(smooth[n]) < hi && within(n, spleenLeftMM, spleenAheadMM)
	})
	core, err := filter.Erode(ctx, g, window, set.OpenMM)
	if err != nil {
		return err
	}
	p := filter.Components(g, core)
	behind := make([]int, len(p.Count))
	for n, c := range p.Of {
		if c > 0 && within(n, flankLeftMM, flankAheadMM) {
			behind[c]++
		}
	}
	best, most := int32(0), 0
	for c := 1; c < len(behind); c++ {
		if 3*behind[c] > p.Count[c] && behind[c] > most {
			best, most = int32(c), behind[c]
		}
	}
	if best == 0 {
		return &NotFoundError{imaging.LabelSpleen, fmt.Sprintf("no piece of %.0f to %.0f HU thicker than %.0f mm in the left flank", lo, hi, 2*set.OpenMM)}
	}
	core = p.Only(func(c int32) bool { return c == best })
	m, err := grownBack(ctx, g, core, window, regrow*set.OpenMM)
	if err != nil {
		return err
	}
	closed, err := closing(ctx, g, m, set.CloseMM)
	if err != nil {
		return err
	}
	m = filter.Where(g.Len(), func(n int) bool { return m[n] || closed[n] && float64(smooth[n]) > l.muscle && w.body[n] })
	m = filter.FillSlices(g, m)
	m = filter.LargestOf(g, filter.Where(g.Len(), func(n int) bool { return m[n] && !taken[n] }))
	ml := w.ml(m.Count())
	if ml < set.MinML {
		return &NotFoundError{imaging.LabelSpleen, fmt.Sprintf("the piece of %.0f HU in the left flank has %.1f ml, less than %.0f ml", hu, ml, set.MinML)}
	}
	l.spleen = m
	if err := w.show("spleen", g, m); err != nil {
		return err
	}
	edge, toFat := (hu+l.muscle)/2, (hu+plainFatHU)/2
	err = w.paint(ctx, w.out, imaging.LabelSpleen, m, 1, func(phi float32, n int) bool {
		return phi < -bandMM || phi < bandMM && w.mean9(n) > edge || phi < bandMM/2 && w.mean9(n) > toFat
	})
	if err != nil {
		return err
	}
	d := doubts{confidence: 1}
	if c := (hu - l.muscle) / (2 * set.AboveHU); c < 1 {
		d.lower(max(c, 0.3), "it has %.0f HU, muscle %.0f HU: less than %.0f HU apart", hu, l.muscle, 2*set.AboveHU)
	}
	if ml > set.MaxML {
		d.lower(0.5, "%.0f ml: it has leaked into a neighbour, or is enlarged", ml)
	}
	if touchesEnd(g, m) {
		d.lower(0.8, "it reaches the first or last slice: the field of view may cut it, and its volume is that of the part scanned")
	}
	w.found(imaging.LabelSpleen, Automatic, d.confidence, d.why...)
	return ctx.Err()
}
