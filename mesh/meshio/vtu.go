package meshio

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// PointField is a value at every node: exactly one of Scalars and Vectors is
// set, of the length of TetMesh.Nodes. Name carries the unit.
type PointField struct {
	Name    string
	Scalars []float64
	Vectors []r3.Vec
}

// VTK cell types (vtkCellType.h).
const (
	vtkTetra          = 10
	vtkQuadraticTetra = 24
)

// WriteVTU writes m and the fields as a VTK XML unstructured grid.
//
// Errors: *FormatError naming the node, element or field that cannot be
// written, or what w returns.
func WriteVTU(w io.Writer, m *mesh.TetMesh, fields []PointField) error {
	if err := checkVTU(m, fields); err != nil {
		return err
	}
	buf := bufio.NewWriterSize(w, 1<<16)
	o := &vtuWriter{w: buf}
	o.text(`<?xml version="1.0"?>
<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt64">
<UnstructuredGrid>
<Piece NumberOfPoints="%d" NumberOfCells="%d">
`, len(m.Nodes), len(m.Tets))
	o.text("<PointData>\n")
	for _, f := range fields {
		if f.Vectors != nil {
			o.vectors(f.Name, f.Vectors)
			continue
		}
		o.array("Float64", f.Name, 1, 8*len(f.Scalars), func(put func([]byte)) {
			var b [8]byte
			for _, x := range f.Scalars {
				binary.LittleEndian.PutUint64(b[:], math.Float64bits(x))
				put(b[:])
			}
		})
	}
	o.text("</PointData>\n<CellData>\n")
	if m.Region != nil {
		o.array("UInt8", "region", 1, len(m.Region), func(put func([]byte)) {
			for _, l := range m.Region {
				put([]byte{byte(l)})
			}
		})
	}
	o.text("</CellData>\n<Points>\n")
	o.vectors("position_mm", m.Nodes)
	o.text("</Points>\n<Cells>\n")
	per, kind := 4, byte(vtkTetra)
	if m.Mid != nil {
		per, kind = 10, vtkQuadraticTetra
	}
	o.array("Int32", "connectivity", 1, 4*per*len(m.Tets), func(put func([]byte)) {
		var b [40]byte
		for t := range m.Tets {
			for i, n := range m.Tets[t] {
				binary.LittleEndian.PutUint32(b[4*i:], uint32(n))
			}
			if m.Mid != nil {
				for i, n := range m.Mid[t] {
					binary.LittleEndian.PutUint32(b[16+4*i:], uint32(n))
				}
			}
			put(b[:4*per])
		}
	})
	o.array("Int64", "offsets", 1, 8*len(m.Tets), func(put func([]byte)) {
		var b [8]byte
		for t := range m.Tets {
			binary.LittleEndian.PutUint64(b[:], uint64(per*(t+1)))
			put(b[:])
		}
	})
	o.array("UInt8", "types", 1, len(m.Tets), func(put func([]byte)) {
		for range m.Tets {
			put([]byte{kind})
		}
	})
	o.text("</Cells>\n</Piece>\n</UnstructuredGrid>\n</VTKFile>\n")
	if o.err != nil {
		return o.err
	}
	return buf.Flush()
}

func checkVTU(m *mesh.TetMesh, fields []PointField) error {
	bad := func(format string, a ...any) error { return &FormatError{"VTU", fmt.Sprintf(format, a...)} }
	nonFinite := func(v ...float64) bool {
		for _, x := range v {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return true
			}
		}
		return false
	}
	for n, p := range m.Nodes {
		if nonFinite(p.X, p.Y, p.Z) {
			return bad("node %d is at %v", n, p)
		}
	}
	if m.Mid != nil && len(m.Mid) != len(m.Tets) {
		return bad("%d rows of mid-edge nodes for %d elements", len(m.Mid), len(m.Tets))
	}
	if m.Region != nil && len(m.Region) != len(m.Tets) {
		return bad("%d regions for %d elements", len(m.Region), len(m.Tets))
	}
	for t := range m.Tets {
		nodes := append([]int32(nil), m.Tets[t][:]...)
		if m.Mid != nil {
			nodes = append(nodes, m.Mid[t][:]...)
		}
		for _, n := range nodes {
			if n < 0 || int(n) >= len(m.Nodes) {
				return bad("element %d names node %d of %d", t, n, len(m.Nodes))
			}
		}
	}
	seen := map[string]bool{}
	for _, f := range fields {
		switch {
		case f.Name == "" || seen[f.Name]:
			return bad("field name %q is empty or used twice", f.Name)
		case (f.Scalars != nil) == (f.Vectors != nil):
			return bad("field %q needs either scalars or vectors", f.Name)
		case len(f.Scalars)+len(f.Vectors) != len(m.Nodes):
			return bad("field %q has %d values for %d nodes", f.Name, len(f.Scalars)+len(f.Vectors), len(m.Nodes))
		}
		seen[f.Name] = true
		for n, x := range f.Scalars {
			if nonFinite(x) {
				return bad("field %q is %g at node %d", f.Name, x, n)
			}
		}
		for n, x := range f.Vectors {
			if nonFinite(x.X, x.Y, x.Z) {
				return bad("field %q is %v at node %d", f.Name, x, n)
			}
		}
	}
	return nil
}

// vtuWriter keeps the first error; later calls do nothing.
type vtuWriter struct {
	w   io.Writer
	err error
}

func (o *vtuWriter) text(format string, a ...any) {
	if o.err == nil {
		_, o.err = fmt.Fprintf(o.w, format, a...)
	}
}

func (o *vtuWriter) vectors(name string, v []r3.Vec) {
	o.array("Float64", name, 3, 24*len(v), func(put func([]byte)) {
		var b [24]byte
		for _, p := range v {
			binary.LittleEndian.PutUint64(b[0:], math.Float64bits(p.X))
			binary.LittleEndian.PutUint64(b[8:], math.Float64bits(p.Y))
			binary.LittleEndian.PutUint64(b[16:], math.Float64bits(p.Z))
			put(b[:])
		}
	})
}

// array writes one DataArray: the byte count as UInt64 and the values fill
// passes to put, in one base64 run.
func (o *vtuWriter) array(kind, name string, components, size int, fill func(put func([]byte))) {
	var esc strings.Builder
	if o.err == nil {
		o.err = xml.EscapeText(&esc, []byte(name))
	}
	o.text(`<DataArray type="%s" Name="%s" NumberOfComponents="%d" format="binary">`, kind, esc.String(), components)
	enc := base64.NewEncoder(base64.StdEncoding, o.w)
	put := func(b []byte) {
		if o.err == nil {
			_, o.err = enc.Write(b)
		}
	}
	put(binary.LittleEndian.AppendUint64(nil, uint64(size)))
	fill(put)
	if err := enc.Close(); o.err == nil {
		o.err = err
	}
	o.text("</DataArray>\n")
}
