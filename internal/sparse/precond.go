package sparse

import "halsted/internal/par"

// Apply makes a factored Cholesky a preconditioner.
func (c *Cholesky) Apply(dst, x []float64) { c.Solve(dst, x) }

// Jacobi is the block Jacobi preconditioner: the inverse of every 3×3
// diagonal block.
type Jacobi struct {
	n   int
	inv []float64 // 9 per block row
}

// NewJacobi makes room for n block rows; call Update before Apply.
func NewJacobi(n int) *Jacobi { return &Jacobi{n: n, inv: make([]float64, 9*n)} }

// Update takes the diagonal blocks of a. A block that is not positive definite
// is replaced by its positive diagonal entries, or by 1.
func (j *Jacobi) Update(a *BSR3) {
	par.Chunks(j.n, rowChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			invert3(j.inv[9*i:9*i+9], a.Val[9*a.Diag[i]:9*a.Diag[i]+9])
		}
	})
}

func invert3(v, m []float64) {
	a, b, c, d, e, f := m[0], m[1], m[2], m[4], m[5], m[8]
	c00, c01, c02 := d*f-e*e, c*e-b*f, b*e-c*d
	det := a*c00 + b*c01 + c*c02
	if !(a > 0 && a*d-b*b > 0 && det > 0) {
		clear(v)
		for r := range 3 {
			v[4*r] = 1
			if m[4*r] > 0 {
				v[4*r] = 1 / m[4*r]
			}
		}
		return
	}
	s := 1 / det
	v[0], v[1], v[2] = c00*s, c01*s, c02*s
	v[3], v[4], v[5] = v[1], (a*f-c*c)*s, (b*c-a*e)*s
	v[6], v[7], v[8] = v[2], v[5], (a*d-b*b)*s
}

// Apply writes D⁻¹·x into dst.
func (j *Jacobi) Apply(dst, x []float64) {
	par.Chunks(j.n, 1024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			v := j.inv[9*i : 9*i+9 : 9*i+9]
			a, b, c := x[3*i], x[3*i+1], x[3*i+2]
			dst[3*i] = v[0]*a + v[1]*b + v[2]*c
			dst[3*i+1] = v[3]*a + v[4]*b + v[5]*c
			dst[3*i+2] = v[6]*a + v[7]*b + v[8]*c
		}
	})
}
