package imaging

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Box is a block of voxel indices, Lo inclusive to Hi exclusive. It may reach
// outside a grid: a crop with a margin around an organ that the scan cuts off
// still needs the layer of voxels beyond the last slice.
type Box struct{ Lo, Hi [3]int }

// Size is the number of voxels along each side; 0 where the box is empty.
func (b Box) Size() [3]int {
	var s [3]int
	for a := range s {
		s[a] = max(0, b.Hi[a]-b.Lo[a])
	}
	return s
}

// Empty reports whether b holds no voxel.
func (b Box) Empty() bool { s := b.Size(); return s[0] == 0 || s[1] == 0 || s[2] == 0 }

// Clip is the part of b inside g.
func (b Box) Clip(g Grid) Box {
	for a := range b.Lo {
		b.Lo[a] = min(max(b.Lo[a], 0), g.Size[a])
		b.Hi[a] = min(max(b.Hi[a], 0), g.Size[a])
	}
	return b
}

// Grow adds at least marginMM of voxels of g on each side, also beyond the
// grid; follow with Clip to stay inside.
func (b Box) Grow(g Grid, marginMM float64) Box {
	h := g.SpacingMM()
	for a := range b.Lo {
		n := int(math.Ceil(marginMM / h[a]))
		b.Lo[a] -= n
		b.Hi[a] += n
	}
	return b
}

// Box is the block of all voxels of g.
func (g Grid) Box() Box { return Box{Hi: g.Size} }

// Crop is the grid of the voxels in b: the same lattice, so voxel (i,j,k) of
// the crop is voxel (i,j,k)+b.Lo of g and lies at the same patient position.
func (g Grid) Crop(b Box) Grid {
	g.Origin = g.Point(float64(b.Lo[0]), float64(b.Lo[1]), float64(b.Lo[2]))
	g.Size = b.Size()
	return g
}

// Bounds is the smallest box of voxels n of g for which inside is true; it is
// empty when there are none.
func (g Grid) Bounds(inside func(n int) bool) Box {
	b := Box{Lo: g.Size}
	n := 0
	for k := range g.Size[2] {
		for j := range g.Size[1] {
			row := n
			first, last := -1, -1
			for i := range g.Size[0] {
				if inside(row + i) {
					if first < 0 {
						first = i
					}
					last = i
				}
			}
			n += g.Size[0]
			if first < 0 {
				continue
			}
			b.Lo = [3]int{min(b.Lo[0], first), min(b.Lo[1], j), min(b.Lo[2], k)}
			b.Hi = [3]int{max(b.Hi[0], last+1), max(b.Hi[1], j+1), k + 1}
		}
	}
	if b.Empty() {
		return Box{}
	}
	return b
}

// Crop copies the masks inside b; voxels of b outside the grid are empty.
func (s *Segments) Crop(b Box) *Segments {
	return &Segments{Grid: s.Grid.Crop(b), Bits: crop(s.Grid, s.Bits, b), Of: s.Of}
}

// Crop copies the labels inside b; voxels of b outside the grid are background.
func (l *Labels) Crop(b Box) *Labels {
	return &Labels{Grid: l.Grid.Crop(b), ID: crop(l.Grid, l.ID, b)}
}

// crop copies rows of src; what lies outside g stays zero.
func crop[T any](g Grid, src []T, b Box) []T {
	sub := g.Crop(b)
	dst := make([]T, sub.Len())
	in := b.Clip(g)
	if in.Empty() {
		return dst
	}
	n := in.Hi[0] - in.Lo[0]
	for k := in.Lo[2]; k < in.Hi[2]; k++ {
		for j := in.Lo[1]; j < in.Hi[1]; j++ {
			from := g.Index(in.Lo[0], j, k)
			to := sub.Index(in.Lo[0]-b.Lo[0], j-b.Lo[1], k-b.Lo[2])
			copy(dst[to:to+n], src[from:from+n])
		}
	}
	return dst
}

// Reorder says how the voxels of one grid are stored in another that has the
// same lattice: axis a of the target runs along axis Axis[a] of the source,
// backwards when Flip[a].
type Reorder struct {
	Axis [3]int
	Flip [3]bool
}

// Identity reports whether r changes nothing.
func (r Reorder) Identity() bool { return r == Reorder{Axis: [3]int{0, 1, 2}} }

// Onto finds how g is to be reordered so that each voxel centre falls within
// tolMM of the same index of target. It reports false when the two are not the
// same lattice; offMM is then the distance of the worst corner under the best
// matching order of axes, or +Inf when the sizes differ.
func (g Grid) Onto(target Grid, tolMM float64) (r Reorder, offMM float64, ok bool) {
	used := [3]bool{}
	for a, v := range target.Axes {
		best, bestCos := -1, 0.0
		for c, w := range g.Axes {
			cos := r3.Dot(v, w) / (r3.Norm(v) * r3.Norm(w))
			if !used[c] && (best < 0 || math.Abs(cos) > math.Abs(bestCos)) {
				best, bestCos = c, cos
			}
		}
		used[best] = true
		r.Axis[a], r.Flip[a] = best, bestCos < 0
	}
	o := r.Grid(g)
	if o.Size != target.Size {
		return r, math.Inf(1), false
	}
	for c := range 8 {
		i, j, k := float64((c&1)*(o.Size[0]-1)), float64((c>>1&1)*(o.Size[1]-1)), float64((c>>2)*(o.Size[2]-1))
		offMM = max(offMM, r3.Norm(r3.Sub(o.Point(i, j, k), target.Point(i, j, k))))
	}
	return r, offMM, offMM <= tolMM
}

// Grid is g with its axes in the new order; every voxel keeps its place.
func (r Reorder) Grid(g Grid) Grid {
	out := Grid{Origin: g.Origin}
	for a, c := range r.Axis {
		out.Size[a], out.Axes[a] = g.Size[c], g.Axes[c]
		if r.Flip[a] {
			out.Origin = r3.Add(out.Origin, r3.Scale(float64(g.Size[c]-1), g.Axes[c]))
			out.Axes[a] = r3.Scale(-1, g.Axes[c])
		}
	}
	return out
}

// Index returns a function from a storage index of r.Grid(g) to the storage
// index of the same voxel in g.
func (r Reorder) Index(g Grid) func(n int) int {
	to := r.Grid(g)
	stride := [3]int{1, g.Size[0], g.Size[0] * g.Size[1]}
	base := 0
	var step [3]int
	for a, c := range r.Axis {
		step[a] = stride[c]
		if r.Flip[a] {
			base += stride[c] * (g.Size[c] - 1)
			step[a] = -stride[c]
		}
	}
	return func(n int) int {
		i, j, k := to.IJK(n)
		return base + i*step[0] + j*step[1] + k*step[2]
	}
}

// Canonical is the reordering of g whose axes run closest to the patient's
// left, posterior and head, in that order.
func (g Grid) Canonical() Reorder {
	lps := Grid{Size: g.Size, Axes: [3]r3.Vec{{X: 1}, {Y: 1}, {Z: 1}}}
	r, _, _ := g.Onto(lps, 0)
	return r
}

// Crop copies the samples inside b, which must lie inside the grid.
func (v *Volume) Crop(b Box) *Volume {
	if b.Clip(v.Grid) != b {
		panic("imaging: crop of a volume reaches outside it")
	}
	out := *v
	out.Grid, out.Data = v.Grid.Crop(b), crop(v.Grid, v.Data, b)
	return &out
}
