package needle

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	breathNodes  = 15  // places of the organs that P(hit) is a mean over
	hitStepMM    = 0.5 // between points of the shaft for P(hit)
	tipPoints    = 1024
	tipDimension = 4
)

// hit is the probability that the shaft meets the structure of field f, whose
// distances are less by less mm (shaft's radius, shift of the border):
//
//	P = mean over the organs' places b of max over points of Φ(−d_b/σ)
//	σ² = σ_registration² + (distance to the entry · σ_angle)²
//
// that is P(d + e < 0) at the likeliest point of the shaft (clinical.md §4).
// The error counts across the shaft; at an inner point of closest approach
// that is the direction of the structure. For tube against tube it is the
// first term of TubeHit: the chance to pass beyond the far wall is not taken
// off.
func (c *Case) hit(s *shaft, f *Field, less float64, moves bool) float64 {
	every := int(math.Round(hitStepMM / StepMM))
	sr, sa := c.errors.RegistrationMM, c.errors.AngleDeg*math.Pi/180
	nodes := 1
	if moves {
		nodes = breathNodes
	}
	sum := 0.0
	for b := range nodes {
		var o [3]float64
		if moves {
			o = c.voxels(r3.Vec{Z: c.errors.breath((float64(b) + 0.5) / float64(nodes))})
		}
		worst := math.Inf(-1) // −d/σ
		for i := 0; i <= s.n; i += every {
			x, y, z := s.where(i)
			d := f.at(x-o[0], y-o[1], z-o[2]) - less
			lever := (s.mm - float64(i)*StepMM) * sa
			worst = max(worst, -d/math.Sqrt(sr*sr+lever*lever))
		}
		sum += normalCDF(worst)
	}
	return sum / float64(nodes)
}

// voxels is a displacement in voxels of the case's grid.
func (c *Case) voxels(d r3.Vec) (v [3]float64) {
	for a, ax := range c.Grid.Axes {
		v[a] = r3.Dot(d, ax) / r3.Norm2(ax)
	}
	return v
}

// tipIn is the probability that the tip ends in the target, whose border lies
// out by grow mm: the mean over the points of a Halton sequence of the normal
// errors along and across the shaft and of the organs' places.
func (c *Case) tipIn(s *shaft, grow float64) float64 {
	across, across2 := frame(s.out)
	lever := s.mm * c.errors.AngleDeg * math.Pi / 180
	r := c.errors.RegistrationMM
	sa, sd := math.Hypot(r, lever), math.Hypot(r, c.errors.DepthMM)
	u, v, w := c.voxels(r3.Scale(sa, across)), c.voxels(r3.Scale(sa, across2)), c.voxels(r3.Scale(sd, s.out))
	z := c.voxels(r3.Vec{Z: 1})
	in := 0
	for n := range tipPoints {
		a, b, d := normalQuantile(halton(n+1, 2)), normalQuantile(halton(n+1, 3)), normalQuantile(halton(n+1, 5))
		h := c.errors.breath(halton(n+1, 7))
		p := s.from
		for k := range p {
			p[k] += a*u[k] + b*v[k] + d*w[k] - h*z[k]
		}
		if c.tumour.at(p[0], p[1], p[2]) < grow {
			in++
		}
	}
	return float64(in) / tipPoints
}

// frame is two unit vectors that make an orthogonal frame with u.
func frame(u r3.Vec) (a, b r3.Vec) {
	e := r3.Vec{X: 1}
	if math.Abs(u.X) > 0.8 {
		e = r3.Vec{Y: 1}
	}
	a = r3.Unit(r3.Cross(u, e))
	return a, r3.Cross(u, a)
}

// halton is the n-th number of the van der Corput sequence in a base (Halton,
// Numer. Math. 2 (1960) 84), in (0, 1) for n ≥ 1.
func halton(n, base int) float64 {
	f, v := 1.0, 0.0
	for ; n > 0; n /= base {
		f /= float64(base)
		v += f * float64(n%base)
	}
	return v
}
