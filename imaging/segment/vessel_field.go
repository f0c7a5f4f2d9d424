package segment

import (
	"context"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// vesselField is how far each voxel of the liver stands out from the parenchyma
// around it, on a grid cropped to the liver.
type vesselField struct {
	box      imaging.Box     // of the crop in the full grid
	v        *imaging.Volume // the crop
	c        *filter.Coarse  // it at WorkMM
	organ    filter.Mask     // liver
	quiet    filter.Mask     // without tumours and calcification
	inner    filter.Mask     // without the rim
	raw      []float32       // HU above the parenchyma
	contrast []float32       // raw, smoothed
	noise    float64         // standard deviation of contrast in the parenchyma, HU
	half     float32         // half the contrast of a thick vessel, HU
}

// contrastHU bounds the contrast of one voxel before it is smoothed: fat in a
// fissure and specks of calcification must not reach into the liver beside them.
const contrastHU = 120

// Calcification is this many times as bright above the liver as the blood in
// the aorta, and by at least calcifiedHU: whatever the noise, blood is not. Its
// blur reaches calcifiedMM beyond it.
const (
	calcifiedTimes = 3.0
	calcifiedHU    = 2 * contrastHU
	calcifiedMM    = 2.0 // mm
)

// calcifiedAbove is how far above the liver calcification begins where blood is
// that far above it, HU; NaN where no blood was found to compare with.
func calcifiedAbove(blood float64) float64 {
	if math.IsNaN(blood) {
		return calcifiedHU
	}
	return max(calcifiedHU, calcifiedTimes*blood)
}

// newVesselField subtracts the value of the parenchyma around each voxel. blood
// is the value of the aorta in HU, NaN where none was found.
func newVesselField(ctx context.Context, w *work, s vesselSettings, blood float64) (*vesselField, error) {
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
	f := &vesselField{box: boundsOf(out, liver)}
	f.v = w.v.Crop(f.box)
	if f.c, err = filter.Reduce(ctx, f.v, s.WorkMM); err != nil {
		return nil, err
	}
	g := f.c.Grid
	bits := sampled(out, f.box, g, f.c.Block)
	f.organ = filter.Where(g.Len(), func(n int) bool { return bits[n]&liver != 0 })
	speck, err := f.specks(ctx, w.liverHU+calcifiedAbove(blood-w.liverHU))
	if err != nil {
		return nil, err
	}
	f.quiet = filter.Where(g.Len(), func(n int) bool {
		if !f.organ[n] || speck[n] || bits[n]&tumours != 0 {
			return false
		}
		i, j, k := g.IJK(n)
		o, ok := w.voxel(g.Point(float64(i), float64(j), float64(k)))
		return !ok || !chalk[o]
	})
	if f.inner, err = filter.Erode(ctx, g, f.quiet, s.RimMM); err != nil {
		return nil, err
	}
	around, coarse, err := f.parenchyma(ctx, w, s, liver, tumours)
	if err != nil {
		return nil, err
	}
	f.raw = f.subtract(around, coarse)
	return f, f.soften(ctx, s.SmoothMM)
}

// specks are the voxels of the liver within calcifiedMM of one above limit HU:
// calcification, clips and embolisates too small for the working grid.
func (f *vesselField) specks(ctx context.Context, limit float64) (filter.Mask, error) {
	g := f.c.Grid
	m := filter.Where(g.Len(), func(n int) bool { return f.organ[n] && float64(f.c.HU[n]) > limit })
	r := filter.Radius(g, calcifiedMM)
	h := g.SpacingMM()
	near := make(filter.Mask, len(m)) // few voxels: a ball around each
	for n, in := range m {
		if !in {
			continue
		}
		i, j, k := g.IJK(n)
		for z := max(0, k-r[2]); z <= min(g.Size[2]-1, k+r[2]); z++ {
			for y := max(0, j-r[1]); y <= min(g.Size[1]-1, j+r[1]); y++ {
				for x := max(0, i-r[0]); x <= min(g.Size[0]-1, i+r[0]); x++ {
					a, b, c := float64(x-i)*h[0], float64(y-j)*h[1], float64(z-k)*h[2]
					if a*a+b*b+c*c <= calcifiedMM*calcifiedMM {
						near[g.Index(x, y, z)] = true
					}
				}
			}
		}
	}
	return near, ctx.Err()
}

// soften smooths the contrast and measures the noise that is left.
func (f *vesselField) soften(ctx context.Context, sigmaMM float64) (err error) {
	if f.contrast, err = filter.Gaussian(ctx, f.c.Grid, f.raw, sigmaMM); err == nil {
		f.noise = darkNoise(f.contrast, f.inner)
	}
	return err
}

// parenchymaMM is the voxel size on which the parenchyma is averaged.
const parenchymaMM = 3

// parenchyma is the value of the liver around each voxel of a coarse grid,
// vessels and lesions left out. It is the mean over a wide window without what
// stands out from that mean, three times, so that a thick vessel does not raise
// its own surroundings. Then it is the mean over a narrow window without what
// has half the contrast of a vessel: liver that takes up more contrast than the
// rest, beside a lesion say, is parenchyma all the same.
func (f *vesselField) parenchyma(ctx context.Context, w *work, s vesselSettings, liver, tumours uint32) ([]float32, *filter.Coarse, error) {
	c, err := filter.Reduce(ctx, f.v, max(parenchymaMM, s.WorkMM))
	if err != nil {
		return nil, nil, err
	}
	g, bits := c.Grid, sampled(w.out, f.box, c.Grid, c.Block)
	quiet := filter.Where(g.Len(), func(n int) bool { return bits[n]&liver != 0 && bits[n]&tumours == 0 })
	even := quiet
	var mean []float32
	for range 3 {
		if mean, err = meanOver(ctx, g, c.HU, even, filter.Radius(g, s.LocalMM), w.liverHU); err != nil {
			return nil, nil, err
		}
		x := make([]float32, g.Len())
		for n := range x {
			x[n] = c.HU[n] - mean[n]
		}
		sd := float32(darkNoise(x, quiet))
		even = filter.Where(g.Len(), func(n int) bool { return quiet[n] && x[n] < 1.5*sd && x[n] > -4*sd })
		f.half = upperHalf(x, quiet, 6*sd)
	}
	lid := f.half
	even = filter.Where(g.Len(), func(n int) bool { x := c.HU[n] - mean[n]; return quiet[n] && x < lid && x > -lid })
	mean, err = meanOver(ctx, g, c.HU, even, filter.Radius(g, s.NearMM), w.liverHU)
	return mean, c, err
}

// upperHalf is half the median of the values of m above least; least when there
// are none.
func upperHalf(x []float32, m filter.Mask, least float32) float32 {
	var up []float32
	for n, in := range m {
		if in && x[n] > least {
			up = append(up, x[n])
		}
	}
	if len(up) == 0 {
		return least
	}
	slices.Sort(up)
	return up[len(up)/2] / 2
}

// meanOver is the mean of hu over the voxels of m in two boxes, nearly a
// Gaussian, around each voxel; other where there are none.
func meanOver(ctx context.Context, g imaging.Grid, hu []float32, m filter.Mask, rad [3]int, other float64) ([]float32, error) {
	val, wt := make([]float32, g.Len()), make([]float32, g.Len())
	for n, in := range m {
		if in {
			val[n], wt[n] = hu[n], 1
		}
	}
	var err error
	for range 2 {
		if val, err = filter.BoxMean(ctx, g, val, rad); err != nil {
			return nil, err
		}
		if wt, err = filter.BoxMean(ctx, g, wt, rad); err != nil {
			return nil, err
		}
	}
	for n := range val {
		if wt[n] > 1e-3 {
			val[n] /= wt[n]
		} else {
			val[n] = float32(other)
		}
	}
	return val, nil
}

// subtract is the contrast of each quiet voxel against the field around, which
// is interpolated from its coarse grid; 0 elsewhere.
func (f *vesselField) subtract(around []float32, coarse *filter.Coarse) []float32 {
	g, sub := f.c.Grid, coarse.Grid
	var tab [3][]lerp
	for a := range tab {
		b, p := float64(coarse.Block[a]), float64(f.c.Block[a])
		tab[a] = make([]lerp, g.Size[a])
		for n := range tab[a] {
			u := ((float64(n)+0.5)*p-0.5)/b + 0.5/b - 0.5
			u = min(max(u, 0), float64(sub.Size[a]-1))
			at := min(int(u), max(0, sub.Size[a]-2))
			tab[a][n] = lerp{at, min(at+1, sub.Size[a]-1), float32(u - float64(at))}
		}
	}
	out := make([]float32, g.Len())
	nx, ny := g.Size[0], g.Size[1]
	par.Chunks(ny*g.Size[2], 64, func(lo, hi int) {
		row := make([]float32, sub.Size[0])
		for r := lo; r < hi; r++ {
			tj, tk := tab[1][r%ny], tab[2][r/ny]
			mix := func(j, k int, t float32) {
				for i, v := range around[sub.Index(0, j, k):][:len(row)] {
					row[i] += t * v
				}
			}
			clear(row)
			mix(tj.a, tk.a, (1-tj.f)*(1-tk.f))
			mix(tj.b, tk.a, tj.f*(1-tk.f))
			mix(tj.a, tk.b, (1-tj.f)*tk.f)
			mix(tj.b, tk.b, tj.f*tk.f)
			for i, t := range tab[0] {
				if n := r*nx + i; f.quiet[n] {
					x := f.c.HU[n] - (row[t.a] + t.f*(row[t.b]-row[t.a]))
					out[n] = min(max(x, -contrastHU), contrastHU)
				}
			}
		}
	})
	return out
}

// quantile is the contrast that the part q of the voxels of m does not exceed; 0
// when m is empty.
func (f *vesselField) quantile(m filter.Mask, q float64) float32 {
	var x []float32
	for n, in := range m {
		if in {
			x = append(x, f.contrast[n])
		}
	}
	if len(x) == 0 {
		return 0
	}
	slices.Sort(x)
	return x[int(q*float64(len(x)))]
}

// darkNoise is the standard deviation of the noise in x over m, from the median
// of the values below zero: vessels stand on the other side, and a fissure or a
// lesion does not move a median.
func darkNoise(x []float32, m filter.Mask) float64 {
	var dark []float32
	for n, in := range m {
		if in && x[n] < 0 {
			dark = append(dark, -x[n])
		}
	}
	if len(dark) == 0 {
		return 0
	}
	slices.Sort(dark)
	return float64(dark[len(dark)/2]) / normalMedian
}

// normalMedian is the median of |x| for a normal x of standard deviation 1.
var normalMedian = math.Sqrt2 * math.Erfinv(0.5)
