package cut

import (
	"context"
	"fmt"
	"math"

	"halsted/internal/par"
	"halsted/mesh"
	"halsted/mesh/spatial"

	"gonum.org/v1/gonum/spatial/r3"
)

// Sheet is a triangulated surface, open or closed. Counter-clockwise triangles
// are seen from the positive side. It is safe for concurrent use.
type Sheet struct {
	verts  []r3.Vec
	tris   [][3]int32
	face   []r3.Vec    // unit normals
	edge   [][3]r3.Vec // of edges 01, 12, 20: the sum of the normals of their faces
	vertex []r3.Vec    // face normals weighted by the angle
	rim    [][3]bool   // the edge has one face
	onRim  []bool      // the vertex is on such an edge
	bvh    *spatial.BVH
}

// flatFace is the share of its longest side squared below which twice the area
// of a triangle is none.
const flatFace = 1e-12

// NewSheet readies a triangulated surface for cutting; its regions are ignored
// and vertices in the same place are one. The surface may have borders and holes:
// the cut ends there.
//
// Errors: *SurfaceError for a surface without triangles, a vertex that is not
// finite, a triangle without area or with a vertex that does not exist, an edge
// of three or more triangles, and neighbours that are turned against each other;
// ctx.Err().
func NewSheet(ctx context.Context, s *mesh.Surface) (*Sheet, error) {
	bad := func(at r3.Vec, format string, a ...any) error {
		return &SurfaceError{What: "sheet", Why: fmt.Sprintf(format, a...), AtMM: at}
	}
	if s == nil || len(s.Tris) == 0 {
		return nil, bad(r3.Vec{}, "it has no triangle")
	}
	c := &Sheet{tris: make([][3]int32, len(s.Tris))}
	number := make(map[r3.Vec]int32, len(s.Verts)) // looked up only
	for t, v := range s.Tris {
		if t&0xfff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for i, n := range v {
			if n < 0 || int(n) >= len(s.Verts) {
				return nil, bad(r3.Vec{}, "triangle %d names vertex %d of %d", t, n, len(s.Verts))
			}
			p := s.Verts[n]
			if !finite(p) {
				return nil, bad(r3.Vec{}, "vertex %d is at %v; give finite LPS mm", n, p)
			}
			p = add(p, r3.Vec{}) // −0 is 0
			id, seen := number[p]
			if !seen {
				id = int32(len(c.verts))
				number[p] = id
				c.verts = append(c.verts, p)
			}
			c.tris[t][i] = id
		}
	}
	c.face, c.vertex = make([]r3.Vec, len(c.tris)), make([]r3.Vec, len(c.verts))
	for t, v := range c.tris {
		a, b, d := c.verts[v[0]], c.verts[v[1]], c.verts[v[2]]
		n := r3.Cross(sub(b, a), sub(d, a))
		long := max(r3.Norm2(sub(b, a)), r3.Norm2(sub(d, b)), r3.Norm2(sub(a, d)))
		l := r3.Norm(n)
		if !(l > flatFace*long) {
			return nil, bad(a, "triangle %d near (%.2f, %.2f, %.2f) mm has no area; remove it", t, a.X, a.Y, a.Z)
		}
		c.face[t] = r3.Scale(1/l, n)
		for i, m := range v {
			x, y := sub(c.verts[v[(i+1)%3]], c.verts[m]), sub(c.verts[v[(i+2)%3]], c.verts[m])
			angle := math.Atan2(r3.Norm(r3.Cross(x, y)), dot(x, y))
			c.vertex[m] = add(c.vertex[m], r3.Scale(angle, c.face[t]))
		}
	}
	if err := c.pair(ctx, bad); err != nil {
		return nil, err
	}
	var err error
	c.bvh, err = spatial.New(ctx, &mesh.Surface{Verts: c.verts, Tris: c.tris})
	return c, err
}

// pair finds the two triangles at each edge.
func (c *Sheet) pair(ctx context.Context, bad func(r3.Vec, string, ...any) error) error {
	type use struct {
		tri   int32
		edge  int8
		count int8
	}
	seen := make(map[[2]int32]use, 2*len(c.tris)) // looked up only
	c.edge, c.rim, c.onRim = make([][3]r3.Vec, len(c.tris)), make([][3]bool, len(c.tris)), make([]bool, len(c.verts))
	for t, v := range c.tris {
		if t&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for i := range 3 {
			a, b := v[i], v[(i+1)%3]
			k := [2]int32{min(a, b), max(a, b)}
			u, met := seen[k]
			if !met {
				seen[k] = use{int32(t), int8(i), 1}
				c.edge[t][i], c.rim[t][i] = c.face[t], true
				continue
			}
			at := middle(c.verts[a], c.verts[b])
			if u.count > 1 {
				return bad(at, "three triangles or more meet at an edge near (%.2f, %.2f, %.2f) mm; keep two of them", at.X, at.Y, at.Z)
			}
			if c.tris[u.tri][u.edge] == a {
				return bad(at, "triangles %d and %d are turned against each other near (%.2f, %.2f, %.2f) mm; turn one", u.tri, t, at.X, at.Y, at.Z)
			}
			u.count = 2
			seen[k] = u
			n := add(c.face[u.tri], c.face[t])
			c.edge[t][i], c.edge[u.tri][u.edge] = n, n
			c.rim[u.tri][u.edge] = false
		}
	}
	for t, v := range c.tris {
		for i, open := range c.rim[t] {
			if open {
				c.onRim[v[i]], c.onRim[v[(i+1)%3]] = true, true
			}
		}
	}
	return nil
}

func (c *Sheet) prepare(context.Context) (field, error) {
	if c == nil || c.bvh == nil {
		return nil, &SurfaceError{What: "sheet", Why: "it was not made by NewSheet"}
	}
	return c, nil
}

// besideShare is the sine of the angle to the normal above which a point whose
// nearest point is on the rim is beyond it.
const besideShare = 1e-6

// at takes the sign from the normal of the nearest feature: face, edge or
// vertex (J. A. Bærentzen, H. Aanæs, IEEE TVCG 11(3), 2005, section 3), so that
// it is right for any closed surface.
func (c *Sheet) at(p r3.Vec) foot { return c.foot(p, c.bvh.Closest(p)) }

func (c *Sheet) foot(p r3.Vec, h spatial.Hit) foot {
	t := h.Tri
	var zero [3]bool
	count := 0
	for i, b := range h.Bary {
		if b == 0 {
			zero[i] = true
			count++
		}
	}
	n, rim := c.face[t], false
	switch count {
	case 1: // on an edge
		for i := range 3 {
			if zero[(i+2)%3] {
				n, rim = c.edge[t][i], c.rim[t][i]
			}
		}
	case 2:
		for i := range 3 {
			if !zero[i] {
				m := c.tris[t][i]
				n, rim = c.vertex[m], c.onRim[m]
			}
		}
	}
	return footOf(p, h.At, n, rim)
}

// footOf is the foot of p at q, where the surface has normal n.
func footOf(p, q, n r3.Vec, rim bool) foot {
	d := sub(p, q)
	out := foot{dist: r3.Norm(d), at: q}
	if rim {
		beside := r3.Cross(d, n)
		out.beyond = dot(beside, beside) > besideShare*besideShare*dot(n, n)*dot(d, d)
	}
	if dot(d, n) < 0 {
		out.dist = -out.dist
	}
	return out
}

func (c *Sheet) sides(ctx context.Context, m *mesh.TetMesh, dist []float64) error {
	return sidesNear(ctx, m, dist, func(p r3.Vec, reach float64) float64 {
		h, ok := c.bvh.Within(p, reach)
		if !ok {
			return math.NaN()
		}
		return c.foot(p, h).dist
	})
}

// sidesNear asks for the distance of every node that is near enough to the
// surface for one of its edges to cross it.
func sidesNear(ctx context.Context, m *mesh.TetMesh, dist []float64, signed func(p r3.Vec, reach float64) float64) error {
	reach := make([]float64, len(dist)) // longest edge of the node, squared
	for _, v := range m.Tets {
		for _, c := range mesh.TetEdges {
			a, b := v[c[0]], v[c[1]]
			l := r3.Norm2(sub(m.Nodes[a], m.Nodes[b]))
			reach[a], reach[b] = max(reach[a], l), max(reach[b], l)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	const chunk = 1024
	return par.ChunksCtx(ctx, len(dist), chunk, func(lo, hi int) error {
		for n := lo; n < hi; n++ {
			dist[n] = signed(m.Nodes[n], math.Sqrt(reach[n]))
		}
		return nil
	})
}
