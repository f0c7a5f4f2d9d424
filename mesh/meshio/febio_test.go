package meshio

import (
	"encoding/xml"
	"strings"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// foreignFEB is a FEBio 4 model: two blocks with materials by domain, shells,
// and much that is passed over.
const foreignFEB = `<?xml version="1.0" encoding="ISO-8859-1"?>
<febio_spec version="4.0">
	<Module type="solid"><units>mm-N-s</units></Module>
	<Material>
		<material id="1" name="liver" type="neo-Hookean"><E>0.01</E><v>0.4</v></material>
	</Material>
	<Mesh>
		<Nodes name="Object01">
			<node id="1">0,0,0</node>
			<node id="2"> 1.0e+00, 0 , 0</node>
			<!-- between --><node id='3'>0,1,0</node>
			<node id="4">0,0,1</node>
			<node id="9">1,1,1</node>
		</Nodes>
		<Elements type="tet4" name="Part1"><elem id="5">1,2,3,4</elem></Elements>
		<Elements type="tet4" name="A&amp;B"><elem id="2">2,3,4,9</elem></Elements>
		<Elements type="tri3" name="Skin"><elem id="7">1,2,3</elem></Elements>
		<NodeSet name="fixed">1,2</NodeSet>
	</Mesh>
	<MeshDomains>
		<SolidDomain name="Part1" mat="liver"/>
		<ShellDomain name="Skin" mat="liver"><shell_thickness>1</shell_thickness></ShellDomain>
	</MeshDomains>
</febio_spec>
`

func TestForeignFEBio(t *testing.T) {
	f := readTetBytes(t, "a.feb", []byte(foreignFEB), ReadOptions{})
	m := f.Mesh
	if len(m.Tets) != 2 || m.Tets[0] != [4]int32{1, 2, 3, 4} || m.Region[1] != imaging.LabelLiver || m.Region[0] != 64 || f.Names[64] != "A&B" || m.Nodes[4] != (r3.Vec{X: 1, Y: 1, Z: 1}) || m.Check() != nil {
		t.Fatalf("%+v %+v", m, f)
	}
	if len(f.Skipped) != 1 || f.Skipped[0] != (Skipped{"tri3", 1, 7}) {
		t.Fatalf("%+v", f.Skipped)
	}
	for name, c := range map[string]struct {
		from, to string
		line     int
	}{
		"root":       {"<febio_spec version", "<model version", 2},
		"version":    {`"4.0"`, `"1.2"`, 2},
		"included":   {"<Mesh>", `<Mesh from="mesh.feb">`, 7},
		"NaN":        {"0,1,0", "0,nan,0", 11},
		"two":        {"0,1,0", "0,1", 11},
		"twice":      {`id="4"`, `id="1"`, 12},
		"id":         {`id="4"`, `id="four"`, 12},
		"no node":    {"2,3,4,9", "2,3,4,8", 16},
		"three":      {"2,3,4,9", "2,3,4", 16},
		"five":       {"2,3,4,9", "2,3,4,9,1", 16},
		"hexahedron": {`type="tet4" name="A`, `type="hex8" name="A`, 16},
		"mixed":      {`type="tet4" name="A&amp;B"><elem id="2">2,3,4,9`, `type="tet10" name="A"><elem id="2">2,3,4,9,1,2,3,4,1,2`, 16},
		"not closed": {"</Mesh>", "", 24},
		"crossed":    {"</Nodes>", "</Mesh>", 14},
		"entity":     {"<?xml", "<!DOCTYPE x [<!ENTITY a \"b\">]>\n<?xml", 1},
		"attribute":  {`id="4"`, `id=4`, 12},
		"deep":       {"<Mesh>", strings.Repeat("<Mesh>", 200), 7},
	} {
		if !strings.Contains(foreignFEB, c.from) {
			t.Fatal(name)
		}
		_, err := ReadTetMesh(bg, strings.NewReader(strings.Replace(foreignFEB, c.from, c.to, 1)), "a.feb", ReadOptions{})
		if bad := refuses(t, name, err); bad.Line != c.line {
			t.Errorf("%s: line %d, not %d", name, bad.Line, c.line)
		}
	}
	f = readTetBytes(t, "a.feb", []byte(strings.Replace(foreignFEB, `type="tri3"`, `type="hex8"`, 1)), ReadOptions{SkipUnknown: true})
	if len(f.Skipped) != 1 || f.Skipped[0].Type != "hex8" {
		t.Fatalf("%+v", f.Skipped)
	}
}

// What we write is XML to another reader, with a domain per region.
func TestFEBioIsXML(t *testing.T) {
	var f struct {
		Version string `xml:"version,attr"`
		Mesh    struct {
			Nodes []struct {
				ID   int    `xml:"id,attr"`
				Text string `xml:",chardata"`
			} `xml:"Nodes>node"`
			Elements []struct {
				Type string `xml:"type,attr"`
				Name string `xml:"name,attr"`
				Elem []struct {
					ID   int    `xml:"id,attr"`
					Text string `xml:",chardata"`
				} `xml:"elem"`
			} `xml:"Elements"`
		} `xml:"Mesh"`
		Domains []struct {
			Name string `xml:"name,attr"`
			Mat  string `xml:"mat,attr"`
		} `xml:"MeshDomains>SolidDomain"`
	}
	data := tetBytes(t, "a.feb", curved(pair()), WriteOptions{Names: map[imaging.Label]string{imaging.LabelLiver: `<"left" & right>`}})
	if err := xml.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	if f.Version != "4.0" || len(f.Mesh.Nodes) != 14 || len(f.Mesh.Elements) != 2 || f.Mesh.Elements[0].Type != "tet10" || len(f.Domains) != 2 {
		t.Fatalf("%+v", f)
	}
	if e := f.Mesh.Elements[1]; e.Name != "tumour_1" || f.Domains[1].Name != e.Name || f.Domains[1].Mat != e.Name || e.Elem[0].ID != 1 || !strings.HasPrefix(e.Elem[0].Text, "1,2,3,4,") {
		t.Fatalf("%+v", e)
	}
}
