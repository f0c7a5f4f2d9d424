package deck

import (
	"slices"

	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

// build makes the model of what was read.
func (r *inp) build() (*fem.Model, fem.Settings, error) {
	whole := place{file: r.main}
	none := fem.Settings{}
	if r.rep.Units == (Units{}) {
		r.rep.Units = UnitsMM
	}
	u := r.rep.Units
	if len(r.steps) == 0 {
		return nil, none, whole.bad("add *STEP, *STATIC, loads and *END STEP", "there is no *STEP")
	}
	for _, s := range r.steps {
		switch {
		case !s.static:
			return nil, none, s.bad("add *STATIC", "a step without *STATIC")
		case s.nonlinear != r.steps[0].nonlinear:
			return nil, none, s.bad("give NLGEOM to all steps or to none", "a step with NLGEOM after one without")
		}
	}
	linear := !r.steps[0].nonlinear
	if err := r.finish(whole, u); err != nil {
		return nil, none, err
	}
	m := &fem.Model{Mesh: r.mesh}
	if err := r.regions(m, linear); err != nil {
		return nil, none, err
	}
	b := &inpBuild{inp: r, u: u, h: newHistory(m), m: m, follow: !linear, body: map[string]inpGravity{}}
	if err := b.attach(linear); err != nil {
		return nil, none, err
	}
	for i, s := range r.steps {
		if i == 0 {
			s.entries = append(slices.Clip(r.base.entries), s.entries...)
		}
		if err := b.doStep(i, s, linear); err != nil {
			return nil, none, err
		}
	}
	set := b.h.finish()
	if r.mixed {
		set.Formulation = fem.MeanDilatation
	}
	r.rep.NodeNumbers, r.rep.ElementNumbers = r.numbers()
	return m, set, nil
}

// regions gives every element its label and every label its law.
func (r *inp) regions(m *fem.Model, linear bool) error {
	var labels labeller
	region := r.mesh.Region
	done := make([]bool, len(region))
	for i := range r.sections {
		s := &r.sections[i]
		es := findSet(r.elsets, s.elset)
		if es == nil {
			return s.key.bad("define the element set", "there is no element set %s", quote(s.elset))
		}
		members, ok := es.places(&r.elem)
		if !ok {
			return s.key.bad("write the set in full", "the element set %s is nested too deep", quote(s.elset))
		}
		mat := r.materials[upper(s.material)]
		if mat == nil {
			return s.key.bad("define the material", "there is no material %s", quote(s.material))
		}
		if !slices.ContainsFunc(members, func(e int32) bool { return r.tet(e) >= 0 }) {
			if len(members) == 0 {
				r.rep.note(s.key.place, false, "the section of %s has no element", quote(s.elset))
			}
			continue
		}
		law, name, err := mat.law(r.rep.Units, linear)
		if err != nil {
			return err
		}
		label, ok := labels.give(s.elset)
		if !ok {
			return s.key.bad("join sections", "more than 255 sections")
		}
		for _, e := range members {
			t := r.tet(e)
			if t < 0 {
				continue
			}
			if done[t] {
				return s.key.bad("put each element into one section", "element %d is in two sections", r.elem.tags[e])
			}
			done[t] = true
			region[t] = label
		}
		m.Regions = append(m.Regions, fem.Region{Label: label, Law: law, DensityTPerMM3: mat.density * r.rep.Units.density()})
		if label.String() != s.elset {
			r.rep.Names[label] = s.elset
		}
		r.rep.Materials[label] = describe(name, law)
	}
	if t := slices.Index(done, false); t >= 0 {
		return place{file: r.main}.bad("add *SOLID SECTION for a set that holds it", "element %d has no section", r.table.tag(t))
	}
	return nil
}

// inpBuild carries the state through the steps.
type inpBuild struct {
	*inp
	u      Units
	h      *history
	m      *fem.Model
	follow bool

	work      int        // nodes named by loads and supports
	outside   [][4]int32 // neighbours, when asked for
	force     []r3.Vec   // nodal forces, N; made when needed
	forceStep []int32    // 3 per node: step that set it last, plus one
	faces     []inpFace
	body      map[string]inpGravity // gravity by set
	faceOf    map[int64]int32       // element·4 + face: place in faces
}

func (b *inpBuild) doStep(i int, s *inpStep, linear bool) error {
	if b.work += len(b.h.held); b.work > maxWork {
		return s.bad("join steps", "too many steps for a mesh of this size")
	}
	if err := b.ctx.Err(); err != nil {
		return err
	}
	for n := range s.entries {
		e := &s.entries[n]
		var err error
		switch e.what {
		case entryClear:
			b.clear(entryKind(e.a))
		case entryFix:
			err = b.fix(e)
		case entryForce:
			err = b.pointForce(i, e)
		case entryBody:
			err = b.elementLoad(i, e)
		case entrySurface:
			err = b.surfaceLoad(i, e)
		}
		if err != nil {
			return err
		}
		if err := b.alive(); err != nil {
			return err
		}
	}
	st := fem.Stage{Name: s.name, DurationS: s.period, Steps: 1}
	if !linear {
		st.Steps = steps(s.period, s.initial)
		if !s.direct && st.Steps > 100 {
			st.Steps = 100
			b.rep.note(s.place, false, "100 frames in place of increments that begin with %g of %g", s.initial, s.period)
		}
	}
	load, err := b.loads()
	if err != nil {
		return err
	}
	b.h.stage(st, load)
	return nil
}

func (b *inpBuild) clear(what entryKind) {
	switch what {
	case entryFix:
		b.h.freeAll()
	case entryForce:
		clear(b.force)
	case entryBody, entrySurface:
		b.faces, b.faceOf = nil, nil
		clear(b.body)
	}
}

// nodesOf lists the model nodes of an entry.
func (b *inpBuild) nodesOf(e *inpEntry) ([]int32, error) {
	if e.number > 0 {
		at := b.node.get(e.number)
		if at < 0 {
			return nil, e.place().bad("define the node", "there is no node %d", e.number)
		}
		return []int32{at}, nil
	}
	s := findSet(b.nsets, e.set)
	if s == nil {
		return nil, e.place().bad("define the node set", "there is no node set %s", quote(e.set))
	}
	list, ok := s.places(&b.node)
	if !ok {
		return nil, e.place().bad("write the set in full", "the node set %s is nested too deep", quote(e.set))
	}
	return list, nil
}

// spend bounds the work that entries with large sets make.
func (b *inpBuild) spend(e *inpEntry, n int) error {
	if b.work += n; b.work > maxWork {
		return e.place().bad("join loads on the same sets", "the loads and supports name more than %d nodes", maxWork)
	}
	return nil
}

const maxWork = 1 << 30

func (b *inpBuild) fix(e *inpEntry) error {
	if e.number > 0 { // by far the most
		at := b.node.get(e.number)
		if at >= 0 && b.final[at] >= 0 {
			for a := e.a - 1; a < e.b; a++ {
				b.h.hold(3*int(b.final[at])+int(a), e.value*b.u.LengthMM)
			}
			return nil
		}
	}
	list, err := b.nodesOf(e)
	if err != nil {
		return err
	}
	if err := b.spend(e, len(list)); err != nil {
		return err
	}
	for _, at := range list {
		if n := b.final[at]; n >= 0 {
			for a := e.a - 1; a < e.b; a++ {
				b.h.hold(3*int(n)+int(a), e.value*b.u.LengthMM)
			}
		}
	}
	return nil
}
