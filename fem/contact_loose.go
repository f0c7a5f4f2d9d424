package fem

import (
	"slices"

	"halsted/fem/element"

	"gonum.org/v1/gonum/spatial/r3"
)

// Springs for bodies that nothing but contact holds: their stiffness relative
// to the penalty with factor 1, the force they may keep relative to that of the
// contact, and the gap, relative to a face's longest edge, at which such a body
// may start.
const (
	driftStiffness = 0.1
	driftTol       = 1e-3
	looseGap       = 0.01
)

// drift holds faces of such bodies to where they were at the last round
// (proximal point method; R. T. Rockafellar, SIAM J. Control Optim. 14 (1976)
// 877): c·|x − x₀|²/2 at the quadrature points.
type drift struct {
	skin  *skin
	faces []int32
	c     []float64 // per point: stiffness × weight × area, N/mm
	at    []r3.Vec  // x₀
	n     [][6]float64
}

// findLoose makes springs for the faces that belong to bodies without other
// support.
func (t *contactTerm) findLoose(u []float64) {
	t.loose = nil
	free := t.sys.drifting()
	if free == nil {
		return
	}
	for _, k := range []*skin{t.own, t.other} {
		if k == nil {
			continue
		}
		rule, shape := k.rule()
		d := drift{skin: k}
		for _, x := range rule.P {
			var m [6]float64
			shape(m[:], nil, x)
			d.n = append(d.n, m)
		}
		var p [6]r3.Vec
		var g quad6
		for f := range int32(k.faces()) {
			if k.alone[f] || !free[k.of(f)[0]] {
				continue
			}
			d.faces = append(d.faces, f)
			k.place(&p, f, nil)
			for q, x := range rule.P {
				g.at(&p, x.X, x.Y)
				d.c = append(d.c, driftStiffness*k.scale[f]*rule.W[q]*r3.Norm(r3.Cross(g.a, g.b)))
			}
		}
		if len(d.faces) > 0 {
			d.at = make([]r3.Vec, len(d.c))
			d.anchor(u)
			t.loose = append(t.loose, d)
		}
	}
}

// drifting marks the nodes of bodies that can move rigidly when contacts do not
// count; nil if there is none.
func (s *system) drifting() (free []bool) {
	all := s.terms
	s.terms = slices.DeleteFunc(slices.Clone(all), func(t term) bool { _, ok := t.(*contactTerm); return ok })
	defer func() { s.terms = all }()
	part, count := s.parts()
	middle, nodes := make([]r3.Vec, count), make([]float64, count)
	for v, p := range part {
		if p >= 0 {
			middle[p] = r3.Add(middle[p], s.x[v])
			nodes[p]++
		}
	}
	radius := make([]float64, count)
	for v, p := range part {
		if p >= 0 {
			radius[p] = max(radius[p], r3.Norm(r3.Sub(s.x[v], r3.Scale(1/nodes[p], middle[p]))))
		}
	}
	gram := make([][6][6]float64, count)
	hold := func(v int32, dir r3.Vec) {
		p := part[v]
		if p < 0 {
			return
		}
		var d r3.Vec
		if radius[p] > 0 {
			d = r3.Scale(1/radius[p], r3.Sub(s.x[v], r3.Scale(1/nodes[p], middle[p])))
		}
		m := r3.Cross(d, dir)
		row := [6]float64{dir.X, dir.Y, dir.Z, m.X, m.Y, m.Z}
		for a := range 6 {
			for c := range 6 {
				gram[p][a][c] += row[a] * row[c]
			}
		}
	}
	for v := range s.n {
		for i, axis := range [3]r3.Vec{{X: 1}, {Y: 1}, {Z: 1}} {
			if s.held[3*v+i] {
				hold(int32(v), axis)
			}
		}
	}
	for _, t := range s.terms {
		t.supports(hold)
	}
	for v, p := range part {
		if p >= 0 && nodes[p] >= element.Tet4Nodes && len(freeModes(&gram[p])) > 0 {
			if free == nil {
				free = make([]bool, s.n)
			}
			free[v] = true
		}
	}
	return free
}

func (t *contactTerm) supports(add func(node int32, dir r3.Vec)) {
	for i := range t.loose {
		l := &t.loose[i]
		for _, f := range l.faces {
			for _, v := range l.skin.of(f) {
				add(v, r3.Vec{X: 1})
				add(v, r3.Vec{Y: 1})
				add(v, r3.Vec{Z: 1})
			}
		}
	}
}

// each calls do for every point with its place, shape functions and stiffness.
func (l *drift) each(u []float64, do func(i int, f int32, m *[6]float64, x r3.Vec)) {
	var p [6]r3.Vec
	nq := len(l.n)
	for j, f := range l.faces {
		l.skin.place(&p, f, u)
		for q := range nq {
			m := &l.n[q]
			do(j*nq+q, f, m, combine(&p, m[0], m[1], m[2], m[3], m[4], m[5]))
		}
	}
}

// anchor sets x₀ to the places at u.
func (l *drift) anchor(u []float64) {
	l.each(u, func(i int, _ int32, _ *[6]float64, x r3.Vec) { l.at[i] = x })
}

func (l *drift) force(f, u []float64) {
	l.each(u, func(i int, face int32, m *[6]float64, x r3.Vec) {
		v := r3.Scale(l.c[i], r3.Sub(x, l.at[i]))
		for a, n := range l.skin.of(face) {
			f[3*n] += m[a] * v.X
			f[3*n+1] += m[a] * v.Y
			f[3*n+2] += m[a] * v.Z
		}
	})
}

func (l *drift) energy(u []float64) (w float64) {
	l.each(u, func(i int, _ int32, _ *[6]float64, x r3.Vec) { w += l.c[i] / 2 * r3.Norm2(r3.Sub(x, l.at[i])) })
	return w
}

// load is the sum of the spring forces' lengths, N.
func (l *drift) load(u []float64) (w float64) {
	l.each(u, func(i int, _ int32, _ *[6]float64, x r3.Vec) { w += l.c[i] * r3.Norm(r3.Sub(x, l.at[i])) })
	return w
}

func (l *drift) tangent(k *stiffness) {
	nq := len(l.n)
	for j, f := range l.faces {
		nodes := l.skin.of(f)
		for a := range nodes {
			for b := a; b < len(nodes); b++ {
				var c float64
				for q := range nq {
					c += l.c[j*nq+q] * l.n[q][a] * l.n[q][b]
				}
				k.add(nodes[a], nodes[b], &[9]float64{c, 0, 0, 0, c, 0, 0, 0, c})
			}
		}
	}
}
