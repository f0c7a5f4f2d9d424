package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

var elasticPlasticSpec = Spec{
	"elastic-plastic", "Hencky, |dev τ| ≤ √⅔·(σy + H·α)",
	"J. C. Simo, Comput. Methods Appl. Mech. Eng. 99 (1992) 61–112; E. de Souza Neto, D. Perić & D. Owen, Computational Methods for Plasticity (2008) ch. 14",
	[]Parameter{{"Young's modulus", "MPa", above0}, {"ratio of Poisson", "", poisson}, {"yield stress", "MPa", above0}, {"hardening modulus", "MPa", from0}},
}

// ElasticPlastic is a metal or polymer of a device: Hencky elasticity with von
// Mises yield at large strain, F = F_e·F_p, perfectly plastic or with linear
// isotropic hardening,
//
//	|dev τ| ≤ √⅔·(σy + H·α),
//
// τ the Kirchhoff stress, α the equivalent plastic strain. The step is the
// radial return in principal logarithmic strains with an exponential update, of
// first order, exact for a constant direction of flow and for volume: J. C.
// Simo, Comput. Methods Appl. Mech. Eng. 99 (1992) 61; de Souza Neto, Perić &
// Owen (2008), ch. 14. The tangent is that of the step and symmetric.
//
// The history is C_p⁻¹ (11, 22, 33, 12, 13, 23; unimodular) and α. F enters
// with the reference axes, so rotation is exact.
type ElasticPlastic struct {
	Hencky
	yield, hardening float64
}

// plasticHistory is C_p⁻¹ and α.
const plasticHistory = 7

// NewElasticPlastic takes Young's modulus in MPa, Poisson's ratio, the yield
// stress in MPa and the hardening modulus H = dσy/dα in MPa, 0 for perfect
// plasticity. It fails with a *ParameterError unless E > 0, −1 < ν < 0.5,
// σy > 0 and H ≥ 0.
func NewElasticPlastic(eMPa, nu, yieldMPa, hardeningMPa float64) (ElasticPlastic, error) {
	if err := elasticPlasticSpec.check(eMPa, nu, yieldMPa, hardeningMPa); err != nil {
		return ElasticPlastic{}, err
	}
	h, err := NewHencky(eMPa, nu)
	return ElasticPlastic{h, yieldMPa, hardeningMPa}, err
}

// YieldMPa is the initial yield stress.
func (l ElasticPlastic) YieldMPa() float64 { return l.yield }

// PlasticStrain is the equivalent plastic strain α of a history.
func (l ElasticPlastic) PlasticStrain(h []float64) float64 { return h[6] }

// HistorySize is 7.
func (l ElasticPlastic) HistorySize() int { return plasticHistory }

// InitHistory is C_p⁻¹ = I, α = 0.
func (l ElasticPlastic) InitHistory(h []float64) {
	clear(h[:plasticHistory])
	h[0], h[1], h[2] = 1, 1, 1
}

// Respond writes the step; time does not matter. With C_p⁻¹ = V·Vᵀ (Cholesky)
// the trial state is F_e = F·V = Σ λ_a n_a⊗N_a, and P = P_e·Vᵀ; with the flow
// Δγ·ν, C_p⁻¹ becomes V·(Σ exp(−2Δγ·ν_a) N_a⊗N_a)·Vᵀ. ok is false when det F ≤ 0,
// F is not finite, or old is no state.
func (l ElasticPlastic) Respond(p *Mat3, a *[9][9]float64, f *Mat3, old, next []float64, _ float64) (ok bool) {
	if !(f.Det() > 0) || !f.finite() {
		return false
	}
	var v, fe Mat3 // columns of a lower triangle
	if !cholesky3(&v, old) {
		return false
	}
	mul(&fe, f, &v)
	var s stretches
	s.of(&fe)
	beta, gamma := l.principal(&s)
	dev, _ := s.logarithmic()
	size := 2 * l.mu * math.Sqrt(dev[0]*dev[0]+dev[1]*dev[1]+dev[2]*dev[2])
	copy(next[:plasticHistory], old[:plasticHistory])
	if excess := size - math.Sqrt(2./3)*(l.yield+l.hardening*old[6]); excess > 0 {
		stiff := 2*l.mu + 2./3*l.hardening
		flow := excess / stiff
		shrink := 2 * l.mu * flow / size
		var w Mat3 // Σ exp(−2Δγ·ν_a)·N_a⊗N_a
		for r := range 3 {
			nu := 2 * l.mu * dev[r] / size
			beta[r] -= 2 * l.mu * flow * nu
			for c := range 3 {
				mu := 2 * l.mu * dev[c] / size
				gamma[r][c] += 2*l.mu*shrink/3 - 2*l.mu*(2*l.mu/stiff-shrink)*nu*mu
			}
			gamma[r][r] -= 2 * l.mu * shrink
			n := s.ref[r]
			x := r3.Scale(math.Exp(-2*flow*nu), n)
			w[0] = r3.Add(w[0], r3.Scale(n.X, x))
			w[1] = r3.Add(w[1], r3.Scale(n.Y, x))
			w[2] = r3.Add(w[2], r3.Scale(n.Z, x))
		}
		vt := transpose(&v)
		var wv Mat3
		mul(&wv, &w, &vt)
		sym6(next, &vt, &wv)
		next[6] = old[6] + math.Sqrt(2./3)*flow
	}
	vt := transpose(&v)
	s.stress(&fe, &beta)
	mul(p, &fe, &vt)
	if a != nil {
		s.tangent(a, &beta, &gamma)
		pull(a, &v)
	}
	return p.finite()
}

// pull turns A of F·V into A of F: A_iJkL ← A_iMkN·V_JM·V_LN, for a lower
// triangle V (V_JM = 0 for M > J).
func pull(a *[9][9]float64, v *Mat3) {
	x := [3][3]float64{{v[0].X}, {v[0].Y, v[1].Y}, {v[0].Z, v[1].Z, v[2].Z}}
	for r := range a {
		for k := 0; k < 9; k += 3 {
			row := a[r][k : k+3 : k+3]
			row[0], row[1], row[2] = x[0][0]*row[0], x[1][0]*row[0]+x[1][1]*row[1], x[2][0]*row[0]+x[2][1]*row[1]+x[2][2]*row[2]
		}
	}
	for c := range a {
		for k := 0; k < 9; k += 3 {
			r0, r1, r2 := a[k][c], a[k+1][c], a[k+2][c]
			a[k][c], a[k+1][c], a[k+2][c] = x[0][0]*r0, x[1][0]*r0+x[1][1]*r1, x[2][0]*r0+x[2][1]*r1+x[2][2]*r2
		}
	}
}

// cholesky3 writes the lower triangle V with V·Vᵀ = s (11, 22, 33, 12, 13, 23);
// ok is false unless s is positive definite.
func cholesky3(v *Mat3, s []float64) (ok bool) {
	a := math.Sqrt(s[0])
	b, c := s[3]/a, s[4]/a
	d := math.Sqrt(s[1] - b*b)
	e := (s[5] - b*c) / d
	g := math.Sqrt(s[2] - c*c - e*e)
	v[0], v[1], v[2] = r3.Vec{X: a, Y: b, Z: c}, r3.Vec{Y: d, Z: e}, r3.Vec{Z: g}
	return a > 0 && d > 0 && g > 0 && v.finite()
}
