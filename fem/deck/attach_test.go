package deck

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"halsted/fem"
)

// pairMesh is two tetrahedra face to face, apart by 0.01.
const pairNodes = "*NODE\n1,0,0,0\n2,2,0,0\n3,0,2,0\n4,0,0,2\n5,0,0,-.01\n6,2,0,-.01\n7,0,2,-.01\n8,0,0,-2\n"

func TestTiesAndContactsOfAbaqus(t *testing.T) {
	text := pairNodes + "*ELEMENT,TYPE=C3D4,ELSET=E\n1,1,2,3,4\n2,5,7,6,8\n*SURFACE,NAME=A\n1,S1\n*SURFACE,NAME=B\n2,S1\n" + elastic +
		"*TIE, NAME=T, POSITION TOLERANCE=0.1\nA, B\n*SURFACE INTERACTION, NAME=I\n1.\n*SURFACE BEHAVIOR, PRESSURE-OVERCLOSURE=HARD\n*FRICTION\n0.3\n" +
		"*CONTACT PAIR, INTERACTION=I, TYPE=SURFACE TO SURFACE\nA, B\n*STEP, NLGEOM\n*STATIC\n*END STEP\n"
	m, _, rep, err := readText(t, text, Options{Units: UnitsCGS})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Ties) != 1 || m.Ties[0].Name != "T" || m.Ties[0].Faces[0] != [3]int32{0, 1, 2} || m.Ties[0].Against[0] != [3]int32{4, 6, 5} || m.Ties[0].SearchMM != 1 {
		t.Errorf("%+v", m.Ties)
	}
	if len(m.Contacts) != 1 || m.Contacts[0].Friction != .3 || m.Contacts[0].GapToleranceMM <= 0 || len(rep.Notes) != 1 || !rep.Notes[0].Warning {
		t.Errorf("%+v %v", m.Contacts, rep.Notes)
	}
}

// Two bars of FEBio tied end to end carry the tension of one: E·A/L in series.
func TestTiedBars(t *testing.T) {
	bar := bar10(2, 5)
	text := bar + "*MATERIAL, NAME=M\n*ELASTIC\n0.01, 0.\n*SOLID SECTION, ELSET=EALL, MATERIAL=M\n"
	var shifted strings.Builder
	section := ""
	for line := range strings.Lines(bar) { // the same bar again, numbers + 1000, moved to its end
		if strings.HasPrefix(line, "*") {
			section = line
			line = strings.NewReplacer("NSET=ALL", "NSET=ALL2", "=EALL", "=EALL2", "=ROOT", "=ROOT2", "=TIP", "=TIP2", "=ENDFACE", "=ENDFACE2", "=TOPFACE", "=TOPFACE2").Replace(line)
			shifted.WriteString(line)
			continue
		}
		w := strings.Split(strings.TrimSpace(line), ",")
		for i := range w {
			w[i] = strings.TrimSpace(w[i])
			n, ok := parseInt([]byte(w[i]))
			switch {
			case ok && (i == 0 || strings.HasPrefix(section, "*ELEMENT")):
				w[i] = itoa(n + 1000)
			case i == 1 && strings.HasPrefix(section, "*NODE"):
				x, _ := parseFloat([]byte(w[i]))
				w[i] = ftoa(x + 10)
			}
		}
		shifted.WriteString(strings.Join(w, ", ") + "\n")
	}
	text += shifted.String() + "*SOLID SECTION, ELSET=EALL2, MATERIAL=M\n*SURFACE, NAME=ALL2\nEALL2\n*BOUNDARY\nROOT, 1, 3\nALL, 2, 3\nALL2, 2, 3\n"
	// faces of the second bar at x = 10: those of its surface whose corners are in ROOT2
	text += "*TIE, NAME=GLUE, POSITION TOLERANCE=0.1\nENDFACE, ALL2\n*STEP, NLGEOM\n*STATIC, DIRECT\n1., 1.\n*BOUNDARY\nTIP2, 1, 1, 2.\n*END STEP\n"
	f, rep := solved(t, "a.inp", files{"a.inp": text}, Options{})
	// St. Venant–Kirchhoff in one dimension: P = E·λ·(λ²−1)/2 with λ = 1.1, A = 100
	want := .01 * 1.1 * (1.21 - 1) / 2 * 100
	sum := 0.0
	for n, r := range f.ReactionN {
		if rep.NodeNumbers[n] > 1000 {
			sum += r.X
		}
	}
	if math.Abs(sum-want) > 1e-3*want {
		t.Errorf("force %.6g N, want %.6g", sum, want)
	}
}

func itoa(n int64) string { return strings.TrimSpace(ftoa(float64(n))) }

func TestFEBioContactAndSprings(t *testing.T) {
	mesh := `<Mesh><Nodes><node id="1">0,0,0</node><node id="2">2,0,0</node><node id="3">0,2,0</node><node id="4">0,0,2</node><node id="5">0,0,-.1</node><node id="6">2,0,-.1</node><node id="7">0,2,-.1</node><node id="8">0,0,-2</node></Nodes>
<Elements type="tet4" name="P"><elem id="1">1,2,3,4</elem><elem id="2">5,7,6,8</elem></Elements><Surface name="a"><tri3 id="1">1,3,2</tri3></Surface><Surface name="b"><tri3 id="1">5,6,7</tri3></Surface>
<SurfacePair name="ab"><primary>a</primary><secondary>b</secondary></SurfacePair><DiscreteSet name="d"><delem>4,8</delem></DiscreteSet></Mesh><MeshDomains><SolidDomain name="P" mat="M"/></MeshDomains>`
	contact := func(typ, more string) string {
		return `<Contact><contact name="c" type="` + typ + `" surface_pair="ab">` + more + `</contact></Contact>`
	}
	text := febText(neoHooke, mesh, contact("tied-elastic", ""), `<Discrete><discrete_material id="1" type="linear spring"><E>3</E></discrete_material><discrete dmat="1" discrete_set="d"/></Discrete>`,
		`<Step><step id="1">`+febControl+`</step><step id="2">`+febControl+contact("sliding-elastic", "<fric_coeff>0.2</fric_coeff><two_pass>1</two_pass>")+`</step><step id="3">`+febControl+`</step></Step>`)
	m, _, _, err := readFebText(t, text, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Ties) != 1 || m.Ties[0].Name != "c" || m.Ties[0].Faces[0] != [3]int32{0, 2, 1} || len(m.Springs) != 1 || m.Springs[0].StiffnessNPerMM != 3 || m.Springs[0].Nodes != [2]int32{3, 7} {
		t.Errorf("%+v %+v", m.Ties, m.Springs)
	}
	if len(m.Contacts) != 1 || m.Contacts[0].Friction != .2 || !m.Contacts[0].TwoPass || m.Contacts[0].Name == "c" {
		t.Fatalf("%+v", m.Contacts)
	}
	if n := m.Contacts[0].Name; len(m.Stages) != 3 || m.Stages[0].Attach != nil || len(m.Stages[1].Attach) != 1 || m.Stages[1].Attach[0] != n || len(m.Stages[2].Detach) != 1 || m.Stages[2].Detach[0] != n {
		t.Errorf("%+v", m.Stages)
	}
	for _, c := range []string{contact("sticky", ""), contact("sliding-elastic", "<tension>1</tension>"), strings.Replace(contact("tied-elastic", ""), "ab", "cd", 1)} {
		if _, _, _, err := readFebText(t, febText(febControl, neoHooke, mesh, c), Options{}); err == nil {
			t.Errorf("%s is read", c)
		}
	}
}

func TestTiesInModelFiles(t *testing.T) {
	m, s, _, err := readModel(t, modelText(twoMaterials, `"selections": {"s": {"faces": "Side"}, "skin": {"facing": {"direction": [-1, 1, 1], "within_deg": 80}}, "ends": {"nodes": "Ends"}}`,
		`"ties": [{"name": "graft", "at": "s", "to": "skin", "search_mm": 2}, {"at": "ends", "within": ["liver"], "penalty": 20}]`,
		`"dynamic": {"method": "newmark", "spectral_radius": 0.8, "rayleigh_stiffness_ms": 2}, "settings": {"arc_length": {"max_steps": 9, "max_displacement_cm": 1}}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Ties) != 2 || len(m.Ties[0].Faces) != 1 || m.Ties[0].SearchMM != 2 || len(m.Ties[1].Nodes) != 2 || m.Ties[1].Penalty != 20 {
		t.Errorf("%+v", m.Ties)
	}
	if m.Dynamic == nil || m.Dynamic.Method != fem.Newmark || m.Dynamic.RayleighStiffnessS != .002 || s.ArcLength == nil || s.ArcLength.MaxSteps != 9 || s.ArcLength.MaxMM != 10 {
		t.Errorf("%+v %+v", m.Dynamic, s.ArcLength)
	}
}

func ftoa(x float64) string { return strconv.FormatFloat(x, 'g', 12, 64) }
