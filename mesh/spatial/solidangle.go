package spatial

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// moments sum up the faces below a node for a point far away: the field of
// dipoles on the faces, expanded around a centre to second order (Barill et
// al., section 3 and appendix A). What the field sees of the tensors is kept.
type moments struct {
	centre r3.Vec      // mean of the faces by area, mm
	reach2 float64     // squared distance to the centre beyond which they serve
	area   r3.Vec      // Σ area·normal, mm²
	linear [6]float32  // xx, yy, zz, xy, yz, zx of the symmetric first moment, mm³; twice off the diagonal
	vector [3]float32  // traces of the second moment, mm⁴
	cubic  [10]float32 // the second moment as a form: xxx, yyy, zzz, xxy, xxz, yyx, yyz, zzx, zzy, xyz
}

// farFactor is how many radii away faces are taken together: β of Barill et
// al., who use 2.
const farFactor = 2

// tensors are moments while they are gathered: with n the weighted normal,
// first[i] = ∫(x−centre)_i n and second[i][k] = ∫(x−centre)_i (x−centre)_k n.
type tensors struct {
	total  float64 // Σ area without weights
	area   r3.Vec
	centre r3.Vec
	first  [3]r3.Vec
	second [3][3]r3.Vec
}

// gather fills the moments of node n and below.
func (b *BVH) gather(n int32) (sum tensors) {
	nd := &b.nodes[n]
	var part [2]tensors
	var mids r3.Vec // Σ area·centre
	for c := range 2 {
		if nd.count[c] > 0 {
			b.leaf(&part[c], nd.child[c], nd.child[c]+nd.count[c])
		} else if nd.child[c] > 0 { // not an empty child
			part[c] = b.gather(nd.child[c])
		}
		sum.total += part[c].total
		mids = r3.Add(mids, r3.Scale(part[c].total, part[c].centre))
	}
	sum.centre = part[0].centre
	if sum.total > 0 {
		sum.centre = r3.Scale(1/sum.total, mids)
	}
	var r [3]float64 // to the furthest corner of the boxes
	mid := [3]float64{sum.centre.X, sum.centre.Y, sum.centre.Z}
	for c := range 2 {
		sum.add(&part[c])
		for a, x := range mid {
			r[a] = max(r[a], x-float64(nd.at[c].lo[a]), float64(nd.at[c].hi[a])-x)
		}
	}
	b.wind.far[n] = sum.moments(farFactor * farFactor * (r[0]*r[0] + r[1]*r[1] + r[2]*r[2]))
	return sum
}

// leaf takes the moments of places lo … hi−1.
func (b *BVH) leaf(m *tensors, lo, hi int32) {
	area := func(i int32) r3.Vec {
		p, q, r := b.corners(i)
		return r3.Scale(0.5, r3.Cross(r3.Sub(q, p), r3.Sub(r, p)))
	}
	for i := lo; i < hi; i++ {
		p, q, r := b.corners(i)
		a := r3.Norm(area(i))
		m.total += a
		m.centre = r3.Add(m.centre, r3.Scale(a/3, r3.Add(p, r3.Add(q, r))))
	}
	if m.total == 0 {
		m.centre, _, _ = b.corners(lo)
		return
	}
	m.centre = r3.Scale(1/m.total, m.centre)
	for i := lo; i < hi; i++ {
		p, q, r := b.corners(i)
		n := r3.Scale(float64(b.wind.weight[i]), area(i))
		m.area = r3.Add(m.area, n)
		// ∫x = A·Σv/3, ∫xxᵀ = A·(Σvvᵀ + Σv·Σvᵀ)/12 over the corners v
		var v [4][3]float64
		for c, x := range [3]r3.Vec{p, q, r} {
			x = r3.Sub(x, m.centre)
			v[c] = [3]float64{x.X, x.Y, x.Z}
			for a := range 3 {
				v[3][a] += v[c][a]
			}
		}
		for a := range 3 {
			m.first[a] = r3.Add(m.first[a], r3.Scale(v[3][a]/3, n))
			for c := range 3 {
				xx := v[0][a]*v[0][c] + v[1][a]*v[1][c] + v[2][a]*v[2][c] + v[3][a]*v[3][c]
				m.second[a][c] = r3.Add(m.second[a][c], r3.Scale(xx/12, n))
			}
		}
	}
}

// add moves p to the centre of m and adds it.
func (m *tensors) add(p *tensors) {
	m.area = r3.Add(m.area, p.area)
	s := r3.Sub(p.centre, m.centre)
	d := [3]float64{s.X, s.Y, s.Z}
	for i := range 3 {
		m.first[i] = r3.Add(m.first[i], r3.Add(p.first[i], r3.Scale(d[i], p.area)))
		for k := range 3 {
			x := r3.Add(p.second[i][k], r3.Scale(d[i]*d[k], p.area))
			x = r3.Add(x, r3.Add(r3.Scale(d[i], p.first[k]), r3.Scale(d[k], p.first[i])))
			m.second[i][k] = r3.Add(m.second[i][k], x)
		}
	}
}

// moments keeps of the tensors what solidAngle needs.
func (m *tensors) moments(reach2 float64) moments {
	f, s := &m.first, &m.second
	o := moments{centre: m.centre, reach2: reach2, area: m.area}
	for i, x := range [6]float64{f[0].X, f[1].Y, f[2].Z, f[0].Y + f[1].X, f[1].Z + f[2].Y, f[2].X + f[0].Z} {
		o.linear[i] = float32(x)
	}
	// 2·Σ_i s[i][k]_i + Σ_i s[i][i]_k
	diag := r3.Add(s[0][0], r3.Add(s[1][1], s[2][2]))
	for k, x := range [3]float64{diag.X, diag.Y, diag.Z} {
		o.vector[k] = float32(2*(s[0][k].X+s[1][k].Y+s[2][k].Z) + x)
	}
	for i, x := range [10]float64{
		s[0][0].X, s[1][1].Y, s[2][2].Z,
		s[0][0].Y + 2*s[0][1].X, s[0][0].Z + 2*s[0][2].X,
		s[1][1].X + 2*s[1][0].Y, s[1][1].Z + 2*s[1][2].Y,
		s[2][2].X + 2*s[2][0].Z, s[2][2].Y + 2*s[2][1].Z,
		2 * (s[0][1].Z + s[1][2].X + s[2][0].Y),
	} {
		o.cubic[i] = float32(x)
	}
	return o
}

// solidAngle is that of all faces from r = centre − p away: with E = r/|r|³,
// area·E + first:∇E + second:∇∇E/2.
func (m *moments) solidAngle(r r3.Vec, d2 float64) float64 {
	xx, yy, zz := r.X*r.X, r.Y*r.Y, r.Z*r.Z
	l, v, c := &m.linear, &m.vector, &m.cubic
	trace := float64(l[0]) + float64(l[1]) + float64(l[2])
	rfr := float64(l[0])*xx + float64(l[1])*yy + float64(l[2])*zz +
		float64(l[3])*r.X*r.Y + float64(l[4])*r.Y*r.Z + float64(l[5])*r.Z*r.X
	vr := float64(v[0])*r.X + float64(v[1])*r.Y + float64(v[2])*r.Z
	rrr := xx*(float64(c[0])*r.X+float64(c[3])*r.Y+float64(c[4])*r.Z) +
		yy*(float64(c[1])*r.Y+float64(c[5])*r.X+float64(c[6])*r.Z) +
		zz*(float64(c[2])*r.Z+float64(c[7])*r.X+float64(c[8])*r.Y) + float64(c[9])*r.X*r.Y*r.Z
	i2 := 1 / d2
	return (r3.Dot(m.area, r) + trace - 3*rfr*i2 + (7.5*rrr*i2-1.5*vr)*i2) * i2 * math.Sqrt(i2)
}

func (b *BVH) corners(i int32) (p, q, r r3.Vec) {
	v := &b.tris[i]
	return b.verts[v[0]], b.verts[v[1]], b.verts[v[2]]
}

// solidAngle is the sum of the solid angles of the faces seen from p, positive
// where they turn their inner side to it.
func (b *BVH) solidAngle(p r3.Vec) float64 {
	var sum float64
	var stack [stackDepth]int32
	depth, at := 0, int32(0)
	for {
		n, m := &b.nodes[at], &b.wind.far[at]
		next := int32(-1)
		r := r3.Sub(m.centre, p)
		if d2 := r3.Norm2(r); d2 > m.reach2 {
			sum += m.solidAngle(r, d2)
		} else {
			for c := range 2 {
				if n.count[c] > 0 {
					for i := n.child[c]; i < n.child[c]+n.count[c]; i++ {
						if w := b.wind.weight[i]; w != 0 {
							q, s, t := b.corners(i)
							sum += float64(w) * solidAngle(r3.Sub(q, p), r3.Sub(s, p), r3.Sub(t, p))
						}
					}
				} else if n.child[c] == 0 {
					continue // the empty child of a tree of one leaf
				} else if next < 0 {
					next = n.child[c]
				} else {
					stack[depth] = n.child[c]
					depth++
				}
			}
		}
		if next < 0 {
			if depth == 0 {
				return sum
			}
			depth--
			next = stack[depth]
		}
		at = next
	}
}

// solidAngle is that of triangle abc seen from the origin (A. Van Oosterom, J.
// Strackee, IEEE Trans. Biomed. Eng. 30(2), 1983).
func solidAngle(a, b, c r3.Vec) float64 {
	la, lb, lc := math.Sqrt(r3.Norm2(a)), math.Sqrt(r3.Norm2(b)), math.Sqrt(r3.Norm2(c))
	det := r3.Dot(a, r3.Cross(b, c))
	return 2 * math.Atan2(det, la*lb*lc+r3.Dot(a, b)*lc+r3.Dot(b, c)*la+r3.Dot(c, a)*lb)
}
