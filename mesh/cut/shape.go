package cut

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// bounds turns a lower and an upper bound of the dihedral angles into one
// measure. The shape of a tetrahedron is
//
//	s = min over its dihedral angles θ of min((1−cos θ)/(1−cos lo), (1+cos θ)/(1+cos hi)),
//
// which is at least 1 exactly when all six angles lie in [lo, hi], grows with
// the worst angle, and needs no arc.
type bounds struct{ lo, hi float64 } // 1/(1−cos lo), 1/(1+cos hi)

// newBounds takes degrees.
func newBounds(lo, hi float64) bounds {
	return bounds{1 / (1 - math.Cos(lo*math.Pi/180)), 1 / (1 + math.Cos(hi*math.Pi/180))}
}

const (
	// flatShape is the shape of a tetrahedron without positive volume.
	flatShape = -1
	// keepShape is the least shape of a piece: 1, but for rounding.
	keepShape = 1 - 1e-9
	// leastVersine keeps the bounds of slivers above rounding.
	leastVersine = 1e-12
)

// loosened bounds are no stricter than the angles a tetrahedron has, given by
// the smallest and the largest cosine.
func (k bounds) loosened(lo, hi float64) bounds {
	return bounds{max(k.lo, 1/max(1-hi, leastVersine)), max(k.hi, 1/max(1+lo, leastVersine))}
}

// shape is s of the tetrahedron (a,b,c,d); flatShape when it is not positive.
func (k *bounds) shape(a, b, c, d r3.Vec) float64 {
	lo, hi := dihedralCosines(a, b, c, d)
	if lo > hi {
		return flatShape
	}
	return min((1-hi)*k.lo, (1+lo)*k.hi)
}

// dihedralCosines are the smallest and the largest cosine of the dihedral
// angles of a positive tetrahedron; lo > hi when it is not positive.
func dihedralCosines(a, b, c, d r3.Vec) (lo, hi float64) {
	ux, uy, uz := b.X-a.X, b.Y-a.Y, b.Z-a.Z
	vx, vy, vz := c.X-a.X, c.Y-a.Y, c.Z-a.Z
	wx, wy, wz := d.X-a.X, d.Y-a.Y, d.Z-a.Z
	// inward normals of the faces opposite b, c and d; that opposite a closes the sum
	bx, by, bz := vy*wz-vz*wy, vz*wx-vx*wz, vx*wy-vy*wx
	if !(ux*bx+uy*by+uz*bz > 0) {
		return 1, -1
	}
	cx, cy, cz := wy*uz-wz*uy, wz*ux-wx*uz, wx*uy-wy*ux
	dx, dy, dz := uy*vz-uz*vy, uz*vx-ux*vz, ux*vy-uy*vx
	ax, ay, az := -(bx + cx + dx), -(by + cy + dy), -(bz + cz + dz)
	na := 1 / math.Sqrt(ax*ax+ay*ay+az*az)
	nb := 1 / math.Sqrt(bx*bx+by*by+bz*bz)
	nc := 1 / math.Sqrt(cx*cx+cy*cy+cz*cz)
	nd := 1 / math.Sqrt(dx*dx+dy*dy+dz*dz)
	ab := (ax*bx + ay*by + az*bz) * na * nb
	ac := (ax*cx + ay*cy + az*cz) * na * nc
	ad := (ax*dx + ay*dy + az*dz) * na * nd
	bc := (bx*cx + by*cy + bz*cz) * nb * nc
	bd := (bx*dx + by*dy + bz*dz) * nb * nd
	cd := (cx*dx + cy*dy + cz*dz) * nc * nd
	return -max(ab, ac, ad, bc, bd, cd), -min(ab, ac, ad, bc, bd, cd)
}

func add(a, b r3.Vec) r3.Vec { return r3.Vec{X: a.X + b.X, Y: a.Y + b.Y, Z: a.Z + b.Z} }
func sub(a, b r3.Vec) r3.Vec { return r3.Vec{X: a.X - b.X, Y: a.Y - b.Y, Z: a.Z - b.Z} }
func dot(a, b r3.Vec) float64 {
	return a.X*b.X + a.Y*b.Y + a.Z*b.Z
}

func centroid(a, b, c, d r3.Vec) r3.Vec { return r3.Scale(0.25, add(add(a, b), add(c, d))) }

// middle is the same whichever end comes first.
func middle(a, b r3.Vec) r3.Vec { return r3.Scale(0.5, add(a, b)) }

// mix is a + t(b−a).
func mix(a, b r3.Vec, t float64) r3.Vec {
	return r3.Vec{X: a.X + t*(b.X-a.X), Y: a.Y + t*(b.Y-a.Y), Z: a.Z + t*(b.Z-a.Z)}
}

func finite(p r3.Vec) bool {
	s := p.X + p.Y + p.Z
	return !math.IsNaN(s) && !math.IsInf(s, 0)
}
