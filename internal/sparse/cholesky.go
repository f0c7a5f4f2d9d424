package sparse

import (
	"context"
	"fmt"
	"math"

	"halsted/internal/par"
)

// Cholesky is A = L·Lᵀ of a symmetric positive definite BSR3, by the
// multifrontal method on supernodes. Analyse once per pattern, Factor as often
// as the values change.
type Cholesky struct {
	sym     *symbolic
	pattern *BSR3
	l       []float64 // panels, row-major: (cols+rows) × cols, scalar
	out     []float64 // scratch of a solve
	work    []float64 // right side in elimination order
	trees   [][2]int32
	top     []int32
}

// NotPositiveError says that a pivot was not positive.
type NotPositiveError struct {
	Node  int32 // block row of the matrix
	Axis  int
	Pivot float64
}

func (e *NotPositiveError) Error() string {
	return fmt.Sprintf("sparse: matrix is not positive definite: pivot %g at node %d, axis %d", e.Pivot, e.Node, e.Axis)
}

// NewCholesky analyses the pattern of a. Nothing numeric is allocated yet:
// Bytes and Flops say what Factor will need.
func NewCholesky(a *BSR3) *Cholesky {
	c := &Cholesky{sym: analyse(a.N, a.RowPtr, a.Col), pattern: a}
	c.split()
	return c
}

// Bytes is the memory of the factor and its largest fronts.
func (c *Cholesky) Bytes() int64 {
	f := int64(c.sym.front)
	return 8 * (int64(c.sym.values) + int64(c.sym.outs) + 4*f*f)
}

// Flops is the number of multiply-adds of one Factor.
func (c *Cholesky) Flops() int64 { return c.sym.work }

// split cuts the forest in subtrees of bounded work, which run concurrently,
// and the rest, which runs after them with parallel dense kernels.
func (c *Cholesky) split() {
	s := c.sym
	sum := make([]int64, len(s.nodes))
	size := make([]int32, len(s.nodes))
	for k := range s.nodes {
		sum[k] += s.nodes[k].work
		size[k]++
		if p := s.nodes[k].parent; p >= 0 {
			sum[p] += sum[k]
			size[p] += size[k]
		}
	}
	limit := s.work / 24
	for k := range s.nodes {
		p := s.nodes[k].parent
		switch {
		case sum[k] > limit:
			c.top = append(c.top, int32(k))
		case p < 0 || sum[p] > limit:
			c.trees = append(c.trees, [2]int32{int32(k) - size[k] + 1, int32(k) + 1})
		}
	}
}

// Factor computes L for the values of a, which has the pattern given to
// NewCholesky. It fails with *NotPositiveError, or with the error of ctx,
// checked at every supernode; then Solve must not be called.
func (c *Cholesky) Factor(ctx context.Context, a *BSR3) error {
	s := c.sym
	if a.N != s.n {
		panic("sparse: Factor of a matrix with another pattern")
	}
	if c.l == nil {
		c.l = make([]float64, s.values)
		c.out = make([]float64, s.outs)
		c.work = make([]float64, 3*s.n)
	}
	updates := make([][]float64, len(s.nodes))
	err := par.ChunksCtx(ctx, len(c.trees), 1, func(lo, _ int) error {
		f := &fronts{local: make([]int32, s.n)}
		for k := c.trees[lo][0]; k < c.trees[lo][1]; k++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := c.front(a, int(k), updates, f, false); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	f := &fronts{local: make([]int32, s.n)}
	for _, k := range c.top {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.front(a, int(k), updates, f, true); err != nil {
			return err
		}
	}
	return nil
}

// fronts is the scratch of one worker.
type fronts struct {
	local []int32 // elimination order → block row in the front
	free  [][]float64
}

func (f *fronts) take(n int) []float64 {
	for i, b := range f.free {
		if cap(b) >= n {
			f.free[i] = f.free[len(f.free)-1]
			f.free = f.free[:len(f.free)-1]
			b = b[:n]
			clear(b)
			return b
		}
	}
	return make([]float64, n)
}

// front assembles supernode k from the matrix and its children's updates,
// eliminates its columns, and leaves its own update (lower triangle,
// row-major) in updates[k].
func (c *Cholesky) front(a *BSR3, k int, updates [][]float64, f *fronts, wide bool) error {
	s := c.sym
	v := &s.nodes[k]
	np, nr := 3*int(v.cols), 3*len(v.rows)
	panel := c.l[v.at : v.at+np*(np+nr)]
	clear(panel)
	for i := range v.cols {
		f.local[v.first+i] = i
	}
	for i, r := range v.rows {
		f.local[r] = v.cols + int32(i)
	}
	for j := v.first; j < v.first+v.cols; j++ {
		node := s.order[j]
		cj := 3 * int(j-v.first)
		for b := a.RowPtr[node]; b < a.RowPtr[node+1]; b++ {
			i := s.place[a.Col[b]]
			if i < j {
				continue
			}
			// block (node, col) transposed stands at (i, j): symmetric values.
			val := a.Val[9*b : 9*b+9]
			ri := 3 * int(f.local[i])
			for r := range 3 {
				for q := range 3 {
					panel[(ri+r)*np+cj+q] = val[3*q+r]
				}
			}
		}
	}
	u := f.take(nr * nr)
	for _, kid := range v.kids {
		w := &s.nodes[kid]
		kr := 3 * len(w.rows)
		ku := updates[kid]
		for bi, ri := range w.rows {
			li := 3 * int(f.local[ri])
			for r := range 3 {
				src := ku[(3*bi+r)*kr : (3*bi+r)*kr+3*bi+r+1]
				row := li + r
				for bj := 0; bj <= bi; bj++ {
					lj := 3 * int(f.local[w.rows[bj]])
					e := min(3, len(src)-3*bj)
					if lj < np {
						dst := panel[row*np+lj : row*np+lj+e]
						for q := range dst {
							dst[q] += src[3*bj+q]
						}
					} else {
						dst := u[(row-np)*nr+lj-np:]
						for q := range e {
							dst[q] += src[3*bj+q]
						}
					}
				}
			}
		}
		f.free = append(f.free, ku)
		updates[kid] = nil
	}
	if at, pivot := factorPanel(panel, np, np+nr, wide); at >= 0 {
		return &NotPositiveError{Node: s.order[int(v.first)+at/3], Axis: at % 3, Pivot: pivot}
	}
	subtractGram(u, panel[np*np:], nr, np, wide)
	updates[k] = u
	return nil
}

// Solve writes A⁻¹·b into x; they may be the same slice. It uses scratch space
// of c: one goroutine at a time.
func (c *Cholesky) Solve(x, b []float64) {
	s := c.sym
	y := c.work
	for k, node := range s.order {
		copy(y[3*k:3*k+3], b[3*node:3*node+3])
	}
	par.Chunks(len(c.trees), 1, func(lo, _ int) {
		for k := c.trees[lo][0]; k < c.trees[lo][1]; k++ {
			c.forward(int(k), y)
		}
	})
	for _, k := range c.top {
		c.forward(int(k), y)
	}
	for i := len(c.top) - 1; i >= 0; i-- {
		c.backward(int(c.top[i]), y)
	}
	par.Chunks(len(c.trees), 1, func(lo, _ int) {
		for k := c.trees[lo][1] - 1; k >= c.trees[lo][0]; k-- {
			c.backward(int(k), y)
		}
	})
	for k, node := range s.order {
		copy(x[3*node:3*node+3], y[3*k:3*k+3])
	}
}

// forward solves with the panel of supernode k. What it owes to the rows below
// goes to its own part of out; the owners gather it, children in order, so
// that concurrent subtrees never write to the same place.
func (c *Cholesky) forward(k int, y []float64) {
	v := &c.sym.nodes[k]
	np, nr := 3*int(v.cols), 3*len(v.rows)
	out := c.out[v.outAt : v.outAt+nr]
	clear(out)
	first := 3 * int(v.first)
	for _, kid := range v.kids {
		w := &c.sym.nodes[kid]
		ko := c.out[w.outAt:]
		next := 0 // place in v.rows, which contains the rest of w.rows
		for bi, r := range w.rows {
			src := ko[3*bi : 3*bi+3]
			var dst []float64
			if r < v.first+v.cols {
				dst = y[3*r : 3*r+3]
			} else {
				for v.rows[next] != r {
					next++
				}
				dst = out[3*next : 3*next+3]
			}
			dst[0] -= src[0]
			dst[1] -= src[1]
			dst[2] -= src[2]
		}
	}
	// out holds minus what is owed from below until here.
	for i := range out {
		out[i] = -out[i]
	}
	l := c.l[v.at:]
	x := y[first : first+np]
	for i := range np {
		row := l[i*np : i*np+i+1]
		x[i] = (x[i] - dot(row[:i], x[:i])) / row[i]
	}
	for i := range nr {
		out[i] += dot(l[(np+i)*np:(np+i)*np+np], x)
	}
}

func (c *Cholesky) backward(k int, y []float64) {
	v := &c.sym.nodes[k]
	np := 3 * int(v.cols)
	l := c.l[v.at:]
	first := 3 * int(v.first)
	x := y[first : first+np]
	for bi, r := range v.rows {
		i := np + 3*bi
		subtract3(x, l[i*np:(i+3)*np], y[3*r], y[3*r+1], y[3*r+2])
	}
	for i := np - 1; i >= 0; i-- {
		row := l[i*np : i*np+i+1]
		xi := x[i] / row[i]
		x[i] = xi
		for j, lij := range row[:i] {
			x[j] -= xi * lij
		}
	}
}

// subtract3 does x −= a·r0 + b·r1 + c·r2 for three consecutive rows.
func subtract3(x, rows []float64, a, b, c float64) {
	n := len(x)
	r0, r1, r2 := rows[:n], rows[n:2*n], rows[2*n:3*n]
	for j := range x {
		x[j] -= a*r0[j] + b*r1[j] + c*r2[j]
	}
}

func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+3 < len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// finite pivots only: NaN compares false.
func goodPivot(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
