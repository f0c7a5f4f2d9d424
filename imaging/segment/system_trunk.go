package segment

import (
	"context"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// The trunk of the portal vein goes on from the liver to the spleen and the bowel,
// at least trunkMM away from the vena cava, while a mouth of a hepatic vein ends
// at it; and it lies below the mouths.
const trunkMM = 20.0

// trunks says which pieces p of blood outside are the trunk of the portal vein:
// those that go on away from the vena cava for MinML or more, and on the whole lie
// lower than the vessels that join it. The heart goes away from it too, above
// them.
func (y *systems) trunks(ctx context.Context, p *filter.Parts, joins filter.Mask) ([]bool, error) {
	g := y.c.Grid
	near, err := filter.Dilate(ctx, g, y.vena, trunkMM)
	if err != nil {
		return nil, err
	}
	away, height := make([]float64, len(p.Count)), make([]float64, len(p.Count))
	for n, c := range p.Of {
		if c > 0 {
			_, _, k := g.IJK(n)
			height[c] += float64(k)
			if !near[n] {
				away[c]++
			}
		}
	}
	_, mouths := y.meanHeight(joins)
	is := make([]bool, len(p.Count))
	for c := 1; c < len(is); c++ {
		is[c] = away[c]*g.VoxelMM3()/1000 >= y.s.MinML && height[c] < mouths*float64(p.Count[c])
	}
	return is, nil
}

// meanHeight is how many voxels m has and the mean of their slices.
func (y *systems) meanHeight(m filter.Mask) (count, k float64) {
	for n, in := range m {
		if in {
			_, _, z := y.c.Grid.IJK(n)
			count, k = count+1, k+float64(z)
		}
	}
	return count, k / max(count, 1)
}

// passing moves from joins to passed the pieces of which at least half lie beside
// the trunk (at), below the rest, and reports whether there are any: there the
// portal vein passes against the wall of the vena cava and joins nothing. One piece
// always stays.
func (y *systems) passing(joins, passed, at filter.Mask) (any bool) {
	g := y.c.Grid
	p := filter.Components(g, joins)
	beside, height := make([]int, len(p.Count)), make([]float64, len(p.Count))
	for n, c := range p.Of {
		if c > 0 {
			_, _, k := g.IJK(n)
			height[c] += float64(k)
			if at[n] {
				beside[c]++
			}
		}
	}
	rest, sum := 0, 0.0
	drop := make([]bool, len(p.Count))
	for c := 1; c < len(drop); c++ {
		if drop[c] = 2*beside[c] >= p.Count[c]; !drop[c] {
			rest, sum = rest+p.Count[c], sum+height[c]
		}
	}
	if rest == 0 {
		return false
	}
	for n, c := range p.Of {
		if drop[c] && height[c]/float64(p.Count[c]) < sum/float64(rest) {
			joins[n], passed[n], any = false, true, true
		}
	}
	return any
}

// paintTrunk gives the portal vein its trunk outside the liver, as far as ReachMM
// along the blood from where it leaves the liver: without it the right and the
// left branch are two trees.
func (y *systems) paintTrunk(ctx context.Context) error {
	if y.trunk.Count() == 0 || y.leaves.Count() == 0 {
		return ctx.Err()
	}
	w, g, out := y.w, y.c.Grid, y.w.out
	way := filter.Where(g.Len(), func(n int) bool { return y.trunk[n] || y.leaves[n] || y.beside[n] && !y.other[n] })
	far, err := filter.PathCost(ctx, g, way, y.leaves, func(int) float32 { return 1 })
	if err != nil {
		return err
	}
	m := filter.Where(g.Len(), func(n int) bool { return y.trunk[n] && float64(far[n]) <= y.s.ReachMM })
	if m, err = filter.Dilate(ctx, g, m, y.s.WorkMM); err != nil {
		return err
	}
	if err := w.show("portal trunk", g, m); err != nil {
		return err
	}
	bit, taken := bitOf(out, imaging.LabelPortalVein), uint32(0)
	for _, l := range out.Of {
		if l != imaging.LabelBody && l != imaging.LabelLiver {
			taken |= out.Bit(l)
		}
	}
	return eachIn(ctx, out.Grid, y.box, y.c, func(n, o int) {
		if m[o] && out.Bits[n]&taken == 0 && w.mean9(n) > float64(y.low) {
			out.Bits[n] |= bit
		}
	})
}
