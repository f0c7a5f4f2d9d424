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
			n := min(4, k1-j)
			g := quadAt(l, m, j, n)
			for r := range count {
				v := y[r*ld : r*ld+m]
				var x [4]T
				for q := range n {
					s := v[j+q]
					for p := range q {
						s = fma(-x[p], l[g.c[p]+q-p], s)
					}
					if form == LLT {
						s *= l[g.c[q]]
					}
					v[j+q], x[q] = s, s
				}
				g.subtract(ker, &x, v[j+n:k1], j+n)
			}
		}
		_ = chunks(background, m-k1, rowChunk, wide, func(lo, hi int) {
			for j := k0; j < k1; j += 4 {
				n := min(4, k1-j)
				g := quadAt(l, m, j, n)
				for r := range count {
					v := y[r*ld : r*ld+m]
					var x [4]T
					copy(x[:], v[j:j+n])
					g.subtract(ker, &x, v[k1+lo:k1+hi], k1+lo)
				}
			}
		})
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
		_ = chunks(background, k1-k0, colChunk, wide, func(lo, hi int) {
			for j := k0 + lo; j < k0+hi; j += 4 {
				n := min(4, k0+hi-j)
				g := quadAt(l, m, j, n)
				for r := range count {
					v := y[r*ld : r*ld+m]
					s := g.project(ker, v[k1:], k1)
					for q := range n {
						if form == LDL {
							v[j+q] *= l[g.c[q]]
						}
						v[j+q] -= s[q]
					}
				}
			}
		})
		for j := k0 + (k1-k0-1)/4*4; j >= k0; j -= 4 {
			n := min(4, k1-j)
			g := quadAt(l, m, j, n)
			for r := range count {
				v := y[r*ld : r*ld+m]
				d := g.project(ker, v[j+n:k1], j+n)
				for q := n - 1; q >= 0; q-- {
					s := v[j+q] - d[q]
					for p := q + 1; p < n; p++ {
						s = fma(-v[j+p], l[g.c[q]+p-q], s)
					}
					if form == LLT {
						s *= l[g.c[q]]
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

// quad is up to four neighbouring columns.
type quad[T Float] struct {
	l []T
	j int    // first column
	n int    // columns
	c [4]int // where column j+q begins, with its diagonal
}

func quadAt[T Float](l []T, m, j, n int) (g quad[T]) {
	g.l, g.j, g.n = l, j, n
	o := j*m - j*(j-1)/2
	for q := range n {
		g.c[q] = o
		o += m - j - q
	}
	return g
}

// row is the entry of column q in a row; a missing column repeats the last.
func (g *quad[T]) row(q, row int) *T {
	q = min(q, g.n-1)
	return at(g.l, g.c[q]+row-g.j-q)
}

// subtract takes Σ x_q·column_q, from row on, from v.
func (g *quad[T]) subtract(ker *kernel[T], x *[4]T, v []T, row int) {
	if len(v) > 0 {
		ker.sub(len(v), g.row(0, row), g.row(1, row), g.row(2, row), g.row(3, row), &x[0], &v[0])
	}
}

// project is column_q·v, from row on.
func (g *quad[T]) project(ker *kernel[T], v []T, row int) (s [4]T) {
	if len(v) > 0 {
		ker.dot(len(v), g.row(0, row), g.row(1, row), g.row(2, row), g.row(3, row), &v[0], &s[0])
	}
	return s
}
