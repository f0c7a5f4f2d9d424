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
			end := min(n, (t+1)*per)
			for i := t * per; i < end; {
				// Rows that stay neighbours go together.
				run := f.together(rows[i:end])
				f.addRows(src[3*(i-t*per):], 3*int(rows[i]), 3*run, i+run)
				i += run
			}
		}
	}
	_ = chunks(background, strips, 4, wide, work)
}

// together is how many of the first block rows are neighbours in one strip of
// the front.
func (f *Front[T]) together(rows []int32) int {
	r := 3 * int(rows[0])
	room := f.ker.mr - f.row(r)%f.ker.mr
	if r < f.np {
		room = min(room, f.np-r)
	}
	n := 1
	for n < len(rows) && 3*n < room && rows[n] == rows[0]+int32(n) {
		n++
	}
	return n
}

// addRows adds h rows of a child, of cols block columns, to the rows from r
// on. Rows of a run have blocks above the diagonal of the child too; they come
// to lie above that of the front.
func (f *Front[T]) addRows(src []T, r, h, cols int) {
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
		hi := min(s.hi, cols)
		_, _ = dst[f.offset[hi-1]+2*mr+h-1], src[(3*hi-1)*mr+h-1]
		f.ker.add(hi-s.lo, &f.offset[s.lo], h, &dst[0], &src[3*mr*s.lo])
	}
}
