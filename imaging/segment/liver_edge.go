package segment

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// edgeNoise is the least step between the liver and its neighbour, in standard
// deviations of the noise, at which the values place the outline: two on either
// side of halfway.
const edgeNoise = 4

// trustMM is how far the surface of the cut is off: the odds of lying inside
// fall by e for each such step outwards.
const trustMM = 0.5

// Fissures are thinner than fissureMM, larger than fissureML, hold fat and no
// gas.
const (
	fissureMM = 8.0
	fissureML = 0.1
	fissureHU = -15
	gasHU     = -200
)

// besideHU is the least value a neighbour counts with: fat.
const besideHU = -100

// paintEdge places the outline between voxels of the working grid: a voxel lies
// inside when its value is likelier liver than neighbour, both normal with the
// noise, against the odds that its distance from the surface of the cut gives.
// Where liver and neighbour differ much that is halfway between their values;
// where they differ little against the noise, the surface stays.
func (l *liverShape) paintEdge(ctx context.Context) error {
	w := l.work
	in, out, err := l.sides(ctx)
	if err != nil {
		return err
	}
	l.clear = l.seen(in, out)
	fissure, err := l.fissures(ctx)
	if err != nil {
		return err
	}
	outward, noise2 := float32(w.stepMM()), float32(max(l.noise*l.noise, 1))
	fat := (l.liverHU + besideHU) / 2
	chalk, err := filter.Dilate(ctx, w.c.Grid, w.chalk, 1.5*w.stepMM())
	if err != nil {
		return err
	}
	bone := w.out.Bit(imaging.LabelBone)
	full, part, block := w.v.Grid, w.c.Grid, w.c.Block
	err = w.paint(ctx, w.out, imaging.LabelLiver, w.liver, l.s.FairMM, func(phi float32, n int) bool {
		if phi >= outward {
			return false
		}
		i, j, k := full.IJK(n)
		c := part.Index(min(i/block[0], part.Size[0]-1), min(j/block[1], part.Size[1]-1), min(k/block[2], part.Size[2]-1))
		if fissure[c] {
			return w.hu(n) > fat
		}
		if phi < -bandMM {
			return true
		}
		step := in[c] - out[c]
		if step == 0 {
			return phi < 0
		}
		if phi >= 0 && w.out.Bits[n]&bone != 0 && !chalk[c] {
			return false
		}
		x := float32(w.mean9(n)) - (in[c]+out[c])/2
		return step*x/noise2 > phi/trustMM
	})
	if err != nil {
		return err
	}
	return w.despeckle(ctx, imaging.LabelLiver, fissureML)
}

// fissures are the working voxels of the organ in and beside a fissure: thin
// sheets of more fat than liver, as those of the round ligament and the venous
// ligament. Cysts hold no fat, gas in the bile ducts is far below it.
func (l *liverShape) fissures(ctx context.Context) (filter.Mask, error) {
	g := l.c.Grid
	fat := float32(l.liverHU+besideHU) / 2
	m := filter.Where(g.Len(), func(n int) bool { return l.liver[n] && !l.lesion[n] && l.c.HU[n] < fat })
	core, err := filter.Erode(ctx, g, m, fissureMM/2)
	if err != nil {
		return nil, err
	}
	if core, err = filter.Dilate(ctx, g, core, fissureMM/2); err != nil {
		return nil, err
	}
	p := filter.Components(g, filter.Where(g.Len(), func(n int) bool { return m[n] && !core[n] }))
	sum, least := make([]float64, len(p.Count)), make([]float32, len(p.Count))
	for n, c := range p.Of {
		if c > 0 {
			sum[c] += float64(l.c.HU[n])
			least[c] = min(least[c], l.c.HU[n])
		}
	}
	m = p.Only(func(c int32) bool {
		return l.ml(p.Count[c]) >= fissureML && sum[c]/float64(p.Count[c]) < fissureHU && least[c] > gasHU
	})
	if err := l.show("fissures", g, m); err != nil {
		return nil, err
	}
	return filter.Dilate(ctx, g, m, 1.5*l.stepMM())
}

// sides are the mean HU of the liver near each voxel of the working grid and of
// what lies outside it, both without the voxels at the outline, which hold some
// of each. Lung counts as fat: the diaphragm lies between, thinner than a voxel
// of the working grid, and halfway to air would take it in.
// Where one side is missing they are equal.
func (l *liverShape) sides(ctx context.Context) (in, out []float32, err error) {
	g := l.c.Grid
	shell := 1.01 * l.stepMM()
	inner, err := filter.Erode(ctx, g, l.liver, shell)
	if err != nil {
		return nil, nil, err
	}
	outer, err := filter.Dilate(ctx, g, l.liver, shell)
	if err != nil {
		return nil, nil, err
	}
	r := filter.Radius(g, max(l.s.SideMM, 3*l.stepMM()))
	mean := func(of func(n int) bool) (num, den []float32, err error) {
		num, den = make([]float32, g.Len()), make([]float32, g.Len())
		for n := range num {
			if of(n) {
				num[n], den[n] = max(l.c.HU[n], besideHU), 1
			}
		}
		if num, err = filter.BoxMean(ctx, g, num, r); err != nil {
			return nil, nil, err
		}
		den, err = filter.BoxMean(ctx, g, den, r)
		return num, den, err
	}
	in, inPart, err := mean(func(n int) bool { return inner[n] })
	if err != nil {
		return nil, nil, err
	}
	out, outPart, err := mean(func(n int) bool { return !outer[n] })
	if err != nil {
		return nil, nil, err
	}
	const some = 1e-3 // far less than one voxel of the box, above rounding
	for n := range in {
		if inPart[n] < some || outPart[n] < some {
			in[n], out[n] = 0, 0
			continue
		}
		in[n], out[n] = in[n]/inPart[n], out[n]/outPart[n]
	}
	return in, out, nil
}

// cutOff is the part of the organ's outline that lies on the border of the
// scan: faces of its voxels there against all faces.
func (l *liverShape) cutOff() float64 {
	g := l.c.Grid
	h := g.SpacingMM()
	area := [3]float64{h[1] * h[2], h[0] * h[2], h[0] * h[1]}
	var border, all float64
	for n, is := range l.liver {
		if !is {
			continue
		}
		i, j, k := g.IJK(n)
		at := [3]int{i, j, k}
		for a := range at {
			for _, d := range [2]int{-1, 1} {
				to := at
				to[a] += d
				if !g.Contains(to[0], to[1], to[2]) {
					border += area[a]
					all += area[a]
				} else if !l.liver[g.Index(to[0], to[1], to[2])] {
					all += area[a]
				}
			}
		}
	}
	if all == 0 {
		return 0
	}
	return border / all
}

// seen is the part of the outline within the scan where the values place it,
// not smoothness alone: the step to the neighbour is above the noise.
func (l *liverShape) seen(in, out []float32) float64 {
	g := l.c.Grid
	least := edgeNoise * l.noise
	var seen, all int
	for n, is := range l.liver {
		if !is {
			continue
		}
		rim := false
		filter.Neighbours(g, n, func(o int) { rim = rim || !l.liver[o] })
		if rim {
			all++
			if math.Abs(float64(in[n]-out[n])) > least {
				seen++
			}
		}
	}
	if all == 0 {
		return 0
	}
	return float64(seen) / float64(all)
}
