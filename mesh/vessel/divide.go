package vessel

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// A joint is looked for in steps of divideStep radii of the vessel that divides,
// before and after where the fit has it, up to divideFar radii and as long as that
// is not divideLost worse than the best so far, −log of the likelihood (first on
// divideNear radii of the stem, which mostly is enough). It moves where the voxels
// are e^divideSure = 20 times as likely, up to divideAgain times. Tubes are fitted
// for each place with transitions of divideTau voxels, one round each, on points
// divideCoarse times as far apart as usual.
const (
	divideStep   = 0.5
	divideNear   = 1.5
	divideFar    = 4.0
	divideLost   = 5.0
	divideSure   = 3.0
	divideAgain  = 3
	divideCoarse = 1.5
	divideRest   = 1e-3 // of the squared residual
)

var divideTau = [...]float64{0.4, 0.3, 0.2}

// divide moves joints to where the vessels divide. Where branches leave at a small
// angle they run side by side in one lumen, which the fit takes for the vessel
// before: its joint lies where they part. But the vessel keeps its radius up to
// where it divides, and each branch has its own from there on, so that the lumen
// is a disc before and two discs that overlap after: three tubes are fitted
// to the voxels for every place of the joint, and that of the greatest likelihood
// stands. The radii must be those of the cross-sections (see areas).
func (g *graph) divide(ctx context.Context, at, vox []int32) error {
	ends := g.ends()
	todo := make([]int, len(g.joints))
	for j := range todo {
		todo[j] = j
	}
	again := make([]int, len(g.joints))
	for len(todo) > 0 {
		o, err := g.own(ctx, at, len(vox))
		if err != nil {
			return err
		}
		moved := make([]bool, len(g.edges)) // since the voxels were shared out
		var later []int
		for _, j := range todo {
			if slices.ContainsFunc(ends[j], func(x int) bool { return moved[x/2] }) {
				later = append(later, j)
				continue
			}
			var c *crotch
			var t trial
			for _, x := range g.forked(j, ends[j]) {
				for _, back := range [2]float64{divideNear, divideFar} {
					d := g.crotchAt(j, x, back, o, at)
					if d == nil {
						break
					}
					u, open, err := d.search(ctx)
					if err != nil {
						return err
					}
					if u.gain > t.gain && !open {
						c, t = d, u
					}
					if !open {
						break
					}
				}
			}
			if c == nil {
				continue
			}
			c.apply(&t)
			if again[j]++; t.mm >= c.wide && again[j] < divideAgain {
				later = append(later, j) // now it shows better which are the branches
			}
			for _, x := range ends[j] {
				moved[x/2] = true
			}
		}
		todo = later
	}
	return nil
}

// trial is the tubes with the joint mm after where it was, before when negative.
type trial struct {
	g        *graph // the joint is the first, its edges stem and branches
	mm, cost float64
	gain     float64 // against the cost where it was
}

// search is the best place for the joint, without gain when none is much better
// than where it is; open when the stem before it may hold better ones.
func (c *crotch) search(ctx context.Context) (best trial, open bool, err error) {
	here, err := c.try(ctx, 0)
	if err != nil || here.g == nil {
		return trial{}, false, err
	}
	best = here
	step := divideStep * c.wide
	for _, way := range [2]float64{-1, 1} {
		most := c.reach
		if way > 0 {
			most = divideFar * c.wide
		}
		s := step
		for ; s <= most+step/2; s += step {
			t, err := c.try(ctx, way*s)
			if err != nil {
				return trial{}, false, err
			}
			if t.g != nil && t.cost < best.cost {
				best = t
			}
			if t.g == nil || t.cost > best.cost+divideLost {
				break
			}
		}
		open = open || way < 0 && s > most && c.reach < divideFar*c.wide
	}
	sure := divideSure
	if best.mm > 0 && c.shared() {
		sure = 0
	}
	if best.gain = here.cost - best.cost; best.gain <= sure {
		return trial{}, open, nil
	}
	return best, open, nil
}

// shared tells whether both branches were made to begin before they part (see
// stems): the radii alone said so, and the voxels decide.
func (c *crotch) shared() bool {
	for _, x := range c.ends[1:] {
		if c.g.edges[x/2].merged[x&1] == 0 {
			return false
		}
	}
	return true
}

// try fits tubes with the joint at a place; none where that is too near an end.
func (c *crotch) try(ctx context.Context, mm float64) (trial, error) {
	g := c.draw(mm)
	if g == nil {
		return trial{}, nil
	}
	for _, tau := range divideTau {
		if err := g.logistic(ctx, c.l.at, c.vox, tau*c.l.mean, divideRest); err != nil {
			return trial{}, err
		}
	}
	cost, err := c.cost(ctx, g)
	return trial{g: g, mm: mm, cost: cost}, err
}

// draw is the tubes to begin with: the stem goes as far as the joint, on the way
// between the branches when that lies after; the branches leave it for where they
// are clear of each other. Each has the radius it has farther on.
func (c *crotch) draw(mm float64) *graph {
	g := &graph{l: c.l, joints: make([]joint, 4)}
	var p [3][]r3.Vec
	var r [3]float64
	stem := c.lines[0]
	if mm <= 0 {
		if length(stem)+mm < 0.7*median(c.radii[0]) {
			return nil
		}
		q, m := pointAlong(stem, -mm)
		p[0], r[0] = append([]r3.Vec{q}, stem[m:]...), median(c.radii[0][m-1:])
	} else {
		between := func(s float64) r3.Vec {
			a, _ := pointAlong(c.lines[1], s)
			b, _ := pointAlong(c.lines[2], s)
			return r3.Scale(0.5, r3.Add(a, b))
		}
		p[0], r[0] = append([]r3.Vec{between(mm), between(mm / 2)}, stem...), median(c.radii[0])
	}
	g.joints[0].at = p[0][0]
	ahead := towards(p[0][min(2, len(p[0])-1)], p[0][0])
	for n := 1; n < 3; n++ {
		line := c.lines[n]
		thick := median(c.radii[n])
		clear := min(max(c.beside[n-1], mm+2*thick), length(line)-0.5*c.l.mean)
		if mm > 0 && clear < mm+thick {
			return nil
		}
		q, m := pointAlong(line, clear)
		p[n], r[n] = line, median(c.radii[n][m-1:])
		if mm != 0 {
			p[n] = append(bow(p[0][0], q, ahead, towards(line[m-1], line[m])), line[m:]...)
		}
	}
	for n := range p {
		g.joints[n+1].at = p[n][len(p[n])-1]
		step := divideCoarse * max(pointVoxels*c.l.mean, pointRadii*r[n])
		e := edge{a: 0, b: n + 1}
		e.p, e.r = even(p[n], slices.Repeat([]float64{r[n]}, len(p[n])), max(3, int(math.Round(length(p[n])/step))))
		g.edges = append(g.edges, e)
	}
	return g
}

// bow is a cubic from a, which it leaves between direction u and the straight way,
// to b, where it arrives in direction v.
func bow(a, b, u, v r3.Vec) []r3.Vec {
	d := r3.Sub(b, a)
	l := r3.Norm(d)
	if l == 0 {
		return []r3.Vec{a}
	}
	u, v = r3.Scale(l, towards(r3.Vec{}, r3.Add(u, r3.Scale(1/l, d)))), r3.Scale(l, v)
	const steps = 12
	out := make([]r3.Vec, steps)
	for n := range out {
		t := float64(n) / steps
		s := 1 - t
		p := r3.Add(r3.Scale(s*s*(1+2*t), a), r3.Scale(t*t*(3-2*t), b)) // Hermite
		out[n] = r3.Add(p, r3.Add(r3.Scale(s*s*t, u), r3.Scale(-s*t*t, v)))
	}
	return out
}

// apply puts the tubes of t in the place of the lines. Their far ends stay where
// they were.
func (c *crotch) apply(t *trial) {
	g := c.g
	for n, x := range c.ends {
		e := &g.edges[x/2]
		if x&1 == 1 {
			e.turn()
		}
		before := length(e.p)
		side := before / float64(len(e.p)-1) // of a step
		shared := [2]float64{side * float64(e.merged[0]), side * float64(e.merged[1])}
		m := len(c.lines[n]) - 1
		p := slices.Clone(t.g.edges[n].p)
		last := len(p) - 1
		d := r3.Sub(e.p[m], p[last])
		for k := range p {
			f := float64(k) / float64(last)
			p[k] = r3.Add(p[k], r3.Scale(f*f*f, d))
		}
		e.p, e.r, e.clean = append(p, e.p[m+1:]...), append(slices.Clone(t.g.edges[n].r), e.r[m+1:]...), nil
		count := max(2, int(math.Round(length(e.p)/max(pointVoxels*g.l.mean, pointRadii*e.typical()))))
		e.p, e.r = even(e.p, e.r, count)
		after := length(e.p)
		e.sd *= math.Sqrt(before / max(after, g.l.mean))
		if n > 0 && shared[0] > 0 { // what the branch shares begins at the joint
			shared[0] = max(shared[0]-t.mm, 0)
		}
		for s := range shared {
			e.merged[s] = min(int(math.Ceil(shared[s]/after*float64(count))), count-1)
		}
		if x&1 == 1 {
			e.turn()
		}
	}
	g.joints[c.joint].at = t.g.joints[0].at
}
