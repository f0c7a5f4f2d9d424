package deck

import (
	"math"
	"slices"
	"strings"

	"halsted/fem"
	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
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

// control reads the number and length of the time steps.
func (b *febBuild) control(s *febStep) (frames int, dt float64, err error) {
	c := s.control
	if c == nil {
		c = b.global.control
	}
	if c == nil {
		return 0, 0, b.at(s.e).bad("add <Control>", "there is no <Control>")
	}
	frames, dt = 10, 0.1 // FEBio's defaults
	for _, k := range c.kids {
		switch k.name {
		case "analysis":
			if t := strings.ToLower(k.text + k.attr("type")); t != "static" && t != "0" {
				return 0, 0, b.at(k).bad("use a static analysis", "the analysis %s is not available", quote(t))
			}
		case "time_steps", "step_size":
			var v [1]float64
			if n, ok := numbers(k.text, v[:]); n != 1 || !ok || !(v[0] > 0) {
				return 0, 0, b.at(k).bad("", "%s is no positive number", quote(k.text))
			}
			if k.name == "step_size" {
				dt = v[0]
			} else if v[0] > maxSteps || v[0] != math.Trunc(v[0]) {
				return 0, 0, b.at(k).bad("", "%s is no number of steps up to %d", quote(k.text), maxSteps)
			} else {
				frames = int(v[0])
			}
		case "solver":
			if t := k.attr("type"); t != "" && t != "solid" {
				return 0, 0, b.typed(k).bad("use the solver solid", "the solver is not available")
			}
		}
	}
	return frames, dt, nil
}

// breaks collects the times between t0 and t1 at which the curves of e bend.
func (b *febBuild) breaks(e *element, t0, t1 float64, cuts *[]float64) error {
	if id := e.attr("lc"); id != "" {
		c := b.curves[id]
		if c == nil {
			return b.at(e).bad("define the load curve", "there is no load curve %s", quote(id))
		}
		if err := c.usable(t1); err != nil {
			return err
		}
		for n, t := range c.x {
			if t > t0*(1+1e-12) && t < t1*(1-1e-12) && (n == 0 || t > c.x[n-1]) {
				*cuts = append(*cuts, t)
			}
		}
	}
	for _, k := range e.kids {
		if err := b.breaks(k, t0, t1, cuts); err != nil {
			return err
		}
	}
	return nil
}

// factor is what the curve of e makes of its value at time t. A value without
// a curve, or one that does not begin at zero, acts at once in FEBio.
func (b *febBuild) factor(e *element, t float64) float64 {
	at, begin := 1.0, 1.0
	if c := b.curves[e.attr("lc")]; c != nil {
		at, begin = c.value(t), c.value(b.begin)
	}
	if b.fresh && begin != 0 {
		b.jump = e
	} else if at != begin {
		b.slope = true
	}
	return at
}

// atOnce notes a value that jumps.
func (b *febBuild) atOnce(e *element) {
	if !b.noted[e] {
		b.noted[e] = true
		b.rep.note(b.at(e), b.slow, "acts at once in FEBio; here it grows through the stage")
	}
}

// values reads numbers of a child, times its curve at t.
func (b *febBuild) values(e *element, t float64, into []float64) error {
	if typ := e.attr("type"); typ != "" && typ != "const" && typ != "vector" {
		return b.typed(e).bad("give numbers", "values that vary in space are not available")
	}
	n, ok := numbers(e.text, into)
	if n != len(into) || !ok {
		return b.at(e).bad("", "%s are no %d finite numbers", quote(e.text), len(into))
	}
	zero := true
	for _, v := range into {
		zero = zero && v == 0
	}
	if zero {
		return nil
	}
	k := b.factor(e, t)
	for i := range into {
		into[i] *= k
	}
	return nil
}

// only refuses children that are not listed.
func (b *febBuild) only(e *element, names ...string) error {
	for _, k := range e.kids {
		if !slices.Contains(names, k.name) {
			return b.typed(e).bad("remove it, or solve the file with FEBio", "<%s> in line %d is not understood", k.name, k.line)
		}
	}
	return nil
}

// absolute refuses a motion or load relative to the state at the start of a
// later step.
func (b *febBuild) absolute(e *element, later bool) error {
	if k := e.kid("relative"); k != nil && k.text != "0" && later {
		return b.at(k).bad("give the whole value", "a value relative to the step before is not available")
	}
	if k := e.kid("shell_bottom"); k != nil && k.text != "0" {
		return b.at(k).bad("write 0", "shells are not available")
	}
	return nil
}

// axesOf turns "x,y" and the like into axes; "u", "v", "w" are rotations of
// shells and "p" pressure, which solids do not have.
func axesOf(s string) (axes []int, ok bool) {
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		n := strings.IndexAny("xyz", w)
		if n < 0 || len(w) != 1 {
			return nil, false
		}
		axes = append(axes, n)
	}
	return axes, len(axes) > 0
}

// fix is an entry of <Boundary>.
func (b *febBuild) fix(e *element, t float64, later bool) error {
	p := b.typed(e)
	typ := e.attr("type")
	if e.name != "bc" { // 2.5: <fix bc="x"/>, <prescribe bc="x">
		typ = e.name
	}
	if err := b.absolute(e, later); err != nil {
		return err
	}
	var axes []int
	ok := true
	value := 0.0
	switch typ {
	case "zero displacement":
		if err := b.only(e, "x_dof", "y_dof", "z_dof"); err != nil {
			return err
		}
		for i, n := range []string{"x_dof", "y_dof", "z_dof"} {
			if k := e.kid(n); k != nil && k.text != "0" {
				axes = append(axes, i)
			}
		}
	case "fix":
		dofs := e.attr("bc")
		if k := e.kid("dofs"); k != nil {
			dofs = k.text
		}
		axes, ok = axesOf(dofs)
	case "prescribed displacement", "prescribe":
		if err := b.only(e, "dof", "value", "scale", "relative", "shell_bottom"); err != nil {
			return err
		}
		dof := e.attr("bc")
		if k := e.kid("dof"); k != nil {
			dof = k.text
		}
		axes, ok = axesOf(dof)
		given := false
		for _, n := range []string{"value", "scale"} {
			if k := e.kid(n); k != nil {
				v := [1]float64{}
				if err := b.values(k, t, v[:]); err != nil {
					return err
				}
				if given {
					v[0] *= value
				}
				value, given = v[0], true
			}
		}
		if !given {
			return p.bad("add <value>", "has no value")
		}
	case "zero rotation", "zero shell displacement":
		return nil // nodes of solids have no such freedom
	default:
		return p.bad("use zero displacement or prescribed displacement", "is not available")
	}
	if !ok {
		return p.bad("use x, y and z", "the degrees of freedom are not understood")
	}
	list, err := b.nodesOf(p, e.attr("node_set"))
	if err != nil {
		return err
	}
	if b.work += len(list); b.work > maxWork {
		return p.bad("join boundary conditions", "they name more than %d nodes", maxWork)
	}
	for _, n := range list {
		for _, a := range axes {
			b.h.hold(3*int(n)+a, value*b.u.LengthMM)
		}
	}
	return nil
}

// load is an entry of <Loads>.
func (b *febBuild) load(e *element, t float64, later bool, l *fem.LoadCase, forces *collector) error {
	p := b.typed(e)
	if err := b.absolute(e, later); err != nil {
		return err
	}
	switch e.name + " " + e.attr("type") {
	case "surface_load pressure":
		return b.pressure(e, t, l)
	case "surface_load traction":
		return b.traction(e, t, l)
	case "nodal_load nodal_load", "nodal_load nodal_force", "nodal_load ":
		return b.nodal(e, t, forces)
	case "body_load const", "body_load body force":
		return b.bodyForce(e, t, l)
	}
	return p.bad("use pressure, traction, nodal_load or body force", "this load is not available")
}

// linear says whether a surface load acts on the undeformed face.
func linear(e *element) bool {
	k := e.kid("linear")
	return k != nil && k.text != "0"
}

func (b *febBuild) pressure(e *element, t float64, l *fem.LoadCase) error {
	if err := b.only(e, "pressure", "symmetric_stiffness", "linear", "shell_bottom", "relative"); err != nil {
		return err
	}
	k := e.kid("pressure")
	if k == nil {
		return b.typed(e).bad("add <pressure>", "has no pressure")
	}
	v := [1]float64{}
	if err := b.values(k, t, v[:]); err != nil {
		return err
	}
	tris, err := b.corners(b.typed(e), e.attr("surface"))
	if err != nil || v[0] == 0 {
		return err
	}
	for _, q := range tris {
		l.Faces = append(l.Faces, fem.FaceLoad{Face: q, PressureMPa: v[0] * b.u.stress(), Follows: !linear(e)})
	}
	return nil
}

func (b *febBuild) traction(e *element, t float64, l *fem.LoadCase) error {
	p := b.typed(e)
	if err := b.only(e, "scale", "traction", "linear", "shell_bottom", "relative"); err != nil {
		return err
	}
	k := e.kid("traction")
	if k == nil {
		return p.bad("add <traction>", "has no traction")
	}
	var v [3]float64
	if err := b.values(k, t, v[:]); err != nil {
		return err
	}
	if s := e.kid("scale"); s != nil {
		var by [1]float64
		if err := b.values(s, t, by[:]); err != nil {
			return err
		}
		for i := range v {
			v[i] *= by[0]
		}
	}
	if !linear(e) {
		if !b.opt.Approximate {
			return p.bad("write <linear>1</linear>, or give --approximate to take it per undeformed area", "a traction per deformed area is not available")
		}
		if !b.noted[e] {
			b.noted[e] = true
			b.rep.note(p, true, "the traction is taken per undeformed area, FEBio takes it per deformed area")
		}
	}
	tris, err := b.corners(p, e.attr("surface"))
	if err != nil {
		return err
	}
	f := r3.Scale(b.u.stress(), r3.Vec{X: v[0], Y: v[1], Z: v[2]})
	if f == (r3.Vec{}) {
		return nil
	}
	for _, q := range tris {
		l.Faces = append(l.Faces, fem.FaceLoad{Face: q, TractionMPa: f})
	}
	return nil
}

func (b *febBuild) nodal(e *element, t float64, forces *collector) error {
	p := b.typed(e)
	if err := b.only(e, "dof", "scale", "value", "relative", "shell_bottom"); err != nil {
		return err
	}
	var f [3]float64
	if e.attr("type") == "nodal_force" {
		k := e.kid("value")
		if k == nil {
			return p.bad("add <value>", "has no value")
		}
		if err := b.values(k, t, f[:]); err != nil {
			return err
		}
	} else {
		dof := e.attr("bc")
		if k := e.kid("dof"); k != nil {
			dof = k.text
		}
		axes, ok := axesOf(dof)
		if !ok || len(axes) != 1 {
			return p.bad("use x, y or z", "the degree of freedom %s is not available", quote(dof))
		}
		size, given := 1.0, false
		for _, n := range []string{"scale", "value"} {
			if k := e.kid(n); k != nil {
				v := [1]float64{}
				if err := b.values(k, t, v[:]); err != nil {
					return err
				}
				size *= v[0]
				given = true
			}
		}
		if !given {
			return p.bad("add <scale>", "has no value")
		}
		f[axes[0]] = size
	}
	list, err := b.nodesOf(p, e.attr("node_set"))
	if err != nil {
		return err
	}
	if b.work += len(list); b.work > maxWork {
		return p.bad("join loads", "they name more than %d nodes", maxWork)
	}
	for _, n := range list {
		forces.add(n, r3.Scale(b.u.ForceN, r3.Vec{X: f[0], Y: f[1], Z: f[2]}))
	}
	return nil
}

// bodyForce is a force per mass; FEBio's points against the value given.
func (b *febBuild) bodyForce(e *element, t float64, l *fem.LoadCase) error {
	p := b.typed(e)
	if e.attr("elem_set") != "" || e.attr("part") != "" {
		return p.bad("let it act on all elements", "a body force on some elements is not available")
	}
	var v [3]float64
	if e.attr("type") == "const" {
		if err := b.only(e, "x", "y", "z"); err != nil {
			return err
		}
		for i, n := range []string{"x", "y", "z"} {
			if k := e.kid(n); k != nil {
				if err := b.values(k, t, v[i:i+1]); err != nil {
					return err
				}
			}
		}
	} else {
		if err := b.only(e, "force"); err != nil {
			return err
		}
		k := e.kid("force")
		if k == nil {
			return p.bad("add <force>", "has no force")
		}
		if err := b.values(k, t, v[:]); err != nil {
			return err
		}
	}
	l.GravityChange = r3.Add(l.GravityChange, r3.Scale(-b.u.LengthMM, r3.Vec{X: v[0], Y: v[1], Z: v[2]}))
	return nil
}
