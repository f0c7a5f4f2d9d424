package cut

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// offPrice weighs the distance of a node from the surface, as a share of the
// longest edge around, against the deficits of pieces.
const offPrice = 3

// leastGain is the least fall of the deficits that a change of turns is worth.
const leastGain = 1e-3

// mend changes the cut until every piece keeps its shape, the worst tetrahedron
// first. Of these it takes what costs least:
//   - one of the tetrahedron's crossings is cut before or after its turn, once;
//   - one of its corners becomes a node of both sides, moved onto the surface if
//     the tetrahedra around bear that, else where it is.
//
// A tetrahedron whose corners have all left their sides has no crossing, so this
// ends, and then every piece keeps its shape.
func (p *patch) mend() error {
	type entry struct {
		deficit float64
		tet     int32
	}
	var work, next []entry
	for t := range p.vert {
		if d := p.deficit(int32(t)); d > 0 {
			work = append(work, entry{d, int32(t)})
		}
	}
	for len(work) > 0 {
		slices.SortFunc(work, func(a, b entry) int {
			return cmp.Or(-cmp.Compare(a.deficit, b.deficit), cmp.Compare(a.tet, b.tet))
		})
		next = next[:0]
		for _, w := range work {
			if err := p.ctx.Err(); err != nil {
				return err
			}
			if p.deficit(w.tet) == 0 {
				continue
			}
			node := p.mendOne(w.tet)
			if node < 0 {
				continue
			}
			for _, t := range p.around(node) {
				if d := p.deficit(t); d > 0 {
					next = append(next, entry{d, t})
				}
			}
		}
		work, next = next, work
	}
	return p.ctx.Err()
}

// mendOne makes the change that costs least and returns a node that all
// tetrahedra it concerns share.
func (p *patch) mendOne(tet int32) int32 {
	best, node, at := math.Inf(1), int32(-1), r3.Vec{}
	for _, n := range p.vert[tet] {
		if p.side[n] == 0 {
			continue
		}
		for _, q := range p.targets(n) {
			if p.fits(n, q) {
				if c := p.price(n, q); c < best {
					best, node, at = c, n, q
				}
				break
			}
		}
		if c := p.price(n, p.pos[n]); c < best {
			best, node, at = c, n, p.pos[n]
		}
	}
	edge, turn := int32(-1), int8(0)
	for _, e := range p.cross[p.mixed[tet]] {
		if e < 0 || !p.crossed(e) || p.turn[e] != 0 {
			continue
		}
		for _, r := range [2]int8{1, -1} {
			if c := p.turnPrice(e, r); c < best && c < -leastGain {
				best, edge, turn = c, e, r
			}
		}
	}
	if edge >= 0 {
		p.turn[edge] = turn
		return p.edge.ends[edge][0]
	}
	if node >= 0 {
		p.moveOnto(node, at)
	}
	return node
}

// turnPrice is the change of the deficits when crossing e is given a turn.
func (p *patch) turnPrice(e int32, turn int8) float64 {
	ends := p.edge.ends[e]
	sum := func() (d float64) {
		for _, t := range p.around(ends[0]) {
			if v := &p.vert[t]; v[corner(v, ends[1])] == ends[1] {
				d += p.deficit(t)
			}
		}
		return d
	}
	cost := -sum()
	p.turn[e] = turn
	cost += sum()
	p.turn[e] = 0
	return cost
}

// price is what it costs to make n a node of both sides at q: the change of
// the deficits around it, and how far q is off the surface.
func (p *patch) price(n int32, q r3.Vec) float64 {
	was, side := p.pos[n], p.side[n]
	var cost, longest float64
	for _, t := range p.around(n) {
		cost -= p.deficit(t)
	}
	p.pos[n], p.side[n] = q, 0
	for _, t := range p.around(n) {
		cost += p.deficit(t)
		for _, o := range p.vert[t] {
			longest = max(longest, r3.Norm2(sub(q, p.pos[o])))
		}
	}
	p.pos[n], p.side[n] = was, side
	return cost + offPrice*math.Abs(p.f.at(q).dist)/math.Sqrt(longest)
}
