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
		doc:   "on each side of the spine the thick piece brighter than the middle of muscle and the commonest bright value there, other organs left out; medulla and pelvis filled in, the fat of the sinus not",
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
// does not stop the other.
func findKidneys(ctx context.Context, w *work, s kidneySettings) error {
	l, err := w.find(ctx, imaging.LabelKidneyRight)
	if err != nil {
		w.missing(imaging.LabelKidneyLeft, err.Error())
		return err
	}
	for _, side := range []struct {
		label imaging.Label
		sign  float64
		name  string
		mask  *filter.Mask
	}{
		{imaging.LabelKidneyRight, -1, "right", &l.kidneyR}, {imaging.LabelKidneyLeft, 1, "left", &l.kidneyL},
	} {
		k, err := kidneyIn(ctx, w.c.Grid, w.smooth, w.body, w.others(), l.spine, l.muscle, side.sign, s)
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
		*side.mask = k.m
		if err := w.show(side.name, w.c.Grid, k.m); err != nil {
			return err
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

// kidney is one kidney on the working grid.
type kidney struct {
	doubts
	bright, m  filter.Mask // candidates; the kidney
	hu, cutoff float64
	why        string // why it was not found
}

// Where kidneys lie, mm: beside the middle of the spine and behind its front,
// and the middle and spread of their own middles there.
const (
	kidneyNearMM, kidneyFarMM     = 15.0, 130.0
	kidneyAheadMM, kidneyBehindMM = 70.0, 60.0
	kidneySideMM, kidneyBackMM    = 55.0, 5.0
	kidneySpreadMM                = 25.0
)

// plainFatHU is fat that holds nothing else (−120 to −80 HU).
const plainFatHU = -100

// fatAround is the part of a kidney's surface that fat covers, at least, when
// it is outlined well: all but the hilum and where it leans on liver, spleen or
// muscle.
const fatAround = 0.35

// kidneyIn looks for the kidney on the side of sign (−1 right): taken is what
// belongs to other organs.
func kidneyIn(ctx context.Context, g imaging.Grid, smooth []float32, body, taken filter.Mask, s *spine, muscle, sign float64, set kidneySettings) (*kidney, error) {
	h := g.SpacingMM()
	out := &kidney{doubts: doubts{confidence: 1}}
	place := func(i, j, k int) (x, y float64, in bool) {
		x, y = sign*(float64(i)-s.I[k])*h[0], (float64(j)-s.Front[k])*h[1]
		return x, y, k >= s.First && k <= s.Last && x > kidneyNearMM && x < kidneyFarMM && y > -kidneyAheadMM && y < kidneyBehindMM
	}
	bright := filter.Where(g.Len(), func(n int) bool {
		if !body[n] || taken[n] || float64(smooth[n]) < muscle+set.AboveHU {
			return false
		}
		i, j, k := g.IJK(n)
		_, _, in := place(i, j, k)
		return in
	})
	out.bright = bright
	const binsAbove = 150
	hist := make([]float64, binsAbove)
	for n, in := range bright {
		if in {
			hist[min(int((float64(smooth[n])-muscle)/(2*binHU)), binsAbove-1)]++
		}
	}
	if ml := float64(bright.Count()) * g.VoxelMM3() / 1000; ml < set.MinML {
		out.why = fmt.Sprintf("only %.1f ml beside the spine are %.0f HU brighter than muscle (%.0f HU): no kidney in the field, or no contrast", ml, set.AboveHU, muscle)
		return out, ctx.Err()
	}
	hist = triangle(hist, 4)
	// the kidney is the brightest organ there: of the peaks at least half as high
	// as the highest, the brightest
	top := 0
	for b := range hist {
		if hist[b] > hist[top] {
			top = b
		}
	}
	for b := top + 1; b+1 < len(hist); b++ {
		if hist[b] >= hist[top]/2 && hist[b] >= hist[b-1] && hist[b] > hist[b+1] {
			top = b
		}
	}
	out.hu = muscle + (float64(top)+0.5)*2*binHU
	out.cutoff = max((out.hu+muscle)/2, muscle+set.AboveHU/2)
	window := filter.Where(g.Len(), func(n int) bool {
		if !body[n] || taken[n] || float64(smooth[n]) < out.cutoff {
			return false
		}
		i, j, k := g.IJK(n)
		_, _, in := place(i, j, k)
		return in
	})
	core, err := filter.Erode(ctx, g, window, set.OpenMM)
	if err != nil {
		return nil, err
	}
	p := filter.Components(g, core)
	at := make([]struct{ n, x, y float64 }, len(p.Count))
	for n, c := range p.Of {
		if c > 0 {
			i, j, k := g.IJK(n)
			x, y, _ := place(i, j, k)
			at[c].n, at[c].x, at[c].y = at[c].n+1, at[c].x+x, at[c].y+y
		}
	}
	best, most := int32(0), 0.0
	for c := 1; c < len(at); c++ {
		a := at[c]
		if m := a.n * bell(a.x/a.n-kidneySideMM, 0, kidneySpreadMM) * bell(a.y/a.n-kidneyBackMM, 0, kidneySpreadMM); m > most {
			best, most = int32(c), m
		}
	}
	if best == 0 {
		out.why = fmt.Sprintf("no piece brighter than %.0f HU and thicker than %.0f mm beside the spine", out.cutoff, 2*set.OpenMM)
		return out, ctx.Err()
	}
	core = p.Only(func(c int32) bool { return c == best })
	m, err := grownBack(ctx, g, core, window, set.OpenMM)
	if err != nil {
		return nil, err
	}
	closed, err := closing(ctx, g, m, set.CloseMM)
	if err != nil {
		return nil, err
	}
	m = filter.Where(g.Len(), func(n int) bool { return m[n] || closed[n] && !taken[n] && smooth[n] > fatHU && body[n] })
	m = filter.LargestOf(g, filter.FillSlices(g, m))
	out.m = filter.Where(g.Len(), func(n int) bool { return m[n] && !taken[n] })
	ml := float64(out.m.Count()) * g.VoxelMM3() / 1000
	if ml < set.MinML {
		out.why = fmt.Sprintf("the piece beside the spine has %.1f ml at %.0f HU, less than %.0f ml", ml, out.hu, set.MinML)
		return out, ctx.Err()
	}
	fat, faces := 0, 0
	for n, in := range out.m {
		if in {
			filter.Neighbours(g, n, func(o int) {
				if !out.m[o] {
					faces++
					if float64(smooth[o]) < muscle {
						fat++
					}
				}
			})
		}
	}
	if around := float64(fat) / float64(max(1, faces)); around < fatAround {
		out.lower(math.Max(around/fatAround, 0.3), "fat covers %.0f %% of its surface, at least %.0f %% when it is free", 100*around, 100*fatAround)
	}
	if ml > set.MaxML {
		out.lower(0.5, "%.0f ml: it may have leaked into a neighbour", ml)
	}
	if touchesEnd(g, out.m) {
		out.lower(0.8, "it reaches the first or last slice: the field of view may cut it, and its volume is that of the part scanned")
	}
	return out, ctx.Err()
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
