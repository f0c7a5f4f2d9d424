package dense

import (
	"context"
	"fmt"

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
// strips too, strip t of mr·(t+1) columns; it is of use to Add alone.
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
