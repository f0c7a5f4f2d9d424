package cut

import "slices"

// split replaces the crossed tetrahedra by their pieces. Crossings become
// nodes of the patch; the tetrahedra as they were stay in p.whole.
func (p *patch) split() error {
	p.whole = whole{tet: p.tet, vert: p.vert, start: p.start, star: p.star}
	p.at = slices.Clone(p.pos[len(p.node):])
	p.used = make([]bool, len(p.t))
	for e := range p.t {
		p.used[e] = p.t[e] >= 0 && p.crossed(int32(e))
		p.side = append(p.side, 0)
		p.near = append(p.near, p.used[e])
	}
	vert := make([][4]int32, 0, len(p.vert)+3*len(p.cross))
	tet := make([]int32, 0, cap(vert))
	bound := make([]bounds, 0, cap(vert))
	var out [8][4]int32
	for t := range p.vert {
		n := p.pieces(int32(t), &out)
		for i := range n {
			vert = append(vert, out[i])
			tet = append(tet, p.tet[t])
			bound = append(bound, p.bound[t])
		}
	}
	p.vert, p.tet, p.bound, p.mixed, p.cross = vert, tet, bound, nil, nil
	p.index()
	return p.ctx.Err()
}

// whole are the tetrahedra of the patch before they were cut.
type whole struct {
	tet         []int32
	vert        [][4]int32
	start, star []int32
}
