package fem

import "gonum.org/v1/gonum/spatial/r3"

// Faces are tied when the cosine between their normals is below tieFacing.
// Pieces smaller than tiePiece of the reference triangle are dropped: rounding.
const (
	tieFacing = -0.3
	tiePiece  = 1e-12
)

// segments cuts every face of own along the edges of the faces of other that
// lie over it, in the plane of its corners, and puts quadrature points on the
// pieces.
func (t *tieTerm) segments(u []float64) {
	tree := t.other.tree(u)
	rule := t.own.faceRule()
	var p, o [6]r3.Vec
	var g quad6
	for f := range int32(t.own.faces()) {
		if t.own.alone[f] {
			continue
		}
		t.own.place(&p, f, u)
		search := t.t.SearchMM
		if search == 0 {
			search = t.own.long[f] / 4
		}
		cut := newCutter(&p)
		cut.candidates(tree, search, func(c int32) {
			t.other.place(&o, c, u)
			group := int32(-1)
			cut.pieces(&o, tieFacing, func(q0, q1, q2 [2]float64, piece float64) {
				for q, r := range rule.P {
					l0 := 1 - r.X - r.Y
					xi := r3.Vec{X: l0*q0[0] + r.X*q1[0] + r.Y*q2[0], Y: l0*q0[1] + r.X*q1[1] + r.Y*q2[1]}
					g.at(&p, xi.X, xi.Y)
					foot := onFace(&o, g.y)
					if !(foot.dist <= search) {
						continue
					}
					if group < 0 {
						group = int32(len(t.groups))
						t.groups = append(t.groups, tieGroup{
							nodes: append(append([]int32(nil), t.own.of(f)...), t.other.of(c)...),
							under: [2]int32{t.own.elem[f], t.other.elem[c]},
						})
					}
					pt := tiePoint{group: group, w: rule.W[q] * piece * r3.Norm(r3.Cross(g.a, g.b)), l: [3]float64{1 - xi.X - xi.Y, xi.X, xi.Y}}
					pt.k = pt.w * t.penalty() * min(t.own.scale[f], t.other.scale[c])
					copy(pt.at[:], t.own.vertex[3*f:3*f+3])
					var m [6]float64
					t.own.shape(&m, xi)
					copy(pt.c[:t.own.k], m[:])
					t.other.shape(&m, foot.xi)
					for b := range t.other.k {
						pt.c[t.own.k+b] = -m[b]
					}
					t.pts = append(t.pts, pt)
				}
			})
		})
	}
}

// clipToTriangle cuts a polygon to the reference triangle x, y ≥ 0, x + y ≤ 1
// (I. Sutherland & G. Hodgman, Commun. ACM 17 (1974) 32).
func clipToTriangle(poly [][2]float64) [][2]float64 {
	for _, side := range []func([2]float64) float64{
		func(p [2]float64) float64 { return p[0] },
		func(p [2]float64) float64 { return p[1] },
		func(p [2]float64) float64 { return 1 - p[0] - p[1] },
	} {
		var out [][2]float64
		for i, a := range poly {
			b := poly[(i+1)%len(poly)]
			da, db := side(a), side(b)
			if da >= 0 {
				out = append(out, a)
			}
			if da >= 0 != (db >= 0) {
				s := da / (da - db)
				out = append(out, [2]float64{a[0] + s*(b[0]-a[0]), a[1] + s*(b[1]-a[1])})
			}
		}
		poly = out
	}
	return poly
}

// overlap calls visit for the items whose leaf box meets the box lo, hi.
func (t *boxTree) overlap(lo, hi r3.Vec, visit func(item int32)) {
	if len(t.item) > 0 {
		t.meet(0, lo, hi, visit)
	}
}

func (t *boxTree) meet(i int32, lo, hi r3.Vec, visit func(int32)) {
	a, b := t.lo[i], t.hi[i]
	if a.X > hi.X || b.X < lo.X || a.Y > hi.Y || b.Y < lo.Y || a.Z > hi.Z || b.Z < lo.Z {
		return
	}
	l := 2*i + 1
	if int(l) >= len(t.lo) || t.from[l] < 0 {
		for _, f := range t.item[t.from[i]:t.to[i]] {
			visit(f)
		}
		return
	}
	t.meet(l, lo, hi, visit)
	t.meet(l+1, lo, hi, visit)
}
