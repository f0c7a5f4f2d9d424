package segment

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// A rim: tissue unlike liver, brighter or darker, on rimRays of the directions
// around a tumour of one value. A vessel that it touches is on fewer. It is looked
// for as far as rimMM out, over more than rimLeastMM.
const (
	rimRays    = 0.75
	rimMM      = 8.0
	rimLeastMM = 1.0
	rimSpan    = 4.0 // deviations from liver that its values may lie at
)

// rimmed is a surface around a tumour with its rim.
type rimmed struct {
	star   *filter.Star
	border border // from the rim to liver
	told   string
}

// withRim looks for the rim of a tumour with a surface and a border; nil when it
// has none. An arterial or fibrous rim belongs to a lesion. A voxel of it may have
// any value beside the one that the border gives it; it ends where its outer
// border ends, measured as that of a tumour.
func (t *tumourOdds) withRim(ctx context.Context, star *filter.Star, f border) (*rimmed, error) {
	if !f.found() {
		return nil, nil
	}
	rim, part, err := t.fitRim(ctx, star, f)
	if err != nil || part < rimRays {
		return nil, err
	}
	rim.Smooth(1)
	c, err := t.finer(ctx, rim)
	if err != nil {
		return nil, err
	}
	outer := t.profile(c, rim).above((radiusOf(rim) - radiusOf(star)) / 2)
	e, ok := outer.fit(radiusOf(rim), t.blurOn(c.Grid))
	if ok {
		t.grow(rim, e.shift+e.width)
	}
	e.liver = t.mean
	return &rimmed{rim, e, fmt.Sprintf("a rim unlike liver lies around it in %.0f of 100 directions, %.1f mm wide on average, and was taken in", 100*part, radiusOf(rim)-radiusOf(star))}, nil
}

// fitRim is the surface that holds another and the rim around it, with the part
// of its rays on which it lies farther out.
func (t *tumourOdds) fitRim(ctx context.Context, star *filter.Star, f border) (*filter.Star, float64, error) {
	g := t.w.c.Grid
	gain := make([]float32, g.Len())
	f.around, f.blur = t.mean, t.blurOn(g)
	size := radiusOf(star) - f.width
	for n := range gain {
		i, j, k := g.IJK(n)
		d := star.DepthMM(g.Point(float64(i), float64(j), float64(k)))
		if gain[n] = notTissue; t.others[n] || d < -rimMM-2*t.w.stepMM() || d > 2*t.w.stepMM() {
			continue
		}
		// the place of the border is sure to half a voxel, which its slope makes HU
		r, half := radiusOf(star)-d, t.w.stepMM()/2
		z, sd := (f.at(size, r)-t.mean)/t.sd, math.Hypot(1, (f.at(size, r-half)-f.at(size, r+half))/2/t.sd)
		gain[n] = t.limit(n, func(x float64) float64 { return unlike(x-z, sd) })
	}
	h := t.w.stepMM()
	rim, err := filter.FitStar(ctx, star.Centre, func(p r3.Vec) float64 {
		switch d := star.DepthMM(p); {
		case d > 0:
			return personGain
		case d < -rimMM:
			return notTissue
		}
		return sample(g, gain, p)
	}, filter.StarSettings{StepMM: h / 4, MostMM: star.MostMM() + rimMM + h, Stiff: t.s.Stiff, Slope: 1})
	if err != nil {
		return nil, 0, err
	}
	out := 0
	for n, r := range rim.RadiusMM {
		if r > star.RadiusMM[n]+rimLeastMM {
			out++
		}
	}
	return rim, float64(out) / float64(len(rim.RadiusMM)), nil
}

// unlike is the logarithm of how much likelier a value is for tissue of any value
// within rimSpan of the expected one than for that: z from it, of deviation sd.
func unlike(z, sd float64) float64 {
	any := (math.Erf((rimSpan-z)/(sd*math.Sqrt2)) + math.Erf((rimSpan+z)/(sd*math.Sqrt2))) / 2
	return math.Log(max(any, 1e-9)*sd*math.Sqrt(2*math.Pi)/(2*rimSpan)) + z*z/(2*sd*sd)
}
