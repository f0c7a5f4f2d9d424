package material

import "math"

var bilinearSpec = Spec{
	"bilinear", "μ/2·(Ī1 − 3) + (El − Es)·Σ g(λ̄ − 1) + U(J), μ = Es/(2(1 + ν))",
	"form of this package; the two slopes are those of tensile tests",
	[]Parameter{{"small modulus", "MPa", above0}, {"large modulus", "MPa", above0}, {"transition strain", "", above0}, {"ratio of Poisson", "", poisson}},
}

// Bilinear is a tissue known by the two slopes of a tensile test: neo-Hookean
// with the small modulus, and from the transition strain on the rest of the
// large modulus in each principal direction that is stretched,
//
//	W = μ/2·(Ī1 − 3) + (El − Es)·Σ g(λ̄_a − 1) + U(J),  μ = Es/(2(1 + ν)),
//
// g” rising from 0 to 1 over the transition strain ± 25 %. Incompressible and
// with free sides the nominal stress is μ·(λ − λ⁻²) + (El − Es)·g'(λ − 1).
type Bilinear struct {
	mu, extra float64
	ramp      ramp
	dilatation
}

// NewBilinear takes the small and the large modulus in MPa, the transition
// strain (engineering) and Poisson's ratio. It fails with a *ParameterError
// unless 0 < Es ≤ El, the transition strain is positive and −1 < ν < 0.5.
func NewBilinear(smallMPa, largeMPa, transitionStrain, nu float64) (Bilinear, error) {
	if err := bilinearSpec.check(smallMPa, largeMPa, transitionStrain, nu); err != nil {
		return Bilinear{}, err
	}
	if largeMPa < smallMPa {
		return Bilinear{}, bilinearSpec.refuse(&ParameterError{"large modulus", largeMPa, "MPa", "the small modulus or above"})
	}
	mu := smallMPa / (2 * (1 + nu))
	return Bilinear{mu, largeMPa - smallMPa, ramp{transitionStrain, rampBlend * transitionStrain}, dilatationOf(mu, nu)}, nil
}

// Energy is W, MPa; +Inf when det F ≤ 0.
func (l Bilinear) Energy(f *Mat3) float64 {
	j := f.Det()
	if !(j > 0) {
		return math.Inf(1)
	}
	var s stretches
	s.of(f)
	w := l.energy(j)
	for _, b := range s.iso(j) {
		g, _, _ := l.ramp.at(b - 1)
		w += l.mu/2*(b*b-1) + l.extra*g
	}
	return w
}

// principal gives β_a = ∂W/∂ln λ_a and γ_ab = ∂β_a/∂ln λ_b.
func (l Bilinear) principal(s *stretches, j float64) (beta [3]float64, gamma [3][3]float64) {
	var t, tt [3]float64 // ∂W/∂ln λ̄_a and its derivative
	var mean, mm float64
	for a, b := range s.iso(j) {
		_, dg, ddg := l.ramp.at(b - 1)
		t[a] = l.mu*b*b + l.extra*b*dg
		tt[a] = 2*l.mu*b*b + l.extra*b*(dg+b*ddg)
		mean += t[a] / 3
		mm += tt[a] / 9
	}
	u, uu := l.slope(j), l.curve(j)
	for a := range 3 {
		beta[a] = t[a] - mean + u
		for k := range 3 {
			gamma[a][k] = mm - (tt[a]+tt[k])/3 + uu
		}
		gamma[a][a] += tt[a]
	}
	return beta, gamma
}

// Stress writes P = Σ β_a/λ_a·n_a ⊗ N_a.
func (l Bilinear) Stress(p, f *Mat3) {
	var s stretches
	s.of(f)
	beta, _ := l.principal(&s, f.Det())
	s.stress(p, &beta)
}

// Tangent writes A in the principal frame.
func (l Bilinear) Tangent(a *[9][9]float64, f *Mat3) {
	var s stretches
	s.of(f)
	beta, gamma := l.principal(&s, f.Det())
	s.tangent(a, &beta, &gamma)
}

// ShearMPa is μ = Es/(2(1 + ν)).
func (l Bilinear) ShearMPa() float64 { return l.mu }
