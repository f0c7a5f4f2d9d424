package deck

import (
	"halsted/fem"
)

var formulations = map[string]fem.Formulation{"": fem.Displacement, "displacement": fem.Displacement, "mean-dilatation": fem.MeanDilatation}

func (r *modelReader) settings(o *object) (s fem.Settings, err error) {
	g, err := o.object("settings")
	if err != nil || g == nil {
		return s, err
	}
	if s.Steps, _, err = g.whole("steps", 1, maxSteps); err != nil {
		return s, err
	}
	if s.MaxNewton, _, err = g.whole("max_newton", 1, 10000); err != nil {
		return s, err
	}
	if s.MaxCutbacks, _, err = g.whole("max_cutbacks", 1, 30); err != nil {
		return s, err
	}
	if s.ResidualTol, _, err = g.number("residual_tolerance"); err != nil {
		return s, err
	}
	if s.ArcLength, err = arcLength(g); err != nil {
		return s, err
	}
	name, err := g.text("formulation")
	if err != nil {
		return s, err
	}
	var ok bool
	if s.Formulation, ok = formulations[name]; !ok {
		return s, g.bad("formulation", "want displacement or mean-dilatation", "%s is not known", quote(name))
	}
	return s, g.done()
}

// dynamic reads "dynamic": inertia and damping.
func (r *modelReader) dynamic(o *object, m *fem.Model) error {
	g, err := o.object("dynamic")
	if err != nil || g == nil {
		return err
	}
	d := &fem.Dynamic{}
	name, err := g.text("method")
	if err != nil {
		return err
	}
	switch name {
	case "", "generalised-alpha":
		d.Method = fem.GeneralisedAlpha
	case "newmark":
		d.Method = fem.Newmark
	default:
		return g.bad("method", "want generalised-alpha or newmark", "%s is not known", quote(name))
	}
	if d.SpectralRadius, _, err = g.number("spectral_radius"); err != nil {
		return err
	}
	if d.RayleighMassPerS, _, err = g.number("rayleigh_mass_per_s"); err != nil {
		return err
	}
	if d.RayleighStiffnessS, _, err = g.quantity("rayleigh_stiffness", timeUnits); err != nil {
		return err
	}
	m.Dynamic = d
	return g.done()
}

// arcLength reads the part of settings that lets the load factor fall.
func arcLength(o *object) (*fem.ArcLength, error) {
	g, err := o.object("arc_length")
	if err != nil || g == nil {
		return nil, err
	}
	a := &fem.ArcLength{}
	if a.MaxSteps, _, err = g.whole("max_steps", 1, maxSteps); err != nil {
		return nil, err
	}
	if a.MaxMM, _, err = g.quantity("max_displacement", lengthUnits); err != nil {
		return nil, err
	}
	if a.StepMM, _, err = g.quantity("max_step", lengthUnits); err != nil {
		return nil, err
	}
	return a, g.done()
}
