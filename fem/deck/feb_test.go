package deck

import (
	"math"
	"strings"
	"testing"

	"halsted/fem"
	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

const febMesh = `<Mesh><Nodes name="all"><node id="1">0,0,0</node><node id="2">2,0,0</node><node id="3">0,2,0</node><node id="4">0,0,2</node></Nodes>
<Elements type="tet4" name="Part1"><elem id="1">1,2,3,4</elem></Elements>
<NodeSet name="base">1, 2:3</NodeSet><NodeSet name="top"><n id="4"/></NodeSet><Surface name="s"><tri3 id="1">1,3,2</tri3></Surface></Mesh>
<MeshDomains><SolidDomain name="Part1" mat="M"/></MeshDomains>
`

const febControl = `<Control><analysis>STATIC</analysis><time_steps>4</time_steps><step_size>0.25</step_size><solver type="solid"><dtol>0.001</dtol></solver></Control>`

const neoHooke = `<Material><material id="1" name="M" type="neo-Hookean"><density>3</density><E>0.5</E><v>0.25</v></material></Material>`

const ramp = `<LoadData><load_controller id="1" type="loadcurve"><interpolate>LINEAR</interpolate><points><pt>0,0</pt><pt>1,1</pt></points></load_controller></LoadData>`

func febText(parts ...string) string {
	return `<?xml version="1.0"?><febio_spec version="4.0"><Module type="solid"/>` + strings.Join(parts, "\n") + `</febio_spec>`
}

func readFebText(t *testing.T, text string, opt Options) (*fem.Model, fem.Settings, Report, error) {
	t.Helper()
	opt.Open = files{"a.feb": text}.open
	return Read(t.Context(), "a.feb", opt)
}

func TestFEBioLoadsAndSupports(t *testing.T) {
	text := febText(febControl, neoHooke, febMesh,
		`<Boundary><bc type="zero displacement" node_set="base"><x_dof>1</x_dof><y_dof>0</y_dof><z_dof>1</z_dof></bc>
		<bc type="prescribed displacement" node_set="@surface:s"><dof>y</dof><value lc="1">-0.5</value><relative>0</relative></bc></Boundary>
		<Loads><surface_load type="pressure" surface="s"><pressure lc="1">2</pressure></surface_load>
		<surface_load type="pressure" surface="s"><pressure lc="1">3</pressure><linear>1</linear></surface_load>
		<surface_load type="traction" surface="s"><scale lc="1">2</scale><traction>0,0,3</traction><linear>1</linear></surface_load>
		<nodal_load type="nodal_force" node_set="top"><value lc="1">0,1,2</value></nodal_load>
		<nodal_load type="nodal_load" node_set="top"><dof>z</dof><scale lc="1">5</scale></nodal_load>
		<body_load type="const"><x lc="1">0</x><y lc="1">0</y><z lc="1">9.81</z></body_load>
		<body_load type="body force"><force lc="1">0,1,0</force></body_load></Loads>`, ramp)
	m, s, rep, err := readFebText(t, text, Options{Units: UnitsSI})
	if err != nil {
		t.Fatal(err)
	}
	if s.Steps != 4 || m.Stages != nil || len(m.Prescribed) != 9 || m.Prescribed[1] != (fem.Prescribed{Node: 0, Axis: 1, ValueMM: -500}) {
		t.Errorf("%+v %+v", s, m.Prescribed)
	}
	if len(m.Loads) != 3 || !m.Loads[0].Follows || m.Loads[1].Follows || m.Loads[1].PressureMPa != 3e-6 || math.Abs(m.Loads[2].TractionMPa.Z-6e-6) > 1e-18 || m.Loads[0].Face != [3]int32{0, 2, 1} {
		t.Errorf("%+v", m.Loads)
	}
	if len(m.Forces) != 1 || m.Forces[0] != (fem.NodalForce{Node: 3, ForceN: r3.Vec{Y: 1, Z: 7}}) {
		t.Errorf("%+v", m.Forces)
	}
	// FEBio's body force points against the value
	if m.GravityChange != (r3.Vec{Y: -1000, Z: -9810}) || math.Abs(m.Regions[0].DensityTPerMM3-3e-12) > 1e-25 {
		t.Errorf("%+v %g", m.GravityChange, m.Regions[0].DensityTPerMM3)
	}
	if rep.Names[m.Regions[0].Label] != "Part1" {
		t.Error(rep.Names)
	}
}

// Curves that bend make stages; what holds only during a step is let go after.
func TestFEBioStages(t *testing.T) {
	curves := `<LoadData><load_controller id="1" type="loadcurve"><interpolate>LINEAR</interpolate><extend>CONSTANT</extend><points><pt>0,0</pt><pt>1,2</pt><pt>1.5,1</pt></points></load_controller></LoadData>`
	step := `<Step><step id="1" name="press">` + febControl + `<Loads><surface_load type="pressure" surface="s"><pressure lc="1">10</pressure></surface_load></Loads></step>` +
		`<step id="2" name="hold">` + febControl + `<Boundary><bc type="zero displacement" node_set="top"><x_dof>1</x_dof></bc></Boundary>` +
		`<Loads><surface_load type="pressure" surface="s"><pressure lc="1">10</pressure></surface_load></Loads></step><step id="3" name="free">` + febControl + `</step></Step>`
	m, _, _, err := readFebText(t, febText(neoHooke, febMesh, `<Boundary><bc type="zero displacement" node_set="base"><x_dof>1</x_dof></bc></Boundary>`, step, curves), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Stages) != 4 {
		t.Fatalf("%d stages: %+v", len(m.Stages), m.Stages)
	}
	for i, want := range []struct {
		p, duration float64
		steps       int
	}{{20, 1, 4}, {10, .5, 2}, {10, .5, 2}, {0, 1, 4}} {
		s := m.Stages[i]
		loads := m.Loads
		if i > 0 {
			if loads = nil; s.Loads != nil {
				loads = s.Loads.Faces
			}
		}
		if s.DurationS != want.duration || s.Steps != want.steps {
			t.Errorf("stage %d: %+v", i, s)
		}
		switch {
		case i == 2 && s.Loads != nil, i == 3 && (s.Loads == nil || len(loads) > 0):
			t.Errorf("stage %d: %+v", i, s.Loads)
		case i < 2 && (len(loads) != 1 || loads[0].PressureMPa != want.p):
			t.Errorf("stage %d: %+v", i, loads)
		}
	}
	if len(m.Stages[1].Prescribed) != 1 || m.Stages[1].Prescribed[0].Node != 3 || len(m.Stages[3].Release) != 1 {
		t.Errorf("%+v", m.Stages)
	}
}

func TestFEBioMaterials(t *testing.T) {
	f := material.Mat3{{X: 1.2, Y: .1}, {X: .05, Y: .95}, {Y: .1, Z: 1.02}}
	j := f.Det()
	l := math.Log(j)
	var c [3][3]float64
	for i := range 3 {
		for k := range 3 {
			c[i][k] = r3.Dot(f[i], f[k])
		}
	}
	i1 := c[0][0] + c[1][1] + c[2][2]
	m1 := math.Pow(j, -2./3)
	i2 := 0.
	for i := range 3 {
		k := (i + 1) % 3
		i2 += c[i][i]*c[k][k] - c[i][k]*c[k][i]
	}
	i2 *= m1 * m1
	i4 := m1 * c[0][0]
	mu, lam := 1/2.5, .25/(1.25*.5)
	for name, want := range map[string]float64{
		`type="neo-Hookean"><E>1</E><v>0.25</v>`:                                                                                     mu/2*(i1-3) - mu*l + lam/2*l*l,
		`type="Mooney-Rivlin"><c1>0.3</c1><c2>0.1</c2><k>5</k>`:                                                                      .3*(m1*i1-3) + .1*(i2-3) + 2.5*l*l,
		`type="Mooney-Rivlin"><c1>0.3</c1><c2>0</c2><k>5</k><pressure_model>Abaqus</pressure_model>`:                                 .3*(m1*i1-3) + 2.5*(j-1)*(j-1),
		`type="incomp neo-Hookean"><G>0.6</G><k>5</k><pressure_model>1</pressure_model>`:                                             .3*(m1*i1-3) + 1.25*(j*j-1-2*l),
		`type="Ogden"><c1>1.2</c1><m1>2</m1><c2>0.4</c2><m2>-2</m2><k>5</k>`:                                                         .3*(m1*i1-3) + .1*(i2-3) + 2.5*l*l,
		`type="Holzapfel-Gasser-Ogden"><c>0.6</c><k1>0.2</k1><k2>0.5</k2><gamma>0</gamma><kappa>0</kappa><k>5</k>`:                   .3*(m1*i1-3) + .4*(math.Exp(.5*(i4-1)*(i4-1))-1) + 1.25*(j*j-1-2*l),
		`type="uncoupled viscoelastic"><g1>0.5</g1><t1>2</t1><elastic type="Mooney-Rivlin"><c1>0.2</c1><c2>0</c2><k>5</k></elastic>`: .3*(m1*i1-3) + 2.5*l*l,
	} {
		text := febText(febControl, `<Material><material id="1" name="M" `+name+`</material></Material>`, febMesh)
		m, _, _, err := readFebText(t, text, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := m.Regions[0].Law.Energy(&f); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: energy %.15g, want %.15g", name, got, want)
		}
	}
}

// A cube of FEBio's neo-Hookean material at the closed form: uniaxial tension
// with ν = 0 leaves the sides alone, σ = E/2·(λ − 1/λ).
func TestFEBioSolves(t *testing.T) {
	text := strings.NewReplacer("<v>0.25</v>", "<v>0</v>").Replace(febText(febControl, neoHooke, febMesh,
		`<Boundary><bc type="zero displacement" node_set="base"><z_dof>1</z_dof></bc><bc type="zero displacement" node_set="base"><x_dof>1</x_dof><y_dof>1</y_dof></bc>
		<bc type="zero displacement" node_set="top"><x_dof>1</x_dof><y_dof>1</y_dof></bc><bc type="prescribed displacement" node_set="top"><dof>z</dof><value lc="1">0.6</value></bc></Boundary>`, ramp))
	f, _ := solved(t, "a.feb", files{"a.feb": text}, Options{})
	// force on the top node: P·A/3 of the face opposite, P = E/2·(λ − 1/λ), ∇N = 1/2, V = 8/6
	want := .25 * (1.3 - 1/1.3) * 8 / 6 / 2
	if got := f.ReactionN[3].Z; math.Abs(got-want) > 1e-10 {
		t.Errorf("force %.12g N, want %.12g", got, want)
	}
}

// A constant load acts at once where the law remembers; else it is ramped, with
// a note. Nodally averaged elements ask for the mean dilatation.
func TestFEBioLoadsAtOnce(t *testing.T) {
	press := `<Loads><surface_load type="pressure" surface="s"><pressure>2</pressure></surface_load></Loads>`
	visco := `<Material><material id="1" name="M" type="uncoupled viscoelastic"><g1>0.5</g1><t1>2</t1><elastic type="Mooney-Rivlin"><c1>0.2</c1><c2>0</c2><k>5</k></elastic></material></Material>`
	m, s, rep, err := readFebText(t, febText(febControl, visco, strings.Replace(febMesh, `mat="M"`, `mat="M" type="ut4-solid"`, 1), press), Options{})
	if err != nil || len(m.Stages) != 1 || !m.Stages[0].Sudden || s.Formulation != fem.MeanDilatation || len(rep.Notes) != 2 || !rep.Notes[0].Warning {
		t.Errorf("%v %+v %v", err, m, rep.Notes)
	}
	m, _, rep, err = readFebText(t, febText(febControl, neoHooke, febMesh, press), Options{})
	if err != nil || m.Stages != nil || len(rep.Notes) != 2 || !strings.Contains(rep.Notes[0].Text, "at once") {
		t.Errorf("%v %+v %v", err, m, rep.Notes)
	}
}

func TestFEBioVersions(t *testing.T) {
	old := `<febio_spec version="2.5"><Module type="solid"/><Control><time_steps>2</time_steps><step_size>0.5</step_size><analysis type="static"/></Control>` +
		`<Material><material id="1" name="m" type="isotropic elastic"><E>1</E><v>0.3</v></material></Material>` +
		`<Geometry><Nodes><node id="1">0,0,0</node><node id="2">2,0,0</node><node id="3">0,2,0</node><node id="4">0,0,2</node></Nodes><Elements type="tet4" mat="1"><elem id="1">1,2,3,4</elem></Elements>` +
		`<NodeSet name="a"><node id="1"/><node id="2"/></NodeSet><Surface name="s"><tri3 id="1">1,3,2</tri3></Surface></Geometry>` +
		`<Boundary><fix bc="x,z" node_set="a"/><prescribe bc="y" node_set="a"><scale lc="1">0.1</scale><relative>0</relative></prescribe></Boundary>` +
		`<Loads><surface_load type="pressure" surface="s"><pressure lc="1">2</pressure><linear>0</linear></surface_load><nodal_load bc="z" node_set="a"><scale lc="1">3</scale></nodal_load></Loads>` +
		`<LoadData><loadcurve id="1" type="smooth"><point>0,0</point><point>1,1</point></loadcurve></LoadData></febio_spec>`
	m, s, _, err := readFebText(t, old, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Steps != 2 || len(m.Prescribed) != 6 || m.Prescribed[1].ValueMM != .1 || len(m.Loads) != 1 || len(m.Forces) != 2 || m.Forces[1].ForceN.Z != 3 {
		t.Errorf("%+v %+v", s, m)
	}
	v3 := strings.NewReplacer(`version="2.5"`, `version="3.0"`, ` mat="1"`, ` name="P"`, "Geometry>", "Mesh>", "<Boundary>", `<MeshDomains><SolidDomain name="P" mat="m"/></MeshDomains><Boundary>`,
		`<fix bc="x,z" node_set="a"/>`, `<bc type="fix" node_set="a"><dofs>x,z</dofs></bc>`, `<prescribe bc="y" node_set="a">`, `<bc type="prescribe" node_set="a"><dof>y</dof>`, "</prescribe>", "</bc>",
		`<nodal_load bc="z" node_set="a">`, `<nodal_load type="nodal_load" node_set="a"><dof>z</dof>`).Replace(old)
	w, _, _, err := readFebText(t, v3, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Prescribed) != 6 || w.Prescribed[1] != m.Prescribed[1] || w.Forces[0] != m.Forces[0] || w.Loads[0] != m.Loads[0] {
		t.Errorf("%+v", w)
	}
	u, _, rep, err := readFebText(t, strings.Replace(old, `<Module type="solid"/>`, `<Module type="solid"><units>mm-kg-s</units></Module>`, 1), Options{})
	if err != nil || rep.Units != UnitsKPa || math.Abs(u.Regions[0].Law.ShearMPa()*2.6-1e-3) > 1e-15 {
		t.Error(rep.Units, err)
	}
}

func TestFEBioRefusals(t *testing.T) {
	curve := func(s string) string {
		return `<LoadData><load_controller id="1" type="loadcurve">` + s + `</load_controller></LoadData>`
	}
	press := `<Loads><surface_load type="pressure" surface="s"><pressure lc="1">2</pressure></surface_load></Loads>`
	mat := func(s string) string { return `<Material><material id="1" name="M" ` + s + `</material></Material>` }
	for _, c := range []struct{ text, want string }{
		{"", "there is no element"},
		{"<a>", "ends inside <a>"},
		{"<febio_spec version='1.2'/>", "version \"1.2\""},
		{"<!DOCTYPE x><febio_spec version='4.0'/>", "is not read"},
		{strings.Replace(febText(), `"solid"`, `"biphasic"`, 1), `line 1: <Module type="biphasic">`},
		{febText(febControl, neoHooke), "no tetrahedron"},
		{febText(neoHooke, febMesh), "no <Control>"},
		{febText(febControl, febMesh), "has no material"},
		{febText(strings.Replace(febControl, "STATIC", "DYNAMIC", 1), neoHooke, febMesh), "dynamic"},
		{febText(febControl, mat(`type="Fung orthotropic"><E1>1</E1>`), febMesh), `<material type="Fung orthotropic">: the law is not available`},
		{febText(febControl, mat(`type="Veronda-Westmann"><c1>1</c1>`), febMesh), "not available"},
		{febText(febControl, mat(`type="trans iso Mooney-Rivlin"><c1>1</c1>`), febMesh), "not available"},
		{febText(febControl, mat(`type="prestrain elastic"><c1>1</c1>`), febMesh), "not available"},
		{febText(febControl, mat(`type="viscoelastic"><g1>1</g1>`), febMesh), "not available"},
		{febText(febControl, mat(`type="neo-Hookean"><E>1</E><v>0.3</v><q>1</q>`), febMesh), "<q>"},
		{febText(febControl, mat(`type="neo-Hookean"><E type="map">x</E><v>0.3</v>`), febMesh), "varies in space"},
		{febText(febControl, mat(`type="neo-Hookean"><E>-1</E><v>0.3</v>`), febMesh), "material"},
		{febText(febControl, neoHooke, febMesh, press, curve(`<interpolate>STEP</interpolate><points><pt>0,0</pt><pt>1,1</pt></points>`)), `"step" is not followed`},
		{febText(febControl, neoHooke, febMesh, press, curve(`<interpolate>SMOOTH</interpolate><points><pt>0,0</pt><pt>1,1</pt><pt>2,3</pt></points>`)), `"smooth" is not followed`},
		{febText(febControl, neoHooke, febMesh, press, curve(`<points><pt>0,0</pt><pt>0.5,1</pt></points><extend>REPEAT</extend>`)), `"repeat"`},
		{febText(febControl, neoHooke, febMesh, press), "no load curve \"1\""},
		{febText(febControl, neoHooke, febMesh, strings.Replace(press, `surface="s"`, `surface="z"`, 1), ramp), "no surface \"z\""},
		{febText(febControl, neoHooke, febMesh, `<Loads><surface_load type="traction" surface="s"><traction>0,0,1</traction></surface_load></Loads>`), "--approximate"},
		{febText(febControl, neoHooke, febMesh, `<Loads><surface_load type="bearing load" surface="s"/></Loads>`), "bearing load"},
		{febText(febControl, neoHooke, febMesh, `<Boundary><bc type="linear constraint" node_set="base"/></Boundary>`), "linear constraint"},
		{febText(febControl, neoHooke, febMesh, `<Boundary><bc type="zero displacement" node_set="zz"><x_dof>1</x_dof></bc></Boundary>`), "no node set \"zz\""},
		{febText(febControl, neoHooke, febMesh, `<Constraints><constraint type="volume"/></Constraints>`), "<Constraints> is not available"},
		{febText(febControl, neoHooke, febMesh, `<Rigid><rigid_bc type="rigid_fixed"/></Rigid>`), "<Rigid> is not available"},
		{febText(febControl, neoHooke, strings.Replace(febMesh, "tet4", "hex8", 1)), `<Elements type="hex8">`},
		{febText(febControl, neoHooke, strings.Replace(febMesh, "2,0,0<", "2,0<", 1)), "three finite coordinates"},
		{febText(febControl, neoHooke, strings.Replace(febMesh, "1,2,3,4", "1,2,3,9", 1)), "node 9"},
	} {
		_, _, _, err := readFebText(t, c.text, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "deck: a.feb") {
			t.Errorf("%.300q:\n got %v\nwant %s", c.text[max(0, len(c.text)-200):], err, c.want)
		}
	}
}
