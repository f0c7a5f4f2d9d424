package fem

import (
	"halsted/imaging"
	"halsted/mesh"
)

// loadChecker knows where the loads of all stages can act.
type loadChecker struct {
	m      *Model
	nodes  []bool               // of elements, sheets, springs and bars
	corner []bool               // of loaded faces
	faces  map[[3]int32][]int32 // loaded faces by sorted corners: their elements
	sheets map[[3]int32]bool    // faces of membranes
}

func newLoadChecker(m *Model) *loadChecker {
	c := &loadChecker{m: m, faces: map[[3]int32][]int32{}, sheets: map[[3]int32]bool{}}
	n := len(m.Mesh.Nodes)
	forces := len(m.Forces) > 0
	collect := func(list []FaceLoad) {
		for _, l := range list {
			if c.corner == nil {
				c.corner = make([]bool, n)
			}
			ok := true
			for _, v := range l.Face {
				ok = ok && v >= 0 && int(v) < n
			}
			if ok {
				c.faces[sortedCorners(l.Face)] = nil
				for _, v := range l.Face {
					c.corner[v] = true
				}
			}
		}
	}
	collect(m.Loads)
	for i := range m.Stages {
		if l := m.Stages[i].Loads; l != nil {
			collect(l.Faces)
			forces = forces || len(l.Forces) > 0
		}
	}
	if forces {
		c.stand()
	}
	if len(c.faces) == 0 {
		return c
	}
	for e, t := range m.Mesh.Tets {
		for _, f := range mesh.TetFaces {
			if a, b, d := t[f[0]], t[f[1]], t[f[2]]; c.corner[a] && c.corner[b] && c.corner[d] {
				key := sortedCorners([3]int32{a, b, d})
				if list, ok := c.faces[key]; ok {
					c.faces[key] = append(list, int32(e))
				}
			}
		}
	}
	for _, s := range m.Membranes {
		for _, f := range s.Faces {
			c.sheets[sortedCorners(f)] = true
		}
	}
	return c
}

// stand marks the nodes at which something answers to a force.
func (c *loadChecker) stand() {
	m := c.m
	c.nodes = make([]bool, len(m.Mesh.Nodes))
	mark := func(list ...int32) {
		for _, v := range list {
			if v >= 0 && int(v) < len(c.nodes) {
				c.nodes[v] = true
			}
		}
	}
	for _, t := range m.Mesh.Tets {
		mark(t[:]...)
	}
	for _, t := range m.Mesh.Mid {
		mark(t[:]...)
	}
	for _, s := range m.Membranes {
		for _, f := range s.Faces {
			mark(f[:]...)
		}
		for _, f := range s.Mid {
			mark(f[:]...)
		}
	}
	for _, s := range m.Springs {
		mark(s.Nodes[:]...)
	}
	for _, s := range m.Trusses {
		mark(s.Nodes[:]...)
	}
}

// check refuses loads that cannot act in stage i, with the regions there.
func (c *loadChecker) check(l *LoadCase, field string, i int, there map[imaging.Label]bool) error {
	n := len(c.m.Mesh.Nodes)
	for k, f := range l.Forces {
		switch {
		case f.Node < 0 || int(f.Node) >= n || !finiteVec(f.ForceN):
			return badInput(field+"Forces", "entry %d is %v N on node %d of %d; name a node of the mesh and a finite force", k, f.ForceN, f.Node, n)
		case !c.nodes[f.Node]:
			return badInput(field+"Forces", "entry %d acts on node %d, which belongs to no element; name a node of the body", k, f.Node)
		}
	}
	where := field + "Loads"
	if field != "" {
		where = field + "Faces"
	}
	for k, f := range l.Faces {
		a, b, d := f.Face[0], f.Face[1], f.Face[2]
		if !finiteVec(f.TractionMPa) || !finite(f.PressureMPa) {
			return badInput(where, "entry %d has traction %v, pressure %v MPa; must be finite", k, f.TractionMPa, f.PressureMPa)
		}
		for _, v := range f.Face {
			if v < 0 || int(v) >= n {
				return badInput(where, "entry %d: names node %d, the mesh has %d", k, v, n)
			}
		}
		elems, key := 0, sortedCorners(f.Face)
		for _, e := range c.faces[key] {
			if there[c.m.Mesh.Region[e]] {
				elems++
			}
		}
		switch {
		case a == b || b == d || a == d, len(c.faces[key]) == 0 && !c.sheets[key]:
			return badInput(where, "entry %d: no element has a face with corner nodes %d, %d, %d; load faces of the mesh boundary", k, a, b, d)
		case elems > 1:
			return badInput(where, "entry %d: the face with corner nodes %d, %d, %d lies between two elements in stage %d; load faces of the mesh boundary", k, a, b, d, i)
		}
	}
	return nil
}
