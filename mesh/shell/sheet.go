package shell

import (
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// freedom says how a node may move without changing the shape of the border
// and of the interfaces between regions.
type freedom uint8

const (
	free   freedom = iota
	slides         // in a sheet: border or interface
	runs           // along a straight crease of sheets
	stays
)

// hold is the freedom of one node.
type hold struct {
	kind freedom
	flat bool   // the sheet is plane around the node
	dir  r3.Vec // unit normal of the sheet, or direction of the crease
	tri  int32  // a face of the sheet at the node
}

// sheets are the faces on the border of the room side and between its regions,
// lumen surface left out, as they were before anything moved.
type sheets struct {
	node   []r3.Vec
	tris   [][3]int32
	tet    []int32
	pair   []uint16 // labels of the two sides
	normal []r3.Vec // unit, from the lower label to the higher; border: inward
	at     csr      // faces at each old node
}

const (
	// foldCos: faces of one sheet within this of its first face count as the
	// same side of a crease (60 degrees).
	foldCos = 0.5
	// flatTol is 1−cos of the angle below which faces count as coplanar; the
	// error is of the order of 1e-5 of the way a node slides.
	flatTol = 1e-10
)

func (g *growth) newSheets(onPatch []uint8) *sheets {
	s := &sheets{node: g.m.Nodes}
	for t, v := range g.m.Tets {
		if !g.isRoom(int32(t)) {
			continue
		}
		for f, c := range mesh.TetFaces {
			o, l := g.next[t][f], imaging.LabelBackground
			if o >= 0 {
				l = g.m.Region[o]
			}
			in := g.m.Region[t]
			if onPatch[t]>>f&1 == 1 || in == l || o >= 0 && o < int32(t) && g.isRoom(o) {
				continue
			}
			a, b, d := v[c[0]], v[c[1]], v[c[2]]
			if in > l { // the normal points out of the tetrahedron: turn it
				b, d = d, b
			}
			n := r3.Cross(r3.Sub(s.node[b], s.node[a]), r3.Sub(s.node[d], s.node[a]))
			s.tris = append(s.tris, [3]int32{a, b, d})
			s.tet = append(s.tet, int32(t))
			s.pair = append(s.pair, uint16(min(in, l))<<8|uint16(max(in, l)))
			s.normal = append(s.normal, r3.Scale(1/r3.Norm(n), n))
		}
	}
	s.at = newCSR(len(s.node), func(put func(k, i int32)) {
		for i, v := range s.tris {
			for _, n := range v {
				put(n, int32(i))
			}
		}
	})
	return s
}

// holds tells the freedom of node n, an old node or a copy.
func (g *growth) holds(n int32) hold {
	old := n
	if c := g.copyAt(n); c >= 0 {
		old = g.base[c]
	} else if g.fixed[n] {
		return hold{kind: stays}
	}
	s := g.sheets
	var seed [2]int32 // first face of each side
	var mean [2]r3.Vec
	sides := 0
	for _, i := range s.at.of(old) {
		v := &g.tets[s.tet[i]]
		if v[0] != n && v[1] != n && v[2] != n && v[3] != n {
			continue // of another copy
		}
		k := 0
		for k < sides && (s.pair[seed[k]] != s.pair[i] || r3.Dot(s.normal[seed[k]], s.normal[i]) < foldCos) {
			k++
		}
		if k == 2 {
			return hold{kind: stays}
		}
		if k == sides {
			seed[k] = i
			sides++
		}
		w := s.tris[i]
		area := r3.Norm(r3.Cross(r3.Sub(s.node[w[1]], s.node[w[0]]), r3.Sub(s.node[w[2]], s.node[w[0]])))
		mean[k] = r3.Add(mean[k], r3.Scale(area, s.normal[i]))
	}
	if sides == 0 {
		return hold{kind: free}
	}
	for k := range sides {
		mean[k] = r3.Unit(mean[k])
	}
	flat := true
	for _, i := range s.at.of(old) {
		v := &g.tets[s.tet[i]]
		if v[0] != n && v[1] != n && v[2] != n && v[3] != n {
			continue
		}
		d := math.Inf(1) // to the nearer side
		for k := range sides {
			d = min(d, 1-r3.Dot(mean[k], s.normal[i]))
		}
		flat = flat && d <= flatTol
	}
	if sides == 1 {
		return hold{kind: slides, flat: flat, dir: mean[0], tri: seed[0]}
	}
	along := r3.Cross(mean[0], mean[1])
	if !flat || r3.Norm(along) < 0.1 {
		return hold{kind: stays}
	}
	return hold{kind: runs, flat: true, dir: r3.Unit(along)}
}

// allow takes from d what the hold forbids.
func (h *hold) allow(d r3.Vec) r3.Vec {
	switch h.kind {
	case free:
		return d
	case slides:
		return r3.Sub(d, r3.Scale(r3.Dot(d, h.dir), h.dir))
	case runs:
		return r3.Scale(r3.Dot(d, h.dir), h.dir)
	}
	return r3.Vec{}
}

// settle brings p, near the hold's node, back onto its sheet.
func (s *sheets) settle(h *hold, p r3.Vec) r3.Vec {
	if h.kind != slides || h.flat {
		return p
	}
	// walk downhill over the faces that share a node with the best so far
	best := h.tri
	at, d2 := s.closest(best, p)
	for {
		from := best
		for _, n := range s.tris[from] {
			for _, i := range s.at.of(n) {
				if s.pair[i] != s.pair[h.tri] || r3.Dot(s.normal[i], s.normal[from]) < foldCos {
					continue
				}
				if q, e2 := s.closest(i, p); e2 < d2 || e2 == d2 && i < best {
					best, at, d2 = i, q, e2
				}
			}
		}
		if best == from {
			return at
		}
	}
}

// closest is the point of face i nearest to p, and its squared distance (C.
// Ericson, Real-Time Collision Detection, 2005, section 5.1.5).
func (s *sheets) closest(i int32, p r3.Vec) (r3.Vec, float64) {
	v := &s.tris[i]
	q := closestOnTriangle(p, s.node[v[0]], s.node[v[1]], s.node[v[2]])
	return q, r3.Norm2(r3.Sub(p, q))
}

func closestOnTriangle(p, a, b, c r3.Vec) r3.Vec {
	ab, ac, ap := r3.Sub(b, a), r3.Sub(c, a), r3.Sub(p, a)
	d1, d2 := r3.Dot(ab, ap), r3.Dot(ac, ap)
	if d1 <= 0 && d2 <= 0 {
		return a
	}
	bp := r3.Sub(p, b)
	d3, d4 := r3.Dot(ab, bp), r3.Dot(ac, bp)
	if d3 >= 0 && d4 <= d3 {
		return b
	}
	vc := d1*d4 - d3*d2
	if vc <= 0 && d1 >= 0 && d3 <= 0 {
		return r3.Add(a, r3.Scale(d1/(d1-d3), ab))
	}
	cp := r3.Sub(p, c)
	d5, d6 := r3.Dot(ab, cp), r3.Dot(ac, cp)
	if d6 >= 0 && d5 <= d6 {
		return c
	}
	vb := d5*d2 - d1*d6
	if vb <= 0 && d2 >= 0 && d6 <= 0 {
		return r3.Add(a, r3.Scale(d2/(d2-d6), ac))
	}
	va := d3*d6 - d5*d4
	if va <= 0 && d4-d3 >= 0 && d5-d6 >= 0 {
		return r3.Add(b, r3.Scale((d4-d3)/(d4-d3+d5-d6), r3.Sub(c, b)))
	}
	f := 1 / (va + vb + vc)
	return r3.Add(a, r3.Add(r3.Scale(vb*f, ab), r3.Scale(vc*f, ac)))
}
