package window

import (
	"math"
	"slices"

	"halsted/viewer/scene"

	"github.com/g3n/engine/geometry"
	"github.com/g3n/engine/gls"
	"github.com/g3n/engine/graphic"
	"github.com/g3n/engine/math32"
	"gonum.org/v1/gonum/spatial/r3"
)

func tan(deg float64) float64 { return math.Tan(deg * math.Pi / 180) }

// batch is all opaque or all transparent structures in one draw call.
type batch struct {
	transparent bool
	mat         *bodyMaterial
	mesh        *graphic.Mesh
	geom        *geometry.Geometry

	pos, nrm, tint, data math32.ArrayF32
	vbo                  [4]*gls.VBO
	tris                 math32.ArrayU32 // in the order of the structures
	sorted               math32.ArrayU32 // farthest first; transparent only
	keys                 []uint64

	normals []r3.Vec
}

func newBatch(transparent bool) *batch {
	return &batch{transparent: transparent, mat: newBodyMaterial(transparent)}
}

// fill takes over the structures that belong to the batch. It reports whether
// the mesh is new, because the number of vertices or triangles changed.
func (b *batch) fill(sc *scene.Scene) (fresh bool) {
	verts, tris := 0, 0
	var in []*scene.Structure
	for _, s := range sc.Structures {
		if s.Drawn() && s.Opaque() != b.transparent {
			in = append(in, s)
			verts += len(s.Rest)
			tris += len(s.Tris)
		}
	}
	fresh = len(b.pos) != 3*verts || len(b.tris) != 3*tris
	if fresh {
		b.pos, b.nrm = math32.NewArrayF32(3*verts, 3*verts), math32.NewArrayF32(3*verts, 3*verts)
		b.tint, b.data = math32.NewArrayF32(4*verts, 4*verts), math32.NewArrayF32(3*verts, 3*verts)
		b.tris = math32.NewArrayU32(3*tris, 3*tris)
	}
	v, t := 0, 0
	same := true
	for _, s := range in {
		pos, vals := sc.Positions(s), sc.Values(s)
		var sl scene.Scale
		var coloured float32 // as in the shader: 1 by a quantity, 2 with values out of its range
		if vals != nil {
			var ok bool
			if sl, ok = sc.Scale(s.Quantity); ok {
				coloured = 1
				if sl.DataMin < sl.Min || sl.DataMax > sl.Max {
					coloured = 2
				}
			}
		}
		b.normals = slices.Grow(b.normals[:0], len(pos))[:len(pos)]
		scene.Normals(b.normals, pos, s.Tris)
		first := uint32(v)
		clipped := float32(1)
		if s.Unclipped {
			clipped = 0
		}
		for i, p := range pos {
			n := b.normals[i]
			b.pos[3*v], b.pos[3*v+1], b.pos[3*v+2] = float32(p.X), float32(p.Y), float32(p.Z)
			b.nrm[3*v], b.nrm[3*v+1], b.nrm[3*v+2] = float32(n.X), float32(n.Y), float32(n.Z)
			b.tint[4*v], b.tint[4*v+1], b.tint[4*v+2] = float32(s.Colour.R)/255, float32(s.Colour.G)/255, float32(s.Colour.B)/255
			b.tint[4*v+3] = float32(min(s.Opacity, 1))
			b.data[3*v], b.data[3*v+1], b.data[3*v+2] = 0, 0, clipped
			if coloured > 0 {
				b.data[3*v], b.data[3*v+1] = float32(sl.T(float64(vals[i]))), coloured
			}
			v++
		}
		for _, tr := range s.Tris {
			for _, i := range tr {
				j := first + uint32(i)
				same = same && b.tris[t] == j
				b.tris[t] = j
				t++
			}
		}
	}
	if !fresh {
		for _, o := range b.vbo {
			if o != nil {
				o.Update()
			}
		}
		if !same && b.geom != nil && !b.transparent {
			b.geom.SetIndices(b.tris)
		}
	}
	return fresh
}

// build makes the g3n mesh for the current arrays, in place of the last one;
// nil when there is nothing to draw.
func (b *batch) build() *graphic.Mesh {
	if b.geom != nil {
		b.geom.Dispose()
		b.geom, b.mesh, b.vbo = nil, nil, [4]*gls.VBO{}
	}
	if len(b.tris) == 0 {
		return nil
	}
	b.vbo = [4]*gls.VBO{
		gls.NewVBO(b.pos).AddAttrib(gls.VertexPosition),
		gls.NewVBO(b.nrm).AddAttrib(gls.VertexNormal),
		gls.NewVBO(b.tint).AddCustomAttrib("VertexTint", 4),
		gls.NewVBO(b.data).AddCustomAttrib("VertexData", 3),
	}
	b.geom = geometry.NewGeometry()
	for _, o := range b.vbo {
		o.SetUsage(gls.STREAM_DRAW)
		b.geom.AddVBO(o)
	}
	b.geom.SetIndices(b.tris)
	b.mesh = graphic.NewMesh(b.geom, b.mat)
	b.mesh.SetCullable(false)
	return b.mesh
}

// sort orders the triangles of a transparent batch by the depth of their
// centres, farthest first; equal ones keep their order.
func (b *batch) sort(c *scene.Camera) {
	if b.geom == nil || !b.transparent {
		return
	}
	_, _, back := c.Basis()
	n := len(b.tris) / 3
	b.keys = slices.Grow(b.keys[:0], n)[:n]
	for k := range n {
		var z float64
		for j := range 3 {
			v := 3 * b.tris[3*k+j]
			z += float64(b.pos[v])*back.X + float64(b.pos[v+1])*back.Y + float64(b.pos[v+2])*back.Z
		}
		b.keys[k] = uint64(ordered(float32(z)))<<32 | uint64(k)
	}
	slices.Sort(b.keys)
	if len(b.sorted) != len(b.tris) {
		b.sorted = math32.NewArrayU32(len(b.tris), len(b.tris))
	}
	for m, key := range b.keys {
		k := int(uint32(key))
		copy(b.sorted[3*m:3*m+3], b.tris[3*k:3*k+3])
	}
	b.geom.SetIndices(b.sorted)
}

// ordered maps a float to an integer of the same order.
func ordered(f float32) uint32 {
	u := math.Float32bits(f)
	if u>>31 != 0 {
		return ^u
	}
	return u | 1<<31
}
