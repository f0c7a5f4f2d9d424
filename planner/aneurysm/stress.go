package aneurysm

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// Peak is the stress of a wall, judged where it is the wall's own and away from
// the held ends.
type Peak struct {
	MaxMPa, P99MPa                   float64 // von Mises: largest, and what 99 % of the wall's volume stay below
	PrincipalMaxMPa, PrincipalP99MPa float64 // first principal
	AtMM                             r3.Vec  // where the von Mises stress is largest, LPS
	ArcMM                            float64 // along the centreline
	ErrorMPa                         float64 // estimated error of the discretisation there
	MeanErrorMPa                     float64 // and over the wall, by volume
	Residual                         float64
}

// Peak sums up a state.
func (w *Wall) Peak(s *State) (Peak, error) {
	p := Peak{Residual: s.Residual}
	at, sum, volume := -1, 0.0, 0.0
	for n, ok := range w.judged {
		if !ok {
			continue
		}
		if at < 0 || s.VonMisesMPa[n] > s.VonMisesMPa[at] {
			at = n
		}
		p.PrincipalMaxMPa = max(p.PrincipalMaxMPa, s.PrincipalMPa[n])
		sum += w.volume[n] * s.ErrorMPa[n]
		volume += w.volume[n]
	}
	if at < 0 || !(volume > 0) {
		return p, &InputError{"Shape", "is too short: no part of the wall is far enough from the held ends; give more of the aorta"}
	}
	p.MaxMPa, p.AtMM, p.ArcMM, p.ErrorMPa, p.MeanErrorMPa = s.VonMisesMPa[at], s.Places[at], w.ArcMM[at], s.ErrorMPa[at], sum/volume
	p.P99MPa = w.share(s.VonMisesMPa, 0.99)
	p.PrincipalP99MPa = w.share(s.PrincipalMPa, 0.99)
	return p, nil
}

// share is the value that a share of the judged wall's volume stays below.
func (w *Wall) share(v []float64, share float64) float64 {
	var order []int
	total := 0.0
	for n, ok := range w.judged {
		if ok {
			order = append(order, n)
			total += w.volume[n]
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(v[a], v[b]) })
	below := 0.0
	for _, n := range order {
		if below += w.volume[n]; below >= share*total {
			return v[n]
		}
	}
	return v[order[len(order)-1]]
}

// Predictors are what the strength of the wall is predicted from, beside what
// the geometry gives.
type Predictors struct {
	Male          bool
	FamilyHistory bool
	NormalMM      float64 // diameter of the aorta without disease, outer
	Factor        float64 // on the predicted strength, for what the regression leaves open; 1: none
}

// StrengthMPa is the strength of the wall at a node, by the regression of J.
// Vande Geest et al., Ann. N.Y. Acad. Sci. 1085 (2006) 11:
//
//	72.9 − 33.5·(√ILT − 0.79) − 12.3·(NORD − 2.31) − 24·HIST + 15.5·SEX  N/cm²,
//
// ILT the thickness of the thrombus in cm, NORD the local diameter over the
// normal one, HIST and SEX ½ for a family history and for a man, else −½. The
// coefficients are recalled (evidence M+); the source's range is 56 to 133 N/cm².
// A value below a tenth of the least is refused as ok = false.
func (w *Wall) StrengthMPa(n int, p Predictors) (mpa float64, ok bool) {
	half := func(b bool) float64 {
		if b {
			return 0.5
		}
		return -0.5
	}
	s := 72.9 - 33.5*(math.Sqrt(w.ThrombusMM[n]/10)-0.79) - 12.3*(2*w.RadiusMM[n]/p.NormalMM-2.31) - 24*half(p.FamilyHistory) + 15.5*half(p.Male)
	s *= p.Factor
	return s / mpaToNPerCM2, s >= 5.6
}

// mpaToNPerCM2 is what a MPa has of N/cm².
const mpaToNPerCM2 = 100

// RuptureIndex is the largest ratio of von Mises stress to strength over the
// wall (peak wall rupture index), and where it is. It is not finite-valued where
// the regression gives no positive strength: ok is then false.
func (w *Wall) RuptureIndex(s *State, p Predictors) (index float64, node int, ok bool) {
	node = -1
	for n, judged := range w.judged {
		if !judged {
			continue
		}
		strength, fine := w.StrengthMPa(n, p)
		if !fine {
			return 0, n, false
		}
		if v := s.VonMisesMPa[n] / strength; v > index {
			index, node = v, n
		}
	}
	return index, node, node >= 0
}

// RuptureWarning is printed with every rupture index.
const RuptureWarning = "Rupture index: in the published cohort (175 patients, 11 with symptoms, 45 ruptured) it did not differ significantly between intact and ruptured aneurysms of equal diameter (PMC6105024). It does not say that an aneurysm will or will not rupture."
