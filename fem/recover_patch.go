package fem

import (
	"math"
	"slices"

	"halsted/fem/element"
	"halsted/internal/par"
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

// Limits of a fit.
const (
	// leverageLimit bounds v = p(x)ᵀ·M⁻¹·p(x), M = Σ w·p·pᵀ/Σ w, at the place x
	// that the fit is for: errors of the samples enter the value there with at
	// most √v. A full patch has v ≈ 5, a one-sided patch 20 to 60.
	leverageLimit = 100
	// pivotTol is the smallest pivot of M, relative to its diagonal, that counts
	// as not zero: eight digits above rounding.
	pivotTol = 1e-8
	// patchGrowths is how often a patch may take in its neighbours.
	patchGrowths = 3
	// fitChunk fits are one unit of parallel work.
	fitChunk = 64
)

const (
	linearTerms    = 4
	quadraticTerms = 10
)

// polynomial holds the coefficients of 1, x, y, z, xx, yy, zz, xy, yz, xz for
// the six components of stress, in coordinates (X − vertex)·scale.
type polynomial [quadraticTerms]sym6

// fit is the least-squares fit at a vertex in one region.
type fit struct {
	at     r3.Vec
	scale  float64 // 1/mm: 1 over the distance of the farthest sample
	terms  int     // 10, 4, 1; 0: the donors' mean
	inner  bool    // a full fit with no border of the region at the vertex
	elems  []int32 // patch
	donors []int32 // Tet4, border: fits of the inner vertices next to it
	chol   [quadraticTerms * (quadraticTerms + 1) / 2]float64
}

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
	par.Chunks(len(rc.fits), fitChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			f, slot := &rc.fits[i], nodes[i]
			f.at = s.x[rc.node[slot]]
			f.elems, f.inner = rc.around(s, slot)
			f.inner = f.inner && rc.sound(s, f, rc.full)
		}
	})
	par.Chunks(len(rc.fits), fitChunk, func(lo, hi int) {
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
	par.Chunks(s.elems, elemChunk, func(lo, hi int) {
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

func monomials(p *[quadraticTerms]float64, d r3.Vec) {
	p[0], p[1], p[2], p[3] = 1, d.X, d.Y, d.Z
	p[4], p[5], p[6] = d.X*d.X, d.Y*d.Y, d.Z*d.Z
	p[7], p[8], p[9] = d.X*d.Y, d.Y*d.Z, d.X*d.Z
}

// sound makes the normal matrix of the fit and its Cholesky factor; false when
// the patch does not carry that many terms.
func (rc *recovery) sound(s *system, f *fit, terms int) bool {
	f.terms = 0
	if len(f.elems)*s.nq < terms {
		return false
	}
	var far, sum float64
	for _, e := range f.elems {
		for i := int(e) * s.nq; i < (int(e)+1)*s.nq; i++ {
			far = max(far, r3.Norm(r3.Sub(rc.sample[i], f.at)))
			sum += s.w[i]
		}
	}
	f.scale = 1 / far
	var m [quadraticTerms * (quadraticTerms + 1) / 2]float64
	var p [quadraticTerms]float64
	for _, e := range f.elems {
		for i := int(e) * s.nq; i < (int(e)+1)*s.nq; i++ {
			monomials(&p, r3.Scale(f.scale, r3.Sub(rc.sample[i], f.at)))
			w, at := s.w[i]/sum, 0
			for a, pa := range p[:terms] {
				pa *= w
				for b, pb := range p[:a+1] {
					m[at+b] += pa * pb
				}
				at += a + 1
			}
		}
	}
	l := &f.chol
	for a := range terms {
		ra := a * (a + 1) / 2
		for b := range a + 1 {
			rb := b * (b + 1) / 2
			v := m[ra+b]
			for c := range b {
				v -= l[ra+c] * l[rb+c]
			}
			if a > b {
				l[ra+b] = v / l[rb+b]
				continue
			}
			if !(v > pivotTol*m[ra+a]) {
				return false
			}
			l[ra+a] = math.Sqrt(v)
		}
	}
	f.terms = terms
	var y [quadraticTerms]float64
	y[0] = 1
	if f.leverage(&y) > leverageLimit {
		f.terms = 0
		return false
	}
	return true
}

// leverage is p(x)ᵀ·M⁻¹·p(x) for the monomials p at x.
func (f *fit) leverage(p *[quadraticTerms]float64) (v float64) {
	var y [quadraticTerms]float64
	for a := range f.terms {
		r := a * (a + 1) / 2
		t := p[a]
		for c := range a {
			t -= f.chol[r+c] * y[c]
		}
		y[a] = t / f.chol[r+a]
		v += y[a] * y[a]
	}
	return v
}

// run fits the stress at the quadrature points, rc.stress, and leaves it at the
// slots in rc.slot.
func (rc *recovery) run(s *system) {
	poly, sig, out := rc.poly, rc.stress, rc.slot
	par.Chunks(len(rc.fits), fitChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			clear(poly[i][:])
			if rc.fits[i].terms > 0 {
				rc.solve(s, &rc.fits[i], &poly[i], sig)
			}
		}
	})
	// Fits with donors are changed, donors are not: they are inner ones.
	par.Chunks(len(rc.fits), fitChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if f := &rc.fits[i]; len(f.donors) > 0 {
				f.blend(rc.fits, poly, &poly[i])
			}
		}
	})
	par.Chunks(len(rc.node), 512, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p, t := rc.parent[i], &out[i]
			*t = sym6{}
			if p[0] == p[1] {
				*t = poly[p[0]][0] // at the vertex all other monomials are 0
				continue
			}
			x := s.x[rc.node[i]]
			for _, j := range p {
				rc.fits[j].add(t, &poly[j], x, 0.5)
			}
		}
	})
}

// batch is four samples: monomials and weighted stress.
type batch struct {
	p [quadraticTerms][4]float64
	t [6][4]float64
}

// set puts a sample at d, weighing w, in place n.
func (b *batch) set(n int, w float64, d r3.Vec, t *sym6) {
	n &= 3
	p := &b.p
	p[0][n], p[1][n], p[2][n], p[3][n] = 1, d.X, d.Y, d.Z
	p[4][n], p[5][n], p[6][n] = d.X*d.X, d.Y*d.Y, d.Z*d.Z
	p[7][n], p[8][n], p[9][n] = d.X*d.Y, d.Y*d.Z, d.X*d.Z
	for k, v := range t {
		b.t[k][n] = w * v
	}
}

// flush adds Σ p·t to c.
func (b *batch) flush(c *polynomial, terms int) {
	for k := 0; k < 6; k += 2 { // two components a round: the monomials are read half as often
		t, u := &b.t[k], &b.t[k+1]
		t0, t1, t2, t3 := t[0], t[1], t[2], t[3]
		u0, u1, u2, u3 := u[0], u[1], u[2], u[3]
		for a := range b.p[:terms] {
			p, r := &b.p[a], (*[2]float64)(c[a][k:])
			p0, p1, p2, p3 := p[0], p[1], p[2], p[3]
			r[0] += (t0*p0 + t1*p1) + (t2*p2 + t3*p3)
			r[1] += (u0*p0 + u1*p1) + (u2*p2 + u3*p3)
		}
	}
}

// solve writes the polynomial of the fit.
func (rc *recovery) solve(s *system, f *fit, c *polynomial, sig []sym6) {
	var b batch
	var sum float64
	n := 0
	for _, e := range f.elems {
		for i := int(e) * s.nq; i < (int(e)+1)*s.nq; i++ {
			sum += s.w[i]
			b.set(n, s.w[i], r3.Scale(f.scale, r3.Sub(rc.sample[i], f.at)), &sig[i])
			if n++; n == 4 {
				b.flush(c, f.terms)
				n = 0
			}
		}
	}
	if n > 0 {
		for ; n < 4; n++ {
			b.set(n, 0, r3.Vec{}, &sym6{})
		}
		b.flush(c, f.terms)
	}
	if f.terms == 1 {
		c[0].scale(1 / sum)
		return
	}
	for a := range f.terms {
		r := a * (a + 1) / 2
		c[a].scale(1 / sum)
		for b := range a {
			c[a].add(-f.chol[r+b], &c[b])
		}
		c[a].scale(1 / f.chol[r+a])
	}
	for a := f.terms - 1; a >= 0; a-- {
		r := a * (a + 1) / 2
		c[a].scale(1 / f.chol[r+a])
		for b := range a {
			c[b].add(-f.chol[r+b], &c[a])
		}
	}
}

// blend writes the mean of the donors' polynomials, which are linear, with the
// origin moved to f.
func (f *fit) blend(fits []fit, poly []polynomial, c *polynomial) {
	part := 1 / float64(len(f.donors))
	for _, j := range f.donors {
		o := &fits[j]
		o.add(&c[0], &poly[j], f.at, part)
		for a := 1; a < linearTerms; a++ {
			c[a].add(part*o.scale/f.scale, &poly[j][a])
		}
	}
}

// add adds w times the polynomial's value at x to t.
func (f *fit) add(t *sym6, c *polynomial, x r3.Vec, w float64) {
	var p [quadraticTerms]float64
	monomials(&p, r3.Scale(f.scale, r3.Sub(x, f.at)))
	for a := range c {
		t.add(w*p[a], &c[a])
	}
}

func (t *sym6) add(w float64, o *sym6) {
	t[0] += w * o[0]
	t[1] += w * o[1]
	t[2] += w * o[2]
	t[3] += w * o[3]
	t[4] += w * o[4]
	t[5] += w * o[5]
}

func (t *sym6) scale(w float64) {
	for k := range t {
		t[k] *= w
	}
}
