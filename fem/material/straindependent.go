package material

import "math"

var strainDependentSpec = Spec{
	"strain-dependent neo-Hookean", "Ψ(Ī1) + U(J), 2Ψ' = G0·c^p, c + 2/√c = Ī1",
	"fit G = G0·Cyy^p of magnetic resonance elastography under compression (J. Mech. Behav. Biomed. Mater. 2023, record fat.invivo)",
	[]Parameter{{"G0", "MPa", above0}, {"exponent", "", Limit{-20, 0, false, false}}, {"ratio of Poisson", "", poisson}},
}

// StrainDependentNeoHookean stiffens with strain as measured by elastography on
// tissue under compression, where the shear modulus follows G = G0·Cyy^p, Cyy < 1
// the right Cauchy–Green stretch along the compression and p ≤ 0. It is the law
// in Ī1 whose modulus 2·∂W/∂Ī1 is that G in incompressible uniaxial compression,
//
//	W = Ψ(Ī1) + U(J),  2Ψ'(Ī1) = G0·c^p,  c + 2/√c = Ī1, c ≤ 1,
//	Ψ = G0/2·∫ c^p·(1 − c^(−3/2)) dc from 1.
//
// Strain of another kind counts by its Ī1: stiffening in tension is inferred,
// not measured. The modulus grows like 1 − p·√(4(Ī1 − 3)/3) from rest, so the
// tangent is continuous there and has a kink.
type StrainDependentNeoHookean struct {
	g0, p float64
	dilatation
}

// NewStrainDependentNeoHookean takes G0 in MPa, the exponent p and Poisson's
// ratio, which with G0 gives κ. It fails with a *ParameterError unless G0 > 0,
// −20 ≤ p ≤ 0 and −1 < ν < 0.5.
func NewStrainDependentNeoHookean(g0MPa, exponent, nu float64) (StrainDependentNeoHookean, error) {
	if err := strainDependentSpec.check(g0MPa, exponent, nu); err != nil {
		return StrainDependentNeoHookean{}, err
	}
	return StrainDependentNeoHookean{g0MPa, exponent, dilatationOf(g0MPa, nu)}, nil
}

// compression is y = 1 − √c for c + 2/√c = 3 + x, the root in [0, 1) of
// y²·(3 − y) = x·(1 − y). Newton's method falls to it from above.
func compression(x float64) float64 {
	if !(x > 0) {
		return 0
	}
	y := math.Min(1, math.Sqrt(x/3))
	const most = 50 // quadratic: 6 do below x = 10
	for range most {
		g := y*y*(3-y) - x*(1-y)
		step := g / (6*y - 3*y*y + x)
		y -= step
		if !(step > 1e-16*y) {
			break
		}
	}
	return math.Min(y, 1-1e-12) // the modulus stays finite
}

// psi gives Ψ, Ψ' and Ψ” at x = Ī1 − 3.
func (l StrainDependentNeoHookean) psi(x float64) (w, dw, ddw float64) {
	y := compression(x)
	if y == 0 {
		return l.g0 / 2 * math.Max(x, 0), l.g0 / 2, 0
	}
	log := 2 * math.Log1p(-y)          // ln c
	power := func(a float64) float64 { // (c^a − 1)/a
		if a == 0 {
			return log
		}
		return math.Expm1(a*log) / a
	}
	w = l.g0 / 2 * (power(l.p+1) - power(l.p-0.5))
	dw = l.g0 / 2 * math.Exp(l.p*log)
	// dc/dx over c is −2/(1 − y)·dy/dx, dy/dx = (1 − y)/(6y − 3y² + x)
	return w, dw, dw * -2 * l.p / (6*y - 3*y*y + x)
}

// Energy is W, MPa; +Inf when det F ≤ 0.
func (l StrainDependentNeoHookean) Energy(f *Mat3) float64 {
	j := f.Det()
	if !(j > 0) {
		return math.Inf(1)
	}
	w, _, _ := l.psi(cbrt2(j)*f.Norm2() - 3)
	return w + l.energy(j)
}

// Stress writes P as the neo-Hookean law with μ = 2Ψ'.
func (l StrainDependentNeoHookean) Stress(p, f *Mat3) {
	_, dw, _ := l.psi(cbrt2(f.Det())*f.Norm2() - 3)
	invariantStress(p, f, dw, l.dilatation)
}

// Tangent writes A.
func (l StrainDependentNeoHookean) Tangent(a *[9][9]float64, f *Mat3) {
	var p, g Mat3
	t, j := l.Coefficients(&p, &g, f)
	t.write(a, f, &g, j)
}

// Coefficients writes P and F⁻ᵀ and returns the tangent by its coefficients.
func (l StrainDependentNeoHookean) Coefficients(p, g, f *Mat3) (t InvariantTangent, j float64) {
	j = invert(g, f)
	m, i1 := cbrt2(j), f.Norm2()
	_, dw, ddw := l.psi(m*i1 - 3)
	u, uu := l.form.slopes(l.kappa, j)
	return invariant(p, g, f, i1, m, dw, ddw, u, uu), j
}

// ShearMPa is G0.
func (l StrainDependentNeoHookean) ShearMPa() float64 { return l.g0 }

// KinkAtRest says that the tangent is continuous but not smooth at rest.
func (StrainDependentNeoHookean) KinkAtRest() bool { return true }
