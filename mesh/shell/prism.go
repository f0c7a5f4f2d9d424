package shell

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// A prism over a face of the lumen surface with copies i < j < k, bottom nodes
// b and top nodes t, is cut along the diagonals that start at the smallest
// node number. Bottoms have smaller numbers than tops, so these are b_i–t_j,
// b_j–t_k and b_i–t_k, and two prisms always agree on the side they share (J.
// Dompierre et al., How to subdivide pyramids, prisms and hexahedra into
// tetrahedra, 8th International Meshing Roundtable, 1999). A node without wall
// has b = t; tetrahedra that hold both drop out, and what is left is a pyramid
// or a single tetrahedron.

// prismTets lists the tetrahedra as corners of the prism, bottom 0–2 and top
// 3–5, in the order i, j, k; the second list is for odd order of i, j, k.
var prismTets = [2][3][4]int{
	{{0, 1, 2, 5}, {0, 1, 5, 4}, {0, 3, 4, 5}},
	{{1, 0, 2, 5}, {0, 1, 4, 5}, {3, 0, 4, 5}},
}

// sorted3 sorts v and tells whether the permutation was odd.
func sorted3(v [3]int32) (s [3]int32, odd int) {
	if v[0] > v[1] {
		v[0], v[1] = v[1], v[0]
		odd ^= 1
	}
	if v[1] > v[2] {
		v[1], v[2] = v[2], v[1]
		odd ^= 1
	}
	if v[0] > v[1] {
		v[0], v[1] = v[1], v[0]
		odd ^= 1
	}
	return v, odd
}

// drops tells whether a tetrahedron of the prism holds bottom and top of a
// node without wall.
func drops(t *[4]int, height *[3]float64) bool {
	seen := 0
	for _, c := range t {
		if height[c%3] == 0 {
			if seen>>(c%3)&1 == 1 {
				return true
			}
			seen |= 1 << (c % 3)
		}
	}
	return false
}

// between is the point at the share f of the way from a to b; b itself at 1.
func between(a, b r3.Vec, f float64) r3.Vec {
	if f == 1 {
		return b
	}
	return r3.Add(a, r3.Scale(f, r3.Sub(b, a)))
}

// prismScore is the score of the worst tetrahedron of the prism over the
// copies v (of sorted3) with the given heights and tops; 1 and more is within
// the bounds. A face without wall scores +Inf.
func (g *growth) prismScore(v [3]int32, odd int, height [3]float64, tops [3]r3.Vec) float64 {
	score := math.Inf(1)
	var p [6]r3.Vec
	for i, c := range v {
		p[i] = g.orig[g.node(c)]
	}
	for l := 1; l <= g.layers; l++ {
		f := float64(l) / float64(g.layers)
		for i, c := range v {
			p[i+3] = between(g.orig[g.node(c)], tops[i], f)
		}
		for i := range prismTets[odd] {
			t := &prismTets[odd][i]
			if !drops(t, &height) {
				score = min(score, g.qw.score(p[t[0]], p[t[1]], p[t[2]], p[t[3]]))
			}
		}
		p[0], p[1], p[2] = p[3], p[4], p[5]
	}
	return score
}

// scoreAt is prismScore at the given heights.
func (g *growth) scoreAt(v [3]int32, odd int, height [3]float64) float64 {
	return g.prismScore(v, odd, height, [3]r3.Vec{g.top(v[0], height[0]), g.top(v[1], height[1]), g.top(v[2], height[2])})
}

const (
	// slope bounds how fast the height may change along the surface, mm/mm.
	slope = 0.8
	// shrink is the step by which a height is taken back, and leastShare the
	// share of the wanted thickness below which a node is left without a wall.
	shrink     = 0.85
	leastShare = 0.2
)

// lower brings the height of copy c down to h, or to 0 when that is too
// little.
func (g *growth) lower(c int32, h float64, why Reason) {
	if h >= g.height[c] {
		return
	}
	if h < leastShare*g.wanted[c] {
		h = 0
	}
	g.height[c], g.reason[c] = h, why
}

// fit lowers heights until every prism is within the bounds and no height
// changes faster than slope. Every step lowers a height by a share or to 0, so
// it ends.
func (g *growth) fit() error {
	queued := make([]bool, len(g.faces))
	queue := make([]int32, len(g.faces))
	for f := range queue {
		queue[f], queued[f] = int32(f), true
	}
	for n := 0; n < len(queue); n++ {
		if n&0xff == 0 && g.ctx.Err() != nil {
			return g.ctx.Err()
		}
		f := queue[n]
		queued[f] = false
		v, odd := sorted3(g.faces[f])
		h := [3]float64{g.height[v[0]], g.height[v[1]], g.height[v[2]]}
		to, why := g.fitPrism(v, odd, h)
		for i, c := range v {
			if to[i] == h[i] {
				continue
			}
			g.lower(c, to[i], why)
			for _, o := range g.fan.of(c) {
				if !queued[o] {
					queue, queued[o] = append(queue, o), true
				}
			}
		}
	}
	return nil
}

// fitPrism finds heights at which the prism is within the bounds: the given
// ones, lower ones, or those without the nodes that spoil it at any height.
func (g *growth) fitPrism(v [3]int32, odd int, h [3]float64) (to [3]float64, why Reason) {
	to = h
	longest := 0.0
	for i := range 3 {
		for j := range 3 {
			if i != j {
				d := r3.Norm(r3.Sub(g.orig[g.node(v[i])], g.orig[g.node(v[j])]))
				to[i] = min(to[i], h[j]+slope*d)
				longest = max(longest, d)
			}
		}
	}
	if to != h {
		return to, ReasonFold
	}
	if g.scoreAt(v, odd, h) >= 1 {
		return h, 0
	}
	// the highest first, so that the prism levels out, then all
	for high := max(to[0], to[1], to[2]); ; {
		high *= shrink
		for i := range to {
			to[i] = min(to[i], high)
		}
		if to[0] < leastShare*g.wanted[v[0]] || to[1] < leastShare*g.wanted[v[1]] || to[2] < leastShare*g.wanted[v[2]] {
			break
		}
		if g.scoreAt(v, odd, to) >= 1 {
			return to, ReasonFold
		}
	}
	why = ReasonThin
	if min(h[0], h[1], h[2]) > longest {
		why = ReasonFold
	}
	// without one node, or two: the best choice of the fewest
	for _, sets := range [2][3]int{{1, 2, 4}, {3, 5, 6}} {
		best, at := 1.0, h
		for _, s := range sets {
			try := h
			for i := range try {
				if s>>i&1 == 1 {
					try[i] = 0
				}
			}
			if x := g.scoreAt(v, odd, try); try != h && x >= best && !math.IsInf(x, 1) {
				best, at = x, try
			}
		}
		if at != h {
			return at, why
		}
	}
	return [3]float64{}, why
}
