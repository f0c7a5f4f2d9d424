package spatial

import (
	"context"
	"fmt"
	"slices"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Tets finds the tetrahedra of a mesh (corner nodes only; a Tet10 is taken with
// straight sides). It is safe for concurrent use; the mesh must not change
// while it is used.
type Tets struct {
	*tree
	m *mesh.TetMesh
}

// NewTets builds the tree of all tetrahedra of m. Errors are those of New.
func NewTets(ctx context.Context, m *mesh.TetMesh) (*Tets, error) {
	if len(m.Tets) == 0 {
		return nil, ErrEmpty
	}
	boxes := make([]box, len(m.Tets))
	for t, v := range m.Tets {
		if t&0xffff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for _, n := range v {
			if n < 0 || int(n) >= len(m.Nodes) {
				return nil, fmt.Errorf("spatial: element %d names node %d of %d", t, n, len(m.Nodes))
			}
			if p := m.Nodes[n]; !placed(p) {
				return nil, &PointError{What: "node", Index: int(n), AtMM: p}
			}
		}
		boxes[t] = around(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]])
	}
	tr, err := newTree(ctx, boxes)
	if err != nil {
		return nil, err
	}
	return &Tets{tr, m}, nil
}

// onFace is how negative a barycentric coordinate of a point in a tetrahedron
// may be: rounding, so that no point is lost between neighbours.
const onFace = 1e-9

// At is the tetrahedron that holds p and the barycentric coordinates of p in
// it, or −1. On a face shared by several it is the one in which the least
// coordinate is greatest, then the one of lowest index. Flat tetrahedra hold
// nothing.
func (t *Tets) At(p r3.Vec) (tet int32, bary [4]float64) {
	tet = -1
	if !placed(p) {
		return tet, bary
	}
	best := -onFace
	t.visit(around(p), func(lo, hi int32) {
		for _, i := range t.order[lo:hi] {
			v := &t.m.Tets[i]
			a, b, c, d := t.m.Nodes[v[0]], t.m.Nodes[v[1]], t.m.Nodes[v[2]], t.m.Nodes[v[3]]
			vol := mesh.Signed6(a, b, c, d)
			x, y, z := mesh.Signed6(a, p, c, d)/vol, mesh.Signed6(a, b, p, d)/vol, mesh.Signed6(a, b, c, p)/vol
			w := 1 - x - y - z
			if l := min(w, x, y, z); l > best || l == best && i < tet {
				tet, bary, best = i, [4]float64{w, x, y, z}, l
			}
		}
	})
	return tet, bary
}

// InBox appends to dst the tetrahedra whose bounding box, a few steps of
// float32 wider, meets the box from lo to hi, in ascending order. A box with a
// number that is not finite, or turned inside out, meets none.
func (t *Tets) InBox(dst []int32, lo, hi r3.Vec) []int32 {
	if !placed(lo) || !placed(hi) || lo.X > hi.X || lo.Y > hi.Y || lo.Z > hi.Z {
		return dst
	}
	first := len(dst)
	in := around(lo, hi)
	t.visit(in, func(from, to int32) {
		for _, i := range t.order[from:to] {
			v := &t.m.Tets[i]
			b := around(t.m.Nodes[v[0]], t.m.Nodes[v[1]], t.m.Nodes[v[2]], t.m.Nodes[v[3]])
			if in.meets(&b) {
				dst = append(dst, i)
			}
		}
	})
	slices.Sort(dst[first:])
	return dst
}
