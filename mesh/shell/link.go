package shell

import (
	"context"
	"errors"

	"halsted/mesh"
)

// link pairs the faces of the tetrahedra, as mesh.TetMesh.Neighbours does, and
// checks the mesh on the way. It honours ctx.
func link(ctx context.Context, m *mesh.TetMesh) ([][4]int32, error) {
	for t, v := range m.Tets {
		if t&0x7fff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for _, n := range v {
			if n < 0 || int(n) >= len(m.Nodes) {
				return nil, broken(m)
			}
		}
		if !(mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) > 0) {
			return nil, broken(m)
		}
	}
	// faces by their lowest node, then by the two others
	type side struct{ mid, top, tet, face int32 }
	sorted := func(v *[4]int32, f int) (s [3]int32, odd int) {
		c := &mesh.TetFaces[f]
		return sorted3([3]int32{v[c[0]], v[c[1]], v[c[2]]})
	}
	start := make([]int32, len(m.Nodes)+2)
	for t := range m.Tets {
		for f := range 4 {
			s, _ := sorted(&m.Tets[t], f)
			start[s[0]+2]++
		}
	}
	for n := 1; n < len(start); n++ {
		start[n] += start[n-1]
	}
	all := make([]side, 4*len(m.Tets))
	for t := range m.Tets {
		if t&0x7fff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for f := range 4 {
			s, _ := sorted(&m.Tets[t], f)
			all[start[s[0]+1]] = side{s[1], s[2], int32(t), int32(f)}
			start[s[0]+1]++
		}
	}
	next := make([][4]int32, len(m.Tets))
	for t := range next {
		next[t] = [4]int32{-1, -1, -1, -1}
	}
	for n := range m.Nodes {
		if n&0x3fff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		run := all[start[n]:start[n+1]]
		for i := range run {
			for j := range i {
				a, b := &run[j], &run[i]
				if a.mid != b.mid || a.top != b.top {
					continue
				}
				_, oa := sorted(&m.Tets[a.tet], int(a.face))
				_, ob := sorted(&m.Tets[b.tet], int(b.face))
				if oa == ob || next[a.tet][a.face] >= 0 {
					return nil, broken(m) // overlapping, or a third one
				}
				next[a.tet][a.face], next[b.tet][b.face] = b.tet, a.tet
			}
		}
	}
	return next, nil
}

// broken is what mesh.TetMesh.Check says of m.
func broken(m *mesh.TetMesh) error {
	if err := m.Check(); err != nil {
		return err
	}
	return errors.New("shell: the mesh is not sound")
}
