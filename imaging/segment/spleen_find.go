package segment

import (
	"context"
	"fmt"
	"math"
	"strings"

	"halsted/imaging/filter"
)

// What a spleen without contrast looks like: a piece within plainSD standard
// deviations of the commonest even value of the flank. Fat and lung cover at least
// spleenFat of its surface: the rest leans on diaphragm and chest wall, kidney and
// stomach, and muscle, which has the same value, is no freer. From surePlain of
// confidence on, what contrast shows is not looked for again by fat.
const (
	plainSD   = 3.0
	spleenFat = 0.4
	surePlain = 0.75
)

// spleenSearch is where and by what the spleen is looked for, on the working grid.
type spleenSearch struct {
	w              *work
	l              *landmarks
	set            spleenSettings
	taken          filter.Mask // of other organs, bone included
	mean, variance []float32   // over EvenMM, HU and HU²
	flankLeftMM    float64
}

func newSpleenSearch(ctx context.Context, w *work, l *landmarks, set spleenSettings) (*spleenSearch, error) {
	g := w.c.Grid
	b := filter.Bounds(g, w.body)
	s := &spleenSearch{w: w, l: l, set: set, taken: w.others(), flankLeftMM: flankPart * float64(b.Hi[0]-b.Lo[0]) * g.SpacingMM()[0] / 2}
	var err error
	s.mean, s.variance, err = filter.Moments(ctx, g, w.smooth, filter.Radius(g, set.EvenMM))
	return s, err
}

// within reports whether a voxel lies more than left mm left of the spine and not
// ahead mm or more before it.
func (s *spleenSearch) within(n int, left, ahead float64) bool {
	g, h := s.w.c.Grid, s.w.c.Grid.SpacingMM()
	i, j, k := g.IJK(n)
	return (float64(i)-s.l.spine.I[k])*h[0] > left && (float64(j)-s.l.spine.Front[k])*h[1] > -ahead
}

// commonest is the commonest value of the even tissue of the flank above least,
// counted in bins from origin, and half the width of its peak at half its height,
// on the narrower side; NaN where there is none.
func (s *spleenSearch) commonest(origin, least float64) (hu, half float64) {
	const bins = 150
	hist := make([]float64, bins)
	limit := float32(s.set.EvenHU * s.set.EvenHU)
	for n, v := range s.w.smooth {
		bin := int((float64(v) - origin) / binHU)
		if s.w.body[n] && !s.taken[n] && float64(v) > least && bin < bins && s.variance[n] < limit && s.mean[n]-v < float32(s.set.EvenHU) && s.within(n, s.flankLeftMM, flankAheadMM) {
			hist[bin]++
		}
	}
	hist = triangle(hist, 4)
	top := 0
	for b := range hist {
		if hist[b] > hist[top] {
			top = b
		}
	}
	if hist[top] == 0 {
		return math.NaN(), math.NaN()
	}
	side := func(step int) float64 {
		b := top
		for b >= 0 && b < bins && hist[b] > hist[top]/2 {
			b += step
		}
		return math.Abs(float64(b - top))
	}
	return origin + (float64(top)+0.5)*binHU, min(side(-1), side(1)) * binHU
}

// bright is the spleen by its contrast with muscle.
func (s *spleenSearch) bright(ctx context.Context) (*spleenPiece, error) {
	set, muscle := s.set, s.l.muscle
	out := &spleenPiece{doubts: doubts{confidence: 1}}
	if out.hu, _ = s.commonest(muscle, muscle+set.AboveHU); math.IsNaN(out.hu) {
		out.why = fmt.Sprintf("no even tissue left of the spine is %.0f HU brighter than muscle (%.0f HU): no contrast, or no spleen in the field", set.AboveHU, muscle)
		return out, nil
	}
	lo, hi := max((out.hu+muscle)/2, out.hu-set.BelowHU), out.hu+set.RiseHU
	out.edge = (out.hu + muscle) / 2
	if err := s.take(ctx, out, lo, hi, muscle, set.OpenMM, set.OpenMM); err != nil || out.why != "" {
		return out, err
	}
	if c := (out.hu - muscle) / (2 * set.AboveHU); c < 1 {
		out.lower(max(c, 0.3), "it has %.0f HU, muscle %.0f HU: less than %.0f HU apart", out.hu, muscle, 2*set.AboveHU)
	}
	s.judge(out)
	return out, nil
}

// plain is the spleen as the even piece of the flank that fat and lung outline.
// Against the chest wall nothing but an opening twice as wide parts it from muscle
// of its own value.
func (s *spleenSearch) plain(ctx context.Context) (*spleenPiece, error) {
	out := &spleenPiece{doubts: doubts{confidence: 1}, edge: math.Inf(1)}
	var half float64
	if out.hu, half = s.commonest(fatHU, fatHU); math.IsNaN(out.hu) {
		out.why = "no even tissue lies left of the spine"
		return out, nil
	}
	away := plainSD * half / math.Sqrt(2*math.Ln2)
	if err := s.take(ctx, out, out.hu-away, out.hu+away, out.hu-away, 2*s.set.OpenMM, 2*s.set.OpenMM); err != nil || out.why != "" {
		return out, err
	}
	faces, free := 0, 0
	for n, in := range out.m {
		if in {
			filter.Neighbours(s.w.c.Grid, n, func(o int) {
				if !out.m[o] {
					faces++
					if s.w.smooth[o] < fatHU {
						free++
					}
				}
			})
		}
	}
	if part := float64(free) / float64(max(faces, 1)); part < spleenFat {
		out.why = fmt.Sprintf("fat and lung cover %.0f %% of the piece of %.0f HU in the left flank, less than %.0f %%", 100*part, out.hu, 100*spleenFat)
	}
	out.lower(plainKidney, "it is no brighter than muscle (%.0f HU, muscle %.0f HU): only the fat and the lung around it outline it", out.hu, s.l.muscle)
	s.judge(out)
	if out.why == "" && out.confidence < leastKidney {
		out.why = fmt.Sprintf("the piece of %.0f HU there does not look like a spleen: %s", out.hu, strings.Join(out.doubts.why, "; "))
	}
	return out, nil
}

// take is the largest piece of lo to hi HU thicker than twice openMM that lies in
// the flank for a third or more, grown back by growMM and closed over what is
// brighter than least.
func (s *spleenSearch) take(ctx context.Context, out *spleenPiece, lo, hi, least, openMM, growMM float64) error {
	w, g, smooth := s.w, s.w.c.Grid, s.w.smooth
	window := filter.Where(g.Len(), func(n int) bool {
		return w.body[n] && !s.taken[n] && float64(smooth[n]) > lo && float64(smooth[n]) < hi && s.within(n, spleenLeftMM, spleenAheadMM)
	})
	core, err := filter.Erode(ctx, g, window, openMM)
	if err != nil {
		return err
	}
	p := filter.Components(g, core)
	flank := make([]int, len(p.Count))
	for n, c := range p.Of {
		if c > 0 && s.within(n, s.flankLeftMM, flankAheadMM) {
			flank[c]++
		}
	}
	best, most := int32(0), 0
	for c := 1; c < len(flank); c++ {
		if 3*flank[c] > p.Count[c] && flank[c] > most {
			best, most = int32(c), flank[c]
		}
	}
	if best == 0 {
		out.why = fmt.Sprintf("no piece of %.0f to %.0f HU thicker than %.0f mm in the left flank", lo, hi, 2*openMM)
		return nil
	}
	m, err := grownBack(ctx, g, p.Only(func(c int32) bool { return c == best }), window, growMM)
	if err != nil {
		return err
	}
	closed, err := closing(ctx, g, m, s.set.CloseMM)
	if err != nil {
		return err
	}
	m = filter.Where(g.Len(), func(n int) bool { return m[n] || closed[n] && float64(smooth[n]) > least && w.body[n] })
	m = filter.FillSlices(g, m)
	out.m = filter.LargestOf(g, filter.Where(g.Len(), func(n int) bool { return m[n] && !s.taken[n] }))
	if out.ml = w.ml(out.m.Count()); out.ml < s.set.MinML {
		out.why = fmt.Sprintf("the piece of %.0f HU in the left flank has %.1f ml, less than %.0f ml", out.hu, out.ml, s.set.MinML)
	}
	return ctx.Err()
}
