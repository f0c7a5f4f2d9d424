package contour

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/internal/par"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// MaxSide is the largest number of voxels along an axis: beyond it float32
// coordinates could not keep a vertex off the walls of its cell.
const MaxSide = 1 << 16

// Net is a multi-label surface net: the boundary of every label as
// quadrilaterals between dual cells.
//
// The dual cell (i,j,k) is the box between the centres of the voxels
// i..i+1, j..j+1, k..k+1, so it has the voxel (i,j,k) at its first corner.
// Voxels outside the grid are background, and indices run from −1 to Size−1.
// Every cell whose voxels differ holds one vertex (with Options.Manifold one
// for each sheet that passes through); every lattice edge between
// two voxels that differ is crossed by one quadrilateral, whose corners are
// the vertices of the four cells around the edge.
//
// Smooth and Restore write Pos only. Callers may read all fields and move
// vertices inside their cells.
type Net struct {
	Grid imaging.Grid
	// Pos holds i, j, k of each vertex, in voxel index coordinates (Grid.Point
	// takes them to LPS mm). A vertex is at most CellLimit from the middle of
	// its cell along each axis. Vertices are in order of their cells, i
	// fastest; those that Options.Manifold adds come at the end.
	Pos []float32
	// Meet is the number of labels (background is one) among the eight voxels
	// around each vertex, at least 2.
	Meet []uint8
	// Quads are vertex numbers, counter-clockwise seen from the voxel with the
	// larger index, in right-handed index coordinates (i × j = k). Corner 2
	// lies in the cell whose first corner is the voxel on the lower side,
	// corner 0 diagonally opposite. In order of corner 2, then of the axis.
	Quads [][4]int32
	// Axis is the axis 0..2 of the lattice edge each quadrilateral crosses.
	Axis []uint8
	// Sides are the labels at the lower and at the upper end of that edge.
	Sides [][2]imaging.Label

	held  []uint8    // per vertex: axes held fast (bits 0..2), crease
	pair  [][2]uint8 // per vertex: the labels where two meet, the smaller first
	slice []int32    // first quadrilateral of each slice of cells, from the pad
}

// CellLimit is how far a vertex may be from the middle of its cell along an
// axis, in voxels: short of one half, so that neighbours in adjoining cells
// stay apart and no face collapses.
const CellLimit = 0.49

// crease marks a vertex of a junction, or of an edge of a flat end at the
// border of the grid.
const crease = 8

// Len is the number of vertices.
func (n *Net) Len() int { return len(n.Meet) }

// Cell is the dual cell of vertex v: the index of the voxel at its first
// corner, from −1.
func (n *Net) Cell(v int32) (i, j, k int) {
	p := n.Pos[3*v : 3*v+3 : 3*v+3]
	return int(p[0]+1) - 1, int(p[1]+1) - 1, int(p[2]+1) - 1
}

// Crosses is the lattice edge that quadrilateral q crosses: from voxel (i,j,k)
// one step along axis. Indices of −1 are in the pad around the grid.
func (n *Net) Crosses(q int) (i, j, k, axis int) {
	i, j, k = n.Cell(n.Quads[q][2])
	return i, j, k, int(n.Axis[q])
}

// Point is vertex v in LPS mm.
func (n *Net) Point(v int32) r3.Vec {
	return n.Grid.Point(float64(n.Pos[3*v]), float64(n.Pos[3*v+1]), float64(n.Pos[3*v+2]))
}

// NewNet finds the surface net of all kept labels; each vertex starts at the
// mean of the crossings in its cell. SmoothPasses is not used.
//
// Errors: as Extract.
func NewNet(ctx context.Context, l *imaging.Labels, opt Options) (*Net, error) {
	if err := l.Grid.Validate(); err != nil {
		return nil, fmt.Errorf("contour: %w", err)
	}
	if len(l.ID) != l.Grid.Len() {
		return nil, fmt.Errorf("contour: %d labels for %d voxels", len(l.ID), l.Grid.Len())
	}
	for a, s := range l.Grid.Size {
		if s > MaxSide {
			return nil, fmt.Errorf("contour: grid has %d voxels along %c; want at most %d", s, "ijk"[a], MaxSide)
		}
	}
	if opt.MemoryLimit < 0 {
		return nil, fmt.Errorf("contour: memory limit %d", opt.MemoryLimit)
	}
	if opt.MemoryLimit == 0 {
		opt.MemoryLimit = DefaultMemoryLimit
	}
	x := &extraction{net: &Net{Grid: l.Grid}, manifold: opt.Manifold}
	if opt.Keep != nil {
		x.keep = new([256]uint8)
		for id := range x.keep {
			if opt.Keep(imaging.Label(id)) {
				x.keep[id] = uint8(id)
			}
		}
	}
	if err := x.run(ctx, l.ID, opt.MemoryLimit); err != nil {
		return nil, err
	}
	if len(x.net.Quads) == 0 {
		return nil, ErrEmpty
	}
	return x.net, nil
}

// Surface returns the net as triangles in LPS mm: each quadrilateral is split
// along its shorter diagonal and turned so that Inside is the larger label.
// Faces 2q and 2q+1 are the halves of quadrilateral q.
func (n *Net) Surface() *mesh.Surface {
	s := &mesh.Surface{
		Verts:  make([]r3.Vec, n.Len()),
		Tris:   make([][3]int32, 2*len(n.Quads)),
		Region: make([]mesh.Sides, 2*len(n.Quads)),
	}
	g := n.Grid
	par.Chunks(n.Len(), chunk, func(lo, hi int) {
		for v := lo; v < hi; v++ {
			p := n.Pos[3*v : 3*v+3 : 3*v+3]
			s.Verts[v] = g.Point(float64(p[0]), float64(p[1]), float64(p[2]))
		}
	})
	mm := g.SpacingMM()
	sx, sy, sz := float32(mm[0]), float32(mm[1]), float32(mm[2])
	left := !g.RightHanded()
	par.Chunks(len(n.Quads), chunk, func(lo, hi int) {
		for m := lo; m < hi; m++ {
			q, side := n.Quads[m], n.Sides[m]
			p0, p1, p2, p3 := (*[3]float32)(n.Pos[3*q[0]:]), (*[3]float32)(n.Pos[3*q[1]:]), (*[3]float32)(n.Pos[3*q[2]:]), (*[3]float32)(n.Pos[3*q[3]:])
			even := shorter((p2[0]-p0[0])*sx, (p2[1]-p0[1])*sy, (p2[2]-p0[2])*sz, (p3[0]-p1[0])*sx, (p3[1]-p1[1])*sy, (p3[2]-p1[2])*sz)
			// the face looks from the smaller index to the larger one
			flip := left
			r := mesh.Sides{Inside: side[0], Outside: side[1]}
			if r.Inside < r.Outside {
				r.Inside, r.Outside = r.Outside, r.Inside
				flip = !flip
			}
			if flip {
				q[1], q[3] = q[3], q[1]
			}
			if !even {
				q = [4]int32{q[1], q[2], q[3], q[0]}
			}
			s.Tris[2*m], s.Tris[2*m+1] = [3]int32{q[0], q[1], q[2]}, [3]int32{q[0], q[2], q[3]}
			s.Region[2*m], s.Region[2*m+1] = r, r
		}
	})
	return s
}
