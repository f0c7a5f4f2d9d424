package spatial

import (
	"context"

	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// batchChunk is how many queries one worker answers between looks at the
// context: some milliseconds.
const batchChunk = 1024

// batch calls f for every range of points once they are known to be sound.
func batch(ctx context.Context, n int, p []r3.Vec, f func(lo, hi int)) error {
	if n != len(p) {
		panic("spatial: dst has another length than the points")
	}
	for i, q := range p {
		if !placed(q) {
			return &PointError{What: "query point", Index: i, AtMM: q}
		}
	}
	return par.ChunksCtx(ctx, n, batchChunk, func(lo, hi int) error { f(lo, hi); return nil })
}

// ClosestAll writes Closest of each point to dst, which must have one entry per
// point. Points in an order in which neighbours follow each other are answered
// faster. It returns *PointError for the first point that is not finite or
// beyond 1e15 mm, or ctx.Err().
func (b *BVH) ClosestAll(ctx context.Context, dst []Hit, p []r3.Vec) error {
	return batch(ctx, len(dst), p, func(lo, hi int) {
		place := int32(-1) // the last answer bounds the next
		for i := lo; i < hi; i++ {
			dst[i], place = b.closest(p[i], inf, place)
		}
	})
}

// SignedAll is ClosestAll for Signed.
func (b *BVH) SignedAll(ctx context.Context, dst []float64, p []r3.Vec) error {
	return batch(ctx, len(dst), p, func(lo, hi int) {
		place := int32(-1)
		for i := lo; i < hi; i++ {
			var h Hit
			h, place = b.closest(p[i], inf, place)
			dst[i] = b.signed(p[i], h)
		}
	})
}

// InsideAll is ClosestAll for Inside.
func (b *BVH) InsideAll(ctx context.Context, dst []bool, p []r3.Vec) error {
	return batch(ctx, len(dst), p, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			dst[i] = b.Inside(p[i])
		}
	})
}
