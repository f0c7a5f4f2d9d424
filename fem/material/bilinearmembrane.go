package material

import "math"

var bilinearMembraneSpec = Spec{
	"bilinear membrane", "h·(plane-stress Hooke with Es in U − I, and (El − Es)·Σ g(λ − 1))",
	"form of this package; the two slopes are those of tensile tests",
	[]Parameter{{"small modulus", "MPa", above0}, {"large modulus", "MPa", above0}, {"transition strain", "", above0},
		{"ratio of Poisson", "", Limit{-1, 0.5, true, false}}, {"thickness", "mm", above0}},
}

// ramp is a bilinear curve that starts at a strain, with its kink rounded: the
// slope grows linearly over strain ± blend.
type ramp struct{ strain, blend float64 }

// rampBlend is the half width of the rounded kink over the transition strain.
const rampBlend = 0.25

// at gives ∫∫, ∫ and the slope itself at e: 0 below, (e − strain)²/2 + blend²/6,
// e − strain and 1 above.
func (r ramp) at(e float64) (g, dg, ddg float64) {
	x := e - r.strain
	switch {
	case x <= -r.blend:
		return 0, 0, 0
	case x >= r.blend:
		return x*x/2 + r.blend*r.blend/6, x, 1
	}
	x += r.blend
	return x * x * x / (12 * r.blend), x * x / (4 * r.blend), x / (2 * r.blend)
}

// BilinearMembrane is an isotropic collagenous sheet with the two slopes of a
// tensile test: Hooke's law in the Biot strain U − I with the small modulus, and
// from the transition strain on the rest of the large modulus in each principal
// direction that is stretched,
//
//	W = h·(Es/(2(1 − ν²))·(e1² + e2² + 2ν·e1·e2) + (El − Es)·(g(e1) + g(e2))),
//
// e = λ − 1, g” rising from 0 to 1 over the transition strain ± 25 %. In a
// tensile test with free sides the nominal stress against engineering strain is
// exactly bilinear outside that band. It carries compression with Es.
type BilinearMembrane struct {
	stiff, nu, extra, thickness float64 // h·Es/(1 − ν²), ν, h·(El − Es), h
	ramp                        ramp
}

// NewBilinearMembrane takes the small and the large modulus in MPa, the
// transition strain (engineering), Poisson's ratio and the thickness in mm. It
// fails with a *ParameterError unless 0 < Es ≤ El, the transition strain and the
// thickness are positive and −1 < ν ≤ 0.5; all finite.
func NewBilinearMembrane(smallMPa, largeMPa, transitionStrain, nu, thicknessMM float64) (BilinearMembrane, error) {
	if err := bilinearMembraneSpec.check(smallMPa, largeMPa, transitionStrain, nu, thicknessMM); err != nil {
		return BilinearMembrane{}, err
	}
	if largeMPa < smallMPa {
		return BilinearMembrane{}, bilinearMembraneSpec.refuse(&ParameterError{"large modulus", largeMPa, "MPa", "the small modulus or above"})
	}
	return BilinearMembrane{thicknessMM * smallMPa / (1 - nu*nu), nu, thicknessMM * (largeMPa - smallMPa), thicknessMM,
		ramp{transitionStrain, rampBlend * transitionStrain}}, nil
}

// principal2 gives the principal stretches of c, larger first, and the cosine
// and sine of the angle from axis 1 to the direction of the first.
func principal2(c [3]float64) (l1, l2, cos, sin float64) {
	mean, half := (c[0]+c[1])/2, (c[0]-c[1])/2
	r := math.Hypot(half, c[2])
	l1 = math.Sqrt(mean + r)
	l2 = math.Sqrt(c[0]*c[1]-c[2]*c[2]) / l1
	angle := math.Atan2(c[2], half) / 2
	sin, cos = math.Sincos(angle)
	return l1, l2, cos, sin
}

// Energy is W, N/mm.
func (l BilinearMembrane) Energy(c [3]float64) float64 {
	if _, ok := sheet(c); !ok {
		return math.Inf(1)
	}
	l1, l2, _, _ := principal2(c)
	g1, _, _ := l.ramp.at(l1 - 1)
	g2, _, _ := l.ramp.at(l2 - 1)
	return l.stiff/2*((l1-1)*(l1-1)+(l2-1)*(l2-1)+2*l.nu*(l1-1)*(l2-1)) + l.extra*(g1+g2)
}

// nominal gives T_a = ∂W/∂λ_a and its derivatives.
func (l *BilinearMembrane) nominal(l1, l2 float64) (t1, t2, t11, t22, t12 float64) {
	_, d1, dd1 := l.ramp.at(l1 - 1)
	_, d2, dd2 := l.ramp.at(l2 - 1)
	t1 = l.stiff*((l1-1)+l.nu*(l2-1)) + l.extra*d1
	t2 = l.stiff*((l2-1)+l.nu*(l1-1)) + l.extra*d2
	return t1, t2, l.stiff + l.extra*dd1, l.stiff + l.extra*dd2, l.stiff * l.nu
}

// Stress writes S = Σ T_a/λ_a·N_a⊗N_a, N/mm.
func (l BilinearMembrane) Stress(s *[3]float64, c [3]float64) {
	l1, l2, cos, sin := principal2(c)
	t1, t2, _, _, _ := l.nominal(l1, l2)
	a, b := t1/l1, t2/l2
	*s = [3]float64{cos*cos*a + sin*sin*b, sin*sin*a + cos*cos*b, cos * sin * (a - b)}
}

// Tangent writes D = M·D'·Mᵀ, N/mm: in the principal frame with s_a = T_a/λ_a
// D'_ab = ∂s_a/∂λ_b/λ_b and D'_33 = (s_1 − s_2)/(λ_1² − λ_2²), with its limit.
func (l BilinearMembrane) Tangent(d *[3][3]float64, c [3]float64) {
	l1, l2, cos, sin := principal2(c)
	t1, t2, t11, t22, t12 := l.nominal(l1, l2)
	d11 := (t11 - t1/l1) / (l1 * l1)
	d22 := (t22 - t2/l2) / (l2 * l2)
	d12 := t12 / (l1 * l2)
	d33 := (d11 + d22 - 2*d12) / 4
	if l1-l2 > equalStretches*(l1+l2) {
		d33 = (t1/l1 - t2/l2) / (l1*l1 - l2*l2)
	}
	m := [3][3]float64{{cos * cos, sin * sin, -2 * cos * sin}, {sin * sin, cos * cos, 2 * cos * sin}, {cos * sin, -cos * sin, cos*cos - sin*sin}}
	for r := range d {
		x := m[r][0]*d11 + m[r][1]*d12
		y := m[r][0]*d12 + m[r][1]*d22
		z := m[r][2] * d33
		for k := range d[r] {
			d[r][k] = x*m[k][0] + y*m[k][1] + z*m[k][2]
		}
	}
}

// ThicknessMM is h.
func (l BilinearMembrane) ThicknessMM() float64 { return l.thickness }
