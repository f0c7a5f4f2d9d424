package meshio

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// These tests hand our files to the real programs, and theirs to us. Each needs
// a Debian package (.ci/setup test installs them) and is skipped, by its name,
// without it; under HALSTED_REQUIRE_PEERS=1, as in .ci/run, it fails.
func missing(t *testing.T, what, packages string) {
	t.Helper()
	if os.Getenv("HALSTED_REQUIRE_PEERS") != "" {
		t.Fatalf("%s is missing; install %s", what, packages)
	}
	t.Skipf("NOT TESTED: %s is missing; install %s", what, packages)
}

// need returns the path of a program of a package.
func need(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		missing(t, program, pkg)
	}
	return path
}

// run starts a program in dir and returns what it prints.
func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return string(out)
}

func save(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// python starts a script with the VTK of Debian.
func python(t *testing.T, dir, script string) string {
	t.Helper()
	const path = "/usr/bin/python3"
	for _, need := range []string{"vtk.py", "numpy"} {
		if _, err := os.Stat("/usr/lib/python3/dist-packages/" + need); err != nil {
			missing(t, "VTK", "python3-vtk9 python3-numpy")
		}
	}
	return run(t, dir, path, "-c", script)
}

// figures parses "name number" lines.
func figures(t *testing.T, out string) map[string]float64 {
	t.Helper()
	got := map[string]float64{}
	for line := range strings.Lines(out) {
		w := strings.Fields(line)
		if len(w) != 2 {
			continue
		}
		if x, err := strconv.ParseFloat(w[1], 64); err == nil {
			got[w[0]] = x
		}
	}
	return got
}

func near(t *testing.T, what string, got, want, rel float64) {
	t.Helper()
	if !(math.Abs(got-want) <= rel*math.Abs(want)) {
		t.Errorf("%s: %.12g, want %.12g", what, got, want)
	}
}

// VTK reads our VTU in all three forms, and we read what VTK makes of them:
// text, base64 and appended, plain and packed, of either byte order and size
// of header.
func TestVTKReadsVTU(t *testing.T) {
	dir := t.TempDir()
	base := block()
	meshes := []*mesh.TetMesh{base, base.Quadratic()}
	for i, m := range meshes {
		for k, form := range tetForms[:3] {
			form.opt.PointFields = []Field{{Name: "displacement_mm", Vectors: tenth(m)}}
			save(t, filepath.Join(dir, fmt.Sprintf("a%d%d.vtu", i, k)), tetBytes(t, "a.vtu", m, form.opt))
		}
	}
	out := python(t, dir, `
import vtk
from vtk.util.numpy_support import vtk_to_numpy as np_
for i in range(2):
    for k in range(3):
        r = vtk.vtkXMLUnstructuredGridReader(); r.SetFileName("a%d%d.vtu" % (i, k)); r.Update()
        g = r.GetOutput()
        q = vtk.vtkCellSizeFilter(); q.SetInputData(g); q.Update()
        v = np_(q.GetOutput().GetCellData().GetArray("Volume"))
        l = np_(g.GetCellData().GetArray("region"))
        u = np_(g.GetPointData().GetArray("displacement_mm")); p = np_(g.GetPoints().GetData())
        for name, x in (("points", g.GetNumberOfPoints()), ("cells", g.GetNumberOfCells()), ("type", g.GetCellType(0)),
                ("volume", v.sum()), ("liver", v[l == 3].sum()), ("field", abs(u - 0.1 * p).max())):
            print("%s%d%d" % (name, i, k), repr(float(x)))
    n = 0
    for mode in (0, 1, 2):
        for zlib in (0, 1):
            for small in (0, 1):
                for encode in (0, 1):
                    w = vtk.vtkXMLUnstructuredGridWriter(); w.SetInputData(g); w.SetFileName("b%d-%d.vtu" % (i, n)); n += 1
                    w.SetDataMode(mode); w.SetEncodeAppendedData(encode); w.SetBlockSize(4096)
                    w.SetHeaderTypeToUInt32() if small else w.SetHeaderTypeToUInt64()
                    w.SetByteOrderToBigEndian() if small else w.SetByteOrderToLittleEndian()
                    w.SetCompressorTypeToZLib() if zlib else w.SetCompressorTypeToNone()
                    w.Write()
`)
	got := figures(t, out)
	for i, m := range meshes {
		kind := 10.
		if m.Mid != nil {
			kind = 24
		}
		u := tenth(m)
		for k, form := range tetForms[:3] {
			at := func(name string) float64 { return got[fmt.Sprintf("%s%d%d", name, i, k)] }
			if at("points") != float64(len(m.Nodes)) || at("cells") != float64(len(m.Tets)) || at("type") != kind {
				t.Fatalf("%s: VTK sees %v", form.name, got)
			}
			near(t, form.name+", volume", at("volume"), m.VolumeMM3(nil), 1e-12)
			near(t, form.name+", liver", at("liver"), m.VolumeMM3(func(l imaging.Label) bool { return l == imaging.LabelLiver }), 1e-12)
			if at("field") > 1e-12 {
				t.Errorf("%s: the field is off by %g", form.name, at("field"))
			}
		}
		for n := range 24 {
			name := filepath.Join(dir, fmt.Sprintf("b%d-%d.vtu", i, n))
			f, err := ReadTetMeshFile(bg, name, ReadOptions{})
			if err != nil {
				t.Fatalf("form %d: %v", n, err)
			}
			if n >= 8 { // below, VTK's text with fewer digits
				sameTets(t, name, f.Mesh, m)
			}
			if len(f.PointFields) != 1 || f.PointFields[0].Name != "displacement_mm" || len(f.PointFields[0].Vectors) != len(u) {
				t.Fatalf("form %d: fields %+v", n, f.PointFields)
			}
			for i, x := range f.PointFields[0].Vectors {
				if r3.Norm(r3.Sub(x, u[i])) > 1e-4 || r3.Norm(r3.Sub(f.Mesh.Nodes[i], m.Nodes[i])) > 1e-3 {
					t.Fatalf("form %d: node %d is at %v with %v", n, i, f.Mesh.Nodes[i], x)
				}
			}
		}
	}
}

// tenth is a field that can be told from the nodes.
func tenth(m *mesh.TetMesh) []r3.Vec {
	u := make([]r3.Vec, len(m.Nodes))
	for n, p := range m.Nodes {
		u[n] = r3.Scale(0.1, p)
	}
	return u
}

// VTK sees the same surface in our STL and PLY, and we in its.
func TestVTKReadsSurfaces(t *testing.T) {
	dir := t.TempDir()
	ball := block()
	s, _ := ball.Boundary()
	volume := ball.VolumeMM3(nil)
	script := "import vtk\n"
	for i, form := range surfaceForms[:5] {
		ext := form.file[2:]
		save(t, filepath.Join(dir, fmt.Sprintf("a%d.%s", i, ext)), surfaceBytes(t, form.file, s, form.opt))
		script += fmt.Sprintf(`
r = vtk.vtk%[1]sReader(); r.SetFileName("a%[2]d.%[3]s"); r.Update(); p = r.GetOutput()
m = vtk.vtkMassProperties(); m.SetInputData(p); print("volume%[2]d", repr(m.GetVolume()))
print("points%[2]d", p.GetNumberOfPoints()); print("cells%[2]d", p.GetNumberOfCells())
for kind in (1, 2):
    w = vtk.vtk%[1]sWriter(); w.SetInputData(p); w.SetFileName("b%[2]d-%%d.%[3]s" %% kind); w.SetFileType(kind); w.Write()
`, strings.ToUpper(ext), i, ext)
	}
	got := figures(t, python(t, dir, script))
	for i, form := range surfaceForms[:5] {
		at := func(name string) float64 { return got[fmt.Sprintf("%s%d", name, i)] }
		if at("points") != float64(len(s.Verts)) || at("cells") != float64(len(s.Tris)) {
			t.Errorf("%s: VTK sees %v", form.name, got)
		}
		near(t, form.name, at("volume"), volume, 1e-5)
		for kind := 1; kind <= 2; kind++ {
			f, err := ReadSurfaceFile(bg, filepath.Join(dir, fmt.Sprintf("b%d-%d.%s", i, kind, form.file[2:])), ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Surface.Verts) != len(s.Verts) || !f.Surface.Defects().Sound() {
				t.Errorf("%s, form %d: %v", form.name, kind, f.Surface.Defects())
			}
			near(t, form.name+" from VTK", f.Surface.VolumeMM3(imaging.Label.InOrgan), volume, 1e-4)
		}
	}
}

// gmsh reads our files and writes each version; volumes, regions and, for
// curved elements, the order of nodes survive.
func TestGmsh(t *testing.T) {
	gmsh := need(t, "gmsh", "gmsh")
	dir := t.TempDir()
	ball := block()
	for _, m := range []*mesh.TetMesh{ball, curved(ball)} {
		for i, form := range tetForms[3:7] {
			save(t, filepath.Join(dir, "a.msh"), tetBytes(t, "a.msh", m, form.opt))
			// each of ours becomes another of theirs
			to := [4][]string{{"-format", "msh22"}, {"-format", "msh22", "-bin"}, {"-format", "msh41"}, {"-format", "msh41", "-bin"}}[i]
			out := run(t, dir, gmsh, append([]string{"a.msh", "-save", "-o", "b.msh", "-nopopup", "-v", "3"}, to...)...)
			if strings.Contains(out, "Error") || strings.Contains(out, "Warning") {
				t.Fatalf("%s: gmsh says %s", form.name, out)
			}
			f, err := ReadTetMeshFile(bg, filepath.Join(dir, "b.msh"), ReadOptions{})
			if err != nil {
				t.Fatalf("%s → %s: %v", form.name, to, err)
			}
			// gmsh may number afresh, and prints 16 digits; what must hold is the mesh
			if len(f.Mesh.Tets) != len(m.Tets) || len(f.Mesh.Nodes) != len(m.Nodes) || f.Inverted != 0 || len(f.Names) != 0 {
				t.Fatalf("%s → %s: %d elements, %d nodes, names %v", form.name, to, len(f.Mesh.Tets), len(f.Mesh.Nodes), f.Names)
			}
			if err := f.Mesh.Check(); err != nil {
				t.Fatalf("%s → %s: %v", form.name, to, err)
			}
			for _, l := range []imaging.Label{imaging.LabelLiver, imaging.LabelTumour} {
				of := func(o imaging.Label) bool { return o == l }
				near(t, fmt.Sprintf("%s → %s, %v", form.name, to, l), f.Mesh.VolumeMM3(of), m.VolumeMM3(of), 1e-12)
			}
		}
	}
}

// gmsh meshes a box itself, linear and quadratic, with a physical group and
// faces and lines among the elements.
func TestGmshMeshes(t *testing.T) {
	gmsh := need(t, "gmsh", "gmsh")
	dir := t.TempDir()
	save(t, filepath.Join(dir, "box.geo"), []byte(`SetFactory("OpenCASCADE");
Box(1) = {0, 0, 0, 30, 20, 10};
Box(2) = {30, 0, 0, 10, 20, 10};
Coherence;
Physical Volume("liver") = {1};
Physical Volume("Muscle", 77) = {2};
Physical Surface("wall") = {1, 2};
Physical Curve("edge") = {1};
Mesh.MeshSizeMax = 6;
`))
	for i, version := range []string{"msh22", "msh41", "msh22", "msh41"} {
		order, bin := []string{"1", "1", "2", "2"}[i], []string{"0", "1", "1", "0"}[i]
		run(t, dir, gmsh, "box.geo", "-3", "-order", order, "-format", version, "-setnumber", "Mesh.Binary", bin, "-o", "box.msh", "-nopopup", "-v", "2")
		f, err := ReadTetMeshFile(bg, filepath.Join(dir, "box.msh"), ReadOptions{})
		if err != nil {
			t.Fatalf("order %s, %s, binary %s: %v", order, version, bin, err)
		}
		if err := f.Mesh.Check(); err != nil || (f.Mesh.Mid != nil) != (order == "2") {
			t.Fatalf("order %s, %s, binary %s: %v", order, version, bin, err)
		}
		near(t, "liver", f.Mesh.VolumeMM3(func(l imaging.Label) bool { return l == imaging.LabelLiver }), 6000, 1e-9)
		near(t, "Muscle", f.Mesh.VolumeMM3(func(l imaging.Label) bool { return l == 77 }), 2000, 1e-9)
		if f.Names[77] != "Muscle" || len(f.Skipped) != 2 {
			t.Errorf("names %v, skipped %v", f.Names, f.Skipped)
		}
	}
	// and its Abaqus files
	run(t, dir, gmsh, "box.geo", "-3", "-format", "inp", "-o", "box.inp", "-nopopup", "-v", "2")
	f, err := ReadTetMeshFile(bg, filepath.Join(dir, "box.inp"), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "liver of .inp", f.Mesh.VolumeMM3(func(l imaging.Label) bool { return l == imaging.LabelLiver }), 6000, 1e-9)
}

// CalculiX solves a patch test on our file: a bar pulled in x with a displacement linear in
// x must stretch evenly, whatever the mesh, for C3D4 and C3D10.
func TestCalculiXPatch(t *testing.T) {
	ccx := need(t, "ccx", "calculix-ccx")
	dir := t.TempDir()
	ball := block()
	for _, m := range []*mesh.TetMesh{ball, ball.Quadratic()} {
		const e, nu, strain = 0.01, 0.3, 1e-3 // MPa
		var b bytes.Buffer
		b.Write(tetBytes(t, "a.inp", m, WriteOptions{}))
		for _, name := range []string{"liver", "tumour_1"} {
			fmt.Fprintf(&b, "*SOLID SECTION, ELSET=%s, MATERIAL=SOFT\n", name)
		}
		fmt.Fprintf(&b, "*MATERIAL, NAME=SOFT\n*ELASTIC\n%g, %g\n*STEP\n*STATIC\n*BOUNDARY\n", e, nu)
		s, node := m.Boundary()
		for i := range s.Verts {
			p := m.Nodes[node[i]]
			// u = strain·x, v = −ν·strain·y, w = −ν·strain·z: uniaxial stress
			fmt.Fprintf(&b, "%[1]d, 1, 1, %.12[2]g\n%[1]d, 2, 2, %.12[3]g\n%[1]d, 3, 3, %.12[4]g\n", node[i]+1, strain*p.X, -nu*strain*p.Y, -nu*strain*(p.Z-310.5))
		}
		b.WriteString("*NODE PRINT, NSET=ALL\nU\n*EL PRINT, ELSET=liver\nS\n*EL PRINT, ELSET=tumour_1\nS\n*END STEP\n")
		save(t, filepath.Join(dir, "patch.inp"), b.Bytes())
		out := run(t, dir, ccx, "patch")
		if strings.Contains(out, "*ERROR") {
			t.Fatal(out)
		}
		data, err := os.ReadFile(filepath.Join(dir, "patch.dat"))
		if err != nil {
			t.Fatal(err)
		}
		nodes, points, worst := 0, 0, 0.0
		for line := range strings.Lines(string(data)) {
			w := strings.Fields(line)
			x := make([]float64, len(w))
			for i := range w {
				var err error
				if x[i], err = strconv.ParseFloat(w[i], 64); err != nil {
					x = nil
					break
				}
			}
			switch len(x) {
			case 4: // node, u
				p := m.Nodes[int(x[0])-1]
				nodes++
				worst = max(worst, math.Abs(x[1]-strain*p.X)/strain, math.Abs(x[2]+nu*strain*p.Y)/strain, math.Abs(x[3]+nu*strain*(p.Z-310.5))/strain)
			case 8: // element, point, six stresses
				points++
				worst = max(worst, math.Abs(x[2]/(e*strain)-1))
				for _, y := range x[3:] {
					worst = max(worst, math.Abs(y/(e*strain)))
				}
			}
		}
		per := 1
		if m.Mid != nil {
			per = 4
		}
		if nodes != len(m.Nodes) || points != per*len(m.Tets) || worst > 1e-4 {
			t.Errorf("CalculiX: %d nodes, %d points of %d elements, worst error %g", nodes, points, len(m.Tets), worst)
		}
		// what CalculiX took we read back too, sections and all
		f := readTetBytes(t, "a.inp", b.Bytes(), ReadOptions{})
		if len(f.Mesh.Tets) != len(m.Tets) || f.Mesh.Region[0] != m.Region[0] {
			t.Errorf("%+v", f)
		}
	}
}
