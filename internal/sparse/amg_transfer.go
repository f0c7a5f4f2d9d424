package sparse

import (
	"math"
	"slices"

	"halsted/internal/par"
)

// amgLevel is one matrix of the hierarchy and the way to the next one. A
// vertex has g block rows: one at the finest level, two (six unknowns) below.
type amgLevel struct {
	chebyshev
	g     int
	group []int32   // vertex → vertex of the next level, −1 for none
	nc    int       // vertices of the next level
	modes []float64 // near-null space, 18 numbers per block row

	// The prolongator: row i holds, for each vertex of the next level in
	// pcol[pptr[v]:pptr[v+1]], v = i/g, a 3×6 block, row-major.
	pptr, pcol []int32
	p          []float32
	// Its transpose: for every vertex of the next level the vertices that
	// depend on it, ascending, and their slot in the row.
	tptr, tvert, tslot []int32
	pt                 []float32 // p in the order of the transpose, g blocks at each place

	tentative []float64 // 18 per block row: the group's orthonormal modes
	coarse    *BSR3
}

// rowAt is the offset in p, in blocks, of block row i, and the number of its blocks.
func (l *amgLevel) rowAt(i int) (at, count int) {
	v := i / l.g
	first := int(l.pptr[v])
	count = int(l.pptr[v+1]) - first
	return first*l.g + (i-v*l.g)*count, count
}

// orthonormalise splits the modes of every group, stacked, in Q·R by twice
// repeated Gram–Schmidt: Q is the tentative prolongator, R (6×6) the modes of
// the next level. A mode that the earlier ones span in a group gets a zero
// column.
func (l *amgLevel) orthonormalise() (next []float64) {
	const dependent = 1e-6 // of the column's length
	n := l.a.N
	start := make([]int32, l.nc+1) // group → block rows
	for i := range n {
		if c := l.group[i/l.g]; c >= 0 {
			start[c+1]++
		}
	}
	for c := range l.nc {
		start[c+1] += start[c]
	}
	rows := make([]int32, start[l.nc])
	at := slices.Clone(start[:l.nc])
	for i := range n {
		if c := l.group[i/l.g]; c >= 0 {
			rows[at[c]] = int32(i)
			at[c]++
		}
	}
	l.tentative = make([]float64, 18*n)
	next = make([]float64, 36*l.nc)
	par.Chunks(l.nc, 64, func(lo, hi int) {
		var q [6][]float64
		for c := lo; c < hi; c++ {
			mine := rows[start[c]:start[c+1]]
			for k := range q {
				q[k] = q[k][:0]
				for _, i := range mine {
					for r := range 3 {
						q[k] = append(q[k], l.modes[18*int(i)+6*r+k])
					}
				}
			}
			r := next[36*c : 36*c+36]
			for k := range q {
				whole := math.Sqrt(dotPlain(q[k], q[k]))
				for range 2 {
					for j := range k {
						h := dotPlain(q[j], q[k])
						r[6*j+k] += h
						for i, x := range q[j] {
							q[k][i] -= h * x
						}
					}
				}
				h := math.Sqrt(dotPlain(q[k], q[k]))
				if !(h > dependent*whole) {
					clear(q[k])
					continue
				}
				r[6*k+k] = h
				for i := range q[k] {
					q[k][i] /= h
				}
			}
			for at, i := range mine {
				for k := range q {
					for r := range 3 {
						l.tentative[18*int(i)+6*r+k] = q[k][3*at+r]
					}
				}
			}
		}
	})
	return next
}

func dotPlain(a, b []float64) (s float64) {
	for i, x := range a {
		s += x * b[i]
	}
	return s
}

// findPattern makes the pattern of the smoothed prolongator, D⁻¹·A times the
// tentative one, of its transpose, and of the next matrix.
func (l *amgLevel) findPattern() {
	a, g := l.a, l.g
	n := a.N / g
	rows := make([][]int32, n)
	par.Chunks(n, 256, func(lo, hi int) {
		var buf []int32
		for v := lo; v < hi; v++ {
			buf = buf[:0]
			for b := a.RowPtr[g*v]; b < a.RowPtr[g*v+1]; b += int32(g) {
				if c := l.group[int(a.Col[b])/g]; c >= 0 && l.group[v] >= 0 {
					buf = append(buf, c)
				}
			}
			slices.Sort(buf)
			rows[v] = slices.Clone(slices.Compact(buf))
		}
	})
	l.pptr = make([]int32, n+1)
	l.tptr = make([]int32, l.nc+1)
	for v, r := range rows {
		l.pptr[v+1] = l.pptr[v] + int32(len(r))
		for _, c := range r {
			l.tptr[c+1]++
		}
	}
	for c := range l.nc {
		l.tptr[c+1] += l.tptr[c]
	}
	total := l.pptr[n]
	l.pcol, l.tvert, l.tslot = make([]int32, 0, total), make([]int32, total), make([]int32, total)
	at := slices.Clone(l.tptr[:l.nc])
	for v, r := range rows {
		l.pcol = append(l.pcol, r...)
		for k, c := range r {
			l.tvert[at[c]], l.tslot[at[c]] = int32(v), int32(k)
			at[c]++
		}
	}
	l.p, l.pt = make([]float32, 18*g*int(total)), make([]float32, 18*g*int(total))
	wide := make([][]int32, l.nc) // of the next matrix, in vertices
	par.Chunks(l.nc, 32, func(lo, hi int) {
		seen := make([]int32, l.nc)
		for c := lo; c < hi; c++ {
			row := []int32{int32(c)}
			seen[c] = int32(c + 1)
			for _, v := range l.tvert[l.tptr[c]:l.tptr[c+1]] {
				for b := a.RowPtr[g*int(v)]; b < a.RowPtr[g*int(v)+1]; b += int32(g) {
					u := int(a.Col[b]) / g
					for _, k := range l.pcol[l.pptr[u]:l.pptr[u+1]] {
						if seen[k] != int32(c+1) {
							seen[k] = int32(c + 1)
							row = append(row, k)
						}
					}
				}
			}
			slices.Sort(row)
			wide[c] = row
		}
	})
	blocks := 0
	for _, row := range wide {
		blocks += 4 * len(row)
	}
	m := &BSR3{N: 2 * l.nc, RowPtr: make([]int32, 2*l.nc+1), Col: make([]int32, 0, blocks), Diag: make([]int32, 2*l.nc)}
	for c, row := range wide {
		k, _ := slices.BinarySearch(row, int32(c))
		for r := range 2 {
			m.Diag[2*c+r] = int32(len(m.Col) + 2*k + r)
			for _, j := range row {
				m.Col = append(m.Col, 2*j, 2*j+1)
			}
			m.RowPtr[2*c+r+1] = int32(len(m.Col))
		}
	}
	l.coarse = m
}

// smoothProlongator makes P = (I − ω·D⁻¹·A)·T, ω = 4/(3λ).
func (l *amgLevel) smoothProlongator() {
	a := l.a
	omega := 4 / (3 * amgMargin * l.lambda)
	par.Chunks(a.N, 256, func(lo, hi int) {
		where := make([]int32, l.nc)
		var sum []float64
		var inv [9]float64
		for i := lo; i < hi; i++ {
			at, count := l.rowAt(i)
			v := i / l.g
			for k, c := range l.pcol[l.pptr[v]:l.pptr[v+1]] {
				where[c] = int32(k)
			}
			if count == 0 {
				continue
			}
			sum = slices.Grow(sum[:0], 18*count)[:18*count]
			clear(sum)
			for b := a.RowPtr[i]; b < a.RowPtr[i+1]; b++ {
				j := int(a.Col[b])
				if c := l.group[j/l.g]; c >= 0 {
					k := where[c]
					addMul36((*[18]float64)(sum[18*k:]), (*[9]float64)(a.Val[9*b:]), (*[18]float64)(l.tentative[18*j:]))
				}
			}
			invert3(inv[:], a.Val[9*a.Diag[i]:9*a.Diag[i]+9])
			for q := range inv {
				inv[q] *= -omega
			}
			own := int(where[l.group[v]])
			for k := range count {
				var out [18]float64
				if k == own {
					out = [18]float64(l.tentative[18*i:])
				}
				addMul36(&out, &inv, (*[18]float64)(sum[18*k:]))
				for q, x := range out {
					l.p[18*(at+k)+q] = float32(x)
				}
			}
		}
	})
	par.Chunks(l.nc, 64, func(lo, hi int) {
		for t := int(l.tptr[lo]); t < int(l.tptr[hi]); t++ {
			for r := range l.g {
				at, _ := l.rowAt(int(l.tvert[t])*l.g + r)
				at += int(l.tslot[t])
				copy(l.pt[18*(t*l.g+r):18*(t*l.g+r)+18], l.p[18*at:18*at+18])
			}
		}
	})
}

// addMul36 does d += a·b for 3×3 a and 3×6 b.
func addMul36(d *[18]float64, a *[9]float64, b *[18]float64) {
	for r := range 3 {
		a0, a1, a2 := a[3*r], a[3*r+1], a[3*r+2]
		e := d[6*r : 6*r+6 : 6*r+6]
		e[0] += a0*b[0] + a1*b[6] + a2*b[12]
		e[1] += a0*b[1] + a1*b[7] + a2*b[13]
		e[2] += a0*b[2] + a1*b[8] + a2*b[14]
		e[3] += a0*b[3] + a1*b[9] + a2*b[15]
		e[4] += a0*b[4] + a1*b[10] + a2*b[16]
		e[5] += a0*b[5] + a1*b[11] + a2*b[17]
	}
}

// restrict writes Pᵀ·r into dst.
func (l *amgLevel) restrict(dst []float32) {
	par.Chunks(l.nc, 64, func(lo, hi int) {
		for c := lo; c < hi; c++ {
			var s [6]float32
			for t := int(l.tptr[c]); t < int(l.tptr[c+1]); t++ {
				for q := range l.g {
					p := (*[18]float32)(l.pt[18*(t*l.g+q):])
					r := (*[3]float32)(l.r[3*(int(l.tvert[t])*l.g+q):])
					r0, r1, r2 := r[0], r[1], r[2]
					s[0] += p[0]*r0 + p[6]*r1 + p[12]*r2
					s[1] += p[1]*r0 + p[7]*r1 + p[13]*r2
					s[2] += p[2]*r0 + p[8]*r1 + p[14]*r2
					s[3] += p[3]*r0 + p[9]*r1 + p[15]*r2
					s[4] += p[4]*r0 + p[10]*r1 + p[16]*r2
					s[5] += p[5]*r0 + p[11]*r1 + p[17]*r2
				}
			}
			copy(dst[6*c:6*c+6], s[:])
		}
	})
}

// prolong writes P·src into d and adds it to x.
func (l *amgLevel) prolong(src []float32) {
	par.Chunks(l.a.N, 512, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			at, _ := l.rowAt(i)
			v := i / l.g
			var s0, s1, s2 float32
			for k, c := range l.pcol[l.pptr[v]:l.pptr[v+1]] {
				p := (*[18]float32)(l.p[18*(at+k):])
				u := (*[6]float32)(src[6*int(c):])
				s0 += p[0]*u[0] + p[1]*u[1] + p[2]*u[2] + p[3]*u[3] + p[4]*u[4] + p[5]*u[5]
				s1 += p[6]*u[0] + p[7]*u[1] + p[8]*u[2] + p[9]*u[3] + p[10]*u[4] + p[11]*u[5]
				s2 += p[12]*u[0] + p[13]*u[1] + p[14]*u[2] + p[15]*u[3] + p[16]*u[4] + p[17]*u[5]
			}
			l.d[3*i], l.d[3*i+1], l.d[3*i+2] = s0, s1, s2
			l.x[3*i] += s0
			l.x[3*i+1] += s1
			l.x[3*i+2] += s2
		}
	})
}
