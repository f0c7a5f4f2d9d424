package fem

func (m *Model) checkSprings() error {
	n := int32(len(m.Mesh.Nodes))
	for i := range m.Springs {
		s := &m.Springs[i]
		switch {
		case s.Nodes[0] < 0 || s.Nodes[0] >= n || s.Nodes[1] < -1 || s.Nodes[1] >= n || s.Nodes[0] == s.Nodes[1]:
			return badInput("Springs", "entry %d (%q) joins nodes %d and %d of %d; name two nodes, or one and −1 for the anchor", i, s.Name, s.Nodes[0], s.Nodes[1], n)
		case !finiteVec(s.AnchorMM):
			return badInput("Springs", "entry %d (%q) is anchored at %v mm; must be finite", i, s.Name, s.AnchorMM)
		case !(s.RestMM >= 0) || !finite(s.RestMM):
			return badInput("Springs", "entry %d (%q) has rest length %g mm; must not be negative", i, s.Name, s.RestMM)
		case s.Curve == nil && (!(s.StiffnessNPerMM > 0) || !finite(s.StiffnessNPerMM)):
			return badInput("Springs", "entry %d (%q) has stiffness %g N/mm; must be positive", i, s.Name, s.StiffnessNPerMM)
		case s.Curve != nil && (len(s.Curve) < 2 || s.StiffnessNPerMM != 0):
			return badInput("Springs", "entry %d (%q) has a curve of %d points and stiffness %g N/mm; give two points or more, or the stiffness", i, s.Name, len(s.Curve), s.StiffnessNPerMM)
		}
		for k, p := range s.Curve {
			if !finite(p.ElongationMM, p.ForceN) || k > 0 && !(p.ElongationMM > s.Curve[k-1].ElongationMM && p.ForceN >= s.Curve[k-1].ForceN) {
				return badInput("Springs", "entry %d (%q): point %d of the curve (%g mm, %g N) does not follow the one before; elongation must rise and force must not fall", i, s.Name, k, p.ElongationMM, p.ForceN)
			}
		}
	}
	for i := range m.Trusses {
		s := &m.Trusses[i]
		switch {
		case s.Nodes[0] < 0 || s.Nodes[0] >= n || s.Nodes[1] < 0 || s.Nodes[1] >= n || s.Nodes[0] == s.Nodes[1]:
			return badInput("Trusses", "entry %d (%q) joins nodes %d and %d of %d; name two nodes of the mesh", i, s.Name, s.Nodes[0], s.Nodes[1], n)
		case !(s.AreaMM2 > 0) || !(s.EMPa > 0) || !finite(s.AreaMM2, s.EMPa):
			return badInput("Trusses", "entry %d (%q) has area %g mm² and modulus %g MPa; both must be positive", i, s.Name, s.AreaMM2, s.EMPa)
		case !(s.RestMM >= 0) || !finite(s.RestMM):
			return badInput("Trusses", "entry %d (%q) has rest length %g mm; must not be negative", i, s.Name, s.RestMM)
		case s.Strain > LogStrain:
			return badInput("Trusses", "entry %d (%q) has strain %d, which is not known", i, s.Name, s.Strain)
		case !(s.DensityTPerMM3 >= 0) || !finite(s.DensityTPerMM3):
			return badInput("Trusses", "entry %d (%q) has density %g t/mm³; must not be negative (steel: 7.8e-9)", i, s.Name, s.DensityTPerMM3)
		}
	}
	for i := range m.Foundations {
		s := &m.Foundations[i]
		switch {
		case len(s.Faces) == 0:
			return badInput("Foundations", "entry %d (%q) has no faces", i, s.Name)
		case !(s.NormalMPaPerMM >= 0) || !(s.TangentMPaPerMM >= 0) || !finite(s.NormalMPaPerMM, s.TangentMPaPerMM) || s.NormalMPaPerMM+s.TangentMPaPerMM == 0:
			return badInput("Foundations", "entry %d (%q) has stiffness %g and %g MPa/mm; neither may be negative, nor both 0", i, s.Name, s.NormalMPaPerMM, s.TangentMPaPerMM)
		}
	}
	return nil
}
