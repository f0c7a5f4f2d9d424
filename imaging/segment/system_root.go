package segment

import (
	"context"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// roots are the vessel voxels where each system begins: at its seeds, or where
// it leaves the liver.
func (y *systems) roots(ctx context.Context) (root [2]filter.Mask, seeded [2]bool, err error) {
	g := y.c.Grid
	for n, l := range vesselSystems {
		root[n] = make(filter.Mask, g.Len())
		for _, at := range y.w.seeds(l) {
			v, mm := nearest(g, y.vessel, at)
			if v < 0 || mm > seedToVesselMM {
				y.w.rep.note("the %s seed at %.0f,%.0f,%.0f mm has no vessel within %d mm and was not used", l.Words(), at.X, at.Y, at.Z, seedToVesselMM)
				continue
			}
			root[n][v], seeded[n] = true, true
		}
	}
	if y.vena == nil {
		return root, seeded, ctx.Err()
	}
	portal, joins, err := y.exits(ctx)
	if err != nil {
		return root, seeded, err
	}
	for n, found := range []filter.Mask{portal, joins} {
		if !seeded[n] {
			// a seed says more than a place
			for v := range found {
				root[n][v] = found[v] && !root[1-n][v]
			}
		}
	}
	return root, seeded, ctx.Err()
}

// exits looks for the mouths of the hepatic veins, joins, and for where the
// portal vein goes on at the hilum: for blood outside the liver that goes on from
// its vessels, nearer the vessels' value than the liver's. The portal vein passes
// within millimetres of the vena cava and of the renal veins, so what tells is not
// where the blood lies but how far one must go in it: within 2·CavaMM of the vena
// cava a vessel joins it, unless the blood goes on to the bowel. Of the rest, what
// touches the most vessel, and the thickest, is the portal vein, and so is what
// passes the vena cava and goes on.
func (y *systems) exits(ctx context.Context) (portal, joins filter.Mask, err error) {
	g := y.c.Grid
	portal = make(filter.Mask, g.Len())
	soft, err := filter.BoxMean(ctx, g, y.c.HU, [3]int{1, 1, 1})
	if err != nil {
		return nil, nil, err
	}
	blood, liver := y.values(soft)
	low, high := float32((liver+blood)/2), float32(2*blood-liver)
	bright := filter.Where(g.Len(), func(n int) bool { return soft[n] > low && soft[n] < high && !y.other[n] })
	if joins, err = y.joins(ctx, bright); err != nil || !(blood > liver) {
		return portal, joins, err
	}
	outside, err := y.outside(ctx, bright)
	if err != nil {
		return nil, nil, err
	}
	far, err := filter.PathCost(ctx, g, filter.Where(g.Len(), func(n int) bool { return outside[n] || y.vessel[n] }),
		filter.Where(g.Len(), func(n int) bool { return outside[n] && y.touch[n] }), func(int) float32 { return 1 })
	if err != nil {
		return nil, nil, err
	}
	p := filter.Components(g, outside)
	meets := make([]bool, len(p.Count))
	for n, c := range p.Of {
		meets[c] = meets[c] || y.beside[n]
	}
	trunk, err := y.trunks(ctx, p, joins)
	if err != nil {
		return nil, nil, err
	}
	most, passed, widest := 0.0, make(filter.Mask, g.Len()), 0
	for c := 1; c < len(p.Count); c++ {
		if ml := float64(p.Count[c]) * g.VoxelMM3() / 1000; !meets[c] || ml < y.s.MinML {
			continue
		}
		at, err := filter.Dilate(ctx, g, filter.Where(g.Len(), func(n int) bool { return p.Of[n] == int32(c) }), y.s.GapMM)
		if err != nil {
			return nil, nil, err
		}
		passes := trunk[c] && y.passing(joins, passed, at)
		much := 0.0
		for n := range at {
			joins[n] = joins[n] || at[n] && y.vessel[n] && !trunk[c] && float64(far[n]) <= 2*y.s.CavaMM
			if at[n] = at[n] && y.vessel[n] && !joins[n]; at[n] {
				much += float64(y.wide[n])
				passed[n] = passed[n] || passes
			}
		}
		if much > most {
			most, portal, widest = much, at, c
		}
		trunk[c] = passes
	}
	trunk[widest] = widest > 0
	y.trunk, y.low = p.Only(func(c int32) bool { return trunk[c] }), low
	for n := range portal {
		portal[n] = (portal[n] || passed[n]) && !joins[n]
	}
	y.leaves = portal
	return portal, joins, nil
}

// joins are the vessel voxels that blood within CavaMM leads to from the vena
// cava; where there are none, since its blood is too dark there, those that lie
// within CavaMM of it.
func (y *systems) joins(ctx context.Context, bright filter.Mask) (filter.Mask, error) {
	g := y.c.Grid
	way, err := filter.PathCost(ctx, g, filter.Where(g.Len(), func(n int) bool { return y.vena[n] || y.cava[n] && (bright[n] || y.vessel[n]) }), y.vena, func(int) float32 { return 1 })
	if err != nil {
		return nil, err
	}
	m := filter.Where(g.Len(), func(n int) bool { return y.vessel[n] && float64(way[n]) <= y.s.CavaMM })
	if m.Count() == 0 {
		m = filter.Where(g.Len(), func(n int) bool { return y.vessel[n] && y.cava[n] })
	}
	return m, nil
}

// outside is the blood near the liver but not in it: up to ReachMM away, and in
// its rim. Single voxels are noise.
func (y *systems) outside(ctx context.Context, bright filter.Mask) (filter.Mask, error) {
	g, h := y.c.Grid, y.c.Grid.SpacingMM()
	rim, err := filter.Dilate(ctx, g, filter.Where(g.Len(), func(n int) bool { return !y.liver[n] }), below(y.s.RimMM))
	if err != nil {
		return nil, err
	}
	near, err := filter.Dilate(ctx, g, y.liver, below(y.s.ReachMM))
	if err != nil {
		return nil, err
	}
	m := filter.Where(g.Len(), func(n int) bool { return bright[n] && !y.vessel[n] && near[n] && rim[n] })
	one := max(h[0], h[1], h[2])
	if m, err = filter.Erode(ctx, g, m, one); err != nil {
		return nil, err
	}
	if m, err = filter.Dilate(ctx, g, m, one); err != nil {
		return nil, err
	}
	return m, y.w.show("blood outside", g, m)
}

// wideMM is the distance from its wall at which a vessel has the value of its
// blood: nearer, partial volume lowers it.
const wideMM = 2.0

// values are the value of blood, which nine tenths of the voxels inside the
// vessels do not exceed, and the mean of the liver away from them, in HU. soft
// is the image over 3×3×3 voxels.
func (y *systems) values(soft []float32) (blood, liver float64) {
	var in, all []float32
	var sum, count float64
	for n, hu := range soft {
		switch {
		case y.vessel[n]:
			if all = append(all, hu); y.wide[n] >= wideMM {
				in = append(in, hu)
			}
		case y.liver[n] && !y.beside[n]:
			sum, count = sum+float64(y.c.HU[n]), count+1
		}
	}
	if len(in) == 0 {
		in = all
	}
	if len(in) == 0 || count == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(in)
	return float64(in[len(in)*9/10]), sum / count
}

// resistance is that of a vessel as wide as the ball that fits around the voxel,
// per length (Poiseuille), up to a factor.
func (y *systems) resistance(n int) float32 {
	r := y.wide[n] * y.wide[n]
	return 1 / (r * r)
}

// leastSystem is the least part that one system of veins may have of the volume
// of the other: each drains or feeds the whole of the liver.
const leastSystem = 0.25

// implausible lowers the confidence in system l where the other has no root,
// where one is far smaller than the other and where the portal vein is rooted
// above the mouths of the hepatic veins: the hilum lies at the liver's lower
// face, the mouths below the diaphragm.
func (y *systems) implausible(l imaging.Label, root [2]filter.Mask, ml [2]float64, d *doubts) {
	for n, other := range vesselSystems {
		if other != l && root[n].Count() == 0 {
			d.lower(0.3, "the %s has no root: its vessels are named %s too", other.Words(), l.Words())
			return
		}
	}
	if part := min(ml[0], ml[1]) / max(ml[0], ml[1]); part < leastSystem {
		d.lower(part/leastSystem, "portal veins of %.1f ml and hepatic veins of %.1f ml: each runs through the whole liver, at least %.2f of the other's volume is usual", ml[0], ml[1], leastSystem)
	}
	var mm [2]float64
	for n, m := range root {
		count := 0.0
		for v, in := range m {
			if in {
				_, _, k := y.c.Grid.IJK(v)
				mm[n], count = mm[n]+float64(k)*y.c.Grid.SpacingMM()[2], count+1
			}
		}
		mm[n] /= count
	}
	if mm[0] >= mm[1] {
		d.lower(0.5, "the portal vein is rooted %.0f mm above the mouths of the hepatic veins, not below them", mm[0]-mm[1])
	}
}
