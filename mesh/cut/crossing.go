package cut

import (
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// edgeTable numbers edges in the order in which they are met.
type edgeTable struct {
	ends [][2]int32
	slot []int32 // number + 1; open addressing
}

// find gives the number of the edge from a to b; fresh tells that it is new.
// The caller gives the ends of an edge in one order always.
func (e *edgeTable) find(a, b int32) (id int32, fresh bool) {
	if 2*len(e.ends) >= len(e.slot) {
		e.slot = make([]int32, max(1024, 4*len(e.ends)))
		for i, k := range e.ends {
			*e.at(k) = int32(i + 1)
		}
	}
	k := [2]int32{a, b}
	s := e.at(k)
	if *s == 0 {
		e.ends = append(e.ends, k)
		*s = int32(len(e.ends))
		return *s - 1, true
	}
	return *s - 1, false
}

// at is the slot of edge k, or the free one where it belongs.
func (e *edgeTable) at(k [2]int32) *int32 {
	n := uint32(len(e.slot))
	h := (uint32(k[0])*0x9e3779b1 ^ uint32(k[1])*0x85ebca6b) >> 4 % n
	for e.slot[h] != 0 && e.ends[e.slot[h]-1] != k {
		if h++; h == n {
			h = 0
		}
	}
	return &e.slot[h]
}

// findCrossings makes a node for every edge between opposite sides, where the
// surface itself and not its prolongation crosses it.
func (p *patch) findCrossings() error {
	p.mixed = make([]int32, len(p.vert))
	for t, v := range p.vert {
		row := [6]int32{-1, -1, -1, -1, -1, -1}
		cut := false
		for e, c := range mesh.TetEdges {
			a, b := v[c[0]], v[c[1]]
			if int(p.side[a])*int(p.side[b]) >= 0 || !p.near[a] || !p.near[b] {
				continue
			}
			if p.node[a] > p.node[b] {
				a, b = b, a
			}
			id, fresh := p.edge.find(a, b)
			if fresh {
				if err := p.stopped(); err != nil {
					return err
				}
				p.home = append(p.home, int32(t))
				p.t = append(p.t, p.crossing(a, b))
			}
			if p.t[id] >= 0 {
				row[e], cut = id, true
			}
		}
		if p.mixed[t] = -1; cut {
			p.mixed[t] = int32(len(p.cross))
			p.cross = append(p.cross, row)
		}
	}
	p.turn = make([]int8, len(p.t))
	for e, ab := range p.edge.ends {
		p.pos = append(p.pos, mix(p.pos[ab[0]], p.pos[ab[1]], p.t[e]))
		p.dist = append(p.dist, 0)
	}
	return p.ctx.Err()
}

const (
	// rootShare is the accuracy of a crossing as a share of its edge.
	rootShare = 1e-9
	// rootSteps bounds the search for it; every fourth step halves the bracket.
	rootSteps = 120
)

// crossing is where the surface crosses the edge from a to b, which lie on
// opposite sides; −1 when only the prolongation of the surface does. Apart from
// planes it is found by the Illinois variant of false position, which cannot
// leave the bracket.
func (p *patch) crossing(a, b int32) float64 {
	da, db := p.dist[a], p.dist[b]
	if _, flat := p.f.(planeField); flat {
		return da / (da - db)
	}
	from, to := p.pos[a], p.pos[b]
	length := r3.Norm(sub(to, from))
	lo, hi, side := 0.0, 1.0, 0
	t := da / (da - db)
	for i := range rootSteps {
		f := p.f.at(mix(from, to, t))
		if math.Abs(f.dist) <= rootShare*length {
			if f.beyond {
				return -1
			}
			return t
		}
		if (f.dist < 0) == (da < 0) {
			if lo, da = t, f.dist; side == 1 {
				db /= 2
			}
			side = 1
		} else {
			if hi, db = t, f.dist; side == 2 {
				da /= 2
			}
			side = 2
		}
		if hi-lo < rootShare/16 {
			break // the side changes without a zero: between two sheets, or beyond the rim
		}
		t = lo + (hi-lo)*da/(da-db)
		if i%4 == 3 || !(t > lo && t < hi) {
			t = (lo + hi) / 2
		}
	}
	return -1
}
