package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

var linearSpec = Spec{
	"linear", "λ/2·(tr ε)² + μ·ε:ε, ε = sym(F − I)", "R. Hooke 1678; Bonet & Wood (2008) §5.1",
	[]Parameter{{"Young's modulus", "MPa", above0}, {"ratio of Poisson", "", poisson}},
}

var stVenantKirchhoffSpec = Spec{
	"St. Venant-Kirchhoff", "λ/2·(tr E)² + μ·E:E, E = (FᵀF − I)/2", "Bonet & Wood (2008) §6.3",
	[]Parameter{{"Young's modulus", "MPa", above0}, {"ratio of Poisson", "", poisson}},
}

// Linear is Hooke's law for small strain,
//
//	W = λ/2·(tr ε)² + μ·ε:ε,  ε = sym(F − I),  P = σ = λ·tr ε·I + 2μ·ε.
//
// It takes rotation for strain: use it for small motion and for comparing with
// closed forms of the linear theory, StVenantKirchhoff or NeoHookean for large
// rotation. In the linear theory P and σ are the same, and so fem reports it.
type Linear struct{ lambda, mu float64 }

// NewLinear takes Young's modulus in MPa and Poisson's ratio. It fails unless
// E > 0 and −1 < ν < 0.5.
func NewLinear(eMPa, nu float64) (Linear, error) {
	if err := linearSpec.check(eMPa, nu); err != nil {
		return Linear{}, err
	}
	return Linear{eMPa * nu / ((1 + nu) * (1 - 2*nu)), eMPa / (2 * (1 + nu))}, nil
}

// strain writes sym(F − I) and returns its trace.
func strain(e, f *Mat3) float64 {
	xy, xz, yz := (f[1].X+f[0].Y)/2, (f[2].X+f[0].Z)/2, (f[2].Y+f[1].Z)/2
	e[0] = r3.Vec{X: f[0].X - 1, Y: xy, Z: xz}
	e[1] = r3.Vec{X: xy, Y: f[1].Y - 1, Z: yz}
	e[2] = r3.Vec{X: xz, Y: yz, Z: f[2].Z - 1}
	return e[0].X + e[1].Y + e[2].Z
}

// SmallStrain says that P is to be read as the Cauchy stress and sym(F−I) as
// the strain.
func (Linear) SmallStrain() bool { return true }

// Energy is W, MPa; finite for every finite F: the linear law knows no inversion.
func (l Linear) Energy(f *Mat3) float64 {
	var e Mat3
	tr := strain(&e, f)
	return l.lambda/2*tr*tr + l.mu*e.Norm2()
}

// Stress writes P = λ·tr ε·I + 2μ·ε.
func (l Linear) Stress(p, f *Mat3) {
	tr := l.lambda * strain(p, f)
	for k := range p {
		p[k] = r3.Scale(2*l.mu, p[k])
	}
	p[0].X += tr
	p[1].Y += tr
	p[2].Z += tr
}

// Tangent writes A = λ·δiJ·δkL + μ·(δik·δJL + δiL·δJk), the same for every F.
func (l Linear) Tangent(a *[9][9]float64, _ *Mat3) {
	*a = [9][9]float64{}
	for i := range 3 {
		for j := range 3 {
			a[4*i][4*j] += l.lambda
			a[3*i+j][3*i+j] += l.mu
			a[3*i+j][3*j+i] += l.mu
		}
	}
}

// ShearMPa is μ.
func (l Linear) ShearMPa() float64 { return l.mu }

// BulkMPa is λ + ⅔μ.
func (l Linear) BulkMPa() float64 { return l.lambda + 2./3*l.mu }

// StVenantKirchhoff is Hooke's law in Green–Lagrange strain,
//
//	W = λ/2·(tr E)² + μ·E:E,  E = ½(FᵀF − I),  P = F·S,  S = λ·tr E·I + 2μ·E.
//
// Rotation is exact; it softens and fails under strong compression (J below
// about 0.6), so it is for stiff bodies that turn.
type StVenantKirchhoff struct{ lambda, mu float64 }

// NewStVenantKirchhoff takes Young's modulus in MPa and Poisson's ratio, with
// the limits of NewLinear.
func NewStVenantKirchhoff(eMPa, nu float64) (StVenantKirchhoff, error) {
	if err := stVenantKirchhoffSpec.check(eMPa, nu); err != nil {
		return StVenantKirchhoff{}, err
	}
	l, err := NewLinear(eMPa, nu)
	return StVenantKirchhoff(l), err
}

// green writes E = ½(FᵀF − I) and returns its trace.
func green(e, f *Mat3) float64 {
	xy, xz, yz := r3.Dot(f[0], f[1])/2, r3.Dot(f[0], f[2])/2, r3.Dot(f[1], f[2])/2
	e[0] = r3.Vec{X: (r3.Norm2(f[0]) - 1) / 2, Y: xy, Z: xz}
	e[1] = r3.Vec{X: xy, Y: (r3.Norm2(f[1]) - 1) / 2, Z: yz}
	e[2] = r3.Vec{X: xz, Y: yz, Z: (r3.Norm2(f[2]) - 1) / 2}
	return e[0].X + e[1].Y + e[2].Z
}

// Energy is W, MPa; +Inf when det F ≤ 0.
func (l StVenantKirchhoff) Energy(f *Mat3) float64 {
	if !(f.Det() > 0) {
		return math.Inf(1)
	}
	var e Mat3
	tr := green(&e, f)
	return l.lambda/2*tr*tr + l.mu*e.Norm2()
}

// second writes S = λ·tr E·I + 2μ·E.
func (l StVenantKirchhoff) second(s, f *Mat3) {
	tr := l.lambda * green(s, f)
	for k := range s {
		s[k] = r3.Scale(2*l.mu, s[k])
	}
	s[0].X += tr
	s[1].Y += tr
	s[2].Z += tr
}

// Stress writes P = F·S.
func (l StVenantKirchhoff) Stress(p, f *Mat3) {
	var s Mat3
	l.second(&s, f)
	for k := range p {
		p[k] = r3.Add(r3.Scale(s[k].X, f[0]), r3.Add(r3.Scale(s[k].Y, f[1]), r3.Scale(s[k].Z, f[2])))
	}
}

// Tangent writes A = δik·S_JL + λ·F_iJ·F_kL + μ·(F_iL·F_kJ + (F·Fᵀ)_ik·δJL).
func (l StVenantKirchhoff) Tangent(a *[9][9]float64, f *Mat3) {
	var s Mat3
	l.second(&s, f)
	var ff, ss [9]float64
	f.flat(&ff)
	s.flat(&ss)
	for i := range 3 {
		for k := range 3 {
			b := l.mu * (ff[3*i]*ff[3*k] + ff[3*i+1]*ff[3*k+1] + ff[3*i+2]*ff[3*k+2])
			for j := range 3 {
				for m := range 3 {
					v := l.lambda*ff[3*i+j]*ff[3*k+m] + l.mu*ff[3*i+m]*ff[3*k+j]
					if i == k {
						v += ss[3*j+m]
					}
					if j == m {
						v += b
					}
					a[3*i+j][3*k+m] = v
				}
			}
		}
	}
}

// ShearMPa is μ.
func (l StVenantKirchhoff) ShearMPa() float64 { return l.mu }

// BulkMPa is λ + ⅔μ.
func (l StVenantKirchhoff) BulkMPa() float64 { return l.lambda + 2./3*l.mu }
