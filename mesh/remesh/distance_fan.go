package remesh

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// fan holds the faces around a vertex as vectors from it.
type fan struct {
	m    []fanFace
	open bool // faces of several pairs, or spokes with one face only
}

// fanFace is the face (0, a, b) with the products that place a point in it.
type fanFace struct {
	ax, ay, az, bx, by, bz float64
	aa, ab, bb             float64 // a·a, a·b, b·b
	inv                    float64 // 1/(aa·bb − ab²), 0 for a face without area
	face                   int32
	pair                   uint32
}

// build takes the faces around h.
func (f *fan) build(w *work, h int32) {
	f.m = f.m[:0]
	f.open = w.kind[h] != inner
	p := w.pos[h]
	for _, c := range w.list[w.start[h]:w.start[h+1]] {
		t := c >> 2
		x, y := w.tri[t][ahead(c)], w.tri[t][back(c)]
		a, b := r3.Sub(w.pos[x], p), r3.Sub(w.pos[y], p)
		aa, ab, bb := r3.Norm2(a), r3.Dot(a, b), r3.Norm2(b)
		g := fanFace{a.X, a.Y, a.Z, b.X, b.Y, b.Z, aa, ab, bb, 0, t, w.side[t] & pairMask}
		if det := aa*bb - ab*ab; det > 0 {
			g.inv = 1 / det
		}
		f.m = append(f.m, g)
	}
}

// nearest is the squared distance of q, from the middle vertex, to the faces of
// the pair in the fan, and where in m it is found. The first face that q lies
// straight above is taken, beginning at guess. It is +Inf when the fan has no
// face of the pair.
func (f *fan) nearest(q r3.Vec, guess int, pair uint32) (d2 float64, at int) {
	q2 := q.X*q.X + q.Y*q.Y + q.Z*q.Z
	if guess >= len(f.m) {
		guess = 0
	}
	for k := range f.m {
		i := guess + k
		if i >= len(f.m) {
			i -= len(f.m)
		}
		if f.open && f.m[i].pair != pair {
			continue
		}
		if d, ok := f.m[i].above(q, q2); ok {
			return d, i
		}
	}
	d2 = math.Inf(1)
	for i := range f.m {
		g := &f.m[i]
		if f.open && g.pair != pair {
			continue
		}
		if q2 < d2 {
			d2, at = q2, i
		}
		qa := g.ax*q.X + g.ay*q.Y + g.az*q.Z
		qb := g.bx*q.X + g.by*q.Y + g.bz*q.Z
		if qa > 0 {
			t := min(1, qa/g.aa)
			if d := q2 - t*(2*qa-t*g.aa); d < d2 {
				d2, at = d, i
			}
		}
		if qb > 0 && f.open {
			t := min(1, qb/g.bb)
			if d := q2 - t*(2*qb-t*g.bb); d < d2 {
				d2, at = d, i
			}
		}
		ee := g.aa + g.bb - 2*g.ab  // |b−a|²
		er := qb - qa + g.aa - g.ab // (b−a)·(q−a)
		if er > 0 && er < ee {
			if d := q2 - 2*qa + g.aa - er*er/ee; d < d2 {
				d2, at = d, i
			}
		}
	}
	return max(d2, 0), at
}

// above reports whether q lies straight above or below the face, and its
// squared distance then.
func (g *fanFace) above(q r3.Vec, q2 float64) (float64, bool) {
	qa := g.ax*q.X + g.ay*q.Y + g.az*q.Z
	qb := g.bx*q.X + g.by*q.Y + g.bz*q.Z
	u, v := (g.bb*qa-g.ab*qb)*g.inv, (g.aa*qb-g.ab*qa)*g.inv
	if u < 0 || v < 0 || u+v > 1 || g.inv == 0 {
		return 0, false
	}
	return max(q2-u*qa-v*qb, 0), true
}

// toTriangle is the squared distance of p from triangle abc.
func toTriangle(p, a, b, c r3.Vec) float64 {
	ab, ac, ap := r3.Sub(b, a), r3.Sub(c, a), r3.Sub(p, a)
	aa, bb, m := r3.Norm2(ab), r3.Norm2(ac), r3.Dot(ab, ac)
	qa, qb := r3.Dot(ab, ap), r3.Dot(ac, ap)
	if det := aa*bb - m*m; det > 0 {
		u, v := (bb*qa-m*qb)/det, (aa*qb-m*qa)/det
		if u >= 0 && v >= 0 && u+v <= 1 {
			return r3.Norm2(r3.Sub(ap, r3.Add(r3.Scale(u, ab), r3.Scale(v, ac))))
		}
	}
	return min(toSegment(p, a, b), toSegment(p, b, c), toSegment(p, c, a))
}

func toSegment(p, a, b r3.Vec) float64 {
	e, q := r3.Sub(b, a), r3.Sub(p, a)
	t := 0.0
	if x := r3.Dot(e, q); x > 0 {
		t = min(1, x/r3.Norm2(e))
	}
	return r3.Norm2(r3.Sub(q, r3.Scale(t, e)))
}

// over finds the places of segments ab and cd of which one lies over the other,
// seen along (x, y, z).
func over(a, b, c, d r3.Vec, x, y, z float32) (p, q r3.Vec, ok bool) {
	up := r3.Vec{X: float64(x), Y: float64(y), Z: float64(z)}
	u, v, w := r3.Sub(b, a), r3.Sub(d, c), r3.Sub(a, c)
	vn, un := r3.Cross(v, up), r3.Cross(u, up)
	s, t := -r3.Dot(w, vn)/r3.Dot(u, vn), r3.Dot(w, un)/r3.Dot(v, un)
	if !(s >= 0 && s <= 1 && t >= 0 && t <= 1) {
		return p, q, false
	}
	return r3.Add(a, r3.Scale(s, u)), r3.Add(c, r3.Scale(t, v)), true
}

// betweenSegments is the squared distance of segments ab and cd (Ericson,
// Real-Time Collision Detection, 2005, section 5.1.9).
func betweenSegments(a, b, c, d r3.Vec) float64 {
	u, v, w := r3.Sub(b, a), r3.Sub(d, c), r3.Sub(a, c)
	uu, vv, uv := r3.Norm2(u), r3.Norm2(v), r3.Dot(u, v)
	uw, vw := r3.Dot(u, w), r3.Dot(v, w)
	s, t := 0.0, 0.0
	if det := uu*vv - uv*uv; det > 0 {
		s = min(1, max(0, (uv*vw-uw*vv)/det))
	}
	if vv > 0 {
		t = (uv*s + vw) / vv
	}
	if t < 0 || t > 1 {
		t = min(1, max(0, t))
		if uu > 0 {
			s = min(1, max(0, (uv*t-uw)/uu))
		}
	}
	return r3.Norm2(r3.Add(w, r3.Sub(r3.Scale(s, u), r3.Scale(t, v))))
}
