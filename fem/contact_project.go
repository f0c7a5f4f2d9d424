package fem

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// foot is the nearest point of a skin to a point x.
type foot struct {
	face int32
	part int8   // of the face: inside 0, on edge e 1+e, at corner v 4+v
	xi   r3.Vec // on the reference triangle
	y    r3.Vec
	dist float64 // |x − y|
}

// quad6 is a quadratic triangle at a point: place and derivatives.
type quad6 struct{ y, a, b, aa, ab, bb r3.Vec }

func (q *quad6) at(p *[6]r3.Vec, xi, eta float64) {
	l0, l1, l2 := 1-xi-eta, xi, eta
	q.y = combine(p, l0*(2*l0-1), l1*(2*l1-1), l2*(2*l2-1), 4*l0*l1, 4*l1*l2, 4*l2*l0)
	q.a = combine(p, 1-4*l0, 4*l1-1, 0, 4*(l0-l1), 4*l2, -4*l2)
	q.b = combine(p, 1-4*l0, 0, 4*l2-1, -4*l1, 4*l1, 4*(l0-l2))
	q.aa = combine(p, 4, 4, 0, -8, 0, 0)
	q.ab = combine(p, 4, 0, 0, -4, 4, -4)
	q.bb = combine(p, 4, 0, 4, 0, 0, -8)
}

func combine(p *[6]r3.Vec, c0, c1, c2, c3, c4, c5 float64) r3.Vec {
	return r3.Vec{
		X: c0*p[0].X + c1*p[1].X + c2*p[2].X + c3*p[3].X + c4*p[4].X + c5*p[5].X,
		Y: c0*p[0].Y + c1*p[1].Y + c2*p[2].Y + c3*p[3].Y + c4*p[4].Y + c5*p[5].Y,
		Z: c0*p[0].Z + c1*p[1].Z + c2*p[2].Z + c3*p[3].Z + c4*p[4].Z + c5*p[5].Z,
	}
}

// normal is the unit normal of the face at xi.
func (q *quad6) normal() r3.Vec {
	n := r3.Cross(q.a, q.b)
	if l := r3.Norm(n); l > 0 {
		return r3.Scale(1/l, n)
	}
	return r3.Vec{}
}

// Steps of the projections, and the change of a coordinate of the reference
// triangle at which they end: rounding of a coordinate of order 1.
const (
	footSteps = 20
	footTol   = 4e-16
)

// onFace is the point of the triangle p nearest to x: Newton's method for
// (x − y)·y,α = 0, and, where that leaves the triangle, the nearest point of
// its three edges.
func onFace(p *[6]r3.Vec, x r3.Vec) (f foot) {
	var q quad6
	e1, e2, d := r3.Sub(p[1], p[0]), r3.Sub(p[2], p[0]), r3.Sub(x, p[0])
	a11, a12, a22 := r3.Dot(e1, e1), r3.Dot(e1, e2), r3.Dot(e2, e2)
	r1, r2 := r3.Dot(d, e1), r3.Dot(d, e2)
	det := a11*a22 - a12*a12
	xi, eta := 1./3, 1./3
	if det > 0 {
		xi = min(max((a22*r1-a12*r2)/det, -0.2), 1.2)
		eta = min(max((a11*r2-a12*r1)/det, -0.2), 1.2)
	}
	settled := false
	last := math.Inf(1)
	for range footSteps {
		q.at(p, xi, eta)
		d := r3.Sub(x, q.y)
		r1, r2 := r3.Dot(d, q.a), r3.Dot(d, q.b)
		a11, a12, a22 := r3.Dot(q.a, q.a), r3.Dot(q.a, q.b), r3.Dot(q.b, q.b)
		h11, h12, h22 := a11-r3.Dot(d, q.aa), a12-r3.Dot(d, q.ab), a22-r3.Dot(d, q.bb)
		det := h11*h22 - h12*h12
		if !(det > 1e-3*(a11*a22-a12*a12)) || !(h11 > 0) {
			h11, h12, h22 = a11, a12, a22
			if det = h11*h22 - h12*h12; !(det > 0) {
				break
			}
		}
		s, t := (h22*r1-h12*r2)/det, (h11*r2-h12*r1)/det
		xi, eta = xi+s, eta+t
		step := max(math.Abs(s), math.Abs(t))
		if step < footTol || step < 1e-13 && step >= last/2 {
			settled = true
			break
		}
		last = step
		if !(xi > -0.5 && eta > -0.5 && xi+eta < 1.5) {
			break
		}
	}
	if settled && xi >= 0 && eta >= 0 && xi+eta <= 1 {
		q.at(p, xi, eta)
		return foot{xi: r3.Vec{X: xi, Y: eta}, y: q.y, dist: r3.Norm(r3.Sub(x, q.y))}
	}
	f.dist = math.Inf(1)
	for e := range 3 {
		t, y := onEdge(p[e], p[3+e], p[(e+1)%3], x)
		if d := r3.Norm(r3.Sub(x, y)); d < f.dist {
			f.part, f.y, f.dist = int8(1+e), y, d
			switch t {
			case 0:
				f.part = int8(4 + e)
			case 1:
				f.part = int8(4 + (e+1)%3)
			}
			l := [3]float64{}
			l[e], l[(e+1)%3] = 1-t, t
			f.xi = r3.Vec{X: l[1], Y: l[2]}
		}
	}
	return f
}

// onEdge is the point nearest to x of the parabola through a, m (in the middle)
// and b, and its coordinate from 0 at a to 1 at b.
func onEdge(a, m, b, x r3.Vec) (float64, r3.Vec) {
	c1 := r3.Sub(r3.Sub(r3.Scale(4, m), r3.Scale(3, a)), b)
	c2 := r3.Scale(2, r3.Sub(r3.Add(a, b), r3.Scale(2, m)))
	at := func(t float64) r3.Vec { return r3.Add(a, r3.Add(r3.Scale(t, c1), r3.Scale(t*t, c2))) }
	ab := r3.Sub(b, a)
	t := 0.5
	if l := r3.Norm2(ab); l > 0 {
		t = min(max(r3.Dot(r3.Sub(x, a), ab)/l, 0), 1)
	}
	for range footSteps {
		d := r3.Sub(x, at(t))
		y1 := r3.Add(c1, r3.Scale(2*t, c2))
		h := r3.Norm2(y1) - 2*r3.Dot(d, c2)
		if !(h > 1e-3*r3.Norm2(y1)) {
			if h = r3.Norm2(y1); !(h > 0) {
				break
			}
		}
		next := min(max(t+r3.Dot(d, y1)/h, 0), 1)
		done := math.Abs(next-t) < footTol
		t = next
		if done {
			break
		}
	}
	return t, at(t)
}

// walk looks for the nearest point from face f on, over neighbours, until no
// neighbour is nearer.
func (k *skin) walk(f int32, x r3.Vec, u []float64) foot {
	var p [6]r3.Vec
	k.place(&p, f, u)
	best := onFace(&p, x)
	best.face = f
	for range 64 {
		if best.part == 0 {
			return best
		}
		found := false
		for _, o := range k.ring[best.face] {
			if k.alone[o] {
				continue
			}
			k.place(&p, o, u)
			c := onFace(&p, x)
			c.face = o
			if c.dist < best.dist*(1-1e-12) {
				best, found = c, true
				break
			}
		}
		if !found {
			break
		}
	}
	return best
}

// rimTol is how far beside an open edge of a skin, relative to the face's
// longest edge, a point still counts as facing it.
const rimTol = 0.02

// side completes a foot: the normal there and the signed distance along it.
// sharp says that the foot is on an edge or corner and n points from it to x.
// ok is false beside an open edge.
func (k *skin) side(f *foot, x r3.Vec, u []float64) (n r3.Vec, gap float64, sharp, ok bool) {
	var p [6]r3.Vec
	var q quad6
	k.place(&p, f.face, u)
	q.at(&p, f.xi.X, f.xi.Y)
	n = q.normal()
	r := r3.Sub(x, f.y)
	if f.part == 0 {
		return n, r3.Dot(r, n), false, true
	}
	open := false
	var sum r3.Vec
	if f.part < 4 {
		o := k.across[3*f.face+int32(f.part)-1]
		if open = o < 0 || k.alone[o]; !open {
			k.place(&p, o, u)
			g := onFace(&p, f.y)
			q.at(&p, g.xi.X, g.xi.Y)
			sum = r3.Add(n, q.normal())
		}
	} else {
		v := k.of(f.face)[f.part-4]
		sum = k.corner(&p, &q, f.face, int(f.part-4), u)
		for _, o := range k.ring[f.face] {
			for c, w := range k.of(o)[:3] {
				if w == v && !k.alone[o] {
					sum = r3.Add(sum, k.corner(&p, &q, o, c, u))
					open = open || k.across[3*int(o)+c] < 0 || k.across[3*int(o)+(c+2)%3] < 0
				}
			}
		}
		c := int(f.part - 4)
		open = open || k.across[3*int(f.face)+c] < 0 || k.across[3*int(f.face)+(c+2)%3] < 0
	}
	long := k.long[f.face]
	if open {
		gap = r3.Dot(r, n)
		return n, gap, false, r3.Norm(r3.Sub(r, r3.Scale(gap, n))) <= rimTol*long
	}
	if l := r3.Norm(sum); l > 0 {
		sum = r3.Scale(1/l, sum)
	} else {
		sum = n
	}
	if f.dist < 1e-6*long {
		return sum, r3.Dot(r, sum), false, true
	}
	if r3.Dot(r, sum) >= 0 {
		return r3.Scale(1/f.dist, r), f.dist, true, true
	}
	return r3.Scale(-1/f.dist, r), -f.dist, true, true
}

// corner is the normal at corner c of a face, times the angle there (Bærentzen
// & Aanæs 2005).
func (k *skin) corner(p *[6]r3.Vec, q *quad6, f int32, c int, u []float64) r3.Vec {
	k.place(p, f, u)
	xi := [3]r3.Vec{{}, {X: 1}, {Y: 1}}[c]
	q.at(p, xi.X, xi.Y)
	a, b := r3.Sub(p[(c+1)%3], p[c]), r3.Sub(p[(c+2)%3], p[c])
	return r3.Scale(math.Atan2(r3.Norm(r3.Cross(a, b)), r3.Dot(a, b)), q.normal())
}
