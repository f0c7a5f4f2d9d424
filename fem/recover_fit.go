package fem

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

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
	s.chunks(len(rc.fits), fitChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			clear(poly[i][:])
			if rc.fits[i].terms > 0 {
				rc.solve(s, &rc.fits[i], &poly[i], sig)
			}
		}
	})
	// Fits with donors are changed, donors are not: they are inner ones.
	s.chunks(len(rc.fits), fitChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if f := &rc.fits[i]; len(f.donors) > 0 {
				f.blend(rc.fits, poly, &poly[i])
			}
		}
	})
	s.chunks(len(rc.node), 512, func(lo, hi int) {
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
