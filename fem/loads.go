package fem

import (
	"slices"
	"strconv"

	"halsted/fem/element"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// deadLoads integrates the body force ρ·Δg, the face loads that do not follow
// and the nodal forces into extTo.
func (s *system) deadLoads(c *LoadCase) error {
	clear(s.extTo)
	add := func(v int32, f r3.Vec) {
		s.extTo[3*v] += f.X
		s.extTo[3*v+1] += f.Y
		s.extTo[3*v+2] += f.Z
	}
	for i, f := range c.Forces {
		if f.Node < 0 || int(f.Node) >= s.n || !finiteVec(f.ForceN) {
			return badInput("Forces", "entry %d is %v N on node %d of %d; name a node of the mesh and a finite force", i, f.ForceN, f.Node, s.n)
		}
		add(f.Node, f.ForceN)
	}
	rule, shape := s.rule()
	if g := c.GravityChange; g != (r3.Vec{}) {
		n := make([]float64, s.nq*s.k)
		for q, p := range rule.P {
			shape(n[q*s.k:(q+1)*s.k], nil, p)
		}
		for e := range s.elems {
			if s.alive != nil && !s.alive[e] {
				continue
			}
			b := r3.Scale(s.reg[s.regOf[e]].rho, g)
			for a, v := range s.conn[e*s.k : (e+1)*s.k] {
				var vol float64
				for q := range s.nq {
					vol += s.w[e*s.nq+q] * n[q*s.k+a]
				}
				add(v, r3.Scale(vol, b))
			}
		}
	}
	fshape, frule, fk := element.Shape(element.Tri3), element.TriRule(2), element.Tri3Nodes
	if s.faceNodes() == element.Tri6Nodes {
		fshape, frule, fk = element.Tri6, element.TriRule(4), element.Tri6Nodes
	}
	n, d := make([]float64, fk), make([]r3.Vec, fk)
	nodes, x := make([]int32, fk), make([]r3.Vec, fk)
	for i, l := range c.Faces {
		if !finiteVec(l.TractionMPa) || !finite(l.PressureMPa) {
			return badInput("Loads", "entry %d has traction %v, pressure %v MPa; must be finite", i, l.TractionMPa, l.PressureMPa)
		}
		if s.faceGone(l.Face) {
			continue
		}
		if err := s.face(l.Face, nodes); err != nil {
			err.Field = "Loads"
			err.Msg = "entry " + strconv.Itoa(i) + ": " + err.Msg
			return err
		}
		for a, v := range nodes {
			x[a] = s.x[v]
		}
		for q, p := range frule.P {
			fshape(n, d, p)
			area := element.AreaVector(d, x) // outward
			t := r3.Scale(r3.Norm(area), l.TractionMPa)
			if !l.Follows {
				t = r3.Add(t, r3.Scale(-l.PressureMPa, area))
			}
			for a, v := range nodes {
				add(v, r3.Scale(frule.W[q]*n[a], t))
			}
		}
	}
	return nil
}

// edgeOf[a][b] is the mid-edge node of local vertices a and b.
var edgeOf = func() (m [4][4]int) {
	for e, v := range mesh.TetEdges {
		m[v[0]][v[1]], m[v[1]][v[0]] = e, e
	}
	return m
}()

// faceGone says that the face belongs to removed elements only: what acted on
// it is gone with them.
func (s *system) faceGone(f [3]int32) bool {
	if s.alive == nil {
		return false
	}
	gone := false
	for _, v := range f {
		if v < 0 || int(v) >= s.n {
			return false
		}
	}
	for _, i := range s.adj[s.adjPtr[f[0]]:s.adjPtr[f[0]+1]] {
		e := int(i) / s.k
		c := s.conn[e*s.k : e*s.k+4]
		if !slices.Contains(c, f[1]) || !slices.Contains(c, f[2]) {
			continue
		}
		if s.alive[e] {
			return false
		}
		gone = true
	}
	return gone
}

// face finds the element face with the three corner nodes, and writes its
// nodes counter-clockwise seen from outside.
func (s *system) face(f [3]int32, nodes []int32) *InputError {
	for _, v := range f {
		if v < 0 || int(v) >= s.n {
			return &InputError{Msg: "names node " + strconv.Itoa(int(v)) + ", the mesh has " + strconv.Itoa(s.n)}
		}
	}
	found := 0
	for _, i := range s.adj[s.adjPtr[f[0]]:s.adjPtr[f[0]+1]] {
		e := int(i) / s.k
		if s.alive != nil && !s.alive[e] {
			continue
		}
		c := s.conn[e*s.k : (e+1)*s.k]
		for _, lf := range mesh.TetFaces {
			hits := 0
			for _, a := range lf {
				if c[a] == f[0] || c[a] == f[1] || c[a] == f[2] {
					hits++
				}
			}
			if hits != 3 || f[0] == f[1] || f[1] == f[2] || f[0] == f[2] {
				continue
			}
			found++
			for a := range 3 {
				nodes[a] = c[lf[a]]
				if len(nodes) == element.Tri6Nodes {
					nodes[3+a] = c[4+edgeOf[lf[a]][lf[(a+1)%3]]]
				}
			}
		}
	}
	switch found {
	case 1:
		return nil
	case 0:
		if s.sheetFace(f, nodes) {
			return nil
		}
		return &InputError{Msg: "no element has a face with corner nodes " + strconv.Itoa(int(f[0])) + ", " + strconv.Itoa(int(f[1])) + ", " + strconv.Itoa(int(f[2])) + "; load faces of the mesh boundary"}
	}
	return &InputError{Msg: "the face with corner nodes " + strconv.Itoa(int(f[0])) + ", " + strconv.Itoa(int(f[1])) + ", " + strconv.Itoa(int(f[2])) + " lies between two elements; load faces of the mesh boundary"}
}
