package deck

import (
	"cmp"
	"fmt"
	"slices"

	"halsted/fem"
	"halsted/imaging"
	"halsted/mesh"

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
	b := &inpBuild{inp: r, u: u, h: newHistory(m), m: m, follow: !linear, body: map[string]inpEntry{}}
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

	work      int      // nodes named by loads and supports
	force     []r3.Vec // nodal forces, N; made when needed
	forceStep []int32  // 3 per node: step that set it last, plus one
	faces     []inpFace
	body      map[string]inpEntry // gravity by set
	faceOf    map[int64]int32     // element·4 + face: place in faces
}

// inpFace is a pressure on a face of a tetrahedron.
type inpFace struct {
	elem int32
	face int8
	step int // that set it last
	load fem.FaceLoad
}

func (b *inpBuild) doStep(i int, s *inpStep, linear bool) error {
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

// pointForce adds a *CLOAD. Within a step the lines of one node and direction
// add up; the first line of a later step replaces what was there (CalculiX).
func (b *inpBuild) pointForce(step int, e *inpEntry) error {
	if b.force == nil {
		b.force = make([]r3.Vec, len(b.m.Mesh.Nodes))
		b.forceStep = make([]int32, 3*len(b.force))
	}
	one := [1]int32{}
	list := one[:]
	if e.number > 0 {
		if one[0] = b.node.get(e.number); one[0] < 0 {
			return e.place().bad("define the node", "there is no node %d", e.number)
		}
	} else {
		var err error
		if list, err = b.nodesOf(e); err != nil {
			return err
		}
		if err := b.spend(e, len(list)); err != nil {
			return err
		}
	}
	f := e.value * b.u.ForceN
	for _, at := range list {
		n := b.final[at]
		if n < 0 {
			if f != 0 {
				return e.place().bad("load nodes of elements", "node %d belongs to no element", b.node.tags[at])
			}
			continue
		}
		v := &b.force[n]
		x := [3]*float64{&v.X, &v.Y, &v.Z}[e.a-1]
		if d := 3*int(n) + int(e.a-1); b.forceStep[d] != int32(step+1) {
			b.forceStep[d] = int32(step + 1)
			*x = 0
		}
		*x += f
	}
	return nil
}

// abaqusFaces are the faces 1 to 4 of a tetrahedron by their corners.
var abaqusFaces = [4][3]int{{0, 1, 2}, {0, 3, 1}, {1, 3, 2}, {2, 3, 0}}

// press puts a pressure on a face.
func (b *inpBuild) press(step int, e *inpEntry, elem int32, face int) error {
	t := b.tet(elem)
	if t < 0 {
		return e.place().bad("load faces of tetrahedra", "element %d is no tetrahedron", b.elem.tags[elem])
	}
	if b.faceOf == nil {
		b.faceOf = map[int64]int32{}
	}
	key := 4*int64(t) + int64(face)
	at, ok := b.faceOf[key]
	if !ok {
		c := b.mesh.Tets[t]
		q := abaqusFaces[face]
		at = int32(len(b.faces))
		b.faceOf[key] = at
		b.faces = append(b.faces, inpFace{elem: t, face: int8(face), step: step,
			load: fem.FaceLoad{Face: [3]int32{c[q[0]], c[q[1]], c[q[2]]}, Follows: b.follow}})
	}
	f := &b.faces[at]
	if f.step != step {
		f.step, f.load.PressureMPa = step, 0
	}
	f.load.PressureMPa += e.value * b.u.stress()
	return nil
}

// elementLoad is a *DLOAD: P1 to P4, or GRAV.
func (b *inpBuild) elementLoad(step int, e *inpEntry) error {
	if e.face == "GRAV" {
		return b.gravity(step, e)
	}
	if len(e.face) != 2 || e.face[0] != 'P' || e.face[1] < '1' || e.face[1] > '4' {
		return e.place().bad("use P1 to P4 or GRAV", "the load %s is not available", quote(e.face))
	}
	list, err := b.elementsOf(e)
	if err != nil {
		return err
	}
	for _, at := range list {
		if err := b.press(step, e, at, int(e.face[1]-'1')); err != nil {
			return err
		}
	}
	return nil
}

func (b *inpBuild) elementsOf(e *inpEntry) ([]int32, error) {
	if e.number > 0 {
		at := b.elem.get(e.number)
		if at < 0 {
			return nil, e.place().bad("define the element", "there is no element %d", e.number)
		}
		return []int32{at}, nil
	}
	s := findSet(b.elsets, e.set)
	if s == nil {
		return nil, e.place().bad("define the element set", "there is no element set %s", quote(e.set))
	}
	list, ok := s.places(&b.elem)
	if !ok {
		return nil, e.place().bad("write the set in full", "the element set %s is nested too deep", quote(e.set))
	}
	return list, b.spend(e, len(list))
}

// gravity takes a GRAV line: acceleration and direction, on all elements that
// have a density.
func (b *inpBuild) gravity(step int, e *inpEntry) error {
	n := r3.Vec{X: e.vector[0], Y: e.vector[1], Z: e.vector[2]}
	if !(r3.Norm(n) > 0) {
		return e.place().bad("write set, GRAV, acceleration, direction", "gravity without a direction")
	}
	key := fmt.Sprintf("%s %d", upper(e.set), e.number)
	g := r3.Scale(e.value*b.u.LengthMM/r3.Norm(n), n)
	if old, ok := b.body[key]; ok {
		was := r3.Vec{X: old.vector[0], Y: old.vector[1], Z: old.vector[2]}
		switch {
		case int(old.line) == step: // lines of one step add up
			g = r3.Add(g, was)
		case r3.Norm(r3.Cross(g, was)) > 1e-12*r3.Norm(g)*r3.Norm(was):
			return e.place().bad("write OP=NEW and all loads that stay", "gravity in another direction than in the step before")
		}
	}
	list, err := b.elementsOf(e)
	if err != nil {
		return err
	}
	has := map[imaging.Label]bool{}
	heavy := 0
	for _, r := range b.m.Regions {
		has[r.Label] = r.DensityTPerMM3 > 0
	}
	for _, l := range b.mesh.Region {
		if has[l] {
			heavy++
		}
	}
	for _, at := range list {
		if t := b.tet(at); t >= 0 && has[b.mesh.Region[t]] {
			heavy--
		}
	}
	if heavy > 0 {
		return e.place().bad("put gravity on all elements, or give the others no density", "gravity leaves out %d elements that have a density", heavy)
	}
	if !slices.ContainsFunc(b.m.Regions, func(r fem.Region) bool { return r.DensityTPerMM3 > 0 }) {
		return e.place().bad("add *DENSITY to the material", "gravity acts on no element with a density")
	}
	b.body[key] = inpEntry{line: int32(step), vector: [3]float64{g.X, g.Y, g.Z}}
	return nil
}

// surfaceLoad is a *DSLOAD: P on a surface.
func (b *inpBuild) surfaceLoad(step int, e *inpEntry) error {
	if e.face != "P" {
		return e.place().bad("use P, or *CLOAD", "the load %s is not available", quote(e.face))
	}
	s := b.surfaces[upper(e.set)]
	if s == nil {
		return e.place().bad("define the surface", "there is no surface %s", quote(e.set))
	}
	list, err := b.facesOf(s)
	if err != nil {
		return err
	}
	if err := b.spend(e, len(list)); err != nil {
		return err
	}
	for _, f := range list {
		if err := b.press(step, e, f.elem, int(f.face)); err != nil {
			return err
		}
	}
	return nil
}

// inpFacePlace is a face of an element.
type inpFacePlace struct {
	elem int32
	face int8
}

// facesOf lists the faces of a surface; a set without a face name stands for
// its faces on the outside of the body.
func (b *inpBuild) facesOf(s *inpSurface) (out []inpFacePlace, err error) {
	if s.nodes {
		return nil, s.bad("use TYPE=ELEMENT", "a surface of nodes has no faces")
	}
	var outside [][4]int32
	for _, part := range s.parts {
		p := place{s.file, part.line, s.keyword}
		var list []int32
		if part.number > 0 {
			at := b.elem.get(part.number)
			if at < 0 {
				return nil, p.bad("define the element", "there is no element %d", part.number)
			}
			list = []int32{at}
		} else {
			es := findSet(b.elsets, part.name)
			if es == nil {
				return nil, p.bad("define the element set", "there is no element set %s", quote(part.name))
			}
			var ok bool
			if list, ok = es.places(&b.elem); !ok {
				return nil, p.bad("write the set in full", "the element set %s is nested too deep", quote(part.name))
			}
		}
		switch {
		case part.face == "":
			if outside == nil {
				outside = b.mesh.Neighbours()
			}
			for _, at := range list {
				t := b.tet(at)
				if t < 0 {
					continue
				}
				for f, other := range outside[t] {
					if other < 0 {
						out = append(out, inpFacePlace{at, abaqusOf(mesh.TetFaces[f])})
					}
				}
			}
		case len(part.face) == 2 && part.face[0] == 'S' && part.face[1] >= '1' && part.face[1] <= '4':
			for _, at := range list {
				out = append(out, inpFacePlace{at, int8(part.face[1] - '1')})
			}
		default:
			return nil, p.bad("use S1 to S4", "the face %s is not understood", quote(part.face))
		}
		if len(out) > maxWork {
			return nil, p.bad("", "too many faces")
		}
	}
	slices.SortFunc(out, func(a, c inpFacePlace) int { return cmp.Or(cmp.Compare(a.elem, c.elem), cmp.Compare(a.face, c.face)) })
	return slices.Compact(out), nil
}

// abaqusOf is the Abaqus number, from 0, of the face with these corners.
func abaqusOf(c [3]int) int8 {
	for n, f := range abaqusFaces {
		if f[0]+f[1]+f[2] == c[0]+c[1]+c[2] {
			return int8(n)
		}
	}
	return 0
}

// loads is what acts at the end of the step.
func (b *inpBuild) loads() (fem.LoadCase, error) {
	var l fem.LoadCase
	if n := len(b.faces); n > 0 {
		l.Faces = make([]fem.FaceLoad, 0, n)
		for _, f := range b.faces {
			if f.load.PressureMPa != 0 {
				l.Faces = append(l.Faces, f.load)
			}
		}
	}
	count := 0
	for _, f := range b.force {
		if f != (r3.Vec{}) {
			count++
		}
	}
	if count > 0 {
		l.Forces = make([]fem.NodalForce, 0, count)
		for n, f := range b.force {
			if f != (r3.Vec{}) {
				l.Forces = append(l.Forces, fem.NodalForce{Node: int32(n), ForceN: f})
			}
		}
	}
	keys := make([]string, 0, len(b.body))
	for k := range b.body {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		v := b.body[k].vector
		l.GravityChange = r3.Add(l.GravityChange, r3.Vec{X: v[0], Y: v[1], Z: v[2]})
	}
	return l, nil
}
