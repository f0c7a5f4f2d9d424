package mesh

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// buckets is a uniform grid over boxes of items (tetrahedra or triangles):
// bucket b lists the items whose box touches it, in ascending order. It serves
// items of about one size and points close to them; for all else there is the
// tree of mesh/spatial, which stands on this package.
type buckets struct {
	lo    r3.Vec
	step  float64 // mm
	n     [3]int
	start []int32
	item  []int32
}

// maxBuckets bounds the grid; then buckets hold more items each.
const maxBuckets = 1 << 22

// newBuckets covers count boxes; box gives the corners of item i. The step is
// about one item's size, so that a bucket lists a handful.
func newBuckets(count int, box func(i int) (lo, hi r3.Vec)) *buckets {
	b := &buckets{step: 1, n: [3]int{1, 1, 1}}
	if count == 0 {
		b.start = make([]int32, 2)
		return b
	}
	lo, hi := box(0)
	var size float64
	for i := range count {
		l, h := box(i)
		lo = r3.Vec{X: math.Min(lo.X, l.X), Y: math.Min(lo.Y, l.Y), Z: math.Min(lo.Z, l.Z)}
		hi = r3.Vec{X: math.Max(hi.X, h.X), Y: math.Max(hi.Y, h.Y), Z: math.Max(hi.Z, h.Z)}
		size += (h.X - l.X + h.Y - l.Y + h.Z - l.Z) / 3
	}
	b.lo = lo
	extent := r3.Sub(hi, lo)
	b.step = max(size/float64(count), 1e-6*(extent.X+extent.Y+extent.Z), math.SmallestNonzeroFloat32)
	for {
		total := 1.0
		for a, e := range [3]float64{extent.X, extent.Y, extent.Z} {
			b.n[a] = int(e/b.step) + 1
			total *= float64(b.n[a])
		}
		if total <= maxBuckets {
			break
		}
		b.step *= 1.3
	}
	b.start = make([]int32, b.n[0]*b.n[1]*b.n[2]+2)
	each := func(f func(bucket int, i int)) {
		for i := range count {
			l, h := box(i)
			c0, c1 := b.cell(l), b.cell(h)
			for z := c0[2]; z <= c1[2]; z++ {
				for y := c0[1]; y <= c1[1]; y++ {
					for x := c0[0]; x <= c1[0]; x++ {
						f(x+b.n[0]*(y+b.n[1]*z), i)
					}
				}
			}
		}
	}
	each(func(c, _ int) { b.start[c+2]++ })
	for c := 1; c < len(b.start); c++ {
		b.start[c] += b.start[c-1]
	}
	b.item = make([]int32, b.start[len(b.start)-1])
	each(func(c, i int) {
		b.item[b.start[c+1]] = int32(i)
		b.start[c+1]++
	})
	return b
}

// cell is the bucket of p, or the nearest one.
func (b *buckets) cell(p r3.Vec) (c [3]int) {
	d := r3.Sub(p, b.lo)
	for a, x := range [3]float64{d.X, d.Y, d.Z} {
		c[a] = int(min(max(x/b.step, 0), float64(b.n[a]-1)))
	}
	return c
}

// at lists the items of the bucket of p; none when p lies outside the grid.
func (b *buckets) at(p r3.Vec) []int32 {
	d := r3.Sub(p, b.lo)
	if min(d.X, d.Y, d.Z) < 0 || d.X >= float64(b.n[0])*b.step || d.Y >= float64(b.n[1])*b.step || d.Z >= float64(b.n[2])*b.step {
		return nil
	}
	c := b.cell(p)
	n := c[0] + b.n[0]*(c[1]+b.n[1]*c[2])
	return b.item[b.start[n]:b.start[n+1]]
}

// nearest visits the items around p, bucket shell by bucket shell, until none
// further out can be closer than the best distance found: visit returns the
// squared distance of item i to p. A tie goes to the lowest item.
func (b *buckets) nearest(p r3.Vec, visit func(i int32) float64) (item int32, dist2 float64) {
	c := b.cell(p)
	item, dist2 = -1, math.Inf(1)
	// q is p brought into the grid; |p−x|² ≥ |p−q|² + |q−x|² for x inside it
	clamp := func(x, lo float64, n int) float64 { return min(max(x, lo), lo+float64(n)*b.step) }
	q := r3.Vec{X: clamp(p.X, b.lo.X, b.n[0]), Y: clamp(p.Y, b.lo.Y, b.n[1]), Z: clamp(p.Z, b.lo.Z, b.n[2])}
	away := r3.Norm2(r3.Sub(p, q))
	// gap is at most the squared distance from q to the buckets at x along an axis
	gap := func(x int, q, lo float64) float64 {
		d := max(lo+float64(x)*b.step-q, q-lo-float64(x+1)*b.step, 0)
		return d * d * (1 - 1e-12)
	}
	last := max(b.n[0], b.n[1], b.n[2])
	for r := 0; r <= last; r++ {
		// shells 0 … r−1 cover everything nearer to q than (r−1) steps
		if reach := float64(r-1) * b.step; r > 0 && away+reach*reach > dist2 {
			break
		}
		for z := max(0, c[2]-r); z <= min(b.n[2]-1, c[2]+r); z++ {
			toZ := away + gap(z, q.Z, b.lo.Z)
			if toZ > dist2 {
				continue
			}
			for y := max(0, c[1]-r); y <= min(b.n[1]-1, c[1]+r); y++ {
				toY := toZ + gap(y, q.Y, b.lo.Y)
				if toY > dist2 {
					continue
				}
				hop := 1
				if z > c[2]-r && z < c[2]+r && y > c[1]-r && y < c[1]+r {
					hop = max(1, 2*r) // only the two ends of the row are in the shell
				}
				for x := c[0] - r; x <= c[0]+r; x += hop {
					if x < 0 || x >= b.n[0] || toY+gap(x, q.X, b.lo.X) > dist2 {
						continue
					}
					n := x + b.n[0]*(y+b.n[1]*z)
					for _, i := range b.item[b.start[n]:b.start[n+1]] {
						if d := visit(i); d < dist2 || d == dist2 && i < item {
							item, dist2 = i, d
						}
					}
				}
			}
		}
	}
	return item, dist2
}

// ClosestOnTriangle is the point of triangle abc nearest to p, and its
// barycentric coordinates on b and c (C. Ericson, Real-Time Collision
// Detection, 2005, section 5.1.5). A triangle without area is a segment or a
// point.
func ClosestOnTriangle(p, a, b, c r3.Vec) (at r3.Vec, v, w float64) {
	ab, ac, ap := r3.Sub(b, a), r3.Sub(c, a), r3.Sub(p, a)
	d1, d2 := r3.Dot(ab, ap), r3.Dot(ac, ap)
	if d1 <= 0 && d2 <= 0 {
		return a, 0, 0
	}
	bp := r3.Sub(p, b)
	d3, d4 := r3.Dot(ab, bp), r3.Dot(ac, bp)
	if d3 >= 0 && d4 <= d3 {
		return b, 1, 0
	}
	cp := r3.Sub(p, c)
	d5, d6 := r3.Dot(ab, cp), r3.Dot(ac, cp)
	if d6 >= 0 && d5 <= d6 {
		return c, 0, 1
	}
	va, vb, vc := d3*d6-d5*d4, d5*d2-d1*d6, d1*d4-d3*d2
	s := va + vb + vc // |ab×ac|²
	// |ab|² = d1 − d3, |ac|² = d2 − d6: sin² of the angle at a against slimSin2
	if !(s > slimSin2*(d1-d3)*(d2-d6)) {
		return closestOnSlim(p, a, b, c)
	}
	switch {
	case vc <= 0 && d1 >= 0 && d3 <= 0:
		v = d1 / (d1 - d3)
		return r3.Add(a, r3.Scale(v, ab)), v, 0
	case vb <= 0 && d2 >= 0 && d6 <= 0:
		w = d2 / (d2 - d6)
		return r3.Add(a, r3.Scale(w, ac)), 0, w
	case va <= 0 && d4-d3 >= 0 && d5-d6 >= 0:
		w = (d4 - d3) / (d4 - d3 + d5 - d6)
		return r3.Add(b, r3.Scale(w, r3.Sub(c, b))), 1 - w, w
	}
	v, w = vb/s, vc/s
	return r3.Add(a, r3.Add(r3.Scale(v, ab), r3.Scale(w, ac))), v, w
}

// slimSin2 is the squared sine of the angle of a triangle below which the
// tests of its inside lose digits: then every side is looked at as well.
const slimSin2 = 1e-6

// closestOnSlim is ClosestOnTriangle for a triangle of little or no area.
func closestOnSlim(p, a, b, c r3.Vec) (at r3.Vec, v, w float64) {
	at, v = closestOnSegment(p, a, b)
	best := r3.Norm2(r3.Sub(p, at))
	take := func(q r3.Vec, qv, qw float64) {
		if d := r3.Norm2(r3.Sub(p, q)); d < best {
			at, v, w, best = q, qv, qw, d
		}
	}
	q, t := closestOnSegment(p, a, c)
	take(q, 0, t)
	q, t = closestOnSegment(p, b, c)
	take(q, 1-t, t)
	ab, ac, ap := r3.Sub(b, a), r3.Sub(c, a), r3.Sub(p, a)
	n := r3.Cross(ab, ac)
	if s := r3.Norm2(n); s > 0 {
		v2, w2 := r3.Dot(r3.Cross(ap, ac), n)/s, r3.Dot(r3.Cross(ab, ap), n)/s
		if v2 > 0 && w2 > 0 && v2+w2 < 1 {
			take(r3.Add(a, r3.Add(r3.Scale(v2, ab), r3.Scale(w2, ac))), v2, w2)
		}
	}
	return at, v, w
}

// closestOnSegment is the point of segment ab nearest to p, a share t along.
func closestOnSegment(p, a, b r3.Vec) (at r3.Vec, t float64) {
	ab := r3.Sub(b, a)
	l := r3.Norm2(ab)
	if l > 0 {
		t = min(max(r3.Dot(r3.Sub(p, a), ab)/l, 0), 1)
	}
	return r3.Add(a, r3.Scale(t, ab)), t
}
