package mesh

import (
	"fmt"
	"math"

	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// Embedding ties points to the nodes of a tetrahedral mesh, so that a fine
// displayed surface follows a coarser one: value(point) = Σ Weight·value(node).
type Embedding struct {
	PerPoint int       // nodes of each point: 4 (Tet4) or 10 (Tet10)
	Node     []int32   // PerPoint per point
	Weight   []float64 // PerPoint per point; they sum to 1
	Tet      []int32   // the tetrahedron of each point
	// Outside counts the points beyond the mesh, MaxOutsideMM the farthest.
	Outside      int
	MaxOutsideMM float64
}

const (
	// insideTol is how negative a barycentric coordinate of a point inside may
	// be: rounding, far below anything visible.
	insideTol = 1e-9
	// extrapolateEdges bounds linear extrapolation to this many times the
	// longest edge of the tetrahedron; points farther out move like the point
	// at that distance.
	extrapolateEdges = 1
	// farShare is the share of the mesh's bounding diagonal beyond which a
	// point has nothing to do with the mesh: a wrong frame or unit.
	farShare = 0.25
)

// FarError names a point too far from the mesh to follow it.
type FarError struct {
	Point             int
	AtMM              r3.Vec // LPS
	DistanceMM, MaxMM float64
}

func (e *FarError) Error() string {
	return fmt.Sprintf("mesh: point %d at (%.1f, %.1f, %.1f) mm lies %.1f mm outside the mesh, more than %.1f mm; check that both are in LPS mm and of the same organ",
		e.Point, e.AtMM.X, e.AtMM.Y, e.AtMM.Z, e.DistanceMM, e.MaxMM)
}

// Embed finds the tetrahedron around each vertex. A point outside is tied to
// the tetrahedron behind the nearest boundary face and extrapolated linearly
// (from the values and gradient at that face), over at most the longest edge
// of the tetrahedron, so that its weights stay bounded. For a Tet10 mesh
// the weights are the quadratic shape functions of the straight element.
//
// Errors: *FarError for the first point more than a quarter of the mesh's
// bounding diagonal outside, or a plain error for a non-finite point, an empty
// mesh or a mesh that fails Check.
func Embed(verts []r3.Vec, m *TetMesh) (*Embedding, error) {
	if len(m.Tets) == 0 {
		return nil, fmt.Errorf("mesh: nothing to embed in: the mesh has no element")
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	for n, p := range verts {
		if !finite(p) {
			return nil, fmt.Errorf("mesh: point %d to embed is at %v", n, p)
		}
	}
	lo, hi := Bounds(m.Nodes)
	far := farShare * r3.Norm(r3.Sub(hi, lo))
	tets := newBuckets(len(m.Tets), func(t int) (r3.Vec, r3.Vec) {
		v := m.Tets[t]
		return Bounds([]r3.Vec{m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]})
	})
	type side struct {
		tet int32
		at  [3]r3.Vec
	}
	var sides []side
	for t, next := range m.Neighbours() {
		for f, o := range next {
			if o < 0 {
				v, c := m.Tets[t], TetFaces[f]
				sides = append(sides, side{int32(t), [3]r3.Vec{m.Nodes[v[c[0]]], m.Nodes[v[c[1]]], m.Nodes[v[c[2]]]}})
			}
		}
	}
	faces := newBuckets(len(sides), func(i int) (r3.Vec, r3.Vec) { return Bounds(sides[i].at[:]) })

	per := 4
	if m.Mid != nil {
		per = 10
	}
	e := &Embedding{
		PerPoint: per,
		Node:     make([]int32, per*len(verts)),
		Weight:   make([]float64, per*len(verts)),
		Tet:      make([]int32, len(verts)),
	}
	outside := make([]float64, len(verts)) // distance, mm
	const chunk = 2048
	par.Chunks(len(verts), chunk, func(from, to int) {
		for n := from; n < to; n++ {
			p := verts[n]
			best, bestMin := int32(-1), -insideTol
			var at [4]float64
			for _, t := range tets.at(p) {
				l := m.barycentric(t, p)
				if x := min(l[0], l[1], l[2], l[3]); x > bestMin || best < 0 && x >= bestMin {
					best, bestMin, at = t, x, l
				}
			}
			var slope [4]float64 // from the point at to the place extrapolated to
			if best < 0 {
				i, d2 := faces.nearest(p, func(i int32) float64 {
					s := &sides[i]
					q, _, _ := ClosestOnTriangle(p, s.at[0], s.at[1], s.at[2])
					return r3.Norm2(r3.Sub(p, q))
				})
				s := &sides[i]
				best, outside[n] = s.tet, math.Sqrt(d2)
				q, _, _ := ClosestOnTriangle(p, s.at[0], s.at[1], s.at[2])
				at = m.barycentric(best, q)
				reach := r3.Scale(min(1, extrapolateEdges*m.longestEdge(best)/max(outside[n], math.SmallestNonzeroFloat64)), r3.Sub(p, q))
				there := m.barycentric(best, r3.Add(q, reach))
				for c := range slope {
					slope[c] = there[c] - at[c]
				}
			}
			e.Tet[n] = best
			e.set(n, m, at, slope)
		}
	})
	for n, d := range outside {
		if d > far {
			return nil, &FarError{Point: n, AtMM: verts[n], DistanceMM: d, MaxMM: far}
		}
		if d > 0 {
			e.Outside++
			e.MaxOutsideMM = max(e.MaxOutsideMM, d)
		}
	}
	return e, nil
}

// set stores the weights of point n: N(at) + ∂N/∂L(at)·slope.
func (e *Embedding) set(n int, m *TetMesh, at, slope [4]float64) {
	t := e.Tet[n]
	node, w := e.Node[e.PerPoint*n:][:e.PerPoint], e.Weight[e.PerPoint*n:][:e.PerPoint]
	copy(node, m.Tets[t][:])
	if e.PerPoint == 4 {
		for i := range at {
			w[i] = at[i] + slope[i]
		}
		return
	}
	copy(node[4:], m.Mid[t][:])
	shape := shape10(at)
	copy(w, shape[:])
	for i, s := range slope {
		w[i] += (4*at[i] - 1) * s
	}
	for k, c := range TetEdges {
		w[4+k] += 4 * (at[c[1]]*slope[c[0]] + at[c[0]]*slope[c[1]])
	}
}

// barycentric are the coordinates of p in tetrahedron t (corner nodes).
func (m *TetMesh) barycentric(t int32, p r3.Vec) (l [4]float64) {
	v := m.Tets[t]
	a, b, c, d := m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]
	f := 1 / Signed6(a, b, c, d)
	l[1] = Signed6(a, p, c, d) * f
	l[2] = Signed6(a, b, p, d) * f
	l[3] = Signed6(a, b, c, p) * f
	l[0] = 1 - l[1] - l[2] - l[3]
	return l
}

func (m *TetMesh) longestEdge(t int32) float64 {
	var d float64
	for _, e := range TetEdges {
		d = max(d, r3.Norm2(r3.Sub(m.Nodes[m.Tets[t][e[0]]], m.Nodes[m.Tets[t][e[1]]])))
	}
	return math.Sqrt(d)
}

// Len is the number of embedded points.
func (e *Embedding) Len() int { return len(e.Tet) }

// Apply writes the values at the points of a field u given per node, such as
// displacements in mm. dst must have one entry per point; a node of u beyond
// the mesh's corners is read only when the mesh was quadratic.
func (e *Embedding) Apply(dst, u []r3.Vec) {
	if len(dst) != e.Len() {
		panic("mesh: Embedding.Apply: dst has another length than the points")
	}
	for n := range dst {
		var s r3.Vec
		w := e.Weight[e.PerPoint*n:][:e.PerPoint]
		for i, k := range e.Node[e.PerPoint*n:][:e.PerPoint] {
			v := u[k]
			s.X += w[i] * v.X
			s.Y += w[i] * v.Y
			s.Z += w[i] * v.Z
		}
		dst[n] = s
	}
}

// ApplyScalar is Apply for a scalar field.
func (e *Embedding) ApplyScalar(dst, u []float64) {
	if len(dst) != e.Len() {
		panic("mesh: Embedding.ApplyScalar: dst has another length than the points")
	}
	for n := range dst {
		var s float64
		w := e.Weight[e.PerPoint*n:][:e.PerPoint]
		for i, k := range e.Node[e.PerPoint*n:][:e.PerPoint] {
			s += w[i] * u[k]
		}
		dst[n] = s
	}
}
