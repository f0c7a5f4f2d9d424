package segment

import (
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// border is how the values pass from a tumour to what lies around it, measured
// over its whole surface: evenly from one to the other from width inside to width
// outside the middle of the passage, blurred by the point spread of the scan.
type border struct {
	inside, around float64 // HU of the tumour beneath its border, and of what lies around
	shift          float64 // how far outside the surface the middle of the passage lies, mm
	width          float64 // half of the passage, mm; 0 for a sharp border
	misfit         float64 // root mean square of the profile about the model, HU
	blur           float64 // of the grid it was measured on, deviation, mm; 0 when no border was found
	liver          float64 // HU of the liver around
}

// found reports whether there is a border.
func (f border) found() bool { return f.blur > 0 && f.inside != f.around }

// The profile of a border and what is looked for in it.
const (
	binMM       = 0.5  // of depth
	binDeepMM   = 10.0 // deepest
	binFarMM    = 8.0  // farthest outside
	fewInBin    = 12   // voxels say nothing
	halfTold    = 50.0 // voxels of a bin count half as much as any number
	fewBins     = 6
	fitMM       = 0.1 // steps of shift and width
	mostShiftMM = 3.0
	mostWidthMM = 6.0
	surely      = 4.0 // square of the deviations by which a wider border must fit better
)

// fitBorder measures the border of a surface around a dark or bright tumour on a
// finer grid; false when there is no such border.
func (t *tumourOdds) fitBorder(c *filter.Coarse, star *filter.Star, dark bool) (border, bool) {
	f, ok := t.profile(c, star).fit(radiusOf(star), t.blurOn(c.Grid))
	if !ok || (f.inside < f.around) != dark {
		return border{}, false
	}
	f.liver = t.mean
	return f, true
}

// blurOn is the point spread on a grid, deviation, mm: a voxel is a box, whose
// deviation is its width over the root of 12.
func (t *tumourOdds) blurOn(g imaging.Grid) float64 {
	return math.Hypot(t.blurMM, math.Cbrt(g.VoxelMM3())/math.Sqrt(12))
}

// profile is the median HU in layers of a depth inside a surface.
type profile struct{ depth, hu, weight []float64 }

// above is the part of a profile less deep than mm.
func (p profile) above(mm float64) profile {
	n := 0
	for n < len(p.depth) && p.depth[n] < mm {
		n++
	}
	return profile{p.depth[:n], p.hu[:n], p.weight[:n]}
}

// profile leaves out what a tumour or liver cannot be.
func (t *tumourOdds) profile(c *filter.Coarse, star *filter.Star) profile {
	bins := make([][]float32, int((binDeepMM+binFarMM)/binMM))
	for v, hu := range c.HU {
		i, j, k := c.Grid.IJK(v)
		p := c.Grid.Point(float64(i), float64(j), float64(k))
		b := int(math.Floor((star.DepthMM(p) + binFarMM) / binMM))
		if b < 0 || b >= len(bins) || hu < notFatHU {
			continue
		}
		if at, ok := t.w.voxel(p); ok && t.place(at) == 0 && !t.others[at] {
			bins[b] = append(bins[b], hu)
		}
	}
	var out profile
	for b, x := range bins {
		if len(x) < fewInBin {
			continue
		}
		out.depth = append(out.depth, (float64(b)+0.5)*binMM-binFarMM)
		out.hu = append(out.hu, float64(filter.Ranked(x, len(x)/2)))
		out.weight = append(out.weight, float64(len(x))/(float64(len(x))+halfTold))
	}
	return out
}

// fit finds the border of a ball of a radius that a profile shows, by least
// squares; of all widths the least that fits as well as the best but for noise.
func (p profile) fit(radius, blur float64) (border, bool) {
	if len(p.depth) < fewBins {
		return border{}, false
	}
	// sums over balls of radius+k·fitMM, so that a passage is a difference of two
	reach := int(math.Round((mostShiftMM + mostWidthMM) / fitMM))
	balls := make([][]float64, 2*reach+2)
	balls[0] = make([]float64, len(p.depth))
	for k := range 2*reach + 1 {
		balls[k+1] = make([]float64, len(p.depth))
		for n, d := range p.depth {
			balls[k+1][n] = balls[k][n] + blurredBall(radius+float64(k-reach)*fitMM, max(0, radius-d), blur)
		}
	}
	var all, sum, square float64
	for n, v := range p.hu {
		all, sum, square = all+p.weight[n], sum+p.weight[n]*v, square+p.weight[n]*v*v
	}
	var found []border // the best of each width
	least := math.Inf(1)
	for half := 0; float64(half)*fitMM <= min(mostWidthMM, radius/2); half++ {
		best := border{misfit: math.Inf(1)}
		for k := -int(mostShiftMM / fitMM); float64(k)*fitMM <= mostShiftMM; k++ {
			if radius+float64(k-half)*fitMM < blur {
				continue
			}
			lo, hi := balls[reach+k-half], balls[reach+k+half+1]
			var b1, b2, bv float64
			for n, w := range p.weight {
				b := (hi[n] - lo[n]) / float64(2*half+1)
				b1, b2, bv = b1+w*b, b2+w*b*b, bv+w*b*p.hu[n]
			}
			den := all*b2 - b1*b1
			if den < 1e-9*all*all {
				continue
			}
			step := (all*bv - b1*sum) / den
			around := (sum - step*b1) / all
			if left := math.Sqrt(max(0, square-around*sum-step*bv) / all); left < best.misfit {
				best = border{inside: around + step, around: around, shift: float64(k) * fitMM, width: float64(half) * fitMM, misfit: left, blur: blur}
			}
		}
		found = append(found, best)
		least = min(least, best.misfit)
	}
	free := max(1, len(p.depth)-5) // beside inside, around, shift, width and the scale of noise
	for _, f := range found {
		if f.found() && f.misfit*f.misfit <= least*least*(1+surely/float64(free)) {
			return f, true
		}
	}
	return border{}, false
}

// at is the value at r from the middle of a ball that has this border, HU.
func (f border) at(radius, r float64) float64 {
	sum, n := 0.0, 0.0
	for u := -f.width; u <= f.width+fitMM/2; u += fitMM {
		sum, n = sum+blurredBall(radius+u, max(r, 0), f.blur), n+1
	}
	return f.around + (f.inside-f.around)*sum/n
}

// blurredBall is a ball of 1 in 0, blurred by a Gaussian of deviation sd, at r
// from its middle: the radial integral of the Gaussian over the ball.
func blurredBall(radius, r, sd float64) float64 {
	if radius <= 0 {
		return 0
	}
	r = max(r, 1e-3*radius)
	a, b := (radius-r)/sd, (radius+r)/sd
	return (math.Erf(a/math.Sqrt2)+math.Erf(b/math.Sqrt2))/2 - sd/(r*math.Sqrt(2*math.Pi))*(math.Exp(-a*a/2)-math.Exp(-b*b/2))
}
