package needle

import "gonum.org/v1/gonum/spatial/r3"

// dist is the distance of two points, mm.
func dist(a, b r3.Vec) float64 { return r3.Norm(r3.Sub(a, b)) }
