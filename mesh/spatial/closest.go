package spatial

import (
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Closest is the place on the surface nearest to p. For a p that is not finite
// or beyond 1e15 mm the Hit has Tri −1.
func (b *BVH) Closest(p r3.Vec) Hit {
	h, _ := b.closest(p, inf, -1)
	return h
}

var inf = math.Inf(1)

// Within is Closest when it is no further than maxMM away; ok tells. It is
// faster than Closest where the surface is far.
func (b *BVH) Within(p r3.Vec, maxMM float64) (h Hit, ok bool) {
	if !(maxMM >= 0) {
		return noHit(), false
	}
	h, _ = b.closest(p, maxMM*maxMM*(1+1e-15), -1)
	if !(h.DistMM <= maxMM) {
		return noHit(), false
	}
	return h, true
}

// closer holds what a search needs: the point rounded down and up, and the
// place of the best face so far.
type closer struct {
	p      r3.Vec
	lo, hi [3]float32
	best   float64 // squared distance
	limit  float32 // best, rounded up: boxes further than this are passed over
	place  int32
	tri    int32
	at     r3.Vec
	v, w   float64
}

// closest searches within squared distance best, with the face at place guess
// looked at first. It returns the place of the answer as well.
func (b *BVH) closest(p r3.Vec, best float64, guess int32) (Hit, int32) {
	if !placed(p) {
		return noHit(), -1
	}
	c := closer{p: p, best: best, place: -1, tri: math.MaxInt32}
	for a, x := range [3]float64{p.X, p.Y, p.Z} {
		c.lo[a], c.hi[a] = padded(x)
	}
	c.shrink(best)
	if guess >= 0 {
		b.look(&c, guess)
	}
	type entry struct {
		node  int32
		bound float32
	}
	var stack [stackDepth]entry
	depth := 0
	at := int32(0)
	for {
		n := &b.nodes[at]
		d0, d1 := c.bound(&n.at[0]), c.bound(&n.at[1])
		first := 0
		if d1 < d0 {
			first, d0, d1 = 1, d1, d0
		}
		second := 1 - first
		next := int32(-1)
		if d0 <= c.limit {
			if k := n.count[first]; k > 0 {
				for i := n.child[first]; i < n.child[first]+k; i++ {
					b.look(&c, i)
				}
			} else {
				next = n.child[first]
			}
			if d1 <= c.limit {
				if k := n.count[second]; k > 0 {
					for i := n.child[second]; i < n.child[second]+k; i++ {
						b.look(&c, i)
					}
				} else if next < 0 {
					next = n.child[second]
				} else {
					stack[depth] = entry{n.child[second], d1}
					depth++
				}
			}
		}
		for next < 0 {
			if depth == 0 {
				if c.place < 0 {
					return noHit(), -1
				}
				return Hit{Tri: c.tri, At: c.at, Bary: [3]float64{1 - c.v - c.w, c.v, c.w}, DistMM: math.Sqrt(c.best)}, c.place
			}
			depth--
			if stack[depth].bound <= c.limit {
				next = stack[depth].node
			}
		}
		at = next
	}
}

// bound is at most the squared distance from the point to the box.
func (c *closer) bound(b *box) float32 {
	x := apart(b.lo[0]-c.hi[0], c.lo[0]-b.hi[0])
	y := apart(b.lo[1]-c.hi[1], c.lo[1]-b.hi[1])
	z := apart(b.lo[2]-c.hi[2], c.lo[2]-b.hi[2])
	return x*x + y*y + z*z
}

// shrink sets the best squared distance. The limit stays above it by more than
// bound may be rounded up.
func (c *closer) shrink(d2 float64) {
	c.best = d2
	c.limit = min(math.MaxFloat32, float32(d2)*(1+1.0/(1<<20))+math.SmallestNonzeroFloat32) // an empty box is at +Inf
}

// look takes the face at place i if it is nearer.
func (b *BVH) look(c *closer, i int32) {
	t := &b.tris[i]
	at, v, w := mesh.ClosestOnTriangle(c.p, b.verts[t[0]], b.verts[t[1]], b.verts[t[2]])
	d := r3.Norm2(r3.Sub(c.p, at))
	if d > c.best {
		return
	}
	if tri := b.order[i]; d < c.best || tri < c.tri {
		c.shrink(d)
		c.place, c.tri, c.at, c.v, c.w = i, tri, at, v, w
	}
}

// apart is max(x, y, 0): floats above zero are in the order of their bits, and
// those below have negative ones.
func apart(x, y float32) float32 {
	return math.Float32frombits(uint32(max(int32(math.Float32bits(x)), int32(math.Float32bits(y)), 0)))
}
