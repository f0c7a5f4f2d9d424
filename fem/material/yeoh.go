package material

import (
	"fmt"
	"math"
)

// polynomial is W = Σ c_i·(Ī1 − 3)^i + U(J), i = 1 to 3.
type polynomial struct {
	c [3]float64
	dilatation
}

// psi gives the isochoric energy and its first two derivatives by Ī1.
func (l *polynomial) psi(i1 float64) (w, dw, ddw float64) {
	x := i1 - 3
	c := &l.c
	return x * (c[0] + x*(c[1]+x*c[2])), c[0] + x*(2*c[1]+x*3*c[2]), 2*c[1] + 6*c[2]*x
}

// Energy is W, MPa; +Inf when det F ≤ 0.
func (l polynomial) Energy(f *Mat3) float64 {
	j := f.Det()
	if !(j > 0) {
		return math.Inf(1)
	}
	w, _, _ := l.psi(cbrt2(j) * f.Norm2())
	return w + l.energy(j)
}

// Stress writes P.
func (l polynomial) Stress(p, f *Mat3) {
	_, dw, _ := l.psi(cbrt2(f.Det()) * f.Norm2())
	invariantStress(p, f, dw, l.dilatation)
}

// Tangent writes A.
func (l polynomial) Tangent(a *[9][9]float64, f *Mat3) {
	var p, g Mat3
	t, j := l.Coefficients(&p, &g, f)
	t.write(a, f, &g, j)
}

// Coefficients writes P and F⁻ᵀ and returns the tangent by its coefficients.
func (l polynomial) Coefficients(p, g, f *Mat3) (t InvariantTangent, j float64) {
	j = invert(g, f)
	m, i1 := cbrt2(j), f.Norm2()
	_, dw, ddw := l.psi(m * i1)
	u, uu := l.form.slopes(l.kappa, j)
	return invariant(p, g, f, i1, m, dw, ddw, u, uu), j
}

// ShearMPa is the initial shear modulus, twice the first constant.
func (l polynomial) ShearMPa() float64 { return 2 * l.c[0] }

var yeohSpec = Spec{
	"Yeoh", "Σ Ci0·(Ī1 − 3)^i + U(J), i = 1 to 3", "O. H. Yeoh, Rubber Chem. Technol. 66 (1993) 754",
	[]Parameter{{"C10", "MPa", above0}, {"C20", "MPa", anyReal}, {"C30", "MPa", from0}, {"ratio of Poisson", "", poisson}},
}

var raghavanVorpSpec = Spec{
	"Raghavan-Vorp", "α·(Ī1 − 3) + β·(Ī1 − 3)² + U(J)", "M. L. Raghavan & D. A. Vorp, J. Biomech. 33 (2000) 475–482",
	[]Parameter{{"alpha", "MPa", above0}, {"beta", "MPa", from0}, {"ratio of Poisson", "", poisson}},
}

// Yeoh is the reduced polynomial of three terms,
//
//	W = C10·(Ī1 − 3) + C20·(Ī1 − 3)² + C30·(Ī1 − 3)³ + κ/4·(J² − 1 − 2·ln J),
//
// O. H. Yeoh, Rubber Chem. Technol. 66 (1993) 754. The initial shear modulus is 2·C10.
type Yeoh struct{ polynomial }

// NewYeoh takes the constants in MPa and Poisson's ratio, which with 2·C10
// gives κ. It fails with a *ParameterError unless C10 > 0, C30 ≥ 0,
// −1 < ν < 0.5 and the energy grows with every stretch: ∂W/∂Ī1 > 0 for all
// Ī1 ≥ 3, that is C20 ≥ 0 or C20² < 3·C10·C30.
func NewYeoh(c10MPa, c20MPa, c30MPa, nu float64) (Yeoh, error) {
	if err := yeohSpec.check(c10MPa, c20MPa, c30MPa, nu); err != nil {
		return Yeoh{}, err
	}
	// least is the most negative C20 that keeps the slope positive.
	if least := -math.Sqrt(3 * c10MPa * c30MPa); !(c20MPa >= 0 || c20MPa > least) {
		return Yeoh{}, yeohSpec.refuse(&ParameterError{"C20", c20MPa, "MPa", fmt.Sprintf("zero or above, or above -sqrt(3*C10*C30) = %g MPa, else the stress falls as the stretch grows", least)})
	}
	return Yeoh{polynomial{[3]float64{c10MPa, c20MPa, c30MPa}, dilatationOf(2*c10MPa, nu)}}, nil
}

// WithBulk is the law with κ in MPa and the form of U(J). It fails with a
// *ParameterError unless κ > 0.
func (l Yeoh) WithBulk(kappaMPa float64, form Volumetric) (Yeoh, error) {
	d, err := newDilatation(kappaMPa, form)
	if err != nil {
		return Yeoh{}, yeohSpec.refuse(err)
	}
	l.dilatation = d
	return l, nil
}

// Mean constants of the abdominal aortic aneurysm wall, MPa: 17.4 ± 1.5 N/cm²
// and 188.1 ± 37.2 N/cm² (Raghavan & Vorp 2000).
const (
	RaghavanVorpAlphaMPa = 0.174
	RaghavanVorpBetaMPa  = 1.881
)

// RaghavanVorp is the wall of an abdominal aortic aneurysm,
//
//	W = α·(Ī1 − 3) + β·(Ī1 − 3)² + κ/4·(J² − 1 − 2·ln J),
//
// M. L. Raghavan & D. A. Vorp, J. Biomech. 33 (2000) 475–482, fitted to uniaxial
// tests of excised wall as an incompressible isotropic material. The
// initial shear modulus is 2α.
type RaghavanVorp struct{ polynomial }

// NewRaghavanVorp takes α and β in MPa and Poisson's ratio, which with 2α gives
// κ. It fails with a *ParameterError unless α > 0, β ≥ 0 and −1 < ν < 0.5.
func NewRaghavanVorp(alphaMPa, betaMPa, nu float64) (RaghavanVorp, error) {
	if err := raghavanVorpSpec.check(alphaMPa, betaMPa, nu); err != nil {
		return RaghavanVorp{}, err
	}
	return RaghavanVorp{polynomial{[3]float64{alphaMPa, betaMPa, 0}, dilatationOf(2*alphaMPa, nu)}}, nil
}
