package inverse

import (
	"context"
	"errors"
	"math"

	"halsted/fem"

	"gonum.org/v1/gonum/mat"
)

// Steps in the logarithm of a parameter.
const (
	diffStep = 0.01 // of central differences: truncation h²/6 of the third derivative
	maxMove  = 2.3  // of one iteration: a factor of ten
	stepTol  = 1e-5 // below this a Gauss–Newton step counts as none
	stepSD   = 1e-3 // so does one below this part of the standard deviation
)

// fitter minimises ½‖y(x) − target‖² + ½Σ((x_i − centre_i)/sd_i)² over the free
// logarithms x within bounds, by Levenberg's and Marquardt's method (D.
// Marquardt, J. SIAM 11 (1963) 431) with the damping of K. Madsen, H. Nielsen &
// O. Tingleff, Methods for Non-Linear Least Squares Problems (2004), section
// 3.2. The Jacobian is made by central differences, carried on by Broyden's
// update (section 3.5 there), and made anew where a step fails with an old one
// and before the end is declared.
type fitter struct {
	ctx     context.Context
	predict func(x []float64) ([]float64, error) // y
	target  []float64
	centre  []float64 // of the prior
	prior   []float64 // 1/variance of the prior, 0: none
	lo, hi  []float64
	fixed   []bool
	jac     *mat.Dense // rows × parameters, may be handed in; the last one after a fit
	fresh   bool       // jac belongs to x
	maxIter int

	x, y []float64 // the current point
	iter int
}

// cost is the sum of squares, without ½.
func (f *fitter) cost(x, y []float64) (c float64) {
	for i, v := range y {
		c += (v - f.target[i]) * (v - f.target[i])
	}
	return c + f.priorCost(x)
}

func (f *fitter) priorCost(x []float64) (c float64) {
	for j, w := range f.prior {
		c += w * (x[j] - f.centre[j]) * (x[j] - f.centre[j])
	}
	return c
}

// curable says that other parameters may do: the forward solve stopped.
func curable(err error) bool {
	_, ok := errors.AsType[*fem.NotConvergedError](err)
	return ok
}

// differentiate makes the Jacobian at x: central differences, one-sided where
// a solve does not converge.
func (f *fitter) differentiate() error {
	n := len(f.x)
	jac := mat.NewDense(len(f.target), n, nil)
	for j := range n {
		if f.fixed[j] {
			continue
		}
		var end [2][]float64
		for s, sign := range [2]float64{-1, 1} {
			x := append([]float64(nil), f.x...)
			x[j] += sign * diffStep
			y, err := f.predict(x)
			if err != nil && !curable(err) {
				return err
			}
			if err != nil && end[0] == nil && s == 1 {
				return err
			}
			end[s] = y
		}
		h := 2 * diffStep
		for s := range end {
			if end[s] == nil {
				end[s], h = f.y, diffStep
			}
		}
		for i := range f.target {
			jac.Set(i, j, (end[1][i]-end[0][i])/h)
		}
	}
	f.jac, f.fresh = jac, true
	return nil
}

// normal returns JᵀJ + prior and −Jᵀr − prior·(x − centre) over the free
// parameters, and their numbers. A parameter at a bound that the gradient
// pushes against is not free.
func (f *fitter) normal() (a *mat.SymDense, g []float64, free []int) {
	n := len(f.x)
	all := make([]float64, n)
	for j := range n {
		for i, y := range f.y {
			all[j] -= f.jac.At(i, j) * (y - f.target[i])
		}
		all[j] -= f.prior[j] * (f.x[j] - f.centre[j])
		if f.fixed[j] || f.x[j] <= f.lo[j] && all[j] < 0 || f.x[j] >= f.hi[j] && all[j] > 0 {
			continue
		}
		free = append(free, j)
		g = append(g, all[j])
	}
	if len(free) == 0 {
		return nil, nil, nil
	}
	a = mat.NewSymDense(len(free), nil)
	for p, j := range free {
		for q := p; q < len(free); q++ {
			v := mat.Dot(f.jac.ColView(j), f.jac.ColView(free[q]))
			if p == q {
				v += f.prior[j]
			}
			a.SetSym(p, q, v)
		}
	}
	return a, g, free
}

// step solves (A + μ·diag A)·δ = g.
func step(a *mat.SymDense, g []float64, mu float64) ([]float64, bool) {
	n := len(g)
	b := mat.NewSymDense(n, nil)
	b.CopySym(a)
	for i := range n {
		b.SetSym(i, i, a.At(i, i)*(1+mu)+math.SmallestNonzeroFloat64)
	}
	var chol mat.Cholesky
	if !chol.Factorize(b) {
		return nil, false
	}
	var d mat.VecDense
	if err := chol.SolveVecTo(&d, mat.NewVecDense(n, g)); err != nil {
		return nil, false
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = d.AtVec(i)
		if !finite(out[i]) {
			return nil, false
		}
	}
	return out, true
}

// small says that a Gauss–Newton step is none.
func (f *fitter) small(a *mat.SymDense, d []float64) bool {
	s2 := 1.0
	if dof := len(f.target) - len(f.x); dof > 0 {
		s2 = (f.cost(f.x, f.y) - f.priorCost(f.x)) / float64(dof)
	}
	var chol mat.Cholesky
	var inv mat.SymDense
	known := chol.Factorize(a) && chol.InverseTo(&inv) == nil
	for i, v := range d {
		if math.Abs(v) <= stepTol || known && math.Abs(v) <= stepSD*math.Sqrt(s2*inv.At(i, i)) {
			continue
		}
		return false
	}
	return true
}

// fit goes from x to the minimum. With chord, the Jacobian that was handed in
// need not be made anew at the end.
func (f *fitter) fit(x []float64, chord bool) (converged bool, err error) {
	f.x = append([]float64(nil), x...)
	for j := range f.x {
		f.x[j] = min(max(f.x[j], f.lo[j]), f.hi[j])
	}
	if f.y, err = f.predict(f.x); err != nil {
		return false, err
	}
	if f.jac == nil {
		if err := f.differentiate(); err != nil {
			return false, err
		}
	}
	mu, nu := 0., 2.
	for f.iter = 0; f.iter < f.maxIter; f.iter++ {
		if err := f.ctx.Err(); err != nil {
			return false, err
		}
		a, g, free := f.normal()
		var newton []float64
		ok := free != nil
		if ok {
			newton, ok = step(a, g, 0)
		}
		if free == nil || ok && f.small(a, newton) {
			if f.fresh || chord {
				return true, nil
			}
			if err := f.differentiate(); err != nil {
				return false, err
			}
			continue
		}
		d := newton
		if mu > 0 || !ok {
			mu = max(mu, 1e-3)
			if d, ok = step(a, g, mu); !ok {
				mu *= 10
				continue
			}
		}
		accepted, err := f.try(d, g, free, &mu, &nu)
		if err != nil {
			return false, err
		}
		if !accepted && !f.fresh {
			if err := f.differentiate(); err != nil {
				return false, err
			}
			mu, nu = 0, 2
		}
	}
	return false, nil
}

// try evaluates x + d and takes it if the cost falls.
func (f *fitter) try(d, g []float64, free []int, mu, nu *float64) (accepted bool, err error) {
	x := append([]float64(nil), f.x...)
	var size float64
	for _, v := range d {
		size = max(size, math.Abs(v))
	}
	scale := min(1, maxMove/size)
	for p, j := range free {
		x[j] = min(max(x[j]+scale*d[p], f.lo[j]), f.hi[j])
	}
	y, err := f.predict(x)
	if err != nil && !curable(err) {
		return false, err
	}
	var ratio float64
	var dx, move []float64
	if err == nil {
		// predicted fall of the cost: 2gᵀδ − ‖Jδ‖² − δᵀPδ
		dx = make([]float64, len(x))
		var want float64
		for p, j := range free {
			dx[j] = x[j] - f.x[j]
			want += 2*g[p]*dx[j] - f.prior[j]*dx[j]*dx[j]
		}
		move = make([]float64, len(y))
		for i := range move {
			for j, v := range dx {
				move[i] += f.jac.At(i, j) * v
			}
			want -= move[i] * move[i]
		}
		ratio = (f.cost(f.x, f.y) - f.cost(x, y)) / math.Abs(want)
	}
	if !(ratio > 1e-4) {
		*mu = max(*mu, 1e-3) * *nu
		*nu *= 2
		return false, nil
	}
	f.broyden(dx, move, y)
	f.x, f.y, f.fresh = x, y, false
	*nu = 2
	if *mu *= max(1./3, 1-math.Pow(2*ratio-1, 3)); *mu < 1e-6 {
		*mu = 0
	}
	return true, nil
}

// broyden makes the Jacobian meet the last secant: J += (Δy − JΔx)Δxᵀ/ΔxᵀΔx.
func (f *fitter) broyden(dx, move, y []float64) {
	n2 := dot(dx, dx)
	if n2 == 0 {
		return
	}
	jac := mat.DenseCopyOf(f.jac)
	for i := range y {
		e := (y[i] - f.y[i] - move[i]) / n2
		for j, v := range dx {
			jac.Set(i, j, jac.At(i, j)+e*v)
		}
	}
	f.jac = jac
}
