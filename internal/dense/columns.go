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

// copyRows is how many rows of a block are copied quad after quad before the
// next ones: a piece of the strips that stays in the cache.
const copyRows = 96

// Columns copies the factored columns to dst, ColumnsLen(np, nr) numbers, in
// the form that Forward and Backward read.
func (f *Front[T]) Columns(dst []T, wide bool) {
	m := f.np + f.nr
	for i := range f.blocks {
		b := &f.blocks[i]
		quads, k1 := (b.w+3)/4, b.k0+b.w
		own := (quads + 7) / 8
		below := (m - k1 + copyRows - 1) / copyRows
		_ = chunks(background, own+below, 1, wide, func(lo, _ int) {
			if lo < own {
				for t := 8 * lo; t < min(quads, 8*lo+8); t++ {
					g := quadAt(f.np, f.nr, b.k0+4*t)
					f.quad(dst, &g)
				}
				return
			}
			r := k1 + (lo-own)*copyRows
			for t := range quads {
				g := quadAt(f.np, f.nr, b.k0+4*t)
				f.rows(dst[g.below:], b, &g, k1, m, r, min(m, r+copyRows))
			}
		})
	}
}

// quad copies the rows of the block's own pivots.
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
	f.rows(dst[g.body():], b, g, g.j+g.n, g.k1, g.j+g.n, g.k1)
}

// rows copies rows [from, to) of a quad, of those that lie from r0 to r1 in
// chunks.
func (f *Front[T]) rows(dst []T, b *block, g *quad, r0, r1, from, to int) {
	mr := f.ker.mr
	v := 64 / int(unsafe.Sizeof(*new(T)))
	for r := from; r < to; {
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
		_, _ = d[(g.n-1)*h+n-1], f.cols[o+(g.n-1)*mr+n-1]
		f.ker.copy(g.n, n, &d[0], h, &f.cols[o], mr)
		r = end
	}
}
