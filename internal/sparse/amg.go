package sparse

import (
	"context"
	"fmt"

	"halsted/internal/par"
)

// AMG preconditions a matrix of linear elasticity by smoothed aggregation
// (Vaněk, Mandel & Brezina 1996; Vaněk, Brezina & Mandel 2001): groups of
// strongly coupled nodes become nodes of a smaller matrix with six unknowns,
// the rigid motions of the group; P = (I − ω·D⁻¹·A)·T smooths their edges, and
// Pᵀ·A·P is coarsened in turn until Cholesky takes over. One V-cycle with a
// Chebyshev smoother in float32 is symmetric and positive definite.
//
// The groups are found by the first Factor and kept. A stale hierarchy stays
// usable while the matrix changes slowly: Update renews the smoother of the
// finest level, Factor all levels.
type AMG struct {
	fine   *BSR3
	xyz    []float64
	fixed  []bool
	levels []*amgLevel
	last   *BSR3
	chol   *Cholesky
	y      []float64 // right side and solution at the coarsest level
	r32    []float32
}

// amgSmallest is the number of block rows from which on Cholesky is used.
const amgSmallest = 1000

// NewAMG prepares for fine, whose values need not exist yet. xyz are the node
// coordinates in mm, 3 per node; fixed marks the constrained degrees of
// freedom, which Constrain has taken out of the matrix by the time of Factor.
// Both are kept, not copied.
func NewAMG(fine *BSR3, xyz []float64, fixed []bool) *AMG {
	if len(xyz) != 3*fine.N || len(fixed) != 3*fine.N {
		panic(fmt.Sprintf("sparse: AMG of %d rows with %d coordinates and %d marks", 3*fine.N, len(xyz), len(fixed)))
	}
	return &AMG{fine: fine, xyz: xyz, fixed: fixed}
}

// Bytes estimates the memory the preconditioner will hold, and is what it
// holds once Factor has run.
func (m *AMG) Bytes() (sum int64) {
	if m.levels == nil {
		return int64(len(m.fine.Col))*9*4*7/4 + int64(m.fine.N)*(9+5*3+8*18)*4
	}
	for k, l := range m.levels {
		sum += int64(len(l.val)+len(l.inv)+5*3*l.a.N+2*len(l.p))*4 + int64(len(l.tentative))*8 +
			int64(len(l.pptr)+len(l.pcol)+len(l.tptr)+2*len(l.tvert)+len(l.group))*4
		if k > 0 {
			sum += l.a.Bytes()
		}
	}
	return sum + m.last.Bytes() + m.chol.Bytes()
}

// Levels is the number of block rows of each matrix, finest first; nil before
// Factor.
func (m *AMG) Levels() (rows []int) {
	for _, l := range m.levels {
		rows = append(rows, l.a.N)
	}
	if m.last != nil {
		rows = append(rows, m.last.N)
	}
	return rows
}

// Update takes the values of the (constrained) matrix into the smoother of the
// finest level. Before the first Factor it does nothing.
func (m *AMG) Update() {
	if len(m.levels) > 0 {
		m.levels[0].update()
	}
}

// Factor makes all levels for the values of the (constrained) matrix, which
// must be positive definite. It fails with *NotPositiveError, whose node is
// one of the coarsest level, or with the error of ctx; then Apply must not be
// called.
func (m *AMG) Factor(ctx context.Context) error {
	if m.chol == nil {
		if err := m.build(ctx); err != nil {
			m.levels, m.last, m.chol = nil, nil, nil
			return err
		}
	} else {
		for _, l := range m.levels {
			if err := ctx.Err(); err != nil {
				return err
			}
			l.update()
			l.smoothProlongator()
			if err := l.galerkin(ctx); err != nil {
				return err
			}
		}
	}
	return m.chol.Factor(ctx, m.last)
}

// build finds the groups of all levels and makes their matrices.
func (m *AMG) build(ctx context.Context) error {
	a, g := m.fine, 1
	modes := modesOf(m.xyz, m.fixed)
	idle := make([]bool, a.N)
	for i := range idle {
		idle[i] = m.fixed[3*i] && m.fixed[3*i+1] && m.fixed[3*i+2]
	}
	for a.N > amgSmallest {
		if err := ctx.Err(); err != nil {
			return err
		}
		group, nc := aggregate(a, g, idle)
		if nc == 0 || 2*4*int(nc) > 3*a.N {
			break // no coupling left to coarsen by
		}
		l := &amgLevel{chebyshev: chebyshev{a: a}, g: g, group: group, nc: int(nc), modes: modes}
		modes = l.orthonormalise()
		if err := ctx.Err(); err != nil {
			return err
		}
		l.findPattern()
		if err := ctx.Err(); err != nil {
			return err
		}
		l.update()
		l.smoothProlongator()
		if err := l.galerkin(ctx); err != nil {
			return err
		}
		l.modes = nil
		m.levels = append(m.levels, l)
		a, g = l.coarse, 2
		idle = make([]bool, nc)
	}
	chol, err := NewCholeskyCtx(ctx, a, CholeskyConfig{})
	if err != nil {
		return err
	}
	m.last, m.chol = a, chol
	m.y, m.r32 = make([]float64, 3*a.N), make([]float32, 3*a.N)
	return nil
}

// Apply writes M⁻¹·b into dst, one V-cycle.
func (m *AMG) Apply(dst, b []float64) {
	if len(m.levels) == 0 {
		m.chol.Solve(dst, b)
		return
	}
	top := m.levels[0]
	par.Chunks(len(b), vecChunk, func(lo, hi int) {
		r := top.r[lo:hi]
		for i, v := range b[lo:hi] {
			r[i] = float32(v)
		}
	})
	m.cycle(0)
	par.Chunks(len(dst), vecChunk, func(lo, hi int) {
		d := dst[lo:hi]
		for i, v := range top.x[lo:hi] {
			d[i] = float64(v)
		}
	})
}

// cycle solves on level k for the right side in r and leaves the result in x.
func (m *AMG) cycle(k int) {
	l := m.levels[k]
	clear(l.x)
	l.smooth()
	l.subtract() // the last correction has not reached r yet
	if k+1 < len(m.levels) {
		below := m.levels[k+1]
		l.restrict(below.r)
		m.cycle(k + 1)
		l.prolong(below.x)
	} else {
		l.restrict(m.r32)
		for i, v := range m.r32 {
			m.y[i] = float64(v)
		}
		m.chol.Solve(m.y, m.y)
		for i, v := range m.y {
			m.r32[i] = float32(v)
		}
		l.prolong(m.r32)
	}
	l.subtract()
	l.smooth()
}
