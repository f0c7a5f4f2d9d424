package sparse

import (
	"math"

	"halsted/internal/par"
)

// chebyshev smooths on one level: a Chebyshev polynomial in the block-Jacobi
// scaled matrix (Saad 2003, algorithm 12.1), in float32. r is the residual, x
// the iterate, d the last correction.
type chebyshev struct {
	a          *BSR3
	val        []float32 // blocks column-major, one entry more: row32 reads past the end
	inv        []float32
	lambda     float64 // largest eigenvalue of D⁻¹·A, from below
	x, r, d, e []float32
	probe      []float32
}

// The largest eigenvalue comes from power iterations, raised by amgMargin since
// they approach it from below.
const (
	amgDegree = 3    // products with the matrix before and after the coarse correction
	amgRange  = 20.0 // λmax over the smallest eigenvalue aimed at
	amgFirst  = 12   // power iterations for the first values
	amgAgain  = 2    // and for later ones
	amgMargin = 1.1
)

// update takes the values of the matrix.
func (s *chebyshev) update() {
	n := s.a.N
	steps := amgAgain
	if s.val == nil {
		steps = amgFirst
		s.val = make([]float32, len(s.a.Val)+1)
		s.inv = make([]float32, 9*n)
		for _, v := range []*[]float32{&s.x, &s.r, &s.d, &s.e, &s.probe} {
			*v = make([]float32, 3*n)
		}
		seed := uint64(1)
		for i := range s.probe { // a fixed start with all frequencies in it
			seed = seed*6364136223846793005 + 1442695040888963407
			s.probe[i] = float32(int64(seed>>33)-1<<30) / (1 << 30)
		}
	}
	par.Chunks(len(s.a.Col), 4096, func(lo, hi int) {
		for b := lo; b < hi; b++ {
			v, w := s.a.Val[9*b:9*b+9:9*b+9], s.val[9*b:9*b+9:9*b+9]
			w[0], w[1], w[2] = float32(v[0]), float32(v[3]), float32(v[6])
			w[3], w[4], w[5] = float32(v[1]), float32(v[4]), float32(v[7])
			w[6], w[7], w[8] = float32(v[2]), float32(v[5]), float32(v[8])
		}
	})
	par.Chunks(n, 1024, func(lo, hi int) {
		var v [9]float64
		for i := lo; i < hi; i++ {
			invert3(v[:], s.a.Val[9*s.a.Diag[i]:9*s.a.Diag[i]+9])
			for q, w := range v {
				s.inv[9*i+q] = float32(w)
			}
		}
	})
	for range steps {
		// d = D⁻¹·A·probe, λ = ‖d‖/‖probe‖.
		par.Chunks(n, rowChunk, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				s.r[3*i], s.r[3*i+1], s.r[3*i+2] = s.row(i, s.probe)
				s.d[3*i], s.d[3*i+1], s.d[3*i+2] = s.jacobi(i)
			}
		})
		num, den := lengthOf(s.d), lengthOf(s.probe)
		if !(num > 0) || !(den > 0) {
			s.lambda = 1
			return
		}
		s.lambda = num / den
		scale := float32(1 / num)
		for i, v := range s.d {
			s.probe[i] = scale * v
		}
	}
}

// smooth adds amgDegree corrections for the residual r to x. It leaves the
// last one in d, not yet taken off r.
func (s *chebyshev) smooth() {
	hi := amgMargin * s.lambda
	lo := hi / amgRange
	theta, delta := (hi+lo)/2, (hi-lo)/2
	sigma := theta / delta
	rho := 1 / sigma
	c := float32(1 / theta)
	par.Chunks(s.a.N, 512, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			z0, z1, z2 := s.jacobi(i)
			z0, z1, z2 = c*z0, c*z1, c*z2
			s.d[3*i], s.d[3*i+1], s.d[3*i+2] = z0, z1, z2
			s.x[3*i] += z0
			s.x[3*i+1] += z1
			s.x[3*i+2] += z2
		}
	})
	for range amgDegree - 1 {
		next := 1 / (2*sigma - rho)
		c0, c1 := float32(next*rho), float32(2*next/delta)
		rho = next
		par.Chunks(s.a.N, rowChunk, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				y0, y1, y2 := s.row(i, s.d)
				s.r[3*i] -= y0
				s.r[3*i+1] -= y1
				s.r[3*i+2] -= y2
				z0, z1, z2 := s.jacobi(i)
				z0, z1, z2 = c0*s.d[3*i]+c1*z0, c0*s.d[3*i+1]+c1*z1, c0*s.d[3*i+2]+c1*z2
				s.e[3*i], s.e[3*i+1], s.e[3*i+2] = z0, z1, z2
				s.x[3*i] += z0
				s.x[3*i+1] += z1
				s.x[3*i+2] += z2
			}
		})
		s.d, s.e = s.e, s.d
	}
}

// jacobi is D⁻¹·r in block row i.
func (s *chebyshev) jacobi(i int) (z0, z1, z2 float32) {
	v := s.inv[9*i : 9*i+9 : 9*i+9]
	r := s.r[3*i : 3*i+3 : 3*i+3]
	a, b, c := r[0], r[1], r[2]
	return v[0]*a + v[1]*b + v[2]*c, v[3]*a + v[4]*b + v[5]*c, v[6]*a + v[7]*b + v[8]*c
}

// row is (A·x) in block row i.
func (s *chebyshev) row(i int, x []float32) (y0, y1, y2 float32) {
	lo, hi := int(s.a.RowPtr[i]), int(s.a.RowPtr[i+1])
	return row32(s.val[9*lo:9*hi+1], s.a.Col[lo:hi], x)
}

// subtract does r −= A·d.
func (s *chebyshev) subtract() {
	par.Chunks(s.a.N, rowChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y0, y1, y2 := s.row(i, s.d)
			s.r[3*i] -= y0
			s.r[3*i+1] -= y1
			s.r[3*i+2] -= y2
		}
	})
}

// lengthOf is ‖x‖₂, summed in fixed chunks.
func lengthOf(x []float32) float64 {
	return math.Sqrt(par.Sum(len(x), vecChunk, func(lo, hi int) float64 {
		var s float64
		for _, v := range x[lo:hi] {
			s += float64(v) * float64(v)
		}
		return s
	}))
}
