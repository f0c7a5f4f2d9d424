package phantom

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// capsule is the set of points within r of the segment a–b.
type capsule struct {
	a, b r3.Vec
	r    float64
}

// distance is the exact signed distance to c and the unit vector away from its
// axis.
func (c *capsule) distance(p r3.Vec) (float64, r3.Vec) {
	ab, ap := r3.Sub(c.b, c.a), r3.Sub(p, c.a)
	t := 0.0
	if n := r3.Norm2(ab); n > 0 {
		t = min(max(r3.Dot(ap, ab)/n, 0), 1)
	}
	d := r3.Sub(ap, r3.Scale(t, ab))
	n := norm(d)
	if n == 0 {
		return -c.r, r3.Vec{}
	}
	return n - c.r, r3.Scale(1/n, d)
}

// beyond says cheaply that p is more than mm from c; false decides nothing.
func (c *capsule) beyond(p r3.Vec, mm float64) bool {
	d := r3.Sub(p, r3.Scale(0.5, r3.Add(c.a, c.b)))
	far := mm + c.r + stepMM // capsules of a tree are at most 2·stepMM long
	return r3.Norm2(d) > far*far
}

// binMM is the side of a cell of bins and reachMM the distance up to which the
// cells of tubes know their neighbours.
const (
	binMM   = 10.0
	reachMM = 8.0
)

// bins finds the capsules near a point: a regular lattice of cells, each with
// the indices of the capsules that come within reach of it.
type bins struct {
	lo, hi r3.Vec
	reach  float64
	n      [3]int
	cells  [][]int32
}

func newBins(lo, hi r3.Vec, reach float64) *bins {
	b := &bins{lo: lo, hi: hi, reach: reach}
	for a, l := range [3]float64{hi.X - lo.X, hi.Y - lo.Y, hi.Z - lo.Z} {
		b.n[a] = max(1, int(math.Ceil(l/binMM)))
	}
	b.cells = make([][]int32, b.n[0]*b.n[1]*b.n[2])
	return b
}

func (b *bins) cell(p r3.Vec) (i, j, k int) {
	return min(max(int(math.Floor((p.X-b.lo.X)/binMM)), 0), b.n[0]-1),
		min(max(int(math.Floor((p.Y-b.lo.Y)/binMM)), 0), b.n[1]-1),
		min(max(int(math.Floor((p.Z-b.lo.Z)/binMM)), 0), b.n[2]-1)
}

// add enters capsule c under the index id.
func (b *bins) add(c *capsule, id int32) {
	lo, hi := c.box()
	m := r3.Vec{X: b.reach, Y: b.reach, Z: b.reach}
	i0, j0, k0 := b.cell(r3.Sub(lo, m))
	i1, j1, k1 := b.cell(r3.Add(hi, m))
	for k := k0; k <= k1; k++ {
		for j := j0; j <= j1; j++ {
			for i := i0; i <= i1; i++ {
				n := i + b.n[0]*(j+b.n[1]*k)
				b.cells[n] = append(b.cells[n], id)
			}
		}
	}
}

// near lists the capsules that may come within reach of p.
func (b *bins) near(p r3.Vec) []int32 {
	i, j, k := b.cell(p)
	return b.cells[i+b.n[0]*(j+b.n[1]*k)]
}

func (c *capsule) box() (lo, hi r3.Vec) {
	return r3.Vec{X: min(c.a.X, c.b.X) - c.r, Y: min(c.a.Y, c.b.Y) - c.r, Z: min(c.a.Z, c.b.Z) - c.r},
		r3.Vec{X: max(c.a.X, c.b.X) + c.r, Y: max(c.a.Y, c.b.Y) + c.r, Z: max(c.a.Z, c.b.Z) + c.r}
}

// bounds is the box around all capsules.
func bounds(cs []capsule) (lo, hi r3.Vec) {
	inf := math.Inf(1)
	lo, hi = r3.Vec{X: inf, Y: inf, Z: inf}, r3.Vec{X: -inf, Y: -inf, Z: -inf}
	for n := range cs {
		l, h := cs[n].box()
		lo = r3.Vec{X: min(lo.X, l.X), Y: min(lo.Y, l.Y), Z: min(lo.Z, l.Z)}
		hi = r3.Vec{X: max(hi.X, h.X), Y: max(hi.Y, h.Y), Z: max(hi.Z, h.Z)}
	}
	return lo, hi
}

// tubes is the union of capsules. Its value is exact up to reachMM from the
// surface and a lower bound beyond.
func tubes(cs []capsule) field {
	lo, hi := bounds(cs)
	b := newBins(lo, hi, reachMM)
	for n := range cs {
		b.add(&cs[n], int32(n))
	}
	return func(p r3.Vec) (float64, r3.Vec) {
		q := r3.Vec{X: min(max(p.X, lo.X), hi.X), Y: min(max(p.Y, lo.Y), hi.Y), Z: min(max(p.Z, lo.Z), hi.Z)}
		if away := r3.Sub(p, q); away != (r3.Vec{}) {
			if n := norm(away); n > reachMM {
				return n, r3.Scale(1/n, away)
			}
		}
		f, g := reachMM, r3.Vec{}
		for _, id := range b.near(q) {
			if e, h := cs[id].distance(p); e < f {
				f, g = e, h
			}
		}
		return f, g
	}
}

// chain links the points of a line with capsules of one radius.
func chain(line []r3.Vec, r float64) []capsule {
	cs := make([]capsule, 0, len(line))
	for n := 1; n < len(line); n++ {
		cs = append(cs, capsule{line[n-1], line[n], r})
	}
	return cs
}

// spline is a Catmull–Rom curve through the knots with per points per span.
func spline(per int, knots ...r3.Vec) []r3.Vec {
	at := func(n int) r3.Vec {
		switch {
		case n < 0:
			return r3.Sub(r3.Scale(2, knots[0]), knots[1])
		case n >= len(knots):
			return r3.Sub(r3.Scale(2, knots[len(knots)-1]), knots[len(knots)-2])
		}
		return knots[n]
	}
	out := []r3.Vec{knots[0]}
	for n := range len(knots) - 1 {
		p0, p1, p2, p3 := at(n-1), at(n), at(n+1), at(n+2)
		for s := 1; s <= per; s++ {
			t := float64(s) / float64(per)
			w0, w1 := -t+2*t*t-t*t*t, 2-5*t*t+3*t*t*t
			w2, w3 := t+4*t*t-3*t*t*t, -t*t+t*t*t
			out = append(out, r3.Scale(0.5, r3.Add(r3.Add(r3.Scale(w0, p0), r3.Scale(w1, p1)),
				r3.Add(r3.Scale(w2, p2), r3.Scale(w3, p3)))))
		}
	}
	return out
}
