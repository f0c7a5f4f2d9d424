package uncertainty

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"halsted/planner"
)

// germ gives the orthonormal polynomials of degree 1 and 2 of one input, as
// functions of the input's probability u.
type germ struct {
	degree int // highest degree that carries anything: 0 to 2
	psi    func(u float64) (one, two float64)
}

// germOf chooses the polynomials: Hermite in the normal variate of Normal and
// LogNormal; those orthonormal under the distribution's own first four moments
// for Triangular and Choice; Legendre in the probability for every other
// (Xiu and Karniadakis, SIAM J. Sci. Comput. 24 (2002) 619,
// doi 10.1137/S1064827501387826, table 4.1). A surrogate is exact for
// quadratics in the value itself of Normal, Uniform, Triangular and Choice, in
// its logarithm for LogNormal.
func germOf(d planner.Distribution) germ {
	switch d := d.(type) {
	case Fixed, FieldSeed:
		return germ{}
	case Normal, LogNormal:
		return germ{2, func(u float64) (float64, float64) {
			z := mathext.NormalQuantile(u)
			return z, (z*z - 1) / math.Sqrt2
		}}
	case Triangular:
		var x, w []float64
		for _, piece := range [][2]float64{{d.Low, d.Mode}, {d.Mode, d.High}} {
			// three-point Gauss–Legendre is exact for degree 5: a fourth moment under a linear density
			half, mid := (piece[1]-piece[0])/2, (piece[1]+piece[0])/2
			for n, t := range [3]float64{-math.Sqrt(0.6), 0, math.Sqrt(0.6)} {
				p := mid + half*t
				height := 0.0
				if piece[0] == d.Low && piece[1] == d.Mode && d.Mode > d.Low {
					height = (p - d.Low) / (d.Mode - d.Low)
				} else if d.High > d.Mode {
					height = (d.High - p) / (d.High - d.Mode)
				}
				x = append(x, p)
				w = append(w, height*half*[3]float64{5. / 9, 8. / 9, 5. / 9}[n]*2/(d.High-d.Low))
			}
		}
		return momentGerm(d, x, w)
	case Choice:
		x := make([]float64, len(d.Levels))
		for n := range x {
			x[n] = float64(n)
		}
		return momentGerm(d, x, d.shares())
	}
	return germ{2, func(u float64) (float64, float64) {
		t := 2*u - 1
		return math.Sqrt(3) * t, math.Sqrt(5) * (3*t*t - 1) / 2
	}}
}

// momentGerm orthonormalises 1, x, x² under points x of weight w that sum to 1:
// s = (x−mean)/sd and (s² − γ·s − 1)/√(κ − γ² − 1) with skewness γ and
// kurtosis κ. Two points carry degree 1 alone.
func momentGerm(d planner.Distribution, x, w []float64) germ {
	mean, variance, skew, kurt := 0.0, 0.0, 0.0, 0.0
	for n := range x {
		mean += w[n] * x[n]
	}
	for n := range x {
		variance += w[n] * (x[n] - mean) * (x[n] - mean)
	}
	sd := math.Sqrt(variance)
	for n := range x {
		s := (x[n] - mean) / sd
		skew += w[n] * s * s * s
		kurt += w[n] * s * s * s * s
	}
	norm2, degree := kurt-skew*skew-1, 2
	if norm2 < 1e-9 { // rounding of a difference of numbers near 1
		norm2, degree = 1, 1
	}
	return germ{degree, func(u float64) (float64, float64) {
		s := (d.Quantile(u) - mean) / sd
		return s, (s*s - skew*s - 1) / math.Sqrt(norm2)
	}}
}

// Surrogate is a polynomial chaos of degree 2 that stands for one output: a
// polynomial in the germs of the inputs that it depends on, fitted by least
// squares.
type Surrogate struct {
	terms []term
	coef  []float64
	germs []germ // by column of the points
	// noise are the residuals of the fit, scaled to the variance of the error;
	// their mean is 0.
	noise []float64

	Runs int // samples fitted
	// LeaveOneOut is the mean squared error of predicting a run from all the
	// others, over the variance of the runs; 0 is a perfect fit, 1 no better
	// than their mean.
	LeaveOneOut float64
	// Residual is the variance of what the polynomial does not explain, in the
	// output's unit squared.
	Residual float64
}

// term is a product of at most two polynomials; unused places are −1.
type term struct {
	i, j   int8 // columns
	di, dj int8 // their degrees
}

// termsOf lists the terms of total degree up to 2 in four blocks (constant,
// linear, squares, products) and tells where each ends.
func termsOf(germs []germ) (terms []term, ends [4]int) {
	terms = append(terms, term{-1, -1, 0, 0})
	ends[0] = 1
	for i, g := range germs {
		if g.degree >= 1 {
			terms = append(terms, term{int8(i), -1, 1, 0})
		}
	}
	ends[1] = len(terms)
	for i, g := range germs {
		if g.degree >= 2 {
			terms = append(terms, term{int8(i), -1, 2, 0})
		}
	}
	ends[2] = len(terms)
	for i := range germs {
		for j := range i {
			if germs[i].degree >= 1 && germs[j].degree >= 1 {
				terms = append(terms, term{int8(j), int8(i), 1, 1})
			}
		}
	}
	ends[3] = len(terms)
	return terms, ends
}

// basis evaluates the polynomials of one point: psi[2*column+degree−1].
func basis(germs []germ, u, psi []float64) {
	for i, g := range germs {
		if g.degree > 0 {
			psi[2*i], psi[2*i+1] = g.psi(u[i])
		}
	}
}

func (t term) value(psi []float64) float64 {
	v := 1.0
	if t.i >= 0 {
		v = psi[2*int(t.i)+int(t.di)-1]
	}
	if t.j >= 0 {
		v *= psi[2*int(t.j)+int(t.dj)-1]
	}
	return v
}

// FitError says that there are too few runs to fit a surrogate.
type FitError struct{ Have, Want int }

func (e *FitError) Error() string {
	return fmt.Sprintf("uncertainty: %d runs converged, a surrogate needs at least %d", e.Have, e.Want)
}

// dependent is the share of a column's length below which it depends on the
// columns before it: far above rounding, far below any sampling scatter.
const dependent = 1e-9

// constantTol is the relative scatter below which an output is constant up to
// the rounding of its sums.
const constantTol = 1e-13

// Fit is the surrogate of values at points of the unit cube (points[run][d], one
// column for each of the inputs). Of the constant, linear, additive quadratic
// and full quadratic polynomials it takes the one with the least leave-one-out
// error, so that noise is not fitted (Blatman and Sudret, J. Comput. Phys. 230
// (2011) 2345, doi 10.1016/j.jcp.2010.12.021, section 3.3).
func Fit(inputs []planner.Distribution, points [][]float64, values []float64) (*Surrogate, error) {
	n := len(values)
	if n < 2 || len(points) != n {
		return nil, &FitError{min(n, len(points)), 2}
	}
	if len(inputs) > MaxDimensions-1 {
		return nil, &DimensionsError{Chaos, len(inputs), MaxDimensions - 1}
	}
	for i, v := range values {
		if !finite(v) || len(points[i]) != len(inputs) {
			return nil, fmt.Errorf("uncertainty: run %d to fit is not finite or has %d coordinates for %d inputs", i, len(points[i]), len(inputs))
		}
	}
	s := &Surrogate{Runs: n}
	for _, d := range inputs {
		s.germs = append(s.germs, germOf(d))
	}
	terms, ends := termsOf(s.germs)
	for last := 3; ends[last] >= n; last-- { // a fit without a run to spare has no error estimate
		terms = terms[:ends[last-1]]
		for b := last; b < 4; b++ {
			ends[b] = ends[last-1]
		}
	}
	q, r := orthonormal(s.germs, terms, points)

	// The blocks are nested, so one factorisation serves all four.
	mean := 0.0
	for _, v := range values {
		mean += v / float64(n)
	}
	scatter := 0.0
	for _, v := range values {
		scatter += (v - mean) * (v - mean) / float64(n)
	}
	if scatter <= constantTol*constantTol*mean*mean { // an output that does not vary
		s.terms, s.coef, s.noise = terms[:1], []float64{values[0]}, []float64{0}
		return s, nil
	}
	rest := append([]float64(nil), values...)
	lever := make([]float64, n)
	along := make([]float64, len(terms)) // Qᵀ·values
	best, bestTerms := math.Inf(1), 0
	var bestRest, bestLever []float64
	rank, done := 0, 0
	for _, end := range ends {
		for ; done < end; done++ {
			if r[done][done] == 0 {
				continue
			}
			rank++
			along[done] = dot(q[done], rest)
			for i := range rest {
				rest[i] -= along[done] * q[done][i]
				lever[i] += q[done][i] * q[done][i]
			}
		}
		loo := 0.0
		for i, e := range rest {
			e /= max(1-lever[i], dependent)
			loo += e * e / float64(n)
		}
		if loo < best {
			best, bestTerms = loo, end
			bestRest, bestLever = append(bestRest[:0], rest...), append(bestLever[:0], lever...)
			s.Residual = dot(rest, rest) / float64(n-rank)
		}
	}
	s.terms, s.coef = terms[:bestTerms], make([]float64, bestTerms)
	for k := bestTerms - 1; k >= 0; k-- {
		if r[k][k] == 0 {
			continue
		}
		c := along[k]
		for j := k + 1; j < bestTerms; j++ {
			c -= r[k][j] * s.coef[j]
		}
		s.coef[k] = c / r[k][k]
	}
	s.LeaveOneOut = best / scatter
	s.noise = scaledNoise(bestRest, bestLever, s.Residual)
	return s, nil
}

// scaledNoise are residuals over √(1 − leverage), which all have the variance
// of the error, with mean 0 and exactly that variance.
func scaledNoise(rest, lever []float64, variance float64) []float64 {
	out := make([]float64, len(rest))
	mean := 0.0
	for i, e := range rest {
		out[i] = e / math.Sqrt(max(1-lever[i], dependent))
		mean += out[i] / float64(len(rest))
	}
	for i := range out {
		out[i] -= mean
	}
	have := dot(out, out) / float64(len(out))
	scale := 0.0
	if have > 0 {
		scale = math.Sqrt(variance / have)
	}
	for i := range out {
		out[i] *= scale
	}
	return out
}

// orthonormal is the QR factorisation of the terms' values at the points, by
// Gram–Schmidt done twice: q[term][run], r[k][term]. A term that depends on
// those before it has r[term][term] = 0.
func orthonormal(germs []germ, terms []term, points [][]float64) (q, r [][]float64) {
	n := len(points)
	q, r = make([][]float64, len(terms)), make([][]float64, len(terms))
	for k := range terms {
		q[k], r[k] = make([]float64, n), make([]float64, len(terms))
	}
	psi := make([]float64, 2*len(germs))
	for i, u := range points {
		basis(germs, u, psi)
		for k, t := range terms {
			q[k][i] = t.value(psi)
		}
	}
	for k := range terms {
		length := math.Sqrt(dot(q[k], q[k]))
		for range 2 {
			for j := range k {
				if r[j][j] == 0 {
					continue
				}
				p := dot(q[j], q[k])
				r[j][k] += p
				for i := range q[k] {
					q[k][i] -= p * q[j][i]
				}
			}
		}
		left := math.Sqrt(dot(q[k], q[k]))
		if !(left > dependent*length) {
			continue
		}
		r[k][k] = left
		for i := range q[k] {
			q[k][i] /= left
		}
	}
	return q, r
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

// At is the surrogate at a point of the unit cube.
func (s *Surrogate) At(u []float64) float64 {
	psi := make([]float64, 2*len(s.germs))
	basis(s.germs, u, psi)
	return s.eval(psi)
}

func (s *Surrogate) eval(psi []float64) float64 {
	v := 0.0
	for k, t := range s.terms {
		v += s.coef[k] * t.value(psi)
	}
	return v
}

// Mean is the mean of the output: the constant coefficient.
func (s *Surrogate) Mean() float64 { return s.coef[0] }

// Variance is that of the polynomial and of what it leaves over.
func (s *Surrogate) Variance() float64 { return dot(s.coef[1:], s.coef[1:]) + s.Residual }

// surrogateSamples is the number of points at which a surrogate is sampled: a
// 2.5 % quantile then has a standard error of 0.12 % in probability, less for
// Sobol points.
const surrogateSamples = 1 << 14

// Sample draws n values of the surrogate at scrambled Sobol points, with the
// residuals of the fit, drawn at random, added back. The same seed and n give
// the same points and residuals for every surrogate of the same inputs.
func (s *Surrogate) Sample(n int, seed uint64) ([]float64, error) {
	points, err := Points(Method{Kind: SobolPoints, Seed: seed}, n, len(s.germs)+1)
	if err != nil {
		return nil, err
	}
	out := make([]float64, n)
	psi := make([]float64, 2*len(s.germs))
	for i, u := range points {
		basis(s.germs, u, psi)
		pick := int(u[len(s.germs)] * float64(len(s.noise)))
		out[i] = s.eval(psi) + s.noise[min(pick, len(s.noise)-1)]
	}
	return out, nil
}

// Index is the share of an output's variance that comes from an input: First
// by itself, Total with its interactions (Sobol, Math. Comput. Simul. 55 (2001)
// 271, doi 10.1016/S0378-4754(00)00270-6; from chaos coefficients: Sudret,
// Reliab. Eng. Syst. Saf. 93 (2008) 964, doi 10.1016/j.ress.2007.04.002). The
// variance includes what the surrogate leaves over: that share stands under the
// input "".
type Index struct {
	Output string  `json:"output"`
	Input  string  `json:"input"` // "": not explained by the surrogate, seeds of random fields among it
	First  float64 `json:"first"`
	Total  float64 `json:"total"`
}

// Indices are first and total index of every column of the points; left is the
// share that the polynomial leaves over. All are 0 for an output that does not
// vary.
func (s *Surrogate) Indices() (first, total []float64, left float64) {
	first, total = make([]float64, len(s.germs)), make([]float64, len(s.germs))
	all := s.Variance()
	if !(all > 0) {
		return first, total, 0
	}
	for k, t := range s.terms[1:] {
		share := s.coef[k+1] * s.coef[k+1] / all
		total[t.i] += share
		if t.j < 0 {
			first[t.i] += share
		} else {
			total[t.j] += share
		}
	}
	return first, total, s.Residual / all
}
