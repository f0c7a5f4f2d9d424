package inverse

import (
	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

// scaled returns m with all loads, prescribed motions and activations times
// factor, through all stages. Nothing of m is changed.
func scaled(m *fem.Model, factor float64) *fem.Model {
	if factor == 1 {
		return m
	}
	out := *m
	out.Prescribed = scaledMotions(m.Prescribed, factor)
	c := scaledCase(fem.LoadCase{Faces: m.Loads, Forces: m.Forces, GravityChange: m.GravityChange}, factor)
	out.Loads, out.Forces, out.GravityChange = c.Faces, c.Forces, c.GravityChange
	out.Stages = append([]fem.Stage(nil), m.Stages...)
	for i := range out.Stages {
		st := &out.Stages[i]
		st.Prescribed = scaledMotions(st.Prescribed, factor)
		if st.Loads != nil {
			c := scaledCase(*st.Loads, factor)
			st.Loads = &c
		}
		if st.Activation != nil {
			a := *st.Activation * factor
			st.Activation = &a
		}
	}
	return &out
}

func scaledMotions(p []fem.Prescribed, factor float64) []fem.Prescribed {
	p = append([]fem.Prescribed(nil), p...)
	for i := range p {
		p[i].ValueMM *= factor
	}
	return p
}

func scaledCase(c fem.LoadCase, factor float64) fem.LoadCase {
	c.Faces = append([]fem.FaceLoad(nil), c.Faces...)
	for i := range c.Faces {
		c.Faces[i].TractionMPa = r3.Scale(factor, c.Faces[i].TractionMPa)
		c.Faces[i].PressureMPa *= factor
	}
	c.Forces = append([]fem.NodalForce(nil), c.Forces...)
	for i := range c.Forces {
		c.Forces[i].ForceN = r3.Scale(factor, c.Forces[i].ForceN)
	}
	c.GravityChange = r3.Scale(factor, c.GravityChange)
	return c
}
