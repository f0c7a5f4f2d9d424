package register

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// chart is a set of parameters of the maps near one map. All parameters are in
// mm: one unit moves the samples by about 1 mm, root mean square, so that one
// step length suits them all.
//
// Rigid, 6 parameters: shift of the samples' centre, then the rotation vector
// times the samples' radius, applied after the base rotation. Affine, 12: the
// shift, then what is added to the base matrix, row by row, column j times the
// samples' extent along axis j.
type chart struct {
	affine bool
	matrix [9]float64 // of the base
	place  r3.Vec     // where the base puts the samples' centre, LPS mm
	centre r3.Vec     // of the samples, LPS mm
	extent r3.Vec     // root mean square of the samples along x, y, z, mm
	radius float64    // mm moved, root mean square, by a turn of one radian
}

func newChart(affine bool, s *samples, base Transform) chart {
	e := s.radius
	least := 1e-3 * r3.Norm(e) // samples in one plane still need a scale
	e = r3.Vec{X: math.Max(e.X, least), Y: math.Max(e.Y, least), Z: math.Max(e.Z, least)}
	return chart{affine: affine, matrix: base.Matrix, place: base.Apply(s.centre), centre: s.centre,
		extent: e, radius: math.Sqrt(2.0/3) * r3.Norm(e)}
}

func (c *chart) dim() int {
	if c.affine {
		return 12
	}
	return 6
}

func (c *chart) turn(x []float64) r3.Vec {
	return r3.Vec{X: x[3] / c.radius, Y: x[4] / c.radius, Z: x[5] / c.radius}
}

// at is the map q ↦ a·q + b of parameters x, q relative to the samples' centre.
func (c *chart) at(x []float64) (a [9]float64, b r3.Vec) {
	b = r3.Add(c.place, r3.Vec{X: x[0], Y: x[1], Z: x[2]})
	if !c.affine {
		r := rotationMatrix(c.turn(x))
		return mul(&r, &c.matrix), b
	}
	a = c.matrix
	for i := range 3 {
		a[3*i] += x[3+3*i] / c.extent.X
		a[3*i+1] += x[4+3*i] / c.extent.Y
		a[3*i+2] += x[5+3*i] / c.extent.Z
	}
	return a, b
}

// transform is the map of parameters x between patient spaces.
func (c *chart) transform(x []float64) Transform {
	a, b := c.at(x)
	if !c.affine {
		a = nearestRotation(a)
	}
	return Transform{Matrix: a, Translation: r3.Sub(b, mulVec(&a, c.centre))}
}

// pull turns derivatives by a and b into derivatives by x.
func (c *chart) pull(x []float64, da *[9]float64, db r3.Vec, g []float64) {
	g[0], g[1], g[2] = db.X, db.Y, db.Z
	if c.affine {
		for i := range 3 {
			g[3+3*i] = da[3*i] / c.extent.X
			g[4+3*i] = da[3*i+1] / c.extent.Y
			g[5+3*i] = da[3*i+2] / c.extent.Z
		}
		return
	}
	a, _ := c.at(x)
	j := leftJacobian(c.turn(x))
	for k := range 3 {
		w := cross(r3.Vec{X: j[k], Y: j[3+k], Z: j[6+k]}) // column k of J
		d := mul(&w, &a)
		g[3+k] = 0
		for n := range d {
			g[3+k] += da[n] * d[n] / c.radius
		}
	}
}

// apart is the root mean square distance in mm between what two maps make of
// points spread like the samples.
func apart(s *samples, t, u Transform) float64 {
	d := r3.Sub(t.Apply(s.centre), u.Apply(s.centre))
	sum := r3.Norm2(d)
	e := [3]float64{s.radius.X, s.radius.Y, s.radius.Z}
	for n := range 9 {
		v := (t.Matrix[n] - u.Matrix[n]) * e[n%3]
		sum += v * v
	}
	return math.Sqrt(sum)
}
