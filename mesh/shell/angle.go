package shell

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// bound holds the dihedral bounds as the quality kernel wants them.
type bound struct {
	lo, hi   float64 // 1/(1−cos of the lower bound), 1/(1+cos of the upper bound)
	min, max float64 // degrees
}

func newBound(minDeg, maxDeg float64) bound {
	return bound{
		lo: 1 / (1 - math.Cos(minDeg*math.Pi/180)), min: minDeg,
		hi: 1 / (1 + math.Cos(maxDeg*math.Pi/180)), max: maxDeg,
	}
}

// cosines are the largest and the smallest cosine of the six dihedral angles
// of (a,b,c,d), and six times its volume.
func cosines(a, b, c, d r3.Vec) (most, least, vol float64) {
	ux, uy, uz := b.X-a.X, b.Y-a.Y, b.Z-a.Z
	vx, vy, vz := c.X-a.X, c.Y-a.Y, c.Z-a.Z
	wx, wy, wz := d.X-a.X, d.Y-a.Y, d.Z-a.Z
	// n1 = v×w (opposite b), n2 = w×u (opposite c), n3 = u×v (opposite d),
	// all inward; n0 = −(n1+n2+n3) closes the surface
	ax, ay, az := vy*wz-vz*wy, vz*wx-vx*wz, vx*wy-vy*wx
	bx, by, bz := wy*uz-wz*uy, wz*ux-wx*uz, wx*uy-wy*ux
	cx, cy, cz := uy*vz-uz*vy, uz*vx-ux*vz, ux*vy-uy*vx
	vol = ux*ax + uy*ay + uz*az
	dx, dy, dz := -(ax + bx + cx), -(ay + by + cy), -(az + bz + cz)
	ia := 1 / math.Sqrt(ax*ax+ay*ay+az*az)
	ib := 1 / math.Sqrt(bx*bx+by*by+bz*bz)
	ic := 1 / math.Sqrt(cx*cx+cy*cy+cz*cz)
	id := 1 / math.Sqrt(dx*dx+dy*dy+dz*dz)
	// the cosine of the angle between faces is minus that of their normals
	ab := -(ax*bx + ay*by + az*bz) * ia * ib
	ac := -(ax*cx + ay*cy + az*cz) * ia * ic
	ad := -(ax*dx + ay*dy + az*dz) * ia * id
	bc := -(bx*cx + by*cy + bz*cz) * ib * ic
	bd := -(bx*dx + by*dy + bz*dz) * ib * id
	cd := -(cx*dx + cy*dy + cz*dz) * ic * id
	return max(ab, ac, ad, bc, bd, cd), min(ab, ac, ad, bc, bd, cd), vol
}

// rate scores a tetrahedron against the two bounds: qa = (1−cos θmin)/(1−cos lo)
// and qb = (1+cos θmax)/(1+cos hi). Each is 1 at its bound and grows roughly
// with the square of the angle's distance from 0 and 180 degrees. An inverted
// or flat tetrahedron scores ≤ 0 in both, lower the more it is inverted.
func (q *bound) rate(a, b, c, d r3.Vec) (qa, qb float64) {
	most, least, vol := cosines(a, b, c, d)
	if !(vol > 0) || !(most <= 1) { // also NaN: a face without area
		s := r3.Norm2(r3.Sub(b, a)) + r3.Norm2(r3.Sub(c, a)) + r3.Norm2(r3.Sub(d, a))
		x := 50 * min(0, vol) / (s * math.Sqrt(s))
		if math.IsNaN(x) {
			x = -50
		}
		return x, x
	}
	return (1 - most) * q.lo, (1 + least) * q.hi
}

// score is the lower of the two rates: at least 1 when the tetrahedron meets
// both bounds.
func (q *bound) score(a, b, c, d r3.Vec) float64 {
	return min(q.rate(a, b, c, d))
}
