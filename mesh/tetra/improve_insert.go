package tetra

import (
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// A tetrahedron that neither swaps nor smoothing can mend may yield to a new
// node: the tetrahedra around it are taken away and the hole is filled from a
// node in its middle (Klingner and Shewchuk 2007, section 3.3). When every face
// of the hole is seen from the node from the right side the new tetrahedra fill
// the hole exactly.

// maxHole bounds the tetrahedra taken away for a new node.
const maxHole = 20

// insertGain is minGain for new nodes: small gains would have them crowd where
// nothing helps.
const insertGain = 1.5

// holeFace is a face around a hole, counter-clockwise seen from outside.
type holeFace struct {
	v     [3]int32
	under int32   // the tetrahedron of the hole that has the face
	side  int8    // which of its faces
	wall  bool    // the hole cannot be widened there
	shape float64 // of the tetrahedron over the face; < 0: not known
}

// hole is a set of tetrahedra to be filled from one node.
type hole struct {
	tet  []int32
	face []holeFace
}

// start begins a hole with tetrahedron t, of nodes v.
func (h *hole) start(v *[4]int32, t int32) {
	h.tet, h.face = h.tet[:0], h.face[:0]
	h.add(v, t)
}

// add joins tetrahedron t, with nodes v, to the hole.
func (h *hole) add(v *[4]int32, t int32) {
	h.tet = append(h.tet, t)
	for f, c := range mesh.TetFaces {
		x := [3]int32{v[c[0]], v[c[1]], v[c[2]]}
		met := -1
		for i := range h.face {
			// the same face, seen from the other side
			y := &h.face[i].v
			if y[0] == x[0] && y[1] == x[2] && y[2] == x[1] ||
				y[0] == x[1] && y[1] == x[0] && y[2] == x[2] ||
				y[0] == x[2] && y[1] == x[1] && y[2] == x[0] {
				met = i
				break
			}
		}
		if met >= 0 {
			k := len(h.face) - 1
			h.face[met] = h.face[k]
			h.face = h.face[:k]
			continue
		}
		h.face = append(h.face, holeFace{v: x, under: t, side: int8(f), shape: -1})
	}
}

// beyond is the tetrahedron behind a face of the hole when the hole may grow
// there, else −1.
func (im *improver) beyond(f *holeFace) int32 {
	o := im.across(f.under, int(f.side))
	if o < 0 || im.region[o] != im.region[f.under] || !im.mayChange(o) {
		return -1
	}
	for _, t := range im.hole.tet {
		if t == o {
			return -1
		}
	}
	return o
}

// widen lets the hole grow past the face that is worst seen from p, again and
// again, keeps the best of these holes, and loads im.star with its faces.
func (im *improver) widen(p r3.Vec) bool {
	h, s := &im.hole, &im.star
	for i := range h.face {
		h.face[i].shape = -1
	}
	best, size := -1.0, 0
	for {
		worst, at := math.Inf(1), -1
		for i := range h.face {
			f := &h.face[i]
			if f.shape < 0 {
				f.shape = tetShape(p, im.node[f.v[0]], im.node[f.v[1]], im.node[f.v[2]], im.obtuse)
			}
			if f.shape < worst {
				worst, at = f.shape, i
			}
		}
		if worst > best {
			best, size = worst, len(h.tet)
		}
		if worst >= im.good || len(h.tet) == maxHole || h.face[at].wall {
			break
		}
		o := im.beyond(&h.face[at])
		if o < 0 {
			h.face[at].wall = true
			break
		}
		h.add(&im.tet[o], o)
	}
	if size < len(h.tet) { // back to the best
		im.gone = append(im.gone[:0], h.tet[:size]...)
		h.start(&im.tet[im.gone[0]], im.gone[0])
		for _, t := range im.gone[1:] {
			h.add(&im.tet[t], t)
		}
	}
	if len(h.face) > maxStar {
		return false
	}
	s.n = len(h.face)
	for i := range h.face {
		f := &h.face[i]
		s.x[i], s.y[i], s.z[i] = im.node[f.v[0]], im.node[f.v[1]], im.node[f.v[2]]
		if s.q[i] = f.shape; f.shape < 0 {
			s.q[i] = tetShape(p, s.x[i], s.y[i], s.z[i], im.obtuse)
		}
	}
	return true
}

// around adds the neighbours of the only tetrahedron of the hole and returns
// the mean of all nodes.
func (im *improver) around() r3.Vec {
	h := &im.hole
	v := im.tet[h.tet[0]]
	p, n := r3.Vec{}, 0.0
	for _, k := range v {
		p, n = r3.Add(p, im.node[k]), n+1
	}
	var o [4]int32
	for i := range o {
		o[i] = im.beyond(&h.face[i])
	}
	for _, t := range o {
		if t < 0 {
			continue
		}
		w := im.tet[t]
		h.add(&w, t)
		for _, k := range w {
			if cornerOf(&v, k) < 0 {
				p, n = r3.Add(p, im.node[k]), n+1
			}
		}
	}
	return r3.Scale(1/n, p)
}

// fillHole widens the hole and moves the node that is to fill it from p to
// where it does that best; false when it does not pay.
func (im *improver) fillHole(p r3.Vec) (at r3.Vec, q float64, ok bool) {
	for range 3 {
		if !im.widen(p) {
			return p, 0, false
		}
		was := q
		if p, q = im.ascend(p); q >= im.good || q <= was*minGain {
			break
		}
	}
	return p, q, (q >= im.good || q > insertGain*im.worstOf(im.hole.tet)) && !im.buries()
}

// buries tells whether filling the hole takes away a frozen node.
func (im *improver) buries() bool {
	if im.opt.Frozen == nil {
		return false
	}
	for _, t := range im.hole.tet {
		for _, n := range im.tet[t] {
			if im.flag[n]&nodeFrozen == 0 {
				continue
			}
			seen := false
			for i := range im.hole.face {
				v := &im.hole.face[i].v
				seen = seen || v[0] == n || v[1] == n || v[2] == n
			}
			if !seen {
				return true
			}
		}
	}
	return false
}

// insert mends tetrahedron t with a new node, tried from the middle of t and
// from the middle of t and its neighbours.
func (im *improver) insert(t int32) bool {
	v := im.tet[t]
	h := &im.hole
	h.start(&v, t)
	p := r3.Scale(0.25, r3.Add(r3.Add(im.node[v[0]], im.node[v[1]]), r3.Add(im.node[v[2]], im.node[v[3]])))
	p, q, ok := im.fillHole(p)
	if !ok {
		h.start(&v, t)
		if p, q, ok = im.fillHole(im.around()); !ok {
			return false
		}
	}
	n := im.addNode(p)
	im.gone, im.made = append(im.gone[:0], h.tet...), im.made[:0]
	for i := range h.face {
		f := &h.face[i].v
		im.made = append(im.made, [4]int32{n, f[0], f[1], f[2]})
	}
	if q < im.good && im.worse(im.gone, im.made) {
		im.dropNode()
		return false
	}
	im.replace(im.gone, im.made, nil, q >= im.good)
	im.rep.Insertions++
	return true
}

// addNode makes a node inside a region.
func (im *improver) addNode(p r3.Vec) int32 {
	im.node = append(im.node, p)
	im.flag = append(im.flag, nodeNear)
	im.span = append(im.span, starSpan{})
	im.drift = append(im.drift, 0)
	im.last = append(im.last, 0)
	return int32(len(im.node) - 1)
}

// dropNode takes back the last addNode.
func (im *improver) dropNode() {
	n := len(im.node) - 1
	im.node, im.flag, im.span, im.drift, im.last = im.node[:n], im.flag[:n], im.span[:n], im.drift[:n], im.last[:n]
}
