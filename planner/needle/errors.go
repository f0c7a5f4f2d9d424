package needle

import (
	"fmt"
	"math"
)

// Errors are how far what happens is from what was planned: standard
// deviations unless the name says otherwise. A zero field takes its default.
type Errors struct {
	RegistrationMM float64 // of the plan against the patient, along each axis; 0: 1.0 (clinical.md §4)
	AngleDeg       float64 // of the shaft about the entry, in each of two planes; 0: 1.0
	DepthMM        float64 // of the tip along the shaft; 0: 1.0
	HoldMM         float64 // of the organs along z from breath-hold to breath-hold; 0: 2.5
	// FreeMM is the cranio-caudal way of the organs under free breathing, 10 to
	// 25 mm (materials.md). When positive, the organs are anywhere on it with
	// equal probability, the scan in its middle, and HoldMM does not count.
	FreeMM     float64
	BoundaryMM float64 // of a structure's border along its normal; 0: 0.5
}

func (e Errors) withDefaults() Errors {
	for _, d := range []struct {
		v *float64
		d float64
	}{{&e.RegistrationMM, 1}, {&e.AngleDeg, 1}, {&e.DepthMM, 1}, {&e.HoldMM, 2.5}, {&e.BoundaryMM, 0.5}} {
		if *d.v == 0 {
			*d.v = d.d
		}
	}
	return e
}

func (e Errors) validate() error {
	for _, d := range []struct {
		name    string
		v, most float64
	}{{"RegistrationMM", e.RegistrationMM, 50}, {"AngleDeg", e.AngleDeg, 30}, {"DepthMM", e.DepthMM, 50}, {"HoldMM", e.HoldMM, 50}, {"FreeMM", e.FreeMM, 60}, {"BoundaryMM", e.BoundaryMM, 20}} {
		if !(d.v >= 0 && d.v <= d.most) {
			return fmt.Errorf("needle: Errors.%s is %g, want 0 to %g", d.name, d.v, d.most)
		}
	}
	return nil
}

// normalCDF is the standard normal distribution function.
func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// normalQuantile is its inverse.
func normalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }

// breath is the organs' displacement along z with probability p of less, mm.
func (e *Errors) breath(p float64) float64 {
	if e.FreeMM > 0 {
		return (p - 0.5) * e.FreeMM
	}
	return e.HoldMM * normalQuantile(p)
}

// TubeHit is the probability that a needle of radius r hits a straight tube of
// radius R when their axes pass each other at distance d and the needle is
// displaced by a normal error of standard deviation sigma along their common
// normal (mm): the axes' distance moves linearly with it, so that
//
//	P = Φ((R+r−d)/σ) − Φ((−R−r−d)/σ).
//
// It is exact for a displacement without rotation.
func TubeHit(d, R, r, sigma float64) float64 {
	if sigma == 0 {
		if d < R+r {
			return 1
		}
		return 0
	}
	return normalCDF((R+r-d)/sigma) - normalCDF((-R-r-d)/sigma)
}
