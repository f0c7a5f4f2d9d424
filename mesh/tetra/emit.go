package tetra

import (
	"context"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// relabel is how much stronger, in units of labelField.far, another label must
// be at the centroid of a piece for the piece to get that label: thin features
// that the lattice's vertices missed.
const relabel = 0.2

// emit writes the mesh, in local mm, and lists the faces that may lie on an
// interface.
func (s *stuffing) emit(ctx context.Context) (*mesh.TetMesh, []side, error) {
	nodes := append(make([]r3.Vec, 0, len(s.pos)+len(s.mixed)), s.pos...)
	m := &mesh.TetMesh{Tets: make([][4]int32, 0, len(s.tets)+3*len(s.mixed)), Region: make([]imaging.Label, 0, len(s.tets)+3*len(s.mixed))}
	made := newTable(2 * len(s.mixed))
	faces := map[[3]int32]int32{}
	var at r3.Vec
	var names [16]uint8
	var sup support
	sp := splitter{}
	sp.cut = func(a, b *knot) r3.Vec { at = s.cutAt(a, b); return at }
	sp.join = func(ids [4]int32, n int) int32 {
		next := int32(len(nodes))
		switch n {
		case 2:
			id, fresh := made.add(edgeKey(ids[0], ids[1]), next)
			if fresh {
				nodes = append(nodes, at)
			}
			return id
		case 3:
			k := [3]int32{ids[0], ids[1], ids[2]}
			if k[0] > k[1] {
				k[0], k[1] = k[1], k[0]
			}
			if k[1] > k[2] {
				k[1], k[2] = k[2], k[1]
			}
			if k[0] > k[1] {
				k[0], k[1] = k[1], k[0]
			}
			if id, ok := faces[k]; ok {
				return id
			}
			faces[k] = next
			nodes = append(nodes, r3.Scale(1.0/3, r3.Add(nodes[k[0]], r3.Add(nodes[k[1]], nodes[k[2]]))))
			return next
		}
		nodes = append(nodes, r3.Scale(0.25, r3.Add(r3.Add(nodes[ids[0]], nodes[ids[1]]), r3.Add(nodes[ids[2]], nodes[ids[3]]))))
		return next
	}
	// several tells the nodes that may lie on an interface
	several := make([]bool, len(s.at), len(s.at)+len(s.mixed))
	for v, n := range s.nmore {
		several[v] = n > 0
	}
	put := func(v [4]int32, l uint8) {
		if l != 0 {
			m.Tets = append(m.Tets, v)
			m.Region = append(m.Region, imaging.Label(l))
		}
	}
	sp.piece = func(v *[4]knot, set uint32) {
		l, n := uint8(0), 0
		for i := range names {
			if set>>i&1 != 0 {
				l = names[i]
				n++
			}
		}
		c := r3.Scale(0.25, r3.Add(r3.Add(v[0].p, v[1].p), r3.Add(v[2].p, v[3].p)))
		s.f.at(c, &sup)
		if n > 1 {
			bd := -1.0
			for i := range names {
				if set>>i&1 == 0 {
					continue
				}
				if d := sup.of(names[i]); d > bd || d == bd && names[i] < l {
					l, bd = names[i], d
				}
			}
		}
		ids := [4]int32{v[0].id, v[1].id, v[2].id, v[3].id}
		if t := sup.lab[0]; t != l && !s.holds(ids) && sup.d[0]-sup.of(l) > relabel*float64(s.f.far) {
			votes := 0
			for i := range v {
				if s.f.label(r3.Scale(0.5, r3.Add(c, v[i].p))) == t {
					votes++
				}
			}
			if votes >= 3 {
				l = t
				for len(several) < len(nodes) {
					several = append(several, true)
				}
				for _, x := range ids {
					several[x] = true
				}
			}
		}
		put(ids, l)
	}
	next := 0
	var k [4]knot
	for t := range s.tets {
		if t&0xfff == 0 && ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if next < len(s.mixed) && s.mixed[next] == int32(t) {
			next++
			s.knots(int32(t), &k, &names)
			sp.split(&k)
			continue
		}
		put(s.tets[t], s.lab[s.tets[t][0]])
	}
	for len(several) < len(nodes) {
		several = append(several, true)
	}
	var sides []side
	for t, v := range m.Tets {
		x, y, z, w := several[v[0]], several[v[1]], several[v[2]], several[v[3]]
		if !(x && y && (z || w) || z && w && (x || y)) {
			continue
		}
		for _, c := range mesh.TetFaces {
			if several[v[c[0]]] && several[v[c[1]]] && several[v[c[2]]] {
				sides = append(sides, side{v: [3]int32{v[c[0]], v[c[1]], v[c[2]]}, lab: uint8(m.Region[t])})
			}
		}
	}
	m.Nodes = nodes
	s.hold = make([]bool, len(nodes))
	for _, v := range m.Tets {
		for _, x := range v {
			if int(x) < len(s.claimed) && s.claimed[x] {
				s.hold[v[0]], s.hold[v[1]], s.hold[v[2]], s.hold[v[3]] = true, true, true, true
			}
		}
	}
	compact(m, sides, s.hold)
	return m, sides, nil
}

// holds tells whether one of the vertices keeps a part alive.
func (s *stuffing) holds(ids [4]int32) bool {
	for _, v := range ids {
		if int(v) < len(s.pinned) && s.pinned[v] {
			return true
		}
	}
	return false
}

// compact drops nodes that no tetrahedron uses; the others keep their order.
func compact(m *mesh.TetMesh, sides []side, hold []bool) {
	number := make([]int32, len(m.Nodes))
	for _, v := range m.Tets {
		for _, n := range v {
			number[n] = 1
		}
	}
	k := int32(0)
	for n, u := range number {
		if u != 0 {
			m.Nodes[k], hold[k] = m.Nodes[n], hold[n]
			number[n] = k
			k++
		}
	}
	m.Nodes = m.Nodes[:k]
	for t := range m.Tets {
		for i, n := range m.Tets[t] {
			m.Tets[t][i] = number[n]
		}
	}
	for f := range sides {
		for i, n := range sides[f].v {
			sides[f].v[i] = number[n]
		}
	}
}
