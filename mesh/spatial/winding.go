package spatial

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// winding is what Winding needs, made at its first call.
type winding struct {
	weight []int8 // of each place: 1, −1 with background inside, 0 with none
	closed bool
	far    []moments // of each node, when not closed
}

// Winding is the winding number of the surface around p: how often it encloses
// p, counter-clockwise faces outward. It is a whole number for a closed surface
// and the generalised winding number, a smooth field, for one with holes
// (A. Jacobson, L. Kavan, O. Sorkine-Hornung, "Robust inside-outside
// segmentation using generalized winding numbers", ACM Trans. Graph. 32(4),
// 2013). Faces between two regions do not count: what is enclosed is all that
// is not background. Without regions all faces count. It is NaN for a p that is
// not finite or beyond 1e15 mm, and either neighbour's number for a p on the
// surface.
//
// Closed is a surface whose edges are run as often one way as the other, by
// vertex index; there the number is counted exactly along a ray, with ties
// broken by moving p symbolically. Else it is summed up over the tree, with
// distant faces taken together (G. Barill et al., "Fast winding numbers for
// soups and clouds", ACM Trans. Graph. 37(4), 2018), within about 0.002.
func (b *BVH) Winding(p r3.Vec) float64 {
	if !placed(p) {
		return math.NaN()
	}
	b.once.Do(b.prepare)
	if b.wind.closed {
		return float64(b.crossings(p))
	}
	return b.solidAngle(p) / (4 * math.Pi)
}

// Inside reports whether the surface encloses p: Winding above one half. So
// holes, faces given twice and parts that overlap do no harm. The sign of the
// nearest face (pseudo-normals) would cost nothing beside Closest, but fails at
// all of these.
func (b *BVH) Inside(p r3.Vec) bool { return b.Winding(p) > 0.5 }

// Signed is the distance from p to the surface in mm, negative inside, and NaN
// for a p that is not finite or beyond 1e15 mm.
func (b *BVH) Signed(p r3.Vec) float64 { return b.signed(p, b.Closest(p)) }

func (b *BVH) signed(p r3.Vec, h Hit) float64 {
	switch {
	case h.Tri < 0:
		return math.NaN()
	case h.DistMM > 0 && b.Inside(p):
		return -h.DistMM
	}
	return h.DistMM
}

func (b *BVH) prepare() {
	w := &b.wind
	w.weight = make([]int8, len(b.tris))
	for n, t := range b.order {
		w.weight[n] = 1
		if b.region != nil {
			switch r := b.region[t]; {
			case r.Inside == r.Outside || r.Inside != 0 && r.Outside != 0:
				w.weight[n] = 0
			case r.Inside == 0:
				w.weight[n] = -1
			}
		}
	}
	if w.closed = b.balanced(); !w.closed {
		w.far = make([]moments, len(b.nodes))
		b.gather(0)
	}
}

// balanced reports whether every edge is run as often one way as the other.
func (b *BVH) balanced() bool {
	start := make([]int32, len(b.verts)+2)
	each := func(visit func(p, q int32, w int8)) {
		for n, v := range b.tris {
			if w := b.wind.weight[n]; w != 0 {
				visit(v[0], v[1], w)
				visit(v[1], v[2], w)
				visit(v[2], v[0], w)
			}
		}
	}
	each(func(p, q int32, _ int8) { start[min(p, q)+2]++ })
	for n := 1; n < len(start); n++ {
		start[n] += start[n-1]
	}
	far := make([]int64, start[len(start)-1]) // the other end, then the way
	each(func(p, q int32, w int8) {
		if p > q {
			p, q, w = q, p, -w
		}
		far[start[p+1]] = int64(q)<<2 | int64(w+1)
		start[p+1]++
	})
	for n := range b.verts {
		run := far[start[n]:start[n+1]]
		slices.Sort(run)
		sum := int64(0)
		for i, x := range run {
			if sum += x&3 - 1; i+1 == len(run) || run[i+1]>>2 != x>>2 {
				if sum != 0 && x>>2 != int64(n) { // a side without length does not matter
					return false
				}
				sum = 0
			}
		}
	}
	return true
}

// crossings counts how the faces are met along the axis, either way, on which
// p is soonest out of the box around all. Two faces of an edge see it by the
// same numbers, and ties fall as if p were moved by (ε, ε²) across that axis
// (simulation of simplicity: H. Edelsbrunner, E. P. Mücke, ACM Trans. Graph.
// 9(1), 1990): so every edge and vertex is passed on one side.
func (b *BVH) crossings(p r3.Vec) int {
	q := [3]float64{p.X, p.Y, p.Z}
	axis, back, way := 0, false, math.Inf(1)
	for a, x := range q {
		lo, hi := x-float64(b.all.lo[a]), float64(b.all.hi[a])-x
		if lo < 0 || hi < 0 {
			return 0
		}
		if hi < way {
			axis, back, way = a, false, hi
		}
		if lo < way {
			axis, back, way = a, true, lo
		}
	}
	u, v := (axis+1)%3, (axis+2)%3
	// the ray as a box; faces that only touch it are told apart below
	beam := around(p)
	if back {
		beam.lo[axis] = -inf32
	} else {
		beam.hi[axis] = inf32
	}
	count := 0
	var stack [stackDepth]int32
	depth, at := 0, int32(0)
	for {
		n := &b.nodes[at]
		next := int32(-1)
		for c := range 2 {
			if !beam.meets(&n.at[c]) {
				continue
			}
			if n.count[c] > 0 {
				for i := n.child[c]; i < n.child[c]+n.count[c]; i++ {
					if w := b.wind.weight[i]; w != 0 {
						count += int(w) * b.crosses(i, &q, axis, u, v, back)
					}
				}
			} else if next < 0 {
				next = n.child[c]
			} else {
				stack[depth] = n.child[c]
				depth++
			}
		}
		if next < 0 {
			if depth == 0 {
				return count
			}
			depth--
			next = stack[depth]
		}
		at = next
	}
}

// meets reports whether two boxes share a point.
func (b *box) meets(o *box) bool {
	return b.lo[0] <= o.hi[0] && o.lo[0] <= b.hi[0] &&
		b.lo[1] <= o.hi[1] && o.lo[1] <= b.hi[1] &&
		b.lo[2] <= o.hi[2] && o.lo[2] <= b.hi[2]
}

// crosses is 1 where a ray along axis leaves through the face at place i, −1
// where it enters and 0 where it misses.
func (b *BVH) crosses(i int32, q *[3]float64, axis, u, v int, back bool) int {
	var r [3][3]float64 // corners seen from q
	for c, n := range b.tris[i] {
		p := b.verts[n]
		r[c] = [3]float64{p.X - q[0], p.Y - q[1], p.Z - q[2]}
	}
	s0, e0 := turn(r[1][u], r[1][v], r[2][u], r[2][v])
	s1, e1 := turn(r[2][u], r[2][v], r[0][u], r[0][v])
	s2, e2 := turn(r[0][u], r[0][v], r[1][u], r[1][v])
	if s0 != s1 || s1 != s2 || s0 == 0 {
		return 0
	}
	// height of the face over q, times the area seen, which has sign s0
	h := e0*r[0][axis] + e1*r[1][axis] + e2*r[2][axis]
	if back {
		if s0 > 0 == (h < 0) {
			return -s0
		}
	} else if s0 > 0 == (h > 0) {
		return s0
	}
	return 0
}

// turn is the sign of au·bv − av·bu, exact unless it underflows, and its value.
// A zero is decided as if a and b were moved by (−ε, −ε²); it stays zero only
// where a and b are the same point.
func turn(au, av, bu, bv float64) (sign int, value float64) {
	x, y := float64(au*bv), float64(av*bu)
	value = x - y
	if value == 0 {
		// what rounding took away
		value = math.FMA(au, bv, -x) - math.FMA(av, bu, -y)
	}
	switch {
	case value > 0:
		return 1, value
	case value < 0:
		return -1, value
	case av != bv:
		value = av - bv
	default:
		value = bu - au
	}
	switch {
	case value > 0:
		return 1, 0
	case value < 0:
		return -1, 0
	}
	return 0, 0
}
