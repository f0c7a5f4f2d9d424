package deck

import (
	"bytes"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"
)

// inpSurface is a *SURFACE: faces of elements, or nodes.
type inpSurface struct {
	place
	nodes bool
	parts []inpFacePart
}

// inpFacePart is one data line of a *SURFACE.
type inpFacePart struct {
	line   int
	name   string
	number int64 // element or node; 0 when name is a set
	face   string
}

// setOf finds or makes a set; names of one instance may carry its name before
// a dot.
func setOf(in map[string]*set, name string) *set {
	key := upper(name)
	s, ok := in[key]
	if !ok {
		s = &set{name: name}
		in[key] = s
	}
	return s
}

// findSet finds a set by name, with or without the name of the instance.
func findSet(in map[string]*set, name string) *set {
	key := upper(strings.Trim(name, `"`))
	if s, ok := in[key]; ok {
		return s
	}
	if n := strings.LastIndexByte(key, '.'); n >= 0 {
		return in[key[n+1:]]
	}
	return nil
}

func (r *inp) nodes(k *inpKey) error {
	if s := upper(k.params["SYSTEM"]); s != "" && s != "R" {
		return k.bad("write Cartesian coordinates", "nodes in the coordinates %s", quote(s))
	}
	var into *set
	if name := k.params["NSET"]; name != "" {
		into = setOf(r.nsets, name)
	}
	for {
		if ok, err := r.more(); err != nil {
			return err
		} else if !ok {
			return nil
		}
		s := r.src
		tag, ok := s.number()
		if !ok {
			return r.here(k).bad("", "%s is no node number", quote(s.field()))
		}
		var x [3]float64
		for i := range x {
			if w := s.field(); len(w) > 0 { // a blank stands for 0
				if x[i], ok = parseFloat(w); !ok {
					return r.here(k).bad("", "node %d: %s is not a finite number", tag, quote(w))
				}
			}
		}
		if !r.node.add(tag) {
			return r.here(k).bad("number the nodes afresh", "node %d is given twice", tag)
		}
		r.points = append(r.points, r3.Vec{X: x[0], Y: x[1], Z: x[2]})
		if into != nil {
			into.add(tag)
		}
		s.skipLine()
		if err := r.alive(); err != nil {
			return err
		}
	}
}

// inpType is what an element type of Abaqus is here; nodes is 0 when unknown.
func inpType(t string) (kind elemKind, nodes int, hybrid bool) {
	switch t {
	case "C3D4", "C3D4H":
		return kindTet, 4, t == "C3D4H"
	case "C3D10", "C3D10M", "C3D10I", "C3D10HS", "C3D10H", "C3D10MH", "C3D10T":
		return kindTet, 10, strings.Contains(t, "H")
	case "M3D3", "S3", "S3R", "STRI3":
		return kindTri, 3, false
	case "M3D6", "S6", "STRI65":
		return kindTri, 6, false
	case "T3D2", "SPRINGA":
		return kindLine, 2, false
	case "SFM3D3":
		return kindSkin, 3, false
	case "SFM3D6":
		return kindSkin, 6, false
	}
	return 0, 0, false
}

func (r *inp) elements(k *inpKey) error {
	typ := upper(k.params["TYPE"])
	kind, n, hybrid := inpType(typ)
	switch {
	case n == 0:
		return k.bad("mesh with tetrahedra C3D10 or C3D4", "elements of type %s", quote(typ))
	case typ[0] == 'S' && kind == kindTri:
		return k.bad("use membranes (M3D3, M3D6) where bending does not count", "shell elements of type %s", quote(typ))
	case kind == kindTet && r.order != 0 && r.order != n:
		return k.bad("export with one order for all elements", "linear and quadratic tetrahedra are mixed")
	case typ == "C3D10M" || typ == "C3D10MH" || typ == "C3D10I" || typ == "C3D10HS":
		r.rep.note(k.place, true, "%s is solved as C3D10, whose modes are other ones: the difference is that of the discretisation", typ)
	}
	if hybrid {
		r.mixed = true
		r.rep.note(k.place, true, "%s is solved with the mean dilatation of elements (C3D10) or patches (C3D4) in place of a pressure field", typ)
	}
	if kind == kindTet {
		r.order = n
	}
	var into *set
	if name := k.params["ELSET"]; name != "" {
		into = setOf(r.elsets, name)
	}
	for {
		if ok, err := r.more(); err != nil {
			return err
		} else if !ok {
			return nil
		}
		tag, ok := r.src.number()
		if !ok {
			return r.here(k).bad("", "%s is no element number", quote(r.src.field()))
		}
		if !r.addElem(kind, tag) {
			return r.here(k).bad("number the elements afresh", "element %d is given twice", tag)
		}
		var q [10]int32
		for i := range n {
			for r.src.atEnd() { // the list goes on with the next line
				r.src.skipLine()
				if more, err := r.more(); err != nil {
					return err
				} else if !more {
					return r.here(k).bad("get a whole copy of the file", "element %d has %d nodes of %d", tag, i, n)
				}
			}
			v, ok := r.src.number()
			if !ok {
				return r.here(k).bad("", "element %d: %s is no node number", tag, quote(r.src.field()))
			}
			q[i] = int32(v)
		}
		if err := r.end(k); err != nil {
			return err
		}
		if kind == kindTet {
			r.tets = append(r.tets, q[:n]...)
		} else {
			r.flat = append(r.flat, flatElem{kind: kind, typ: typ, tag: tag, nodes: append([]int32(nil), q[:n]...)})
		}
		if into != nil {
			into.add(tag)
		}
		if err := r.alive(); err != nil {
			return err
		}
	}
}

// sets reads *NSET and *ELSET.
func (r *inp) sets(k *inpKey, param string, in map[string]*set) error {
	name := k.params[param]
	if name == "" {
		return k.bad("write "+param+"=name", "names no set")
	}
	into := setOf(in, name)
	into.known = nil
	generate := k.has("GENERATE")
	for p := range k.params {
		switch p {
		case param, "GENERATE", "INTERNAL", "UNSORTED", "INSTANCE":
		default:
			return k.bad("list the numbers", "the parameter %s is not understood", p)
		}
	}
	for {
		if ok, err := r.more(); err != nil {
			return err
		} else if !ok {
			return nil
		}
		if generate {
			f := span{step: 1}
			given := r.src.fields()
			for i, w := range given {
				v, ok := parseInt(w)
				if !ok || i > 2 {
					return r.here(k).bad("write first, last, step", "%s is no range", quote(bytes.Join(given, []byte(", "))))
				}
				*[]*int64{&f.lo, &f.hi, &f.step}[i] = v
			}
			if len(given) < 2 || f.step < 1 || f.lo < 0 || f.hi < f.lo || f.hi > maxNumber {
				return r.here(k).bad("write first, last, step", "%s is no range", quote(bytes.Join(given, []byte(", "))))
			}
			into.spans = append(into.spans, f)
			continue
		}
		for !r.src.atEnd() {
			w := r.src.field()
			if n, ok := parseInt(w); ok {
				if n < 0 || n > maxNumber {
					return r.here(k).bad("", "the number %d is out of range", n)
				}
				into.add(n)
			} else if child := findSet(in, string(w)); child != nil && child != into {
				into.children = append(into.children, child)
			} else if len(w) > 0 {
				return r.here(k).bad("define the set above", "there is no set %s", quote(w))
			}
		}
		r.src.skipLine()
		if err := r.alive(); err != nil {
			return err
		}
	}
}

func (r *inp) surface(k *inpKey) error {
	name := k.params["NAME"]
	typ := upper(k.params["TYPE"])
	switch {
	case name == "":
		return k.bad("write NAME=name", "names no surface")
	case typ != "" && typ != "ELEMENT" && typ != "NODE":
		return k.bad("use TYPE=ELEMENT or TYPE=NODE", "the type %s is not understood", quote(typ))
	}
	s := &inpSurface{place: k.place, nodes: typ == "NODE"}
	for {
		if ok, err := r.more(); err != nil {
			return err
		} else if !ok {
			r.surfaces[upper(name)] = s
			return nil
		}
		line := r.src.line
		f := r.src.fields()
		part := inpFacePart{line: line}
		if n, ok := parseInt(f[0]); ok {
			part.number = n
		} else {
			part.name = string(f[0])
		}
		if len(f) > 1 {
			part.face = upper(string(f[1]))
		}
		s.parts = append(s.parts, part)
		if err := r.alive(); err != nil {
			return err
		}
	}
}
