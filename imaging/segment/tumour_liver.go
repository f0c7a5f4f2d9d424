package segment

import (
	"math"
	"slices"

	"halsted/imaging/filter"
)

// The shell outside a surface in which the value of the liver around a tumour is
// measured: outside its border, and as wide as tells it. It must hold fewLiver
// working voxels.
const (
	besideMM = 5.0
	aroundMM = 15.0
	fewLiver = 200
)

// beside is the HU of the liver around a surface: where the values of its shell
// lie densest, so that vessels, other lesions and what the surface does not yet
// hold of the tumour hardly count.
func (t *tumourOdds) beside(star *filter.Star) (float64, bool) {
	w := t.w
	box := w.around(star.Centre, star.MostMM()+aroundMM)
	var x []float64
	for k := box.Lo[2]; k < box.Hi[2]; k++ {
		for j := box.Lo[1]; j < box.Hi[1]; j++ {
			for i := box.Lo[0]; i < box.Hi[0]; i++ {
				n := w.c.Grid.Index(i, j, k)
				if !w.liver[n] || w.bone[n] || t.chalk[n] || t.others[n] {
					continue
				}
				if d := -star.DepthMM(w.c.Grid.Point(float64(i), float64(j), float64(k))); d >= besideMM && d < aroundMM {
					x = append(x, float64(w.c.HU[n]))
				}
			}
		}
	}
	if len(x) < fewLiver {
		return 0, false
	}
	slices.Sort(x)
	return densest(x, t.sd), true
}

// densestTurns moves the middle of the densest values to their mean.
const densestTurns = 10

// densest is the mean of the sorted values x within 2·sd of it where they lie
// densest.
func densest(x []float64, sd float64) float64 {
	most, mid := 0, 0.0
	for lo, hi := 0, 0; lo < len(x); lo++ {
		for hi < len(x) && x[hi] <= x[lo]+2*sd {
			hi++
		}
		if hi-lo > most {
			most, mid = hi-lo, x[lo]+sd
		}
	}
	for range densestTurns {
		sum, n := 0.0, 0
		for _, v := range x {
			if math.Abs(v-mid) <= 2*sd {
				sum, n = sum+v, n+1
			}
		}
		if n == 0 {
			break
		}
		mid = sum / float64(n)
	}
	return mid
}

// The liver around seeds: nearMM is wide enough to hold liver beside a large
// tumour, and perhapsSD the deviations within which a value may be that of liver.
const (
	nearMM    = 40.0
	perhapsSD = 2.5
)

// near is the HU of the liver around seeds, before anything is known of the
// tumour: where the values that may be liver lie densest.
func (t *tumourOdds) near() float64 {
	w := t.w
	var x []float64
	for n, in := range w.liver {
		if !in || w.bone[n] || t.others[n] || math.Abs(float64(w.c.HU[n])-t.mean) > perhapsSD*t.sd {
			continue
		}
		if i, j, k := w.c.Grid.IJK(n); near(w.c.Grid.Point(float64(i), float64(j), float64(k)), t.seeds, nearMM) {
			x = append(x, float64(w.c.HU[n]))
		}
	}
	if len(x) < fewLiver {
		return t.mean
	}
	slices.Sort(x)
	return densest(x, t.sd)
}
