package aneurysm

import (
	"math"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// patient is a synthetic abdomen: aorta with a neck, an aneurysm (thrombus if
// asked) and two common iliac arteries. Lengths in mm from the lowest renal
// artery, which leaves at z = 0; the scan starts above.
type patient struct {
	aboveMM, neckMM, sacMM     float64
	neckR, sacR, iliacR        float64
	bendDeg                    float64 // of the aneurysm against the neck
	thrombusMM                 float64 // at the widest place; 0: none, and no outer border
	iliacMM, wallMM, spacingMM float64
	renals                     bool // in the mask of the lumen: at 0 and 6 mm above
}

var usual = patient{aboveMM: 40, neckMM: 25, sacMM: 75, neckR: 11, sacR: 25, iliacR: 6, bendDeg: 20, iliacMM: 55, wallMM: 1.5, spacingMM: 1}

// centre is the centreline of the aorta at s mm below the lowest renal artery.
func (p patient) centre(s float64) r3.Vec {
	b := p.bendDeg * math.Pi / 180
	if s <= p.neckMM {
		return r3.Vec{Z: -s}
	}
	d := s - p.neckMM
	const round = 15 // mm over which the bend is made
	if d < round {
		a := b * d / round / 2
		return r3.Vec{X: d * math.Sin(a), Z: -p.neckMM - d*math.Cos(a)}
	}
	q := p.centre(p.neckMM + round - 1e-9)
	return r3.Add(q, r3.Scale(d-round, r3.Vec{X: math.Sin(b), Z: -math.Cos(b)}))
}

func (p patient) outer(s float64) float64 {
	d := (s - p.neckMM - p.sacMM/2) / (p.sacMM / 4)
	return p.neckR + (p.sacR-p.neckR)*math.Exp(-d*d)
}

func (p patient) lumen(s float64) float64 {
	if p.thrombusMM == 0 {
		return p.outer(s)
	}
	d := (s - p.neckMM - p.sacMM/2) / (p.sacMM / 4)
	return p.outer(s) - p.wallMM - p.thrombusMM*math.Exp(-d*d)
}

// segments rasterises the patient.
func (p patient) segments(t testing.TB) *imaging.Segments {
	t.Helper()
	end := p.neckMM + p.sacMM
	low := p.centre(end).Z - p.iliacMM - 15
	n := func(mm float64) int { return int(math.Ceil(mm/p.spacingMM)) + 1 }
	bend := p.centre(end).X
	x0, x1 := -p.sacR-15-35, bend+p.sacR+15+35
	y := p.sacR + 12
	g := imaging.NewGrid([3]int{n(x1 - x0), n(2 * y), n(p.aboveMM - low)}, r3.Vec{X: x0, Y: -y, Z: low}, [3]float64{p.spacingMM, p.spacingMM, p.spacingMM})
	s := imaging.NewSegments(g, imaging.LabelAorta, imaging.LabelVesselWall)
	type ball struct {
		c, axis r3.Vec // a disc across axis, or a ball without one
		in, out float64
	}
	var line []ball
	const disc = 0.5 // mm
	for s := -p.aboveMM - 10; s <= end; s += disc {
		axis := r3.Unit(r3.Sub(p.centre(s+disc), p.centre(s-disc)))
		line = append(line, ball{p.centre(s), axis, p.lumen(s), p.outer(s)})
	}
	for _, side := range []float64{-1, 1} {
		dir := r3.Unit(r3.Vec{X: side * 0.45, Z: -1})
		for d := 0.0; d <= p.iliacMM; d++ {
			line = append(line, ball{c: r3.Add(p.centre(end), r3.Scale(d, dir)), in: p.iliacR, out: p.iliacR + p.wallMM})
		}
	}
	if p.renals {
		for n, side := range []float64{1, -1} {
			for d := 0.0; d < p.neckR+30; d++ {
				line = append(line, ball{c: r3.Vec{X: side * d, Z: 6 * float64(n)}, in: 3, out: 3 + p.wallMM})
			}
		}
	}
	aorta, wall := s.Bit(imaging.LabelAorta), s.Bit(imaging.LabelVesselWall)
	inside, whole := make([]bool, g.Len()), make([]bool, g.Len())
	for _, b := range line {
		x, y, z := g.Voxel(b.c)
		reach := int(math.Ceil(b.out / p.spacingMM))
		for k := int(z) - reach; k <= int(z)+reach+1; k++ {
			for j := int(y) - reach; j <= int(y)+reach+1; j++ {
				for i := int(x) - reach; i <= int(x)+reach+1; i++ {
					if !g.Contains(i, j, k) {
						continue
					}
					q := r3.Sub(g.Point(float64(i), float64(j), float64(k)), b.c)
					if math.Abs(r3.Dot(q, b.axis)) > 0.6*disc {
						continue
					}
					d := r3.Norm(q)
					v := g.Index(i, j, k)
					inside[v], whole[v] = inside[v] || d <= b.in, whole[v] || d <= b.out
				}
			}
		}
	}
	for v := range s.Bits {
		if inside[v] {
			s.Bits[v] |= aorta
		} else if whole[v] && p.thrombusMM > 0 {
			s.Bits[v] |= wall
		}
	}
	return s
}
