package meshio

import (
	"math"
	"strings"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

func finite(p r3.Vec) bool {
	s := p.X*0 + p.Y*0 + p.Z*0
	return s == 0
}

// inFloat32 reports that p is finite, also after rounding to float32.
func inFloat32(p r3.Vec) bool {
	return math.Abs(p.X) <= math.MaxFloat32 && math.Abs(p.Y) <= math.MaxFloat32 && math.Abs(p.Z) <= math.MaxFloat32
}

// checkSurface refuses what no format can hold.
func checkSurface(format string, s *mesh.Surface) error {
	if len(s.Verts) > math.MaxInt32 || len(s.Tris) > math.MaxInt32 {
		return fail(format, "split the surface", "%d vertices and %d faces are too many", len(s.Verts), len(s.Tris))
	}
	for n := range s.Verts {
		if p := s.Verts[n]; !inFloat32(p) {
			return fail(format, "mend the mesh", "vertex %d is at %v", n, p)
		}
	}
	n := uint32(len(s.Verts))
	for t := range s.Tris {
		v := &s.Tris[t]
		if uint32(v[0]) >= n || uint32(v[1]) >= n || uint32(v[2]) >= n {
			return fail(format, "mend the mesh", "face %d has vertices %v of %d", t, *v, n)
		}
	}
	return nil
}

// checkTets refuses what no format can hold, and fields where there is no
// place for them.
func checkTets(format string, m *mesh.TetMesh, opt *WriteOptions) error {
	const mend = "mend the mesh"
	if len(m.Nodes) > math.MaxInt32 || len(m.Tets) > math.MaxInt32/10 {
		return fail(format, "split the mesh", "%d nodes and %d elements are too many", len(m.Nodes), len(m.Tets))
	}
	for n, p := range m.Nodes {
		if !finite(p) {
			return fail(format, mend, "node %d is at %v", n, p)
		}
	}
	if m.Mid != nil && len(m.Mid) != len(m.Tets) {
		return fail(format, mend, "%d rows of mid-edge nodes for %d elements", len(m.Mid), len(m.Tets))
	}
	if m.Region != nil && len(m.Region) != len(m.Tets) {
		return fail(format, mend, "%d regions for %d elements", len(m.Region), len(m.Tets))
	}
	for t := range m.Tets {
		var q [10]int32
		for _, n := range q[:corners(m, t, &q)] {
			if n < 0 || int(n) >= len(m.Nodes) {
				return fail(format, mend, "element %d names node %d of %d", t, n, len(m.Nodes))
			}
		}
	}
	if format != "VTU" && (opt.PointFields != nil || opt.CellFields != nil) {
		return fail(format, "write VTU", "the format holds no fields")
	}
	if err := checkFields(format, "nodes", opt.PointFields, len(m.Nodes)); err != nil {
		return err
	}
	return checkFields(format, "elements", opt.CellFields, len(m.Tets))
}

// corners gathers the nodes of element t in the order of package mesh and
// returns how many there are.
func corners(m *mesh.TetMesh, t int, q *[10]int32) int {
	*(*[4]int32)(q[:]) = m.Tets[t]
	if m.Mid == nil {
		return 4
	}
	*(*[6]int32)(q[4:]) = m.Mid[t]
	return 10
}

func checkFields(format, at string, fields []Field, want int) error {
	seen := map[string]bool{}
	for i := range fields {
		f := &fields[i]
		const mend = "mend the field"
		switch {
		case f.Name == "" || seen[f.Name] || at == "elements" && f.Name == regionField:
			return fail(format, "rename the field", "field name %q is empty or used twice", f.Name)
		case (f.Scalars != nil) == (f.Vectors != nil):
			return fail(format, mend, "field %q needs either scalars or vectors", f.Name)
		case f.len() != want:
			return fail(format, mend, "field %q has %d values for %d %s", f.Name, f.len(), want, at)
		}
		seen[f.Name] = true
		for n, x := range f.Scalars {
			if x*0 != 0 {
				return fail(format, mend, "field %q is %g at %s %d", f.Name, x, at, n)
			}
		}
		for n, x := range f.Vectors {
			if !finite(x) {
				return fail(format, mend, "field %q is %v at %s %d", f.Name, x, at, n)
			}
		}
	}
	return nil
}

// checkNames refuses two regions of one name.
func checkNames(format string, m *mesh.TetMesh, opt *WriteOptions) error {
	var used [256]bool
	for _, l := range m.Region {
		used[l] = true
	}
	seen := map[string]imaging.Label{}
	for n, ok := range used {
		if !ok {
			continue
		}
		l := imaging.Label(n)
		n := strings.ToUpper(oneWord(opt.name(l)))
		if other, ok := seen[n]; ok {
			return fail(format, "choose other names", "the regions %d and %d are both called %q", other, l, opt.name(l))
		}
		seen[n] = l
	}
	return nil
}
