package fem

// checkTerms refuses what can be seen wrong in the parts beside the tetrahedra
// before geometry is touched.
func (m *Model) checkTerms() error {
	return m.checkMembranes()
}

func (m *Model) checkMembranes() error {
	for i := range m.Membranes {
		b := &m.Membranes[i]
		switch {
		case b.Law == nil:
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
func (m *Model) beside() bool { return len(m.Membranes) > 0 }
