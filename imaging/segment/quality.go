package segment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
)

// Comparison says how close a structure is to its truth.
type Comparison struct {
	Dice          float64 `json:"dice"`
	VolumeML      float64 `json:"volume_ml"`
	TruthML       float64 `json:"truth_ml"`
	VolumePercent float64 `json:"volume_percent"` // volume error, % of the truth; positive: too large
	SurfaceMM
	ClDice *float64 `json:"cldice,omitempty"` // of tubular structures only
}

// SurfaceMM is the symmetric distance between two outlines in mm: over the
// border voxels of either set the distance to the nearest border voxel of the
// other (between centres).
type SurfaceMM struct {
	MeanMM float64 `json:"mean_mm"`
	P95MM  float64 `json:"p95_mm"` // 95 % of the border voxels are at most this far
	MaxMM  float64 `json:"max_mm"` // the Hausdorff distance
}

// Dice is 2|A∩B|/(|A|+|B|) of two voxel sets of n voxels; 1 when both are
// empty.
func Dice(n int, a, b func(n int) bool) float64 {
	both, sum := 0, 0
	for i := range n {
		x, y := a(i), b(i)
		if x {
			sum++
		}
		if y {
			sum++
		}
		if x && y {
			both++
		}
	}
	if sum == 0 {
		return 1
	}
	return 2 * float64(both) / float64(sum)
}

// SurfaceDistance compares the outlines of two voxel sets on g. A border voxel
// has a neighbour across a face outside its set; the border of the grid does
// not count as outside. Either set empty or filling the grid is
// distance.ErrEmptySet.
func SurfaceDistance(ctx context.Context, g imaging.Grid, a, b func(n int) bool) (SurfaceMM, error) {
	box := g.Bounds(func(n int) bool { return a(n) || b(n) })
	if box.Empty() {
		return SurfaceMM{}, distance.ErrEmptySet
	}
	box = box.Grow(g, 1e-3).Clip(g)
	sub := g.Crop(box)
	var border [2]filter.Mask
	for s, in := range []func(n int) bool{a, b} {
		m := filter.Where(sub.Len(), func(n int) bool {
			i, j, k := sub.IJK(n)
			return in(g.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2]))
		})
		border[s] = outline(sub, m)
	}
	var all []float32
	for s := range border {
		to := border[1-s]
		d, err := distance.Unsigned(ctx, sub, func(n int) bool { return to[n] })
		if err != nil {
			return SurfaceMM{}, err
		}
		for n, in := range border[s] {
			if in {
				all = append(all, d[n])
			}
		}
	}
	if len(all) == 0 {
		return SurfaceMM{}, distance.ErrEmptySet
	}
	slices.Sort(all)
	sum := 0.0
	for _, d := range all {
		sum += float64(d)
	}
	at := int(math.Ceil(0.95*float64(len(all)))) - 1
	return SurfaceMM{MeanMM: sum / float64(len(all)), P95MM: float64(all[at]), MaxMM: float64(all[len(all)-1])}, nil
}

// outline is the voxels of m with a face neighbour outside m.
func outline(g imaging.Grid, m filter.Mask) filter.Mask {
	nx, nxy := g.Size[0], g.Size[0]*g.Size[1]
	return filter.Where(len(m), func(n int) bool {
		if !m[n] {
			return false
		}
		i, j, k := g.IJK(n)
		return i > 0 && !m[n-1] || i < nx-1 && !m[n+1] ||
			j > 0 && !m[n-nx] || j < g.Size[1]-1 && !m[n+nx] ||
			k > 0 && !m[n-nxy] || k < g.Size[2]-1 && !m[n+nxy]
	})
}

// Compare measures one structure against its truth on the same grid.
func Compare(ctx context.Context, ours, truth *imaging.Segments, l imaging.Label) (Comparison, error) {
	if ours.Grid.Size != truth.Grid.Size {
		return Comparison{}, fmt.Errorf("segment: %v voxels cannot be compared with %v", ours.Grid.Size, truth.Grid.Size)
	}
	g, a, b := ours.Grid, ours.Bit(l), truth.Bit(l)
	inA, inB := func(n int) bool { return ours.Bits[n]&a != 0 }, func(n int) bool { return truth.Bits[n]&b != 0 }
	var na, nb int
	for n := range ours.Bits {
		if inA(n) {
			na++
		}
		if inB(n) {
			nb++
		}
	}
	ml := g.VoxelMM3() / 1000
	c := Comparison{VolumeML: float64(na) * ml, TruthML: float64(nb) * ml, Dice: Dice(len(ours.Bits), inA, inB)}
	if nb == 0 || na == 0 {
		return c, &NotFoundError{l, "there is nothing to compare on one of the two sides"}
	}
	c.VolumePercent = 100 * (c.VolumeML - c.TruthML) / c.TruthML
	var err error
	c.SurfaceMM, err = SurfaceDistance(ctx, g, inA, inB)
	return c, err
}
