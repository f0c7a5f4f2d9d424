package cut

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// snapShare is the share of an edge within which a crossing draws the end of
	// the edge onto the surface. Below one half, so that no crossing draws both
	// ends; the stencils are best between the two thresholds of isosurface
	// stuffing, 0.25 for long and 0.41 for short edges.
	snapShare = 0.30
	// slideShare is how far a node that slides may lift off the planes of its
	// walls, as a share of their edges.
	slideShare = 0.05
	// flatShare is the same for walls that are flat: rounding.
	flatShare = 1e-11
)

// snap moves nodes onto the surface where it passes close by, nearest first.
func (p *patch) snap() error {
	type candidate struct {
		share float64
		node  int32
	}
	best := make([]float64, len(p.node))
	for n := range best {
		best[n] = 1
	}
	for e, ab := range p.edge.ends {
		if t := p.t[e]; t >= 0 {
			best[ab[0]] = min(best[ab[0]], t)
			best[ab[1]] = min(best[ab[1]], 1-t)
		}
	}
	var list []candidate
	for n, s := range best {
		if s < snapShare {
			list = append(list, candidate{s, int32(n)})
		}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.share, b.share), cmp.Compare(p.node[a.node], p.node[b.node]))
	})
	for _, c := range list {
		if err := p.stopped(); err != nil {
			return err
		}
		if p.closest(c.node) >= snapShare {
			continue // its crossings are gone: other ends were drawn onto the surface
		}
		for _, q := range p.targets(c.node) {
			if p.fits(c.node, q) {
				p.moveOnto(c.node, q)
				break
			}
		}
	}
	return p.ctx.Err()
}

// eachCrossing calls f for the crossings on edges of n that still count, with
// the share of the edge from n and the other end. An edge comes once for each
// tetrahedron around it.
func (p *patch) eachCrossing(n int32, f func(e int32, share float64, other int32)) {
	if p.mixed == nil {
		return // split already
	}
	for _, t := range p.around(n) {
		m := p.mixed[t]
		if m < 0 {
			continue
		}
		for _, e := range p.cross[m] {
			if e < 0 || !p.crossed(e) {
				continue
			}
			switch ab := p.edge.ends[e]; n {
			case ab[0]:
				f(e, p.t[e], ab[1])
			case ab[1]:
				f(e, 1-p.t[e], ab[0])
			}
		}
	}
}

// closest is the least share of an edge of n up to its crossing.
func (p *patch) closest(n int32) float64 {
	least := 1.
	p.eachCrossing(n, func(_ int32, share float64, _ int32) { least = min(least, share) })
	return least
}

// moveOnto makes n a node of both sides, at q.
func (p *patch) moveOnto(n int32, q r3.Vec) {
	if q != p.pos[n] {
		p.noteSlide(n, q)
	}
	p.pos[n], p.side[n] = q, 0
	p.dist[n] = p.rounded(p.f.at(q).dist)
}

// noteSlide remembers n when it moves to q along walls that are not flat.
func (p *patch) noteSlide(n int32, q r3.Vec) {
	if walls := p.walls(n); len(walls) > 0 && p.bulge(n, q, walls) > flatShare*flatShare {
		p.slid = append(p.slid, n)
	}
}

// rounded takes a distance that is only rounding for none.
func (p *patch) rounded(d float64) float64 {
	if math.Abs(d) <= p.tol {
		return 0
	}
	return d
}

// fits tells whether the tetrahedra around n, undivided, keep their bounds with
// n at q.
func (p *patch) fits(n int32, q r3.Vec) bool {
	was := p.pos[n]
	p.pos[n] = q
	ok := true
	for _, t := range p.around(n) {
		if p.shape(t) < keepShape {
			ok = false
			break
		}
	}
	p.pos[n] = was
	return ok
}

// targets are places on the surface that node n can go to without leaving its
// walls, best first. The slice is reused.
func (p *patch) targets(n int32) []r3.Vec {
	out := p.goals[:0]
	f := p.f.at(p.pos[n])
	if f.dist == 0 {
		return out
	}
	walls := p.walls(n)
	if len(walls) == 0 {
		out = append(out, f.at)
		p.goals = out
		return out
	}
	limit := flatShare * flatShare
	if !p.keepBoundary {
		limit = slideShare * slideShare
	}
	// at right angles to the area vectors of the walls
	free := p.freedom(n, walls)
	q, ok := p.pos[n], true
	for g := f; ok && math.Abs(g.dist) > p.tol; { // straight there if the surface is flat
		var step r3.Vec
		step, ok = free.reach(sub(g.at, q))
		q = add(q, step)
		was := math.Abs(g.dist)
		g = p.f.at(q)
		ok = ok && math.Abs(g.dist) < was/2
	}
	if ok && p.bulge(n, q, walls) <= limit {
		out = append(out, q)
	}
	// or to a crossing on an edge that lies in the walls, such as a crease
	from := len(out)
	p.eachCrossing(n, func(e int32, _ float64, other int32) {
		q := p.pos[int32(len(p.node))+e]
		step := sub(q, p.pos[n])
		along := free.project(step)
		if dot(along, along) < creaseCos*creaseCos*dot(step, step) {
			return // across a crease
		}
		if !slices.Contains(out, q) && slices.ContainsFunc(walls, func(w wall) bool { return w.x == other || w.y == other }) &&
			p.bulge(n, q, walls) <= limit {
			out = append(out, q)
		}
	})
	at := p.pos[n]
	slices.SortStableFunc(out[from:], func(a, b r3.Vec) int {
		return cmp.Or(cmp.Compare(r3.Norm2(sub(a, at)), r3.Norm2(sub(b, at))), cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y), cmp.Compare(a.Z, b.Z))
	})
	p.goals = out
	return out
}
