package material

import "math"

var linearMembraneSpec = Spec{
	"linear membrane", "h·E/(2(1 − ν²))·((tr E)² − 2(1 − ν)·det E), E = (C − I)/2",
	"plane-stress St. Venant–Kirchhoff; Bonet & Wood (2008) §6.5",
	[]Parameter{{"Young's modulus", "MPa", above0}, {"ratio of Poisson", "", Limit{-1, 0.5, true, false}}, {"thickness", "mm", above0}},
}

// LinearMembrane is Hooke's law in plane stress in Green–Lagrange strain,
//
//	W = h·E/(2(1 − ν²))·((E11 + E22)² − 2(1 − ν)·(E11·E22 − E12²)).
//
// It carries compression (no wrinkling) and is for moderate strain.
type LinearMembrane struct{ stiff, nu, thickness float64 } // stiff = h·E/(1 − ν²)

// NewLinearMembrane takes Young's modulus in MPa, Poisson's ratio and the
// thickness in mm. It fails with a *ParameterError unless E > 0, −1 < ν ≤ 0.5
// and the thickness is positive; all finite.
func NewLinearMembrane(eMPa, nu, thicknessMM float64) (LinearMembrane, error) {
	if err := linearMembraneSpec.check(eMPa, nu, thicknessMM); err != nil {
		return LinearMembrane{}, err
	}
	return LinearMembrane{thicknessMM * eMPa / (1 - nu*nu), nu, thicknessMM}, nil
}

// sheet says whether c is a metric: C11 > 0 and det C > 0, finite.
func sheet(c [3]float64) (det float64, ok bool) {
	det = c[0]*c[1] - c[2]*c[2]
	return det, c[0] > 0 && det > 0 && !math.IsInf(det, 0)
}

// Energy is W, N/mm.
func (l LinearMembrane) Energy(c [3]float64) float64 {
	if _, ok := sheet(c); !ok {
		return math.Inf(1)
	}
	x, y, g := (c[0]-1)/2, (c[1]-1)/2, c[2] // E11, E22, 2·E12
	return l.stiff / 2 * (x*x + y*y + 2*l.nu*x*y + (1-l.nu)/2*g*g)
}

// Stress writes S, N/mm.
func (l LinearMembrane) Stress(s *[3]float64, c [3]float64) {
	x, y, g := (c[0]-1)/2, (c[1]-1)/2, c[2]
	*s = [3]float64{l.stiff * (x + l.nu*y), l.stiff * (y + l.nu*x), l.stiff * (1 - l.nu) / 2 * g}
}

// Tangent writes D, N/mm, the same for every c.
func (l LinearMembrane) Tangent(d *[3][3]float64, _ [3]float64) {
	k, n := l.stiff, l.stiff*l.nu
	*d = [3][3]float64{{k, n, 0}, {n, k, 0}, {0, 0, (k - n) / 2}}
}

// ThicknessMM is h.
func (l LinearMembrane) ThicknessMM() float64 { return l.thickness }

var neoHookeanMembraneSpec = Spec{
	"neo-Hookean membrane", "h·μ/2·(C11 + C22 + 1/det C − 3)",
	"A. E. Green & J. E. Adkins, Large Elastic Deformations (1970) ch. 4",
	[]Parameter{{"shear modulus", "MPa", above0}, {"thickness", "mm", above0}},
}

// NeoHookeanMembrane is an incompressible neo-Hookean sheet in plane stress,
//
//	W = h·μ/2·(C11 + C22 + 1/det C − 3);
//
// the deformed thickness is h/√(det C).
type NeoHookeanMembrane struct{ stiff, thickness float64 } // stiff = h·μ

// NewNeoHookeanMembrane takes the shear modulus in MPa and the thickness in mm.
// It fails with a *ParameterError unless both are positive and finite.
func NewNeoHookeanMembrane(muMPa, thicknessMM float64) (NeoHookeanMembrane, error) {
	if err := neoHookeanMembraneSpec.check(muMPa, thicknessMM); err != nil {
		return NeoHookeanMembrane{}, err
	}
	return NeoHookeanMembrane{thicknessMM * muMPa, thicknessMM}, nil
}

// Energy is W, N/mm.
func (l NeoHookeanMembrane) Energy(c [3]float64) float64 {
	det, ok := sheet(c)
	if !ok {
		return math.Inf(1)
	}
	return l.stiff / 2 * (c[0] + c[1] + 1/det - 3)
}

// Stress writes S = h·μ·(I − C⁻¹/det C), N/mm.
func (l NeoHookeanMembrane) Stress(s *[3]float64, c [3]float64) {
	det := c[0]*c[1] - c[2]*c[2]
	k := l.stiff / (det * det)
	*s = [3]float64{l.stiff - k*c[1], l.stiff - k*c[0], k * c[2]}
}

// Tangent writes D, N/mm.
func (l NeoHookeanMembrane) Tangent(d *[3][3]float64, c [3]float64) {
	det := c[0]*c[1] - c[2]*c[2]
	k := l.stiff / (det * det)
	q := 4 * k / det
	xy := q*c[0]*c[1] - 2*k
	xz, yz := -q*c[1]*c[2], -q*c[0]*c[2]
	*d = [3][3]float64{{q * c[1] * c[1], xy, xz}, {xy, q * c[0] * c[0], yz}, {xz, yz, k + q*c[2]*c[2]}}
}

// ThicknessMM is h.
func (l NeoHookeanMembrane) ThicknessMM() float64 { return l.thickness }

var exponentialMembraneSpec = Spec{
	"exponential membrane", "h·c/2·(exp(Q) − 1), Q = a1·E11² + a2·E22² + 2·a12·E11·E22 + a6·(2·E12)²",
	"Y. C. Fung, K. Fronek & P. Patitucci, Am. J. Physiol. 237 (1979) H620; Y. C. Fung, Biomechanics (1993) §8.6",
	[]Parameter{{"c", "MPa", above0}, {"a1", "", above0}, {"a2", "", above0}, {"a12", "", anyReal}, {"a6", "", above0}, {"thickness", "mm", above0}},
}

// ExponentialMembrane is Fung's sheet, orthotropic in its basis,
//
//	W = h·c/2·(exp(Q) − 1),
//	Q = a1·E11² + a2·E22² + 2·a12·E11·E22 + a6·(2·E12)²,
//
// in Green–Lagrange strain; the moduli at rest are c·a1, c·a2, c·a12, c·a6. It
// is isotropic when a1 = a2 = a12 + 2·a6.
type ExponentialMembrane struct {
	stiff, thickness float64 // stiff = h·c
	a                [3][3]float64
}

// NewExponentialMembrane takes c in MPa, the exponents and the thickness in mm.
// It fails with a *ParameterError unless c, a1, a2, a6 and the thickness are
// positive and finite and a12² < a1·a2, without which the energy is not convex.
func NewExponentialMembrane(cMPa, a1, a2, a12, a6, thicknessMM float64) (ExponentialMembrane, error) {
	if err := exponentialMembraneSpec.check(cMPa, a1, a2, a12, a6, thicknessMM); err != nil {
		return ExponentialMembrane{}, err
	}
	if !(a12*a12 < a1*a2) {
		return ExponentialMembrane{}, exponentialMembraneSpec.refuse(&ParameterError{"a12", a12, "", "between -sqrt(a1*a2) and sqrt(a1*a2), else the energy is not convex"})
	}
	return ExponentialMembrane{cMPa * thicknessMM, thicknessMM, [3][3]float64{{a1, a12, 0}, {a12, a2, 0}, {0, 0, a6}}}, nil
}

// exponent gives A·E and Q = E·A·E for E = (E11, E22, 2·E12).
func (l *ExponentialMembrane) exponent(c [3]float64) (v [3]float64, q float64) {
	e := [3]float64{(c[0] - 1) / 2, (c[1] - 1) / 2, c[2]}
	for r := range v {
		v[r] = l.a[r][0]*e[0] + l.a[r][1]*e[1] + l.a[r][2]*e[2]
		q += v[r] * e[r]
	}
	return v, q
}

// Energy is W, N/mm; +Inf also where exp(Q) overflows.
func (l ExponentialMembrane) Energy(c [3]float64) float64 {
	_, q := l.exponent(c)
	if _, ok := sheet(c); !ok || !(q <= maxExponent) {
		return math.Inf(1)
	}
	return l.stiff / 2 * math.Expm1(q)
}

// Stress writes S = h·c·exp(Q)·A·E, N/mm.
func (l ExponentialMembrane) Stress(s *[3]float64, c [3]float64) {
	v, q := l.exponent(c)
	x := l.stiff * math.Exp(math.Min(q, maxExponent))
	*s = [3]float64{x * v[0], x * v[1], x * v[2]}
}

// Tangent writes D = h·c·exp(Q)·(A + 2·(A·E)⊗(A·E)), N/mm.
func (l ExponentialMembrane) Tangent(d *[3][3]float64, c [3]float64) {
	v, q := l.exponent(c)
	x := l.stiff * math.Exp(math.Min(q, maxExponent))
	for r := range d {
		for k := range d[r] {
			d[r][k] = x * (l.a[r][k] + 2*v[r]*v[k])
		}
	}
}

// ThicknessMM is h.
func (l ExponentialMembrane) ThicknessMM() float64 { return l.thickness }

var (
	_ Membrane = LinearMembrane{}
	_ Membrane = NeoHookeanMembrane{}
	_ Membrane = ExponentialMembrane{}
	_ Membrane = BilinearMembrane{}
)
