package segment

import (
	"fmt"
	"math"
	"slices"

	"halsted/imaging/filter"
)

// The confidences of tumours, at most: of a clicked one that is clearly of other
// tissue than liver, of a clicked one that is not or whose border nothing shows,
// and of one that nobody has clicked. A dark round piece of liver may be a cyst, a vessel without contrast or
// focal fat as well, which no figure below tells; so a candidate stays below what
// a person has pointed at.
const (
	clickedTumour   = 1.0
	doubtfulTumour  = 0.5
	candidateTumour = 0.4
)

// sure is the confidence of a tumour.
func (t *tumour) sure() float64 {
	if t.origin == AutomaticCandidate {
		return candidateTumour * t.candidate.score()
	}
	most := clickedTumour
	if len(t.doubts) > 0 || !t.border.found() {
		most = doubtfulTumour
	}
	// a person has pointed at it: what candidates have at most, and as much of the
	// rest as its outline is sure
	return candidateTumour + (most-candidateTumour)*t.border.sure(t.radius, t.finest)*(1-t.cut)
}

// told are the reasons why the confidence of a tumour is not 1.
func (t *tumour) told() []string {
	if t.origin != AutomaticCandidate {
		why := slices.Clone(t.doubts)
		if t.cut > 0 {
			why = append(why, fmt.Sprintf("on %.0f %% of its surface it ends at the outline of the liver, and the tissue beyond is like it", 100*t.cut))
		}
		if !t.border.found() {
			return append(why, "nothing shows where its border lies: the values across its outline follow no passage to liver")
		}
		f := t.border
		return append(why, fmt.Sprintf("across its outline the values pass from %.0f to %.0f HU (liver around it has %.0f) within %.1f mm, %.0f HU off a smooth passage: it is sure to %.1f mm at a radius of %.1f mm", f.inside, f.around, f.liver, 2*f.width, f.misfit, f.margin(t.finest), t.radius))
	}
	c := t.candidate
	return append([]string{fmt.Sprintf("nobody has confirmed it; it is %.0f HU darker than liver, %.1f times the noise of %.0f HU, and its sphericity is %.2f", c.contrast*c.noise, c.contrast, c.noise, c.round)}, t.doubts...)
}

// margin is how far inside or outside an outline the tumour may end, mm: half the
// way from the middle of its border, where others may draw it, to its end; half a
// voxel, h mm wide; and what the misfit moves a surface of that slope.
func (f border) margin(h float64) float64 {
	slope := math.Abs(f.inside-f.around) / (2*f.width + math.Sqrt(2*math.Pi)*f.blur)
	return f.width/2 + h/2 + f.misfit/slope
}

// sure is how far the outline of a tumour of a radius is to be trusted: the Dice
// of balls that end a margin inside and a margin outside it, less the part of the
// step from the tumour to what lies around it that is no step to liver. It is 0
// where no border was found.
func (f border) sure(radius, h float64) float64 {
	if !f.found() {
		return 0
	}
	m := f.margin(h)
	in := math.Pow(max(0, radius-m)/(radius+m), 3)
	return 2 * in / (1 + in) * max(0, 1-math.Abs(f.around-f.liver)/math.Abs(f.inside-f.around))
}

// cut is the part of a surface outside which lies tissue nearer to that of the
// tumour than to liver, in places where no liver was found.
func (t *tumourOdds) cut(star *filter.Star, in tissue) float64 {
	cut := 0
	for n, r := range star.RadiusMM {
		at, ok := t.w.voxel(star.On(n, r+t.w.stepMM()))
		if ok && !t.hull[at] && t.w.body[at] && !t.w.bone[at] && t.w.smooth[at] >= notFatHU && (float64(t.w.smooth[at])-t.mean)/t.sd/in.far > 0.5 {
			cut++
		}
	}
	return float64(cut) / float64(len(star.RadiusMM))
}

// candidate is what can be measured of a tumour that nobody has confirmed.
type candidate struct {
	noise    float64 // deviation of liver in the working image, HU
	contrast float64 // how much darker than liver it is on average, in those deviations
	size     float64 // its volume over the least of a candidate
	round    float64 // sphericity, 1 for a ball
}

// judgeCandidate measures a candidate of the sphericity round.
func (w *work) judgeCandidate(m filter.Mask, round float64, s tumourSettings) candidate {
	mean, sd := w.liverNoise()
	sum, n := 0.0, 0
	for at, in := range m {
		if in && !w.bone[at] {
			sum += float64(w.c.HU[at])
			n++
		}
	}
	c := candidate{noise: sd, size: w.ml(m.Count()) / s.MinML, round: round}
	if n > 0 {
		c.contrast = (mean - sum/float64(n)) / sd
	}
	return c
}

// score is from 0 to 1 and rises with contrast, size and roundness: the geometric
// mean of contrast/(clearSD+contrast), of size/(1+size) and of the sphericity. The
// first two are a half for tissue just clear of liver and for the smallest
// candidate. It is a score and no chance.
func (c candidate) score() float64 {
	part := func(x, half float64) float64 { return max(x, 0) / (half + max(x, 0)) }
	return math.Cbrt(part(c.contrast, clearSD) * part(c.size, 1) * min(max(c.round, 0), 1))
}
