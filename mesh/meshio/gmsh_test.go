package meshio

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// oldGmsh is a file as gmsh 2 wrote it: nodes out of order, faces among the
// elements, three tags, an unknown section.
const oldGmsh = `$MeshFormat
2.2 0 8
$EndMeshFormat
$PhysicalNames
2
2 7 "skin"
3 7 "liver"
$EndPhysicalNames
$Parametrizations
1 2 3
$EndParametrizations
$Nodes
6
10 0 0 0
3 1 0 0
700000 0 1 0
5 0 0 1
8 1 1 1
9 5 5 5
$EndNodes
$Elements
4
21 2 2 7 1 10 3 5
4 4 3 7 1 0 3 700000 5 8
2 4 2 0 12 10 3 700000 5
23 15 2 0 1 9
$EndElements
`

func TestOldGmsh(t *testing.T) {
	f := readTetBytes(t, "a.msh", []byte(oldGmsh), ReadOptions{})
	m := f.Mesh
	// nodes and elements stand in the order of their numbers
	if m.Nodes[0] != (r3.Vec{X: 1}) || m.Nodes[4] != (r3.Vec{Y: 1}) || len(m.Nodes) != 5 || f.Unused != 1 {
		t.Fatalf("%+v", m.Nodes)
	}
	if m.Tets[0] != [4]int32{3, 0, 4, 1} || m.Tets[1] != [4]int32{0, 4, 1, 2} || m.Region[0] != 12 || m.Region[1] != 3 || m.Check() != nil {
		t.Fatalf("%+v", m)
	}
	if len(f.Skipped) != 2 || f.Skipped[0] != (Skipped{"triangle (type 2)", 1, 21}) || len(f.Names) != 0 {
		t.Fatalf("%+v", f)
	}
	for name, c := range map[string]struct {
		from, to string
		line     int
	}{
		"version":        {"2.2 0 8", "4 0 8", 2},
		"no version":     {"$MeshFormat", "$NOD", 1},
		"float size":     {"2.2 0 8", "2.2 0 4", 2},
		"NaN":            {"3 1 0 0", "3 nan 0 0", 15},
		"twice":          {"3 1 0 0", "10 1 0 0", 15},
		"too many nodes": {"$Nodes\n6", "$Nodes\n7", 20},
		"too few nodes":  {"$Nodes\n6", "$Nodes\n5", 19},
		"missing node":   {"10 3 700000 5\n", "10 3 70 5\n", 25},
		"hexahedron":     {"2 4 2 0 12 10 3 700000 5", "2 5 2 0 12 10 3 700000 5 10 3 700000 5", 25},
		"type 999":       {"2 4 2 0 12", "2 999 2 0 12", 25},
		"mixed":          {"2 4 2 0 12 10 3 700000 5", "2 11 2 0 12 10 3 700000 5 10 3 700000 5 8 9", 25},
		"name":           {`3 7 "liver"`, `3 7 liver`, 7},
		"no elements":    {"$Elements", "$Other", 0},
		"no number":      {"$Nodes\n6", "$Nodes\nsix", 13},
	} {
		if !strings.Contains(oldGmsh, c.from) {
			t.Fatal(name)
		}
		_, err := ReadTetMesh(bg, strings.NewReader(strings.Replace(oldGmsh, c.from, c.to, 1)), "a.msh", ReadOptions{})
		if bad := refuses(t, name, err); c.line > 0 && bad.Line != c.line {
			t.Errorf("%s: line %d, not %d", name, bad.Line, c.line)
		}
	}
	hexa := strings.Replace(oldGmsh, "2 4 2 0 12 10 3 700000 5", "2 5 2 0 12 10 3 700000 5 10 3 700000 5", 1)
	f = readTetBytes(t, "a.msh", []byte(hexa), ReadOptions{SkipUnknown: true})
	if len(f.Mesh.Tets) != 1 || f.Skipped[1].Type != "hexahedron (type 5)" || f.Skipped[1].First != 2 {
		t.Fatalf("%+v", f.Skipped)
	}
}

// Files of the other byte order are read: every number of ours turned round.
func TestGmshBigEndian(t *testing.T) {
	data := bytes.Clone(tetBytes(t, "a.msh", pair(), WriteOptions{Version: "2.2"}))
	turn := func(at, size int) int {
		for i := range size / 2 {
			data[at+i], data[at+size-1-i] = data[at+size-1-i], data[at+i]
		}
		return at + size
	}
	turn(bytes.Index(data, []byte("2.2 1 8\n"))+8, 4)
	at := bytes.Index(data, []byte("$Nodes\n5\n")) + len("$Nodes\n5\n")
	for range 5 {
		at = turn(at, 4)
		for range 3 {
			at = turn(at, 8)
		}
	}
	at = bytes.Index(data, []byte("$Elements\n2\n")) + len("$Elements\n2\n")
	for range 3 + 2*(1+2+4) {
		at = turn(at, 4)
	}
	f := readTetBytes(t, "a.msh", data, ReadOptions{})
	sameTets(t, "big endian", f.Mesh, pair())
	binary.BigEndian.PutUint32(data[bytes.Index(data, []byte("2.2 1 8\n"))+8:], 7)
	_, err := ReadTetMesh(bg, bytes.NewReader(data), "a.msh", ReadOptions{})
	refuses(t, "byte order", err)
}

// Nodes on curved entities may carry parameters; a block says so.
func TestGmshParametric(t *testing.T) {
	const text = `$MeshFormat
4.1 0 8
$EndMeshFormat
$Entities
1 0 1 1
5 0 0 0 0
3 0 0 0 1 1 1 1 9 0
2 0 0 0 1 1 1 1 40 1 3
$EndEntities
$Nodes
2 4 1 4
2 3 1 2
1
2
0 0 0 0.5 0.25
1 0 0 0.5 0.75
3 2 0 2
3
4
0 1 0
0 0 1
$EndNodes
$Elements
2 2 1 2
2 3 2 1
1 1 2 3
3 2 4 1
2 1 2 3 4
$EndElements
`
	f := readTetBytes(t, "a.msh", []byte(text), ReadOptions{})
	if len(f.Mesh.Nodes) != 4 || f.Mesh.Nodes[3] != (r3.Vec{Z: 1}) || f.Mesh.Region[0] != 40 || f.Mesh.Check() != nil {
		t.Fatalf("%+v", f.Mesh)
	}
	for _, c := range [][2]string{{"2 4 1 4", "2 5 1 4"}, {"2 2 1 2\n", "2 3 1 2\n"}, {"3 2 0 2", "3 2 0 3"}, {"1 0 1 1\n", "1 0 2 1\n"}} {
		_, err := ReadTetMesh(bg, strings.NewReader(strings.Replace(text, c[0], c[1], 1)), "a.msh", ReadOptions{})
		refuses(t, c[1], err)
	}
}
