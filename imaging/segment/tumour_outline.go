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
func (t *tumourOdds) outline(ctx context.Context, b ball, seeds []r3.Vec) (*filter.Star, []float32, tissue, error) {
	s, g, h := t.s, t.w.c.Grid, t.w.stepMM()
	dark := b.hu < t.mean
	in := tissue{far: (b.hu - t.mean) / t.sd}
	gain := t.gain(in)
	at := func(p r3.Vec) float64 {
		if near(p, seeds, h) {
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
		// what the surface holds tells the tumour's value better than the ball
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
	sharpSteps = 6.0 // voxels to its radius, at least
	seenMM     = 6.0 // tissue around it that is seen
	besideMM   = 5.0 // and that tells the value of what surrounds it
)

// sharpen fits the outline of a tumour of one value again on a finer grid: where
// the values pass the one that a ball of its size, blurred by the point spread of
// the scan, has at its surface. The values inside and around are those that fit
// such a ball best (least squares).
func (t *tumourOdds) sharpen(ctx context.Context, star *filter.Star, seeds []r3.Vec) (*filter.Star, error) {
	w := t.w
	for range sharpPasses {
		size, far := radiusOf(star), 1.3*star.MostMM()+seenMM
		c, err := w.finer(ctx, star.Centre, far, size/sharpSteps)
		if err != nil {
			return nil, err
		}
		fine := stepOf(c.Grid)
		gain := t.sharpGain(c, star)
		next, err := filter.FitStar(ctx, star.Middle(), func(p r3.Vec) float64 {
			if near(p, seeds, fine) {
				return personGain
			}
			return sample(c.Grid, gain, p)
		}, filter.StarSettings{StepMM: min(fine, size/sharpSteps) / 2, MostMM: far - fine, Stiff: t.s.Stiff, Slope: 1})
		if err != nil {
			return nil, err
		}
		next.Smooth(1)
		done := rests(next, star)
		if star = next; done {
			break
		}
	}
	return star, nil
}

// stepOf is the largest spacing of a grid, mm.
func stepOf(g imaging.Grid) float64 {
	h := g.SpacingMM()
	return max(h[0], h[1], h[2])
}

// finer is the scan within far of p in blocks of at most the working voxels.
func (w *work) finer(ctx context.Context, p r3.Vec, far, step float64) (*filter.Coarse, error) {
	var box imaging.Box
	wide := w.around(p, far)
	for a, b := range w.c.Block {
		box.Lo[a], box.Hi[a] = wide.Lo[a]*b, min(wide.Hi[a]*b, w.v.Grid.Size[a])
	}
	return filter.Reduce(ctx, w.v.Crop(box), min(step, w.stepMM()))
}

// sharpGain is the gain of each voxel of a finer grid around a surface. It is
// linear in the value, so that it sums to that of the working voxels.
func (t *tumourOdds) sharpGain(c *filter.Coarse, star *filter.Star) []float32 {
	g, size := c.Grid, radiusOf(star)
	voxel := math.Cbrt(g.VoxelMM3())
	// sampling between voxels blurs by about half of one
	blur := math.Hypot(t.s.BlurMM, voxel/2)
	more := math.Sqrt(t.w.c.Grid.VoxelMM3() / g.VoxelMM3()) // noise than in working voxels
	gain := make([]float32, g.Len())
	var n, sx, sb, sbb, sxb float64
	for v := range gain {
		i, j, k := g.IJK(v)
		p := g.Point(float64(i), float64(j), float64(k))
		at, ok := t.w.voxel(p)
		if !ok {
			gain[v] = notTissue
			continue
		}
		if gain[v] = t.limit(at, func(float64) float64 { return 0 }); gain[v] != 0 {
			continue
		}
		d := star.DepthMM(p)
		x := float64(c.HU[v])
		if d < -besideMM || x < notFatHU {
			continue
		}
		r := r3.Norm(r3.Sub(p, star.Centre))
		b := blurredBall(r+d, r, blur)
		n, sx, sb, sbb, sxb = n+1, sx+x, sb+b, sbb+b*b, sxb+x*b
	}
	step, around := 0.0, t.mean
	if den := n*sbb - sb*sb; den > 0 {
		step = (n*sxb - sx*sb) / den
		around = (sx - step*sb) / n
	}
	edge := around + step*blurredBall(size, size, blur)
	most := t.s.Clear * more
	for v := range gain {
		if gain[v] == 0 {
			gain[v] = float32(min(max(step*(float64(c.HU[v])-edge)/(t.sd*t.sd), -most), most))
		}
	}
	return gain
}

// blurredBall is a ball of 1 in 0, blurred by a Gaussian of deviation sd, at r
// from its middle: the radial integral of the Gaussian over the ball.
func blurredBall(radius, r, sd float64) float64 {
	if radius <= 0 {
		return 0
	}
	r = max(r, 1e-3*radius)
	a, b := (radius-r)/sd, (radius+r)/sd
	return (math.Erf(a/math.Sqrt2)+math.Erf(b/math.Sqrt2))/2 - sd/(r*math.Sqrt(2*math.Pi))*(math.Exp(-a*a/2)-math.Exp(-b*b/2))
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
