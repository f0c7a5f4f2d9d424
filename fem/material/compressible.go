package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

var compressibleSpec = Spec{
	"compressible neo-Hookean", "μ/2·(I1 − 3) − μ·ln J + λ/2·(ln J)²", "Bonet & Wood (2008) eq. 6.27",
	[]Parameter{{"Young's modulus", "MPa", above0}, {"ratio of Poisson", "", Limit{0, 0.5, false, true}}},
}

// CompressibleNeoHookean is the neo-Hookean law without an isochoric split,
//
//	W = μ/2·(I1 − 3) − μ·ln J + λ/2·(ln J)²,
//
// Bonet & Wood (2008), eq. 6.27; the material "neo-Hookean" of FEBio. It is for
// compressible solids: as ν nears 0.5 use NeoHookean.
type CompressibleNeoHookean struct{ mu, lambda float64 }

// NewCompressibleNeoHookean takes Young's modulus at rest in MPa and Poisson's
// ratio, μ = E/(2(1+ν)), λ = Eν/((1+ν)(1−2ν)). It fails with a *ParameterError
// unless E > 0 and 0 ≤ ν < 0.5 (with ν < 0 the energy is not polyconvex).
func NewCompressibleNeoHookean(eMPa, nu float64) (CompressibleNeoHookean, error) {
	if err := compressibleSpec.check(eMPa, nu); err != nil {
		return CompressibleNeoHookean{}, err
	}
	return CompressibleNeoHookean{eMPa / (2 * (1 + nu)), eMPa * nu / ((1 + nu) * (1 - 2*nu))}, nil
}

// Energy is W, MPa; +Inf when det F ≤ 0.
func (l CompressibleNeoHookean) Energy(f *Mat3) float64 {
	j := f.Det()
	if !(j > 0) {
		return math.Inf(1)
	}
	u := math.Log(j)
	return l.mu/2*(f.Norm2()-3) - l.mu*u + l.lambda/2*u*u
}

// Stress writes P = μ·F + (λ·ln J − μ)·F⁻ᵀ.
func (l CompressibleNeoHookean) Stress(p, f *Mat3) {
	var c Mat3
	j := f.Cofactor(&c)
	s := (l.lambda*math.Log(j) - l.mu) / j
	for k := range p {
		p[k] = r3.Add(r3.Scale(l.mu, f[k]), r3.Scale(s, c[k]))
	}
}

// Tangent writes A = μ·δik·δJL + λ·G⊗G + (μ − λ·ln J)·G_iL·G_kJ, G = F⁻ᵀ.
func (l CompressibleNeoHookean) Tangent(a *[9][9]float64, f *Mat3) {
	var p, g Mat3
	t, j := l.Coefficients(&p, &g, f)
	t.write(a, f, &g, j)
}

// Coefficients writes P and F⁻ᵀ and returns the tangent by its coefficients.
func (l CompressibleNeoHookean) Coefficients(p, g, f *Mat3) (t InvariantTangent, j float64) {
	j = invert(g, f)
	s := l.lambda*math.Log(j) - l.mu
	for k := range p {
		p[k] = r3.Add(r3.Scale(l.mu, f[k]), r3.Scale(s, g[k]))
	}
	return InvariantTangent{S: l.mu, GG: l.lambda, X: -s}, j
}

// ShearMPa is μ.
func (l CompressibleNeoHookean) ShearMPa() float64 { return l.mu }

// BulkMPa is λ + ⅔μ.
func (l CompressibleNeoHookean) BulkMPa() float64 { return l.lambda + 2./3*l.mu }
