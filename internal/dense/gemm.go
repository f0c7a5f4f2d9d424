package dense

import "fmt"

// blockWidth is how many products one accumulator takes before it is
// subtracted from its entry of C. It is part of the meaning of a result; every
// mr divides it.
const blockWidth = 192

// Work owns the packed copies of operands, so that repeated calls allocate
// nothing. The zero value is ready; one goroutine at a time.
type Work[T Float] struct {
	a, b, edge []T
	front      Front[T]
}

// grow returns s with at least n elements; what they hold is not defined.
func grow[T Float](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// checkMatrix panics when an m×n column-major matrix does not fit in a.
func checkMatrix[T Float](name string, m, n int, a []T, ld int) {
	if m < 0 || n < 0 || ld < max(m, 1) || (m > 0 && n > 0 && len(a) < (n-1)*ld+m) {
		panic(fmt.Sprintf("dense: %s: %d×%d with leading dimension %d in %d numbers", name, m, n, ld, len(a)))
	}
}

// packStrips copies the m×k column-major matrix a to strips of mr rows,
// padded with zero rows.
func packStrips[T Float](ker *kernel[T], dst []T, mr, m, k int, a []T, lda int) {
	i := 0
	for ; i+mr <= m && k > 0; i += mr {
		_, _ = dst[(i+mr)*k-1], a[(k-1)*lda+i+mr-1]
		ker.copy(k, mr, &dst[i*k], mr, &a[i], lda)
	}
	if h := m - i; h > 0 {
		strip := dst[i*k : (i+mr)*k]
		for p := range k {
			d := strip[p*mr : (p+1)*mr]
			copy(d, a[p*lda+i:p*lda+m])
			clear(d[h:])
		}
	}
}

// Gemm does C −= A·Bᵀ: A is m×k, B n×k, C m×n, all column-major with leading
// dimensions lda, ldb and ldc.
func (w *Work[T]) Gemm(m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int) {
	checkMatrix("Gemm: A", m, k, a, lda)
	checkMatrix("Gemm: B", n, k, b, ldb)
	checkMatrix("Gemm: C", m, n, c, ldc)
	w.product(m, n, k, a, lda, b, ldb, c, ldc, false)
}

// Syrk does C −= A·Aᵀ on the lower triangle of C: A is n×k, C n×n,
// column-major. The upper triangle is left as it is.
func (w *Work[T]) Syrk(n, k int, a []T, lda int, c []T, ldc int) {
	checkMatrix("Syrk: A", n, k, a, lda)
	checkMatrix("Syrk: C", n, n, c, ldc)
	w.product(n, n, k, a, lda, a, lda, c, ldc, true)
}

// product packs A in strips and B in groups and lets tiles run down the
// strips, blockWidth columns of B at a time so that these stay in the cache.
// lower leaves what is above the diagonal of C alone.
func (w *Work[T]) product(m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, lower bool) {
	ker := kernelOf[T]()
	mr, nr := ker.mr, ker.nr
	w.edge = grow(w.edge, mr*nr)
	for k0 := 0; k0 < k && m > 0 && n > 0; k0 += blockWidth {
		kb := min(blockWidth, k-k0)
		w.a = grow(w.a, up(m, mr)*kb)
		packStrips(ker, w.a, mr, m, kb, a[k0*lda:], lda)
		w.b = grow(w.b, up(n, nr)*kb)
		packStrips(ker, w.b, nr, n, kb, b[k0*ldb:], ldb)
		for j0 := 0; j0 < n; j0 += blockWidth {
			j1 := min(n, j0+blockWidth)
			for i := 0; i < m; i += mr {
				j := j0
				if i+mr <= m {
					end := j1
					if lower {
						end = min(j1, i)
					}
					if full := (end - j0) / nr; full > 0 {
						ker.tile(full, kb, &w.a[i*kb], &w.b[j0*kb], &c[j0*ldc+i], ldc)
						j += full * nr
					}
				}
				for ; j < j1 && !(lower && j >= i+mr); j += nr {
					w.edgeTile(ker, kb, i, j, m, j1, c, ldc, lower)
				}
			}
		}
	}
}

// edgeTile computes a tile that C holds a part of.
func (w *Work[T]) edgeTile(ker *kernel[T], kb, i, j, m, n int, c []T, ldc int, lower bool) {
	mr, nr := ker.mr, ker.nr
	h, e := min(mr, m-i), min(nr, n-j)
	for q := range e {
		copy(w.edge[q*mr:q*mr+h], c[(j+q)*ldc+i:])
	}
	ker.tile(1, kb, &w.a[i*kb], &w.b[j*kb], &w.edge[0], mr)
	for q := range e {
		top := 0
		if lower {
			top = min(h, max(0, j+q-i))
		}
		copy(c[(j+q)*ldc+i+top:(j+q)*ldc+i+h], w.edge[q*mr+top:q*mr+h])
	}
}
