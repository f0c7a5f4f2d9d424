package segment

import (
	"context"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// notFatHU is the least a tumour holds: fluid with noise.
const notFatHU = fatHU - 20

// notTissue is the gain of what no tumour holds.
const notTissue = -5

// tumourOdds is what the gain of a seeded tumour depends on beside its value.
type tumourOdds struct {
	w           *work
	s           tumourSettings
	seeds       []r3.Vec
	wide        float64 // how many times HullMM the liver is closed to make the hull
	hull, chalk filter.Mask
	others      filter.Mask // tumours found before
	mean, sd    float64     // of liver in the working image around it, HU
	blurMM      float64     // point spread of the scan, deviation, mm
}

// widestHull is how many times HullMM the liver is closed at most, so that it
// holds the seeds of a tumour that the liver step left out and the dark tissue
// within beneathMM of them.
const (
	widestHull = 4
	beneathMM  = 8.0
)

func (w *work) tumourOdds(ctx context.Context, s tumourSettings, seeds []r3.Vec, others filter.Mask) (*tumourOdds, error) {
	g := w.c.Grid
	t := &tumourOdds{w: w, s: s, seeds: seeds, others: others, blurMM: s.BlurMM}
	if mm, ok := w.pointSpread(); ok {
		t.blurMM = mm
	}
	var err error
	if t.chalk, err = filter.Dilate(ctx, g, w.chalk, s.WallMM); err != nil {
		return nil, err
	}
	t.mean, t.sd = w.liverNoise()
	t.mean = t.near()
	for {
		if more, err := t.widen(ctx); err != nil {
			return nil, err
		} else if !more || t.holds() {
			return t, nil
		}
	}
}

// widen makes the hull, or one twice as wide; false when there is no wider one.
func (t *tumourOdds) widen(ctx context.Context) (bool, error) {
	if t.wide == widestHull {
		return false, nil
	}
	t.wide = max(1, 2*t.wide)
	hull, err := closing(ctx, t.w.c.Grid, t.w.liver, t.wide*t.s.HullMM)
	if err != nil {
		return false, err
	}
	t.hull = filter.Fill(t.w.c.Grid, hull)
	return true, nil
}

// holds reports whether the hull holds the seeds and most of the tissue around
// them that is clearly darker than liver.
func (t *tumourOdds) holds() bool {
	in, out := 0, 0
	for _, p := range t.seeds {
		if n, ok := t.w.voxel(p); ok && !t.hull[n] {
			return false
		}
		b := ball{c: p, r: beneathMM}
		dark := t.quantile(b, 0.25)
		if t.mean-dark < clearSD*t.w.liverSD {
			continue
		}
		t.each(b, func(n int) {
			switch x := t.w.smooth[n]; {
			case x < notFatHU || float64(x) > (t.mean+dark)/2 || t.w.bone[n]:
			case t.hull[n]:
				in++
			default:
				out++
			}
		})
	}
	return out <= in
}

// limit is the gain of a working voxel: of its value, in deviations of liver from
// its mean, unless its place decides.
func (t *tumourOdds) limit(n int, of func(z float64) float64) float32 {
	w, s := t.w, t.s
	switch {
	case !w.body[n] || w.smooth[n] < notFatHU || w.bone[n] && !t.chalk[n]:
		return notTissue
	case t.chalk[n]:
		return float32(s.Clear)
	}
	x := float32(min(max(of((float64(w.c.HU[n])-t.mean)/t.sd), -s.Clear), s.Clear))
	if !t.hull[n] {
		x = min(x, 0) - float32(s.Outside)
	}
	return x
}

// place is the gain of a working voxel of the value of liver: not 0 where its
// place decides.
func (t *tumourOdds) place(n int) float32 { return t.limit(n, func(float64) float64 { return 0 }) }

// gain is, for each working voxel, the logarithm of how much likelier it is
// tumour than liver, within bounds. Doubt counts as far as the tumour is mixed:
// the outline of one value lies halfway.
func (t *tumourOdds) gain(in tissue) []float32 {
	out := make([]float32, t.w.c.Grid.Len())
	par.Chunks(len(out), 1<<15, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			out[n] = t.limit(n, func(z float64) float64 { return in.odds(z) - t.s.Doubt*in.mixed })
		}
	})
	return out
}

// tissue is what a tumour holds next to its outline, in deviations of liver from
// the mean of liver: tissue of one value, and a part of any value from there to
// liver.
type tissue struct{ far, mixed float64 }

// mixedPart is the part from which a tumour is one of several values.
const mixedPart = 0.5

// mostValues bounds the values that stand for any; they lie a deviation apart.
const mostValues = 8

// one is how much likelier z is for the one value than for liver.
func (in tissue) one(z float64) float64 {
	return math.Exp(min(max(in.far*z-in.far*in.far/2, -50), 50))
}

// any is how much likelier z is for a value between far and liver than for liver.
func (in tissue) any(z float64) float64 {
	n := min(max(int(math.Ceil(math.Abs(in.far))), 1), mostValues)
	sum := 0.0
	for k := 1; k <= n; k++ {
		c := in.far * float64(k) / float64(n)
		sum += math.Exp(min(c*z-c*c/2, 50))
	}
	return sum / float64(n)
}

// odds is the logarithm of how much likelier z is here than in liver.
func (in tissue) odds(z float64) float64 {
	if in.mixed == 0 {
		return in.far*z - in.far*in.far/2
	}
	return math.Log((1-in.mixed)*in.one(z) + in.mixed*in.any(z))
}

// Estimation of the tissue: what lies within edgeSteps working voxels of the
// outline holds some of either side; the layer of rimSteps beneath says how mixed
// the tumour is there. fewVoxels say nothing.
const (
	edgeSteps   = 1.0
	rimSteps    = 2.0
	fewVoxels   = 8
	tissueTurns = 20 // of expectation and maximisation
)

// tissueIn estimates the tissue inside a surface: its one value from all of it,
// the mixed part from the layer next to the outline, both by expectation and
// maximisation from the darker quarter (the brighter one for a bright tumour).
func (t *tumourOdds) tissueIn(star *filter.Star, dark bool) (tissue, bool) {
	h := t.w.stepMM()
	all, rim := t.within(star, edgeSteps*h, math.Inf(1)), t.within(star, edgeSteps*h, (edgeSteps+rimSteps)*h)
	if len(all) < fewVoxels {
		return tissue{}, false
	}
	part := len(all) / 4
	if !dark {
		part = len(all) - 1 - part
	}
	in := tissue{far: all[part], mixed: 0.5}
	for range tissueTurns {
		sum, ones := 0.0, 0.0
		for _, z := range all {
			one, other := (1-in.mixed)*in.one(z), in.mixed*in.any(z)
			sum += one / (one + other) * z
			ones += one / (one + other)
		}
		if ones < 1 {
			break
		}
		in = tissue{sum / ones, 1 - ones/float64(len(all))}
	}
	for range tissueTurns {
		mixed := 0.0
		for _, z := range rim {
			one, other := (1-in.mixed)*in.one(z), in.mixed*in.any(z)
			mixed += other / (one + other)
		}
		if len(rim) >= fewVoxels {
			in.mixed = mixed / float64(len(rim))
		}
	}
	return in, in.far < 0 == dark
}

// within are the sorted values, in deviations of liver from its mean, of the soft
// tissue from deep to most mm inside a surface.
func (t *tumourOdds) within(star *filter.Star, deep, most float64) []float64 {
	w := t.w
	box := w.around(star.Centre, star.MostMM())
	var x []float64
	for k := box.Lo[2]; k < box.Hi[2]; k++ {
		for j := box.Lo[1]; j < box.Hi[1]; j++ {
			for i := box.Lo[0]; i < box.Hi[0]; i++ {
				n := w.c.Grid.Index(i, j, k)
				if w.smooth[n] <= fatHU || w.bone[n] {
					continue
				}
				if d := star.DepthMM(w.c.Grid.Point(float64(i), float64(j), float64(k))); d > deep && d <= most {
					x = append(x, (float64(w.c.HU[n])-t.mean)/t.sd)
				}
			}
		}
	}
	slices.Sort(x)
	return x
}

// liverNoise is the middle and the deviation of the working image in the liver:
// the median, and the median distance from it scaled to a normal distribution.
func (w *work) liverNoise() (mean, sd float64) {
	var x []float32
	for n, in := range w.liver {
		if in && !w.bone[n] {
			x = append(x, w.c.HU[n])
		}
	}
	if len(x) == 0 {
		return w.liverHU, w.liverSD
	}
	mid := filter.Ranked(x, len(x)/2)
	for n := range x {
		x[n] = max(x[n]-mid, mid-x[n])
	}
	return float64(mid), max(1, 1.4826*float64(filter.Ranked(x, len(x)/2)))
}

// sample is f at p, trilinear; what lies beyond the grid is as at its border.
func sample(g imaging.Grid, f []float32, p r3.Vec) float64 {
	x, y, z := g.Voxel(p)
	var lo, hi [3]int
	var t [3]float64
	for a, u := range [3]float64{x, y, z} {
		u = min(max(u, 0), float64(g.Size[a]-1))
		lo[a] = min(int(u), max(0, g.Size[a]-2))
		hi[a] = min(lo[a]+1, g.Size[a]-1)
		t[a] = u - float64(lo[a])
	}
	line := func(j, k int) float64 {
		return (1-t[0])*float64(f[g.Index(lo[0], j, k)]) + t[0]*float64(f[g.Index(hi[0], j, k)])
	}
	return (1-t[2])*((1-t[1])*line(lo[1], lo[2])+t[1]*line(hi[1], lo[2])) + t[2]*((1-t[1])*line(lo[1], hi[2])+t[1]*line(hi[1], hi[2]))
}
