package mesh

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// shape holds what the measures of one tetrahedron have in common. Faces are
// numbered by the corner opposite.
type shape struct {
	det      float64   // six times the volume
	normal   [4]r3.Vec // twice the area, inward when det > 0; they sum to zero
	area2    [4]float64
	edge2    [6]float64 // squared lengths of edges 01, 02, 03, 12, 13, 23
	round    r3.Vec     // 2·det times the way from corner 0 to the circumcentre
	leastCos float64    // of the largest dihedral angle
	leastAt  int        // its pair of faces
}

// facePairs are the pairs of faces, and sharedEdge the position in shape.edge2
// of the edge between them: that of the other two corners.
var (
	facePairs  = [6][2]int{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}}
	sharedEdge = [6]int{5, 4, 3, 2, 1, 0}
)

// of takes the tetrahedron with edges u, v, w from corner 0 to corners 1, 2, 3.
func (s *shape) of(u, v, w r3.Vec) {
	n1, n2, n3 := r3.Cross(v, w), r3.Cross(w, u), r3.Cross(u, v)
	n0 := r3.Vec{X: -n1.X - n2.X - n3.X, Y: -n1.Y - n2.Y - n3.Y, Z: -n1.Z - n2.Z - n3.Z}
	s.det = r3.Dot(u, n1)
	s.normal[0], s.normal[1], s.normal[2], s.normal[3] = n0, n1, n2, n3
	s.area2[0], s.area2[1] = math.Sqrt(r3.Norm2(n0)), math.Sqrt(r3.Norm2(n1))
	s.area2[2], s.area2[3] = math.Sqrt(r3.Norm2(n2)), math.Sqrt(r3.Norm2(n3))
	uu, vv, ww := r3.Norm2(u), r3.Norm2(v), r3.Norm2(w)
	s.edge2[0], s.edge2[1], s.edge2[2] = uu, vv, ww
	s.edge2[3], s.edge2[4], s.edge2[5] = r3.Norm2(r3.Sub(v, u)), r3.Norm2(r3.Sub(w, u)), r3.Norm2(r3.Sub(w, v))
	s.round.X = uu*n1.X + vv*n2.X + ww*n3.X
	s.round.Y = uu*n1.Y + vv*n2.Y + ww*n3.Y
	s.round.Z = uu*n1.Z + vv*n2.Z + ww*n3.Z
}

// tenCos are the cosines of 10°, 20° … 170°.
var tenCos = func() (c [17]float64) {
	for i := range c {
		c[i] = math.Cos(float64(i+1) * math.Pi / 18)
	}
	return c
}()

// cosSlots cuts the cosines −1 … 1 into slots so narrow that one bound between
// bins at most lies in each: firstBin is the bin of the largest cosine of a
// slot, binEnd the bound in it.
const cosSlots = 256

var firstBin, binEnd = func() (first [cosSlots + 1]uint8, end [cosSlots + 1]float64) {
	for i := range first {
		lo, hi := float64(2*i)/cosSlots-1, float64(2*i+2)/cosSlots-1
		for first[i] < 17 && tenCos[first[i]] >= hi {
			first[i]++
		}
		end[i] = -2
		if f := first[i]; f < 17 && tenCos[f] >= lo {
			end[i] = tenCos[f]
		}
	}
	return first, end
}()

// angles counts the six dihedral angles in bins of ten degrees (of the last
// fourteen bins nothing is used), notes where the largest is and returns the
// smallest, in degrees.
func (s *shape) angles(bins *[32]int) float64 {
	if !(s.area2[0] > 0 && s.area2[1] > 0 && s.area2[2] > 0 && s.area2[3] > 0) {
		bins[0] += 3 // a face without area: angles of 0 and 180 by turns
		bins[17] += 3
		s.leastCos, s.leastAt = -1, -1
		return 0
	}
	i0, i1, i2, i3 := 1/s.area2[0], 1/s.area2[1], 1/s.area2[2], 1/s.area2[3]
	n := &s.normal
	cos := [6]float64{
		-r3.Dot(n[0], n[1]) * i0 * i1, -r3.Dot(n[0], n[2]) * i0 * i2, -r3.Dot(n[0], n[3]) * i0 * i3,
		-r3.Dot(n[1], n[2]) * i1 * i2, -r3.Dot(n[1], n[3]) * i1 * i3, -r3.Dot(n[2], n[3]) * i2 * i3,
	}
	most := max(cos[0], cos[1], cos[2], cos[3], cos[4], cos[5])
	s.leastCos = min(cos[0], cos[1], cos[2], cos[3], cos[4], cos[5])
	mostAt := 0
	s.leastAt = 0
	for e, c := range cos {
		if c == most {
			mostAt = e
		}
		if c == s.leastCos {
			s.leastAt = e
		}
		slot := 0
		if x := (c + 1) * (cosSlots / 2); x >= cosSlots {
			slot = cosSlots
		} else if x > 0 {
			slot = int(x)
		}
		b := firstBin[slot]
		if c <= binEnd[slot] {
			b++
		}
		bins[b&31]++
	}
	if most > blunt {
		x := 180.0
		for e := range facePairs {
			x = min(x, s.angle(e))
		}
		return x
	}
	return s.angle(mostAt)
}

// blunt is the cosine beyond which cosines do not tell angles apart well: 2.6°,
// where their rounding moves an angle by 1e-13°.
const blunt = 0.999

// largest is the largest dihedral angle in degrees, after angles.
func (s *shape) largest() float64 {
	if s.leastAt < 0 {
		return 180
	}
	if s.leastCos > -blunt {
		return s.angle(s.leastAt)
	}
	x := 0.0
	for e := range facePairs {
		x = max(x, s.angle(e))
	}
	return x
}

// angle is the dihedral angle of pair e in degrees. As n_i×n_j is det times the
// edge between the faces, its tangent is |det|·edge / −n_i·n_j, which stays
// accurate near 0 and 180.
func (s *shape) angle(e int) float64 {
	f := facePairs[e]
	return math.Atan2(math.Abs(s.det)*math.Sqrt(s.edge2[sharedEdge[e]]), -r3.Dot(s.normal[f[0]], s.normal[f[1]])) * 180 / math.Pi
}

// radiusRatio is 3r/R with r = det/Σ|n| and R = |round|/(2·det).
func (s *shape) radiusRatio() float64 {
	x := (s.area2[0] + s.area2[1] + s.area2[2] + s.area2[3]) * math.Sqrt(r3.Norm2(s.round))
	if !(s.det > 0) || !(x > 0) {
		return 0
	}
	return 6 * s.det * s.det / x
}

// scaledJacobian is √2·det over the largest product of the edges at a corner.
func (s *shape) scaledJacobian() float64 {
	e := &s.edge2
	return scaledJacobian(s.det, e[0], e[1], e[2], e[3], e[4], e[5])
}

// scaledJacobian takes det and the squared edges 01, 02, 03, 12, 13, 23.
func scaledJacobian(det, a, b, c, d, e, f float64) float64 {
	x := a * b * c
	if y := a * d * e; y > x {
		x = y
	}
	if y := b * d * f; y > x {
		x = y
	}
	if y := c * e * f; y > x {
		x = y
	}
	if !(x > 0) {
		return 0
	}
	return math.Sqrt2 * det / math.Sqrt(x)
}

// curvedSamples are the barycentric coordinates at which a Tet10 is measured:
// corners, mid-edge and mid-face points, and the centre.
var curvedSamples = func() (l [15][4]float64) {
	for i := range 4 {
		l[i][i] = 1
		l[10+i] = [4]float64{1. / 3, 1. / 3, 1. / 3, 1. / 3}
		l[10+i][i] = 0
		l[14][i] = 0.25
	}
	for e, c := range TetEdges {
		l[4+e][c[0]], l[4+e][c[1]] = 0.5, 0.5
	}
	return l
}()

// curvedJacobian is the least scaled Jacobian of element t of a Tet10 mesh at
// the samples.
func (m *TetMesh) curvedJacobian(t int) float64 {
	x := m.nodes10(t)
	least := math.Inf(1)
	for i := range curvedSamples {
		d := gradient10(&x, &curvedSamples[i])
		u, v, w := r3.Sub(d[1], d[0]), r3.Sub(d[2], d[0]), r3.Sub(d[3], d[0])
		least = min(least, scaledJacobian(r3.Dot(u, r3.Cross(v, w)), r3.Norm2(u), r3.Norm2(v), r3.Norm2(w),
			r3.Norm2(r3.Sub(v, u)), r3.Norm2(r3.Sub(w, u)), r3.Norm2(r3.Sub(w, v))))
	}
	return least
}

// nodes10 are the places of the nodes of a Tet10.
func (m *TetMesh) nodes10(t int) (x [10]r3.Vec) {
	for i, n := range m.Tets[t] {
		x[i] = m.Nodes[n]
	}
	for i, n := range m.Mid[t] {
		x[4+i] = m.Nodes[n]
	}
	return x
}

// gradient10 is Σ x_n ∂N_n/∂L_i at barycentric coordinates l; the columns of J
// are its differences to the one for i = 0.
func gradient10(x *[10]r3.Vec, l *[4]float64) (d [4]r3.Vec) {
	for i := range 4 {
		d[i] = r3.Scale(4*l[i]-1, x[i])
	}
	for e, c := range TetEdges {
		d[c[0]] = r3.Add(d[c[0]], r3.Scale(4*l[c[1]], x[4+e]))
		d[c[1]] = r3.Add(d[c[1]], r3.Scale(4*l[c[0]], x[4+e]))
	}
	return d
}
