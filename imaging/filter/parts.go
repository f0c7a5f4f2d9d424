package filter

import (
	"math"
	"slices"

	"halsted/imaging"
	"halsted/internal/par"
)

// Parts holds the connected components of a mask (voxels that share a face).
type Parts struct {
	Of    []int32 // component of each voxel, from 1; 0 outside the mask
	Count []int   // voxels of component c at Count[c]
}

// Components numbers the components of m in the order of their first voxel.
func Components(g imaging.Grid, m Mask) *Parts { return piecesOf(g, m, true, byFaces).parts() }

// Largest is the number of the biggest component, the first of equals, or 0.
func (p *Parts) Largest() int32 {
	best := 0
	for c := 1; c < len(p.Count); c++ {
		if best == 0 || p.Count[c] > p.Count[best] {
			best = c
		}
	}
	return int32(best)
}

// Only is the mask of the components for which keep is true.
func (p *Parts) Only(keep func(c int32) bool) Mask {
	yes := make([]bool, len(p.Count))
	for c := 1; c < len(yes); c++ {
		yes[c] = keep(int32(c))
	}
	m := make(Mask, len(p.Of))
	par.Chunks(len(m), 1<<16, func(lo, hi int) {
		for n, c := range p.Of[lo:hi] {
			m[lo+n] = yes[c]
		}
	})
	return m
}

// LargestOf is the biggest component of m, the first of equals.
func LargestOf(g imaging.Grid, m Mask) Mask {
	out := make(Mask, len(m))
	p := piecesOf(g, m, true, byFaces)
	best := p.largest()
	p.add(out, func(piece int32) bool { return piece == best })
	return out
}

// Reach is the part of within connected to from (which it includes where the
// two overlap).
func Reach(g imaging.Grid, from, within Mask) Mask {
	out := make(Mask, len(within))
	p := piecesOf(g, within, true, byFaces)
	hit := p.meeting(from)
	p.add(out, func(piece int32) bool { return hit[piece] })
	return out
}

// Fill adds the holes of m: what no path outside m joins to the border of the
// grid.
func Fill(g imaging.Grid, m Mask) Mask { return filled(g, m, byFaces) }

// FillSlices adds the holes of each slice k, as seen in that slice alone.
func FillSlices(g imaging.Grid, m Mask) Mask { return filled(g, m, inSlices) }

func filled(g imaging.Grid, m Mask, how joint) Mask {
	out := slices.Clone(m)
	p := piecesOf(g, m, false, how)
	open := p.open(how.slices)
	p.add(out, func(piece int32) bool { return !open[piece] })
	return out
}

// Neighbours calls f for the voxels of g that share a face with n.
func Neighbours(g imaging.Grid, n int, f func(o int)) {
	i, j, k := g.IJK(n)
	nx, nxy := g.Size[0], g.Size[0]*g.Size[1]
	if i > 0 {
		f(n - 1)
	}
	if i < nx-1 {
		f(n + 1)
	}
	if j > 0 {
		f(n - nx)
	}
	if j < g.Size[1]-1 {
		f(n + nx)
	}
	if k > 0 {
		f(n - nxy)
	}
	if k < g.Size[2]-1 {
		f(n + nxy)
	}
}

// Spread grows the components of p into within, layer by layer across faces, for
// mm at most.
func (p *Parts) Spread(g imaging.Grid, within Mask, mm float64) {
	h := g.SpacingMM()
	steps := int(math.Ceil(mm / min(h[0], h[1], h[2])))
	var front, next []int
	for n, c := range p.Of {
		if c > 0 {
			front = append(front, n)
		}
	}
	for range steps {
		next = next[:0]
		for _, n := range front {
			Neighbours(g, n, func(o int) {
				if p.Of[o] == 0 && within[o] {
					p.Of[o] = p.Of[n]
					next = append(next, o)
				}
			})
		}
		front, next = next, front
	}
}
