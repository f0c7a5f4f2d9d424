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

// ogdenForms are the names used in tissues.json.
var ogdenForms = map[string]OgdenForm{
	"mu/alpha": OgdenMuOverAlpha, "2mu/alpha^2": Ogden2MuOverAlpha2, "c/m^2": OgdenCOverM2,
}

// OgdenTerm is one pair of constants; MuMPa is read by the form.
type OgdenTerm struct{ MuMPa, Alpha float64 }

// Ogden is
//
//	W = Σ c_p·(λ̄₁^α_p + λ̄₂^α_p + λ̄₃^α_p − 3) + κ/4·(J² − 1 − 2·ln J),
//
// with isochoric principal stretches λ̄ = J^(−1/3)·λ and up to three terms.
type Ogden struct {
	c, alpha  [3]float64
	terms     int
	mu, kappa float64
}

// NewOgden takes one to three terms, how to read them, and Poisson's ratio for
// κ (from the initial shear modulus). It fails for another number of terms, an
// unknown form, α = 0, numbers that are not finite, an initial shear modulus
// that is not positive, or ν out of (−1, 0.5).
func NewOgden(form OgdenForm, nu float64, terms ...OgdenTerm) (Ogden, error) {
	l := Ogden{terms: len(terms)}
	if len(terms) < 1 || len(terms) > len(l.c) {
		return Ogden{}, fmt.Errorf("material: Ogden: %d terms; one to three are supported", len(terms))
	}
	for p, t := range terms {
		if t.Alpha == 0 || math.IsNaN(t.Alpha) || math.IsInf(t.Alpha, 0) {
			return Ogden{}, fmt.Errorf("material: Ogden: α = %g in term %d; must be finite and not zero", t.Alpha, p+1)
		}
		switch form {
		case OgdenMuOverAlpha:
			l.c[p] = t.MuMPa / t.Alpha
		case Ogden2MuOverAlpha2:
			l.c[p] = 2 * t.MuMPa / (t.Alpha * t.Alpha)
		case OgdenCOverM2:
			l.c[p] = t.MuMPa / (t.Alpha * t.Alpha)
		default:
			return Ogden{}, fmt.Errorf("material: Ogden: form %d is not known; say how μ and α are to be read", form)
		}
		l.alpha[p] = t.Alpha
		l.mu += l.c[p] * t.Alpha * t.Alpha / 2
	}
	if err := checkIsotropic("initial shear modulus", l.mu, nu); err != nil {
		return Ogden{}, fmt.Errorf("material: Ogden: %w", err)
	}
	l.kappa = bulk(l.mu, nu)
	return l, nil
}

// NewOgdenBulk is NewOgden with the bulk modulus given, MPa.
func NewOgdenBulk(form OgdenForm, kappaMPa float64, terms ...OgdenTerm) (Ogden, error) {
	l, err := NewOgden(form, 0.49, terms...)
	if err != nil {
		return Ogden{}, err
	}
	if err := positive("bulk modulus", kappaMPa, "MPa"); err != nil {
		return Ogden{}, fmt.Errorf("material: Ogden: %w", err)
	}
	l.kappa = kappaMPa
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
	w := l.kappa / 4 * (j*j - 1 - 2*math.Log(j))
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
	u, uu := l.kappa/2*(j*j-1), l.kappa*j*j // dU/dln J and its derivative
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

// Dilatation returns U(J), U'(J) and U”(J) of the volumetric part
// U = κ/4·(J² − 1 − 2·ln J), MPa.
func (l Ogden) Dilatation(j float64) (u, du, ddu float64) {
	return l.kappa / 4 * (j*j - 1 - 2*math.Log(j)), l.kappa / 2 * (j - 1/j), l.kappa / 2 * (1 + 1/(j*j))
}

// ShearMPa is the initial shear modulus ½·Σ c·α².
func (l Ogden) ShearMPa() float64 { return l.mu }

// BulkMPa is κ.
func (l Ogden) BulkMPa() float64 { return l.kappa }
