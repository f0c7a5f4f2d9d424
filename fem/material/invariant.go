package material

import "gonum.org/v1/gonum/spatial/r3"

// InvariantTangent are the coefficients of the tangent of a law in I1 and J,
//
//	A = S·δik·δJL + FF·F⊗F + FG·(F⊗G + G⊗F) + GG·G⊗G + X·G_iL·G_kJ,  G = F⁻ᵀ,
//
// in MPa. An element needs no 9×9 matrix then: with f_a = F·∇N_a and g_a =
// G·∇N_a the block of nodes a and b is
//
//	K_ab = S·(∇N_a·∇N_b)·I + (FF·f_a + FG·g_a)⊗f_b + (FG·f_a + GG·g_a)⊗g_b + X·g_b⊗g_a.
type InvariantTangent struct{ S, FF, FG, GG, X float64 }

// InInvariants is a law in the first invariant and J: NeoHookean,
// CompressibleNeoHookean, Yeoh, RaghavanVorp and StrainDependentNeoHookean.
type InInvariants interface {
	Law
	// Coefficients writes P, and F⁻ᵀ into g, and returns the tangent and det F,
	// which must be above zero. The arguments must not overlap.
	Coefficients(p, g, f *Mat3) (t InvariantTangent, j float64)
}

var (
	_ InInvariants = NeoHookean{}
	_ InInvariants = CompressibleNeoHookean{}
	_ InInvariants = Yeoh{}
	_ InInvariants = RaghavanVorp{}
	_ InInvariants = StrainDependentNeoHookean{}
)

// write writes the 9×9 tangent.
func (t *InvariantTangent) write(a *[9][9]float64, f, g *Mat3, j float64) {
	var ff, gg [9]float64
	f.flat(&ff)
	g.flat(&gg)
	isotropicTangent(a, &ff, &gg, j, t)
}

// invariant gives the coefficients of W = Ψ(Ī1) + U(J) and its stress
//
//	P = m·F + (dU/dln J − m·I/3)·G,  m = 2Ψ'·J^(−2/3),  I = F:F,
//
// from Ψ' and Ψ” (dw, ddw), dU/dln J and d²U/d(ln J)² (u, uu), and m1 = J^(−2/3);
// g is G. With D = ∂Ī1/∂F = 2·J^(−2/3)·(F − I/3·G),
//
//	A = m·(δik·δJL − ⅔(F⊗G + G⊗F) + 2/9·I·G⊗G + I/3·G_iL·G_kJ)
//	    + uu·G⊗G − u·G_iL·G_kJ + Ψ”·D⊗D.
func invariant(p, g, f *Mat3, i1, m1, dw, ddw, u, uu float64) InvariantTangent {
	m := 2 * dw * m1
	s := u - m*i1/3
	for k := range p {
		p[k] = r3.Add(r3.Scale(m, f[k]), r3.Scale(s, g[k]))
	}
	d := 4 * m1 * m1 * ddw
	return InvariantTangent{m, d, -2./3*m - d*i1/3, 2./9*m*i1 + uu + d*i1*i1/9, -s}
}

// invariantStress writes P of W = Ψ(Ī1) + U(J) from Ψ' at F.
func invariantStress(p, f *Mat3, dw float64, d dilatation) {
	var c Mat3
	j := f.Cofactor(&c)
	m := 2 * dw * cbrt2(j)
	s := (d.slope(j) - m*f.Norm2()/3) / j
	for k := range p {
		p[k] = r3.Add(r3.Scale(m, f[k]), r3.Scale(s, c[k]))
	}
}

// invert writes G = F⁻ᵀ and returns det F, of any sign.
func invert(g, f *Mat3) (j float64) {
	j = f.Cofactor(g)
	x := 1 / j
	for k := range g {
		g[k] = r3.Scale(x, g[k])
	}
	return j
}
