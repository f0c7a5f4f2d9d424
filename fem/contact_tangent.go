package fem

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// faceBlocks sums the stiffness among the nodes of one or two faces.
type faceBlocks struct {
	nodes [12]int32
	n     int
	ke    [12][12][9]float64 // a ≤ b
}

func (b *faceBlocks) start(lists ...[]int32) {
	b.n = 0
	for _, l := range lists {
		b.n += copy(b.nodes[b.n:], l)
	}
	for a := range b.n {
		clear(b.ke[a][:b.n])
	}
}

// outer adds c_a·c_b·s.
func (b *faceBlocks) outer(c *[12]float64, s *[9]float64) {
	for i := range b.n {
		for j := i; j < b.n; j++ {
			v := c[i] * c[j]
			for k := range s {
				b.ke[i][j][k] += v * s[k]
			}
		}
	}
}

func dyad(s *[9]float64, k float64, v, w r3.Vec) {
	s[0] += k * v.X * w.X
	s[1] += k * v.X * w.Y
	s[2] += k * v.X * w.Z
	s[3] += k * v.Y * w.X
	s[4] += k * v.Y * w.Y
	s[5] += k * v.Y * w.Z
	s[6] += k * v.Z * w.X
	s[7] += k * v.Z * w.Y
	s[8] += k * v.Z * w.Z
}

func (b *faceBlocks) flush(k *stiffness) {
	for i := range b.n {
		for j := i; j < b.n; j++ {
			k.add(b.nodes[i], b.nodes[j], &b.ke[i][j])
		}
	}
}

// tangent adds the derivative of the forces, with the friction limits fixed.
// Two faces that come together beyond what the pattern of the matrix foresees
// get their own parts alone, which is too stiff but a way down; the pattern has
// them from the next increment on.
func (t *contactTerm) tangent(k *stiffness, u []float64, now clock) {
	if !t.on {
		return
	}
	t.evaluate(u, now)
	t.flips = 0
	for i := range t.hits {
		if on := t.hits[i].closed; on != t.closed[i] {
			t.closed[i] = on
			t.flips++
		}
	}
	var b faceBlocks
	face, open := int32(-1), int32(-2) // what b is for
	for i := range t.pts {
		h, s := &t.hits[i], &t.pts[i]
		if s.face != face {
			if open != -2 {
				b.flush(k)
			}
			face, open = s.face, -2
		}
		if h.closed {
			open = t.reopen(&b, k, s.face, open, h.foot.face)
			t.normalStiffness(&b, k, h, s, u)
		}
		if s.limit > 0 {
			open = t.reopen(&b, k, s.face, open, s.anchor.face)
			t.frictionStiffness(&b, k, h, s)
		}
	}
	if open != -2 {
		b.flush(k)
	}
	for i := range t.loose {
		t.loose[i].tangent(k)
	}
}

// remark tells of points that still change between open and closed when an
// iteration fails.
func (t *contactTerm) remark() string {
	if t.flips == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of %d points of contact %q still change between open and closed", t.flips, len(t.hits), t.c.Name)
}

// reopen makes b ready for own face f with face o of other, or for f alone.
func (t *contactTerm) reopen(b *faceBlocks, k *stiffness, f, open, o int32) int32 {
	own := t.own.of(f)
	if t.other == nil {
		o = -1
	} else if _, ok := slices.BinarySearch(t.pairs[f], o); !ok {
		if !slices.Contains(t.wanted, [2]int32{f, o}) {
			t.wanted = append(t.wanted, [2]int32{f, o})
		}
		o = -1
	}
	if o == open {
		return open
	}
	if open != -2 {
		b.flush(k)
	}
	if o >= 0 {
		b.start(own, t.other.of(o))
	} else {
		b.start(own)
	}
	return o
}

// coefficients are N_a of own nodes and −m_b of those of the other face.
func (t *contactTerm) coefficients(c *[12]float64, s *touch, m *[6]float64) {
	n := t.own.k
	copy(c[:n], s.n[:n])
	if t.other != nil {
		for a := range n {
			c[n+a] = -m[a]
		}
	}
}

// alone adds c_a·c_b·s among the nodes of a face that is not coupled with own.
func (t *contactTerm) alone(k *stiffness, o int32, m *[6]float64, s *[9]float64) {
	var b faceBlocks
	b.start(t.other.of(o))
	var c [12]float64
	copy(c[:], m[:])
	b.outer(&c, s)
	b.flush(k)
}

// normalStiffness adds ε·∇g∇gᵀ − t·∇²g.
func (t *contactTerm) normalStiffness(b *faceBlocks, k *stiffness, h *hit, pt *touch, u []float64) {
	w, eps := pt.w, t.boost*t.eps[pt.face]
	var s [9]float64
	dyad(&s, w*eps, h.n, h.n)
	// t·curvature of a distance may turn against the penalty, but not beat it:
	// near a corner it has no bound.
	lean := func(c float64) float64 {
		c *= -h.t
		if c < -0.1*eps {
			return 0
		}
		return w * min(c, eps)
	}
	var c [12]float64
	var m [6]float64
	if t.other == nil {
		t.coefficients(&c, pt, &m)
		if iso := lean(h.h.iso); iso != 0 {
			s[0] += iso
			s[4] += iso
			s[8] += iso
			dyad(&s, -iso, h.n, h.n)
		}
		dyad(&s, lean(h.h.line), h.h.b, h.h.b)
		b.outer(&c, &s)
		return
	}
	t.other.shape(&m, h.foot.xi)
	t.coefficients(&c, pt, &m)
	var p [6]r3.Vec
	var g quad6
	t.other.place(&p, h.foot.face, u)
	g.at(&p, h.foot.xi.X, h.foot.xi.Y)
	if h.sharp {
		if h.gap < 0 {
			v := lean(1 / h.gap)
			if h.foot.part >= 4 {
				s[0] += v
				s[4] += v
				s[8] += v
				dyad(&s, -v, h.n, h.n)
			} else {
				along := [3]r3.Vec{g.a, r3.Sub(g.b, g.a), r3.Scale(-1, g.b)}[h.foot.part-1]
				bi := r3.Unit(r3.Cross(along, h.n))
				dyad(&s, v, bi, bi)
			}
		}
	}
	if b.n == t.own.k { // not coupled
		b.outer(&c, &s)
		t.alone(k, h.foot.face, &m, &s)
		return
	}
	if h.foot.part != 0 {
		b.outer(&c, &s)
		return
	}
	// With the tangents a_α = y,α, A_αβ = a_α·a_β, K_αβ = n·y,αβ, B = (A − g·K)⁻¹,
	// T_α = (δx − δy)·a_α and N_α = n·δy,α:
	// −∇²g = Tᵀ·A⁻¹KB·T + Tᵀ·B·N + Nᵀ·B·T + g·Nᵀ·B·N (Wriggers 2006, 4.1 and 9.3).
	a11, a12, a22 := r3.Dot(g.a, g.a), r3.Dot(g.a, g.b), r3.Dot(g.b, g.b)
	k11, k12, k22 := r3.Dot(h.n, g.aa), r3.Dot(h.n, g.ab), r3.Dot(h.n, g.bb)
	b11, b12, b22 := a11-h.gap*k11, a12-h.gap*k12, a22-h.gap*k22
	det, detA := b11*b22-b12*b12, a11*a22-a12*a12
	if !(det > 0.1*detA) || !(b11 > 0) {
		b.outer(&c, &s)
		return
	}
	b11, b12, b22 = b22/det, -b12/det, b11/det
	i11, i12, i22 := a22/detA, -a12/detA, a11/detA
	// Q = A⁻¹·K·B
	x11, x12, x21, x22 := k11*b11+k12*b12, k11*b12+k12*b22, k12*b11+k22*b12, k12*b12+k22*b22
	q11, q12, q22 := i11*x11+i12*x21, i11*x12+i12*x22, i12*x12+i22*x22
	wt := w * h.t
	dyad(&s, wt*q11, g.a, g.a)
	dyad(&s, wt*q12, g.a, g.b)
	dyad(&s, wt*q12, g.b, g.a)
	dyad(&s, wt*q22, g.b, g.b)
	b.outer(&c, &s)
	// With S = T + g/2·N and R = B·N, which only nodes of other have, the rest is
	// Sᵀ·R + Rᵀ·S.
	var s1, s2 [12]r3.Vec
	var r1, r2 [12]float64 // times n
	var d [6]r3.Vec
	_, shape := t.other.rule()
	shape(nil, d[:], h.foot.xi)
	n := t.own.k
	for a := range b.n {
		s1[a], s2[a] = r3.Scale(c[a], g.a), r3.Scale(c[a], g.b)
		if a >= n {
			x, y := d[a-n].X, d[a-n].Y
			s1[a] = r3.Add(s1[a], r3.Scale(h.gap/2*x, h.n))
			s2[a] = r3.Add(s2[a], r3.Scale(h.gap/2*y, h.n))
			r1[a], r2[a] = b11*x+b12*y, b12*x+b22*y
		}
	}
	for i := range b.n {
		for j := max(i, n); j < b.n; j++ {
			dyad(&b.ke[i][j], wt, r3.Add(r3.Scale(r1[j], s1[i]), r3.Scale(r2[j], s2[i])), h.n)
			if i >= n {
				dyad(&b.ke[i][j], wt, h.n, r3.Add(r3.Scale(r1[i], s1[j]), r3.Scale(r2[i], s2[j])))
			}
		}
	}
}

// frictionStiffness adds ε_T·P where the point sticks and limit·ε_T/|T|·(P − T⊗T/|T|²)
// where it slides, with P the projection on the plane of friction.
func (t *contactTerm) frictionStiffness(b *faceBlocks, k *stiffness, h *hit, s *touch) {
	v := s.w * stickRatio * t.eps[s.face]
	l := r3.Norm(h.trial)
	if h.sliding {
		v *= s.limit / l
	}
	m := [9]float64{v, 0, 0, 0, v, 0, 0, 0, v}
	dyad(&m, -v, s.flat, s.flat)
	if h.sliding {
		dyad(&m, -v/(l*l), h.trial, h.trial)
	}
	var c [12]float64
	t.coefficients(&c, s, &s.m)
	b.outer(&c, &m)
	if t.other != nil && b.n == t.own.k {
		t.alone(k, s.anchor.face, &s.m, &m)
	}
}
