package material

import "math"

var henckySpec = Spec{
	"Hencky", "μ·|dev ln U|² + κ/2·(ln J)²", "H. Hencky, Z. Tech. Phys. 9 (1928) 215",
	[]Parameter{{"Young's modulus", "MPa", above0}, {"ratio of Poisson", "", poisson}},
}

// Hencky is Hooke's law in logarithmic strain,
//
//	W = μ·|dev ln U|² + κ/2·(ln J)²,
//
// H. Hencky, Z. Tech. Phys. 9 (1928) 215. It is for stiff bodies in moderate
// strain: the energy loses ellipticity for principal stretches beyond 1.4
// (Bruhns, Xiao & Meyers, Proc. R. Soc. A 457 (2001) 2207).
type Hencky struct{ mu, kappa float64 }

// NewHencky takes Young's modulus in MPa and Poisson's ratio. It fails with a
// *ParameterError unless E > 0 and −1 < ν < 0.5.
func NewHencky(eMPa, nu float64) (Hencky, error) {
	if err := henckySpec.check(eMPa, nu); err != nil {
		return Hencky{}, err
	}
	return Hencky{eMPa / (2 * (1 + nu)), eMPa / (3 * (1 - 2*nu))}, nil
}

// logarithmic gives the deviatoric logarithmic strains and their sum.
func (s *stretches) logarithmic() (dev [3]float64, sum float64) {
	for a, l := range s.lambda {
		dev[a] = math.Log(l)
		sum += dev[a]
	}
	for a := range dev {
		dev[a] -= sum / 3
	}
	return dev, sum
}

// principal gives β_a = κ·ln J + 2μ·dev ln λ_a and γ_ab = κ + 2μ(δ_ab − ⅓).
func (l Hencky) principal(s *stretches) (beta [3]float64, gamma [3][3]float64) {
	dev, sum := s.logarithmic()
	for a := range 3 {
		beta[a] = l.kappa*sum + 2*l.mu*dev[a]
		for b := range 3 {
			gamma[a][b] = l.kappa - 2./3*l.mu
		}
		gamma[a][a] += 2 * l.mu
	}
	return beta, gamma
}

// Energy is W, MPa; +Inf when det F ≤ 0.
func (l Hencky) Energy(f *Mat3) float64 {
	if !(f.Det() > 0) {
		return math.Inf(1)
	}
	var s stretches
	s.of(f)
	dev, sum := s.logarithmic()
	return l.mu*(dev[0]*dev[0]+dev[1]*dev[1]+dev[2]*dev[2]) + l.kappa/2*sum*sum
}

// Stress writes P = Σ β_a/λ_a·n_a ⊗ N_a.
func (l Hencky) Stress(p, f *Mat3) {
	var s stretches
	s.of(f)
	beta, _ := l.principal(&s)
	s.stress(p, &beta)
}

// Tangent writes A in the principal frame.
func (l Hencky) Tangent(a *[9][9]float64, f *Mat3) {
	var s stretches
	s.of(f)
	beta, gamma := l.principal(&s)
	s.tangent(a, &beta, &gamma)
}

// Dilatation returns U(J), U'(J) and U”(J) of κ/2·(ln J)², MPa.
func (l Hencky) Dilatation(j float64) (u, du, ddu float64) {
	return VolumetricLog.dilatation(l.kappa, j)
}

// ShearMPa is μ.
func (l Hencky) ShearMPa() float64 { return l.mu }

// BulkMPa is κ.
func (l Hencky) BulkMPa() float64 { return l.kappa }
