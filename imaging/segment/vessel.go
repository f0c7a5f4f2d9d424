package segment

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// vesselSettings are the numbers of the vessels step.
type vesselSettings struct {
	WorkMM    float64 // mm
	LocalMM   float64 // mm
	NearMM    float64 // mm
	SmoothMM  float64 // mm
	Begin     float64 // 1
	Follow    float64 // 1
	Part      float64 // 1
	EdgeMM    float64 // mm
	RimMM     float64 // mm
	MinML     float64 // ml
	LeastPart float64 // 1
	BloodHU   float64 // HU
}

func vesselOperation() operation {
	return define(operation{
		name: "vessels", share: 0.3, needs: []imaging.Label{imaging.LabelLiver}, gives: []imaging.Label{imaging.LabelVessel},
		doc: "what stands out of the noise brighter than the parenchyma around it, by hysteresis; withheld when the blood is no brighter than the liver",
	}, []parameter[vesselSettings]{
		{Parameter{"WorkMM", "mm", 0.4, 4, "voxel size for vessels, narrower than the thinnest that are outlined, 1.5 to 2 mm"}, func(s *vesselSettings) *float64 { return &s.WorkMM }},
		{Parameter{"LocalMM", "mm", 4, 40, "radius of the box whose parenchyma a vessel must stand out from; it is taken twice"}, func(s *vesselSettings) *float64 { return &s.LocalMM }},
		{Parameter{"NearMM", "mm", 2, 40, "radius of the box within which parenchyma that takes up more contrast is still parenchyma"}, func(s *vesselSettings) *float64 { return &s.NearMM }},
		{Parameter{"SmoothMM", "mm", 0.3, 4, "standard deviation of the Gaussian over the contrast; up to 2.25 times this in a scan so noisy that next to nothing stands out"}, func(s *vesselSettings) *float64 { return &s.SmoothMM }},
		{Parameter{"Begin", "1", 1, 20, "a vessel is begun this many standard deviations of the smoothed noise above the parenchyma"}, func(s *vesselSettings) *float64 { return &s.Begin }},
		{Parameter{"Follow", "1", 1, 20, "and followed down to this many"}, func(s *vesselSettings) *float64 { return &s.Follow }},
		{Parameter{"Part", "1", 0, 1, "but not below this part of the contrast of the clearest tenth of the vessels: beyond it partial volume is outlined"}, func(s *vesselSettings) *float64 { return &s.Part }},
		{Parameter{"EdgeMM", "mm", 0, 4, "a vessel is outlined at half its contrast: this far beyond where it was followed to, down to half of what is usual where it was"}, func(s *vesselSettings) *float64 { return &s.EdgeMM }},
		{Parameter{"RimMM", "mm", 0.5, 10, "no vessel is begun in this rim of the liver: partial volume with what lies beside it"}, func(s *vesselSettings) *float64 { return &s.RimMM }},
		{Parameter{"MinML", "ml", 0.005, 10, "smaller pieces are noise"}, func(s *vesselSettings) *float64 { return &s.MinML }},
		{Parameter{"LeastPart", "1", 0, 0.1, "vessels that make up less than this part of the liver are not its trees: nothing is given"}, func(s *vesselSettings) *float64 { return &s.LeastPart }},
		{Parameter{"BloodHU", "HU", 0, 100, "blood in the aorta is at least this much brighter than the liver, else no vessel is looked for"}, func(s *vesselSettings) *float64 { return &s.BloodHU }},
	}, func(s vesselSettings) error {
		if s.Follow > s.Begin {
			return fmt.Errorf("the parameter Follow is %g, above Begin, %g", s.Follow, s.Begin)
		}
		return nil
	}, segmentVessels)
}

// segmentVessels finds the vessels in the liver, paints them and reports.
func segmentVessels(ctx context.Context, w *work, s vesselSettings) error {
	aorta, err := w.medianHU(ctx, imaging.LabelAorta)
	if err != nil {
		return err
	}
	f, err := newVesselField(ctx, w, s, aorta)
	if err != nil {
		return err
	}
	if aorta-w.liverHU < s.BloodHU { // false when there is no aorta
		return &NotFoundError{imaging.LabelVessel, fmt.Sprintf(
			"blood in the aorta has %.0f HU, the liver %.0f HU: a contrast of %.0f HU against a noise of %.1f HU, at least %g HU where vessels can be seen; use the portal-venous series",
			aorta, w.liverHU, aorta-w.liverHU, f.noise, s.BloodHU)}
	}
	m, err := f.find(ctx, s)
	if err != nil {
		return err
	}
	found, whole := 0, f.organ.Count()
	few := func() bool { found = m.Count(); return float64(found) < s.LeastPart*float64(whole) || found == 0 }
	for _, more := range []float64{1.5, 2.25} { // a noisier scan shows its thick vessels when it is smoothed more
		if !few() {
			break
		}
		if err := f.soften(ctx, more*s.SmoothMM); err != nil {
			return err
		}
		if m, err = f.find(ctx, s); err != nil {
			return err
		}
	}
	if err := w.showField("contrast, HU", f.c.Grid, f.contrast); err != nil {
		return err
	}
	if err := w.show("vessels", f.c.Grid, m); err != nil {
		return err
	}
	if few() {
		return &NotFoundError{imaging.LabelVessel, fmt.Sprintf(
			"only %.2f %% of the liver stands out from its surroundings by %.0f HU or more (%g × the noise of %.1f HU), at least %.2f %% where vessels hold contrast; use the portal-venous series",
			100*float64(found)/float64(max(whole, 1)), s.Follow*f.noise, s.Follow, f.noise, 100*s.LeastPart)}
	}
	d := doubts{confidence: 1}
	if clear := float64(f.quantile(m, 0.5)) / f.noise; clear < s.Begin {
		d.lower(clear/s.Begin, "half of it stands out by less than %.1f times the noise of %.1f HU", clear, f.noise)
	}
	w.found(imaging.LabelVessel, Automatic, d.confidence, d.why...)
	return f.paint(ctx, w, m)
}

// find is hysteresis on the smoothed contrast, and an outline at half of it.
func (f *vesselField) find(ctx context.Context, s vesselSettings) (filter.Mask, error) {
	n := len(f.contrast)
	begin := float32(s.Begin * f.noise)
	seed := filter.Where(n, func(n int) bool { return f.inner[n] && f.contrast[n] > begin })
	// where the noise is low the outline is set by partial volume
	lift := max(1, float32(s.Part)*f.quantile(seed, 0.9)/float32(s.Follow*f.noise))
	follow := lift * float32(s.Follow*f.noise)
	begin *= lift
	low := filter.Where(n, func(n int) bool { return f.quiet[n] && f.contrast[n] > follow })
	high := filter.Where(n, func(n int) bool { return seed[n] && f.contrast[n] > begin })
	m := filter.Hysteresis(f.c.Grid, low, high, s.MinML*1000/f.c.Grid.VoxelMM3())
	half := f.quantile(m, 0.5) / 2
	if half >= follow || s.EdgeMM == 0 {
		return m, ctx.Err()
	}
	near, err := filter.Dilate(ctx, f.c.Grid, m, s.EdgeMM)
	if err != nil {
		return nil, err
	}
	for n, in := range near {
		m[n] = m[n] || in && f.quiet[n] && f.contrast[n] > half
	}
	return m, nil
}

// paint puts the vessels into the full grid, inside the liver.
func (f *vesselField) paint(ctx context.Context, w *work, m filter.Mask) error {
	out := w.out
	liver, bit := out.Bit(imaging.LabelLiver), bitOf(out, imaging.LabelVessel)
	if f.c.Block == [3]int{1, 1, 1} {
		g := f.c.Grid
		for n, in := range m {
			if in {
				i, j, k := g.IJK(n)
				if at := out.Grid.Index(i+f.box.Lo[0], j+f.box.Lo[1], k+f.box.Lo[2]); out.Bits[at]&liver != 0 {
					out.Bits[at] |= bit
				}
			}
		}
		return ctx.Err()
	}
	part := imaging.NewSegments(f.v.Grid, imaging.LabelVessel)
	fine := &work{o: w.o, v: f.v, c: f.c, rep: w.rep}
	if err := fine.paint(ctx, part, imaging.LabelVessel, m, 0, func(phi float32, n int) bool { return phi < 0 }); err != nil {
		return err
	}
	for n, b := range part.Bits {
		if b != 0 {
			i, j, k := part.Grid.IJK(n)
			if at := out.Grid.Index(i+f.box.Lo[0], j+f.box.Lo[1], k+f.box.Lo[2]); out.Bits[at]&liver != 0 {
				out.Bits[at] |= bit
			}
		}
	}
	return ctx.Err()
}
