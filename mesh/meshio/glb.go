package meshio

import (
	"context"
	"encoding/json"
	"image/color"
	"io"
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Part is one named structure of a GLB file.
type Part struct {
	Name    string
	Surface *mesh.Surface
	// Colour is sRGB; A below 255 makes the part transparent.
	Colour color.NRGBA
	// VertexColours, when not nil, has one sRGB colour per vertex of Surface
	// and takes the place of the RGB of Colour; alphas are multiplied.
	VertexColours []color.NRGBA
}

// WriteGLB writes the parts as one binary glTF file in metres, each as a node
// of its name below the root node "patient_lps_mm", with one primitive per pair
// of labels. Positions are quantised to 16 bits over the longest side of the
// scene (KHR_mesh_quantization; 5 µm over 300 mm), on one lattice for all
// parts, so that neighbours stay closed; normals are quantised to 8 bits.
//
// Errors: *FormatError naming the part that has no name, no face, a vertex
// that is not finite, or another number of colours than vertices, or a scene
// beyond the 4 GiB of the format; or what w returns.
func WriteGLB(w io.Writer, parts []Part) error {
	o := newOutput(context.Background(), w)
	if err := writeGLB(o, parts, &WriteOptions{}); err != nil {
		return err
	}
	return o.flush()
}

// writeGLBSurface writes one part per pair of labels, named "liver" where
// background is outside, else "liver|tumour_1".
func writeGLBSurface(o *output, s *mesh.Surface, opt *WriteOptions) error {
	var pairs []mesh.Sides
	index := map[mesh.Sides]int{}
	for _, r := range s.Region {
		if _, ok := index[r]; !ok {
			index[r] = len(pairs)
			pairs = append(pairs, r)
		}
	}
	parts := make([]Part, len(pairs))
	for i, r := range pairs {
		l, other := r.Inside, r.Outside
		if l == imaging.LabelBackground {
			l, other = other, l
		}
		name := opt.name(l)
		if other != imaging.LabelBackground {
			name += "|" + opt.name(other)
		}
		c, ok := opt.Colours[l]
		if !ok {
			c = labelColour(l)
		}
		parts[i] = Part{Name: name, Surface: &mesh.Surface{}, Colour: c}
	}
	// the vertices of one pair after the other, each numbered by first use
	number := make([]int32, len(s.Verts))
	faces := make([][]int32, len(pairs))
	for t, r := range s.Region {
		i := index[r]
		faces[i] = append(faces[i], int32(t))
	}
	for i := range parts {
		p := parts[i].Surface
		for _, t := range faces[i] {
			v := s.Tris[t]
			for k, n := range v {
				if at := number[n] - 1; at < 0 || int(at) >= len(p.Verts) || p.Verts[at] != s.Verts[n] {
					p.Verts = append(p.Verts, s.Verts[n])
					number[n] = int32(len(p.Verts))
				}
				v[k] = number[n] - 1
			}
			p.Tris = append(p.Tris, v)
			p.Region = append(p.Region, s.Region[t])
		}
	}
	return writeGLB(o, parts, opt)
}

// labelColour gives every label a colour of its own: tissue colours for those
// that have one, else hues a golden angle apart.
func labelColour(l imaging.Label) color.NRGBA {
	switch {
	case l == imaging.LabelLiver:
		return color.NRGBA{R: 170, G: 90, B: 70, A: 255}
	case l == imaging.LabelBone:
		return color.NRGBA{R: 230, G: 220, B: 190, A: 255}
	case l == imaging.LabelPortalVein:
		return color.NRGBA{R: 90, G: 120, B: 220, A: 255}
	case l == imaging.LabelHepaticVein:
		return color.NRGBA{R: 60, G: 170, B: 220, A: 255}
	case l == imaging.LabelArtery:
		return color.NRGBA{R: 220, G: 50, B: 50, A: 255}
	case l.IsTumour():
		return color.NRGBA{R: 220, G: 200, B: 60, A: 255}
	}
	h := math.Mod(float64(l)*137.508, 360) / 60
	f := func(n float64) uint8 { // hue to RGB at saturation 0.5, value 0.9
		k := math.Mod(n+h, 6)
		return uint8(math.Round(255 * (0.9 - 0.45*max(0, min(k, 4-k, 1)))))
	}
	return color.NRGBA{R: f(5), G: f(3), B: f(1), A: 255}
}

// The part of the glTF 2.0 schema that is written; names are those of the
// specification.
type (
	gltfRoot struct {
		Asset       gltfAsset      `json:"asset"`
		Used        []string       `json:"extensionsUsed,omitempty"`
		Required    []string       `json:"extensionsRequired,omitempty"`
		Scene       int            `json:"scene"`
		Scenes      []gltfScene    `json:"scenes"`
		Nodes       []gltfNode     `json:"nodes"`
		Meshes      []gltfMesh     `json:"meshes"`
		Materials   []gltfMaterial `json:"materials"`
		Accessors   []gltfAccessor `json:"accessors"`
		BufferViews []gltfView     `json:"bufferViews"`
		Buffers     []gltfBuffer   `json:"buffers"`
	}
	gltfAsset struct {
		Version   string `json:"version"`
		Generator string `json:"generator"`
	}
	gltfScene struct {
		Nodes []int `json:"nodes"`
	}
	gltfNode struct {
		Name        string       `json:"name"`
		Matrix      *[16]float64 `json:"matrix,omitempty"`
		Translation *[3]float64  `json:"translation,omitempty"`
		Scale       *[3]float64  `json:"scale,omitempty"`
		Children    []int        `json:"children,omitempty"`
		Mesh        *int         `json:"mesh,omitempty"`
	}
	gltfMesh struct {
		Name       string          `json:"name"`
		Primitives []gltfPrimitive `json:"primitives"`
	}
	gltfPrimitive struct {
		Attributes map[string]int `json:"attributes"` // encoding/json sorts the keys
		Indices    int            `json:"indices"`
		Material   int            `json:"material"`
		Extras     *gltfSides     `json:"extras,omitempty"`
	}
	// gltfSides keeps the labels of a primitive's faces.
	gltfSides struct {
		Inside  *int `json:"inside_label"`
		Outside *int `json:"outside_label"`
	}
	gltfMaterial struct {
		Name      string  `json:"name"`
		PBR       gltfPBR `json:"pbrMetallicRoughness"`
		AlphaMode string  `json:"alphaMode"`
	}
	gltfPBR struct {
		BaseColor [4]float64 `json:"baseColorFactor"`
		Metallic  float64    `json:"metallicFactor"`
		Roughness float64    `json:"roughnessFactor"`
	}
	gltfAccessor struct {
		View       int       `json:"bufferView"`
		Component  int       `json:"componentType"`
		Normalized bool      `json:"normalized,omitempty"`
		Count      int       `json:"count"`
		Type       string    `json:"type"`
		Min        []float64 `json:"min,omitempty"`
		Max        []float64 `json:"max,omitempty"`
	}
	gltfView struct {
		Buffer int `json:"buffer"`
		Offset int `json:"byteOffset"`
		Length int `json:"byteLength"`
		Stride int `json:"byteStride,omitempty"`
		Target int `json:"target"`
	}
	gltfBuffer struct {
		Length int `json:"byteLength"`
	}
)

// Constants of the specification (componentType, target, chunk types).
const (
	gltfByte, gltfUByte, gltfShort, gltfUShort, gltfUInt, gltfFloat = 5120, 5121, 5122, 5123, 5125, 5126
	gltfArray, gltfElements                                         = 34962, 34963
	glbMagic, glbJSON, glbBIN                                       = 0x46546C67, 0x4E4F534A, 0x004E4942
)

const quantisation = "KHR_mesh_quantization"

// glbWriter lays out the buffer and then fills it.
type glbWriter struct {
	o     *output
	doc   gltfRoot
	parts []Part
	exact bool // float32 positions
	lo    r3.Vec
	step  float64 // mm
	size  int     // of the buffer so far
	fill  []func()
}

func writeGLB(o *output, parts []Part, opt *WriteOptions) error {
	if len(parts) == 0 {
		return fail("GLB", "name at least one structure", "there is no part to write")
	}
	for n := range parts {
		if err := checkPart(n, &parts[n]); err != nil {
			return err
		}
	}
	// column-major: LPS mm to +Y up, +Z front: X = L, Y = S, Z = A = −P
	u := 1 / opt.Unit.mm(Metre)
	matrix := [16]float64{u, 0, 0, 0, 0, 0, -u, 0, 0, u, 0, 0, 0, 0, 0, 1}
	g := &glbWriter{o: o, parts: parts, exact: opt.Float32}
	g.doc = gltfRoot{
		Asset:  gltfAsset{Version: "2.0", Generator: "halsted"},
		Scenes: []gltfScene{{Nodes: []int{0}}},
		Nodes:  []gltfNode{{Name: "patient_lps_mm", Matrix: &matrix}},
	}
	if !g.exact {
		g.doc.Used, g.doc.Required = []string{quantisation}, []string{quantisation}
		g.lattice()
	}
	for n := range parts {
		g.part(n, &parts[n])
	}
	g.doc.Buffers = []gltfBuffer{{Length: g.size}}
	text, err := json.Marshal(&g.doc)
	if err != nil {
		return err
	}
	for len(text)%4 != 0 {
		text = append(text, ' ')
	}
	total := 12 + 8 + len(text) + 8 + g.size
	if total > math.MaxUint32 {
		return fail("GLB", "write fewer or coarser structures", "%d bytes are more than the 4 GiB of the format", total)
	}
	for _, x := range []uint32{glbMagic, 2, uint32(total), uint32(len(text)), glbJSON} {
		o.u32(x)
	}
	o.bytes(text)
	o.u32(uint32(g.size))
	o.u32(glbBIN)
	for _, f := range g.fill {
		f()
	}
	return o.err
}

func checkPart(n int, p *Part) error {
	bad := func(remedy, what string, a ...any) error {
		return fail("GLB", remedy, "part %d %q: "+what, append([]any{n, p.Name}, a...)...)
	}
	switch {
	case p.Name == "":
		return bad("name it", "it has no name")
	case p.Surface == nil || len(p.Surface.Tris) == 0:
		return bad("leave it out", "it has no face")
	case p.VertexColours != nil && len(p.VertexColours) != len(p.Surface.Verts):
		return bad("give one colour per vertex", "%d colours for %d vertices", len(p.VertexColours), len(p.Surface.Verts))
	case len(p.Surface.Region) != 0 && len(p.Surface.Region) != len(p.Surface.Tris):
		return bad("mend the mesh", "%d regions for %d faces", len(p.Surface.Region), len(p.Surface.Tris))
	}
	if err := checkSurface("GLB", p.Surface); err != nil {
		f := err.(*FormatError)
		return bad(f.Remedy, "%s", f.What)
	}
	return nil
}

// lattice spans the box of all parts with steps of one size.
func (g *glbWriter) lattice() {
	hi := r3.Vec{}
	for n, p := range g.parts {
		l, h := mesh.Bounds(p.Surface.Verts)
		if n == 0 {
			g.lo, hi = l, h
		}
		g.lo = r3.Vec{X: min(g.lo.X, l.X), Y: min(g.lo.Y, l.Y), Z: min(g.lo.Z, l.Z)}
		hi = r3.Vec{X: max(hi.X, h.X), Y: max(hi.Y, h.Y), Z: max(hi.Z, h.Z)}
	}
	d := r3.Sub(hi, g.lo)
	if g.step = max(d.X, d.Y, d.Z) / math.MaxUint16; !(g.step > 0) {
		g.step = 1
	}
}

func (g *glbWriter) quantise(p r3.Vec) [3]uint16 {
	d := r3.Scale(1/g.step, r3.Sub(p, g.lo))
	q := func(x float64) uint16 { return uint16(min(max(math.Round(x), 0), math.MaxUint16)) }
	return [3]uint16{q(d.X), q(d.Y), q(d.Z)}
}

// view reserves bytes, a multiple of four, and notes how they are filled.
func (g *glbWriter) view(bytes, stride, target int, fill func()) int {
	g.doc.BufferViews = append(g.doc.BufferViews, gltfView{Offset: g.size, Length: bytes, Stride: stride, Target: target})
	g.size += bytes
	g.fill = append(g.fill, fill)
	return len(g.doc.BufferViews) - 1
}

func (g *glbWriter) accessor(a gltfAccessor) int {
	g.doc.Accessors = append(g.doc.Accessors, a)
	return len(g.doc.Accessors) - 1
}

// part lays out one part.
func (g *glbWriter) part(n int, p *Part) {
	attributes := map[string]int{"POSITION": g.positions(p), "NORMAL": g.normals(p)}
	factor := linear(p.Colour)
	clear := p.Colour.A < 255
	if p.VertexColours != nil {
		attributes["COLOR_0"] = g.colours(p)
		factor = [4]float64{1, 1, 1, factor[3]}
		for _, c := range p.VertexColours {
			clear = clear || c.A < 255
		}
	}
	material := gltfMaterial{Name: p.Name, PBR: gltfPBR{BaseColor: factor, Roughness: 0.6}, AlphaMode: "OPAQUE"}
	if clear {
		material.AlphaMode = "BLEND"
	}
	g.doc.Materials = append(g.doc.Materials, material)
	m := gltfMesh{Name: p.Name}
	for _, group := range bySides(p.Surface) {
		prim := gltfPrimitive{Attributes: attributes, Indices: g.indices(p.Surface, group.faces), Material: n}
		if len(p.Surface.Region) > 0 {
			in, out := int(group.sides.Inside), int(group.sides.Outside)
			prim.Extras = &gltfSides{&in, &out}
		}
		m.Primitives = append(m.Primitives, prim)
	}
	g.doc.Meshes = append(g.doc.Meshes, m)
	node := gltfNode{Name: p.Name, Mesh: &n}
	if !g.exact {
		node.Translation = &[3]float64{g.lo.X, g.lo.Y, g.lo.Z}
		node.Scale = &[3]float64{g.step, g.step, g.step}
	}
	g.doc.Nodes = append(g.doc.Nodes, node)
	g.doc.Nodes[0].Children = append(g.doc.Nodes[0].Children, n+1)
}

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
