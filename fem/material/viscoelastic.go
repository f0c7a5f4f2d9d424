package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// PronyTerm is one relaxing part of the shear response.
type PronyTerm struct {
	G    float64 // fraction of the instantaneous modulus that relaxes, above 0, below 1
	TauS float64 // relaxation time, s
}

var viscoelasticSpec = Spec{
	"viscoelastic", "S = J·U'·C⁻¹ + (1 − Σg)·S_iso + Σ g·h",
	"J. C. Simo, Comput. Methods Appl. Mech. Eng. 60 (1987) 153–173; G. A. Holzapfel, Nonlinear Solid Mechanics (2000) §6.10",
	[]Parameter{{"g", "", Limit{0, 1, true, true}}, {"relaxation time", "s", above0}},
}

// Viscoelastic is finite linear viscoelasticity in a Prony series: the law of
// instantaneous response keeps its volumetric part, and of its isochoric second
// Piola–Kirchhoff stress S_iso parts g_i relax with times τ_i,
//
//	S = S_vol + (1 − Σg_i)·S_iso + Σ g_i·h_i,
//	h_i(t) = ∫ exp(−(t−s)/τ_i)·dS_iso(s),
//
// so that a stress held at constant strain falls to the fraction
// 1 − Σg_i·(1 − exp(−t/τ_i)). J. C. Simo, Comput. Methods Appl. Mech. Eng. 60
// (1987) 153; G. A. Holzapfel, Nonlinear Solid Mechanics (2000), §6.10, with the
// relaxing parts as fractions of the instantaneous stress.
//
// In a step S_iso is taken as linear in time, for which
//
//	h ← exp(−x)·h + (1 − exp(−x))/x·(S_iso − S_iso,old),  x = Δt/τ,
//
// is exact. The tangent is that of the step and symmetric. The history is
// S_iso, then each h_i, six numbers each (11, 22, 33, 12, 13, 23), MPa.
type Viscoelastic struct {
	Split // instantaneous response
	terms []PronyTerm
	long  float64 // 1 − Σg
}

// NewViscoelastic takes the instantaneous law and the terms. It fails with a
// *ParameterError unless every 0 < g < 1, Σg < 1, every τ is positive and
// finite, there is a term, and the law is in split form and without history.
func NewViscoelastic(instantaneous Split, terms ...PronyTerm) (Viscoelastic, error) {
	if err := checkSplit("instantaneous law", instantaneous); err != nil {
		return Viscoelastic{}, viscoelasticSpec.refuse(err)
	}
	l := Viscoelastic{instantaneous, append([]PronyTerm(nil), terms...), 1}
	for _, t := range terms {
		if err := viscoelasticSpec.check(t.G, t.TauS); err != nil {
			return Viscoelastic{}, err
		}
		l.long -= t.G
	}
	switch {
	case len(terms) == 0:
		return Viscoelastic{}, viscoelasticSpec.refuse(&ParameterError{"number of terms", 0, "", "one or more; without a term use the law itself"})
	case !(l.long > 0):
		return Viscoelastic{}, viscoelasticSpec.refuse(&ParameterError{"sum of g", 1 - l.long, "", "below 1, else nothing is left at rest"})
	}
	return l, nil
}

// Terms are the Prony terms; do not change them.
func (l Viscoelastic) Terms() []PronyTerm { return l.terms }

// Relaxed is the fraction 1 − Σg·(1 − exp(−t/τ)) of the isochoric stress that is
// left tS seconds after a step of strain; +Inf gives the long-term fraction.
func (l Viscoelastic) Relaxed(tS float64) float64 {
	r := l.long
	for _, t := range l.terms {
		r += t.G * math.Exp(-tS/t.TauS)
	}
	return r
}

// HistorySize is six numbers for S_iso and six for each term.
func (l Viscoelastic) HistorySize() int { return 6 + 6*len(l.terms) }

// InitHistory is all zero.
func (l Viscoelastic) InitHistory(h []float64) { clear(h[:l.HistorySize()]) }

// Respond writes P = P_vol + a·P_iso + F·K with a = 1 − Σg + Σg·c and
// K = Σ g·(exp(−x)·h_old − c·S_iso,old), c = (1 − exp(−x))/x; A accordingly. ok is
// false when det F ≤ 0, or F or dtS is not finite, or dtS < 0.
func (l Viscoelastic) Respond(p *Mat3, a *[9][9]float64, f *Mat3, old, next []float64, dtS float64) (ok bool) {
	var g Mat3
	j, ok := inverseTranspose(&g, f)
	if !ok || !from0.Has(dtS) {
		return false
	}
	isochoric(l.Split, p, a, f, &g, j)
	sym6(next, &g, p) // S_iso = F⁻¹·P_iso
	share := l.long
	var k [6]float64
	for n, t := range l.terms {
		x := dtS / t.TauS
		e, c := math.Exp(-x), 1.
		if x > 0 {
			c = -math.Expm1(-x) / x
		}
		share += t.G * c
		h, hn := old[6+6*n:12+6*n], next[6+6*n:12+6*n]
		for i := range k {
			hn[i] = e*h[i] + c*(next[i]-old[i])
			k[i] += t.G * (e*h[i] - c*old[i])
		}
	}
	for n := range p {
		p[n] = r3.Scale(share, p[n])
	}
	if a != nil {
		for r := range a {
			for c := range a[r] {
				a[r][c] *= share
			}
		}
	}
	addSecond(p, a, f, &k)
	_, du, ddu := l.Dilatation(j)
	volumetric(du, ddu, p, a, f, &g, j)
	return p.finite()
}
