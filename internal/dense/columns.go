package dense

import "unsafe"

// ColumnsLen is how many numbers the columns of np pivots and nr rows below
// take: nothing is stored twice, nothing is padded.
func ColumnsLen(np, nr int) int { return np*(np+1)/2 + np*nr }

// quad is up to four neighbouring columns of a block of blockWidth.
//
// A block begins with the triangles of its quads. A triangle is the rows of
// the quad's own pivots, row after row, with the inverse of every pivot (of the
// diagonal of L in LLT, of D in LDL) in its place, and then the other rows of
// the block in chunks. The rows below the block follow, quad after quad, in
// chunks. A chunk is 64 bytes of the first column, of the second and so on; the
// last one is shorter. So a solve reads the block from end to end.
type quad struct {
	j, n  int // first column, columns
	k1, m int // end of the block, rows of the matrix
	own   int // offset of the pivots' rows
	below int // offset of the rows below the block
}

// body is the offset of the rows of the block below the quad's pivots.
func (g *quad) body() int { return g.own + g.n*(g.n+1)/2 }

// pivot is the offset of the inverse of pivot q; entry (q, p) of the triangle
// lies q−p before it.
func (g *quad) pivot(q int) int { return g.own + q*(q+3)/2 }

func quadAt(np, nr, j int) quad {
	m := np + nr
	k0 := j / blockWidth * blockWidth
	k1 := min(np, k0+blockWidth)
	base, d, w := k0*m-k0*(k0-1)/2, j-k0, k1-k0
	return quad{
		j: j, n: min(4, k1-j), k1: k1, m: m,
		own:   base + d*w - d*(d-1)/2,
		below: base + w*(w+1)/2 + d*(m-k1),
	}
}

// Columns copies the factored columns to dst, ColumnsLen(np, nr) numbers, in
// the form that Forward and Backward read.
func (f *Front[T]) Columns(dst []T, wide bool) {
	_ = chunks(background, (f.np+3)/4, 8, wide, func(lo, hi int) {
		for t := lo; t < hi; {
			// Quads do not cross blocks: 4 divides blockWidth.
			g := quadAt(f.np, f.nr, 4*t)
			f.quad(dst, &g)
			t++
		}
	})
}

func (f *Front[T]) quad(dst []T, g *quad) {
	mr := f.ker.mr
	b := &f.blocks[g.j/blockWidth]
	for q := range g.n {
		o := f.in(b, f.row(g.j+q)) + (g.j-b.k0)*mr
		for p := range q + 1 {
			dst[g.pivot(q)-q+p] = f.cols[o+p*mr]
		}
		if !f.inverse {
			dst[g.pivot(q)] = 1 / dst[g.pivot(q)]
		}
	}
	f.rows(dst[g.body():], b, g, g.j+g.n, g.k1)
	f.rows(dst[g.below:], b, g, g.k1, g.m)
}

// rows copies rows [r0, r1) of a quad in chunks.
func (f *Front[T]) rows(dst []T, b *block, g *quad, r0, r1 int) {
	mr := f.ker.mr
	v := 64 / int(unsafe.Sizeof(*new(T)))
	for r := r0; r < r1; {
		c := (r - r0) / v * v // chunk
		h := min(v, r1-r0-c)  // rows of it
		p := f.row(r)
		end := min(r0+c+h, r+mr-p%mr) // of the strip or the chunk
		if r < f.np {
			end = min(end, f.np)
		}
		o := f.in(b, p) + (g.j-b.k0)*mr
		d := dst[c*g.n+r-r0-c:]
		n := end - r
		for q := range g.n {
			copy(d[q*h:q*h+n], f.cols[o+q*mr:o+q*mr+n])
		}
		r = end
	}
}
