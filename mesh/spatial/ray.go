package spatial

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Ray is the first face that a ray from origin meets within maxMM, whichever
// side it comes from; ok tells whether there is one. dir need not be of unit
// length, DistMM is in mm all the same. maxMM may be infinite.
//
// A ray through an edge or a vertex hits one of the faces around it, so it
// never slips through a closed surface. A face seen exactly edge-on is not hit.
// A ray with a number that is not finite, or without direction, hits nothing.
//
// Source: S. Woop, C. Benthin, I. Wald, "Watertight ray/triangle intersection",
// J. Comput. Graph. Tech. 2(1), 2013.
func (b *BVH) Ray(origin, dir r3.Vec, maxMM float64) (h Hit, ok bool) {
	l := r3.Norm(dir)
	if !placed(origin) || !(l > 0) || math.IsInf(l, 1) || !(maxMM >= 0) {
		return noHit(), false
	}
	r := newRay(origin, r3.Scale(1/l, dir), maxMM)
	if m := math.Abs(r.dir[r.k[2]]); !(m > 0.5 && m < 2) { // dir too short for its length to be sound
		return noHit(), false
	}
	type entry struct {
		node int32
		near float64
	}
	var stack [stackDepth]entry
	depth := 0
	for at := int32(0); ; {
		n := &b.nodes[at]
		t0, hit0 := r.enters(&n.at[0])
		t1, hit1 := r.enters(&n.at[1])
		first, second := 0, 1
		if hit1 && (!hit0 || t1 < t0) {
			first, second = 1, 0
			t0, t1, hit0, hit1 = t1, t0, hit1, hit0
		}
		next := int32(-1)
		if hit0 {
			if n.count[first] > 0 {
				b.strike(&r, n, first)
			} else {
				next = n.child[first]
			}
		}
		if hit1 && t1 <= r.max {
			switch {
			case n.count[second] > 0:
				b.strike(&r, n, second)
			case next < 0:
				next = n.child[second]
			default:
				stack[depth] = entry{n.child[second], t1}
				depth++
			}
		}
		for next < 0 && depth > 0 {
			depth--
			if stack[depth].near <= r.max {
				next = stack[depth].node
			}
		}
		if next < 0 {
			return r.hit, r.hit.Tri >= 0
		}
		at = next
	}
}

// ray is a ray ready for boxes and faces. Axes are permuted so that the third
// one is that along which it runs fastest, and the triangle is sheared so that
// the ray runs along it.
type ray struct {
	origin, dir, inv [3]float64
	back             [3]int // 1 where it runs backwards
	k                [3]int
	sx, sy, sz       float64
	max              float64
	hit              Hit
	from             r3.Vec
	along            r3.Vec
}

func newRay(o, d r3.Vec, maxMM float64) ray {
	r := ray{origin: [3]float64{o.X, o.Y, o.Z}, dir: [3]float64{d.X, d.Y, d.Z}, from: o, along: d, max: maxMM, hit: noHit()}
	z := 0
	for a, x := range r.dir {
		r.inv[a] = 1 / x
		if x < 0 || r.inv[a] < 0 {
			r.back[a] = 1
		}
		if math.Abs(x) > math.Abs(r.dir[z]) {
			z = a
		}
	}
	r.k = [3]int{(z + 1) % 3, (z + 2) % 3, z}
	if r.dir[z] < 0 { // keeps the winding
		r.k[0], r.k[1] = r.k[1], r.k[0]
	}
	r.sx, r.sy, r.sz = r.dir[r.k[0]]/r.dir[z], r.dir[r.k[1]]/r.dir[z], 1/r.dir[z]
	return r
}

// slabSlack widens the far end of a box by more than the rounding of the slab
// test, so that no box a ray touches is missed (T. Ize, "Robust BVH ray
// traversal", J. Comput. Graph. Tech. 2(2), 2013).
const slabSlack = 1 + 1e-14

// enters tells where the ray enters the box, at most at max. An axis across
// which the ray runs exactly in the plane of a side gives NaN, which bounds
// nothing.
func (r *ray) enters(b *box) (near float64, ok bool) {
	far := r.max
	for a := range 3 {
		lo, hi := float64(b.lo[a]), float64(b.hi[a])
		if r.back[a] != 0 {
			lo, hi = hi, lo
		}
		t0, t1 := (lo-r.origin[a])*r.inv[a]/slabSlack, (hi-r.origin[a])*r.inv[a]*slabSlack
		if t0 > near {
			near = t0
		}
		if t1 < far {
			far = t1
		}
	}
	return near, near <= far
}

// strike tries the faces of a leaf.
func (b *BVH) strike(r *ray, n *node, c int) {
	for i := n.child[c]; i < n.child[c]+n.count[c]; i++ {
		t := &b.tris[i]
		d, v, w, ok := r.meets(b.verts[t[0]], b.verts[t[1]], b.verts[t[2]])
		if !ok || d > r.max {
			continue
		}
		if tri := b.order[i]; d < r.max || r.hit.Tri < 0 || tri < r.hit.Tri {
			r.max = d
			r.hit = Hit{Tri: tri, At: r3.Add(r.from, r3.Scale(d, r.along)), Bary: [3]float64{1 - v - w, v, w}, DistMM: d}
		}
	}
}

// meets is where the ray meets triangle abc, and the barycentric coordinates on
// b and c. An edge function changes only its sign from one face of an edge to
// the other, as each product is rounded for itself (no fused multiply-add), and
// its sign is right or zero: so neighbours leave no gap.
func (r *ray) meets(a, b, c r3.Vec) (t, v, w float64, ok bool) {
	ax, ay, az := r.shear(a)
	bx, by, bz := r.shear(b)
	cx, cy, cz := r.shear(c)
	eu := float64(cx*by) - float64(cy*bx)
	ev := float64(ax*cy) - float64(ay*cx)
	ew := float64(bx*ay) - float64(by*ax)
	if (eu < 0 || ev < 0 || ew < 0) && (eu > 0 || ev > 0 || ew > 0) {
		return
	}
	det := eu + ev + ew
	if det == 0 {
		return
	}
	t = (eu*az + ev*bz + ew*cz) / det
	if !(t >= 0) {
		return
	}
	return t, ev / det, ew / det, true
}

// shear moves p to where the ray is the third axis.
func (r *ray) shear(p r3.Vec) (x, y, z float64) {
	q := [3]float64{p.X - r.origin[0], p.Y - r.origin[1], p.Z - r.origin[2]}
	x, y, z = q[r.k[0]], q[r.k[1]], q[r.k[2]]
	return x - float64(r.sx*z), y - float64(r.sy*z), r.sz * z
}
