package fem

import (
	"halsted/internal/sparse"

	"gonum.org/v1/gonum/spatial/r3"
)

// newmark fills a1, v1, and M·((1−αm)·a₁ + αm·a₀) and M·v₁ at u.
func (t *inertia) newmark(u []float64, dt float64) {
	t.sys.chunks(len(u), 8192, func(lo, hi int) {
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
		t.sys.chunks(len(m.m.Val), 1<<16, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				m.m.Val[i] *= 1 + k
			}
		})
	}
	if t.of != m.m {
		t.of, t.at = m.m, make([]int32, len(t.mass))
		t.sys.chunks(t.pattern.N, 512, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				for k := t.pattern.RowPtr[i]; k < t.pattern.RowPtr[i+1]; k++ {
					t.at[k] = m.m.Index(int32(i), t.pattern.Col[k])
				}
			}
		})
	}
	c := (1-t.am)/(t.be*now.dt*now.dt*(1-t.af)) + t.d.RayleighMassPerS*t.ga/(t.be*now.dt)
	t.sys.chunks(len(t.mass), 8192, func(lo, hi int) {
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
