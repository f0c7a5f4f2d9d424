package series

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/internal/par"
)

// Tolerances on where contours lie. Their coordinates are decimal strings,
// often with two places; a quarter of a millimetre is far above that and below
// half of the thinnest slice in use.
const (
	flatTolMM      = 0.25    // of a contour about its plane
	onPlane        = 0.25    // of a contour about a plane of the grid, in planes
	samePlanes     = 0.02    // contours closer than this share a plane, in planes
	widest         = 1.5     // gap that is still filled, in usual distances of contours
	maxDistances   = 1 << 28 // edges looked at for one plane between contours
	maxHoleWork    = 1 << 24 // the same for contours within contours
	maxOwnVoxels   = 1 << 27 // of the lattice for contours on oblique planes
	ctxEveryPoints = 1 << 16
)

// filler turns the contours of one ROI into voxels.
type filler struct {
	roi     *ROI
	to      imaging.Grid    // where the voxels are wanted
	grid    imaging.Grid    // whose planes k are parallel to the contours
	reorder imaging.Reorder // of to into grid, unless oblique
	oblique bool            // grid is a lattice of its own
	planes  []contourPlane
	step    float64     // usual distance of the contours, in planes of grid
	box     imaging.Box // the columns and rows of grid that contours can reach

	set, between, empty int // voxels; planes interpolated and left empty
	boundedWork         bool
}

// newFiller sorts the contours of an ROI into planes. It is nil when there is
// nothing to fill; why says so when that is the contours' fault.
func newFiller(to imaging.Grid, roi *ROI) (f *filler, why string) {
	if len(roi.contours) == 0 {
		return nil, ""
	}
	normal, bent := roi.normal()
	switch {
	case normal == (r3.Vec{}):
		return nil, "its contours enclose no area"
	case bent > flatTolMM:
		return nil, fmt.Sprintf("its contours lie up to %.2f mm off parallel planes", bent)
	}
	f = &filler{roi: roi, to: to}
	f.reorder = across(to, normal)
	if f.grid = f.reorder.Grid(to); !f.parallelTo(f.grid) {
		f.oblique = true
		if f.grid = ownGrid(to, roi, normal); f.grid.Len() == 0 {
			return nil, "it lies outside the grid"
		}
	}
	f.sort()
	return f, ""
}

// fill sets bit in dst (on f.to) for the voxels of the structure.
func (f *filler) fill(ctx context.Context, dst []uint32, bit uint32) error {
	if f.oblique {
		mask := make([]bool, f.grid.Len())
		if err := f.fillPlanes(ctx, func(n int) { mask[n] = true }); err != nil {
			return err
		}
		return f.pick(ctx, dst, bit, mask)
	}
	if f.reorder.Identity() {
		return f.fillPlanes(ctx, func(n int) { dst[n] |= bit })
	}
	at := f.reorder.Index(f.to)
	return f.fillPlanes(ctx, func(n int) { dst[at(n)] |= bit })
}

// pick gives each voxel of f.to the value of the nearest voxel of f.grid, which
// is finer.
func (f *filler) pick(ctx context.Context, dst []uint32, bit uint32, mask []bool) error {
	p := placement{from: f.grid, to: f.to}
	box := p.reach(f.grid.Bounds(func(n int) bool { return mask[n] }))
	if box.Empty() {
		f.set = 0
		return nil
	}
	// Voxels of f.grid for a step along i of f.to.
	var step [3]float64
	for a, v := range f.grid.Axes {
		step[a] = r3.Dot(f.to.Axes[0], v) / r3.Norm2(v)
	}
	counts := make([]int, box.Hi[2]-box.Lo[2])
	err := par.ChunksCtx(ctx, len(counts), 1, func(at, _ int) error {
		k := box.Lo[2] + at
		for j := box.Lo[1]; j < box.Hi[1]; j++ {
			x, y, z := f.grid.Voxel(f.to.Point(0, float64(j), float64(k)))
			row := f.to.Index(0, j, k)
			for i := box.Lo[0]; i < box.Hi[0]; i++ {
				u := int(math.Floor(x + float64(i)*step[0] + 0.5 + tie[0]))
				v := int(math.Floor(y + float64(i)*step[1] + 0.5 + tie[1]))
				w := int(math.Floor(z + float64(i)*step[2] + 0.5 + tie[2]))
				if f.grid.Contains(u, v, w) && mask[f.grid.Index(u, v, w)] {
					dst[row+i] |= bit
					counts[at]++
				}
			}
		}
		return ctx.Err()
	})
	f.set = 0
	for _, c := range counts {
		f.set += c
	}
	return err
}

// fillPlanes calls put for every voxel of f.grid inside the structure, for
// different planes at the same time.
func (f *filler) fillPlanes(ctx context.Context, put func(n int)) error {
	const ( // what became of a plane
		none = iota
		drawn
		filled
		open
		bounded
	)
	nx, nz, area := f.grid.Size[0], f.grid.Size[2], f.grid.Size[0]*f.grid.Size[1]
	state, set := make([]uint8, nz), make([]int, nz)
	err := par.ChunksCtx(ctx, nz, 1, func(k, _ int) error {
		a, b, w := f.sources(float64(k))
		if a < 0 {
			if b > 0 { // within the structure
				state[k] = open
			}
			return ctx.Err()
		}
		state[k] = drawn
		inside := make([]bool, area)
		if err := f.parity(ctx, inside, a); err != nil {
			return err
		}
		if b >= 0 {
			state[k] = filled
			ok, err := f.blend(ctx, inside, a, b, w)
			if err != nil {
				return err
			}
			if !ok {
				state[k] = bounded
			}
		}
		for j := f.box.Lo[1]; j < f.box.Hi[1]; j++ {
			for p := j*nx + f.box.Lo[0]; p < j*nx+f.box.Hi[0]; p++ {
				if inside[p] {
					put(k*area + p)
					set[k]++
				}
			}
		}
		return nil
	})
	f.set, f.between, f.empty = 0, 0, 0
	for k := range state {
		f.set += set[k]
		switch state[k] {
		case filled:
			f.between++
		case open:
			f.empty++
		case bounded:
			f.between++
			f.boundedWork = true
		}
	}
	return err
}

// sources says which contours make plane k: those of plane a alone (b < 0), or
// the shape at the part w of the way from a to b. a is −1 for none; b is then 1
// when there are contours on both sides.
func (f *filler) sources(k float64) (a, b int, w float64) {
	above, _ := slices.BinarySearchFunc(f.planes, k, func(p contourPlane, k float64) int { return cmp.Compare(p.at, k) })
	below := above - 1
	nearest := above
	if above == len(f.planes) || below >= 0 && k-f.planes[below].at < f.planes[above].at-k {
		nearest = below
	}
	off := k - f.planes[nearest].at
	if math.Abs(off) <= onPlane {
		return nearest, -1, 0
	}
	if below >= 0 && above < len(f.planes) {
		lo, hi := f.planes[below].at, f.planes[above].at
		if hi-lo <= widest*f.step {
			return below, above, (k - lo) / (hi - lo)
		}
	}
	// Half of the usual distance; a plane in the middle belongs to the contour
	// that follows it along the axis.
	if d := off + 1e-3; d >= -f.step/2 && d < f.step/2 {
		return nearest, -1, 0
	}
	if below >= 0 && above < len(f.planes) {
		return -1, 1, 0
	}
	return -1, -1, 0
}

// parity sets the voxels of a plane that lie inside an odd number of contours.
// Each edge flips, on every row that it crosses, all voxels to its right.
func (f *filler) parity(ctx context.Context, inside []bool, plane int) error {
	nx, ny := f.grid.Size[0], f.grid.Size[1]
	work := 0
	for _, c := range f.planes[plane].contours {
		for n, p := range c {
			q := c[(n+1)%len(c)]
			if work++; work%ctxEveryPoints == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if p[1] > q[1] {
				p, q = q, p
			}
			lo, hi := rowFrom(p[1], ny), rowFrom(q[1], ny)
			for j := lo; j < hi; j++ {
				y := float64(j) + tie[1]
				x := p[0] + (y-p[1])/(q[1]-p[1])*(q[0]-p[0])
				if i := max(math.Ceil(x-tie[0]), float64(f.box.Lo[0])); i < float64(f.box.Hi[0]) {
					at := int(i) + nx*j
					inside[at] = !inside[at]
				}
			}
		}
	}
	for j := f.box.Lo[1]; j < f.box.Hi[1]; j++ {
		row := inside[j*nx+f.box.Lo[0] : j*nx+f.box.Hi[0]]
		for i := 1; i < len(row); i++ {
			row[i] = row[i] != row[i-1]
		}
	}
	return ctx.Err()
}

// rowFrom is the first row whose sample point lies at or above y, within the
// grid.
func rowFrom(y float64, ny int) int {
	return int(min(max(math.Ceil(y-tie[1]), 0), float64(ny)))
}

// blend turns inside, the voxels of plane a, into those of the shape at the
// part w of the way to plane b: where the mean of the signed distances from
// the two outlines is negative (shape-based interpolation, Raya and Udupa, IEEE
// Trans Med Imaging 9 (1990) 32). Only voxels where the two differ are asked.
// ok is false when that were too many, and the nearer shape was taken.
func (f *filler) blend(ctx context.Context, inside []bool, a, b int, w float64) (ok bool, err error) {
	other := make([]bool, len(inside))
	if err := f.parity(ctx, other, b); err != nil {
		return false, err
	}
	nx, differ := f.grid.Size[0], 0
	for j := f.box.Lo[1]; j < f.box.Hi[1]; j++ {
		for n := j*nx + f.box.Lo[0]; n < j*nx+f.box.Hi[0]; n++ {
			if inside[n] != other[n] {
				differ++
			}
		}
	}
	edges := 0
	for _, p := range []int{a, b} {
		for _, c := range f.planes[p].contours {
			edges += len(c)
		}
	}
	if differ > maxDistances/max(edges, 1) {
		if w > 0.5 {
			copy(inside, other)
		}
		return false, nil
	}
	for j := f.box.Lo[1]; j < f.box.Hi[1]; j++ {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		for i := f.box.Lo[0]; i < f.box.Hi[0]; i++ {
			n := i + nx*j
			if inside[n] == other[n] {
				continue
			}
			da, db := f.distance(a, i, j), f.distance(b, i, j)
			if inside[n] {
				inside[n] = (1-w)*da > w*db
			} else {
				inside[n] = w*db > (1-w)*da
			}
		}
	}
	return true, nil
}

// distance is that of a voxel's centre from the contours of a plane, mm.
func (f *filler) distance(plane, i, j int) float64 {
	h := f.grid.SpacingMM()
	x, y := (float64(i)+tie[0])*h[0], (float64(j)+tie[1])*h[1]
	best := math.Inf(1)
	for _, c := range f.planes[plane].contours {
		q := c[len(c)-1]
		for _, p := range c {
			ax, ay := q[0]*h[0], q[1]*h[1]
			dx, dy := p[0]*h[0]-ax, p[1]*h[1]-ay
			s := 0.0
			if l := dx*dx + dy*dy; l > 0 {
				s = min(max(((x-ax)*dx+(y-ay)*dy)/l, 0), 1)
			}
			ex, ey := x-ax-s*dx, y-ay-s*dy
			best = min(best, ex*ex+ey*ey)
			q = p
		}
	}
	return math.Sqrt(best)
}
