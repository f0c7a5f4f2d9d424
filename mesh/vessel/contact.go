package vessel

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// Contact is a place where the lumen joins vessels that do not belong together:
// each closes a loop, or joins two roots.
type Contact struct {
	At           r3.Vec  // LPS mm
	RadiusMM     float64 // of the lumen there
	Plausibility float64 // of the connection, 0 to 1: what made it the place to cut
	RemovedMM    float64 // length of centreline that went with the cut
}

// Links of a plausibility below suspectLink are contacts rather than vessels:
// necks, short bridges between walls.
const suspectLink = 0.6

// away is the direction in which the edge of end x leaves its joint, over about
// two radii.
func (g *graph) away(x int) r3.Vec {
	e := &g.edges[x/2]
	reach := 2 * max(e.typical(), g.l.mean)
	at := func(m int) r3.Vec {
		if x&1 == 1 {
			return e.p[len(e.p)-1-m]
		}
		return e.p[m]
	}
	s := 0.0
	m := 1
	for ; m < len(e.p)-1 && s < reach; m++ {
		s += r3.Norm(r3.Sub(at(m), at(m-1)))
	}
	d := r3.Sub(at(m), at(0))
	if n := r3.Norm(d); n > 0 {
		return r3.Scale(1/n, d)
	}
	return r3.Vec{}
}

// follows is how well end y goes on where end x arrives: direction times radius,
// 1 for one straight vessel, 0 for one that turns back.
func (g *graph) follows(x, y int) float64 {
	s := (1 - r3.Dot(g.away(x), g.away(y))) / 2
	a, b := g.edges[x/2].typical(), g.edges[y/2].typical()
	return s * s * math.Sqrt(min(a, b)/max(a, b))
}

// weakest is the least plausible place inside an edge between two joints: its
// point index and plausibility. A neck counts by its radius against the wider
// parts on both sides; an edge hidden in the vessels it joins and in line with
// neither is a bridge between walls.
func (g *graph) weakest(n int, ends [][]int) (int, float64) {
	e := &g.edges[n]
	last := len(e.p) - 1
	best, at := 1.0, last/2
	left, right := make([]float64, last+1), make([]float64, last+1)
	for m := range e.r {
		left[m] = e.r[m]
		if m > 0 {
			left[m] = max(left[m-1], e.r[m])
		}
	}
	for m := last; m >= 0; m-- {
		right[m] = e.r[m]
		if m < last {
			right[m] = max(right[m+1], e.r[m])
		}
	}
	for m := 1; m < last; m++ {
		if w := e.r[m] / min(left[m], right[m]); w < best {
			best, at = w, m
		}
	}
	hidden, line := 0.0, 1.0
	for side, j := range [2]int{e.a, e.b} {
		thick, on := 0.0, 0.0
		for _, y := range ends[j] {
			if y/2 != n {
				thick = max(thick, g.edges[y/2].typical())
				on = max(on, g.follows(2*n+side, y))
			}
		}
		hidden, line = hidden+thick, line*on
	}
	seen := min(max((length(e.p)-hidden)/(2*e.typical()), 0), 1)
	return at, min(best, max(seen, line))
}

// sets is a union–find over whole numbers.
type sets []int

func newSets(n int) sets {
	s := make(sets, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func (s sets) find(a int) int {
	for s[a] != a {
		s[a] = s[s[a]]
		a = s[a]
	}
	return a
}

func (s sets) join(a, b int) bool {
	a, b = s.find(a), s.find(b)
	if a == b {
		return false
	}
	s[max(a, b)] = min(a, b)
	return true
}

// onLoop reports the edges that lie on a loop when all roots are one joint.
func (g *graph) onLoop(roots []int) []bool {
	out := make([]bool, len(g.edges))
	for n := range g.edges {
		if g.edges[n].dead {
			continue
		}
		s := newSets(len(g.joints))
		for _, r := range roots {
			s.join(roots[0], r)
		}
		for m := range g.edges {
			if e := &g.edges[m]; m != n && !e.dead {
				s.join(e.a, e.b)
			}
		}
		out[n] = s.find(g.edges[n].a) == s.find(g.edges[n].b)
	}
	return out
}

// loops is the number of independent loops when all roots are one joint.
func (g *graph) loops(roots []int) int {
	s := newSets(len(g.joints))
	for _, r := range roots {
		s.join(roots[0], r)
	}
	n := 0
	for m := range g.edges {
		if e := &g.edges[m]; !e.dead && !s.join(e.a, e.b) {
			n++
		}
	}
	return n
}

// untangle cuts every loop, and every connection between two roots: necks and
// bridges are places to cut, and every edge stays with what it is reached from
// most plausibly (see arrive).
func (g *graph) untangle(roots []int) {
	for _, r := range roots {
		g.joints[r].root = true
	}
	if g.loops(roots) == 0 {
		return
	}
	loop := g.onLoop(roots)
	ends := g.ends()
	forced := map[int]float64{} // joints made inside an edge: plausibility
	for n, count := 0, len(g.edges); n < count; n++ {
		if !loop[n] {
			continue
		}
		if at, w := g.weakest(n, ends); w < suspectLink || g.edges[n].a == g.edges[n].b {
			j := g.split(n, at)
			forced[j] = min((1-w)*(1-w)/(2*neckSD*neckSD), dearest)
		}
	}
	g.contract(loop, forced, roots)
	g.part(roots, forced)
	g.sweep()
	g.fuse()
}

// split cuts an edge at point m into two that meet in a new joint.
func (g *graph) split(n, m int) int {
	e := &g.edges[n]
	m = min(max(m, 1), len(e.p)-2)
	j := len(g.joints)
	g.joints = append(g.joints, joint{at: e.p[m]})
	f := edge{a: j, b: e.b, p: slices.Clone(e.p[m:]), r: slices.Clone(e.r[m:]), trimmed: [2]bool{false, e.trimmed[1]}, sd: e.sd}
	e.p, e.r, e.b, e.trimmed[1], e.clean = e.p[:m+1], e.r[:m+1], j, false, nil
	g.edges = append(g.edges, f)
	return j
}

// contract draws edges on loops shorter than the lumen is wide to one joint, so
// that vessels that cross there can be told by their direction. A root stays, and
// two never become one.
func (g *graph) contract(loop []bool, forced map[int]float64, roots []int) {
	for n := range loop {
		e := &g.edges[n]
		_, fa := forced[e.a]
		_, fb := forced[e.b]
		if !loop[n] || e.dead || fa || fb || e.a == e.b || length(e.p) > 1.5*e.typical() {
			continue
		}
		ends := g.ends()
		if len(ends[e.a]) < 3 || len(ends[e.b]) < 3 {
			continue
		}
		keep, gone := e.a, e.b
		if slices.Contains(roots, gone) {
			keep, gone = gone, keep
		}
		if slices.Contains(roots, gone) {
			continue
		}
		e.dead = true
		mid := r3.Scale(0.5, r3.Add(g.joints[keep].at, g.joints[gone].at))
		g.joints[keep].at = mid
		for _, j := range [2]int{keep, gone} {
			for _, x := range ends[j] {
				o := &g.edges[x/2]
				if x&1 == 0 {
					o.a, o.p[0] = keep, mid
				} else {
					o.b, o.p[len(o.p)-1] = keep, mid
				}
			}
		}
	}
}

// sweep takes away the stubs that cuts leave: edges with one loose end that lie
// mostly inside other vessels (the neck of a contact is thin: a stub must show at
// least what the thinnest vessel that is promised must). Longer ones are drawn back
// out of the vessel they touched.
func (g *graph) sweep() {
	for again := true; again; {
		again = false
		ends := g.ends()
		for n := range g.edges {
			e := &g.edges[n]
			if e.dead {
				continue
			}
			for side, j := range [2]int{e.a, e.b} {
				if !g.joints[j].loose || len(ends[j]) != 1 || e.dead {
					continue
				}
				other := e.a + e.b - j
				if len(ends[other]) == 1 && !g.joints[other].loose {
					continue // a vessel of its own
				}
				hidden := 0.0
				for _, x := range ends[other] {
					if x/2 != n {
						hidden = max(hidden, g.edges[x/2].typical())
					}
				}
				l := length(e.p)
				touch := g.touched(n, j)
				need := visibleRadii * max(e.typical(), thinVoxels*g.l.mean)
				if l < hidden+touch+need || g.outside(n) < need {
					e.dead = true
					if len(ends[other]) == 2 { // what is left there is the rest of the stub
						g.joints[other].loose = true
					}
					g.removed(g.joints[j].at, l)
					again = true
					continue
				}
				if touch > 0 && side == 0 {
					e.turn()
				}
				if touch > 0 {
					g.shorten(e, touch)
					if side == 0 {
						e.turn()
					}
				}
			}
		}
		if again {
			g.fuse()
		}
	}
}

// touched is the radius of the thickest other edge that ends at or passes
// through the place of joint j.
func (g *graph) touched(n, j int) float64 {
	r := 0.0
	for m := range g.edges {
		e := &g.edges[m]
		if m == n || e.dead {
			continue
		}
		for _, o := range [2]int{e.a, e.b} {
			if o != j && r3.Norm(r3.Sub(g.joints[o].at, g.joints[j].at)) < 1e-9 {
				r = max(r, e.typical())
			}
		}
	}
	return r
}

// outside is the length of edge n that lies in no other tube, mm.
func (g *graph) outside(n int) float64 {
	p := g.edges[n].p
	in := make([]bool, len(p))
	for m := range g.edges {
		e := &g.edges[m]
		if m == n || e.dead {
			continue
		}
		for k := 1; k < len(e.p); k++ {
			for i, x := range p {
				in[i] = in[i] || lineDistance(x, e.p[k-1:k+1]) < min(e.r[k-1], e.r[k])
			}
		}
	}
	sum := 0.0
	for i := 1; i < len(p); i++ {
		if !in[i-1] && !in[i] {
			sum += r3.Norm(r3.Sub(p[i], p[i-1]))
		}
	}
	return sum
}

func (g *graph) removed(at r3.Vec, l float64) {
	best, d := -1, math.Inf(1)
	for n := range g.cut {
		if x := r3.Norm(r3.Sub(g.cut[n].At, at)); x < d {
			best, d = n, x
		}
	}
	if best >= 0 {
		g.cut[best].RemovedMM += l
	}
}

// shorten takes mm off the b end of e.
func (g *graph) shorten(e *edge, mm float64) {
	m := len(e.p) - 1
	for s := 0.0; m > 1 && s < mm; m-- {
		s += r3.Norm(r3.Sub(e.p[m], e.p[m-1]))
	}
	e.p, e.r, e.clean = e.p[:m+1], e.r[:m+1], nil
	g.joints[e.b].at = e.p[m]
}
