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

// The largest eigenvalue is that of amgLanczos steps of the Lanczos method
// (Saad 2003, section 6.7.3), raised by amgMargin since it comes from below.
const (
	amgDegree  = 3    // products with the matrix before and after the coarse correction
	amgRange   = 20.0 // λmax over the smallest eigenvalue aimed at
	amgLanczos = 12
	amgMargin  = 1.1
)

// update takes the values of the matrix.
func (s *chebyshev) update() {
	n := s.a.N
	if s.val == nil {
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
	s.lambda = s.largest()
}

// largest estimates the largest eigenvalue of D⁻¹·A from the conjugate
// gradients with D for preconditioner and probe for right side: their
// coefficients are the Lanczos matrix.
func (s *chebyshev) largest() float64 {
	var main, side []float64 // of the matrix
	copy(s.r, s.probe)
	clear(s.e)
	var rho, alpha, beta float64
	for range amgLanczos {
		// x = D⁻¹·r, e = x + β·e, d = A·e
		next := par.Sum(s.a.N, 1024, func(lo, hi int) (sum float64) {
			for i := lo; i < hi; i++ {
				z0, z1, z2 := s.jacobi(i)
				s.x[3*i], s.x[3*i+1], s.x[3*i+2] = z0, z1, z2
				sum += float64(z0)*float64(s.r[3*i]) + float64(z1)*float64(s.r[3*i+1]) + float64(z2)*float64(s.r[3*i+2])
			}
			return sum
		})
		if !(next > 0) {
			break
		}
		before := 0.0
		if len(main) > 0 {
			beta = next / rho
			before = beta / alpha
			side = append(side, math.Sqrt(beta)/alpha)
		}
		rho = next
		b := float32(beta)
		par.Chunks(len(s.e), vecChunk, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				s.e[i] = s.x[i] + b*s.e[i]
			}
		})
		curve := par.Sum(s.a.N, rowChunk, func(lo, hi int) (sum float64) {
			for i := lo; i < hi; i++ {
				y0, y1, y2 := s.row(i, s.e)
				s.d[3*i], s.d[3*i+1], s.d[3*i+2] = y0, y1, y2
				sum += float64(y0)*float64(s.e[3*i]) + float64(y1)*float64(s.e[3*i+1]) + float64(y2)*float64(s.e[3*i+2])
			}
			return sum
		})
		if !(curve > 0) {
			break
		}
		alpha = rho / curve
		main = append(main, 1/alpha+before)
		c := float32(alpha)
		par.Chunks(len(s.r), vecChunk, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				s.r[i] -= c * s.d[i]
			}
		})
	}
	if len(main) == 0 {
		return 1
	}
	return largestTridiagonal(main, side[:len(main)-1])
}

// largestTridiagonal is the largest eigenvalue of the symmetric matrix with
// that diagonal and side diagonal, by bisection on the signs of the pivots.
func largestTridiagonal(main, side []float64) float64 {
	at := func(i int) float64 {
		if i < 0 || i >= len(side) {
			return 0
		}
		return math.Abs(side[i])
	}
	lo, hi := main[0], main[0]
	for i, v := range main {
		lo, hi = max(lo, v), max(hi, v+at(i-1)+at(i))
	}
	for range 40 {
		mid := (lo + hi) / 2
		below, d := true, 1.0 // mid − T is positive definite
		for i, v := range main {
			d = mid - v - at(i-1)*at(i-1)/d
			if !(d > 0) {
				below = false
				break
			}
		}
		if below {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
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
