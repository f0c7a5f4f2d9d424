package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

var neoHookeanSpec = Spec{
	"neo-Hookean", "μ/2·(Ī1 − 3) + U(J)",
	"R. S. Rivlin, Phil. Trans. R. Soc. A 240 (1948) 459; J. C. Simo, R. L. Taylor & K. S. Pister, Comput. Methods Appl. Mech. Eng. 51 (1985) 177 (split)",
	[]Parameter{{"shear modulus", "MPa", above0}, {"ratio of Poisson", "", poisson}},
}

// NeoHookean is the nearly incompressible neo-Hookean law in isochoric and
// volumetric split,
//
//	W = μ/2·(Ī1 − 3) + U(J),  Ī1 = J^(−2/3)·F:F,
//
// with U = κ/4·(J² − 1 − 2·ln J), the form of Simo, Taylor & Pister (1985) that
// solids4foam uses for Cook's membrane, unless another Volumetric is chosen.
type NeoHookean struct {
	mu, kappa float64
	vol       Volumetric
}

// NewNeoHookean takes the shear modulus in MPa and Poisson's ratio;
// κ = 2μ(1+ν)/(3(1−2ν)), U is VolumetricSimo. It fails with a *ParameterError
// unless μ > 0 and −1 < ν < 0.5.
func NewNeoHookean(muMPa, nu float64) (NeoHookean, error) {
	if err := neoHookeanSpec.check(muMPa, nu); err != nil {
		return NeoHookean{}, err
	}
	return NeoHookean{muMPa, bulk(muMPa, nu), VolumetricSimo}, nil
}

// NewNeoHookeanWith takes the shear and bulk modulus in MPa and the form of
// U(J). Abaqus' C10 and D1 are μ = 2·C10, κ = 2/D1, VolumetricQuadratic. It
// fails with a *ParameterError unless both moduli are positive and finite and
// the form is known.
func NewNeoHookeanWith(muMPa, kappaMPa float64, form Volumetric) (NeoHookean, error) {
	err := positive("shear modulus", muMPa, "MPa")
	if err == nil {
		_, err = newDilatation(kappaMPa, form)
	}
	if err != nil {
		return NeoHookean{}, neoHookeanSpec.refuse(err)
	}
	return NeoHookean{muMPa, kappaMPa, form}, nil
}

// Energy is W, MPa.
func (l NeoHookean) Energy(f *Mat3) float64 {
	j := f.Det()
	if !(j > 0) {
		return math.Inf(1)
	}
	return l.mu/2*(cbrt2(j)*f.Norm2()-3) + l.vol.energy(l.kappa, j)
}

// Stress writes P = μJ^(−2/3)(F − (F:F)/3·F⁻ᵀ) + U'(J)·J·F⁻ᵀ. It is written out
// because it is the innermost call of most solves.
func (l NeoHookean) Stress(p, f *Mat3) {
	a, b, c := f[0], f[1], f[2]
	g0 := r3.Vec{X: b.Y*c.Z - b.Z*c.Y, Y: b.Z*c.X - b.X*c.Z, Z: b.X*c.Y - b.Y*c.X} // columns of cof F
	j := a.X*g0.X + a.Y*g0.Y + a.Z*g0.Z
	i1 := (a.X*a.X + a.Y*a.Y + a.Z*a.Z) + (b.X*b.X + b.Y*b.Y + b.Z*b.Z) + (c.X*c.X + c.Y*c.Y + c.Z*c.Z)
	m := l.mu * cbrt2(j)
	u := l.kappa / 2 * (j*j - 1)
	if l.vol != VolumetricSimo {
		u, _ = l.vol.slopes(l.kappa, j)
	}
	s := (u - m*i1/3) / j
	p[0] = r3.Vec{X: m*a.X + s*g0.X, Y: m*a.Y + s*g0.Y, Z: m*a.Z + s*g0.Z}
	p[1] = r3.Vec{X: m*b.X + s*(c.Y*a.Z-c.Z*a.Y), Y: m*b.Y + s*(c.Z*a.X-c.X*a.Z), Z: m*b.Z + s*(c.X*a.Y-c.Y*a.X)}
	p[2] = r3.Vec{X: m*c.X + s*(a.Y*b.Z-a.Z*b.Y), Y: m*c.Y + s*(a.Z*b.X-a.X*b.Z), Z: m*c.Z + s*(a.X*b.Y-a.Y*b.X)}
}

// Tangent writes, with G = F⁻ᵀ, m = μJ^(−2/3), I = F:F, s = dU/dln J and
// t = d²U/d(ln J)²,
//
//	A = m·(δik·δJL − ⅔(F⊗G + G⊗F) + 2/9·I·G⊗G) + t·G⊗G
//	    + (m·I/3 − s)·G_iL·G_kJ.
func (l NeoHookean) Tangent(a *[9][9]float64, f *Mat3) {
	var p, g Mat3
	t, j := l.Coefficients(&p, &g, f)
	t.write(a, f, &g, j)
}

// Coefficients writes P and F⁻ᵀ and returns the tangent by its coefficients.
func (l NeoHookean) Coefficients(p, g, f *Mat3) (t InvariantTangent, j float64) {
	j = invert(g, f)
	u, uu := l.vol.slopes(l.kappa, j)
	return invariant(p, g, f, f.Norm2(), cbrt2(j), l.mu/2, 0, u, uu), j
}

// Volumetric is the form of U(J).
func (l NeoHookean) Volumetric() Volumetric { return l.vol }

// Dilatation returns U(J), U'(J) and U”(J) of the volumetric part, MPa.
func (l NeoHookean) Dilatation(j float64) (u, du, ddu float64) {
	return l.vol.dilatation(l.kappa, j)
}

// ShearMPa is μ.
func (l NeoHookean) ShearMPa() float64 { return l.mu }

// BulkMPa is κ.
func (l NeoHookean) BulkMPa() float64 { return l.kappa }
