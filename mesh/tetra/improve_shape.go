package tetra

import (
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// The shape of a tetrahedron is the least sin²θ of its six dihedral angles,
// times a weight below one where θ is obtuse, so that BelowDeg and AboveDeg
// count as equally bad; 0 when it is flat or inverted. With 2A the length of
// the cross product of a face and D six times the volume,
//
//	sin θ = D·l / (2A₁·2A₂)
//
// for the edge of length l between faces 1 and 2. sin²θ rises with
// min(θ, 180°−θ), is smooth, and needs neither roots nor arc functions. See
// B. M. Klingner, J. R. Shewchuk, "Aggressive tetrahedral mesh improvement",
// 16th International Meshing Roundtable, 2007, section 2 (the biased minimum
// sine measure).

// tetShape is the shape of the tetrahedron (a,b,c,d).
func tetShape(a, b, c, d r3.Vec, obtuse float64) float64 {
	ux, uy, uz := b.X-a.X, b.Y-a.Y, b.Z-a.Z
	vx, vy, vz := c.X-a.X, c.Y-a.Y, c.Z-a.Z
	wx, wy, wz := d.X-a.X, d.Y-a.Y, d.Z-a.Z
	// outward normals of the faces opposite b, c, d, twice the area
	bx, by, bz := wy*vz-wz*vy, wz*vx-wx*vz, wx*vy-wy*vx
	det := -(ux*bx + uy*by + uz*bz)
	if !(det > 0) {
		return 0
	}
	cx, cy, cz := uy*wz-uz*wy, uz*wx-ux*wz, ux*wy-uy*wx
	dx, dy, dz := vy*uz-vz*uy, vz*ux-vx*uz, vx*uy-vy*ux
	ax, ay, az := -(bx + cx + dx), -(by + cy + dy), -(bz + cz + dz)
	na, nb := ax*ax+ay*ay+az*az, bx*bx+by*by+bz*bz
	nc, nd := cx*cx+cy*cy+cz*cz, dx*dx+dy*dy+dz*dz
	px, py, pz := vx-ux, vy-uy, vz-uz // bc
	qx, qy, qz := wx-ux, wy-uy, wz-uz // bd
	rx, ry, rz := wx-vx, wy-vy, wz-vz // cd
	ab, cd := na*nb, nc*nd
	// edge × squares of the two faces that do not hold it
	m := (ux*ux + uy*uy + uz*uz) * ab
	if cx*dx+cy*dy+cz*dz > 0 { // the angle between outward normals is 180° − θ
		m *= obtuse
	}
	e := (rx*rx + ry*ry + rz*rz) * cd
	if ax*bx+ay*by+az*bz > 0 {
		e *= obtuse
	}
	m = min(m, e)
	e = (vx*vx + vy*vy + vz*vz) * (na * nc)
	if bx*dx+by*dy+bz*dz > 0 {
		e *= obtuse
	}
	m = min(m, e)
	e = (qx*qx + qy*qy + qz*qz) * (nb * nd)
	if ax*cx+ay*cy+az*cz > 0 {
		e *= obtuse
	}
	m = min(m, e)
	e = (wx*wx + wy*wy + wz*wz) * (na * nd)
	if bx*cx+by*cy+bz*cz > 0 {
		e *= obtuse
	}
	m = min(m, e)
	e = (px*px + py*py + pz*pz) * (nb * nc)
	if ax*dx+ay*dy+az*dz > 0 {
		e *= obtuse
	}
	m = min(m, e)
	s := det * det * m / (ab * cd)
	if !(s > 0) || s > 4 {
		return 0 // not finite, or so flat that rounding rules
	}
	return s
}

// sharpness is the least sin²θ over the acute and over the obtuse dihedral
// angles of a positive tetrahedron; 1 where there are none.
func sharpness(a, b, c, d r3.Vec) (acute, obtuse float64) {
	acute, obtuse = 1, 1
	p := [4]r3.Vec{a, b, c, d}
	det := signed6(a, b, c, d)
	var n [4]r3.Vec
	var sq [4]float64
	for f, x := range mesh.TetFaces {
		n[f] = r3.Cross(r3.Sub(p[x[1]], p[x[0]]), r3.Sub(p[x[2]], p[x[0]]))
		sq[f] = r3.Dot(n[f], n[f])
	}
	for _, e := range shapeEdges {
		l := r3.Sub(p[e[1]], p[e[0]])
		s := det * det * r3.Dot(l, l) / (sq[e[2]] * sq[e[3]])
		if r3.Dot(n[e[2]], n[e[3]]) > 0 {
			obtuse = min(obtuse, s)
		} else {
			acute = min(acute, s)
		}
	}
	return acute, obtuse
}

// extremeAngles are the least and the greatest dihedral angle, degrees.
func extremeAngles(a, b, c, d r3.Vec) (lo, hi float64) {
	p := [4]r3.Vec{a, b, c, d}
	det := signed6(a, b, c, d)
	var n [4]r3.Vec
	for f, x := range mesh.TetFaces {
		n[f] = r3.Cross(r3.Sub(p[x[1]], p[x[0]]), r3.Sub(p[x[2]], p[x[0]]))
	}
	lo, hi = 180, 0
	for _, e := range shapeEdges {
		// D·l and −n₁·n₂ are |n₁||n₂| times sine and cosine
		l := r3.Sub(p[e[1]], p[e[0]])
		x := math.Atan2(det*math.Sqrt(r3.Dot(l, l)), -r3.Dot(n[e[2]], n[e[3]])) * 180 / math.Pi
		lo, hi = min(lo, x), max(hi, x)
	}
	return lo, hi
}

// shapeSlope is the shape of (p,x,y,z) and the gradient over p of every
// dihedral's weighted sin² that does not exceed limit (times the least), at
// most six; n is their number.
func shapeSlope(p, x, y, z r3.Vec, obtuse, limit float64, grad *[6]r3.Vec, val *[6]float64) (n int) {
	v := [4]r3.Vec{p, x, y, z}
	var nrm [4]r3.Vec // outward, opposite v[i]
	u1, u2, u3 := r3.Sub(x, p), r3.Sub(y, p), r3.Sub(z, p)
	nrm[1] = r3.Cross(u3, u2)
	nrm[2] = r3.Cross(u1, u3)
	nrm[3] = r3.Cross(u2, u1)
	nrm[0] = r3.Cross(r3.Sub(y, x), r3.Sub(z, x))
	det := -r3.Dot(u1, nrm[1])
	if !(det > 0) {
		return 0
	}
	var sq [4]float64
	for i := range sq {
		sq[i] = r3.Dot(nrm[i], nrm[i])
	}
	logDet := r3.Scale(-2/det, nrm[0]) // ∇ ln D² over p
	// ∇ ln |n|² over p of the face opposite v[i]: 2 (s−t)×n / |n|², s and t
	// the face's other vertices in order
	var face [4]r3.Vec
	face[1] = r3.Scale(2/sq[1], r3.Cross(r3.Sub(z, y), nrm[1]))
	face[2] = r3.Scale(2/sq[2], r3.Cross(r3.Sub(x, z), nrm[2]))
	face[3] = r3.Scale(2/sq[3], r3.Cross(r3.Sub(y, x), nrm[3]))
	for _, e := range shapeEdges {
		i, j, k, l := e[0], e[1], e[2], e[3] // edge ij between the faces opposite k and l
		d := r3.Sub(v[j], v[i])
		len2 := r3.Dot(d, d)
		s := det * det * len2 / (sq[k] * sq[l])
		if r3.Dot(nrm[k], nrm[l]) > 0 {
			s *= obtuse
		}
		if s > limit {
			continue
		}
		g := r3.Sub(logDet, r3.Add(face[k], face[l]))
		if i == 0 {
			g = r3.Sub(g, r3.Scale(2/len2, d))
		}
		grad[n], val[n] = r3.Scale(s, g), s
		n++
	}
	return n
}

// shapeEdges: edge ij and the two other corners.
var shapeEdges = [6][4]int{{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 3, 1, 2}, {1, 2, 0, 3}, {1, 3, 0, 2}, {2, 3, 0, 1}}

// shapeOf is the shape at which an acute dihedral angle stands.
func shapeOf(deg float64) float64 {
	s := math.Sin(deg * math.Pi / 180)
	return s * s
}

// signed6 is six times the signed volume of (a,b,c,d).
func signed6(a, b, c, d r3.Vec) float64 {
	ux, uy, uz := b.X-a.X, b.Y-a.Y, b.Z-a.Z
	vx, vy, vz := c.X-a.X, c.Y-a.Y, c.Z-a.Z
	wx, wy, wz := d.X-a.X, d.Y-a.Y, d.Z-a.Z
	return ux*(vy*wz-vz*wy) + uy*(vz*wx-vx*wz) + uz*(vx*wy-vy*wx)
}
