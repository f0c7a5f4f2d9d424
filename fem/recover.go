package fem

import (
	"math"

	"halsted/fem/element"
	"halsted/internal/par"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// sym6 is a symmetric tensor in the order xx, yy, zz, xy, yz, xz.
type sym6 [6]float64

// recovered holds nodal stress and strain: at every quadrature point Cauchy
// stress and Green–Lagrange strain are computed, carried linearly to the
// element's nodes (a Tet10 has 4 points: the linear field through them, exact
// for linear stress; a Tet4 has one), and averaged over the elements of a node
// by element volume, across material borders too.
type recovered struct{ stress, strain []sym6 }

// extrapolation carries values at the quadrature points to the vertices:
// value(vertex a) = Σ_q m[a][q]·value(q).
func extrapolation(nq int) (m [4][4]float64) {
	if nq == 1 {
		for a := range m {
			m[a][0] = 1
		}
		return m
	}
	// The 4 points have barycentric coordinates b at one vertex and a at the
	// others; the matrix with b on the diagonal and a elsewhere is inverted in
	// closed form (a·1 + (b−a)·I).
	p := element.TetRule(2).P[0]
	l := [4]float64{1 - p.X - p.Y - p.Z, p.X, p.Y, p.Z}
	b, a := max(l[0], l[1]), min(l[0], l[1])
	d := b - a
	off := -a / (d * (b + 3*a))
	for i := range m {
		for j := range m {
			m[i][j] = off
		}
		m[i][i] += 1 / d
	}
	return m
}

// cauchy writes stress and strain at quadrature point at = e·nq+q.
func (s *system) cauchy(k *scratch, r *region, at int, pShift float64, sig, eps *sym6) {
	gradient(&k.f, k.u[:s.k], s.grad[at*s.k:(at+1)*s.k])
	f, p := &k.f, &k.p
	r.law.Stress(p, f)
	if r.small {
		*sig = sym6{p[0].X, p[1].Y, p[2].Z, p[1].X, p[2].Y, p[2].X}
		*eps = sym6{f[0].X - 1, f[1].Y - 1, f[2].Z - 1, (f[1].X + f[0].Y) / 2, (f[2].Y + f[1].Z) / 2, (f[2].X + f[0].Z) / 2}
		return
	}
	// σ = P·Fᵀ/J, E = ½(FᵀF − I)
	i := 1 / f.Det()
	*sig = sym6{
		i*(p[0].X*f[0].X+p[1].X*f[1].X+p[2].X*f[2].X) + pShift,
		i*(p[0].Y*f[0].Y+p[1].Y*f[1].Y+p[2].Y*f[2].Y) + pShift,
		i*(p[0].Z*f[0].Z+p[1].Z*f[1].Z+p[2].Z*f[2].Z) + pShift,
		i * (p[0].X*f[0].Y + p[1].X*f[1].Y + p[2].X*f[2].Y),
		i * (p[0].Y*f[0].Z + p[1].Y*f[1].Z + p[2].Y*f[2].Z),
		i * (p[0].X*f[0].Z + p[1].X*f[1].Z + p[2].X*f[2].Z),
	}
	*eps = sym6{
		(r3.Norm2(f[0]) - 1) / 2, (r3.Norm2(f[1]) - 1) / 2, (r3.Norm2(f[2]) - 1) / 2,
		r3.Dot(f[0], f[1]) / 2, r3.Dot(f[1], f[2]) / 2, r3.Dot(f[0], f[2]) / 2,
	}
}

// recover computes nodal stress and strain for the displacement u.
func (s *system) recover(u []float64) recovered {
	m := extrapolation(s.nq)
	corner := make([]sym6, 8*s.elems) // stress, then strain, of 4 vertices per element
	vol := make([]float64, s.elems)
	par.Chunks(s.elems, elemChunk, func(lo, hi int) {
		k := new(scratch)
		var sig, eps [4]sym6
		for e := lo; e < hi; e++ {
			r := &s.reg[s.regOf[e]]
			s.gatherU(k, e, u)
			var dTheta float64
			if r.vol != nil {
				dTheta = s.pressure(e)
			}
			for q := range s.nq {
				shift := 0.0
				if r.vol != nil {
					_, du, _ := r.vol.Dilatation(s.detAt(k, e, q))
					shift = dTheta - du
				}
				s.cauchy(k, r, e*s.nq+q, shift, &sig[q], &eps[q])
				vol[e] += s.w[e*s.nq+q]
			}
			for a := range 4 {
				var t, g sym6
				for q := range s.nq {
					for c := range 6 {
						t[c] += m[a][q] * sig[q][c]
						g[c] += m[a][q] * eps[q][c]
					}
				}
				corner[8*e+a], corner[8*e+4+a] = t, g
			}
		}
	})
	out := recovered{stress: make([]sym6, s.n), strain: make([]sym6, s.n)}
	par.Chunks(s.n, 512, func(lo, hi int) {
		for v := lo; v < hi; v++ {
			var t, g sym6
			var sum float64
			for _, i := range s.adj[s.adjPtr[v]:s.adjPtr[v+1]] {
				e, a := int(i)/s.k, int(i)%s.k
				b := a
				if a >= 4 {
					a, b = mesh.TetEdges[a-4][0], mesh.TetEdges[a-4][1]
				}
				w := vol[e] / 2
				sum += vol[e]
				for c := range 6 {
					t[c] += w * (corner[8*e+a][c] + corner[8*e+b][c])
					g[c] += w * (corner[8*e+4+a][c] + corner[8*e+4+b][c])
				}
			}
			if sum > 0 {
				for c := range 6 {
					t[c] /= sum
					g[c] /= sum
				}
			}
			out.stress[v], out.strain[v] = t, g
		}
	})
	return out
}

// vonMises is √(3/2·s:s) of the deviator s.
func (t *sym6) vonMises() float64 {
	a, b, c := t[0]-t[1], t[1]-t[2], t[2]-t[0]
	return math.Sqrt((a*a+b*b+c*c)/2 + 3*(t[3]*t[3]+t[4]*t[4]+t[5]*t[5]))
}

// principal are the smallest and largest eigenvalues, by the trigonometric
// solution of the characteristic equation (O. K. Smith, CACM 4 (1961) 168).
func (t *sym6) principal() (lo, hi float64) {
	m := (t[0] + t[1] + t[2]) / 3
	a, b, c, d, e, f := t[0]-m, t[1]-m, t[2]-m, t[3], t[4], t[5]
	p := math.Sqrt((a*a + b*b + c*c + 2*(d*d+e*e+f*f)) / 6)
	if p == 0 {
		return m, m
	}
	half := (a*(b*c-e*e) - d*(d*c-e*f) + f*(d*e-b*f)) / (2 * p * p * p)
	phi := math.Acos(max(-1, min(1, half))) / 3
	return m + 2*p*math.Cos(phi+2*math.Pi/3), m + 2*p*math.Cos(phi)
}

// frame packs a converged state; fint is the internal force at u, and the
// reaction is what the constraint must add: fint less the external load.
func (s *system) frame(step int, u, fint []float64) *Frame {
	f := &Frame{
		Step: step, Stage: s.stage, TimeS: s.now.t,
		U: make([]r3.Vec, s.n), ReactionN: make([]r3.Vec, s.n),
		VonMisesMPa: make([]float64, s.n),
		StressMax:   make([]float64, s.n), StressMin: make([]float64, s.n),
		StrainMax: make([]float64, s.n), StrainMin: make([]float64, s.n),
	}
	rec := s.recover(u)
	par.Chunks(s.n, 512, func(lo, hi int) {
		for v := lo; v < hi; v++ {
			f.U[v] = r3.Vec{X: u[3*v], Y: u[3*v+1], Z: u[3*v+2]}
			var r [3]float64
			for c := range 3 {
				if s.fixed[3*v+c] {
					r[c] = fint[3*v+c] - s.external(3*v+c, s.now.s)
				}
			}
			f.ReactionN[v] = r3.Vec{X: r[0], Y: r[1], Z: r[2]}
			f.VonMisesMPa[v] = rec.stress[v].vonMises()
			f.StressMin[v], f.StressMax[v] = rec.stress[v].principal()
			f.StrainMin[v], f.StrainMax[v] = rec.strain[v].principal()
		}
	})
	f.Contacts = s.contactStates(u)
	return f
}
