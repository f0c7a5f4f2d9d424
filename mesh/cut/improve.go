package cut

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// aimShape is the shape at which smoothing leaves a tetrahedron alone: with the
	// default bounds all dihedral angles between 15° and 150°.
	aimShape = 2.2
	// smoothRounds bounds how often the badly shaped are gone through.
	smoothRounds = 3
)

// improve moves nodes of the pieces, with guards: none of the shapes around
// falls below its bounds.
func (p *patch) improve() error {
	p.pull()
	for range smoothRounds {
		moved, err := p.smooth()
		if err != nil {
			return err
		}
		if moved == 0 {
			break
		}
	}
	p.pull()
	return p.ctx.Err()
}

// pullShares are tried one after the other.
var pullShares = [...]float64{1, .75, .5, .25, .1}

// pull moves nodes of both sides that were left off the surface towards it.
func (p *patch) pull() {
	for n := range p.node {
		if p.side[n] != 0 || p.dist[n] == 0 || !p.near[n] {
			continue
		}
	goals:
		for _, q := range p.targets(int32(n)) {
			for _, share := range pullShares {
				at := mix(p.pos[n], q, share)
				if d := p.f.at(at).dist; math.Abs(d) < math.Abs(p.dist[n]) && p.fits(int32(n), at) {
					p.noteSlide(int32(n), at)
					p.pos[n], p.dist[n] = at, p.rounded(d)
					break goals
				}
			}
		}
	}
}

// smooth moves the corners of badly shaped tetrahedra, the worst first.
func (p *patch) smooth() (moved int, err error) {
	type entry struct {
		shape float64
		tet   int32
	}
	var work []entry
	for t := range p.vert {
		if s := p.shape(int32(t)); s < aimShape {
			work = append(work, entry{s, int32(t)})
		}
	}
	slices.SortFunc(work, func(a, b entry) int { return cmp.Or(cmp.Compare(a.shape, b.shape), cmp.Compare(a.tet, b.tet)) })
	for _, w := range work {
		if err := p.stopped(); err != nil {
			return moved, err
		}
		for _, n := range p.vert[w.tet] {
			if p.near[n] && p.climb(n, w.tet) {
				moved++
			}
		}
	}
	return moved, nil
}

// worstAround is the smallest shape around n.
func (p *patch) worstAround(n int32) float64 {
	w := math.Inf(1)
	for _, t := range p.around(n) {
		w = min(w, p.shape(t))
	}
	return w
}

// climbSteps are tried one after the other, as shares of the longest edge.
var climbSteps = [...]float64{.2, .1, .05, .02}

// climb moves node n up the slope of the shape of tetrahedron t if the worst
// shape around n grows by that. A node on walls moves only if they are flat, and
// in their plane; a node of both sides keeps its distance from the surface or
// comes closer.
func (p *patch) climb(n, t int32) bool {
	before := p.worstAround(n)
	if before >= aimShape {
		return false
	}
	walls := p.walls(n)
	free := p.freedom(n, walls)
	if free.rank > 2 {
		return false
	}
	at := p.pos[n]
	v := &p.vert[t]
	size := 0.0
	for _, o := range v {
		size = max(size, r3.Norm(sub(p.pos[o], at)))
	}
	h := 1e-4 * size
	probe := func(d r3.Vec) float64 {
		p.pos[n] = add(at, d)
		s := p.shapeIn(t, v)
		p.pos[n] = at
		return s
	}
	slope := free.project(r3.Vec{
		X: probe(r3.Vec{X: h}) - probe(r3.Vec{X: -h}),
		Y: probe(r3.Vec{Y: h}) - probe(r3.Vec{Y: -h}),
		Z: probe(r3.Vec{Z: h}) - probe(r3.Vec{Z: -h}),
	})
	l := r3.Norm(slope)
	if !(l > 0) {
		return false
	}
	for _, step := range climbSteps {
		q := add(at, r3.Scale(step*size/l, slope))
		var d float64
		if p.side[n] == 0 {
			for range 3 {
				f := p.f.at(q)
				c, ok := free.reach(sub(f.at, q))
				if !ok {
					break
				}
				q = add(q, c)
			}
			if d = p.f.at(q).dist; math.Abs(d) > math.Abs(p.dist[n])+p.tol {
				continue
			}
		}
		if len(walls) > 0 && p.bulge(n, q, walls) > flatShare*flatShare {
			continue
		}
		p.pos[n] = q
		if p.worstAround(n) > climbGain*before {
			if p.side[n] == 0 {
				p.dist[n] = p.rounded(d)
			}
			return true
		}
		p.pos[n] = at
	}
	return false
}

// climbGain is the least gain worth a move.
const climbGain = 1.01
