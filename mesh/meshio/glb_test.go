package meshio

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image/color"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"github.com/qmuntal/gltf"
	"github.com/qmuntal/gltf/modeler"
	"gonum.org/v1/gonum/spatial/r3"
)

// Another reader sees the scene as it is meant: upright, in metres, with the
// right colours, names and lattice.
func TestGLBReadsBack(t *testing.T) {
	a, b := octahedron(r3.Vec{X: 50, Y: -20, Z: 900}), octahedron(r3.Vec{})
	parts := []Part{
		{Name: "liver", Surface: a, Colour: color.NRGBA{R: 180, G: 90, B: 60, A: 128}},
		{Name: "tumour_1", Surface: b, Colour: color.NRGBA{A: 255}, VertexColours: []color.NRGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {128, 128, 128, 255}, {A: 255}, {255, 255, 255, 255}}},
	}
	var out, again bytes.Buffer
	for _, w := range []io.Writer{&out, &again} {
		if err := WriteGLB(w, parts); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) || out.Len()%4 != 0 {
		t.Fatal("two writes differ or the length is odd")
	}
	doc := new(gltf.Document)
	if err := gltf.NewDecoder(bytes.NewReader(out.Bytes())).Decode(doc); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(doc.ExtensionsRequired, quantisation) || !slices.Contains(doc.ExtensionsUsed, quantisation) {
		t.Fatalf("extensions %v", doc.ExtensionsRequired)
	}
	root := doc.Nodes[doc.Scenes[*doc.Scene].Nodes[0]]
	if len(root.Children) != 2 || root.Name != "patient_lps_mm" {
		t.Fatalf("root %+v", root)
	}
	// column-major 4×4: where a patient direction points in the viewer
	turn := func(p r3.Vec) r3.Vec {
		m := root.Matrix
		return r3.Vec{X: m[0]*p.X + m[4]*p.Y + m[8]*p.Z, Y: m[1]*p.X + m[5]*p.Y + m[9]*p.Z, Z: m[2]*p.X + m[6]*p.Y + m[10]*p.Z}
	}
	for _, c := range []struct{ patient, viewer r3.Vec }{
		{r3.Vec{Z: 1000}, r3.Vec{Y: 1}},  // 1 m towards the head is up
		{r3.Vec{Y: -1000}, r3.Vec{Z: 1}}, // the front looks at the viewer
		{r3.Vec{X: 1000}, r3.Vec{X: 1}},  // the left is to the viewer's right
	} {
		if r3.Norm(r3.Sub(turn(c.patient), c.viewer)) > 1e-12 {
			t.Fatalf("%v goes to %v", c.patient, turn(c.patient))
		}
	}
	for n, p := range parts {
		node := doc.Nodes[root.Children[n]]
		prim := doc.Meshes[*node.Mesh].Primitives[0]
		if node.Name != p.Name || prim.Mode != gltf.PrimitiveTriangles || len(doc.Meshes[*node.Mesh].Primitives) != 1 {
			t.Fatalf("node %+v", node)
		}
		acc := doc.Accessors[prim.Attributes[gltf.POSITION]]
		view := doc.BufferViews[*acc.BufferView]
		if acc.ComponentType != gltf.ComponentUshort || acc.Normalized || view.ByteStride != 8 || acc.Count != len(p.Surface.Verts) {
			t.Fatalf("positions %+v in %+v", acc, view)
		}
		step := node.Scale[0]
		if step <= 0 || step > 0.015 || node.Scale[1] != step || node.Scale[2] != step {
			t.Fatalf("scale %v", node.Scale)
		}
		data := doc.Buffers[0].Data[view.ByteOffset:]
		for v, x := range p.Surface.Verts {
			for a, want := range [3]float64{x.X, x.Y, x.Z} {
				q := float64(binary.LittleEndian.Uint16(data[8*v+2*a:]))
				if q < acc.Min[a] || q > acc.Max[a] || math.Abs(node.Translation[a]+step*q-want) > 0.5000001*step {
					t.Fatalf("vertex %d: %g of %g–%g stands for %g, not %g", v, q, acc.Min[a], acc.Max[a], node.Translation[a]+step*q, want)
				}
			}
		}
		normal := doc.Accessors[prim.Attributes[gltf.NORMAL]]
		view = doc.BufferViews[*normal.BufferView]
		if normal.ComponentType != gltf.ComponentByte || !normal.Normalized || view.ByteStride != 4 {
			t.Fatalf("normals %+v in %+v", normal, view)
		}
		for v, want := range p.Surface.Normals() {
			got := doc.Buffers[0].Data[view.ByteOffset+4*v:]
			if r3.Norm(r3.Sub(r3.Vec{X: float64(int8(got[0])) / 127, Y: float64(int8(got[1])) / 127, Z: float64(int8(got[2])) / 127}, want)) > 0.01 {
				t.Fatalf("normal %d: %v, not %v", v, got[:3], want)
			}
		}
		index, err := modeler.ReadIndices(doc, doc.Accessors[*prim.Indices], nil)
		if err != nil || len(index) != 3*len(p.Surface.Tris) || doc.Accessors[*prim.Indices].ComponentType != gltf.ComponentUshort {
			t.Fatalf("%v: %d indices", err, len(index))
		}
		for k, v := range index {
			if int32(v) != p.Surface.Tris[k/3][k%3] {
				t.Fatalf("index %d changed", k)
			}
		}
		mat := doc.Materials[*prim.Material]
		if n == 0 {
			f := mat.PBRMetallicRoughness.BaseColorFactor
			// 180/255 sRGB is 0.4564 in linear light
			if mat.AlphaMode != gltf.AlphaBlend || math.Abs(f[0]-0.4564) > 1e-3 || math.Abs(f[3]-128./255) > 1e-9 {
				t.Fatalf("material %+v %v", mat, f)
			}
			continue
		}
		colours, err := modeler.ReadColor64(doc, doc.Accessors[prim.Attributes[gltf.COLOR_0]], nil)
		if err != nil {
			t.Fatal(err)
		}
		if mat.AlphaMode != gltf.AlphaOpaque || colours[1] != [4]uint16{0, 65535, 0, 65535} || colours[3][0] != 14146 {
			t.Fatalf("colours %v, %v", colours, mat.AlphaMode)
		}
	}
}

// Neighbouring structures share their lattice: what was closed is closed when
// it is read again, with more than 65535 vertices too.
func TestGLBStaysClosed(t *testing.T) {
	s, _ := block().Boundary()
	big := sheet(400, 200, true)
	for _, form := range surfaceForms[5:] {
		for _, s := range []*mesh.Surface{twoRegions(), s, big} {
			got := readSurfaceBytes(t, "a.glb", surfaceBytes(t, "a.glb", s, form.opt), ReadOptions{}).Surface
			if len(got.Verts) != len(s.Verts) || len(got.Tris) != len(s.Tris) || !sameFaults(got.Defects(), s.Defects()) {
				t.Errorf("%s: %d vertices of %d, %v", form.name, len(got.Verts), len(s.Verts), got.Defects())
			}
		}
	}
	// parts with several pairs get a primitive each
	var b bytes.Buffer
	if err := WriteGLB(&b, []Part{{Name: "both", Surface: twoRegions()}}); err != nil {
		t.Fatal(err)
	}
	f := readSurfaceBytes(t, "a.glb", b.Bytes(), ReadOptions{})
	if err := f.Surface.Check(); err != nil || len(f.Surface.Labels()) != 2 {
		t.Error(err, f.Surface.Labels())
	}
}

// sameFaults leaves out where the first fault is: faces are in another order.
func sameFaults(a, b mesh.Defects) bool {
	a.FirstFace, b.FirstFace = 0, 0
	return a == b
}

// pack makes a GLB of a JSON text and a buffer.
func pack(text string, buffer []byte) []byte {
	for len(text)%4 != 0 {
		text += " "
	}
	le := binary.LittleEndian
	var b []byte
	for _, x := range []int{glbMagic, 2, 12 + 8 + len(text) + 8 + len(buffer), len(text), glbJSON} {
		b = le.AppendUint32(b, uint32(x))
	}
	b = append(b, text...)
	b = le.AppendUint32(b, uint32(len(buffer)))
	b = le.AppendUint32(b, glbBIN)
	return append(b, buffer...)
}

// foreignGLB is a tetrahedron by another writer: interleaved vertices, bytes
// as indices, a rotated and mirrored node, no scene.
func foreignGLB() (string, []byte) {
	var buf []byte
	for _, p := range [][3]float32{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}} {
		for _, x := range p {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
		}
		buf = append(buf, 1, 2, 3, 4) // a colour, of no interest
	}
	buf = append(buf, 0, 2, 1, 0, 1, 3, 1, 2, 3, 2, 0, 3)
	return `{"asset":{"version":"2.0"},"nodes":[
		{"name":"up","rotation":[0,0.7071067811865476,0,0.7071067811865476],"children":[1]},
		{"name":"Kidney","mesh":0,"scale":[0.01,0.02,-0.03],"translation":[0.5,0,0]}],
		"meshes":[{"name":"m","primitives":[{"attributes":{"POSITION":0},"indices":1,"extras":["none of ours"]},{"mode":1,"attributes":{"POSITION":0}}]}],
		"accessors":[{"bufferView":0,"componentType":5126,"count":4,"type":"VEC3"},{"bufferView":1,"componentType":5121,"count":12,"type":"SCALAR"}],
		"bufferViews":[{"buffer":0,"byteLength":64,"byteStride":16},{"buffer":0,"byteOffset":64,"byteLength":12}],
		"buffers":[{"byteLength":76}]}`, buf
}

func TestForeignGLB(t *testing.T) {
	text, buf := foreignGLB()
	f := readSurfaceBytes(t, "a.glb", pack(text, buf), ReadOptions{Labels: map[string]imaging.Label{"Kidney": 40}})
	s := f.Surface
	if err := s.Check(); err != nil || len(s.Verts) != 4 || s.Region[0].Inside != 40 || f.Names[40] != "Kidney" || len(f.Skipped) != 1 || f.Unit != Metre {
		t.Fatalf("%v %+v", err, f)
	}
	// 10·20·30/6 mm³, and positive although the node mirrors
	if v := s.VolumeMM3(func(l imaging.Label) bool { return l == 40 }); math.Abs(v-1000) > 1e-9 {
		t.Errorf("volume %g", v)
	}
	// (0.5, 0, 0) m turned by 90° about +Y points to −Z: the patient's back, +P
	if p := s.Verts[0]; r3.Norm(r3.Sub(p, r3.Vec{Y: 500})) > 1e-9 {
		t.Errorf("the origin is at %v", p)
	}
	for name, c := range map[string][2]string{
		"index":         {`"indices":1`, `"indices":7`},
		"accessor type": {`"type":"VEC3"`, `"type":"VEC2"`},
		"count":         {`"count":4`, `"count":5`},
		"huge count":    {`"count":4`, `"count":4611686018427387904`},
		"view":          {`"byteLength":64`, `"byteLength":6400`},
		"negative":      {`"byteOffset":64`, `"byteOffset":-64`},
		"stride":        {`"byteStride":16`, `"byteStride":4`},
		"cycle":         {`"children":[1]`, `"children":[1,0]`},
		"no node":       {`"children":[1]`, `"children":[9]`},
		"no mesh":       {`"mesh":0`, `"mesh":3`},
		"no scene":      {`"nodes":[`, `"scene":3,"scenes":[{"nodes":[0]}],"nodes":[`},
		"needs draco":   {`"nodes":[`, `"extensionsRequired":["KHR_draco_mesh_compression"],"nodes":[`},
		"draco":         {`"indices":1`, `"extensions":{"KHR_draco_mesh_compression":{}},"indices":1`},
		"outside":       {`"byteLength":76`, `"byteLength":76,"uri":"a.bin"`},
		"sparse":        {`"count":4`, `"sparse":{},"count":4`},
		"JSON":          {`{"asset"`, `["asset"`},
		"points only":   {`"indices":1`, `"mode":0`},
		"beyond":        {`"scale":[0.01`, `"scale":[1e38`},
		"wrong vertex":  {`"componentType":5121,"count":12`, `"componentType":5123,"count":6`},
	} {
		if !strings.Contains(text, c[0]) {
			t.Fatal(name)
		}
		_, err := ReadSurface(bg, bytes.NewReader(pack(strings.Replace(text, c[0], c[1], 1), buf)), "a.glb", ReadOptions{})
		refuses(t, name, err)
	}
	// a small file that places one mesh very often
	var nodes []string
	for range 100000 {
		nodes = append(nodes, `{"mesh":0}`)
	}
	many := strings.Replace(text, `"nodes":[`, `"nodes":[`+strings.Join(nodes, ",")+",", 1)
	many = strings.Replace(many, `"children":[1]`, `"children":[100001]`, 1)
	_, err := ReadSurface(bg, bytes.NewReader(pack(many, buf)), "a.glb", ReadOptions{MaxBytes: 4 << 20})
	refuses(t, "often", err)
	if !json.Valid([]byte(many)) {
		t.Fatal("the test's own JSON is broken")
	}
}

// Strips and fans, and the other number types.
func TestGLBStrips(t *testing.T) {
	var buf []byte
	for _, q := range [][3]int8{{0, 0, 0}, {127, 0, 0}, {0, 127, 0}, {127, 127, 0}} {
		buf = append(buf, byte(q[0]), byte(q[1]), byte(q[2]), 0)
	}
	for mode, area := range map[string]float64{"5": 1e6, "6": 1e6} {
		text := `{"nodes":[{"mesh":0}],"extensionsRequired":["KHR_mesh_quantization"],"meshes":[{"primitives":[{"mode":` + mode + `,"attributes":{"POSITION":0}}]}],
			"accessors":[{"bufferView":0,"componentType":5120,"normalized":true,"count":4,"type":"VEC3"}],
			"bufferViews":[{"buffer":0,"byteLength":16,"byteStride":4}],"buffers":[{"byteLength":16}]}`
		b := slices.Clone(buf)
		if mode == "6" { // a fan goes round
			copy(b[8:12], buf[12:16])
			copy(b[12:16], buf[8:12])
		}
		f := readSurfaceBytes(t, "a.glb", pack(text, b), ReadOptions{})
		// both faces look the same way
		if s := f.Surface; len(s.Tris) != 2 || math.Abs(s.AreaMM2(nil)-area) > 1e-6 || s.Defects().OpenEdges != 4 || s.Defects().TurnedEdges != 0 || s.Region[0].Inside != imaging.LabelLiver {
			t.Errorf("mode %s: %+v %v", mode, s, s.Defects())
		}
	}
}

func TestGLBRefuses(t *testing.T) {
	ok := octahedron(r3.Vec{})
	nan := octahedron(r3.Vec{})
	nan.Verts[2].Z = math.Inf(1)
	for name, parts := range map[string][]Part{
		"nothing": nil,
		"no name": {{Surface: ok}},
		"nil":     {{Name: "a"}},
		"colours": {{Name: "a", Surface: ok, VertexColours: make([]color.NRGBA, 3)}},
		"Inf":     {{Name: "a", Surface: ok}, {Name: "b", Surface: nan}},
	} {
		var b bytes.Buffer
		if refuses(t, name, WriteGLB(&b, parts)); b.Len() != 0 {
			t.Errorf("%s: %d bytes written", name, b.Len())
		}
	}
	if err := WriteGLB(failing{}, []Part{{Name: "a", Surface: ok}}); err == nil {
		t.Error("a failing writer was not noticed")
	}
	// every label has a colour of its own
	seen := map[color.NRGBA]int{}
	for l := range 256 {
		c := labelColour(imaging.Label(l))
		if other, ok := seen[c]; ok && !imaging.Label(l).IsTumour() {
			t.Errorf("labels %d and %d are both %v", other, l, c)
		}
		seen[c] = l
	}
}
