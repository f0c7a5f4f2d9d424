package tetra

import (
	"context"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// stuffer cuts the lattice tetrahedra and collects the pieces. Vertices are
// keys: a lattice point p < points, or points + e for the crossing on edge e.
type stuffer struct {
	l    *lattice
	node []int32  // key → node, −1 when not used yet
	at   []r3.Vec // nodes, local mm
	tets [][4]int32
}

// build prepares the lattice for a level and returns the mesh, without regions.
func (l *lattice) build(ctx context.Context, level float64) (*mesh.TetMesh, error) {
	if err := l.prepare(ctx, level); err != nil {
		return nil, err
	}
	return l.stuff(ctx)
}

// stuff cuts every lattice tetrahedron. Nodes are numbered by first use, cell
// by cell.
func (l *lattice) stuff(ctx context.Context) (*mesh.TetMesh, error) {
	s := &stuffer{l: l, node: make([]int32, l.points+len(l.owner))}
	for n := range s.node {
		s.node[n] = -1
	}
	nx, ny, nz := l.n[0], l.n[1], l.n[2]
	for k := range nz {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for j := range ny {
			for i := range nx {
				c := l.centre(i, j, k)
				if i+1 < nx {
					s.fan(c, c+1, 0, [4]int32{l.corner(i+1, j, k), l.corner(i+1, j+1, k), l.corner(i+1, j+1, k+1), l.corner(i+1, j, k+1)})
				}
				if j+1 < ny {
					s.fan(c, c+int32(nx), 1, [4]int32{l.corner(i, j+1, k), l.corner(i, j+1, k+1), l.corner(i+1, j+1, k+1), l.corner(i+1, j+1, k)})
				}
				if k+1 < nz {
					s.fan(c, c+int32(nx*ny), 2, [4]int32{l.corner(i, j, k+1), l.corner(i+1, j, k+1), l.corner(i+1, j+1, k+1), l.corner(i, j+1, k+1)})
				}
			}
		}
	}
	m := &mesh.TetMesh{Nodes: s.at, Tets: s.tets}
	for n, p := range m.Nodes {
		m.Nodes[n] = l.f.lps(p)
	}
	for t, v := range m.Tets {
		if mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) < 0 {
			m.Tets[t][2], m.Tets[t][3] = v[3], v[2]
		}
	}
	return m, nil
}

// fanDir[axis][n] is, for the n-th corner of a cell's shared face, the owned
// edge of the first centre and of the second centre that end there.
var fanDir = func() (t [3][4][2]int) {
	corner := [3][4][3]int{
		{{1, 0, 0}, {1, 1, 0}, {1, 1, 1}, {1, 0, 1}},
		{{0, 1, 0}, {0, 1, 1}, {1, 1, 1}, {1, 1, 0}},
		{{0, 0, 1}, {1, 0, 1}, {1, 1, 1}, {0, 1, 1}},
	}
	for a := range corner {
		for n, c := range corner[a] {
			d := 3 + c[0] + 2*c[1] + 4*c[2]
			t[a][n] = [2]int{d, d - 1<<a}
		}
	}
	return t
}()

// faceEdge[axis][n] is the owned long edge between corners n and n+1 of the
// face, and whether corner n is its owner.
var faceEdge = [3][4]struct {
	dir   int
	first bool
}{
	{{1, true}, {2, true}, {1, false}, {2, false}},
	{{2, true}, {0, true}, {2, false}, {0, false}},
	{{0, true}, {1, true}, {0, false}, {1, false}},
}

// fan handles the four tetrahedra around the long edge between two centres.
// In each, vertices 0–1 and 2–3 are long edges, the other four are short.
func (s *stuffer) fan(a, b int32, axis int, q [4]int32) {
	l := s.l
	va, vb := l.val[a], l.val[b]
	if va >= 0 && vb >= 0 && l.val[q[0]] >= 0 && l.val[q[1]] >= 0 && l.val[q[2]] >= 0 && l.val[q[3]] >= 0 {
		return
	}
	for n := range 4 {
		m := (n + 1) & 3
		c := corners{v: [4]int32{a, b, q[n], q[m]}}
		out := 0
		in := 0
		for i, p := range c.v {
			v := l.val[p]
			if v < 0 {
				c.sign[i] = -1
				in++
			} else if v > 0 {
				c.sign[i] = 1
				out++
			}
		}
		switch {
		case in == 0:
		case out == 0:
			s.add(c.v[0], c.v[1], c.v[2], c.v[3])
		default:
			own, far := q[n], fanDir[axis]
			if !faceEdge[axis][n].first {
				own = q[m]
			}
			c.edge = [4][4]owned{
				0: {1: {a, axis}, 2: {a, far[n][0]}, 3: {a, far[m][0]}},
				1: {2: {b, far[n][1]}, 3: {b, far[m][1]}},
				2: {3: {own, faceEdge[axis][n].dir}},
			}
			s.clip(&c)
		}
	}
}

// owned names a lattice edge by the point that owns it and the direction.
type owned struct {
	p   int32
	dir int
}

// corners is one lattice tetrahedron; sign is −1 inside, 0 on the surface.
type corners struct {
	v    [4]int32
	sign [4]int8
	edge [4][4]owned // edge[i][j] for i < j
}

// long reports whether the edge between corners i and j is a long one.
func long(i, j int) bool { return i+j == 1 || i+j == 5 }

// crossing is the key of the cut between corners i and j.
func (s *stuffer) crossing(c *corners, i, j int) int32 {
	o := c.edge[min(i, j)][max(i, j)]
	return int32(s.l.points) + s.l.cut(o.p, o.dir)
}

// clip keeps the inside part of a tetrahedron that the surface crosses.
func (s *stuffer) clip(c *corners) {
	var in, out, on [4]int
	a, b, z := 0, 0, 0
	for i, g := range c.sign {
		switch {
		case g < 0:
			in[a] = i
			a++
		case g > 0:
			out[b] = i
			b++
		default:
			on[z] = i
			z++
		}
	}
	switch a {
	case 1:
		var k [3]int32
		n := 0
		for ; n < z; n++ {
			k[n] = c.v[on[n]]
		}
		for i := range b {
			k[n+i] = s.crossing(c, in[0], out[i])
		}
		s.add(c.v[in[0]], k[0], k[1], k[2])
	case 2:
		p, q := in[0], in[1]
		if z == 1 {
			o, m := c.v[on[0]], out[0]
			cp, cq := s.crossing(c, p, m), s.crossing(c, q, m)
			if s.diagonal(c, p, q, m) {
				s.add(o, c.v[p], c.v[q], cq)
				s.add(o, c.v[p], cq, cp)
			} else {
				s.add(o, c.v[p], c.v[q], cp)
				s.add(o, c.v[q], cq, cp)
			}
			return
		}
		m, n := out[0], out[1]
		top := [3]int32{c.v[p], s.crossing(c, p, m), s.crossing(c, p, n)}
		bot := [3]int32{c.v[q], s.crossing(c, q, m), s.crossing(c, q, n)}
		d0, d2 := s.diagonal(c, p, q, m), !s.diagonal(c, p, q, n)
		d1 := !d0 // the surface quad is free: never all three the same way round
		if d0 != d2 {
			d1 = s.shorter(top[1], bot[2], bot[1], top[2])
		}
		s.prism(top, bot, [3]bool{d0, d1, d2})
	case 3:
		p, q, r, m := in[0], in[1], in[2], out[0]
		s.prism([3]int32{c.v[p], c.v[q], c.v[r]},
			[3]int32{s.crossing(c, p, m), s.crossing(c, q, m), s.crossing(c, r, m)},
			[3]bool{s.diagonal(c, p, q, m), s.diagonal(c, q, r, m), !s.diagonal(c, p, r, m)})
	}
}

// diagonal chooses how to split the quadrilateral that is left of the face
// (p, q inside, m outside): true for the diagonal from p to the cut on q–m.
//
// When p–q is a short edge, one of p–m, q–m is long, and the diagonal ends at
// the cut on the long one. When p–q is long both cuts are on short edges and
// the shorter diagonal is taken. The choice depends on the face alone, so the
// neighbour makes the same one; and the three quadrilaterals of a corner cut
// off never turn the same way round, so every prism falls into three
// tetrahedra without an extra point.
func (s *stuffer) diagonal(c *corners, p, q, m int) bool {
	if !long(p, q) {
		return long(q, m)
	}
	return s.shorter(c.v[p], s.crossing(c, q, m), c.v[q], s.crossing(c, p, m))
}

// shorter reports whether a–b is shorter than c–d; a tie goes to the pair
// with the lowest key, whichever way round the quadrilateral is given.
func (s *stuffer) shorter(a, b, c, d int32) bool {
	x, y := r3.Norm2(r3.Sub(s.where(a), s.where(b))), r3.Norm2(r3.Sub(s.where(c), s.where(d)))
	if x != y {
		return x < y
	}
	return min(a, b) < min(c, d)
}

// where is the position of a key, local mm.
func (s *stuffer) where(key int32) r3.Vec {
	if int(key) >= s.l.points {
		return s.l.cutAt(key - int32(s.l.points))
	}
	if w := s.l.warp[key]; w >= 0 {
		return s.l.cutAt(w)
	}
	return s.l.place(key)
}

// prism splits the prism between triangles a and b (a[i] above b[i]). d[i]
// tells the diagonal of the side i, i+1: true from a[i] to b[i+1]. The three
// must not all be equal.
func (s *stuffer) prism(a, b [3]int32, d [3]bool) {
	for i := range 3 {
		j, k := (i+1)%3, (i+2)%3
		if !d[i] || d[k] {
			continue // a[i] does not carry two diagonals
		}
		s.add(a[i], b[0], b[1], b[2])
		if d[j] {
			s.add(a[i], a[j], a[k], b[k])
			s.add(a[i], a[j], b[j], b[k])
		} else {
			s.add(a[i], a[j], a[k], b[j])
			s.add(a[i], a[k], b[j], b[k])
		}
		return
	}
	panic("tetra: prism with three diagonals the same way round")
}

// add emits a tetrahedron; build turns it positive.
func (s *stuffer) add(a, b, c, d int32) {
	t := [4]int32{a, b, c, d}
	for i, key := range t {
		n := s.node[key]
		if n < 0 {
			n = int32(len(s.at))
			s.node[key] = n
			s.at = append(s.at, s.where(key))
		}
		t[i] = n
	}
	s.tets = append(s.tets, t)
}
