package meshio

import (
	"encoding/binary"
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// plyKind is a scalar type as small number, for a quick switch.
type plyKind uint8

var plyKinds = map[string]plyKind{
	"char": 1, "int8": 1, "uchar": 2, "uint8": 2, "short": 3, "int16": 3, "ushort": 4, "uint16": 4,
	"int": 5, "int32": 5, "uint": 6, "uint32": 6, "float": 7, "float32": 7, "double": 8, "float64": 8,
}

var plySizes = [9]int{0, 1, 1, 2, 2, 4, 4, 4, 8}

type plyProperty struct {
	name  string
	count plyKind // of the length of a list; 0: a scalar
	item  plyKind
}

type plyElement struct {
	name  string
	count int64
	props []plyProperty
}

// find is the place of a property, or −1.
func (e *plyElement) find(list bool, names ...string) int {
	for i, p := range e.props {
		for _, n := range names {
			if p.name == n && (p.count != 0) == list {
				return i
			}
		}
	}
	return -1
}

// minBytes is the least a row can take: lists may be empty, and a number in
// text takes two.
func (e *plyElement) minBytes(text bool) (n int) {
	for _, p := range e.props {
		switch {
		case text:
			n += 2
		case p.count != 0:
			n += plySizes[p.count]
		default:
			n += plySizes[p.item]
		}
	}
	return n
}

type plyReader struct {
	cursor
	text  bool
	order binary.ByteOrder
	unit  Unit
	names []regionKey // from our own comments
}

// readPLY reads vertices x, y, z and faces; other properties and elements are
// passed over. Polygons are split: four corners along the shorter diagonal,
// more as a fan.
func readPLY(in *input) (*SurfaceFile, error) {
	data, err := in.all()
	if err != nil {
		return nil, err
	}
	p := &plyReader{cursor: cursor{in: in, data: data}}
	elements, err := p.header()
	if err != nil {
		return nil, err
	}
	p.bin = !p.text
	unit := in.opt.Unit
	if unit == 0 {
		unit = p.unit
	}
	f := in.newSurface(&mesh.Surface{}, unit)
	for _, k := range p.names {
		f.Names[imaging.Label(k.tag)] = k.name
	}
	var have struct{ verts, faces bool }
	for i := range elements {
		e := &elements[i]
		if len(e.props) == 0 {
			continue // nothing is stored for it
		}
		switch {
		case e.name == "vertex" && !have.verts:
			have.verts = true
			err = p.vertices(e, f.Surface)
		case e.name == "face" && !have.faces:
			if !have.verts {
				return nil, p.bad("put the vertices first", "the faces come before the vertices")
			}
			have.faces = true
			err = p.faces(e, f)
		default:
			err = p.rows(e, func([]float64, [][]float64) error { return nil })
		}
		if err != nil {
			return nil, err
		}
	}
	if len(f.Surface.Tris) == 0 {
		return nil, fail("PLY", "export a triangle mesh, not points", "the file holds no face with area")
	}
	return scaleSurface(in, f)
}

// value reads one number.
func (p *plyReader) value(k plyKind) (float64, error) {
	if p.text {
		w := p.nextWord()
		if len(w) == 0 {
			return 0, p.short("before the last element")
		}
		if n, ok := parseInt(w); ok {
			return float64(n), nil
		}
		x, ok := parseFloat(w)
		if !ok {
			return 0, p.bad(remedyNumbers, "%s is not a finite number", quote(w))
		}
		return x, nil
	}
	b, ok := p.take(plySizes[k])
	if !ok {
		return 0, p.short("before the last element")
	}
	switch k {
	case 1:
		return float64(int8(b[0])), nil
	case 2:
		return float64(b[0]), nil
	case 3:
		return float64(int16(p.order.Uint16(b))), nil
	case 4:
		return float64(p.order.Uint16(b)), nil
	case 5:
		return float64(int32(p.order.Uint32(b))), nil
	case 6:
		return float64(p.order.Uint32(b)), nil
	case 7:
		return float64(math.Float32frombits(p.order.Uint32(b))), nil
	}
	return math.Float64frombits(p.order.Uint64(b)), nil
}

// rows reads all rows of an element and passes the scalars and lists of each,
// in the order of the properties. The slices are reused.
func (p *plyReader) rows(e *plyElement, row func(scalars []float64, lists [][]float64) error) error {
	scalars, lists := make([]float64, len(e.props)), make([][]float64, len(e.props))
	for range e.count {
		if err := p.alive(); err != nil {
			return err
		}
		for i := range e.props {
			q := &e.props[i]
			if q.count == 0 {
				x, err := p.value(q.item)
				if err != nil {
					return err
				}
				scalars[i] = x
				continue
			}
			n, err := p.value(q.count)
			if err != nil {
				return err
			}
			if !(n >= 0) || n > float64(len(p.data)-p.pos) || n != math.Trunc(n) {
				return p.bad(remedyWhole, "a list of %g items is longer than the file", n)
			}
			lists[i] = lists[i][:0]
			for range int(n) {
				x, err := p.value(q.item)
				if err != nil {
					return err
				}
				lists[i] = append(lists[i], x)
			}
		}
		if err := row(scalars, lists); err != nil {
			return err
		}
	}
	return nil
}

func (p *plyReader) vertices(e *plyElement, s *mesh.Surface) error {
	x, y, z := e.find(false, "x"), e.find(false, "y"), e.find(false, "z")
	if x < 0 || y < 0 || z < 0 {
		return p.bad("", "vertices without x, y and z")
	}
	if e.count > maxNodes {
		return p.bad("split the mesh", "%d vertices are too many", e.count)
	}
	s.Verts = make([]r3.Vec, 0, p.within(e.count, e.minBytes(p.text)))
	return p.rows(e, func(v []float64, _ [][]float64) error {
		q := r3.Vec{X: v[x], Y: v[y], Z: v[z]}
		if !inFloat32(q) {
			return p.bad(remedyNumbers, "vertex %d is at %v", len(s.Verts), q)
		}
		s.Verts = append(s.Verts, q)
		return nil
	})
}

func (p *plyReader) faces(e *plyElement, f *SurfaceFile) error {
	s := f.Surface
	corners := e.find(true, "vertex_indices", "vertex_index")
	if corners < 0 {
		return p.bad("", "faces without vertex_indices")
	}
	inside, outside := e.find(false, plyInside), e.find(false, plyOutside)
	n := p.within(e.count, e.minBytes(p.text))
	s.Tris, s.Region = make([][3]int32, 0, n), make([]mesh.Sides, 0, n)
	face := int64(-1)
	label := func(v []float64, at int) (imaging.Label, error) {
		if l := v[at]; l >= 0 && l <= 255 && l == math.Trunc(l) {
			return imaging.Label(l), nil
		}
		return 0, p.bad("", "face %d has the label %g, which is not 0 to 255", face, v[at])
	}
	var poly []int32
	return p.rows(e, func(v []float64, lists [][]float64) (err error) {
		face++
		side := mesh.Sides{Inside: p.in.opt.Label}
		if inside >= 0 && outside >= 0 {
			if side.Inside, err = label(v, inside); err != nil {
				return err
			}
			if side.Outside, err = label(v, outside); err != nil {
				return err
			}
		}
		poly = poly[:0]
		for _, x := range lists[corners] {
			if !(x >= 0 && x < float64(len(s.Verts))) || x != math.Trunc(x) {
				return p.bad("", "face %d names vertex %g of %d", face, x, len(s.Verts))
			}
			poly = append(poly, int32(x))
		}
		f.split(poly, side)
		return nil
	})
}

// split appends a polygon as triangles; those with two equal corners are
// counted and left out.
func (f *SurfaceFile) split(poly []int32, side mesh.Sides) {
	s := f.Surface
	if len(poly) < 3 {
		f.Repeated++
		return
	}
	first := 0
	if len(poly) == 4 && r3.Norm2(r3.Sub(s.Verts[poly[1]], s.Verts[poly[3]])) < r3.Norm2(r3.Sub(s.Verts[poly[0]], s.Verts[poly[2]])) {
		first = 1
	}
	at := func(i int) int32 { return poly[(first+i)%len(poly)] }
	for i := 1; i+1 < len(poly); i++ {
		v := [3]int32{at(0), at(i), at(i + 1)}
		if v[0] == v[1] || v[1] == v[2] || v[2] == v[0] {
			f.Repeated++
			continue
		}
		s.Tris = append(s.Tris, v)
		s.Region = append(s.Region, side)
	}
}
