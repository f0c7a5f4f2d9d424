package sparse

import (
	"math"

	"halsted/internal/par"
)

// Dense kernels of the fronts. All matrices are row-major; the work is made of
// dot products of rows, which are contiguous.

// panelBlock is the width of a column block: its rows stay in the cache while
// all rows of the panel pass.
const panelBlock = 48

// factorPanel turns an m×n panel (n pivots) into its Cholesky factor: the top
// n×n lower triangle becomes L₁₁, the rest A₂₁·L₁₁⁻ᵀ. It returns the first
// column whose pivot is not positive, or −1.
func factorPanel(p []float64, n, m int, wide bool) (int, float64) {
	for k := 0; k < n; k += panelBlock {
		e := min(k+panelBlock, n)
		// A[i, k:e] −= A[i, :k]·A[k:e, :k]ᵀ for all rows below, in tiles.
		if k > 0 {
			tiles(m-k, 64, wide, func(lo, hi int) {
				gemmRows(p, n, k+lo, k+hi, k, e, k)
			})
		}
		for i := k; i < e; i++ {
			row := p[i*n : i*n+n]
			for j := k; j < i; j++ {
				row[j] = (row[j] - dot(row[k:j], p[j*n+k:j*n+j])) / p[j*n+j]
			}
			d := row[i] - dot(row[k:i], row[k:i])
			if !goodPivot(d) {
				return i, d
			}
			row[i] = math.Sqrt(d)
		}
		tiles(m-e, 64, wide, func(lo, hi int) {
			for i := e + lo; i < e+hi; i++ {
				row := p[i*n : i*n+n]
				for j := k; j < e; j++ {
					row[j] = (row[j] - dot(row[k:j], p[j*n+k:j*n+j])) / p[j*n+j]
				}
			}
		})
	}
	return -1, 0
}

// gemmRows does P[i, c] −= P[i, :kk]·P[c, :kk] for rows i in [lo, hi) and
// columns c in [c0, c1), where column c stands for row c of the panel.
func gemmRows(p []float64, n, lo, hi, c0, c1, kk int) {
	for c := c0; c < c1; c += 2 {
		b0 := p[c*n : c*n+kk]
		if c+1 == c1 {
			for i := lo; i < hi; i++ {
				p[i*n+c] -= dot(p[i*n:i*n+kk], b0)
			}
			break
		}
		b1 := p[(c+1)*n : (c+1)*n+kk]
		i := lo
		for ; i+1 < hi; i += 2 {
			s00, s01, s10, s11 := dot22(p[i*n:i*n+kk], p[(i+1)*n:(i+1)*n+kk], b0, b1)
			p[i*n+c] -= s00
			p[i*n+c+1] -= s01
			p[(i+1)*n+c] -= s10
			p[(i+1)*n+c+1] -= s11
		}
		if i < hi {
			p[i*n+c] -= dot(p[i*n:i*n+kk], b0)
			p[i*n+c+1] -= dot(p[i*n:i*n+kk], b1)
		}
	}
}

// subtractGram does U −= B·Bᵀ on the lower triangle of the n×n matrix U, where
// B has n rows of length k.
func subtractGram(u, b []float64, n, k int, wide bool) {
	const tile = 48
	nt := (n + tile - 1) / tile
	tiles(nt, 1, wide, func(t, _ int) {
		lo, hi := t*tile, min(n, (t+1)*tile)
		for c0 := 0; c0 < hi; c0 += tile {
			c1 := min(c0+tile, hi)
			i := lo
			for ; i+1 < hi; i += 2 {
				a0, a1 := b[i*k:i*k+k], b[(i+1)*k:(i+1)*k+k]
				c, end := c0, min(c1, i+2)
				for ; c+1 < end; c += 2 {
					s00, s01, s10, s11 := dot22(a0, a1, b[c*k:c*k+k], b[(c+1)*k:(c+1)*k+k])
					u[i*n+c] -= s00
					u[i*n+c+1] -= s01
					u[(i+1)*n+c] -= s10
					u[(i+1)*n+c+1] -= s11
				}
				if c < end {
					u[i*n+c] -= dot(a0, b[c*k:c*k+k])
					u[(i+1)*n+c] -= dot(a1, b[c*k:c*k+k])
				}
			}
			if i < hi {
				for c := c0; c < min(c1, i+1); c++ {
					u[i*n+c] -= dot(b[i*k:i*k+k], b[c*k:c*k+k])
				}
			}
		}
	})
}

// dot22 is the four products of two rows with two rows.
func dot22(a0, a1, b0, b1 []float64) (s00, s01, s10, s11 float64) {
	n := len(a0)
	a1, b0, b1 = a1[:n], b0[:n], b1[:n]
	for i, x0 := range a0 {
		x1, y0, y1 := a1[i], b0[i], b1[i]
		s00 += x0 * y0
		s01 += x0 * y1
		s10 += x1 * y0
		s11 += x1 * y1
	}
	return
}

// tiles runs f over chunks of [0, n), concurrently when the front is large.
func tiles(n, size int, wide bool, f func(lo, hi int)) {
	if wide && n > size {
		par.Chunks(n, size, f)
		return
	}
	for lo := 0; lo < n; lo += size {
		f(lo, min(n, lo+size))
	}
}
