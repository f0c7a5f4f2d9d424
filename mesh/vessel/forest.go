package vessel

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// Costs of a vessel going on from one edge into the next, as squares of standard
// deviations: a turn of 60°; a growth of the radius, downstream, of 10 %.
const (
	turnSD  = math.Pi / 3
	widenSD = 0.10
	dearest = 12.0
	neckSD  = 0.25 // of a neck's radius against that on both sides
)

// step is the cost of flow that arrives by end x and leaves by end y of the same
// joint: half the square of the turn, and of the growth of the radius, in
// standard deviations. Downstream vessels turn little and get thinner; seen the
// wrong way they get thicker and turn back.
func (g *graph) step(x, y int) float64 {
	turn := math.Acos(min(max(-r3.Dot(g.away(x), g.away(y)), -1), 1)) / turnSD
	widen := max(0, math.Log(g.edges[y/2].typical()/g.edges[x/2].typical())) / widenSD
	return min(turn*turn/2+widen*widen/2, dearest)
}

// arrivals is how each edge is reached from the roots.
type arrivals struct {
	from []int // of each edge: the end of another edge it is reached from, −1 from a root, −2 not at all
	by   []int // the end it is entered by
}

// arrive finds for every edge the way from a root whose dearest step is the least
// dear (and of those the one of least sum): a shortest-path forest with the
// bottleneck as length (Dijkstra 1959; Pollack, Operations Research 8 (1960)
// 733). So a contact is crossed only by what has no better way, and the vessels
// beyond it only downstream. forced is the cost of joints made inside an edge.
func (g *graph) arrive(roots []int, forced map[int]float64) arrivals {
	ends := g.ends()
	a := arrivals{from: make([]int, len(g.edges)), by: make([]int, len(g.edges))}
	type visit struct {
		worst, sum float64
		by, from   int
	}
	less := func(a, b visit) int {
		if c := cmp.Compare(a.worst, b.worst); c != 0 {
			return c
		}
		if c := cmp.Compare(a.sum, b.sum); c != 0 {
			return c
		}
		return cmp.Compare(a.by, b.by)
	}
	best := make([]visit, len(g.edges))
	for n := range best {
		best[n] = visit{worst: math.Inf(1), by: -1}
		a.from[n] = -2
	}
	done := make([]bool, len(g.edges))
	offer := func(v visit) {
		if n := v.by / 2; !done[n] && less(v, best[n]) < 0 {
			best[n] = v
		}
	}
	for _, r := range roots {
		for _, x := range ends[r] {
			offer(visit{0, 0, x, -1})
		}
	}
	for {
		n := -1
		for m := range best {
			if !done[m] && best[m].by >= 0 && (n < 0 || less(best[m], best[n]) < 0) {
				n = m
			}
		}
		if n < 0 {
			// What no root reaches starts at its thickest end.
			r := 0.0
			for m := range g.edges {
				e := &g.edges[m]
				if e.dead || done[m] {
					continue
				}
				for side, j := range [2]int{e.a, e.b} {
					if t := e.typical(); n < 0 || len(ends[j]) == 1 && t > r {
						n, best[m] = m, visit{by: 2*m + side, from: -1}
						if len(ends[j]) == 1 {
							r = t
						}
					}
				}
			}
			if n < 0 {
				return a
			}
		}
		v := best[n]
		done[n], a.from[n], a.by[n] = true, v.from, v.by
		e := &g.edges[n]
		j, x := e.b, 2*n+1
		if v.by&1 == 1 {
			j, x = e.a, 2*n
		}
		if slices.Contains(roots, j) {
			continue
		}
		for _, y := range ends[j] {
			if y == x {
				continue
			}
			c, ok := forced[j]
			if !ok {
				c = g.step(x, y)
			}
			offer(visit{max(v.worst, c), v.sum + c, y, x})
		}
	}
}

// part takes the joints apart so that what is left is the forest of arrivals.
func (g *graph) part(roots []int, forced map[int]float64) {
	ends := g.ends()
	a := g.arrive(roots, forced)
	kept := newSets(2 * len(g.edges))
	atRoot := map[int]int{} // of each root: an end there
	for n := range g.edges {
		if g.edges[n].dead {
			continue
		}
		if a.from[n] >= 0 {
			kept.join(a.from[n], a.by[n])
			continue
		}
		j := g.edges[n].a
		if a.by[n]&1 == 1 {
			j = g.edges[n].b
		}
		if first, ok := atRoot[j]; ok {
			kept.join(first, a.by[n])
		} else {
			atRoot[j] = a.by[n]
		}
	}
	for j, at := range ends {
		// The group that starts at a root keeps the joint.
		if x, ok := atRoot[j]; ok {
			slices.SortStableFunc(at, func(p, q int) int {
				in := func(e int) int {
					if kept.find(e) == kept.find(x) {
						return 0
					}
					return 1
				}
				return cmp.Compare(in(p), in(q))
			})
		}
		to := map[int]int{}
		for p, x := range at {
			c := kept.find(x)
			k, ok := to[c]
			if !ok {
				k = j
				if p > 0 {
					k = len(g.joints)
					g.joints = append(g.joints, joint{at: g.joints[j].at, loose: true})
					g.cut = append(g.cut, g.contactAt(j, x, at, kept, forced))
				}
				to[c] = k
			}
			if e := &g.edges[x/2]; x&1 == 0 {
				e.a = k
			} else {
				e.b = k
			}
		}
		if _, root := atRoot[j]; len(to) > 1 && !root {
			g.joints[j].loose = true
		}
	}
}

// contactAt is the contact of end x with the other vessels at a joint.
func (g *graph) contactAt(j, x int, at []int, kept sets, forced map[int]float64) Contact {
	e := &g.edges[x/2]
	c := Contact{At: g.joints[j].at, RadiusMM: e.r[0]}
	if x&1 == 1 {
		c.RadiusMM = e.r[len(e.r)-1]
	}
	least := dearest
	for _, y := range at {
		if kept.find(y) != kept.find(x) {
			least = min(least, g.step(x, y), g.step(y, x))
		}
	}
	if f, ok := forced[j]; ok {
		least = f
	}
	c.Plausibility = math.Exp(-least / 2)
	return c
}
