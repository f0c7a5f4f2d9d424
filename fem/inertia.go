package fem

import (
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
