package segment

import (
	"context"
	"errors"
	"fmt"
	"math"

	"halsted/imaging/filter"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/spatial/r3"
)

// A tumour is cut by the outline of the liver where that ends more than cutPart
// of its surface, and whole in a wider hull where that ends at most half as much.
// The ball that completes it is at most mostBall times what the liver holds of it,
// and is fitted again to what it completes, ballTurns times in all.
const (
	cutPart   = 0.05
	mostBall  = 2.0
	ballTurns = 2
)

// whole looks for the rest of a tumour that the outline of the liver cuts: in
// wider hulls, then in the ball on which the rest of its surface lies. The tumour
// stays as it is where neither shows its end.
func (t *tumourOdds) whole(ctx context.Context, part *tumour) (*tumour, error) {
	middle, mm, round := t.roundedBy(part.surface)
	for {
		more, err := t.widen(ctx)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		all, err := t.rest(ctx, part, fmt.Sprintf("from up to %.0f mm around the liver", t.wide*t.s.HullMM))
		if err != nil || all != nil && all.cut <= part.cut/2 {
			return all, err
		}
	}
	for range ballTurns {
		if !round || mm*mm*mm > mostBall*part.radius*part.radius*part.radius {
			break
		}
		t.each(ball{c: middle, r: mm + t.w.stepMM()}, func(n int) { t.hull[n] = true })
		all, err := t.rest(ctx, part, fmt.Sprintf("from the ball of %.0f mm radius that its surface in the liver is part of", mm))
		if err != nil || all != nil && all.cut <= part.cut/2 {
			return all, err
		}
		if all == nil {
			break
		}
		middle, mm, round = t.roundedBy(all.surface)
	}
	return part, nil
}

// rest is the tumour in a hull made wider, which was a part of it before; nil
// where it is not found, or where the wider hull ends more than half as much of
// the surface as it was, too.
func (t *tumourOdds) rest(ctx context.Context, part *tumour, how string) (*tumour, error) {
	if t.cut(part.surface, part.in) > part.cut/2 {
		return nil, nil
	}
	all, err := t.find(ctx, part.label)
	var none *NotFoundError
	if errors.As(err, &none) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all.doubts = append(all.doubts, fmt.Sprintf("the outline of the liver ended %.0f %% of its surface (radius %.1f mm); its rest was taken %s", 100*part.cut, part.radius, how))
	return all, nil
}

// cutRay reports whether a ray of a surface ends at the hull.
func (t *tumourOdds) cutRay(star *filter.Star, n int) bool {
	at, ok := t.w.voxel(star.On(n, star.RadiusMM[n]+t.w.stepMM()))
	return ok && !t.hull[at]
}

// roundedBy is the ball, by linear least squares, on whose surface the rays lie
// that the hull does not end; false where those are less than half of all.
func (t *tumourOdds) roundedBy(star *filter.Star) (r3.Vec, float64, bool) {
	var rows, right []float64
	for n, r := range star.RadiusMM {
		if !t.cutRay(star, n) {
			p := r3.Sub(star.On(n, r), star.Centre)
			rows = append(rows, 2*p.X, 2*p.Y, 2*p.Z, 1)
			right = append(right, r3.Norm2(p))
		}
	}
	if 2*len(right) < len(star.RadiusMM) {
		return r3.Vec{}, 0, false
	}
	var x mat.VecDense
	if err := x.SolveVec(mat.NewDense(len(right), 4, rows), mat.NewVecDense(len(right), right)); err != nil {
		return r3.Vec{}, 0, false
	}
	c := r3.Vec{X: x.AtVec(0), Y: x.AtVec(1), Z: x.AtVec(2)}
	mm2 := x.AtVec(3) + r3.Norm2(c)
	if !(mm2 > 0) {
		return r3.Vec{}, 0, false
	}
	mm := math.Sqrt(mm2)
	return r3.Add(star.Centre, c), mm, mm <= t.s.ReachMM
}
