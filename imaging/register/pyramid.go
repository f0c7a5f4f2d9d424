package register

import (
	"context"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
	"halsted/imaging"
	"halsted/internal/par"
)

// level is one image at one resolution. Values are places on the bin axis of
// the joint histogram, so they are ready for a Parzen window.
type level struct {
	grid   imaging.Grid
	value  []float32 // firstBin … bins-1-firstBin
	weight []float32 // 0 … 1, the share of a voxel inside the mask; nil: all
}

// minSide is the number of voxels that coarsening leaves along an axis that
// has them.
const minSide = 8

// binning maps stored samples to the bin axis.
type binning struct {
	table [1 << 16]float32 // by stored sample + 32768
	low   float64          // value at the first bin
	high  float64          // value at the last bin
}

// firstBin keeps the four bins of a cubic B-spline inside the histogram.
const firstBin = 2

// clipped is the share of voxels at either end whose values are clamped: metal
// and padding would otherwise push all tissue into few bins.
const clipped = 0.001

// newBinning spreads the values between two quantiles of the image over the
// bins. It reports false when all values inside the mask are equal.
func newBinning(v *imaging.Volume, mask []bool, bins int) (*binning, bool) {
	count := make([]int, 1<<16)
	n := 0
	for i, s := range v.Data {
		if mask == nil || mask[i] {
			count[int(s)+32768]++
			n++
		}
	}
	quantile := func(drop int) (lo, hi int) {
		lo, hi = 0, len(count)-1
		for c := 0; lo < len(count)-1; lo++ {
			if c += count[lo]; c > drop {
				break
			}
		}
		for c := 0; hi > 0; hi-- {
			if c += count[hi]; c > drop {
				break
			}
		}
		return lo, hi
	}
	lo, hi := quantile(int(clipped * float64(n)))
	if lo >= hi { // a small structure in a constant surround
		lo, hi = quantile(0)
	}
	if n == 0 || lo >= hi {
		return nil, false
	}
	b := &binning{}
	width := float64(bins - 1 - 2*firstBin)
	for s := range b.table {
		u := float64(min(max(s, lo), hi)-lo) / float64(hi-lo)
		if v.Slope < 0 {
			u = 1 - u
		}
		b.table[s] = float32(firstBin + u*width)
	}
	at := func(s int) float64 { return v.Slope*float64(s-32768) + v.Intercept }
	b.low, b.high = math.Min(at(lo), at(hi)), math.Max(at(lo), at(hi))
	return b, true
}

// factors is the number of voxels along each axis that become one of about
// step mm.
func factors(g imaging.Grid, step float64) (f [3]int) {
	for a, s := range g.SpacingMM() {
		f[a] = max(1, min(int(math.Round(step/s)), g.Size[a]/minSide))
	}
	return f
}

// coarse is g with blocks of f voxels made one. What does not fill a block is
// left out, half of it at each end.
func coarse(g imaging.Grid, f [3]int) (out imaging.Grid, skip [3]int) {
	out = g
	for a := range 3 {
		out.Size[a] = g.Size[a] / f[a]
		skip[a] = (g.Size[a] - out.Size[a]*f[a]) / 2
		out.Origin = r3.Add(out.Origin, r3.Scale(float64(skip[a])+float64(f[a]-1)/2, g.Axes[a]))
		out.Axes[a] = r3.Scale(float64(f[a]), g.Axes[a])
	}
	return out, skip
}

// kernel is the Gaussian of standard deviation f/2 voxels around the middle of
// a block of f, cut at three standard deviations: the first tap lies first
// voxels from the block's first.
func kernel(f int) (taps []float32, first int) {
	if f == 1 {
		return []float32{1}, 0
	}
	mid, sd := float64(f-1)/2, float64(f)/2
	first = int(math.Ceil(mid - 3*sd))
	last := int(math.Floor(mid + 3*sd))
	var sum float64
	w := make([]float64, last-first+1)
	for n := range w {
		d := (float64(first+n) - mid) / sd
		w[n] = math.Exp(-d * d / 2)
		sum += w[n]
	}
	taps = make([]float32, len(w))
	for n := range w {
		taps[n] = float32(w[n] / sum)
	}
	return taps, first
}

// reduce smooths and coarsens a field by f. slice(k, dst) fills the samples of
// one slice; it is called once for each k. What lies beyond the field counts as
// its border.
func reduce(ctx context.Context, g imaging.Grid, f [3]int, slice func(k int, dst []float32)) (imaging.Grid, []float32, error) {
	out, skip := coarse(g, f)
	nx, ny, nz := g.Size[0], g.Size[1], g.Size[2]
	mx, my, mz := out.Size[0], out.Size[1], out.Size[2]
	stack := make([]float32, mx*my*nz)
	tx, ax := kernel(f[0])
	ty, ay := kernel(f[1])
	tz, az := kernel(f[2])
	err := par.ChunksCtx(ctx, nz, 4, func(lo, hi int) error {
		in := make([]float32, nx*ny)
		rows := make([]float32, mx*ny)
		for k := lo; k < hi; k++ {
			slice(k, in)
			for j := range ny {
				row := in[j*nx : (j+1)*nx]
				to := rows[j*mx : (j+1)*mx]
				for i := range to {
					at := skip[0] + i*f[0] + ax
					var s float32
					if at >= 0 && at+len(tx) <= nx {
						for n, w := range tx {
							s += w * row[at+n]
						}
					} else {
						for n, w := range tx {
							s += w * row[min(max(at+n, 0), nx-1)]
						}
					}
					to[i] = s
				}
			}
			for j := range my {
				to := stack[(k*my+j)*mx : (k*my+j+1)*mx]
				at := skip[1] + j*f[1] + ay
				for n, w := range ty {
					y := min(max(at+n, 0), ny-1)
					add(to, w, rows[y*mx:(y+1)*mx])
				}
			}
		}
		return nil
	})
	if err != nil {
		return out, nil, err
	}
	if f[2] == 1 {
		return out, stack, nil
	}
	v := make([]float32, out.Len())
	err = par.ChunksCtx(ctx, mz, 4, func(lo, hi int) error {
		for k := lo; k < hi; k++ {
			to := v[k*mx*my : (k+1)*mx*my]
			at := skip[2] + k*f[2] + az
			for n, w := range tz {
				z := min(max(at+n, 0), nz-1)
				add(to, w, stack[z*mx*my:(z+1)*mx*my])
			}
		}
		return nil
	})
	return out, v, err
}

func add(to []float32, w float32, from []float32) {
	from = from[:len(to)]
	for n := range to {
		to[n] += w * from[n]
	}
}

// pyramid is an image from the coarsest level to the finest.
type pyramid []level

// newPyramid builds the levels of the given spacings in mm, coarsest first.
func newPyramid(ctx context.Context, v *imaging.Volume, mask []bool, b *binning, steps []float64) (pyramid, error) {
	p := make(pyramid, len(steps))
	fine := len(steps) - 1
	plane := v.Grid.Size[0] * v.Grid.Size[1]
	for l := fine; l >= 0; l-- {
		from, values, inside := v.Grid, func(k int, dst []float32) {
			for n, s := range v.Data[k*plane : (k+1)*plane] {
				dst[n] = b.table[int(s)+32768]
			}
		}, func(k int, dst []float32) {
			for n, in := range mask[k*plane : (k+1)*plane] {
				dst[n] = 0
				if in {
					dst[n] = 1
				}
			}
		}
		if l < fine {
			src := &p[l+1]
			from = src.grid
			n := from.Size[0] * from.Size[1]
			values = func(k int, dst []float32) { copy(dst, src.value[k*n:(k+1)*n]) }
			inside = func(k int, dst []float32) { copy(dst, src.weight[k*n:(k+1)*n]) }
		}
		f := factors(from, steps[l])
		var err error
		if p[l].grid, p[l].value, err = reduce(ctx, from, f, values); err != nil {
			return nil, err
		}
		if mask != nil {
			if _, p[l].weight, err = reduce(ctx, from, f, inside); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}
