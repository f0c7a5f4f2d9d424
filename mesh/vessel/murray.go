package vessel

import "math"

// Murray is how a branching keeps r₀^γ = Σ rᵢ^γ (Murray, PNAS 12 (1926) 207: γ = 3
// for least work).
type Murray struct {
	Parent   int     // index of the branch that divides
	Exponent float64 // γ; NaN never: 0 where no γ solves it, as a child is no thinner than its parent
	SD       float64 // standard error of γ from those of the radii
	// Plausible is false where γ lies outside 2–4 by more than two standard errors,
	// or has no value though the radii differ by more than two: a sign of a wrong
	// segmentation, a false branch or one that was missed.
	Plausible bool
}

// The range of exponents measured in living trees is within 2 to 4.
const murrayLow, murrayHigh = 2.0, 4.0

// Murray solves every branching of the tree.
func (t *Tree) Murray() []Murray {
	var out []Murray
	for n := range t.Branches {
		b := &t.Branches[n]
		if len(b.Children) < 2 {
			continue
		}
		r0, s0 := b.MeanRadiusMM(), b.RadiusSDMM
		var r, s []float64
		for _, c := range b.Children {
			r = append(r, t.Branches[c].MeanRadiusMM())
			s = append(s, t.Branches[c].RadiusSDMM)
		}
		out = append(out, murray(n, r0, s0, r, s))
	}
	return out
}

func murray(parent int, r0, s0 float64, r, s []float64) Murray {
	m := Murray{Parent: parent, Plausible: true}
	// F(γ) = Σ (rᵢ/r₀)^γ − 1 falls with γ when every child is thinner.
	f := func(g float64) float64 {
		sum := -1.0
		for _, x := range r {
			sum += math.Pow(x/r0, g)
		}
		return sum
	}
	for k, x := range r {
		if x >= r0 {
			m.Plausible = m.Plausible && x-r0 <= 2*math.Hypot(s[k], s0)
			m.Exponent = 0
		}
	}
	for _, x := range r {
		if x >= r0 {
			return m
		}
	}
	lo, hi := 1e-3, 64.0
	if f(hi) > 0 { // a child as thick as the parent within a percent or so
		m.Exponent, m.SD = hi, hi
		return m
	}
	for range 60 {
		if mid := (lo + hi) / 2; f(mid) > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	g := (lo + hi) / 2
	// dγ = −(∂F/∂r · dr)/(∂F/∂γ).
	slope, parentPart, variance := 0.0, 0.0, 0.0
	for k, x := range r {
		p := math.Pow(x/r0, g)
		slope += p * math.Log(x/r0)
		variance += g * p / x * s[k] * g * p / x * s[k]
		parentPart += g * p / r0
	}
	variance += parentPart * s0 * parentPart * s0
	m.Exponent, m.SD = g, math.Sqrt(variance)/math.Abs(slope)
	m.Plausible = g+2*m.SD >= murrayLow && g-2*m.SD <= murrayHigh
	return m
}
