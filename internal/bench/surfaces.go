package main

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// surface is an ellipsoid or the hull of a capsule.
type surface struct {
	e *ellipsoid
	c *capsule
	r float64 // of the capsule
}

func (s *scene) surfaces() (out []surface) {
	for n := range s.Ell {
		out = append(out, surface{e: &s.Ell[n]})
	}
	for n := range s.Seg {
		c := &s.Seg[n]
		out = append(out, surface{c: c, r: c.R}, surface{c: c, r: c.R + c.W})
	}
	return out
}

// signed is the distance of p from the surface, negative inside, and the
// outward normal at the nearest point, which is p − d·n.
func (f *surface) signed(p r3.Vec) (d float64, n r3.Vec) {
	if f.c != nil {
		v := r3.Sub(p, f.c.nearestOnAxis(triple{p.X, p.Y, p.Z}).vec())
		l := length(v)
		if l == 0 {
			return -f.r, r3.Vec{X: 1}
		}
		return l - f.r, r3.Scale(1/l, v)
	}
	// The nearest point is x_i = r_i² y_i/(t + r_i²) with Σ (r_i y_i/(t + r_i²))² = 1,
	// the root t > −min r_i²; D. Eberly, Distance from a point to an ellipse, an
	// ellipsoid, or a hyperellipsoid (2013). Newton from the surface, t = 0, kept
	// between ends that halve.
	y, r := [3]float64{p.X - f.e.C[0], p.Y - f.e.C[1], p.Z - f.e.C[2]}, f.e.R
	lo, hi := math.Inf(-1), 0.0
	for i := range y {
		lo = max(lo, r[i]*math.Abs(y[i])-r[i]*r[i])
		hi += r[i] * r[i] * y[i] * y[i]
	}
	hi = math.Sqrt(hi) - min(r[0]*r[0], r[1]*r[1], r[2]*r[2])
	at := max(lo, min(hi, 0))
	for range 100 {
		g, dg := -1.0, 0.0
		for i := range y {
			w := r[i] * y[i] / (at + r[i]*r[i])
			g += w * w
			dg -= 2 * w * w / (at + r[i]*r[i])
		}
		if g > 0 {
			lo = at
		} else {
			hi = at
		}
		next := at - g/dg
		if !(next >= lo && next <= hi) {
			next = (lo + hi) / 2
		}
		step := next - at
		at = next
		if math.Abs(step) <= 1e-14*(1+math.Abs(at)) {
			break
		}
	}
	var x, m [3]float64
	for i := range y {
		x[i] = r[i] * r[i] * y[i] / (at + r[i]*r[i])
		m[i] = x[i] / (r[i] * r[i])
	}
	n = r3.Unit(r3.Vec{X: m[0], Y: m[1], Z: m[2]})
	return r3.Dot(n, r3.Vec{X: y[0] - x[0], Y: y[1] - x[1], Z: y[2] - x[2]}), n
}

// sample visits points of the surface at most about step apart, with normal and
// the area each stands for.
func (f *surface) sample(step float64, visit func(p, n r3.Vec, area float64)) {
	if f.e != nil {
		c, r := f.e.C.vec(), f.e.R
		sphere(step/max(r[0], r[1], r[2]), r3.Vec{Z: 1}, false, func(u r3.Vec, area float64) {
			// the map u → r∘u turns area by |cof|: r1r2r3 |u/r|
			n := r3.Vec{X: u.X / r[0], Y: u.Y / r[1], Z: u.Z / r[2]}
			l := length(n)
			visit(r3.Add(c, r3.Vec{X: r[0] * u.X, Y: r[1] * u.Y, Z: r[2] * u.Z}), r3.Scale(1/l, n), area*r[0]*r[1]*r[2]*l)
		})
		return
	}
	a, b := f.c.A.vec(), f.c.B.vec()
	axis := r3.Sub(b, a)
	l := length(axis)
	axis = r3.Scale(1/l, axis)
	u, v := frame(axis)
	around, along := math.Ceil(2*math.Pi*f.r/step), math.Ceil(l/step)
	for i := range int(along) {
		p := r3.Add(a, r3.Scale(l*(float64(i)+.5)/along, axis))
		for j := range int(around) {
			sin, cos := math.Sincos(2 * math.Pi * (float64(j) + .5) / around)
			n := r3.Add(r3.Scale(cos, u), r3.Scale(sin, v))
			visit(r3.Add(p, r3.Scale(f.r, n)), n, 2*math.Pi*f.r*l/(around*along))
		}
	}
	for _, end := range []struct{ p, pole r3.Vec }{{a, r3.Scale(-1, axis)}, {b, axis}} {
		sphere(step/f.r, end.pole, true, func(n r3.Vec, area float64) {
			visit(r3.Add(end.p, r3.Scale(f.r, n)), n, area*f.r*f.r)
		})
	}
}

// frame completes a unit vector to a right-handed frame.
func frame(axis r3.Vec) (u, v r3.Vec) {
	u = r3.Vec{X: 1}
	if math.Abs(axis.X) > .7 {
		u = r3.Vec{Y: 1}
	}
	u = r3.Unit(r3.Cross(axis, u))
	return u, r3.Cross(axis, u)
}

// sphere visits points of the unit sphere, or of the half around pole, in rings,
// at most about step (radians) apart, with the area each stands for.
func sphere(step float64, pole r3.Vec, half bool, visit func(n r3.Vec, area float64)) {
	u, v := frame(pole)
	end := math.Pi
	if half {
		end /= 2
	}
	rings := math.Ceil(end / step)
	for i := range int(rings) {
		t0, t1 := end*float64(i)/rings, end*float64(i+1)/rings
		sin, cos := math.Sincos((t0 + t1) / 2)
		around := math.Ceil(2 * math.Pi * sin / step)
		area := 2 * math.Pi * (math.Cos(t0) - math.Cos(t1)) / around
		for j := range int(around) {
			s, c := math.Sincos(2 * math.Pi * (float64(j) + .5) / around)
			visit(r3.Add(r3.Scale(cos, pole), r3.Scale(sin, r3.Add(r3.Scale(c, u), r3.Scale(s, v)))), area)
		}
	}
}
