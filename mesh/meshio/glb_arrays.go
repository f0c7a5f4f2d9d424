package meshio

import (
	"image/color"
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// sideGroup lists the faces of one pair of labels.
type sideGroup struct {
	sides mesh.Sides
	faces []int32
}

// bySides groups the faces in the order in which pairs are met.
func bySides(s *mesh.Surface) (groups []sideGroup) {
	at := map[mesh.Sides]int{}
	for t := range s.Tris {
		var r mesh.Sides
		if len(s.Region) > 0 {
			r = s.Region[t]
		}
		i, ok := at[r]
		if !ok {
			i = len(groups)
			at[r] = i
			groups = append(groups, sideGroup{sides: r})
		}
		groups[i].faces = append(groups[i].faces, int32(t))
	}
	return groups
}

func (g *glbWriter) positions(p *Part) int {
	verts := p.Surface.Verts
	lo, hi := make([]float64, 3), make([]float64, 3)
	a := gltfAccessor{Component: gltfFloat, Count: len(verts), Type: "VEC3", Min: lo, Max: hi}
	at := func(v int) [3]float64 {
		if g.exact {
			q := verts[v]
			return [3]float64{float64(float32(q.X)), float64(float32(q.Y)), float64(float32(q.Z))}
		}
		q := g.quantise(verts[v])
		return [3]float64{float64(q[0]), float64(q[1]), float64(q[2])}
	}
	for v := range verts {
		for i, x := range at(v) {
			if v == 0 {
				lo[i], hi[i] = x, x
			}
			lo[i], hi[i] = min(lo[i], x), max(hi[i], x)
		}
	}
	if g.exact {
		a.View = g.view(12*len(verts), 0, gltfArray, func() {
			for _, q := range verts {
				g.o.f32(float32(q.X))
				g.o.f32(float32(q.Y))
				g.o.f32(float32(q.Z))
			}
		})
		return g.accessor(a)
	}
	a.Component = gltfUShort
	a.View = g.view(8*len(verts), 8, gltfArray, func() {
		for _, x := range verts {
			q := g.quantise(x)
			g.o.u32(uint32(q[0]) | uint32(q[1])<<16)
			g.o.u32(uint32(q[2]))
		}
	})
	return g.accessor(a)
}

func (g *glbWriter) normals(p *Part) int {
	a := gltfAccessor{Component: gltfFloat, Count: len(p.Surface.Verts), Type: "VEC3"}
	each := func(put func(n r3.Vec)) func() {
		return func() {
			for _, n := range p.Surface.Normals() {
				if n == (r3.Vec{}) || !finite(n) {
					n = r3.Vec{Z: 1} // the specification wants unit length
				}
				put(n)
			}
		}
	}
	if g.exact {
		a.View = g.view(12*a.Count, 0, gltfArray, each(func(n r3.Vec) {
			g.o.f32(float32(n.X))
			g.o.f32(float32(n.Y))
			g.o.f32(float32(n.Z))
		}))
		return g.accessor(a)
	}
	a.Component, a.Normalized = gltfByte, true
	a.View = g.view(4*a.Count, 4, gltfArray, each(func(n r3.Vec) {
		q := func(x float64) uint32 { return uint32(uint8(int8(math.Round(127 * x)))) }
		g.o.u32(q(n.X) | q(n.Y)<<8 | q(n.Z)<<16)
	}))
	return g.accessor(a)
}

func (g *glbWriter) colours(p *Part) int {
	a := gltfAccessor{Component: gltfUShort, Normalized: true, Count: len(p.VertexColours), Type: "VEC4"}
	a.View = g.view(8*a.Count, 0, gltfArray, func() {
		for _, c := range p.VertexColours {
			l := linear(c)
			q := func(x float64) uint32 { return uint32(math.Round(65535 * x)) }
			g.o.u32(q(l[0]) | q(l[1])<<16)
			g.o.u32(q(l[2]) | q(l[3])<<16)
		}
	})
	return g.accessor(a)
}

// indices takes two bytes each where they suffice.
func (g *glbWriter) indices(s *mesh.Surface, faces []int32) int {
	a := gltfAccessor{Component: gltfUInt, Count: 3 * len(faces), Type: "SCALAR"}
	if len(s.Verts) <= math.MaxUint16 { // 65535 itself would mean a restart
		a.Component = gltfUShort
		a.View = g.view((6*len(faces)+3)&^3, 0, gltfElements, func() {
			odd := uint32(0)
			for i := range 3 * len(faces) {
				v := uint32(s.Tris[faces[i/3]][i%3])
				if i&1 == 0 {
					odd = v
				} else {
					g.o.u32(odd | v<<16)
				}
			}
			if len(faces)&1 == 1 {
				g.o.u32(odd)
			}
		})
		return g.accessor(a)
	}
	a.View = g.view(12*len(faces), 0, gltfElements, func() {
		for _, t := range faces {
			for _, v := range s.Tris[t] {
				g.o.u32(uint32(v))
			}
		}
	})
	return g.accessor(a)
}

// linear turns sRGB into linear light, 0 to 1 (IEC 61966-2-1); alpha is
// linear already.
func linear(c color.NRGBA) [4]float64 {
	f := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return [4]float64{f(c.R), f(c.G), f(c.B), float64(c.A) / 255}
}
