package material

import (
	"fmt"
	"math"
)

// OgdenForm says how a published pair (μ, α) is to be read; the same numbers
// mean moduli that differ by a factor.
type OgdenForm uint8

// The three forms in use, for W = Σ c_p·(λ̄₁^α + λ̄₂^α + λ̄₃^α − 3):
const (
	OgdenUnknown       OgdenForm = iota
	OgdenMuOverAlpha             // c = μ/α (Ogden 1972): initial shear modulus ½·Σ μ·α
	Ogden2MuOverAlpha2           // c = 2μ/α² (Abaqus): initial shear modulus Σ μ
	OgdenCOverM2                 // c = μ/α² (FEBio, its c and m): initial shear modulus ½·Σ μ
)

// factor is c/μ of the form for an exponent; ok is false for an unknown form.
func (form OgdenForm) factor(alpha float64) (per float64, ok bool) {
	switch form {
	case OgdenMuOverAlpha:
		return 1 / alpha, true
	case Ogden2MuOverAlpha2:
		return 2 / (alpha * alpha), true
	case OgdenCOverM2:
		return 1 / (alpha * alpha), true
	}
	return 0, false
}

// ConvertOgden gives the term that means in the form to what t means in the form
// from; α is the same in all. The uniaxial and equibiaxial stresses σ =
// Σμ·(λ^α − λ^t) of Ogden (1972) are those of OgdenMuOverAlpha. It fails with a
// *ParameterError for an unknown form or α = 0.
func ConvertOgden(t OgdenTerm, from, to OgdenForm) (OgdenTerm, error) {
	if t.Alpha == 0 || math.IsNaN(t.Alpha) {
		return OgdenTerm{}, ogdenSpec.refuse(&ParameterError{"alpha", t.Alpha, "", "finite and not zero"})
	}
	a, ok := from.factor(t.Alpha)
	b, known := to.factor(t.Alpha)
	if !ok || !known {
		return OgdenTerm{}, ogdenSpec.refuse(&ParameterError{"form", float64(min(from, to)), "", "one of the three forms"})
	}
	return OgdenTerm{t.MuMPa * a / b, t.Alpha}, nil
}

// ogdenForms are the names used in tissues.json.
var ogdenForms = map[string]OgdenForm{
	"mu/alpha": OgdenMuOverAlpha, "2mu/alpha^2": Ogden2MuOverAlpha2, "c/m^2": OgdenCOverM2,
}

// OgdenTerm is one pair of constants; MuMPa is read by the form.
type OgdenTerm struct{ MuMPa, Alpha float64 }

var ogdenSpec = Spec{
	"Ogden", "Σ c·(λ̄₁^α + λ̄₂^α + λ̄₃^α − 3) + U(J), one to three terms, c by the form",
	"R. W. Ogden, Proc. R. Soc. A 326 (1972) 565",
	[]Parameter{{"initial shear modulus", "MPa", above0}, {"ratio of Poisson", "", poisson}},
}

// Ogden is
//
//	W = Σ c_p·(λ̄₁^α_p + λ̄₂^α_p + λ̄₃^α_p − 3) + U(J),
//
// R. W. Ogden, Proc. R. Soc. A 326 (1972) 565, with isochoric principal stretches λ̄ = J^(−1/3)·λ and up to three terms.
type Ogden struct {
	c, alpha [3]float64
	terms    int
	mu       float64
	dilatation
}

// NewOgden takes one to three terms, how to read them, and Poisson's ratio for
// κ (from the initial shear modulus). It fails for another number of terms, an
// unknown form, α = 0, numbers that are not finite, an initial shear modulus
// that is not positive, or ν out of (−1, 0.5); each is a *ParameterError.
func NewOgden(form OgdenForm, nu float64, terms ...OgdenTerm) (Ogden, error) {
	l := Ogden{terms: len(terms)}
	if len(terms) < 1 || len(terms) > len(l.c) {
		return Ogden{}, ogdenSpec.refuse(&ParameterError{"number of terms", float64(len(terms)), "", "one to three"})
	}
	for p, t := range terms {
		if t.Alpha == 0 || math.IsNaN(t.Alpha) || math.IsInf(t.Alpha, 0) {
			return Ogden{}, fmt.Errorf("material: Ogden: term %d: %w", p+1, &ParameterError{"alpha", t.Alpha, "", "finite and not zero"})
		}
		per, ok := form.factor(t.Alpha)
		if !ok {
			return Ogden{}, ogdenSpec.refuse(&ParameterError{"form", float64(form), "", "one of the three forms: say how mu and alpha are to be read"})
		}
		l.c[p] = per * t.MuMPa
		l.alpha[p] = t.Alpha
		l.mu += l.c[p] * t.Alpha * t.Alpha / 2
	}
	if err := ogdenSpec.check(l.mu, nu); err != nil {
		return Ogden{}, err
	}
	l.dilatation = dilatationOf(l.mu, nu)
	return l, nil
}

// NewOgdenBulk is NewOgden with the bulk modulus given, MPa.
func NewOgdenBulk(form OgdenForm, kappaMPa float64, terms ...OgdenTerm) (Ogden, error) {
	l, err := NewOgden(form, 0.49, terms...)
	if err != nil {
		return Ogden{}, err
	}
	return l.WithBulk(kappaMPa, VolumetricSimo)
}

// WithBulk is the law with κ in MPa and the form of U(J). It fails with a
// *ParameterError unless κ > 0.
func (l Ogden) WithBulk(kappaMPa float64, form Volumetric) (Ogden, error) {
	d, err := newDilatation(kappaMPa, form)
	if err != nil {
		return Ogden{}, ogdenSpec.refuse(err)
	}
	l.dilatation = d
	return l, nil
}

// Energy is W, MPa.
func (l Ogden) Energy(f *Mat3) float64 {
	j := f.Det()
	if !(j > 0) {
		return math.Inf(1)
	}
	var s stretches
	s.of(f)
	w := l.energy(j)
	for p := range l.terms {
		for _, b := range s.iso(j) {
			w += l.c[p] * (math.Pow(b, l.alpha[p]) - 1)
		}
	}
	return w
}

// principal gives β_a = ∂W/∂ln λ_a and γ_ab = ∂β_a/∂ln λ_b at the stretches.
func (l Ogden) principal(s *stretches, j float64) (beta [3]float64, gamma [3][3]float64) {
	b := s.iso(j)
	for p := range l.terms {
		var t [3]float64
		var mean float64
		for a := range t {
			t[a] = l.c[p] * l.alpha[p] * math.Pow(b[a], l.alpha[p])
			mean += t[a] / 3
		}
		for a := range 3 {
			beta[a] += t[a] - mean
			for k := range 3 {
				// ∂t_a/∂ln λ_k = α·t_a·(δ_ak − ⅓), then less the mean over a
				d := l.alpha[p] * (mean - t[a] - t[k]) / 3
				if a == k {
					d += l.alpha[p] * t[a]
				}
				gamma[a][k] += d
			}
		}
	}
	u, uu := l.form.slopes(l.kappa, j) // dU/dln J and its derivative
	for a := range 3 {
		beta[a] += u
		for k := range 3 {
			gamma[a][k] += uu
		}
	}
	return beta, gamma
}

// Stress writes P = Σ β_a/λ_a·n_a ⊗ N_a.
func (l Ogden) Stress(p, f *Mat3) {
	var s stretches
	s.of(f)
	beta, _ := l.principal(&s, f.Det())
	s.stress(p, &beta)
}

// Tangent writes A in the principal frame.
func (l Ogden) Tangent(a *[9][9]float64, f *Mat3) {
	var s stretches
	s.of(f)
	beta, gamma := l.principal(&s, f.Det())
	s.tangent(a, &beta, &gamma)
}

// ShearMPa is the initial shear modulus ½·Σ c·α².
func (l Ogden) ShearMPa() float64 { return l.mu }
