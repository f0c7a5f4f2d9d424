package deck

import (
	"slices"

	"halsted/fem"
	"halsted/fem/material"
)

// build makes the model of what was read.
func (f *feb) build() (*fem.Model, fem.Settings, error) {
	none := fem.Settings{}
	whole := place{file: f.name}
	if f.rep.Units == (Units{}) {
		f.rep.Units = UnitsMM
	}
	u := f.rep.Units
	if err := f.finish(whole, u); err != nil {
		return nil, none, err
	}
	m := &fem.Model{Mesh: f.mesh}
	if err := f.regions(m); err != nil {
		return nil, none, err
	}
	if len(f.steps) == 0 {
		f.steps = []*febStep{{e: &element{}, control: f.global.control}}
	}
	b := &febBuild{feb: f, u: u, m: m, h: newHistory(m), noted: map[*element]bool{}, inStep: map[int][]string{}}
	b.slow = slices.ContainsFunc(m.Regions, func(r fem.Region) bool { _, ok := r.Law.(material.Inelastic); return ok })
	if err := b.attach(); err != nil {
		return nil, none, err
	}
	t := 0.0
	for i, s := range f.steps {
		var err error
		if t, err = b.doStep(i, s, t); err != nil {
			return nil, none, err
		}
	}
	set := b.h.finish()
	if f.mixed {
		set.Formulation = fem.MeanDilatation
	}
	f.rep.NodeNumbers, f.rep.ElementNumbers = f.numbers()
	f.rep.note(whole, false, "output and the controls of FEBio's solver are left out: they do not change the solution")
	return m, set, nil
}

// regions gives every block of elements a label and a law.
func (f *feb) regions(m *fem.Model) error {
	var labels labeller
	for _, part := range f.parts {
		p := f.at(part.e)
		if part.from == part.to {
			continue
		}
		mat := f.mats[part.mat]
		if d := f.domains[part.name]; d != nil {
			if d.name != "SolidDomain" {
				return f.at(d).bad("use a SolidDomain", "this kind of domain is not available")
			}
			switch t := d.attr("type"); t {
			case "", "elastic-solid", "standard":
			case "ut4-solid", "three-field-solid":
				f.mixed = true
				f.rep.note(f.at(d), true, "elements of the kind %s are solved with the mean dilatation of elements (tet10) or patches (tet4): the difference is that of the discretisation", t)
			default:
				return f.typed(d).bad("remove the type", "this kind of element is not available")
			}
			mat = f.mats[d.attr("mat")]
		}
		if mat == nil {
			return p.bad("give the part a material in <MeshDomains>", "the part %s has no material", quote(part.name))
		}
		law, name, err := f.law(mat, 1)
		if err != nil {
			return err
		}
		if _, ok := law.(material.Split); !ok && f.order == 4 && poisson(law.ShearMPa(), law.BulkMPa()) > 0.45 {
			f.rep.note(p, true, "tet4 of a law without a volumetric part lock at ν = %.4g: use an uncoupled law, or tet10", poisson(law.ShearMPa(), law.BulkMPa()))
		}
		density, err := f.density(mat)
		if err != nil {
			return err
		}
		label, ok := labels.give(part.name)
		if !ok {
			return p.bad("join parts", "more than 255 parts")
		}
		for t := part.from; t < part.to; t++ {
			f.mesh.Region[t] = label
		}
		m.Regions = append(m.Regions, fem.Region{Label: label, Law: law, DensityTPerMM3: density * f.rep.Units.density()})
		if label.String() != part.name {
			f.rep.Names[label] = part.name
		}
		f.rep.Materials[label] = describe(name, law)
	}
	return nil
}

// febBuild carries the state through the steps.
type febBuild struct {
	*feb
	u     Units
	m     *fem.Model
	h     *history
	noted map[*element]bool
	work  int
	slow  bool // some law remembers: the way matters, not only the end
	// begin is the start of the stage under way, fresh says that the entry
	// being read begins to act there; factor tells what it met
	begin        float64
	fresh, slope bool
	jump         *element
	// inStep names contacts that act in one step only
	inStep map[int][]string
}

// doStep makes the stages of one step that begins at t0: one for each piece in
// which all curves in use are straight.
func (b *febBuild) doStep(i int, s *febStep, t0 float64) (t1 float64, err error) {
	frames, dt, err := b.control(s)
	if err != nil {
		return 0, err
	}
	t1 = t0 + float64(frames)*dt
	acts := slices.Concat(b.global.boundary, b.global.loads, s.boundary, s.loads)
	cuts := []float64{t1}
	for _, e := range acts {
		if err := b.breaks(e, t0, t1, &cuts); err != nil {
			return 0, err
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	if len(cuts) > 10000 {
		return 0, b.at(s.e).bad("use fewer points", "the load curves have more than 10000 points")
	}
	for n, end := range cuts {
		begin := t0
		if n > 0 {
			begin = cuts[n-1]
		}
		if err := b.ctx.Err(); err != nil {
			return 0, err
		}
		if b.work += len(b.h.held); b.work > maxWork {
			return 0, b.at(s.e).bad("use fewer points in the load curves", "too many stages for a mesh of this size")
		}
		b.h.freeAll()
		load := fem.LoadCase{}
		forces := newCollector(len(b.m.Mesh.Nodes))
		b.begin, b.jump = begin, nil
		for k, e := range slices.Concat(b.global.boundary, s.boundary) {
			b.fresh = n == 0 && (i == 0 || k >= len(b.global.boundary))
			if err := b.fix(e, end, i > 0); err != nil {
				return 0, err
			}
		}
		if b.jump != nil {
			b.atOnce(b.jump)
		}
		b.jump, b.slope = nil, false
		for k, e := range slices.Concat(b.global.loads, s.loads) {
			b.fresh = n == 0 && (i == 0 || k >= len(b.global.loads))
			if err := b.load(e, end, i > 0, &load, forces); err != nil {
				return 0, err
			}
		}
		sudden := b.jump != nil && b.slow && !b.slope
		if b.jump != nil && !sudden {
			b.atOnce(b.jump)
		}
		load.Forces = forces.forces()
		count := 1
		if end > begin {
			count = steps(end-begin, dt)
		}
		st := fem.Stage{Name: s.name, DurationS: end - begin, Steps: count, Sudden: sudden}
		if n == 0 {
			st.Attach = b.inStep[i]
			if i > 0 {
				st.Detach = b.inStep[i-1]
			}
		}
		b.h.stage(st, load)
	}
	return t1, nil
}
