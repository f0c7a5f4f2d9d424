package tetra

import (
	"context"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Limits of the warp, in sides of the smallest cell around the vertex: a
// vertex with an interface nearer than this along a long (short) edge moves
// onto it (Labelle and Shewchuk 2007, table 1: 0.24999 and 0.41189 of the edges).
const (
	snapLong  = 0.25
	snapShort = 0.357
)

// Vertices made on lattice edges keep away from the ends by these fractions;
// where three labels meet, and where a piece broke the bound, by the second.
const (
	cutMargin     = 0.25
	cutMarginMany = 0.38
)

// edgeCut is a lattice edge whose ends have different labels.
type edgeCut struct {
	a, b   int32
	ta, tb float32 // first way out of a's label, last way into b's, fractions from a
	la, lb uint8   // label beyond ta, label before tb
	t      float32 // where the vertex on the edge goes; NaN: not known yet
	tight  uint8   // 1: cut near the middle, 2: in the middle
	many   bool    // some tetrahedron around it has more than two labels
}

// stuffing is the lattice with labels on it, being fitted to the interfaces.
type stuffing struct {
	*bcc
	f                 *labelField
	lab               []uint8    // label of the vertex
	more              [][3]uint8 // further labels of a snapped vertex
	nmore             []uint8
	pos               []r3.Vec // true place, local mm
	pinned            []bool   // must not be snapped: keeps a part alive
	claimed           []bool   // taken by a part that had no vertex
	moved             []uint8  // > 0: claimed by a part and moved to it
	hold              []bool   // nodes of the mesh around claimed vertices: they stay
	part              []int32  // part the vertex holds, or −1
	mixed             []int32  // tetrahedra that are not of one label
	edges             []edgeCut
	edgeOf            *table
	released, centred int
}

func edgeKey(a, b int32) uint64 {
	if a > b {
		a, b = b, a
	}
	return uint64(a)<<32 | uint64(b) // never 0: b ≥ 1
}

// findEdges lists the edges between different labels.
func (s *stuffing) findEdges(ctx context.Context) error {
	s.edgeOf = newTable(len(s.at) * 2)
	for t, v := range s.tets {
		if t&0xffff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		l := s.lab[v[0]]
		if l == s.lab[v[1]] && l == s.lab[v[2]] && l == s.lab[v[3]] {
			continue
		}
		s.mixed = append(s.mixed, int32(t))
		var kinds [4]uint8
		n := 0
		for _, x := range v {
			m := 0
			for m < n && kinds[m] != s.lab[x] {
				m++
			}
			if m == n {
				kinds[n] = s.lab[x]
				n++
			}
		}
		for i := range 3 {
			for j := i + 1; j < 4; j++ {
				a, b := min(v[i], v[j]), max(v[i], v[j])
				if s.lab[a] == s.lab[b] {
					continue
				}
				e, fresh := s.edgeOf.add(edgeKey(a, b), int32(len(s.edges)))
				if fresh {
					s.edges = append(s.edges, edgeCut{a: a, b: b, t: float32(math.NaN())})
				}
				if n > 2 {
					s.edges[e].many = true
				}
			}
		}
	}
	return nil
}

// crossings finds where the labels change along every edge.
func (s *stuffing) crossings(ctx context.Context) error {
	step := max(s.f.sp.X, s.f.sp.Y, s.f.sp.Z)
	var w support
	for n := range s.edges {
		if n&0x3fff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		e := &s.edges[n]
		pa, pb := s.pos[e.a], s.pos[e.b]
		d := r3.Sub(pb, pa)
		m := int(math.Ceil(math.Sqrt(r3.Norm2(d)) / step))
		la, lb := s.lab[e.a], s.lab[e.b]
		// labels at m−1 inner points
		lo, hi := 0, m // last point still in a, first point from which all is b
		loNext, hiPrev := lb, la
		inA, before := true, la
		for i := 1; i < m; i++ {
			s.f.at(r3.Add(pa, r3.Scale(float64(i)/float64(m), d)), &w)
			l := w.lab[0]
			if inA {
				if l == la {
					lo = i
				} else {
					inA, loNext = false, l
				}
			}
			if l != before {
				if l == lb {
					hi, hiPrev = i, before
				}
			}
			if l != lb {
				hi = m
				hiPrev = l
			}
			before = l
		}
		e.la, e.lb = loNext, hiPrev
		e.ta = float32(s.root(pa, d, float64(lo)/float64(m), float64(lo+1)/float64(m), la, loNext))
		if loNext == lb && hiPrev == la && hi == lo+1 {
			e.tb = e.ta
		} else {
			e.tb = float32(s.root(pa, d, float64(hi-1)/float64(m), float64(hi)/float64(m), hiPrev, lb))
		}
	}
	return nil
}

// rootSteps of false position are enough: the bracket is a voxel long at most,
// and the field is almost linear in it.
const rootSteps = 2

// root finds where label x gives way to label y between the fractions a and b
// of a segment.
func (s *stuffing) root(p, d r3.Vec, a, b float64, x, y uint8) float64 {
	var w support
	g := func(t float64) float64 {
		s.f.at(r3.Add(p, r3.Scale(t, d)), &w)
		return w.of(x) - w.of(y)
	}
	fa, fb := g(a), g(b)
	if !(fa > 0 && fb < 0) {
		return (a + b) / 2
	}
	for range rootSteps {
		t := a + (b-a)*fa/(fa-fb)
		v := g(t)
		if v > 0 {
			a, fa = t, v
		} else {
			b, fb = t, v
		}
	}
	return a + (b-a)*fa/(fa-fb+1e-300)
}

// snap moves vertices onto interfaces that pass close by.
func (s *stuffing) snap(ctx context.Context) error {
	type reach struct {
		dist float32
		edge int32
	}
	best := make([]reach, len(s.at))
	for v := range best {
		best[v].edge = -1
	}
	try := func(v int32, edge int32, dist float64, limit float64, l uint8) {
		if dist >= limit || s.pinned[v] {
			return
		}
		if b := &best[v]; b.edge < 0 || float32(dist) < b.dist {
			*b = reach{float32(dist), edge}
		}
		for _, x := range s.more[v][:s.nmore[v]] {
			if x == l {
				return
			}
		}
		if n := s.nmore[v]; n < 3 && l != s.lab[v] {
			s.more[v][n] = l
			s.nmore[v]++
		}
	}
	for n := range s.edges {
		e := &s.edges[n]
		length := math.Sqrt(r3.Norm2(r3.Sub(s.pos[e.b], s.pos[e.a])))
		la, lb := s.limit(e.a, e.b)
		try(e.a, int32(n), float64(e.ta)*length, la, e.la)
		try(e.b, int32(n), float64(1-e.tb)*length, lb, e.lb)
	}
	for v := range best {
		if v&0xffff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if best[v].edge < 0 {
			continue
		}
		e := &s.edges[best[v].edge]
		t, x, y := float64(e.ta), s.lab[e.a], e.la
		if int(e.b) == v {
			t, x, y = float64(e.tb), s.lab[e.b], e.lb
		}
		a, b := s.place(s.at[e.a]), s.place(s.at[e.b])
		c := r3.Add(a, r3.Scale(t, r3.Sub(b, a)))
		s.pos[v] = s.onto(s.pos[v], c, x, y)
	}
	return nil
}

// limit is how near an interface must be along an edge to pull its ends, mm.
func (s *stuffing) limit(a, b int32) (la, lb float64) {
	var l2 float64
	for i := range 3 {
		d := float64(s.at[a][i] - s.at[b][i])
		l2 += d * d
	}
	of := func(v int32) float64 {
		size := float64(s.size[v])
		if l2 < 0.8*size*size {
			return snapShort * size * s.unit
		}
		return snapLong * size * s.unit
	}
	return of(a), of(b)
}

// onto projects p on the interface between labels x and y whose point c is
// known: the nearest point of the tangent plane, corrected once.
func (s *stuffing) onto(p, c r3.Vec, x, y uint8) r3.Vec {
	n, ok := s.normal(c, x, y)
	if !ok {
		return c
	}
	q := r3.Add(p, r3.Scale(r3.Dot(r3.Sub(c, p), n), n))
	var w support
	s.f.at(q, &w)
	g := w.of(x) - w.of(y)
	far := float64(s.f.far)
	if math.Abs(g) > 0.5*far {
		return c
	}
	q2 := r3.Add(q, r3.Scale(g, n)) // n points to y, g falls that way at unit rate
	s.f.at(q2, &w)
	if g2 := w.of(x) - w.of(y); math.Abs(g2) < math.Abs(g) {
		q = q2
	}
	if r3.Norm2(r3.Sub(q, p)) > r3.Norm2(r3.Sub(c, p)) {
		return c
	}
	return q
}

// normal is the direction from label x to label y at a point of their
// interface; ok is false where the field is flat.
func (s *stuffing) normal(c r3.Vec, x, y uint8) (r3.Vec, bool) {
	var w support
	g := func(p r3.Vec) float64 {
		s.f.at(p, &w)
		return w.of(y) - w.of(x)
	}
	h := s.f.sp
	n := r3.Vec{
		X: (g(r3.Vec{X: c.X + h.X/2, Y: c.Y, Z: c.Z}) - g(r3.Vec{X: c.X - h.X/2, Y: c.Y, Z: c.Z})) / h.X,
		Y: (g(r3.Vec{X: c.X, Y: c.Y + h.Y/2, Z: c.Z}) - g(r3.Vec{X: c.X, Y: c.Y - h.Y/2, Z: c.Z})) / h.Y,
		Z: (g(r3.Vec{X: c.X, Y: c.Y, Z: c.Z + h.Z/2}) - g(r3.Vec{X: c.X, Y: c.Y, Z: c.Z - h.Z/2})) / h.Z,
	}
	l := math.Sqrt(r3.Norm2(n))
	if l < 0.1 {
		return n, false
	}
	return r3.Scale(1/l, n), true
}
