package fem

import (
	"math"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// unitDetTol is how far det G may be from 1 in a region with mean dilatation.
const unitDetTol = 1e-6

// fields spreads Natural and Stiffness over the quadrature points and lays the
// history of inelastic laws out.
func (s *system) fields() error {
	m := s.model
	points := s.elems * s.nq
	per, err := perPoint("Natural", len(m.Natural), s.elems, points)
	if err != nil {
		return err
	}
	if per > 0 {
		s.natural, s.detG = make([]material.Mat3, points), make([]float64, points)
		for at := range points {
			g := m.Natural[at/per]
			det := g.Det()
			e := at / s.nq
			r := &s.reg[s.regOf[e]]
			switch {
			case !finiteVec(g[0]) || !finiteVec(g[1]) || !finiteVec(g[2]) || !(det > 0) || !finite(det):
				return badInput("Natural", "element %d has det G = %g; give a finite map that keeps the orientation", e, det)
			case r.small && g != material.Identity:
				return badInput("Natural", "element %d has a law of small strain, which cannot start from another shape; use a law of large strain", e)
			case r.vol != nil && math.Abs(det-1) > unitDetTol:
				return badInput("Natural", "element %d changes its volume (det G = %g), which mean dilatation does not take; use the displacement form or det G = 1", e, det)
			}
			s.natural[at], s.detG[at] = g, det
		}
	}
	if per, err = perPoint("Stiffness", len(m.Stiffness), s.elems, points); err != nil {
		return err
	}
	if per > 0 {
		s.mult = make([]float64, points)
		for at := range points {
			v := m.Stiffness[at/per]
			if !(v > 0) || !finite(v) {
				return badInput("Stiffness", "element %d has the multiplier %g; must be positive", at/s.nq, v)
			}
			s.mult[at] = v
		}
	}
	s.historyAt = make([]int, s.elems)
	total := 0
	for e := range s.elems {
		s.historyAt[e] = total
		total += s.nq * s.reg[s.regOf[e]].size
	}
	if total == 0 {
		return nil
	}
	s.old, s.next = make([]float64, total), make([]float64, total)
	for e := range s.elems {
		r := &s.reg[s.regOf[e]]
		for q := range s.nq * min(1, r.size) {
			at := s.historyAt[e] + q*r.size
			r.memory.InitHistory(s.old[at : at+r.size])
		}
	}
	copy(s.next, s.old)
	return nil
}

// perPoint is the number of quadrature points that share an entry of a field.
func perPoint(name string, have, elems, points int) (int, error) {
	switch have {
	case 0:
		return 0, nil
	case points:
		return 1, nil
	case elems:
		return points / elems, nil
	}
	return 0, badInput(name, "has %d entries; give one for each of %d elements or %d quadrature points", have, elems, points)
}

// multiplier is the stiffness multiplier at a quadrature point.
func (s *system) multiplier(at int) float64 {
	if s.mult == nil {
		return 1
	}
	return s.mult[at]
}

// plain says that the law alone answers at the points of r.
func (s *system) plain(r *region) bool {
	return s.natural == nil && s.mult == nil && r.memory == nil && r.active == 0
}

// stress writes P at quadrature point q of element e into k.p, from k.f.
func (s *system) stress(k *scratch, r *region, e, q int) bool {
	if s.plain(r) {
		r.law.Stress(&k.p, &k.f)
		return true
	}
	return s.respond(k, r, e, q, nil)
}

// tangentAt writes A into k.a, from k.f.
func (s *system) tangentAt(k *scratch, r *region, e, q int) bool {
	if s.plain(r) {
		r.law.Tangent(&k.a, &k.f)
		return true
	}
	return s.respond(k, r, e, q, &k.a)
}

// respond is stress, and tangent unless a is nil, with the natural map G
// (P = P_e(F·G)·Gᵀ/det G), the multiplier, the history and the active tension.
func (s *system) respond(k *scratch, r *region, e, q int, a *[9][9]float64) bool {
	at := e*s.nq + q
	f := &k.f
	if s.natural != nil {
		times(&k.fn, &k.f, &s.natural[at])
		f = &k.fn
	}
	switch {
	case r.memory != nil:
		h := s.historyAt[e] + q*r.size
		next := s.next[h : h+r.size]
		if a != nil { // the tangent must not touch what the forces have left
			if cap(k.memory) < r.size {
				k.memory = make([]float64, r.size)
			}
			next = k.memory[:r.size]
		}
		if !r.memory.Respond(&k.p, a, f, s.old[h:h+r.size], next, s.now.dt) {
			return false
		}
	default:
		if a != nil {
			r.law.Tangent(a, f)
		} else {
			r.law.Stress(&k.p, f)
		}
	}
	c := 1.0
	if s.mult != nil {
		c = s.mult[at]
	}
	if s.natural != nil {
		g := &s.natural[at]
		if a != nil {
			pullTangent(a, g, c/s.detG[at])
		} else {
			pullStress(&k.p, g, c/s.detG[at])
		}
	} else if c != 1 {
		if a != nil {
			for i := range a {
				for j := range a[i] {
					a[i][j] *= c
				}
			}
		} else {
			for j := range k.p {
				k.p[j] = r3.Scale(c, k.p[j])
			}
		}
	}
	if ta := r.active * s.activation(); ta != 0 {
		d := s.fibre(at)
		if a == nil {
			ff := r3.Add(r3.Scale(d.X, k.f[0]), r3.Add(r3.Scale(d.Y, k.f[1]), r3.Scale(d.Z, k.f[2])))
			k.p[0] = r3.Add(k.p[0], r3.Scale(ta*d.X, ff))
			k.p[1] = r3.Add(k.p[1], r3.Scale(ta*d.Y, ff))
			k.p[2] = r3.Add(k.p[2], r3.Scale(ta*d.Z, ff))
			return true
		}
		v := [3]float64{d.X, d.Y, d.Z}
		for i := range 3 {
			for j := range 3 {
				for l := range 3 {
					a[3*i+j][3*i+l] += ta * v[j] * v[l]
				}
			}
		}
	}
	return true
}

// fibre is the first material axis f₀ at a quadrature point, of unit length.
func (s *system) fibre(at int) r3.Vec {
	if s.natural == nil {
		return r3.Vec{X: 1}
	}
	return r3.Unit(s.natural[at][0])
}

// stored is W at quadrature point q of element e, from k.f; NaN for a law with
// a history, which has none.
func (s *system) stored(k *scratch, r *region, e, q int) float64 {
	if s.plain(r) {
		return r.law.Energy(&k.f)
	}
	if r.memory != nil {
		return math.NaN()
	}
	at := e*s.nq + q
	f, c := &k.f, 1.0
	if s.natural != nil {
		times(&k.fn, &k.f, &s.natural[at])
		f, c = &k.fn, 1/s.detG[at]
	}
	if s.mult != nil {
		c *= s.mult[at]
	}
	w := c * r.law.Energy(f)
	if ta := r.active * s.activation(); ta != 0 {
		d := s.fibre(at)
		ff := r3.Add(r3.Scale(d.X, k.f[0]), r3.Add(r3.Scale(d.Y, k.f[1]), r3.Scale(d.Z, k.f[2])))
		w += ta / 2 * (r3.Norm2(ff) - 1)
	}
	return w
}

// times writes F·G.
func times(out, f, g *material.Mat3) {
	for j, c := range g {
		out[j] = r3.Vec{
			X: f[0].X*c.X + f[1].X*c.Y + f[2].X*c.Z,
			Y: f[0].Y*c.X + f[1].Y*c.Y + f[2].Y*c.Z,
			Z: f[0].Z*c.X + f[1].Z*c.Y + f[2].Z*c.Z,
		}
	}
}

// pullStress does P ← c·P·Gᵀ.
func pullStress(p, g *material.Mat3, c float64) {
	p0, p1, p2 := p[0], p[1], p[2]
	row := func(x, y, z float64) r3.Vec {
		return r3.Vec{
			X: c * (p0.X*x + p1.X*y + p2.X*z),
			Y: c * (p0.Y*x + p1.Y*y + p2.Y*z),
			Z: c * (p0.Z*x + p1.Z*y + p2.Z*z),
		}
	}
	// (P·Gᵀ)_iJ = Σ_M P_iM·G_JM: column J takes row J of G.
	p[0] = row(g[0].X, g[1].X, g[2].X)
	p[1] = row(g[0].Y, g[1].Y, g[2].Y)
	p[2] = row(g[0].Z, g[1].Z, g[2].Z)
}

// pullTangent does A_iJkL ← c·Σ_MN A_iMkN·G_JM·G_LN.
func pullTangent(a *[9][9]float64, g *material.Mat3, c float64) {
	gm := [3][3]float64{ // gm[J][M] = G_JM
		{g[0].X, g[1].X, g[2].X},
		{g[0].Y, g[1].Y, g[2].Y},
		{g[0].Z, g[1].Z, g[2].Z},
	}
	for i := range 3 {
		for n := range 9 { // rows: J from M
			x, y, z := a[3*i][n], a[3*i+1][n], a[3*i+2][n]
			for j := range 3 {
				a[3*i+j][n] = gm[j][0]*x + gm[j][1]*y + gm[j][2]*z
			}
		}
	}
	for r := range 9 {
		row := &a[r]
		for k := range 3 {
			x, y, z := row[3*k], row[3*k+1], row[3*k+2]
			for l := range 3 {
				row[3*k+l] = c * (gm[l][0]*x + gm[l][1]*y + gm[l][2]*z)
			}
		}
	}
}

// augment asks the terms with multipliers for another round of the increment;
// the history is left alone until they are content.
func (s *system) augment(u []float64, last bool) (again bool, why string) {
	for _, t := range s.terms {
		if a, ok := t.(augmented); ok {
			more, reason := a.augment(u, s.now, last)
			again = again || more
			if reason != "" {
				return false, reason
			}
		}
	}
	return again, ""
}

// detAt is det F at quadrature point q of element e, whose u is gathered.
func (s *system) detAt(k *scratch, e, q int) float64 {
	at := e*s.nq + q
	gradient(&k.f, k.u[:s.k], s.grad[at*s.k:(at+1)*s.k])
	return k.f.Det()
}

// piola writes F into k.f and the whole first Piola–Kirchhoff stress into k.p
// at quadrature point q of element e, whose u is gathered and was the last that
// forces looked at.
func (s *system) piola(k *scratch, e, q int) bool {
	r := &s.reg[s.regOf[e]]
	det := s.detAt(k, e, q)
	if !s.stress(k, r, e, q) {
		return false
	}
	if r.vol != nil {
		k.f.Cofactor(&k.cof)
		_, du, _ := r.vol.Dilatation(det)
		c := s.pressure(e) - s.multiplier(e*s.nq+q)*du
		for j := range k.p {
			k.p[j] = r3.Add(k.p[j], r3.Scale(c, k.cof[j]))
		}
	}
	return true
}

// commit takes the state at the converged u over into the history.
func (s *system) commit(u []float64) (again bool) {
	if s.old != nil {
		s.forces(u) // leaves the history of u in next
		copy(s.old, s.next)
	}
	for _, t := range s.terms {
		again = t.commit(u, s.now) || again
	}
	return again
}
