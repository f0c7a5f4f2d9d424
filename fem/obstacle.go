package fem

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Obstacle is a rigid body that moves without turning.
type Obstacle struct {
	Shape Shape
	// MoveMM is the translation from the shape's own place at the end of each
	// stage, approached in proportion to time; the last one is kept.
	MoveMM []r3.Vec
}

// Shape is the form of an obstacle: Sphere, Plane, Cylinder or Solid.
type Shape interface {
	check(field string) error
	field() (distanceField, error)
}

// distanceField is the signed distance from a shape, mm, positive outside.
type distanceField interface {
	// gap returns the distance at x, its gradient n and its second derivative
	// in two parts: iso·(I − n⊗n) + line·(b⊗b).
	gap(x r3.Vec) (g float64, n r3.Vec, h bend)
}

// bend is the second derivative of a distance, 1/mm.
type bend struct {
	iso, line float64
	b         r3.Vec
}

// Sphere is a ball, or, with Hollow, all but a ball.
type Sphere struct {
	CentreMM r3.Vec
	RadiusMM float64
	Hollow   bool
}

// Plane bounds a half-space; Normal points out of the obstacle.
type Plane struct {
	AtMM, Normal r3.Vec
}

// Cylinder is an infinite round bar, or, with Hollow, all but a bore.
type Cylinder struct {
	AtMM, Axis r3.Vec
	RadiusMM   float64
	Hollow     bool
}

func (o *Obstacle) check(field string, stages int) error {
	if o.Shape == nil {
		return badInput(field, "has no shape")
	}
	if len(o.MoveMM) > stages {
		return badInput(field, "moves in %d stages, the model has %d", len(o.MoveMM), stages)
	}
	for i, v := range o.MoveMM {
		if !finiteVec(v) {
			return badInput(field, "moves to %v mm in stage %d", v, i)
		}
	}
	return o.Shape.check(field)
}

// at is the translation at the end of stage i; −1 is the start.
func (o *Obstacle) at(i int) r3.Vec {
	if i < 0 || len(o.MoveMM) == 0 {
		return r3.Vec{}
	}
	return o.MoveMM[min(i, len(o.MoveMM)-1)]
}

func (s Sphere) check(field string) error {
	if !finiteVec(s.CentreMM) || !(s.RadiusMM > 0) || !finite(s.RadiusMM) {
		return badInput(field, "is a sphere at %v of radius %g mm; give a finite centre and a positive radius", s.CentreMM, s.RadiusMM)
	}
	return nil
}

func (p Plane) check(field string) error {
	if !finiteVec(p.AtMM) || !finiteVec(r3.Unit(p.Normal)) {
		return badInput(field, "is a plane at %v with normal %v; give a finite point and a normal that is not zero", p.AtMM, p.Normal)
	}
	return nil
}

func (c Cylinder) check(field string) error {
	if !finiteVec(c.AtMM) || !finiteVec(r3.Unit(c.Axis)) || !(c.RadiusMM > 0) || !finite(c.RadiusMM) {
		return badInput(field, "is a cylinder at %v along %v of radius %g mm; give a finite point, an axis and a positive radius", c.AtMM, c.Axis, c.RadiusMM)
	}
	return nil
}

func (s Sphere) field() (distanceField, error) { return s, nil }

func (p Plane) field() (distanceField, error) {
	p.Normal = r3.Unit(p.Normal)
	return p, nil
}

func (c Cylinder) field() (distanceField, error) {
	c.Axis = r3.Unit(c.Axis)
	return c, nil
}

func (s Sphere) gap(x r3.Vec) (float64, r3.Vec, bend) {
	n, dist, k := away(r3.Sub(x, s.CentreMM), r3.Vec{Z: 1})
	if s.Hollow {
		return s.RadiusMM - dist, r3.Scale(-1, n), bend{iso: -k}
	}
	return dist - s.RadiusMM, n, bend{iso: k}
}

func (p Plane) gap(x r3.Vec) (float64, r3.Vec, bend) {
	return r3.Dot(r3.Sub(x, p.AtMM), p.Normal), p.Normal, bend{}
}

func (c Cylinder) gap(x r3.Vec) (float64, r3.Vec, bend) {
	d := r3.Sub(x, c.AtMM)
	n, dist, k := away(r3.Sub(d, r3.Scale(r3.Dot(d, c.Axis), c.Axis)), across(c.Axis))
	b := r3.Cross(c.Axis, n)
	if c.Hollow {
		return c.RadiusMM - dist, r3.Scale(-1, n), bend{line: -k, b: b}
	}
	return dist - c.RadiusMM, n, bend{line: k, b: b}
}

// away splits d in direction, length and curvature of the circle there; in the
// middle, where every direction leads out, it is spare.
func away(d, spare r3.Vec) (n r3.Vec, dist, k float64) {
	if dist = r3.Norm(d); dist == 0 {
		return spare, 0, 0
	}
	return r3.Scale(1/dist, d), dist, 1 / dist
}

// across is a unit vector normal to the unit vector a.
func across(a r3.Vec) r3.Vec {
	if math.Abs(a.X) < 0.7 {
		return r3.Unit(r3.Cross(a, r3.Vec{X: 1}))
	}
	return r3.Unit(r3.Cross(a, r3.Vec{Y: 1}))
}
