package register

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Matrices are 3×3, row by row.

func mulVec(m *[9]float64, v r3.Vec) r3.Vec {
	return r3.Vec{
		X: m[0]*v.X + m[1]*v.Y + m[2]*v.Z,
		Y: m[3]*v.X + m[4]*v.Y + m[5]*v.Z,
		Z: m[6]*v.X + m[7]*v.Y + m[8]*v.Z,
	}
}

func mul(a, b *[9]float64) (c [9]float64) {
	for i := range 3 {
		for j := range 3 {
			c[3*i+j] = a[3*i]*b[j] + a[3*i+1]*b[3+j] + a[3*i+2]*b[6+j]
		}
	}
	return c
}

func det(m *[9]float64) float64 {
	return m[0]*(m[4]*m[8]-m[5]*m[7]) - m[1]*(m[3]*m[8]-m[5]*m[6]) + m[2]*(m[3]*m[7]-m[4]*m[6])
}

func inverse(m *[9]float64) [9]float64 {
	d := 1 / det(m)
	return [9]float64{
		d * (m[4]*m[8] - m[5]*m[7]), d * (m[2]*m[7] - m[1]*m[8]), d * (m[1]*m[5] - m[2]*m[4]),
		d * (m[5]*m[6] - m[3]*m[8]), d * (m[0]*m[8] - m[2]*m[6]), d * (m[2]*m[3] - m[0]*m[5]),
		d * (m[3]*m[7] - m[4]*m[6]), d * (m[1]*m[6] - m[0]*m[7]), d * (m[0]*m[4] - m[1]*m[3]),
	}
}

func transposed(m *[9]float64) [9]float64 {
	return [9]float64{m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]}
}

// cross is the matrix [v]× with [v]×·u = v × u.
func cross(v r3.Vec) [9]float64 {
	return [9]float64{0, -v.Z, v.Y, v.Z, 0, -v.X, -v.Y, v.X, 0}
}

// rotationSeries is the angle below which sine and cosine quotients are taken
// from their Taylor series; the next term is below 1e-16 there.
const rotationSeries = 1e-3

// rotationMatrix is exp([v]×) by Rodrigues' formula.
func rotationMatrix(v r3.Vec) [9]float64 {
	a2 := r3.Norm2(v)
	a := math.Sqrt(a2)
	s, c := 1-a2/6, 0.5-a2/24 // sin a / a, (1 − cos a)/a²
	if a > rotationSeries {
		s, c = math.Sin(a)/a, (1-math.Cos(a))/a2
	}
	k := cross(v)
	k2 := mul(&k, &k)
	out := Identity().Matrix
	for n := range out {
		out[n] += s*k[n] + c*k2[n]
	}
	return out
}

// leftJacobian is J with exp([v+e]×) = exp([J·e]×)·exp([v]×) to first order in
// e: I + (1 − cos a)/a² [v]× + (a − sin a)/a³ [v]×².
func leftJacobian(v r3.Vec) [9]float64 {
	a2 := r3.Norm2(v)
	a := math.Sqrt(a2)
	c, d := 0.5-a2/24, 1.0/6-a2/120
	if a > rotationSeries {
		c, d = (1-math.Cos(a))/a2, (a-math.Sin(a))/(a2*a)
	}
	k := cross(v)
	k2 := mul(&k, &k)
	out := Identity().Matrix
	for n := range out {
		out[n] += c*k[n] + d*k2[n]
	}
	return out
}

// rotationVector is the inverse of rotationMatrix, of length at most π. It
// goes through the unit quaternion, which is exact near 0 and near π.
func rotationVector(m *[9]float64) r3.Vec {
	// Shepperd, J Guidance and Control 1 (1978) 223: largest component first.
	q := [4]float64{1 + m[0] + m[4] + m[8], 1 + m[0] - m[4] - m[8], 1 - m[0] + m[4] - m[8], 1 - m[0] - m[4] + m[8]}
	best := 0
	for n := range q {
		if q[n] > q[best] {
			best = n
		}
	}
	r := [3]float64{m[7] - m[5], m[2] - m[6], m[3] - m[1]}
	p := [3]float64{m[1] + m[3], m[2] + m[6], m[5] + m[7]}
	var w float64
	var v r3.Vec
	switch best {
	case 0:
		w, v = q[0], r3.Vec{X: r[0], Y: r[1], Z: r[2]}
	case 1:
		w, v = r[0], r3.Vec{X: q[1], Y: p[0], Z: p[1]}
	case 2:
		w, v = r[1], r3.Vec{X: p[0], Y: q[2], Z: p[2]}
	default:
		w, v = r[2], r3.Vec{X: p[1], Y: p[2], Z: q[3]}
	}
	if w < 0 {
		w, v = -w, r3.Scale(-1, v)
	}
	n := r3.Norm(v)
	if n == 0 {
		return r3.Vec{}
	}
	return r3.Scale(2*math.Atan2(n, w)/n, v)
}

// nearestRotation is the rotation closest to m, by Newton's iteration for the
// polar factor, X ← (X + X⁻ᵀ)/2 (Higham, SIAM J Sci Stat Comput 7 (1986)
// 1160). m must be close to a rotation.
func nearestRotation(m [9]float64) [9]float64 {
	for range 20 {
		inv := inverse(&m)
		t := transposed(&inv)
		var off float64
		for n := range m {
			next := (m[n] + t[n]) / 2
			off = math.Max(off, math.Abs(next-m[n]))
			m[n] = next
		}
		if off < 1e-15 {
			break
		}
	}
	return m
}
