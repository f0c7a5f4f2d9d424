package vessel

import (
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// Two edges run as one while the centreline of each lies within likeRadii of the
// thinner one's radius from the other's. Branches that leave a joint at 20° do so
// for 1.5 of their radii; a joint with edges that do so for longer, zipRadii of
// the thicker one's radius, lies beyond the place where they part.
const (
	likeRadii = 0.5
	zipRadii  = 1.5
)

// alike is how far the edges of ends x and y run as one from their joint, in
// points of the edge of x and in mm.
func (g *graph) alike(x, y int) (points int, mm float64) {
	p, q := g.from(x), g.from(y)
	near := likeRadii * min(g.edges[x/2].typical(), g.edges[y/2].typical())
	for points+1 < len(p) && lineDistance(p[points+1], q) <= near {
		points++
		mm += r3.Norm(r3.Sub(p[points], p[points-1]))
	}
	return points, mm
}

// from is the centreline of the edge of end x, its joint first.
func (g *graph) from(x int) []r3.Vec {
	p := g.edges[x/2].p
	if x&1 == 1 {
		p = slices.Clone(p)
		slices.Reverse(p)
	}
	return p
}

// zip moves joints that the fit has drawn along one of their vessels back to the
// place where two edges part: the stretch that both run along becomes part of the
// third. It reports whether any moved.
func (g *graph) zip() (some bool) {
	for range len(g.joints) {
		bestX, bestY, most := -1, -1, zipRadii
		for j, at := range g.ends() {
			if len(at) != 3 || g.joints[j].root {
				continue
			}
			for _, x := range at {
				for _, y := range at {
					rx, ry := g.edges[x/2].typical(), g.edges[y/2].typical()
					if x/2 == y/2 || rx < ry || rx == ry && x > y {
						continue
					}
					m, mm := g.alike(x, y)
					if mm > most*rx && m+2 < len(g.edges[x/2].p) && length(g.edges[y/2].p) > mm+ry {
						bestX, bestY, most = x, y, mm/rx
					}
				}
			}
		}
		if bestX < 0 {
			return some
		}
		g.zipAt(bestX, bestY)
		some = true
	}
	return some
}

// zipAt makes the stretch that the edges of ends x and y share one, and fuses it
// with the third edge of their joint.
func (g *graph) zipAt(x, y int) {
	m, mm := g.alike(x, y)
	for _, end := range [2]int{x, y} {
		if end&1 == 1 {
			g.edges[end/2].turn()
		}
	}
	e, f := x/2, y/2
	j := g.edges[e].a
	third := -1
	for _, z := range g.ends()[j] {
		if z/2 != e && z/2 != f {
			third = z / 2
		}
	}
	k := g.split(e, m)
	shared := &g.edges[e]
	for n := range shared.r {
		shared.r[n] = g.edges[third].typical()
	}
	o := &g.edges[f]
	from, s := 1, 0.0
	for from < len(o.p)-1 && s < mm {
		s += r3.Norm(r3.Sub(o.p[from], o.p[from-1]))
		from++
	}
	o.p, o.r, o.clean = slices.Insert(slices.Clone(o.p[from:]), 0, g.joints[k].at), slices.Clone(o.r[from-1:]), nil
	o.a, o.trimmed[0] = k, false
	g.fuse()
}
