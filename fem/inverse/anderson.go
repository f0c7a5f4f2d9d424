package inverse

import "math"

// anderson mixes the past of a fixed-point iteration x ← x + f(x) (D. G.
// Anderson, J. ACM 12 (1965) 547; "type II"; H. Walker & P. Ni, SIAM J. Numer.
// Anal. 49 (2011) 1715, algorithm AA):
//
//	γ = argmin ‖f − ΔF·γ‖,  x_next = x + f − (ΔX + ΔF)·γ.
//
// The least-squares problem is solved by modified Gram–Schmidt with a second
// pass, newest column first; a column within filterSine of the span of newer
// ones is dropped for good (angle filtering, S. Pollock & L. Rebholz, Numer.
// Linear Algebra Appl. 30 (2023) e2478), which bounds the condition of the
// triangle.
type anderson struct {
	window int
	dx, df [][]float64 // newest first
	kept   int         // columns of the last step
}

// filterSine is the least sine of the angle between a column and the newer
// ones: far above the noise of forward solves that are exact to 1e-6 of the
// displacement. Between 0.001 and 0.3 the count of forward solves of the tube in
// the tests changes by one.
const filterSine = 0.01

// learn stores a secant: f changed by df where x changed by dx. It keeps the slices.
func (a *anderson) learn(dx, df []float64) {
	if a.window <= 0 {
		return
	}
	a.dx = append([][]float64{dx}, a.dx...)
	a.df = append([][]float64{df}, a.df...)
	if len(a.dx) > a.window {
		a.dx, a.df = a.dx[:a.window], a.df[:a.window]
	}
}

// step writes the mixed step from the point with the residual f.
func (a *anderson) step(dst, f []float64) {
	copy(dst, f)
	rest := append([]float64(nil), f...)
	var q [][]float64
	var r [][]float64 // r[j] holds column j of the triangle
	var coef []float64
	keepX, keepF := a.dx[:0:0], a.df[:0:0]
	for i, col := range a.df {
		size := math.Sqrt(dot(col, col))
		v := append([]float64(nil), col...)
		rj := make([]float64, len(q)+1)
		for range 2 {
			for k, p := range q {
				c := dot(p, v)
				rj[k] += c
				axpy(v, -c, p)
			}
		}
		left := math.Sqrt(dot(v, v))
		if !(left > filterSine*size) {
			continue
		}
		rj[len(q)] = left
		for k := range v {
			v[k] /= left
		}
		c := dot(v, rest)
		axpy(rest, -c, v)
		q, r, coef = append(q, v), append(r, rj), append(coef, c)
		keepX, keepF = append(keepX, a.dx[i]), append(keepF, col)
	}
	a.dx, a.df, a.kept = keepX, keepF, len(q)
	for j := len(q) - 1; j >= 0; j-- { // R·γ = Qᵀf
		g := coef[j]
		for k := j + 1; k < len(q); k++ {
			g -= r[k][j] * coef[k]
		}
		coef[j] = g / r[j][j]
	}
	for j, g := range coef {
		axpy(dst, -g, a.dx[j])
		axpy(dst, -g, a.df[j])
	}
}

func dot(a, b []float64) (s float64) {
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

func axpy(dst []float64, c float64, x []float64) {
	for i, v := range x {
		dst[i] += c * v
	}
}
