package segment

import (
	"fmt"
	"math"

	"halsted/imaging/filter"
)

// The confidences of tumours, at most: of a clicked one that is clearly of other
// tissue than liver, of a clicked one that is not, and of one that nobody has
// clicked. A dark round piece of liver may be a cyst, a vessel without contrast or
// focal fat as well, which no figure below tells; so a candidate stays below what
// a person has pointed at.
const (
	clickedTumour   = 1.0
	doubtfulTumour  = 0.5
	candidateTumour = 0.4
)

// sure is the confidence of a tumour.
func (t *tumour) sure() float64 {
	switch {
	case t.origin == AutomaticCandidate:
		return candidateTumour * t.candidate.score()
	case len(t.doubts) > 0:
		return doubtfulTumour
	}
	return clickedTumour
}

// told are the reasons why the confidence of a tumour is not 1.
func (t *tumour) told() []string {
	if t.origin != AutomaticCandidate {
		return t.doubts
	}
	c := t.candidate
	return append([]string{fmt.Sprintf("nobody has confirmed it; it is %.0f HU darker than liver, %.1f times the noise of %.0f HU, and its sphericity is %.2f", c.contrast*c.noise, c.contrast, c.noise, c.round)}, t.doubts...)
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
