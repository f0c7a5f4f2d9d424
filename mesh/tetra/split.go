package tetra

import "gonum.org/v1/gonum/spatial/r3"

// A lattice tetrahedron whose corners share no label is split until every
// piece has a label that all its corners carry:
//
//   - an edge whose ends share no label gets a vertex that carries the labels
//     of both; the edge of largest undisturbed length goes first, equal ones in
//     the order of their midpoints;
//   - a face whose edges are fine but whose corners share no label gets a
//     vertex in its middle;
//   - so does the inside of a tetrahedron whose faces are fine.
//
// What happens on a face depends on that face alone, so neighbours conform;
// pieces of a positive tetrahedron are positive. Sets of labels are bit masks
// over the labels of the tetrahedron at hand.

// knot is a vertex while a tetrahedron is split.
type knot struct {
	id  int32 // ≥ 0: vertex of the lattice or made by an earlier split; −1 in a dry run
	set uint32
	q   [3]float64 // undisturbed place in units, exact
	p   r3.Vec     // true place, local mm
}

// splitter splits one tetrahedron after the other.
type splitter struct {
	cut   func(a, b *knot) r3.Vec         // place of the vertex on an edge between a and b
	join  func(ids [4]int32, n int) int32 // number of the vertex between n knots; nil in a dry run
	piece func(v *[4]knot, set uint32)    // one piece and the labels its corners share
}

// longer orders edges: by undisturbed length, then by midpoint.
func longer(a, b, c, d *knot) bool {
	var l, m float64
	for i := range 3 {
		l += (a.q[i] - b.q[i]) * (a.q[i] - b.q[i])
		m += (c.q[i] - d.q[i]) * (c.q[i] - d.q[i])
	}
	if l != m {
		return l > m
	}
	for i := 2; i >= 0; i-- {
		if x, y := a.q[i]+b.q[i], c.q[i]+d.q[i]; x != y {
			return x < y
		}
	}
	return false
}

// middle makes the vertex between n of the corners.
func (s *splitter) middle(v ...*knot) knot {
	k := knot{id: -1}
	w := 1 / float64(len(v))
	ids := [4]int32{-1, -1, -1, -1}
	for n, x := range v {
		k.set |= x.set
		ids[n] = x.id
		for i := range 3 {
			k.q[i] += x.q[i] * w
		}
		k.p = r3.Add(k.p, r3.Scale(w, x.p))
	}
	if len(v) == 2 {
		k.p = s.cut(v[0], v[1])
	}
	if s.join != nil {
		k.id = s.join(ids, len(v))
	}
	return k
}

func (s *splitter) split(v *[4]knot) {
	if set := v[0].set & v[1].set & v[2].set & v[3].set; set != 0 {
		s.piece(v, set)
		return
	}
	bi, bj := -1, -1
	for i := range 3 {
		for j := i + 1; j < 4; j++ {
			if v[i].set&v[j].set == 0 && (bi < 0 || longer(&v[i], &v[j], &v[bi], &v[bj])) {
				bi, bj = i, j
			}
		}
	}
	if bi >= 0 {
		m := s.middle(&v[bi], &v[bj])
		w := *v
		w[bj] = m
		s.split(&w)
		w = *v
		w[bi] = m
		s.split(&w)
		return
	}
	for f := range 4 {
		i, j, k := (f+1)&3, (f+2)&3, (f+3)&3
		if v[i].set&v[j].set&v[k].set == 0 {
			m := s.middle(&v[i], &v[j], &v[k])
			for _, n := range [3]int{i, j, k} {
				w := *v
				w[n] = m
				s.split(&w)
			}
			return
		}
	}
	m := s.middle(&v[0], &v[1], &v[2], &v[3])
	for n := range 4 {
		w := *v
		w[n] = m
		s.split(&w)
	}
}
