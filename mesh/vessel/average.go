package vessel

import (
	"context"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// A branch whose radius the voxels leave in doubt by doubtful of itself or more
// (one standard error of counting) is averaged. Its centreline bends at knots
// about knotRadii radii apart. Voxels within surfaceVoxels voxels of the surface
// count. Its radius changes along it by about taperSD times the root of its length
// in radii, 3 % over four radii, rarely by more.
const (
	doubtful      = 0.012
	knotRadii     = 1.2
	surfaceVoxels = 0.45
	taperSD       = 0.015
	plainRadii    = 20.0 // branches up to so long start without the taper of the fit, which is noise
)

// Sweeps over all parameters: the first find the widths of steps and the blur of
// the mask, the others count. Other random numbers change a radius by about a
// third of its standard error.
const (
	averageBurn   = 60
	averageSweeps = 180
)

// bundle is the branches in doubt and those they meet. The knots of the former
// move, their radii and tapers change, and joints move for all that meet there.
type bundle struct {
	g     *graph
	s     *sampler
	ends  [][]int
	live  []bool      // edges in doubt
	near  []int       // these and the edges they meet
	knots [][]int     // of each edge in doubt: its knots, the first and the last at its joints
	joint []int       // knot of each joint, −1 none
	dirs  [][3]r3.Vec // directions in which each knot moves, the zero vector for none
	at    [][3]int    // of each direction: its parameter
	radii [][2]int    // of each edge in doubt: the parameters of its radius and its taper
	shape [][]float64 // of each edge in doubt: how much of the taper each point has, 0 on average
}

// average replaces branches in doubt by the mean of all tubes that the voxels
// allow, those that meet together, and sets the standard error of their radius to
// the spread of these tubes. The fit is one tube that parts the voxels inside from
// those outside; where few voxels do so the mean of all is nearer to the truth.
func (g *graph) average(ctx context.Context, at, vox []int32) error {
	b := g.bundle()
	if len(b.near) == 0 {
		return nil
	}
	if err := b.look(ctx, at, vox); err != nil {
		return err
	}
	if err := b.s.run(ctx, averageBurn, averageSweeps); err != nil {
		return err
	}
	b.apply()
	return nil
}

func (g *graph) bundle() *bundle {
	count := len(g.edges)
	b := &bundle{g: g, s: newSampler(g.l.mean, count), ends: g.ends(), live: make([]bool, count),
		knots: make([][]int, count), joint: make([]int, len(g.joints)), radii: make([][2]int, count), shape: make([][]float64, count)}
	for j := range b.joint {
		b.joint[j] = -1
	}
	reached := make([]bool, count)
	for n := range g.edges {
		e := &g.edges[n]
		if e.dead || e.a == e.b || e.sd < doubtful*e.typical() {
			continue
		}
		b.enlist(n)
		for _, j := range [2]int{e.a, e.b} {
			for _, x := range b.ends[j] {
				if m := x / 2; !reached[m] {
					reached[m] = true
					b.near = append(b.near, m)
				}
			}
		}
	}
	return b
}

// knot adds a point that moves in up to three directions.
func (b *bundle) knot(p r3.Vec, dirs [3]r3.Vec) int {
	s := b.s
	k := s.knot(p)
	at := [3]int{-1, -1, -1}
	for a, d := range dirs {
		if d != (r3.Vec{}) {
			at[a] = s.param(param{kind: moveKnot, of: k, dir: d, step: 0.1 * s.unit, most: s.unit})
		}
	}
	b.dirs, b.at = append(b.dirs, dirs), append(b.at, at)
	return k
}

// enlist gives edge n its knots and parameters.
func (b *bundle) enlist(n int) {
	g, s := b.g, b.s
	e := &g.edges[n]
	b.live[n] = true
	r, long := e.typical(), length(e.p)
	mean, f := rmsAlong(e.p, e.r), min(1, plainRadii*r/long)
	for m := range e.r {
		e.r[m] += f * (mean - e.r[m])
	}
	spans := min(max(2, int(math.Round(long/(knotRadii*r)))), len(e.p)-1)
	for c := 0; c <= spans; c++ {
		x := float64(c) / float64(spans) * float64(len(e.p)-1)
		along := e.tangent(int(x + 0.5))
		v, w := across(along)
		if c > 0 && c < spans {
			m := int(x)
			p := r3.Add(e.p[m], r3.Scale(x-float64(m), r3.Sub(e.p[m+1], e.p[m])))
			b.knots[n] = append(b.knots[n], b.knot(p, [3]r3.Vec{v, w}))
			continue
		}
		j, side := e.a, 0
		if c > 0 {
			j, side = e.b, 1
		}
		if b.joint[j] < 0 {
			dirs := [3]r3.Vec{v, w}
			switch {
			case len(b.ends[j]) > 1:
				dirs = [3]r3.Vec{{X: 1}, {Y: 1}, {Z: 1}}
			case b.round(e, side):
				dirs[2] = along
			}
			b.joint[j] = b.knot(g.joints[j].at, dirs)
		}
		b.knots[n] = append(b.knots[n], b.joint[j])
	}
	h := long / float64(spans) / s.unit
	k := b.knots[n]
	for c := 1; c < spans; c++ {
		s.bend(k[c-1], k[c], k[c+1], sharpBend*r/s.unit/(h*h*h)/(s.unit*s.unit))
	}
	s.tight[n] = 1 / (taperSD * taperSD * long / r)
	b.radii[n] = [2]int{s.param(param{kind: widen, of: n, step: 0.02, most: 0.2}), s.param(param{kind: incline, of: n, step: 0.02, most: 0.2})}
}

// round tells whether the lumen goes on as a ball beyond a free end of e.
func (b *bundle) round(e *edge, side int) bool {
	return e.trimmed[side] && !b.g.joints[[2]int{e.a, e.b}[side]].rim
}

// look gathers the voxels near the surface of the bundle and how each parameter
// changes their distance from it.
func (b *bundle) look(ctx context.Context, at, vox []int32) error {
	g, l, s := b.g, b.g.l, b.s
	o, err := g.own(ctx, at, len(vox))
	if err != nil {
		return err
	}
	b.calibres(o)
	in := make([]bool, len(g.edges))
	for _, n := range b.near {
		in[n] = true
	}
	cellOf := make([]int32, len(vox)) // 1 + number of the cell, 0 none
	var from []int32
	for v, n := range o.edge {
		if n < 0 || !in[n] || math.Abs(float64(o.gap[v])) > surfaceVoxels*l.mean {
			continue
		}
		e, side, free := &g.edges[n], 0, false
		switch o.at[v] {
		case 0:
			free = len(b.ends[e.a]) == 1
		case float32(len(e.p) - 1):
			side, free = 1, len(b.ends[e.b]) == 1
		}
		if free && !(b.live[n] && b.round(e, side)) {
			continue // nothing is known of how the vessel ends
		}
		from = append(from, int32(v))
		cellOf[v] = int32(len(from))
		s.cell(v < len(l.vox))
	}
	p := &places{at: make([]float32, len(from)), gap: make([]float32, len(from))}
	for _, n := range b.near {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, c := range p.find(l, at, cellOf, &g.edges[n], 2*surfaceVoxels*l.mean) {
			i, j, k := l.g.IJK(int(vox[from[c]]))
			b.enter(c, n, l.g.Point(float64(i), float64(j), float64(k)), float64(p.at[c]))
		}
	}
	s.settle()
	return nil
}

// enter adds edge n to the tubes that may hold cell c, a voxel with its centre at
// p, nearest to the edge at place.
func (b *bundle) enter(c int32, n int, p r3.Vec, place float64) {
	s, e := b.s, &b.g.edges[n]
	m := min(int(place), len(e.p)-2)
	t := place - float64(m)
	d := r3.Sub(p, r3.Add(e.p[m], r3.Scale(t, r3.Sub(e.p[m+1], e.p[m]))))
	norm := r3.Norm(d)
	if norm == 0 {
		return
	}
	r := e.r[m] + t*(e.r[m+1]-e.r[m])
	slot := s.offer(c, norm-r)
	if slot < 0 {
		return
	}
	f := place / float64(len(e.p)-1)
	for _, w := range b.weights(n, f) {
		if w.knot < 0 || w.w == 0 {
			continue
		}
		for a, q := range b.at[w.knot] {
			if q >= 0 {
				s.effect(q, c, slot, -w.w*r3.Dot(d, b.dirs[w.knot][a])/norm)
			}
		}
	}
	if b.live[n] {
		s.effect(b.radii[n][0], c, slot, -r)
		s.effect(b.radii[n][1], c, slot, -r*(b.shape[n][m]+t*(b.shape[n][m+1]-b.shape[n][m])))
	}
}

// share is how much of the move of a knot a point makes; knot −1 moves nothing.
type share struct {
	knot int
	w    float64
}

// weights is what moves edge n at the fraction f of its length: the two knots
// around, or for an edge that is not in doubt its joints, over two radii.
func (b *bundle) weights(n int, f float64) [2]share {
	e := &b.g.edges[n]
	if !b.live[n] {
		reach := min(2*e.typical()/length(e.p), 0.5)
		return [2]share{{b.joint[e.a], max(0, 1-f/reach)}, {b.joint[e.b], max(0, 1-(1-f)/reach)}}
	}
	k := b.knots[n]
	x := f * float64(len(k)-1)
	c := min(int(x), len(k)-2)
	t := x - float64(c)
	return [2]share{{k[c], 1 - t}, {k[c+1], t}}
}

// apply moves the edges to the means.
func (b *bundle) apply() {
	g, s := b.g, b.s
	for _, n := range b.near {
		e := &g.edges[n]
		last := len(e.p) - 1
		scale, sd, taper := 0.0, 0.0, 0.0
		if b.live[n] {
			scale, sd, taper = s.radius(n)
		}
		moved := make([]r3.Vec, len(e.p))
		for m, p := range e.p {
			f := float64(m) / float64(last)
			moved[m] = p
			for _, w := range b.weights(n, f) {
				if w.knot >= 0 {
					moved[m] = r3.Add(moved[m], r3.Scale(w.w, s.moved(w.knot)))
				}
			}
			if b.live[n] {
				e.r[m] *= max(1+scale+taper*b.shape[n][m], 0.5) // as in the sampler
			}
		}
		copy(e.p, moved)
		if b.live[n] {
			e.sd = sd * e.typical()
		}
	}
	for j, k := range b.joint {
		if k >= 0 {
			g.joints[j].at = r3.Add(g.joints[j].at, s.moved(k))
		}
	}
	for _, n := range b.near {
		e := &g.edges[n]
		e.p[0], e.p[len(e.p)-1] = g.joints[e.a].at, g.joints[e.b].at
	}
}
