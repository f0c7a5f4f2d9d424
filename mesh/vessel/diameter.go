package vessel

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// Diameters are the widths of a cross-section, mm, and its area, mm². A width
// is the distance of two parallel lines that hold the outline between them
// (Feret).
type Diameters struct {
	MaxMM        float64 // the largest width: the clinical diameter of an aorta
	AcrossMM     float64 // the largest chord at a right angle to it
	MinMM        float64 // the least width
	MeanMM       float64 // the mean width over all directions: convex perimeter over π (Cauchy)
	EquivalentMM float64 // of the circle of equal area
	AreaMM2      float64
}

// Diameters measures the section with its outline moved outward by marginMM (0
// or more) everywhere. Guidelines measure across the axis of flow, between inner
// edges where the wall is thin, between outer edges where it is not or holds
// thrombus (Erbel et al., Eur Heart J 35 (2014) 2873, §4; Isselbacher et al.,
// Circulation 146 (2022) e334, §3). The outline of a lumen mask with margin 0 is
// the inner edge; with the thickness of the wall, the outer one; and a mask
// dilated by a voxel beforehand, as some reports do, has a margin of that voxel.
//
// Widths grow by twice the margin, exactly; the area by perimeter × margin +
// π·margin² (Steiner), exact where the outline is convex.
func (s *Section) Diameters(marginMM float64) Diameters {
	m := max(marginMM, 0)
	hull := convex(s.flat())
	d := Diameters{MaxMM: s.DiameterMM + 2*m, AcrossMM: s.PerpendicularMM + 2*m}
	least, round := math.Inf(1), 0.0
	for a, p := range hull {
		q := hull[(a+1)%len(hull)]
		l := math.Hypot(q[0]-p[0], q[1]-p[1])
		if l == 0 {
			continue
		}
		round += l
		// The least width has one side of the hull on one of its lines.
		far := 0.0
		for _, o := range hull {
			far = max(far, math.Abs((q[0]-p[0])*(o[1]-p[1])-(q[1]-p[1])*(o[0]-p[0]))/l)
		}
		least = min(least, far)
	}
	if !math.IsInf(least, 1) {
		d.MinMM = least + 2*m
	}
	d.MeanMM = round/math.Pi + 2*m
	length := 0.0
	for n, p := range s.Outline {
		length += r3.Norm(r3.Sub(s.Outline[(n+1)%len(s.Outline)], p))
	}
	// A hull has no steps; the perimeter of a convex section is that of its hull.
	d.AreaMM2 = s.AreaMM2 + min(length, round)*m + math.Pi*m*m
	d.EquivalentMM = 2 * math.Sqrt(d.AreaMM2/math.Pi)
	return d
}

// flat is the outline in the plane, mm from its centre.
func (s *Section) flat() [][2]float64 {
	u, v := across(s.Normal)
	out := make([][2]float64, len(s.Outline))
	for n, p := range s.Outline {
		d := r3.Sub(p, s.Centre)
		out[n] = [2]float64{r3.Dot(d, u), r3.Dot(d, v)}
	}
	return out
}

// convex is the convex hull, counter-clockwise (Andrew, Information Processing
// Letters 9 (1979) 216).
func convex(p [][2]float64) [][2]float64 {
	p = slices.Clone(p)
	slices.SortFunc(p, func(a, b [2]float64) int {
		if c := cmp.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return cmp.Compare(a[1], b[1])
	})
	if len(p) < 3 {
		return p
	}
	var out [][2]float64
	for pass := range 2 {
		from := len(out)
		for k := range p {
			q := p[k]
			if pass == 1 {
				q = p[len(p)-1-k]
			}
			for len(out) >= from+2 {
				a, b := out[len(out)-2], out[len(out)-1]
				if (b[0]-a[0])*(q[1]-a[1])-(b[1]-a[1])*(q[0]-a[0]) > 0 {
					break
				}
				out = out[:len(out)-1]
			}
			out = append(out, q)
		}
		out = out[:len(out)-1]
	}
	return out
}
