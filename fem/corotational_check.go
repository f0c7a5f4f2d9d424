package fem

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// coarseDefaults fills in the zero settings of the coarse mode and checks the
// rest.
func coarseDefaults(s Settings) (Settings, error) {
	if s.ArcLength != nil {
		return s, badInput("Settings.ArcLength", "is given; the coarse mode only raises the load")
	}
	if s.Steps == 0 {
		s.Steps = 1
	}
	if s.MaxNewton == 0 {
		s.MaxNewton = 60
	}
	if s.ResidualTol == 0 {
		s.ResidualTol = coarseTol
	}
	return s.withDefaults()
}

// coarseCheck refuses models that are wrong or ask for more than the mode has.
func coarseCheck(m *Model) error {
	if err := m.check(); err != nil {
		return err
	}
	switch {
	case len(m.Mesh.Tets) == 0:
		return badInput("Mesh", "has no tetrahedra; the coarse mode is for bodies")
	case len(m.Contacts) > 0:
		return badInput("Contacts", "are %d; the coarse mode has none: use Solve, or prescribe the motion", len(m.Contacts))
	case len(m.Ties) > 0:
		return badInput("Ties", "are %d; the coarse mode has none: use Solve, or a conforming mesh", len(m.Ties))
	case m.Dynamic != nil:
		return badInput("Dynamic", "is given; the coarse mode is quasi-static: use Solve")
	}
	for i, g := range m.Natural {
		for a := range g {
			for b := range g {
				want := 0.0
				if a == b {
					want = 1
				}
				if d := r3.Dot(g[a], g[b]); !(math.Abs(d-want) <= rotationTol) {
					return badInput("Natural", "entry %d stretches; the coarse mode has no residual stress: use Solve, or leave the maps out", i)
				}
			}
		}
	}
	mids := midNodes(m.Mesh)
	for _, list := range []struct {
		field string
		n     int
		ends  func(i int) [2]int32
	}{{"Springs", len(m.Springs), func(i int) [2]int32 { return m.Springs[i].Nodes }}, {"Trusses", len(m.Trusses), func(i int) [2]int32 { return m.Trusses[i].Nodes }}} {
		for i := range list.n {
			for _, v := range list.ends(i) {
				if at, ok := findMid(mids, v); ok {
					return badInput(list.field, "entry %d ends at the mid-edge node %d, which the coarse mode does not have; attach it to a corner, node %d or %d", i, v, mids[at].a, mids[at].b)
				}
			}
		}
	}
	for i := range m.Stages {
		if a := m.Stages[i].Activation; a != nil && *a != 0 {
			return badInput(fmt.Sprintf("Stages[%d].Activation", i), "is %g; the coarse mode has no active tension: use Solve", *a)
		}
	}
	return nil
}

// rotationTol is how far GᵀG may be from 1 for a rotation G.
const rotationTol = 1e-6
