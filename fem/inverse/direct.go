package inverse

import (
	"context"
	"errors"
	"math"
	"slices"

	"halsted/fem"
	"halsted/fem/element"
	"halsted/fem/material"
	"halsted/internal/sparse"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// direct solves the equilibrium of the imaged shape for the stress-free one:
//
//	∫ P(F)·∇_X N dV(X) = f_ext(x_img),  F = J_x·J_X⁻¹,
//
// with X unknown and x = x_img given (inverse elastostatics: R. Shield, Z.
// Angew. Math. Phys. 18 (1967) 490; S. Govindjee & P. Mihalic, Comput. Methods
// Appl. Mech. Eng. 136 (1996) 47), by Newton's method on the very equations
// that fem.Solve solves for x, so that its X is the zero of the fixed point.
// The fixed point creeps where an imaged dent takes a larger one to make it, as
// in a pressurised shell that bends easily; this does not.
//
// With mean dilatation the pressures are unknowns beside X, as in the forward
// solver.
type direct struct {
	ctx   context.Context
	me    *mesh.TetMesh
	k, nq int
	conn  []int32          // nodes of every element, k each
	law   []material.Law   // per element
	vol   []material.Split // per element; nil: the whole law at the points
	nat   []material.Mat3  // per quadrature point, det 1; nil: none
	dn    [][]r3.Vec       // derivatives of the shape functions per quadrature point
	shape [][]float64      // shape functions there
	wq    []float64
	body  []r3.Vec // force per volume of the stress-free shape and element, N/mm³; nil: none
	fixed []bool   // 3 per node
	img   []r3.Vec
	fext  []float64 // of the whole load: what acts on the imaged shape

	x                   []float64 // unknowns: places, 3 per node
	p                   []float64 // and pressures, one per element
	r, s                []float64 // what is missing of the two equations
	cc                  []float64 // c = V/(U″·θ) of each element
	h, hx               []r3.Vec  // ∂v/∂x and ∂V/∂X per element and node
	mat                 *sparse.BSR3
	pre                 *sparse.BSR3
	factor              *sparse.Cholesky
	weight              float64 // N per mm³ of the second equation
	newtons, gmresSteps int
	limit               int64 // bytes; 0: none
	elemF               []r3.Vec
}

var errNoDirect = errors.New("inverse: the model has parts that only forward solves know")

// directChunk is the number of elements whose matrices are held at a time.
const directChunk = 64

// newDirect takes models of hyperelastic laws in Tet10, or Tet4 in the
// displacement form, under following pressure, nodal forces and gravity.
func newDirect(ctx context.Context, m *fem.Model, set fem.Settings) (*direct, error) {
	me := m.Mesh
	if len(m.Stages) > 0 || len(m.Stiffness) > 0 || len(m.Membranes)+len(m.Springs)+len(m.Trusses)+len(m.Foundations)+len(m.Contacts)+len(m.Ties) > 0 || m.Dynamic != nil || remembers(m) || set.ArcLength != nil {
		return nil, errNoDirect
	}
	d := &direct{ctx: ctx, limit: set.MemoryLimit, me: me, k: element.Tet4Nodes, img: me.Nodes}
	rule, shape := element.TetRule(1), element.Shape(element.Tet4)
	if me.Mid != nil {
		d.k, rule, shape = element.Tet10Nodes, element.TetRule(2), element.Shape(element.Tet10)
	} else if set.Formulation == fem.MeanDilatation {
		return nil, errNoDirect
	}
	d.nq = len(rule.P)
	for q, p := range rule.P {
		dn, n := make([]r3.Vec, d.k), make([]float64, d.k)
		shape(n, dn, p)
		d.dn, d.shape, d.wq = append(d.dn, dn), append(d.shape, n), append(d.wq, rule.W[q])
	}
	for e, v := range me.Tets {
		d.conn = append(d.conn, v[:]...)
		if me.Mid != nil {
			d.conn = append(d.conn, me.Mid[e][:]...)
		}
		i := slices.IndexFunc(m.Regions, func(r fem.Region) bool { return r.Label == me.Region[e] })
		if i < 0 || m.Regions[i].ActiveMPa != 0 {
			return nil, errNoDirect
		}
		law := m.Regions[i].Law
		if _, ok := law.(material.Linear); ok {
			return nil, errNoDirect // small strain: no other shape to start from
		}
		d.law = append(d.law, law)
		split, _ := law.(material.Split)
		if set.Formulation != fem.MeanDilatation {
			split = nil
		}
		d.vol = append(d.vol, split)
		if m.GravityChange != (r3.Vec{}) {
			d.body = append(d.body, r3.Scale(m.Regions[i].DensityTPerMM3, m.GravityChange))
		}
	}
	if err := d.natural(m.Natural); err != nil {
		return nil, err
	}
	d.fixed = make([]bool, 3*len(me.Nodes))
	for _, p := range m.Prescribed {
		d.fixed[3*int(p.Node)+int(p.Axis)] = true
	}
	d.fext = make([]float64, 3*len(me.Nodes))
	for _, f := range m.Forces {
		d.fext[3*f.Node] += f.ForceN.X
		d.fext[3*f.Node+1] += f.ForceN.Y
		d.fext[3*f.Node+2] += f.ForceN.Z
	}
	if err := d.pressures(m.Loads); err != nil {
		return nil, err
	}
	for i, f := range d.fixed {
		if f {
			d.fext[i] = 0
		}
	}
	return d, nil
}

// natural spreads the natural maps over the quadrature points.
func (d *direct) natural(g []material.Mat3) error {
	points := d.nq * len(d.law)
	if len(g) == 0 {
		return nil
	}
	per := 1
	if len(g) == len(d.law) {
		per = d.nq
	} else if len(g) != points {
		return errNoDirect // the forward solve says what is wrong
	}
	const detTol = 1e-9 // of rotations made in double precision
	for at := range points {
		if math.Abs(g[at/per].Det()-1) > detTol {
			return errNoDirect
		}
		d.nat = append(d.nat, g[at/per])
	}
	return nil
}

// pressures adds what follows the faces of the imaged shape.
func (d *direct) pressures(loads []fem.FaceLoad) error {
	where := map[[3]int32][2]int32{} // sorted corners → element, face; last one counts
	count := map[[3]int32]int{}
	sorted := func(f [3]int32) [3]int32 { slices.Sort(f[:]); return f }
	for e, v := range d.me.Tets {
		for f, c := range mesh.TetFaces {
			key := sorted([3]int32{v[c[0]], v[c[1]], v[c[2]]})
			where[key] = [2]int32{int32(e), int32(f)}
			count[key]++
		}
	}
	rule, shape, fk := element.TriRule(2), element.Shape(element.Tri3), element.Tri3Nodes
	if d.me.Mid != nil {
		rule, shape, fk = element.TriRule(4), element.Shape(element.Tri6), element.Tri6Nodes
	}
	n, dn, x := make([]float64, fk), make([]r3.Vec, fk), make([]r3.Vec, fk)
	for _, l := range loads {
		key := sorted(l.Face)
		if !l.Follows || l.TractionMPa != (r3.Vec{}) || count[key] != 1 {
			return errNoDirect
		}
		at := where[key]
		v, c := d.me.Tets[at[0]], mesh.TetFaces[at[1]]
		nodes := []int32{v[c[0]], v[c[1]], v[c[2]]}
		if d.me.Mid != nil {
			for a := range 3 {
				for m, ends := range mesh.TetEdges {
					p, q := c[a], c[(a+1)%3]
					if ends[0] == p && ends[1] == q || ends[0] == q && ends[1] == p {
						nodes = append(nodes, d.me.Mid[at[0]][m])
					}
				}
			}
		}
		for a, v := range nodes {
			x[a] = d.img[v]
		}
		for q, p := range rule.P {
			shape(n, dn, p)
			area := element.AreaVector(dn, x) // outward
			for a, v := range nodes {
				f := r3.Scale(-l.PressureMPa*rule.W[q]*n[a], area)
				d.fext[3*v] += f.X
				d.fext[3*v+1] += f.Y
				d.fext[3*v+2] += f.Z
			}
		}
	}
	return nil
}

// Newton's method of direct.
const (
	directTol          = 1e-11 // residual relative to the loads at which it ends
	directEnough       = 1e-8  // that is accepted when rounding stops it
	directNewton       = 30
	directLeast        = 1. / 64 // of a step
	directCuts         = 4       // halvings of the load
	gmresTol           = 1e-5
	gmresVectors       = 80
	directScratchBytes = 9000 // of directScratch
)

// run finds X for the whole load. prescribed motions are taken off at the start.
func (d *direct) run(motions []fem.Prescribed) ([]float64, error) {
	start := flat(d.img)
	for _, p := range motions {
		start[3*int(p.Node)+int(p.Axis)] -= p.ValueMM
	}
	n := len(d.img)
	d.r, d.s, d.p = make([]float64, 3*n), make([]float64, len(d.law)), make([]float64, len(d.law))
	d.cc, d.h, d.hx = make([]float64, len(d.law)), make([]r3.Vec, len(d.conn)), make([]r3.Vec, len(d.conn))
	d.elemF = make([]r3.Vec, len(d.conn))
	d.mat, d.pre = sparse.NewBSR3(n, d.conn, d.k), sparse.NewBSR3(n, d.conn, d.k)
	var err error
	if d.factor, err = sparse.NewCholeskyCtx(d.ctx, d.pre, sparse.CholeskyConfig{Indefinite: true}); err != nil {
		return nil, err
	}
	// matrices, factor, vectors of GMRES and of Newton's method, elements at work
	need := d.mat.Bytes() + d.pre.Bytes() + d.factor.Bytes() + int64(gmresVectors+spareVectors)*8*int64(3*n+len(d.law)) + 24*3*int64(len(d.conn)) + directChunk*directScratchBytes
	if d.limit > 0 && need > d.limit {
		return nil, errNoDirect
	}
	d.x = slices.Clone(start)
	reached, step := 0.0, 1.0
	for reached < 1 {
		x, p := slices.Clone(d.x), slices.Clone(d.p)
		target := min(1, reached+step)
		err := d.newton(target)
		switch {
		case err == nil:
			reached = target
		case d.ctx.Err() != nil:
			return nil, d.ctx.Err()
		case step < math.Pow(0.5, directCuts-0.5):
			return nil, err
		default:
			d.x, d.p = x, p
			step /= 2
		}
	}
	return d.x, nil
}

var errDirectStuck = errors.New("inverse: Newton's method for the stress-free shape does not converge")

func (d *direct) newton(factor float64) error {
	merit, scale, ok := d.residual(factor)
	if !ok {
		return errDirectStuck
	}
	n := 3 * len(d.img)
	growths := 0
	for range directNewton {
		if merit <= directTol*scale {
			return nil
		}
		d.newtons++
		if err := d.tangent(factor); err != nil {
			return err
		}
		step, err := d.gmres()
		if err != nil {
			return err
		}
		x, p := slices.Clone(d.x), slices.Clone(d.p)
		a, taken := 1.0, false
		for ; a >= directLeast && !taken; a /= 2 {
			for i := range d.x {
				d.x[i] = x[i] + a*step[i]
			}
			for e := range d.p {
				d.p[e] = p[e] + a*step[n+e]
			}
			next, sc, ok := d.residual(factor)
			if !ok {
				continue
			}
			if next < merit*(1-1e-4*a) || a == 1 && growths < 2 && next < 100*sc {
				if next >= merit {
					growths++
				}
				merit, scale, taken = next, sc, true
			}
		}
		if !taken {
			d.x, d.p = x, p
			if merit, scale, _ = d.residual(factor); merit <= directEnough*scale {
				return nil
			}
			return errDirectStuck
		}
	}
	if merit <= directEnough*scale {
		return nil
	}
	return errDirectStuck
}
