package fem

import (
	"math"

	"halsted/fem/element"

	"gonum.org/v1/gonum/spatial/r3"
)

// layout puts the points of the term: those of the quadrature rule on every
// face, which stay, or, between two meshes without friction, those of the pieces
// that the edges of both sides cut, for the displacement u.
func (t *contactTerm) layout(u []float64) {
	if t.cut {
		t.pieces(u)
	} else if t.pts == nil {
		for f := range int32(t.own.faces()) {
			t.whole(f)
		}
	}
	if len(t.hits) != len(t.pts) {
		t.hits, t.closed = make([]hit, len(t.pts)), make([]bool, len(t.pts))
	}
}

// whole puts the points of the quadrature rule on face f.
func (t *contactTerm) whole(f int32) {
	for q, x := range t.rule.P {
		t.put(f, x, t.rule.W[q])
	}
}

// put adds a point at xi of face f; w is its part of the reference triangle's
// area ½.
func (t *contactTerm) put(f int32, xi r3.Vec, w float64) {
	var p [6]r3.Vec
	var g quad6
	t.own.place(&p, f, nil)
	g.at(&p, xi.X, xi.Y)
	s := touch{face: f, xi: xi, l: [3]float64{1 - xi.X - xi.Y, xi.X, xi.Y}, w: t.weight * w * r3.Norm(r3.Cross(g.a, g.b))}
	t.own.shape(&s.n, xi)
	t.pts = append(t.pts, s)
}

// pieces puts points on the pieces of every face of own that have a face of
// other over them; a face without any keeps those of the rule. Where pieces lie
// over each other, the rule's points are kept too: a fold.
func (t *contactTerm) pieces(u []float64) {
	t.pts = t.pts[:0]
	tree := t.other.tree(u)
	rule := element.TriRule(2) // exact for a uniform pressure on either side
	var p, o [6]r3.Vec
	for f := range int32(t.own.faces()) {
		if t.own.alone[f] {
			continue
		}
		if t.sys.gone() {
			break
		}
		t.own.place(&p, f, u)
		first, area := len(t.pts), 0.0
		cut := newCutter(&p)
		cut.candidates(tree, t.own.long[f], func(c int32) {
			t.other.place(&o, c, u)
			cut.pieces(&o, facingTol, func(q0, q1, q2 [2]float64, piece float64) {
				area += piece / 2
				for q, r := range rule.P {
					l0 := 1 - r.X - r.Y
					t.put(f, r3.Vec{X: l0*q0[0] + r.X*q1[0] + r.Y*q2[0], Y: l0*q0[1] + r.X*q1[1] + r.Y*q2[1]}, rule.W[q]*piece)
					t.pts[len(t.pts)-1].base = c
				}
			})
		})
		if area == 0 || area > 0.5*(1+1e-6) {
			t.pts = t.pts[:first]
			t.whole(f)
			for i := first; i < len(t.pts); i++ {
				t.pts[i].base = -1
			}
		}
	}
}

// cutter cuts a face along the edges of others that lie over it, in the plane of
// its corners.
type cutter struct {
	lo, hi, at, e1, e2, n r3.Vec
	a11, a12, a22, det    float64
}

func newCutter(p *[6]r3.Vec) *cutter {
	c := &cutter{lo: p[0], hi: p[0], at: p[0], e1: r3.Sub(p[1], p[0]), e2: r3.Sub(p[2], p[0])}
	for _, x := range p[1:] {
		c.lo = r3.Vec{X: min(c.lo.X, x.X), Y: min(c.lo.Y, x.Y), Z: min(c.lo.Z, x.Z)}
		c.hi = r3.Vec{X: max(c.hi.X, x.X), Y: max(c.hi.Y, x.Y), Z: max(c.hi.Z, x.Z)}
	}
	c.n = r3.Unit(r3.Cross(c.e1, c.e2))
	c.a11, c.a12, c.a22 = r3.Dot(c.e1, c.e1), r3.Dot(c.e1, c.e2), r3.Dot(c.e2, c.e2)
	c.det = c.a11*c.a22 - c.a12*c.a12
	return c
}

// candidates visits the faces of a tree within a distance.
func (c *cutter) candidates(t *boxTree, within float64, visit func(face int32)) {
	pad := r3.Vec{X: within, Y: within, Z: within}
	t.overlap(r3.Sub(c.lo, pad), r3.Add(c.hi, pad), visit)
}

// pieces are the triangles, in coordinates of the face, that the face o covers,
// with twice their area there; none if the cosine between the normals is not
// below facing.
func (c *cutter) pieces(o *[6]r3.Vec, facing float64, do func(q0, q1, q2 [2]float64, piece float64)) {
	m := r3.Cross(r3.Sub(o[1], o[0]), r3.Sub(o[2], o[0]))
	if !(r3.Dot(c.n, m) < facing*r3.Norm(m)) || !(c.det > 0) {
		return
	}
	poly := make([][2]float64, 0, 8)
	for _, x := range o[:3] {
		d := r3.Sub(x, c.at)
		r1, r2 := r3.Dot(d, c.e1), r3.Dot(d, c.e2)
		poly = append(poly, [2]float64{(c.a22*r1 - c.a12*r2) / c.det, (c.a11*r2 - c.a12*r1) / c.det})
	}
	poly = clipToTriangle(poly)
	for i := 1; i+1 < len(poly); i++ {
		q0, q1, q2 := poly[0], poly[i], poly[i+1]
		if piece := math.Abs((q1[0]-q0[0])*(q2[1]-q0[1]) - (q2[0]-q0[0])*(q1[1]-q0[1])); piece > tiePiece {
			do(q0, q1, q2, piece)
		}
	}
}
