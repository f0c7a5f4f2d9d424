package fem

import (
	"math"

	"halsted/fem/element"
	"halsted/fem/material"
	"halsted/internal/par"
	"halsted/internal/sparse"

	"gonum.org/v1/gonum/spatial/r3"
)

// elemChunk elements are one unit of parallel work.
const elemChunk = 64

// inversion is the lowest element that is inverted by a displacement.
type inversion struct {
	element int32 // −1: none
	det     float64
}

// scratch is what a kernel needs for one element; it lives on the heap because
// laws are interfaces, so one is made per chunk.
type scratch struct {
	f, p, cof material.Mat3
	fn        material.Mat3 // F·G
	memory    []float64     // a history to throw away
	a         [9][9]float64
	half      [3][9]float64
	u         [element.Tet10Nodes]r3.Vec
	fe        [element.Tet10Nodes]r3.Vec
	b         [element.Tet10Nodes]r3.Vec
	ke        stiffnessBlocks
	points    [4]invariantPoint
}

// gatherU takes the element's displacements from u.
func (s *system) gatherU(k *scratch, e int, u []float64) {
	conn := s.conn[e*s.k : (e+1)*s.k]
	for a, v := range conn {
		k.u[a] = r3.Vec{X: u[3*v], Y: u[3*v+1], Z: u[3*v+2]}
	}
	if s.birth != nil && s.birth[e] > 0 {
		b := s.bases[s.birth[e]-1]
		for a, v := range conn {
			k.u[a] = r3.Sub(k.u[a], r3.Vec{X: b[3*v], Y: b[3*v+1], Z: b[3*v+2]})
		}
	}
}

// gradient writes F = I + Σ u_a ⊗ ∇N_a.
func gradient(f *material.Mat3, u, g []r3.Vec) {
	g = g[:len(u)]
	c0, c1, c2 := r3.Vec{X: 1}, r3.Vec{Y: 1}, r3.Vec{Z: 1}
	for a, v := range u {
		d := &g[a]
		c0.X += v.X * d.X
		c0.Y += v.Y * d.X
		c0.Z += v.Z * d.X
		c1.X += v.X * d.Y
		c1.Y += v.Y * d.Y
		c1.Z += v.Z * d.Y
		c2.X += v.X * d.Z
		c2.Y += v.Y * d.Z
		c2.Z += v.Z * d.Z
	}
	f[0], f[1], f[2] = c0, c1, c2
}

// internal writes the internal force fint(u) = ∫P·∇N, force per node, with the
// forces of the terms; bulk is the norm of the elements' part. When an element
// is inverted fint is not defined and the inversion says where.
func (s *system) internal(fint, u []float64) inversion {
	if bad := s.forces(u); bad.element >= 0 {
		return bad
	}
	s.chunks(s.n, 512, func(lo, hi int) {
		for v := lo; v < hi; v++ {
			var f0, f1, f2 float64
			for _, i := range s.adj[s.adjPtr[v]:s.adjPtr[v+1]] {
				f := s.elemF[3*i : 3*i+3]
				f0 += f[0]
				f1 += f[1]
				f2 += f[2]
			}
			fint[3*v], fint[3*v+1], fint[3*v+2] = f0, f1, f2
		}
	})
	s.bulk = math.Sqrt(sparse.Dot(fint, fint))
	for _, t := range s.terms {
		if v := t.force(fint, u, s.now); v >= 0 {
			return inversion{s.elementAt(v), math.NaN()}
		}
	}
	return inversion{element: -1}
}

// elementAt is an element of node v, or 0.
func (s *system) elementAt(v int32) int32 {
	if s.adjPtr[v] == s.adjPtr[v+1] {
		return 0
	}
	return s.adj[s.adjPtr[v]] / int32(s.k)
}

// forces fills elemF with the forces of the elements at u.
func (s *system) forces(u []float64) inversion {
	if s.dil != nil {
		if bad := s.dilatations(u); bad.element >= 0 {
			return bad
		}
	}
	chunks := (s.elems + elemChunk - 1) / elemChunk
	bad := make([]inversion, chunks)
	s.chunks(s.elems, elemChunk, func(lo, hi int) {
		k := new(scratch)
		bad[lo/elemChunk].element = -1
		for e := lo; e < hi; e++ {
			if s.alive != nil && !s.alive[e] {
				clear(s.elemF[3*e*s.k : 3*(e+1)*s.k])
				continue
			}
			if det, ok := s.elementForce(k, e, u); !ok {
				bad[lo/elemChunk] = inversion{int32(e), det}
				return
			}
		}
	})
	for _, b := range bad {
		if b.element >= 0 {
			return b
		}
	}
	return inversion{element: -1}
}

func (s *system) elementForce(k *scratch, e int, u []float64) (det float64, ok bool) {
	r := &s.reg[s.regOf[e]]
	s.gatherU(k, e, u)
	var pressure float64
	if r.vol != nil {
		pressure = s.pressure(e)
	}
	fe := k.fe[:s.k]
	clear(fe)
	for q := range s.nq {
		at := e*s.nq + q
		g := s.grad[at*s.k : (at+1)*s.k]
		gradient(&k.f, k.u[:s.k], g)
		if !r.small {
			if det = k.f.Det(); !(det > 0) {
				return det, false
			}
		}
		if !s.stress(k, r, e, q) {
			return det, false
		}
		if r.vol != nil {
			// P = P(F) + (p − U'(J))·cof F
			k.f.Cofactor(&k.cof)
			_, du, _ := r.vol.Dilatation(det)
			du *= s.multiplier(at)
			for j := range k.p {
				k.p[j] = r3.Add(k.p[j], r3.Scale(pressure-du, k.cof[j]))
			}
		}
		w := s.w[at]
		p0, p1, p2 := r3.Scale(w, k.p[0]), r3.Scale(w, k.p[1]), r3.Scale(w, k.p[2])
		for a := range fe {
			d, t := &g[a], &fe[a]
			t.X += p0.X*d.X + p1.X*d.Y + p2.X*d.Z
			t.Y += p0.Y*d.X + p1.Y*d.Y + p2.Y*d.Z
			t.Z += p0.Z*d.X + p1.Z*d.Y + p2.Z*d.Z
		}
	}
	out := s.elemF[3*e*s.k : 3*(e+1)*s.k]
	for a, f := range fe {
		out[3*a], out[3*a+1], out[3*a+2] = f.X, f.Y, f.Z
	}
	return det, true
}

// energy is the stored energy ∫W at the displacement x, mJ; +Inf when an
// element is inverted.
func (s *system) energy(x []float64) float64 {
	w := par.Sum(s.elems, elemChunk, func(lo, hi int) float64 {
		k := new(scratch)
		var sum float64
		for e := lo; e < hi; e++ {
			if s.alive != nil && !s.alive[e] {
				continue
			}
			r := &s.reg[s.regOf[e]]
			s.gatherU(k, e, x)
			for q := range s.nq {
				at := e*s.nq + q
				gradient(&k.f, k.u[:s.k], s.grad[at*s.k:(at+1)*s.k])
				w := s.stored(k, r, e, q)
				if r.vol != nil && !math.IsInf(w, 1) {
					j := k.f.Det()
					u, _, _ := r.vol.Dilatation(j)
					w -= s.multiplier(at) * u
				}
				sum += s.w[at] * w
			}
		}
		return sum
	})
	if s.dil != nil {
		if bad := s.dilatations(x); bad.element >= 0 {
			return math.Inf(1)
		}
		for p, v := range s.dil.volume {
			u, _, _ := s.volumetric(p)
			w += v * u
		}
	}
	for _, t := range s.terms {
		v, ok := t.energy(x, s.now)
		if !ok {
			return math.NaN()
		}
		w += v
	}
	return w
}

// positions are the block indices of every element in the matrix, k² each.
func (s *system) positions(m *sparse.BSR3) []int32 {
	pos := make([]int32, s.elems*s.k*s.k)
	s.chunks(s.elems, elemChunk, func(lo, hi int) {
		for e := lo; e < hi; e++ {
			c := s.conn[e*s.k : (e+1)*s.k]
			p := pos[e*s.k*s.k:]
			for a, i := range c {
				for b, j := range c {
					p[a*s.k+b] = m.Index(i, j)
				}
			}
		}
	})
	return pos
}

// tangent assembles K = ∂fint/∂u at u, the state of the last forces, colour by colour: clusters of a colour share
// no node, so they add concurrently, and every entry gets its parts in the
// order of the colours.
func (s *system) tangent(m *sparse.BSR3, pos []int32, u []float64) {
	m.Zero()
	if s.dil != nil {
		s.dilatations(u)
	}
	for _, list := range s.colour {
		s.chunks(len(list), 1, func(lo, _ int) {
			k := new(scratch)
			first := int(list[lo]) * clusterSize
			for _, i := range s.order[first:min(s.elems, first+clusterSize)] {
				e := int(i)
				if s.alive != nil && !s.alive[e] {
					continue
				}
				s.elementTangent(k, e, u)
				s.scatter(m, pos, k, e)
			}
		})
	}
	if s.dil != nil && s.k == element.Tet4Nodes {
		s.patchTangent(m, u)
	}
	for _, t := range s.terms {
		t.tangent(&stiffness{m}, u, s.now)
	}
}

// elementTangent writes the upper block triangle (a ≤ b) of
// K_ab = ∫ ∇N_a·A·∇N_b into k.ke.
func (s *system) elementTangent(k *scratch, e int, u []float64) {
	n := s.k
	r := &s.reg[s.regOf[e]]
	s.gatherU(k, e, u)
	var pressure float64
	if r.vol != nil {
		pressure = s.dil.p[s.dil.of[e]]
		clear(k.b[:n])
	}
	if s.closed(r) {
		s.closedTangent(k, r, e, pressure)
	} else {
		s.openTangent(k, r, e, pressure)
	}
	if r.vol == nil || n == element.Tet4Nodes { // patches of Tet4: patchTangent
		return
	}
	patch := int(s.dil.of[e])
	_, _, ddu := s.volumetric(patch)
	for a := range n {
		f := r3.Scale(ddu/s.dil.volume[patch], k.b[a])
		t := &k.ke[a]
		for b := a; b < n; b++ {
			v := k.b[b]
			t[0][b] += f.X * v.X
			t[1][b] += f.X * v.Y
			t[2][b] += f.X * v.Z
			t[3][b] += f.Y * v.X
			t[4][b] += f.Y * v.Y
			t[5][b] += f.Y * v.Z
			t[6][b] += f.Z * v.X
			t[7][b] += f.Z * v.Y
			t[8][b] += f.Z * v.Z
		}
	}
}

// openTangent writes the upper block triangle of ∫∇N_a·A·∇N_b into k.ke for any
// law, and ∫cof F·∇N_a into k.b for mean dilatation.
func (s *system) openTangent(k *scratch, r *region, e int, pressure float64) {
	n := s.k
	clear(k.ke[:n])
	for q := range s.nq {
		at := e*s.nq + q
		g := s.grad[at*n : (at+1)*n]
		gradient(&k.f, k.u[:n], g)
		s.tangentAt(k, r, e, q)
		w := s.w[at]
		if r.vol != nil {
			s.meanTangent(k, r, pressure, s.multiplier(at), g, w)
		}
		for a := range n {
			// half = w·∇N_a·A: half[i][3k+L] = w·Σ_J g_a,J·A[3i+J][3k+L]
			g0, g1, g2 := w*g[a].X, w*g[a].Y, w*g[a].Z
			for i := range 3 {
				h := &k.half[i]
				r0, r1, r2 := &k.a[3*i], &k.a[3*i+1], &k.a[3*i+2]
				for c := range h {
					h[c] = g0*r0[c] + g1*r1[c] + g2*r2[c]
				}
			}
			h0, h1, h2 := &k.half[0], &k.half[1], &k.half[2]
			t := &k.ke[a]
			for b := a; b < n; b++ {
				x, y, z := g[b].X, g[b].Y, g[b].Z
				t[0][b] += h0[0]*x + h0[1]*y + h0[2]*z
				t[1][b] += h0[3]*x + h0[4]*y + h0[5]*z
				t[2][b] += h0[6]*x + h0[7]*y + h0[8]*z
				t[3][b] += h1[0]*x + h1[1]*y + h1[2]*z
				t[4][b] += h1[3]*x + h1[4]*y + h1[5]*z
				t[5][b] += h1[6]*x + h1[7]*y + h1[8]*z
				t[6][b] += h2[0]*x + h2[1]*y + h2[2]*z
				t[7][b] += h2[3]*x + h2[4]*y + h2[5]*z
				t[8][b] += h2[6]*x + h2[7]*y + h2[8]*z
			}
		}
	}
}

// meanTangent turns the tangent of W into that of W − U(J) + p·J at fixed p
// (mult is the stiffness multiplier in W), and adds ∫cof F·∇N_a to k.b. With c = cof F:
// ∂c_iJ/∂F_kL = (c_iJ·c_kL − c_iL·c_kJ)/J.
func (s *system) meanTangent(k *scratch, r *region, pressure, mult float64, g []r3.Vec, w float64) {
	j := k.f.Cofactor(&k.cof)
	_, du, ddu := r.vol.Dilatation(j)
	du, ddu = mult*du, mult*ddu
	m := (pressure - du) / j
	c := [9]float64{
		k.cof[0].X, k.cof[1].X, k.cof[2].X,
		k.cof[0].Y, k.cof[1].Y, k.cof[2].Y,
		k.cof[0].Z, k.cof[1].Z, k.cof[2].Z,
	}
	for p := range 9 {
		i, jj := p/3, p%3
		for t := range 9 {
			kk, l := t/3, t%3
			k.a[p][t] += (m-ddu)*c[p]*c[t] - m*c[3*i+l]*c[3*kk+jj]
		}
	}
	for a := range k.b[:s.k] {
		d := g[a]
		k.b[a].X += w * (k.cof[0].X*d.X + k.cof[1].X*d.Y + k.cof[2].X*d.Z)
		k.b[a].Y += w * (k.cof[0].Y*d.X + k.cof[1].Y*d.Y + k.cof[2].Y*d.Z)
		k.b[a].Z += w * (k.cof[0].Z*d.X + k.cof[1].Z*d.Y + k.cof[2].Z*d.Z)
	}
}

func (s *system) scatter(m *sparse.BSR3, pos []int32, k *scratch, e int) {
	n := s.k
	p := pos[e*n*n : (e+1)*n*n]
	for a := range n {
		t := &k.ke[a]
		for b := a; b < n; b++ {
			t0, t1, t2 := t[0][b], t[1][b], t[2][b]
			t3, t4, t5 := t[3][b], t[4][b], t[5][b]
			t6, t7, t8 := t[6][b], t[7][b], t[8][b]
			d := (*[9]float64)(m.Val[9*int(p[a*n+b]):])
			d[0] += t0
			d[1] += t1
			d[2] += t2
			d[3] += t3
			d[4] += t4
			d[5] += t5
			d[6] += t6
			d[7] += t7
			d[8] += t8
			if a == b {
				continue
			}
			d = (*[9]float64)(m.Val[9*int(p[b*n+a]):])
			d[0] += t0
			d[1] += t3
			d[2] += t6
			d[3] += t1
			d[4] += t4
			d[5] += t7
			d[6] += t2
			d[7] += t5
			d[8] += t8
		}
	}
}

// worst is the element next to the node with the largest |r|.
func (s *system) worst(r []float64) int32 {
	best, size := 0, -1.0
	for v := range s.n {
		if q := r[3*v]*r[3*v] + r[3*v+1]*r[3*v+1] + r[3*v+2]*r[3*v+2]; q > size || math.IsNaN(q) {
			if s.adjPtr[v] == s.adjPtr[v+1] {
				continue
			}
			best, size = v, q
		}
	}
	return s.elementAt(int32(best))
}
