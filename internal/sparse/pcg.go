package sparse

import (
	"context"
	"fmt"
	"math"

	"halsted/internal/par"
)

// Operator maps a vector to a vector: a matrix or a preconditioner. Apply
// writes into dst, which does not overlap x.
type Operator interface {
	Apply(dst, x []float64)
}

// Apply makes a BSR3 an Operator.
func (m *BSR3) Apply(dst, x []float64) { m.MulVec(dst, x) }

// Stop is why an iteration ended.
type Stop uint8

// The ways PCG can end.
const (
	Converged    Stop = iota // residual at or below the tolerance
	OutOfSteps               // MaxIter reached
	Indefinite               // a direction of negative curvature was met: x is the iterate before it
	BrokenDown               // a number stopped being finite
	numberOfStop = iota
)

var stopText = [numberOfStop]string{"converged", "out of iterations", "indefinite matrix", "broke down"}

// String names the reason.
func (s Stop) String() string {
	if int(s) < len(stopText) {
		return stopText[s]
	}
	return fmt.Sprintf("Stop(%d)", s)
}

// Settings of PCG; the zero value means the documented defaults.
type Settings struct {
	Tol     float64 // ‖b − A·x‖₂ ≤ Tol·‖b‖₂; 0 means 1e-8
	MaxIter int     // 0 means 1000
}

// Result of PCG.
type Result struct {
	Stop     Stop
	Iter     int
	Residual float64 // ‖b − A·x‖/‖b‖ by the recurrence
}

// CG solves A·x = b by preconditioned conjugate gradients and owns the scratch
// vectors, so repeated solves allocate nothing.
type CG struct{ r, z, p, q []float64 }

// Solve starts from x = 0 and writes the solution into x. A and the
// preconditioner m must be symmetric; m must be positive definite, A too,
// except that a direction of negative curvature ends the iteration with
// Stop Indefinite and a usable descent direction in x: the preconditioned
// gradient if it is met at once. The error is that of ctx, checked in every
// iteration.
func (c *CG) Solve(ctx context.Context, a, m Operator, x, b []float64, s Settings) (Result, error) {
	if s.Tol == 0 {
		s.Tol = 1e-8
	}
	if s.MaxIter == 0 {
		s.MaxIter = 1000
	}
	n := len(b)
	if len(c.r) != n {
		c.r, c.z, c.p, c.q = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	}
	clear(x)
	copy(c.r, b)
	norm := math.Sqrt(Dot(b, b))
	if norm == 0 {
		return Result{Stop: Converged}, nil
	}
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return Result{Stop: BrokenDown, Residual: norm}, nil
	}
	var rho float64
	res := Result{Residual: 1}
	for res.Iter < s.MaxIter {
		if err := ctx.Err(); err != nil {
			return res, err
		}
		m.Apply(c.z, c.r)
		next := Dot(c.r, c.z)
		if !(next > 0) || math.IsInf(next, 0) {
			res.Stop = BrokenDown
			return res, nil
		}
		beta := 0.0
		if res.Iter > 0 {
			beta = next / rho
		}
		rho = next
		par.Chunks(n, vecChunk, func(lo, hi int) {
			z, p := c.z[lo:hi], c.p[lo:hi]
			for i, v := range z {
				p[i] = v + beta*p[i]
			}
		})
		a.Apply(c.q, c.p)
		curv := Dot(c.p, c.q)
		if !(curv > 0) {
			if math.IsNaN(curv) {
				res.Stop = BrokenDown
				return res, nil
			}
			if res.Iter == 0 {
				copy(x, c.z)
			}
			res.Stop = Indefinite
			return res, nil
		}
		alpha := rho / curv
		rr := par.Sum(n, vecChunk, func(lo, hi int) float64 {
			var sum float64
			xs, rs, ps, qs := x[lo:hi], c.r[lo:hi], c.p[lo:hi], c.q[lo:hi]
			for i, p := range ps {
				xs[i] += alpha * p
				v := rs[i] - alpha*qs[i]
				rs[i] = v
				sum += v * v
			}
			return sum
		})
		res.Iter++
		res.Residual = math.Sqrt(rr) / norm
		if res.Residual <= s.Tol {
			return res, nil
		}
	}
	res.Stop = OutOfSteps
	return res, nil
}
