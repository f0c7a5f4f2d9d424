package fem

import (
	"slices"

	"halsted/fem/element"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Superconvergent patch recovery (O. C. Zienkiewicz & J. Z. Zhu, Int. J. Numer.
// Meth. Eng. 33 (1992) 1331 and 1365): around every vertex a polynomial of the
// elements' degree (Tet10 quadratic, Tet4 linear) is fitted to the stress at the
// quadrature points, by least squares with their volumes as weights, in the
// coordinates of the given mesh.
//
// A vertex has a fit of its own in every region it belongs to, made of the
// elements of that region alone: stress may jump between materials. Inside a
// region the vertex's elements are its patch. On the border of a region that
// patch is one-sided, and a fit to it poor: for a Tet10 it takes in the elements
// behind its faces; for a Tet4, as Zienkiewicz & Zhu advise, the mean of the
// polynomials of the inner vertices next to it is taken. Where a patch still
// does not carry its fit it grows on; failing that the degree is lowered. The
// value at a mid-edge node is the mean of those of the two ends' polynomials.

// recovery is what does not depend on the state. A slot is a node in a region.
type recovery struct {
	stage   int        // that the elements are those of
	slotPtr []int32    // node → slots, in the order of the regions
	slotOf  []int32    // element·k + node → slot; −1 for an absent element
	node    []int32    // slot → node
	volume  []float64  // slot → volume of its elements, mm³
	fits    []fit      // one per vertex slot
	parent  [][2]int32 // slot → the fits of its vertex, or of the ends of its edge
	sample  []r3.Vec   // place of the quadrature points
	full    int        // terms of a full fit

	// Space for one state.
	stress, strain []sym6 // nq per element
	poly           []polynomial
	slot           []sym6
}

// recoveryOf returns the recovery for the elements of the present stage.
func (s *system) recoveryOf() *recovery {
	if s.rec == nil || (s.alive != nil && s.rec.stage != s.stage) {
		s.rec = s.newRecovery()
	}
	return s.rec
}

func (s *system) present(e int) bool { return s.alive == nil || s.alive[e] }

func (s *system) newRecovery() *recovery {
	rc := &recovery{stage: s.stage, full: linearTerms}
	if s.k == element.Tet10Nodes {
		rc.full = quadraticTerms
	}
	rc.slots(s)
	rc.samples(s)
	nodes := make([]int32, len(rc.fits)) // fit → slot
	for i, p := range rc.parent {
		if p[0] == p[1] {
			nodes[p[0]] = int32(i)
		}
	}
	s.chunks(len(rc.fits), fitChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			f, slot := &rc.fits[i], nodes[i]
			f.at = s.x[rc.node[slot]]
			f.elems, f.inner = rc.around(s, slot)
			f.inner = f.inner && rc.sound(s, f, rc.full)
		}
	})
	s.chunks(len(rc.fits), fitChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if f := &rc.fits[i]; !f.inner {
				rc.border(s, f)
			}
		}
	})
	rc.stress, rc.strain = make([]sym6, len(rc.sample)), make([]sym6, len(rc.sample))
	rc.poly, rc.slot = make([]polynomial, len(rc.fits)), make([]sym6, len(rc.node))
	return rc
}

// slots numbers the pairs of a node and a region at it.
func (rc *recovery) slots(s *system) {
	rc.slotPtr, rc.slotOf = make([]int32, s.n+1), make([]int32, len(s.conn))
	for i := range rc.slotOf {
		rc.slotOf[i] = -1
	}
	var regs []int32
	for v := range s.n {
		regs = regs[:0]
		at := s.adj[s.adjPtr[v]:s.adjPtr[v+1]]
		for _, i := range at {
			e := int(i) / s.k
			if r := s.regOf[e]; s.present(e) && !slices.Contains(regs, r) {
				regs = append(regs, r)
			}
		}
		slices.Sort(regs)
		for _, i := range at {
			if e := int(i) / s.k; s.present(e) {
				rc.slotOf[i] = rc.slotPtr[v] + int32(slices.Index(regs, s.regOf[e]))
			}
		}
		for range regs {
			rc.node = append(rc.node, int32(v))
		}
		rc.slotPtr[v+1] = int32(len(rc.node))
	}
	rc.volume = make([]float64, len(rc.node))
	rc.parent = make([][2]int32, len(rc.node))
	for i := range rc.parent {
		rc.parent[i][0] = -1
	}
	for i, slot := range rc.slotOf {
		e, a := i/s.k, i%s.k
		if slot < 0 {
			continue
		}
		for _, w := range s.w[e*s.nq : (e+1)*s.nq] {
			rc.volume[slot] += w
		}
		if a < element.Tet4Nodes && rc.parent[slot][0] < 0 {
			f := int32(len(rc.fits))
			rc.parent[slot] = [2]int32{f, f}
			rc.fits = append(rc.fits, fit{})
		}
	}
	for i, slot := range rc.slotOf { // vertices are numbered: edges follow
		if e, a := i/s.k, i%s.k; slot >= 0 && a >= element.Tet4Nodes {
			ends := mesh.TetEdges[a-element.Tet4Nodes]
			rc.parent[slot] = [2]int32{rc.parent[rc.slotOf[e*s.k+ends[0]]][0], rc.parent[rc.slotOf[e*s.k+ends[1]]][0]}
		}
	}
}

// samples places the quadrature points.
func (rc *recovery) samples(s *system) {
	rule, shape := s.rule()
	n := make([]float64, s.nq*s.k)
	for q, p := range rule.P {
		shape(n[q*s.k:(q+1)*s.k], nil, p)
	}
	rc.sample = make([]r3.Vec, s.elems*s.nq)
	s.chunks(s.elems, elemChunk, func(lo, hi int) {
		for e := lo; e < hi; e++ {
			for q := range s.nq {
				var x r3.Vec
				for a, v := range s.conn[e*s.k : (e+1)*s.k] {
					x = r3.Add(x, r3.Scale(n[q*s.k+a], s.x[v]))
				}
				rc.sample[e*s.nq+q] = x
			}
		}
	})
}

// around lists the elements of a vertex slot; inner is false when one of their
// faces at the vertex has no element of the region behind it.
func (rc *recovery) around(s *system, slot int32) (elems []int32, inner bool) {
	v := rc.node[slot]
	at := s.adj[s.adjPtr[v]:s.adjPtr[v+1]]
	elems = make([]int32, 0, len(at))
	inner = true
	for _, i := range at {
		if rc.slotOf[i] != slot {
			continue
		}
		e, a := i/int32(s.k), int(i)%s.k
		elems = append(elems, e)
		for f := range 4 {
			inner = inner && (f == a || rc.across(s, e, f) >= 0)
		}
	}
	return elems, inner
}

// across is the element of the same region behind face f of e, or −1.
func (rc *recovery) across(s *system, e int32, f int) int32 {
	c := rc.slotOf[int(e)*s.k : int(e)*s.k+4]
	t := mesh.TetFaces[f]
	v := rc.node[c[t[0]]]
	for _, i := range s.adj[s.adjPtr[v]:s.adjPtr[v+1]] {
		o := i / int32(s.k)
		d := rc.slotOf[int(o)*s.k : int(o)*s.k+4]
		if o != e && rc.slotOf[i] == c[t[0]] && slices.Contains(d, c[t[1]]) && slices.Contains(d, c[t[2]]) {
			return o
		}
	}
	return -1
}

// border finds donors (Tet4) or else a sound fit for a vertex on the border of
// its region.
func (rc *recovery) border(s *system, f *fit) {
	f.terms = 0
	first := 1
	if rc.full == linearTerms {
		if rc.findDonors(s, f); len(f.donors) > 0 {
			return
		}
		first = 0
	}
	own := len(f.elems)
	for terms := rc.full; ; terms = linearTerms {
		f.elems = f.elems[:own]
		for grown := range patchGrowths {
			if grown >= first && rc.sound(s, f, terms) {
				return
			}
			for _, e := range f.elems {
				for k := range 4 {
					if o := rc.across(s, e, k); o >= 0 && !slices.Contains(f.elems, o) {
						f.elems = append(f.elems, o)
					}
				}
			}
		}
		if rc.sound(s, f, terms) {
			return
		}
		if terms == linearTerms {
			f.elems = f.elems[:own]
			f.terms = 1
			return
		}
		first = 0
	}
}

// findDonors lists the inner vertices next to f whose polynomials reach it.
func (rc *recovery) findDonors(s *system, f *fit) {
	var p [quadraticTerms]float64
	for _, e := range f.elems {
		for _, slot := range rc.slotOf[int(e)*s.k : int(e)*s.k+4] {
			d := rc.parent[slot][0]
			if o := &rc.fits[d]; o.inner && !slices.Contains(f.donors, d) {
				monomials(&p, r3.Scale(o.scale, r3.Sub(f.at, o.at)))
				if o.leverage(&p) <= leverageLimit {
					f.donors = append(f.donors, d)
				}
			}
		}
	}
	if len(f.donors) > 0 {
		f.scale = rc.fits[f.donors[0]].scale
	}
}
