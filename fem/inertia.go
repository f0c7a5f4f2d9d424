package fem

import (
	"math"

	"halsted/fem/element"
	"halsted/internal/par"
	"halsted/internal/sparse"

	"gonum.org/v1/gonum/spatial/r3"
)

// DynamicMethod is a time integration.
type DynamicMethod uint8

// The methods. Both are implicit and unconditionally stable for linear bodies.
const (
	// GeneralisedAlpha is of second order for every spectral radius (Chung &
	// Hulbert, J. Appl. Mech. 60 (1993) 371).
	GeneralisedAlpha DynamicMethod = iota
	// Newmark is the trapezoidal rule for a spectral radius of 1 (γ = ½,
	// β = ¼), of first order below (Newmark, J. Eng. Mech. Div. 85 (1959) 67).
	Newmark
)

// Dynamic lets masses count: the solve follows the motion in time, with the
// increments of the stages as time steps. Loads that shall act at once come in
// a stage that is Sudden. Regions, membranes and trusses bring their density.
// Prescribed nodes move at a constant rate through a stage and start at it.
type Dynamic struct {
	Method DynamicMethod
	// SpectralRadius is ρ∞, 0 to 1: the part of the amplitude that the highest
	// frequencies keep from step to step. 1: nothing is lost; 0: they are gone
	// after a step.
	SpectralRadius float64
	// Rayleigh damping: RayleighMassPerS·M·v, and RayleighStiffnessS times the
	// rate of the internal forces of elements, membranes, springs and
	// foundations. A mode of angular frequency ω decays with the damping ratio
	// RayleighMassPerS/(2ω) + RayleighStiffnessS·ω/2.
	RayleighMassPerS, RayleighStiffnessS float64
	// VelocityMMPerS is the velocity per node at the start; nil: at rest.
	VelocityMMPerS []r3.Vec
}

func (m *Model) checkDynamic() error {
	d := m.Dynamic
	if d == nil {
		return nil
	}
	switch {
	case d.Method > Newmark:
		return badInput("Dynamic.Method", "is %d, which is not known", d.Method)
	case !(d.SpectralRadius >= 0 && d.SpectralRadius <= 1):
		return badInput("Dynamic.SpectralRadius", "is %g; 0 to 1", d.SpectralRadius)
	case !(d.RayleighMassPerS >= 0) || !(d.RayleighStiffnessS >= 0) || !finite(d.RayleighMassPerS, d.RayleighStiffnessS):
		return badInput("Dynamic", "has Rayleigh damping %g /s and %g s; neither may be negative", d.RayleighMassPerS, d.RayleighStiffnessS)
	case d.VelocityMMPerS != nil && len(d.VelocityMMPerS) != len(m.Mesh.Nodes):
		return badInput("Dynamic.VelocityMMPerS", "has %d entries for %d nodes; give one for each or none", len(d.VelocityMMPerS), len(m.Mesh.Nodes))
	}
	for v, x := range d.VelocityMMPerS {
		if !finiteVec(x) {
			return badInput("Dynamic.VelocityMMPerS", "node %d has %v mm/s; must be finite", v, x)
		}
	}
	return nil
}

// massive is a term that brings mass.
type massive interface {
	couple(add func(nodes ...int32))
	masses(add func(i, j int32, mass float64))
}

// inertia is the term of the masses. With the balance of generalised-α,
//
//	M·((1−αm)·a₁ + αm·a₀) + (1−αf)·G₁ + αf·G₀ + D = 0,
//	G = fint − fext + r·M·v, D = k·(fint₁ − fint₀)/dt,
//
// divided by 1 − αf, the force beside fint₁ − fext₁ is
//
//	F₁ = (M·((1−αm)·a₁ + αm·a₀) + αf·G₀ + D)/(1−αf) + r·M·v₁,
//
// and G₁ = r·M·v₁ − F₁ at equilibrium. Newmark's relations give a₁ and v₁ from
// u₁: a₁ = (u₁ − u₀ − dt·v₀)/(β·dt²) − (1/(2β) − 1)·a₀,
// v₁ = v₀ + dt·((1−γ)·a₀ + γ·a₁). The rate in D belongs to the middle of the
// step: where αf < ½ this damping is of first order.
type inertia struct {
	passive
	sys            *system
	d              *Dynamic
	am, af, ga, be float64 // αm, αf, γ, β

	pattern *sparse.BSR3
	mass    []float64 // t, per block of the pattern
	of      *sparse.BSR3
	at      []int32 // blocks of the pattern in the matrix of

	hist                  []float64 // the five below, 3n each
	u0, v0, a0, last, g0  []float64 // last: F at the increment's start
	f0                    []float64 // internal forces damped by k, at the increment's start
	a1, v1, ma, mv, moved []float64 // scratch
	fresh                 bool      // accelerations must be found from the forces
	first                 bool      // increment of a stage
	probe, silent         bool
}

func (s *system) newInertia() (term, error) {
	d := s.model.Dynamic
	if d == nil {
		return nil, nil
	}
	t := &inertia{sys: s, d: d}
	r := d.SpectralRadius
	if d.Method == Newmark {
		t.ga = (3 - r) / (2 * (1 + r))
		t.be = (t.ga + 0.5) * (t.ga + 0.5) / 4
	} else {
		t.am, t.af = (2*r-1)/(r+1), r/(r+1)
		t.ga = 0.5 - t.am + t.af
		t.be = (1 - t.am + t.af) * (1 - t.am + t.af) / 4
	}
	n := 3 * s.n
	t.hist = make([]float64, 5*n)
	for i, v := range []*[]float64{&t.u0, &t.v0, &t.a0, &t.last, &t.g0} {
		*v = t.hist[i*n : (i+1)*n]
	}
	for _, v := range []*[]float64{&t.f0, &t.a1, &t.v1, &t.ma, &t.mv, &t.moved} {
		*v = make([]float64, n)
	}
	for v, x := range d.VelocityMMPerS {
		t.v0[3*v], t.v0[3*v+1], t.v0[3*v+2] = x.X, x.Y, x.Z
	}
	return t, nil
}

func (t *inertia) history() []float64 { return t.hist }

func (t *inertia) enter(c *change) (bool, error) {
	t.assemble()
	total := 0.0
	for _, m := range t.mass {
		total += m
	}
	if !(total > 0) {
		return false, badInput("Dynamic", "nothing has a mass; give the regions their DensityTPerMM3 (water: 1e-9)")
	}
	t.first = true
	t.fresh = t.fresh || c.index == 0 || c.stage.Sudden
	copy(t.u0, c.u)
	return false, nil
}

// supports: a mass is held by its inertia.
func (t *inertia) supports(add func(int32, r3.Vec)) {
	if t.pattern == nil {
		return
	}
	for v := range t.sys.n {
		if t.mass[t.pattern.Diag[v]] > 0 {
			for _, axis := range [3]r3.Vec{{X: 1}, {Y: 1}, {Z: 1}} {
				add(int32(v), axis)
			}
		}
	}
}

// assemble makes the consistent mass ∫ρ·N_a·N_b of what is there.
func (t *inertia) assemble() {
	s := t.sys
	var groups [][]int32
	for _, o := range s.terms {
		if m, ok := o.(massive); ok {
			m.couple(func(nodes ...int32) { groups = append(groups, append([]int32(nil), nodes...)) })
		}
	}
	t.pattern = sparse.NewBSR3(s.n, s.conn, s.k, groups...)
	t.mass, t.of = make([]float64, len(t.pattern.Col)), nil
	add := func(i, j int32, m float64) { t.mass[t.pattern.Index(i, j)] += m }
	rule, shape := element.TetRule(2), element.Shape(element.Tet4)
	if s.k == element.Tet10Nodes {
		rule, shape = element.TetRule(5), element.Tet10
	}
	n, d := make([]float64, s.k), make([]r3.Vec, s.k)
	x, g := make([]r3.Vec, s.k), make([]r3.Vec, s.k)
	me := make([]float64, s.k*s.k)
	for e := range s.elems {
		rho := s.reg[s.regOf[e]].rho
		if rho == 0 || s.alive != nil && !s.alive[e] {
			continue
		}
		nodes := s.conn[e*s.k : (e+1)*s.k]
		for a, v := range nodes {
			x[a] = s.x[v]
			if s.birth != nil && s.birth[e] > 0 {
				b := s.bases[s.birth[e]-1]
				x[a] = r3.Add(x[a], r3.Vec{X: b[3*v], Y: b[3*v+1], Z: b[3*v+2]})
			}
		}
		clear(me)
		for q, p := range rule.P {
			shape(n, d, p)
			w := rho * rule.W[q] * element.Gradients(g, d, x)
			for a, na := range n {
				for b, nb := range n {
					me[a*s.k+b] += w * na * nb
				}
			}
		}
		for a, i := range nodes {
			for b, j := range nodes {
				add(i, j, me[a*s.k+b])
			}
		}
	}
	for _, o := range s.terms {
		if m, ok := o.(massive); ok {
			m.masses(add)
		}
	}
}

// times writes M·x.
func (t *inertia) times(dst, x []float64) {
	p := t.pattern
	par.Chunks(p.N, 512, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			var a, b, c float64
			for k := p.RowPtr[i]; k < p.RowPtr[i+1]; k++ {
				m, j := t.mass[k], 3*p.Col[k]
				a += m * x[j]
				b += m * x[j+1]
				c += m * x[j+2]
			}
			dst[3*i], dst[3*i+1], dst[3*i+2] = a, b, c
		}
	})
}

// begin finds the accelerations at the start of a history, and takes the
// forces that stiffness damping compares with.
func (t *inertia) begin(u []float64, now clock) (bool, error) {
	s := t.sys
	if t.first {
		rate := 1 / s.stages[s.stage].duration()
		for i, f := range s.fixed {
			if f {
				t.v0[i], t.a0[i] = rate*(s.barTo[i]-s.barFrom[i]), 0
			}
		}
	}
	if t.fresh || t.d.RayleighStiffnessS > 0 {
		part := s.now.s - now.dt/s.stages[s.stage].duration()
		s.now = clock{s: part, t: now.at, at: now.at}
		f := make([]float64, len(u))
		t.probe, t.silent = true, true
		s.internal(f, u)
		t.probe, t.silent = false, false
		s.now = now
		if t.fresh {
			for i := range f {
				f[i] = s.external(i, part) - f[i]
			}
			t.accelerate(f)
		}
	}
	t.fresh, t.first = false, false
	return false, nil
}

// accelerate solves M·a = net − r·M·v for the free degrees of freedom by
// conjugate gradients with the diagonal of M.
func (t *inertia) accelerate(net []float64) {
	s, p := t.sys, t.pattern
	t.times(t.mv, t.v0)
	t.times(t.ma, t.a0)
	r, z, d := t.a1, t.v1, t.moved
	free := func(i int) bool { return !s.fixed[i] && t.mass[p.Diag[i/3]] > 0 }
	for i := range r {
		r[i], d[i] = 0, 0
		if free(i) {
			r[i] = net[i] - t.d.RayleighMassPerS*t.mv[i] - t.ma[i]
		}
	}
	rho, start := 0.0, math.Sqrt(sparse.Dot(r, r))
	for range massIterations {
		for i := range z {
			z[i] = 0
			if free(i) {
				z[i] = r[i] / t.mass[p.Diag[i/3]]
			}
		}
		next := sparse.Dot(r, z)
		if !(next > 0) || math.Sqrt(sparse.Dot(r, r)) <= 1e-13*start {
			break
		}
		for i := range d {
			if rho > 0 {
				d[i] *= next / rho
			}
			d[i] += z[i]
		}
		rho = next
		t.times(t.ma, d)
		curve := 0.0
		for i, v := range t.ma {
			if free(i) {
				curve += v * d[i]
			} else {
				t.ma[i] = 0
			}
		}
		if !(curve > 0) {
			break
		}
		sparse.AXPY(t.a0, rho/curve, d)
		sparse.AXPY(r, -rho/curve, t.ma)
	}
	t.times(t.ma, t.a0)
	for i, m := range t.ma { // G + M·a = 0
		t.g0[i] = -m
		t.last[i] = m + t.d.RayleighMassPerS*t.mv[i]
	}
}

// massIterations bounds accelerate; a consistent mass scaled by its diagonal
// has a condition below 10 (Wathen, IMA J. Numer. Anal. 7 (1987) 449).
const massIterations = 200

// newmark fills a1, v1, and M·((1−αm)·a₁ + αm·a₀) and M·v₁ at u.
func (t *inertia) newmark(u []float64, dt float64) {
	par.Chunks(len(u), 8192, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a := (u[i]-t.u0[i]-dt*t.v0[i])/(t.be*dt*dt) - (0.5/t.be-1)*t.a0[i]
			t.a1[i] = a
			t.v1[i] = t.v0[i] + dt*((1-t.ga)*t.a0[i]+t.ga*a)
			t.moved[i] = (1-t.am)*a + t.am*t.a0[i]
		}
	})
	t.times(t.ma, t.moved)
	if t.d.RayleighMassPerS > 0 {
		t.times(t.mv, t.v1)
	}
}

// push is F without D at degree of freedom i, after newmark.
func (t *inertia) push(i int) float64 {
	return (t.ma[i]+t.af*t.g0[i])/(1-t.af) + t.d.RayleighMassPerS*t.mv[i]
}

func (t *inertia) force(f, u []float64, now clock) int32 {
	if t.probe {
		copy(t.f0, f)
	}
	if t.silent {
		return -1
	}
	if now.dt == 0 {
		sparse.AXPY(f, 1, t.last)
		return -1
	}
	t.newmark(u, now.dt)
	k := t.d.RayleighStiffnessS / (now.dt * (1 - t.af))
	for i := range f {
		if k > 0 {
			f[i] += k * (f[i] - t.f0[i])
		}
		f[i] += t.push(i)
	}
	return -1
}

// tangent adds the mass, and stiffness damping to what is there.
func (t *inertia) tangent(m *stiffness, _ []float64, now clock) {
	if now.dt == 0 {
		return
	}
	if k := t.d.RayleighStiffnessS / (now.dt * (1 - t.af)); k > 0 {
		par.Chunks(len(m.m.Val), 1<<16, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				m.m.Val[i] *= 1 + k
			}
		})
	}
	if t.of != m.m {
		t.of, t.at = m.m, make([]int32, len(t.mass))
		par.Chunks(t.pattern.N, 512, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				for k := t.pattern.RowPtr[i]; k < t.pattern.RowPtr[i+1]; k++ {
					t.at[k] = m.m.Index(int32(i), t.pattern.Col[k])
				}
			}
		})
	}
	c := (1-t.am)/(t.be*now.dt*now.dt*(1-t.af)) + t.d.RayleighMassPerS*t.ga/(t.be*now.dt)
	par.Chunks(len(t.mass), 8192, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			b := m.m.Val[9*t.at[k] : 9*t.at[k]+9]
			b[0] += c * t.mass[k]
			b[4] += c * t.mass[k]
			b[8] += c * t.mass[k]
		}
	})
}

// energy: F is affine in u with a symmetric matrix, so its potential from u₀ is
// ½·(F(u) + F(u₀))·(u − u₀).
func (t *inertia) energy(u []float64, now clock) (w float64, ok bool) {
	if t.d.RayleighStiffnessS > 0 {
		return 0, false
	}
	if now.dt == 0 {
		return sparse.Dot(t.last, u), true
	}
	for _, x := range [][]float64{t.u0, u} {
		t.newmark(x, now.dt)
		for i := range u {
			w += t.push(i) * (u[i] - t.u0[i]) / 2
		}
	}
	return w, true
}

// commit takes the step over. At equilibrium fint + F is the load at free and
// the reaction at fixed degrees of freedom.
func (t *inertia) commit(u []float64, now clock) bool {
	if now.dt == 0 {
		return false
	}
	t.newmark(u, now.dt)
	var damp []float64
	if t.d.RayleighStiffnessS > 0 {
		before := append([]float64(nil), t.f0...)
		t.sys.now.dt = 0 // histories have moved on already
		t.probe, t.silent = true, true
		t.sys.internal(t.moved, u)
		t.probe, t.silent = false, false
		t.sys.now = now
		damp = before
		for i, f := range t.f0 {
			damp[i] = t.d.RayleighStiffnessS / (now.dt * (1 - t.af)) * (f - before[i])
		}
	}
	for i := range u {
		f := t.push(i)
		if damp != nil {
			f += damp[i]
		}
		t.last[i] = f
		t.g0[i] = t.d.RayleighMassPerS*t.mv[i] - f
	}
	copy(t.u0, u)
	copy(t.v0, t.v1)
	copy(t.a0, t.a1)
	return false
}

// velocities are those at the converged state; nil without inertia.
func (s *system) velocities() []r3.Vec {
	for _, o := range s.terms {
		if t, ok := o.(*inertia); ok {
			v := make([]r3.Vec, s.n)
			for i := range v {
				v[i] = r3.Vec{X: t.v0[3*i], Y: t.v0[3*i+1], Z: t.v0[3*i+2]}
			}
			return v
		}
	}
	return nil
}
