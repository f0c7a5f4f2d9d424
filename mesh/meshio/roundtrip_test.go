package meshio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

func ExampleReadSurface() {
	var b bytes.Buffer
	if err := WriteSurface(context.Background(), &b, "liver.stl", octahedron(r3.Vec{X: 100}), WriteOptions{Unit: Centimetre}); err != nil {
		panic(err)
	}
	f, err := ReadSurface(context.Background(), &b, "liver.stl", ReadOptions{})
	if err != nil {
		panic(err)
	}
	s := f.Surface
	fmt.Printf("%d vertices, %.0f mm³, in %v; %v\n", len(s.Verts), s.VolumeMM3(imaging.Label.InOrgan), f.Unit, s.Defects())
	// Output: 6 vertices, 36000 mm³, in cm; 8 faces, no fault
}

func ExampleReadTetMesh() {
	m := &mesh.TetMesh{
		Nodes:  []r3.Vec{{}, {X: 6}, {Y: 6}, {Z: 6}},
		Tets:   [][4]int32{{0, 1, 2, 3}},
		Region: []imaging.Label{imaging.LabelLiver},
	}
	var b bytes.Buffer
	if err := WriteTetMesh(context.Background(), &b, "liver.msh", m.Quadratic(), WriteOptions{Text: true}); err != nil {
		panic(err)
	}
	f, err := ReadTetMesh(context.Background(), &b, "liver.msh", ReadOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d nodes, %.0f mm³ of %v\n", len(f.Mesh.Nodes), f.Mesh.VolumeMM3(nil), f.Mesh.Region[0])
	// Output: 10 nodes, 36 mm³ of liver
}

// What is written comes back to the last bit, in text too. Abaqus numbers end
// after 20 characters: below 0.1 the last digits may go.
func TestTetRoundTrip(t *testing.T) {
	ball := block()
	for _, form := range tetForms {
		for n, m := range []*mesh.TetMesh{pair(), curved(pair()), ball, curved(ball)} {
			f := readTetBytes(t, form.file, tetBytes(t, form.file, m, form.opt), ReadOptions{})
			want := *m
			if form.name == "Abaqus" {
				want.Nodes = slices.Clone(m.Nodes)
				for i, p := range f.Mesh.Nodes {
					if math.Abs(p.X-m.Nodes[i].X)+math.Abs(p.Y-m.Nodes[i].Y)+math.Abs(p.Z-m.Nodes[i].Z) > 1.5e-18 {
						t.Fatalf("Abaqus: node %d came back as %v, not %v", i, p, m.Nodes[i])
					}
					want.Nodes[i] = p
				}
			}
			sameTets(t, form.name, f.Mesh, &want)
			if len(f.Names) != 0 || f.Unused != 0 || f.Skipped != nil || f.Unit != Millimetre || f.Inverted != 0 {
				t.Fatalf("%s, mesh %d: %+v", form.name, n, f)
			}
		}
	}
}

// All 256 labels survive, with names of their own too; so does background.
func TestTetLabels(t *testing.T) {
	m := &mesh.TetMesh{}
	names := map[imaging.Label]string{7: "left kidney, lower \"pole\"", 200: "Muscle"}
	for l := range 256 {
		for _, p := range []r3.Vec{{}, {X: 1}, {Y: 1}, {Z: 1}} {
			m.Nodes = append(m.Nodes, r3.Add(p, r3.Vec{X: 2 * float64(l)}))
		}
		n := int32(4 * l)
		m.Tets = append(m.Tets, [4]int32{n, n + 1, n + 2, n + 3})
		m.Region = append(m.Region, imaging.Label((l*37+11)%256)) // no order that blocks would give
	}
	for _, form := range tetForms {
		f := readTetBytes(t, form.file, tetBytes(t, form.file, m, form.opt), ReadOptions{})
		sameTets(t, form.name, f.Mesh, m)
		opt := form.opt
		opt.Names = names
		f = readTetBytes(t, form.file, tetBytes(t, form.file, m, opt), ReadOptions{Labels: map[string]imaging.Label{"Muscle": 200, "left_kidney__lower__pole_": 7}})
		sameTets(t, form.name, f.Mesh, m)
		if !strings.HasPrefix(form.name, "VTU") && (f.Names[200] != "Muscle" || len(f.Names) != 2) {
			t.Errorf("%s: names %v", form.name, f.Names)
		}
	}
	// names that would run together are refused
	for _, form := range tetForms[3:] {
		form.opt.Names = map[imaging.Label]string{7: "a b", 8: "a_b"}
		refuses(t, form.name, WriteTetMesh(bg, &bytes.Buffer{}, form.file, m, form.opt))
	}
}

func TestTetsWithoutRegions(t *testing.T) {
	m := pair()
	m.Region = nil
	for _, form := range tetForms {
		f := readTetBytes(t, form.file, tetBytes(t, form.file, m, form.opt), ReadOptions{Label: 9})
		want := imaging.Label(9)
		if form.file == "a.msh" {
			want = 1 // the entity
		}
		if f.Mesh.Region[0] != want || f.Mesh.Region[1] != want {
			t.Errorf("%s: %v", form.name, f.Mesh.Region)
		}
	}
}

func TestSurfaceRoundTrip(t *testing.T) {
	for _, form := range surfaceForms {
		for _, s := range []*mesh.Surface{octahedron(r3.Vec{X: -12.25, Y: 3.5, Z: 700}), twoRegions()} {
			data := surfaceBytes(t, form.file, s, form.opt)
			f := readSurfaceBytes(t, form.file, data, ReadOptions{})
			got := f.Surface
			if len(got.Tris) != len(s.Tris) || len(got.Verts) != len(s.Verts) || f.Repeated != 0 || len(f.Names) != 0 {
				t.Fatalf("%s: %+v", form.name, f)
			}
			// rounded to what the format holds
			lattice := 0.0
			if form.name == "GLB" {
				lo, hi := mesh.Bounds(s.Verts)
				d := r3.Sub(hi, lo)
				lattice = max(d.X, d.Y, d.Z) / 65535
			}
			close := func(p, q r3.Vec) bool {
				switch {
				case form.file == "a.ply":
					return p == q
				case lattice > 0:
					d := r3.Sub(p, q)
					return max(math.Abs(d.X), math.Abs(d.Y), math.Abs(d.Z)) <= lattice*0.500001
				}
				return p == r3.Vec{X: float64(float32(q.X)), Y: float64(float32(q.Y)), Z: float64(float32(q.Z))}
			}
			// GLB keeps the faces of each pair of labels together
			order := make([]int, len(s.Tris))
			for i := range order {
				order[i] = i
			}
			if form.file == "a.glb" {
				first := map[mesh.Sides]int{}
				for i, r := range slices.Backward(s.Region) {
					first[r] = i
				}
				slices.SortStableFunc(order, func(a, b int) int { return first[s.Region[a]] - first[s.Region[b]] })
			}
			for i, n := range order {
				for k, v := range s.Tris[n] {
					if !close(got.Verts[got.Tris[i][k]], s.Verts[v]) {
						t.Fatalf("%s: corner %d of face %d came back as %v, not %v", form.name, k, n, got.Verts[got.Tris[i][k]], s.Verts[v])
					}
				}
				if form.file != "a.stl" && got.Region[i] != s.Region[n] {
					t.Fatalf("%s: face %d separates %v, not %v", form.name, n, got.Region[i], s.Region[n])
				}
			}
			// what was read is written alike
			again := surfaceBytes(t, form.file, got, form.opt)
			if form.name != "GLB" && form.name != "GLB float32" && !bytes.Equal(again, data) && len(s.Tris) == 8 {
				t.Errorf("%s: a second trip changes the file", form.name)
			}
		}
	}
}

// Files in other units come back in mm, by what they say themselves and by what
// the caller says.
func TestUnits(t *testing.T) {
	m, s := curved(pair()), octahedron(r3.Vec{X: 100})
	for _, u := range []Unit{Micrometre, Millimetre, Centimetre, Metre, Inch, Foot, 0.5} {
		for _, form := range tetForms {
			form.opt.Unit = u
			data := tetBytes(t, form.file, m, form.opt)
			opt := ReadOptions{Unit: u}
			if u != 0.5 {
				opt.Unit = 0 // the file says it
			}
			f := readTetBytes(t, form.file, data, opt)
			for n, p := range f.Mesh.Nodes {
				if r3.Norm(r3.Sub(p, m.Nodes[n])) > 1e-14 {
					t.Fatalf("%s in %v: node %d came back as %v, not %v", form.name, u, n, p, m.Nodes[n])
				}
			}
			if f.Unit != u {
				t.Errorf("%s: unit %v, not %v", form.name, f.Unit, u)
			}
			// the caller has the last word
			twice := readTetBytes(t, form.file, data, ReadOptions{Unit: 2 * u})
			if d := r3.Norm(r3.Sub(twice.Mesh.Nodes[1], r3.Scale(2, m.Nodes[1]))); d > 1e-13 {
				t.Errorf("%s: %v off", form.name, d)
			}
		}
		for _, form := range surfaceForms {
			form.opt.Unit = u
			data := surfaceBytes(t, form.file, s, form.opt)
			got := readSurfaceBytes(t, form.file, data, ReadOptions{Unit: u}).Surface
			if v := got.VolumeMM3(imaging.Label.InOrgan); math.Abs(v-36000) > 0.02*36 || len(got.Verts) != 6 {
				t.Errorf("%s in %v: %g mm³", form.name, u, v)
			}
		}
	}
	for name, want := range map[string]Unit{"mm": 1, " CM ": 10, "metres": 1000, "Inch": 25.4, "µm": 0.001, "ft": 304.8} {
		if u, err := ParseUnit(name); err != nil || u != want {
			t.Errorf("%q: %v, %v", name, float64(u), err)
		}
	}
	for _, name := range []string{"", "km2", "parsec"} {
		if _, err := ParseUnit(name); err == nil || !strings.Contains(err.Error(), "mm") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, u := range []Unit{-1, Unit(math.NaN()), Unit(math.Inf(1))} {
		if _, err := ReadSurface(bg, bytes.NewReader(nil), "a.stl", ReadOptions{Unit: u}); err == nil {
			t.Errorf("unit %v was taken", float64(u))
		}
		if err := WriteSurface(bg, &bytes.Buffer{}, "a.stl", s, WriteOptions{Unit: u}); err == nil {
			t.Errorf("unit %v was taken", float64(u))
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	var unknown *UnknownFormatError
	_, err := ReadTetMesh(bg, bytes.NewReader(nil), "mesh.obj", ReadOptions{})
	if !errors.As(err, &unknown) || !slices.Equal(unknown.Known, []string{".vtu", ".msh", ".inp", ".feb"}) || !strings.Contains(err.Error(), ".msh") {
		t.Error(err)
	}
	_, err = ReadSurface(bg, bytes.NewReader(nil), "mesh.vtu", ReadOptions{})
	if !errors.As(err, &unknown) || !slices.Equal(unknown.Known, []string{".stl", ".ply", ".glb"}) {
		t.Error(err)
	}
	if err := WriteTetMesh(bg, &bytes.Buffer{}, "a.stl", pair(), WriteOptions{}); !errors.As(err, &unknown) {
		t.Error(err)
	}
	if err := WriteSurface(bg, &bytes.Buffer{}, "a", octahedron(r3.Vec{}), WriteOptions{}); !errors.As(err, &unknown) {
		t.Error(err)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	s, m := octahedron(r3.Vec{}), pair()
	if err := os.WriteFile(filepath.Join(dir, "A.STL"), surfaceBytes(t, "A.STL", s, WriteOptions{}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.Msh"), tetBytes(t, "a.Msh", m, WriteOptions{}), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := ReadSurfaceFile(bg, filepath.Join(dir, "A.STL"), ReadOptions{}); err != nil || len(f.Surface.Tris) != 8 {
		t.Error(err)
	}
	if f, err := ReadTetMeshFile(bg, filepath.Join(dir, "a.Msh"), ReadOptions{}); err != nil || len(f.Mesh.Tets) != 2 {
		t.Error(err)
	}
	if _, err := ReadTetMeshFile(bg, filepath.Join(dir, "b.msh"), ReadOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := ReadSurfaceFile(bg, filepath.Join(dir, "b.stl"), ReadOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestWritersRefuse(t *testing.T) {
	for name, spoil := range map[string]func(m *mesh.TetMesh, o *WriteOptions){
		"NaN node":  func(m *mesh.TetMesh, _ *WriteOptions) { m.Nodes[2].X = math.NaN() },
		"Inf node":  func(m *mesh.TetMesh, _ *WriteOptions) { m.Nodes[2].X = math.Inf(-1) },
		"index":     func(m *mesh.TetMesh, _ *WriteOptions) { m.Tets[1][1] = int32(len(m.Nodes)) },
		"mid":       func(m *mesh.TetMesh, _ *WriteOptions) { m.Mid = make([][6]int32, 1) },
		"mid index": func(m *mesh.TetMesh, _ *WriteOptions) { m.Mid = [][6]int32{{}, {0, 0, 0, 0, 0, -1}} },
		"region":    func(m *mesh.TetMesh, _ *WriteOptions) { m.Region = m.Region[1:] },
		"no name": func(m *mesh.TetMesh, o *WriteOptions) {
			o.PointFields = []Field{{Scalars: make([]float64, len(m.Nodes))}}
		},
		"short":   func(m *mesh.TetMesh, o *WriteOptions) { o.PointFields = []Field{{Name: "p", Scalars: []float64{1}}} },
		"nothing": func(_ *mesh.TetMesh, o *WriteOptions) { o.PointFields = []Field{{Name: "p"}} },
		"both": func(m *mesh.TetMesh, o *WriteOptions) {
			o.PointFields = []Field{{Name: "p", Scalars: make([]float64, len(m.Nodes)), Vectors: m.Nodes}}
		},
		"Inf value": func(_ *mesh.TetMesh, o *WriteOptions) {
			o.CellFields = []Field{{Name: "p", Scalars: []float64{1, math.Inf(1)}}}
		},
		"NaN vector": func(_ *mesh.TetMesh, o *WriteOptions) {
			o.CellFields = []Field{{Name: "p", Vectors: []r3.Vec{{Y: math.NaN()}, {}}}}
		},
		"reserved": func(_ *mesh.TetMesh, o *WriteOptions) {
			o.CellFields = []Field{{Name: "region", Scalars: []float64{1, 2}}}
		},
	} {
		for _, form := range tetForms {
			m, opt := pair(), form.opt
			spoil(m, &opt)
			var b bytes.Buffer
			if refuses(t, form.name+", "+name, WriteTetMesh(bg, &b, form.file, m, opt)); b.Len() != 0 {
				t.Errorf("%s, %s: %d bytes written", form.name, name, b.Len())
			}
		}
	}
	for _, form := range tetForms[3:] {
		opt := form.opt
		opt.PointFields = []Field{{Name: "p", Scalars: make([]float64, 5)}}
		refuses(t, form.name+", fields", WriteTetMesh(bg, &bytes.Buffer{}, form.file, pair(), opt))
		if opt = form.opt; form.file != "a.inp" {
			opt.Version = "1.0"
			refuses(t, form.name+", version", WriteTetMesh(bg, &bytes.Buffer{}, form.file, pair(), opt))
		}
	}
	for name, spoil := range map[string]func(s *mesh.Surface){
		"NaN":      func(s *mesh.Surface) { s.Verts[3].Y = math.NaN() },
		"too far":  func(s *mesh.Surface) { s.Verts[3].Y = 1e39 },
		"index":    func(s *mesh.Surface) { s.Tris[3][1] = 6 },
		"negative": func(s *mesh.Surface) { s.Tris[3][1] = -1 },
		"regions":  func(s *mesh.Surface) { s.Region = s.Region[1:] },
	} {
		for _, form := range surfaceForms {
			s := octahedron(r3.Vec{})
			spoil(s)
			var b bytes.Buffer
			if refuses(t, form.name+", "+name, WriteSurface(bg, &b, form.file, s, form.opt)); b.Len() != 0 {
				t.Errorf("%s, %s: %d bytes written", form.name, name, b.Len())
			}
		}
	}
	ball := block()
	for _, form := range tetForms {
		if err := WriteTetMesh(bg, failing{}, form.file, ball, form.opt); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("%s, a full disk: %v", form.name, err)
		}
	}
	for _, form := range surfaceForms {
		if err := WriteSurface(bg, failing{}, form.file, octahedron(r3.Vec{}), form.opt); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("%s, a full disk: %v", form.name, err)
		}
	}
}

// Readers and writers stop when they are told to.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(bg)
	cancel()
	m, s := block(), octahedron(r3.Vec{})
	for _, form := range tetForms {
		data := tetBytes(t, form.file, m, form.opt)
		if _, err := ReadTetMesh(ctx, bytes.NewReader(data), form.file, ReadOptions{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, read: %v", form.name, err)
		}
		if err := WriteTetMesh(ctx, &bytes.Buffer{}, form.file, m, form.opt); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, write: %v", form.name, err)
		}
	}
	for len(s.Tris) < 1<<13 {
		s.Tris, s.Region = append(s.Tris, s.Tris...), append(s.Region, s.Region...)
	}
	for _, form := range surfaceForms {
		data := surfaceBytes(t, form.file, s, form.opt)
		if _, err := ReadSurface(ctx, bytes.NewReader(data), form.file, ReadOptions{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, read: %v", form.name, err)
		}
		if err := WriteSurface(ctx, &bytes.Buffer{}, form.file, s, form.opt); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, write: %v", form.name, err)
		}
	}
}
