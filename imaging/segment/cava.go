package segment

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"
)

func cavaOperation() operation {
	return define(operation{
		name: "vena cava", share: 0.1, needs: []imaging.Label{imaging.LabelBody, imaging.LabelBone}, gives: []imaging.Label{imaging.LabelVenaCava},
		doc: "the inferior vena cava: the roundest bright column right of the aorta, from the spine forward to the liver and the heart, outlined as the aorta is; where it runs in the liver, against the liver's value, and there what a disc nearly as wide as its blood reaches in each slice: not the veins that join it",
	}, columnParameters(), checkColumn, findCava)
}

// The inferior vena cava lies right of the midline by half a vertebra's width
// and leaves the spine for the heart, up to 5 cm before the vertebrae.
const (
	cavaRightMM, cavaAcrossMM = 20.0, 20.0
	cavaAheadMM, cavaDeepMM   = 25.0, 12.0
)

func findCava(ctx context.Context, w *work, s columnSettings) error {
	l, err := w.find(ctx, imaging.LabelVenaCava)
	if err != nil {
		return err
	}
	g, h := w.c.Grid, w.c.Grid.SpacingMM()
	a := l.aortaLine
	c, err := findColumn(ctx, g, w.smooth, columnBox(g, l.spine, 70, 30, 90), s, l.muscle, w.showRoundness(), func(i, j, k int, r roundness) float64 {
		if !w.body[g.Index(i, j, k)] {
			return 0
		}
		if a != nil && k >= a.First && k <= a.Last {
			x, y := (float64(i)-a.I[k])*h[0], (float64(j)-a.J[k])*h[1]
			if x > 0 || math.Hypot(x, y) < a.R[k]+s.LeastMM {
				return 0
			}
		}
		x := (float64(i) - l.spine.I[k]) * h[0]
		gap := (l.spine.Front[k]-float64(j))*h[1] - r.radius
		return brightness(r.inside, l.muscle, s.AboveHU) * bell(x+cavaRightMM, 0, cavaAcrossMM) * bell(gap-cavaAheadMM, cavaAheadMM, cavaDeepMM)
	})
	if err != nil {
		return err
	}
	if why := c.poor(g, s, l.muscle, "right of the aorta"); why != "" {
		return &NotFoundError{imaging.LabelVenaCava, why}
	}
	liver := math.Inf(1)
	if w.liver != nil {
		liver = w.liverHU
	}
	skip := filter.Where(g.Len(), func(n int) bool { return w.bone[n] || l.aorta != nil && l.aorta[n] })
	l.cava = c.outline(g, w.smooth, func(k int) (float64, float64) { return cavaWindow(c.V[k], l.muscle, liver) }, skip, 2*s.MostMM)
	if err := w.show("column", g, l.cava); err != nil {
		return err
	}
	out, aorta := bitOf(w.out, imaging.LabelVenaCava), w.out.Bit(imaging.LabelAorta)
	inLiver := w.out.Bit(imaging.LabelLiver)
	nearLow, wideLow := make([]float64, w.v.Grid.Size[2]), make([]float64, w.v.Grid.Size[2])
	for k := range nearLow { // its blood is mixed with that of the veins below: each slice has its own value
		v := c.V[min(max(k/w.c.Block[2], c.First), c.Last)]
		nearLow[k], _ = cavaWindow(v, l.muscle, liver)
		wideLow[k], _ = cavaWindow(v, l.muscle, math.Inf(1))
	}
	area := w.v.Grid.Size[0] * w.v.Grid.Size[1]
	err = w.paint(ctx, w.out, imaging.LabelVenaCava, l.cava, 0, func(phi float32, n int) bool {
		near, low := nearLow[n/area], wideLow[n/area]
		if w.out.Bits[n]&inLiver != 0 {
			low = near
		}
		return phi < -bandMM || phi < 0 && w.mean9(n) > near || phi < 1 && w.mean9(n) > low
	})
	if err != nil {
		return err
	}
	if err := w.roundCava(ctx, func(k int) float64 { return nearLow[k] }); err != nil {
		return err
	}
	if aorta != 0 {
		if err := amend(ctx, w.out, w.paintBox(l.cava), out|aorta, out, 0); err != nil {
			return err
		}
	}
	w.foundColumn(imaging.LabelVenaCava, c, s, l.muscle)
	return ctx.Err()
}

// cavaWindow is the range of blood of value v: down to the middle of it and of
// what surrounds it, muscle or liver; up by more than that, as renal blood
// mixes in. liver is +Inf where there is none.
func cavaWindow(v, muscle, liver float64) (low, high float64) {
	d := (v - muscle) / 2
	if v > liver {
		d = min(d, (v-liver)/2)
	}
	return v - max(d, leastEdgeHU), v + max(0.8*(v-muscle), 3*leastEdgeHU)
}

// leastEdgeHU is the smallest step that stands out of a smoothed image.
const leastEdgeHU = 8
