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
