package cut

import (
	"context"
	"fmt"
	"math"

	"halsted/mesh"
	"halsted/mesh/spatial"

	"gonum.org/v1/gonum/spatial/r3"
)

// MaxDegree bounds the degree of a Bézier surface in either direction.
const MaxDegree = 31

// Bezier is a tensor-product Bézier surface S(u,v) = Σ B_i(u)·B_j(v)·P_ij on
// [0,1]² (G. Farin, Curves and Surfaces for CAGD, 5th ed., section 14.2). Its
// positive side is that of ∂S/∂u × ∂S/∂v. It is safe for concurrent use.
type Bezier struct {
	net  []r3.Vec // (p+1)·(q+1), j fastest
	p, q int      // degrees in u and v
}

// NewBezier takes a control net of (p+1) rows with (q+1) points each, LPS mm:
// net[i][j] is P_ij. Degrees go from 1 to MaxDegree; the net of a liver resection
// is 4×4.
//
// Errors: *SurfaceError for a net that is not such a rectangle or not finite.
func NewBezier(net [][]r3.Vec) (*Bezier, error) {
	bad := func(format string, a ...any) (*Bezier, error) {
		return nil, &SurfaceError{What: "Bézier surface", Why: fmt.Sprintf(format, a...)}
	}
	if len(net) < 2 || len(net) > MaxDegree+1 {
		return bad("its net has %d rows; give 2 to %d", len(net), MaxDegree+1)
	}
	b := &Bezier{p: len(net) - 1, q: len(net[0]) - 1}
	for i, row := range net {
		if len(row) < 2 || len(row) > MaxDegree+1 || len(row) != len(net[0]) {
			return bad("row %d of its net has %d points; give the same number in each, 2 to %d", i, len(row), MaxDegree+1)
		}
		for j, p := range row {
			if !finite(p) {
				return bad("control point (%d,%d) is %v; give finite LPS mm", i, j, p)
			}
			b.net = append(b.net, p)
		}
	}
	return b, nil
}

// bernstein writes the Bernstein polynomials of degree p at t and their
// derivatives.
func bernstein(p int, t float64, b, d *[MaxDegree + 1]float64) {
	b[0] = 1
	for k := 1; k <= p; k++ {
		if k == p { // derivatives come from degree p−1
			d[0] = -float64(p) * b[0]
			for i := 1; i < p; i++ {
				d[i] = float64(p) * (b[i-1] - b[i])
			}
			d[p] = float64(p) * b[p-1]
		}
		carry := 0.
		for i := range k {
			x := b[i]
			b[i] = carry + (1-t)*x
			carry = t * x
		}
		b[k] = carry
	}
}

// At is the point S(u,v), LPS mm, and the derivatives ∂S/∂u and ∂S/∂v there.
func (b *Bezier) At(u, v float64) (s, su, sv r3.Vec) {
	var bu, du, bv, dv [MaxDegree + 1]float64
	bernstein(b.p, u, &bu, &du)
	bernstein(b.q, v, &bv, &dv)
	for i := range b.p + 1 {
		var r, rv r3.Vec
		for j, p := range b.net[i*(b.q+1):][:b.q+1] {
			r.X += bv[j] * p.X
			r.Y += bv[j] * p.Y
			r.Z += bv[j] * p.Z
			rv.X += dv[j] * p.X
			rv.Y += dv[j] * p.Y
			rv.Z += dv[j] * p.Z
		}
		s = add(s, r3.Scale(bu[i], r))
		su = add(su, r3.Scale(du[i], r))
		sv = add(sv, r3.Scale(bu[i], rv))
	}
	return s, su, sv
}

// segments is the number of steps in u and v that keep triangles within
// tol mm of the surface: |S − triangle| ≤ (M_uu/m² + 2M_uv/(mn) + M_vv/n²)/8
// with M the largest second derivatives (D. Filip, R. Magedson, R. Markot,
// CAGD 3 (1986) 295–311), which second differences of the net bound.
func (b *Bezier) segments(tol float64) (m, n int) {
	at := func(i, j int) r3.Vec { return b.net[i*(b.q+1)+j] }
	var uu, uv, vv float64
	for i := range b.p + 1 {
		for j := range b.q + 1 {
			if i >= 2 {
				uu = max(uu, r3.Norm(add(sub(at(i, j), at(i-1, j)), sub(at(i-2, j), at(i-1, j)))))
			}
			if j >= 2 {
				vv = max(vv, r3.Norm(add(sub(at(i, j), at(i, j-1)), sub(at(i, j-2), at(i, j-1)))))
			}
			if i >= 1 && j >= 1 {
				uv = max(uv, r3.Norm(sub(sub(at(i, j), at(i-1, j)), sub(at(i, j-1), at(i-1, j-1)))))
			}
		}
	}
	p, q := float64(b.p), float64(b.q)
	uu, uv, vv = uu*p*(p-1), uv*p*q, vv*q*(q-1)
	// half of the mixed term goes to each direction
	steps := func(own float64) int {
		return min(max(int(math.Ceil(math.Sqrt((own+uv)/(4*tol)))), minSegments), maxSegments)
	}
	return steps(uu), steps(vv)
}

const (
	minSegments = 4
	maxSegments = 200
	// chordShare is the tolerance of the triangles that the search for the nearest
	// point starts from, as a share of the net's diagonal. Newton's method does the rest.
	chordShare = 1e-3
)

// Triangles approximates the surface within about tolMM: what a viewer shows.
// At most 200 steps are taken in either direction.
func (b *Bezier) Triangles(tolMM float64) *mesh.Surface {
	s, _ := b.triangles(tolMM)
	return s
}

// triangles also gives the parameters of each vertex.
func (b *Bezier) triangles(tol float64) (*mesh.Surface, [][2]float64) {
	m, n := b.segments(tol)
	s := &mesh.Surface{}
	var uv [][2]float64
	for i := range m + 1 {
		for j := range n + 1 {
			u, v := float64(i)/float64(m), float64(j)/float64(n)
			x, _, _ := b.At(u, v)
			s.Verts, uv = append(s.Verts, x), append(uv, [2]float64{u, v})
		}
	}
	for i := range m {
		for j := range n {
			a, c := int32(i*(n+1)+j), int32((i+1)*(n+1)+j)
			s.Tris = append(s.Tris, [3]int32{a, c, c + 1}, [3]int32{a, c + 1, a + 1})
		}
	}
	s.Region = make([]mesh.Sides, len(s.Tris))
	for t := range s.Region {
		s.Region[t] = mesh.Sides{Inside: 1}
	}
	return s, uv
}

// bezierField is a Bézier surface with triangles to start from.
type bezierField struct {
	b    *Bezier
	s    *mesh.Surface
	uv   [][2]float64
	bvh  *spatial.BVH
	tiny float64 // mm²: the square of the surface's rounding
}

func (b *Bezier) prepare(ctx context.Context) (field, error) {
	if b == nil || len(b.net) == 0 {
		return nil, &SurfaceError{What: "Bézier surface", Why: "it was not made by NewBezier"}
	}
	lo, hi := mesh.Bounds(b.net)
	size := r3.Norm(sub(hi, lo))
	f := &bezierField{b: b, tiny: 1e-30 * r3.Norm2(add(hi, r3.Scale(-1, lo)))}
	if !(size > 0) {
		return nil, &SurfaceError{What: "Bézier surface", Why: "all its control points are in one place", AtMM: lo}
	}
	f.s, f.uv = b.triangles(chordShare * size)
	kept := f.s.Tris[:0]
	for _, v := range f.s.Tris { // sides of the net may be drawn together
		x, y := sub(f.s.Verts[v[1]], f.s.Verts[v[0]]), sub(f.s.Verts[v[2]], f.s.Verts[v[0]])
		if r3.Norm(r3.Cross(x, y)) > flatFace*max(dot(x, x), dot(y, y)) {
			kept = append(kept, v)
		}
	}
	if f.s.Tris = kept; len(kept) == 0 {
		return nil, &SurfaceError{What: "Bézier surface", Why: "it has no area: its control points are in line", AtMM: lo}
	}
	f.s.Region = nil
	var err error
	f.bvh, err = spatial.New(ctx, f.s)
	return f, err
}

func (f *bezierField) at(p r3.Vec) foot { return f.foot(p, f.bvh.Closest(p)) }

// newtonSteps bounds the search for the nearest point.
const newtonSteps = 12

// foot walks from the nearest triangle to the nearest point of the surface:
// Gauss–Newton on |S(u,v) − p|² within [0,1]², halving steps that do not come
// closer.
func (f *bezierField) foot(p r3.Vec, h spatial.Hit) foot {
	tri := f.s.Tris[h.Tri]
	var u, v float64
	for i, n := range tri {
		u += h.Bary[i] * f.uv[n][0]
		v += h.Bary[i] * f.uv[n][1]
	}
	u, v = min(max(u, 0), 1), min(max(v, 0), 1)
	s, su, sv := f.b.At(u, v)
	d := sub(p, s)
	best := dot(d, d)
	for range newtonSteps {
		gu, gv := dot(su, d), dot(sv, d)
		a, b, c := dot(su, su), dot(su, sv), dot(sv, sv)
		// a parameter at its end that would leave stays there
		stayU := u == 0 && gu < 0 || u == 1 && gu > 0
		stayV := v == 0 && gv < 0 || v == 1 && gv > 0
		var du, dv float64
		det := a*c - b*b
		switch {
		case stayU && stayV:
		case stayU || !stayV && !(det > 1e-14*a*c) && c >= a:
			dv = gv / c
		case stayV || !(det > 1e-14*a*c):
			du = gu / a
		default:
			du, dv = (c*gu-b*gv)/det, (a*gv-b*gu)/det
		}
		moved := false
		for k := 0; k < 8 && !moved; k++ {
			x, y := min(max(u+du, 0), 1), min(max(v+dv, 0), 1)
			if x == u && y == v || math.IsNaN(x) || math.IsNaN(y) {
				break
			}
			s2, su2, sv2 := f.b.At(x, y)
			d2 := sub(p, s2)
			if l := dot(d2, d2); l < best {
				moved = best-l > 1e-15*best && l > f.tiny
				u, v, s, su, sv, d, best = x, y, s2, su2, sv2, d2, l
				break
			}
			du, dv = du/2, dv/2
		}
		if !moved {
			break
		}
	}
	n := r3.Cross(su, sv)
	if !(r3.Norm2(n) > flatFace*flatFace*max(dot(su, su), dot(sv, sv))*max(dot(su, su), dot(sv, sv))) {
		a := f.s.Verts[tri[0]]
		n = r3.Cross(sub(f.s.Verts[tri[1]], a), sub(f.s.Verts[tri[2]], a))
	}
	return footOf(p, s, n, u == 0 || u == 1 || v == 0 || v == 1)
}

func (f *bezierField) sides(ctx context.Context, m *mesh.TetMesh, dist []float64) error {
	lo, hi := mesh.Bounds(f.b.net)
	slack := 2 * chordShare * r3.Norm(sub(hi, lo))
	return sidesNear(ctx, m, dist, func(p r3.Vec, reach float64) float64 {
		h, ok := f.bvh.Within(p, reach+slack)
		if !ok {
			return math.NaN()
		}
		return f.foot(p, h).dist
	})
}
