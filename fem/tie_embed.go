package fem

import (
	"math"
	"slices"

	"halsted/fem/element"

	"gonum.org/v1/gonum/spatial/r3"
)

// embedTol is how far outside an element, in its reference coordinates, a node
// still counts as inside: rounding, and faces between curved elements.
const embedTol = 1e-6

// embed ties the nodes to the elements they lie in. corners is the number of
// multipliers that the faces have.
func (t *tieTerm) embed(u []float64, corners int) error {
	if len(t.t.Nodes) == 0 {
		return nil
	}
	s := t.sys
	at := func(v int32) r3.Vec { return r3.Add(s.x[v], r3.Vec{X: u[3*v], Y: u[3*v+1], Z: u[3*v+2]}) }
	lo, hi := make([]r3.Vec, s.elems), make([]r3.Vec, s.elems)
	var items []int32
	for e := range s.elems {
		if s.alive != nil && !s.alive[e] || len(t.t.Within) > 0 && !slices.Contains(t.t.Within, s.model.Mesh.Region[e]) {
			continue
		}
		c := s.conn[e*s.k : (e+1)*s.k]
		a, b := at(c[0]), at(c[0])
		for _, v := range c[1:] {
			x := at(v)
			a = r3.Vec{X: min(a.X, x.X), Y: min(a.Y, x.Y), Z: min(a.Z, x.Z)}
			b = r3.Vec{X: max(b.X, x.X), Y: max(b.Y, x.Y), Z: max(b.Z, x.Z)}
		}
		pad := r3.Scale(1e-6, r3.Sub(b, a)) // embedTol
		if s.k == element.Tet10Nodes {
			pad = r3.Scale(0.1, r3.Sub(b, a)) // a curved side bulges beyond its nodes
		}
		lo[e], hi[e] = r3.Sub(a, pad), r3.Add(b, pad)
		items = append(items, int32(e))
	}
	tree := newBoxTree(lo, hi, items)
	var x [element.Tet10Nodes]r3.Vec
	for i, v := range t.t.Nodes {
		own := s.labelsAt(v)
		best, bestOut := int32(-1), math.Inf(1)
		var bestXi r3.Vec
		tree.overlap(at(v), at(v), func(e int32) {
			c := s.conn[int(e)*s.k : (int(e)+1)*s.k]
			if slices.Contains(c, v) || len(t.t.Within) == 0 && slices.Contains(own, s.regOf[e]) {
				return
			}
			for a, w := range c {
				x[a] = at(w)
			}
			xi, ok := s.inElement(x[:s.k], at(v))
			if !ok {
				return
			}
			out := max(0, -xi.X, -xi.Y, -xi.Z, xi.X+xi.Y+xi.Z-1)
			if out <= embedTol && (out < bestOut || out == bestOut && e < best) {
				best, bestOut, bestXi = e, out, xi
			}
		})
		if best < 0 {
			p := at(v)
			return badInput(t.field, "node %d at (%.2f, %.2f, %.2f) mm lies in no element it could be tied to; name the regions it lies in, or take it out of Nodes", v, p.X, p.Y, p.Z)
		}
		c := s.conn[int(best)*s.k : (int(best)+1)*s.k]
		var vol float64
		for _, w := range s.w[int(best)*s.nq : (int(best)+1)*s.nq] {
			vol += w
		}
		law := s.reg[s.regOf[best]].law
		mu, kappa := law.ShearMPa(), law.BulkMPa()
		pt := tiePoint{group: int32(len(t.groups)), w: 1, k: t.penalty() * 9 * kappa * mu / (3*kappa + mu) * math.Cbrt(vol)}
		pt.at[0], pt.l[0] = int32(corners+i), 1
		n := make([]float64, s.k)
		_, shape := s.rule()
		shape(n, nil, bestXi)
		pt.c[0] = 1
		for a := range n {
			pt.c[1+a] = -n[a]
		}
		t.groups = append(t.groups, tieGroup{nodes: append([]int32{v}, c...), under: [2]int32{best, -1}})
		t.pts = append(t.pts, pt)
	}
	return nil
}

// labelsAt are the regions of the elements of node v.
func (s *system) labelsAt(v int32) (out []int32) {
	for _, i := range s.adj[s.adjPtr[v]:s.adjPtr[v+1]] {
		out = append(out, s.regOf[int(i)/s.k])
	}
	return out
}

// inElement finds the reference coordinates of the point p in an element with
// nodes x by Newton's method; ok is false when it does not settle.
func (s *system) inElement(x []r3.Vec, p r3.Vec) (xi r3.Vec, ok bool) {
	_, shape := s.rule()
	n, d := make([]float64, s.k), make([]r3.Vec, s.k)
	xi = r3.Vec{X: 0.25, Y: 0.25, Z: 0.25}
	for range footSteps {
		shape(n, d, xi)
		r := p
		var a, b, c r3.Vec // columns ∂x/∂ξ
		for i, y := range x {
			r = r3.Sub(r, r3.Scale(n[i], y))
			a = r3.Add(a, r3.Scale(d[i].X, y))
			b = r3.Add(b, r3.Scale(d[i].Y, y))
			c = r3.Add(c, r3.Scale(d[i].Z, y))
		}
		det := r3.Dot(a, r3.Cross(b, c))
		if det == 0 {
			return xi, false
		}
		step := r3.Scale(1/det, r3.Vec{X: r3.Dot(r, r3.Cross(b, c)), Y: r3.Dot(r, r3.Cross(c, a)), Z: r3.Dot(r, r3.Cross(a, b))})
		xi = r3.Add(xi, step)
		if l := r3.Norm(step); l < 1e-13 {
			return xi, true
		} else if !(l < 1e3) {
			return xi, false
		}
	}
	return xi, true
}
