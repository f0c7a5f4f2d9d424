package register

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/spatial/r3"
	"halsted/imaging"
)

const (
	probeShare   = 3   // voxels of the finest level that a probe moves the result
	curveShare   = 0.5 // the same, of the differences for the second derivative
	minSharpness = 10  // standard deviations of chance
)

// flatness fills in Report.Sharpness, and refuses a result that the metric
// does not single out.
//
// The mutual information of N samples of unrelated images in a histogram of
// r×c occupied rows and columns follows 2N·I ~ χ² with k = (r−1)(c−1) degrees
// of freedom, so its standard deviation is √(k/2)/N. That is the unit.
func (s *search) flatness(ctx context.Context, t Transform, rep *Report) error {
	m := s.last
	defer func() { s.calls += m.calls; m.calls = 0 }()
	h := s.o.SpacingMM
	ch := newChart(s.affine, m.fixed, t)
	n := ch.dim()
	x := make([]float64, n)
	at := func(x []float64) (score, error) {
		a, b := ch.at(x)
		return m.at(ctx, &a, b)
	}
	// Second derivatives by central differences of the gradient.
	curve := mat.NewSymDense(n, nil)
	rows := make([][]float64, n)
	for i := range n {
		var g [2][12]float64
		for side, step := range []float64{-curveShare * h, curveShare * h} {
			x[i] = step
			if _, err := at(x); err != nil {
				return err
			}
			da, db, err := m.gradient(ctx)
			if err != nil {
				return err
			}
			ch.pull(x, &da, db, g[side][:n])
		}
		x[i] = 0
		rows[i] = make([]float64, n)
		for j := range n {
			rows[i][j] = (g[1][j] - g[0][j]) / (2 * curveShare * h)
		}
	}
	for i := range n {
		for j := range i + 1 {
			curve.SetSym(i, j, finite((rows[i][j]+rows[j][i])/2))
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(curve, true) {
		return &FlatError{0, minSharpness, "shift"}
	}
	var axes mat.Dense
	eig.VectorsTo(&axes)

	base, err := at(x)
	if err != nil {
		return err
	}
	rowsUsed, colsUsed := 0, 0
	for i := range m.bins {
		var r, c float64
		for j := range m.bins {
			r += m.joint[i*m.bins+j]
			c += m.joint[j*m.bins+i]
		}
		// A row that holds less than one sample is no degree of freedom.
		if r >= 1 {
			rowsUsed++
		}
		if c >= 1 {
			colsUsed++
		}
	}
	if rowsUsed < 2 || colsUsed < 2 {
		return &FlatError{0, minSharpness, "shift"}
	}
	unit := math.Sqrt(float64((rowsUsed-1)*(colsUsed-1))/2) / base.weight
	weakest := math.Inf(1)
	for k := range n {
		for _, side := range []float64{-1, 1} {
			for i := range x {
				x[i] = side * probeShare * h * axes.At(i, k)
			}
			sc, err := at(x)
			if err != nil {
				return err
			}
			if z := (base.mi - sc.mi) / unit; z < weakest {
				weakest = z
				rep.WeakestMM = r3.Vec{X: axes.At(0, k), Y: axes.At(1, k), Z: axes.At(2, k)}
				rep.Weakest = s.kindOf(&axes, k)
			}
		}
	}
	rep.Sharpness = finite(weakest)
	if !(rep.Sharpness >= minSharpness) {
		return &FlatError{rep.Sharpness, minSharpness, rep.Weakest}
	}
	return nil
}

// kindOf names what direction k mostly is.
func (s *search) kindOf(axes *mat.Dense, k int) string {
	var part [3]float64 // shift, turn, scale
	n, _ := axes.Dims()
	for i := range 3 {
		part[0] += axes.At(i, k) * axes.At(i, k)
	}
	if n == 6 {
		part[1] = 1 - part[0]
	} else {
		for i := range 3 {
			for j := range 3 {
				u, v := axes.At(3+3*i+j, k), axes.At(3+3*j+i, k)
				part[1] += (u - v) * (u - v) / 4
				part[2] += (u + v) * (u + v) / 4
			}
		}
	}
	switch {
	case part[0] >= part[1] && part[0] >= part[2]:
		return "shift"
	case part[1] >= part[2]:
		return "turn"
	}
	return "scale"
}

// lattice is the number of points along each axis on which forward and
// backward maps are compared.
const lattice = 9

// disagreement is the mean and the greatest distance in mm between points of
// the fixed image and where forward and then backward map them, over a lattice
// of points whose image lies in the moving grid. With no such point both are
// +Inf.
func disagreement(fixed, moving imaging.Grid, t, back Transform) (mean, most float64) {
	n := 0
	for c := range lattice * lattice * lattice {
		f := func(a, i int) float64 { return float64(i)*float64(fixed.Size[a])/(lattice-1) - 0.5 }
		p := fixed.Point(f(0, c%lattice), f(1, c/lattice%lattice), f(2, c/lattice/lattice))
		y := t.Apply(p)
		i, j, k := moving.Voxel(y)
		v := [3]float64{i, j, k}
		in := true
		for a := range 3 {
			in = in && v[a] >= -0.5 && v[a] <= float64(moving.Size[a])-0.5
		}
		if !in {
			continue
		}
		d := r3.Norm(r3.Sub(back.Apply(y), p))
		mean += d
		most = math.Max(most, d)
		n++
	}
	if n == 0 {
		return math.Inf(1), math.Inf(1)
	}
	return mean / float64(n), most
}
