package segment

import (
	"context"
	"errors"
	"slices"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/internal/par"
)

// mask is one bool per voxel of some grid.
type mask []bool

// where makes a mask of n voxels.
func where(n int, in func(n int) bool) mask {
	m := make(mask, n)
	par.Chunks(n, 1<<16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			m[i] = in(i)
		}
	})
	return m
}

func (m mask) count() int {
	n := 0
	for _, b := range m {
		if b {
			n++
		}
	}
	return n
}

// dilate adds every voxel within r mm of m (between centres).
func dilate(ctx context.Context, g imaging.Grid, m mask, r float64) (mask, error) {
	box := bounds(g, m)
	out := make(mask, len(m))
	if box.Empty() {
		return out, ctx.Err()
	}
	box = box.Grow(g, r).Clip(g)
	sub, in := g.Crop(box), cut(g, m, box)
	d, err := distance.Unsigned(ctx, sub, func(n int) bool { return in[n] })
	if err != nil {
		return nil, err
	}
	paste(g, out, box, func(n int) bool { return d[n] <= float32(r) })
	return out, nil
}

// erode keeps the voxels of m more than r mm from every voxel outside it. What
// lies beyond the grid does not erode: an organ cut by the first or last slice
// goes on there.
func erode(ctx context.Context, g imaging.Grid, m mask, r float64) (mask, error) {
	box := bounds(g, m)
	out := make(mask, len(m))
	if box.Empty() {
		return out, ctx.Err()
	}
	box = box.Grow(g, 0.5).Clip(g)
	sub, in := g.Crop(box), cut(g, m, box)
	d, err := distance.Unsigned(ctx, sub, func(n int) bool { return !in[n] })
	if errors.Is(err, distance.ErrEmptySet) {
		return slices.Clone(m), nil
	}
	if err != nil {
		return nil, err
	}
	paste(g, out, box, func(n int) bool { return d[n] > float32(r) })
	return out, nil
}

func bounds(g imaging.Grid, m mask) imaging.Box { return g.Bounds(func(n int) bool { return m[n] }) }

// cut copies the voxels of m in box, which lies inside g.
func cut(g imaging.Grid, m mask, box imaging.Box) mask {
	sub := g.Crop(box)
	out := make(mask, sub.Len())
	n := sub.Size[0]
	for k := range sub.Size[2] {
		for j := range sub.Size[1] {
			from := g.Index(box.Lo[0], box.Lo[1]+j, box.Lo[2]+k)
			copy(out[sub.Index(0, j, k):][:n], m[from:from+n])
		}
	}
	return out
}

// paste sets the voxels of m in box, which lies inside g, from f of their index
// in the crop.
func paste(g imaging.Grid, m mask, box imaging.Box, f func(n int) bool) {
	sub := g.Crop(box)
	n := 0
	for k := range sub.Size[2] {
		for j := range sub.Size[1] {
			to := g.Index(box.Lo[0], box.Lo[1]+j, box.Lo[2]+k)
			for i := range sub.Size[0] {
				m[to+i] = f(n)
				n++
			}
		}
	}
}

// parts holds the connected components of a mask (voxels that share a face).
type parts struct {
	of    []int32 // component of each voxel, from 1; 0 outside the mask
	count []int   // voxels of component c at count[c]
}

// components numbers the components of m in the order of their first voxel.
func components(g imaging.Grid, m mask) *parts {
	p := &parts{of: make([]int32, len(m)), count: []int{0}}
	nx, ny, nz := g.Size[0], g.Size[1], g.Size[2]
	var stack []int32
	for s, in := range m {
		if !in || p.of[s] != 0 {
			continue
		}
		id := int32(len(p.count))
		size := 0
		p.of[s] = id
		stack = append(stack[:0], int32(s))
		for len(stack) > 0 {
			n := int(stack[len(stack)-1])
			stack = stack[:len(stack)-1]
			size++
			i, j, k := g.IJK(n)
			push := func(ok bool, o int) {
				if ok && m[o] && p.of[o] == 0 {
					p.of[o] = id
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
		p.count = append(p.count, size)
	}
	return p
}

// largest is the number of the biggest component, the first of equals, or 0.
func (p *parts) largest() int32 {
	best := 0
	for c := 1; c < len(p.count); c++ {
		if best == 0 || p.count[c] > p.count[best] {
			best = c
		}
	}
	return int32(best)
}

// only is the mask of the components for which keep is true.
func (p *parts) only(keep func(c int32) bool) mask {
	yes := make([]bool, len(p.count))
	for c := 1; c < len(yes); c++ {
		yes[c] = keep(int32(c))
	}
	return where(len(p.of), func(n int) bool { return yes[p.of[n]] })
}

// largestOf is the biggest component of m.
func largestOf(g imaging.Grid, m mask) mask {
	p := components(g, m)
	best := p.largest()
	return p.only(func(c int32) bool { return c == best })
}

// reach is the part of within connected to from (which it includes where the
// two overlap).
func reach(g imaging.Grid, from, within mask) mask {
	p := components(g, within)
	hit := make([]bool, len(p.count))
	for n, in := range from {
		if in {
			hit[p.of[n]] = true
		}
	}
	return p.only(func(c int32) bool { return hit[c] })
}

// fill adds the holes of m: what no path outside m joins to the border of the
// grid.
func fill(g imaging.Grid, m mask) mask {
	p := components(g, where(len(m), func(n int) bool { return !m[n] }))
	open := make([]bool, len(p.count))
	for n, c := range p.of {
		i, j, k := g.IJK(n)
		if i == 0 || j == 0 || k == 0 || i == g.Size[0]-1 || j == g.Size[1]-1 || k == g.Size[2]-1 {
			open[c] = true
		}
	}
	return where(len(m), func(n int) bool { return m[n] || !open[p.of[n]] })
}

// fillSlices adds the holes of each slice k, as seen in that slice alone.
func fillSlices(g imaging.Grid, m mask) mask {
	out := make(mask, len(m))
	area := g.Size[0] * g.Size[1]
	slice := g
	slice.Size[2] = 1
	par.Chunks(g.Size[2], 1, func(lo, hi int) {
		s := m[lo*area : hi*area]
		p := components(slice, where(area, func(n int) bool { return !s[n] }))
		open := make([]bool, len(p.count))
		for n, c := range p.of {
			i, j, _ := slice.IJK(n)
			if i == 0 || j == 0 || i == g.Size[0]-1 || j == g.Size[1]-1 {
				open[c] = true
			}
		}
		for n, c := range p.of {
			out[lo*area+n] = s[n] || !open[c]
		}
	})
	return out
}
