package deck

import (
	"halsted/fem"
	"halsted/fem/material"
)

// inpSpring is a *SPRING for SPRINGA elements.
type inpSpring struct {
	key       *inpKey
	elset     string
	stiffness float64
	curve     [][2]float64 // force, elongation
}

func (r *inp) spring(k *inpKey) error {
	if err := k.allow("ELSET", "NONLINEAR"); err != nil {
		return err
	}
	s := inpSpring{key: k, elset: k.params["ELSET"]}
	rows, err := r.rows(k)
	if err != nil {
		return err
	}
	if len(rows) > 0 && !k.has("NONLINEAR") && len(rows) == 2 { // the first line names directions, which SPRINGA has none of
		rows = rows[1:]
	}
	for _, row := range rows {
		switch {
		case k.has("NONLINEAR") && len(row) == 2:
			s.curve = append(s.curve, [2]float64{row[0], row[1]})
		case !k.has("NONLINEAR") && len(rows) == 1 && len(row) >= 1:
			s.stiffness = row[0]
		case k.has("NONLINEAR") && len(row) < 2:
		default:
			return k.bad("write an empty line and the stiffness, or lines of force, elongation", "%d values on a line", len(row))
		}
	}
	r.springs = append(r.springs, s)
	return nil
}

// attach makes trusses, membranes, springs and contacts of what was read.
func (b *inpBuild) attach(linear bool) error {
	done := make([]bool, len(b.flat))
	members := func(k *inpKey, name string) ([]int, error) {
		if linear {
			return nil, k.bad("write *STEP, NLGEOM", "trusses, springs and membranes in a step without NLGEOM")
		}
		es := findSet(b.elsets, name)
		if es == nil {
			return nil, k.bad("define the element set", "there is no element set %s", quote(name))
		}
		list, ok := es.places(&b.elem)
		if !ok {
			return nil, k.bad("write the set in full", "the element set %s is nested too deep", quote(name))
		}
		var out []int
		for _, e := range list {
			if b.at == nil || b.kind[e] == kindTet {
				continue
			}
			n := int(b.at[e])
			if done[n] {
				return nil, k.bad("put each element into one section", "element %d is in two sections", b.flat[n].tag)
			}
			done[n] = true
			out = append(out, n)
		}
		return out, nil
	}
	if len(b.flat) > 0 {
		if err := b.trusses(members); err != nil {
			return err
		}
		if err := b.membranes(members); err != nil {
			return err
		}
		if err := b.springElements(members); err != nil {
			return err
		}
	}
	for n, f := range b.flat {
		if !done[n] && f.kind != kindSkin {
			return place{file: b.main}.bad("add its section, or remove it", "element %d of type %s has no section", f.tag, f.typ)
		}
	}
	return b.contacts()
}

type membersOf func(k *inpKey, name string) ([]int, error)

func (b *inpBuild) trusses(members membersOf) error {
	for i := range b.sections {
		s := &b.sections[i]
		if es := findSet(b.elsets, s.elset); es == nil || !b.hasFlat(es) {
			continue
		}
		list, err := members(&s.key, s.elset)
		if err != nil {
			return err
		}
		mat := b.materials[upper(s.material)]
		if len(list) == 0 || mat == nil {
			continue
		}
		if mat.elastic == nil || mat.plastic != nil {
			return s.key.bad("use *ELASTIC alone", "trusses of another law are not available")
		}
		if !(s.value > 0) {
			return s.key.bad("write the area in the line below", "trusses without an area")
		}
		b.rep.note(s.key.place, true, "trusses follow Hooke's law in logarithmic strain at constant volume")
		for _, n := range list {
			f := b.flat[n]
			if f.typ != "T3D2" {
				return s.key.bad("use T3D2", "element %d of type %s in a solid section", f.tag, f.typ)
			}
			b.m.Trusses = append(b.m.Trusses, fem.Truss{Nodes: [2]int32{f.nodes[0], f.nodes[1]}, AreaMM2: s.value * b.u.LengthMM * b.u.LengthMM,
				EMPa: mat.elastic.values[0] * b.u.stress(), Strain: fem.LogStrain, DensityTPerMM3: mat.density * b.u.density()})
		}
	}
	return nil
}

// hasFlat reports that a set has an element that is no tetrahedron.
func (b *inpBuild) hasFlat(s *set) bool {
	list, _ := s.places(&b.elem)
	for _, e := range list {
		if b.at != nil && b.kind[e] != kindTet {
			return true
		}
	}
	return false
}

func (b *inpBuild) membranes(members membersOf) error {
	for i := range b.flatSections {
		s := &b.flatSections[i]
		list, err := members(&s.key, s.elset)
		if err != nil {
			return err
		}
		mat := b.materials[upper(s.material)]
		switch {
		case mat == nil:
			return s.key.bad("define the material", "there is no material %s", quote(s.material))
		case !(s.value > 0):
			return s.key.bad("write the thickness in the line below", "a membrane without a thickness")
		}
		out := fem.Membrane{Name: s.elset, DensityTPerMM3: mat.density * b.u.density()}
		t := s.value * b.u.LengthMM
		switch {
		case mat.elastic != nil && mat.plastic == nil:
			out.Law, err = material.NewLinearMembrane(mat.elastic.values[0]*b.u.stress(), mat.elastic.values[1], t)
		case mat.hyper != nil && mat.hyper.kind == "NEOHOOKE" && mat.prony == nil:
			out.Law, err = material.NewNeoHookeanMembrane(2*mat.hyper.values[0]*b.u.stress(), t)
			b.rep.note(s.key.place, true, "the membrane of %s is incompressible", quote(s.material))
		default:
			return s.key.bad("use *ELASTIC or NEO HOOKE", "membranes of another law are not available")
		}
		if err != nil {
			return s.key.wrap(err)
		}
		for _, n := range list {
			f := b.flat[n]
			if f.kind != kindTri {
				return s.key.bad("use M3D3 or M3D6", "element %d of type %s in a membrane section", f.tag, f.typ)
			}
			out.Faces = append(out.Faces, [3]int32(f.nodes[:3]))
			if len(f.nodes) == 6 {
				out.Mid = append(out.Mid, [3]int32(f.nodes[3:]))
			}
		}
		if out.Mid != nil && len(out.Mid) != len(out.Faces) {
			return s.key.bad("use one order", "membranes of three and six nodes in one section")
		}
		if len(list) > 0 {
			b.m.Membranes = append(b.m.Membranes, out)
		}
	}
	return nil
}

func (b *inpBuild) springElements(members membersOf) error {
	for _, s := range b.springs {
		list, err := members(s.key, s.elset)
		if err != nil {
			return err
		}
		one := fem.Spring{StiffnessNPerMM: s.stiffness * b.u.stiffness()}
		for _, c := range s.curve {
			one.Curve = append(one.Curve, fem.SpringPoint{ForceN: c[0] * b.u.ForceN, ElongationMM: c[1] * b.u.LengthMM})
		}
		for _, n := range list {
			f := b.flat[n]
			if f.typ != "SPRINGA" {
				return s.key.bad("use SPRINGA", "element %d of type %s in *SPRING", f.tag, f.typ)
			}
			one.Nodes = [2]int32{f.nodes[0], f.nodes[1]}
			b.m.Springs = append(b.m.Springs, one)
		}
	}
	return nil
}
