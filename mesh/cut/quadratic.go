package cut

import (
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// edgeMids are the new mid-edge nodes. Until number is called, an old mid-edge
// node goes by its old number and new one i by len(m.Nodes)+i.
type edgeMids struct {
	m    *mesh.TetMesh
	edge edgeTable // of new corner nodes, lower first
	at   []r3.Vec
	from []int32 // old node, or −1−i for a place
}

// find gives the new mid-edge node between corner nodes a and b.
func (q *edgeMids) find(a, b int32) (node int32, fresh bool) {
	id, fresh := q.edge.find(min(a, b), max(a, b))
	return int32(len(q.m.Nodes)) + id, fresh
}

// addMids makes the cut corner mesh of r quadratic again. An edge whose ends
// stayed keeps its mid-edge node, or a copy in the same place where an end was
// doubled; every other edge of a changed tetrahedron is straight. Then curved
// edges are made straight until every changed tetrahedron has a positive
// Jacobian determinant.
func (a *assembly) addMids() error {
	p, r, m, out := a.patch, a.r, a.m, a.out
	q := &edgeMids{m: m}
	out.Mid = make([][6]int32, len(out.Tets))
	copy(out.Mid, m.Mid)
	for i, t := range a.changed {
		if err := p.stopped(); err != nil {
			return err
		}
		v, old := &out.Tets[t], r.Map.Tet[t]
		for e, c := range mesh.TetEdges {
			x, y := v[c[0]], v[c[1]]
			mid := int32(-1)
			if ox, oy := r.Map.Node[x], r.Map.Node[y]; ox >= 0 && oy >= 0 {
				mid = midOf(m, old, ox, oy)
				if x == ox && y == oy {
					out.Mid[t][e] = mid
					continue
				}
			}
			n, fresh := q.find(x, y)
			if out.Mid[t][e] = n; !fresh {
				continue
			}
			if mid >= 0 {
				q.at, q.from = append(q.at, m.Nodes[mid]), append(q.from, mid)
				continue
			}
			at := middle(out.Nodes[x], out.Nodes[y])
			q.at, q.from = append(q.at, at), append(q.from, int32(-1-len(r.Map.Places)))
			r.Map.Places = append(r.Map.Places, p.placeIn(at, a.home[i]))
		}
	}
	if err := a.straighten(q); err != nil {
		return err
	}
	r.number(q)
	return p.ctx.Err()
}

// midOf is the mid-edge node of tetrahedron t between its corner nodes a and b.
func midOf(m *mesh.TetMesh, t, a, b int32) int32 {
	v := &m.Tets[t]
	for e, c := range mesh.TetEdges {
		if x, y := v[c[0]], v[c[1]]; x == a && y == b || x == b && y == a {
			return m.Mid[t][e]
		}
	}
	return -1
}

// number gives the mid-edge nodes their final numbers, after all corners: the
// old ones still in use in their order, then the new ones.
func (r *Result) number(q *edgeMids) {
	out := r.Mesh
	old := len(q.m.Nodes)
	id := make([]int32, old+len(q.at))
	for _, v := range out.Mid {
		for _, n := range v {
			id[n] = 1
		}
	}
	for n, used := range id {
		if used == 0 {
			continue
		}
		id[n] = int32(len(out.Nodes))
		if n < old {
			out.Nodes = append(out.Nodes, q.m.Nodes[n])
			r.Map.Node = append(r.Map.Node, int32(n))
		} else {
			out.Nodes = append(out.Nodes, q.at[n-old])
			r.Map.Node = append(r.Map.Node, q.from[n-old])
		}
	}
	for t := range out.Mid {
		for e, n := range out.Mid[t] {
			out.Mid[t][e] = id[n]
		}
	}
}

// straighten replaces the curved edges of changed tetrahedra that would be
// inverted. A neighbour that shares such an edge changes too.
func (a *assembly) straighten(q *edgeMids) error {
	p, r, m, out := a.patch, a.r, a.m, a.out
	old := int32(len(m.Nodes))
	where := func(n int32) r3.Vec {
		if n < old {
			return m.Nodes[n]
		}
		return q.at[n-old]
	}
	replaced := map[int32]int32{} // old mid-edge node → straight one; looked up only
	for rows := a.changed; len(rows) > 0; {
		count := len(replaced)
		for _, t := range rows {
			if err := p.stopped(); err != nil {
				return err
			}
			var x [10]r3.Vec
			for i, n := range out.Tets[t] {
				x[i] = out.Nodes[n]
			}
			for i, n := range out.Mid[t] {
				x[4+i] = where(n)
			}
			if positive(&x) {
				continue
			}
			for e, c := range mesh.TetEdges {
				n, straight := out.Mid[t][e], middle(x[c[0]], x[c[1]])
				if _, done := replaced[n]; done || x[4+e] == straight {
					continue
				}
				u, v := out.Tets[t][c[0]], out.Tets[t][c[1]]
				place := Place{Tet: r.Map.Tet[t]}
				for i, o := range m.Tets[place.Tet] {
					if o == r.Map.Node[u] || o == r.Map.Node[v] {
						place.L[i] = .5
					}
				}
				from := int32(-1 - len(r.Map.Places))
				r.Map.Places = append(r.Map.Places, place)
				r.Report.Straightened++
				if n >= old {
					q.at[n-old], q.from[n-old] = straight, from
					replaced[n] = n
					continue
				}
				s, _ := q.find(u, v)
				q.at, q.from = append(q.at, straight), append(q.from, from)
				replaced[n] = s
			}
		}
		if len(replaced) == count {
			break
		}
		rows = rows[:0:0]
		for t := range out.Mid {
			hit := false
			for e, n := range out.Mid[t] {
				if s, ok := replaced[n]; ok {
					out.Mid[t][e] = s
					hit = true
				}
			}
			if hit {
				rows = append(rows, int32(t))
			}
		}
	}
	return nil
}

// gaussTet4 is the abscissa of the four-point rule of degree 2 on the
// tetrahedron, (5+3√5)/20 (A. H. Stroud, Approximate Calculation of Multiple
// Integrals, 1971, T3:2-1). mesh.TetMesh.Check looks at the same points.
const gaussTet4 = 0.58541019662496845446

// positive tells whether the Jacobian determinant of a Tet10 is positive at
// its corners and at the four Gauss points.
func positive(x *[10]r3.Vec) bool {
	for s := range 8 {
		var l [4]float64
		if s < 4 {
			l[s] = 1
		} else {
			l = [4]float64{(1 - gaussTet4) / 3, (1 - gaussTet4) / 3, (1 - gaussTet4) / 3, (1 - gaussTet4) / 3}
			l[s-4] = gaussTet4
		}
		var d [4]r3.Vec // Σ x_n ∂N_n/∂L_i
		for i := range d {
			d[i] = r3.Scale(4*l[i]-1, x[i])
		}
		for e, c := range mesh.TetEdges {
			d[c[0]] = add(d[c[0]], r3.Scale(4*l[c[1]], x[4+e]))
			d[c[1]] = add(d[c[1]], r3.Scale(4*l[c[0]], x[4+e]))
		}
		if !(mesh.Signed6(d[0], d[1], d[2], d[3]) > 0) {
			return false
		}
	}
	return true
}
