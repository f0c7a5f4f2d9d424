package fem

import (
	"math"

	"halsted/fem/element"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// sym6 is a symmetric tensor in the order xx, yy, zz, xy, yz, xz.
type sym6 [6]float64

// recovered holds, per node, Cauchy stress and Green–Lagrange strain. Stress
// comes from patch recovery in every region (recover_patch.go); at a node of
// several regions it is their mean, weighted by the volume of the node's
// elements in each. Strain is carried linearly from the quadrature points to
// the nodes of each element (a Tet10 has 4 points, a Tet4 one) and averaged
// over the elements of a node by volume.
type recovered struct {
	stress, strain []sym6
	errorMPa       []float64
	errorRel       float64
}

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

// carry extrapolates the values at the quadrature points, t, to the vertices; of
// one point it keeps the one value.
func carry(out []sym6, m *[4][4]float64, t []sym6) {
	if len(t) == 1 {
		out[0] = t[0]
		return
	}
	for a := range out {
		x, o := &m[a], &out[a]
		for k := range o {
			o[k] = (x[0]*t[0][k] + x[1]*t[1][k]) + (x[2]*t[2][k] + x[3]*t[3][k])
		}
	}
}

// cauchy writes stress and strain at quadrature point q of element e, whose u
// is gathered and was the last that dilatations looked at.
func (s *system) cauchy(k *scratch, e, q int, sig, eps *sym6) {
	if !s.piola(k, e, q) {
		*sig = sym6{math.NaN()} // refused when the frame is checked
		return
	}
	f, p := &k.f, &k.p
	if s.reg[s.regOf[e]].small {
		*sig = sym6{p[0].X, p[1].Y, p[2].Z, p[1].X, p[2].Y, p[2].X}
		*eps = sym6{f[0].X - 1, f[1].Y - 1, f[2].Z - 1, (f[1].X + f[0].Y) / 2, (f[2].Y + f[1].Z) / 2, (f[2].X + f[0].Z) / 2}
		return
	}
	// σ = P·Fᵀ/J, E = ½(FᵀF − I)
	i := 1 / f.Det()
	*sig = sym6{
		i * (p[0].X*f[0].X + p[1].X*f[1].X + p[2].X*f[2].X),
		i * (p[0].Y*f[0].Y + p[1].Y*f[1].Y + p[2].Y*f[2].Y),
		i * (p[0].Z*f[0].Z + p[1].Z*f[1].Z + p[2].Z*f[2].Z),
		i * (p[0].X*f[0].Y + p[1].X*f[1].Y + p[2].X*f[2].Y),
		i * (p[0].Y*f[0].Z + p[1].Y*f[1].Z + p[2].Y*f[2].Z),
		i * (p[0].X*f[0].Z + p[1].X*f[1].Z + p[2].X*f[2].Z),
	}
	*eps = sym6{
		(r3.Norm2(f[0]) - 1) / 2, (r3.Norm2(f[1]) - 1) / 2, (r3.Norm2(f[2]) - 1) / 2,
		r3.Dot(f[0], f[1]) / 2, r3.Dot(f[1], f[2]) / 2, r3.Dot(f[0], f[2]) / 2,
	}
}

// points computes, for the displacement u, Cauchy stress at all quadrature
// points (rc.stress) and strain carried to the vertices of a Tet10 or of a Tet4
// as a whole (rc.strain): nq values of each per element; absent elements have
// none. Laws with a history answer without a further step in time.
func (s *system) points(rc *recovery, u []float64) {
	sig, eps := rc.stress, rc.strain
	m := extrapolation(s.nq)
	if s.dil != nil {
		s.dilatations(u)
	}
	now := s.now
	s.now.dt = 0
	s.chunks(s.elems, 512, func(lo, hi int) {
		k := new(scratch)
		var g [4]sym6
		for e := lo; e < hi; e++ {
			if !s.present(e) {
				continue
			}
			s.gatherU(k, e, u)
			for q := range s.nq {
				s.cauchy(k, e, q, &sig[e*s.nq+q], &g[q])
			}
			carry(eps[e*s.nq:(e+1)*s.nq], &m, g[:s.nq])
		}
	})
	s.now = now
}

// recover computes nodal stress and strain for the displacement u, and how far
// the stress may be off.
func (s *system) recover(u []float64) recovered {
	rc := s.recoveryOf()
	s.points(rc, u)
	return s.smooth(rc)
}

// smooth recovers from the stress and strain at the quadrature points in rc.
func (s *system) smooth(rc *recovery) recovered {
	rc.run(s)
	est := s.estimate(rc)
	eps, slots := rc.strain, rc.slot
	out := recovered{stress: make([]sym6, s.n), strain: make([]sym6, s.n), errorMPa: make([]float64, s.n), errorRel: est.relative}
	k := uint32(s.k)
	s.chunks(s.n, 512, func(lo, hi int) {
		for v := lo; v < hi; v++ {
			var sum float64
			t, g := &out.stress[v], &out.strain[v]
			for i := rc.slotPtr[v]; i < rc.slotPtr[v+1]; i++ {
				sum += rc.volume[i]
				t.add(rc.volume[i], &slots[i])
			}
			if sum == 0 {
				continue
			}
			t.scale(1 / sum)
			var off float64
			for _, i := range s.adj[s.adjPtr[v]:s.adjPtr[v+1]] {
				if rc.slotOf[i] < 0 {
					continue
				}
				e := int(uint32(i) / k)
				a := int(i) - e*s.k
				w := est.volume[e] / sum
				off += w * est.density[e]
				if s.nq == 1 {
					g.add(w, &eps[e])
					continue
				}
				b := a
				if a >= 4 {
					a, b = mesh.TetEdges[a-4][0], mesh.TetEdges[a-4][1]
				}
				ta, tb := &eps[4*e+a], &eps[4*e+b]
				w /= 2
				g[0] += w * (ta[0] + tb[0])
				g[1] += w * (ta[1] + tb[1])
				g[2] += w * (ta[2] + tb[2])
				g[3] += w * (ta[3] + tb[3])
				g[4] += w * (ta[4] + tb[4])
				g[5] += w * (ta[5] + tb[5])
			}
			out.errorMPa[v] = math.Sqrt(off)
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
	rec := s.recover(u)
	return s.pack(step, u, fint, &rec)
}

// pack is frame with the recovered stress and strain.
func (s *system) pack(step int, u, fint []float64, rec *recovered) *Frame {
	f := &Frame{
		Step: step, Stage: s.stage, TimeS: s.now.t, LoadFactor: s.now.s,
		U: make([]r3.Vec, s.n), ReactionN: make([]r3.Vec, s.n),
		VonMisesMPa: make([]float64, s.n),
		StressMax:   make([]float64, s.n), StressMin: make([]float64, s.n),
		StrainMax: make([]float64, s.n), StrainMin: make([]float64, s.n),
		Stress: make([][6]float64, s.n),
	}
	f.ErrorMPa, f.ErrorRel = rec.errorMPa, rec.errorRel
	s.chunks(s.n, 512, func(lo, hi int) {
		for v := lo; v < hi; v++ {
			f.U[v] = r3.Vec{X: u[3*v], Y: u[3*v+1], Z: u[3*v+2]}
			var r [3]float64
			for c := range 3 {
				if s.fixed[3*v+c] {
					r[c] = fint[3*v+c] - s.external(3*v+c, s.now.s)
				}
			}
			f.ReactionN[v] = r3.Vec{X: r[0], Y: r[1], Z: r[2]}
			f.Stress[v] = rec.stress[v]
			f.VonMisesMPa[v] = rec.stress[v].vonMises()
			f.StressMin[v], f.StressMax[v] = rec.stress[v].principal()
			f.StrainMin[v], f.StrainMax[v] = rec.strain[v].principal()
		}
	})
	f.Contacts = s.contactStates(u)
	f.VelocityMMPerS = s.velocities()
	return f
}
