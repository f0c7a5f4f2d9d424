package segment

import (
	"context"
	"math"

	"halsted/imaging/distance"
	"halsted/imaging/filter"
)

// cut moves the surface to where it is cheapest: each voxel pays for a value
// unlike its side, each face of the surface pays unless the image has an edge
// there. Fixed are the core of the liver, and outside fat, lung, bone, thick
// bright tissue and what lies farther than CutMM.
func (l *liverShape) cut(ctx context.Context) error {
	w, s, g := l.work, l.s, l.c.Grid
	inner, err := filter.Erode(ctx, g, l.liver, s.CutMM)
	if err != nil {
		return err
	}
	away, err := distance.Unsigned(ctx, g, func(n int) bool { return l.liver[n] })
	if err != nil {
		return err
	}
	fixed := filter.Where(g.Len(), func(n int) bool {
		return (inner[n] || l.core[n]) && !l.vein[n]
	})
	free := filter.Where(g.Len(), func(n int) bool {
		return away[n] <= float32(s.CutMM) && !fixed[n] && l.body[n] && (l.liver[n] || !l.bone[n] && l.img[n] > fatHU)
	})
	local, err := l.localValue(ctx)
	if err != nil {
		return err
	}
	in, out := make([]float32, g.Len()), make([]float32, g.Len())
	below, above := l.liverHU-float64(l.low), l.bright()-l.liverHU
	for n, is := range free {
		if !is {
			continue
		}
		d := float64(l.img[n] - local[n])
		if d < 0 {
			d /= below
		} else {
			d /= above
		}
		gain := max(1-d*d, -1)
		switch {
		case l.lesion[n] || w.chalk[n]:
			gain = 1
		case l.vein[n] || l.other[n]:
			gain = -1
		case d > 1:
			gain = 0
		}
		if l.cage[n] || l.wall[n] {
			gain--
		}
		gain -= 1.5 * float64(away[n]) / s.CutMM
		if gain > 0 {
			out[n] = float32(gain)
		} else {
			in[n] = float32(-gain)
		}
	}
	edge := l.edgeHU()
	fair := s.CutFair
	h := g.SpacingMM()
	step := math.Cbrt(h[0] * h[1] * h[2])
	problem := filter.CutProblem{Grid: g, Free: free, Fixed: fixed, In: in, Out: out, Diagonal: true,
		Edge: func(n, o int, mm float64) float32 {
			d := float64(l.img[n]-l.img[o]) / edge
			return float32(fair / 3 * step / mm * math.Exp(-d*d/2))
		}}
	m, err := problem.Solve(ctx)
	if err != nil {
		return err
	}
	thick, err := filter.Erode(ctx, g, m, s.TailMM)
	if err != nil {
		return err
	}
	if thick, err = filter.Dilate(ctx, g, filter.LargestOf(g, thick), s.TailMM+w.stepMM()/2); err != nil {
		return err
	}
	l.liver = filter.LargestOf(g, filter.Where(g.Len(), func(n int) bool { return m[n] && thick[n] }))
	return l.close(ctx)
}

// edgeHU is the step between neighbours that tells an edge from noise: three
// times the median step inside the core.
func (l *liverShape) edgeHU() float64 {
	var d []float32
	for n := 0; n+1 < len(l.core); n += 3 {
		if l.core[n] && l.core[n+1] {
			x := l.img[n+1] - l.img[n]
			d = append(d, max(x, -x))
		}
	}
	if len(d) == 0 {
		return 3
	}
	return max(1, 3*1.48*float64(filter.Ranked(d, len(d)/2)))
}

// localValue is the liver's value near each voxel: the mean over the core in
// boxes of localMM, drawn to the liver's own value where there is little core.
func (l *liverShape) localValue(ctx context.Context) ([]float32, error) {
	const localMM = 25
	g := l.c.Grid
	r := filter.Radius(g, localMM)
	num, den := make([]float32, g.Len()), make([]float32, g.Len())
	for n, in := range l.core {
		if in {
			num[n], den[n] = l.img[n]-float32(l.liverHU), 1
		}
	}
	var err error
	if num, err = filter.BoxMean(ctx, g, num, r); err != nil {
		return nil, err
	}
	if den, err = filter.BoxMean(ctx, g, den, r); err != nil {
		return nil, err
	}
	const prior = 0.05
	for n := range num {
		num[n] = float32(l.liverHU) + num[n]/(den[n]+prior)
	}
	return num, nil
}
