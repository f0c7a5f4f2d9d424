package dense

import (
	"context"
	"math"
)

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
