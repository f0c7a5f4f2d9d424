package raster

import (
	"math"

	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
)

// geometry is the scene in view space and on the screen, in samples.
type geometry struct {
	w, h       int     // samples
	cx         float64 // where the camera's target stands, samples
	focal      float64 // samples per unit of tangent
	background [3]float64
	bodies     []body
	tris       []tri
	// Per vertex; near-plane clipping appends vertices.
	sx, sy []float64 // screen, samples
	iw     []float64 // 1/depth, 1/mm
	view   []r3.Vec  // mm
	normal []r3.Vec  // view space, unit or zero
	value  []float64 // of the quantity
	clip   [][]float64
}

// body is what the triangles of a structure share.
type body struct {
	colour      [3]float64
	opacity     float64
	transparent bool
	quantity    bool
	scale       scene.Scale
	clips       int // planes that cut it
}

// tri is a triangle on the screen, turned so that its area is positive there.
type tri struct {
	x, y                   [3]int64 // fixed point
	area                   int64    // twice, fixed point squared
	minX, maxX, minY, maxY int64
	v                      [3]int32
	body                   int32
	back                   bool
}

// guard is how far outside the picture, in multiples of its size, a vertex may
// lie; triangles that reach beyond are cut. It keeps the fixed-point products
// below 2⁶³: coordinates reach 2.5·16384·2⁸ < 2²⁴, differences twice that.
const guard = 2

func project(sc *scene.Scene, w, h int) *geometry {
	bg := sc.Background
	g := &geometry{
		w: w, h: h, cx: sc.Camera.CentreX(w), focal: float64(h) / (2 * math.Tan(sc.Camera.FovYDeg*math.Pi/360)),
		background: [3]float64{float64(bg.R) / 255, float64(bg.G) / 255, float64(bg.B) / 255},
		clip:       make([][]float64, len(sc.Clips)),
	}
	box, ok := sc.Bounds()
	if !ok {
		return g
	}
	near, _ := sc.Camera.NearFar(box)
	right, up, back := sc.Camera.Basis()
	var normals []r3.Vec
	for _, s := range sc.Structures {
		if !s.Drawn() {
			continue
		}
		b := body{
			colour:  [3]float64{float64(s.Colour.R) / 255, float64(s.Colour.G) / 255, float64(s.Colour.B) / 255},
			opacity: min(s.Opacity, 1), transparent: !s.Opaque(),
		}
		if !s.Unclipped {
			b.clips = len(sc.Clips)
		}
		vals := sc.Values(s)
		if vals != nil {
			b.scale, b.quantity = sc.Scale(s.Quantity)
		}
		pos := sc.Positions(s)
		if cap(normals) < len(pos) {
			normals = make([]r3.Vec, len(pos))
		}
		normals = normals[:len(pos)]
		scene.Normals(normals, pos, s.Tris)
		first := int32(len(g.view))
		for i, p := range pos {
			q, n := r3.Sub(p, sc.Camera.Eye), normals[i]
			var v float64
			if vals != nil {
				v = float64(vals[i])
			}
			g.addVertex(r3.Vec{X: r3.Dot(q, right), Y: r3.Dot(q, up), Z: r3.Dot(q, back)},
				r3.Vec{X: r3.Dot(n, right), Y: r3.Dot(n, up), Z: r3.Dot(n, back)}, v)
			for c, plane := range sc.Clips {
				g.clip[c] = append(g.clip[c], plane.SignedMM(p))
			}
		}
		g.bodies = append(g.bodies, b)
		for _, t := range s.Tris {
			g.addTri([3]int32{first + t[0], first + t[1], first + t[2]}, int32(len(g.bodies)-1), near)
		}
	}
	return g
}

func (g *geometry) addVertex(view, normal r3.Vec, value float64) {
	iw := -1 / view.Z
	g.view, g.normal, g.value = append(g.view, view), append(g.normal, normal), append(g.value, value)
	g.iw = append(g.iw, iw)
	g.sx = append(g.sx, g.cx+g.focal*view.X*iw)
	g.sy = append(g.sy, float64(g.h)/2-g.focal*view.Y*iw)
}

// addTri appends a triangle, cut where it reaches in front of the near plane or
// beyond the guard band.
func (g *geometry) addTri(v [3]int32, body int32, near float64) {
	cut := false
	for _, i := range v {
		if -g.view[i].Z < near || math.Abs(g.sx[i]-g.cx) > guard*float64(g.w) || math.Abs(g.sy[i]-float64(g.h)/2) > guard*float64(g.h) {
			cut = true
			break
		}
	}
	if !cut {
		g.addScreen(v, body)
		return
	}
	poly := []int32{v[0], v[1], v[2]}
	kx, ky := guard*float64(g.w)/g.focal, guard*float64(g.h)/g.focal
	for _, side := range []func(p r3.Vec) float64{
		func(p r3.Vec) float64 { return -p.Z - near },
		func(p r3.Vec) float64 { return -p.Z*kx - p.X },
		func(p r3.Vec) float64 { return -p.Z*kx + p.X },
		func(p r3.Vec) float64 { return -p.Z*ky - p.Y },
		func(p r3.Vec) float64 { return -p.Z*ky + p.Y },
	} {
		poly = g.cut(poly, side)
		if len(poly) < 3 {
			return
		}
	}
	for k := 2; k < len(poly); k++ {
		g.addScreen([3]int32{poly[0], poly[k-1], poly[k]}, body)
	}
}

// cut keeps the part of a convex polygon where side is not negative
// (Sutherland and Hodgman, CACM 17(1), 1974).
func (g *geometry) cut(poly []int32, side func(r3.Vec) float64) []int32 {
	var out []int32
	for k, i := range poly {
		j := poly[(k+1)%len(poly)]
		di, dj := side(g.view[i]), side(g.view[j])
		if di >= 0 {
			out = append(out, i)
		}
		if di >= 0 != (dj >= 0) {
			f := di / (di - dj)
			mix := func(a, b r3.Vec) r3.Vec { return r3.Add(a, r3.Scale(f, r3.Sub(b, a))) }
			g.addVertex(mix(g.view[i], g.view[j]), mix(g.normal[i], g.normal[j]), g.value[i]+f*(g.value[j]-g.value[i]))
			for c := range g.clip {
				g.clip[c] = append(g.clip[c], g.clip[c][i]+f*(g.clip[c][j]-g.clip[c][i]))
			}
			out = append(out, int32(len(g.view)-1))
		}
	}
	return out
}

func (g *geometry) addScreen(v [3]int32, body int32) {
	t := tri{v: v, body: body}
	for k, i := range v {
		t.x[k], t.y[k] = int64(math.Round(g.sx[i]*subOne)), int64(math.Round(g.sy[i]*subOne))
	}
	t.area = (t.x[1]-t.x[0])*(t.y[2]-t.y[0]) - (t.y[1]-t.y[0])*(t.x[2]-t.x[0])
	switch {
	case t.area == 0:
		return
	case t.area < 0: // counter-clockwise with y up, as seen from outside: a front
		t.v[1], t.v[2] = t.v[2], t.v[1]
		t.x[1], t.x[2] = t.x[2], t.x[1]
		t.y[1], t.y[2] = t.y[2], t.y[1]
		t.area = -t.area
	default:
		t.back = true
	}
	t.minX, t.maxX = min(t.x[0], t.x[1], t.x[2]), max(t.x[0], t.x[1], t.x[2])
	t.minY, t.maxY = min(t.y[0], t.y[1], t.y[2]), max(t.y[0], t.y[1], t.y[2])
	if t.maxX < 0 || t.maxY < 0 || t.minX >= int64(g.w)<<subBits || t.minY >= int64(g.h)<<subBits {
		return
	}
	g.tris = append(g.tris, t)
}

// weights are the perspective-correct weights of the triangle's vertices and
// 1/depth at a sample.
func (g *geometry) weights(t *tri, x, y int) (b0, b1, b2, iw float64) {
	px, py := int64(x)<<subBits+subOne/2, int64(y)<<subBits+subOne/2
	var b [3]float64
	for k := range 3 {
		ax, ay := t.x[(k+1)%3], t.y[(k+1)%3]
		bx, by := t.x[(k+2)%3], t.y[(k+2)%3]
		b[k] = float64((bx-ax)*(py-ay)-(by-ay)*(px-ax)) / float64(t.area) * g.iw[t.v[k]]
	}
	iw = b[0] + b[1] + b[2]
	return b[0] / iw, b[1] / iw, b[2] / iw, iw
}

// shade is the colour and opacity of a triangle at a sample.
func (g *geometry) shade(t *tri, b0, b1, b2, iw float64, x, y int) (red, green, blue, alpha float64) {
	b := &g.bodies[t.body]
	i, j, k := t.v[0], t.v[1], t.v[2]
	red, green, blue = b.colour[0], b.colour[1], b.colour[2]
	coloured := b.quantity && !t.back
	if coloured {
		red, green, blue = b.scale.Colour(b0*g.value[i] + b1*g.value[j] + b2*g.value[k])
	}
	p, q, r := &g.normal[i], &g.normal[j], &g.normal[k]
	n := r3.Vec{X: b0*p.X + b1*q.X + b2*r.X, Y: b0*p.Y + b1*q.Y + b2*r.Y, Z: b0*p.Z + b1*q.Z + b2*r.Z}
	v := r3.Vec{X: -(float64(x) + 0.5 - g.cx) / g.focal, Y: (float64(y) + 0.5 - float64(g.h)/2) / g.focal, Z: 1}
	v = r3.Scale(1/math.Sqrt(v.X*v.X+v.Y*v.Y+1), v)
	if l := r3.Norm(n); l > 0 {
		n = r3.Scale(1/l, n)
	} else {
		n = v
	}
	if t.back {
		n = r3.Scale(-1, n)
		red, green, blue = scene.BackColour(red, green, blue)
	}
	d, s := scene.Shade(n, v)
	switch {
	case t.back:
		s = 0
	case coloured:
		d, s = scene.Flatten(d), s*scene.QuantityShade
	}
	alpha = b.opacity
	if b.transparent {
		alpha = scene.RimOpacity(alpha, min(1, math.Abs(r3.Dot(n, v))))
	}
	return d*red + s, d*green + s, d*blue + s, alpha
}
