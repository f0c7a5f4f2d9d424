package segment

import (
	"context"
	"math"

	"halsted/imaging"
)

// paint gives each vessel voxel of the full grid the system with the cheaper
// path, and returns which share of each system has a path to its own root that
// costs less than half of the other's, and how large it is.
func (y *systems) paint(ctx context.Context, cost [2][]float32) (sure, ml [2]float64, err error) {
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
	err = eachIn(ctx, out.Grid, y.box, y.c, func(n, o int) {
		if out.Bits[n]&any != 0 {
			out.Bits[n] = out.Bits[n]&^any | bits[y.systemAt(of, o)]
		}
	})
	if err != nil {
		return sure, ml, err
	}
	for n := range sure {
		if all[n] > 0 {
			sure[n] /= all[n]
		}
		ml[n] = all[n] * g.VoxelMM3() / 1000
	}
	return sure, ml, nil
}

// systemAt is the system of a working voxel, or of the nearest of the 26 around
// it when it is not of a vessel.
func (y *systems) systemAt(of []int8, o int) int8 {
	g := y.c.Grid
	if y.vessel[o] {
		return of[o]
	}
	i, j, k := g.IJK(o)
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
