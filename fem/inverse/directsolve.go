package inverse

import (
	"math"

	"halsted/internal/sparse"

	"gonum.org/v1/gonum/spatial/r3"
)

// apply writes the linearised equations times v = (δX, δp) into y:
//
//	S·δX − h·δp and weight·(Hᵀ·δX + c·δp),
//
// h = ∂v/∂x and H = ∂V/∂X of every element.
func (d *direct) apply(y, v []float64) {
	n := 3 * len(d.img)
	d.mat.MulVec(y[:n], v[:n])
	for e := range d.law {
		if d.vol[e] == nil {
			y[n+e] = 0
			continue
		}
		sum, dp := 0.0, v[n+e]
		for a, u := range d.conn[e*d.k : (e+1)*d.k] {
			h, g := d.h[e*d.k+a], d.hx[e*d.k+a]
			y[3*u] -= h.X * dp
			y[3*u+1] -= h.Y * dp
			y[3*u+2] -= h.Z * dp
			sum += r3.Dot(g, r3.Vec{X: v[3*u], Y: v[3*u+1], Z: v[3*u+2]})
		}
		y[n+e] = d.weight * (sum + d.cc[e]*dp)
	}
	d.hold(y)
}

func (d *direct) hold(y []float64) {
	for i, f := range d.fixed {
		if f {
			y[i] = 0
		}
	}
}

// precondition solves the equations with H in place of h and the symmetric part
// of S: (S + H·c⁻¹·Hᵀ)·δX = a + H·c⁻¹·b, δp = c⁻¹·(b − Hᵀ·δX).
func (d *direct) precondition(z, v []float64) {
	n := 3 * len(d.img)
	copy(z, v)
	for e := range d.law {
		if d.vol[e] == nil {
			continue
		}
		b := v[n+e] / d.weight / d.cc[e]
		for a, u := range d.conn[e*d.k : (e+1)*d.k] {
			g := d.hx[e*d.k+a]
			z[3*u] += g.X * b
			z[3*u+1] += g.Y * b
			z[3*u+2] += g.Z * b
		}
	}
	d.hold(z)
	d.factor.Solve(z[:n], z[:n])
	d.hold(z)
	for e := range d.law {
		z[n+e] = 0
		if d.vol[e] == nil {
			continue
		}
		sum := 0.0
		for a, u := range d.conn[e*d.k : (e+1)*d.k] {
			sum += r3.Dot(d.hx[e*d.k+a], r3.Vec{X: z[3*u], Y: z[3*u+1], Z: z[3*u+2]})
		}
		z[n+e] = (v[n+e]/d.weight - sum) / d.cc[e]
	}
}

// gmres solves for the Newton step by GMRES with the preconditioner on the right
// (Y. Saad & M. Schultz, SIAM J. Sci. Stat. Comput. 7 (1986) 856).
func (d *direct) gmres() ([]float64, error) {
	n := 3 * len(d.img)
	b := make([]float64, n+len(d.law))
	for i, v := range d.r {
		b[i] = -v
	}
	for e, s := range d.s {
		b[n+e] = d.weight * s
	}
	beta := math.Sqrt(sparse.Dot(b, b))
	x := make([]float64, len(b))
	if !(beta > 0) {
		return x, nil
	}
	scaled := func(c float64, v []float64) []float64 {
		out := make([]float64, len(v))
		sparse.AXPY(out, c, v)
		return out
	}
	basis := [][]float64{scaled(1/beta, b)}
	var h [gmresVectors + 1][gmresVectors]float64
	var cs, sn [gmresVectors]float64
	g := [gmresVectors + 1]float64{beta}
	z := make([]float64, len(b))
	used := 0
	for j := range gmresVectors {
		if err := d.ctx.Err(); err != nil {
			return nil, err
		}
		d.precondition(z, basis[j])
		w := make([]float64, len(b))
		d.apply(w, z)
		for i := range basis {
			h[i][j] = sparse.Dot(w, basis[i])
			sparse.AXPY(w, -h[i][j], basis[i])
		}
		long := math.Sqrt(sparse.Dot(w, w))
		for i := range j {
			h[i][j], h[i+1][j] = cs[i]*h[i][j]+sn[i]*h[i+1][j], cs[i]*h[i+1][j]-sn[i]*h[i][j]
		}
		r := math.Hypot(h[j][j], long)
		if !(r > 0) {
			break
		}
		cs[j], sn[j] = h[j][j]/r, long/r
		h[j][j], g[j], g[j+1] = r, cs[j]*g[j], -sn[j]*g[j]
		used = j + 1
		if math.Abs(g[j+1]) <= gmresTol*beta || long == 0 {
			break
		}
		basis = append(basis, scaled(1/long, w))
	}
	y := g[:used]
	sum := make([]float64, len(b))
	for j := used - 1; j >= 0; j-- {
		for i := j + 1; i < used; i++ {
			y[j] -= h[j][i] * y[i]
		}
		y[j] /= h[j][j]
	}
	for j, c := range y {
		sparse.AXPY(sum, c, basis[j])
	}
	d.precondition(x, sum)
	d.gmresSteps += used
	return x, nil
}
