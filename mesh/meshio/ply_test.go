package meshio

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// foreignPLY has lists and colours at vertices, an element of no interest
// between, a triangle, a quadrangle, a pentagon and faces without area.
const foreignPLY = `ply
format ascii 1.0
comment made elsewhere
obj_info scanner 3
element vertex 6
property list uchar float extra
property float y
property float x
property float z
property uchar red
element camera 2
property float f
property list uint8 int32 pixels
element face 5
property uchar group
property list uint8 uint32 vertex_index
property float quality
end_header
0 0 0 0 255
2 9.5 9 0 1 0 255
0 1 1.5 0 255
1 3 1 0 0 255
0 2 0.5 0 255
0 0 9 9 1
1.5 3 1 2 3
2.5 0
7 3 0 1 2 0.5
7 4 0 1 2 3 0.5
7 5 0 1 2 4 3 0.5
7 2 0 1 0.5
7 3 1 1 2 0.5
`

func TestForeignPLY(t *testing.T) {
	f := readSurfaceBytes(t, "a.ply", []byte(foreignPLY), ReadOptions{Label: 5})
	s := f.Surface
	want := [][3]int32{{0, 1, 2}, {1, 2, 3}, {1, 3, 0}, {0, 1, 2}, {0, 2, 4}, {0, 4, 3}}
	if !slices.Equal(s.Tris, want) || s.Verts[2] != (r3.Vec{X: 1.5, Y: 1}) || f.Repeated != 2 || s.Region[0] != (mesh.Sides{Inside: 5}) {
		t.Fatalf("%+v", s)
	}
	for name, c := range map[string]struct {
		from, to string
		line     int
	}{
		"magic":           {"ply\n", "plyx\n", 1},
		"format":          {"ascii 1.0", "binary_pdp 1.0", 2},
		"NaN":             {"0 1 1.5 0 255", "0 nan 1.5 0 255", 21},
		"too far":         {"0 1 1.5 0 255", "0 1e39 1.5 0 255", 21},
		"index":           {"7 3 0 1 2 0.5", "7 3 0 1 6 0.5", 27},
		"negative":        {"7 3 0 1 2 0.5", "7 3 0 1 -1 0.5", 27},
		"fraction":        {"7 3 0 1 2 0.5", "7 3 0 1 1.5 0.5", 27},
		"long list":       {"7 3 0 1 2 0.5", "7 2000000000 0 1 2 0.5", 27},
		"list of −1":      {"7 3 0 1 2 0.5", "7 -1 0 1 2 0.5", 27},
		"too few":         {"element face 5", "element face 6", 32},
		"unknown type":    {"property float x", "property long x", 8},
		"float list":      {"list uint8 uint32", "list float uint32", 16},
		"no x":            {"property float x", "property float w", 18},
		"no indices":      {"vertex_index", "vertex_list", 26},
		"header":          {"end_header", "end", 18},
		"count":           {"element face 5", "element face -5", 14},
		"property first":  {"element vertex 6", "property int v\nelement vertex 6", 5},
		"faces first":     {"element vertex 6", "element face 0\nproperty list uchar int vertex_index\nelement vertex 6", 0},
		"only the points": {"element face 5", "element edge 5", 0},
	} {
		if !strings.Contains(foreignPLY, c.from) {
			t.Fatal(name)
		}
		_, err := ReadSurface(bg, strings.NewReader(strings.Replace(foreignPLY, c.from, c.to, 1)), "a.ply", ReadOptions{})
		if bad := refuses(t, name, err); c.line > 0 && bad.Line != c.line {
			t.Errorf("%s: line %d, not %d", name, bad.Line, c.line)
		}
	}
}

// Labels and the names given to them come back.
func TestPLYNames(t *testing.T) {
	s := twoRegions()
	names := map[imaging.Label]string{imaging.LabelTumour: "metastasis II"}
	for _, form := range surfaceForms[2:5] {
		opt := form.opt
		opt.Names = names
		f := readSurfaceBytes(t, "a.ply", surfaceBytes(t, "a.ply", s, opt), ReadOptions{})
		if len(f.Names) != 1 || f.Names[imaging.LabelTumour] != "metastasis_II" || !slices.Equal(f.Surface.Region, s.Region) || !slices.Equal(f.Surface.Verts, s.Verts) {
			t.Errorf("%s: %+v", form.name, f)
		}
	}
	// labels that are none
	data := surfaceBytes(t, "a.ply", s, WriteOptions{Text: true})
	data = bytes.Replace(data, []byte("property uchar inside_label"), []byte("property int inside_label"), 1)
	data = bytes.Replace(data, []byte(" 3 32\n"), []byte(" 300 32\n"), 1)
	_, err := ReadSurface(bg, bytes.NewReader(data), "a.ply", ReadOptions{})
	refuses(t, "label 300", err)
}
