package deck

import (
	"errors"
	"math"
	"os"
	"strconv"
	"testing"

	"halsted/mesh/meshio"
)

// fuzzed reads a model; whatever it is made of, its indices and numbers must
// hold what fem needs not fear.
func fuzzed(t *testing.T, name string, f files) {
	m, s, rep, err := Read(t.Context(), name, Options{Open: f.open, MaxBytes: 1 << 20, Approximate: true})
	if err != nil {
		if err.Error() == "" {
			t.Fatal("an error without words")
		}
		_, ours := errors.AsType[*Error](err)
		_, placed := errors.AsType[*placedError](err)
		_, mesh := errors.AsType[*meshio.FormatError](err)
		if !ours && !placed && !mesh {
			t.Fatalf("%T %v", err, err)
		}
		return
	}
	n := int32(len(m.Mesh.Nodes))
	for _, x := range m.Mesh.Nodes {
		if x.X*0+x.Y*0+x.Z*0 != 0 {
			t.Fatal("a place that is not finite")
		}
	}
	for _, q := range m.Mesh.Tets {
		for _, v := range q {
			if v < 0 || v >= n {
				t.Fatal("a node out of range")
			}
		}
	}
	stages := max(1, len(m.Stages))
	for _, p := range m.Prescribed {
		if p.Node < 0 || p.Node >= n || p.Axis < 0 || p.Axis > 2 || math.IsNaN(p.ValueMM) {
			t.Fatalf("%+v", p)
		}
	}
	for _, l := range m.Forces {
		if l.Node < 0 || l.Node >= n {
			t.Fatalf("%+v", l)
		}
	}
	for _, r := range m.Regions {
		if r.Law == nil {
			t.Fatal("a region without a law")
		}
	}
	if s.Steps < 0 || stages > 100000 || rep.NodeNumbers != nil && len(rep.NodeNumbers) != len(m.Mesh.Nodes) {
		t.Fatal(s, stages)
	}
	_ = CheckUnits(m, &rep)
}

func FuzzReadInp(f *testing.F) {
	f.Add([]byte(one + elastic + "*BOUNDARY\nN, 3\n1, ENCASTRE\n*STEP, NLGEOM\n*STATIC, DIRECT\n.5, 2\n*CLOAD\n4, 1, 1.\n*DLOAD\n7, P1, 5.\n*END STEP\n*STEP\n*STATIC\n*BOUNDARY, OP=NEW\n1, PINNED\n*END STEP\n"))
	f.Add([]byte(one + "*NSET, NSET=A, GENERATE\n1, 4, 3\n*SURFACE, NAME=S\nE, S1\nE\n*MATERIAL, NAME=M\n*HYPERELASTIC, OGDEN, N=2\n1,2,3,-1,2,0\n*VISCOELASTIC, TIME=PRONY\n.1,0,3\n*SOLID SECTION, ELSET=E, MATERIAL=M\n*STEP, NLGEOM\n*STATIC\n*DSLOAD\nS, P, 1.\n*END STEP\n"))
	f.Add([]byte(one + "*NODE\n5, 5, 0, 0\n*ELEMENT, TYPE=T3D2, ELSET=B\n8, 2, 5\n*ELEMENT, TYPE=SPRINGA, ELSET=C\n9, 5, 4\n*ELEMENT, TYPE=M3D3, ELSET=D\n10, 1, 3, 2\n" + elastic +
		"*SOLID SECTION, ELSET=B, MATERIAL=M\n0.5\n*MEMBRANE SECTION, ELSET=D, MATERIAL=M\n0.1\n*SPRING, ELSET=C\n\n3.5\n*SURFACE INTERACTION, NAME=I\n*FRICTION\n.1\n*SURFACE, NAME=S\n7, S1\n*CONTACT PAIR, INTERACTION=I\nS, S\n*STEP, NLGEOM\n*STATIC\n*END STEP\n"))
	f.Add([]byte("*INCLUDE, INPUT=a.inp\n"))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzed(t, "a.inp", files{"a.inp": string(data)}) })
}

func FuzzReadFeb(f *testing.F) {
	f.Add([]byte(febText(febControl, neoHooke, febMesh, `<Boundary><bc type="prescribed displacement" node_set="@surface:s"><dof>y</dof><value lc="1">-0.5</value></bc></Boundary>`+
		`<Loads><surface_load type="pressure" surface="s"><pressure lc="1">2</pressure></surface_load><body_load type="body force"><force lc="1">0,1,0</force></body_load></Loads>`, ramp)))
	f.Add([]byte(`<febio_spec version="2.5"><Control><time_steps>2</time_steps><step_size>0.5</step_size></Control><Material><material id="1" name="m" type="Ogden"><c1>1</c1><m1>2</m1><k>5</k></material></Material>` +
		`<Geometry><Nodes><node id="1">0,0,0</node><node id="2">2,0,0</node><node id="3">0,2,0</node><node id="4">0,0,2</node></Nodes><Elements type="tet4" mat="1"><elem id="1">1,2,3,4</elem></Elements>` +
		`<NodeSet name="a"><node id="1"/></NodeSet></Geometry><Boundary><fix bc="x,z" node_set="a"/></Boundary><LoadData><loadcurve id="1"><point>0,0</point></loadcurve></LoadData></febio_spec>`))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzed(t, "a.feb", files{"a.feb": string(data)}) })
}

func FuzzReadModel(f *testing.F) {
	f.Add([]byte(modelText(twoMaterials, `"selections": {"s": {"faces": "Side"}, "b": {"border": ["liver", "tumour_1"], "box_mm": {"min": [0,0,0], "max": [1,1,1]}}}`,
		`"fixed": [{"at": "s"}], "loads": [{"at": "s", "pressure_mmHg": 3}], "stages": [{"duration_ms": 3, "release": [{"at": "s"}]}], "springs": [{"at": "s", "to": "s", "stiffness_N_per_mm": 1}]`)))
	if doc, err := os.ReadFile("../../docs/solving.md"); err == nil {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, data []byte) { fuzzed(t, "a.json", files{"a.json": string(data), "two.inp": two}) })
}

func FuzzGmshSets(f *testing.F) {
	for _, s := range []string{gmsh41, gmsh22} {
		f.Add([]byte(s))
	}
	model := `{"halsted_model": 1, "mesh": {"file": "a.msh"}, "materials": [{"tissue": "spleen"}], "selections": {"s": {"faces": "inlet"}, "n": {"nodes": "inlet"}}, "fixed": [{"at": "n"}], "loads": [{"at": "s", "pressure_kPa": 1}]}`
	f.Fuzz(func(t *testing.T, data []byte) { fuzzed(t, "a.json", files{"a.json": model, "a.msh": string(data)}) })
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"1.5e-3", "1.D+5", "1.0-5", "123456789012345678901234567890", ".", "-0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, ok := parseFloat(data)
		if ok && x*0 != 0 {
			t.Fatalf("%q is %v", data, x)
		}
		want, err := strconv.ParseFloat(string(data), 64)
		if ok && err == nil && x != want {
			t.Fatalf("%q is %v, want %v", data, x, want)
		}
	})
}
