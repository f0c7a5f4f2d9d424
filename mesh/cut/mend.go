package cut

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// deficit is how much the worst piece of t falls short of what it must keep,
// as a share of it.
func (p *patch) deficit(t int32) float64 {
	if p.mixed[t] < 0 {
		return 0
	}
	return max(0, 1-p.worstPiece(t)/p.keep[t])
}

// offPrice weighs the distance of a node from the surface, as a share of the
// longest edge around, against the deficits of pieces.
const offPrice = 0.3

// mend lets nodes belong to both sides until every piece keeps its shape: the
// worst tetrahedron first, and of its corners the one that helps most, moved
// onto the surface if its tetrahedra bear that, else where it is. Each step
// takes a node from one side, and a tetrahedron whose corners are all taken has
// no crossing left, so it ends, and then every piece keeps its shape.
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
			best, node, at := math.Inf(1), int32(-1), r3.Vec{}
			for _, n := range p.vert[w.tet] {
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
			p.moveOnto(node, at)
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
