package mesh

import (
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Quadratic returns the Tet10 mesh with straight sides: a node in the middle
// of every edge, numbered after all vertices in the order in which the edges
// are met (tetrahedra in order, edges in the order of TetEdges). Corner nodes,
// Tets and Region keep their numbers; Tets and Region are shared with m, as is
// everything when m is quadratic already.
func (m *TetMesh) Quadratic() *TetMesh {
	if m.Mid != nil {
		return m
	}
	out := &TetMesh{Tets: m.Tets, Region: m.Region, Mid: make([][6]int32, len(m.Tets))}
	// edges of a vertex form a chain through next, headed by first[lower end]
	first := make([]int32, len(m.Nodes))
	for n := range first {
		first[n] = -1
	}
	guess := len(m.Nodes)*7 + 6
	next, far := make([]int32, 0, guess), make([]int32, 0, guess)
	out.Nodes = append(make([]r3.Vec, 0, len(m.Nodes)+guess), m.Nodes...)
	for t, v := range m.Tets {
		for e, c := range TetEdges {
			a, b := v[c[0]], v[c[1]]
			a, b = min(a, b), max(a, b)
			id := first[a]
			for id >= 0 && far[id] != b {
				id = next[id]
			}
			if id < 0 {
				id = int32(len(far))
				far, next = append(far, b), append(next, first[a])
				first[a] = id
				out.Nodes = append(out.Nodes, r3.Scale(0.5, r3.Add(m.Nodes[a], m.Nodes[b])))
			}
			out.Mid[t][e] = int32(len(m.Nodes)) + id
		}
	}
	return out
}

// Keep returns the mesh of the tetrahedra for which keep is true, in the same
// order; nodes no longer used are left out, the others keep their order.
func (m *TetMesh) Keep(keep func(t int) bool) *TetMesh {
	number := make([]int32, len(m.Nodes))
	chosen := make([]bool, len(m.Tets))
	for t, v := range m.Tets {
		if chosen[t] = keep(t); !chosen[t] {
			continue
		}
		for _, n := range v {
			number[n] = 1
		}
		if m.Mid != nil {
			for _, n := range m.Mid[t] {
				number[n] = 1
			}
		}
	}
	out := &TetMesh{}
	for n, used := range number {
		if used != 0 {
			number[n] = int32(len(out.Nodes))
			out.Nodes = append(out.Nodes, m.Nodes[n])
		}
	}
	if m.Mid != nil {
		out.Mid = [][6]int32{}
	}
	for t, v := range m.Tets {
		if !chosen[t] {
			continue
		}
		for i, n := range v {
			v[i] = number[n]
		}
		out.Tets = append(out.Tets, v)
		if m.Mid != nil {
			q := m.Mid[t]
			for i, n := range q {
				q[i] = number[n]
			}
			out.Mid = append(out.Mid, q)
		}
		if m.Region != nil {
			out.Region = append(out.Region, m.Region[t])
		}
	}
	return out
}

// Neighbours gives, for each tetrahedron and each face in the order of
// TetFaces, the tetrahedron on the other side, or −1 at the boundary. Where
// more than two tetrahedra share a face only the first two are paired; Check
// reports such a mesh.
func (m *TetMesh) Neighbours() [][4]int32 {
	out := make([][4]int32, len(m.Tets))
	m.eachFace(func(faces []tetFace) {
		for n := 0; n < len(faces); {
			f := faces[n]
			out[f.tet][f.face] = -1
			n++
			if n < len(faces) && faces[n].mid == f.mid && faces[n].top == f.top {
				g := faces[n]
				out[f.tet][f.face], out[g.tet][g.face] = g.tet, f.tet
				n++
			}
		}
	})
	return out
}

// tetFace is one side of a tetrahedron; mid and top are its larger vertices.
type tetFace struct {
	mid, top  int32
	tet, face int32
}

// eachFace calls f once per vertex that is the lowest of some face, with those
// faces sorted by (mid, top, tet, face). Equal faces stand side by side. The
// slice is reused.
func (m *TetMesh) eachFace(f func(faces []tetFace)) {
	sorted := func(v [4]int32, c [3]int) (a, b, d int32) {
		a, b, d = v[c[0]], v[c[1]], v[c[2]]
		if a > b {
			a, b = b, a
		}
		if b > d {
			b, d = d, b
		}
		if a > b {
			a, b = b, a
		}
		return a, b, d
	}
	start := make([]int32, len(m.Nodes)+2)
	for _, v := range m.Tets {
		for _, c := range TetFaces {
			start[min(v[c[0]], v[c[1]], v[c[2]])+2]++
		}
	}
	for n := 1; n < len(start); n++ {
		start[n] += start[n-1]
	}
	all := make([]tetFace, 4*len(m.Tets))
	for t, v := range m.Tets {
		for n, c := range TetFaces {
			a, b, d := sorted(v, c)
			all[start[a+1]] = tetFace{b, d, int32(t), int32(n)}
			start[a+1]++
		}
	}
	for n := range len(m.Nodes) {
		run := all[start[n]:start[n+1]]
		if len(run) == 0 {
			continue
		}
		// a few dozen faces, already in order of (tet, face): insertion sort is stable
		for i := 1; i < len(run); i++ {
			x, j := run[i], i
			for ; j > 0 && (run[j-1].mid > x.mid || run[j-1].mid == x.mid && run[j-1].top > x.top); j-- {
				run[j] = run[j-1]
			}
			run[j] = x
		}
		f(run)
	}
}

// Parts numbers the face-connected parts of the mesh from 0, in order of their
// first tetrahedron, and returns the part of each tetrahedron and their count.
// Parts that touch only along an edge or at a vertex are separate.
func (m *TetMesh) Parts() (part []int32, count int) {
	next := m.Neighbours()
	part = make([]int32, len(m.Tets))
	for t := range part {
		part[t] = -1
	}
	var stack []int32
	for t := range part {
		if part[t] >= 0 {
			continue
		}
		part[t] = int32(count)
		stack = append(stack[:0], int32(t))
		for len(stack) > 0 {
			s := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for _, o := range next[s] {
				if o >= 0 && part[o] < 0 {
					part[o] = int32(count)
					stack = append(stack, o)
				}
			}
		}
		count++
	}
	return part, count
}

// Boundary returns the faces that belong to one tetrahedron only, outward, in
// order of tetrahedron and face, and the mesh node of each surface vertex. A
// Tet10 face is split in four through its mid-edge nodes. Inside is the
// tetrahedron's region, Outside is background.
func (m *TetMesh) Boundary() (*Surface, []int32) {
	next := m.Neighbours()
	s := &Surface{}
	var node []int32
	vertex := make([]int32, len(m.Nodes))
	for n := range vertex {
		vertex[n] = -1
	}
	tri := func(t int, a, b, c int32) {
		f := [3]int32{a, b, c}
		for i, n := range f {
			if vertex[n] < 0 {
				vertex[n] = int32(len(node))
				node = append(node, n)
				s.Verts = append(s.Verts, m.Nodes[n])
			}
			f[i] = vertex[n]
		}
		s.Tris = append(s.Tris, f)
		in := imaging.LabelBackground
		if m.Region != nil {
			in = m.Region[t]
		}
		s.Region = append(s.Region, Sides{Inside: in, Outside: imaging.LabelBackground})
	}
	for t, v := range m.Tets {
		for f, c := range TetFaces {
			if next[t][f] >= 0 {
				continue
			}
			a, b, d := v[c[0]], v[c[1]], v[c[2]]
			if m.Mid == nil {
				tri(t, a, b, d)
				continue
			}
			ab, bd, da := m.Mid[t][edgeOf[c[0]][c[1]]], m.Mid[t][edgeOf[c[1]][c[2]]], m.Mid[t][edgeOf[c[2]][c[0]]]
			tri(t, a, ab, da)
			tri(t, ab, b, bd)
			tri(t, da, bd, d)
			tri(t, ab, bd, da)
		}
	}
	return s, node
}

// edgeOf[i][j] is the position in TetEdges of the edge between corners i, j.
var edgeOf = func() (of [4][4]int) {
	for e, c := range TetEdges {
		of[c[0]][c[1]], of[c[1]][c[0]] = e, e
	}
	return of
}()
