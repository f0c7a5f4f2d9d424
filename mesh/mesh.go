package mesh

import (
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Sides names what a surface triangle separates.
type Sides struct{ Inside, Outside imaging.Label }

// Surface is a triangle mesh whose faces know the two regions they separate.
// Vertices are shared between neighbouring regions.
type Surface struct {
	Verts  []r3.Vec   // LPS mm
	Tris   [][3]int32 // counter-clockwise seen from Outside
	Region []Sides    // one per triangle
}

// TetMesh is a tetrahedral mesh; Region gives each tetrahedron's structure.
// When Mid is not nil the elements are Tet10: Mid[t] are the mid-edge nodes of
// Tets[t] on edges 01, 12, 20, 03, 13, 23, also stored in Nodes.
type TetMesh struct {
	Nodes  []r3.Vec // LPS mm; the corner vertices first, then mid-edge nodes
	Tets   [][4]int32
	Mid    [][6]int32
	Region []imaging.Label // one per tetrahedron
}

// TetEdges is the order of a tetrahedron's edges, and so of its mid-edge nodes.
var TetEdges = [6][2]int{{0, 1}, {1, 2}, {2, 0}, {0, 3}, {1, 3}, {2, 3}}

// TetFaces lists the faces of a positive tetrahedron, each counter-clockwise
// seen from outside; face f is opposite vertex f.
var TetFaces = [4][3]int{{1, 2, 3}, {0, 3, 2}, {0, 1, 3}, {0, 2, 1}}

// Signed6 is six times the signed volume of the tetrahedron (a,b,c,d), mm³.
func Signed6(a, b, c, d r3.Vec) float64 {
	return r3.Dot(r3.Sub(b, a), r3.Cross(r3.Sub(c, a), r3.Sub(d, a)))
}

// VolumeMM3 is the total volume of the tetrahedra whose region passes keep;
// nil keeps all. Corner vertices only: curved Tet10 sides are not counted.
func (m *TetMesh) VolumeMM3(keep func(imaging.Label) bool) float64 {
	var sum float64
	for t, v := range m.Tets {
		if keep == nil || keep(m.Region[t]) {
			sum += Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]])
		}
	}
	return sum / 6
}

// VolumeMM3 is the volume enclosed by the region of the surface for which
// inside is true, by the divergence theorem over the faces that separate it
// from the rest.
func (s *Surface) VolumeMM3(inside func(imaging.Label) bool) float64 {
	if len(s.Verts) == 0 {
		return 0
	}
	o := s.Verts[0] // close to the mesh: less cancellation
	var sum float64
	for t, v := range s.Tris {
		in, out := inside(s.Region[t].Inside), inside(s.Region[t].Outside)
		if in == out {
			continue
		}
		w := r3.Dot(r3.Sub(s.Verts[v[0]], o), r3.Cross(r3.Sub(s.Verts[v[1]], o), r3.Sub(s.Verts[v[2]], o)))
		if in {
			sum += w
		} else {
			sum -= w
		}
	}
	return sum / 6
}
