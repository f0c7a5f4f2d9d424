package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

var guccioneSpec = Spec{
	"Guccione", "C/2·(exp(Q) − 1) + U(J), Q = bf·E₁₁² + bt·(E₂₂² + E₃₃² + 2E₂₃²) + 2·bfs·(E₁₂² + E₁₃²)",
	"J. M. Guccione, A. D. McCulloch & L. K. Waldman, J. Biomech. Eng. 113 (1991) 42–55",
	[]Parameter{{"C", "MPa", above0}, {"bf", "", above0}, {"bt", "", above0}, {"bfs", "", above0}, {"bulk modulus", "MPa", above0}},
}

// GuccioneStrain says from which strain Q is formed.
type GuccioneStrain uint8

// Both give the same for J = 1. Isochoric has no pressure from stretching the
// fibres; full is the form of Land et al. (2015) with a penalty for J.
const (
	GuccioneIsochoric GuccioneStrain = iota // Ē = (J^(−2/3)·C − I)/2
	GuccioneFull                            // E = (C − I)/2
)

// Guccione is passive heart muscle, transversely isotropic about the fibre,
//
//	W = C/2·(exp(Q) − 1) + κ/2·(J − 1)²,
//	Q = bf·E₁₁² + bt·(E₂₂² + E₃₃² + 2E₂₃²) + 2·bfs·(E₁₂² + E₁₃²),
//
// J. M. Guccione, A. D. McCulloch & L. K. Waldman, J. Biomech. Eng. 113 (1991)
// 42–55, in the form of S. Land et al., Proc. R. Soc. A 471 (2015) 20150641,
// eq. 2.2. Axis 1 is the fibre: F is taken in the axes of the material. For a
// fibre f₀ that is not X, the element rotates with its natural map G (columns
// f₀, s₀, n₀): F·G goes in, P·Gᵀ comes out.
type Guccione struct {
	guccioneEnergy
	kappa float64
	full  bool
}

// guccioneEnergy is C/2·(exp(Q) − 1) in the full strain.
type guccioneEnergy struct{ c, bf, bt, bfs float64 }

// maxExponent bounds Q: beyond it the energy is +Inf and the stress stays
// finite, so that nothing is ever NaN.
const maxExponent = 300

// NewGuccione takes C in MPa, bf, bt and bfs without unit, κ in MPa and the
// strain. It fails with a *ParameterError unless all are positive and finite
// and the strain is known. Land's problems: C = 2e-3 MPa, 8, 2, 4 (beam) and
// C = 10e-3 MPa, 1, 1, 1 (ventricle).
func NewGuccione(cMPa, bf, bt, bfs, kappaMPa float64, strain GuccioneStrain) (Guccione, error) {
	if err := guccioneSpec.check(cMPa, bf, bt, bfs, kappaMPa); err != nil {
		return Guccione{}, err
	}
	if strain > GuccioneFull {
		return Guccione{}, guccioneSpec.refuse(&ParameterError{"strain", float64(strain), "", "GuccioneIsochoric or GuccioneFull"})
	}
	return Guccione{guccioneEnergy{cMPa, bf, bt, bfs}, kappaMPa, strain == GuccioneFull}, nil
}

// exponent writes B:E, so that ∂Q/∂E = 2·B:E, and returns Q = E:B:E.
func (l guccioneEnergy) exponent(b *Mat3, f *Mat3) (q float64) {
	var e Mat3
	green(&e, f)
	b[0] = r3.Vec{X: l.bf * e[0].X, Y: l.bfs * e[0].Y, Z: l.bfs * e[0].Z}
	b[1] = r3.Vec{X: l.bfs * e[1].X, Y: l.bt * e[1].Y, Z: l.bt * e[1].Z}
	b[2] = r3.Vec{X: l.bfs * e[2].X, Y: l.bt * e[2].Y, Z: l.bt * e[2].Z}
	return r3.Dot(e[0], b[0]) + r3.Dot(e[1], b[1]) + r3.Dot(e[2], b[2])
}

// Energy is C/2·(exp(Q) − 1), MPa.
func (l guccioneEnergy) Energy(f *Mat3) float64 {
	var b Mat3
	q := l.exponent(&b, f)
	if !(q <= maxExponent) {
		return math.Inf(1)
	}
	return l.c / 2 * math.Expm1(q)
}

// second writes S = C·exp(Q)·B:E and returns C·exp(Q) and B:E.
func (l guccioneEnergy) second(s, b, f *Mat3) (x float64) {
	q := l.exponent(b, f)
	x = l.c * math.Exp(math.Min(q, maxExponent))
	for k := range s {
		s[k] = r3.Scale(x, b[k])
	}
	return x
}

// Stress writes P = F·S.
func (l guccioneEnergy) Stress(p, f *Mat3) {
	var s, b Mat3
	l.second(&s, &b, f)
	mul(p, f, &s)
}

// Tangent writes A_iJkL = δik·S_JL + F_iM·F_kN·C_MJNL with ∂S_MJ/∂E_NL =
// C·exp(Q)·(B_MJNL + 2(B:E)_MJ·(B:E)_NL); B has b_MJ on NL = MJ and JM.
func (l guccioneEnergy) Tangent(a *[9][9]float64, f *Mat3) {
	var s, b, k Mat3
	x := l.second(&s, &b, f)
	mul(&k, f, &b)
	var ff, ss, kk [9]float64
	f.flat(&ff)
	s.flat(&ss)
	k.flat(&kk)
	w := [3][3]float64{{l.bf, l.bfs, l.bfs}, {l.bfs, l.bt, l.bt}, {l.bfs, l.bt, l.bt}}
	for i := range 3 {
		for m := range 3 {
			for j := range 3 {
				for n := range 3 {
					// ½·b_MJ·(F_iM·F_kM·δJL) + ½·b_LJ·F_iL·F_kJ
					v := 2*kk[3*i+j]*kk[3*m+n] + w[n][j]/2*ff[3*i+n]*ff[3*m+j]
					if j == n {
						v += (w[0][j]*ff[3*i]*ff[3*m] + w[1][j]*ff[3*i+1]*ff[3*m+1] + w[2][j]*ff[3*i+2]*ff[3*m+2]) / 2
					}
					v *= x
					if i == m {
						v += ss[3*j+n]
					}
					a[3*i+j][3*m+n] = v
				}
			}
		}
	}
}

// ShearMPa is the mean shear modulus at rest over all directions (Voigt): the
// shear part of the energy is C/2·Q, of modulus C·bfs/2 along the fibre and
// C·bt/2 across it.
func (l guccioneEnergy) ShearMPa() float64 {
	// (3·A_iJiJ − A_iiJJ)/30 of the orthotropic stiffness with C_aa = C·b
	return l.c * ((l.bf + 2*l.bt) + 3*(2*l.bfs+l.bt)/2) / 15
}

// BulkMPa is the mean A_iiJJ/9 at rest, C·(bf + 2bt)/9.
func (l guccioneEnergy) BulkMPa() float64 { return l.c * (l.bf + 2*l.bt) / 9 }

// Energy is W, MPa; +Inf when det F ≤ 0 or exp(Q) overflows.
func (l Guccione) Energy(f *Mat3) float64 {
	j := f.Det()
	if !(j > 0) {
		return math.Inf(1)
	}
	bar := *f
	if !l.full {
		unimodular(&bar, f, j)
	}
	return l.guccioneEnergy.Energy(&bar) + VolumetricQuadratic.energy(l.kappa, j)
}

// Stress writes P.
func (l Guccione) Stress(p, f *Mat3) { l.respond(p, nil, f) }

// Tangent writes A.
func (l Guccione) Tangent(a *[9][9]float64, f *Mat3) {
	var p Mat3
	l.respond(&p, a, f)
}

// respond writes P, and A unless a is nil.
func (l Guccione) respond(p *Mat3, a *[9][9]float64, f *Mat3) {
	var g Mat3
	j := invert(&g, f)
	bar, m := *f, 1.0
	if !l.full {
		m = unimodular(&bar, f, j)
	}
	l.guccioneEnergy.Stress(p, &bar)
	if a != nil {
		l.guccioneEnergy.Tangent(a, &bar)
	}
	if !l.full {
		project(p, a, f, &g, m, j)
	}
	_, du, ddu := l.Dilatation(j)
	volumetric(du, ddu, p, a, f, &g, j)
}

// Dilatation returns U(J), U'(J) and U”(J) of κ/2·(J − 1)², MPa. With the full
// strain the rest of the energy changes with volume too: the law is then not in
// the split form that Viscoelastic and Damage need.
func (l Guccione) Dilatation(j float64) (u, du, ddu float64) {
	return VolumetricQuadratic.dilatation(l.kappa, j)
}

// BulkMPa is κ, to which the full strain adds that of the fibres.
func (l Guccione) BulkMPa() float64 {
	if l.full {
		return l.kappa + l.guccioneEnergy.BulkMPa()
	}
	return l.kappa
}

// Anisotropic says that the moduli are means over all directions.
func (Guccione) Anisotropic() bool { return true }
