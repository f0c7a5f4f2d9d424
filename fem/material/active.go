package material

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Active is a law with an active tension along a fibre,
//
//	W + T/2·(|F·f₀|² − 1),  P + T·(F·f₀)⊗f₀,  A_iJkL + T·δik·f₀J·f₀L,
//
// that is the second Piola–Kirchhoff stress T·f₀⊗f₀ of S. Land et al., Proc. R.
// Soc. A 471 (2015) 20150641, problem 3. It has stress at rest. The elements
// add the same term for a tension that varies in space and time; this law is
// for one direction and one tension. It is not in split form.
type Active struct {
	Law     // passive response
	tension float64
	fibre   r3.Vec
}

// NewActive takes the passive law, the tension T in MPa (negative pushes) and
// the fibre direction, of any length, in the frame in which F is given. It fails
// with a *ParameterError unless the tension is finite and the direction finite
// and not zero.
func NewActive(passive Law, tensionMPa float64, fibre r3.Vec) (Active, error) {
	size := r3.Norm(fibre)
	err := positive("length of the fibre direction", size, "")
	if !anyReal.Has(tensionMPa) {
		err = &ParameterError{"active tension", tensionMPa, "MPa", anyReal.String()}
	}
	if passive == nil {
		err = &ParameterError{"passive law", 0, "", "given"}
	}
	if err != nil {
		return Active{}, fmt.Errorf("material: active fibre: %w", err)
	}
	return Active{passive, tensionMPa, r3.Scale(1/size, fibre)}, nil
}

// stretched is F·f₀.
func (l *Active) stretched(f *Mat3) r3.Vec {
	return r3.Add(r3.Scale(l.fibre.X, f[0]), r3.Add(r3.Scale(l.fibre.Y, f[1]), r3.Scale(l.fibre.Z, f[2])))
}

// Energy is the passive energy and T/2·(|F·f₀|² − 1), MPa; +Inf when the passive
// one is.
func (l Active) Energy(f *Mat3) float64 {
	w := l.Law.Energy(f)
	if math.IsInf(w, 1) {
		return w
	}
	return w + l.tension/2*(r3.Norm2(l.stretched(f))-1)
}

// Stress writes P.
func (l Active) Stress(p, f *Mat3) {
	l.Law.Stress(p, f)
	v := r3.Scale(l.tension, l.stretched(f))
	p[0] = r3.Add(p[0], r3.Scale(l.fibre.X, v))
	p[1] = r3.Add(p[1], r3.Scale(l.fibre.Y, v))
	p[2] = r3.Add(p[2], r3.Scale(l.fibre.Z, v))
}

// Tangent writes A.
func (l Active) Tangent(a *[9][9]float64, f *Mat3) {
	l.Law.Tangent(a, f)
	n := [3]float64{l.fibre.X, l.fibre.Y, l.fibre.Z}
	for i := 0; i < 9; i += 3 {
		for j := range n {
			for k := range n {
				a[i+j][i+k] += l.tension * n[j] * n[k]
			}
		}
	}
}
