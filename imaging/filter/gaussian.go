package filter

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/internal/par"
)

// Gaussian smooths in with a Gaussian of standard deviation sigmaMM, sampled to
// three standard deviations. At the border of the grid the weights of what
// there is are scaled to sum to one. Axes with a spacing above 3·sigmaMM stay
// as they are.
func Gaussian(ctx context.Context, g imaging.Grid, in []float32, sigmaMM float64) ([]float32, error) {
	src, spare := in, make([]float32, len(in))
	h := g.SpacingMM()
	stride := 1
	for axis := range 3 {
		n, st := g.Size[axis], stride
		stride *= n
		tap := gaussTaps(sigmaMM / h[axis])
		if len(tap) == 1 || n == 1 {
			continue
		}
		dst := spare
		var err error
		if axis == 0 {
			err = gaussRows(ctx, dst, src, n, tap)
		} else {
			err = gaussAcross(ctx, dst, src, n, st, tap)
		}
		if err != nil {
			return nil, err
		}
		if spare = src; &src[0] == &in[0] { // the caller's slice is not written to
			spare = make([]float32, len(in))
		}
		src = dst
	}
	if &src[0] == &in[0] {
		copy(spare, in)
		src = spare
	}
	return src, ctx.Err()
}

// gaussTaps are the weights at distances 0, 1, … voxels; they sum to one over
// both sides.
func gaussTaps(sigma float64) []float32 {
	r := int(3 * sigma)
	w := make([]float64, r+1)
	sum := 0.0
	for p := range w {
		w[p] = math.Exp(-0.5 * float64(p*p) / (sigma * sigma))
		sum += w[p]
		if p > 0 {
			sum += w[p]
		}
	}
	out := make([]float32, r+1)
	for p := range w {
		out[p] = float32(w[p] / sum)
	}
	if r == 0 {
		out[0] = 1
	}
	return out
}

// gaussRows filters along rows of n voxels.
func gaussRows(ctx context.Context, dst, src []float32, n int, tap []float32) error {
	r := len(tap) - 1
	return par.ChunksCtx(ctx, len(src)/n, 256, func(lo, hi int) error {
		for row := lo; row < hi; row++ {
			s, d := src[row*n:(row+1)*n], dst[row*n:(row+1)*n]
			for i := range d {
				if i < r || i >= n-r {
					d[i] = gaussBorder(s, i, tap)
					continue
				}
				sum := tap[0] * s[i]
				w := s[i-r : i+r+1]
				for p := 1; p <= r; p++ {
					sum += tap[p] * (w[r-p] + w[r+p])
				}
				d[i] = sum
			}
		}
		return nil
	})
}

func gaussBorder(s []float32, i int, tap []float32) float32 {
	var sum, weight float32
	for p := -min(i, len(tap)-1); p < len(tap) && i+p < len(s); p++ {
		t := tap[max(p, -p)]
		sum += t * s[i+p]
		weight += t
	}
	return sum / weight
}

// gaussAcross filters along the axis with the given stride and n voxels; a
// whole stretch of neighbours is summed at a time.
func gaussAcross(ctx context.Context, dst, src []float32, n, stride int, tap []float32) error {
	const stretch = 512
	pieces := (stride + stretch - 1) / stretch
	lines := len(src) / n / stride * n // positions along the axis over all outer blocks
	return par.ChunksCtx(ctx, lines*pieces, 64, func(lo, hi int) error {
		for c := lo; c < hi; c++ {
			line, piece := c/pieces, c%pieces
			p, base := line%n, line/n*n*stride
			from, to := piece*stretch, min((piece+1)*stretch, stride)
			d := dst[base+p*stride+from : base+p*stride+to]
			var weight float32
			clear(d)
			for q := max(0, p-len(tap)+1); q < min(n, p+len(tap)); q++ {
				t := tap[max(p-q, q-p)]
				weight += t
				s := src[base+q*stride+from:][:len(d)]
				for i, v := range s {
					d[i] += t * v
				}
			}
			if p < len(tap)-1 || p > n-len(tap) {
				for i := range d {
					d[i] /= weight
				}
			}
		}
		return nil
	})
}
