package dense

import (
	"context"
	"fmt"
	"math"

	"halsted/internal/par"
)

// Form is the factorisation of a symmetric matrix.
type Form uint8

// The factorisations.
const (
	LLT Form = iota // A = L·Lᵀ, A positive definite
	LDL             // A = L·D·Lᵀ, D diagonal, without pivoting
)

// Front is the dense step of a multifrontal factorisation: a symmetric matrix
// whose first np rows are pivots and whose other nr rows take the update. Only
// the lower triangle counts. It reuses its memory for fronts of any size.
//
// Rows stand in strips of mr, pivots and others each padded with zero rows.
// The pivot columns stand in blocks of blockWidth, each holding the strips
// from its own first row down; a strip is column-major. The update holds
// strips too, strip t of mr·(t+1) columns: it is addressed through At and Add
// and is of use to Add alone.
type Front[T Float] struct {
	ker     *kernel[T]
	np, nr  int
	pivots  int // strips of pivot rows
	strips  int // all strips
	blocks  []block
	cols    []T  // all blocks
	u       []T  // update, memory of the caller
	inverse bool // the diagonal holds inverse pivots

	groups []T // rows of the block in turn as groups of B
	steps  []T // the same for the rows of the block's own pivots, step by step
	tri    []T // 8×8 triangles of the block in turn
	invD   []T // LDL: inverse pivots of the block in turn
	tasks  [][2]int
	segs   []segment // Add: columns of a child by destination
	offset []int     // Add: where a block column of the child begins
}

// block is a block of pivot columns.
type block struct {
	k0, w, width int // first column, columns, columns with padding
	s0           int // first strip
	at           int // offset in cols
}

// PivotError is the first pivot that could not be used: not positive or not
// finite in LLT, zero or not finite in LDL.
type PivotError struct {
	Column int
	Pivot  float64
}

func (e *PivotError) Error() string {
	return fmt.Sprintf("dense: pivot %g in column %d", e.Pivot, e.Column)
}

// UpdateLen is how many numbers the update of nr rows takes.
func UpdateLen[T Float](nr int) int {
	mr := kernelOf[T]().mr
	t := up(nr, mr) / mr
	return mr * mr * t * (t + 1) / 2
}

// Need is the memory of a Front, in numbers, for fronts of some sizes.
type Need struct{ cols, groups, steps, tri, pivots int }

// NeedOf is what a front of np pivots and nr rows takes, the update not
// counted.
func NeedOf[T Float](np, nr int) (n Need) {
	mr := kernelOf[T]().mr
	rows := up(np, mr) + up(nr, mr)
	for k := 0; k < np; k += blockWidth {
		w := min(blockWidth, np-k)
		n.cols += (rows - k) * up(w, 8)
		n.groups = max(n.groups, (rows-k-up(w, mr))*w)
	}
	w := up(min(blockWidth, np), 8)
	n.steps, n.tri, n.pivots = w*(w+8)/2, 8*w, w
	return n
}

// Max is what both fronts take in turn.
func (n Need) Max(m Need) Need {
	return Need{max(n.cols, m.cols), max(n.groups, m.groups), max(n.steps, m.steps), max(n.tri, m.tri), max(n.pivots, m.pivots)}
}

// Len is the sum of all.
func (n Need) Len() int { return n.cols + n.groups + n.steps + n.tri + n.pivots }

// Grow makes room for a need at once; without it the front grows as it meets
// larger sizes.
func (f *Front[T]) Grow(n Need) {
	f.cols, f.groups = grow(f.cols, n.cols), grow(f.groups, n.groups)
	f.steps, f.tri, f.invD = grow(f.steps, n.steps), grow(f.tri, n.tri), grow(f.invD, n.pivots)
}

// Reset prepares a front of np pivots and nr other rows, all zero. u is the
// memory of its update, UpdateLen(nr) numbers, which Reset clears. A wide
// front uses all cores.
func (f *Front[T]) Reset(np, nr int, u []T, wide bool) {
	f.ker = kernelOf[T]()
	mr := f.ker.mr
	f.np, f.nr = np, nr
	f.pivots = up(np, mr) / mr
	f.strips = f.pivots + up(nr, mr)/mr
	f.blocks = f.blocks[:0]
	n := 0
	for k := 0; k < np; k += blockWidth {
		w := min(blockWidth, np-k)
		b := block{k0: k, w: w, width: up(w, 8), s0: k / mr, at: n}
		n += (f.strips - b.s0) * mr * b.width
		f.blocks = append(f.blocks, b)
	}
	f.cols = grow(f.cols, n)
	f.u = u
	const piece = 1 << 18
	for _, s := range [][]T{f.cols, u} {
		_ = chunks(background, len(s), piece, wide, func(lo, hi int) { clear(s[lo:hi]) })
	}
}

// row is the padded place of row i.
func (f *Front[T]) row(i int) int {
	if i < f.np {
		return i
	}
	return f.pivots*f.ker.mr + i - f.np
}

// in is the offset in cols of the padded row r in block b, column k0.
func (f *Front[T]) in(b *block, r int) int {
	mr := f.ker.mr
	return b.at + (r/mr-b.s0)*mr*b.width + r%mr
}

// Put sets the 3×3 block of pivot columns c, c+1, c+2 and rows i, i+1, i+2,
// where i ≥ c, i and c are multiples of 3 and np is one too. v holds the rows
// of column c, then of column c+1, c+2.
func (f *Front[T]) Put(i, c int, v *[9]float64) {
	b := &f.blocks[c/blockWidth]
	mr := f.ker.mr
	o := f.in(b, f.row(i)) + (c-b.k0)*mr
	for q := range 3 {
		d := (*[3]T)(f.cols[o+q*mr:])
		d[0], d[1], d[2] = T(v[3*q]), T(v[3*q+1]), T(v[3*q+2])
	}
}

// Factor eliminates the pivots: it fails with *PivotError, or with the error
// of ctx, which is checked between tiles of about a millisecond. In a wide
// front tiles run concurrently; the bits are the same. least, if not nil, holds
// for every pivot the size at or below which LDL takes it for zero. It returns
// the number of negative pivots.
func (f *Front[T]) Factor(ctx context.Context, form Form, least []T, wide bool) (negative int, err error) {
	f.inverse = form == LDL
	for i := range f.blocks {
		b := &f.blocks[i]
		neg, err := f.pivotBlock(b, form, least)
		if err != nil {
			return 0, err
		}
		negative += neg
		below := b.s0 + up(b.w, f.ker.mr)/f.ker.mr
		err = chunks(ctx, f.strips-below, 4, wide, func(lo, hi int) {
			for s := below + lo; s < below+hi; s++ {
				f.solveStrip(b, s)
			}
		})
		if err != nil {
			return 0, err
		}
		if err := f.update(ctx, i, below, form, wide); err != nil {
			return 0, err
		}
		if form == LDL {
			f.scale(b, wide)
		}
	}
	return negative, nil
}

// strip is strip s of block b.
func (f *Front[T]) strip(b *block, s int) []T {
	n := f.ker.mr * b.width
	o := b.at + (s-b.s0)*n
	return f.cols[o : o+n]
}

// step is the groups of B for the eight pivots from j0 on: all columns before.
func (f *Front[T]) step(j0 int) []T {
	// steps before have 8·(0 + 8 + … + j0−8) numbers.
	o := j0 * (j0 - 8) / 2
	return f.steps[o : o+8*j0]
}

// solveStrip computes the rows of strip s below the pivots of block b.
func (f *Front[T]) solveStrip(b *block, s int) {
	mr, nr := f.ker.mr, f.ker.nr
	x := f.strip(b, s)
	for j0 := 0; j0 < b.w; j0 += 8 {
		if j0 > 0 {
			f.ker.tile(8/nr, j0, &x[0], &f.step(j0)[0], &x[j0*mr], mr)
		}
		f.ker.solve(1, &f.tri[8*j0], &x[j0*mr], 0)
	}
}

// pivotBlock factors the rows of block b that hold its own pivots and keeps
// what solveStrip needs.
func (f *Front[T]) pivotBlock(b *block, form Form, least []T) (negative int, err error) {
	mr, nr := f.ker.mr, f.ker.nr
	f.steps = grow(f.steps, b.width*(b.width+8)/2)
	f.tri = grow(f.tri, 8*b.width)
	f.invD = grow(f.invD, b.width)
	end := b.s0 + up(b.w, mr)/mr
	for j0 := 0; j0 < b.w; j0 += 8 {
		n := min(8, b.w-j0)
		first := b.s0 + j0/mr
		if j0 > 0 {
			g := f.step(j0)
			for q := 0; q < 8; q += nr {
				if r := b.k0 + j0 + q; r < end*mr {
					f.group(b, r, j0, g[q*j0:(q+nr)*j0], form)
				} else {
					clear(g[q*j0 : (q+nr)*j0])
				}
			}
			for s := first; s < end; s++ {
				x := f.strip(b, s)
				f.ker.tile(8/nr, j0, &x[0], &g[0], &x[j0*mr], mr)
			}
		}
		tri := (*[64]T)(f.tri[8*j0:])
		clear(tri[:])
		for r := range n {
			o := f.in(b, b.k0+j0+r) + j0*mr
			for c := range r + 1 {
				tri[8*r+c] = f.cols[o+c*mr]
			}
		}
		var own [64]T
		var floor [8]T
		if least != nil {
			copy(floor[:], least[b.k0+j0:b.k0+j0+n])
		}
		at, pivot, neg := factor8(tri, &own, (*[8]T)(f.invD[j0:]), &floor, n, form)
		if at >= 0 {
			return 0, &PivotError{Column: b.k0 + j0 + at, Pivot: pivot}
		}
		negative += neg
		x := f.strip(b, first)
		f.ker.solve(end-first, &tri[0], &x[j0*mr], mr*b.width)
		// The rows above and on the triangle hold what is no part of L.
		for r := first * mr; r < b.k0+j0+n; r++ {
			o := f.in(b, r) + j0*mr
			for c := range 8 {
				f.cols[o+c*mr] = 0
				if r >= b.k0+j0 && c <= r-b.k0-j0 {
					f.cols[o+c*mr] = own[8*(r-b.k0-j0)+c]
				}
			}
		}
	}
	return negative, nil
}

// group copies the rows r … r+nr−1 of the first k columns of block b to a
// group of B; LDL divides by the pivots, which makes rows of L of them.
func (f *Front[T]) group(b *block, r, k int, dst []T, form Form) {
	mr, nr := f.ker.mr, f.ker.nr
	_ = dst[k*nr-1]
	f.ker.copy(k, nr, &dst[0], nr, &f.cols[f.in(b, r)], mr)
	if form == LDL {
		for p, d := range f.invD[:k] {
			for q := range nr {
				dst[p*nr+q] *= d
			}
		}
	}
}

// factor8 factors the n×n lower triangle t (leading dimension 8) in place. On
// return t is L with the inverse of its diagonal (LLT), or the unit triangle
// L (LDL); own holds the rows of L, or of L·D; d the inverse pivots. In LDL a
// pivot must be larger than floor in size. It returns the first bad pivot, or −1, and the number of negative ones.
func factor8[T Float](t, own *[64]T, d, floor *[8]T, n int, form Form) (at int, pivot float64, negative int) {
	for j := range n {
		for c := range j {
			s := t[8*j+c]
			for p := range c {
				s = fma(-own[8*j+p], t[8*c+p], s)
			}
			if form == LLT {
				s *= d[c]
			}
			own[8*j+c] = s
		}
		s := t[9*j]
		for c := range j {
			v := own[8*j+c]
			t[8*j+c] = v
			if form == LDL {
				t[8*j+c] = v * d[c]
			}
			s = fma(-v, t[8*j+c], s)
		}
		if form == LLT {
			if !(s > 0) || math.IsInf(float64(s), 0) {
				return j, float64(s), 0
			}
			s = T(math.Sqrt(float64(s)))
			own[9*j], d[j] = s, 1/s
			t[9*j] = d[j]
			continue
		}
		if !(max(s, -s) > floor[j]) || math.IsInf(float64(s), 0) {
			return j, float64(s), 0
		}
		if s < 0 {
			negative++
		}
		own[9*j], d[j] = s, 1/s
		t[9*j] = 1
	}
	return -1, 0, negative
}

// update subtracts what block i, whose rows below its pivots begin at strip
// below, owes to the later pivot columns and to the update.
func (f *Front[T]) update(ctx context.Context, i, below int, form Form, wide bool) error {
	mr, nr := f.ker.mr, f.ker.nr
	b := &f.blocks[i]
	rows := f.strips - below
	if rows == 0 {
		return nil
	}
	f.groups = grow(f.groups, rows*mr*b.w)
	err := chunks(ctx, rows, 16, wide, func(lo, hi int) {
		for g := lo * mr; g < hi*mr; g += nr {
			f.group(b, below*mr+g, b.w, f.groups[g*b.w:(g+nr)*b.w], form)
		}
	})
	if err != nil {
		return err
	}
	for j := i + 1; j < len(f.blocks); j++ {
		c := &f.blocks[j]
		from := (c.s0 - below) * mr // row of groups that column k0 is
		err := chunks(ctx, f.strips-c.s0, 8, wide, func(lo, hi int) {
			for s := c.s0 + lo; s < c.s0+hi; s++ {
				cols := min(c.w, (s-c.s0+1)*mr)
				a, x := f.strip(b, s), f.strip(c, s)
				f.ker.tile((cols+nr-1)/nr, b.w, &a[0], &f.groups[from*b.w], &x[0], mr)
			}
		})
		if err != nil {
			return err
		}
	}
	tall := f.strips - f.pivots
	if tall == 0 {
		return nil
	}
	from := (f.pivots - below) * mr
	// Tasks: blocks of columns by runs of strips.
	const run = 8
	width := blockWidth / mr // strips that are as high as a block is wide
	f.tasks = f.tasks[:0]
	for c := 0; c < tall; c += width {
		for s := c; s < tall; s += run {
			f.tasks = append(f.tasks, [2]int{c, s})
		}
	}
	return chunks(ctx, len(f.tasks), 1, wide, func(lo, hi int) {
		for _, task := range f.tasks[lo:hi] {
			c := task[0]
			for s := task[1]; s < min(tall, task[1]+run); s++ {
				cols := min(width, s-c+1) * mr
				a := f.strip(b, f.pivots+s)
				f.ker.tile(cols/nr, b.w, &a[0], &f.groups[(from+c*mr)*b.w], &f.u[mr*mr*(s*(s+1)/2+c)], mr)
			}
		}
	})
}

// scale turns the strips of block b from L·D to L and puts the inverse pivots
// where the diagonal was; see Columns.
func (f *Front[T]) scale(b *block, wide bool) {
	mr := f.ker.mr
	_ = chunks(background, f.strips-b.s0, 16, wide, func(lo, hi int) {
		for s := b.s0 + lo; s < b.s0+hi; s++ {
			x := f.strip(b, s)
			for c, d := range f.invD[:b.w] {
				for r := range x[c*mr : (c+1)*mr] {
					x[c*mr+r] *= d
				}
			}
		}
	})
	for c, d := range f.invD[:b.w] {
		f.cols[f.in(b, b.k0+c)+c*mr] = d
	}
}

// background is for loops that are not worth stopping.
var background = context.Background()

// chunks runs f over chunks of [0, n), concurrently when wide.
func chunks(ctx context.Context, n, size int, wide bool, f func(lo, hi int)) error {
	if wide && n > size {
		return par.ChunksCtx(ctx, n, size, func(lo, hi int) error { f(lo, hi); return nil })
	}
	for lo := 0; lo < n; lo += size {
		if err := ctx.Err(); err != nil {
			return err
		}
		f(lo, min(n, lo+size))
	}
	return nil
}
