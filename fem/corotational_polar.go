package fem

import (
	"math"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// quaternion is a rotation (w, x, y, z) of unit length.
type quaternion [4]float64

// matrix writes the rotation.
func (q *quaternion) matrix(r *material.Mat3) {
	w, x, y, z := q[0], q[1], q[2], q[3]
	r[0] = r3.Vec{X: 1 - 2*(y*y+z*z), Y: 2 * (x*y + w*z), Z: 2 * (x*z - w*y)}
	r[1] = r3.Vec{X: 2 * (x*y - w*z), Y: 1 - 2*(x*x+z*z), Z: 2 * (y*z + w*x)}
	r[2] = r3.Vec{X: 2 * (x*z + w*y), Y: 2 * (y*z - w*x), Z: 1 - 2*(x*x+y*y)}
}

// turn does q ← q·(1, w/2), of unit length again.
func (q *quaternion) turn(w r3.Vec) {
	x, y, z := w.X/2, w.Y/2, w.Z/2
	p := *q
	q[0] = p[0] - p[1]*x - p[2]*y - p[3]*z
	q[1] = p[1] + p[0]*x + p[2]*z - p[3]*y
	q[2] = p[2] + p[0]*y + p[3]*x - p[1]*z
	q[3] = p[3] + p[0]*z + p[1]*y - p[2]*x
	n := 1 / math.Sqrt(q[0]*q[0]+q[1]*q[1]+q[2]*q[2]+q[3]*q[3])
	for k := range q {
		q[k] *= n
	}
}

// Limits of the iteration for the rotation: the skew part of RᵀF, relative to
// the size of F, that counts as none, that from which one more step of Newton's
// method leaves none, and the number of steps.
const (
	skewTol    = 1e-14
	skewLast   = 1e-7
	polarSteps = 60
)

// polar turns q, a guess, to the rotation R that maximises tr(RᵀF), the polar
// factor of F if det F > 0, and writes it into r. Newton's method on the
// rotation: with S = RᵀF, (tr S·I − sym S)·ω = axial vector of the skew part;
// where the matrix is not positive definite, a step along the gradient.
func (q *quaternion) polar(r, f *material.Mat3) {
	size := f.Norm2()
	for step := 0; ; step++ {
		q.matrix(r)
		s00, s01, s02 := r3.Dot(r[0], f[0]), r3.Dot(r[0], f[1]), r3.Dot(r[0], f[2])
		s10, s11, s12 := r3.Dot(r[1], f[0]), r3.Dot(r[1], f[1]), r3.Dot(r[1], f[2])
		s20, s21, s22 := r3.Dot(r[2], f[0]), r3.Dot(r[2], f[1]), r3.Dot(r[2], f[2])
		g := r3.Vec{X: s21 - s12, Y: s02 - s20, Z: s10 - s01}
		tr := s00 + s11 + s22
		a, b, c := tr-s00, tr-s11, tr-s22
		d, e, h := -(s01+s10)/2, -(s12+s21)/2, -(s02+s20)/2
		m0, m1, m2 := b*c-e*e, h*e-d*c, d*e-h*b
		minor, det := a*b-d*d, a*m0+d*m1+h*m2
		definite := a > 0 && minor > 0 && det > 0
		small := r3.Norm2(g) <= skewTol*skewTol*size
		if small && definite || step == polarSteps || !(size > 0) {
			return
		}
		switch {
		case definite && det > 1e-9*size*math.Sqrt(size):
			i := 1 / det
			q.turn(r3.Vec{
				X: i * (m0*g.X + m1*g.Y + m2*g.Z),
				Y: i * (m1*g.X + (a*c-h*h)*g.Y + (d*h-a*e)*g.Z),
				Z: i * (m2*g.X + (d*h-a*e)*g.Y + minor*g.Z),
			})
			if r3.Norm2(g) <= skewLast*skewLast*size {
				q.matrix(r)
				return
			}
		case small: // a saddle or a minimum: leave it
			q.turn(r3.Vec{X: 0.5, Y: 0.3, Z: -0.4})
		default:
			q.turn(r3.Scale(1/math.Sqrt(size), g))
		}
	}
}
