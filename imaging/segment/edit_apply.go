package segment

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// apply makes an edit that Validate has passed. On an error s is as it was.
func (e Edit) apply(ctx context.Context, v *imaging.Volume, s *imaging.Segments) (*Patch, error) {
	l, err := imaging.ParseLabel(e.Label)
	if err != nil {
		return nil, err
	}
	if e.Do != EditPaint && s.Bit(l) == 0 {
		return nil, &NotFoundError{l, "the masks do not hold it; paint it with a brush first"}
	}
	switch e.Do {
	case EditRefine:
		p, _, err := Refine(ctx, v, s, Refinement{l, vectors(e.Inside), vectors(e.Outside), e.ReachMM})
		return p, err
	case EditPaint, EditErase:
		return brush(s, l, vectors(e.Path), e.RadiusMM, e.Do == EditPaint)
	case EditRelabel:
		to, err := imaging.ParseLabel(e.To)
		if err != nil {
			return nil, err
		}
		return relabel(ctx, s, l, to, vectors(e.Path))
	case EditFill:
		return fill(ctx, s, l)
	}
	return nil, fmt.Errorf("segment: there is no edit %q", e.Do)
}

// brush adds or takes away the voxels whose centres lie within radius of the
// line through the points, and the voxel that holds each point. It adds nothing
// outside the body.
func brush(s *imaging.Segments, l imaging.Label, path []r3.Vec, radiusMM float64, add bool) (*Patch, error) {
	g := s.Grid
	for n, p := range path {
		if _, ok := voxelAt(g, p); !ok {
			return nil, &PointError{Path: true, Number: n + 1, LPS: p, Value: math.NaN(), Why: beyond(g)}
		}
	}
	p := &Patch{}
	bit, ok := p.open(s, l)
	if !ok {
		return nil, fmt.Errorf("segment: no bit is left for %v among 32 structures", l)
	}
	body := uint32(0)
	if l != imaging.LabelBody {
		body = s.Bit(imaging.LabelBody)
	}
	may := func(n int) bool { return !add || body == 0 || s.Bits[n]&body != 0 }
	h := g.SpacingMM()
	for n, b := range path {
		a := b
		if n > 0 {
			a = path[n-1]
		}
		if at, _ := voxelAt(g, b); may(at) {
			p.put(s, at, bit, add)
		}
		ab := r3.Sub(b, a)
		long := r3.Norm2(ab)
		box := imaging.Box{Lo: g.Size}
		for _, q := range [2]r3.Vec{a, b} {
			x, y, z := g.Voxel(q)
			for c, u := range [3]float64{x, y, z} {
				// the ball spans as many voxels along an axis, also of an oblique grid
				box.Lo[c] = min(box.Lo[c], int(math.Floor(u-radiusMM/h[c]))-1)
				box.Hi[c] = max(box.Hi[c], int(math.Ceil(u+radiusMM/h[c]))+2)
			}
		}
		box = box.Clip(g)
		for k := box.Lo[2]; k < box.Hi[2]; k++ {
			for j := box.Lo[1]; j < box.Hi[1]; j++ {
				for i := box.Lo[0]; i < box.Hi[0]; i++ {
					q := g.Point(float64(i), float64(j), float64(k))
					t := 0.0
					if long > 0 {
						t = min(max(r3.Dot(r3.Sub(q, a), ab)/long, 0), 1)
					}
					if at := g.Index(i, j, k); r3.Norm2(r3.Sub(q, r3.Add(a, r3.Scale(t, ab)))) <= radiusMM*radiusMM && may(at) {
						p.put(s, at, bit, add)
					}
				}
			}
		}
	}
	return p, nil
}

// relabel turns the pieces of l that the points lie in into to; without points
// all of l.
func relabel(ctx context.Context, s *imaging.Segments, l, to imaging.Label, points []r3.Vec) (*Patch, error) {
	g, from := s.Grid, s.Bit(l)
	box := g.Bounds(func(n int) bool { return s.Bits[n]&from != 0 })
	crop := g.Crop(box)
	whole := func(n int) int {
		i, j, k := crop.IJK(n)
		return g.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2])
	}
	m := filter.Where(crop.Len(), func(n int) bool { return s.Bits[whole(n)]&from != 0 })
	if len(points) > 0 {
		at := make(filter.Mask, len(m))
		for n, q := range points {
			v, ok := voxelAt(g, q)
			if !ok || s.Bits[v]&from == 0 {
				return nil, &PointError{Path: true, Number: n + 1, LPS: q, Value: math.NaN(), Why: fmt.Sprintf("does not lie in %v", l)}
			}
			i, j, k := g.IJK(v)
			at[crop.Index(i-box.Lo[0], j-box.Lo[1], k-box.Lo[2])] = true
		}
		m = filter.Reach(crop, at, m)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &Patch{}
	bit, ok := p.open(s, to)
	if !ok {
		return nil, fmt.Errorf("segment: no bit is left for %v among 32 structures", to)
	}
	for n, in := range m {
		if in {
			w := whole(n)
			p.Removed++
			p.set(s, w, s.Bits[w]&^from|bit)
		}
	}
	return p, nil
}

// fill adds the holes of l: what no path of voxels outside l joins to the border
// of its box.
func fill(ctx context.Context, s *imaging.Segments, l imaging.Label) (*Patch, error) {
	g, bit := s.Grid, s.Bit(l)
	box := g.Bounds(func(n int) bool { return s.Bits[n]&bit != 0 })
	p := &Patch{}
	if box.Empty() {
		return p, ctx.Err()
	}
	crop := g.Crop(box)
	whole := func(n int) int {
		i, j, k := crop.IJK(n)
		return g.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2])
	}
	m := filter.Fill(crop, filter.Where(crop.Len(), func(n int) bool { return s.Bits[whole(n)]&bit != 0 }))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for n, in := range m {
		if in {
			p.put(s, whole(n), bit, true)
		}
	}
	return p, nil
}
