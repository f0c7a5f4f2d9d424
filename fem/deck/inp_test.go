package deck

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"halsted/fem"
	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// one is a tetrahedron with legs of 2, as the beginning of a file.
const one = "*NODE, NSET=N\n1, 0, 0, 0\n2, 2., 0, 0\n3, 0, 2.0, 0\n4, 0, 0, 2e0\n*ELEMENT, TYPE=C3D4, ELSET=E\n7, 1, 2, 3, 4\n"

const elastic = "*MATERIAL, NAME=M\n*ELASTIC\n0.01, 0.3\n*SOLID SECTION, ELSET=E, MATERIAL=M\n"

func readText(t *testing.T, text string, opt Options) (*fem.Model, fem.Settings, Report, error) {
	t.Helper()
	opt.Open = files{"a.inp": text}.open
	return Read(t.Context(), "a.inp", opt)
}

func mustRead(t *testing.T, text string) (*fem.Model, fem.Settings) {
	t.Helper()
	m, s, _, err := readText(t, text, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m, s
}

func TestNumbersAgreeWithStrconv(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200000 {
		x := math.Float64frombits(rng.Uint64())
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		s := strconv.FormatFloat(x, "efg"[rng.IntN(3)], rng.IntN(20)-1, 64)
		if len(s) > 400 {
			continue
		}
		want, err := strconv.ParseFloat(s, 64)
		if got, ok := parseFloat([]byte(s)); ok != (err == nil) || ok && got != want {
			t.Fatalf("%s: %v %v, want %v %v", s, got, ok, want, err)
		}
	}
	for s, want := range map[string]float64{"1.D0": 1, "-2.5d-3": -.0025, "1.0-5": 1e-5, "3+2": 300, ".5": .5, "7.": 7, "+1e+02": 100, "12345678901234567890": 12345678901234567890, "0e9": 0} {
		if x, ok := parseFloat([]byte(s)); !ok || x != want {
			t.Errorf("%s: %v %v", s, x, ok)
		}
	}
	for _, s := range []string{"", "-", ".", "1e", "1e+", "1x", "nan", "inf", "1e999", "0x1p4", "1_0", "1.2.3", "--1", "1e5.5"} {
		if x, ok := parseFloat([]byte(s)); ok {
			t.Errorf("%q is read as %v", s, x)
		}
	}
}

func TestUnitsOfLengthChangeNothing(t *testing.T) {
	const load = "*STEP, NLGEOM\n*STATIC, DIRECT\n.25, 1.\n*DLOAD\nE, GRAV, %g, 0, 0, -1\n7, P2, %p\n*CLOAD\n4, 1, %f\n*BOUNDARY\n1, 1, 1, %l\n*END STEP\n"
	text := func(l, e, rho, g, f string, scale string) string {
		s := strings.NewReplacer("%g", g, "%p", e, "%f", f, "%l", l).Replace(load)
		return strings.NewReplacer("2., 0, 0", scale+", 0, 0", "2.0, 0", scale+", 0", "2e0", scale).Replace(one) +
			"*MATERIAL, NAME=M\n*HYPERELASTIC, NEO HOOKE\n" + e + ", " + map[string]string{"1e-3": "100.", "1e3": "1e-4", "1e4": "1e-5"}[e] +
			"\n*DENSITY\n" + rho + "\n*SOLID SECTION, ELSET=E, MATERIAL=M\n" + s
	}
	want, _ := mustRead(t, text("0.5", "1e-3", "1e-9", "9810.", "0.25", "2.0"))
	for name, c := range map[string]struct {
		units Units
		text  string
	}{
		"SI":  {UnitsSI, text("0.5e-3", "1e3", "1e3", "9.81", "0.25", "2e-3")},
		"CGS": {UnitsCGS, text("0.05", "1e4", "1.", "981.", "25000.", "0.2")},
	} {
		got, _, rep, err := readText(t, c.text, Options{Units: c.units})
		if err != nil {
			t.Fatal(err)
		}
		near := func(what string, a, b float64) {
			if math.Abs(a-b) > 1e-12*math.Abs(b) {
				t.Errorf("%s: %s is %g, want %g", name, what, a, b)
			}
		}
		near("place", got.Mesh.Nodes[3].Z, want.Mesh.Nodes[3].Z)
		near("shear modulus", got.Regions[0].Law.ShearMPa(), want.Regions[0].Law.ShearMPa())
		near("bulk modulus", got.Regions[0].Law.BulkMPa(), want.Regions[0].Law.BulkMPa())
		near("density", got.Regions[0].DensityTPerMM3, want.Regions[0].DensityTPerMM3)
		near("gravity", got.GravityChange.Z, -9810)
		near("pressure", got.Loads[0].PressureMPa, want.Loads[0].PressureMPa)
		near("force", got.Forces[0].ForceN.X, .25)
		near("motion", got.Prescribed[0].ValueMM, .5)
		if rep.Units != c.units {
			t.Error(rep.Units)
		}
	}
	// 2·C10 and 2/D1
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-15 }
	if l := want.Regions[0].Law; !near(l.ShearMPa(), 2e-3) || !near(l.BulkMPa(), .02) || !near(want.Regions[0].DensityTPerMM3, 1e-9) {
		t.Error(l)
	}
}

// Pressure on all four faces of a tetrahedron, named P1 to P4, pushes inward
// everywhere: the faces are told apart rightly, or two would be the same.
func TestAbaqusFaces(t *testing.T) {
	m, _ := mustRead(t, one+elastic+"*STEP\n*STATIC\n*DLOAD\n7, P1, 1.\n7, P2, 2.\n7, P3, 3.\n7, P4, 4.\n*END STEP\n")
	opposite := map[float64]int32{1: 3, 2: 2, 3: 0, 4: 1} // the corner that a face lacks
	if len(m.Loads) != 4 {
		t.Fatal(m.Loads)
	}
	for _, l := range m.Loads {
		if l.Face[0]+l.Face[1]+l.Face[2]+opposite[l.PressureMPa] != 6 || l.Follows {
			t.Errorf("%+v", l)
		}
	}
	s, _ := mustRead(t, one+elastic+"*SURFACE, NAME=S\nE, S3\n*SURFACE, NAME=ALL\nE\n*STEP, NLGEOM\n*STATIC\n*DSLOAD\nS, P, 1.\nALL, P, 1.\n*END STEP\n")
	if len(s.Loads) != 4 || s.Loads[0].PressureMPa != 2 || s.Loads[0].Face != [3]int32{1, 3, 2} || !s.Loads[1].Follows || s.Loads[3].PressureMPa != 1 {
		t.Errorf("%+v", s.Loads)
	}
}

func TestHistoryOfSteps(t *testing.T) {
	const static = "*STEP, NLGEOM\n*STATIC, DIRECT\n0.5, 2.\n"
	m, s := mustRead(t, one+elastic+"*BOUNDARY\nN, 3\n1, ENCASTRE\n"+
		static+"*CLOAD\n4, 1, 1.\n4, 1, 2.\n*DLOAD\n7, P1, 5.\n*BOUNDARY\n2, 1, 2, 0.5\n*END STEP\n"+
		static+"*CLOAD\n4, 1, 7.\n*END STEP\n"+
		static+"*CLOAD, OP=NEW\n*BOUNDARY, OP=NEW\n1, PINNED\n2, 1, 1, 0.5\n*END STEP\n")
	if len(m.Stages) != 3 || s.Steps != 0 {
		t.Fatalf("%+v", m.Stages)
	}
	if len(m.Prescribed) != 3+3+2 || len(m.Forces) != 1 || m.Forces[0] != (fem.NodalForce{Node: 3, ForceN: r3.Vec{X: 3}}) {
		t.Errorf("%+v %+v", m.Prescribed, m.Forces)
	}
	a, b, c := m.Stages[0], m.Stages[1], m.Stages[2]
	if a.DurationS != 2 || a.Steps != 4 || a.Loads != nil {
		t.Errorf("%+v", a)
	}
	if b.Loads == nil || b.Loads.Forces[0].ForceN.X != 7 || len(b.Loads.Faces) != 1 || b.Prescribed != nil || b.Release != nil {
		t.Errorf("%+v", b)
	}
	// z of nodes 2 to 4 and y of node 2 become free
	if c.Loads == nil || len(c.Loads.Forces) != 0 || len(c.Release) != 4 || c.Release[0] != (fem.Hold{Node: 1, Axis: 1}) || c.Prescribed != nil {
		t.Errorf("%+v", c)
	}
}

func TestSetsAndIncludes(t *testing.T) {
	f := files{
		"dir/a.inp":        "*INCLUDE, INPUT=sub/mesh.inp\n*NSET, NSET=EVEN, GENERATE\n2, 4, 2\n*NSET, NSET=MORE\nEVEN, 1\n** a comment\n" + elastic + "*STEP\n*STATIC\n*BOUNDARY\n*INCLUDE, INPUT=sub/bc.inc\n*END STEP\n",
		"dir/sub/mesh.inp": one,
		"dir/sub/bc.inc":   "MORE, 1,\n3, 2, 3, 1.5\n",
		"loop.inp":         "*INCLUDE, INPUT=loop.inp\n",
	}
	m, _, _, err := Read(t.Context(), "dir/a.inp", Options{Open: f.open})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Prescribed) != 5 || m.Prescribed[0].Node != 0 || m.Prescribed[2].ValueMM != 1.5 {
		t.Errorf("%+v", m.Prescribed)
	}
	if _, _, _, err := Read(t.Context(), "loop.inp", Options{Open: f.open}); err == nil || !strings.Contains(err.Error(), "20 deep") {
		t.Error(err)
	}
}

// Nodes keep their numbers' order, corners first; those of no element go.
func TestNodesAreOrdered(t *testing.T) {
	text := "*NODE\n30,0,0,2\n5,0,0,0\n99,9,9,9\n12,2,0,0\n11,0,2,0\n1,1,0,0\n2,1,1,0\n3,0,1,0\n4,0,0,1\n6,1,0,1\n7,0,1,1\n" +
		"*ELEMENT, TYPE=C3D10, ELSET=E\n1, 5,12,11,30, 1,2,3,\n 4,6,7\n" + elastic + "*STEP\n*STATIC\n*CLOAD\n30, 3, 1.\n*END STEP\n"
	m, _, rep, err := readText(t, text, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []int64{5, 11, 12, 30, 1, 2, 3, 4, 6, 7}
	for i, n := range want {
		if rep.NodeNumbers[i] != n {
			t.Fatal(rep.NodeNumbers)
		}
	}
	if m.Forces[0].Node != 3 || m.Mesh.Mid[0] != [6]int32{4, 5, 6, 7, 8, 9} || m.Mesh.Tets[0] != [4]int32{0, 2, 1, 3} {
		t.Error(m.Forces, m.Mesh)
	}
}

// The laws have the energies that the Abaqus manual gives, at a state.
func TestHyperelasticEnergies(t *testing.T) {
	f := material.Mat3{{X: 1.2, Y: .1}, {X: .05, Y: .95}, {Y: .1, Z: 1.02}}
	j := f.Det()
	var c [3][3]float64
	for i := range 3 {
		for k := range 3 {
			c[i][k] = r3.Dot(f[i], f[k]) * math.Pow(j, -2./3)
		}
	}
	i1 := c[0][0] + c[1][1] + c[2][2]
	i2 := 0.
	for i := range 3 {
		k := (i + 1) % 3
		i2 += c[i][i]*c[k][k] - c[i][k]*c[k][i]
	}
	u := (j - 1) * (j - 1) / 2.5
	x, y := i1-3, i2-3
	for kind, want := range map[string]float64{
		"NEO HOOKE\n0.3, 2.5":                                 .3*x + u,
		"MOONEY-RIVLIN\n0.3, 0.1, 2.5":                        .3*x + .1*y + u,
		"YEOH\n0.3, 0.2, 0.1, 2.5, 0., 0.":                    .3*x + .2*x*x + .1*x*x*x + u,
		"REDUCED POLYNOMIAL, N=2\n0.3, 0.2, 2.5, 0.":          .3*x + .2*x*x + u,
		"N=1\n0.3, 0.1, 2.5":                                  .3*x + .1*y + u,
		"OGDEN\n0.6, 2., 2.5":                                 .3*x + u, // 2μ/α²·(Σλ² − 3)
		"OGDEN, N=3\n.6,2.,.2,-2.,.0,4.,2.5,0.\n0.":           .3*x + .1*y + u,
		"NEO HOOKE, MODULI=LONG TERM\n0.3, 2.5\n*DENSITY\n1.": .3*x + u,
	} {
		m, _, _, err := readText(t, one+"*MATERIAL, NAME=M\n*HYPERELASTIC, "+kind+"\n*SOLID SECTION, ELSET=E, MATERIAL=M\n*STEP, NLGEOM\n*STATIC\n*END STEP\n", Options{})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if got := m.Regions[0].Law.Energy(&f); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: energy %.15g, want %.15g", kind, got, want)
		}
	}
}

func TestOtherElements(t *testing.T) {
	text := one + "*NODE\n5, 5, 0, 0\n*ELEMENT, TYPE=T3D2, ELSET=BARS\n8, 2, 5\n*ELEMENT, TYPE=SPRINGA, ELSET=SPRINGS\n9, 5, 4\n*ELEMENT, TYPE=M3D3, ELSET=SKIN\n10, 1, 3, 2\n" +
		elastic + "*SOLID SECTION, ELSET=BARS, MATERIAL=M\n0.5\n*MEMBRANE SECTION, ELSET=SKIN, MATERIAL=M\n0.1\n*SPRING, ELSET=SPRINGS\n\n3.5\n*STEP, NLGEOM\n*STATIC\n*END STEP\n"
	m, _, rep, err := readText(t, text, Options{Units: UnitsCGS})
	if err != nil {
		t.Fatal(err)
	}
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Abs(b) }
	if len(m.Trusses) != 1 || len(m.Springs) != 1 || len(m.Membranes) != 1 || len(m.Mesh.Nodes) != 5 || len(m.Regions) != 1 {
		t.Fatalf("%+v", m)
	}
	if q := m.Trusses[0]; q.Nodes != [2]int32{1, 4} || !near(q.AreaMM2, 50) || !near(q.EMPa, 1e-9) {
		t.Errorf("%+v", q)
	}
	if q := m.Springs[0]; q.Nodes != [2]int32{4, 3} || !near(q.StiffnessNPerMM, 3.5e-6) {
		t.Errorf("%+v", q)
	}
	if q := m.Membranes[0]; len(q.Faces) != 1 || q.Faces[0] != [3]int32{0, 2, 1} || !near(q.Law.ThicknessMM(), 1) {
		t.Errorf("%+v", q)
	}
	if len(rep.Notes) == 0 || !rep.Notes[0].Warning {
		t.Error(rep.Notes)
	}
}

// Gravity may be given set by set, if all elements with a density get the same.
func TestGravityBySets(t *testing.T) {
	text := one + "*NODE\n5, 2, 2, 2\n*ELEMENT, TYPE=C3D4, ELSET=F\n8, 2, 3, 4, 5\n*MATERIAL, NAME=M\n*ELASTIC\n0.01, 0.3\n*DENSITY\n1e-9\n*SOLID SECTION, ELSET=E, MATERIAL=M\n*SOLID SECTION, ELSET=F, MATERIAL=M\n*STEP\n*STATIC\n*DLOAD\nE, GRAV, 2., 0, 0, -3\n%s*END STEP\n"
	m, _ := mustRead(t, strings.Replace(text, "%s", "F, GRAV, 2., 0, 0, -1\n", 1))
	if m.GravityChange != (r3.Vec{Z: -2}) {
		t.Error(m.GravityChange)
	}
	for _, more := range []string{"", "F, GRAV, 2., 0, 1, 0\n", "E, GRAV, 1., 0, 0, -1\nF, GRAV, 2., 0, 0, -1\n"} {
		if _, _, _, err := readText(t, strings.Replace(text, "%s", more, 1), Options{}); err == nil || !strings.Contains(err.Error(), "element 8 sees another gravity") {
			t.Errorf("%q: %v", more, err)
		}
	}
}

// Every refusal names the file, the line and the keyword.
func TestInpRefusals(t *testing.T) {
	const step = "*STEP\n*STATIC\n*END STEP\n"
	for _, c := range []struct{ text, want string }{
		{"1, 2\n", "a.inp, line 1: \"1\" stands under no keyword"},
		{one + elastic, "there is no *STEP"},
		{one + elastic + "*STEP\n*END STEP\n", "line 12: *STEP: a step without *STATIC"},
		{one + elastic + "*EQUATION\n2\n", "line 12: *EQUATION: is not understood"},
		{one + elastic + "*STEP\n*DYNAMIC\n", "line 13: *DYNAMIC"},
		{one + elastic + "*AMPLITUDE, NAME=A\n0,0,1,1\n", "*AMPLITUDE: amplitudes"},
		{one + elastic + "*STEP, PERTURBATION\n*STATIC\n", "PERTURBATION"},
		{one + elastic + "*STEP\n*STATIC, RIKS\n", "RIKS"},
		{one + elastic + "*BOUNDARY\n77, 1\n" + step, "line 13: *BOUNDARY: there is no node 77"},
		{one + elastic + "*BOUNDARY\nFOO, 1\n" + step, "no node set \"FOO\""},
		{one + elastic + "*BOUNDARY\n1, 8\n" + step, "no degree of freedom"},
		{one + elastic + "*BOUNDARY\n1, 4, 4, 0.1\n" + step, "rotation"},
		{one + elastic + "*BOUNDARY, AMPLITUDE=A\n1, 1\n" + step, "amplitudes"},
		{one + elastic + "*BOUNDARY, FIXED\n1, 1\n" + step, "FIXED"},
		{one + elastic + "*CLOAD\n1, 1, 1.\n" + step, "outside of a step"},
		{one + elastic + "*STEP\n*STATIC\n*CLOAD\n1, 1, x\n*END STEP\n", "line 15: *CLOAD: \"x\" is not a finite number"},
		{one + elastic + "*STEP\n*STATIC\n*DLOAD\nE, CENTRIF, 1., 0, 0\n*END STEP\n", "CENTRIF"},
		{one + elastic + "*STEP\n*STATIC\n*DLOAD\nE, GRAV, 1., 0, 0, 1\n*END STEP\n", "density"},
		{one + elastic + "*STEP\n*STATIC\n*DSLOAD\nS, P, 1.\n*END STEP\n", "no surface \"S\""},
		{one + "*SOLID SECTION, ELSET=E, MATERIAL=M\n" + step, "no material \"M\""},
		{one + "*MATERIAL, NAME=M\n*SOLID SECTION, ELSET=E, MATERIAL=M\n" + step, "has no law"},
		{one + "*MATERIAL, NAME=M\n*ELASTIC\n1., 0.3\n" + step, "element 7 has no section"},
		{one + "*MATERIAL, NAME=M\n*ELASTIC\n1., 0.5\n*SOLID SECTION, ELSET=E, MATERIAL=M\n" + step, "line 9: *ELASTIC: material:"},
		{one + "*MATERIAL, NAME=M\n*ELASTIC, TYPE=ORTHO\n1., 0.5\n" + step, "ORTHO"},
		{one + "*MATERIAL, NAME=M\n*HYPERELASTIC, NEO HOOKE\n1., 0.\n*SOLID SECTION, ELSET=E, MATERIAL=M\n*STEP, NLGEOM\n*STATIC\n*END STEP\n", "D1 = 0"},
		{one + "*MATERIAL, NAME=M\n*HYPERELASTIC, NEO HOOKE\n1., 1.\n*SOLID SECTION, ELSET=E, MATERIAL=M\n" + step, "without NLGEOM"},
		{one + "*MATERIAL, NAME=M\n*HYPERELASTIC, ARRUDA-BOYCE\n1., 1.\n", "ARRUDA-BOYCE"},
		{one + "*MATERIAL, NAME=M\n*EXPANSION\n1.\n*CREEP\n1.\n", "line 11: *CREEP"},
		{"*NODE\n1, 0, 0\n1, 0, 0\n", "node 1 is given twice"},
		{"*NODE\n1, 0, 0, 1e999\n", "not a finite number"},
		{"*NODE, SYSTEM=C\n1, 0, 0\n", "coordinates \"C\""},
		{one + "*ELEMENT, TYPE=C3D8\n8, 1,2,3,4,1,2,3,4\n", "elements of type \"C3D8\""},
		{one + "*ELEMENT, TYPE=S3, ELSET=S\n8, 1,2,3\n", "shell"},
		{one + "*ELEMENT, TYPE=C3D10\n8, 1,2,3,4,1,2,3,4,1,2\n", "mixed"},
		{one + "*ELEMENT, TYPE=C3D4\n8, 1,2,3\n*STEP\n", "has 3 nodes of 4"},
		{"*NODE\n1,0,0,0\n*ELEMENT, TYPE=C3D4, ELSET=E\n1, 1,2,3,4\n" + elastic + step, "names node 2, which is not defined"},
		{one + "*NSET, NSET=A, GENERATE\n5, 1\n", "is no range"},
		{one + "*NSET, NSET=A, ELSET=E\n", "ELSET"},
		{one + "*NSET, NSET=A\nB\n", "no set \"B\""},
		{"*INCLUDE, INPUT=gone.inp\n", "no such file"},
		{"*NODE\n1,0,0,0\n*STEP\n*STATIC\n*END STEP\n", "no tetrahedron"},
		{one + "*ELEMENT, TYPE=T3D2, ELSET=B\n9, 1, 2\n" + elastic + "*STEP, NLGEOM\n*STATIC\n*END STEP\n", "element 9 of type T3D2 has no section"},
	} {
		_, _, _, err := readText(t, c.text, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "deck: a.inp") {
			t.Errorf("%q:\n got %v\nwant %s", c.text[max(0, len(c.text)-70):], err, c.want)
		}
	}
}

func TestReadHonoursContextAndBounds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, _, _, err := Read(ctx, "a.inp", Options{Open: files{"a.inp": one}.open}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, _, _, err := readText(t, one, Options{MaxBytes: 20}); err == nil || !strings.Contains(err.Error(), "MaxBytes") {
		t.Error(err)
	}
	if _, _, _, err := Read(t.Context(), "a.docx", Options{Open: files{"a.docx": ""}.open}); err == nil {
		t.Error("no error")
	}
	big := one + "*NSET, NSET=A, GENERATE\n1, 2000000000, 1\n" + elastic + "*STEP\n*STATIC\n*BOUNDARY\nA, 1\n*END STEP\n"
	if m, _, _, err := readText(t, big, Options{}); err != nil || len(m.Prescribed) != 4 {
		t.Error(err)
	}
}
