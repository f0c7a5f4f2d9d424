package fem

import (
	"cmp"
	"context"
	"math"
	"slices"

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
	Dilatation(j float64) (u, du, ddu float64)
}

// region is a Region prepared for the kernels.
type region struct {
	law    material.Law
	memory material.Inelastic // law, if it has a history
	size   int                // of the history, per quadrature point
	inv    material.InInvariants
	hooke  bool         // law is material.Linear
	vol    dilatational // not nil: mean dilatation
	small  bool
	rho    float64
	active float64 // MPa at full activation
}

// system is the discretised model: what the Newton loop asks for forces and
// tangents. All slices are made once; nothing here changes during a solve but
// the scratch of the kernels.
type system struct {
	ctx   context.Context // of the solve
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

	// The stage under way (stage.go).
	stages         []Stage
	stage          int
	now            clock
	held           []bool    // 3n: prescribed
	orphan         []bool    // n: nothing alive at the node
	fixed          []bool    // 3n: held or orphan
	barFrom, barTo []float64 // 3n: displacement of fixed ones at the stage's ends, mm
	extFrom, extTo []float64 // 3n: dead loads at the stage's ends, N
	actFrom, actTo float64   // activation
	loads          LoadCase
	terms          []term
	alive          []bool      // per element; nil: all
	touched        []int32     // per node: alive elements
	rec            *recovery   // stress recovery; made when first asked for
	bases          [][]float64 // displacements at which elements were born
	birth          []int32     // per element: 1 + index of its base; nil: none

	natural   []material.Mat3 // G per quadrature point; nil: identity
	detG      []float64
	mult      []float64   // stiffness multiplier per quadrature point; nil: 1
	old, next []float64   // history of inelastic laws: at the increment's start, at the last state tried
	dil       *dilatation // mean dilatation; nil without
	historyAt []int       // per element
	bulk      float64     // norm of the last internal forces of the elements, N

	adjPtr []int32 // node → (element·k + local), CSR: the gather of forces
	adj    []int32
	elemF  []float64 // 3k per element
	order  []int32   // elements along a space-filling curve
	colour [][]int32 // clusters of elements in order; those of a colour share no node
	size   float64   // diagonal of the bounding box, mm
}

// newSystem checks the geometry and computes everything that does not depend
// on the displacement.
func newSystem(m *Model, s Settings) (*system, error) {
	return newSystemCtx(context.Background(), m, s)
}

// newSystemCtx is newSystem for a solve that ends with ctx. When ctx is done
// the system, if there is one, is not to be used.
func newSystemCtx(ctx context.Context, m *Model, s Settings) (*system, error) {
	me := m.Mesh
	sys := &system{ctx: ctx, model: m, x: me.Nodes, n: len(me.Nodes), elems: len(me.Tets), k: element.Tet4Nodes, stages: m.history()}
	if me.Mid != nil {
		sys.k = element.Tet10Nodes
	}
	rule, shape := sys.rule()
	k := sys.k
	sys.nq = len(rule.P)
	sys.conn = make([]int32, 0, k*sys.elems)
	for e, t := range me.Tets {
		sys.conn = append(sys.conn, t[:]...)
		if me.Mid != nil {
			sys.conn = append(sys.conn, me.Mid[e][:]...)
		}
	}
	at := map[imaging.Label]int32{}
	for i, r := range m.Regions {
		p := region{law: r.Law, rho: r.DensityTPerMM3, active: r.ActiveMPa}
		if q, ok := r.Law.(material.Inelastic); ok {
			p.memory, p.size = q, q.HistorySize()
		}
		if q, ok := r.Law.(smallStrain); ok {
			p.small = q.SmallStrain()
		}
		p.inv, _ = r.Law.(material.InInvariants)
		_, p.hooke = r.Law.(material.Linear)
		if s.Formulation == MeanDilatation {
			p.vol, _ = r.Law.(dilatational)
		}
		sys.reg = append(sys.reg, p)
		at[r.Label] = int32(i)
	}
	sys.regOf = make([]int32, sys.elems)
	for e, l := range me.Region {
		sys.regOf[e] = at[l]
	}
	members := sys.conn
	if len(members) == 0 { // terms alone: all nodes count
		members = make([]int32, sys.n)
		for v := range members {
			members[v] = int32(v)
		}
	}
	lo, hi := me.Nodes[members[0]], me.Nodes[members[0]]
	for _, v := range members {
		p := me.Nodes[v]
		lo = r3.Vec{X: min(lo.X, p.X), Y: min(lo.Y, p.Y), Z: min(lo.Z, p.Z)}
		hi = r3.Vec{X: max(hi.X, p.X), Y: max(hi.Y, p.Y), Z: max(hi.Z, p.Z)}
	}
	sys.size = r3.Norm(r3.Sub(hi, lo))
	if err := sys.geometry(rule, shape); err != nil {
		return nil, err
	}
	sys.adjacency()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := sys.fields(); err != nil {
		return nil, err
	}
	sys.dilate()
	for _, v := range []*[]float64{&sys.barFrom, &sys.barTo, &sys.extFrom, &sys.extTo} {
		*v = make([]float64, 3*sys.n)
	}
	sys.held, sys.fixed = make([]bool, 3*sys.n), make([]bool, 3*sys.n)
	sys.orphan, sys.touched = make([]bool, sys.n), make([]int32, sys.n)
	sys.loads = LoadCase{Faces: m.Loads, Forces: m.Forces, GravityChange: m.GravityChange}
	if err := sys.newTerms(); err != nil {
		return nil, err
	}
	if _, err := sys.enterStage(0, make([]float64, 3*sys.n), 0); err != nil {
		return nil, err
	}
	return sys, nil
}

// rule is the quadrature rule and the shape functions of the elements.
func (s *system) rule() (*element.Rule, element.Shape) {
	if s.k == element.Tet10Nodes {
		return element.TetRule(2), element.Tet10
	}
	return element.TetRule(1), element.Tet4
}

// flatTol is the smallest det J, relative to the cube of the longest edge,
// that counts as a volume: eight digits above rounding.
const flatTol = 1e-8

// maxRounding is the size of an element, relative to its coordinates, below
// which their rounding is more than 1e-8 of it.
const maxRounding = 0x1p-52 * 1e8

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
	var bad []BadElement
	x, spare := make([]r3.Vec, k), make([]r3.Vec, k)
	for e := range s.elems {
		if e%1024 == 0 && s.gone() {
			return s.ctx.Err()
		}
		for a, v := range s.conn[e*k : (e+1)*k] {
			x[a] = s.x[v]
		}
		long := 0.0
		for _, ed := range mesh.TetEdges {
			long = max(long, r3.Norm(r3.Sub(x[ed[0]], x[ed[1]])))
		}
		if far := max(math.Abs(x[0].X), math.Abs(x[0].Y), math.Abs(x[0].Z)); far*maxRounding > long && long > 0 {
			return badInput("Mesh.Nodes", "element %d of %.3g mm is %.3g mm from the origin, too far for its shape to be kept; move the mesh to the origin", e, long, far)
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
			bad = append(bad, BadElement{Element: int32(e), DetJ: worst, AtMM: s.centroid(int32(e))})
		}
	}
	return invertedError(bad)
}

func (s *system) centroid(e int32) r3.Vec {
	if s.elems == 0 {
		return s.x[0]
	}
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
const clusterSize = 128

// colourClusters cuts the elements, along a space-filling curve, in clusters,
// and colours these so that clusters of one colour share no node (greedy, in
// order).
func (s *system) colourClusters() {
	s.order = s.alongCurve()
	place := make([]int32, s.elems)
	for i, e := range s.order {
		place[e] = int32(i)
	}
	count := (s.elems + clusterSize - 1) / clusterSize
	colour := make([]int32, count)
	var taken []int32 // last cluster that saw the colour next to it
	for c := range count {
		if s.gone() {
			return
		}
		for _, e := range s.order[c*clusterSize : min(s.elems, (c+1)*clusterSize)] {
			for _, v := range s.conn[int(e)*s.k : (int(e)+1)*s.k] {
				for _, i := range s.adj[s.adjPtr[v]:s.adjPtr[v+1]] {
					if o := int(place[int(i)/s.k]) / clusterSize; o < c {
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

// alongCurve sorts the elements by the Morton code of their centroids, 16 bits
// an axis, so that neighbours in the list are neighbours in space.
func (s *system) alongCurve() []int32 {
	type keyed struct {
		code uint64
		e    int32
	}
	list := make([]keyed, s.elems)
	if s.elems == 0 {
		return nil
	}
	lo := s.centroid(0)
	for e := range s.elems {
		c := s.centroid(int32(e))
		lo = r3.Vec{X: min(lo.X, c.X), Y: min(lo.Y, c.Y), Z: min(lo.Z, c.Z)}
	}
	scale := 65535 / s.size
	s.chunks(s.elems, 4096, func(a, b int) {
		for e := a; e < b; e++ {
			c := r3.Scale(scale, r3.Sub(s.centroid(int32(e)), lo))
			list[e] = keyed{spread(uint64(c.X)) | spread(uint64(c.Y))<<1 | spread(uint64(c.Z))<<2, int32(e)}
		}
	})
	slices.SortFunc(list, func(a, b keyed) int {
		if a.code != b.code {
			return cmp.Compare(a.code, b.code)
		}
		return cmp.Compare(a.e, b.e)
	})
	out := make([]int32, s.elems)
	for i, k := range list {
		out[i] = k.e
	}
	return out
}

// spread puts two zero bits between the low 16 bits of v.
func spread(v uint64) uint64 {
	v &= 0xffff
	v = (v | v<<16) & 0xff00_00ff
	v = (v | v<<8) & 0xf0_0f00_f00f
	v = (v | v<<4) & 0xc30_c30c_30c3
	v = (v | v<<2) & 0x2492_4924_9249
	return v
}
