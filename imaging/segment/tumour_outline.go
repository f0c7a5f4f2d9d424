package segment

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// Passes of a surface, at most, and the change of its volume at which it rests.
const (
	stiffPasses = 6
	sharpPasses = 4
	restPart    = 0.01
)

// personGain is the gain at a seed: the person is right.
const personGain = 1000

// outline fits surfaces: stiff ones, each from the middle of the last and with
// the tissue inside it, then one that may bend, no further than Stretch times the
// last stiff one.
func (t *tumourOdds) outline(ctx context.Context, b ball) (*filter.Star, []float32, tissue, error) {
	s, g, h := t.s, t.w.c.Grid, t.w.stepMM()
	dark := b.hu < t.mean
	in := tissue{far: (b.hu - t.mean) / t.sd}
	gain := t.gain(in)
	at := func(p r3.Vec) float64 {
		if near(p, t.seeds, h) {
			return personGain
		}
		return sample(g, gain, p)
	}
	centre, most := b.c, 2.5*b.r+5*h
	var star *filter.Star
	for range stiffPasses {
		f, err := filter.FitStar(ctx, centre, at, filter.StarSettings{StepMM: h / 2, MostMM: min(s.ReachMM, most), Stiff: s.Stiff, Slope: 1})
		if err != nil {
			return nil, nil, in, err
		}
		if f.Smooth(1); star != nil && f.VolumeMM3() < star.VolumeMM3()/2 {
			break // its middle is not a better place to look from
		}
		done := star != nil && rests(f, star)
		star = f
		centre, most = star.Middle(), 1.5*star.MostMM()+5*h
		if done {
			break
		}
		// what lies around the surface tells the liver's value better than the whole
		// organ, and what it holds the tumour's better than the ball
		if hu, ok := t.beside(star); ok {
			t.mean = hu
		}
		if next, ok := t.tissueIn(star, dark); ok {
			in = next
			gain = t.gain(in)
		}
	}
	o := filter.StarSettings{StepMM: h / 2, MostMM: min(s.ReachMM, s.Stretch*star.MostMM()+4*h), Stiff: s.Bend, Slope: s.Slope}
	bent, err := filter.FitStar(ctx, centre, func(p r3.Vec) float64 {
		far := r3.Norm(r3.Sub(p, star.Centre))
		if far <= s.Stretch*(star.DepthMM(p)+far) {
			return at(p)
		}
		return notTissue
	}, o)
	if err != nil {
		return nil, nil, in, err
	}
	bent.Smooth(1)
	return bent, gain, in, nil
}

// near reports whether p lies within mm of a seed.
func near(p r3.Vec, seeds []r3.Vec, mm float64) bool {
	for _, q := range seeds {
		if r3.Norm(r3.Sub(p, q)) < mm {
			return true
		}
	}
	return false
}

// rests reports whether the volume of two surfaces is the same.
func rests(a, b *filter.Star) bool {
	return math.Abs(a.VolumeMM3()/b.VolumeMM3()-1) < restPart
}

// Sizes of the grid on which a tumour of one value is outlined.
const (
	sharpSteps = 6.0      // voxels to its radius, at least
	seenMM     = binFarMM // tissue around it that is seen
)

// sharpen fits the outline of a tumour of one value again on a finer grid: where
// the values pass the one that a ball of its size has at its surface, blurred as
// its border is found to be. Then it is moved out to where liver begins: by
// nothing when the border is as sharp as the scan shows it.
func (t *tumourOdds) sharpen(ctx context.Context, star *filter.Star, dark bool) (*filter.Star, border, error) {
	var c *filter.Coarse
	for range sharpPasses {
		size, far := radiusOf(star), seenFar(star)
		var err error
		if c, err = t.finer(ctx, star); err != nil {
			return nil, border{}, err
		}
		f, ok := t.fitBorder(c, star, dark)
		if !ok {
			break
		}
		fine := stepOf(c.Grid)
		gain := t.sharpGain(c, star, f)
		next, err := filter.FitStar(ctx, star.Middle(), func(p r3.Vec) float64 {
			if near(p, t.seeds, fine) {
				return personGain
			}
			return sample(c.Grid, gain, p)
		}, filter.StarSettings{StepMM: min(fine, size/sharpSteps) / 2, MostMM: far - fine, Stiff: t.s.Stiff, Slope: 1})
		if err != nil {
			return nil, border{}, err
		}
		next.Smooth(1)
		done := rests(next, star)
		if star = next; done {
			break
		}
	}
	f, ok := t.fitBorder(c, star, dark)
	if ok {
		t.grow(star, f.width)
	}
	return star, f, nil
}

// growStepMM is how finely grow looks for the end of a ray.
const growStepMM = 0.25

// grow moves a surface out by mm, no ray to where no tumour lies.
func (t *tumourOdds) grow(star *filter.Star, mm float64) {
	for n, r := range star.RadiusMM {
		for far := growStepMM; ; far += growStepMM {
			at, ok := t.w.voxel(star.On(n, r+min(far, mm)))
			if !ok || t.place(at) < 0 {
				break
			}
			if star.RadiusMM[n] = r + min(far, mm); far >= mm {
				break
			}
		}
	}
}

// stepOf is the largest spacing of a grid, mm.
func stepOf(g imaging.Grid) float64 {
	h := g.SpacingMM()
	return max(h[0], h[1], h[2])
}

// finer is the scan around a surface, in blocks of at most the working voxels.
func (t *tumourOdds) finer(ctx context.Context, star *filter.Star) (*filter.Coarse, error) {
	w := t.w
	var box imaging.Box
	wide := w.around(star.Centre, seenFar(star))
	for a, b := range w.c.Block {
		box.Lo[a], box.Hi[a] = wide.Lo[a]*b, min(wide.Hi[a]*b, w.v.Grid.Size[a])
	}
	return filter.Reduce(ctx, w.v.Crop(box), min(radiusOf(star)/sharpSteps, w.stepMM()))
}

// seenFar is how far from the middle of a surface the scan around it is seen, mm.
func seenFar(star *filter.Star) float64 { return 1.3*star.MostMM() + seenMM }

// sharpGain is the gain of each voxel of a finer grid around a surface with a
// border. It is linear in the value, so that it sums to that of the working voxels.
func (t *tumourOdds) sharpGain(c *filter.Coarse, star *filter.Star, f border) []float32 {
	g := c.Grid
	size := radiusOf(star)
	edge, step := f.at(size, size), f.inside-f.around
	most := t.s.Clear * math.Sqrt(t.w.c.Grid.VoxelMM3()/g.VoxelMM3()) // noise is more than in working voxels
	gain := make([]float32, g.Len())
	for v := range gain {
		i, j, k := g.IJK(v)
		at, ok := t.w.voxel(g.Point(float64(i), float64(j), float64(k)))
		if !ok {
			gain[v] = notTissue
			continue
		}
		if gain[v] = t.place(at); gain[v] == 0 {
			gain[v] = float32(min(max(step*(float64(c.HU[v])-edge)/(t.sd*t.sd), -most), most))
		}
	}
	return gain
}

// paintStar sets the voxels of the full grid inside a tumour's surface that hold
// tissue and belong to no tumour yet.
func (w *work) paintStar(ctx context.Context, t tumour) error {
	g, bit := w.v.Grid, bitOf(w.out, t.label)
	var others uint32
	for _, o := range w.tumours {
		others |= w.out.Bit(o.label)
	}
	h, most := g.SpacingMM(), t.star.MostMM()
	x, y, z := g.Voxel(t.star.Centre)
	var box imaging.Box
	for a, u := range [3]float64{x, y, z} {
		box.Lo[a], box.Hi[a] = int(math.Floor(u-most/h[a])), int(math.Ceil(u+most/h[a]))+1
	}
	box = box.Clip(g)
	size := box.Size()
	return par.ChunksCtx(ctx, size[1]*size[2], 16, func(lo, hi int) error {
		for r := lo; r < hi; r++ {
			j, k := box.Lo[1]+r%size[1], box.Lo[2]+r/size[1]
			for i := box.Lo[0]; i < box.Hi[0]; i++ {
				n := g.Index(i, j, k)
				if t.star.DepthMM(g.Point(float64(i), float64(j), float64(k))) > 0 && w.out.Bits[n]&others == 0 && w.mean9(n) > notFatHU {
					w.out.Bits[n] |= bit
				}
			}
		}
		return nil
	})
}
