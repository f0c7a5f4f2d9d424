package dense

// segment is a run of block columns of a child that go to the same block of
// pivot columns, or to the update (block −1).
type segment struct{ lo, hi, block int }

// Add adds the update u of a child. rows[i] is the block row of this front, in
// blocks of three rows, that block row i of the child is; it ascends. np is a
// multiple of 3.
func (f *Front[T]) Add(u []T, rows []int32, wide bool) {
	mr := f.ker.mr
	per := mr / 3 // block rows of a strip
	n := len(rows)
	f.segs, f.offset = f.segs[:0], f.offset[:0]
	for i, r := range rows {
		c, to := 3*int(r), -1
		if c < f.np {
			to = c / blockWidth
			c -= to * blockWidth
		} else {
			c -= f.np
		}
		if last := len(f.segs) - 1; last >= 0 && f.segs[last].block == to {
			f.segs[last].hi = i + 1
		} else {
			f.segs = append(f.segs, segment{i, i + 1, to})
		}
		f.offset = append(f.offset, c*mr)
	}
	strips := (n + per - 1) / per
	work := func(lo, hi int) {
		for t := lo; t < hi; t++ {
			src := u[mr*mr*t*(t+1)/2:]
			for i := t * per; i < min(n, (t+1)*per); i++ {
				f.addRow(src[3*(i-t*per):], 3*int(rows[i]), i+1)
			}
		}
	}
	_ = chunks(background, strips, 4, wide, work)
}

// addRow adds three rows of a child, of cols block columns, to rows r, r+1 and
// r+2.
func (f *Front[T]) addRow(src []T, r, cols int) {
	mr := f.ker.mr
	for _, s := range f.segs {
		if s.lo >= cols {
			return
		}
		var dst []T
		if s.block >= 0 {
			dst = f.cols[f.in(&f.blocks[s.block], f.row(r)):]
		} else {
			t, q := (r-f.np)/mr, (r-f.np)%mr
			dst = f.u[mr*mr*t*(t+1)/2+q:]
		}
		for i, o := range f.offset[s.lo:min(s.hi, cols)] {
			x := src[3*mr*(s.lo+i):]
			d0, d1, d2 := (*[3]T)(dst[o:]), (*[3]T)(dst[o+mr:]), (*[3]T)(dst[o+2*mr:])
			x0, x1, x2 := (*[3]T)(x), (*[3]T)(x[mr:]), (*[3]T)(x[2*mr:])
			d0[0] += x0[0]
			d0[1] += x0[1]
			d0[2] += x0[2]
			d1[0] += x1[0]
			d1[1] += x1[1]
			d1[2] += x1[2]
			d2[0] += x2[0]
			d2[1] += x2[1]
			d2[2] += x2[2]
		}
	}
}
