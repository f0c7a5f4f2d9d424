package filter

import (
	"context"
	"errors"
	"slices"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/internal/par"
)

// Mask is one bool per voxel of some grid.
type Mask []bool

// Where makes a mask of n voxels.
func Where(n int, in func(n int) bool) Mask {
	m := make(Mask, n)
	par.Chunks(n, 1<<16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			m[i] = in(i)
		}
	})
	return m
}

// Count is the number of voxels in m.
func (m Mask) Count() int {
	n := 0
	for _, b := range m {
		if b {
			n++
		}
	}
	return n
}

// Dilate adds every voxel within r mm of m (between centres).
func Dilate(ctx context.Context, g imaging.Grid, m Mask, r float64) (Mask, error) {
	box := Bounds(g, m)
	out := make(Mask, len(m))
	if box.Empty() {
		return out, ctx.Err()
	}
	box = box.Grow(g, r).Clip(g)
	sub, in := g.Crop(box), Cut(g, m, box)
	d, err := distance.Unsigned(ctx, sub, func(n int) bool { return in[n] })
	if err != nil {
		return nil, err
	}
	Paste(g, out, box, func(n int) bool { return d[n] <= float32(r) })
	return out, nil
}

// Erode keeps the voxels of m more than r mm from every voxel outside it. What
// lies beyond the grid does not erode: an organ cut by the first or last slice
// goes on there.
func Erode(ctx context.Context, g imaging.Grid, m Mask, r float64) (Mask, error) {
	box := Bounds(g, m)
	out := make(Mask, len(m))
	if box.Empty() {
		return out, ctx.Err()
	}
	box = box.Grow(g, 0.5).Clip(g)
	sub, in := g.Crop(box), Cut(g, m, box)
	d, err := distance.Unsigned(ctx, sub, func(n int) bool { return !in[n] })
	if errors.Is(err, distance.ErrEmptySet) {
		return slices.Clone(m), nil
	}
	if err != nil {
		return nil, err
	}
	Paste(g, out, box, func(n int) bool { return d[n] > float32(r) })
	return out, nil
}

// Bounds is the smallest box that holds m; empty when m is.
func Bounds(g imaging.Grid, m Mask) imaging.Box {
	b := imaging.Box{Lo: g.Size}
	nx := g.Size[0]
	for row := range g.Size[1] * g.Size[2] {
		r := m[row*nx:][:nx]
		first := slices.Index(r, true)
		if first < 0 {
			continue
		}
		last := nx - 1
		for !r[last] {
			last--
		}
		j, k := row%g.Size[1], row/g.Size[1]
		b.Lo = [3]int{min(b.Lo[0], first), min(b.Lo[1], j), min(b.Lo[2], k)}
		b.Hi = [3]int{max(b.Hi[0], last+1), max(b.Hi[1], j+1), max(b.Hi[2], k+1)}
	}
	if b.Hi == [3]int{} {
		return imaging.Box{}
	}
	return b
}

// Cut copies the voxels of m in box, which lies inside g.
func Cut(g imaging.Grid, m Mask, box imaging.Box) Mask {
	sub := g.Crop(box)
	out := make(Mask, sub.Len())
	n := sub.Size[0]
	for k := range sub.Size[2] {
		for j := range sub.Size[1] {
			from := g.Index(box.Lo[0], box.Lo[1]+j, box.Lo[2]+k)
			copy(out[sub.Index(0, j, k):][:n], m[from:from+n])
		}
	}
	return out
}

// Paste sets the voxels of m in box, which lies inside g, from f of their index
// in the crop.
func Paste(g imaging.Grid, m Mask, box imaging.Box, f func(n int) bool) {
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
