package deck

import (
	"math"
	"slices"
	"strings"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// elemKind is what an element of a file is.
type elemKind uint8

const (
	kindTet  elemKind = iota
	kindTri           // a membrane, 3 or 6 nodes
	kindLine          // a truss or spring, 2 nodes
	kindSkin          // a surface element that has no stiffness
)

// table gathers nodes and elements as a file names them.
type table struct {
	points []r3.Vec // in the file's unit
	node   numbering
	elem   numbering // of all kinds together
	kind   []elemKind
	at     []int32 // place among those of its kind; nil while all are tetrahedra
	order  int     // nodes of a tetrahedron: 4 or 10; 0 when there is none yet
	tets   []int32 // order node numbers each
	flat   []flatElem
	// after finish
	mesh   *mesh.TetMesh
	final  []int32 // model node per place, −1: of no element
	places []int32 // place per model node
}

// flatElem is an element that is no tetrahedron.
type flatElem struct {
	kind  elemKind
	typ   string
	tag   int64
	nodes []int32 // node numbers as in the file, then places
}

// maxNumber bounds node and element numbers of a file.
const maxNumber = math.MaxInt32

// addElem files an element of n nodes; tets are kept apart.
func (t *table) addElem(k elemKind, tag int64) bool {
	if !t.elem.add(tag) {
		return false
	}
	if k != kindTet && t.at == nil {
		t.at = make([]int32, len(t.kind), 2*len(t.kind)+1)
		for i := range t.at {
			t.at[i] = int32(i)
		}
	}
	if t.at != nil {
		n := len(t.flat)
		if k == kindTet {
			n = len(t.tets) / max(t.order, 1)
		}
		t.at = append(t.at, int32(n))
	}
	t.kind = append(t.kind, k)
	return true
}

// tet is the tetrahedron of an element place; −1 when it is none.
func (t *table) tet(elem int32) int32 {
	if t.at == nil {
		return elem
	}
	if t.kind[elem] != kindTet {
		return -1
	}
	return t.at[elem]
}

// finish resolves the node numbers, leaves out nodes of no element and puts
// corner nodes before mid-edge nodes, each in the order of their numbers.
func (t *table) finish(p place, u Units) error {
	if len(t.tets) == 0 {
		return p.bad("a model needs C3D4, C3D10, tet4 or tet10", "there is no tetrahedron")
	}
	const corner, middle = 1, 2
	use := make([]uint8, len(t.points))
	missing := func(n int32, tag int64) error {
		return p.bad("define it, or mend the element", "element %d names node %d, which is not defined", tag, n)
	}
	elems := len(t.tets) / t.order
	for e := range elems {
		for i := e * t.order; i < (e+1)*t.order; i++ {
			at := t.node.get(int64(t.tets[i]))
			if at < 0 {
				return missing(t.tets[i], t.tag(e))
			}
			t.tets[i] = at
			if i-e*t.order < 4 {
				use[at] = corner
			} else if use[at] == 0 {
				use[at] = middle
			}
		}
	}
	for i := range t.flat {
		f := &t.flat[i]
		for j, n := range f.nodes {
			at := t.node.get(int64(n))
			if at < 0 {
				return missing(n, f.tag)
			}
			f.nodes[j] = at
			if f.kind == kindSkin {
				continue
			}
			if j < 3 || use[at] == 0 { // a mid-edge node stays one
				use[at] = corner
			}
		}
	}
	t.final = make([]int32, len(use))
	for i := range t.final {
		t.final[i] = -1
	}
	for _, want := range [2]uint8{corner, middle} {
		from := len(t.places)
		for at, u := range use {
			if u == want {
				t.places = append(t.places, int32(at))
			}
		}
		part := t.places[from:]
		byTag := func(a, b int32) int { return int(t.node.tags[a] - t.node.tags[b]) } // numbers fit 32 bits
		if !slices.IsSortedFunc(part, byTag) {
			slices.SortFunc(part, byTag)
		}
	}
	m := &mesh.TetMesh{Nodes: make([]r3.Vec, len(t.places)), Tets: make([][4]int32, elems), Region: make([]imaging.Label, elems)}
	for i, at := range t.places {
		t.final[at] = int32(i)
		x := r3.Scale(u.LengthMM, t.points[at])
		if s := x.X*0 + x.Y*0 + x.Z*0; s != 0 {
			return p.bad("check the unit of length", "node %d lies at %v mm", t.node.tags[at], x)
		}
		m.Nodes[i] = x
	}
	if t.order == 10 {
		m.Mid = make([][6]int32, elems)
	}
	for e := range elems {
		q := t.tets[e*t.order : (e+1)*t.order]
		for i := range 4 {
			m.Tets[e][i] = t.final[q[i]]
		}
		if t.order == 10 {
			for i := range 6 {
				m.Mid[e][i] = t.final[q[4+i]]
			}
		}
	}
	for i := range t.flat {
		for j, at := range t.flat[i].nodes {
			t.flat[i].nodes[j] = t.final[at]
		}
	}
	t.mesh = m
	t.tets = nil
	return nil
}

// tag is the file's number of tetrahedron e.
func (t *table) tag(e int) int64 {
	if t.at == nil {
		return t.elem.tags[e]
	}
	for i, k := range t.kind {
		if k == kindTet && int(t.at[i]) == e {
			return t.elem.tags[i]
		}
	}
	return 0
}

// numbers are the file's numbers of model nodes and tetrahedra.
func (t *table) numbers() (nodes, elems []int64) {
	nodes = make([]int64, len(t.places))
	for i, at := range t.places {
		nodes[i] = t.node.tags[at]
	}
	if t.at == nil {
		return nodes, t.elem.tags
	}
	for i, k := range t.kind {
		if k == kindTet {
			elems = append(elems, t.elem.tags[i])
		}
	}
	return nodes, elems
}

// labeller gives labels to the regions of a file: the label whose name the file
// uses, else the next free one from 64.
type labeller struct {
	taken [256]bool
	next  int
}

// labelOf finds the label that a name stands for, in any case.
func labelOf(name string) (imaging.Label, bool) {
	for l := imaging.Label(1); l != 0; l++ {
		if strings.EqualFold(l.String(), name) {
			return l, true
		}
	}
	return 0, false
}

func (l *labeller) give(name string) (imaging.Label, bool) {
	if known, ok := labelOf(name); ok && !l.taken[known] {
		l.taken[known] = true
		return known, true
	}
	for ; l.next < 255; l.next++ {
		if n := (l.next+63)%255 + 1; !l.taken[n] {
			l.taken[n] = true
			return imaging.Label(n), true
		}
	}
	return 0, false
}
