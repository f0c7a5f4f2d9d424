package tetra

import (
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Topological swaps inside one region, after J. R. Shewchuk, "Two discrete
// optimization algorithms for the topological improvement of tetrahedral
// meshes" (2002): an edge is removed by the best triangulation of the ring
// around it (dynamic programming, G. T. Klincsek, "Minimal triangulations of
// polygonal domains", Ann. Discrete Math. 9, 1980), which has the 3–2 and 4–4
// swaps as its smallest cases; a face is replaced by an edge (2–3).

// ringFill is the search for the best triangulation of a ring. best[i][j] is
// the least shape of the tetrahedra over the polygon of the nodes i to j, via
// its triangle's third node.
type ringFill struct {
	p    [maxRing + 1]r3.Vec
	best [maxRing + 1][maxRing + 1]float64
	via  [maxRing + 1][maxRing + 1]int8
	tri  [maxRing][3]int8 // triangles of the result
	n    int
}

// fillRing is the least shape of the best triangulation of the nodes i to j of
// the ring, or 0 when none beats bound.
func (im *improver) fillRing(i, j int, bound float64) float64 {
	r, f := &im.ring, &im.fill
	a, b := im.node[r.a], im.node[r.b]
	for k := i; k < j; k++ {
		f.best[k][k+1] = math.Inf(1)
	}
	for w := 2; w <= j-i; w++ {
		for lo := i; lo+w <= j; lo++ {
			hi := lo + w
			best, via := bound, -1
			for k := lo + 1; k < hi; k++ {
				s := min(f.best[lo][k], f.best[k][hi])
				if s <= best {
					continue
				}
				s = min(s, tetShape(a, f.p[lo], f.p[k], f.p[hi], im.obtuse))
				if s <= best {
					continue
				}
				s = min(s, tetShape(f.p[lo], f.p[k], f.p[hi], b, im.obtuse))
				if s > best {
					best, via = s, k
				}
			}
			if via < 0 {
				best = 0
			}
			f.best[lo][hi], f.via[lo][hi] = best, int8(via)
		}
	}
	return f.best[i][j]
}

// triangles lists the triangulation found by fillRing, after f.n others.
func (f *ringFill) triangles(i, j int) {
	if j-i < 2 {
		return
	}
	k := int(f.via[i][j])
	f.tri[f.n] = [3]int8{int8(i), int8(k), int8(j)}
	f.n++
	f.triangles(i, k)
	f.triangles(k, j)
}

// minGain is by how much an operation must raise the least shape of what it
// replaces, so that work is not spent on nothing: 2 % in sin²θ is 1 % in the
// angle. It also covers the rounding of stored shapes to float32.
const minGain = 1.02

// worstOf is the least shape among tetrahedra.
func (im *improver) worstOf(t []int32) float64 {
	w := math.Inf(1)
	for _, x := range t {
		w = min(w, im.quality(x))
	}
	return w
}

// edgeGain is the least shape that removing the edge between a and b would
// leave, when that is above bound and above what is there; else 0. The edge
// must lie inside one region. The ring stays in im.ring.
func (im *improver) edgeGain(a, b int32, bound float64) float64 {
	if !im.findRing(a, b) {
		return 0
	}
	r := &im.ring
	if !r.closed || r.n < 3 {
		return 0
	}
	for _, t := range r.t[1:r.n] {
		if im.region[t] != im.region[r.t[0]] {
			return 0
		}
	}
	for i := range r.n {
		im.fill.p[i] = im.node[r.v[i]]
	}
	return im.fillRing(0, r.n-1, max(bound, minGain*im.worstOf(r.t[:r.n])))
}

// removeEdge carries out what edgeGain found last, a gain of q.
func (im *improver) removeEdge(q float64) bool {
	r, f := &im.ring, &im.fill
	f.n = 0
	f.triangles(0, r.n-1)
	im.made = im.made[:0]
	for _, q := range f.tri[:f.n] {
		x, y, z := r.v[q[0]], r.v[q[1]], r.v[q[2]]
		im.made = append(im.made, [4]int32{r.a, x, y, z}, [4]int32{x, y, z, r.b})
	}
	im.gone = append(im.gone[:0], r.t[:r.n]...)
	if q < im.good && im.worse(im.gone, im.made) {
		return false
	}
	im.replace(im.gone, im.made, nil, q >= im.good)
	im.rep.EdgesRemoved++
	return true
}

// worse tells whether the least angle of made is smaller or the greatest larger
// than that of gone, and worse than fair.
func (im *improver) worse(gone []int32, made [][4]int32) bool {
	lo, hi := im.fairAcute, im.fairObtuse
	for _, t := range gone {
		v := &im.tet[t]
		l, h := sharpness(im.node[v[0]], im.node[v[1]], im.node[v[2]], im.node[v[3]])
		lo, hi = min(lo, l), min(hi, h)
	}
	for _, v := range made {
		if l, h := sharpness(im.node[v[0]], im.node[v[1]], im.node[v[2]], im.node[v[3]]); l < lo || h < hi {
			return true
		}
	}
	return false
}

// faceGain is the least shape that replacing the face of t opposite its corner
// f by an edge (the 2–3 swap) would leave, when that is above bound and above
// what is there; else 0. What it found is for removeFace.
func (im *improver) faceGain(t int32, f int, bound float64) float64 {
	o := im.across(t, f)
	if o < 0 || im.region[o] != im.region[t] || !im.mayChange(o) {
		return 0
	}
	bound = max(bound, minGain*min(im.quality(t), im.quality(o)))
	v, e := &im.tet[t], evenFirst[f]
	h := facePair{t: t, o: o, a: v[f], x: [3]int32{v[e[1]], v[e[2]], v[e[3]]}}
	h.b = apex(&im.tet[o], h.x[0], h.x[1], h.x[2])
	a, b := im.node[h.a], im.node[h.b]
	x, y, z := im.node[h.x[0]], im.node[h.x[1]], im.node[h.x[2]]
	gain := tetShape(a, b, x, y, im.obtuse)
	if gain <= bound {
		return 0
	}
	if gain = min(gain, tetShape(a, b, y, z, im.obtuse)); gain <= bound {
		return 0
	}
	if gain = min(gain, tetShape(a, b, z, x, im.obtuse)); gain <= bound {
		return 0
	}
	im.pair = h
	return gain
}

// facePair is a face x with the tetrahedra t and o and their apexes a and b on
// its two sides; x is counter-clockwise seen from b.
type facePair struct {
	t, o, a, b int32
	x          [3]int32
}

// removeFace carries out what faceGain found last, a gain of q.
func (im *improver) removeFace(q float64) bool {
	h := &im.pair
	im.gone = append(im.gone[:0], h.t, h.o)
	im.made = append(im.made[:0], [4]int32{h.a, h.b, h.x[0], h.x[1]}, [4]int32{h.a, h.b, h.x[1], h.x[2]}, [4]int32{h.a, h.b, h.x[2], h.x[0]})
	if q < im.good && im.worse(im.gone, im.made) {
		return false
	}
	im.replace(im.gone, im.made, nil, q >= im.good)
	im.rep.FacesRemoved++
	return true
}

// apex is the node of a tetrahedron that is none of x, y, z.
func apex(v *[4]int32, x, y, z int32) int32 {
	for _, n := range v {
		if n != x && n != y && n != z {
			return n
		}
	}
	return -1
}

// swap makes the best swap that involves tetrahedron t, if any helps. The
// first that leaves nothing to be done is taken at once: edges are tried from
// the most obtuse dihedral angle down, as few tetrahedra stand around those.
func (im *improver) swap(t int32) bool {
	v := im.tet[t]
	best, edge, face := 0.0, -1, -1
	order := im.obtuseFirst(&v)
	for _, e := range order {
		c := mesh.TetEdges[e]
		g := im.edgeGain(v[c[0]], v[c[1]], best)
		if g >= im.good {
			return im.removeEdge(g)
		}
		if g > best {
			best, edge = g, int(e)
		}
	}
	for f := range 4 {
		if g := im.faceGain(t, f, best); g > best {
			if best, face = g, f; g >= im.good {
				break
			}
		}
	}
	switch {
	case face >= 0: // im.pair is the best face
		return im.removeFace(best)
	case edge >= 0:
		c := mesh.TetEdges[edge]
		im.edgeGain(v[c[0]], v[c[1]], 0)
		return im.removeEdge(best)
	}
	return false
}

// obtuseFirst orders the edges of a tetrahedron, as in mesh.TetEdges, by
// falling dihedral angle.
func (im *improver) obtuseFirst(v *[4]int32) (order [6]uint8) {
	var n [4]r3.Vec
	p := [4]r3.Vec{im.node[v[0]], im.node[v[1]], im.node[v[2]], im.node[v[3]]}
	for f, c := range mesh.TetFaces {
		x := r3.Cross(r3.Sub(p[c[1]], p[c[0]]), r3.Sub(p[c[2]], p[c[0]]))
		n[f] = r3.Scale(1/math.Sqrt(r3.Dot(x, x)), x)
	}
	var key [6]float64 // −cos θ
	for e, f := range edgeFaces {
		k, i := r3.Dot(n[f[0]], n[f[1]]), e
		for ; i > 0 && key[i-1] < k; i-- {
			key[i], order[i] = key[i-1], order[i-1]
		}
		key[i], order[i] = k, uint8(e)
	}
	return order
}

// edgeFaces are the two faces at each edge of mesh.TetEdges, named by the
// corners opposite.
var edgeFaces = [6][2]int{{2, 3}, {0, 3}, {1, 3}, {1, 2}, {0, 2}, {0, 1}}
