package deck

import (
	"bytes"

	"gonum.org/v1/gonum/spatial/r3"
)

// gmshSets reads the physical groups of a gmsh file of version 2.2 or 4.1 in
// text form (Gmsh Reference Manual, MSH file format). Nodes and tetrahedra are
// read along, so that nodes can be matched with those of package meshio.
type gmshSets struct {
	*reader
	table
	file      string
	data      []byte
	pos, line int
	old       bool // version 2.2
	groups    map[[2]int64]*gmshGroup
	names     map[[2]int64]string  // by dimension and physical tag
	physical  map[[2]int64][]int64 // of entities, by dimension and tag
}

// gmshGroup is a physical group: node numbers and, on surfaces, triangles.
type gmshGroup struct {
	nodes set
	tris  [][3]int32
}

func (g *gmshSets) place() place { return place{file: g.file, line: g.line} }

// text reports that the file is in text form and of a version that is read.
func (g *gmshSets) text() bool {
	_, rest, ok := bytes.Cut(g.data[:min(len(g.data), 1000)], []byte("$MeshFormat"))
	w := bytes.Fields(rest)
	if !ok || len(w) < 2 || string(w[1]) != "0" {
		return false
	}
	g.old = string(w[0]) == "2.2" || string(w[0]) == "2"
	return g.old || string(w[0]) == "4.1"
}

// word takes the next word, over line ends; empty at the end.
func (g *gmshSets) word() []byte {
	for g.pos < len(g.data) && g.data[g.pos] <= ' ' {
		if g.data[g.pos] == '\n' {
			g.line++
		}
		g.pos++
	}
	from := g.pos
	for g.pos < len(g.data) && g.data[g.pos] > ' ' {
		g.pos++
	}
	return g.data[from:g.pos]
}

// whole takes a whole number that is not negative, up to a bound.
func (g *gmshSets) whole(high int64) (int64, error) {
	w := g.word()
	n, ok := parseInt(w)
	if !ok || n < 0 || n > high {
		return 0, g.place().bad("get a whole copy of the file", "%s is no number from 0 to %d", quote(w), high)
	}
	return n, g.alive()
}

// wholes takes n of them into v.
func (g *gmshSets) wholes(v []int64) (err error) {
	for i := range v {
		if v[i], err = g.whole(maxNumber); err != nil {
			return err
		}
	}
	return nil
}

// skip passes over n words.
func (g *gmshSets) skip(n int64) error {
	for range n {
		if len(g.word()) == 0 {
			return g.place().bad("get a whole copy of the file", "the file ends too early")
		}
		if err := g.alive(); err != nil {
			return err
		}
	}
	return nil
}

func (g *gmshSets) read() error {
	for {
		w := string(g.word())
		var err error
		switch w {
		case "":
			return nil
		case "$PhysicalNames":
			err = g.physicalNames()
		case "$Entities":
			err = g.entities()
		case "$Nodes":
			err = g.nodes()
		case "$Elements":
			err = g.elements()
		}
		if err != nil {
			return err
		}
	}
}

func (g *gmshSets) point() (r3.Vec, error) {
	var x [3]float64
	for i := range x {
		w := g.word()
		var ok bool
		if x[i], ok = parseFloat(w); !ok {
			return r3.Vec{}, g.place().bad("", "%s is not a finite number", quote(w))
		}
	}
	return r3.Vec{X: x[0], Y: x[1], Z: x[2]}, g.alive()
}

func (g *gmshSets) addNode(tag int64, x r3.Vec) error {
	if !g.node.add(tag) {
		return g.place().bad("number the nodes afresh", "node %d is given twice", tag)
	}
	g.points = append(g.points, x)
	return nil
}

func (g *gmshSets) nodes() error {
	if g.old {
		n, err := g.whole(maxNumber)
		for i := int64(0); i < n && err == nil; i++ {
			var tag int64
			var x r3.Vec
			if tag, err = g.whole(maxNumber); err == nil {
				if x, err = g.point(); err == nil {
					err = g.addNode(tag, x)
				}
			}
		}
		return err
	}
	var head [4]int64
	if err := g.wholes(head[:]); err != nil {
		return err
	}
	var tags []int64
	for range head[0] {
		var b [4]int64 // dimension, entity, parametric, nodes
		if err := g.wholes(b[:]); err != nil {
			return err
		}
		tags = tags[:0]
		for range b[3] {
			t, err := g.whole(maxNumber)
			if err != nil {
				return err
			}
			tags = append(tags, t)
		}
		for _, t := range tags {
			x, err := g.point()
			if err != nil {
				return err
			}
			if b[2] != 0 {
				if err := g.skip(min(b[0], 3)); err != nil {
					return err
				}
			}
			if err := g.addNode(t, x); err != nil {
				return err
			}
		}
	}
	return nil
}

// gmshNodes are the nodes of the element types that are read: line, triangle,
// tetrahedron and point, of first and second order.
var gmshNodes = map[int64]int{1: 2, 2: 3, 4: 4, 8: 3, 9: 6, 11: 10, 15: 1}

func (g *gmshSets) elements() error {
	if !g.old {
		var head [4]int64
		if err := g.wholes(head[:]); err != nil {
			return err
		}
		for range head[0] {
			var b [4]int64 // dimension, entity, type, elements
			if err := g.wholes(b[:]); err != nil {
				return err
			}
			for range b[3] {
				tag, err := g.whole(maxNumber)
				if err != nil {
					return err
				}
				if err := g.element(tag, b[2], b[0], g.physical[[2]int64{b[0], b[1]}]); err != nil {
					return err
				}
			}
		}
		return nil
	}
	n, err := g.whole(maxNumber)
	if err != nil {
		return err
	}
	dims := map[int64]int64{1: 1, 8: 1, 2: 2, 9: 2, 4: 3, 11: 3}
	for range n {
		var h [3]int64 // number, type, tags
		if err := g.wholes(h[:]); err != nil {
			return err
		}
		var groups []int64
		for i := range h[2] {
			w := g.word()
			t, ok := parseInt(w)
			if !ok {
				return g.place().bad("", "%s is no tag", quote(w))
			}
			if i == 0 && t != 0 {
				groups = []int64{max(t, -t)}
			}
		}
		if err := g.element(h[0], h[1], dims[h[1]], groups); err != nil {
			return err
		}
	}
	return nil
}

// element files one element with the groups it belongs to.
func (g *gmshSets) element(tag, typ, dim int64, groups []int64) error {
	n, ok := gmshNodes[typ]
	if !ok {
		return g.place().bad("mesh with tetrahedra", "elements of the gmsh type %d", typ)
	}
	var q [10]int64
	if err := g.wholes(q[:n]); err != nil {
		return err
	}
	if typ == 4 || typ == 11 {
		if g.order != 0 && g.order != n {
			return g.place().bad("export with one order for all elements", "linear and quadratic tetrahedra are mixed")
		}
		g.order = n
		if typ == 11 {
			q[8], q[9] = q[9], q[8]
		}
		if !g.addElem(kindTet, tag) {
			return g.place().bad("number the elements afresh", "element %d is given twice", tag)
		}
		for _, v := range q[:n] {
			g.tets = append(g.tets, int32(v))
		}
	}
	for _, p := range groups {
		key := [2]int64{dim, p}
		group := g.groups[key]
		if group == nil {
			group = &gmshGroup{}
			g.groups[key] = group
		}
		for _, v := range q[:n] {
			group.nodes.add(v)
		}
		if dim == 2 {
			group.tris = append(group.tris, [3]int32{int32(q[0]), int32(q[1]), int32(q[2])})
		}
	}
	return nil
}
