package distance

import (
	"context"
	"errors"
	"fmt"
	"math"

	"halsted/imaging"
)

// ErrNoBoundary says that the set is empty or fills the grid, so that there is
// nothing to measure a distance to.
var ErrNoBoundary = errors.New("distance: no boundary: the set is empty or fills the whole grid")

// ErrEmptySet says that Unsigned was asked for the distance to no voxel at all.
var ErrEmptySet = errors.New("distance: the set is empty")

// Signed is the distance in mm from every voxel centre of g to the voxel faces
// that bound the set of voxels n with inside(n), negative inside the set (see
// the package comment). inside is called once per voxel, concurrently.
//
// It returns ErrNoBoundary when all voxels are on one side, an error for an
// invalid grid, or ctx.Err().
func Signed(ctx context.Context, g imaging.Grid, inside func(n int) bool) ([]float32, error) {
	return signed(ctx, g, wholeRows(g, inside), math.Inf(1))
}

// SignedCrop is Signed on the voxels of box only: the returned grid is
// g.Crop(box). Voxels of box beyond g count as outside. The result equals that
// of the whole grid when the set lies in the box with one voxel to spare.
func SignedCrop(ctx context.Context, g imaging.Grid, box imaging.Box, inside func(n int) bool) (imaging.Grid, []float32, error) {
	sub := g.Crop(box)
	d, err := signed(ctx, sub, cropRows(g, box, inside), math.Inf(1))
	return sub, d, err
}

// SignedBand is Signed where |d| < maxMM, and ±maxMM beyond. It works only on
// the voxels near the boundary, so a band of a few voxels takes a fraction of
// the time; the field is as large.
//
// Errors are those of Signed, and one for a maxMM that is not positive and
// finite. A set without boundary is ErrNoBoundary as well.
func SignedBand(ctx context.Context, g imaging.Grid, inside func(n int) bool, maxMM float64) ([]float32, error) {
	if err := checkBand(maxMM); err != nil {
		return nil, err
	}
	return signed(ctx, g, wholeRows(g, inside), maxMM)
}

// SignedBandCrop is SignedBand on the voxels of box only, as SignedCrop.
func SignedBandCrop(ctx context.Context, g imaging.Grid, box imaging.Box, inside func(n int) bool, maxMM float64) (imaging.Grid, []float32, error) {
	sub := g.Crop(box)
	if err := checkBand(maxMM); err != nil {
		return sub, nil, err
	}
	d, err := signed(ctx, sub, cropRows(g, box, inside), maxMM)
	return sub, d, err
}

func checkBand(maxMM float64) error {
	if !(maxMM > 0) || math.IsInf(maxMM, 1) {
		return fmt.Errorf("distance: a band of %g mm: give a positive, finite width", maxMM)
	}
	return nil
}

// Unsigned is the distance in mm from every voxel centre of g to the nearest
// centre of a voxel n with in(n); 0 in the set. in is called once per voxel,
// concurrently. It returns ErrEmptySet when there is none.
func Unsigned(ctx context.Context, g imaging.Grid, in func(n int) bool) ([]float32, error) {
	f, err := newField(ctx, g, wholeRows(g, in), math.Inf(1))
	if err != nil {
		return nil, err
	}
	f.centres = true
	return f.run(ErrEmptySet)
}

func signed(ctx context.Context, g imaging.Grid, rows func(j, k int, w []uint64), maxMM float64) ([]float32, error) {
	f, err := newField(ctx, g, rows, maxMM)
	if err != nil {
		return nil, err
	}
	return f.run(ErrNoBoundary)
}

// wholeRows sets bit i of w for every voxel (i,j,k) of g that is inside. w
// comes zeroed.
func wholeRows(g imaging.Grid, inside func(n int) bool) func(j, k int, w []uint64) {
	return func(j, k int, w []uint64) {
		setBits(w, 0, g.Size[0], g.Index(0, j, k), inside)
	}
}

// cropRows is wholeRows for the voxels of box.
func cropRows(g imaging.Grid, box imaging.Box, inside func(n int) bool) func(j, k int, w []uint64) {
	in := box.Clip(g)
	return func(j, k int, w []uint64) {
		j, k = j+box.Lo[1], k+box.Lo[2]
		if uint(j) < uint(g.Size[1]) && uint(k) < uint(g.Size[2]) {
			setBits(w, in.Lo[0]-box.Lo[0], in.Hi[0]-box.Lo[0], g.Index(in.Lo[0], j, k), inside)
		}
	}
}

// setBits sets bit lo+i of w where inside(n+i), for lo ≤ lo+i < hi.
func setBits(w []uint64, lo, hi, n int, inside func(n int) bool) {
	for lo < hi {
		end := min(hi, lo|63+1)
		var x uint64 // the bits so far at its upper end
		for range end - lo {
			x >>= 1
			if inside(n) {
				x |= 1 << 63
			}
			n++
		}
		x >>= 63 - uint(end-1)&63
		w[lo>>6] |= x
		lo = end
	}
}
