package filter

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"unsafe"

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

// raw is m as bytes, 1 for true, which the machine searches and counts many at
// a time.
func raw(m Mask) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(m))), len(m)) }

// Count is the number of voxels in m.
func (m Mask) Count() int { return bytes.Count(raw(m), []byte{1}) }

// Dilate adds every voxel within r mm of m (between centres).
func Dilate(ctx context.Context, g imaging.Grid, m Mask, r float64) (Mask, error) {
	box := Bounds(g, m)
	out := make(Mask, len(m))
	if box.Empty() {
		return out, ctx.Err()
	}
	box = box.Grow(g, r).Clip(g)
	return out, nearer(ctx, g, m, box, r, true, out)
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
	err := nearer(ctx, g, m, box, r, false, out)
	if errors.Is(err, distance.ErrEmptySet) {
		return slices.Clone(m), nil
	}
	return out, err
}

// nearer writes to out, for the voxels of box, whether one n with m[n] == in
// lies within r mm (in is true) or none does (in is false). It returns
// distance.ErrEmptySet when there is none in box.
func nearer(ctx context.Context, g imaging.Grid, m Mask, box imaging.Box, r float64, in bool, out Mask) error {
	sub := g.Crop(box)
	if err := sub.Validate(); err != nil {
		return err
	}
	if o := ballOf(sub, r); len(o.width) > 0 && o.lines <= mostLines {
		b := packed(g, m, box, in)
		if b.empty() {
			return distance.ErrEmptySet
		}
		b, err := b.dilated(ctx, o)
		if err != nil {
			return err
		}
		b.unpack(g, out, box, in)
		return ctx.Err()
	}
	cut := Cut(g, m, box)
	d, err := distance.Unsigned(ctx, sub, func(n int) bool { return cut[n] == in })
	if err != nil {
		return err
	}
	Paste(g, out, box, func(n int) bool { return d[n] <= float32(r) == in })
	return nil
}

// Bounds is the smallest box that holds m; empty when m is.
func Bounds(g imaging.Grid, m Mask) imaging.Box {
	nx, ny := g.Size[0], g.Size[1]
	part := make([]imaging.Box, g.Size[2])
	par.Chunks(g.Size[2], 1, func(k, _ int) {
		b := imaging.Box{Lo: g.Size}
		for j := range ny {
			r := raw(m[nx*(j+ny*k):][:nx])
			first := bytes.IndexByte(r, 1)
			if first < 0 {
				continue
			}
			last := bytes.LastIndexByte(r, 1)
			b.Lo = [3]int{min(b.Lo[0], first), min(b.Lo[1], j), k}
			b.Hi = [3]int{max(b.Hi[0], last+1), j + 1, k + 1}
		}
		part[k] = b
	})
	b := imaging.Box{Lo: g.Size}
	for _, p := range part {
		for a := range b.Lo {
			b.Lo[a], b.Hi[a] = min(b.Lo[a], p.Lo[a]), max(b.Hi[a], p.Hi[a])
		}
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
// in the crop. f is called concurrently.
func Paste(g imaging.Grid, m Mask, box imaging.Box, f func(n int) bool) {
	size := box.Size()
	par.Chunks(size[1]*size[2], 64, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			to, n := g.Index(box.Lo[0], box.Lo[1]+r%size[1], box.Lo[2]+r/size[1]), r*size[0]
			for i := range size[0] {
				m[to+i] = f(n + i)
			}
		}
	})
}
