package tetra

import (
	"halsted/mesh"
)

// handier tells whether node b has a list, and a shorter one than node a.
func (im *improver) handier(b, a int32) bool {
	return im.span[b].n > 0 && (im.span[b].n < im.span[a].n || im.span[a].n == 0)
}

// across is the tetrahedron on the other side of the face of t opposite its
// corner f, or −1.
func (im *improver) across(t int32, f int) int32 {
	v := &im.tet[t]
	c := mesh.TetFaces[f]
	a, b, d := v[c[0]], v[c[1]], v[c[2]]
	if im.handier(b, a) {
		a, b = b, a
	}
	if im.handier(d, a) {
		a, d = d, a
	}
	for _, o := range im.starOf(a) {
		if w := &im.tet[o]; o != t && cornerOf(w, b) >= 0 && cornerOf(w, d) >= 0 {
			return o
		}
	}
	return -1
}

// maxRing is the number of tetrahedra around an edge up to which it may be
// removed; longer rings seldom pay (Shewchuk 2002).
const maxRing = 7

// edgeRing is what stands around the edge from a to b: t[i] holds a, b, v[i]
// and v[i+1], counter-clockwise seen from b. A closed ring has n nodes, an open
// one n+1.
type edgeRing struct {
	a, b   int32
	n      int
	closed bool
	v      [maxRing + 1]int32
	t      [maxRing]int32
}

// findRing fills im.ring with what stands around the edge between a and b; it
// is false when the ring is too long, not simple, or not free to change.
func (im *improver) findRing(a, b int32) bool {
	if im.handier(b, a) {
		a, b = b, a
	}
	r := &im.ring
	r.a, r.b, r.n = a, b, 0
	var lo, hi [maxRing]int32
	for _, t := range im.starOf(a) {
		v := &im.tet[t]
		j := cornerOf(v, b)
		if j < 0 {
			continue
		}
		if r.n == maxRing || !im.mayChange(t) {
			return false
		}
		k := evenRest[cornerOf(v, a)][j]
		r.t[r.n], lo[r.n], hi[r.n] = t, v[k[0]], v[k[1]]
		r.n++
	}
	if r.n == 0 {
		return false
	}
	// the first arc: the one nothing leads to, if there is one
	first, starts := 0, 0
	for i := range r.n {
		led := false
		for j := range r.n {
			led = led || hi[j] == lo[i]
		}
		if !led {
			first = i
			starts++
		}
	}
	if starts > 1 {
		return false
	}
	r.closed = starts == 0
	t := r.t
	at := first
	for i := range r.n {
		r.t[i], r.v[i] = t[at], lo[at]
		end := hi[at]
		if i == r.n-1 {
			if r.closed {
				return end == r.v[0]
			}
			r.v[r.n] = end
			return true
		}
		at = -1
		for j := range r.n {
			if lo[j] == end {
				at = j
				break
			}
		}
		if at < 0 || at == first {
			return false
		}
	}
	return false
}
