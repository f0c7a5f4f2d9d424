package sparse

import (
	"context"
	"fmt"
	"math"

	"halsted/internal/dense"
	"halsted/internal/par"
)

// panelWidth is how many right sides share one pass over the factor.
const panelWidth = 8

// solve writes A⁻¹·b[r] into x[r] for up to panelWidth right sides.
func (e *engine[T]) solve(x, b [][]float64) {
	s := e.sym
	n, count := 3*s.n, len(b)
	for r := range b {
		if len(b[r]) != n || len(x[r]) != n {
			panic(fmt.Sprintf("sparse: Solve of %d rows with vectors of %d and %d", n, len(x[r]), len(b[r])))
		}
	}
	if len(e.y) < n*count {
		e.y = make([]T, n*count)
		e.out = make([]T, 3*e.rowAt[len(s.nodes)]*count)
	}
	var shift [panelWidth]int
	for r, v := range b {
		shift[r] = exponent(v)
		scale := math.Ldexp(1, -shift[r])
		y := e.y[r*n : (r+1)*n]
		par.Chunks(s.n, rowChunk, func(lo, hi int) {
			for k := lo; k < hi; k++ {
				from := (*[3]float64)(v[3*s.order[k]:])
				to := (*[3]T)(y[3*k:])
				to[0], to[1], to[2] = T(from[0]*scale), T(from[1]*scale), T(from[2]*scale)
			}
		})
	}
	par.Chunks(len(e.trees), 1, func(lo, _ int) {
		buf := e.buffer(count)
		for k := e.trees[lo][0]; k < e.trees[lo][1]; k++ {
			e.forward(int(k), *buf, count, false)
		}
		e.buf.Put(buf)
	})
	buf := e.buffer(count)
	for _, k := range e.top {
		e.forward(int(k), *buf, count, true)
	}
	for i := len(e.top) - 1; i >= 0; i-- {
		e.backward(int(e.top[i]), *buf, count, true)
	}
	e.buf.Put(buf)
	par.Chunks(len(e.trees), 1, func(lo, _ int) {
		buf := e.buffer(count)
		for k := e.trees[lo][1] - 1; k >= e.trees[lo][0]; k-- {
			e.backward(int(k), *buf, count, false)
		}
		e.buf.Put(buf)
	})
	for r, v := range x {
		scale := math.Ldexp(1, shift[r])
		y := e.y[r*n : (r+1)*n]
		par.Chunks(s.n, rowChunk, func(lo, hi int) {
			for k := lo; k < hi; k++ {
				from := (*[3]T)(y[3*k:])
				to := (*[3]float64)(v[3*s.order[k]:])
				to[0], to[1], to[2] = float64(from[0])*scale, float64(from[1])*scale, float64(from[2])*scale
			}
		})
	}
}

// exponent is a power of two that brings the numbers of v, which need not fit
// in a float32, near to one.
func exponent(v []float64) int {
	var most float64
	for _, x := range v {
		most = max(most, math.Abs(x))
	}
	if most == 0 || math.IsNaN(most) || math.IsInf(most, 0) {
		return 0
	}
	_, exp := math.Frexp(most)
	return min(max(exp, -1000), 1000)
}

// buffer is room for count vectors of the largest front.
func (e *engine[T]) buffer(count int) *[]T {
	if b, ok := e.buf.Get().(*[]T); ok && len(*b) >= count*e.height {
		return b
	}
	b := make([]T, count*e.height)
	return &b
}

// forward solves with the columns of supernode k. What it owes to the rows
// below goes to its own part of out; parents gather it, children in order, so
// that concurrent subtrees never write to the same place.
func (e *engine[T]) forward(k int, buf []T, count int, wide bool) {
	v := &e.sym.nodes[k]
	np, nr := 3*int(v.cols), 3*len(v.rows)
	m, n := np+nr, 3*e.sym.n
	for r := range count {
		y := buf[r*m : (r+1)*m]
		copy(y, e.y[r*n+3*int(v.first):r*n+3*int(v.first)+np])
		clear(y[np:])
		for _, kid := range v.kids {
			rows := e.relative[e.rowAt[kid]:e.rowAt[kid+1]]
			out := e.out[3*(e.rowAt[kid]*count+r*len(rows)):]
			for i, row := range rows {
				d, o := (*[3]T)(y[3*row:]), (*[3]T)(out[3*i:])
				d[0] += o[0]
				d[1] += o[1]
				d[2] += o[2]
			}
		}
	}
	dense.Forward(e.form, np, nr, e.l[e.at[k]:e.at[k+1]], buf, m, count, wide)
	for r := range count {
		y := buf[r*m : (r+1)*m]
		copy(e.y[r*n+3*int(v.first):], y[:np])
		copy(e.out[3*e.rowAt[k]*count+r*nr:], y[np:])
	}
}

func (e *engine[T]) backward(k int, buf []T, count int, wide bool) {
	v := &e.sym.nodes[k]
	np, nr := 3*int(v.cols), 3*len(v.rows)
	m, n := np+nr, 3*e.sym.n
	for r := range count {
		y, from := buf[r*m:(r+1)*m], e.y[r*n:(r+1)*n]
		copy(y[:np], from[3*int(v.first):])
		for i, row := range v.rows {
			*(*[3]T)(y[np+3*i:]) = *(*[3]T)(from[3*row:])
		}
	}
	dense.Backward(e.form, np, nr, e.l[e.at[k]:e.at[k+1]], buf, m, count, wide)
	for r := range count {
		copy(e.y[r*n+3*int(v.first):], buf[r*m:r*m+np])
	}
}

// Refinement is what Refine did.
type Refinement struct {
	Steps    int     // corrections made after the first solution
	Residual float64 // ‖b − A·x‖₂/‖b‖₂ of the solution kept
	Reached  bool    // Residual ≤ tol
}

// Refine solves A·x = b with the factor and corrects the solution by its
// residual in float64 until ‖b − A·x‖ ≤ tol·‖b‖, until a correction does not
// halve the residual, or maxSteps corrections (Higham, Accuracy and Stability
// of Numerical Algorithms, 2002, section 12.1). a holds the values that were
// factored, or values near to them. x must not overlap b.
func (c *Cholesky) Refine(ctx context.Context, a *BSR3, x, b []float64, tol float64, maxSteps int) (Refinement, error) {
	norm := math.Sqrt(Dot(b, b))
	if norm == 0 {
		clear(x)
		return Refinement{Reached: true}, nil
	}
	r, d := make([]float64, len(b)), make([]float64, len(b))
	residual := func() float64 {
		a.MulVec(r, x)
		for i, v := range b {
			r[i] = v - r[i]
		}
		return math.Sqrt(Dot(r, r)) / norm
	}
	c.Solve(x, b)
	res := Refinement{Residual: residual()}
	for !(res.Residual <= tol) && res.Steps < maxSteps {
		if err := ctx.Err(); err != nil {
			return res, err
		}
		c.Solve(d, r)
		AXPY(x, 1, d)
		next := residual()
		if !(next <= res.Residual) {
			AXPY(x, -1, d) // the last correction made it worse
			return res, nil
		}
		half := next <= res.Residual/2
		res.Steps++
		res.Residual = next
		if !half {
			break
		}
	}
	res.Reached = res.Residual <= tol
	return res, nil
}
