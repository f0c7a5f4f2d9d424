package meshio

import (
	"bytes"
	"errors"
	"image/color"
	"io"
	"math"
	"testing"

	"github.com/qmuntal/gltf"
	"github.com/qmuntal/gltf/modeler"
	"gonum.org/v1/gonum/spatial/r3"
)

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
		if node.Name != p.Name || prim.Mode != gltf.PrimitiveTriangles {
			t.Fatalf("node %+v", node)
		}
		posAcc := doc.Accessors[prim.Attributes[gltf.POSITION]]
		pos, err := modeler.ReadPosition(doc, posAcc, nil)
		if err != nil {
			t.Fatal(err)
		}
		normal, err := modeler.ReadNormal(doc, doc.Accessors[prim.Attributes[gltf.NORMAL]], nil)
		if err != nil {
			t.Fatal(err)
		}
		index, err := modeler.ReadIndices(doc, doc.Accessors[*prim.Indices], nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(pos) != len(p.Surface.Verts) || len(index) != 3*len(p.Surface.Tris) {
			t.Fatalf("%d positions, %d indices", len(pos), len(index))
		}
		for v, x := range p.Surface.Verts {
			if pos[v] != float3(x) {
				t.Fatalf("vertex %d is at %v", v, pos[v])
			}
			for a := range 3 {
				if float64(pos[v][a]) < posAcc.Min[a] || float64(pos[v][a]) > posAcc.Max[a] {
					t.Fatalf("vertex %d lies outside the stated bounds", v)
				}
			}
			l := 0.0
			for _, c := range normal[v] {
				l += float64(c) * float64(c)
			}
			if math.Abs(l-1) > 1e-5 {
				t.Fatalf("normal %v", normal[v])
			}
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
		var bad *FormatError
		if err := WriteGLB(&b, parts); !errors.As(err, &bad) || b.Len() != 0 {
			t.Errorf("%s: %v, %d bytes written", name, err, b.Len())
		}
	}
	if err := WriteGLB(failing{}, []Part{{Name: "a", Surface: ok}}); err == nil {
		t.Error("a failing writer was not noticed")
	}
}
