package cut

import (
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// place finds a patch node in the old mesh.
func (p *patch) place(n int32) Place {
	x := p.pos[n]
	l := locator{p: p, x: x, least: math.Inf(-1)}
	if int(n) < len(p.node) {
		l.around(n)
		return l.best
	}
	e := int(n) - len(p.node)
	a, b := p.edge.ends[e][0], p.edge.ends[e][1]
	if x == p.at[e] {
		v := &p.whole.vert[p.home[e]]
		out := Place{Tet: p.whole.tet[p.home[e]]}
		out.L[corner(v, a)], out.L[corner(v, b)] = 1-p.t[e], p.t[e]
		return out
	}
	l.around(a)
	l.around(b)
	return l.best
}

// placeIn finds x, which should lie in tetrahedron w of the uncut patch or near it.
func (p *patch) placeIn(x r3.Vec, w int32) Place {
	l := locator{p: p, x: x, least: math.Inf(-1)}
	l.try(w)
	for _, n := range p.whole.vert[w] {
		if p.near[n] {
			l.around(n)
		}
	}
	return l.best
}

// locator finds the tetrahedron of the uncut mesh, among those it tries, that
// holds x, or the one that x is least outside of.
type locator struct {
	p     *patch
	x     r3.Vec
	least float64 // smallest barycentric coordinate in best
	best  Place
}

// around tries the tetrahedra around near node n.
func (l *locator) around(n int32) {
	for _, t := range l.p.whole.star[l.p.whole.start[n]:l.p.whole.start[n+1]] {
		l.try(t)
	}
}

func (l *locator) try(t int32) {
	if l.least >= 0 {
		return // found
	}
	m, k := l.p.m, l.p.whole.tet[t]
	v := m.Tets[k]
	c := barycentric(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]], l.x)
	if w := min(c[0], c[1], c[2], c[3]); w > l.least {
		l.least, l.best = w, Place{k, c}
	}
}

// weightShare is the barycentric coordinate below which it is rounding.
const weightShare = 1e-14

func barycentric(a, b, c, d, x r3.Vec) (l [4]float64) {
	f := 1 / mesh.Signed6(a, b, c, d)
	l[1] = mesh.Signed6(a, x, c, d) * f
	l[2] = mesh.Signed6(a, b, x, d) * f
	l[3] = mesh.Signed6(a, b, c, x) * f
	for i := 1; i < 4; i++ {
		if math.Abs(l[i]) < weightShare {
			l[i] = 0
		}
	}
	if l[0] = 1 - l[1] - l[2] - l[3]; math.Abs(l[0]) < weightShare {
		l[0] = 0
	}
	return l
}
