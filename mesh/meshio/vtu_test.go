package meshio

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"math"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/tetra"

	"gonum.org/v1/gonum/spatial/r3"
)

func smallBall(t testing.TB) *mesh.TetMesh {
	t.Helper()
	g := imaging.NewGrid([3]int{24, 24, 24}, r3.Vec{X: -11.5, Y: -11.5, Z: 300}, [3]float64{1, 1, 1})
	d := tetra.Domain{Grid: g, Phi: make([]float32, g.Len()), Label: func(p r3.Vec) imaging.Label {
		if p.X > 0 {
			return imaging.LabelTumour
		}
		return imaging.LabelLiver
	}}
	for n := range d.Phi {
		i, j, k := g.IJK(n)
		d.Phi[n] = float32(r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), r3.Vec{Z: 311.5})) - 9)
	}
	m, _, err := tetra.Fill(context.Background(), d, tetra.Options{EdgeMM: 4})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The part of the VTK XML format that the reader below understands.
type vtuArray struct {
	Type       string `xml:"type,attr"`
	Name       string `xml:"Name,attr"`
	Components int    `xml:"NumberOfComponents,attr"`
	Format     string `xml:"format,attr"`
	Text       string `xml:",chardata"`
}
type vtuFile struct {
	Type   string `xml:"type,attr"`
	Order  string `xml:"byte_order,attr"`
	Header string `xml:"header_type,attr"`
	Piece  struct {
		Points    int        `xml:"NumberOfPoints,attr"`
		Cells     int        `xml:"NumberOfCells,attr"`
		PointData []vtuArray `xml:"PointData>DataArray"`
		CellData  []vtuArray `xml:"CellData>DataArray"`
		At        []vtuArray `xml:"Points>DataArray"`
		Conn      []vtuArray `xml:"Cells>DataArray"`
	} `xml:"UnstructuredGrid>Piece"`
}

func (a vtuArray) decode(t *testing.T, into any) {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(a.Text)
	if err != nil || len(b) < 8 || a.Format != "binary" || binary.LittleEndian.Uint64(b) != uint64(len(b)-8) || binary.Size(into) != len(b)-8 {
		t.Fatalf("array %q: %v, %d bytes for %d", a.Name, err, len(b), binary.Size(into))
	}
	if err := binary.Read(bytes.NewReader(b[8:]), binary.LittleEndian, into); err != nil {
		t.Fatal(err)
	}
}

func TestVTURoundTrip(t *testing.T) {
	base := smallBall(t)
	for _, m := range []*mesh.TetMesh{base, base.Quadratic()} {
		u, p := make([]r3.Vec, len(m.Nodes)), make([]float64, len(m.Nodes))
		for n, x := range m.Nodes {
			u[n], p[n] = r3.Scale(0.1, x), math.Sqrt(r3.Norm(x))
		}
		var out, again bytes.Buffer
		fields := []PointField{{Name: "displacement_mm", Vectors: u}, {Name: `von_mises_MPa <"&>`, Scalars: p}}
		for _, b := range []*bytes.Buffer{&out, &again} {
			if err := WriteVTU(b, m, fields); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(out.Bytes(), again.Bytes()) {
			t.Fatal("two writes differ")
		}
		var f vtuFile
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
		for n := range m.Nodes {
			if at[n] != m.Nodes[n] || du[n] != u[n] || dp[n] != p[n] {
				t.Fatalf("node %d changed", n)
			}
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

func TestVTURefuses(t *testing.T) {
	for name, spoil := range map[string]func(m *mesh.TetMesh, f *PointField){
		"NaN node":  func(m *mesh.TetMesh, _ *PointField) { m.Nodes[2].X = math.NaN() },
		"index":     func(m *mesh.TetMesh, _ *PointField) { m.Tets[2][1] = int32(len(m.Nodes)) },
		"mid":       func(m *mesh.TetMesh, _ *PointField) { m.Mid = make([][6]int32, 1) },
		"region":    func(m *mesh.TetMesh, _ *PointField) { m.Region = m.Region[1:] },
		"no name":   func(_ *mesh.TetMesh, f *PointField) { f.Name = "" },
		"short":     func(_ *mesh.TetMesh, f *PointField) { f.Scalars = f.Scalars[1:] },
		"nothing":   func(_ *mesh.TetMesh, f *PointField) { f.Scalars = nil },
		"both":      func(_ *mesh.TetMesh, f *PointField) { f.Vectors = make([]r3.Vec, len(f.Scalars)) },
		"Inf value": func(_ *mesh.TetMesh, f *PointField) { f.Scalars[3] = math.Inf(1) },
		"NaN in vector": func(m *mesh.TetMesh, f *PointField) {
			f.Vectors, f.Scalars = append([]r3.Vec{{Y: math.NaN()}}, m.Nodes[1:]...), nil
		},
	} {
		m := smallBall(t)
		f := PointField{Name: "pressure_MPa", Scalars: make([]float64, len(m.Nodes))}
		spoil(m, &f)
		var b bytes.Buffer
		var bad *FormatError
		if err := WriteVTU(&b, m, []PointField{f}); !errors.As(err, &bad) || b.Len() != 0 {
			t.Errorf("%s: %v, %d bytes written", name, err, b.Len())
		}
	}
	if err := WriteVTU(failing{}, smallBall(t), nil); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("a failing writer: %v", err)
	}
}

// failing stands for a full disk.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }
