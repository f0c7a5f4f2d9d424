package register

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
	"halsted/imaging"
	"halsted/internal/par"
)

// Resample is moving as seen on the grid of the fixed image: each voxel holds
// the trilinear value at the place t maps it to. Voxels that fall outside
// moving (beyond half a voxel from its outermost centres) take the value
// outside, in the unit of moving (HU for CT). Slope, intercept and kind are
// those of moving; outside is rounded and clamped to what they can store.
// Errors: ErrOptions, ErrSingular or ctx.Err().
func Resample(ctx context.Context, moving *imaging.Volume, grid imaging.Grid, t Transform, outside float64) (*imaging.Volume, error) {
	if moving == nil {
		return nil, fmt.Errorf("%w: no moving volume", ErrOptions)
	}
	if err := moving.Validate(); err != nil {
		return nil, fmt.Errorf("%w: moving volume: %w", ErrOptions, err)
	}
	stored := (outside - moving.Intercept) / moving.Slope
	if math.IsNaN(stored) {
		return nil, fmt.Errorf("%w: outside value %g with slope %g and intercept %g", ErrOptions, outside, moving.Slope, moving.Intercept)
	}
	empty := toInt16(stored)
	out := &imaging.Volume{Grid: grid, Slope: moving.Slope, Intercept: moving.Intercept, Kind: moving.Kind}
	err := walk(ctx, moving.Grid, grid, t, func(n int) { out.Data = make([]int16, n) }, func(n int, x, y, z float64, in bool) {
		out.Data[n] = empty
		if in {
			out.Data[n] = toInt16(linear(moving, x, y, z))
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func toInt16(v float64) int16 {
	return int16(math.Round(math.Min(math.Max(v, math.MinInt16), math.MaxInt16)))
}

// linear is the trilinear stored value at a voxel index that lies at most half
// a voxel outside; there it is the value at the border.
func linear(v *imaging.Volume, x, y, z float64) float64 {
	size := v.Grid.Size
	cell := func(p float64, n int) (i int, u float64, step int) {
		p = math.Min(math.Max(p, 0), float64(n-1))
		i = min(int(p), max(n-2, 0))
		return i, p - float64(i), min(1, n-1)
	}
	i, u, dx := cell(x, size[0])
	j, s, dy := cell(y, size[1])
	k, t, dz := cell(z, size[2])
	dy *= size[0]
	dz *= size[0] * size[1]
	n := v.Grid.Index(i, j, k)
	at := func(n int) float64 { return float64(v.Data[n]) + u*(float64(v.Data[n+dx])-float64(v.Data[n])) }
	near := at(n) + s*(at(n+dy)-at(n))
	far := at(n+dz) + s*(at(n+dz+dy)-at(n+dz))
	return near + t*(far-near)
}

// ResampleSegments is the structures of moving as seen on the grid of the
// fixed image: each voxel takes all bits of the voxel nearest to where t maps
// it, none outside. Errors: ErrOptions, ErrSingular or ctx.Err().
func ResampleSegments(ctx context.Context, moving *imaging.Segments, grid imaging.Grid, t Transform) (*imaging.Segments, error) {
	if moving == nil || len(moving.Bits) != moving.Grid.Len() {
		return nil, fmt.Errorf("%w: segments do not fill their grid", ErrOptions)
	}
	out := &imaging.Segments{Grid: grid, Of: append([]imaging.Label(nil), moving.Of...)}
	size := moving.Grid.Size
	nearest := func(p float64, n int) int { return min(max(int(math.Floor(p+0.5)), 0), n-1) }
	err := walk(ctx, moving.Grid, grid, t, func(n int) { out.Bits = make([]uint32, n) }, func(n int, x, y, z float64, in bool) {
		if in {
			out.Bits[n] = moving.Bits[moving.Grid.Index(nearest(x, size[0]), nearest(y, size[1]), nearest(z, size[2]))]
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// walk calls f for each voxel of grid with the index in moving that t maps it
// to.
func walk(ctx context.Context, moving, grid imaging.Grid, t Transform, start func(n int), f func(n int, x, y, z float64, in bool)) error {
	for _, g := range []imaging.Grid{moving, grid} {
		if err := g.Validate(); err != nil {
			return fmt.Errorf("%w: %w", ErrOptions, err)
		}
	}
	if err := t.Validate(); err != nil {
		return err
	}
	start(grid.Len())
	// The index is affine in (i,j,k): its value at the origin and its steps.
	index := func(p r3.Vec) r3.Vec {
		x, y, z := moving.Voxel(p)
		return r3.Vec{X: x, Y: y, Z: z}
	}
	zero := index(t.Apply(grid.Origin))
	var step [3]r3.Vec
	for a := range step {
		step[a] = r3.Sub(index(t.Apply(r3.Add(grid.Origin, grid.Axes[a]))), zero)
	}
	nx, ny := grid.Size[0], grid.Size[1]
	sx, sy, sz := float64(moving.Size[0]), float64(moving.Size[1]), float64(moving.Size[2])
	return par.ChunksCtx(ctx, ny*grid.Size[2], 16, func(lo, hi int) error {
		for row := lo; row < hi; row++ {
			p := r3.Add(zero, r3.Add(r3.Scale(float64(row%ny), step[1]), r3.Scale(float64(row/ny), step[2])))
			for i := range nx {
				x, y, z := p.X+float64(i)*step[0].X, p.Y+float64(i)*step[0].Y, p.Z+float64(i)*step[0].Z
				in := x >= -0.5 && y >= -0.5 && z >= -0.5 && x < sx-0.5 && y < sy-0.5 && z < sz-0.5
				f(row*nx+i, x, y, z, in)
			}
		}
		return nil
	})
}
