package verify

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"halsted/fem"
	"halsted/fem/inverse"
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

func init() {
	register(Case{
		Name: "phantom-cylinder", Title: "Phantom cylinder of SOFA under gravity", Group: Published,
		Text: "A silicone beam of 178 × 38 mm held at one end, bent by its weight; neo-Hookean, ν = 0.49, Tet10 in the displacement form, Young's modulus fitted to the measured place of the middle of the free end alone, at an assumed 1000 kg/m³ (a beam under its weight tells only E/ρ). " +
			"Then the mean distance of the two surfaces, the larger of both ways, over the displacement of that point; at most 2 %. Lengths are metres in the scene (×1000) and 5 mm in the mesh at rest. The meshes are read from $HALSTED_DATA/meshes/sofa.",
		Source: "[R] sofa-framework/sofa@2a278d8, examples/Benchmark/Accuracy/cylinder_PhantomSolution.scn and its meshes, a measured surface (2008)",
		Run:    runPhantom,
	})
}

func runPhantom(ctx context.Context, l Level) ([]Row, error) {
	if l == Quick {
		return nil, notRun("a fit of several solves: on the stated mesh only")
	}
	dir := filepath.Join(os.Getenv("HALSTED_DATA"), "meshes", "sofa")
	for _, name := range []string{"truthcylinder1.msh", "truthCylinder-Deformed.obj"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return nil, notRun(fmt.Sprintf("%s is not in $HALSTED_DATA/meshes/sofa", name))
		}
	}
	rep, err := phantomCylinder(ctx, dir)
	if err != nil {
		return nil, err
	}
	e := rep.Fit.Parameters[0]
	name := fmt.Sprintf("truthcylinder1, Tet10, %d unknowns", rep.DOF)
	return []Row{
		shown("Young's modulus found, at 1000 kg/m³", name, "MPa", e.Value, 0).because(fmt.Sprintf("%d forward solves", rep.Fit.ForwardSolves)),
		shown("end point off", name, "mm", rep.EndOffMM, 0),
		shown("mean distance of the surfaces", name, "mm", rep.MeanMM, 0),
		bound("mean distance of the surfaces over the displacement of the end", name, "", rep.Relative, 0.02),
	}, nil
}

// phantomReport is what the case tells.
type phantomReport struct {
	Fit              *inverse.Fit
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
		m.Prescribed = prescribed(me, func(p r3.Vec) bool { return p.Z < phantomHeldMM }, still)
		return m, nil
	}
	rest := r3.Vec{Z: phantomLengthMM}
	obs := inverse.Observations{Displacements: []inverse.Displacement{{
		Name: phantomEndPointName, AtMM: rest, MovedMM: r3.Sub(phantomEnd, rest), SDMM: r3.Vec{X: 1, Y: 1, Z: 1},
	}}}
	rep := &phantomReport{TipMM: r3.Norm(obs.Displacements[0].MovedMM)}
	var u []r3.Vec // of the last solve
	solve := func(ctx context.Context, m *fem.Model, s fem.Settings, emit func(*fem.Frame) error) (fem.Result, error) {
		return fem.Solve(ctx, m, s, func(f *fem.Frame) error { u = f.U; return emit(f) })
	}
	s := fem.Settings{Steps: 5, ResidualTol: 1e-6}
	if rep.Fit, err = inverse.Calibrate(ctx, build, obs, []inverse.Parameter{{Name: "E", Unit: "MPa", Start: 0.06, Min: 0.01, Max: 1}}, inverse.CalibrateOptions{Settings: s, Solve: solve}); err != nil {
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
