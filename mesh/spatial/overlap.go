package spatial

import (
	"math"
	"slices"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// InSphere appends to dst the faces that come within radiusMM of centre, in
// ascending order. A centre or radius that is not a number meets none.
func (b *BVH) InSphere(dst []int32, centre r3.Vec, radiusMM float64) []int32 {
	if !placed(centre) || !(radiusMM >= 0) {
		return dst
	}
	first := len(dst)
	r := r3.Vec{X: radiusMM, Y: radiusMM, Z: radiusMM}
	b.visit(around(r3.Sub(centre, r), r3.Add(centre, r)), func(lo, hi int32) {
		for i := lo; i < hi; i++ {
			p, q, s := b.corners(i)
			if at, _, _ := mesh.ClosestOnTriangle(centre, p, q, s); r3.Norm(r3.Sub(centre, at)) <= radiusMM {
				dst = append(dst, b.order[i])
			}
		}
	})
	slices.Sort(dst[first:])
	return dst
}

// InBox appends to dst the faces that have a point in common with the box from
// lo to hi, its sides included, in ascending order (T. Akenine-Möller, "Fast
// 3D triangle-box overlap testing", J. Graphics Tools 6(1), 2001). A box with a
// number that is not finite, or turned inside out, meets none.
func (b *BVH) InBox(dst []int32, lo, hi r3.Vec) []int32 {
	if !placed(lo) || !placed(hi) || lo.X > hi.X || lo.Y > hi.Y || lo.Z > hi.Z {
		return dst
	}
	first := len(dst)
	mid, half := r3.Scale(0.5, r3.Add(lo, hi)), r3.Scale(0.5, r3.Sub(hi, lo))
	b.visit(around(lo, hi), func(from, to int32) {
		for i := from; i < to; i++ {
			p, q, s := b.corners(i)
			if meetsBox(r3.Sub(p, mid), r3.Sub(q, mid), r3.Sub(s, mid), half) {
				dst = append(dst, b.order[i])
			}
		}
	})
	slices.Sort(dst[first:])
	return dst
}

// visit calls f for the places of every leaf whose box meets in.
func (t *tree) visit(in box, f func(lo, hi int32)) {
	var stack [stackDepth]int32
	depth, at := 0, int32(0)
	for {
		n := &t.nodes[at]
		next := int32(-1)
		for c := range 2 {
			if !in.meets(&n.at[c]) {
				continue
			}
			if n.count[c] > 0 {
				f(n.child[c], n.child[c]+n.count[c])
			} else if next < 0 {
				next = n.child[c]
			} else {
				stack[depth] = n.child[c]
				depth++
			}
		}
		if next < 0 {
			if depth == 0 {
				return
			}
			depth--
			next = stack[depth]
		}
		at = next
	}
}

// meetsBox tests triangle abc against the box of half sides h around the
// origin: they are apart only if they are so along a side of the box, the
// normal of the triangle or a product of an edge and a side.
func meetsBox(a, b, c, h r3.Vec) bool {
	if min(a.X, b.X, c.X) > h.X || max(a.X, b.X, c.X) < -h.X ||
		min(a.Y, b.Y, c.Y) > h.Y || max(a.Y, b.Y, c.Y) < -h.Y ||
		min(a.Z, b.Z, c.Z) > h.Z || max(a.Z, b.Z, c.Z) < -h.Z {
		return false
	}
	for _, p := range [3]r3.Vec{a, b, c} {
		if math.Abs(p.X) <= h.X && math.Abs(p.Y) <= h.Y && math.Abs(p.Z) <= h.Z {
			return true
		}
	}
	ab, bc, ca := r3.Sub(b, a), r3.Sub(c, b), r3.Sub(a, c)
	apart := func(n r3.Vec) bool {
		x, y, z := r3.Dot(n, a), r3.Dot(n, b), r3.Dot(n, c)
		r := h.X*math.Abs(n.X) + h.Y*math.Abs(n.Y) + h.Z*math.Abs(n.Z)
		return min(x, y, z) > r || max(x, y, z) < -r
	}
	for _, e := range [3]r3.Vec{ab, bc, ca} {
		if apart(r3.Vec{Y: -e.Z, Z: e.Y}) || apart(r3.Vec{X: e.Z, Z: -e.X}) || apart(r3.Vec{X: -e.Y, Y: e.X}) {
			return false
		}
	}
	return !apart(r3.Cross(ab, ca))
}
