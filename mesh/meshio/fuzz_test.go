package meshio

import (
	"bytes"
	"errors"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// fuzzTets feeds a reader; what it takes must keep its promises and survive a
// trip through our own file of the same format.
func fuzzTets(f *testing.F, file string, more ...string) {
	for _, form := range tetForms {
		if form.file == file {
			f.Add(tetBytes(f, file, pair(), form.opt))
			f.Add(tetBytes(f, file, curved(pair()), form.opt))
		}
	}
	for _, s := range more {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ReadTetMesh(bg, bytes.NewReader(data), file, ReadOptions{MaxBytes: 1 << 20, SkipUnknown: len(data)%2 == 0})
		var bad *FormatError
		if err != nil {
			if !errors.As(err, &bad) {
				t.Fatal(err)
			}
			return
		}
		checkTetFile(t, file, got)
		var b bytes.Buffer
		if err := WriteTetMesh(bg, &b, file, got.Mesh, WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		again, err := ReadTetMesh(bg, &b, file, ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if file == "a.inp" { // 20 characters a number
			again.Mesh.Nodes = got.Mesh.Nodes
		}
		sameTets(t, file, again.Mesh, got.Mesh)
	})
}

func fuzzSurface(f *testing.F, file string, more ...string) {
	for _, form := range surfaceForms {
		if form.file == file {
			f.Add(surfaceBytes(f, file, octahedron(r3.Vec{X: 3}), form.opt))
			f.Add(surfaceBytes(f, file, twoRegions(), form.opt))
		}
	}
	for _, s := range more {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ReadSurface(bg, bytes.NewReader(data), file, ReadOptions{MaxBytes: 1 << 20})
		var bad *FormatError
		if err != nil {
			if !errors.As(err, &bad) {
				t.Fatal(err)
			}
			return
		}
		checkSurfaceFile(t, file, got)
		var b bytes.Buffer
		if err := WriteSurface(bg, &b, file, got.Surface, WriteOptions{Float32: true}); err != nil {
			t.Fatal(err)
		}
		// rounding to float32 may close a face
		again, err := ReadSurface(bg, &b, file, ReadOptions{})
		if err == nil && len(again.Surface.Tris)+again.Repeated != len(got.Surface.Tris) {
			t.Fatalf("%d faces became %d and %d", len(got.Surface.Tris), len(again.Surface.Tris), again.Repeated)
		}
		if err != nil && file == "a.ply" {
			t.Fatal(err)
		}
	})
}

func FuzzReadSTL(f *testing.F) {
	fuzzSurface(f, "a.stl", "solid", "SOLID a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 -0\nvertex 0 1e-3 0\nendloop\nendfacet\nendsolid a\nsolid b\nendsolid b\n")
}

func FuzzReadPLY(f *testing.F) {
	fuzzSurface(f, "a.ply", "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\nproperty list uchar float w\nproperty uchar red\nelement face 1\nproperty list uint8 uint vertex_index\n"+
		"end_header\n0 0 0 0 1\n1 0 0 1 5 1\n1 1 0 0 1\n0 1 0 0 1\n4 0 1 2 3\n")
}

func FuzzReadGLB(f *testing.F) { fuzzSurface(f, "a.glb") }

func FuzzReadVTU(f *testing.F) { fuzzTets(f, "a.vtu", packedVTU) }

func FuzzReadGmsh(f *testing.F) {
	fuzzTets(f, "a.msh", "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n4\n7 0 0 0\n3 1 0 0\n9 0 1 0\n1000000 0 0 1\n$EndNodes\n$Elements\n2\n1 2 2 0 1 3 7 9\n2 4 2 5 1 7 3 9 1000000\n$EndElements\n")
}

func FuzzReadAbaqus(f *testing.F) {
	fuzzTets(f, "a.inp", "*Heading\n x\n*Node\n1,0,0,0\n2,1,,\n3,0,1.D0,0\n4,0,0,1\n5,1,1,1\n*ELEMENT,\n TYPE=C3D4\n1, 1,2,3,\n4\n4,2,3,5,4\n*Elset, elset=\"a\", generate\n1,4,1\n*ELSET,ELSET=B\na, 1\n*SOLID SECTION,ELSET=B,MATERIAL=M\n*ELEMENT,TYPE=S3\n9,1,2,3\n")
}

func FuzzReadFEBio(f *testing.F) {
	fuzzTets(f, "a.feb", `<?xml version="1.0"?><febio_spec version='2.5'><Geometry><Nodes name="a"><node id="5">0,0,0</node><node id="6"> 1, 0, 0</node><node id="7">0,1,0</node><node id="8">0,0,1</node></Nodes>`+
		`<Elements type="tet4" mat="1" name="A &amp; B"><elem id="1">5,6,7,8</elem></Elements><Elements type="quad4" name="S"><elem id="2">5,6,7,8</elem></Elements></Geometry></febio_spec>`)
}
