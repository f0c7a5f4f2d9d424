package mesh

import "halsted/imaging"

// Interfaces returns the faces between tetrahedra of different regions and
// those of one tetrahedron only, in order of the tetrahedron they are taken
// from and of TetFaces; vertices are shared, in the order in which they are
// met. Inside is the larger label, Outside the smaller one or, at the boundary,
// background; faces are counter-clockwise seen from Outside, as in
// mesh/contour. A Tet10 face is split in four through its mid-edge nodes.
//
// A tetrahedron of background has no face at the boundary. A mesh without
// regions gives its Boundary.
func (m *TetMesh) Interfaces() *Surface {
	if m.Region == nil {
		s, _ := m.Boundary()
		return s
	}
	s := &Surface{}
	vertex := make([]int32, len(m.Nodes)) // plus one; 0 is none yet
	number := func(n int32) int32 {
		if vertex[n] == 0 {
			s.Verts = append(s.Verts, m.Nodes[n])
			vertex[n] = int32(len(s.Verts))
		}
		return vertex[n] - 1
	}
	next := m.Neighbours()
	for t, v := range m.Tets {
		in := m.Region[t]
		for f, c := range TetFaces {
			out := imaging.LabelBackground
			if o := next[t][f]; o >= 0 {
				out = m.Region[o]
			}
			if in <= out {
				continue // no interface, or taken from the other side
			}
			a, b, d := number(v[c[0]]), number(v[c[1]]), number(v[c[2]])
			if m.Mid == nil {
				s.Tris, s.Region = append(s.Tris, [3]int32{a, b, d}), append(s.Region, Sides{in, out})
				continue
			}
			q := &m.Mid[t]
			ab, bd, da := number(q[edgeOf[c[0]][c[1]]]), number(q[edgeOf[c[1]][c[2]]]), number(q[edgeOf[c[2]][c[0]]])
			s.Tris = append(s.Tris, [3]int32{a, ab, da}, [3]int32{ab, b, bd}, [3]int32{da, bd, d}, [3]int32{ab, bd, da})
			r := Sides{in, out}
			s.Region = append(s.Region, r, r, r, r)
		}
	}
	return s
}
