package vessel

import (
	"math"
	"slices"

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

// pointAlong is the point mm along a polyline from its first, and the index of
// the next one.
func pointAlong(p []r3.Vec, mm float64) (r3.Vec, int) {
	for m := 1; m < len(p); m++ {
		d := r3.Norm(r3.Sub(p[m], p[m-1]))
		if mm <= d && d > 0 {
			return r3.Add(p[m-1], r3.Scale(mm/d, r3.Sub(p[m], p[m-1]))), m
		}
		mm -= d
	}
	return p[len(p)-1], len(p) - 1
}

// towards is the unit direction from a to b, 0 where they are one.
func towards(a, b r3.Vec) r3.Vec {
	d := r3.Sub(b, a)
	if n := r3.Norm(d); n > 0 {
		return r3.Scale(1/n, d)
	}
	return r3.Vec{}
}

// median is the upper one of an even number of values.
func median(r []float64) float64 {
	s := slices.Sorted(slices.Values(r))
	return s[len(s)/2]
}
