package cut

import (
	"gonum.org/v1/gonum/spatial/r3"
)

// crossed tells whether the edge of crossing e still joins opposite sides.
func (p *patch) crossed(e int32) bool {
	ab := p.edge[e]
	return int(p.side[ab[0]])*int(p.side[ab[1]]) < 0
}

// pieces cuts tetrahedron t at its crossings, one edge after the other: the
// longest first, equal ones by the numbers of their ends. The order depends on
// the edges alone, so the two tetrahedra at a face divide it in the same way.
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
		ab := p.edge[e]
		l := r3.Norm2(sub(p.pos[ab[1]], p.pos[ab[0]]))
		i := n
		for ; i > 0 && (length[i-1] < l || length[i-1] == l && p.later(order[i-1], e)); i-- {
			length[i], order[i] = length[i-1], order[i-1]
		}
		length[i], order[i] = l, e
		n++
	}
	count := 1
	first := int32(len(p.node))
	for _, e := range order[:n] {
		ab, mid := p.edge[e], first+e
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

// later orders crossings by the mesh nodes of their ends.
func (p *patch) later(e, o int32) bool {
	a, b := p.edge[e], p.edge[o]
	if p.node[a[0]] != p.node[b[0]] {
		return p.node[a[0]] > p.node[b[0]]
	}
	return p.node[a[1]] > p.node[b[1]]
}

// shapeOf is the shape of patch tetrahedron v.
func (p *patch) shapeOf(v *[4]int32) float64 {
	return p.k.shape(p.pos[v[0]], p.pos[v[1]], p.pos[v[2]], p.pos[v[3]])
}

// worstPiece is the smallest shape among the pieces of t.
func (p *patch) worstPiece(t int32) float64 {
	var out [8][4]int32
	n := p.pieces(t, &out)
	w := p.shapeOf(&out[0])
	for i := 1; i < n; i++ {
		w = min(w, p.shapeOf(&out[i]))
	}
	return w
}
