package shell

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// mitreReg weighs the offset's pull towards the mean normal against the
	// faces; it keeps nearly flat fans from sliding sideways.
	mitreReg = 0.02
	// maxMitre bounds the offset of a node per mm of thickness: folds sharper
	// than 2·asin(1/maxMitre) ≈ 47° get a thinner wall.
	maxMitre = 2.5
	// minLean is the least advance over a face per mm of thickness.
	minLean = 0.3
	// minVisible is the least cosine between a node's normal and those of its
	// faces.
	minVisible = 0.1
)

// faceNormal is the unit normal of face f of the lumen surface, towards the
// room side.
func (g *growth) faceNormal(f int32) r3.Vec {
	v := &g.faces[f]
	a, b, c := g.orig[g.node(v[0])], g.orig[g.node(v[1])], g.orig[g.node(v[2])]
	return r3.Unit(r3.Cross(r3.Sub(b, a), r3.Sub(c, a)))
}

// node is the node number of copy c.
func (g *growth) node(c int32) int32 { return int32(len(g.m.Nodes)) + c }

// directions gives every copy the offset per mm of thickness: the vector m
// with m·n = 1 for the unit normals n of its faces, in the sense of least
// squares weighted by the angles at the node, so that a parallel surface moves
// every face by the thickness. Where the faces leave no such vector it is the
// axis of their visible cone (Y. Kallinderis, S. Ward, AIAA J. 31 (1993) 1850,
// doi:10.2514/3.11858), scaled so that the mean advance is 1. At a border or an
// interface m lies in it.
func (g *growth) directions() error {
	normal := make([]r3.Vec, len(g.faces))
	for f := range normal {
		normal[f] = g.faceNormal(int32(f))
	}
	g.dir = make([]r3.Vec, len(g.base))
	g.hold = make([]hold, len(g.pos))
	for c := range g.base {
		if c&0xfff == 0 && g.ctx.Err() != nil {
			return g.ctx.Err()
		}
		n := g.node(int32(c))
		g.hold[n] = g.holds(n)
		if g.height[c] == 0 {
			continue
		}
		if g.dir[c] = g.mitre(int32(c), normal); g.dir[c] == (r3.Vec{}) {
			g.height[c], g.reason[c] = 0, ReasonEdge
		}
	}
	return nil
}

func (g *growth) mitre(c int32, normal []r3.Vec) r3.Vec {
	h := &g.hold[g.node(c)]
	if h.kind == stays {
		return r3.Vec{}
	}
	fan := g.fan.of(c)
	at := g.orig[g.node(c)]
	var axis r3.Vec
	var total float64
	var a [6]float64 // Σ w n nᵀ: xx xy xz yy yz zz
	for _, f := range fan {
		w := g.angleAt(f, c, at)
		n := normal[f]
		axis = r3.Add(axis, r3.Scale(w, n))
		total += w
		a[0] += w * n.X * n.X
		a[1] += w * n.X * n.Y
		a[2] += w * n.X * n.Z
		a[3] += w * n.Y * n.Y
		a[4] += w * n.Y * n.Z
		a[5] += w * n.Z * n.Z
	}
	sum := axis
	axis = g.visible(fan, normal, h.allow(axis), h)
	if axis == (r3.Vec{}) {
		return axis
	}
	reg := mitreReg * total
	rhs := r3.Add(sum, r3.Scale(reg, axis))
	for _, k := range [3]int{0, 3, 5} {
		a[k] += reg
	}
	big := 1e6 * total
	switch d := h.dir; h.kind {
	case slides: // forbid the normal
		a[0] += big * d.X * d.X
		a[1] += big * d.X * d.Y
		a[2] += big * d.X * d.Z
		a[3] += big * d.Y * d.Y
		a[4] += big * d.Y * d.Z
		a[5] += big * d.Z * d.Z
	case runs: // forbid all but the crease
		a[0] += big * (1 - d.X*d.X)
		a[1] -= big * d.X * d.Y
		a[2] -= big * d.X * d.Z
		a[3] += big * (1 - d.Y*d.Y)
		a[4] -= big * d.Y * d.Z
		a[5] += big * (1 - d.Z*d.Z)
	}
	m := h.allow(solve3(a, rhs))
	lean := math.Inf(1)
	for _, f := range fan {
		lean = min(lean, r3.Dot(m, normal[f]))
	}
	if !(lean >= minLean) {
		mean := 0.0
		lean = math.Inf(1)
		for _, f := range fan {
			d := r3.Dot(axis, normal[f])
			mean += g.angleAt(f, c, at) * d
			lean = min(lean, d)
		}
		m = r3.Scale(total/mean, axis)
	}
	if l := r3.Norm(m); l > maxMitre {
		m = r3.Scale(maxMitre/l, m)
	}
	return m
}

// angleAt is the angle of face f at copy c, radians.
func (g *growth) angleAt(f, c int32, at r3.Vec) float64 {
	v := g.faces[f]
	for v[0] != c {
		v = [3]int32{v[1], v[2], v[0]}
	}
	u, w := r3.Sub(g.orig[g.node(v[1])], at), r3.Sub(g.orig[g.node(v[2])], at)
	return math.Atan2(r3.Norm(r3.Cross(u, w)), r3.Dot(u, w))
}

// visible turns axis away from the faces it sees worst, until it sees all of
// them; the zero vector when it cannot.
func (g *growth) visible(fan []int32, normal []r3.Vec, axis r3.Vec, h *hold) r3.Vec {
	l := r3.Norm(axis)
	if !(l > 1e-9) {
		return r3.Vec{}
	}
	axis = r3.Scale(1/l, axis)
	best, bestMin := axis, -1.0
	for step := 0.5; step > 0.01; step *= 0.85 {
		worst, low := int32(-1), math.Inf(1)
		for _, f := range fan {
			if d := r3.Dot(axis, normal[f]); d < low {
				worst, low = f, d
			}
		}
		if low > bestMin {
			best, bestMin = axis, low
		}
		if bestMin > 0.5 {
			break
		}
		axis = h.allow(r3.Add(axis, r3.Scale(step, normal[worst])))
		if l = r3.Norm(axis); !(l > 1e-9) {
			break
		}
		axis = r3.Scale(1/l, axis)
	}
	if bestMin < minVisible {
		return r3.Vec{}
	}
	return best
}

// solve3 solves the symmetric system a·x = b by Cramer's rule.
func solve3(a [6]float64, b r3.Vec) r3.Vec {
	r0 := r3.Vec{X: a[0], Y: a[1], Z: a[2]}
	r1 := r3.Vec{X: a[1], Y: a[3], Z: a[4]}
	r2 := r3.Vec{X: a[2], Y: a[4], Z: a[5]}
	c0, c1, c2 := r3.Cross(r1, r2), r3.Cross(r2, r0), r3.Cross(r0, r1)
	det := r3.Dot(r0, c0)
	return r3.Scale(1/det, r3.Add(r3.Scale(b.X, c0), r3.Add(r3.Scale(b.Y, c1), r3.Scale(b.Z, c2))))
}

// top is where copy c stands with a wall of h mm.
func (g *growth) top(c int32, h float64) r3.Vec {
	n := g.node(c)
	if h == 0 {
		return g.orig[n]
	}
	return g.sheets.settle(&g.hold[n], r3.Add(g.orig[n], r3.Scale(h, g.dir[c])))
}
