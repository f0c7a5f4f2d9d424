package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// stretches are the principal stretches of F = Σ λ_a n_a ⊗ N_a: N orthonormal
// (reference), n = F·N/λ.
type stretches struct {
	lambda   [3]float64
	ref, cur Mat3 // columns
}

func (s *stretches) iso(j float64) (b [3]float64) {
	c := 1 / math.Cbrt(j)
	for a, l := range s.lambda {
		b[a] = c * l
	}
	return b
}

// of decomposes F by Jacobi rotations of C = FᵀF, which give eigenvectors that
// are orthonormal to rounding even for equal stretches. d is the diagonal of C
// and o[r] its entry off the diagonal in the other two rows.
func (s *stretches) of(f *Mat3) {
	d := [3]float64{r3.Norm2(f[0]), r3.Norm2(f[1]), r3.Norm2(f[2])}
	o := [3]float64{r3.Dot(f[1], f[2]), r3.Dot(f[2], f[0]), r3.Dot(f[0], f[1])}
	v := Identity
	small := 1e-36 * (d[0] + d[1] + d[2]) * (d[0] + d[1] + d[2])
	const sweeps = 12 // converges quadratically: 6 suffice in practice
	for range sweeps {
		if o[0]*o[0]+o[1]*o[1]+o[2]*o[2] <= small {
			break
		}
		for r := range 3 {
			p, q := next3[r], next3[next3[r]]
			x := o[r]
			if x == 0 {
				continue
			}
			theta := (d[q] - d[p]) / (2 * x)
			t := 1 / (math.Abs(theta) + math.Sqrt(1+theta*theta))
			if theta < 0 {
				t = -t
			}
			cs := 1 / math.Sqrt(1+t*t)
			sn := t * cs
			d[p] -= t * x
			d[q] += t * x
			o[r], o[q], o[p] = 0, cs*o[q]-sn*o[p], sn*o[q]+cs*o[p]
			v[p], v[q] = r3.Sub(r3.Scale(cs, v[p]), r3.Scale(sn, v[q])), r3.Add(r3.Scale(sn, v[p]), r3.Scale(cs, v[q]))
		}
	}
	s.ref = v
	mul(&s.cur, f, &v)
	for a := range 3 {
		s.lambda[a] = r3.Norm(s.cur[a])
		s.cur[a] = r3.Scale(1/s.lambda[a], s.cur[a])
	}
}

// next3 is the next index of three.
var next3 = [3]int{1, 2, 0}

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
	// A = Σ_i e_ii ⊗ (Σ_j h_ij·e_jj) + ½·Σ_i<j (minus·s⊗s + plus·t⊗t), where
	// e_ij = n_i ⊗ N_j, s and t = e_ij ± e_ji: nine dyads u_m ⊗ w_m.
	var u, w [9][9]float64
	for i := range 3 {
		j := next3[i]
		n, m := s.cur[i], s.ref[i]
		nj, mj := s.cur[j], s.ref[j]
		u[i] = [9]float64{n.X * m.X, n.X * m.Y, n.X * m.Z, n.Y * m.X, n.Y * m.Y, n.Y * m.Z, n.Z * m.X, n.Z * m.Y, n.Z * m.Z}
		x := [9]float64{n.X * mj.X, n.X * mj.Y, n.X * mj.Z, n.Y * mj.X, n.Y * mj.Y, n.Y * mj.Z, n.Z * mj.X, n.Z * mj.Y, n.Z * mj.Z}
		y := [9]float64{nj.X * m.X, nj.X * m.Y, nj.X * m.Z, nj.Y * m.X, nj.Y * m.Y, nj.Y * m.Z, nj.Z * m.X, nj.Z * m.Y, nj.Z * m.Z}
		li, lj := s.lambda[i], s.lambda[j]
		// (t_i − t_j)/(λ_i − λ_j) and (t_i + t_j)/(λ_i + λ_j)
		plus := (t[i] + t[j]) / (li + lj)
		minus := (h[i][i] - h[i][j] + h[j][j] - h[j][i]) / 2
		if math.Abs(li-lj) > equalStretches*(li+lj) {
			minus = (t[i] - t[j]) / (li - lj)
		}
		for r := range x {
			a, b := x[r]+y[r], x[r]-y[r]
			u[3+i][r], w[3+i][r] = a, minus/2*a
			u[6+i][r], w[6+i][r] = b, plus/2*b
		}
	}
	for i := range 3 {
		for r := range 9 {
			w[i][r] = h[i][0]*u[0][r] + h[i][1]*u[1][r] + h[i][2]*u[2][r]
		}
	}
	for r := range a {
		row := &a[r]
		*row = [9]float64{}
		for m := range w {
			x, y := u[m][r], &w[m]
			for c := range row {
				row[c] += x * y[c]
			}
		}
	}
}
