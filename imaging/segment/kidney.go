package segment

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// kidneySettings are the numbers of the kidneys.
type kidneySettings struct {
	AboveHU float64 // HU
	OpenMM  float64 // mm
	CloseMM float64 // mm
	MinML   float64 // ml
	MaxML   float64 // ml
}

func kidneyOperation() operation {
	return define(operation{
		name: "kidneys", share: 0.06, needs: []imaging.Label{imaging.LabelBody, imaging.LabelBone},
		gives: []imaging.Label{imaging.LabelKidneyRight, imaging.LabelKidneyLeft},
		doc:   "on each side of the spine the thick piece brighter than the middle of muscle and a commonest bright value there that looks most like a kidney: of place, in fat, off bone, as full of contrast as blood; without contrast the thick piece in fat. Medulla and pelvis are filled in, the fat of the sinus not",
	}, []parameter[kidneySettings]{
		{Parameter{"AboveHU", "HU", 5, 150, "parenchyma is brighter than muscle by this much"}, func(s *kidneySettings) *float64 { return &s.AboveHU }},
		{Parameter{"OpenMM", "mm", 1, 15, "bridges to other organs thinner than twice this are cut"}, func(s *kidneySettings) *float64 { return &s.OpenMM }},
		{Parameter{"CloseMM", "mm", 1, 20, "darker medulla and pelvis narrower than twice this are filled"}, func(s *kidneySettings) *float64 { return &s.CloseMM }},
		{Parameter{"MinML", "ml", 1, 100, "less is not a kidney"}, func(s *kidneySettings) *float64 { return &s.MinML }},
		{Parameter{"MaxML", "ml", 100, 2000, "more has leaked into a neighbour"}, func(s *kidneySettings) *float64 { return &s.MaxML }},
	}, func(s kidneySettings) error {
		if s.MinML >= s.MaxML {
			return fmt.Errorf("MinML %g is not below MaxML %g", s.MinML, s.MaxML)
		}
		return nil
	}, findKidneys)
}

// findKidneys looks for the right, then the left kidney; one that is missing
// does not stop the other. What is unlike the other is doubted.
func findKidneys(ctx context.Context, w *work, s kidneySettings) error {
	l, err := w.find(ctx, imaging.LabelKidneyRight)
	if err != nil {
		w.missing(imaging.LabelKidneyLeft, err.Error())
		return err
	}
	blood, liver := math.NaN(), math.NaN()
	if w.liver != nil {
		liver = medianOf(w.smooth, w.liver)
	}
	if l.aorta != nil {
		blood = medianOf(w.smooth, l.aorta)
	}
	sides := []struct {
		label imaging.Label
		sign  float64
		name  string
		mask  *filter.Mask
		found *kidney
	}{
		{imaging.LabelKidneyRight, -1, "right", &l.kidneyR, nil}, {imaging.LabelKidneyLeft, 1, "left", &l.kidneyL, nil},
	}
	for n := range sides {
		side := &sides[n]
		search := kidneySearch{w.c.Grid, w.smooth, w.body, w.others(), w.bone, l.spine, l.muscle, blood, liver, side.sign, s}
		k, err := search.run(ctx)
		if err != nil {
			return err
		}
		if err := w.show(side.name+", bright", w.c.Grid, k.bright); err != nil {
			return err
		}
		if k.why != "" {
			w.missing(side.label, k.why)
			continue
		}
		side.found, *side.mask = k, k.m
		if err := w.show(side.name, w.c.Grid, k.m); err != nil {
			return err
		}
	}
	if a, b := sides[0].found, sides[1].found; a != nil && b != nil {
		a.compare(b, l.muscle)
		b.compare(a, l.muscle)
	}
	for _, side := range sides {
		k := side.found
		if k == nil {
			continue
		}
		toFat := (k.hu + plainFatHU) / 2
		err = w.paint(ctx, w.out, side.label, k.m, 1, func(phi float32, n int) bool {
			return phi < -bandMM || phi < bandMM && w.mean9(n) > k.cutoff || phi < bandMM/2 && w.mean9(n) > toFat
		})
		if err != nil {
			return err
		}
		w.found(side.label, Automatic, k.confidence, k.doubts.why...)
	}
	return ctx.Err()
}

// medianOf is the median of values within m; NaN when m is empty.
func medianOf(values []float32, m filter.Mask) float64 {
	var x []float64
	for n, in := range m {
		if in {
			x = append(x, float64(values[n]))
		}
	}
	if len(x) == 0 {
		return math.NaN()
	}
	return median(x)
}

// regrow is how far, in radii of the opening, thin ends of an organ are
// followed beyond what a plain opening would give back.
const regrow = 3

// grownBack is what an opening by mm leaves of within around core.
func grownBack(ctx context.Context, g imaging.Grid, core, within filter.Mask, mm float64) (filter.Mask, error) {
	h := g.SpacingMM()
	grown, err := filter.Dilate(ctx, g, core, mm+max(h[0], h[1], h[2]))
	if err != nil {
		return nil, err
	}
	return filter.Reach(g, core, filter.Where(g.Len(), func(n int) bool { return grown[n] && within[n] })), ctx.Err()
}

// closing is m dilated and eroded by mm.
func closing(ctx context.Context, g imaging.Grid, m filter.Mask, mm float64) (filter.Mask, error) {
	d, err := filter.Dilate(ctx, g, m, mm)
	if err != nil {
		return nil, err
	}
	return filter.Erode(ctx, g, d, mm)
}
