package deck

import (
	"path/filepath"
	"strings"

	"halsted/mesh/meshio"

	"gonum.org/v1/gonum/spatial/r3"
)

// readSets reads the node and face sets of an .inp or .feb mesh file. Nodes
// stand in the order that package meshio gives them, which is that of table.
func (r *modelReader) readSets(g *object, path string, data []byte, unit meshio.Unit) error {
	u := Units{float64(unit), 1}
	whole := place{file: filepath.Base(path)}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".inp":
		p := newInp(r.reader, path, data)
		p.meshOnly = true
		if err := p.walk(); err != nil {
			return err
		}
		p.flat = nil
		if err := p.finish(whole, u); err != nil {
			return err
		}
		r.sets, r.nodeSets = &p.table, p.nsets
		r.inpFaces = &inpBuild{inp: p}
	case ".feb":
		f := newFeb(r.reader, path)
		x := &xmlParser{r: r.reader, file: f.name, data: data}
		root, err := x.parse()
		if err != nil {
			return err
		}
		for _, s := range root.kids {
			if s.name == "Mesh" || s.name == "Geometry" {
				if err := f.meshSection(s); err != nil {
					return err
				}
			}
		}
		if err := f.finish(whole, u); err != nil {
			return err
		}
		r.sets, r.nodeSets, r.febFaces = &f.table, f.nodeSets, f
	case ".msh":
		q := &gmshSets{reader: r.reader, file: whole.file, data: data, line: 1, groups: map[[2]int64]*gmshGroup{}, names: map[[2]int64]string{}, physical: map[[2]int64][]int64{}}
		if !q.text() {
			return nil
		}
		if err := q.read(); err != nil {
			return err
		}
		if err := q.finish(whole, u); err != nil {
			return err
		}
		r.sets, r.nodeSets, r.gmsh = &q.table, q.nodeSets(), q
	default:
		return nil
	}
	same := len(r.sets.mesh.Nodes) == len(r.mesh.Nodes)
	for n := 0; same && n < len(r.mesh.Nodes); n++ {
		same = r3.Norm(r3.Sub(r.mesh.Nodes[n], r.sets.mesh.Nodes[n])) == 0
	}
	if !same {
		return g.bad("file", "leave out elements that are no tetrahedra", "the sets of the mesh file cannot be matched with its nodes")
	}
	r.rep.NodeNumbers, r.rep.ElementNumbers = r.sets.numbers()
	return nil
}

// nodeSet lists the nodes of a set of the mesh file.
func (r *modelReader) nodeSet(name string) ([]int32, bool) {
	s := r.nodeSets[name]
	if s == nil {
		s = findSet(r.nodeSets, name)
	}
	if s == nil {
		return nil, false
	}
	list, ok := s.places(&r.sets.node)
	if !ok {
		return nil, false
	}
	out := make([]int32, 0, len(list))
	for _, at := range list {
		if n := r.sets.final[at]; n >= 0 {
			out = append(out, n)
		}
	}
	return out, true
}

// faceSet lists the faces of a surface of the mesh file.
func (r *modelReader) faceSet(o *object, name string) ([][3]int32, bool, error) {
	p := o.place("faces")
	switch {
	case r.gmsh != nil:
		list, err := r.gmsh.faces(p, name)
		return list, true, err
	case r.febFaces != nil:
		list, err := r.febFaces.corners(p, name)
		return list, true, err
	case r.inpFaces != nil:
		s := r.inpFaces.surfaces[upper(name)]
		if s == nil {
			return nil, false, p.bad("define *SURFACE in the mesh file", "the mesh file has no surface %s", quote(name))
		}
		list, err := r.inpFaces.facesOf(s)
		if err != nil {
			return nil, false, err
		}
		out := make([][3]int32, 0, len(list))
		for _, f := range list {
			t := r.inpFaces.tet(f.elem)
			if t < 0 {
				continue
			}
			c, q := r.sets.mesh.Tets[t], abaqusFaces[f.face]
			out = append(out, [3]int32{c[q[0]], c[q[1]], c[q[2]]})
		}
		return out, true, nil
	}
	return nil, false, p.bad("give a border or a place instead", "only .inp, .feb and text .msh meshes have named surfaces")
}
