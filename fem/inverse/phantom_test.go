package inverse

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// The phantom cylinder of SOFA (sofa-framework/sofa@2a278d8, LGPL-2.1):
// examples/Benchmark/Accuracy/cylinder_PhantomSolution.scn, "Cylindrical beam
// under gravity: phantom experiment" (2008). Metres there: the deformed surface
// truthCylinder-Deformed.obj, held at z = 0, gravity along −y, and the place of
// the middle of its free end. share/mesh/truthcylinder1.msh is the cylinder at
// rest, axis y, in units of phantomUnitMM: truthcylinder1.obj names it
// "TruthCylinder_Straight_Refined (178x38mm)" and it measures 35.56 × 7.5.
// Material and density are in neither; a beam under its weight tells only E/ρ.
const (
	phantomUnitMM       = 5
	phantomDensity      = 1e-9 // t/mm³, assumed
	phantomGravity      = 9810 // mm/s², as in the scene
	phantomNu           = 0.49 // as in SOFA's scenes with this mesh
	phantomLengthMM     = 35.56 * phantomUnitMM
	phantomHeldMM       = 0.01 // nodes below are held
	phantomEndPointName = "middle of the free end"
)

// phantomEnd is where the middle of the free end was found, mm.
var phantomEnd = r3.Vec{Y: -119.383, Z: 126.842}

// phantomReport is the acceptance row.
type phantomReport struct {
	Fit              *Fit
	DOF              int
	TipMM            float64        // measured displacement of the end point
	EndOffMM         float64        // distance of the fitted end point to it
	ToReference      mesh.Deviation // from the vertices of the model's surface, clamped face left out
	FromReference    mesh.Deviation // and back
	MeanMM, Relative float64        // larger mean of the two; as a part of TipMM
}

// phantomCylinder fits Young's modulus to the end point alone and compares the
// surfaces. dir holds the SOFA meshes.
func phantomCylinder(ctx context.Context, dir string) (*phantomReport, error) {
	me, err := readGmsh1(filepath.Join(dir, "truthcylinder1.msh"))
	if err != nil {
		return nil, err
	}
	for i, p := range me.Nodes { // the axis y becomes z, from the clamp up
		me.Nodes[i] = r3.Scale(phantomUnitMM, r3.Vec{X: p.X, Y: -p.Z, Z: p.Y + 17.78})
	}
	me = me.Quadratic()
	ref, err := readOBJ(filepath.Join(dir, "truthCylinder-Deformed.obj"), 1000)
	if err != nil {
		return nil, err
	}
	build := func(p []float64) (*fem.Model, error) {
		law, err := material.NewNeoHookean(p[0]/(2*(1+phantomNu)), phantomNu)
		if err != nil {
			return nil, err
		}
		m := &fem.Model{Mesh: me, Regions: []fem.Region{{Label: tissue, Law: law, DensityTPerMM3: phantomDensity}}, GravityChange: r3.Vec{Y: -phantomGravity}}
		for axis := range int8(3) {
			m.Prescribed = append(m.Prescribed, hold(len(me.Nodes), axis, func(i int) bool { return me.Nodes[i].Z < phantomHeldMM })...)
		}
		return m, nil
	}
	rest := r3.Vec{Z: phantomLengthMM}
	obs := Observations{Displacements: []Displacement{{
		Name: phantomEndPointName, AtMM: rest, MovedMM: r3.Sub(phantomEnd, rest), SDMM: r3.Vec{X: 1, Y: 1, Z: 1},
	}}}
	rep := &phantomReport{TipMM: r3.Norm(obs.Displacements[0].MovedMM)}
	var u []r3.Vec // of the last solve
	solve := func(ctx context.Context, m *fem.Model, s fem.Settings, emit func(*fem.Frame) error) (fem.Result, error) {
		return fem.Solve(ctx, m, s, func(f *fem.Frame) error { u = f.U; return emit(f) })
	}
	s := fem.Settings{Steps: 5, ResidualTol: 1e-6}
	if rep.Fit, err = Calibrate(ctx, build, obs, []Parameter{{Name: "E", Unit: "MPa", Start: 0.06, Min: 0.01, Max: 1}}, CalibrateOptions{Settings: s, Solve: solve}); err != nil {
		return nil, err
	}
	m, err := build([]float64{rep.Fit.Parameters[0].Value})
	if err != nil {
		return nil, err
	}
	s.Steps, s.Guess = 1, u
	res, err := solve(ctx, m, s, func(*fem.Frame) error { return nil })
	if err != nil {
		return nil, err
	}
	rep.DOF = res.DOF
	for _, r := range rep.Fit.Residuals {
		rep.EndOffMM = r3.Norm(r3.Vec{X: rep.EndOffMM, Y: r.Fitted - r.Measured})
	}
	moved := *me
	moved.Nodes = make([]r3.Vec, len(u))
	for i, p := range me.Nodes {
		moved.Nodes[i] = r3.Add(p, u[i])
	}
	surface, _ := moved.Boundary()
	rep.ToReference = unclamped(surface).DistanceTo(ref)
	rep.FromReference = unclamped(ref).DistanceTo(surface)
	rep.MeanMM = max(rep.ToReference.MeanMM, rep.FromReference.MeanMM)
	rep.Relative = rep.MeanMM / rep.TipMM
	return rep, nil
}

// unclamped leaves out faces with a vertex at z = 0.
func unclamped(s *mesh.Surface) *mesh.Surface {
	out := &mesh.Surface{Verts: s.Verts}
	for _, t := range s.Tris {
		if min(s.Verts[t[0]].Z, s.Verts[t[1]].Z, s.Verts[t[2]].Z) > phantomHeldMM {
			out.Tris = append(out.Tris, t)
		}
	}
	return out
}

// readGmsh1 reads the tetrahedra of a gmsh 1 file ($NOD, $ELM; type 4), in file units.
func readGmsh1(path string) (*mesh.TetMesh, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &mesh.TetMesh{}
	number := map[string]int32{} // only looked up
	part := ""
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		w := strings.Fields(sc.Text())
		switch {
		case len(w) == 1 && strings.HasPrefix(w[0], "$"):
			part = w[0]
		case part == "$NOD" && len(w) == 4:
			p, err := vector(w[1:])
			if err != nil {
				return nil, fmt.Errorf("%s: node %s: %w", path, w[0], err)
			}
			number[w[0]] = int32(len(m.Nodes))
			m.Nodes = append(m.Nodes, p)
		case part == "$ELM" && len(w) == 9 && w[1] == "4":
			var t [4]int32
			for a, name := range w[5:] {
				v, ok := number[name]
				if !ok {
					return nil, fmt.Errorf("%s: element %s names node %s", path, w[0], name)
				}
				t[a] = v
			}
			if mesh.Signed6(m.Nodes[t[0]], m.Nodes[t[1]], m.Nodes[t[2]], m.Nodes[t[3]]) < 0 {
				t[0], t[1] = t[1], t[0]
			}
			m.Tets, m.Region = append(m.Tets, t), append(m.Region, tissue)
		}
	}
	return m, sc.Err()
}

// readOBJ reads vertices, times scale, and triangles of an OBJ file.
func readOBJ(path string, scale float64) (*mesh.Surface, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &mesh.Surface{}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		w := strings.Fields(sc.Text())
		switch {
		case len(w) >= 4 && w[0] == "v":
			p, err := vector(w[1:4])
			if err != nil {
				return nil, fmt.Errorf("%s: vertex %d: %w", path, len(s.Verts), err)
			}
			s.Verts = append(s.Verts, r3.Scale(scale, p))
		case len(w) == 4 && w[0] == "f":
			var t [3]int32
			for a, c := range w[1:] {
				head, _, _ := strings.Cut(c, "/")
				v, err := strconv.Atoi(head)
				if err != nil || v < 1 || v > len(s.Verts) {
					return nil, fmt.Errorf("%s: face %d names vertex %q", path, len(s.Tris), head)
				}
				t[a] = int32(v - 1)
			}
			s.Tris = append(s.Tris, t)
		}
	}
	return s, sc.Err()
}

func vector(w []string) (r3.Vec, error) {
	var c [3]float64
	for k := range c {
		v, err := strconv.ParseFloat(w[k], 64)
		if err != nil {
			return r3.Vec{}, err
		}
		c[k] = v
	}
	return r3.Vec{X: c[0], Y: c[1], Z: c[2]}, nil
}

func TestPhantomCylinder(t *testing.T) {
	data := os.Getenv("HALSTED_DATA")
	if data == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	rep, err := phantomCylinder(context.Background(), filepath.Join(data, "meshes", "sofa"))
	if err != nil {
		t.Fatal(err)
	}
	e := rep.Fit.Parameters[0]
	t.Logf("%d DOF: E = %.2f kPa (%.2f to %.2f) at 1000 kg/m³, %d forward solves; end point %.2f mm off of %.1f", rep.DOF, 1e3*e.Value, 1e3*e.Low, 1e3*e.High, rep.Fit.ForwardSolves, rep.EndOffMM, rep.TipMM)
	t.Logf("surface: there %+v, back %+v; mean %.3f mm, %.2f %%", rep.ToReference, rep.FromReference, rep.MeanMM, 100*rep.Relative)
	for _, r := range rep.Fit.Residuals {
		t.Logf("%+v", r)
	}
	if !(rep.Relative <= 0.02) {
		t.Errorf("mean surface distance %.3f mm is %.2f %% of the tip displacement", rep.MeanMM, 100*rep.Relative)
	}
}
