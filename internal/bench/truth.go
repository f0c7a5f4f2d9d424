package main

import (
	"math"
	"slices"

	"halsted/imaging"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// truth is the exact interface of an analytic scene: the points where the label
// function changes. Surfaces that others hide are no part of it.
type truth struct {
	s *scene
	// Samples of the visible surfaces, spaced half a voxel, cut to the box.
	sample []truePoint
	close  *bins
	lo, hi r3.Vec // distances are taken inside this box, see inBox
	eps    float64
}

// truePoint stands for areaMM2 of interface with labels in and out behind and
// ahead of its normal.
type truePoint struct {
	p       r3.Vec
	areaMM2 float64
	in, out imaging.Label
}

// anyLabel stands for every label: its border is wherever labels change.
const anyLabel imaging.Label = 255

// borders reports whether a border of l runs between labels a and b.
func borders(a, b, l imaging.Label) bool {
	if l == anyLabel {
		return a != b
	}
	return (a == l) != (b == l)
}

// newTruth samples the interface of s.
func newTruth(s *scene) *truth {
	s.index()
	h := s.voxelMM()
	t := &truth{s: s, eps: 1e-3 * h}
	// A mesh may end on the outer voxel centres or faces; neither is an
	// interface. What is nearer than a voxel to the outermost centres is left out.
	t.lo = r3.Vec{X: s.Sp[0], Y: s.Sp[1], Z: s.Sp[2]}
	t.hi = r3.Vec{X: float64(s.Dims[0]-2) * s.Sp[0], Y: float64(s.Dims[1]-2) * s.Sp[1], Z: float64(s.Dims[2]-2) * s.Sp[2]}
	step := h / 2
	surfaces := s.surfaces()
	parts := make([][]truePoint, len(surfaces))
	par.Chunks(len(surfaces), 1, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			surfaces[n].sample(step, func(p, normal r3.Vec, area float64) {
				if !t.inBox(p) {
					return
				}
				in, out := t.label(r3.Sub(p, r3.Scale(t.eps, normal))), t.label(r3.Add(p, r3.Scale(t.eps, normal)))
				if in != out {
					parts[n] = append(parts[n], truePoint{p, area, in, out})
				}
			})
		}
	})
	t.sample = slices.Concat(parts...)
	t.close = newBins(len(t.sample), 2*h, func(n int) (r3.Vec, r3.Vec) { return t.sample[n].p, t.sample[n].p })
	return t
}

func (t *truth) inBox(p r3.Vec) bool {
	return p.X >= t.lo.X && p.Y >= t.lo.Y && p.Z >= t.lo.Z && p.X <= t.hi.X && p.Y <= t.hi.Y && p.Z <= t.hi.Z
}

func (t *truth) label(p r3.Vec) imaging.Label { return t.s.labelAt(triple{p.X, p.Y, p.Z}) }

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

// candidate is a surface near a point.
type candidate struct {
	f *surface
	d float64 // signed distance
	n r3.Vec
}

// prober asks the truth for distances; one per goroutine.
type prober struct {
	*truth
	surfaces []surface
	found    []candidate
}

func (t *truth) prober() *prober { return &prober{truth: t, surfaces: t.s.surfaces()} }

// look collects the surfaces near p, nearest first.
func (t *prober) look(p r3.Vec) {
	t.found = t.found[:0]
	add := func(f *surface) {
		d, n := f.signed(p)
		t.found = append(t.found, candidate{f, d, n})
	}
	for n := range t.s.Ell {
		add(&t.surfaces[n])
	}
	for _, n := range t.s.near.at(triple{p.X, p.Y, p.Z}) {
		add(&t.surfaces[len(t.s.Ell)+2*int(n)])
		add(&t.surfaces[len(t.s.Ell)+2*int(n)+1])
	}
	slices.SortStableFunc(t.found, func(a, b candidate) int {
		switch x, y := math.Abs(a.d), math.Abs(b.d); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}

// distance is how far p, the point last looked at, is from the border of l. Every candidate it takes
// is a point of the true border, so the result is never too small; it is exact
// where the nearest point is on one surface or on a curve where two meet, and
// within the spacing of the samples elsewhere.
func (t *prober) distance(p r3.Vec, l imaging.Label) float64 {
	found := t.found
	best, hidden := math.Inf(1), 0
	for _, c := range found {
		d := math.Abs(c.d)
		if d >= best || d > nearMM {
			break
		}
		q := r3.Sub(p, r3.Scale(c.d, c.n))
		e := r3.Scale(t.eps, c.n)
		if borders(t.label(r3.Sub(q, e)), t.label(r3.Add(q, e)), l) {
			best = d
			break
		}
		hidden++
	}
	if hidden == 0 && !math.IsInf(best, 1) {
		return best
	}
	// The nearest point of a surface was hidden by another: try where they meet.
	const most = 6
	for i := range min(hidden, most) {
		for j := range min(len(found), most) {
			if j == i || math.Abs(found[j].d) >= best || math.Abs(found[j].d) > nearMM {
				continue
			}
			if x, ok := t.meet(p, found[i].f, found[j].f, l); ok {
				best = min(best, length(r3.Sub(p, x)))
			}
		}
	}
	_, best = t.close.nearest(p, best, func(n int32) float64 {
		if s := &t.sample[n]; !borders(s.in, s.out, l) {
			return math.Inf(1)
		}
		return length(r3.Sub(p, t.sample[n].p))
	})
	return best
}

// meet walks to the point nearest p of the curve where two surfaces meet, and
// tells whether l begins or ends there.
func (t *prober) meet(p r3.Vec, f, g *surface, l imaging.Label) (r3.Vec, bool) {
	x := p
	var nf, ng r3.Vec
	for range 12 {
		var df, dg float64
		df, nf = f.signed(x)
		dg, ng = g.signed(x)
		// the point nearest p on both tangent planes is p + a·nf + b·ng
		c := r3.Dot(nf, ng)
		det := 1 - c*c
		if det < 1e-6 {
			return x, false
		}
		back := r3.Sub(x, p)
		rf, rg := r3.Dot(nf, back)-df, r3.Dot(ng, back)-dg
		a, b := (rf-c*rg)/det, (rg-c*rf)/det
		x = r3.Add(p, r3.Add(r3.Scale(a, nf), r3.Scale(b, ng)))
	}
	df, _ := f.signed(x)
	dg, _ := g.signed(x)
	if math.Abs(df) > t.eps || math.Abs(dg) > t.eps {
		return x, false
	}
	var first imaging.Label
	for n, s := range [4][2]float64{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
		q := t.label(r3.Add(x, r3.Add(r3.Scale(4*t.eps*s[0], nf), r3.Scale(4*t.eps*s[1], ng))))
		if n == 0 {
			first = q
		} else if borders(first, q, l) {
			return x, true
		}
	}
	return x, false
}
