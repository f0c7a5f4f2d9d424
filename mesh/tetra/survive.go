package tetra

import (
	"context"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// A part of a label survives when a lattice vertex carries that label alone:
// every piece at such a vertex gets it. Parts that the lattice misses claim the
// vertex nearest to them, which is moved towards them; where there is none near
// enough the lattice is refined.

// claimMove is how far a vertex may be moved to a part, in sides of the
// smallest cell around it.
const claimMove = 0.3

// claimTries is how often such a move is cut, by halves, before it is given up.
const claimTries = 4

// label gives the vertices their labels, refining the lattice until every part
// is held by at least one vertex. keep gets the vertices inside a label.
func (s *stuffing) label(ctx context.Context, p *parts) (keep []bool, err error) {
	for {
		if err := s.vertices(ctx); err != nil {
			return nil, err
		}
		n := len(s.at)
		s.lab, s.pos = make([]uint8, n), make([]r3.Vec, n)
		s.part = make([]int32, n)
		held := make([]int32, len(p.size))
		for v, q := range s.at {
			if v&0xffff == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			s.pos[v] = s.place(q)
			s.lab[v] = s.f.label(s.pos[v])
			s.part[v] = -1
			if s.lab[v] != 0 {
				if c := s.partAt(p, s.pos[v]); c >= 0 && p.name[c] == s.lab[v] {
					s.part[v] = c
					held[c]++
				}
			}
		}
		s.more, s.nmore = make([][3]uint8, n), make([]uint8, n)
		s.pinned, s.claimed, s.moved = make([]bool, n), make([]bool, n), make([]uint8, n)
		if !s.claim(p, held) {
			break
		}
		if err := s.tree.balance(ctx); err != nil {
			return nil, err
		}
	}
	keep = make([]bool, len(s.at))
	for v, l := range s.lab {
		keep[v] = l != 0
	}
	return keep, nil
}

// partAt is the part at the voxel nearest to a point.
func (s *stuffing) partAt(p *parts, q r3.Vec) int32 {
	return p.at(int(math.Floor(q.X*s.f.inv.X+0.5)), int(math.Floor(q.Y*s.f.inv.Y+0.5)), int(math.Floor(q.Z*s.f.inv.Z+0.5)))
}

// claim finds a vertex for every part that has none and reports whether the
// tree was refined instead somewhere.
func (s *stuffing) claim(p *parts, held []int32) (refined bool) {
	lost := make([]bool, len(held))
	any := false
	for c, n := range held {
		if n == 0 {
			lost[c], any = true, true
		}
	}
	if !any {
		return false
	}
	voxel := max(s.f.sp.X, s.f.sp.Y, s.f.sp.Z)
	hearts := p.heart(lost)
	for c := range held {
		if !lost[c] {
			continue
		}
		h := hearts[c]
		at := r3.Vec{X: float64(h[0]) * s.f.sp.X, Y: float64(h[1]) * s.f.sp.Y, Z: float64(h[2]) * s.f.sp.Z}
		u := s.units(at)
		x, _ := s.tree.find(u, maxLevel)
		if int(x.node) >= len(s.centre) || s.tree.child[x.node] != 0 || s.centre[x.node] < 0 {
			refined = true // refined for another part just now
			continue
		}
		best, far := int32(-1), math.Inf(1)
		try := func(v int32) {
			if s.pinned[v] || s.part[v] >= 0 && held[s.part[v]] < 2 {
				return
			}
			if d := r3.Norm(r3.Sub(s.pos[v], at)); d < far {
				best, far = v, d
			}
		}
		try(s.centre[x.node])
		side := x.size()
		for n := range int32(8) {
			try(s.corner.get(pack([3]int32{x.at[0] + side*(n&1), x.at[1] + side*(n>>1&1), x.at[2] + side*(n>>2)})))
		}
		reach := 0.0
		if best >= 0 {
			reach = claimMove * float64(s.size[best]) * s.unit
		}
		if best < 0 || far > reach+0.5*voxel {
			if x.level < maxLevel {
				s.tree.refine(u, x.level+1)
				refined = true
			}
			continue
		}
		if q := s.part[best]; q >= 0 {
			held[q]--
		}
		s.part[best], s.lab[best], s.pinned[best], s.claimed[best] = int32(c), p.name[c], true, true
		held[c] = 1
		if far > 0 {
			s.pos[best] = r3.Add(s.pos[best], r3.Scale(min(1, reach/far), r3.Sub(at, s.pos[best])))
			s.moved[best] = claimTries
		}
	}
	return refined
}

// units is the place of a point in the tree.
func (s *stuffing) units(p r3.Vec) [3]int32 {
	d := r3.Scale(1/s.unit, r3.Sub(p, s.lo))
	return [3]int32{int32(math.Floor(d.X)), int32(math.Floor(d.Y)), int32(math.Floor(d.Z))}
}

// pin makes sure that every part keeps a vertex that is not on an interface.
func (s *stuffing) pin(parts int) {
	rep := make([]int32, parts)
	for c := range rep {
		rep[c] = -1
	}
	for v, c := range s.part {
		if c < 0 {
			continue
		}
		if r := rep[c]; r < 0 || s.nmore[r] > 0 && s.nmore[v] == 0 {
			rep[c] = int32(v)
		}
	}
	for _, v := range rep {
		if v >= 0 {
			s.pinned[v] = true
			s.release(v)
		}
	}
}

// release takes a vertex back from the interface it was moved to.
func (s *stuffing) release(v int32) {
	if s.nmore[v] > 0 {
		s.nmore[v] = 0
		s.pos[v] = s.place(s.at[v])
	}
}

// refineAt halves the cells at the hearts of parts.
func (s *stuffing) refineAt(ctx context.Context, p *parts, which []int32) error {
	wanted := make([]bool, len(p.size))
	for _, c := range which {
		wanted[c] = true
	}
	hearts := p.heart(wanted)
	for _, c := range which {
		h := hearts[c]
		u := s.units(r3.Vec{X: float64(h[0]) * s.f.sp.X, Y: float64(h[1]) * s.f.sp.Y, Z: float64(h[2]) * s.f.sp.Z})
		x, _ := s.tree.find(u, maxLevel)
		s.tree.refine(u, min(maxLevel, x.level+1))
	}
	return s.tree.balance(ctx)
}
