package spatial

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// ErrEmpty says that there is nothing to search: no face, or no element.
var ErrEmpty = errors.New("spatial: nothing to search: the mesh is empty")

// PointError names a point that is not finite, or so far away (beyond 1e15 mm)
// that its unit must be wrong.
type PointError struct {
	What  string // "vertex", "node" or "query point"
	Index int
	AtMM  r3.Vec
}

func (e *PointError) Error() string {
	return fmt.Sprintf("spatial: %s %d is at (%g, %g, %g) mm: remove it or check the unit", e.What, e.Index, e.AtMM.X, e.AtMM.Y, e.AtMM.Z)
}

func placed(p r3.Vec) bool {
	return math.Abs(p.X) <= maxCoordMM && math.Abs(p.Y) <= maxCoordMM && math.Abs(p.Z) <= maxCoordMM
}

// Hit is a place on a face. Where several faces are equally near, it is on the
// one of lowest index.
type Hit struct {
	Tri    int32      // index in Surface.Tris; −1 when there is none
	At     r3.Vec     // LPS mm
	Bary   [3]float64 // of At on the corners of the face; they sum to 1
	DistMM float64    // from the query point, or along the ray
}

// noHit is the answer where there is none.
func noHit() Hit { return Hit{Tri: -1, DistMM: math.Inf(1)} }

// BVH answers queries on the triangles of a surface. It is safe for concurrent
// use; the surface must not change while it is used.
type BVH struct {
	*tree
	verts  []r3.Vec
	tris   [][3]int32   // in leaf order
	region []mesh.Sides // of the surface, by face

	once sync.Once
	wind winding
}

// New builds the tree of all faces of s. Degenerate faces are kept: they are
// segments or points.
//
// Errors: ErrEmpty, *PointError for the first vertex of a face that is not
// finite or beyond 1e15 mm, a plain error for a face with a vertex that does
// not exist or for regions that do not match the faces, or ctx.Err().
func New(ctx context.Context, s *mesh.Surface) (*BVH, error) {
	if len(s.Tris) == 0 {
		return nil, ErrEmpty
	}
	if s.Region != nil && len(s.Region) != len(s.Tris) {
		return nil, fmt.Errorf("spatial: %d regions for %d faces", len(s.Region), len(s.Tris))
	}
	if err := check(s); err != nil {
		return nil, err
	}
	boxes := make([]box, len(s.Tris))
	for t, v := range s.Tris {
		if t&0xffff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		boxes[t] = around(s.Verts[v[0]], s.Verts[v[1]], s.Verts[v[2]])
	}
	tr, err := newTree(ctx, boxes)
	if err != nil {
		return nil, err
	}
	b := &BVH{tree: tr, verts: s.Verts, tris: make([][3]int32, len(s.Tris)), region: s.Region}
	for n, t := range tr.order {
		b.tris[n] = s.Tris[t]
	}
	return b, nil
}

// check names the first vertex of a face that does not exist or is not placed.
func check(s *mesh.Surface) error {
	for t, v := range s.Tris {
		for _, n := range v {
			if n < 0 || int(n) >= len(s.Verts) {
				return fmt.Errorf("spatial: face %d names vertex %d of %d", t, n, len(s.Verts))
			}
			if p := s.Verts[n]; !placed(p) {
				return &PointError{What: "vertex", Index: int(n), AtMM: p}
			}
		}
	}
	return nil
}
