package meshio

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// packedVTU is what VTK 9.1 writes by itself: appended in base64, packed with
// zlib; one tetrahedron with a field.
const packedVTU = `<?xml version="1.0"?>
<VTKFile type="UnstructuredGrid" version="0.1" byte_order="LittleEndian" header_type="UInt32" compressor="vtkZLibDataCompressor">
  <UnstructuredGrid>
    <Piece NumberOfPoints="4"                    NumberOfCells="1"                   >
      <PointData>
        <DataArray type="Float64" Name="T" format="appended" RangeMin="0.5"                  RangeMax="3.5"                  offset="0"                   />
      </PointData>
      <CellData>
        <DataArray type="Int32" Name="region" format="appended" RangeMin="2"                    RangeMax="2"                    offset="56"                  />
      </CellData>
      <Points>
        <DataArray type="Float64" Name="Points" NumberOfComponents="3" format="appended" RangeMin="0"                    RangeMax="4"                    offset="96"                  />
      </Points>
      <Cells>
        <DataArray type="Int64" Name="connectivity" format="appended" RangeMin=""                     RangeMax=""                     offset="148"                 />
        <DataArray type="Int64" Name="offsets" format="appended" RangeMin=""                     RangeMax=""                     offset="200"                 />
        <DataArray type="UInt8" Name="types" format="appended" RangeMin=""                     RangeMax=""                     offset="240"                 />
      </Cells>
    </Piece>
  </UnstructuredGrid>
  <AppendedData encoding="base64">
   _AQAAAACAAAAgAAAAGAAAAA==eJxjYACBB/ZgiuEHlGZxgNA8DgA1ZgLnAQAAAACAAAAEAAAADAAAAA==eJxjYmBgAAAADAADAQAAAACAAABgAAAAFAAAAA==eJxjYMALHPBLcxCQF3AAABpQANk=AQAAAACAAAAgAAAAEwAAAA==eJxjYIAARijNBKWZoTQAAHAABw==AQAAAACAAAAIAAAACwAAAA==eJxjYYAAAAAoAAU=AQAAAACAAAABAAAACQAAAA==eJzjAgAACwAL
  </AppendedData>
</VTKFile>
`

// The part of the VTK XML format that the independent reader below knows.
type xmlArray struct {
	Type       string `xml:"type,attr"`
	Name       string `xml:"Name,attr"`
	Components int    `xml:"NumberOfComponents,attr"`
	Format     string `xml:"format,attr"`
	Text       string `xml:",chardata"`
}

type xmlFile struct {
	Type   string `xml:"type,attr"`
	Order  string `xml:"byte_order,attr"`
	Header string `xml:"header_type,attr"`
	Piece  struct {
		Points    int        `xml:"NumberOfPoints,attr"`
		Cells     int        `xml:"NumberOfCells,attr"`
		PointData []xmlArray `xml:"PointData>DataArray"`
		CellData  []xmlArray `xml:"CellData>DataArray"`
		At        []xmlArray `xml:"Points>DataArray"`
		Conn      []xmlArray `xml:"Cells>DataArray"`
	} `xml:"UnstructuredGrid>Piece"`
}

func (a xmlArray) decode(t *testing.T, into any) {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(a.Text)
	if err != nil || len(b) < 8 || a.Format != "binary" || binary.LittleEndian.Uint64(b) != uint64(len(b)-8) || binary.Size(into) != len(b)-8 {
		t.Fatalf("array %q: %v, %d bytes for %d", a.Name, err, len(b), binary.Size(into))
	}
	if err := binary.Read(bytes.NewReader(b[8:]), binary.LittleEndian, into); err != nil {
		t.Fatal(err)
	}
}

// WriteVTU gives plain XML that encoding/xml understands.
func TestWriteVTU(t *testing.T) {
	base := block()
	for _, m := range []*mesh.TetMesh{base, base.Quadratic()} {
		u, p := tenth(m), make([]float64, len(m.Nodes))
		for n, x := range m.Nodes {
			p[n] = x.X * x.Y
		}
		var out bytes.Buffer
		fields := []PointField{{Name: "displacement_mm", Vectors: u}, {Name: `von_mises_MPa <"&>`, Scalars: p}}
		if err := WriteVTU(&out, m, fields); err != nil {
			t.Fatal(err)
		}
		var f xmlFile
		if err := xml.Unmarshal(out.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		if f.Type != "UnstructuredGrid" || f.Order != "LittleEndian" || f.Header != "UInt64" || f.Piece.Points != len(m.Nodes) || f.Piece.Cells != len(m.Tets) {
			t.Fatalf("%+v", f)
		}
		at, du, dp := make([]r3.Vec, len(m.Nodes)), make([]r3.Vec, len(m.Nodes)), make([]float64, len(m.Nodes))
		f.Piece.At[0].decode(t, at)
		f.Piece.PointData[0].decode(t, du)
		f.Piece.PointData[1].decode(t, dp)
		if f.Piece.At[0].Components != 3 || f.Piece.PointData[0].Name != fields[0].Name || f.Piece.PointData[1].Name != fields[1].Name {
			t.Fatalf("names %q, %q", f.Piece.PointData[0].Name, f.Piece.PointData[1].Name)
		}
		if !slices.Equal(at, m.Nodes) || !slices.Equal(du, u) || !slices.Equal(dp, p) {
			t.Fatal("nodes or fields changed")
		}
		region := make([]imaging.Label, len(m.Tets))
		f.Piece.CellData[0].decode(t, region)
		per, kind := 4, uint8(10)
		if m.Mid != nil {
			per, kind = 10, 24
		}
		conn, off, types := make([]int32, per*len(m.Tets)), make([]int64, len(m.Tets)), make([]uint8, len(m.Tets))
		f.Piece.Conn[0].decode(t, conn)
		f.Piece.Conn[1].decode(t, off)
		f.Piece.Conn[2].decode(t, types)
		for e := range m.Tets {
			row := conn[per*e : per*e+per]
			if region[e] != m.Region[e] || off[e] != int64(per*(e+1)) || types[e] != kind || [4]int32(row[:4]) != m.Tets[e] ||
				m.Mid != nil && [6]int32(row[4:]) != m.Mid[e] {
				t.Fatalf("element %d changed", e)
			}
		}
	}
}

// Fields come back with the mesh, in every form, with names that need escapes.
func TestVTUFields(t *testing.T) {
	m := block()
	p, c := make([]float64, len(m.Nodes)), make([]float64, len(m.Tets))
	v := make([]r3.Vec, len(m.Tets))
	for n := range p {
		p[n] = 1 / float64(n+3)
	}
	for n := range c {
		c[n], v[n] = 1e-300*float64(n), r3.Vec{X: float64(n), Z: -1. / 3}
	}
	for _, form := range tetForms[:3] {
		opt := form.opt
		opt.PointFields = []Field{{Name: `a<b>&"c"`, Scalars: p}, {Name: "u_mm", Vectors: tenth(m)}}
		opt.CellFields = []Field{{Name: "energy_mJ", Scalars: c}, {Name: "axis", Vectors: v}}
		f := readTetBytes(t, "a.vtu", tetBytes(t, "a.vtu", m, opt), ReadOptions{})
		if len(f.PointFields) != 2 || len(f.CellFields) != 2 || len(f.LeftOut) != 0 {
			t.Fatalf("%s: %d, %d, %v", form.name, len(f.PointFields), len(f.CellFields), f.LeftOut)
		}
		if f.PointFields[0].Name != `a<b>&"c"` || !slices.Equal(f.PointFields[0].Scalars, p) || !slices.Equal(f.PointFields[1].Vectors, tenth(m)) ||
			!slices.Equal(f.CellFields[0].Scalars, c) || !slices.Equal(f.CellFields[1].Vectors, v) {
			t.Fatalf("%s: a field changed", form.name)
		}
	}
}

// foreignVTU has a hexahedron and a triangle before two tetrahedra, a node of
// no tetrahedron, and fields of shapes that are left out.
const foreignVTU = `<?xml version="1.0"?>
<!DOCTYPE-NOT/>
<VTKFile type="UnstructuredGrid" version="0.1" byte_order="LittleEndian">
  <UnstructuredGrid><Piece NumberOfPoints="9" NumberOfCells="4">
    <PointData><DataArray type="Float32" Name="T" format="ascii">0 1 2 3 4 5 6 7 8</DataArray>
      <DataArray type="Float32" Name="hot" format="ascii">0 1 2 3 4 nan 6 7 8</DataArray>
      <DataArray type="Float32" Name="S" NumberOfComponents="6" format="ascii"></DataArray></PointData>
    <CellData><DataArray type="Int32" Name="MaterialIds" format="ascii">1 2 33 34</DataArray></CellData>
    <Points><DataArray type="Float32" NumberOfComponents="3" format="ascii">
      0 0 0  1 0 0  1 1 0  0 1 0  0 0 1  1 0 1  1 1 1  0 1 1 9 9 9</DataArray></Points>
    <Cells><DataArray type="Int32" Name="connectivity" format="ascii">0 1 2 3 4 5 6 7  0 1 2  7 4 5 6  0 1 3 4</DataArray>
      <DataArray type="Int32" Name="offsets" format="ascii">8 11 15 19</DataArray>
      <DataArray type="UInt8" Name="types" format="ascii">12 5 10 10</DataArray></Cells>
  </Piece></UnstructuredGrid>
</VTKFile>
`

func TestForeignVTU(t *testing.T) {
	data := strings.Replace(foreignVTU, "<!DOCTYPE-NOT/>\n", "", 1)
	_, err := ReadTetMesh(bg, strings.NewReader(data), "a.vtu", ReadOptions{})
	if bad := refuses(t, "hexahedron", err); !strings.Contains(bad.What, "hexahedron") || !strings.Contains(bad.Remedy, "SkipUnknown") {
		t.Error(bad)
	}
	f := readTetBytes(t, "a.vtu", []byte(data), ReadOptions{SkipUnknown: true})
	if len(f.Mesh.Tets) != 2 || len(f.Mesh.Nodes) != 7 || f.Unused != 2 || f.Mesh.Region[0] != 33 || f.Mesh.Region[1] != 34 {
		t.Fatalf("%+v", f)
	}
	if !slices.Equal(f.Skipped, []Skipped{{"hexahedron", 1, 0}, {"triangle", 1, 1}}) || !slices.Equal(f.LeftOut, []string{"hot", "S"}) {
		t.Fatalf("%+v %v", f.Skipped, f.LeftOut)
	}
	if !slices.Equal(f.PointFields[0].Scalars, []float64{0, 1, 3, 4, 5, 6, 7}) || f.Inverted != 1 || f.FirstInverted != 2 {
		t.Fatalf("%+v", f)
	}
	for name, spoil := range map[string][2]string{
		"document type":   {"<VTKFile", "<!DOCTYPE x>\n<VTKFile"},
		"another type":    {"UnstructuredGrid\" ver", "PolyData\" ver"},
		"unknown packing": {"byte_order=", "compressor=\"vtkLZ4DataCompressor\" byte_order="},
		"NaN":             {"0 0 0  1", "0 nan 0  1"},
		"too few":         {"0 1 1 9 9 9", "0 1 1 9 9"},
		"index":           {"7 4 5 6", "7 4 5 9"},
		"negative":        {"7 4 5 6", "7 4 5 -6"},
		"offsets":         {"8 11 15 19", "8 11 9 19"},
		"last offset":     {"8 11 15 19", "8 11 15 20"},
		"quadratic":       {"12 5 10 10", "12 5 24 10"},
		"not closed":      {"</Cells>", ""},
		"crossed":         {"</Piece></UnstructuredGrid>", "</UnstructuredGrid></Piece>"},
		"second piece":    {"</Piece>", "</Piece><Piece NumberOfPoints=\"0\" NumberOfCells=\"0\"/>"},
		"no types":        {`Name="types"`, `Name="kinds"`},
		"format":          {`Name="types" format="ascii"`, `Name="types" format="hex"`},
		"base64":          {`Name="types" format="ascii"`, `Name="types" format="binary"`},
	} {
		if !strings.Contains(data, spoil[0]) {
			t.Fatal(name)
		}
		_, err := ReadTetMesh(bg, strings.NewReader(strings.Replace(data, spoil[0], spoil[1], 1)), "a.vtu", ReadOptions{SkipUnknown: true})
		refuses(t, name, err)
	}
}

func TestPackedVTU(t *testing.T) {
	f := readTetBytes(t, "a.vtu", []byte(packedVTU), ReadOptions{})
	if len(f.Mesh.Tets) != 1 || f.Mesh.VolumeMM3(nil) != 4 || len(f.PointFields) != 1 || f.PointFields[0].Scalars[3] != 3.5 || f.Mesh.Region[0] != imaging.LabelBone {
		t.Fatalf("%+v", f)
	}
	// blocks that unpack to more than was stated are refused
	_, err := ReadTetMesh(bg, strings.NewReader(packedVTU), "a.vtu", ReadOptions{MaxBytes: int64(len(packedVTU))})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ReadTetMesh(bg, strings.NewReader(strings.Replace(packedVTU, `NumberOfPoints="4"`, `NumberOfPoints="3"`, 1)), "a.vtu", ReadOptions{})
	refuses(t, "too many points", err)
}
