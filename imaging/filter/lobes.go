package filter

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"halsted/imaging"
	"halsted/imaging/distance"
)

// Lobes parts m where it is narrow: a watershed of the depth below its border,
// flooded from the deepest voxels, in which two lobes that meet become one when
// the depth where they meet is at least neck (0 to 1) of the depth of the
// shallower one. Lobes are numbered from 1, the deepest first; what lies beyond
// the grid does not bound m. Voxels of equal depth are taken in storage order.
//
// Source: Vincent, Soille, Watersheds in digital spaces, IEEE TPAMI 13 (1991)
// 583, on the distance map; the rule of joining is relative to the depth.
func Lobes(ctx context.Context, g imaging.Grid, m Mask, neck float64) (*Parts, error) {
	depth, err := distance.Unsigned(ctx, g, func(n int) bool { return !m[n] })
	if errors.Is(err, distance.ErrEmptySet) { // m is the whole grid
		return Components(g, m), nil
	}
	if err != nil {
		return nil, err
	}
	var order []int
	for n, in := range m {
		if in {
			order = append(order, n)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(depth[b], depth[a]), cmp.Compare(a, b))
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &Parts{Of: make([]int32, len(m)), Count: []int{0}}
	f := flood{into: []int32{0}, peak: []float32{0}}
	for _, n := range order {
		p.Of[n] = f.take(g, p.Of, n, depth[n], float32(neck))
	}
	name := make([]int32, len(f.into))
	for c := 1; c < len(name); c++ { // lobes began in the order of their depth
		if f.root(int32(c)) == int32(c) {
			name[c] = int32(len(p.Count))
			p.Count = append(p.Count, 0)
		}
	}
	for _, n := range order {
		p.Of[n] = name[f.root(p.Of[n])]
		p.Count[p.Of[n]]++
	}
	return p, nil
}

// flood joins lobes as the water falls.
type flood struct {
	into []int32   // the lobe that a lobe has become part of, itself while it stands
	peak []float32 // depth of its deepest voxel, mm
}

func (f *flood) root(c int32) int32 {
	for f.into[c] != c {
		f.into[c] = f.into[f.into[c]]
		c = f.into[c]
	}
	return c
}

// take gives voxel n to the deepest lobe beside it, which may join others
// there, or begins a lobe.
func (f *flood) take(g imaging.Grid, of []int32, n int, depth, neck float32) int32 {
	best := int32(0)
	Neighbours(g, n, func(o int) {
		if of[o] == 0 {
			return
		}
		c := f.root(of[o])
		if best == 0 || c == best {
			best = c
			return
		}
		deep, shallow := min(best, c), max(best, c) // the deeper lobe began first
		if depth >= neck*f.peak[shallow] {
			f.into[shallow] = deep
		}
		best = deep
	})
	if best == 0 {
		best = int32(len(f.into))
		f.into, f.peak = append(f.into, best), append(f.peak, depth)
	}
	return best
}
