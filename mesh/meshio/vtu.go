package meshio

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// VTK cell types (vtkCellType.h).
const (
	vtkTetra          = 10
	vtkQuadraticTetra = 24
)

// regionField is the cell field that holds the labels.
const regionField = "region"

// vtuArray is one DataArray to be written.
type vtuArray struct {
	kind       string // VTK's name of the number type
	name       string
	components int
	bytes      int
	fill       func(v *vtuValues)
}

// writeVTU writes a VTK XML unstructured grid of one piece: text, base64
// inside the tags, or raw after them (Kitware, VTK file formats, XML).
func writeVTU(o *output, m *mesh.TetMesh, opt *WriteOptions) error {
	form := "appended"
	switch {
	case opt.Text:
		form = "ascii"
	case opt.Inline:
		form = "binary"
	}
	o.str("<?xml version=\"1.0\"?>\n<!-- halsted SPACE=LPS ", unitMark, opt.Unit.String(), " -->\n",
		`<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt64">`, "\n<UnstructuredGrid>\n")
	o.str(fmt.Sprintf("<Piece NumberOfPoints=\"%d\" NumberOfCells=\"%d\">\n", len(m.Nodes), len(m.Tets)))
	var all []vtuArray
	offset := 0
	section := func(name string, arrays ...vtuArray) {
		o.str("<", name, ">\n")
		for _, a := range arrays {
			o.str(`<DataArray type="`, a.kind, `" Name="`, xmlEscape(a.name), `"`)
			o.int(` NumberOfComponents="`, int64(a.components))
			o.str(`" format="`, form, `"`)
			if form == "appended" {
				o.int(` offset="`, int64(offset))
				o.str("\"/>\n")
				offset += 8 + a.bytes
				all = append(all, a)
				continue
			}
			o.str(">")
			a.write(o, form)
			o.str("</DataArray>\n")
		}
		o.str("</", name, ">\n")
	}
	section("PointData", fieldArrays(opt.PointFields)...)
	cells := fieldArrays(opt.CellFields)
	if m.Region != nil {
		cells = append(cells, vtuArray{"UInt8", regionField, 1, len(m.Region), func(v *vtuValues) {
			for _, l := range m.Region {
				v.u8(byte(l))
			}
		}})
	}
	section("CellData", cells...)
	u := opt.Unit.mm(Millimetre)
	section("Points", vtuArray{"Float64", "position", 3, 24 * len(m.Nodes), func(v *vtuValues) {
		for _, p := range m.Nodes {
			v.f64(p.X / u)
			v.f64(p.Y / u)
			v.f64(p.Z / u)
		}
	}})
	per, kind := 4, byte(vtkTetra)
	if m.Mid != nil {
		per, kind = 10, vtkQuadraticTetra
	}
	section("Cells",
		vtuArray{"Int32", "connectivity", 1, 4 * per * len(m.Tets), func(v *vtuValues) {
			var q [10]int32
			for t := range m.Tets {
				for _, n := range q[:corners(m, t, &q)] {
					v.i32(n)
				}
			}
		}},
		vtuArray{"Int64", "offsets", 1, 8 * len(m.Tets), func(v *vtuValues) {
			for t := range m.Tets {
				v.i64(int64(per) * int64(t+1))
			}
		}},
		vtuArray{"UInt8", "types", 1, len(m.Tets), func(v *vtuValues) {
			for range m.Tets {
				v.u8(kind)
			}
		}})
	o.str("</Piece>\n</UnstructuredGrid>\n")
	if form == "appended" {
		o.str("<AppendedData encoding=\"raw\">\n_")
		for _, a := range all {
			a.write(o, form)
		}
		o.str("\n</AppendedData>\n")
	}
	o.str("</VTKFile>\n")
	return o.err
}

func fieldArrays(fields []Field) []vtuArray {
	var out []vtuArray
	for _, f := range fields {
		a := vtuArray{kind: "Float64", name: f.Name, components: 1, bytes: 8 * len(f.Scalars)}
		a.fill = func(v *vtuValues) {
			for _, x := range f.Scalars {
				v.f64(x)
			}
		}
		if f.Vectors != nil {
			a.components, a.bytes = 3, 24*len(f.Vectors)
			a.fill = func(v *vtuValues) { v.vectors(f.Vectors) }
		}
		out = append(out, a)
	}
	return out
}

// write writes the values: with the byte count as UInt64 before them unless
// they are text.
func (a *vtuArray) write(o *output, form string) {
	v := &vtuValues{o: o}
	switch form {
	case "ascii":
		v.text = true
	case "binary":
		v.pack = make([]byte, 0, 3<<14+64)
	}
	if !v.text {
		v.i64(int64(a.bytes))
	}
	a.fill(v)
	if v.pack != nil {
		v.encode(len(v.pack))
	}
}

// vtuValues writes numbers in one of the three forms.
type vtuValues struct {
	o    *output
	text bool
	pack []byte // waits for base64; nil in the other forms
}

func (v *vtuValues) f64(x float64) {
	if v.text {
		v.o.float(" ", x)
	} else {
		v.word(math.Float64bits(x))
	}
}

func (v *vtuValues) i64(x int64) {
	if v.text {
		v.o.int(" ", x)
	} else {
		v.word(uint64(x))
	}
}

func (v *vtuValues) i32(x int32) {
	switch {
	case v.text:
		v.o.int(" ", int64(x))
	case v.pack != nil:
		v.pack = binary.LittleEndian.AppendUint32(v.pack, uint32(x))
		v.full()
	default:
		v.o.i32(x)
	}
}

func (v *vtuValues) u8(x byte) {
	switch {
	case v.text:
		v.o.int(" ", int64(x))
	case v.pack != nil:
		v.pack = append(v.pack, x)
		v.full()
	default:
		v.o.u8(x)
	}
}

func (v *vtuValues) word(x uint64) {
	if v.pack != nil {
		v.pack = binary.LittleEndian.AppendUint64(v.pack, x)
		v.full()
		return
	}
	v.o.u64(x)
}

func (v *vtuValues) vectors(all []r3.Vec) {
	for _, p := range all {
		v.f64(p.X)
		v.f64(p.Y)
		v.f64(p.Z)
	}
}

func (v *vtuValues) full() {
	if n := len(v.pack); n >= 3<<14 {
		v.encode(n - n%3)
	}
}

// encode passes on the first n bytes in base64; n divides by three but at the
// end.
func (v *vtuValues) encode(n int) {
	v.o.buf = base64.StdEncoding.AppendEncode(v.o.buf, v.pack[:n])
	v.pack = v.pack[:copy(v.pack, v.pack[n:])]
	v.o.pass()
}
