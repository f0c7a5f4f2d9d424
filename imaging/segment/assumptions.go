package segment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// assumptionSettings are the numbers of the assumptions step.
type assumptionSettings struct {
	SliceMM    float64 // mm
	MetalHU    float64 // HU
	MetalML    float64 // ml
	BloodHU    float64 // HU
	ArterialHU float64 // HU
}

func assumptionOperation() operation {
	return define(operation{
		name: "assumptions", share: 0.05, needs: []imaging.Label{imaging.LabelBody},
		doc: "measures what the recipe takes for granted: thin slices, no metal, contrast given, portal-venous phase",
	}, []parameter[assumptionSettings]{
		{Parameter{"SliceMM", "mm", 0.5, 20, "thickest slices for which outlines and thin vessels are sound"}, func(s *assumptionSettings) *float64 { return &s.SliceMM }},
		{Parameter{"MetalHU", "HU", 1500, 4000, "denser than any bone or contrast agent in a vein"}, func(s *assumptionSettings) *float64 { return &s.MetalHU }},
		{Parameter{"MetalML", "ml", 0.001, 100, "this much of it in the body casts streaks"}, func(s *assumptionSettings) *float64 { return &s.MetalML }},
		{Parameter{"BloodHU", "HU", 50, 200, "blood with contrast in the aorta is at least this bright"}, func(s *assumptionSettings) *float64 { return &s.BloodHU }},
		{Parameter{"ArterialHU", "HU", 20, 400, "in the arterial phase the aorta is this much brighter than the liver"}, func(s *assumptionSettings) *float64 { return &s.ArterialHU }},
	}, nil, checkAssumptions)
}

// lowConfidence is what a structure keeps at most when an assumption it leans
// on does not hold: it is there, but nobody should plan with it unseen.
const lowConfidence = 0.3

func checkAssumptions(ctx context.Context, w *work, s assumptionSettings) error {
	w.checkSlices(s)
	if err := w.checkMetal(ctx, s); err != nil {
		return err
	}
	return w.checkPhase(ctx, s)
}

// checkSlices measures the widest spacing of the scan.
func (w *work) checkSlices(s assumptionSettings) {
	h := w.v.Grid.SpacingMM()
	widest := max(h[0], h[1], h[2])
	w.rep.Checks = append(w.rep.Checks, Check{
		Assumption: "thin slices", Measured: fmt.Sprintf("voxels of %.2f × %.2f × %.2f mm", h[0], h[1], h[2]),
		Wanted: fmt.Sprintf("at most %g mm", s.SliceMM), Holds: widest <= s.SliceMM, AtMost: 0.6,
		Affects: []imaging.Label{imaging.LabelLiver, imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel, imaging.LabelTumour, imaging.LabelSpleen, imaging.LabelKidneyLeft, imaging.LabelKidneyRight},
		Do:      "outlines are uncertain by half a slice and vessels thinner than a slice are lost; use the thin reconstruction if there is one",
	})
}

// checkMetal measures metal in the body; its streaks run along the slices it is
// in, so the structures there are in doubt.
func (w *work) checkMetal(ctx context.Context, s assumptionSettings) error {
	g := w.v.Grid
	body, area := w.out.Bit(imaging.LabelBody), g.Size[0]*g.Size[1]
	count := make([]int, g.Size[2])
	seen := make([]uint32, g.Size[2])
	limit := (s.MetalHU - w.v.Intercept) / w.v.Slope
	err := par.ChunksCtx(ctx, g.Size[2], 1, func(lo, hi int) error {
		for k := lo; k < hi; k++ {
			for n := k * area; n < (k+1)*area; n++ {
				b := w.out.Bits[n]
				seen[k] |= b
				if b&body != 0 && float64(w.v.Data[n]) > limit == (w.v.Slope > 0) {
					count[k]++
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	total, slices := 0, 0
	in := uint32(0)
	for k, c := range count {
		if c > 0 {
			total += c
			slices++
			in |= seen[k]
		}
	}
	ml := float64(total) * g.VoxelMM3() / 1000
	c := Check{
		Assumption: "no metal in the body", Measured: fmt.Sprintf("%.2f ml above %.0f HU in %d slices", ml, s.MetalHU, slices),
		Wanted: fmt.Sprintf("less than %g ml", s.MetalML), Holds: ml < s.MetalML, AtMost: 0.5,
		Do: "streaks change the HU in these slices: look at every outline there",
	}
	for b, l := range w.out.Of {
		if in&(1<<b) != 0 && l != imaging.LabelBody {
			c.Affects = append(c.Affects, base(l))
		}
	}
	w.rep.Checks = append(w.rep.Checks, c)
	return nil
}

// checkPhase tells from the aorta and the liver whether contrast was given and
// has reached the portal veins: unenhanced blood has 30 to 60 HU whatever the
// patient; in the arterial phase the aorta is far brighter than the liver,
// which enhances through the portal vein only later (Bae, Intravenous contrast
// medium administration and scan timing at CT, Radiology 256 (2010) 32).
func (w *work) checkPhase(ctx context.Context, s assumptionSettings) error {
	if w.out.Bit(imaging.LabelLiver) == 0 {
		return ctx.Err() // no liver, nothing to judge
	}
	leans := []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel, imaging.LabelTumour}
	shown := append(slices.Clone(leans), imaging.LabelLiver, imaging.LabelSpleen, imaging.LabelKidneyLeft, imaging.LabelKidneyRight) // by contrast
	aorta, err := w.medianHU(ctx, imaging.LabelAorta)
	if err != nil {
		return err
	}
	if math.IsNaN(aorta) {
		bright, hu := w.brightest()
		w.rep.Checks = append(w.rep.Checks, Check{
			Assumption: "contrast given", Measured: fmt.Sprintf("no aorta; of vena cava, spleen and kidneys %s; liver %.0f HU", bright, w.liverHU),
			Wanted: fmt.Sprintf("one of them at least %g HU", s.BloodHU), Holds: hu >= s.BloodHU, AtMost: lowConfidence, Affects: shown,
			Do: "without contrast there are no vessels and few tumours to see: use the portal-venous series; if this is one, these organs lie outside its field",
		}, Check{
			Assumption: "portal-venous phase", Measured: fmt.Sprintf("liver %.0f HU, no aorta found to compare with", w.liverHU),
			Wanted: "an aorta in the field", AtMost: lowConfidence, Affects: leans,
			Do: "the phase cannot be told: look whether the veins of the liver are brighter than the liver",
		})
		return nil
	}
	w.rep.Checks = append(w.rep.Checks, Check{
		Assumption: "contrast given", Measured: fmt.Sprintf("aorta %.0f HU, liver %.0f HU", aorta, w.liverHU),
		Wanted: fmt.Sprintf("aorta at least %g HU", s.BloodHU), Holds: aorta >= s.BloodHU, AtMost: lowConfidence, Affects: shown,
		Do: "a scan without contrast shows no vessels and few tumours: use the portal-venous series",
	}, Check{
		Assumption: "portal-venous, not arterial phase", Measured: fmt.Sprintf("aorta %.0f HU brighter than the liver", aorta-w.liverHU),
		Wanted: fmt.Sprintf("at most %g HU brighter", s.ArterialHU), Holds: aorta-w.liverHU <= s.ArterialHU, AtMost: lowConfidence, Affects: leans,
		Do: "in the arterial phase the veins hold no contrast yet: use the portal-venous series",
	})
	return nil
}

// brightest says which of the organs that take up contrast is the brightest,
// and its mean HU, −Inf when none was found.
func (w *work) brightest() (string, float64) {
	said, most := "none was found", math.Inf(-1)
	for _, l := range []imaging.Label{imaging.LabelVenaCava, imaging.LabelSpleen, imaging.LabelKidneyLeft, imaging.LabelKidneyRight} {
		bit, n, sum := w.out.Bit(l), 0, 0.0
		if bit == 0 {
			continue
		}
		for at, b := range w.out.Bits {
			if b&bit != 0 {
				n++
				sum += w.hu(at)
			}
		}
		if mean := sum / float64(max(n, 1)); n > 0 && mean > most {
			said, most = fmt.Sprintf("the brightest is %s of %.0f HU", l.Words(), mean), mean
		}
	}
	return said, most
}

// medianHU is the median value of a structure in the result, NaN when it is not
// there. At most about 10⁵ evenly spread voxels are looked at.
func (w *work) medianHU(ctx context.Context, l imaging.Label) (float64, error) {
	bit := w.out.Bit(l)
	before := make([]int, (len(w.out.Bits)+bitChunk-1)/bitChunk+1) // voxels before each chunk
	err := par.ChunksCtx(ctx, len(w.out.Bits), bitChunk, func(lo, hi int) error {
		count := 0
		for _, b := range w.out.Bits[lo:hi] {
			if b&bit != 0 {
				count++
			}
		}
		before[lo/bitChunk+1] = count
		return nil
	})
	if err != nil {
		return 0, err
	}
	for c := range before[1:] {
		before[c+1] += before[c]
	}
	count := before[len(before)-1]
	if count == 0 {
		return math.NaN(), nil
	}
	every := max(1, count/100_000)
	x := make([]int16, (count+every-1)/every)
	err = par.ChunksCtx(ctx, len(w.out.Bits), bitChunk, func(lo, hi int) error {
		seen := before[lo/bitChunk]
		for n, b := range w.out.Bits[lo:hi] {
			if b&bit != 0 {
				if seen%every == 0 {
					x[seen/every] = w.v.Data[lo+n]
				}
				seen++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return w.v.Slope*float64(filter.Ranked(x, len(x)/2)) + w.v.Intercept, nil
}
