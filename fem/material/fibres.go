package material

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

var hgoSpec = Spec{
	"Holzapfel-Gasser-Ogden", "c/2·(Ī1 − 3) + k1/(2k2)·Σ (exp(k2·⟨Ī4 − 1⟩²) − 1) + U(J)",
	"G. A. Holzapfel, T. C. Gasser & R. W. Ogden, J. Elasticity 61 (2000) 1–48",
	[]Parameter{{"c", "MPa", above0}, {"k1", "MPa", from0}, {"k2", "", above0}, {"kappa", "", Limit{Low: 0, High: 0}}, {"ratio of Poisson", "", poisson}},
}

var gohSpec = Spec{
	"Gasser-Ogden-Holzapfel", "c/2·(Ī1 − 3) + k1/(2k2)·Σ (exp(k2·⟨d·Ī1 + (1 − 3d)·Ī4 − 1⟩²) − 1) + U(J), d = kappa",
	"T. C. Gasser, R. W. Ogden & G. A. Holzapfel, J. R. Soc. Interface 3 (2006) 15–35",
	[]Parameter{{"c", "MPa", above0}, {"k1", "MPa", from0}, {"k2", "", above0}, {"kappa", "", Limit{Low: 0, High: 1. / 3}}, {"ratio of Poisson", "", poisson}},
}

// fibred is a neo-Hookean matrix with two families of fibres,
//
//	W = c/2·(Ī1 − 3) + k1/(2k2)·Σ_a (exp(k2·⟨E_a⟩²) − 1) + U(J),
//	E_a = J^(−2/3)·C:H_a − 1,  H_a = κ·I + (1 − 3κ)·a⊗a,
//
// ⟨x⟩ = max(x, 0): a family that is not stretched does nothing.
type fibred struct {
	c, k1, k2, spread float64
	dir               [2]r3.Vec
	h                 [2]Mat3
	dilatation
}

// newFibred checks the constants that both laws share.
func newFibred(law *Spec, cMPa, k1MPa, k2, spread, nu float64, a1, a2 r3.Vec) (fibred, error) {
	l := fibred{c: cMPa, k1: k1MPa, k2: k2, spread: spread}
	if err := law.check(cMPa, k1MPa, k2, spread, nu); err != nil {
		return fibred{}, err
	}
	for n, a := range [2]r3.Vec{a1, a2} {
		size := r3.Norm(a)
		if err := positive(fmt.Sprintf("length of the direction of fibre family %d", n+1), size, ""); err != nil {
			return fibred{}, law.refuse(err)
		}
		l.dir[n] = r3.Scale(1/size, a)
		b := r3.Scale(1-3*spread, l.dir[n])
		l.h[n] = Mat3{r3.Scale(l.dir[n].X, b), r3.Scale(l.dir[n].Y, b), r3.Scale(l.dir[n].Z, b)}
		l.h[n][0].X += spread
		l.h[n][1].Y += spread
		l.h[n][2].Z += spread
	}
	l.dilatation = dilatationOf(cMPa, nu)
	return l, nil
}

// strain writes K = F·H_a and returns q = C:H_a; E_a = m·q − 1, m = J^(−2/3).
func (l *fibred) strain(k, f *Mat3, family int) (q float64) {
	h := &l.h[family]
	for n := range k {
		k[n] = r3.Add(r3.Scale(h[n].X, f[0]), r3.Add(r3.Scale(h[n].Y, f[1]), r3.Scale(h[n].Z, f[2])))
		q += r3.Dot(f[n], k[n])
	}
	return q
}

// Energy is W, MPa; +Inf when det F ≤ 0 or when the fibre energy overflows.
func (l fibred) Energy(f *Mat3) float64 {
	j := f.Det()
	if !(j > 0) {
		return math.Inf(1)
	}
	m := cbrt2(j)
	w := l.c/2*(m*f.Norm2()-3) + l.energy(j)
	for n := range l.h {
		var k Mat3
		if e := m*l.strain(&k, f, n) - 1; e > 0 && l.k1 > 0 {
			if l.k2*e*e > maxExponent {
				return math.Inf(1)
			}
			w += l.k1 / (2 * l.k2) * math.Expm1(l.k2*e*e)
		}
	}
	return w
}

// Stress writes, with m = J^(−2/3), G = F⁻ᵀ, K = F·H and Ψ' = k1·E·exp(k2·E²),
//
//	P = c·m·(F − (F:F)/3·G) + Σ 2Ψ'·m·(K − (C:H)/3·G) + κ/2·(J²−1)·G.
func (l fibred) Stress(p, f *Mat3) {
	var c, k Mat3
	j := f.Cofactor(&c)
	m := cbrt2(j)
	s := -l.c*m*f.Norm2()/3 + l.slope(j)
	for n := range p {
		p[n] = r3.Scale(l.c*m, f[n])
	}
	for a := range l.h {
		q := l.strain(&k, f, a)
		e := m*q - 1
		if e <= 0 {
			continue
		}
		x := 2 * m * l.k1 * e * math.Exp(math.Min(l.k2*e*e, maxExponent))
		s -= x * q / 3
		for n := range p {
			p[n] = r3.Add(p[n], r3.Scale(x, k[n]))
		}
	}
	for n := range p {
		p[n] = r3.Add(p[n], r3.Scale(s/j, c[n]))
	}
}

// Tangent writes A = ∂P/∂F: the neo-Hookean tangent and, for each family that
// is stretched, with D = 2m·(K − q/3·G), q = C:H, Ψ” = k1·(1 + 2k2·E²)·exp(k2·E²),
//
//	Ψ”·D⊗D + 2Ψ'·m·(δik·H_JL − ⅔(K⊗G + G⊗K) + 2/9·q·G⊗G + q/3·G_iL·G_kJ).
//
// It jumps by k1·D⊗D where E passes zero; there it is the limit from the side
// without fibres.
func (l fibred) Tangent(a *[9][9]float64, f *Mat3) {
	var c, km Mat3
	j := f.Cofactor(&c)
	for n := range c {
		c[n] = r3.Scale(1/j, c[n])
	}
	var ff, g, d [9]float64
	var k [2][9]float64
	var x, xx, q [2]float64 // 2Ψ'·m, Ψ” and C:H of each family
	f.flat(&ff)
	c.flat(&g)
	m, i1 := cbrt2(j), f.Norm2()
	s := l.c * m
	gg, cross := 2./9*s*i1+l.curve(j), s*i1/3-l.slope(j)
	for n := range l.h {
		q[n] = l.strain(&km, f, n)
		km.flat(&k[n])
		if e := m*q[n] - 1; e > 0 {
			t := l.k1 * math.Exp(math.Min(l.k2*e*e, maxExponent))
			x[n], xx[n] = 2*m*e*t, t*(1+2*l.k2*e*e)
		}
		gg += 2. / 9 * x[n] * q[n]
		cross += x[n] * q[n] / 3
	}
	isotropicTangent(a, &ff, &g, j, &InvariantTangent{S: s, FG: -2. / 3 * s, GG: gg, X: cross})
	for n := range l.h {
		if xx[n] == 0 {
			continue
		}
		for r := range d {
			d[r] = 2 * m * (k[n][r] - q[n]/3*g[r])
		}
		addDyad(a, xx[n], &d, &d)
		addDyad(a, -4./3*x[n], &k[n], &g)
		for o, col := range l.h[n] {
			for i := range 3 {
				a[3*i][3*i+o] += x[n] * col.X
				a[3*i+1][3*i+o] += x[n] * col.Y
				a[3*i+2][3*i+o] += x[n] * col.Z
			}
		}
	}
}

// ShearMPa is c, the modulus of the matrix: at rest the fibres are slack.
func (l fibred) ShearMPa() float64 { return l.c }

// Fibres are the unit directions of the two families in the reference frame.
func (l fibred) Fibres() [2]r3.Vec { return l.dir }

// HolzapfelGasserOgden is an artery layer with two families of parallel fibres
// that carry tension only,
//
//	W = c/2·(Ī1 − 3) + k1/(2k2)·Σ_a (exp(k2·⟨Ī4a − 1⟩²) − 1) + κ/4·(J² − 1 − 2·ln J),
//
// Ī4a = J^(−2/3)·|F·a|², G. A. Holzapfel, T. C. Gasser & R. W. Ogden,
// J. Elasticity 61 (2000) 1–48.
type HolzapfelGasserOgden struct{ fibred }

// NewHolzapfelGasserOgden takes c and k1 in MPa, k2, Poisson's ratio, which
// with c gives κ (0.49 and above: the split is for nearly incompressible
// tissue), and the fibre directions in the reference frame (LPS; any length,
// sign without meaning). It fails with a *ParameterError unless c > 0, k1 ≥ 0,
// k2 > 0, −1 < ν < 0.5 and the directions are finite and not zero.
func NewHolzapfelGasserOgden(cMPa, k1MPa, k2, nu float64, a1, a2 r3.Vec) (HolzapfelGasserOgden, error) {
	l, err := newFibred(&hgoSpec, cMPa, k1MPa, k2, 0, nu, a1, a2)
	return HolzapfelGasserOgden{l}, err
}

// GasserOgdenHolzapfel is HolzapfelGasserOgden with fibres dispersed about the
// mean direction of their family,
//
//	W = c/2·(Ī1 − 3) + k1/(2k2)·Σ_a (exp(k2·⟨E_a⟩²) − 1) + κ/4·(J² − 1 − 2·ln J),
//	E_a = d·Ī1 + (1 − 3d)·Ī4a − 1,
//
// T. C. Gasser, R. W. Ogden & G. A. Holzapfel, J. R. Soc. Interface 3 (2006)
// 15–35, whose κ is d here. A family acts when E_a > 0, which keeps the stress
// continuous; a switch at Ī4a = 1 would not for d > 0.
type GasserOgdenHolzapfel struct{ fibred }

// NewGasserOgdenHolzapfel takes what NewHolzapfelGasserOgden takes and the
// dispersion, 0 (parallel fibres) to 1/3 (isotropic).
func NewGasserOgdenHolzapfel(cMPa, k1MPa, k2, dispersion, nu float64, a1, a2 r3.Vec) (GasserOgdenHolzapfel, error) {
	l, err := newFibred(&gohSpec, cMPa, k1MPa, k2, dispersion, nu, a1, a2)
	return GasserOgdenHolzapfel{l}, err
}

// WithBulk is the law with κ in MPa and the form of U(J). It fails with a
// *ParameterError unless κ > 0.
func (l HolzapfelGasserOgden) WithBulk(kappaMPa float64, form Volumetric) (HolzapfelGasserOgden, error) {
	d, err := newDilatation(kappaMPa, form)
	if err != nil {
		return HolzapfelGasserOgden{}, hgoSpec.refuse(err)
	}
	l.dilatation = d
	return l, nil
}

// WithBulk is the law with κ in MPa and the form of U(J). It fails with a
// *ParameterError unless κ > 0.
func (l GasserOgdenHolzapfel) WithBulk(kappaMPa float64, form Volumetric) (GasserOgdenHolzapfel, error) {
	d, err := newDilatation(kappaMPa, form)
	if err != nil {
		return GasserOgdenHolzapfel{}, gohSpec.refuse(err)
	}
	l.dilatation = d
	return l, nil
}

// FibresInPlane are the two directions at ±angle (rad) from the circumferential
// direction towards the axial one; the two must be orthonormal.
func FibresInPlane(circumferential, axial r3.Vec, angle float64) (a1, a2 r3.Vec) {
	c, s := r3.Scale(math.Cos(angle), circumferential), r3.Scale(math.Sin(angle), axial)
	return r3.Add(c, s), r3.Sub(c, s)
}
