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
// The ball that completes it is at most mostBall times what the liver holds of it.
const (
	cutPart  = 0.05
	mostBall = 2.0
)

// whole looks for the rest of a tumour that the outline of the liver cuts: in
// wider hulls, then in the ball on which the rest of its surface lies. The tumour
// stays as it is where neither shows its end.
func (t *tumourOdds) whole(ctx context.Context, part *tumour) (*tumour, error) {
	last := part
	for bulged := false; !bulged; {
		more, err := t.widen(ctx)
		if err != nil {
			return nil, err
		}
		how := fmt.Sprintf("from up to %.0f mm around the liver", t.wide*t.s.HullMM)
		if !more {
			c, mm, ok := t.roundedBy(last.surface)
			if !ok || mm*mm*mm > mostBall*part.radius*part.radius*part.radius {
				return part, nil
			}
			b := ball{c: c, r: mm + t.w.stepMM()}
			t.each(b, func(n int) { t.hull[n] = true })
			bulged, how = true, fmt.Sprintf("from the ball of %.0f mm radius that its surface in the liver is part of", mm)
		}
		all, err := t.find(ctx, part.label)
		var none *NotFoundError
		if errors.As(err, &none) {
			continue
		}
		if err != nil {
			return nil, err
		}
		last = all
		if all.cut <= part.cut/2 {
			all.doubts = append(all.doubts, fmt.Sprintf("the outline of the liver ended %.0f %% of its surface (radius %.1f mm); its rest was taken %s", 100*part.cut, part.radius, how))
			return all, nil
		}
	}
	return part, nil
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
