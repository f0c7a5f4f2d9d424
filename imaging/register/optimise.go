package register

import "math"

// objective is a function to make small and its gradient, which it writes to g.
// +Inf says that x is out of bounds.
type objective func(x, g []float64) (float64, error)

// armijo is the share of the predicted gain that a step must bring (Nocedal,
// Wright, Numerical Optimization, 2nd ed., §3.1).
const armijo = 1e-4

// descend is quasi-Newton descent (BFGS on the inverse Hessian, Nocedal,
// Wright, §6.1) with backtracking. No step is longer than longest; it ends when
// a step is shorter than shortest, or after most iterations. x is start and
// result.
func descend(f objective, x []float64, longest, shortest float64, most int) (value float64, iterations int, err error) {
	n := len(x)
	g, gn, p, xn := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	y, hy := make([]float64, n), make([]float64, n)
	h := make([]float64, n*n)
	fresh := true // h is a multiple of the identity
	reset := func() {
		clear(h)
		s := 1.0
		if l := norm(g); l > 0 {
			s = longest / 2 / l
		}
		for i := range n {
			h[i*n+i] = s
		}
		fresh = true
	}
	if value, err = f(x, g); err != nil || math.IsInf(value, 1) {
		return value, 0, err
	}
	reset()
	for ; iterations < most; iterations++ {
		for i := range p {
			p[i] = 0
			for j := range g {
				p[i] -= h[i*n+j] * g[j]
			}
		}
		down := dot(p, g)
		if !(down < 0) {
			if fresh {
				return value, iterations, nil // the gradient is zero
			}
			reset()
			continue
		}
		length := norm(p)
		if length > longest {
			for i := range p {
				p[i] *= longest / length
			}
			down *= longest / length
			length = longest
		}
		step, next := 1.0, 0.0
		for {
			for i := range xn {
				xn[i] = x[i] + step*p[i]
			}
			if next, err = f(xn, gn); err != nil {
				return value, iterations, err
			}
			if next <= value+armijo*step*down {
				break
			}
			// The least point of the parabola through both values.
			t := -down * step / (2 * ((next-value)/step - down))
			if !(t >= 0.1*step) {
				t = 0.1 * step
			}
			step = math.Min(t, step/2)
			if step*length < shortest {
				break
			}
		}
		if step*length < shortest && next > value+armijo*step*down {
			if fresh {
				return value, iterations, nil
			}
			reset()
			continue
		}
		var sy, yy float64
		for i := range y {
			y[i] = gn[i] - g[i]
			sy += step * p[i] * y[i]
			yy += y[i] * y[i]
		}
		copy(x, xn)
		copy(g, gn)
		value = next
		if step*length < shortest {
			iterations++
			break
		}
		if sy <= 1e-10*step*length*math.Sqrt(yy) {
			continue // not convex along the step
		}
		if fresh {
			for i := range n {
				h[i*n+i] = sy / yy
			}
			fresh = false
		}
		for i := range hy {
			hy[i] = 0
			for j := range y {
				hy[i] += h[i*n+j] * y[j]
			}
		}
		k := (1 + dot(y, hy)/sy) / sy
		for i := range n {
			for j := range n {
				si, sj := step*p[i], step*p[j]
				h[i*n+j] += k*si*sj - (hy[i]*sj+si*hy[j])/sy
			}
		}
	}
	return value, iterations, nil
}

func dot(a, b []float64) (s float64) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func norm(a []float64) float64 { return math.Sqrt(dot(a, a)) }
