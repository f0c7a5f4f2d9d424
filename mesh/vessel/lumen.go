package vessel

import (
	"context"
	"errors"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// ErrEmptyLumen says that a mask holds no voxel.
var ErrEmptyLumen = errors.New("vessel: the lumen mask is empty: check the label and the organ it was cut to")

// lumen is the inside of the vessels on a crop of the grid that leaves a layer
// of outside voxels all round. Lumen voxels are numbered in storage order; the
// slices with one entry each carry the number.
type lumen struct {
	g      imaging.Grid // the crop
	at     []int32      // per voxel of the crop: its number, −1 outside
	vox    []int32      // per number: the voxel of the crop
	dt     []float32    // mm from the voxel centre to the faces of the lumen
	rim    []bool       // on the border of the whole grid, where a vessel may go on
	known  imaging.Box  // part of the crop that lies on the whole grid
	mean   float64      // side of the cube of one voxel's volume, mm
	step   [26]int      // to the neighbours, in voxels of the crop
	stepMM [26]float64
}

// newLumen crops the mask, fills its cavities (no vessel is hollow) and
// measures the depth of each voxel.
func newLumen(ctx context.Context, g imaging.Grid, mask []bool) (*lumen, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("vessel: %w", err)
	}
	if len(mask) != g.Len() {
		return nil, fmt.Errorf("vessel: a mask of %d voxels on a grid of %d", len(mask), g.Len())
	}
	box := g.Bounds(func(n int) bool { return mask[n] })
	if box.Empty() {
		return nil, ErrEmptyLumen
	}
	inner := box
	for a := range box.Lo {
		box.Lo[a] -= rindVoxels
		box.Hi[a] += rindVoxels
	}
	l := &lumen{g: g.Crop(box), mean: math.Cbrt(g.VoxelMM3())}
	for a := range box.Lo {
		l.known.Lo[a], l.known.Hi[a] = max(0, -box.Lo[a]), min(g.Size[a], box.Hi[a])-box.Lo[a]
	}
	solid := make([]bool, l.g.Len())
	for k := inner.Lo[2]; k < inner.Hi[2]; k++ {
		for j := inner.Lo[1]; j < inner.Hi[1]; j++ {
			from := g.Index(inner.Lo[0], j, k)
			copy(solid[l.g.Index(rindVoxels, j-box.Lo[1], k-box.Lo[2]):], mask[from:from+inner.Hi[0]-inner.Lo[0]])
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	solid = filter.Fill(l.g, solid)
	reach := 0.0 // no voxel is deeper
	for a, h := range l.g.SpacingMM() {
		reach = max(reach, h*float64(l.g.Size[a]))
	}
	deep, err := distance.SignedBand(ctx, l.g, func(n int) bool { return solid[n] }, reach)
	if err != nil {
		return nil, fmt.Errorf("vessel: %w", err)
	}
	l.at = make([]int32, len(solid))
	for n, in := range solid {
		l.at[n] = -1
		if !in {
			continue
		}
		l.at[n] = int32(len(l.vox))
		l.vox = append(l.vox, int32(n))
		l.dt = append(l.dt, -deep[n])
		i, j, k := l.g.IJK(n)
		i, j, k = i+box.Lo[0], j+box.Lo[1], k+box.Lo[2]
		l.rim = append(l.rim, i == 0 || j == 0 || k == 0 || i == g.Size[0]-1 || j == g.Size[1]-1 || k == g.Size[2]-1)
	}
	n := 0
	for k := -1; k <= 1; k++ {
		for j := -1; j <= 1; j++ {
			for i := -1; i <= 1; i++ {
				if i == 0 && j == 0 && k == 0 {
					continue
				}
				l.step[n] = l.g.Index(i, j, k)
				l.stepMM[n] = r3.Norm(r3.Sub(l.g.Point(float64(i), float64(j), float64(k)), l.g.Origin))
				n++
			}
		}
	}
	return l, nil
}

// centre is the middle of lumen voxel v, LPS mm.
func (l *lumen) centre(v int32) r3.Vec {
	i, j, k := l.g.IJK(int(l.vox[v]))
	return l.g.Point(float64(i), float64(j), float64(k))
}

// beside is the number of the d-th neighbour of lumen voxel v, −1 outside.
func (l *lumen) beside(v int32, d int) int32 { return l.at[int(l.vox[v])+l.step[d]] }

// pieces numbers the parts of the lumen that share not even a corner, from 0.
func (l *lumen) pieces() (of []int32, count int) {
	of = make([]int32, len(l.vox))
	for v := range of {
		of[v] = -1
	}
	var stack []int32
	for s := range of {
		if of[s] >= 0 {
			continue
		}
		of[s] = int32(count)
		stack = append(stack[:0], int32(s))
		for len(stack) > 0 {
			v := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for d := range l.step {
				if o := l.beside(v, d); o >= 0 && of[o] < 0 {
					of[o] = int32(count)
					stack = append(stack, o)
				}
			}
		}
		count++
	}
	return of, count
}
