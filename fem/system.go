package fem

import (
	"math"
	"slices"
	"strconv"

	"halsted/fem/element"
	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// smallStrain is implemented by laws of the linear theory: their P is the
// Cauchy stress, sym(F−I) their strain, and det F ≤ 0 means nothing to them.
type smallStrain interface{ SmallStrain() bool }

// dilatational is implemented by laws W = W_iso + U(J) that can be used with
// the mean dilatation of an element.
type dilatational interface {
	Dilatation(j float64) (du, ddu float64)
}

// region is a Region prepared for the kernels.
type region struct {
	law   material.Law
	vol   dilatational // not nil: mean dilatation
	small bool
	rho   float64
}

// system is the discretised model: what the Newton loop asks for forces and
// tangents. All slices are made once; nothing here changes during a solve but
// the scratch of the kernels.
type system struct {
	model *Model
	x     []r3.Vec
	n     int // nodes
	elems int
	k, nq int     // nodes and quadrature points per element
	conn  []int32 // k per element
	grad  []r3.Vec
	w     []float64 // nq per element: weight × det J, mm³
	reg   []region
	regOf []int32 // per element

	fixed []bool    // 3n
	ubar  []float64 // 3n: prescribed at load factor 1
	fext  []float64 // 3n: dead loads at load factor 1

	adjPtr []int32 // node → (element·k + local), CSR: the gather of forces
	adj    []int32
	elemF  []float64 // 3k per element
	colour [][]int32 // clusters of elements; those of a colour share no node
	size   float64   // diagonal of the bounding box, mm
}

// newSystem checks the geometry and computes everything that does not depend
// on the displacement.
func newSystem(m *Model, s Settings) (*system, error) {
	me := m.Mesh
	sys := &system{model: m, x: me.Nodes, n: len(me.Nodes), elems: len(me.Tets), k: element.Tet4Nodes}
	rule, shape := element.TetRule(1), element.Shape(element.Tet4)
	if me.Mid != nil {
		sys.k, rule, shape = element.Tet10Nodes, element.TetRule(2), element.Tet10
	}
	k, nq := sys.k, len(rule.P)
	sys.nq = nq
	sys.conn = make([]int32, 0, k*sys.elems)
	for e, t := range me.Tets {
		sys.conn = append(sys.conn, t[:]...)
		if me.Mid != nil {
			sys.conn = append(sys.conn, me.Mid[e][:]...)
		}
	}
	at := map[imaging.Label]int32{}
	for i, r := range m.Regions {
		p := region{law: r.Law, rho: r.DensityTPerMM3}
		if q, ok := r.Law.(smallStrain); ok {
			p.small = q.SmallStrain()
		}
		if s.Formulation == MeanDilatation && k == element.Tet10Nodes {
			p.vol, _ = r.Law.(dilatational)
		}
		sys.reg = append(sys.reg, p)
		at[r.Label] = int32(i)
	}
	sys.regOf = make([]int32, sys.elems)
	for e, l := range me.Region {
		sys.regOf[e] = at[l]
	}
	lo, hi := me.Nodes[me.Tets[0][0]], me.Nodes[me.Tets[0][0]]
	for _, v := range sys.conn {
		p := me.Nodes[v]
		lo = r3.Vec{X: min(lo.X, p.X), Y: min(lo.Y, p.Y), Z: min(lo.Z, p.Z)}
		hi = r3.Vec{X: max(hi.X, p.X), Y: max(hi.Y, p.Y), Z: max(hi.Z, p.Z)}
	}
	sys.size = r3.Norm(r3.Sub(hi, lo))
	if err := sys.geometry(rule, shape); err != nil {
		return nil, err
	}
	sys.adjacency()
	if err := sys.constraints(); err != nil {
		return nil, err
	}
	if err := sys.checkHeld(); err != nil {
		return nil, err
	}
	if err := sys.loads(rule, shape); err != nil {
		return nil, err
	}
	return sys, nil
}

// flatTol is the smallest det J, relative to the cube of the longest edge,
// that counts as a volume: eight digits above rounding.
const flatTol = 1e-8

func (s *system) geometry(rule *element.Rule, shape element.Shape) error {
	k, nq := s.k, s.nq
	s.grad = make([]r3.Vec, s.elems*nq*k)
	s.w = make([]float64, s.elems*nq)
	d := make([]r3.Vec, nq*k)
	for q, p := range rule.P {
		shape(nil, d[q*k:(q+1)*k], p)
	}
	// det J is also asked for at the element's own nodes: a bad curve shows there.
	at := make([]r3.Vec, k*k)
	for a, p := range element.TetNodes[:k] {
		shape(nil, at[a*k:(a+1)*k], p)
	}
	x, spare := make([]r3.Vec, k), make([]r3.Vec, k)
	for e := range s.elems {
		for a, v := range s.conn[e*k : (e+1)*k] {
			x[a] = s.x[v]
		}
		long := 0.0
		for _, ed := range mesh.TetEdges {
			long = max(long, r3.Norm(r3.Sub(x[ed[0]], x[ed[1]])))
		}
		worst := math.Inf(1)
		for q := range nq {
			det := element.Gradients(s.grad[(e*nq+q)*k:(e*nq+q+1)*k], d[q*k:(q+1)*k], x)
			s.w[e*nq+q] = rule.W[q] * det
			worst = min(worst, det)
		}
		for a := range k {
			worst = min(worst, element.Gradients(spare, at[a*k:(a+1)*k], x))
		}
		if !(worst > flatTol*long*long*long) {
			return &InvertedError{Element: int32(e), DetJ: worst, AtMM: s.centroid(int32(e))}
		}
	}
	return nil
}

func (s *system) centroid(e int32) r3.Vec {
	var c r3.Vec
	for _, v := range s.conn[int(e)*s.k : int(e)*s.k+4] {
		c = r3.Add(c, r3.Scale(0.25, s.x[v]))
	}
	return c
}

// adjacency lists, for every node, where its element forces stand.
func (s *system) adjacency() {
	s.adjPtr = make([]int32, s.n+1)
	for _, v := range s.conn {
		s.adjPtr[v+1]++
	}
	for i := range s.n {
		s.adjPtr[i+1] += s.adjPtr[i]
	}
	s.adj = make([]int32, len(s.conn))
	fill := append([]int32(nil), s.adjPtr[:s.n]...)
	for i, v := range s.conn {
		s.adj[fill[v]] = int32(i)
		fill[v]++
	}
	s.elemF = make([]float64, 3*len(s.conn))
	s.colourClusters()
}

// clusterSize neighbouring elements are assembled one after the other, so that
// the matrix rows they share stay in the cache.
const clusterSize = 24

// colourClusters cuts the elements, in their order, in clusters, and colours
// these so that clusters of one colour share no node (greedy, in order).
func (s *system) colourClusters() {
	count := (s.elems + clusterSize - 1) / clusterSize
	colour := make([]int32, count)
	var taken []int32 // last cluster that saw the colour next to it
	for c := range count {
		for e := c * clusterSize; e < min(s.elems, (c+1)*clusterSize); e++ {
			for _, v := range s.conn[e*s.k : (e+1)*s.k] {
				for _, i := range s.adj[s.adjPtr[v]:s.adjPtr[v+1]] {
					if o := int(i) / s.k / clusterSize; o < c {
						taken[colour[o]] = int32(c)
					}
				}
			}
		}
		colour[c] = int32(slices.IndexFunc(taken, func(last int32) bool { return last != int32(c) }))
		if colour[c] < 0 {
			colour[c] = int32(len(taken))
			taken = append(taken, -1)
			s.colour = append(s.colour, nil)
		}
		s.colour[colour[c]] = append(s.colour[colour[c]], int32(c))
	}
}

// constraints fills fixed and ubar; nodes without an element stay where they are.
func (s *system) constraints() error {
	s.fixed = make([]bool, 3*s.n)
	s.ubar = make([]float64, 3*s.n)
	for i, p := range s.model.Prescribed {
		d := 3*int(p.Node) + int(p.Axis)
		if s.fixed[d] && s.ubar[d] != p.ValueMM {
			return badInput("Prescribed", "entry %d: node %d, axis %d is prescribed %g mm and %g mm", i, p.Node, p.Axis, s.ubar[d], p.ValueMM)
		}
		s.fixed[d], s.ubar[d] = true, p.ValueMM
	}
	for v := range s.n {
		if s.adjPtr[v] == s.adjPtr[v+1] {
			s.fixed[3*v], s.fixed[3*v+1], s.fixed[3*v+2] = true, true, true
		}
	}
	return nil
}

// loads integrates the body force ρ·Δg and the face loads into fext.
func (s *system) loads(rule *element.Rule, shape element.Shape) error {
	s.fext = make([]float64, 3*s.n)
	add := func(v int32, f r3.Vec) {
		s.fext[3*v] += f.X
		s.fext[3*v+1] += f.Y
		s.fext[3*v+2] += f.Z
	}
	if g := s.model.GravityChange; g != (r3.Vec{}) {
		n := make([]float64, s.nq*s.k)
		for q, p := range rule.P {
			shape(n[q*s.k:(q+1)*s.k], nil, p)
		}
		for e := range s.elems {
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
	if s.k == element.Tet10Nodes {
		fshape, frule, fk = element.Tri6, element.TriRule(4), element.Tri6Nodes
	}
	n, d := make([]float64, fk), make([]r3.Vec, fk)
	nodes, x := make([]int32, fk), make([]r3.Vec, fk)
	for i, l := range s.model.Loads {
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
			t := r3.Add(r3.Scale(r3.Norm(area), l.TractionMPa), r3.Scale(-l.PressureMPa, area))
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
		return &InputError{Msg: "no element has a face with corner nodes " + strconv.Itoa(int(f[0])) + ", " + strconv.Itoa(int(f[1])) + ", " + strconv.Itoa(int(f[2])) + "; load faces of the mesh boundary"}
	}
	return &InputError{Msg: "the face with corner nodes " + strconv.Itoa(int(f[0])) + ", " + strconv.Itoa(int(f[1])) + ", " + strconv.Itoa(int(f[2])) + " lies between two elements; load faces of the mesh boundary"}
}
