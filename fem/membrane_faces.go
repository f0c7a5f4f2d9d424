package fem

import (
	"halsted/fem/element"

	"gonum.org/v1/gonum/spatial/r3"
)

// surface lists the nodes of faces: corners as given, then the nodes on edges
// 01, 12, 20 from mid or from the Tet10 mesh.
func (s *system) surface(field string, entry int, faces, mid [][3]int32) ([]int32, error) {
	k := s.faceNodes()
	if mid != nil && len(mid) != len(faces) {
		return nil, badInput(field, "entry %d has mid-edge nodes for %d of %d faces; give them for all or none", entry, len(mid), len(faces))
	}
	nodes := make([]int32, 0, k*len(faces))
	for j, f := range faces {
		for _, v := range f {
			if v < 0 || int(v) >= s.n {
				return nil, badInput(field, "entry %d: face %d names node %d, the mesh has %d", entry, j, v, s.n)
			}
		}
		if f[0] == f[1] || f[1] == f[2] || f[0] == f[2] {
			return nil, badInput(field, "entry %d: face %d names a node twice: %v", entry, j, f)
		}
		nodes = append(nodes, f[:]...)
		if k == element.Tri3Nodes {
			if mid != nil {
				return nil, badInput(field, "entry %d has mid-edge nodes, the other faces of the model have none", entry)
			}
			continue
		}
		for e := range 3 {
			v := int32(-1)
			if mid != nil {
				v = mid[j][e]
			} else {
				v = s.midNode(f[e], f[(e+1)%3])
			}
			if v < 0 || int(v) >= s.n {
				return nil, badInput(field, "entry %d: no element has the edge %d–%d of face %d; take faces of the mesh or give the mid-edge nodes", entry, f[e], f[(e+1)%3], j)
			}
			nodes = append(nodes, v)
		}
	}
	return nodes, nil
}

// midNode is the node on the edge a–b of a Tet10 mesh, or −1.
func (s *system) midNode(a, b int32) int32 {
	for _, i := range s.adj[s.adjPtr[a]:s.adjPtr[a+1]] {
		e, la := int(i)/s.k, int(i)%s.k
		if la >= element.Tet4Nodes {
			continue
		}
		c := s.conn[e*s.k : (e+1)*s.k]
		for lb := range element.Tet4Nodes {
			if c[lb] == b && lb != la {
				return c[element.Tet4Nodes+edgeOf[la][lb]]
			}
		}
	}
	return -1
}

// nodeGone says that all elements of a node have been removed: what acts on it
// is gone with them.
func (s *system) nodeGone(v int32) bool { return s.adjPtr[v] < s.adjPtr[v+1] && s.touched[v] == 0 }

// sheetFace is face for a membrane that stands by itself.
func (s *system) sheetFace(f [3]int32, nodes []int32) bool {
	for _, t := range s.terms {
		if m, ok := t.(*membranes); ok {
			n, ok := m.index[sortedCorners(f)]
			copy(nodes, n)
			return ok
		}
	}
	return false
}

// weight is gravity on the mass that a term brings: part of its forces, ramped
// with the stage.
type weight struct {
	node     []int32
	mass     []float64 // t
	from, to r3.Vec    // gravity change, mm/s²
}

// take goes over to the gravity of a stage; lumps lists the masses, several for
// a node if need be. What a term loses with its mass fades as a dead load.
func (w *weight) take(c *change, lumps func(add func(node int32, mass float64))) {
	at := map[int32]int{} // only looked up
	w.node, w.mass = w.node[:0], w.mass[:0]
	lumps(func(v int32, m float64) {
		i, ok := at[v]
		if !ok {
			i = len(w.node)
			at[v] = i
			w.node, w.mass = append(w.node, v), append(w.mass, 0)
		}
		w.mass[i] += m
	})
	w.from, w.to = w.to, c.loads.GravityChange
	if c.stage.Sudden {
		w.from = w.to
	}
}

func (w *weight) gravity(now clock) r3.Vec {
	return r3.Add(w.from, r3.Scale(now.s, r3.Sub(w.to, w.from)))
}

func (w *weight) force(f []float64, now clock) {
	g := w.gravity(now)
	for i, v := range w.node {
		f[3*v] -= w.mass[i] * g.X
		f[3*v+1] -= w.mass[i] * g.Y
		f[3*v+2] -= w.mass[i] * g.Z
	}
}

func (w *weight) energy(u []float64, now clock) (e float64) {
	g := w.gravity(now)
	for i, v := range w.node {
		e -= w.mass[i] * (g.X*u[3*v] + g.Y*u[3*v+1] + g.Z*u[3*v+2])
	}
	return e
}
