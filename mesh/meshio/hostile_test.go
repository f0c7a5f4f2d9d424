package meshio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// checkTetFile demands what every reader promises of a mesh it returns.
func checkTetFile(t testing.TB, what string, f *TetFile) {
	t.Helper()
	m := f.Mesh
	if len(m.Tets) == 0 || len(m.Region) != len(m.Tets) || m.Mid != nil && len(m.Mid) != len(m.Tets) {
		t.Fatalf("%s: %d elements, %d regions, %d rows of mid-edge nodes", what, len(m.Tets), len(m.Region), len(m.Mid))
	}
	for n, p := range m.Nodes {
		if !finite(p) {
			t.Fatalf("%s: node %d is at %v", what, n, p)
		}
	}
	if err := checkTets("VTU", m, &WriteOptions{PointFields: f.PointFields, CellFields: f.CellFields}); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func checkSurfaceFile(t testing.TB, what string, f *SurfaceFile) {
	t.Helper()
	if len(f.Surface.Tris) == 0 || len(f.Surface.Region) != len(f.Surface.Tris) {
		t.Fatalf("%s: %d faces, %d regions", what, len(f.Surface.Tris), len(f.Surface.Region))
	}
	if err := checkSurface("", f.Surface); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for _, v := range f.Surface.Tris {
		if v[0] == v[1] || v[1] == v[2] || v[2] == v[0] {
			t.Fatalf("%s: face %v", what, v)
		}
	}
}

// A file cut off after any byte gives an error that says so, or, where only
// blanks are missing, the same mesh.
func TestCutOffAnywhere(t *testing.T) {
	for _, form := range tetForms {
		for _, m := range []*mesh.TetMesh{pair(), curved(pair())} {
			data := tetBytes(t, form.file, m, form.opt)
			whole := readTetBytes(t, form.file, data, ReadOptions{})
			for n := range data {
				f, err := ReadTetMesh(bg, bytes.NewReader(data[:n:n]), form.file, ReadOptions{})
				var bad *FormatError
				switch {
				case err != nil && (!errors.As(err, &bad) || bad.What == ""):
					t.Fatalf("%s, %d of %d bytes: %v", form.name, n, len(data), err)
				case err == nil:
					sameTets(t, fmt.Sprintf("%s, %d of %d bytes", form.name, n, len(data)), f.Mesh, whole.Mesh)
				}
			}
		}
	}
	for _, form := range surfaceForms {
		data := surfaceBytes(t, form.file, twoRegions(), form.opt)
		whole := readSurfaceBytes(t, form.file, data, ReadOptions{})
		for n := range data {
			f, err := ReadSurface(bg, bytes.NewReader(data[:n:n]), form.file, ReadOptions{})
			var bad *FormatError
			switch {
			case err != nil && (!errors.As(err, &bad) || bad.What == ""):
				t.Fatalf("%s, %d of %d bytes: %v", form.name, n, len(data), err)
			case err == nil && (len(f.Surface.Tris) != len(whole.Surface.Tris) || len(f.Surface.Verts) != len(whole.Surface.Verts)):
				t.Fatalf("%s, %d of %d bytes: %d faces", form.name, n, len(data), len(f.Surface.Tris))
			}
		}
	}
}

// Whatever bytes are changed, added or dropped, a reader returns a mesh that
// keeps its promises, or a *FormatError.
func TestSpoiltBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 7))
	spoil := func(data []byte) []byte {
		b := bytes.Clone(data)
		for range 1 + rng.IntN(4) {
			at := rng.IntN(len(b))
			switch rng.IntN(6) {
			case 0:
				b[at] ^= 1 << rng.IntN(8)
			case 1:
				b[at] = byte(rng.IntN(256))
			case 2:
				b[at] = "0123456789-+.eE,<>/\"=*$\n \x00\xff"[rng.IntN(26)]
			case 3:
				b = append(b[:at:at], b[min(len(b), at+1+rng.IntN(8)):]...)
			case 4:
				b = append(b[:at:at], append(bytes.Clone(b[at:min(len(b), at+1+rng.IntN(40))]), b[at:]...)...)
			default:
				if at+8 <= len(b) {
					binary.LittleEndian.PutUint64(b[at:], []uint64{0, 1 << 31, 1<<32 - 1, 1 << 63, 1<<64 - 1, 0x7ff8000000000000, 0x7f8000007f800000}[rng.IntN(7)])
				}
			}
			if len(b) == 0 {
				return b
			}
		}
		return b
	}
	const rounds = 400
	for _, form := range tetForms {
		for i, m := range []*mesh.TetMesh{pair(), curved(pair())} {
			data := tetBytes(t, form.file, m, form.opt)
			for n := range rounds {
				what := fmt.Sprintf("%s, mesh %d, round %d", form.name, i, n)
				f, err := ReadTetMesh(bg, bytes.NewReader(spoil(data)), form.file, ReadOptions{SkipUnknown: n%2 == 0})
				var bad *FormatError
				if err == nil {
					checkTetFile(t, what, f)
				} else if !errors.As(err, &bad) {
					t.Fatalf("%s: %v", what, err)
				}
			}
		}
	}
	for _, form := range surfaceForms {
		data := surfaceBytes(t, form.file, twoRegions(), form.opt)
		for n := range rounds {
			what := fmt.Sprintf("%s, round %d", form.name, n)
			f, err := ReadSurface(bg, bytes.NewReader(spoil(data)), form.file, ReadOptions{})
			var bad *FormatError
			if err == nil {
				checkSurfaceFile(t, what, f)
			} else if !errors.As(err, &bad) {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
}

// Counts in headers are not trusted: a small file takes little memory whatever
// it claims.
func TestLyingCounts(t *testing.T) {
	le := func(b []byte, at int, n uint64) []byte {
		b = bytes.Clone(b)
		binary.LittleEndian.PutUint64(b[at:], n)
		return b
	}
	swap := func(b []byte, from, to string) []byte {
		if !bytes.Contains(b, []byte(from)) {
			t.Fatalf("%q is not in the file", from)
		}
		return bytes.Replace(b, []byte(from), []byte(to), 1)
	}
	stl := surfaceBytes(t, "a.stl", octahedron(r3.Vec{}), WriteOptions{})
	stl = bytes.Clone(stl)
	binary.LittleEndian.PutUint32(stl[80:], math.MaxUint32)
	ply := surfaceBytes(t, "a.ply", octahedron(r3.Vec{}), WriteOptions{})
	vtu := tetBytes(t, "a.vtu", pair(), WriteOptions{})
	text := tetBytes(t, "a.vtu", pair(), WriteOptions{Text: true})
	msh := tetBytes(t, "a.msh", pair(), WriteOptions{})
	nodes := bytes.Index(msh, []byte("$Nodes\n")) + len("$Nodes\n")
	elements := bytes.Index(msh, []byte("$Elements\n")) + len("$Elements\n")
	entities := bytes.Index(msh, []byte("$Entities\n")) + len("$Entities\n")
	const many = 2_000_000_000
	for _, c := range []struct {
		name, file string
		data       []byte
	}{
		{"STL", "a.stl", stl},
		{"PLY vertices", "a.ply", swap(ply, "element vertex 6", "element vertex 2000000000")},
		{"PLY faces", "a.ply", swap(ply, "element face 8", "element face 2000000000")},
		{"PLY empty rows", "a.ply", swap(ply, "element vertex 6", "element nothing 2000000000000\nelement vertex 7")},
		{"VTU points", "a.vtu", swap(vtu, `NumberOfPoints="5"`, `NumberOfPoints="2000000000"`)},
		{"VTU cells", "a.vtu", swap(vtu, `NumberOfCells="2"`, `NumberOfCells="2000000000"`)},
		{"VTU text points", "a.vtu", swap(text, `NumberOfPoints="5"`, `NumberOfPoints="2000000000"`)},
		{"VTU offset", "a.vtu", swap(vtu, `offset="0"`, `offset="999999999999999"`)},
		{"gmsh nodes", "a.msh", le(msh, nodes+8, many)},
		{"gmsh node blocks", "a.msh", le(msh, nodes, many)},
		{"gmsh block", "a.msh", le(msh, nodes+32+12, many)},
		{"gmsh elements", "a.msh", le(msh, elements+8, 1<<63)},
		{"gmsh element blocks", "a.msh", le(msh, elements, 1<<63-1)},
		{"gmsh entities", "a.msh", le(msh, entities, many)},
		{"gmsh text", "a.msh", []byte("$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n2000000000\n1 0 0 0\n")},
		{"Abaqus set", "a.inp", append(tetBytes(t, "a.inp", pair(), WriteOptions{}), "*ELSET, ELSET=x, GENERATE\n1, 999999999999999999\n*NODE\n999999999999999999, 0, 0, 0, broken\n*NODE\nx"...)},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var err error
		if c.file == "a.stl" || c.file == "a.ply" {
			_, err = ReadSurface(bg, bytes.NewReader(c.data), c.file, ReadOptions{})
		} else {
			_, err = ReadTetMesh(bg, bytes.NewReader(c.data), c.file, ReadOptions{})
		}
		runtime.ReadMemStats(&after)
		refuses(t, c.name, err)
		if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
			t.Errorf("%s: %d bytes for a file of %d", c.name, took, len(c.data))
		}
	}
	// without a length to check against, a stream is read as far as it goes
	if _, err := ReadSurface(bg, strings.NewReader(string(stl)), "a.stl", ReadOptions{}); err == nil {
		t.Error("a short stream was read")
	}
}

// The limit on the length of a file holds, also for what is packed inside.
func TestMaxBytes(t *testing.T) {
	for _, form := range tetForms {
		data := tetBytes(t, form.file, pair(), form.opt)
		_, err := ReadTetMesh(bg, bytes.NewReader(data), form.file, ReadOptions{MaxBytes: int64(len(data)) - 1})
		if bad := refuses(t, form.name, err); !strings.Contains(bad.Remedy, "MaxBytes") {
			t.Errorf("%s: %+v", form.name, bad)
		}
		_, err = ReadTetMesh(bg, struct{ *strings.Reader }{strings.NewReader(string(data))}, form.file, ReadOptions{MaxBytes: int64(len(data)) - 1})
		refuses(t, form.name, err)
	}
	for _, form := range surfaceForms {
		data := surfaceBytes(t, form.file, octahedron(r3.Vec{}), form.opt)
		_, err := ReadSurface(bg, bytes.NewReader(data), form.file, ReadOptions{MaxBytes: int64(len(data)) - 1})
		refuses(t, form.name, err)
		_, err = ReadSurface(bg, struct{ *strings.Reader }{strings.NewReader(string(data))}, form.file, ReadOptions{MaxBytes: int64(len(data)) - 1})
		refuses(t, form.name, err)
	}
	if _, err := ReadSurface(bg, bytes.NewReader(nil), "a.stl", ReadOptions{MaxBytes: -1}); err == nil {
		t.Error("MaxBytes of −1 was taken")
	}
}

// A foreign element inside out is kept and reported by its number in the file.
func TestInvertedIsReported(t *testing.T) {
	m := pair()
	m.Tets[1][0], m.Tets[1][1] = m.Tets[1][1], m.Tets[1][0]
	for _, form := range tetForms {
		f := readTetBytes(t, form.file, tetBytes(t, form.file, m, form.opt), ReadOptions{})
		want := int64(2)
		if form.file == "a.vtu" {
			want = 1 // cells have no numbers but their place
		}
		if f.Inverted != 1 || f.FirstInverted != want || f.Mesh.Tets[1] != m.Tets[1] {
			t.Errorf("%s: %d inverted, first %d, %v", form.name, f.Inverted, f.FirstInverted, f.Mesh.Tets[1])
		}
	}
}

func TestRegionsRunOut(t *testing.T) {
	keys := make([]regionKey, 256)
	for i := range keys {
		keys[i] = regionKey{name: fmt.Sprintf("PART-%d", i)}
	}
	opt := &ReadOptions{Label: imaging.LabelLiver}
	if l, names, err := assignLabels("Abaqus", keys[:255], opt); err != nil || l[0] != 64 || l[254] != 63 || names[64] != "PART-0" || len(names) != 255 {
		t.Error(l, err)
	}
	_, _, err := assignLabels("Abaqus", keys, opt)
	refuses(t, "256 names", err)
	// each rule in turn
	opt.Labels = map[string]imaging.Label{"PART-9": 200, "77": 201}
	l, names, err := assignLabels("gmsh", []regionKey{{tag: 1, name: "PART-9"}, {tag: 77}, {tag: 5, name: "Tumour_2"}, {tag: 33}, {tag: 1000}, {}, {tag: 200}, {name: "x"}}, opt)
	if want := [8]imaging.Label{200, 201, 33, 64, 65, 3, 66, 67}; err != nil || [8]imaging.Label(l) != want || names[64] != "tag 33" || names[65] != "tag 1000" || names[33] != "" || names[200] != "PART-9" {
		t.Error(l, names, err)
	}
}
