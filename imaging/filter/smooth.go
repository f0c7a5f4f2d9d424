package filter

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/internal/par"
)

// Coarse is the volume at working resolution: the mean of whole blocks of
// voxels, in HU. The mean also takes out most of the noise.
type Coarse struct {
	Grid  imaging.Grid
	HU    []float32
	Block [3]int // voxels of the full grid per voxel here
}

// Reduce averages blocks of about stepMM. Axes already that coarse stay as
// they are. A last, smaller block is averaged over what there is.
func Reduce(ctx context.Context, v *imaging.Volume, stepMM float64) (*Coarse, error) {
	c := &Coarse{Grid: v.Grid}
	for a, h := range v.Grid.SpacingMM() {
		c.Block[a] = min(max(1, int(math.Round(stepMM/h))), v.Grid.Size[a])
		c.Grid.Size[a] = (v.Grid.Size[a] + c.Block[a] - 1) / c.Block[a]
	}
	b := c.Block
	c.Grid.Origin = v.Grid.Point(float64(b[0]-1)/2, float64(b[1]-1)/2, float64(b[2]-1)/2)
	for a := range c.Grid.Axes {
		c.Grid.Axes[a].X *= float64(b[a])
		c.Grid.Axes[a].Y *= float64(b[a])
		c.Grid.Axes[a].Z *= float64(b[a])
	}
	c.HU = make([]float32, c.Grid.Len())
	nx, ny, nz := v.Grid.Size[0], v.Grid.Size[1], v.Grid.Size[2]
	slope, inter := v.Slope, v.Intercept
	err := par.ChunksCtx(ctx, c.Grid.Size[1]*c.Grid.Size[2], 32, func(lo, hi int) error {
		sum := make([]int64, c.Grid.Size[0])
		for r := lo; r < hi; r++ {
			j0, k0 := r%c.Grid.Size[1]*b[1], r/c.Grid.Size[1]*b[2]
			j1, k1 := min(j0+b[1], ny), min(k0+b[2], nz)
			clear(sum)
			for k := k0; k < k1; k++ {
				for j := j0; j < j1; j++ {
					row := v.Data[nx*(j+ny*k):][:nx]
					for i := range sum {
						for _, s := range row[i*b[0] : min((i+1)*b[0], nx)] {
							sum[i] += int64(s)
						}
					}
				}
			}
			for i, s := range sum {
				n := (min((i+1)*b[0], nx) - i*b[0]) * (j1 - j0) * (k1 - k0)
				c.HU[r*len(sum)+i] = float32(float64(slope*float64(s))/float64(n) + inter)
			}
		}
		return nil
	})
	return c, err
}

// BoxMean is the mean over the (2r+1)-voxel box around each voxel, r per axis,
// Cut off at the border of the grid.
func BoxMean(ctx context.Context, g imaging.Grid, in []float32, r [3]int) ([]float32, error) {
	src, dst := in, make([]float32, len(in))
	if r == [3]int{} {
		copy(dst, in)
		return dst, ctx.Err()
	}
	stride := 1
	for axis := range 3 {
		n, st := g.Size[axis], stride
		stride *= n
		if r[axis] == 0 {
			continue
		}
		rad := r[axis]
		s, d := src, dst
		var err error
		if axis == 0 {
			err = par.ChunksCtx(ctx, len(in)/n, 4096, func(lo, hi int) error {
				acc := make([]float64, n+1)
				for line := lo; line < hi; line++ {
					s, d := s[line*n:][:n], d[line*n:][:n]
					for p, v := range s {
						acc[p+1] = acc[p] + float64(v)
					}
					for p := range d {
						a, b := max(0, p-rad), min(n, p+rad+1)
						d[p] = float32((acc[b] - acc[a]) / float64(b-a))
					}
				}
				return nil
			})
		} else {
			err = boxAcross(ctx, s, d, g.Size[0], n, st, rad)
		}
		if err != nil {
			return nil, err
		}
		if &src[0] == &in[0] { // the caller's slice is not written to
			src, dst = dst, make([]float32, len(in))
		} else {
			src, dst = dst, src
		}
	}
	return src, nil
}

// boxAcross is the mean over 2·rad+1 of the n samples st apart, for whole rows
// of nx voxels at once, as memory holds them.
func boxAcross(ctx context.Context, s, d []float32, nx, n, st, rad int) error {
	rows := st / nx // between two samples
	return par.ChunksCtx(ctx, len(s)/(nx*n), 8, func(lo, hi int) error {
		acc := make([]float64, (n+1)*nx)
		for line := lo; line < hi; line++ {
			at := line%rows*nx + line/rows*st*n
			for p := range n {
				from, to := acc[p*nx:][:nx], acc[(p+1)*nx:][:nx]
				for i, v := range s[at+p*st:][:nx] {
					to[i] = from[i] + float64(v)
				}
			}
			for p := range n {
				a, b := max(0, p-rad), min(n, p+rad+1)
				low, high, count := acc[a*nx:][:nx], acc[b*nx:][:nx], float64(b-a)
				for i := range d[at+p*st:][:nx] {
					d[at+p*st+i] = float32((high[i] - low[i]) / count)
				}
			}
		}
		return nil
	})
}

// Radius is the box radius in voxels that comes closest to mm.
func Radius(g imaging.Grid, mm float64) (r [3]int) {
	for a, h := range g.SpacingMM() {
		r[a] = int(math.Round(mm / h))
	}
	return r
}

// Moments are the local mean and variance in boxes of the given radius.
func Moments(ctx context.Context, g imaging.Grid, hu []float32, r [3]int) (mean, variance []float32, err error) {
	if mean, err = BoxMean(ctx, g, hu, r); err != nil {
		return nil, nil, err
	}
	sq := make([]float32, len(hu))
	par.Chunks(len(hu), 1<<16, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			sq[n] = hu[n] * hu[n]
		}
	})
	if variance, err = BoxMean(ctx, g, sq, r); err != nil {
		return nil, nil, err
	}
	par.Chunks(len(hu), 1<<16, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			variance[n] = max(0, variance[n]-mean[n]*mean[n])
		}
	})
	return mean, variance, nil
}

// Guided smooths hu and keeps edges: in each box the image is fitted by
// a·hu + b with a = var/(var + sd²), so contrast well above sd stays and noise
// well below it becomes the local mean (He, Sun, Tang, IEEE TPAMI 35 (2013)
// 1397, equations 5, 6 and 8 with the image as its own guide).
func Guided(ctx context.Context, g imaging.Grid, hu []float32, r [3]int, sd float64) ([]float32, error) {
	// clip so that air and metal do not swamp the squares in float32
	in := make([]float32, len(hu))
	par.Chunks(len(hu), 1<<16, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			in[n] = min(max(hu[n], -300), 600)
		}
	})
	mean, variance, err := Moments(ctx, g, in, r)
	if err != nil {
		return nil, err
	}
	eps := float32(sd * sd)
	a, b := variance, mean
	par.Chunks(len(hu), 1<<16, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			w := variance[n] / (variance[n] + eps)
			b[n] = mean[n] * (1 - w)
			a[n] = w
		}
	})
	if a, err = BoxMean(ctx, g, a, r); err != nil {
		return nil, err
	}
	if b, err = BoxMean(ctx, g, b, r); err != nil {
		return nil, err
	}
	par.Chunks(len(hu), 1<<16, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			a[n] = float32(a[n]*in[n]) + b[n]
		}
	})
	return a, nil
}
