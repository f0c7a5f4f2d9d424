package vessel

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// rmsAlong is the root mean square of r along a polyline (trapezoidal rule).
func rmsAlong(p []r3.Vec, r []float64) float64 {
	sum, length := 0.0, 0.0
	for n := 1; n < len(p); n++ {
		h := r3.Norm(r3.Sub(p[n], p[n-1]))
		sum += h * (r[n]*r[n] + r[n-1]*r[n-1]) / 2
		length += h
	}
	if length == 0 {
		return r[0]
	}
	return math.Sqrt(sum / length)
}
