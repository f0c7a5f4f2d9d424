package deck

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"halsted/fem"
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// two is a pair of tetrahedra on either side of x = 0, of two regions.
const two = `*NODE
1, 0, 0, 0
2, 0, 2, 0
3, 0, 0, 2
4, 3, 0, 0
5, -3, 0, 0
*ELEMENT, TYPE=C3D4, ELSET=liver
1, 1, 2, 3, 4
*ELEMENT, TYPE=C3D4, ELSET=tumour_1
2, 1, 3, 2, 5
*NSET, NSET=Ends
4, 5
*SURFACE, NAME=Side
1, S2
`

const twoMaterials = `"materials": [{"region": "liver", "tissue": "liver.parenchyma.normal"}, {"region": "tumour_1", "law": "neo-hookean", "youngs_modulus_kPa": 10, "poisson_ratio": 0.45, "density_kg_per_m3": 1060}]`

func modelText(parts ...string) string {
	return `{"halsted_model": 1, "mesh": {"file": "two.inp"}, ` + strings.Join(parts, ", ") + "}"
}

func readModel(t *testing.T, text string) (*fem.Model, fem.Settings, Report, error) {
	t.Helper()
	return Read(t.Context(), "dir/a.json", Options{Open: files{"dir/a.json": text, "dir/two.inp": two}.open})
}

func TestModelFile(t *testing.T) {
	m, s, rep, err := readModel(t, modelText(twoMaterials,
		`"title": "t", "selections": {"ends": {"nodes": "Ends"}, "side": {"faces": "Side"}, "border": {"border": ["liver", "tumour_1"]}, "skin": {"region": "liver", "facing": {"direction": [1, 1, 1], "within_deg": 80}},
		"right": {"box_mm": {"min": [2, -1, -1], "max": [4, 1, 1]}}, "all": {}, "ball": {"sphere_mm": {"centre": [0, 0, 0], "radius": 2}}}`,
		`"fixed": [{"at": "border"}], "prescribed": [{"at": "right", "axis": "x", "displacement_cm": 0.1}]`,
		`"loads": [{"at": "side", "pressure_mmHg": 100}, {"at": "side", "pressure_kPa": 1, "follows": false}, {"at": "skin", "force_mN": [0, 0, 5]}, {"at": "right", "force_per_node_N": [0, 0, 2]}]`,
		`"gravity_change_m_per_s2": [0, 9.81, 0]`,
		`"springs": [{"name": "ligament", "at": "ends", "stiffness_N_per_m": 5, "anchor_mm": [0, 0, 9], "tension_only": true}, {"at": "right", "to": "ball", "stiffness_N_per_mm": 1}]`,
		`"foundations": [{"at": "skin", "normal_kPa_per_mm": 2}], "membranes": [{"at": "side", "law": "linear", "youngs_modulus_MPa": 8, "poisson_ratio": 0.4, "thickness_um": 60}]`,
		`"contacts": [{"at": "side", "obstacle": {"plane_mm": {"point": [0, 0, -1], "normal": [0, 0, 1]}, "move_mm": [[0, 0, 1]]}, "friction": 0.2}]`,
		`"stages": [{"name": "a", "duration_ms": 500, "steps": 3}, {"release": [{"at": "border", "axes": "yz"}], "loads": [], "remove": "tumour_1", "detach": ["ligament"], "sudden": true}]`,
		`"settings": {"formulation": "mean-dilatation", "residual_tolerance": 1e-7, "steps": 4}`))
	if err != nil {
		t.Fatal(err)
	}
	if rep.Title != "t" || s.Formulation != fem.MeanDilatation || s.ResidualTol != 1e-7 || s.Steps != 4 || len(rep.NodeNumbers) != 5 {
		t.Errorf("%+v %+v", s, rep)
	}
	if m.Regions[0].Label != imaging.LabelLiver || m.Regions[0].Law.ShearMPa() != 9e-4 || math.Abs(m.Regions[1].DensityTPerMM3-1.06e-9) > 1e-22 {
		t.Errorf("%+v", m.Regions)
	}
	if len(m.Prescribed) != 10 || m.Prescribed[9] != (fem.Prescribed{Node: 3, Axis: 0, ValueMM: 1}) {
		t.Errorf("%+v", m.Prescribed)
	}
	if math.Abs(m.Loads[0].PressureMPa-.0133322387415) > 1e-12 || !m.Loads[0].Follows || m.Loads[1].Follows || m.Loads[1].PressureMPa != 1e-3 || m.Loads[0].Face != [3]int32{0, 3, 1} {
		t.Errorf("%+v", m.Loads)
	}
	// the skin is the slanted face alone: area √(2·3+…) by the cross product
	area := r3.Norm(r3.Cross(r3.Vec{X: -3, Y: 2}, r3.Vec{X: -3, Z: 2})) / 2
	if len(m.Loads) != 3 || math.Abs(m.Loads[2].TractionMPa.Z*area-5e-3) > 1e-15 {
		t.Errorf("%+v", m.Loads)
	}
	if len(m.Forces) != 1 || m.Forces[0] != (fem.NodalForce{Node: 3, ForceN: r3.Vec{Z: 2}}) || m.GravityChange.Y != 9810 {
		t.Errorf("%+v", m.Forces)
	}
	if len(m.Springs) != 3 || m.Springs[0].StiffnessNPerMM != 5e-3 || m.Springs[2].Nodes != [2]int32{3, 0} || len(m.Foundations) != 1 || len(m.Membranes) != 1 || math.Abs(m.Membranes[0].Law.ThicknessMM()-.06) > 1e-15 {
		t.Errorf("%+v", m.Springs)
	}
	if len(m.Contacts) != 1 || m.Contacts[0].Obstacle.Shape.(fem.Plane).AtMM.Z != -1 || m.Contacts[0].Friction != .2 {
		t.Errorf("%+v", m.Contacts)
	}
	a, b := m.Stages[0], m.Stages[1]
	if a.DurationS != .5 || a.Steps != 3 || len(b.Release) != 6 || b.Loads == nil || len(b.Loads.Faces) != 0 || b.Loads.GravityChange.Y != 0 || len(b.Remove) != 1 || !b.Sudden {
		t.Errorf("%+v\n%+v", a, b)
	}
	if len(rep.Notes) != 1 || !strings.Contains(rep.Notes[0].Text, `"all" is not used`) {
		t.Error(rep.Notes)
	}
}

// Mid-edge nodes of a selected face are selected, those of other edges between
// selected corners are not.
func TestSelectionsOfSecondOrder(t *testing.T) {
	text := strings.Replace(modelText(twoMaterials, `"selections": {"border": {"border": ["liver", "tumour_1"]}, "side": {"faces": "Side"}}, "fixed": [{"at": "border", "axes": "x"}], "loads": [{"at": "side", "traction_kPa": [1, 0, 0]}]`),
		`"two.inp"`, `"two.inp", "second_order": true`, 1)
	m, _, _, err := readModel(t, text)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Mesh.Nodes) != 5+12-3 || len(m.Prescribed) != 6 {
		t.Errorf("%d nodes, %d held", len(m.Mesh.Nodes), len(m.Prescribed))
	}
	for _, p := range m.Prescribed {
		if m.Mesh.Nodes[p.Node].X != 0 {
			t.Errorf("%+v at %v", p, m.Mesh.Nodes[p.Node])
		}
	}
}

func TestModelLaws(t *testing.T) {
	for law, want := range map[string][2]float64{ // shear and bulk modulus, MPa
		`"law": "linear", "youngs_modulus_MPa": 3, "poisson_ratio": 0.25`:                                                                                                                  {1.2, 2},
		`"law": "st-venant-kirchhoff", "youngs_modulus_MPa": 3, "poisson_ratio": 0.25`:                                                                                                     {1.2, 2},
		`"law": "compressible-neo-hookean", "youngs_modulus_MPa": 3, "poisson_ratio": 0.25`:                                                                                                {1.2, 2},
		`"law": "neo-hookean", "youngs_modulus_MPa": 3, "poisson_ratio": 0.25, "volumetric": "log"`:                                                                                        {1.2, 2},
		`"law": "neo-hookean", "shear_modulus_MPa": 1.2, "bulk_modulus_GPa": 0.002`:                                                                                                        {1.2, 2},
		`"law": "mooney-rivlin", "c10_kPa": 400, "c01_kPa": 200, "poisson_ratio": 0.25`:                                                                                                    {1.2, 2},
		`"law": "yeoh", "c10_MPa": 0.6, "c20_MPa": 0.1, "c30_MPa": 0.1, "bulk_modulus_MPa": 2`:                                                                                             {1.2, 2},
		`"law": "raghavan-vorp", "alpha_MPa": 0.6, "beta_MPa": 0.1, "poisson_ratio": 0.25`:                                                                                                 {1.2, 2},
		`"law": "ogden", "form": "2mu/alpha2", "terms": [{"mu_MPa": 1, "alpha": 3}, {"mu_kPa": 200, "alpha": -2}], "poisson_ratio": 0.25`:                                                  {1.2, 2},
		`"law": "ogden", "form": "mu/alpha", "terms": [{"mu_MPa": 1.2, "alpha": 2}], "bulk_modulus_MPa": 2`:                                                                                {1.2, 2},
		`"law": "holzapfel-gasser-ogden", "c_MPa": 1.2, "k1_MPa": 1, "k2": 2, "dispersion": 0.1, "angle_deg": 29, "circumferential": [0, 3, 0], "axial": [0, 0, 1], "bulk_modulus_MPa": 2`: {1.2, 2},
		`"law": "elastic-plastic", "youngs_modulus_MPa": 3, "poisson_ratio": 0.25, "yield_stress_MPa": 1`:                                                                                  {1.2, 2},
		`"law": "neo-hookean", "shear_modulus_MPa": 1.2, "bulk_modulus_MPa": 2, "prony": [{"g": 0.4, "tau_s": 3}]`:                                                                         {1.2, 2},
	} {
		m, _, _, err := readModel(t, modelText(`"materials": [{"region": ["liver", 32], `+law+`}]`))
		if err != nil {
			t.Errorf("%s: %v", law, err)
			continue
		}
		l := m.Regions[1].Law
		if math.Abs(l.ShearMPa()-want[0]) > 1e-12 || math.Abs(l.BulkMPa()-want[1]) > 1e-12 {
			t.Errorf("%s: μ %.15g, κ %.15g", law, l.ShearMPa(), l.BulkMPa())
		}
	}
	// an artery layer of the library, with its directions
	m, _, _, err := readModel(t, modelText(`"materials": [{"region": ["liver", "tumour_1"], "tissue": "artery.carotid.media", "circumferential": [0, 1, 0], "axial": [0, 0, 1]}]`))
	if err != nil || m.Regions[0].Law.ShearMPa() != 3e-3 {
		t.Error(err)
	}
}

func TestModelRefusals(t *testing.T) {
	sel := `"selections": {"s": {"faces": "Side"}, "none": {"sphere_mm": {"centre": [99, 0, 0], "radius": 1}}}`
	for _, c := range []struct{ text, want string }{
		{`{`, "no JSON"},
		{"{\n\"halsted_model\": 1,,}", "line 2: no JSON"},
		{`[]`, "want an object"},
		{`{}`, "is no model file"},
		{`{"halsted_model": 2}`, "version 2 is not known"},
		{`{"halsted_model": 1, "halsted_model": 1}`, "halsted_model: stands twice"},
		{`{"halsted_model": 1}`, "there is no mesh"},
		{`{"halsted_model": 1, "mesh": {"file": "gone.inp"}}`, "mesh.file: no such file"},
		{`{"halsted_model": 1, "mesh": {"file": "two.inp", "length_unit": "furlong"}}`, "mesh.length_unit: meshio: unknown unit"},
		{modelText(`"materials": []`), "materials: the region \"liver\" has no material"},
		{modelText(`"materials": [{"region": "heart", "law": "linear"}]`), "materials[0].region: there is no region \"heart\"; the mesh has liver, tumour_1"},
		{modelText(`"materials": [{"region": "liver", "law": "hooke"}]`), "materials[0].law: \"hooke\" is not known"},
		{modelText(`"materials": [{"region": "liver", "law": "linear", "youngs_modulus": 3, "poisson_ratio": 0.3}]`), "materials[0].youngs_modulus: names no unit; write youngs_modulus_kPa"},
		{modelText(`"materials": [{"region": "liver", "law": "linear", "youngs_modulus_kPa": 3, "youngs_modulus_MPa": 3, "poisson_ratio": 0.3}]`), "youngs_modulus_kPa stands there too"},
		{modelText(`"materials": [{"region": "liver", "law": "linear", "youngs_modulus_kPa": 3, "poisson_ratio": 0.5}]`), "materials[0]: material:"},
		{modelText(`"materials": [{"region": "liver", "law": "linear", "youngs_modulus_kPa": 3, "poisson_ratio": 0.3, "colour": 3}]`), "materials[0].colour: is not understood; known here:"},
		{modelText(`"materials": [{"region": "liver", "tissue": "liver.soup"}]`), "materials[0].tissue"},
		{modelText(`"materials": [{"region": "liver", "tissue": "artery.carotid.media"}]`), "materials[0].tissue"},
		{modelText(twoMaterials, sel, `"fixed": [{"at": "x"}]`), "fixed[0].at: there is no selection \"x\"; define it under selections; there are: none s"},
		{modelText(twoMaterials, sel, `"fixed": [{"at": "none"}]`), "fixed[0].at: the selection holds no node"},
		{modelText(twoMaterials, sel, `"fixed": [{"at": "s", "axes": "xq"}]`), "want some of x, y and z"},
		{modelText(twoMaterials, sel, `"loads": [{"at": "s"}]`), "0 kinds of load"},
		{modelText(twoMaterials, sel, `"loads": [{"at": "s", "pressure_kPa": 1, "traction_kPa": [0,0,1]}]`), "2 kinds of load"},
		{modelText(twoMaterials, sel, `"loads": [{"at": "none", "pressure_kPa": 1}]`), "holds no face"},
		{modelText(twoMaterials, sel, `"loads": [{"at": "s", "pressure_kPa": "1"}]`), "want a number"},
		{modelText(twoMaterials, sel, `"loads": [{"at": "s", "traction_kPa": [1, 2]}]`), "want three numbers"},
		{modelText(twoMaterials, sel, `"prescribed": [{"at": "s", "displacement_mm": 3}]`), `beside "axis"`},
		{modelText(twoMaterials, sel, `"stages": [{"remove": ["spleen"]}]`), "stages[0].remove: there is no region"},
		{modelText(twoMaterials, `"selections": {"s": {"faces": "Top"}}`), "selections.s.faces: the mesh file has no surface"},
		{modelText(twoMaterials, `"selections": {"s": {"border": ["liver"]}}`), "want two regions"},
		{modelText(twoMaterials, `"selections": {"s": {"plane_mm": {"point": [0,0,0]}}}`), "there is no normal"},
		{modelText(twoMaterials, `"settings": {"steps": 2.5}`), "want a whole number"},
		{modelText(twoMaterials, `"wind": 3`), "wind: is not understood"},
	} {
		_, _, _, err := readModel(t, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "deck: a.json") {
			t.Errorf("%s:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestCheckUnits(t *testing.T) {
	cube := func(size float64, e, rho string) string {
		s := fmt.Sprint(size)
		return "*NODE\n1,0,0,0\n2," + s + ",0,0\n3,0," + s + ",0\n4,0,0," + s + "\n*ELEMENT,TYPE=C3D4,ELSET=%NAME\n1,1,2,3,4\n*MATERIAL,NAME=M\n*ELASTIC\n" + e + ",0.3\n*DENSITY\n" + rho +
			"\n*SOLID SECTION,ELSET=%NAME,MATERIAL=M\n*STEP\n*STATIC\n*END STEP\n"
	}
	for _, c := range []struct {
		text, name string
		units      Units
		want       string
	}{
		{cube(200, "0.01", "1e-9"), "liver", UnitsMM, ""},
		{cube(.2, "0.01", "1e-9"), "liver", UnitsMM, "0.2 mm across"},
		{cube(.2, "10e3", "1e3"), "liver", UnitsSI, ""},
		{cube(200, "0.01", "1e-9"), "liver", UnitsSI, "200 m across"},
		{cube(200, "10e3", "1e-9"), "liver", UnitsMM, `"liver" has Young's modulus 10 GPa`},
		{cube(200, "210e3", "1e-9"), "steel_plate", UnitsMM, ""},
		{cube(200, "17e3", "1e-9"), "bone", UnitsMM, ""},
		{cube(200, "17e9", "1e-9"), "bone", UnitsMM, "1.7e+07 GPa"},
		{cube(200, "1e-8", "1e-9"), "liver", UnitsMM, "0.01 Pa"},
		{cube(200, "0.01", "1000"), "liver", UnitsMM, "density"},
	} {
		m, _, rep, err := Read(t.Context(), "a.inp", Options{Units: c.units, Open: files{"a.inp": strings.ReplaceAll(c.text, "%NAME", c.name)}.open})
		if err != nil {
			t.Fatal(err)
		}
		err = CheckUnits(m, &rep)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "--any-units")):
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// A tetrahedron with its base as the physical surface "inlet", numbers apart.
const gmsh41 = `$MeshFormat
4.1 0 8
$EndMeshFormat
$PhysicalNames
2
2 7 "inlet"
3 9 "liver"
$EndPhysicalNames
$Entities
1 0 1 1
5 0 0 0 0
2 0 0 0 1 1 0 1 7 0
4 0 0 0 1 1 1 1 9 1 2
$EndEntities
$Nodes
2 4 10 40
2 2 0 3
10
30
20
0 0 0
0 1 0
1 0 0
3 4 0 1
40
0 0 2
$EndNodes
$Elements
2 2 1 2
2 2 2 1
1 10 30 20
3 4 4 1
2 10 20 30 40
$EndElements
`

const gmsh22 = `$MeshFormat
2.2 0 8
$EndMeshFormat
$PhysicalNames
2
2 7 "inlet"
3 9 "liver"
$EndPhysicalNames
$Nodes
4
10 0 0 0
30 0 1 0
20 1 0 0
40 0 0 2
$EndNodes
$Elements
2
1 2 2 7 1 10 30 20
2 4 2 9 1 10 20 30 40
$EndElements
`

func TestGmshGroups(t *testing.T) {
	for _, text := range []string{gmsh41, gmsh22} {
		for _, c := range []struct{ model, want string }{
			{`"selections": {"s": {"faces": "inlet"}, "n": {"nodes": "inlet"}}, "fixed": [{"at": "n", "axes": "z"}], "loads": [{"at": "s", "pressure_kPa": 1}]`, ""},
			{`"selections": {"s": {"faces": "liver"}}`, "no physical surface"},
			{`"selections": {"s": {"nodes": "outlet"}}`, "no node set"},
		} {
			model := `{"halsted_model": 1, "mesh": {"file": "a.msh", "length_unit": "cm"}, "materials": [{"region": "liver", "tissue": "spleen"}], ` + c.model + "}"
			m, _, rep, err := Read(t.Context(), "a.json", Options{Open: files{"a.json": model, "a.msh": text}.open})
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %s", err, c.want)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(m.Prescribed) != 3 || len(m.Loads) != 1 || m.Loads[0].Face != [3]int32{0, 2, 1} || m.Mesh.Nodes[3].Z != 20 || rep.NodeNumbers[1] != 20 {
				t.Errorf("%+v %+v", m.Prescribed, m.Loads)
			}
		}
	}
}
