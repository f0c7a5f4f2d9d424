package material

import "math"

// invCbrt2Near1 are the coefficients of x to x⁵, x = J − 1, of a polynomial for
// J^(−2/3): minimax in the relative error, which is 4.2e-6, for |x| ≤ ¼, with
// the value 1 at x = 0 kept exact.
const (
	invCbrt2C1 = -0.6666711081264367
	invCbrt2C2 = 0.5548239815859611
	invCbrt2C3 = -0.49281234801184204
	invCbrt2C4 = 0.4897362904354426
	invCbrt2C5 = -0.4620656596733119
)

// cbrt2 is J^(−2/3) for J > 0, to two units in the last place; exactly 1 for 1.
// Near 1 a polynomial z is corrected by z·(1 − r)^(−1/3), r = 1 − J²z³, of which
// three terms are taken (the fourth is below 1e-21).
func cbrt2(j float64) float64 {
	x := j - 1
	if !(x > -0.25 && x < 0.25) {
		c := math.Cbrt(j)
		return 1 / (c * c)
	}
	x2 := x * x
	z := (1 + invCbrt2C1*x) + x2*((invCbrt2C2+invCbrt2C3*x)+x2*(invCbrt2C4+invCbrt2C5*x))
	jz := j * z
	r := 1 - jz*jz*z
	return z + z*r*(1./3+r*(2./9+r*(14./81)))
}

// isotropicTangent writes the tangent of the coefficients t, with G = F⁻ᵀ and
// J = det F. As G_iJ·G_kL − G_iL·G_kJ = ε_ikm·ε_JLn·F_mn/J, the last term is
// X·G⊗G less 36 entries ±X·F_mn/J.
func isotropicTangent(a *[9][9]float64, f, g *[9]float64, j float64, t *InvariantTangent) {
	gg := t.GG + t.X
	for r := range a {
		u, v := t.FF*f[r]+t.FG*g[r], t.FG*f[r]+gg*g[r]
		row := &a[r]
		row[0] = u*f[0] + v*g[0]
		row[1] = u*f[1] + v*g[1]
		row[2] = u*f[2] + v*g[2]
		row[3] = u*f[3] + v*g[3]
		row[4] = u*f[4] + v*g[4]
		row[5] = u*f[5] + v*g[5]
		row[6] = u*f[6] + v*g[6]
		row[7] = u*f[7] + v*g[7]
		row[8] = u*f[8] + v*g[8]
		row[r] += t.S
	}
	addCross(a, f, -t.X/j)
}

// addCross adds c·ε_ikm·ε_JLn·F_mn to A[iJ][kL].
func addCross(a *[9][9]float64, f *[9]float64, c float64) {
	for m, i := range [3]int{3, 6, 0} {
		k := 9 - i - 3*m // the row block of the third index
		f0, f1, f2 := c*f[3*m], c*f[3*m+1], c*f[3*m+2]
		p, q := a[i:i+3:i+3], a[k:k+3:k+3]
		p[0][k+1] += f2
		p[0][k+2] -= f1
		p[1][k] -= f2
		p[1][k+2] += f0
		p[2][k] += f1
		p[2][k+1] -= f0
		q[0][i+1] -= f2
		q[0][i+2] += f1
		q[1][i] += f2
		q[1][i+2] -= f0
		q[2][i] -= f1
		q[2][i+1] += f0
	}
}
