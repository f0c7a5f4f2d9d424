package segment

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// vesselSettings are the numbers of the vessels step.
type vesselSettings struct {
	WorkMM   float64 // mm
	LocalMM  float64 // mm
	AboveHU  float64 // HU
	FollowHU float64 // HU
	Noise    float64 // 1
	RimMM    float64 // mm
	MinML    float64 // ml
	LidHU    float64 // HU
}

func vesselOperation() operation {
	return define(operation{
		name: "vessels", share: 0.3, needs: []imaging.Label{imaging.LabelLiver}, gives: []imaging.Label{imaging.LabelVessel},
		doc: "what stands out brighter than its surroundings inside the liver, by hysteresis",
	}, []parameter[vesselSettings]{
		{Parameter{"WorkMM", "mm", 0.4, 4, "voxel size for vessels"}, func(s *vesselSettings) *float64 { return &s.WorkMM }},
		{Parameter{"LocalMM", "mm", 4, 40, "radius of the box a vessel must stand out from"}, func(s *vesselSettings) *float64 { return &s.LocalMM }},
		{Parameter{"AboveHU", "HU", 5, 200, "it is begun this far above that box's mean"}, func(s *vesselSettings) *float64 { return &s.AboveHU }},
		{Parameter{"FollowHU", "HU", 3, 150, "and followed down to this"}, func(s *vesselSettings) *float64 { return &s.FollowHU }},
		{Parameter{"Noise", "1", 0.1, 10, "but not below this many standard deviations of the noise"}, func(s *vesselSettings) *float64 { return &s.Noise }},
		{Parameter{"RimMM", "mm", 0.5, 10, "rim of the liver without vessels: partial volume"}, func(s *vesselSettings) *float64 { return &s.RimMM }},
		{Parameter{"MinML", "ml", 0.005, 10, "smaller pieces are noise"}, func(s *vesselSettings) *float64 { return &s.MinML }},
		{Parameter{"LidHU", "HU", 5, 150, "a voxel counts in its surroundings as no more than this above the liver's value"}, func(s *vesselSettings) *float64 { return &s.LidHU }},
	}, func(s vesselSettings) error {
		if s.FollowHU > s.AboveHU {
			return fmt.Errorf("FollowHU %g is above AboveHU %g", s.FollowHU, s.AboveHU)
		}
		return nil
	}, segmentVessels)
}

// vessels is the result of findVessels: a mask on its own grid.
type vessels struct {
	w    *work       // the finer working grid, cropped to the liver
	box  imaging.Box // of that crop in the full grid
	mask filter.Mask
}

// segmentVessels finds the vessels in the liver, paints them and reports.
func segmentVessels(ctx context.Context, w *work, s vesselSettings) error {
	vs, err := w.findVessels(ctx, s)
	if err != nil {
		return err
	}
	if err := w.show("vessels", vs.w.c.Grid, vs.mask); err != nil {
		return err
	}
	if vs.mask.Count() == 0 {
		return &NotFoundError{imaging.LabelVessel, "nothing in the liver stands out brighter than its surroundings"}
	}
	w.rep.line(imaging.LabelVessel).Origin = Automatic
	return vs.paint(ctx, w)
}

// findVessels looks for what stands out brighter than its surroundings inside
// the liver painted in out: hysteresis on the smoothed contrast, small pieces
// dropped.
func (w *work) findVessels(ctx context.Context, s vesselSettings) (*vessels, error) {
	out := w.out
	liver, tumours := out.Bit(imaging.LabelLiver), uint32(0)
	for _, l := range out.Of {
		if l.IsTumour() {
			tumours |= out.Bit(l)
		}
	}
	// calcification is as bright as a vessel; a little around it is partial volume
	chalk, err := filter.Dilate(ctx, w.c.Grid, w.chalk, 1.5*w.stepMM())
	if err != nil {
		return nil, err
	}
	box := out.Grid.Bounds(func(n int) bool { return out.Bits[n]&liver != 0 })
	sub := w.v.Crop(box)
	c, err := filter.Reduce(ctx, sub, s.WorkMM)
	if err != nil {
		return nil, err
	}
	g := c.Grid
	fine := &work{o: w.o, v: sub, c: c, rep: w.rep, liverHU: w.liverHU}
	organ, quiet := make(filter.Mask, g.Len()), make(filter.Mask, g.Len())
	for n := range organ {
		i, j, k := g.IJK(n)
		at := func(a, p int) int { return box.Lo[a] + min(p*c.Block[a]+c.Block[a]/2, sub.Grid.Size[a]-1) }
		b := out.Bits[out.Grid.Index(at(0, i), at(1, j), at(2, k))]
		organ[n] = b&liver != 0
		at0, ok := w.voxel(g.Point(float64(i), float64(j), float64(k)))
		quiet[n] = organ[n] && b&tumours == 0 && !(ok && chalk[at0])
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	inner, err := filter.Erode(ctx, g, quiet, s.RimMM)
	if err != nil {
		return nil, err
	}
	soft, err := filter.BoxMean(ctx, g, c.HU, [3]int{1, 1, 1})
	if err != nil {
		return nil, err
	}
	// mean over the quiet liver in the box: sum of values over sum of weights
	val, wt := make([]float32, g.Len()), make([]float32, g.Len())
	par.Chunks(g.Len(), 1<<16, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			if quiet[n] {
				// bright voxels count as no more than the liver's upper end, so
				// that a thick vessel does not raise its own surroundings
				val[n] = min(c.HU[n], float32(w.liverHU+s.LidHU))
				wt[n] = 1
			}
		}
	})
	rad := filter.Radius(g, s.LocalMM)
	if val, err = filter.BoxMean(ctx, g, val, rad); err != nil {
		return nil, err
	}
	if wt, err = filter.BoxMean(ctx, g, wt, rad); err != nil {
		return nil, err
	}
	// contrast against the surroundings, at two scales
	fineC, softC := make([]float32, g.Len()), make([]float32, g.Len())
	par.Chunks(g.Len(), 1<<16, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			if wt[n] > 0 {
				around := val[n] / wt[n]
				fineC[n], softC[n] = (c.HU[n]+soft[n])/2-around, soft[n]-around
			}
		}
	})
	follow := max(s.FollowHU, s.Noise*darkSide(fineC, inner))
	begin := max(s.AboveHU, follow)
	low := filter.Where(g.Len(), func(n int) bool { return inner[n] && float64(fineC[n]) > follow })
	high := filter.Where(g.Len(), func(n int) bool { return low[n] && float64(softC[n]) > begin })
	p := filter.Components(g, filter.Reach(g, high, low))
	least := s.MinML * 1000 / g.VoxelMM3()
	m := p.Only(func(c int32) bool { return float64(p.Count[c]) >= least })
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &vessels{w: fine, box: box, mask: m}, ctx.Err()
}

// paint puts the vessels into the full grid.
func (v *vessels) paint(ctx context.Context, w *work) error {
	out := w.out
	liver, box := out.Bit(imaging.LabelLiver), v.box
	part := imaging.NewSegments(v.w.v.Grid, imaging.LabelVessel)
	if err := v.w.paint(ctx, part, imaging.LabelVessel, v.mask, 0, func(phi float32, n int) bool { return phi < 0 }); err != nil {
		return err
	}
	bit, g := bitOf(out, imaging.LabelVessel), part.Grid
	for n, b := range part.Bits {
		if b != 0 {
			i, j, k := g.IJK(n)
			if at := out.Grid.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2]); out.Bits[at]&liver != 0 {
				out.Bits[at] |= bit
			}
		}
	}
	return ctx.Err()
}

// darkSide is the standard deviation of the noise in x over m, from the values
// below zero: vessels stand on the other side.
func darkSide(x []float32, m filter.Mask) float64 {
	sum, n := 0.0, 0
	for i, in := range m {
		if in && x[i] < 0 {
			sum += float64(x[i]) * float64(x[i])
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return math.Sqrt(sum / float64(n))
}
