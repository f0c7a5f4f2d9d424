package material

import "gonum.org/v1/gonum/spatial/r3"

// Det is det F.
func (m *Mat3) Det() float64 { return r3.Dot(m[0], r3.Cross(m[1], m[2])) }

// Cofactor writes cof F = det F · F⁻ᵀ into c and returns det F.
func (m *Mat3) Cofactor(c *Mat3) float64 {
	c[0], c[1], c[2] = r3.Cross(m[1], m[2]), r3.Cross(m[2], m[0]), r3.Cross(m[0], m[1])
	return r3.Dot(m[0], c[0])
}

// Norm2 is F:F, the trace of C = FᵀF.
func (m *Mat3) Norm2() float64 { return r3.Norm2(m[0]) + r3.Norm2(m[1]) + r3.Norm2(m[2]) }

// Identity is F of the unloaded state.
var Identity = Mat3{{X: 1}, {Y: 1}, {Z: 1}}

// flat writes m with row-major index 3i+J.
func (m *Mat3) flat(a *[9]float64) {
	a[0], a[1], a[2] = m[0].X, m[1].X, m[2].X
	a[3], a[4], a[5] = m[0].Y, m[1].Y, m[2].Y
	a[6], a[7], a[8] = m[0].Z, m[1].Z, m[2].Z
}

// bulk is κ = 2μ(1+ν)/(3(1−2ν)).
func bulk(mu, nu float64) float64 { return 2 * mu * (1 + nu) / (3 * (1 - 2*nu)) }

// mul writes c = a·b.
func mul(c, a, b *Mat3) {
	for k := range c {
		c[k] = r3.Add(r3.Scale(b[k].X, a[0]), r3.Add(r3.Scale(b[k].Y, a[1]), r3.Scale(b[k].Z, a[2])))
	}
}
