package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

var mooneyRivlinSpec = Spec{
	"Mooney-Rivlin", "C10·(Ī1 − 3) + C01·(Ī2 − 3) + U(J)",
	"M. Mooney, J. Appl. Phys. 11 (1940) 582; R. S. Rivlin, Phil. Trans. R. Soc. A 241 (1948) 379",
	[]Parameter{{"C10", "MPa", from0}, {"C01", "MPa", from0}, {"ratio of Poisson", "", poisson}},
}

// MooneyRivlin is the law of two constants,
//
//	W = C10·(Ī1 − 3) + C01·(Ī2 − 3) + κ/4·(J² − 1 − 2·ln J),
//
// Ī1 = J^(−2/3)·I1, Ī2 = J^(−4/3)·I2, R. S. Rivlin, Phil. Trans. R. Soc. A 241
// (1948) 379. The initial shear modulus is 2·(C10 + C01).
type MooneyRivlin struct {
	c10, c01 float64
	dilatation
}

// NewMooneyRivlin takes the constants in MPa and Poisson's ratio, which with
// 2·(C10 + C01) gives κ. It fails with a *ParameterError unless both are zero
// or positive (the energy is then polyconvex), their sum is positive, and
// −1 < ν < 0.5.
func NewMooneyRivlin(c10MPa, c01MPa, nu float64) (MooneyRivlin, error) {
	if err := mooneyRivlinSpec.check(c10MPa, c01MPa, nu); err != nil {
		return MooneyRivlin{}, err
	}
	mu := 2 * (c10MPa + c01MPa)
	if err := positive("initial shear modulus 2*(C10 + C01)", mu, "MPa"); err != nil {
		return MooneyRivlin{}, mooneyRivlinSpec.refuse(err)
	}
	return MooneyRivlin{c10MPa, c01MPa, dilatationOf(mu, nu)}, nil
}

// WithBulk is the law with κ in MPa and the form of U(J): Abaqus' D1 is
// κ = 2/D1 with VolumetricQuadratic. It fails with a *ParameterError unless κ > 0.
func (l MooneyRivlin) WithBulk(kappaMPa float64, form Volumetric) (MooneyRivlin, error) {
	d, err := newDilatation(kappaMPa, form)
	if err != nil {
		return MooneyRivlin{}, mooneyRivlinSpec.refuse(err)
	}
	l.dilatation = d
	return l, nil
}

// Energy is W, MPa; +Inf when det F ≤ 0.
func (l MooneyRivlin) Energy(f *Mat3) float64 {
	var c Mat3
	j := f.Cofactor(&c)
	if !(j > 0) {
		return math.Inf(1)
	}
	m := cbrt2(j)
	// I2 = cof F : cof F
	return l.c10*(m*f.Norm2()-3) + l.c01*(m*m*c.Norm2()-3) + l.energy(j)
}

// halfGradI2 writes H = ½·∂I2/∂F = I1·F − F·C.
func halfGradI2(h, f *Mat3, i1 float64) {
	for k := range h {
		h[k] = r3.Scale(i1, f[k])
		for n := range f {
			h[k] = r3.Sub(h[k], r3.Scale(r3.Dot(f[n], f[k]), f[n]))
		}
	}
}

// Stress writes, with m = J^(−2/3) and H = I1·F − F·C,
//
//	P = 2C10·m·(F − I1/3·F⁻ᵀ) + 2C01·m²·(H − ⅔·I2·F⁻ᵀ) + κ/2·(J²−1)·F⁻ᵀ.
func (l MooneyRivlin) Stress(p, f *Mat3) {
	var c, h Mat3
	j := f.Cofactor(&c)
	m, i1, i2 := cbrt2(j), f.Norm2(), c.Norm2()
	halfGradI2(&h, f, i1)
	x, y := 2*l.c10*m, 2*l.c01*m*m
	s := (-x*i1/3 - 2./3*y*i2 + l.slope(j)) / j
	for k := range p {
		p[k] = r3.Add(r3.Add(r3.Scale(x, f[k]), r3.Scale(y, h[k])), r3.Scale(s, c[k]))
	}
}

// Tangent writes, with G = F⁻ᵀ, B = F·Fᵀ, x = 2C10·m and y = 2C01·m²,
//
//	A = x·(δik·δJL − ⅔(F⊗G + G⊗F) + 2/9·I1·G⊗G + I1/3·G_iL·G_kJ)
//	    + y·(∂H/∂F − 4/3(H⊗G + G⊗H) + 8/9·I2·G⊗G + ⅔·I2·G_iL·G_kJ) + ∂²U/∂F²,
//	∂H/∂F = 2F⊗F + I1·δik·δJL − δik·C_JL − F_iL·F_kJ − B_ik·δJL.
func (l MooneyRivlin) Tangent(a *[9][9]float64, f *Mat3) {
	var c, hm Mat3
	j := f.Cofactor(&c)
	m, i1, i2 := cbrt2(j), f.Norm2(), c.Norm2()
	halfGradI2(&hm, f, i1)
	for k := range c {
		c[k] = r3.Scale(1/j, c[k])
	}
	var ff, g, h [9]float64
	f.flat(&ff)
	c.flat(&g)
	hm.flat(&h)
	x, y := 2*l.c10*m, 2*l.c01*m*m
	isotropicTangent(a, &ff, &g, j, &InvariantTangent{S: x + y*i1, FF: 2 * y, FG: -2. / 3 * x,
		GG: 2./9*x*i1 + 8./9*y*i2 + l.curve(j), X: x*i1/3 + 2./3*y*i2 - l.slope(j)})
	addDyad(a, -8./3*y, &h, &g)
	for i := range 3 {
		for k := range 3 {
			b := y * (ff[3*i]*ff[3*k] + ff[3*i+1]*ff[3*k+1] + ff[3*i+2]*ff[3*k+2])
			cc := y * r3.Dot(f[i], f[k]) // C_ik, used for every equal pair of rows
			for n := range 3 {
				a[3*i+n][3*k+n] -= b
				a[3*n+i][3*n+k] -= cc
				for o := range 3 {
					a[3*i+n][3*k+o] -= y * ff[3*i+o] * ff[3*k+n]
				}
			}
		}
	}
}

// ShearMPa is the initial shear modulus 2·(C10 + C01).
func (l MooneyRivlin) ShearMPa() float64 { return 2 * (l.c10 + l.c01) }
