package fem

import (
	"slices"

	"halsted/fem/element"

	"gonum.org/v1/gonum/spatial/r3"
)

// skin is a part of the boundary: its faces and how they hang together.
type skin struct {
	x      []r3.Vec // of the mesh, reference
	k      int      // nodes per face: 3 or 6
	nodes  []int32  // k per face, counter-clockwise from outside
	elem   []int32  // under each face
	scale  []float64
	long   []float64 // longest edge of each face, mm
	across []int32   // face beyond edge e of face f at 3f+e, or −1
	ring   [][]int32 // faces that share a corner with the face, without itself
	alone  []bool    // per face: its element is not alive
	verts  []int32   // nodes of the faces, ascending
	vertex []int32   // 3 per face: its corners numbered densely
	count  int       // of corners
}

// newSkin looks the faces up; field names the list in errors.
func (s *system) newSkin(field string, faces [][3]int32) (*skin, error) {
	k := &skin{x: s.x, k: element.Tri3Nodes}
	if s.k == element.Tet10Nodes {
		k.k = element.Tri6Nodes
	}
	buf := make([]int32, k.k)
	seen := make(map[[3]int32]int, len(faces)) // only looked up
	for i, f := range faces {
		if err := s.face(f, buf); err != nil {
			return nil, badInput(field, "face %d %s", i, err.Msg)
		}
		key := f
		slices.Sort(key[:])
		if at, ok := seen[key]; ok {
			return nil, badInput(field, "faces %d and %d are the same", at, i)
		}
		seen[key] = i
		e := s.elementOfFace(f)
		k.nodes = append(k.nodes, buf...)
		k.elem = append(k.elem, e)
		var p [6]r3.Vec
		k.place(&p, int32(i), nil)
		area := r3.Norm(r3.Cross(r3.Sub(p[1], p[0]), r3.Sub(p[2], p[0]))) / 2
		var vol float64
		for _, w := range s.w[int(e)*s.nq : (int(e)+1)*s.nq] {
			vol += w
		}
		law := s.reg[s.regOf[e]].law
		mu, kappa := law.ShearMPa(), law.BulkMPa()
		k.scale = append(k.scale, 9*kappa*mu/(3*kappa+mu)*area/vol)
		long := 0.0
		for e := range 3 {
			long = max(long, r3.Norm(r3.Sub(p[e], p[(e+1)%3])))
		}
		k.long = append(k.long, long)
	}
	k.alone = make([]bool, len(faces))
	k.join()
	return k, nil
}

// elementOfFace is the element that has the three corners.
func (s *system) elementOfFace(f [3]int32) int32 {
	for _, i := range s.adj[s.adjPtr[f[0]]:s.adjPtr[f[0]+1]] {
		c := s.conn[int(i)/s.k*s.k:][:4]
		if slices.Contains(c, f[0]) && slices.Contains(c, f[1]) && slices.Contains(c, f[2]) {
			return i / int32(s.k)
		}
	}
	return -1
}

func (k *skin) faces() int { return len(k.elem) }

func (k *skin) of(f int32) []int32 { return k.nodes[int(f)*k.k : (int(f)+1)*k.k] }

// corners are the corner nodes of face f.
func (k *skin) corners(f int32) [3]int32 { return [3]int32(k.of(f)[:3]) }

// join finds the neighbours.
func (k *skin) join() {
	n := k.faces()
	k.across = make([]int32, 3*n)
	k.ring = make([][]int32, n)
	half := make(map[[2]int32]int32, 3*n) // only looked up
	at := make(map[int32][]int32)         // only looked up
	for f := range n {
		c := k.corners(int32(f))
		for e := range 3 {
			half[[2]int32{c[e], c[(e+1)%3]}] = int32(f)
			at[c[e]] = append(at[c[e]], int32(f))
		}
		k.verts = append(k.verts, k.of(int32(f))...)
	}
	slices.Sort(k.verts)
	k.verts = slices.Compact(k.verts)
	dense := make(map[int32]int32, n) // only looked up
	for f := range n {
		for _, v := range k.corners(int32(f)) {
			i, ok := dense[v]
			if !ok {
				i = int32(k.count)
				dense[v] = i
				k.count++
			}
			k.vertex = append(k.vertex, i)
		}
	}
	for f := range n {
		c := k.corners(int32(f))
		for e := range 3 {
			o, ok := half[[2]int32{c[(e+1)%3], c[e]}]
			if !ok {
				o = -1
			}
			k.across[3*f+e] = o
			k.ring[f] = append(k.ring[f], at[c[e]]...)
		}
		slices.Sort(k.ring[f])
		k.ring[f] = slices.Compact(k.ring[f])
		k.ring[f] = slices.DeleteFunc(k.ring[f], func(o int32) bool { return o == int32(f) })
	}
}

// place writes the deformed nodes of face f; a Tri3 gets its edge midpoints, so
// that all faces are quadratic. u may be nil: reference.
func (k *skin) place(p *[6]r3.Vec, f int32, u []float64) {
	for a, v := range k.of(f) {
		q := k.x[v]
		if u != nil {
			q.X += u[3*v]
			q.Y += u[3*v+1]
			q.Z += u[3*v+2]
		}
		p[a] = q
	}
	if k.k == element.Tri3Nodes {
		for e := range 3 {
			p[3+e] = r3.Scale(0.5, r3.Add(p[e], p[(e+1)%3]))
		}
	}
}

// shape writes the shape functions of a face at xi.
func (k *skin) shape(m *[6]float64, xi r3.Vec) {
	if k.k == element.Tri3Nodes {
		element.Tri3(m[:], nil, xi)
		m[3], m[4], m[5] = 0, 0, 0
		return
	}
	element.Tri6(m[:], nil, xi)
}

// live takes over which elements are there.
func (k *skin) live(alive []bool) {
	for f, e := range k.elem {
		k.alone[f] = alive != nil && !alive[e]
	}
}
