package dense

import "context"

// Trsm does B ← B·L⁻ᵀ: B is m×n, L lower triangular n×n, both column-major. The
// upper triangle of L is not read; a zero on its diagonal gives infinities.
func (w *Work[T]) Trsm(m, n int, l []T, ldl int, b []T, ldb int) {
	checkMatrix("Trsm: L", n, n, l, ldl)
	checkMatrix("Trsm: B", m, n, b, ldb)
	f := &w.front
	f.ker = kernelOf[T]()
	mr, nr := f.ker.mr, f.ker.nr
	strips := up(m, mr) / mr
	for k0 := 0; k0 < n && m > 0; k0 += blockWidth {
		wd := min(blockWidth, n-k0)
		if k0 > 0 {
			w.product(m, wd, k0, b, ldb, l[k0:], ldl, b[k0*ldb:], ldb, false)
		}
		own := block{w: wd, width: up(wd, 8)}
		f.steps = grow(f.steps, own.width*(own.width+8)/2)
		f.tri = grow(f.tri, 8*own.width)
		clear(f.steps)
		clear(f.tri)
		for j0 := 0; j0 < wd; j0 += 8 {
			h := min(8, wd-j0)
			if j0 > 0 {
				packStrips(f.ker, f.step(j0), nr, h, j0, l[k0*ldl+k0+j0:], ldl)
			}
			for c := range h {
				col := l[(k0+j0+c)*ldl+k0+j0:]
				f.tri[8*j0+9*c] = 1 / col[c]
				for r := c + 1; r < h; r++ {
					f.tri[8*j0+8*r+c] = col[r]
				}
			}
		}
		f.cols = grow(f.cols, strips*mr*own.width)
		clear(f.cols)
		for s := range strips {
			h := min(mr, m-s*mr)
			x := f.strip(&own, s)
			packStrips(f.ker, x[:mr*wd], mr, h, wd, b[k0*ldb+s*mr:], ldb)
			f.solveStrip(&own, s)
			for c := range wd {
				copy(b[(k0+c)*ldb+s*mr:(k0+c)*ldb+s*mr+h], x[c*mr:])
			}
		}
	}
}

// Potrf turns the lower triangle of the n×n matrix A, column-major, into L of
// A = L·Lᵀ. The upper triangle is left as it is. It fails with *PivotError,
// and then leaves A as it was.
func (w *Work[T]) Potrf(n int, a []T, lda int) error {
	checkMatrix("Potrf", n, n, a, lda)
	_, err := w.decompose(LLT, n, a, lda)
	return err
}

// LDL turns the lower triangle of the n×n symmetric matrix A, column-major,
// into L and D of A = L·D·Lᵀ, D on the diagonal of a unit triangle, and returns
// the number of negative entries of D: by Sylvester's law, of negative
// eigenvalues of A. There is no pivoting. It fails with *PivotError when an
// entry of D is zero, and then leaves A as it was.
func (w *Work[T]) LDL(n int, a []T, lda int) (negative int, err error) {
	checkMatrix("LDL", n, n, a, lda)
	return w.decompose(LDL, n, a, lda)
}

func (w *Work[T]) decompose(form Form, n int, a []T, lda int) (negative int, err error) {
	f := &w.front
	f.Reset(n, 0, nil, false)
	f.eachRun(a, lda, func(run, mine []T) { copy(mine, run) })
	if negative, err = f.Factor(context.Background(), form, nil, false); err != nil {
		return 0, err
	}
	f.eachRun(a, lda, func(run, mine []T) { copy(run, mine) })
	if form == LDL { // the front keeps inverse pivots
		for c := range n {
			a[c*lda+c] = 1 / a[c*lda+c]
		}
	}
	return negative, nil
}

// eachRun calls g with the pieces of columns of the lower triangle of a that
// lie in one strip, and their place in the front.
func (f *Front[T]) eachRun(a []T, lda int, g func(run, mine []T)) {
	mr := f.ker.mr
	for i := range f.blocks {
		b := &f.blocks[i]
		for c := range b.w {
			for r := b.k0 + c; r < f.np; {
				e := min(f.np, r+mr-r%mr)
				o := f.in(b, r) + c*mr
				g(a[(b.k0+c)*lda+r:(b.k0+c)*lda+e], f.cols[o:o+e-r])
				r = e
			}
		}
	}
}
