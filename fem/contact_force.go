package fem

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// evaluate fills hits for the displacement u.
func (t *contactTerm) evaluate(u []float64, now clock) {
	place := t.moved(now)
	// No point can come nearer than the largest motions of both sides allow. A
	// quadratic face moves less than 5/3 as far as its nodes (the Lebesgue
	// constant of its shape functions).
	far := 0.0
	if t.other == nil {
		far = r3.Norm(r3.Sub(t.to, t.from))
	} else {
		for _, v := range t.other.verts {
			d := r3.Vec{X: u[3*v] - t.u0[3*v], Y: u[3*v+1] - t.u0[3*v+1], Z: u[3*v+2] - t.u0[3*v+2]}
			far = max(far, r3.Norm2(d))
		}
		far = 5. / 3 * math.Sqrt(far)
	}
	t.sys.chunks(len(t.pts), pointChunk, func(lo, hi int) {
		var p [6]r3.Vec
		for i := lo; i < hi; i++ {
			h, s := &t.hits[i], &t.pts[i]
			*h = hit{}
			if s.base < 0 {
				continue
			}
			eps := t.boost * t.eps[s.face]
			x := t.spot(&p, s, u)
			snap := eps * snapTol * t.own.long[s.face]
			if s.faces && s.lambda-eps*(s.near-far-r3.Norm(r3.Sub(x, s.x))) > -snap {
				t.touch(h, s, x, u, place)
				if h.on {
					v := s.lambda - eps*h.gap
					h.t, h.closed = max(0, v), v > -snap
				}
			}
			if s.limit > 0 {
				t.rub(h, s, stickRatio*t.eps[s.face], x, u, place)
			}
		}
	})
}

// touch finds gap and normal at the point x.
func (t *contactTerm) touch(h *hit, s *touch, x r3.Vec, u []float64, place r3.Vec) {
	if t.other == nil {
		h.on = true
		h.gap, h.n, h.h = t.rigid.gap(r3.Sub(x, place))
		return
	}
	h.foot = t.other.walk(s.base, x, u)
	h.n, h.gap, h.sharp, h.on = t.other.side(&h.foot, x, u)
}

// rub finds the friction traction: with the slip g since the increment's start,
// in the plane of friction, the trial is λ_T + ε_T·g, and its length no more than
// the limit.
func (t *contactTerm) rub(h *hit, s *touch, eps float64, x r3.Vec, u []float64, place r3.Vec) {
	h.trial = r3.Add(s.drag, r3.Scale(eps, r3.Sub(x, t.anchored(s, u, place))))
	h.trial = r3.Sub(h.trial, r3.Scale(r3.Dot(h.trial, s.flat), s.flat))
	h.ft = h.trial
	if l := r3.Norm(h.trial); l > s.limit {
		h.ft, h.sliding = r3.Scale(s.limit/l, h.trial), true
	}
}

// anchored is where the point would be now had it gone along with the material
// point that faced it at the increment's start.
func (t *contactTerm) anchored(s *touch, u []float64, place r3.Vec) r3.Vec {
	if t.other == nil {
		return r3.Add(s.anchor.y, place)
	}
	var y r3.Vec
	for a, v := range t.other.of(s.anchor.face) {
		q := t.other.x[v]
		y = r3.Add(y, r3.Scale(s.m[a], r3.Vec{X: q.X + u[3*v], Y: q.Y + u[3*v+1], Z: q.Z + u[3*v+2]}))
	}
	return r3.Add(y, s.apart)
}

func (t *contactTerm) force(f, u []float64, now clock) int32 {
	if !t.on {
		return -1
	}
	t.evaluate(u, now)
	push := func(nodes []int32, m *[6]float64, v r3.Vec) {
		for a, i := range nodes {
			f[3*i] += m[a] * v.X
			f[3*i+1] += m[a] * v.Y
			f[3*i+2] += m[a] * v.Z
		}
	}
	var m [6]float64
	for i := range t.hits {
		h, s := &t.hits[i], &t.pts[i]
		own := t.own.of(s.face)
		if h.t > 0 {
			v := r3.Scale(s.w*h.t, h.n)
			push(own, &s.n, r3.Scale(-1, v))
			if t.other != nil {
				t.other.shape(&m, h.foot.xi)
				push(t.other.of(h.foot.face), &m, v)
			}
		}
		if h.ft != (r3.Vec{}) {
			v := r3.Scale(s.w, h.ft)
			push(own, &s.n, v)
			if t.other != nil {
				push(t.other.of(s.anchor.face), &s.m, r3.Scale(-1, v))
			}
		}
	}
	for _, l := range t.loose {
		l.force(f, u)
	}
	return -1
}

// energy is ∫t²/2ε, with the round's multipliers, and of friction with its
// limit fixed: |T|²/2ε_T while it sticks, (|T| − limit/2)·limit/ε_T while it slides.
func (t *contactTerm) energy(u []float64, now clock) (float64, bool) {
	if !t.on {
		return 0, true
	}
	t.evaluate(u, now)
	var sum float64
	for i := range t.hits {
		h, s := &t.hits[i], &t.pts[i]
		eps := t.eps[s.face]
		sum += s.w * h.t * h.t / (2 * t.boost * eps)
		if s.limit > 0 {
			l := r3.Norm(h.trial)
			w := l * l
			if l > s.limit {
				w = 2*l*s.limit - s.limit*s.limit
			}
			sum += s.w * w / (2 * stickRatio * eps)
		}
	}
	for _, l := range t.loose {
		sum += l.energy(u)
	}
	return sum, true
}

// augment moves the multipliers (Uzawa) and the friction limits.
func (t *contactTerm) augment(u []float64, now clock, last bool) (again bool, why string) {
	if !t.on {
		return false, ""
	}
	t.evaluate(u, now)
	var load, change, limits float64
	for i := range t.hits {
		h, s := &t.hits[i], &t.pts[i]
		load += s.w * h.t
		limits += s.w * max(s.limit, t.c.Friction*h.t)
		change += s.w * math.Abs(s.limit-t.c.Friction*h.t)
		if h.t > 0 && s.limit > 0 {
			change += s.w * s.limit * r3.Norm(r3.Sub(h.n, s.flat))
		}
	}
	lambda, deep := t.uzawa()
	entering := t.c.GapToleranceMM > 0 && deep > t.c.GapToleranceMM
	rubbing := t.c.Friction > 0 && change > frictionTol*limits
	drifting := false
	for _, l := range t.loose {
		drifting = drifting || l.load(u) > driftTol*load
	}
	if !entering && !rubbing && !drifting {
		return false, ""
	}
	if last {
		switch {
		case drifting:
			return false, fmt.Sprintf("a body that only contact %q holds keeps moving", t.c.Name)
		case entering:
			return false, fmt.Sprintf("contact %q: penetration stays at %.3g mm (tolerance %.3g mm)", t.c.Name, deep, t.c.GapToleranceMM)
		}
		return false, fmt.Sprintf("contact %q: friction limits keep changing, by %.2g of their sum", t.c.Name, change/limits)
	}
	if entering {
		copy(t.lambda, lambda)
	}
	for i := range t.hits {
		h, s := &t.hits[i], &t.pts[i]
		if entering {
			s.lambda = t.multiplier(s)
		}
		if t.c.Friction == 0 {
			continue
		}
		s.limit = t.c.Friction * h.t
		if h.t > 0 {
			s.flat = h.n
		}
		if t.other != nil && s.base >= 0 {
			s.drag, s.apart = t.other.out(&s.anchor, s.local, u), t.other.out(&s.anchor, s.turned, u)
		}
	}
	if entering {
		if deep > t.worst/3 {
			t.boost = min(4*t.boost, maxBoost)
		}
		t.worst = deep
	}
	for _, l := range t.loose {
		l.anchor(u)
	}
	return true, ""
}

// uzawa returns the next multipliers, λ_v + ∫L_v·(t − λ)/∫L_v with the corners'
// linear functions L_v, and the largest of the mean gaps that move them, mm: in
// the mean around a corner, not at every point, the surfaces must meet, as two
// discrete surfaces cannot meet at more places than they have corners.
func (t *contactTerm) uzawa() (next []float64, deep float64) {
	if t.c.GapToleranceMM == 0 {
		return nil, 0
	}
	next = append([]float64(nil), t.lambda...)
	sum, area, eps := make([]float64, t.own.count), make([]float64, t.own.count), make([]float64, t.own.count)
	for i := range t.hits {
		s := &t.pts[i]
		if t.own.alone[s.face] {
			continue
		}
		for c, l := range s.l {
			v := t.own.vertex[3*s.face+int32(c)]
			sum[v] += s.w * l * (t.hits[i].t - s.lambda)
			area[v] += s.w * l
			eps[v] += s.w * l * t.boost * t.eps[s.face]
		}
	}
	for v := range next {
		if !(area[v] > 0) {
			continue
		}
		moved := max(0, next[v]+sum[v]/area[v])
		deep = max(deep, math.Abs(moved-next[v])/(eps[v]/area[v]))
		next[v] = moved
	}
	return next, deep
}

// maxBoost bounds the rise of the penalty that slow multipliers call for.
const maxBoost = 256
