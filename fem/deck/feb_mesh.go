package deck

import (
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"
)

// febPart is an <Elements> block.
type febPart struct {
	e        *element
	name     string
	mat      string // version 2
	from, to int    // tetrahedra
}

// febSurface is a <Surface>: triangles by the numbers of their nodes.
type febSurface struct {
	e     *element
	tris  [][3]int32
	mids  [][3]int32 // of six-noded ones
	other string     // a type of facet that is no triangle
}

// meshSection reads nodes, elements and sets.
func (f *feb) meshSection(s *element) error {
	for _, k := range s.kids {
		var err error
		switch k.name {
		case "Nodes":
			err = f.nodes(k)
		case "Elements":
			err = f.elements(k)
		case "NodeSet":
			err = f.idSet(k, f.nodeSets)
		case "ElementSet":
			err = f.idSet(k, f.elemSets)
		case "Surface":
			err = f.surface(k)
		case "SurfacePair":
			f.pairs[k.attr("name")] = k
		case "DiscreteSet":
			f.discrete[k.attr("name")] = k
		case "Edge", "PartList":
		default:
			err = f.at(k).bad("remove it", "is not understood")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *feb) nodes(s *element) error {
	var into *set
	if n := s.attr("name"); n != "" {
		into = &set{name: n}
		f.nodeSets[n] = into
	}
	for _, k := range s.kids {
		if err := f.alive(); err != nil {
			return err
		}
		id, ok := parseInt([]byte(k.attr("id")))
		if !ok || id < 0 || id > maxNumber {
			return f.at(k).bad("", "id=%s is no node number", quote(k.attr("id")))
		}
		var x [3]float64
		if n, ok := numbers(k.text, x[:]); n != 3 || !ok {
			return f.at(k).bad("", "%s are no three finite coordinates", quote(k.text))
		}
		if !f.node.add(id) {
			return f.at(k).bad("number the nodes afresh", "node %d is given twice", id)
		}
		f.points = append(f.points, r3.Vec{X: x[0], Y: x[1], Z: x[2]})
		if into != nil {
			into.add(id)
		}
	}
	return nil
}

func (f *feb) elements(s *element) error {
	n, kind := 0, kindTet
	switch t := strings.ToLower(s.attr("type")); t {
	case "tet4":
		n = 4
	case "tet10":
		n = 10
	default:
		return f.typed(s).bad("mesh with tet4 or tet10", "elements of this type are not available")
	}
	if f.order != 0 && f.order != n {
		return f.typed(s).bad("export with one order for all elements", "linear and quadratic tetrahedra are mixed")
	}
	f.order = n
	part := febPart{e: s, name: s.attr("name"), mat: s.attr("mat"), from: len(f.tets) / n}
	if part.name == "" {
		part.name = "part" + strconv.Itoa(len(f.parts)+1)
	}
	into := &set{name: part.name}
	f.elemSets[part.name] = into
	for _, k := range s.kids {
		if err := f.alive(); err != nil {
			return err
		}
		id, ok := parseInt([]byte(k.attr("id")))
		if !ok || id < 0 || id > maxNumber {
			return f.at(k).bad("", "id=%s is no element number", quote(k.attr("id")))
		}
		count := 0
		var q [10]int32
		ok = wholes(k.text, func(v int64) {
			if count < n {
				q[count] = int32(v)
			}
			count++
		}, nil)
		if !ok || count != n {
			return f.at(k).bad("", "element %d has %d nodes of %d", id, count, n)
		}
		if !f.addElem(kind, id) {
			return f.at(k).bad("number the elements afresh", "element %d is given twice", id)
		}
		f.tets = append(f.tets, q[:n]...)
		into.add(id)
	}
	part.to = len(f.tets) / n
	f.parts = append(f.parts, part)
	return nil
}

// idSet reads a <NodeSet> or <ElementSet>: numbers as text (4.0) or as the id
// of children.
func (f *feb) idSet(s *element, in map[string]*set) error {
	name := s.attr("name")
	into := in[name]
	if into == nil {
		into = &set{name: name}
		in[name] = into
	}
	into.known = nil
	if len(s.kids) == 0 && !wholes(s.text, into.add, into.addSpan) {
		return f.at(s).bad("", "%s are no whole numbers", quote(s.text))
	}
	for _, k := range s.kids {
		if err := f.alive(); err != nil {
			return err
		}
		if ref := k.attr("node_set") + k.attr("elem_set"); ref != "" || k.attr("id") == "" {
			child := in[ref]
			if child == nil || child == into {
				return f.at(k).bad("define the set above", "there is no set %s", quote(ref))
			}
			into.children = append(into.children, child)
			continue
		}
		if !wholes(k.attr("id"), into.add, nil) {
			return f.at(k).bad("", "id=%s is no whole number", quote(k.attr("id")))
		}
	}
	return nil
}

func (f *feb) surface(s *element) error {
	out := &febSurface{e: s}
	f.surfaces[s.attr("name")] = out
	for _, k := range s.kids {
		if err := f.alive(); err != nil {
			return err
		}
		n := 0
		switch k.name {
		case "tri3":
			n = 3
		case "tri6":
			n = 6
		default:
			out.other = k.name
			continue
		}
		var q [6]int32
		count := 0
		ok := wholes(k.text, func(v int64) {
			if count < n {
				q[count] = int32(v)
			}
			count++
		}, nil)
		if !ok || count != n {
			return f.at(k).bad("", "%s are no %d node numbers", quote(k.text), n)
		}
		out.tris = append(out.tris, [3]int32(q[:3]))
		if n == 6 {
			out.mids = append(out.mids, [3]int32(q[3:]))
		}
	}
	return nil
}

// corners are the model nodes of the triangles of a surface.
func (f *feb) corners(p place, name string) ([][3]int32, error) {
	s := f.surfaces[name]
	switch {
	case s == nil:
		return nil, p.bad("define the surface", "there is no surface %s", quote(name))
	case s.other != "":
		return nil, p.bad("use tri3 or tri6", "the surface %s has facets of type %s", quote(name), quote(s.other))
	}
	out := make([][3]int32, len(s.tris))
	for i, t := range s.tris {
		for j, n := range t {
			at := f.node.get(int64(n))
			if at < 0 || f.final[at] < 0 {
				return nil, p.bad("load faces of tetrahedra", "the surface %s has node %d, which belongs to no tetrahedron", quote(name), n)
			}
			out[i][j] = f.final[at]
		}
	}
	return out, nil
}

// nodesOf lists the model nodes of a node set, or of "@surface:name",
// "@elem_set:name" or "@part_list:name".
func (f *feb) nodesOf(p place, name string) ([]int32, error) {
	kind, ref, at := strings.Cut(name, ":")
	if !at || kind == "" || kind[0] != '@' {
		s := f.nodeSets[name]
		if s == nil {
			return nil, p.bad("define the node set", "there is no node set %s", quote(name))
		}
		list, ok := s.places(&f.node)
		if !ok {
			return nil, p.bad("write the set in full", "the node set %s is nested too deep", quote(name))
		}
		out := make([]int32, 0, len(list))
		for _, at := range list {
			if n := f.final[at]; n >= 0 {
				out = append(out, n)
			}
		}
		return out, nil
	}
	seen := make([]bool, len(f.places))
	if f.node.steps += len(seen) / 8; f.node.steps > maxSetSteps {
		return nil, p.bad("join boundary conditions", "sets are used too often")
	}
	switch kind {
	case "@surface":
		s := f.surfaces[ref]
		if s == nil {
			return nil, p.bad("define the surface", "there is no surface %s", quote(ref))
		}
		if s.other != "" {
			return nil, p.bad("use tri3 or tri6", "the surface %s has facets of type %s", quote(ref), quote(s.other))
		}
		for _, q := range slices.Concat(s.tris, s.mids) {
			for _, n := range q {
				if at := f.node.get(int64(n)); at >= 0 && f.final[at] >= 0 {
					seen[f.final[at]] = true
				}
			}
		}
	case "@elem_set":
		s := f.elemSets[ref]
		if s == nil {
			return nil, p.bad("define the element set", "there is no element set %s", quote(ref))
		}
		list, ok := s.places(&f.elem)
		if !ok {
			return nil, p.bad("write the set in full", "the element set %s is nested too deep", quote(ref))
		}
		for _, e := range list {
			if t := f.tet(e); t >= 0 {
				for _, n := range f.mesh.Tets[t] {
					seen[n] = true
				}
				if f.mesh.Mid != nil {
					for _, n := range f.mesh.Mid[t] {
						seen[n] = true
					}
				}
			}
		}
	default:
		return nil, p.bad("use a NodeSet", "the node set %s is not understood", quote(name))
	}
	var out []int32
	for n, on := range seen {
		if on {
			out = append(out, int32(n))
		}
	}
	return out, nil
}
