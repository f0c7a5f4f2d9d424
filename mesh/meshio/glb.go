package meshio

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image/color"
	"io"
	"math"

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

// The part of the glTF 2.0 schema that is written; names are those of the
// specification.
type (
	gltfRoot struct {
		Asset       gltfAsset      `json:"asset"`
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
		Name     string       `json:"name"`
		Matrix   *[16]float64 `json:"matrix,omitempty"`
		Children []int        `json:"children,omitempty"`
		Mesh     *int         `json:"mesh,omitempty"`
	}
	gltfMesh struct {
		Name       string          `json:"name"`
		Primitives []gltfPrimitive `json:"primitives"`
	}
	gltfPrimitive struct {
		Attributes map[string]int `json:"attributes"` // encoding/json sorts the keys
		Indices    int            `json:"indices"`
		Material   int            `json:"material"`
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
		Min        []float32 `json:"min,omitempty"`
		Max        []float32 `json:"max,omitempty"`
	}
	gltfView struct {
		Buffer int `json:"buffer"`
		Offset int `json:"byteOffset"`
		Length int `json:"byteLength"`
		Target int `json:"target"`
	}
	gltfBuffer struct {
		Length int `json:"byteLength"`
	}
)

// Constants of the specification (componentType, target, chunk types).
const (
	gltfUShort, gltfUInt, gltfFloat = 5123, 5125, 5126
	gltfArray, gltfElements         = 34962, 34963
	glbMagic, glbJSON, glbBIN       = 0x46546C67, 0x4E4F534A, 0x004E4942
)

// lpsToGLTF is column-major: mm to metres, X = L, Y = S, Z = A = −P.
var lpsToGLTF = [16]float64{
	0.001, 0, 0, 0,
	0, 0, -0.001, 0,
	0, 0.001, 0, 0,
	0, 0, 0, 1,
}

// WriteGLB writes the parts as one binary glTF file, each as a node of its
// name below the root node "patient_lps_mm".
//
// Errors: *FormatError naming the part that has no name, no face, a vertex
// that is not finite, or another number of colours than vertices, or a scene
// beyond the 4 GiB of the format; or what w returns.
func WriteGLB(w io.Writer, parts []Part) error {
	doc := gltfRoot{
		Asset:  gltfAsset{Version: "2.0", Generator: "halsted"},
		Scenes: []gltfScene{{Nodes: []int{0}}},
		Nodes:  []gltfNode{{Name: "patient_lps_mm", Matrix: &lpsToGLTF}},
	}
	if len(parts) == 0 {
		return &FormatError{"GLB", "there is no part to write"}
	}
	size := 0
	view := func(bytes, target int) int {
		doc.BufferViews = append(doc.BufferViews, gltfView{Offset: size, Length: bytes, Target: target})
		size += bytes // all element sizes are multiples of four
		return len(doc.BufferViews) - 1
	}
	accessor := func(a gltfAccessor) int {
		doc.Accessors = append(doc.Accessors, a)
		return len(doc.Accessors) - 1
	}
	for n, p := range parts {
		if err := checkPart(n, &p); err != nil {
			return err
		}
		verts := len(p.Surface.Verts)
		lo, hi := [3]float32{}, [3]float32{}
		for v, x := range p.Surface.Verts {
			q := float3(x)
			if v == 0 {
				lo, hi = q, q
			}
			for a := range q {
				lo[a], hi[a] = min(lo[a], q[a]), max(hi[a], q[a])
			}
		}
		attributes := map[string]int{
			"POSITION": accessor(gltfAccessor{View: view(12*verts, gltfArray), Component: gltfFloat, Count: verts, Type: "VEC3", Min: lo[:], Max: hi[:]}),
			"NORMAL":   accessor(gltfAccessor{View: view(12*verts, gltfArray), Component: gltfFloat, Count: verts, Type: "VEC3"}),
		}
		factor := linear(p.Colour)
		clear := p.Colour.A < 255
		if p.VertexColours != nil {
			attributes["COLOR_0"] = accessor(gltfAccessor{View: view(8*verts, gltfArray), Component: gltfUShort, Normalized: true, Count: verts, Type: "VEC4"})
			factor = [4]float64{1, 1, 1, factor[3]}
			for _, c := range p.VertexColours {
				clear = clear || c.A < 255
			}
		}
		material := gltfMaterial{Name: p.Name, PBR: gltfPBR{BaseColor: factor, Roughness: 0.6}, AlphaMode: "OPAQUE"}
		if clear {
			material.AlphaMode = "BLEND"
		}
		indices := accessor(gltfAccessor{View: view(12*len(p.Surface.Tris), gltfElements), Component: gltfUInt, Count: 3 * len(p.Surface.Tris), Type: "SCALAR"})
		doc.Materials = append(doc.Materials, material)
		doc.Meshes = append(doc.Meshes, gltfMesh{Name: p.Name, Primitives: []gltfPrimitive{{Attributes: attributes, Indices: indices, Material: n}}})
		doc.Nodes = append(doc.Nodes, gltfNode{Name: p.Name, Mesh: &n})
		doc.Nodes[0].Children = append(doc.Nodes[0].Children, n+1)
	}
	doc.Buffers = []gltfBuffer{{Length: size}}
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	for len(text)%4 != 0 {
		text = append(text, ' ')
	}
	total := 12 + 8 + len(text) + 8 + size
	if total > math.MaxUint32 {
		return &FormatError{"GLB", fmt.Sprintf("%d bytes are more than the 4 GiB of the format", total)}
	}
	buf := bufio.NewWriterSize(w, 1<<16)
	o := &leWriter{w: buf}
	o.u32(glbMagic, 2, uint32(total), uint32(len(text)), glbJSON)
	o.bytes(text)
	o.u32(uint32(size), glbBIN)
	for n := range parts {
		o.part(&parts[n])
	}
	if o.err != nil {
		return o.err
	}
	return buf.Flush()
}

func checkPart(n int, p *Part) error {
	bad := func(format string, a ...any) error {
		return &FormatError{"GLB", fmt.Sprintf("part %d %q: ", n, p.Name) + fmt.Sprintf(format, a...)}
	}
	switch {
	case p.Name == "":
		return bad("it has no name")
	case p.Surface == nil || len(p.Surface.Tris) == 0:
		return bad("it has no face")
	case p.VertexColours != nil && len(p.VertexColours) != len(p.Surface.Verts):
		return bad("%d colours for %d vertices", len(p.VertexColours), len(p.Surface.Verts))
	}
	return checkSurface(fmt.Sprintf("GLB part %q", p.Name), p.Surface)
}

// leWriter writes little-endian numbers and keeps the first error.
type leWriter struct {
	w   io.Writer
	err error
	b   [16]byte
}

func (o *leWriter) bytes(b []byte) {
	if o.err == nil {
		_, o.err = o.w.Write(b)
	}
}

func (o *leWriter) u32(v ...uint32) {
	for _, x := range v {
		binary.LittleEndian.PutUint32(o.b[:], x)
		o.bytes(o.b[:4])
	}
}

func (o *leWriter) float3(p r3.Vec) {
	for a, x := range float3(p) {
		binary.LittleEndian.PutUint32(o.b[4*a:], math.Float32bits(x))
	}
	o.bytes(o.b[:12])
}

func float3(p r3.Vec) [3]float32 { return [3]float32{float32(p.X), float32(p.Y), float32(p.Z)} }

// part writes the buffer views of one part in the order of WriteGLB.
func (o *leWriter) part(p *Part) {
	for _, x := range p.Surface.Verts {
		o.float3(x)
	}
	for _, n := range p.Surface.Normals() {
		if n == (r3.Vec{}) {
			n.Z = 1 // the specification wants unit length
		}
		o.float3(n)
	}
	for _, c := range p.VertexColours {
		for a, x := range linear(c) {
			binary.LittleEndian.PutUint16(o.b[2*a:], uint16(math.Round(65535*x)))
		}
		o.bytes(o.b[:8])
	}
	for _, v := range p.Surface.Tris {
		o.u32(uint32(v[0]), uint32(v[1]), uint32(v[2]))
	}
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
