package material

import "gonum.org/v1/gonum/spatial/r3"

// invariantStress writes P of W = Ψ(Ī1) + U(J) from Ψ' at F,
// 2Ψ'·J^(−2/3)·(F − (F:F)/3·F⁻ᵀ) + dU/dln J·F⁻ᵀ.
func invariantStress(p, f *Mat3, dw float64, d dilatation) {
	var c Mat3
	j := f.Cofactor(&c)
	m := 2 * dw * cbrt2(j)
	s := (d.slope(j) - m*f.Norm2()/3) / j
	for k := range p {
		p[k] = r3.Add(r3.Scale(m, f[k]), r3.Scale(s, c[k]))
	}
}

// invariantTangent writes A = Ψ'·∂²Ī1/∂F² + Ψ”·D⊗D + ∂²U/∂F², D = ∂Ī1/∂F; the
// first and last term are those of NeoHookean with μ = 2Ψ'.
func invariantTangent(a *[9][9]float64, f *Mat3, dw, ddw float64, u dilatation) {
	var c Mat3
	j := f.Cofactor(&c)
	for k := range c {
		c[k] = r3.Scale(1/j, c[k])
	}
	var ff, g, d [9]float64
	f.flat(&ff)
	c.flat(&g)
	m, i1 := cbrt2(j), f.Norm2()
	s := 2 * dw * m
	isotropicTangent(a, &ff, &g, j, s, -2./3*s, 2./9*s*i1+u.curve(j), s*i1/3-u.slope(j))
	if ddw == 0 {
		return
	}
	for r := range d {
		d[r] = 2 * m * (ff[r] - i1/3*g[r])
	}
	addDyad(a, ddw, &d, &d)
}
