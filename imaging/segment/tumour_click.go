package segment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// clickBallsMM are the radii around a tumour seed whose tissue is compared with
// liver, from the smallest: a click may hit a septum or a nodule.
var clickBallsMM = []float64{4, 8, 12}

// growTumour finds the tumour around its seeds: the star-shaped surface whose
// inside is most unlike liver (filter.FitStar), seen first from the seeds and
// then from its own middle. A bend of the surface costs, so that calcification,
// nodules and a rim of the density of liver are taken in where the shape asks
// for them. It ends at lung, fat and bone.
func (w *work) growTumour(ctx context.Context, l imaging.Label, seeds []r3.Vec, s tumourSettings) (filter.Mask, error) {
	g := w.c.Grid
	for _, p := range seeds {
		if n, ok := w.voxel(p); !ok || !w.body[n] {
			return nil, &NotFoundError{l, fmt.Sprintf("its seed at %.0f,%.0f,%.0f mm lies outside the body; move it into the tumour", p.X, p.Y, p.Z)}
		} else if w.smooth[n] < airHU {
			return nil, &NotFoundError{l, fmt.Sprintf("its seed at %.0f,%.0f,%.0f mm lies in air or lung (%.0f HU); move it into the tumour", p.X, p.Y, p.Z, w.smooth[n])}
		}
	}
	hu, mm := w.clicked(seeds)
	if math.Abs(hu-w.liverHU) < s.SureSD*w.liverSD {
		return nil, &NotFoundError{l, fmt.Sprintf("within %.0f mm of its seed the tissue has %.0f HU, the same as liver (%.0f ± %.0f); move the seed to the middle of the tumour or outline it with scribbles", mm, hu, w.liverHU, w.liverSD)}
	}
	var centre r3.Vec
	for _, p := range seeds {
		centre = r3.Add(centre, r3.Scale(1/float64(len(seeds)), p))
	}
	odds, err := w.tumourOdds(ctx, s)
	if err != nil {
		return nil, err
	}
	gain := odds.gain(hu)
	at := func(p r3.Vec) float64 {
		for _, q := range seeds {
			if r3.Norm(r3.Sub(p, q)) < w.stepMM() {
				return 1000 // the person is right
			}
		}
		return sample(g, gain, p)
	}
	// first a stiff surface, from the seeds and again from its middle; then one
	// that may bend, no further than Stretch times the first
	var star *filter.Star
	for pass := range 3 {
		o := filter.StarSettings{StepMM: w.stepMM() / 2, MostMM: s.ReachMM, Stiff: s.Stiff, Slope: 1}
		from := at
		if pass == 2 {
			o.Stiff, o.Slope, o.MostMM = s.Bend, s.Slope, min(s.ReachMM, s.Stretch*star.MostMM()+4*w.stepMM())
			first := star
			from = func(p r3.Vec) float64 {
				far := r3.Norm(r3.Sub(p, first.Centre))
				if x := at(p); far <= s.Stretch*(first.DepthMM(p)+far) {
					return x
				}
				return notTissue
			}
		}
		f, err := filter.FitStar(ctx, centre, from, o)
		if err != nil {
			return nil, err
		}
		if f.Smooth(1); pass == 1 && f.VolumeMM3() < star.VolumeMM3()/2 {
			centre = star.Centre // its middle is not a better place to look from
			continue
		}
		star = f
		centre = star.Middle()
		// what the first surface holds tells the tumour's value better than the
		// place that was clicked
		if x := w.within(star); pass == 0 && len(x) > 0 {
			part := len(x) / 4 // a leak into liver is in the other half
			if hu > w.liverHU {
				part = len(x) - 1 - part
			}
			if q := float64(x[part]); math.Abs(q-w.liverHU) > 3*w.liverSD && (q < w.liverHU) == (hu < w.liverHU) {
				gain = odds.gain(q)
			}
		}
	}
	box := w.around(star.Centre, star.MostMM()+w.stepMM())
	sub := g.Crop(box)
	m := make(filter.Mask, g.Len())
	filter.Paste(g, m, box, func(n int) bool {
		i, j, k := sub.IJK(n)
		at := g.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2])
		return gain[at] > notTissue && star.DepthMM(sub.Point(float64(i), float64(j), float64(k))) > 0
	})
	// tumours bulge: what a ball of the tumour's own size bridges belongs to it
	size := math.Cbrt(star.VolumeMM3() * 3 / 4 / math.Pi)
	wide, err := closing(ctx, g, m, size)
	if err != nil {
		return nil, err
	}
	for n, in := range wide {
		m[n] = m[n] || in && gain[n] > notTissue
	}
	return m, nil
}

// around is the box of the working grid within mm of p.
func (w *work) around(p r3.Vec, mm float64) imaging.Box {
	g := w.c.Grid
	i, j, k := g.Voxel(p)
	var b imaging.Box
	for a, x := range [3]float64{i, j, k} {
		b.Lo[a] = int(math.Round(x))
		b.Hi[a] = b.Lo[a] + 1
	}
	return b.Grow(g, mm).Clip(g)
}

// clicked is the median HU of the soft tissue around the seeds, in the smallest
// ball where it is unlike liver. When it is so in none, a click may have hit a
// nodule or wall of the density of liver: then it is the lower quartile of the
// liver found within a larger ball, where that is unlike liver; else the median.
func (w *work) clicked(seeds []r3.Vec) (hu, mm float64) {
	unlike := func(hu float64) bool { return math.Abs(hu-w.liverHU) > 3*w.liverSD }
	for _, mm = range clickBallsMM {
		if x := w.tissue(seeds, mm, func(int) bool { return true }); len(x) > 0 {
			if hu = float64(x[len(x)/2]); unlike(hu) {
				return hu, mm
			}
		}
	}
	for _, far := range nearBallsMM {
		if x := w.tissue(seeds, far, func(n int) bool { return w.liver[n] }); len(x) > 0 {
			if q := float64(x[len(x)/4]); q < w.liverHU && unlike(q) {
				return q, far
			}
		}
	}
	return hu, mm
}

// tissue is the sorted HU of the soft tissue within mm of the seeds, where keep
// says so.
func (w *work) tissue(seeds []r3.Vec, mm float64, keep func(n int) bool) []float32 {
	g := w.c.Grid
	var x []float32
	for _, p := range seeds {
		b := w.around(p, mm)
		for k := b.Lo[2]; k < b.Hi[2]; k++ {
			for j := b.Lo[1]; j < b.Hi[1]; j++ {
				for i := b.Lo[0]; i < b.Hi[0]; i++ {
					n := g.Index(i, j, k)
					if r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), p)) <= mm && w.smooth[n] > fatHU && !w.bone[n] && keep(n) {
						x = append(x, w.smooth[n])
					}
				}
			}
		}
	}
	slices.Sort(x)
	return x
}

// nearBallsMM are the radii around a seed in tissue of the density of liver where
// the dark part of a tumour is looked for.
var nearBallsMM = []float64{12, 16}

// tumourShades is the number of values between liver and tumour that a tumour
// is thought to hold in equal parts: its rim is often less unlike liver than
// its middle.
const tumourShades = 4

// notFatHU is the least a tumour holds: fluid with noise.
const notFatHU = fatHU - 20

// notTissue is the gain of what no tumour holds.
const notTissue = -5

// tumourOdds is what the gain of a seeded tumour depends on beside its value.
type tumourOdds struct {
	w           *work
	s           tumourSettings
	hull, chalk filter.Mask
	mean, sd    float64 // of liver in the working image
}

func (w *work) tumourOdds(ctx context.Context, s tumourSettings) (*tumourOdds, error) {
	hull, err := closing(ctx, w.c.Grid, w.liver, s.HullMM)
	if err != nil {
		return nil, err
	}
	chalk, err := filter.Dilate(ctx, w.c.Grid, w.chalk, s.WallMM)
	if err != nil {
		return nil, err
	}
	mean, sd := w.liverNoise()
	return &tumourOdds{w, s, hull, chalk, mean, sd}, nil
}

// gain is, for each working voxel, the logarithm of how much likelier it is
// tumour than liver: liver is normal with the mean and deviation measured, a
// tumour anything on the side of hu.
func (t *tumourOdds) gain(hu float64) []float32 {
	w, s := t.w, t.s
	far := (hu - t.mean) / t.sd
	// log of the mean over c of N(x; c, 1)/N(x; 0, 1), for c from far/n to far
	odds := func(z float64) float64 {
		sum := 0.0
		for k := 1; k <= tumourShades; k++ {
			c := far * float64(k) / tumourShades
			sum += math.Exp(min(c*z-c*c/2, 50))
		}
		return math.Log(sum/tumourShades) - s.Doubt
	}
	out := make([]float32, w.c.Grid.Len())
	par.Chunks(len(out), 1<<15, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			switch {
			case !w.body[n] || w.smooth[n] < notFatHU || w.bone[n] && !t.chalk[n]:
				out[n] = notTissue
				continue
			case t.chalk[n]:
				out[n] = float32(s.Clear)
				continue
			}
			out[n] = float32(min(max(odds((float64(w.c.HU[n])-t.mean)/t.sd), -s.Clear), s.Clear))
			if !t.hull[n] {
				out[n] = min(out[n], 0) - float32(s.Outside)
			}
		}
	})
	return out
}

// within is the sorted HU of the soft tissue inside a surface.
func (w *work) within(star *filter.Star) []float32 {
	box := w.around(star.Centre, star.MostMM())
	var x []float32
	for k := box.Lo[2]; k < box.Hi[2]; k++ {
		for j := box.Lo[1]; j < box.Hi[1]; j++ {
			for i := box.Lo[0]; i < box.Hi[0]; i++ {
				n := w.c.Grid.Index(i, j, k)
				if w.smooth[n] > fatHU && !w.bone[n] && star.DepthMM(w.c.Grid.Point(float64(i), float64(j), float64(k))) > 0 {
					x = append(x, w.smooth[n])
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
	slices.Sort(x)
	mid := x[len(x)/2]
	for n := range x {
		x[n] = max(x[n]-mid, mid-x[n])
	}
	slices.Sort(x)
	return float64(mid), max(1, 1.4826*float64(x[len(x)/2]))
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
