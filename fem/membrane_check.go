package fem

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/spatial/r3"
)

// checkTerms refuses what can be seen wrong in the parts beside the tetrahedra
// before geometry is touched.
func (m *Model) checkTerms() error {
	if err := m.checkNames(); err != nil {
		return err
	}
	if err := m.checkMembranes(); err != nil {
		return err
	}
	if err := m.checkSprings(); err != nil {
		return err
	}
	return m.checkDynamic()
}

// checkNames refuses stages that attach or detach what is not there.
func (m *Model) checkNames() error {
	names := map[string]bool{}
	for _, p := range m.Membranes {
		names[p.Name] = true
	}
	for _, p := range m.Springs {
		names[p.Name] = true
	}
	for _, p := range m.Trusses {
		names[p.Name] = true
	}
	for _, p := range m.Foundations {
		names[p.Name] = true
	}
	for _, p := range m.Ties {
		names[p.Name] = true
	}
	for _, p := range m.Contacts {
		names[p.Name] = true
	}
	for i := range m.Stages {
		for _, list := range [][]string{m.Stages[i].Attach, m.Stages[i].Detach} {
			for _, name := range list {
				if name == "" || !names[name] {
					return badInput(fmt.Sprintf("Stages[%d]", i), "attaches or detaches %q, which no membrane, spring, truss, foundation, tie or contact is called", name)
				}
			}
		}
	}
	return nil
}

func (m *Model) checkMembranes() error {
	for i := range m.Membranes {
		b := &m.Membranes[i]
		switch {
		case absent(b.Law):
			return badInput("Membranes", "entry %d (%q) has no law", i, b.Name)
		case len(b.Faces) == 0:
			return badInput("Membranes", "entry %d (%q) has no faces", i, b.Name)
		case !(b.Law.ThicknessMM() > 0) || !finite(b.Law.ThicknessMM()):
			return badInput("Membranes", "entry %d (%q) is %g mm thick; must be positive", i, b.Name, b.Law.ThicknessMM())
		case !(b.Prestretch >= 0) || !finite(b.Prestretch):
			return badInput("Membranes", "entry %d (%q) has prestretch %g; must be positive (0 means 1)", i, b.Name, b.Prestretch)
		case !finiteVec(b.Axis):
			return badInput("Membranes", "entry %d (%q) has axis %v; must be finite", i, b.Name, b.Axis)
		case !(b.DensityTPerMM3 >= 0) || !finite(b.DensityTPerMM3):
			return badInput("Membranes", "entry %d (%q) has density %g t/mm³; must not be negative (water: 1e-9)", i, b.Name, b.DensityTPerMM3)
		}
	}
	return nil
}

// beside says that the model has parts that stand without elements.
func (m *Model) beside() bool { return len(m.Membranes)+len(m.Springs)+len(m.Trusses) > 0 }

// standing adds to the Gram matrix of checkHeld the rigid motions that move no
// node of a part: the turns of a single node, and that of a straight chain
// about itself.
func (s *system) standing(part []int32, p int32, centre r3.Vec, radius float64, gram *[6][6]float64) {
	sum := mat.NewSymDense(6, nil)
	for v, q := range part {
		if q != p {
			continue
		}
		var d r3.Vec
		if radius > 0 {
			d = r3.Scale(1/radius, r3.Sub(s.x[v], centre))
		}
		for _, dir := range [3]r3.Vec{{X: 1}, {Y: 1}, {Z: 1}} {
			m := r3.Cross(d, dir)
			sum.SymRankOne(sum, 1, mat.NewVecDense(6, []float64{dir.X, dir.Y, dir.Z, m.X, m.Y, m.Z}))
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sum, true) {
		return
	}
	values := eig.Values(nil)
	var vec mat.Dense
	eig.VectorsTo(&vec)
	for k := range 6 {
		if values[k] > gramTol*values[5] {
			continue
		}
		for a := range 6 {
			for c := range 6 {
				gram[a][c] += vec.At(a, k) * vec.At(c, k)
			}
		}
	}
}
