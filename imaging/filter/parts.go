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
func Components(g imaging.Grid, m Mask) *Parts {
	p := &Parts{Of: make([]int32, len(m)), Count: []int{0}}
	nx, ny, nz := g.Size[0], g.Size[1], g.Size[2]
	var stack []int32
	for s, in := range m {
		if !in || p.Of[s] != 0 {
			continue
		}
		id := int32(len(p.Count))
		size := 0
		p.Of[s] = id
		stack = append(stack[:0], int32(s))
		for len(stack) > 0 {
			n := int(stack[len(stack)-1])
			stack = stack[:len(stack)-1]
			size++
			i, j, k := g.IJK(n)
			push := func(ok bool, o int) {
				if ok && m[o] && p.Of[o] == 0 {
					p.Of[o] = id
					stack = append(stack, int32(o))
				}
			}
			push(i > 0, n-1)
			push(i < nx-1, n+1)
			push(j > 0, n-nx)
			push(j < ny-1, n+nx)
			push(k > 0, n-nx*ny)
			push(k < nz-1, n+nx*ny)
		}
		p.Count = append(p.Count, size)
	}
	return p
}

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
	return Where(len(p.Of), func(n int) bool { return yes[p.Of[n]] })
}

// LargestOf is the biggest component of m.
func LargestOf(g imaging.Grid, m Mask) Mask {
	p := Components(g, m)
	best := p.Largest()
	return p.Only(func(c int32) bool { return c == best })
}

// Reach is the part of within connected to from (which it includes where the
// two overlap).
func Reach(g imaging.Grid, from, within Mask) Mask {
	p := Components(g, within)
	hit := make([]bool, len(p.Count))
	for n, in := range from {
		if in {
			hit[p.Of[n]] = true
		}
	}
	return p.Only(func(c int32) bool { return hit[c] })
}

// Fill adds the holes of m: what no path outside m joins to the border of the
// grid.
func Fill(g imaging.Grid, m Mask) Mask {
	out := slices.Clone(m)
	box := Bounds(g, m)
	if box.Empty() {
		return out
	}
	// one voxel around m joins all that is open there
	for a, n := range g.Size {
		box.Lo[a], box.Hi[a] = max(0, box.Lo[a]-1), min(n, box.Hi[a]+1)
	}
	sub, in := g.Crop(box), Cut(g, m, box)
	p := Components(sub, Where(len(in), func(n int) bool { return !in[n] }))
	open := make([]bool, len(p.Count))
	for n, c := range p.Of {
		i, j, k := sub.IJK(n)
		if i == 0 || j == 0 || k == 0 || i == sub.Size[0]-1 || j == sub.Size[1]-1 || k == sub.Size[2]-1 {
			open[c] = true
		}
	}
	Paste(g, out, box, func(n int) bool { return in[n] || !open[p.Of[n]] })
	return out
}

// FillSlices adds the holes of each slice k, as seen in that slice alone.
func FillSlices(g imaging.Grid, m Mask) Mask {
	out := make(Mask, len(m))
	area := g.Size[0] * g.Size[1]
	slice := g
	slice.Size[2] = 1
	par.Chunks(g.Size[2], 1, func(lo, hi int) {
		s := m[lo*area : hi*area]
		p := Components(slice, Where(area, func(n int) bool { return !s[n] }))
		open := make([]bool, len(p.Count))
		for n, c := range p.Of {
			i, j, _ := slice.IJK(n)
			if i == 0 || j == 0 || i == g.Size[0]-1 || j == g.Size[1]-1 {
				open[c] = true
			}
		}
		for n, c := range p.Of {
			out[lo*area+n] = s[n] || !open[c]
		}
	})
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
