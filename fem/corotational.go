package fem

import (
	"context"
	"errors"
	"slices"

	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Coarse is a model prepared for many fast, coarse solves that differ in motions
// and loads: the level L1, for ranking candidates, beside Solve, the level L2.
//
// It works on the linear tetrahedra of the corner nodes with an isotropic,
// corotated Hooke law of the regions' initial moduli (corotated), smoothed over
// edges and nodes so that it neither locks nor is as stiff as a Tet4. What laws
// do at large strain (stiffening, fibres, history) it does not know; a Poisson's
// ratio above 0.49 counts as 0.49. The stiffness at rest is factored once;
// every iteration solves with it in axes that turn with the nodes (as the
// warped stiffness of M. Müller et al., Proc. SCA 2002, 49, here a
// preconditioner) under limited-memory BFGS (T. Liu, S. Bouaziz & L. Kavan, ACM
// Trans. Graph. 36 (2017) 23), so that the answer is the equilibrium of the
// corotated energy, not of the warped stiffness.
//
// Against Solve on the Tet10 mesh the displacement of a tip under load is off by
// 1 to 3 % where the law is neo-Hookean and strains are moderate, stress by
// more: use it to rank, and Solve what is left (corotational_model_test.go has
// figures).
//
// One goroutine at a time may use a Coarse.
type Coarse struct {
	given *Model // as prepared
	base  *system
	d     *domains
	rest  *restStiffness // of the whole mesh without terms
	patch []patch
	mids  []midNode
	bytes int64
	limit int64
}

// midNode is a mid-edge node of the given mesh with the ends of its edge.
type midNode struct{ node, a, b int32 }

// SolveCoarse is NewCoarse and Coarse.Solve: a fast, coarse stand-in for Solve.
func SolveCoarse(ctx context.Context, m *Model, s Settings, emit func(*Frame) error) (Result, error) {
	c, err := NewCoarse(ctx, m, s)
	if err != nil {
		res := Result{Settings: s}
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			res.Status = StatusCancelled
		}
		return res, err
	}
	return c.Solve(ctx, m, s, emit)
}

var _ Solver = SolveCoarse

// NewCoarse prepares mesh, materials and supports of m; of s it takes the
// MemoryLimit. Errors: as Solve before anything is solved, and *InputError for
// what the coarse mode does not have: contacts, ties, inertia, active tension,
// and natural maps that are not rotations.
func NewCoarse(ctx context.Context, m *Model, s Settings) (*Coarse, error) {
	if _, err := coarseDefaults(s); err != nil {
		return nil, err
	}
	if err := coarseCheck(m); err != nil {
		return nil, err
	}
	c := &Coarse{given: m, limit: s.MemoryLimit, mids: midNodes(m.Mesh)}
	var err error
	if c.base, err = newSystem(c.corner(m), must0(Settings{}.withDefaults())); err != nil {
		return nil, err
	}
	c.d = c.base.newDomains()
	if len(c.base.terms) > 0 || c.base.alive != nil { // the rest is made in every solve
		return c, ctx.Err()
	}
	if c.rest, c.patch, err = newRestStiffness(ctx, c.base, c.d); err != nil {
		return nil, err
	}
	if err := c.afford(c.base, c.rest); err != nil {
		return nil, err
	}
	return c, c.rest.factor(ctx, c.base, c.patch, nil)
}

// afford checks the memory estimate of a solve.
func (c *Coarse) afford(s *system, r *restStiffness) error {
	perElement := int64(72 + 8 + 12*8 + 6*(72+32) + 10*4 + 5*96 + 3*48)
	c.bytes = r.bytes() + int64(s.elems)*perElement + int64(s.n)*(5*24+160) + int64(len(r.nodes))*3*8*(2*memoryPairs+8)
	if c.limit > 0 && c.bytes > c.limit {
		return &MemoryError{NeedBytes: c.bytes, LimitBytes: c.limit}
	}
	return nil
}

// corner is m on its linear tetrahedra, with Hooke's law and the forces of
// mid-edge nodes at the ends of their edges.
func (c *Coarse) corner(m *Model) *Model {
	out := *m
	me := *m.Mesh
	me.Mid = nil
	out.Mesh, out.Natural = &me, nil
	out.Stiffness = perElement(m.Stiffness, len(me.Tets))
	out.Regions = slices.Clone(m.Regions)
	for i := range out.Regions {
		r := &out.Regions[i]
		mu, kappa := r.Law.ShearMPa(), r.Law.BulkMPa()
		nu := min((3*kappa-2*mu)/(2*(3*kappa+mu)), nuLimit)
		if law, err := material.NewLinear(2*mu*(1+nu), nu); err == nil {
			r.Law = law
		}
		r.ActiveMPa = 0
	}
	out.Forces = c.toCorners(m.Forces)
	out.Stages = slices.Clone(m.Stages)
	for i := range out.Stages {
		if l := out.Stages[i].Loads; l != nil {
			moved := *l
			moved.Forces = c.toCorners(l.Forces)
			out.Stages[i].Loads = &moved
		}
	}
	return &out
}

func (c *Coarse) toCorners(f []NodalForce) []NodalForce {
	if len(f) == 0 || len(c.mids) == 0 {
		return f
	}
	out := make([]NodalForce, 0, len(f))
	for _, p := range f {
		at, ok := findMid(c.mids, p.Node)
		if !ok {
			out = append(out, p)
			continue
		}
		half := r3.Scale(0.5, p.ForceN)
		out = append(out, NodalForce{Node: c.mids[at].a, ForceN: half}, NodalForce{Node: c.mids[at].b, ForceN: half})
	}
	return out
}

// perElement averages a field that may be given per quadrature point.
func perElement(v []float64, elems int) []float64 {
	if len(v) <= elems || len(v)%elems != 0 {
		return v
	}
	per := len(v) / elems
	out := make([]float64, elems)
	for e := range out {
		for _, x := range v[e*per : (e+1)*per] {
			out[e] += x / float64(per)
		}
	}
	return out
}

// midNodes lists the mid-edge nodes in ascending order.
func midNodes(m *mesh.TetMesh) []midNode {
	if m.Mid == nil {
		return nil
	}
	at := make([]midNode, len(m.Nodes))
	for e, mid := range m.Mid {
		for k, v := range mid {
			ends := mesh.TetEdges[k]
			at[v] = midNode{v, m.Tets[e][ends[0]], m.Tets[e][ends[1]]}
		}
	}
	for _, t := range m.Tets {
		for _, v := range t {
			at[v] = midNode{} // a corner somewhere
		}
	}
	return slices.DeleteFunc(at, func(p midNode) bool { return p.a == p.b })
}

func findMid(mids []midNode, v int32) (at int, ok bool) {
	return slices.BinarySearchFunc(mids, v, func(m midNode, v int32) int { return int(m.node - v) })
}

// system is that of the candidate m: the geometry of the prepared model with
// m's motions, loads and stages.
func (c *Coarse) system(m *Model) (*system, error) {
	if m != c.given {
		if err := c.same(m); err != nil {
			return nil, err
		}
		if err := coarseCheck(m); err != nil {
			return nil, err
		}
	}
	s := *c.base
	s.model = c.corner(m)
	s.stages = s.model.history()
	s.terms, s.alive, s.bases, s.birth = nil, nil, nil, nil
	s.actFrom, s.actTo, s.bulk = 0, 0, 0
	for _, v := range []*[]float64{&s.barFrom, &s.barTo, &s.extFrom, &s.extTo} {
		*v = make([]float64, 3*s.n)
	}
	s.held, s.fixed = make([]bool, 3*s.n), make([]bool, 3*s.n)
	s.orphan, s.touched = make([]bool, s.n), make([]int32, s.n)
	s.loads = LoadCase{Faces: s.model.Loads, Forces: s.model.Forces, GravityChange: s.model.GravityChange}
	if slices.ContainsFunc(s.stages, func(st Stage) bool { return len(st.Add) > 0 }) {
		s.grad, s.w = slices.Clone(s.grad), slices.Clone(s.w) // births write to them
	}
	if c.base.alive != nil {
		s.rec = nil
	}
	if err := s.newTerms(); err != nil {
		return nil, err
	}
	if _, err := s.enterStage(0, make([]float64, 3*s.n), 0); err != nil {
		return nil, err
	}
	return &s, nil
}

// same refuses a candidate of another mesh or with other materials.
func (c *Coarse) same(m *Model) error {
	if m == nil || m.Mesh != c.given.Mesh {
		return badInput("Mesh", "is another than that of the prepared model; prepare the new one with NewCoarse")
	}
	if len(m.Regions) != len(c.given.Regions) || !slices.Equal(m.Stiffness, c.given.Stiffness) {
		return badInput("Regions", "or Stiffness differ from the prepared model's; prepare the new one with NewCoarse")
	}
	for i, r := range m.Regions {
		g := c.given.Regions[i]
		if r.Law == nil || r.Label != g.Label || r.DensityTPerMM3 != g.DensityTPerMM3 || r.Law.ShearMPa() != g.Law.ShearMPa() || r.Law.BulkMPa() != g.Law.BulkMPa() {
			return badInput("Regions", "region %d differs from the prepared model's; prepare the new one with NewCoarse", i)
		}
	}
	return nil
}

// frame packs the state u: the corner nodes as Solve does, mid-edge nodes with
// the means of their ends.
func (k *corotated) frame(step int, u, fint []float64, mids []midNode) *Frame {
	s := k.s
	rc := s.recoveryOf()
	var rec recovered
	if k.energy == 0 && len(s.terms) == 0 { // unloaded
		rec = recovered{stress: make([]sym6, s.n), strain: make([]sym6, s.n), errorMPa: make([]float64, s.n)}
	} else {
		k.points(rc)
		rec = s.smooth(rc)
	}
	at := slices.Clone(u)
	for _, m := range mids {
		for c := range 3 {
			at[3*m.node+int32(c)] = (u[3*m.a+int32(c)] + u[3*m.b+int32(c)]) / 2
		}
		for _, t := range [][]sym6{rec.stress, rec.strain} {
			t[m.node] = sym6{}
			t[m.node].add(0.5, &t[m.a])
			t[m.node].add(0.5, &t[m.b])
		}
		rec.errorMPa[m.node] = (rec.errorMPa[m.a] + rec.errorMPa[m.b]) / 2
	}
	return s.pack(step, at, fint, &rec)
}

// must0 is for defaults that cannot fail.
func must0(s Settings, _ error) Settings { return s }
