package sparse

import (
	"context"

	"halsted/internal/par"
)

// The Galerkin product runs over strips of fine rows: first A·P of the strip,
// part by part, then every coarse row takes what the strip owes it. Both are
// concurrent, no number is written from two places, and the memory is that of
// a strip.
const (
	stripRows = 4096
	partRows  = 128
)

// strip is A·P of some rows: row i has the coarse vertices col[ptr[i]:ptr[i+1]]
// and as many 3×6 blocks.
type strip struct {
	ptr, col []int32
	val      []float64
}

// galerkin makes Pᵀ·A·P in l.coarse. Unknowns that no mode of a group supports
// get a diagonal of the size of their neighbours'.
func (l *amgLevel) galerkin(ctx context.Context) error {
	l.coarse.Zero()
	n := l.a.N
	parts := make([]strip, (stripRows+partRows-1)/partRows)
	next := make([]int32, l.nc) // place in the transpose
	copy(next, l.tptr[:l.nc])
	for lo := 0; lo < n; lo += stripRows {
		hi := min(n, lo+stripRows)
		err := par.ChunksCtx(ctx, hi-lo, partRows, func(from, to int) error {
			l.multiply(&parts[from/partRows], lo+from, lo+to)
			return nil
		})
		if err != nil {
			return err
		}
		par.Chunks(l.nc, 64, func(from, to int) {
			var where []int32
			for c := from; c < to; c++ {
				k := next[c]
				if k == l.tptr[c+1] || int(l.tvert[k])*l.g >= hi {
					continue
				}
				if where == nil {
					where = make([]int32, l.nc)
				}
				next[c] = l.gather(c, k, lo, hi, parts, where)
			}
		})
	}
	l.mirror()
	return nil
}

// multiply makes rows [lo, hi) of A·P.
func (l *amgLevel) multiply(s *strip, lo, hi int) {
	a := l.a
	s.ptr, s.col, s.val = append(s.ptr[:0], 0), s.col[:0], s.val[:0]
	where := make([]int32, l.nc) // place in s.col plus 1
	for i := lo; i < hi; i++ {
		first := int32(len(s.col))
		for b := a.RowPtr[i]; b < a.RowPtr[i+1]; b++ {
			j := int(a.Col[b])
			at, _ := l.rowAt(j)
			v := j / l.g
			m := (*[9]float64)(a.Val[9*b:])
			for k, c := range l.pcol[l.pptr[v]:l.pptr[v+1]] {
				w := where[c] - 1
				if w < first {
					w = int32(len(s.col))
					where[c] = w + 1
					s.col = append(s.col, c)
					s.val = append(s.val, make([]float64, 18)...)
				}
				addMulSingle((*[18]float64)(s.val[18*w:]), m, (*[18]float32)(l.p[18*(at+k):]))
			}
		}
		s.ptr = append(s.ptr, int32(len(s.col)))
	}
}

// addMulSingle does d += a·b for 3×3 a and 3×6 b.
func addMulSingle(d *[18]float64, a *[9]float64, b *[18]float32) {
	a0, a1, a2, a3, a4, a5, a6, a7, a8 := a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]
	for c := range 6 {
		x, y, z := float64(b[c]), float64(b[6+c]), float64(b[12+c])
		d[c] += a0*x + a1*y + a2*z
		d[6+c] += a3*x + a4*y + a5*z
		d[12+c] += a6*x + a7*y + a8*z
	}
}

// gather adds Pᵀ·(A·P) of the strip's rows to coarse row c, from its upper
// half on, starting at place k of the transpose; it returns the place after.
func (l *amgLevel) gather(c int, k int32, lo, hi int, parts []strip, where []int32) int32 {
	m := l.coarse
	first, second := m.RowPtr[2*c], m.RowPtr[2*c+1]
	for b := first; b < second; b += 2 {
		where[m.Col[b]/2] = b - first
	}
	for ; k < l.tptr[c+1]; k++ {
		v := int(l.tvert[k])
		if v*l.g >= hi {
			break
		}
		for i := v * l.g; i < (v+1)*l.g; i++ {
			p := (*[18]float32)(l.pt[18*(int(k)*l.g+i-v*l.g):])
			s := &parts[(i-lo)/partRows]
			r := (i - lo) % partRows
			for b := s.ptr[r]; b < s.ptr[r+1]; b++ {
				if int(s.col[b]) < c {
					continue
				}
				w := where[s.col[b]]
				t := (*[18]float64)(s.val[18*b:])
				addTransposed((*[18]float64)(m.Val[9*(first+w):]), p[:], t)
				addTransposed((*[18]float64)(m.Val[9*(second+w):]), p[3:], t)
			}
		}
	}
	return k
}

// addTransposed does D += Pᵀ·T for three columns of the 3×6 block P and 3×6 T;
// D is two 3×3 blocks side by side.
func addTransposed(d *[18]float64, p []float32, t *[18]float64) {
	_ = p[14]
	for r := range 3 {
		x, y, z := float64(p[r]), float64(p[6+r]), float64(p[12+r])
		d[3*r] += x*t[0] + y*t[6] + z*t[12]
		d[3*r+1] += x*t[1] + y*t[7] + z*t[13]
		d[3*r+2] += x*t[2] + y*t[8] + z*t[14]
		d[9+3*r] += x*t[3] + y*t[9] + z*t[15]
		d[9+3*r+1] += x*t[4] + y*t[10] + z*t[16]
		d[9+3*r+2] += x*t[5] + y*t[11] + z*t[17]
	}
}

// mirror copies the upper half, in vertices, to the lower one, makes the
// diagonal blocks symmetric and fills empty diagonals.
func (l *amgLevel) mirror() {
	m := l.coarse
	par.Chunks(m.N, 128, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for b := m.RowPtr[i]; b < m.RowPtr[i+1]; b++ {
				j := m.Col[b]
				if int(j)/2 > i/2 {
					break
				}
				if int(j) >= i { // inside the vertex: the upper half stands
					continue
				}
				t := m.Index(j, int32(i))
				d, s := m.Val[9*b:9*b+9], m.Val[9*t:9*t+9]
				for r := range 3 {
					for q := range 3 {
						d[3*r+q] = s[3*q+r]
					}
				}
			}
			d := m.Val[9*m.Diag[i] : 9*m.Diag[i]+9]
			d[3], d[6], d[7] = d[1], d[2], d[5]
			scale := max(d[0], d[4], d[8])
			if !(scale > 0) {
				scale = 1
			}
			for r := range 3 {
				if d[4*r] == 0 {
					d[4*r] = scale
				}
			}
		}
	})
}
