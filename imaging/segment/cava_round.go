package segment

import (
	"context"
	"errors"
	"math"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// What joins the vena cava from the side tapers towards it or is narrower: a
// disc of roundPart of the radius of the widest disc that fits into the blood
// of a slice reaches all of the cava and little of the veins. Blood counts as
// far as nearPart of the radius beyond the first outline; dents of less than
// dentMM are noise. Slices where the outline stays farther than organMM from
// the liver are left as they are: hepatic veins join within it.
const (
	roundPart = 0.9
	nearPart  = 0.75
	dentMM    = 1.0
	organMM   = 3.0
)

// roundCava makes the painted vena cava what such a disc reaches in each slice.
// low is the least HU of its blood beside liver, in slice k of the full grid.
func (w *work) roundCava(ctx context.Context, low func(k int) float64) error {
	out := w.out
	bit, not := out.Bit(imaging.LabelVenaCava), out.Bit(imaging.LabelAorta)|out.Bit(imaging.LabelBone)
	liver := out.Bit(imaging.LabelLiver)
	box := boundsOf(out, bit)
	if box.Empty() {
		return ctx.Err()
	}
	across := box
	across.Lo[2], across.Hi[2] = 0, 1
	across = across.Grow(out.Grid, 25).Clip(out.Grid)
	slice := out.Grid.Crop(across)
	slice.Size[2] = 1
	return par.ChunksCtx(ctx, box.Hi[2]-box.Lo[2], 1, func(lo, hi int) error {
		for z := lo; z < hi; z++ {
			k := z + box.Lo[2]
			at := func(n int) int { i, j, _ := slice.IJK(n); return out.Grid.Index(i+across.Lo[0], j+across.Lo[1], k) }
			was := filter.Where(slice.Len(), func(n int) bool { return out.Bits[at(n)]&bit != 0 })
			organ, err := filter.Dilate(ctx, slice, filter.Where(slice.Len(), func(n int) bool { return out.Bits[at(n)]&liver != 0 }), organMM)
			if err != nil {
				return err
			}
			beside := false
			for n, in := range was {
				beside = beside || in && organ[n]
			}
			if !beside {
				continue
			}
			now, err := roundSlice(ctx, slice, was, func(n int) bool {
				b := out.Bits[at(n)]
				return b&not == 0 && (was[n] && !organ[n] || w.meanNear(at(n)) > low(k))
			})
			if err != nil {
				return err
			}
			for n := range now {
				if p := at(n); now[n] {
					out.Bits[p] |= bit
				} else {
					out.Bits[p] &^= bit
				}
			}
		}
		return nil
	})
}

// roundSlice is the part of the blood around was, in one slice, that the disc
// reaches from the widest place. What lies deeper than twice dentMM in was
// counts as blood.
func roundSlice(ctx context.Context, g imaging.Grid, was filter.Mask, blood func(n int) bool) (filter.Mask, error) {
	area := float64(was.Count()) * g.SpacingMM()[0] * g.SpacingMM()[1]
	if area == 0 {
		return was, nil
	}
	radius := math.Sqrt(area / math.Pi)
	near, err := filter.Dilate(ctx, g, was, nearPart*radius)
	if err != nil {
		return nil, err
	}
	inner, err := filter.Erode(ctx, g, was, 2*dentMM)
	if err != nil {
		return nil, err
	}
	m := filter.Where(g.Len(), func(n int) bool { return inner[n] || near[n] && blood(n) })
	if m, err = filter.Dilate(ctx, g, m, dentMM); err != nil {
		return nil, err
	}
	if m, err = filter.Erode(ctx, g, m, dentMM); err != nil {
		return nil, err
	}
	m = filter.Fill(g, m)
	deep, err := distance.Unsigned(ctx, g, func(n int) bool { return !m[n] })
	if errors.Is(err, distance.ErrEmptySet) { // blood on all of the slice
		return was, nil
	}
	if err != nil {
		return nil, err
	}
	widest, top := float32(0), -1
	for n, in := range was {
		if in && m[n] && deep[n] > widest {
			widest, top = deep[n], n
		}
	}
	if top < 0 {
		return was, nil
	}
	r := roundPart * float64(widest)
	from := make(filter.Mask, len(m))
	from[top] = true
	core := filter.Reach(g, from, filter.Where(len(m), func(n int) bool { return m[n] && float64(deep[n]) > r }))
	h := g.SpacingMM()
	if core, err = filter.Dilate(ctx, g, core, r+max(h[0], h[1])); err != nil { // centres of voxels, on both sides
		return nil, err
	}
	return filter.Where(len(m), func(n int) bool { return core[n] && m[n] && near[n] }), nil
}

// sliceMM is how far apart slices may lie whose values are averaged.
const sliceMM = 2.5

// meanNear is the mean HU of the voxels around n in its slice and, where they
// are near enough, in those beside it.
func (w *work) meanNear(n int) float64 {
	g := w.v.Grid
	sum, count := w.mean9(n), 1.0
	if g.SpacingMM()[2] > sliceMM {
		return sum
	}
	for _, o := range [2]int{n - g.Size[0]*g.Size[1], n + g.Size[0]*g.Size[1]} {
		if o >= 0 && o < g.Len() {
			sum, count = sum+w.mean9(o), count+1
		}
	}
	return sum / count
}
