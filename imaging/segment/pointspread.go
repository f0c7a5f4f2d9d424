package segment

import (
	"math"

	"halsted/imaging/filter"
)

// The skin against air, from which the point spread is read: what lies within
// skinMM of either side of it, HU, and the part of its places that are as sharp.
// Skin that is slanted, clothed or moved looks wider than the point spread and
// never narrower, so the sharpest quarter is taken.
const (
	skinMM      = 6.0
	skinAirHU   = -900.0 // air, at most
	skinHU      = -200.0 // skin and what lies under it, at least
	skinEdgeHU  = -500.0
	skinQuarter = 4
	fewSkin     = 100
	skinSlices  = 40
	skinEvery   = 2 // rows
)

// pointSpread is the deviation of the point spread of the scan within its slices,
// mm: the jump from air to skin over the steepest rise across it. It is false
// where the scan shows too little skin.
func (w *work) pointSpread() (float64, bool) {
	g := w.v.Grid
	h := g.SpacingMM()
	var x []float32
	for k := 0; k < g.Size[2]; k += max(1, g.Size[2]/skinSlices) {
		at := func(i, j int) float64 { return float64(w.v.Data[g.Index(i, j, k)]) }
		for i := 1; i < g.Size[0]-1; i += skinEvery {
			x = skinEdges(x, g.Size[1], h[1], h[0], func(along, across int) float64 { return at(i+across, along) })
		}
		for j := 1; j < g.Size[1]-1; j += skinEvery {
			x = skinEdges(x, g.Size[0], h[0], h[1], func(along, across int) float64 { return at(along, j+across) })
		}
	}
	if len(x) < fewSkin {
		return 0, false
	}
	return float64(filter.Ranked(x, len(x)/skinQuarter)), true
}

// skinEdges appends the deviations of the first clean passage from air to skin
// from either end of a line: of size voxels h mm apart, of which value gives one
// and those beside it, side mm apart.
func skinEdges(out []float32, size int, h, side float64, value func(along, across int) float64) []float32 {
	deep := int(math.Ceil(skinMM / h))
	for _, back := range [2]bool{false, true} {
		at := func(n, across int) float64 {
			if back {
				n = size - 1 - n
			}
			return value(n, across)
		}
		for n := deep; n+deep+1 < size; n++ {
			if at(n, 0) >= skinEdgeHU || at(n+1, 0) < skinEdgeHU {
				continue
			}
			air, skin, clean := 0.0, 0.0, true
			for d := 2; d <= deep && clean; d++ {
				a, b := at(n-d, 0), at(n+1+d, 0)
				air, skin, clean = air+a, skin+b, a <= skinAirHU && b >= skinHU
			}
			if !clean {
				continue
			}
			along := (at(n+1, 0) - at(n, 0)) / h
			across := (at(n, 1) + at(n+1, 1) - at(n, -1) - at(n+1, -1)) / (4 * side)
			jump := (skin - air) / float64(deep-1)
			out = append(out, float32(jump/math.Hypot(along, across)/math.Sqrt(2*math.Pi)))
			break
		}
	}
	return out
}
