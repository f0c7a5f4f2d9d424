package material

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

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

// finite says that no entry is NaN or infinite; entries above 1e150 count as
// infinite.
func (m *Mat3) finite() bool { return !(m.Norm2() > 1e300) && !math.IsNaN(m.Norm2()) }

// sym6 writes the symmetric AᵀB as 11, 22, 33, 12, 13, 23.
func sym6(s []float64, a, b *Mat3) {
	s[0], s[1], s[2] = r3.Dot(a[0], b[0]), r3.Dot(a[1], b[1]), r3.Dot(a[2], b[2])
	s[3], s[4], s[5] = r3.Dot(a[0], b[1]), r3.Dot(a[0], b[2]), r3.Dot(a[1], b[2])
}

// addSecond adds F·S to p and δik·S_JL to a, unless a is nil, for the symmetric
// S = 11, 22, 33, 12, 13, 23.
func addSecond(p *Mat3, a *[9][9]float64, f *Mat3, s *[6]float64) {
	m := Mat3{{X: s[0], Y: s[3], Z: s[4]}, {X: s[3], Y: s[1], Z: s[5]}, {X: s[4], Y: s[5], Z: s[2]}}
	var fs Mat3
	mul(&fs, f, &m)
	for k := range p {
		p[k] = r3.Add(p[k], fs[k])
	}
	if a == nil {
		return
	}
	for i := 0; i < 9; i += 3 {
		for k, c := range m {
			a[i][i+k] += c.X
			a[i+1][i+k] += c.Y
			a[i+2][i+k] += c.Z
		}
	}
}

func transpose(m *Mat3) Mat3 {
	return Mat3{{X: m[0].X, Y: m[1].X, Z: m[2].X}, {X: m[0].Y, Y: m[1].Y, Z: m[2].Y}, {X: m[0].Z, Y: m[1].Z, Z: m[2].Z}}
}
