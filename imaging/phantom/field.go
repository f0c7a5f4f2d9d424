package phantom

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// field is an implicit shape: f is negative inside, zero on the surface, in mm,
// and g is its gradient. Every field here keeps |g| ≤ 1, so |f| never exceeds
// the distance to the surface: a ball of radius |f| about p lies wholly on one
// side. Near the surface f/|g| is the distance to first order.
type field func(p r3.Vec) (f float64, g r3.Vec)

// norm is r3.Norm without its guard against overflow, which costs more than the
// rest of a field; lengths here are below 1e4 mm.
func norm(v r3.Vec) float64 { return math.Sqrt(r3.Norm2(v)) }

// unit scales v to length 1; the zero vector stays zero.
func unit(v r3.Vec) r3.Vec {
	n := norm(v)
	if n == 0 {
		return v
	}
	return r3.Scale(1/n, v)
}

// ellipsoid has semi-axes r along x, y, z about c: f = m(|q|−1) with
// q = (p−c)/r and m the smallest semi-axis.
func ellipsoid(c, r r3.Vec) field {
	m := min(r.X, r.Y, r.Z)
	ix, iy, iz := 1/r.X, 1/r.Y, 1/r.Z
	return func(p r3.Vec) (float64, r3.Vec) {
		qx, qy, qz := (p.X-c.X)*ix, (p.Y-c.Y)*iy, (p.Z-c.Z)*iz
		n := math.Sqrt(qx*qx + qy*qy + qz*qz)
		if n == 0 {
			return -m, r3.Vec{}
		}
		s := m / n
		return m * (n - 1), r3.Vec{X: s * qx * ix, Y: s * qy * iy, Z: s * qz * iz}
	}
}

// sphere is the exact distance to a ball.
func sphere(c r3.Vec, r float64) field {
	return func(p r3.Vec) (float64, r3.Vec) {
		d := r3.Sub(p, c)
		n := norm(d)
		if n == 0 {
			return -r, r3.Vec{}
		}
		return n - r, r3.Scale(1/n, d)
	}
}

// halfSpace holds the points p with (p−at)·n < 0; n is normalised.
func halfSpace(at, n r3.Vec) field {
	n = unit(n)
	return func(p r3.Vec) (float64, r3.Vec) { return r3.Dot(r3.Sub(p, at), n), n }
}

// pow25 returns x^2.5 and x^1.5 of |x|, the latter with the sign of x.
func pow25(x float64) (whole, slope float64) {
	a := math.Abs(x)
	h := a * math.Sqrt(a)
	return h * a, math.Copysign(h, x)
}

// root25 is the inverse, x^0.4 for x ≥ 0: Newton's iteration for y⁵ = x² from
// the scaled exponent, which is within 6 %; each step squares the error, and
// four reach rounding. Three times as fast as math.Pow.
func root25(x float64) float64 {
	if x == 0 {
		return 0
	}
	const bias = 1023 << 52
	y := math.Float64frombits(uint64(0.4*float64(math.Float64bits(x)) + 0.6*bias))
	xx := x * x
	for range 4 {
		yy := y * y
		y = 0.8*y + 0.2*xx/(yy*yy)
	}
	return y
}

// superEllipsoid is ellipsoid with exponent 2.5 instead of 2: the 2.5-norm of
// q, whose gradient has 2-norm ≤ 1.
func superEllipsoid(c, r r3.Vec) field {
	m := min(r.X, r.Y, r.Z)
	return func(p r3.Vec) (float64, r3.Vec) {
		x, dx := pow25((p.X - c.X) / r.X)
		y, dy := pow25((p.Y - c.Y) / r.Y)
		z, dz := pow25((p.Z - c.Z) / r.Z)
		n := root25(x + y + z)
		if n == 0 {
			return -m, r3.Vec{}
		}
		s := m / (n * math.Sqrt(n))
		return m * (n - 1), r3.Vec{X: s * dx / r.X, Y: s * dy / r.Y, Z: s * dz / r.Z}
	}
}

// dome is an ellipsoid above its equator that continues downwards as an
// elliptic cylinder.
func dome(c, r r3.Vec) field {
	e := ellipsoid(c, r)
	return func(p r3.Vec) (float64, r3.Vec) {
		p.Z = max(p.Z, c.Z)
		return e(p)
	}
}

// trunkEndMM is how far from the middle a trunk keeps tapering.
const trunkEndMM = 160.0

// trunk is a superelliptic cylinder along z (exponent 2.5) with half-width a,
// half-depths front and back, and cross-sections that grow by the fraction
// taper for each mm towards the head, within trunkEndMM of the middle.
func trunk(a, front, back, taper float64) field {
	m := min(a, front, back)
	// |g| ≤ 1: the thinnest cross-section has the steepest sides, and the taper
	// adds its slope at up to 1.5 radii from the axis.
	least := 1 - math.Abs(taper)*trunkEndMM
	k := m * least / math.Sqrt(1+2.25*m*m*taper*taper)
	return func(p r3.Vec) (float64, r3.Vec) {
		z := min(max(p.Z, -trunkEndMM), trunkEndMM)
		s := 1 / (1 + taper*z)
		b := back
		if p.Y < 0 {
			b = front
		}
		x, dx := pow25(p.X * s / a)
		y, dy := pow25(p.Y * s / b)
		n := root25(x + y)
		if n == 0 {
			return -k, r3.Vec{}
		}
		w := k / (n * math.Sqrt(n))
		g := r3.Vec{X: w * dx * s / a, Y: w * dy * s / b}
		if z == p.Z {
			g.Z = -k * n * s * taper
		}
		return k * (n - 1), g
	}
}

// column is an elliptic cylinder along z.
func column(x, y, rx, ry float64) field {
	m := min(rx, ry)
	return func(p r3.Vec) (float64, r3.Vec) {
		qx, qy := (p.X-x)/rx, (p.Y-y)/ry
		n := math.Sqrt(qx*qx + qy*qy)
		if n == 0 {
			return -m, r3.Vec{}
		}
		return m * (n - 1), r3.Vec{X: m * qx / (n * rx), Y: m * qy / (n * ry)}
	}
}

// oriented carries a field made about the origin to c, its x, y, z axes along
// the orthonormal u, v, w.
func oriented(f field, c, u, v, w r3.Vec) field {
	return func(p r3.Vec) (float64, r3.Vec) {
		d := r3.Sub(p, c)
		e, g := f(r3.Vec{X: r3.Dot(d, u), Y: r3.Dot(d, v), Z: r3.Dot(d, w)})
		return e, r3.Add(r3.Scale(g.X, u), r3.Add(r3.Scale(g.Y, v), r3.Scale(g.Z, w)))
	}
}

// basis returns an orthonormal u, v, w with u along dir.
func basis(dir r3.Vec) (u, v, w r3.Vec) {
	u = unit(dir)
	h := r3.Vec{Z: 1}
	if math.Abs(u.Z) > 0.9 {
		h = r3.Vec{X: 1}
	}
	v = unit(r3.Cross(h, u))
	return u, v, r3.Cross(u, v)
}

// scaled enlarges a field s times about the origin.
func scaled(f field, s float64) field {
	return func(p r3.Vec) (float64, r3.Vec) {
		e, g := f(r3.Scale(1/s, p))
		return s * e, g
	}
}

// grown moves the level set outwards by mm (inwards when negative).
func grown(f field, mm float64) field {
	return func(p r3.Vec) (float64, r3.Vec) {
		e, g := f(p)
		return e - mm, g
	}
}

// not swaps inside and outside.
func not(f field) field {
	return func(p r3.Vec) (float64, r3.Vec) {
		e, g := f(p)
		return -e, r3.Scale(-1, g)
	}
}

// join is the union of a and b, its crease rounded over a width k in mm: with
// h = max(k−|a−b|, 0)/k the value is min(a,b) − k·h²/4 and the gradient is the
// convex mix (1−h/2)·∇min + (h/2)·∇max, so |g| ≤ 1 holds.
func join(k float64, a, b field) field {
	return func(p r3.Vec) (float64, r3.Vec) {
		fa, ga := a(p)
		fb, gb := b(p)
		if fb < fa {
			fa, fb, ga, gb = fb, fa, gb, ga
		}
		if fb-fa >= k {
			return fa, ga
		}
		h := (k - fb + fa) / k
		return fa - k*h*h/4, r3.Add(r3.Scale(1-h/2, ga), r3.Scale(h/2, gb))
	}
}

// union and meet are the sharp union and intersection.
func union(fs ...field) field {
	return func(p r3.Vec) (float64, r3.Vec) {
		f, g := fs[0](p)
		for _, o := range fs[1:] {
			if e, h := o(p); e < f {
				f, g = e, h
			}
		}
		return f, g
	}
}

func meet(fs ...field) field {
	return func(p r3.Vec) (float64, r3.Vec) {
		f, g := fs[0](p)
		for _, o := range fs[1:] {
			if e, h := o(p); e > f {
				f, g = e, h
			}
		}
		return f, g
	}
}

// within is the intersection of a and b, the edge rounded over k mm: join of
// the complements, complemented.
func within(k float64, a, b field) field {
	return func(p r3.Vec) (float64, r3.Vec) {
		fa, ga := a(p)
		fb, gb := b(p)
		return blendMax(k, fa, ga, fb, gb)
	}
}

// carve takes b out of a, the rim rounded over k mm.
func carve(k float64, a, b field) field {
	return func(p r3.Vec) (float64, r3.Vec) {
		fa, ga := a(p)
		fb, gb := b(p)
		if fb >= k-fa { // −fb ≤ fa − k: too far to matter
			return fa, ga
		}
		return blendMax(k, fa, ga, -fb, r3.Scale(-1, gb))
	}
}

func blendMax(k, fa float64, ga r3.Vec, fb float64, gb r3.Vec) (float64, r3.Vec) {
	if fb > fa {
		fa, fb, ga, gb = fb, fa, gb, ga
	}
	if fa-fb >= k {
		return fa, ga
	}
	h := (k - fa + fb) / k
	return fa + k*h*h/4, r3.Add(r3.Scale(1-h/2, ga), r3.Scale(h/2, gb))
}
