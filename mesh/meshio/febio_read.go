package meshio

import (
	"strings"

	"gonum.org/v1/gonum/spatial/r3"
)

// readFEBio reads the mesh of a FEBio file of version 2.5 (Geometry), 3 or 4
// (Mesh): tet4 and tet10. The region of an element is the name of its block, or
// the material that MeshDomains gives it where only that name is known.
func readFEBio(in *input) (*TetFile, error) {
	data, err := in.all()
	if err != nil {
		return nil, err
	}
	f := &febioReader{b: tetBuilder{in: in}, material: map[string]string{}}
	f.xmlReader = xmlReader{cursor: cursor{in: in, data: data, line: 1}}
	f.comment = func(b []byte) {
		if u := markedUnit(string(b)); u != 0 {
			f.b.unit = u
		}
	}
	if err := f.walk(); err != nil {
		return nil, err
	}
	for i, k := range f.b.keys {
		if mat := f.material[k.name]; mat != "" && !known(k.name, &in.opt) && known(mat, &in.opt) {
			f.b.keys[i].name = mat
		}
	}
	return f.b.finish()
}

// known reports that a name stands for a label.
func known(name string, opt *ReadOptions) bool {
	_, ok := labelOf(name)
	_, mine := opt.Labels[name]
	return ok || mine
}

type febioReader struct {
	xmlReader
	b        tetBuilder
	node     numbering
	material map[string]string // by domain
}

func (f *febioReader) walk() error {
	root := false
	for {
		_, t, err := f.next()
		if err != nil {
			return err
		}
		switch {
		case len(t.name) == 0:
			if !root {
				return f.short("before <febio_spec>")
			}
			return nil
		case t.close:
		case t.is("febio_spec"):
			root = true
			if v := string(t.attr("version")); !strings.HasPrefix(v, "2.") && !strings.HasPrefix(v, "3.") && !strings.HasPrefix(v, "4.") {
				return f.bad("export as FEBio 3.0 or 4.0", "version %s is not read", quote(v))
			}
		case !root:
			return f.bad("", "the file begins with <%s>, not <febio_spec>", quote(t.name))
		case t.attr("from") != nil:
			return f.bad("write all into one file", "<%s> is kept in another file", quote(t.name))
		case t.is("Nodes"):
			err = f.list(t, "node", f.oneNode)
		case t.is("Elements"):
			err = f.elements(t)
		case t.is("SolidDomain"):
			f.material[string(t.attr("name"))] = string(t.attr("mat"))
		case t.is("Mesh") || t.is("Geometry") || t.is("MeshDomains"):
		default:
			err = f.skip(t)
		}
		if err != nil {
			return err
		}
	}
}

// list reads the items <name id="n">text</name> of the element t.
func (f *febioReader) list(t xmlTag, name string, item func(id int64, text []byte) error) error {
	if t.empty {
		return nil
	}
	level := len(f.depth)
	id := int64(0)
	for {
		text, t, err := f.next()
		switch {
		case err != nil:
			return err
		case len(f.depth) < level:
			return nil
		case t.close:
			if err := item(id, text); err != nil {
				return err
			}
		case !t.is(name) || t.empty || len(f.depth) != level+1:
			return f.bad("", "<%s> inside a list of <%s>", quote(t.name), name)
		default:
			var ok bool
			if id, ok = parseInt(t.attr("id")); !ok {
				return f.bad("", "id=%s of <%s> is no number", quote(t.attr("id")), name)
			}
		}
	}
}

func (f *febioReader) oneNode(id int64, b []byte) error {
	var x [3]float64
	for i := range x {
		var w []byte
		var ok bool
		w, b = word(b)
		if x[i], ok = parseFloat(w); !ok {
			return f.bad(remedyNumbers, "node %d: %s is not a finite number", id, quote(w))
		}
	}
	return f.b.node(&f.cursor, &f.node, id, r3.Vec{X: x[0], Y: x[1], Z: x[2]})
}

func (f *febioReader) elements(t xmlTag) error {
	kind, name := strings.ToLower(string(t.attr("type"))), string(t.attr("name"))
	want := 0
	switch kind {
	case "tet4":
		want = 4
	case "tet10":
		want = 10
	case "tri3", "tri6", "tri7", "tri10", "quad4", "quad8", "quad9", "line2", "line3", "truss2", "point1":
	default:
		if !f.in.opt.SkipUnknown {
			return f.bad(remedyTypes, "elements of type %s", quote(kind))
		}
	}
	key := int32(-1)
	return f.list(t, "elem", func(id int64, b []byte) error {
		if want == 0 {
			f.b.skipped(kind, id)
			return nil
		}
		var q [10]int32
		for i := range want {
			var w []byte
			w, b = word(b)
			n, ok := parseInt(w)
			if !ok {
				return f.bad("", "element %d: %s is no node number", id, quote(w))
			}
			if q[i], ok = f.node.get(n); !ok {
				return f.bad("put <Nodes> before <Elements>", "element %d names node %d, which is not given above", id, n)
			}
		}
		if w, _ := word(b); len(w) > 0 {
			return f.bad("", "element %d has more than %d nodes", id, want)
		}
		if key < 0 && name == febioDomain {
			key = f.b.region(regionKey{})
		} else if key < 0 {
			key = f.b.region(regionKey{name: name})
		}
		if !f.b.add(q[:want], key, id) {
			return f.bad(remedyMixed, "%s, at element %d", whatMixed, id)
		}
		return nil
	})
}
