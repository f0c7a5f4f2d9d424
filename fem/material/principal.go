package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// stretches are the principal stretches of F = Σ λ_a n_a ⊗ N_a: N orthonormal
// (reference), n = F·N/λ.
type stretches struct {
	lambda [3]float64
	ref    [3]r3.Vec
	cur    [3]r3.Vec
}

func (s *stretches) iso(j float64) (b [3]float64) {
	c := 1 / math.Cbrt(j)
	for a, l := range s.lambda {
		b[a] = c * l
	}
	return b
}

// of decomposes F by Jacobi rotations of C = FᵀF, which give eigenvectors that
// are orthonormal to rounding even for equal stretches.
func (s *stretches) of(f *Mat3) {
	var c, v [3][3]float64
	for i := range 3 {
		v[i][i] = 1
		for j := range 3 {
			c[i][j] = r3.Dot(f[i], f[j])
		}
	}
	const sweeps = 12 // converges quadratically: 6 suffice in practice
	for range sweeps {
		off := c[0][1]*c[0][1] + c[0][2]*c[0][2] + c[1][2]*c[1][2]
		if off <= 1e-40*(c[0][0]+c[1][1]+c[2][2])*(c[0][0]+c[1][1]+c[2][2]) {
			break
		}
		for _, pq := range [3][2]int{{0, 1}, {0, 2}, {1, 2}} {
			p, q := pq[0], pq[1]
			if c[p][q] == 0 {
				continue
			}
			theta := (c[q][q] - c[p][p]) / (2 * c[p][q])
			t := 1 / (math.Abs(theta) + math.Sqrt(1+theta*theta))
			if theta < 0 {
				t = -t
			}
			cs := 1 / math.Sqrt(1+t*t)
			sn := t * cs
			for k := range 3 {
				a, b := c[k][p], c[k][q]
				c[k][p], c[k][q] = cs*a-sn*b, sn*a+cs*b
			}
			for k := range 3 {
				a, b := c[p][k], c[q][k]
				c[p][k], c[q][k] = cs*a-sn*b, sn*a+cs*b
				a, b = v[k][p], v[k][q]
				v[k][p], v[k][q] = cs*a-sn*b, sn*a+cs*b
			}
		}
	}
	for a := range 3 {
		s.ref[a] = r3.Vec{X: v[0][a], Y: v[1][a], Z: v[2][a]}
		n := r3.Add(r3.Scale(v[0][a], f[0]), r3.Add(r3.Scale(v[1][a], f[1]), r3.Scale(v[2][a], f[2])))
		s.lambda[a] = r3.Norm(n)
		s.cur[a] = r3.Scale(1/s.lambda[a], n)
	}
}

// stress writes P = Σ β_a/λ_a·n_a ⊗ N_a, β_a = ∂W/∂ln λ_a.
func (s *stretches) stress(p *Mat3, beta *[3]float64) {
	*p = Mat3{}
	for a := range 3 {
		v := r3.Scale(beta[a]/s.lambda[a], s.cur[a])
		p[0] = r3.Add(p[0], r3.Scale(s.ref[a].X, v))
		p[1] = r3.Add(p[1], r3.Scale(s.ref[a].Y, v))
		p[2] = r3.Add(p[2], r3.Scale(s.ref[a].Z, v))
	}
}

// equalStretches is the relative difference of two stretches below which the
// divided difference of the tangent is replaced by its limit; the error is of
// the order of its square, that of the difference 1e-16 divided by it.
const equalStretches = 1e-5

// tangent writes A in the principal frame (Ogden 1997, §6.1.4), from β_a =
// ∂W/∂ln λ_a and γ_ab = ∂β_a/∂ln λ_b. With t_a = β_a/λ_a: A_aabb = ∂t_a/∂λ_b;
// A_abab = (λ_a·t_a − λ_b·t_b)/(λ_a² − λ_b²); A_abba = (λ_b·t_a − λ_a·t_b)/
// (λ_a² − λ_b²), with their limits for λ_a = λ_b.
func (s *stretches) tangent(a *[9][9]float64, beta *[3]float64, gamma *[3][3]float64) {
	var t [3]float64
	var h [3][3]float64 // ∂t_a/∂λ_b
	for i := range 3 {
		t[i] = beta[i] / s.lambda[i]
		for k := range 3 {
			h[i][k] = gamma[i][k] / (s.lambda[i] * s.lambda[k])
		}
		h[i][i] -= beta[i] / (s.lambda[i] * s.lambda[i])
	}
	*a = [9][9]float64{}
	var e [3][3][9]float64 // n_i ⊗ N_j, index 3·axis + reference axis
	for i := range 3 {
		for j := range 3 {
			n, r := s.cur[i], s.ref[j]
			e[i][j] = [9]float64{n.X * r.X, n.X * r.Y, n.X * r.Z, n.Y * r.X, n.Y * r.Y, n.Y * r.Z, n.Z * r.X, n.Z * r.Y, n.Z * r.Z}
		}
	}
	add := func(c float64, u, v *[9]float64) {
		for i, x := range u {
			x *= c
			for k, y := range v {
				a[i][k] += x * y
			}
		}
	}
	for i := range 3 {
		for j := range 3 {
			add(h[i][j], &e[i][i], &e[j][j])
			if i == j {
				continue
			}
			li, lj := s.lambda[i], s.lambda[j]
			// (t_i − t_j)/(λ_i − λ_j) and (t_i + t_j)/(λ_i + λ_j)
			plus := (t[i] + t[j]) / (li + lj)
			minus := (h[i][i] - h[i][j] + h[j][j] - h[j][i]) / 2
			if math.Abs(li-lj) > equalStretches*(li+lj) {
				minus = (t[i] - t[j]) / (li - lj)
			}
			add((minus+plus)/2, &e[i][j], &e[i][j])
			add((minus-plus)/2, &e[i][j], &e[j][i])
		}
	}
}
