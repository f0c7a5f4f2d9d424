package meshio

import (
	"fmt"
	"math"
	"strings"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// readVTU reads a VTK XML unstructured grid of one piece with tetrahedra;
// arrays as text, base64 or appended, plain or packed with zlib.
func readVTU(in *input) (*TetFile, error) {
	data, err := in.all()
	if err != nil {
		return nil, err
	}
	v := &vtuReader{b: tetBuilder{in: in}}
	v.xmlReader = xmlReader{cursor: cursor{in: in, data: data, line: 1}}
	v.comment = func(b []byte) {
		if u := markedUnit(string(b)); u != 0 {
			v.b.unit = u
		}
	}
	if err := v.walk(); err != nil {
		return nil, err
	}
	if v.pieces == 0 || v.coding.order == nil {
		return nil, v.short("before a <Piece> of a <VTKFile>")
	}
	return v.build()
}

type vtuReader struct {
	xmlReader
	b             tetBuilder
	coding        vtuCoding
	pieces        int
	points, cells int64
	arrays        map[string][]vtuData // by section
	appended      []byte               // from the mark on
	base64        bool                 // of the appended data
}

// vtuData is one DataArray as it stands in the file.
type vtuData struct {
	kind, name, format string
	components         int64
	offset             int64
	text               []byte
	line               int
}

// walk gathers the arrays of the file.
func (v *vtuReader) walk() error {
	v.arrays = map[string][]vtuData{}
	section := ""
	for {
		_, t, err := v.next()
		if err != nil {
			return err
		}
		switch {
		case len(t.name) == 0:
			return nil
		case t.close:
			if string(t.name) == section {
				section = ""
			}
		case t.is("VTKFile"):
			if string(t.attr("type")) != "UnstructuredGrid" {
				return v.bad("save as an unstructured grid (.vtu)", "the file holds %s", quote(t.attr("type")))
			}
			if err := v.coding.set(&t); err != nil {
				return v.bad("save without packing, or with zlib", "%v", err)
			}
		case t.is("Piece"):
			if v.pieces++; v.pieces > 1 {
				return v.bad("merge the pieces into one grid", "more than one <Piece>")
			}
			if v.points, err = v.number(&t, "NumberOfPoints"); err != nil {
				return err
			}
			if v.cells, err = v.number(&t, "NumberOfCells"); err != nil {
				return err
			}
		case t.is("PointData") || t.is("CellData") || t.is("Points") || t.is("Cells"):
			if !t.empty {
				section = string(t.name)
			}
		case t.is("DataArray") && section != "":
			a := vtuData{kind: string(t.attr("type")), name: string(t.attr("Name")), format: string(t.attr("format")), components: 1, line: v.line}
			if t.attr("NumberOfComponents") != nil {
				if a.components, err = v.number(&t, "NumberOfComponents"); err != nil {
					return err
				}
			}
			if a.format == "appended" {
				if a.offset, err = v.number(&t, "offset"); err != nil {
					return err
				}
			}
			if a.text, err = v.content(t); err != nil {
				return err
			}
			if v.arrays[section] = append(v.arrays[section], a); len(v.arrays[section]) > 10000 {
				return v.bad("", "more than 10000 arrays")
			}
		case t.is("AppendedData"):
			v.base64 = string(t.attr("encoding")) == "base64"
			for v.pos < len(v.data) && v.data[v.pos] != '_' {
				if c := v.data[v.pos]; c > ' ' {
					return v.bad("", "the appended data do not begin with _")
				}
				v.pos++
			}
			v.appended = v.data[min(v.pos+1, len(v.data)):]
			return nil // what follows is no XML
		}
	}
}

func (v *vtuReader) number(t *xmlTag, name string) (int64, error) {
	n, ok := parseInt(t.attr(name))
	if !ok || n < 0 {
		return 0, v.bad("", "%s=%s of <%s> is no count", name, quote(t.attr(name)), t.name)
	}
	return n, nil
}

// find is the array of a name in a section.
func (v *vtuReader) find(section, name string) *vtuData {
	for i := range v.arrays[section] {
		if a := &v.arrays[section][i]; strings.EqualFold(a.name, name) {
			return a
		}
	}
	return nil
}

// build decodes the arrays.
func (v *vtuReader) build() (*TetFile, error) {
	v.coding.budget = v.in.opt.MaxBytes
	if v.points > maxNodes || v.cells > math.MaxInt32 {
		return nil, fail("VTU", "split the grid", "%d points and %d cells are too many", v.points, v.cells)
	}
	if len(v.arrays["Points"]) != 1 || v.arrays["Points"][0].components != 3 {
		return nil, fail("VTU", "", "there is no array of points with three components")
	}
	xyz, err := decode[float64](v, &v.arrays["Points"][0], 3*v.points)
	if err != nil {
		return nil, err
	}
	v.b.nodes = vectors(xyz)
	for n, p := range v.b.nodes {
		if !finite(p) {
			return nil, fail("VTU", remedyNumbers, "point %d is at %v", n, p)
		}
	}
	keep, err := v.elements()
	if err != nil {
		return nil, err
	}
	var left []string
	if v.b.pointFields, left, err = v.fields("PointData", v.points, nil); err != nil {
		return nil, err
	}
	cells, more, err := v.fields("CellData", v.cells, v.regions(keep))
	if err != nil {
		return nil, err
	}
	for i := range cells {
		f := &cells[i]
		if len(keep) == int(v.cells) {
			break
		}
		if f.Vectors != nil {
			f.Vectors = pick(f.Vectors, keep)
		} else {
			f.Scalars = pick(f.Scalars, keep)
		}
	}
	v.b.cellFields = cells
	f, err := v.b.finish()
	if err == nil {
		f.LeftOut = append(left, more...)
	}
	return f, err
}

// elements reads the cells and returns which of them are tetrahedra.
func (v *vtuReader) elements() (keep []int32, err error) {
	var at [3]*vtuData
	for i, name := range []string{"connectivity", "offsets", "types"} {
		if at[i] = v.find("Cells", name); at[i] == nil {
			return nil, fail("VTU", "", "the cells have no %s", name)
		}
	}
	kinds, err := decode[int64](v, at[2], v.cells)
	if err != nil {
		return nil, err
	}
	ends, err := decode[int64](v, at[1], v.cells)
	if err != nil {
		return nil, err
	}
	conn, err := decode[int64](v, at[0], -1)
	if err != nil {
		return nil, err
	}
	begin := int64(0)
	for c, kind := range kinds {
		if err := v.alive(); err != nil {
			return nil, err
		}
		end := ends[c]
		if end < begin || end > int64(len(conn)) {
			return nil, fail("VTU", remedyWhole, "cell %d ends at place %d of %d", c, end, len(conn))
		}
		nodes := conn[begin:end]
		begin = end
		var q [10]int32
		want := 4
		switch kind {
		case vtkTetra:
		case vtkQuadraticTetra:
			want = 10
		default:
			name, flat := vtkCell(kind)
			if !flat && !v.in.opt.SkipUnknown {
				return nil, fail("VTU", remedyTypes, "cell %d is a %s", c, name)
			}
			v.b.skipped(name, int64(c))
			continue
		}
		if len(nodes) != want {
			return nil, fail("VTU", "", "cell %d of type %d has %d points", c, kind, len(nodes))
		}
		for i, n := range nodes {
			if n < 0 || n >= v.points {
				return nil, fail("VTU", "", "cell %d names point %d of %d", c, n, v.points)
			}
			q[i] = int32(n)
		}
		if !v.b.add(q[:want], 0, int64(c)) {
			return nil, fail("VTU", remedyMixed, "%s, at cell %d", whatMixed, c)
		}
		keep = append(keep, int32(c))
	}
	return keep, nil
}

// vtkCell names a cell type and tells whether it has no volume.
func vtkCell(kind int64) (name string, flat bool) {
	switch kind {
	case 0, 1, 2:
		return "point", true
	case 3, 4, 21, 35, 68:
		return "line", true
	case 5, 6, 22, 34, 69:
		return "triangle", true
	case 7, 8, 9, 23, 28, 30, 36, 70:
		return "polygon", true
	case 11, 12, 25, 29, 33, 72:
		return "hexahedron", false
	case 13, 26, 31, 32, 73:
		return "wedge", false
	case 14, 27, 37, 74:
		return "pyramid", false
	case 42:
		return "polyhedron", false
	case 71:
		return "Lagrange tetrahedron", false
	}
	return fmt.Sprintf("cell of type %d", kind), false
}

// regionNames are cell fields of other programs that mark the material.
var regionNames = []string{regionField, "label", "labels", "material", "materialids", "gmsh:physical"}

// regions gives the tetrahedra their keys from a cell field of whole numbers,
// and returns that field, or nil.
func (v *vtuReader) regions(keep []int32) *vtuData {
	for _, name := range regionNames {
		a := v.find("CellData", name)
		if a == nil || a.components != 1 {
			continue
		}
		x, err := decode[float64](v, a, v.cells)
		if err != nil {
			continue // fields will say why
		}
		whole := true
		for _, c := range keep {
			whole = whole && x[c] == math.Trunc(x[c]) && math.Abs(x[c]) < 1<<53
		}
		if !whole {
			continue
		}
		for t, c := range keep {
			k := regionKey{tag: int64(x[c])}
			if k.tag >= 0 && k.tag < 256 {
				k.name = imaging.Label(k.tag).String() // the label itself, 0 too
			}
			v.b.key[t] = v.b.region(k)
		}
		return a
	}
	v.b.region(regionKey{})
	return nil
}

// fields decodes the fields of a section but used; left names those of other
// shapes, or with numbers that are not finite.
func (v *vtuReader) fields(section string, count int64, used *vtuData) (out []Field, left []string, err error) {
	for i := range v.arrays[section] {
		a := &v.arrays[section][i]
		if a == used {
			continue
		}
		if a.components != 1 && a.components != 3 || a.kind == "String" {
			left = append(left, a.name)
			continue
		}
		x, err := decode[float64](v, a, a.components*count)
		if err != nil {
			return nil, nil, err
		}
		f := Field{Name: a.name, Scalars: x}
		if a.components == 3 {
			f.Vectors, f.Scalars = vectors(x), nil
		}
		if checkFields("VTU", "points", []Field{f}, f.len()) != nil {
			left = append(left, a.name)
			continue
		}
		out = append(out, f)
	}
	return out, left, nil
}

func vectors(x []float64) []r3.Vec {
	out := make([]r3.Vec, len(x)/3)
	for n := range out {
		out[n] = r3.Vec{X: x[3*n], Y: x[3*n+1], Z: x[3*n+2]}
	}
	return out
}
