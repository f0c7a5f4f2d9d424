package cut

import (
	"fmt"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Map carries fields from the mesh before a cut to the mesh after it.
type Map struct {
	// Tet is the parent of each tetrahedron.
	Tet []int32
	// Node is the old node that each node is, or −1−i when it stands at
	// Places[i] of the old mesh.
	Node   []int32
	Places []Place

	old *mesh.TetMesh
}

// Place is a point of the old mesh: barycentric coordinates in one of its
// tetrahedra. A coordinate may be slightly negative where a node slid along a
// curved boundary.
type Place struct {
	Tet int32
	L   [4]float64
}

// Source gives the old node that node n is. When there is none, b is −1 for a
// node inside an old tetrahedron or on a face of it, else the node is at
// (1−t)·a + t·b on the old edge from a to b.
func (m *Map) Source(n int) (a, b int32, t float64) {
	if o := m.Node[n]; o >= 0 {
		return o, o, 0
	}
	p := m.Places[-1-m.Node[n]]
	a, b = -1, -1
	for i, l := range p.L {
		switch {
		case l == 0:
		case a < 0:
			a = m.old.Tets[p.Tet][i]
		case b < 0:
			b, t = m.old.Tets[p.Tet][i], l
		default:
			return -1, -1, 0
		}
	}
	return a, b, t
}

// weights gives the old nodes and their weights at place p: linear for Tet4
// and for the corners of curved Tet10, quadratic for straight Tet10.
func (m *Map) weights(p *Place, node *[10]int32, w *[10]float64) int {
	v := m.old.Tets[p.Tet]
	copy(node[:], v[:])
	copy(w[:], p.L[:])
	if m.old.Mid == nil || m.curved(p.Tet) {
		return 4
	}
	copy(node[4:], m.old.Mid[p.Tet][:])
	for i, l := range p.L {
		w[i] = l * (2*l - 1)
	}
	for e, c := range mesh.TetEdges {
		w[4+e] = 4 * p.L[c[0]] * p.L[c[1]]
	}
	return 10
}

// straightShare is how far a mid-edge node may stand from the middle of a
// straight edge, as a share of the edge.
const straightShare = 1e-9

// curved tells whether some mid-edge node of t is out of the middle.
func (m *Map) curved(t int32) bool {
	for e, c := range mesh.TetEdges {
		a, b := m.old.Nodes[m.old.Tets[t][c[0]]], m.old.Nodes[m.old.Tets[t][c[1]]]
		d := sub(m.old.Nodes[m.old.Mid[t][e]], mix(a, b, .5))
		if dot(d, d) > straightShare*straightShare*r3.Norm2(sub(b, a)) {
			return true
		}
	}
	return false
}

// Nodal carries a field with k values per node, one node after the other; k
// follows from the length. Old nodes that stayed keep their values' bits; a
// new or moved node takes the value at its place in the old mesh, so linear
// fields are reproduced (and quadratic ones by straight Tet10). Both copies of a
// doubled node get the same value. It panics when the length is not a multiple
// of the old number of nodes.
func (m *Map) Nodal(field []float64) []float64 {
	k := perItem("Nodal", len(field), len(m.old.Nodes))
	out := make([]float64, k*len(m.Node))
	var node [10]int32
	var w [10]float64
	for n, o := range m.Node {
		to := out[k*n:][:k]
		if o >= 0 {
			copy(to, field[k*int(o):][:k])
			continue
		}
		c := m.weights(&m.Places[-1-o], &node, &w)
		for i := range c {
			if w[i] != 0 {
				from := field[k*int(node[i]):][:k]
				for j, x := range from {
					to[j] += w[i] * x
				}
			}
		}
	}
	return out
}

// NodalVec is Nodal for vectors, such as displacements in mm.
func (m *Map) NodalVec(field []r3.Vec) []r3.Vec {
	if len(field) != len(m.old.Nodes) {
		panic(fmt.Sprintf("cut: Map.NodalVec: %d vectors for %d nodes", len(field), len(m.old.Nodes)))
	}
	out := make([]r3.Vec, len(m.Node))
	var node [10]int32
	var w [10]float64
	for n, o := range m.Node {
		if o >= 0 {
			out[n] = field[o]
			continue
		}
		c := m.weights(&m.Places[-1-o], &node, &w)
		for i := range c {
			if w[i] != 0 {
				out[n] = add(out[n], r3.Scale(w[i], field[node[i]]))
			}
		}
	}
	return out
}

// Element carries a field with k values per tetrahedron: pieces take what their
// parent had. That is right for stresses and densities, not for amounts that
// add up over the elements. It panics when the length is not a multiple of the
// old number of tetrahedra.
func (m *Map) Element(field []float64) []float64 {
	k := perItem("Element", len(field), len(m.old.Tets))
	out := make([]float64, k*len(m.Tet))
	for t, o := range m.Tet {
		copy(out[k*t:][:k], field[k*int(o):][:k])
	}
	return out
}

func perItem(what string, n, items int) int {
	if n%items != 0 {
		panic(fmt.Sprintf("cut: Map.%s: %d values for %d items", what, n, items))
	}
	return n / items
}
