package aneurysm

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Shape is an aorta as a row of sections across its centreline: at station i
// and angle 2π·j/angles the lumen reaches Lumen[i][j] mm from Centre[i] in the
// direction U·cos + V·sin. U, V and the direction of flow U × V are orthonormal.
// Stations stand StepMM apart, from the top down. Every section is star-shaped
// seen from its centre.
type Shape struct {
	Centre, U, V []r3.Vec // LPS mm; unit
	StepMM       float64
	Lumen        [][]float64 // [station][angle], mm
	// Outer is the outer border of the wall; nil: not seen, the wall then stands
	// around the lumen with its stated thickness and there is no thrombus.
	Outer [][]float64
}

// Limits of a Shape.
const (
	minStations, maxStations = 8, 2000
	minAngles, maxAngles     = 16, 512
	maxRadiusMM              = 100
	frameTol                 = 1e-6 // of unit vectors that were computed in double precision
)

// Validate names the first thing that is wrong with the shape.
func (s *Shape) Validate() error {
	n := len(s.Centre)
	if n < minStations || n > maxStations || len(s.U) != n || len(s.V) != n || len(s.Lumen) != n || s.Outer != nil && len(s.Outer) != n {
		return &InputError{"Shape", fmt.Sprintf("has %d stations (%d, %d frames, %d sections): give %d to %d of each", n, len(s.U), len(s.V), len(s.Lumen), minStations, maxStations)}
	}
	if !(s.StepMM > 0 && s.StepMM <= maxRadiusMM) {
		return &InputError{"Shape.StepMM", fmt.Sprintf("is %g mm", s.StepMM)}
	}
	angles := len(s.Lumen[0])
	if angles < minAngles || angles > maxAngles {
		return &InputError{"Shape.Lumen", fmt.Sprintf("has %d angles: give %d to %d", angles, minAngles, maxAngles)}
	}
	for i := range n {
		c, u, v := s.Centre[i], s.U[i], s.V[i]
		if !finite(c) || math.Abs(r3.Norm(u)-1)+math.Abs(r3.Norm(v)-1)+math.Abs(r3.Dot(u, v)) > frameTol || math.IsNaN(r3.Dot(u, v)) {
			return &InputError{"Shape", fmt.Sprintf("station %d has no orthonormal frame", i)}
		}
		if len(s.Lumen[i]) != angles || s.Outer != nil && len(s.Outer[i]) != angles {
			return &InputError{"Shape", fmt.Sprintf("station %d has not %d angles", i, angles)}
		}
		for j, r := range s.Lumen[i] {
			if !(r > 0 && r <= maxRadiusMM) {
				return &InputError{"Shape.Lumen", fmt.Sprintf("reaches %g mm at station %d, angle %d: want up to %d mm", r, i, j, maxRadiusMM)}
			}
			if s.Outer != nil && !(s.Outer[i][j] > r && s.Outer[i][j] <= maxRadiusMM) {
				return &InputError{"Shape.Outer", fmt.Sprintf("reaches %g mm at station %d, angle %d, where the lumen reaches %g mm", s.Outer[i][j], i, j, r)}
			}
		}
	}
	return nil
}

// LengthMM is the length along the centreline.
func (s *Shape) LengthMM() float64 { return s.StepMM * float64(len(s.Centre)-1) }

func finite(v r3.Vec) bool {
	t := v.X + v.Y + v.Z
	return !math.IsNaN(t) && !math.IsInf(t, 0)
}

// frame is the centre and the directions of the section at arc length s, mm,
// between the stations by cubic convolution.
func (s *Shape) frame(at float64) (c, u, v r3.Vec) {
	k, w := s.weights(at)
	for a, wa := range w {
		i := min(max(k+a, 0), len(s.Centre)-1)
		c = r3.Add(c, r3.Scale(wa, s.beyond(s.Centre, k+a)))
		u = r3.Add(u, r3.Scale(wa, s.U[i]))
		v = r3.Add(v, r3.Scale(wa, s.V[i]))
	}
	u = r3.Unit(u)
	v = r3.Unit(r3.Sub(v, r3.Scale(r3.Dot(u, v), u)))
	return c, u, v
}

// beyond is p[i], carried on in a straight line beyond the ends.
func (s *Shape) beyond(p []r3.Vec, i int) r3.Vec {
	switch n := len(p) - 1; {
	case i < 0:
		return r3.Add(p[0], r3.Scale(float64(i), r3.Sub(p[1], p[0])))
	case i > n:
		return r3.Add(p[n], r3.Scale(float64(i-n), r3.Sub(p[n], p[n-1])))
	}
	return p[i]
}

// weights are those of the stations k to k+3 at arc length at (cubic
// convolution, R. Keys, IEEE Trans. ASSP 29 (1981) 1153, a = −1/2).
func (s *Shape) weights(at float64) (k int, w [4]float64) {
	return keys(at / s.StepMM)
}

func keys(x float64) (k int, w [4]float64) {
	f := math.Floor(x)
	t := x - f
	w = [4]float64{((2-t)*t - 1) * t / 2, ((3*t-5)*t*t + 2) / 2, ((4-3*t)*t + 1) * t / 2, (t - 1) * t * t / 2}
	return int(f) - 1, w
}

// radius is r at arc length at, mm, and angle a, radians.
func (s *Shape) radius(r [][]float64, at, a float64) float64 {
	n := len(r[0])
	k, w := s.weights(at)
	m, wa := keys(a / (2 * math.Pi) * float64(n))
	sum := 0.0
	for p, wp := range w {
		row := r[min(max(k+p, 0), len(r)-1)]
		line := 0.0
		for q, wq := range wa {
			line += wq * row[((m+q)%n+n)%n]
		}
		sum += wp * line
	}
	return sum
}

// point is the point of the border r at arc length at and angle a, LPS mm.
func (s *Shape) point(r [][]float64, at, a float64) r3.Vec {
	c, u, v := s.frame(at)
	sin, cos := math.Sincos(a)
	return r3.Add(c, r3.Scale(s.radius(r, at, a), r3.Add(r3.Scale(cos, u), r3.Scale(sin, v))))
}

// Along makes a shape from a centreline and two borders given as functions of
// arc length, mm, and angle, radians, sampled every stepMM or a little less and
// at the given number of angles. centre may be any curve whose parameter is
// near its arc length; the frames do not turn about it (double reflection, W.
// Wang et al., ACM Trans. Graphics 27 (2008) 2). outer nil: no outer border.
func Along(lengthMM, stepMM float64, angles int, centre func(s float64) r3.Vec, lumen, outer func(s, a float64) float64) (*Shape, error) {
	if !(lengthMM > 0 && stepMM > 0 && lengthMM/stepMM <= maxStations) || angles < minAngles || angles > maxAngles {
		return nil, &InputError{"Along", fmt.Sprintf("a length of %g mm in steps of %g mm with %d angles", lengthMM, stepMM, angles)}
	}
	n := int(math.Ceil(lengthMM/stepMM-1e-9)) + 1
	s := &Shape{StepMM: lengthMM / float64(n-1), Lumen: make([][]float64, n)}
	if outer != nil {
		s.Outer = make([][]float64, n)
	}
	for i := range n {
		s.Centre = append(s.Centre, centre(s.StepMM*float64(i)))
	}
	s.U, s.V = frames(s.Centre, 1)
	for i := range n {
		for j := range angles {
			a := 2 * math.Pi * float64(j) / float64(angles)
			s.Lumen[i] = append(s.Lumen[i], lumen(s.StepMM*float64(i), a))
			if outer != nil {
				s.Outer[i] = append(s.Outer[i], outer(s.StepMM*float64(i), a))
			}
		}
	}
	return s, s.Validate()
}

// frames are directions across a curve that do not turn about it, with u × v
// along it: along the chord over reach points each way.
func frames(p []r3.Vec, reach int) (u, v []r3.Vec) {
	n := len(p)
	tangent := func(i int) r3.Vec { return r3.Unit(r3.Sub(p[min(i+reach, n-1)], p[max(i-reach, 0)])) }
	t := tangent(0)
	e := r3.Vec{X: 1}
	if math.Abs(t.X) > 0.7 {
		e = r3.Vec{Y: 1}
	}
	first := r3.Unit(r3.Sub(e, r3.Scale(r3.Dot(e, t), t)))
	u, v = append(u, first), append(v, r3.Cross(t, first))
	for i := 1; i < n; i++ {
		a, next := u[i-1], tangent(i)
		d := r3.Sub(p[i], p[i-1])
		if c := r3.Norm2(d); c > 0 {
			a = r3.Sub(a, r3.Scale(2*r3.Dot(d, a)/c, d))
			t = r3.Sub(t, r3.Scale(2*r3.Dot(d, t)/c, d))
		}
		if d = r3.Sub(next, t); r3.Norm2(d) > 0 {
			a = r3.Sub(a, r3.Scale(2*r3.Dot(d, a)/r3.Norm2(d), d))
		}
		a = r3.Unit(r3.Sub(a, r3.Scale(r3.Dot(a, next), next)))
		u, v, t = append(u, a), append(v, r3.Cross(next, a)), next
	}
	return u, v
}
