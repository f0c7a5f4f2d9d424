package imaging

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Grid places a regular lattice of voxel centres in patient space.
//
// The centre of voxel (i,j,k) is Origin + i·Axes[0] + j·Axes[1] + k·Axes[2] in
// LPS mm (PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1 with the slice step as the
// third column). Axes are orthogonal; their lengths are the spacings.
type Grid struct {
	Size   [3]int    // voxels along i, j, k
	Origin r3.Vec    // centre of voxel (0,0,0), LPS mm
	Axes   [3]r3.Vec // step per index, LPS mm
}

// orthogonalTol bounds |cos| between two axes of a valid grid. Scanners write
// direction cosines with six decimals, so 1e-4 is far above rounding and far
// below the smallest gantry tilt that moves a 500 mm slice by half a voxel.
const orthogonalTol = 1e-4

// NewGrid returns an axis-aligned grid with i to the left, j to the posterior
// and k to the head. spacing is in mm.
func NewGrid(size [3]int, origin r3.Vec, spacing [3]float64) Grid {
	return Grid{Size: size, Origin: origin, Axes: [3]r3.Vec{{X: spacing[0]}, {Y: spacing[1]}, {Z: spacing[2]}}}
}

// Validate reports why g cannot place voxels: an empty side, a non-finite
// number, a zero step or axes that are not orthogonal.
func (g Grid) Validate() error {
	n := 1
	for a, s := range g.Size {
		if s < 1 {
			return fmt.Errorf("imaging: grid has %d voxels along %c", s, "ijk"[a])
		}
		if s > math.MaxInt32 || n > math.MaxInt32/s {
			return fmt.Errorf("imaging: grid of %v voxels is too large", g.Size)
		}
		n *= s
	}
	if !finite(g.Origin) {
		return fmt.Errorf("imaging: grid origin %v is not finite", g.Origin)
	}
	for a, v := range g.Axes {
		if !finite(v) || r3.Norm(v) == 0 {
			return fmt.Errorf("imaging: grid step %v mm along %c is not a finite non-zero vector", v, "ijk"[a])
		}
		w := g.Axes[(a+1)%3]
		if math.Abs(r3.Dot(v, w)) > orthogonalTol*r3.Norm(v)*r3.Norm(w) {
			return fmt.Errorf("imaging: grid axes %c and %c are not orthogonal", "ijk"[a], "ijk"[(a+1)%3])
		}
	}
	return nil
}

func finite(v r3.Vec) bool {
	s := v.X + v.Y + v.Z
	return !math.IsNaN(s) && !math.IsInf(s, 0)
}

// Len is the number of voxels.
func (g Grid) Len() int { return g.Size[0] * g.Size[1] * g.Size[2] }

// Index is the storage index of voxel (i,j,k); it does not check the range.
func (g Grid) Index(i, j, k int) int { return i + g.Size[0]*(j+g.Size[1]*k) }

// IJK is the inverse of Index.
func (g Grid) IJK(index int) (i, j, k int) {
	i = index % g.Size[0]
	index /= g.Size[0]
	return i, index % g.Size[1], index / g.Size[1]
}

// Contains reports whether (i,j,k) is a voxel of g.
func (g Grid) Contains(i, j, k int) bool {
	return uint(i) < uint(g.Size[0]) && uint(j) < uint(g.Size[1]) && uint(k) < uint(g.Size[2])
}

// Point maps a (fractional) voxel index to LPS mm.
func (g Grid) Point(i, j, k float64) r3.Vec {
	return r3.Add(g.Origin, r3.Add(r3.Scale(i, g.Axes[0]), r3.Add(r3.Scale(j, g.Axes[1]), r3.Scale(k, g.Axes[2]))))
}

// Voxel maps LPS mm to a fractional voxel index; the inverse of Point for
// orthogonal axes.
func (g Grid) Voxel(p r3.Vec) (i, j, k float64) {
	d := r3.Sub(p, g.Origin)
	return r3.Dot(d, g.Axes[0]) / r3.Norm2(g.Axes[0]),
		r3.Dot(d, g.Axes[1]) / r3.Norm2(g.Axes[1]),
		r3.Dot(d, g.Axes[2]) / r3.Norm2(g.Axes[2])
}

// SpacingMM is the distance between neighbouring voxel centres along i, j, k.
func (g Grid) SpacingMM() [3]float64 {
	return [3]float64{r3.Norm(g.Axes[0]), r3.Norm(g.Axes[1]), r3.Norm(g.Axes[2])}
}

// VoxelMM3 is the volume of one voxel.
func (g Grid) VoxelMM3() float64 {
	return math.Abs(r3.Dot(g.Axes[0], r3.Cross(g.Axes[1], g.Axes[2])))
}

// RightHanded reports whether (i,j,k) keep the handedness of LPS; a left-handed
// grid turns triangles inside out unless the mesher takes note.
func (g Grid) RightHanded() bool {
	return r3.Dot(g.Axes[0], r3.Cross(g.Axes[1], g.Axes[2])) > 0
}

// Matches reports whether two grids have the same size and place every voxel
// within tolMM of each other (it is enough to compare the eight corners).
func (g Grid) Matches(o Grid, tolMM float64) bool {
	if g.Size != o.Size {
		return false
	}
	for c := range 8 {
		i, j, k := float64((c&1)*(g.Size[0]-1)), float64((c>>1&1)*(g.Size[1]-1)), float64((c>>2)*(g.Size[2]-1))
		if r3.Norm(r3.Sub(g.Point(i, j, k), o.Point(i, j, k))) > tolMM {
			return false
		}
	}
	return true
}
