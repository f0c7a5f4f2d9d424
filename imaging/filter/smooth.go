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
	src, out := in, make([]float32, len(in))
	stride := 1
	for axis := range 3 {
		n, st := g.Size[axis], stride
		stride *= n
		if r[axis] == 0 {
			continue
		}
		var err error
		if axis == 0 {
			err = boxRows(ctx, src, out, n, r[0])
		} else {
			err = boxAcross(ctx, src, out, g.Size[0], n, st, r[axis])
		}
		if err != nil {
			return nil, err
		}
		src = out
	}
	if r == [3]int{} {
		copy(out, in)
	}
	return out, ctx.Err()
}

// boxRows is the mean over 2·rad+1 samples of rows of n. s and d may be the same
// memory.
func boxRows(ctx context.Context, s, d []float32, n, rad int) error {
	return par.ChunksCtx(ctx, len(s)/n, 512, func(lo, hi int) error {
		// sums from the beginning of a row, of four rows at a time
		var acc [4][]float64
		for q := range acc {
			acc[q] = make([]float64, n+1)
		}
		for line := lo; line < hi; line += len(acc) {
			if hi-line < len(acc) {
				for q := range hi - line {
					sum := 0.0
					for p, v := range s[(line+q)*n:][:n] {
						sum += float64(v)
						acc[q][p+1] = sum
					}
				}
			} else {
				var sum [4]float64
				s0, s1, s2, s3 := s[line*n:][:n], s[(line+1)*n:][:n], s[(line+2)*n:][:n], s[(line+3)*n:][:n]
				a0, a1, a2, a3 := acc[0][1:][:n], acc[1][1:][:n], acc[2][1:][:n], acc[3][1:][:n]
				for p := range n {
					sum[0] += float64(s0[p])
					sum[1] += float64(s1[p])
					sum[2] += float64(s2[p])
					sum[3] += float64(s3[p])
					a0[p], a1[p], a2[p], a3[p] = sum[0], sum[1], sum[2], sum[3]
				}
			}
			for q := range min(len(acc), hi-line) {
				meanOfSums(d[(line+q)*n:][:n], acc[q], rad)
			}
		}
		return nil
	})
}

// meanOfSums is the mean over 2·rad+1 samples from their sums: acc[p] is that of
// all samples before p.
func meanOfSums(d []float32, acc []float64, rad int) {
	n := len(d)
	for p := range d[:min(rad, n)] {
		b := min(n, p+rad+1)
		d[p] = float32((acc[b] - acc[0]) / float64(b))
	}
	if m := n - 2*rad; m > 0 {
		low, high, count := acc[:m], acc[2*rad+1:][:m], float64(2*rad+1)
		for p, out := 0, d[rad:][:m]; p < m; p++ {
			out[p] = float32((high[p] - low[p]) / count)
		}
	}
	for p := max(rad, n-rad); p < n; p++ {
		a := max(0, p-rad)
		d[p] = float32((acc[n] - acc[a]) / float64(n-a))
	}
}

// boxAcross is the mean over 2·rad+1 of the n samples st apart, for whole rows
// of nx voxels at once, as memory holds them. s and d may be the same memory.
func boxAcross(ctx context.Context, s, d []float32, nx, n, st, rad int) error {
	rows := st / nx // between two samples
	slots := 2*rad + 2
	return par.ChunksCtx(ctx, len(s)/(nx*n), 8, func(lo, hi int) error {
		// the sum of all samples before q is in slot q modulo slots, as long as it
		// is needed
		acc := make([]float64, min(slots, n+1)*nx)
		slot := func(q int) []float64 { return acc[q%slots*nx:][:nx] }
		for line := lo; line < hi; line++ {
			at := line%rows*nx + line/rows*st*n
			clear(slot(0))
			q := 0
			for p := range n {
				a, b := max(0, p-rad), min(n, p+rad+1)
				for ; q < b; q++ {
					from, to := slot(q), slot(q+1)
					for i, v := range s[at+q*st:][:nx] {
						to[i] = from[i] + float64(v)
					}
				}
				low, high, count := slot(a), slot(b), float64(b-a)
				out := d[at+p*st:][:nx]
				for i := range out {
					out[i] = float32((high[i] - low[i]) / count)
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
