package segment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// growTumour finds the tumour around its seeds: a ball that holds them and is
// most unlike liver, then from its middle the star-shaped surface whose inside is
// most unlike liver (filter.FitStar), again and again from the middle of the
// last, so that the place of the click hardly matters. What the surface holds
// decides the rest: a tumour of one value is found again on a finer grid and ends
// where its border does, as wide as it is measured to be, with a rim that encloses
// it; one of several values ends where liver begins, and what a ball of its size
// bridges belongs to it: calcification, nodules and a rim of the density of liver.
// Both end at lung, fat and bone, and at a hull of the liver unless that cuts
// them (see whole).
func (w *work) growTumour(ctx context.Context, l imaging.Label, seeds []r3.Vec, others filter.Mask, s tumourSettings) (*tumour, error) {
	for _, p := range seeds {
		if n, ok := w.voxel(p); !ok || !w.body[n] {
			return nil, &NotFoundError{l, fmt.Sprintf("its seed at %.0f,%.0f,%.0f mm lies outside the body; move it into the tumour", p.X, p.Y, p.Z)}
		} else if w.smooth[n] < airHU {
			return nil, &NotFoundError{l, fmt.Sprintf("its seed at %.0f,%.0f,%.0f mm lies in air or lung (%.0f HU); move it into the tumour", p.X, p.Y, p.Z, w.smooth[n])}
		}
	}
	odds, err := w.tumourOdds(ctx, s, seeds, others)
	if err != nil {
		return nil, err
	}
	t, err := odds.find(ctx, l)
	if err != nil || t.cut <= cutPart {
		return t, err
	}
	return odds.whole(ctx, t)
}

// find looks for the tumour in the hull.
func (t *tumourOdds) find(ctx context.Context, l imaging.Label) (*tumour, error) {
	w := t.w
	b, err := t.firstBall(l)
	if err != nil {
		return nil, err
	}
	star, gain, in, err := t.outline(ctx, b)
	if err != nil {
		return nil, err
	}
	if far := math.Abs(in.far) * t.sd; far < t.s.SureSD*w.liverSD {
		return nil, &NotFoundError{l, fmt.Sprintf("the tissue around its seed has %.0f HU, the liver beside it %.0f ± %.0f: the same; move the seed to the middle of the tumour, or paint it with a brush", t.mean+in.far*t.sd, t.mean, w.liverSD)}
	}
	out := &tumour{label: l, origin: FromSeed, doubts: b.doubts}
	dark := in.far < 0
	if in.mixed < mixedPart {
		if star, out.border, err = t.sharpen(ctx, star, dark); err != nil {
			return nil, err
		}
		rim, err := t.withRim(ctx, star, out.border)
		if err != nil {
			return nil, err
		}
		if rim != nil {
			star, out.border, out.doubts = rim.star, rim.border, append(out.doubts, rim.told)
		}
		out.star = star
	} else {
		c, err := t.finer(ctx, star)
		if err != nil {
			return nil, err
		}
		out.border, _ = t.fitBorder(c, star, dark)
	}
	out.surface, out.in, out.radius, out.finest, out.cut = star, in, radiusOf(star), math.Cbrt(w.v.Grid.VoxelMM3()), t.cut(star, in)
	g := w.c.Grid
	box := w.around(star.Centre, star.MostMM()+w.stepMM())
	sub := g.Crop(box)
	out.m = make(filter.Mask, g.Len())
	filter.Paste(g, out.m, box, func(n int) bool {
		i, j, k := sub.IJK(n)
		at := g.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2])
		return gain[at] > notTissue && star.DepthMM(sub.Point(float64(i), float64(j), float64(k))) > 0
	})
	if out.star != nil {
		return out, nil
	}
	wide, err := closing(ctx, g, out.m, radiusOf(star))
	if err != nil {
		return nil, err
	}
	for n, in := range wide {
		out.m[n] = out.m[n] || in && gain[n] > notTissue
	}
	return out, nil
}

// radiusOf is the radius of the ball of a surface's volume, mm.
func radiusOf(s *filter.Star) float64 { return math.Cbrt(s.VolumeMM3() * 3 / 4 / math.Pi) }

// ball is a round first guess of a tumour.
type ball struct {
	c      r3.Vec
	r      float64 // mm
	hu     float64 // of its tissue
	gain   float64 // sum of the gains of its voxels
	doubts []string
}

var (
	// firstBallsMM are the radii of the balls around a seed from which the search
	// starts: the first that leads to tissue unlike liver is taken, so that a
	// small tumour beside a large one is found.
	firstBallsMM = []float64{4, 8, 12, 16}
	// nearBallsMM are the radii around a seed in tissue of the density of liver,
	// a nodule or a rim, where the dark part of a tumour is looked for.
	nearBallsMM = []float64{12, 16, 24}
)

// The least odds of a ball, as a logarithm, and the deviations of smoothed liver
// from which its tissue is clearly another.
const (
	ballGain = 20.0
	clearSD  = 3.0
)

// firstBall is the ball that holds the seeds and is most unlike liver, climbed to
// from small ones. When its tissue is not clearly another than liver, a click may
// have hit a nodule or wall: then one is taken that holds the dark tissue beside
// it and outweighs that.
func (t *tumourOdds) firstBall(l imaging.Label) (ball, error) {
	w, seeds := t.w, t.seeds
	var centre r3.Vec
	for _, p := range seeds {
		centre = r3.Add(centre, r3.Scale(1/float64(len(seeds)), p))
	}
	least := 0.0
	for _, p := range seeds {
		least = max(least, r3.Norm(r3.Sub(p, centre)))
	}
	from := func(mm, part float64) ball {
		b := ball{c: centre, r: max(mm, least+w.stepMM())}
		b.hu = t.quantile(b, part)
		return b
	}
	var best ball
	for _, mm := range firstBallsMM {
		b := t.climb(from(mm, 0.5))
		switch far := math.Abs(b.hu-t.mean) / w.liverSD; {
		case far >= clearSD && b.gain > ballGain:
			return b, nil
		case far >= t.s.SureSD && b.gain > max(best.gain, ballGain):
			best = b
			best.doubts = []string{fmt.Sprintf("its tissue has %.0f HU, %.1f standard deviations from liver (%.0f ± %.0f)", b.hu, far, t.mean, w.liverSD)}
		}
	}
	for _, mm := range nearBallsMM {
		b := from(mm, 0.25)
		if t.mean-b.hu < clearSD*w.liverSD {
			continue
		}
		if b = t.climb(b); t.mean-b.hu >= clearSD*w.liverSD && b.gain > max(best.gain, ballGain) {
			b.doubts = []string{fmt.Sprintf("its seed lies in tissue like liver; what was taken is the tissue of %.0f HU beside it", b.hu)}
			return b, nil
		}
	}
	if best.gain > 0 {
		return best, nil
	}
	mm := firstBallsMM[0]
	hu := from(mm, 0.5).hu
	if n, ok := w.voxel(centre); ok && !t.hull[n] {
		return best, &NotFoundError{l, fmt.Sprintf("its seed lies outside the liver that was found, in tissue of %.0f HU; correct the liver first, or paint the tumour with a brush", hu)}
	}
	if math.Abs(hu-t.mean) < t.s.SureSD*w.liverSD {
		return best, &NotFoundError{l, fmt.Sprintf("within %.0f mm of its seed the tissue has %.0f HU, the same as liver (%.0f ± %.0f); move the seed to the middle of the tumour, or paint it with a brush", mm, hu, t.mean, w.liverSD)}
	}
	return best, &NotFoundError{l, fmt.Sprintf("the tissue of %.0f HU at its seed is no more than noise in the liver (%.0f ± %.0f); paint it with a brush if it is a tumour", hu, t.mean, w.liverSD)}
}

// climbSteps bounds the moves of climb; growing by an eighth, a ball gets from
// the smallest to the largest radius in 30.
const climbSteps = 60

// climb moves and resizes a ball while that makes it less like liver and it
// holds the seeds.
func (t *tumourOdds) climb(b ball) ball {
	h := t.w.stepMM()
	b.gain = t.total(b)
	for range climbSteps {
		next := b
		try := func(c ball) {
			for _, p := range t.seeds {
				if r3.Norm(r3.Sub(p, c.c)) > c.r {
					return
				}
			}
			if c.gain = t.total(c); c.gain > next.gain {
				next = c
			}
		}
		d := max(h/2, b.r/8)
		for _, v := range [6]r3.Vec{{X: d}, {X: -d}, {Y: d}, {Y: -d}, {Z: d}, {Z: -d}} {
			c := b
			c.c = r3.Add(c.c, v)
			try(c)
		}
		for _, f := range [2]float64{9.0 / 8, 8.0 / 9} {
			c := b
			c.r = min(max(c.r*f, 1.5*h), t.s.ReachMM)
			try(c)
		}
		if next.gain <= b.gain {
			break
		}
		b = next
		// the ball's own value, unless it lies on the other side of liver
		if hu := t.quantile(b, 0.5); math.Abs(hu-b.hu) > t.sd/5 && (hu < t.mean == (b.hu < t.mean) || math.Abs(b.hu-t.mean) < clearSD*t.w.liverSD) {
			b.hu = hu
			b.gain = t.total(b)
		}
	}
	return b
}

// each calls f with the working voxels of a ball.
func (t *tumourOdds) each(b ball, f func(n int)) {
	g := t.w.c.Grid
	box := t.w.around(b.c, b.r)
	for k := box.Lo[2]; k < box.Hi[2]; k++ {
		for j := box.Lo[1]; j < box.Hi[1]; j++ {
			for i := box.Lo[0]; i < box.Hi[0]; i++ {
				if r3.Norm2(r3.Sub(g.Point(float64(i), float64(j), float64(k)), b.c)) <= b.r*b.r {
					f(g.Index(i, j, k))
				}
			}
		}
	}
}

// quantile is the HU below which that part of the soft tissue of a ball lies;
// that of liver where it holds none.
func (t *tumourOdds) quantile(b ball, part float64) float64 {
	var x []float32
	t.each(b, func(n int) {
		if t.w.smooth[n] > fatHU && !t.w.bone[n] {
			x = append(x, t.w.c.HU[n])
		}
	})
	if len(x) == 0 {
		return t.mean
	}
	slices.Sort(x)
	return float64(x[int(part*float64(len(x)))])
}

// total is the gain of a ball of tissue of one value.
func (t *tumourOdds) total(b ball) float64 {
	in := tissue{far: (b.hu - t.mean) / t.sd}
	sum := 0.0
	t.each(b, func(n int) { sum += float64(t.limit(n, in.odds)) })
	return sum
}

// around is the box of the working grid within mm of p.
func (w *work) around(p r3.Vec, mm float64) imaging.Box {
	g := w.c.Grid
	i, j, k := g.Voxel(p)
	var b imaging.Box
	for a, x := range [3]float64{i, j, k} {
		b.Lo[a] = int(math.Round(x))
		b.Hi[a] = b.Lo[a] + 1
	}
	return b.Grow(g, mm).Clip(g)
}
