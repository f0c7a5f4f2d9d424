package cut

import (
	"gonum.org/v1/gonum/spatial/r3"
)

// crossed tells whether the edge of crossing e still joins opposite sides.
func (p *patch) crossed(e int32) bool {
	ab := p.edge.ends[e]
	return int(p.side[ab[0]])*int(p.side[ab[1]]) < 0
}

// pieces cuts tetrahedron t at its crossings, one edge after the other: the
// longest first, equal ones by the numbers of their ends. The order depends on
// the edges alone (mend may give some another turn), so the two tetrahedra at a face divide it in the same way.
// A crossing e is node len(p.node)+e.
func (p *patch) pieces(t int32, out *[8][4]int32) int {
	out[0] = p.vert[t]
	m := p.mixed[t]
	if m < 0 {
		return 1
	}
	var order [6]int32
	var length [6]float64
	n := 0
	for _, e := range p.cross[m] {
		if e < 0 || !p.crossed(e) {
			continue
		}
		ab := p.edge.ends[e]
		l := r3.Norm2(sub(p.pos[ab[1]], p.pos[ab[0]]))
		i := n
		for ; i > 0 && p.before(e, l, order[i-1], length[i-1]); i-- {
			length[i], order[i] = length[i-1], order[i-1]
		}
		length[i], order[i] = l, e
		n++
	}
	count := 1
	first := int32(len(p.node))
	for _, e := range order[:n] {
		ab, mid := p.edge.ends[e], first+e
		for i := range count {
			ia, ib := -1, -1
			for c, v := range out[i] {
				if v == ab[0] {
					ia = c
				} else if v == ab[1] {
					ib = c
				}
			}
			if ia < 0 || ib < 0 {
				continue
			}
			out[count] = out[i]
			out[i][ib] = mid
			out[count][ia] = mid
			count++
		}
	}
	return count
}

// before tells whether crossing e, of squared edge length l, is cut before o.
func (p *patch) before(e int32, l float64, o int32, lo float64) bool {
	if p.turn[e] != p.turn[o] {
		return p.turn[e] > p.turn[o]
	}
	if l != lo {
		return l > lo
	}
	a, b := p.edge.ends[e], p.edge.ends[o]
	if a[0] != b[0] {
		return p.node[a[0]] < p.node[b[0]]
	}
	return p.node[a[1]] < p.node[b[1]]
}

// shapeIn is the shape of v by the bounds of tetrahedron t.
func (p *patch) shapeIn(t int32, v *[4]int32) float64 {
	return p.bound[t].shape(p.pos[v[0]], p.pos[v[1]], p.pos[v[2]], p.pos[v[3]])
}

// shape is that of tetrahedron t by its own bounds.
func (p *patch) shape(t int32) float64 { return p.shapeIn(t, &p.vert[t]) }

// deficit is how much the worst piece of t falls short of its bounds; none when
// t stays whole.
func (p *patch) deficit(t int32) float64 {
	if p.mixed[t] < 0 {
		return 0
	}
	var out [8][4]int32
	n := p.pieces(t, &out)
	if n == 1 {
		return 0
	}
	w := p.shapeIn(t, &out[0])
	for i := 1; i < n; i++ {
		w = min(w, p.shapeIn(t, &out[i]))
	}
	return max(0, keepShape-w)
}
