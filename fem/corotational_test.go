package fem

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// Two candidates on one prepared model: the same block pulled and pressed.
func ExampleCoarse() {
	m := brickMesh(6, 2, 2, 60, 20, 20).Quadratic()
	law, _ := material.NewNeoHookean(0.003, 0.45) // MPa
	mod := &Model{Mesh: m, Regions: []Region{{Label: liver, Law: law}}}
	mod.Prescribed = prescribe(m, func(p r3.Vec) bool { return p.X == 0 }, still)
	ctx := context.Background()
	c, err := NewCoarse(ctx, mod, Settings{})
	if err != nil {
		panic(err)
	}
	for _, pull := range []float64{2e-4, -2e-4} { // MPa on the far end
		candidate := *mod
		for _, f := range facesOf(m, func(p r3.Vec) bool { return p.X == 60 }) {
			candidate.Loads = append(candidate.Loads, FaceLoad{Face: f, TractionMPa: r3.Vec{X: pull}})
		}
		var end float64
		_, err := c.Solve(ctx, &candidate, Settings{}, func(f *Frame) error {
			for v, p := range m.Nodes {
				if p == (r3.Vec{X: 60, Y: 10, Z: 10}) {
					end = f.U[v].X
				}
			}
			return nil
		})
		if err != nil {
			panic(err)
		}
		fmt.Printf("%+.1f mm\n", end)
	}
	// Output:
	// +1.3 mm
	// -1.3 mm
}

func solveCoarse(t testing.TB, m *Model, s Settings) (*Frame, Result) {
	t.Helper()
	var last *Frame
	r, err := SolveCoarse(context.Background(), m, s, func(f *Frame) error { last = f; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return last, r
}

// kernelOf is the coarse kernel on m.
func kernelOf(m *Model) *corotated {
	c := must(NewCoarse(context.Background(), m, Settings{}))
	return newCorotated(must(c.system(m)), c.d)
}

// The rotation is that of the polar decomposition, from any start, also 180°
// off; for det F < 0 it still maximises tr(RᵀF).
func TestPolarRotation(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	starts := []quaternion{{1}, {0, 1}, {0, 0, 1}, {0, 0, 0, 1}, {0.5, 0.5, -0.5, 0.5}}
	for n := range 2000 {
		var f, r, best material.Mat3
		for c := range f {
			f[c] = r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()}
		}
		if n%5 == 0 { // a pure rotation by 180°
			a := r3.Unit(r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()})
			(&quaternion{0, a.X, a.Y, a.Z}).matrix(&f)
		}
		trace := func(r *material.Mat3) float64 { return r3.Dot(r[0], f[0]) + r3.Dot(r[1], f[1]) + r3.Dot(r[2], f[2]) }
		for k, q := range starts {
			q.polar(&r, &f)
			size := math.Sqrt(f.Norm2())
			s := [3]float64{r3.Dot(r[1], f[0]) - r3.Dot(r[0], f[1]), r3.Dot(r[2], f[1]) - r3.Dot(r[1], f[2]), r3.Dot(r[0], f[2]) - r3.Dot(r[2], f[0])}
			if math.Abs(r.Det()-1) > 1e-12 || (f.Det() > 0.05 && max(math.Abs(s[0]), math.Abs(s[1]), math.Abs(s[2])) > 1e-9*size) {
				t.Fatalf("F = %v from %v: R = %v, skew part %v", f, starts[k], r, s)
			}
			if k == 0 {
				best = r
			} else if f.Det() > 0.05 && math.Abs(trace(&r)-trace(&best)) > 1e-9*size {
				t.Fatalf("F = %v: tr RᵀF = %v from %v, %v from the identity", f, trace(&r), starts[k], trace(&best))
			}
		}
	}
}

// A rigid motion by any angle makes no force, energy or stress.
func TestCoarseRigidRotation(t *testing.T) {
	axis := r3.Unit(r3.Vec{X: 1, Y: -2, Z: 0.5})
	m := brickMesh(2, 2, 2, 20, 20, 20)
	shake(m, 20, 20, 20, 2, 5)
	mod := &Model{Mesh: m.Quadratic(), Regions: one(must(material.NewNeoHookean(0.003, 0.49)))}
	mod.Prescribed = prescribe(mod.Mesh, everywhere, still)
	for _, deg := range []float64{0, 30, 90, 179, 180} {
		k := kernelOf(mod)
		rot := r3.NewRotation(deg*math.Pi/180, axis)
		u, f := make([]float64, 3*k.s.n), make([]float64, 3*k.s.n)
		for v, p := range k.s.x {
			d := r3.Add(r3.Sub(rot.Rotate(p), p), r3.Vec{X: 40, Y: -3, Z: 7})
			u[3*v], u[3*v+1], u[3*v+2] = d.X, d.Y, d.Z
		}
		k.forces(f, u)
		if k.energy > 1e-20 || slices.Max(f) > 1e-12 {
			t.Errorf("%g°: energy %g mJ, force %g N", deg, k.energy, slices.Max(f))
		}
		fr := k.frame(1, u, f, nil)
		if vm := slices.Max(fr.VonMisesMPa); vm > 1e-10*0.01 || fr.ErrorRel != 0 {
			t.Errorf("%g°: von Mises %g MPa, error %g", deg, vm, fr.ErrorRel)
		}
	}
}

// A uniform strain is found exactly on a distorted mesh, with Hooke's stress.
func TestCoarsePatch(t *testing.T) {
	m := brickMesh(3, 3, 3, 10, 10, 10)
	shake(m, 10, 10, 10, 0.6, 1)
	q := m.Quadratic()
	law := must(material.NewLinear(0.01, 0.45))
	const e = 1e-6
	u := func(p r3.Vec) r3.Vec { return r3.Vec{X: e * (p.X + p.Y), Y: e * 0.5 * p.Z, Z: -e * p.Z} }
	f, _ := solveCoarse(t, &Model{Mesh: q, Regions: one(law), Prescribed: prescribe(q, onBox(10), u)}, Settings{ResidualTol: 1e-10})
	mu := law.ShearMPa()
	lambda := law.BulkMPa() - 2./3*mu
	want := [6]float64{2 * mu * e, 0, -2 * mu * e, mu * e, mu * e * 0.5, 0} // tr ε = 0
	_ = lambda
	for v, p := range q.Nodes {
		if d := r3.Norm(r3.Sub(f.U[v], u(p))); d > 1e-9*e*10 {
			t.Fatalf("node %d is %g mm off", v, d)
		}
		for c, w := range want {
			if math.Abs(f.Stress[v][c]-w) > 1e-5*mu*e {
				t.Fatalf("node %d: stress %v, want %v", v, f.Stress[v], want)
			}
		}
	}
}

// The force is the derivative of the energy, far from rest and through an
// inversion, and the stiffness at rest that of the force.
func TestCoarseForceAgainstDifferences(t *testing.T) {
	m := brickMesh(2, 1, 2, 10, 10, 10)
	for e := range m.Region[:6] {
		m.Region[e] = 2
	}
	mod := &Model{Mesh: m, Regions: []Region{{Label: liver, Law: must(material.NewLinear(1, 0.4))}, {Label: 2, Law: must(material.NewLinear(5, 0.2))}}}
	mod.Prescribed = prescribe(m, func(p r3.Vec) bool { return p.Z == 0 }, still)
	k := kernelOf(mod)
	n := 3 * k.s.n
	u, f, g := make([]float64, n), make([]float64, n), make([]float64, n)
	for _, size := range []float64{0.5, 8} { // mm; cells are 5 to 10 mm
		for i := range u {
			u[i] = size * math.Sin(float64(7*i*i+1))
		}
		k.forces(f, u)
		f0 := slices.Clone(f)
		for i := range u {
			const h = 1e-5
			x := u[i]
			u[i] = x + h
			k.forces(f, u)
			w := k.energy
			u[i] = x - h
			k.forces(f, u)
			w -= k.energy
			u[i] = x
			if d := math.Abs(w/(2*h) - f0[i]); d > 1e-6*math.Abs(slices.Max(f0)) {
				t.Errorf("size %g: force %d is %g, the energy's slope %g", size, i, f0[i], w/(2*h))
			}
		}
	}
	// Stiffness at rest, all nodes free of supports.
	clear(u)
	r, patches, err := newRestStiffness(context.Background(), k.s, k.d)
	if err != nil {
		t.Fatal(err)
	}
	r.assemble(patches)
	col, e := make([]float64, 3*r.m.N), make([]float64, 3*r.m.N)
	var worst, scale float64
	for i := range e {
		const h = 1e-6
		d := 3*int(r.nodes[i/3]) + i%3
		u[d] = h
		k.forces(f, u)
		u[d] = -h
		k.forces(g, u)
		u[d] = 0
		e[i] = 1
		r.m.MulVec(col, e)
		e[i] = 0
		for j := range col {
			at := 3*int(r.nodes[j/3]) + j%3
			worst = max(worst, math.Abs(col[j]-(f[at]-g[at])/(2*h)))
			scale = max(scale, math.Abs(col[j]))
		}
	}
	if worst > 1e-6*scale {
		t.Errorf("stiffness at rest off by %g of %g", worst, scale)
	}
}
