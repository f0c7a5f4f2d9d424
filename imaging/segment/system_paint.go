package segment

import (
	"math"

	"halsted/imaging"
	"halsted/internal/par"
)

// paint gives each vessel voxel of the full grid the system with the cheaper
// path, and returns which share of each system has a path to its own root that
// costs less than half of the other's, and how large it is.
func (y *systems) paint(cost [2][]float32) (sure, ml [2]float64) {
	out := y.w.out
	bits := [3]uint32{bitOf(out, vesselSystems[0]), bitOf(out, vesselSystems[1]), bitOf(out, imaging.LabelVessel)}
	any, g := bits[0]|bits[1]|bits[2], y.c.Grid
	of := make([]int8, g.Len())
	var all [2]float64
	for n := range of {
		a, b := float64(cost[0][n]), float64(cost[1][n])
		switch {
		case math.IsInf(a, 1) && math.IsInf(b, 1):
			of[n] = 2
			continue
		case b < a:
			of[n] = 1
		}
		all[of[n]]++
		if min(a, b) <= max(a, b)/2 {
			sure[of[n]]++
		}
	}
	box := y.box
	par.Chunks(box.Hi[2]-box.Lo[2], 1, func(slice, _ int) {
		k := box.Lo[2] + slice
		for j := box.Lo[1]; j < box.Hi[1]; j++ {
			for i := box.Lo[0]; i < box.Hi[0]; i++ {
				n := out.Grid.Index(i, j, k)
				if out.Bits[n]&any == 0 {
					continue
				}
				out.Bits[n] = out.Bits[n]&^any | bits[y.systemAt(of, (i-box.Lo[0])/y.c.Block[0], (j-box.Lo[1])/y.c.Block[1], (k-box.Lo[2])/y.c.Block[2])]
			}
		}
	})
	for n := range sure {
		if all[n] > 0 {
			sure[n] /= all[n]
		}
		ml[n] = all[n] * g.VoxelMM3() / 1000
	}
	return sure, ml
}

// systemAt is the system of a working voxel, or of the nearest of the 26 around
// it when it is not of a vessel.
func (y *systems) systemAt(of []int8, i, j, k int) int8 {
	g := y.c.Grid
	if n := g.Index(i, j, k); y.vessel[n] {
		return of[n]
	}
	best, least := int8(2), 4
	for s := range 27 {
		a, b, c := s%3-1, s/3%3-1, s/9-1
		if !g.Contains(i+a, j+b, k+c) {
			continue
		}
		if n := g.Index(i+a, j+b, k+c); y.vessel[n] && of[n] < 2 && a*a+b*b+c*c < least {
			best, least = of[n], a*a+b*b+c*c
		}
	}
	return best
}
