package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

var isotropicI2Spec = Spec{
	"isotropic-I2", "D1·(Ī2 − 3) + D2·(Ī2 − 3)² + U(J)",
	"D. H. J. Wang, M. Makaroun, M. W. Webster & D. A. Vorp, J. Biomech. Eng. 123 (2001) 536–539",
	[]Parameter{{"D1", "MPa", above0}, {"D2", "MPa", from0}, {"ratio of Poisson", "", poisson}},
}

// IsotropicI2 is intraluminal thrombus,
//
//	W = D1·(Ī2 − 3) + D2·(Ī2 − 3)² + U(J),  Ī2 = J^(−4/3)·I2,
//
// D. H. J. Wang et al., J. Biomech. Eng. 123 (2001) 536–539. The initial shear
// modulus is 2·D1.
type IsotropicI2 struct {
	d1, d2 float64
	dilatation
}

// NewIsotropicI2 takes D1 and D2 in MPa and Poisson's ratio, which with 2·D1
// gives κ. It fails with a *ParameterError unless D1 > 0, D2 ≥ 0 and −1 < ν < 0.5.
func NewIsotropicI2(d1MPa, d2MPa, nu float64) (IsotropicI2, error) {
	if err := isotropicI2Spec.check(d1MPa, d2MPa, nu); err != nil {
		return IsotropicI2{}, err
	}
	return IsotropicI2{d1MPa, d2MPa, dilatationOf(2*d1MPa, nu)}, nil
}

// tangentLaw is the Mooney–Rivlin law with C01 = ∂W/∂Ī2 at F, whose stress is
// that of l there; x is Ī2 − 3.
func (l IsotropicI2) tangentLaw(f *Mat3) (m MooneyRivlin, x float64) {
	var c Mat3
	j := f.Cofactor(&c)
	s := cbrt2(j)
	x = s*s*c.Norm2() - 3
	return MooneyRivlin{0, l.d1 + 2*l.d2*x, l.dilatation}, x
}

// Energy is W, MPa; +Inf when det F ≤ 0.
func (l IsotropicI2) Energy(f *Mat3) float64 {
	j := f.Det()
	if !(j > 0) {
		return math.Inf(1)
	}
	_, x := l.tangentLaw(f)
	return x*(l.d1+l.d2*x) + l.energy(j)
}

// Stress writes P, that of MooneyRivlin with C01 = D1 + 2·D2·(Ī2 − 3).
func (l IsotropicI2) Stress(p, f *Mat3) {
	m, _ := l.tangentLaw(f)
	m.Stress(p, f)
}

// Tangent writes A of that law and 2·D2·D⊗D, D = ∂Ī2/∂F = 2J^(−4/3)·(H − ⅔·I2·G).
func (l IsotropicI2) Tangent(a *[9][9]float64, f *Mat3) {
	m, _ := l.tangentLaw(f)
	m.Tangent(a, f)
	var c, h Mat3
	j := f.Cofactor(&c)
	s := cbrt2(j)
	halfGradI2(&h, f, f.Norm2())
	i2 := c.Norm2()
	for k := range h {
		h[k] = r3.Scale(2*s*s, r3.Sub(h[k], r3.Scale(2./3*i2/j, c[k])))
	}
	var d [9]float64
	h.flat(&d)
	addDyad(a, 2*l.d2, &d, &d)
}

// ShearMPa is the initial shear modulus 2·D1.
func (l IsotropicI2) ShearMPa() float64 { return 2 * l.d1 }
