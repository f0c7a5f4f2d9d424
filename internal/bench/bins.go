package main

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// bins finds the nearest of many small things in a uniform grid of cubes. It is
// kept apart from mesh/spatial on purpose: the bench checks the product with
// code of its own.
type bins struct {
	lo    r3.Vec
	edge  float64
	n     [3]int
	start []int32
	item  []int32
}

// newBins sorts count things with the given bounds into cubes of about the
// given edge, mm.
func newBins(count int, edge float64, bounds func(n int) (lo, hi r3.Vec)) *bins {
	inf := math.Inf(1)
	lo, hi := r3.Vec{X: inf, Y: inf, Z: inf}, r3.Vec{X: -inf, Y: -inf, Z: -inf}
	for n := range count {
		a, b := bounds(n)
		lo = r3.Vec{X: min(lo.X, a.X), Y: min(lo.Y, a.Y), Z: min(lo.Z, a.Z)}
		hi = r3.Vec{X: max(hi.X, b.X), Y: max(hi.Y, b.Y), Z: max(hi.Z, b.Z)}
	}
	g := &bins{lo: lo, edge: edge}
	if count == 0 {
		return g
	}
	for {
		g.n = [3]int{int((hi.X-lo.X)/g.edge) + 1, int((hi.Y-lo.Y)/g.edge) + 1, int((hi.Z-lo.Z)/g.edge) + 1}
		if g.n[0]*g.n[1]*g.n[2] < 1<<25 {
			break
		}
		g.edge *= 2
	}
	each := func(visit func(cell int, n int32)) {
		for n := range count {
			a, b := bounds(n)
			ca, cb := g.cell(a), g.cell(b)
			for k := ca[2]; k <= cb[2]; k++ {
				for j := ca[1]; j <= cb[1]; j++ {
					for i := ca[0]; i <= cb[0]; i++ {
						visit(i+g.n[0]*(j+g.n[1]*k), int32(n))
					}
				}
			}
		}
	}
	g.start = make([]int32, g.n[0]*g.n[1]*g.n[2]+2)
	each(func(c int, _ int32) { g.start[c+2]++ })
	for c := 1; c < len(g.start); c++ {
		g.start[c] += g.start[c-1]
	}
	g.item = make([]int32, g.start[len(g.start)-1])
	each(func(c int, n int32) {
		g.item[g.start[c+1]] = n
		g.start[c+1]++
	})
	return g
}

// cell is the cube of p, clamped to the grid.
func (g *bins) cell(p r3.Vec) (c [3]int) {
	for a, x := range [3]float64{p.X - g.lo.X, p.Y - g.lo.Y, p.Z - g.lo.Z} {
		c[a] = max(0, min(g.n[a]-1, int(math.Floor(x/g.edge))))
	}
	return c
}

// nearest returns the smallest dist over the things close to p, and which; dist
// must be the distance from p. Nothing below limit: (−1, limit).
func (g *bins) nearest(p r3.Vec, limit float64, dist func(n int32) float64) (int32, float64) {
	best, at := limit, int32(-1)
	if len(g.item) == 0 {
		return at, best
	}
	c := g.cell(p)
	for ring := 0; ; ring++ {
		// what lies outside the cube of cells done so far is at least this far
		out := math.Inf(1)
		whole := true
		for a, x := range [3]float64{p.X - g.lo.X, p.Y - g.lo.Y, p.Z - g.lo.Z} {
			if lo := c[a] - ring; lo >= 0 {
				whole = false
				out = min(out, x-float64(lo)*g.edge)
			}
			if hi := c[a] + ring + 1; hi <= g.n[a] {
				whole = false
				out = min(out, float64(hi)*g.edge-x)
			}
		}
		for k := max(0, c[2]-ring); k <= min(g.n[2]-1, c[2]+ring); k++ {
			for j := max(0, c[1]-ring); j <= min(g.n[1]-1, c[1]+ring); j++ {
				step := 1
				if abs(k-c[2]) < ring && abs(j-c[1]) < ring {
					step = max(1, 2*ring)
				}
				for i := c[0] - ring; i <= c[0]+ring; i += step {
					if i < 0 || i >= g.n[0] {
						continue
					}
					cell := i + g.n[0]*(j+g.n[1]*k)
					for _, n := range g.item[g.start[cell]:g.start[cell+1]] {
						if d := dist(n); d < best {
							best, at = d, n
						}
					}
				}
			}
		}
		if whole || out >= best {
			return at, best
		}
	}
}

func abs(n int) int { return max(n, -n) }

// toTriangle is the distance from p to the triangle (a, b, c): Ericson,
// Real-Time Collision Detection (2005), 5.1.5.
func toTriangle(p, a, b, c r3.Vec) float64 {
	ab, ac, ap := r3.Sub(b, a), r3.Sub(c, a), r3.Sub(p, a)
	d1, d2 := r3.Dot(ab, ap), r3.Dot(ac, ap)
	if d1 <= 0 && d2 <= 0 {
		return length(ap)
	}
	bp := r3.Sub(p, b)
	d3, d4 := r3.Dot(ab, bp), r3.Dot(ac, bp)
	if d3 >= 0 && d4 <= d3 {
		return length(bp)
	}
	if v := d1*d4 - d3*d2; v <= 0 && d1 >= 0 && d3 <= 0 {
		return length(r3.Sub(ap, r3.Scale(d1/(d1-d3), ab)))
	}
	cp := r3.Sub(p, c)
	d5, d6 := r3.Dot(ab, cp), r3.Dot(ac, cp)
	if d6 >= 0 && d5 <= d6 {
		return length(cp)
	}
	if v := d5*d2 - d1*d6; v <= 0 && d2 >= 0 && d6 <= 0 {
		return length(r3.Sub(ap, r3.Scale(d2/(d2-d6), ac)))
	}
	va, vb, vc := d3*d6-d5*d4, d5*d2-d1*d6, d1*d4-d3*d2
	if va <= 0 && d4-d3 >= 0 && d5-d6 >= 0 {
		return length(r3.Sub(bp, r3.Scale((d4-d3)/((d4-d3)+(d5-d6)), r3.Sub(c, b))))
	}
	w := 1 / (va + vb + vc)
	return length(r3.Sub(ap, r3.Add(r3.Scale(vb*w, ab), r3.Scale(vc*w, ac))))
}

func length(v r3.Vec) float64 { return math.Sqrt(r3.Dot(v, v)) }
