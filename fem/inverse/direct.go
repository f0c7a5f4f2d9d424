package inverse

import (
	"context"
	"errors"
	"math"
	"slices"

	"halsted/fem"
	"halsted/fem/element"
	"halsted/fem/material"
	"halsted/internal/par"
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

// scratch of one element.
type directScratch struct {
	ref, img [10]r3.Vec
	g        [10]r3.Vec
	f, p     material.Mat3
	a        [9][9]float64
	ke       [30][30]float64
	det      float64
}

// at computes ∇_X N, F and det J_X at quadrature point q of element e.
func (d *direct) at(k *directScratch, e, q int) bool {
	var jx material.Mat3
	for a := range d.k {
		v, dn := k.ref[a], d.dn[q][a]
		jx[0] = r3.Add(jx[0], r3.Scale(dn.X, v))
		jx[1] = r3.Add(jx[1], r3.Scale(dn.Y, v))
		jx[2] = r3.Add(jx[2], r3.Scale(dn.Z, v))
	}
	k.det = jx.Det()
	if !(k.det > 0) {
		return false
	}
	// ∇_X N = J⁻ᵀ·∂N: the rows of J⁻¹ are the cross products of its columns over det
	i0, i1, i2 := r3.Scale(1/k.det, r3.Cross(jx[1], jx[2])), r3.Scale(1/k.det, r3.Cross(jx[2], jx[0])), r3.Scale(1/k.det, r3.Cross(jx[0], jx[1]))
	k.f = material.Mat3{}
	for a := range d.k {
		dn := d.dn[q][a]
		g := r3.Add(r3.Scale(dn.X, i0), r3.Add(r3.Scale(dn.Y, i1), r3.Scale(dn.Z, i2)))
		k.g[a] = g
		k.f[0] = r3.Add(k.f[0], r3.Scale(g.X, k.img[a]))
		k.f[1] = r3.Add(k.f[1], r3.Scale(g.Y, k.img[a]))
		k.f[2] = r3.Add(k.f[2], r3.Scale(g.Z, k.img[a]))
	}
	return k.f.Det() > 0
}

func (d *direct) gather(k *directScratch, e int) {
	for a, v := range d.conn[e*d.k : (e+1)*d.k] {
		k.ref[a] = r3.Vec{X: d.x[3*v], Y: d.x[3*v+1], Z: d.x[3*v+2]}
		k.img[a] = d.img[v]
	}
}

// stress writes P, with the element's pressure in place of the law's; and the
// tangent if asked.
func (d *direct) stress(k *directScratch, e, q int, tangent bool) {
	f := k.f
	if d.nat != nil {
		g := &d.nat[e*d.nq+q]
		f = product(&k.f, g)
		d.law[e].Stress(&k.p, &f)
		gt := material.Mat3{{X: g[0].X, Y: g[1].X, Z: g[2].X}, {X: g[0].Y, Y: g[1].Y, Z: g[2].Y}, {X: g[0].Z, Y: g[1].Z, Z: g[2].Z}}
		k.p = product(&k.p, &gt)
		if tangent {
			var b [9][9]float64
			d.law[e].Tangent(&b, &f)
			// A_iJkL = B_iMkN·G_JM·G_LN
			m := [3][3]float64{{g[0].X, g[1].X, g[2].X}, {g[0].Y, g[1].Y, g[2].Y}, {g[0].Z, g[1].Z, g[2].Z}}
			k.a = [9][9]float64{}
			for i := range 3 {
				for kk := range 3 {
					var half [3][3]float64 // B_iMkN·G_LN
					for mm := range 3 {
						for l := range 3 {
							half[mm][l] = b[3*i+mm][3*kk]*m[l][0] + b[3*i+mm][3*kk+1]*m[l][1] + b[3*i+mm][3*kk+2]*m[l][2]
						}
					}
					for j := range 3 {
						for l := range 3 {
							k.a[3*i+j][3*kk+l] = m[j][0]*half[0][l] + m[j][1]*half[1][l] + m[j][2]*half[2][l]
						}
					}
				}
			}
		}
	} else {
		d.law[e].Stress(&k.p, &f)
		if tangent {
			d.law[e].Tangent(&k.a, &f)
		}
	}
	if d.vol[e] == nil {
		return
	}
	var cof material.Mat3
	j := k.f.Cofactor(&cof)
	_, du, ddu := d.vol[e].Dilatation(j)
	for c := range k.p {
		k.p[c] = r3.Add(k.p[c], r3.Scale(d.p[e]-du, cof[c]))
	}
	if !tangent {
		return
	}
	m := (d.p[e] - du) / j
	c := [9]float64{cof[0].X, cof[1].X, cof[2].X, cof[0].Y, cof[1].Y, cof[2].Y, cof[0].Z, cof[1].Z, cof[2].Z}
	for p := range 9 {
		for t := range 9 {
			k.a[p][t] += (m-ddu)*c[p]*c[t] - m*c[3*(p/3)+t%3]*c[3*(t/3)+p%3]
		}
	}
}

// residual fills r and s at the present unknowns; merit is their norm and
// scale that of the loads, N. ok is false where an element is inverted.
func (d *direct) residual(factor float64) (merit, scale float64, ok bool) {
	bad := make([]bool, (len(d.law)+directChunk-1)/directChunk)
	par.Chunks(len(d.law), directChunk, func(lo, hi int) {
		k := new(directScratch)
		for e := lo; e < hi; e++ {
			d.gather(k, e)
			fe, h, hx := d.elemF[e*d.k:(e+1)*d.k], d.h[e*d.k:(e+1)*d.k], d.hx[e*d.k:(e+1)*d.k]
			clear(fe)
			clear(h)
			clear(hx)
			v, vol := 0.0, 0.0
			for q := range d.nq {
				if !d.at(k, e, q) {
					bad[lo/directChunk] = true
					return
				}
				d.stress(k, e, q, false)
				w := d.wq[q] * k.det
				vol += w
				v += w * k.f.Det()
				var cof material.Mat3
				k.f.Cofactor(&cof)
				for a := range fe {
					g := k.g[a]
					f := r3.Add(r3.Scale(g.X, k.p[0]), r3.Add(r3.Scale(g.Y, k.p[1]), r3.Scale(g.Z, k.p[2])))
					fe[a] = r3.Add(fe[a], r3.Scale(w, f))
					if d.body != nil {
						fe[a] = r3.Sub(fe[a], r3.Scale(w*factor*d.shape[q][a], d.body[e]))
					}
					h[a] = r3.Add(h[a], r3.Scale(w, r3.Add(r3.Scale(g.X, cof[0]), r3.Add(r3.Scale(g.Y, cof[1]), r3.Scale(g.Z, cof[2])))))
					hx[a] = r3.Add(hx[a], r3.Scale(w, g))
				}
			}
			if d.vol[e] != nil {
				theta := v / vol
				_, du, ddu := d.vol[e].Dilatation(theta)
				d.cc[e] = vol / (ddu * theta)
				d.s[e] = d.cc[e] * (du - d.p[e])
			}
		}
	})
	if slices.Contains(bad, true) {
		return 0, 0, false
	}
	for i := range d.r {
		d.r[i] = factor * d.fext[i]
	}
	var load float64
	for i, v := range d.r {
		if !d.fixed[i] {
			load += v * v
		}
	}
	inner := make([]float64, len(d.r))
	for i, v := range d.conn {
		inner[3*v] += d.elemF[i].X
		inner[3*v+1] += d.elemF[i].Y
		inner[3*v+2] += d.elemF[i].Z
	}
	if d.body != nil { // what acts, without what answers
		for e, b := range d.body {
			vol := 0.0
			for _, g := range d.hx[e*d.k : (e+1)*d.k] {
				vol += r3.Norm(g)
			}
			load += factor * factor * r3.Norm2(b) * vol * vol
		}
	}
	sum := 0.0
	for i := range d.r {
		d.r[i] -= inner[i]
		if d.fixed[i] {
			d.r[i] = 0
		}
		sum += d.r[i] * d.r[i]
	}
	for _, s := range d.s {
		sum += d.weight * d.weight * s * s
	}
	return math.Sqrt(sum), math.Sqrt(load), !math.IsNaN(sum)
}

// tangent fills mat with −∂r… of the first equation for X at fixed pressures
// (it is not symmetric) and factors the symmetric matrix that preconditions it.
func (d *direct) tangent(factor float64) error {
	d.mat.Zero()
	d.pre.Zero()
	ke := make([]directScratch, directChunk)
	for first := 0; first < len(d.law); first += directChunk {
		last := min(first+directChunk, len(d.law))
		par.Chunks(last-first, 8, func(lo, hi int) {
			for e := first + lo; e < first+hi; e++ {
				d.elementTangent(&ke[e-first], e, factor)
			}
		})
		if err := d.ctx.Err(); err != nil {
			return err
		}
		for e := first; e < last; e++ {
			d.scatter(&ke[e-first], e)
		}
	}
	d.pre.Constrain(d.fixed)
	up, down := 0.0, 0.0
	for _, i := range d.mat.Diag {
		v := d.mat.Val[9*i : 9*i+9]
		up += math.Abs(v[0]+v[4]+v[8]) / 3
	}
	for _, g := range d.hx {
		down += r3.Norm(g)
	}
	if d.weight == 0 {
		d.weight = up / float64(len(d.img)) / (down / float64(len(d.hx)))
	}
	return d.factor.Factor(d.ctx, d.pre)
}

// elementTangent writes S = −∂f/∂X at fixed pressure,
//
//	S_ai,bk = Σ w·(A_iJmL·F_mk·g_b,L·g_a,J + (P·g_b)_i·g_a,k − (P·g_a)_i·g_b,k).
func (d *direct) elementTangent(k *directScratch, e int, factor float64) {
	d.gather(k, e)
	k.ke = [30][30]float64{}
	for q := range d.nq {
		d.at(k, e, q)
		d.stress(k, e, q, true)
		w := d.wq[q] * k.det
		// C[3i+J][3k+L] = Σ_m A[3i+J][3m+L]·F_mk
		f := [3][3]float64{{k.f[0].X, k.f[1].X, k.f[2].X}, {k.f[0].Y, k.f[1].Y, k.f[2].Y}, {k.f[0].Z, k.f[1].Z, k.f[2].Z}}
		var c [9][9]float64
		for p := range 9 {
			for kk := range 3 {
				for l := range 3 {
					c[p][3*kk+l] = k.a[p][l]*f[0][kk] + k.a[p][3+l]*f[1][kk] + k.a[p][6+l]*f[2][kk]
				}
			}
		}
		var pg [10]r3.Vec
		for a := range d.k {
			g := k.g[a]
			pg[a] = r3.Add(r3.Scale(g.X, k.p[0]), r3.Add(r3.Scale(g.Y, k.p[1]), r3.Scale(g.Z, k.p[2])))
		}
		for a := range d.k {
			g := k.g[a]
			ga := [3]float64{g.X, g.Y, g.Z}
			var half [3][9]float64
			for i := range 3 {
				for t := range 9 {
					half[i][t] = w * (g.X*c[3*i][t] + g.Y*c[3*i+1][t] + g.Z*c[3*i+2][t])
				}
			}
			pa := [3]float64{pg[a].X, pg[a].Y, pg[a].Z}
			for b := range d.k {
				h := k.g[b]
				gb := [3]float64{h.X, h.Y, h.Z}
				pb := [3]float64{pg[b].X, pg[b].Y, pg[b].Z}
				for i := range 3 {
					row := &k.ke[3*a+i]
					for kk := range 3 {
						row[3*b+kk] += half[i][3*kk]*h.X + half[i][3*kk+1]*h.Y + half[i][3*kk+2]*h.Z + w*(pb[i]*ga[kk]-pa[i]*gb[kk])
					}
				}
				if d.body != nil {
					at := w * factor * d.shape[q][a]
					for kk := range 3 {
						k.ke[3*a][3*b+kk] += at * d.body[e].X * gb[kk]
						k.ke[3*a+1][3*b+kk] += at * d.body[e].Y * gb[kk]
						k.ke[3*a+2][3*b+kk] += at * d.body[e].Z * gb[kk]
					}
				}
			}
		}
	}
}

// scatter adds the element to both matrices.
func (d *direct) scatter(k *directScratch, e int) {
	nodes, hx := d.conn[e*d.k:(e+1)*d.k], d.hx[e*d.k:(e+1)*d.k]
	for a, v := range nodes {
		ha := [3]float64{hx[a].X, hx[a].Y, hx[a].Z}
		for b, u := range nodes {
			hb := [3]float64{hx[b].X, hx[b].Y, hx[b].Z}
			at := 9 * int(d.mat.Index(v, u))
			for i := range 3 {
				for j := range 3 {
					d.mat.Val[at+3*i+j] += k.ke[3*a+i][3*b+j]
					y := (k.ke[3*a+i][3*b+j] + k.ke[3*b+j][3*a+i]) / 2
					if d.vol[e] != nil {
						y += ha[i] * hb[j] / d.cc[e]
					}
					d.pre.Val[at+3*i+j] += y
				}
			}
		}
	}
}
