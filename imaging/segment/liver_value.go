package segment

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

const binHU = 2 // width of a histogram bin

// leastWindowSD is the least half-width of the window of parenchyma: 95 % of
// it lie within two standard deviations.
const leastWindowSD = 2

// noiseBinHU is the width of a bin of local standard deviations.
const noiseBinHU = 0.25

// commonest is the mode of the local standard deviation over soft tissue.
func (l *liverShape) commonest(mean, variance []float32) float64 {
	hist := make([]float64, 400)
	for n, v := range variance {
		if l.body[n] && mean[n] > fatHU && mean[n] < float32(l.s.MaxHU) {
			if b := int(math.Sqrt(float64(v)) / noiseBinHU); b < len(hist) {
				hist[b]++
			}
		}
	}
	hist = triangle(hist, 4)
	top := 0
	for b := range hist {
		if hist[b] > hist[top] {
			top = b
		}
	}
	return (float64(top) + 0.5) * noiseBinHU
}

// prepare measures the noise of the working image, as the commonest standard
// deviation in small boxes, and smooths on where it is strong.
func (l *liverShape) prepare(ctx context.Context) error {
	g := l.c.Grid
	r := filter.Radius(g, l.s.EvenMM/2)
	mean, variance, err := filter.Moments(ctx, g, l.c.HU, r)
	if err != nil {
		return err
	}
	l.noise = l.commonest(mean, variance)
	l.img = l.smooth
	if keep := l.s.SmoothNoise * l.noise; keep > l.s.SmoothHU {
		if l.img, err = filter.Guided(ctx, g, l.c.HU, r, keep); err != nil {
			return err
		}
	}
	return nil
}

// value finds the HU of liver: the commonest value of tissue that is even
// over a box of EvenMM, in the patient's right front. No other organ there
// is as large; muscle is streaked with fat and lies behind.
func (l *liverShape) value(ctx context.Context) error {
	w, s, g := l.work, l.s, l.c.Grid
	var pick func(n int) bool
	if seeds := w.seeds(imaging.LabelLiver); len(seeds) > 0 {
		pick = func(n int) bool {
			i, j, k := g.IJK(n)
			p := g.Point(float64(i), float64(j), float64(k))
			for _, at := range seeds {
				if r3.Norm(r3.Sub(p, at)) <= s.EvenMM {
					return true
				}
			}
			return false
		}
	} else {
		b := filter.Bounds(g, w.body)
		mid, back := l.middle(), b.Lo[1]+(3*(b.Hi[1]-b.Lo[1])+2)/4
		mean, variance, err := filter.Moments(ctx, g, l.img, filter.Radius(g, s.EvenMM))
		if err != nil {
			return err
		}
		limit := s.EvenNoise * l.commonest(mean, variance)
		most := float32(limit * limit)
		pick = func(n int) bool {
			if !w.body[n] || w.bone[n] || variance[n] > most || mean[n] < float32(s.MinHU) || mean[n] > float32(s.MaxHU) {
				return false
			}
			i, j, _ := g.IJK(n)
			return i < mid && j < back
		}
	}
	hist := make([]float64, int((s.MaxHU-s.MinHU)/binHU)+1)
	for n, x := range l.img {
		if b := int((float64(x) - s.MinHU) / binHU); x >= float32(s.MinHU) && b < len(hist) && pick(n) {
			hist[b]++
		}
	}
	hist = triangle(hist, 3)
	top := 0
	for b := range hist {
		if hist[b] > hist[top] {
			top = b
		}
	}
	if hist[top] == 0 && len(w.seeds(imaging.LabelLiver)) > 0 {
		at := w.seeds(imaging.LabelLiver)[0]
		return &NotFoundError{imaging.LabelLiver, fmt.Sprintf("within %g mm of its seed at %.0f,%.0f,%.0f mm nothing has a liver's %g to %g HU: move the seed into the liver", s.EvenMM, at.X, at.Y, at.Z, s.MinHU, s.MaxHU)}
	}
	if hist[top] == 0 {
		return &NotFoundError{imaging.LabelLiver, "no even tissue of liver density in the right upper body; give a seed inside the liver"}
	}
	// half width at half maximum, the narrower side: the other may hold a
	// neighbouring organ
	side := func(step int) float64 {
		b := top
		for b+step >= 0 && b+step < len(hist) && hist[b+step] > hist[top]/2 {
			b += step
		}
		return math.Abs(float64(b-top)) + 0.5
	}
	w.liverHU = s.MinHU + (float64(top)+0.5)*binHU
	w.liverSD = max(2, min(side(-1), side(1))*binHU/math.Sqrt(2*math.Ln2))
	half := min(s.WindowSD*w.liverSD, max(s.WindowHU, leastWindowSD*w.liverSD))
	l.low, l.high = float32(w.liverHU-half), float32(min(w.liverHU+half, l.bright()))
	// muscle stays out of the core where halfway parts the two; nearer, its own
	// darker parts would fall out of it, and with them lobes
	l.coreLow = l.low
	if w.liverHU-l.flesh > 2*leastWindowSD*w.liverSD {
		l.coreLow = max(l.low, float32((w.liverHU+l.flesh)/2))
	}
	return nil
}

// triangle smooths a histogram with a triangle of 2r−1 bins.
func triangle(h []float64, r int) []float64 {
	out := make([]float64, len(h))
	for b := range h {
		for d := 1 - r; d < r; d++ {
			if b+d >= 0 && b+d < len(h) {
				out[b] += h[b+d] * float64(r-max(d, -d)) / float64(r*r)
			}
		}
	}
	return out
}
