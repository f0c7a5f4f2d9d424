package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

var damageSpec = Spec{
	"damage", "(1 − d)·W_iso + U(J), d = d∞·(1 − exp(−(Ξmax − Ξ0)/ζ)), Ξ = √(2·W_iso)",
	"J. C. Simo, Comput. Methods Appl. Mech. Eng. 60 (1987) 153–173, §5",
	[]Parameter{{"onset", "sqrt(MPa)", above0}, {"scale", "sqrt(MPa)", above0}, {"largest damage", "", Limit{0, 0.999, true, false}}},
}

// Damage is discontinuous damage: the isochoric stress of the sound law is
// scaled by 1 − d, where d grows with the largest equivalent strain Ξ = √(2·W_iso)
// that the point has seen, from an onset Ξ0,
//
//	d = d∞·(1 − exp(−(Ξmax − Ξ0)/ζ)) for Ξmax > Ξ0, else 0,
//
// J. C. Simo, Comput. Methods Appl. Mech. Eng. 60 (1987) 153–173, §5 (the
// measure and the split), C. Miehe, Eur. J. Mech. A 14 (1995) 697 (saturation).
// Below the largest Ξ seen the law is elastic. Volume is not damaged. Softening
// localises in one layer of elements when ζ is small: take d as an onset of
// injury, not as a crack. The history is Ξmax, √MPa.
type Damage struct {
	Split              // the sound law
	onset, scale, most float64
}

// NewDamage takes the sound law, the onset Ξ0 and the scale ζ in √MPa, and the
// largest damage d∞ (to 0.999, so that stiffness remains). EquivalentStrain and
// UniaxialEquivalentStrain turn a failure strain into Ξ0. It fails with a
// *ParameterError when a constant is out of range, or the law is not in split
// form or has a history.
func NewDamage(sound Split, onset, scale, largest float64) (Damage, error) {
	if err := damageSpec.check(onset, scale, largest); err != nil {
		return Damage{}, err
	}
	if err := checkSplit("sound law", sound); err != nil {
		return Damage{}, damageSpec.refuse(err)
	}
	return Damage{sound, onset, scale, largest}, nil
}

// EquivalentStrain is Ξ = √(2·W_iso(F)) of a law, √MPa; +Inf when det F ≤ 0.
func EquivalentStrain(law Law, f *Mat3) float64 {
	return math.Sqrt(2 * math.Max(0, isochoricEnergy(law, f)))
}

// UniaxialEquivalentStrain is Ξ at an engineering strain along axis 1 with the
// volume kept and the sides free and equal, as in a tensile test of an
// isotropic tissue; +Inf for a strain of −1 or below.
func UniaxialEquivalentStrain(law Law, strain float64) float64 {
	l := 1 + strain
	side := 1 / math.Sqrt(l)
	return EquivalentStrain(law, &Mat3{{X: l}, {Y: side}, {Z: side}})
}

// of is the damage 0 to d∞ at the largest Ξ seen, and its slope dd/dΞ.
func (l Damage) of(xi float64) (d, slope float64) {
	x := (xi - l.onset) / l.scale
	if !(x > 0) {
		return 0, 0
	}
	return -l.most * math.Expm1(-x), l.most * math.Exp(-x) / l.scale
}

// Damage is d, 0 to d∞, of a history.
func (l Damage) Damage(h []float64) float64 {
	d, _ := l.of(h[0])
	return d
}

// HistorySize is 1: the largest Ξ seen.
func (l Damage) HistorySize() int { return 1 }

// InitHistory is Ξmax = 0.
func (l Damage) InitHistory(h []float64) { h[0] = 0 }

// Respond writes P = P_vol + (1 − d)·P_iso and, while Ξ grows,
// A = A_vol + (1 − d)·A_iso − d'/Ξ·P_iso⊗P_iso. Time does not matter. ok is false
// when det F ≤ 0 or F is not finite.
func (l Damage) Respond(p *Mat3, a *[9][9]float64, f *Mat3, old, next []float64, _ float64) (ok bool) {
	var g Mat3
	j, ok := inverseTranspose(&g, f)
	if !ok {
		return false
	}
	isochoric(l.Split, p, a, f, &g, j)
	xi := EquivalentStrain(l.Split, f)
	if !(xi < math.Inf(1)) {
		return false
	}
	next[0] = math.Max(xi, old[0])
	d, slope := l.of(next[0])
	if a != nil {
		for r := range a {
			for c := range a[r] {
				a[r][c] *= 1 - d
			}
		}
		if xi > old[0] && slope > 0 {
			var pp [9]float64
			p.flat(&pp)
			addDyad(a, -slope/xi, &pp, &pp)
		}
	}
	for n := range p {
		p[n] = r3.Scale(1-d, p[n])
	}
	_, du, ddu := l.Dilatation(j)
	volumetric(du, ddu, p, a, f, &g, j)
	return p.finite()
}
