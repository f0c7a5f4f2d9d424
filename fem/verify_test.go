package fem

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"halsted/fem/element"
	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/spatial/r3"
)

// must is for constants of a test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// solve returns the last frame.
func solve(t testing.TB, m *Model, s Settings) (*Frame, Result) {
	t.Helper()
	var last *Frame
	r, err := Solve(context.Background(), m, s, func(f *Frame) error { last = f; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return last, r
}

func one(law material.Law) []Region {
	return []Region{{Label: liver, Law: law, DensityTPerMM3: 1.06e-9}}
}

func isTet10(m *mesh.TetMesh) string {
	if m.Mid != nil {
		return "Tet10"
	}
	return "Tet4"
}

var everywhere = func(r3.Vec) bool { return true }

// onBox says whether a point is on the surface of the unit cube times a.
func onBox(a float64) func(r3.Vec) bool {
	return func(p r3.Vec) bool {
		return p.X == 0 || p.Y == 0 || p.Z == 0 || p.X == a || p.Y == a || p.Z == a
	}
}

// A uniform strain must be found exactly on a distorted mesh: six states of
// 1 % strain, prescribed on the whole surface (Irons & Razzaque 1972; 1e-12 of
// the applied strain).
func TestPatch(t *testing.T) {
	for _, quadratic := range []bool{false, true} {
		m := brickMesh(3, 3, 3, 10, 10, 10)
		shake(m, 10, 10, 10, 0.6, 1)
		if quadratic {
			m = m.Quadratic()
		}
		for state := range 6 {
			i, j := [6]int{0, 1, 2, 0, 1, 0}[state], [6]int{0, 1, 2, 1, 2, 2}[state]
			const e = 0.01
			u := func(p r3.Vec) r3.Vec {
				x, v := [3]float64{p.X, p.Y, p.Z}, [3]float64{}
				v[i] += e / 2 * x[j]
				v[j] += e / 2 * x[i]
				return r3.Vec{X: v[0], Y: v[1], Z: v[2]}
			}
			for _, law := range []material.Law{must(material.NewLinear(0.01, 0.45)), must(material.NewNeoHookean(0.003, 0.45))} {
				f, _ := solve(t, &Model{Mesh: m, Regions: one(law), Prescribed: prescribe(m, onBox(10), u)}, Settings{Steps: 1, ResidualTol: 1e-14})
				var worst float64
				for v, p := range m.Nodes {
					worst = max(worst, r3.Norm(r3.Sub(f.U[v], u(p))))
				}
				if worst > 1e-12*e*10 {
					t.Errorf("%s %T state %d: error %.2e mm of %.2g mm", isTet10(m), law, state, worst, e*10)
				}
				lo, hi := f.VonMisesMPa[0], f.VonMisesMPa[0]
				for _, s := range f.VonMisesMPa {
					lo, hi = min(lo, s), max(hi, s)
				}
				if hi-lo > 1e-11*hi {
					t.Errorf("%s %T state %d: von Mises from %v to %v in a uniform field", isTet10(m), law, state, lo, hi)
				}
			}
		}
	}
}

// A rotation makes no stress: von Mises ≤ 1e-10·E, by any angle.
func TestRigidRotation(t *testing.T) {
	axis := r3.Unit(r3.Vec{X: 1, Y: -2, Z: 0.5})
	for _, quadratic := range []bool{false, true} {
		m := brickMesh(2, 2, 2, 20, 20, 20)
		shake(m, 20, 20, 20, 2, 5)
		if quadratic {
			m = m.Quadratic()
		}
		for _, deg := range []float64{30, 90, 179} {
			rot := r3.NewRotation(deg*math.Pi/180, axis)
			u := func(p r3.Vec) r3.Vec { return r3.Add(r3.Sub(rot.Rotate(p), p), r3.Vec{X: 40, Y: -3, Z: 7}) }
			for _, law := range []material.Law{must(material.NewStVenantKirchhoff(0.01, 0.4)), must(material.NewNeoHookean(0.003, 0.49))} {
				s, err := Settings{}.withDefaults()
				if err != nil {
					t.Fatal(err)
				}
				sys, err := newSystem(&Model{Mesh: m, Regions: one(law), Prescribed: prescribe(m, everywhere, u)}, s)
				if err != nil {
					t.Fatal(err)
				}
				d, f := slices.Clone(sys.barTo), make([]float64, 3*sys.n)
				if bad := sys.internal(f, d); bad.element >= 0 {
					t.Fatalf("element %d inverted by a rotation", bad.element)
				}
				frame := sys.frame(1, d, f)
				if vm := slices.Max(frame.VonMisesMPa); vm > 1e-10*0.01 {
					t.Errorf("%s %T %g°: von Mises %g MPa", isTet10(m), law, deg, vm)
				}
				if e := sys.energy(d); math.Abs(e) > 1e-14*0.01*8000 { // E·volume
					t.Errorf("%s %T %g°: energy %g mJ", isTet10(m), law, deg, e)
				}
			}
		}
	}
	// The whole way: a quarter turn of a block held on one face, in steps.
	m := brickMesh(3, 2, 2, 30, 20, 20).Quadratic()
	rot := r3.NewRotation(math.Pi/3, r3.Vec{X: 1})
	u := func(p r3.Vec) r3.Vec { return r3.Sub(rot.Rotate(p), p) }
	law := must(material.NewNeoHookean(0.003, 0.49))
	f, _ := solve(t, &Model{Mesh: m, Regions: one(law), Prescribed: prescribe(m, func(p r3.Vec) bool { return p.X == 0 }, u)}, Settings{ResidualTol: 1e-10})
	for v, p := range m.Nodes {
		if d := r3.Norm(r3.Sub(f.U[v], u(p))); d > 1e-5 {
			t.Fatalf("node %d is %g mm off the rigid rotation", v, d)
		}
	}
}

// The tangent is the derivative of the internal force, and the force that of
// the energy, at a random state.
func TestTangentAgainstDifferences(t *testing.T) {
	for _, c := range []struct {
		quadratic bool
		form      Formulation
	}{{false, Displacement}, {true, Displacement}, {false, MeanDilatation}, {true, MeanDilatation}} {
		m := brickMesh(1, 1, 1, 10, 10, 10)
		if c.quadratic {
			m = m.Quadratic()
		}
		s := must(Settings{Formulation: c.form}.withDefaults())
		sys := must(newSystem(&Model{Mesh: m, Regions: one(must(material.NewNeoHookean(1, 0.4))), Prescribed: prescribe(m, everywhere, still)}, s))
		u := make([]float64, 3*sys.n)
		for i := range u {
			u[i] = 0.4 * math.Sin(float64(7*i*i+1))
		}
		lin := newLinear(sys)
		pos := sys.positions(lin.m)
		if sys.dil != nil {
			sys.dilatations(u)
			sys.resetPressures()
		}
		sys.tangent(lin.m, pos, u)
		f0, f1, col := make([]float64, len(u)), make([]float64, len(u)), make([]float64, len(u))
		e, scale := make([]float64, len(u)), 0.0
		var worst, force float64
		for i := range u {
			const h = 1e-5 // mm
			x := u[i]
			u[i] = x + h
			sys.internal(f1, u)
			w1 := sys.energy(u)
			u[i] = x - h
			sys.internal(f0, u)
			w0 := sys.energy(u)
			u[i] = x
			e[i] = 1
			lin.m.MulVec(col, e)
			e[i] = 0
			for j := range col {
				worst = max(worst, math.Abs(col[j]-(f1[j]-f0[j])/(2*h)))
				scale = max(scale, math.Abs(col[j]))
			}
			sys.internal(f0, u)
			force = max(force, math.Abs(f0[i]-(w1-w0)/(2*h))/floats.Norm(f0, math.Inf(1)))
		}
		if worst > 1e-8*scale {
			t.Errorf("%s, formulation %d: tangent off by %g of %g", isTet10(m), c.form, worst, scale)
		}
		if force > 1e-7 {
			t.Errorf("%s, formulation %d: force off the energy's derivative by %g", isTet10(m), c.form, force)
		}
	}
}

// Manufactured solution on the unit cube, linear law: u = ε·(sin products),
// body force b = −div σ, u prescribed on the surface. The displacement error in
// L2 falls with h² (Tet4) and h³ (Tet10) (Strang & Fix 1973); slope over four
// meshes within 0.1.
func TestManufacturedRates(t *testing.T) {
	const e, nu, amp = 1.0, 0.3, 1e-3
	law := must(material.NewLinear(e, nu))
	mu := law.ShearMPa()
	lambda := law.BulkMPa() - 2./3*mu
	const k = math.Pi / 2
	// u_x = sin(kx)·cos(ky), u_y = cos(kx)·sin(kz), u_z = sin(ky)·cos(kz), times amp.
	exact := func(p r3.Vec) r3.Vec {
		return r3.Scale(amp, r3.Vec{
			X: math.Sin(k*p.X) * math.Cos(k*p.Y),
			Y: math.Cos(k*p.X) * math.Sin(k*p.Z),
			Z: math.Sin(k*p.Y) * math.Cos(k*p.Z),
		})
	}
	// div σ = (λ+μ)·∇(div u) + μ·Δu, Δu = −2k²·u,
	// div u = k·(cos kx·cos ky − sin ky·sin kz).
	body := func(p r3.Vec) r3.Vec {
		sx, cx := math.Sincos(k * p.X)
		sy, cy := math.Sincos(k * p.Y)
		sz, cz := math.Sincos(k * p.Z)
		grad := r3.Scale(amp*k*k, r3.Vec{X: -sx * cy, Y: -cx*sy - cy*sz, Z: -sy * cz})
		return r3.Scale(-1, r3.Add(r3.Scale(lambda+mu, grad), r3.Scale(-2*k*k*mu, exact(p))))
	}
	for _, c := range []struct {
		quadratic bool
		n         []int
		rate      float64
		last      float64
	}{{false, []int{4, 8, 12, 16}, 2, 4e-6}, {true, []int{2, 4, 6, 8}, 3, 5e-7}} {
		var xs, ys []float64
		for _, n := range c.n {
			m := brickMesh(n, n, n, 1, 1, 1)
			shape := element.Shape(element.Tet4)
			if c.quadratic {
				m, shape = m.Quadratic(), element.Tet10
			}
			mod := &Model{Mesh: m, Regions: one(law), Prescribed: prescribe(m, onBox(1), exact)}
			s := must(Settings{Steps: 1, ResidualTol: 1e-10}.withDefaults())
			sys := must(newSystem(mod, s))
			integrate(sys, shape, func(_ int, p r3.Vec, w float64, shapes []float64, conn []int32) {
				b := body(p)
				for a, v := range conn {
					sys.extTo[3*v] += w * shapes[a] * b.X
					sys.extTo[3*v+1] += w * shapes[a] * b.Y
					sys.extTo[3*v+2] += w * shapes[a] * b.Z
				}
			})
			lin := newLinear(sys)
			lin.m.Zero()
			lin.pos = sys.positions(lin.m)
			nw := newNewton(sys, lin, s)
			var r Result
			if err := nw.run(context.Background(), &r, func(*Frame) error { return nil }); err != nil {
				t.Fatal(err)
			}
			var sum float64
			integrate(sys, shape, func(_ int, p r3.Vec, w float64, shapes []float64, conn []int32) {
				var u r3.Vec
				for a, v := range conn {
					u = r3.Add(u, r3.Scale(shapes[a], r3.Vec{X: nw.u[3*v], Y: nw.u[3*v+1], Z: nw.u[3*v+2]}))
				}
				sum += w * r3.Norm2(r3.Sub(u, exact(p)))
			})
			xs, ys = append(xs, -math.Log(float64(n))), append(ys, math.Log(math.Sqrt(sum)))
		}
		slope := slopeOf(xs, ys)
		last := math.Exp(ys[len(ys)-1])
		t.Logf("%v: rate %.3f, last error %.3g mm", c.n, slope, last)
		if math.Abs(slope-c.rate) > 0.1 || last > c.last {
			t.Errorf("quadratic=%v: rate %.3f, want %g; last error %.3g, want ≤ %g", c.quadratic, slope, c.rate, last, c.last)
		}
	}
}

// integrate visits the points of a degree 5 rule in every (straight) element.
func integrate(s *system, shape element.Shape, f func(e int, p r3.Vec, w float64, n []float64, conn []int32)) {
	rule := element.TetRule(5)
	n, d, g, x := make([]float64, s.k), make([]r3.Vec, s.k), make([]r3.Vec, s.k), make([]r3.Vec, s.k)
	for e := range s.elems {
		c := s.conn[e*s.k : (e+1)*s.k]
		for a, v := range c {
			x[a] = s.x[v]
		}
		for q, rp := range rule.P {
			shape(n, d, rp)
			det := element.Gradients(g, d, x)
			var p r3.Vec
			for a := range c {
				p = r3.Add(p, r3.Scale(n[a], x[a]))
			}
			f(e, p, rule.W[q]*det, n, c)
		}
	}
}

func slopeOf(x, y []float64) float64 {
	mx, my := floats.Sum(x)/float64(len(x)), floats.Sum(y)/float64(len(y))
	var a, b float64
	for i := range x {
		a += (x[i] - mx) * (y[i] - my)
		b += (x[i] - mx) * (x[i] - mx)
	}
	return a / b
}

// octant is an eighth of a hollow sphere a ≤ r ≤ b, nr cells through the wall
// and three patches of nt×nt cells; mid-side nodes are put on their sphere.
func octant(a, b float64, nr, nt int) *mesh.TetMesh {
	cube := brickMesh(nt, nt, nt, 1, 1, 1)
	// The three faces x=1, y=1, z=1 of a cube, projected, times a radius.
	id := map[r3.Vec]int32{}
	var dirs []r3.Vec
	for _, p := range cube.Nodes {
		if p.X == 1 || p.Y == 1 || p.Z == 1 {
			id[p] = int32(len(dirs))
			dirs = append(dirs, r3.Unit(r3.Vec{X: math.Tan(p.X * math.Pi / 4), Y: math.Tan(p.Y * math.Pi / 4), Z: math.Tan(p.Z * math.Pi / 4)}))
		}
	}
	surf, _ := cube.Boundary()
	var tris [][3]int32
	for _, f := range surf.Tris {
		p := [3]r3.Vec{surf.Verts[f[0]], surf.Verts[f[1]], surf.Verts[f[2]]}
		for _, axis := range []func(r3.Vec) float64{func(v r3.Vec) float64 { return v.X }, func(v r3.Vec) float64 { return v.Y }, func(v r3.Vec) float64 { return v.Z }} {
			if axis(p[0]) == 1 && axis(p[1]) == 1 && axis(p[2]) == 1 {
				tris = append(tris, [3]int32{id[p[0]], id[p[1]], id[p[2]]})
			}
		}
	}
	m := &mesh.TetMesh{}
	nd := int32(len(dirs))
	for l := range nr + 1 {
		r := a * math.Pow(b/a, float64(l)/float64(nr))
		for _, d := range dirs {
			m.Nodes = append(m.Nodes, r3.Scale(r, d))
		}
	}
	for l := range int32(nr) {
		for _, f := range tris { // a prism in three, split by the order of the node numbers
			slices.Sort(f[:])
			lo, up := l*nd, (l+1)*nd
			for _, v := range [3][4]int32{
				{f[0] + lo, f[1] + lo, f[2] + lo, f[2] + up},
				{f[0] + lo, f[1] + lo, f[1] + up, f[2] + up},
				{f[0] + lo, f[0] + up, f[1] + up, f[2] + up},
			} {
				if mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) < 0 {
					v[0], v[1] = v[1], v[0]
				}
				m.Tets = append(m.Tets, v)
				m.Region = append(m.Region, liver)
			}
		}
	}
	q := m.Quadratic()
	for t, v := range q.Tets {
		for e, ends := range mesh.TetEdges {
			p, o := q.Nodes[v[ends[0]]], q.Nodes[v[ends[1]]]
			mid := r3.Scale(0.5, r3.Add(p, o))
			q.Nodes[q.Mid[t][e]] = r3.Scale((r3.Norm(p)+r3.Norm(o))/2, r3.Unit(mid))
		}
	}
	return q
}

// Lamé's hollow sphere under inner pressure, linear law (Timoshenko & Goodier,
// Theory of Elasticity, §136): a = 10, b = 15 mm, E = 0.01 MPa, ν = 0.45,
// p = 0.0015 MPa give u(a) = 1.608553 mm, σθ(a) = 0.00169737 MPa. An eighth
// with symmetry conditions; Tet10, 12 cells through the wall, growing
// outwards, 3×8×8 around; the worst node counts.
func TestLameSphere(t *testing.T) {
	const a, b, p = 10.0, 15.0, 0.0015
	m := octant(a, b, 12, 8)
	mod := &Model{Mesh: m, Regions: one(must(material.NewLinear(0.01, 0.45)))}
	for i, x := range m.Nodes {
		for axis, v := range []float64{x.X, x.Y, x.Z} {
			if math.Abs(v) < 1e-12 {
				mod.Prescribed = append(mod.Prescribed, Prescribed{int32(i), int8(axis), 0})
			}
		}
	}
	inner := func(v int32) bool { return math.Abs(r3.Norm(m.Nodes[v])-a) < 1e-9 }
	for _, f := range facesOf(m, func(x r3.Vec) bool { return math.Abs(r3.Norm(x)-a) < 1e-9 }) {
		mod.Loads = append(mod.Loads, FaceLoad{Face: f, PressureMPa: p})
	}
	f, r := solve(t, mod, Settings{Steps: 1, ResidualTol: 1e-10})
	var u, s, n, du, ds float64
	const wantU, wantS = 1.608553, 0.00169737
	for v := range m.Nodes {
		if inner(int32(v)) {
			ur := r3.Dot(f.U[v], m.Nodes[v]) / a
			u, s, n = u+ur, s+f.StressMax[v], n+1
			du, ds = max(du, math.Abs(ur/wantU-1)), max(ds, math.Abs(f.StressMax[v]/wantS-1))
		}
	}
	t.Logf("%d tets, %d DOF, %d Newton: u(a) = %.6f (worst %.3f %%), σθ(a) = %.8f (worst %.2f %%)", len(m.Tets), r.DOF, r.Newton, u/n, 100*du, s/n, 100*ds)
	if du > 1e-3 {
		t.Errorf("u(a) = %.6f, want %.6f; worst node off by %.2g", u/n, wantU, du)
	}
	if ds > 5e-3 {
		t.Errorf("σθ(a) = %.8f, want %.8f; worst node off by %.2g", s/n, wantS, ds)
	}
}

// stretch solves for the side stretch of a compressible neo-Hookean bar under
// uniaxial stretch l by bisection of the lateral stress, and returns the
// Cauchy stress along the bar.
func stretch(law material.Law, l float64) (side, stress float64) {
	var p material.Mat3
	at := func(s float64) float64 {
		law.Stress(&p, &material.Mat3{{X: l}, {Y: s}, {Z: s}})
		return p[1].Y
	}
	lo, hi := 0.5, 1.2
	for range 100 {
		if mid := (lo + hi) / 2; at(mid) > 0 {
			hi = mid
		} else {
			lo = mid
		}
	}
	side = (lo + hi) / 2
	at(side)
	return side, p[0].X / (side * side)
}

// Uniaxial stretch 1.5 of a cube with free sides: the state is homogeneous, so
// the elements must give the law's own answer to 1e-8; and for ν → 0.5 that is
// the incompressible σ = μ(λ² − 1/λ) = 1.583333 MPa (Ogden 1972), which at
// κ/μ = 5e9 is met to 1e-8 by the law alone.
func TestHomogeneousStretch(t *testing.T) {
	if _, s := stretch(must(material.NewNeoHookean(1, 0.4999999999)), 1.5); math.Abs(s-1.5833333333) > 1e-8 {
		t.Errorf("incompressible limit %.10f MPa, want 1.5833333333", s)
	}
	for _, quadratic := range []bool{false, true} {
		m := brickMesh(2, 2, 2, 1, 1, 1)
		shake(m, 1, 1, 1, 0.1, 4)
		if quadratic {
			m = m.Quadratic()
		}
		for _, nu := range []float64{0.3, 0.49, 0.4999} {
			law := must(material.NewNeoHookean(1, nu))
			side, want := stretch(law, 1.5)
			mod := &Model{Mesh: m, Regions: one(law)}
			for i, p := range m.Nodes {
				for axis, v := range []float64{p.X, p.Y, p.Z} {
					if v == 0 {
						mod.Prescribed = append(mod.Prescribed, Prescribed{int32(i), int8(axis), 0})
					}
				}
				if p.X == 1 {
					mod.Prescribed = append(mod.Prescribed, Prescribed{int32(i), 0, 0.5})
				}
			}
			f, _ := solve(t, mod, Settings{ResidualTol: 1e-13})
			for v, p := range m.Nodes {
				if e := math.Abs(f.U[v].Y - (side-1)*p.Y); e > 1e-8 {
					t.Fatalf("%s ν %v: node %d is %g mm off", isTet10(m), nu, v, e)
				}
				if e := math.Abs(f.StressMax[v]/want - 1); e > 1e-8 {
					t.Fatalf("%s ν %v: σ = %.10f, want %.10f", isTet10(m), nu, f.StressMax[v], want)
				}
			}
			var pull float64
			for v, p := range m.Nodes {
				if p.X == 1 {
					pull += f.ReactionN[v].X
				}
			}
			if e := math.Abs(pull/(want*side*side) - 1); e > 1e-8 {
				t.Errorf("%s ν %v: reaction %v N, want %v", isTet10(m), nu, pull, want*side*side)
			}
		}
	}
}

// Simple shear: σ12 = μγ (Ogden 1997, §5.2).
func TestSimpleShear(t *testing.T) {
	const mu, gamma = 0.9e-3, 0.6
	m := brickMesh(2, 2, 2, 10, 10, 10).Quadratic()
	u := func(p r3.Vec) r3.Vec { return r3.Vec{X: gamma * p.Y} }
	law := must(material.NewNeoHookean(mu, 0.49))
	s := must(Settings{}.withDefaults())
	sys := must(newSystem(&Model{Mesh: m, Regions: one(law), Prescribed: prescribe(m, everywhere, u)}, s))
	rec := sys.recover(sys.barTo)
	for v := range rec.stress {
		if e := math.Abs(rec.stress[v][3]/(mu*gamma) - 1); e > 1e-12 {
			t.Fatalf("node %d: σ12 = %g, want %g", v, rec.stress[v][3], mu*gamma)
		}
		if e := math.Abs((rec.stress[v][0]-rec.stress[v][1])/(mu*gamma*gamma) - 1); e > 1e-12 {
			t.Fatalf("node %d: σ11 − σ22 = %g, want %g", v, rec.stress[v][0]-rec.stress[v][1], mu*gamma*gamma)
		}
	}
}

// Equal bits for any number of cores, in every field.
func TestSameBitsForAnyCoreCount(t *testing.T) {
	run := func(procs int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		var all []string
		for _, form := range []Formulation{Displacement, MeanDilatation} {
			_, err := Solve(context.Background(), pull(5, 0.49), Settings{Steps: 2, Formulation: form}, func(f *Frame) error {
				h := uint64(14695981039346656037)
				add := func(v ...float64) {
					for _, x := range v {
						h = (h ^ math.Float64bits(x)) * 1099511628211
					}
				}
				for v := range f.U {
					add(f.U[v].X, f.U[v].Y, f.U[v].Z, f.VonMisesMPa[v], f.StressMax[v], f.StressMin[v], f.StrainMax[v], f.StrainMin[v], f.ReactionN[v].X, f.ReactionN[v].Y, f.ReactionN[v].Z)
				}
				all = append(all, fmt.Sprintf("%x %d %v", h, f.Newton, f.Residual))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return fmt.Sprint(all)
	}
	want := run(1)
	for _, procs := range []int{2, 7} {
		if got := run(procs); got != want {
			t.Errorf("GOMAXPROCS %d: %s\nwant %s", procs, got, want)
		}
	}
}
