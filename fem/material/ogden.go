package material

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
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

// stretches are the principal stretches of F = Σ λ_a n_a ⊗ N_a: N orthonormal
// (reference), n = F·N/λ.
type stretches struct {
	lambda [3]float64
	ref    [3]r3.Vec
	cur    [3]r3.Vec
}

func (s *stretches) iso(j float64) (b [3]float64) {
	c := 1 / math.Cbrt(j)
	for a, l := range s.lambda {
		b[a] = c * l
	}
	return b
}

// of decomposes F by Jacobi rotations of C = FᵀF, which give eigenvectors that
// are orthonormal to rounding even for equal stretches.
func (s *stretches) of(f *Mat3) {
	var c, v [3][3]float64
	for i := range 3 {
		v[i][i] = 1
		for j := range 3 {
			c[i][j] = r3.Dot(f[i], f[j])
		}
	}
	const sweeps = 12 // converges quadratically: 6 suffice in practice
	for range sweeps {
		off := c[0][1]*c[0][1] + c[0][2]*c[0][2] + c[1][2]*c[1][2]
		if off <= 1e-40*(c[0][0]+c[1][1]+c[2][2])*(c[0][0]+c[1][1]+c[2][2]) {
			break
		}
		for _, pq := range [3][2]int{{0, 1}, {0, 2}, {1, 2}} {
			p, q := pq[0], pq[1]
			if c[p][q] == 0 {
				continue
			}
			theta := (c[q][q] - c[p][p]) / (2 * c[p][q])
			t := 1 / (math.Abs(theta) + math.Sqrt(1+theta*theta))
			if theta < 0 {
				t = -t
			}
			cs := 1 / math.Sqrt(1+t*t)
			sn := t * cs
			for k := range 3 {
				a, b := c[k][p], c[k][q]
				c[k][p], c[k][q] = cs*a-sn*b, sn*a+cs*b
			}
			for k := range 3 {
				a, b := c[p][k], c[q][k]
				c[p][k], c[q][k] = cs*a-sn*b, sn*a+cs*b
				a, b = v[k][p], v[k][q]
				v[k][p], v[k][q] = cs*a-sn*b, sn*a+cs*b
			}
		}
	}
	for a := range 3 {
		s.ref[a] = r3.Vec{X: v[0][a], Y: v[1][a], Z: v[2][a]}
		n := r3.Add(r3.Scale(v[0][a], f[0]), r3.Add(r3.Scale(v[1][a], f[1]), r3.Scale(v[2][a], f[2])))
		s.lambda[a] = r3.Norm(n)
		s.cur[a] = r3.Scale(1/s.lambda[a], n)
	}
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
	*p = Mat3{}
	for a := range 3 {
		v := r3.Scale(beta[a]/s.lambda[a], s.cur[a])
		p[0] = r3.Add(p[0], r3.Scale(s.ref[a].X, v))
		p[1] = r3.Add(p[1], r3.Scale(s.ref[a].Y, v))
		p[2] = r3.Add(p[2], r3.Scale(s.ref[a].Z, v))
	}
}

// equalStretches is the relative difference of two stretches below which the
// divided difference of the tangent is replaced by its limit; the error is of
// the order of its square, that of the difference 1e-16 divided by it.
const equalStretches = 1e-5

// Tangent writes A in the principal frame (Ogden 1997, §6.1.4). With
// t_a = β_a/λ_a: A_aabb = ∂t_a/∂λ_b; A_abab = (λ_a·t_a − λ_b·t_b)/(λ_a² − λ_b²);
// A_abba = (λ_b·t_a − λ_a·t_b)/(λ_a² − λ_b²), with their limits for λ_a = λ_b.
func (l Ogden) Tangent(a *[9][9]float64, f *Mat3) {
	var s stretches
	s.of(f)
	beta, gamma := l.principal(&s, f.Det())
	var t [3]float64
	var h [3][3]float64 // ∂t_a/∂λ_b
	for i := range 3 {
		t[i] = beta[i] / s.lambda[i]
		for k := range 3 {
			h[i][k] = gamma[i][k] / (s.lambda[i] * s.lambda[k])
		}
		h[i][i] -= beta[i] / (s.lambda[i] * s.lambda[i])
	}
	*a = [9][9]float64{}
	var e [3][3][9]float64 // n_i ⊗ N_j, index 3·axis + reference axis
	for i := range 3 {
		for j := range 3 {
			n, r := s.cur[i], s.ref[j]
			e[i][j] = [9]float64{n.X * r.X, n.X * r.Y, n.X * r.Z, n.Y * r.X, n.Y * r.Y, n.Y * r.Z, n.Z * r.X, n.Z * r.Y, n.Z * r.Z}
		}
	}
	add := func(c float64, u, v *[9]float64) {
		for i, x := range u {
			x *= c
			for k, y := range v {
				a[i][k] += x * y
			}
		}
	}
	for i := range 3 {
		for j := range 3 {
			add(h[i][j], &e[i][i], &e[j][j])
			if i == j {
				continue
			}
			li, lj := s.lambda[i], s.lambda[j]
			// (t_i − t_j)/(λ_i − λ_j) and (t_i + t_j)/(λ_i + λ_j)
			plus := (t[i] + t[j]) / (li + lj)
			minus := (h[i][i] - h[i][j] + h[j][j] - h[j][i]) / 2
			if math.Abs(li-lj) > equalStretches*(li+lj) {
				minus = (t[i] - t[j]) / (li - lj)
			}
			add((minus+plus)/2, &e[i][j], &e[i][j])
			add((minus-plus)/2, &e[i][j], &e[j][i])
		}
	}
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
