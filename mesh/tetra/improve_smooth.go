package tetra

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Smoothing moves one node so that the least shape around it grows: ascent
// along the shortest vector in the convex hull of the gradients of the worst
// dihedral angles (L. A. Freitag, C. Ollivier-Gooch, "Tetrahedral mesh
// improvement using swapping and smoothing", Int. J. Numer. Meth. Eng. 40,
// 1997, section 3), which is the direction in which the least of them grows
// fastest.

// maxStar is the number of tetrahedra around a node up to which it is moved.
const maxStar = 96

// maxActive bounds the gradients that make up a direction.
const maxActive = 12

const (
	smoothSteps  = 5   // directions tried per node
	smoothHalves = 4   // lengths tried per direction
	activeWithin = 1.4 // shapes up to this multiple of the least count as the least
	aheadWithin  = 6   // and up to this one are watched on the way
)

// starWork is a node at some place p and the faces around it: (p, x, y, z) is
// positive.
type starWork struct {
	n       int
	x, y, z [maxStar]r3.Vec
	q, try  [maxStar]float64 // shapes at the node's place and at the one tried
	reach   float64          // shortest edge, mm

	grad   [maxStar]r3.Vec // of each tetrahedron's least angle
	active [maxActive]r3.Vec
	weight [maxActive]float64
}

// at measures the star with its node at p and returns the least shape, or
// something at most bound as soon as that is known.
func (s *starWork) at(p r3.Vec, obtuse, bound float64) float64 {
	least := math.Inf(1)
	for i := range s.n {
		q := tetShape(p, s.x[i], s.y[i], s.z[i], obtuse)
		s.try[i] = q
		if q < least {
			if least = q; q <= bound {
				return q
			}
		}
	}
	return least
}

// slopes fills the gradients of what is bad at p: the active ones, and the
// least angle of each tetrahedron that may become the worst on the way. It
// returns the number of active ones.
func (s *starWork) slopes(p r3.Vec, obtuse, least float64) (n int) {
	var g [6]r3.Vec
	var val [6]float64
	for i := range s.n {
		s.grad[i] = r3.Vec{}
		if s.q[i] > aheadWithin*least {
			continue
		}
		limit := max(s.q[i]*(1+1e-9), activeWithin*least)
		m := shapeSlope(p, s.x[i], s.y[i], s.z[i], obtuse, limit, &g, &val)
		low := 0
		for k := range m {
			if val[k] < val[low] {
				low = k
			}
			if s.q[i] <= activeWithin*least && n < maxActive {
				s.active[n] = g[k]
				n++
			}
		}
		if m > 0 {
			s.grad[i] = g[low]
		}
	}
	return n
}

// ascend moves the node of im.star from p, where the shapes are s.q, uphill and
// returns where the least shape is largest, and that shape. It goes where
// im.mode allows.
func (im *improver) ascend(p r3.Vec) (r3.Vec, float64) {
	s := &im.star
	least := math.Inf(1)
	s.reach = math.Inf(1)
	for i := range s.n {
		least = min(least, s.q[i])
		d := r3.Sub(s.x[i], p)
		s.reach = min(s.reach, r3.Dot(d, d))
	}
	s.reach = math.Sqrt(s.reach)
	for range smoothSteps {
		n := s.slopes(p, im.obtuse, least)
		if im.mode == goTangent {
			for i := range n {
				s.active[i] = im.along(s.active[i])
			}
		}
		d := s.shortest(n)
		slope := r3.Dot(d, d)
		// not worth it when the shortest edge's length would not help
		if !(math.Sqrt(slope)*s.reach > 1e-2*least) {
			break
		}
		// how far until another tetrahedron is as bad
		step := 0.5 * s.reach / math.Sqrt(slope)
		for i := range s.n {
			if q := s.q[i]; q > activeWithin*least && q <= aheadWithin*least {
				if rise := slope - r3.Dot(s.grad[i], d); rise*step > q-least {
					step = (q - least) / rise
				}
			}
		}
		moved := false
		for range smoothHalves {
			to := r3.Add(p, r3.Scale(step, d))
			step /= 2
			if im.mode != goFree {
				var ok bool
				if to, ok = im.limit(to); !ok {
					continue
				}
			}
			if q := s.at(to, im.obtuse, least*1.005); q > least*1.005 {
				p, least, moved = to, q, true
				copy(s.q[:s.n], s.try[:s.n])
				break
			}
		}
		if !moved || least >= im.good {
			break
		}
	}
	return p, least
}

// shortest is the vector of least length in the convex hull of the first n
// active gradients, by the method of E. G. Gilbert ("An iterative procedure for
// computing the minimum of a quadratic form on a convex set", SIAM J. Control
// 4, 1966) with a pairwise step.
func (s *starWork) shortest(n int) r3.Vec {
	if n == 0 {
		return r3.Vec{}
	}
	w := s.weight[:n]
	for i := range w {
		w[i] = 0
	}
	near, nearest := 0, math.Inf(1)
	for i, a := range s.active[:n] {
		if l := r3.Dot(a, a); l < nearest {
			near, nearest = i, l
		}
	}
	w[near] = 1
	d := s.active[near]
	for range 24 {
		lo, hi := -1, -1
		var dlo, dhi float64
		for i, a := range s.active[:n] {
			x := r3.Dot(a, d)
			if lo < 0 || x < dlo {
				lo, dlo = i, x
			}
			if w[i] > 0 && (hi < 0 || x > dhi) {
				hi, dhi = i, x
			}
		}
		if dhi-dlo <= 1e-3*dhi || dhi <= 0 && dlo >= 0 {
			break
		}
		e := r3.Sub(s.active[lo], s.active[hi])
		l := r3.Dot(e, e)
		if !(l > 0) {
			break
		}
		t := min(w[hi], (dhi-dlo)/l)
		w[hi] -= t
		w[lo] += t
		d = r3.Add(d, r3.Scale(t, e))
	}
	return d
}

// gather loads the star of node v; false when it is too large or not free.
func (im *improver) gather(v int32) bool {
	list := im.starOf(v)
	if len(list) > maxStar || len(list) == 0 {
		return false
	}
	s := &im.star
	s.n = len(list)
	for i, t := range list {
		if !im.mayChange(t) {
			return false
		}
		w := &im.tet[t]
		e := &evenFirst[cornerOf(w, v)]
		s.x[i], s.y[i], s.z[i] = im.node[w[e[1]]], im.node[w[e[2]]], im.node[w[e[3]]]
		s.q[i] = im.quality(t)
	}
	return true
}

// climb is ascend for node v from where it is; false when it does not pay.
func (im *improver) climb(v int32) (r3.Vec, bool) {
	s := &im.star
	least := math.Inf(1)
	for _, q := range s.q[:s.n] {
		least = min(least, q)
	}
	from := im.node[v]
	p, q := im.ascend(from)
	if q <= minGain*least {
		return from, false
	}
	if q < im.good { // as in worse
		lo, hi := im.fairAcute, im.fairObtuse
		for i := range s.n {
			l, h := sharpness(from, s.x[i], s.y[i], s.z[i])
			lo, hi = min(lo, l), min(hi, h)
		}
		for i := range s.n {
			if l, h := sharpness(p, s.x[i], s.y[i], s.z[i]); l < lo || h < hi {
				return from, false
			}
		}
	}
	return p, true
}

// settle moves node v to p, with the shapes in im.star.q.
func (im *improver) settle(v int32, p r3.Vec) {
	im.step++
	im.node[v] = p
	for i, t := range im.starOf(v) {
		im.shape[t] = float32(im.star.q[i])
		im.queue.push(t, im.star.q[i])
		for _, n := range im.tet[t] {
			im.last[n] = im.step
		}
	}
	im.rep.NodesMoved++
}

// smooth moves nodes of tetrahedron t until it is good or nothing helps: those
// inside a region, or with surface = nodeSurface those on a surface.
func (im *improver) smooth(t int32, surface uint8) bool {
	was := im.quality(t)
	moved := false
	for _, v := range im.tet[t] {
		if im.flag[v] != nodeNear|surface {
			continue
		}
		if surface == 0 && im.smoothFree(v) || surface != 0 && im.smoothSurface(v) {
			moved = true
			if im.quality(t) >= im.good {
				return true
			}
		}
	}
	return moved && im.quality(t) > minGain*was
}

// smoothFree moves a node inside a region.
func (im *improver) smoothFree(v int32) bool {
	if !im.gather(v) {
		return false
	}
	p, ok := im.climb(v)
	if ok {
		im.settle(v, p)
	}
	return ok
}
