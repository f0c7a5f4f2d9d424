package segment

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// vessels is the result of findVessels: a mask per system on its own grid.
type vessels struct {
	w      *work       // the finer working grid, cropped to the liver
	box    imaging.Box // of that crop in the full grid
	system []imaging.Label
	origin map[imaging.Label]Origin
}

// findVessels looks for what stands out brighter than its surroundings inside
// the liver painted in out: hysteresis on the smoothed contrast, small pieces
// dropped. Then each piece gets a system.
func (w *work) findVessels(ctx context.Context, out *imaging.Segments) (*vessels, error) {
	r := w.r
	liver, tumours := out.Bit(imaging.LabelLiver), uint32(0)
	for _, l := range out.Of {
		if l.IsTumour() {
			tumours |= out.Bit(l)
		}
	}
	// calcification is as bright as a vessel; a little around it is partial volume
	chalk, err := filter.Dilate(ctx, w.c.Grid, w.chalk, 1.5*w.stepMM())
	if err != nil {
		return nil, err
	}
	box := out.Grid.Bounds(func(n int) bool { return out.Bits[n]&liver != 0 })
	sub := w.v.Crop(box)
	c, err := filter.Reduce(ctx, sub, r.VesselWorkMM)
	if err != nil {
		return nil, err
	}
	g := c.Grid
	fine := &work{r: r, v: sub, c: c, rep: w.rep, liverHU: w.liverHU}
	organ, quiet := make(filter.Mask, g.Len()), make(filter.Mask, g.Len())
	for n := range organ {
		i, j, k := g.IJK(n)
		at := func(a, p int) int { return box.Lo[a] + min(p*c.Block[a]+c.Block[a]/2, sub.Grid.Size[a]-1) }
		b := out.Bits[out.Grid.Index(at(0, i), at(1, j), at(2, k))]
		organ[n] = b&liver != 0
		at0, ok := w.voxel(g.Point(float64(i), float64(j), float64(k)))
		quiet[n] = organ[n] && b&tumours == 0 && !(ok && chalk[at0])
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	inner, err := filter.Erode(ctx, g, quiet, r.VesselRimMM)
	if err != nil {
		return nil, err
	}
	soft, err := filter.BoxMean(ctx, g, c.HU, [3]int{1, 1, 1})
	if err != nil {
		return nil, err
	}
	// mean over the quiet liver in the box: sum of values over sum of weights
	val, wt := make([]float32, g.Len()), make([]float32, g.Len())
	par.Chunks(g.Len(), 1<<16, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			if quiet[n] {
				// bright voxels count as no more than the liver's upper end, so
				// that a thick vessel does not raise its own surroundings
				val[n] = min(c.HU[n], float32(w.liverHU+r.LiverAboveHU))
				wt[n] = 1
			}
		}
	})
	rad := filter.Radius(g, r.VesselLocalMM)
	if val, err = filter.BoxMean(ctx, g, val, rad); err != nil {
		return nil, err
	}
	if wt, err = filter.BoxMean(ctx, g, wt, rad); err != nil {
		return nil, err
	}
	// contrast against the surroundings, at two scales
	fineC, softC := make([]float32, g.Len()), make([]float32, g.Len())
	par.Chunks(g.Len(), 1<<16, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			if wt[n] > 0 {
				around := val[n] / wt[n]
				fineC[n], softC[n] = (c.HU[n]+soft[n])/2-around, soft[n]-around
			}
		}
	})
	follow := max(r.VesselFollowHU, r.VesselNoise*darkSide(fineC, inner))
	begin := max(r.VesselAboveHU, follow)
	low := filter.Where(g.Len(), func(n int) bool { return inner[n] && float64(fineC[n]) > follow })
	high := filter.Where(g.Len(), func(n int) bool { return low[n] && float64(softC[n]) > begin })
	p := filter.Components(g, filter.Reach(g, high, low))
	least := r.VesselMinML * 1000 / g.VoxelMM3()
	m := p.Only(func(c int32) bool { return float64(p.Count[c]) >= least })
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	vs := &vessels{w: fine, box: box, system: make([]imaging.Label, g.Len()), origin: map[imaging.Label]Origin{}}
	return vs, vs.assign(ctx, m, organ)
}

// darkSide is the standard deviation of the noise in x over m, from the values
// below zero: vessels stand on the other side.
func darkSide(x []float32, m filter.Mask) float64 {
	sum, n := 0.0, 0
	for i, in := range m {
		if in && x[i] < 0 {
			sum += float64(x[i]) * float64(x[i])
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return math.Sqrt(sum / float64(n))
}

// assign gives every vessel voxel its system. With seeds, the tree of a seed
// takes what it reaches; where two trees touch, each voxel goes to the source
// that is nearer along the vessel; pieces that no seed reaches stay unknown. Without
// seeds the pieces are placed by position.
func (v *vessels) assign(ctx context.Context, m, organ filter.Mask) error {
	w, g := v.w, v.w.c.Grid
	for n, in := range m {
		if in {
			v.system[n] = imaging.LabelVessel
		}
	}
	p := filter.Components(g, m)
	src := &filter.Parts{Of: make([]int32, g.Len())}
	for _, l := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein} {
		for _, s := range w.seeds(l) {
			n, mm := nearest(g, m, s)
			if n < 0 || mm > seedToVesselMM {
				w.rep.note("the %v seed at %.0f,%.0f,%.0f mm has no vessel within %d mm and was not used", l, s.X, s.Y, s.Z, seedToVesselMM)
				continue
			}
			src.Of[n] = int32(l)
			v.origin[l] = FromSeed
		}
	}
	h := g.SpacingMM()
	src.Spread(w.c.Grid, m, float64(g.Len())*min(h[0], h[1], h[2]))
	for n, l := range src.Of {
		if l > 0 {
			v.system[n] = imaging.Label(l)
		}
	}
	if len(v.origin) > 0 {
		return ctx.Err()
	}
	return v.byPosition(ctx, p, organ)
}

// seedToVesselMM is how far a vessel seed may miss its vessel.
const seedToVesselMM = 15

func nearest(g imaging.Grid, m filter.Mask, s r3.Vec) (n int, mm float64) {
	n, mm = -1, math.Inf(1)
	for o, in := range m {
		if in {
			i, j, k := g.IJK(o)
			if d := r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), s)); d < mm {
				n, mm = o, d
			}
		}
	}
	return n, mm
}

// byPosition guesses the system of trees of at least VesselSystemML from where
// their thick end (the voxels within 80 % of the greatest depth) lies: the
// hepatic veins join the vena cava at the top of the liver behind its middle,
// the portal vein enters medially below. What fits neither stays unknown.
func (v *vessels) byPosition(ctx context.Context, p *filter.Parts, organ filter.Mask) error {
	w, g := v.w, v.w.c.Grid
	if len(p.Count) == 1 {
		return nil
	}
	depth, err := distance.Unsigned(ctx, g, func(n int) bool { return p.Of[n] == 0 })
	if err != nil {
		return err
	}
	deepest := make([]float32, len(p.Count))
	var centre r3.Vec
	voxels := 0.0
	for n, c := range p.Of {
		deepest[c] = max(deepest[c], depth[n])
		if organ[n] {
			i, j, k := g.IJK(n)
			centre = r3.Add(centre, g.Point(float64(i), float64(j), float64(k)))
			voxels++
		}
	}
	centre = r3.Scale(1/voxels, centre)
	sum, count := make([]r3.Vec, len(p.Count)), make([]float64, len(p.Count))
	for n, c := range p.Of {
		if c > 0 && depth[n] >= 0.8*deepest[c] {
			i, j, k := g.IJK(n)
			sum[c] = r3.Add(sum[c], g.Point(float64(i), float64(j), float64(k)))
			count[c]++
		}
	}
	system := make([]imaging.Label, len(p.Count))
	for c := 1; c < len(system); c++ {
		system[c] = imaging.LabelVessel
		if w.ml(p.Count[c]) < w.r.VesselSystemML {
			continue
		}
		d := r3.Sub(r3.Scale(1/count[c], sum[c]), centre) // from the liver's centre to the thick end
		switch {
		case d.Z > 15 && d.Y > 0:
			system[c] = imaging.LabelHepaticVein
		case d.Z < 10 && d.X > 0:
			system[c] = imaging.LabelPortalVein
		}
	}
	for n, c := range p.Of {
		if c > 0 {
			v.system[n] = system[c]
			if system[c] != imaging.LabelVessel {
				v.origin[system[c]] = ByPosition
			}
		}
	}
	return nil
}
