package uncertainty

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
)

const (
	// ImageSmoothMM is the standard deviation of the Gaussian that takes the grain
	// from an image before borders are measured in it.
	ImageSmoothMM = 1.8
	// meanMM is the longest side of the means over whole voxels that an image is
	// measured on: finer ones hold nothing more after smoothing.
	meanMM = 1.6
)

// Image is a part of a scan made ready to be measured: means over whole voxels,
// smoothed.
type Image struct {
	Grid   imaging.Grid
	HU     []float32
	fine   imaging.Grid
	factor [3]int // voxels of fine in one of Grid
}

// PrepareImage crops a scan to a grid, takes means and smooths. Masks and fields
// of the caller are on g, whose voxels have to be those of the scan; otherwise,
// and when the scan is not in order, the error is an *ImageError. Where g
// reaches beyond the scan, the outermost voxels go on.
func PrepareImage(ctx context.Context, v *imaging.Volume, g imaging.Grid) (*Image, error) {
	if err := v.Validate(); err != nil {
		return nil, &ImageError{err.Error()}
	}
	x, y, z := v.Grid.Voxel(g.Origin)
	var off [3]int
	for a, c := range [3]float64{x, y, z} {
		off[a] = int(math.Round(c))
	}
	box := imaging.Box{Lo: off}
	for a := range off {
		box.Hi[a] = off[a] + g.Size[a]
		if box.Hi[a] <= 0 || off[a] >= v.Grid.Size[a] {
			return nil, &ImageError{"the structures lie outside the scan"}
		}
	}
	const apart = 0.01 // mm
	if !v.Grid.Crop(box).Matches(g, apart) {
		return nil, &ImageError{"the structures lie on another grid than the scan: resample them"}
	}
	m := &Image{fine: g}
	h := g.SpacingMM()
	m.Grid = g
	for a := range h {
		m.factor[a] = max(1, int(meanMM/h[a]))
		m.Grid.Size[a] = (g.Size[a] + m.factor[a] - 1) / m.factor[a]
		m.Grid.Axes[a] = r3.Scale(float64(m.factor[a]), g.Axes[a])
		m.Grid.Origin = r3.Add(m.Grid.Origin, r3.Scale(float64(m.factor[a]-1)/2, g.Axes[a]))
	}
	hu := m.means(func(n int) float64 {
		i, j, k := g.IJK(n)
		at := [3]int{i + off[0], j + off[1], k + off[2]}
		for a := range at {
			at[a] = max(0, min(v.Grid.Size[a]-1, at[a]))
		}
		return v.Value(v.Grid.Index(at[0], at[1], at[2]))
	})
	var err error
	if m.HU, err = filter.Gaussian(ctx, m.Grid, hu, ImageSmoothMM); err != nil {
		return nil, fmt.Errorf("uncertainty: %w", err)
	}
	return m, nil
}

// means of a value at the voxels of fine.
func (m *Image) means(of func(n int) float64) []float32 {
	sum, count := make([]float32, m.Grid.Len()), make([]uint16, m.Grid.Len())
	column := make([]int, m.fine.Size[0])
	for i := range column {
		column[i] = i / m.factor[0]
	}
	for k := range m.fine.Size[2] {
		for j := range m.fine.Size[1] {
			at, n := m.Grid.Index(0, j/m.factor[1], k/m.factor[2]), m.fine.Index(0, j, k)
			for i, c := range column {
				sum[at+c] += float32(of(n + i))
				count[at+c]++
			}
		}
	}
	for n, c := range count {
		sum[n] /= float32(c)
	}
	return sum
}

// Share is the part of each voxel of Grid that a mask on the caller's grid fills.
func (m *Image) Share(in func(n int) bool) []float32 {
	return m.means(func(n int) float64 {
		if in(n) {
			return 1
		}
		return 0
	})
}

// Mask are the voxels of Grid that a mask on the caller's grid fills by half and
// more.
func (m *Image) Mask(in func(n int) bool) filter.Mask {
	out := make(filter.Mask, m.Grid.Len())
	for n, s := range m.Share(in) {
		out[n] = s >= 0.5
	}
	return out
}

// Fraction is 1 in a voxel of Grid that mask holds less the share of it that the
// caller's mask fills, for volumes that are counted on the caller's grid.
func (m *Image) Fraction(mask filter.Mask, share []float32, f func(at r3.Vec, mm3 float64)) {
	for n, s := range share {
		d := -float64(s)
		if mask[n] {
			d++
		}
		if d != 0 {
			i, j, k := m.Grid.IJK(n)
			f(m.Grid.Point(float64(i), float64(j), float64(k)), d*m.Grid.VoxelMM3())
		}
	}
}

// Noise is MeasureNoise in the image.
func (m *Image) Noise(ctx context.Context, tissue func(n int) bool) (*Scan, error) {
	s, err := MeasureNoise(ctx, m.Grid, m.HU, tissue)
	if err == nil {
		s.SmoothedMM = ImageSmoothMM
	}
	return s, err
}
