package sparse

import (
	"fmt"
	"math"
	"slices"

	"halsted/internal/par"
)

// Chunk sizes: part of the meaning of a result, since they fix the order of
// sums. Do not derive them from the core count.
const (
	rowChunk = 128
	vecChunk = 8192
)

// BSR3 is a square sparse matrix of 3×3 blocks.
type BSR3 struct {
	N      int       // block rows
	RowPtr []int32   // N+1
	Col    []int32   // ascending in each row
	Val    []float64 // 9 per block, row-major
	Diag   []int32   // index of the diagonal block of each row
}

// NewBSR3 makes the pattern over n nodes in which two nodes are coupled when
// an element has both; conn holds k nodes per element; extra lists further
// groups of nodes that are coupled. Every row has its diagonal block. The values, 18 times the memory of the pattern, are
// allocated by the first Zero: Bytes can be asked before.
func NewBSR3(n int, conn []int32, k int, extra ...[]int32) *BSR3 {
	start := make([]int32, n+1) // node → elements, CSR
	for _, v := range conn {
		start[v+1]++
	}
	for i := range n {
		start[i+1] += start[i]
	}
	elem := make([]int32, len(conn))
	fill := slices.Clone(start[:n])
	for i, v := range conn {
		elem[fill[v]] = int32(i / k)
		fill[v]++
	}
	groups := make([][]int32, 0) // node → extra groups
	if len(extra) > 0 {
		groups = make([][]int32, n)
		for g, nodes := range extra {
			for _, v := range nodes {
				groups[v] = append(groups[v], int32(g))
			}
		}
	}
	m := &BSR3{N: n, RowPtr: make([]int32, n+1)}
	rows := make([][]int32, n)
	par.Chunks(n, rowChunk, func(lo, hi int) {
		var buf []int32
		for i := lo; i < hi; i++ {
			buf = append(buf[:0], int32(i))
			for _, e := range elem[start[i]:start[i+1]] {
				buf = append(buf, conn[int(e)*k:int(e)*k+k]...)
			}
			if len(extra) > 0 {
				for _, g := range groups[i] {
					buf = append(buf, extra[g]...)
				}
			}
			slices.Sort(buf)
			buf = slices.Compact(buf)
			rows[i] = slices.Clone(buf)
		}
	})
	for i, r := range rows {
		m.RowPtr[i+1] = m.RowPtr[i] + int32(len(r))
	}
	m.Col = make([]int32, 0, m.RowPtr[n])
	m.Diag = make([]int32, n)
	for i, r := range rows {
		at, _ := slices.BinarySearch(r, int32(i))
		m.Diag[i] = m.RowPtr[i] + int32(at)
		m.Col = append(m.Col, r...)
	}
	return m
}

// Index is the position of block (i, j), or -1.
func (m *BSR3) Index(i, j int32) int32 {
	lo := m.RowPtr[i]
	if at, ok := slices.BinarySearch(m.Col[lo:m.RowPtr[i+1]], j); ok {
		return lo + int32(at)
	}
	return -1
}

// Bytes is the memory of the matrix with its values.
func (m *BSR3) Bytes() int64 {
	return int64(len(m.Col))*9*8 + int64(len(m.Col)+len(m.RowPtr)+len(m.Diag))*4
}

// Zero sets all values to 0, keeping the pattern.
func (m *BSR3) Zero() {
	if m.Val == nil {
		m.Val = make([]float64, 9*len(m.Col)+1)[:9*len(m.Col)] // one more: rows are read past their end
		return
	}
	par.Chunks(len(m.Val), 1<<16, func(lo, hi int) { clear(m.Val[lo:hi]) })
}

// MulVec writes A·x into dst. Both have length 3N.
func (m *BSR3) MulVec(dst, x []float64) {
	if len(x) != 3*m.N || len(dst) != 3*m.N {
		panic(fmt.Sprintf("sparse: MulVec of %d rows with vectors of %d and %d", 3*m.N, len(dst), len(x)))
	}
	row := row64()
	par.Chunks(m.N, rowChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			first, end := int(m.RowPtr[i]), int(m.RowPtr[i+1])
			dst[3*i], dst[3*i+1], dst[3*i+2] = row(m.Val[9*first:9*end:9*end+1], m.Col[first:end], x)
		}
	})
}

// Constrain takes the rows and columns of fixed degrees of freedom out of the
// system: they become zero, with the block's own mean diagonal (or 1) on the
// diagonal, so that the matrix stays symmetric and well scaled.
func (m *BSR3) Constrain(fixed []bool) {
	par.Chunks(m.N, rowChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			ri := fixed[3*i : 3*i+3]
			rowFixed := ri[0] || ri[1] || ri[2]
			d := m.Diag[i]
			scale := (m.Val[9*d] + m.Val[9*d+4] + m.Val[9*d+8]) / 3
			if !(scale > 0) {
				scale = 1
			}
			for b := m.RowPtr[i]; b < m.RowPtr[i+1]; b++ {
				j := m.Col[b]
				cj := fixed[3*j : 3*j+3]
				if !rowFixed && !cj[0] && !cj[1] && !cj[2] {
					continue
				}
				v := m.Val[9*b : 9*b+9]
				for r := range 3 {
					for c := range 3 {
						if ri[r] || cj[c] {
							v[3*r+c] = 0
						}
					}
				}
				if b == d {
					for r := range 3 {
						if ri[r] {
							v[4*r] = scale
						}
					}
				}
			}
		}
	})
}

// Shift adds part times the mean of a block's diagonal to that diagonal, for
// every diagonal block.
func (m *BSR3) Shift(part float64) {
	for _, d := range m.Diag {
		v := (*[9]float64)(m.Val[9*int(d):])
		s := part * (math.Abs(v[0]) + math.Abs(v[4]) + math.Abs(v[8])) / 3
		v[0] += s
		v[4] += s
		v[8] += s
	}
}

// Dot is x·y, summed in fixed chunks.
func Dot(x, y []float64) float64 {
	y = y[:len(x)]
	return par.Sum(len(x), vecChunk, func(lo, hi int) float64 {
		var s0, s1 float64
		i := lo
		for ; i+1 < hi; i += 2 {
			s0 += x[i] * y[i]
			s1 += x[i+1] * y[i+1]
		}
		if i < hi {
			s0 += x[i] * y[i]
		}
		return s0 + s1
	})
}

// AXPY adds a·x to dst.
func AXPY(dst []float64, a float64, x []float64) {
	x = x[:len(dst)]
	par.Chunks(len(dst), vecChunk, func(lo, hi int) {
		d, s := dst[lo:hi], x[lo:hi]
		for i, v := range s {
			d[i] += a * v
		}
	})
}
