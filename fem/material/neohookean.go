package material

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

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
	if err := checkIsotropic("shear modulus", muMPa, nu); err != nil {
		return NeoHookean{}, fmt.Errorf("material: neo-Hookean: %w", err)
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
		err = positive("bulk modulus", kappaMPa, "MPa")
	}
	if err == nil && form > VolumetricLog {
		err = &ParameterError{"volumetric form", float64(form), "", "VolumetricSimo, VolumetricQuadratic or VolumetricLog"}
	}
	if err != nil {
		return NeoHookean{}, fmt.Errorf("material: neo-Hookean: %w", err)
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

// Stress writes P = μJ^(−2/3)(F − (F:F)/3·F⁻ᵀ) + U'(J)·J·F⁻ᵀ.
func (l NeoHookean) Stress(p, f *Mat3) {
	var c Mat3
	j := f.Cofactor(&c)
	m := l.mu * cbrt2(j)
	u := l.kappa / 2 * (j*j - 1)
	if l.vol != VolumetricSimo {
		u, _ = l.vol.slopes(l.kappa, j)
	}
	s := (u - m*f.Norm2()/3) / j
	for k := range p {
		p[k] = r3.Add(r3.Scale(m, f[k]), r3.Scale(s, c[k]))
	}
}

// Tangent writes, with G = F⁻ᵀ, m = μJ^(−2/3), I = F:F, s = dU/dln J and
// t = d²U/d(ln J)²,
//
//	A = m·(δik·δJL − ⅔(F⊗G + G⊗F) + 2/9·I·G⊗G) + t·G⊗G
//	    + (m·I/3 − s)·G_iL·G_kJ.
func (l NeoHookean) Tangent(a *[9][9]float64, f *Mat3) {
	var c Mat3
	j := f.Cofactor(&c)
	for k := range c {
		c[k] = r3.Scale(1/j, c[k])
	}
	var ff, g [9]float64
	f.flat(&ff)
	c.flat(&g)
	m := l.mu * cbrt2(j)
	i1 := f.Norm2()
	s, t := l.vol.slopes(l.kappa, j)
	isotropicTangent(a, &ff, &g, m, -2./3*m, 2./9*m*i1+t, m*i1/3-s)
}

// isotropicTangent writes A = s·δikδJL + fg·(F⊗G + G⊗F) + gg·G⊗G + x·G_iL·G_kJ.
func isotropicTangent(a *[9][9]float64, f, g *[9]float64, s, fg, gg, x float64) {
	for r := range 9 {
		i, j := r/3, r%3
		u, v := fg*g[r], fg*f[r]+gg*g[r]
		row := &a[r]
		for k := range 3 {
			y := x * g[3*k+j]
			row[3*k] = u*f[3*k] + v*g[3*k] + y*g[3*i]
			row[3*k+1] = u*f[3*k+1] + v*g[3*k+1] + y*g[3*i+1]
			row[3*k+2] = u*f[3*k+2] + v*g[3*k+2] + y*g[3*i+2]
		}
		row[r] += s
	}
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
