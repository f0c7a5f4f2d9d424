package dense

import "fmt"

// Columns of a Front are solved with directly. The sums are taken in blocks of
// blockWidth pivots: within a block one column after the other, the rows below
// a block in one piece.

// rowChunk and colChunk are the pieces of a block that run concurrently in a
// wide front.
const (
	rowChunk = 1024
	colChunk = 32
)

// Forward solves with the columns l of np pivots and nr rows (Front.Columns)
// for count vectors of np+nr numbers that begin ld apart in y: the first np
// become L₁₁⁻¹·y₁, the others y₂ − L₂₁·L₁₁⁻¹·y₁.
func Forward[T Float](form Form, np, nr int, l []T, y []T, ld, count int, wide bool) {
	m := np + nr
	checkColumns(np, nr, l, y, ld, count)
	ker := kernelOf[T]()
	for k0 := 0; k0 < np; k0 += blockWidth {
		k1 := min(np, k0+blockWidth)
		for j := k0; j < k1; j += 4 {
			g := quadAt(np, nr, j)
			for r := range count {
				v := y[r*ld : r*ld+m]
				var s [4]T
				for q := range g.n {
					o := g.pivot(q)
					t := v[j+q]
					for p := range q {
						t = fma(-s[p], l[o-q+p], t)
					}
					if form == LLT {
						t *= l[o]
					}
					v[j+q], s[q] = t, t
				}
				if h := k1 - j - g.n; h > 0 {
					ker.sub(g.n, h, &l[g.body()], &s[0], &v[j+g.n])
				}
			}
		}
		below := func(lo, hi int) {
			for j := k0; j < k1; j += 4 {
				g := quadAt(np, nr, j)
				for r := range count {
					v := y[r*ld : r*ld+m]
					ker.sub(g.n, hi-lo, &l[g.below+g.n*lo], &v[j], &v[k1+lo])
				}
			}
		}
		switch {
		case wide:
			_ = chunks(background, m-k1, rowChunk, true, below)
		case m > k1:
			below(0, m-k1)
		}
	}
}

// Backward solves with the transposed columns: the first np numbers of every
// vector become L₁₁⁻ᵀ·(D⁻¹·y₁ − L₂₁ᵀ·y₂), D = 1 in LLT.
func Backward[T Float](form Form, np, nr int, l []T, y []T, ld, count int, wide bool) {
	m := np + nr
	checkColumns(np, nr, l, y, ld, count)
	ker := kernelOf[T]()
	for k0 := (np - 1) / blockWidth * blockWidth; k0 >= 0 && np > 0; k0 -= blockWidth {
		k1 := min(np, k0+blockWidth)
		below := func(lo, hi int) {
			for j := k0 + lo; j < k0+hi; j += 4 {
				g := quadAt(np, nr, j)
				for r := range count {
					v := y[r*ld : r*ld+m]
					var s [4]T
					if m > k1 {
						ker.dot(g.n, m-k1, &l[g.below], &v[k1], &s[0])
					}
					for q := range g.n {
						t := v[j+q]
						if form == LDL {
							t = T(t * l[g.pivot(q)]) // rounded: the compiler must not fuse
						}
						v[j+q] = t - s[q]
					}
				}
			}
		}
		if wide {
			_ = chunks(background, k1-k0, colChunk, true, below)
		} else {
			below(0, k1-k0)
		}
		for j := k0 + (k1-k0-1)/4*4; j >= k0; j -= 4 {
			g := quadAt(np, nr, j)
			for r := range count {
				v := y[r*ld : r*ld+m]
				var d [4]T
				if h := k1 - j - g.n; h > 0 {
					ker.dot(g.n, h, &l[g.body()], &v[j+g.n], &d[0])
				}
				for q := g.n - 1; q >= 0; q-- {
					s := v[j+q] - d[q]
					for p := q + 1; p < g.n; p++ {
						s = fma(-v[j+p], l[g.pivot(p)-p+q], s)
					}
					if form == LLT {
						s *= l[g.pivot(q)]
					}
					v[j+q] = s
				}
			}
		}
	}
}

func checkColumns[T Float](np, nr int, l, y []T, ld, count int) {
	if len(l) < ColumnsLen(np, nr) || (count > 0 && len(y) < (count-1)*ld+np+nr) || ld < np+nr {
		panic(fmt.Sprintf("dense: columns of %d pivots and %d rows in %d numbers, %d vectors of leading dimension %d in %d",
			np, nr, len(l), count, ld, len(y)))
	}
}
