package fem

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// gripped is a liver-like block of 160×120×100 mm with a stiff ball, held on a
// patch of its back, with a patch of its front moved by 30 mm (load false) or
// under a traction. The patches end at corners of the mesh for n = 5, 10.
func gripped(n int, nu float64, load bool) *Model {
	mod := pull(n, nu)
	q := mod.Mesh
	front := func(p r3.Vec) bool {
		return p.X > 159.9 && p.Y < 60.1 && p.Y > 19.9 && p.Z > 19.9 && p.Z < 80.1
	}
	mod.Prescribed = prescribe(q, func(p r3.Vec) bool { return p.X == 0 && p.Y > 19.9 && p.Z < 60.1 }, still)
	if !load {
		mod.Prescribed = append(mod.Prescribed, prescribe(q, front, func(r3.Vec) r3.Vec { return r3.Vec{X: 18, Z: 24} })...)
		return mod
	}
	for _, f := range facesOf(q, front) {
		mod.Loads = append(mod.Loads, FaceLoad{Face: f, TractionMPa: r3.Vec{X: 1e-4, Z: 2e-4}})
	}
	return mod
}

// Against Solve on Tet10, neo-Hookean law, on a mesh of 20 mm (7k degrees of
// freedom): the tip under load, and the field of a prescribed retraction of 30 mm
// in the mean square, within 10 %. (At ν = 0.4999 within 12 %: there Solve with
// the mean dilatation is itself 10 % softer than the displacement form at 0.49.)
func TestCoarseAgainstSolve(t *testing.T) {
	for _, nu := range []float64{0.45, 0.49, 0.4999} {
		for _, load := range []bool{true, false} {
			if load == (nu == 0.49) {
				continue // four of the six will do
			}
			m, form, tol := gripped(5, nu, load), Displacement, 0.1
			if nu > 0.49 {
				form, tol = MeanDilatation, 0.12
			}
			want, _ := solve(t, m, Settings{Steps: 2, ResidualTol: 1e-4, Formulation: form})
			got, r := solveCoarse(t, m, Settings{})
			var e, n, tip float64
			at := 0
			for v := range want.U {
				e += r3.Norm2(r3.Sub(got.U[v], want.U[v]))
				n += r3.Norm2(want.U[v])
				if s := r3.Norm(want.U[v]); s > tip {
					tip, at = s, v
				}
			}
			off, rms := r3.Norm(got.U[at])/tip-1, math.Sqrt(e/n)
			t.Logf("ν = %v, load %v: tip %.2f mm, off by %.2f %%, displacements by %.2f %% in the mean square, %d iterations", nu, load, tip, 100*off, 100*rms, r.Newton)
			if math.Abs(off) > tol || rms > tol {
				t.Errorf("ν = %v, load %v: tip off by %.3f, displacements by %.3f", nu, load, off, rms)
			}
		}
	}
}

// In small strain the coarse answer goes to Hooke's with the mesh: a clamped
// block sheared at its end, Tet10 linear law as the reference.
func TestCoarseConvergesToHooke(t *testing.T) {
	law := must(material.NewLinear(0.01, 0.45))
	end := func(n int, solve func(*Model) *Frame) float64 {
		m := brickMesh(3*n, n, n, 60, 20, 20).Quadratic()
		mod := &Model{Mesh: m, Regions: one(law), Prescribed: prescribe(m, func(p r3.Vec) bool { return p.X == 0 }, still)}
		for _, f := range facesOf(m, func(p r3.Vec) bool { return p.X == 60 }) {
			mod.Loads = append(mod.Loads, FaceLoad{Face: f, TractionMPa: r3.Vec{Z: 1e-8}})
		}
		f := solve(mod)
		for v, p := range m.Nodes {
			if p == (r3.Vec{X: 60, Y: 0, Z: 0}) {
				return f.U[v].Z
			}
		}
		return math.NaN()
	}
	want := end(5, func(m *Model) *Frame { f, _ := solve(t, m, Settings{Steps: 1}); return f })
	var first, last float64
	for i, n := range []int{2, 4, 6} {
		got := end(n, func(m *Model) *Frame { f, _ := solveCoarse(t, m, Settings{ResidualTol: 1e-6}); return f })
		off := math.Abs(got/want - 1)
		t.Logf("%d cells across: off by %.2f %%", n, 100*off)
		if i == 0 {
			first = off
		}
		last = off
	}
	if last > 0.02 || last > first/4 {
		t.Errorf("off by %g with 2 cells, %g with 6", first, last)
	}
}

// A prepared model answers a candidate with the bits of a solve of its own,
// also after others, with other supports too.
func TestCoarseReuse(t *testing.T) {
	a := gripped(4, 0.45, true)
	b := *a
	b.Loads, b.GravityChange = nil, r3.Vec{Z: -500}
	p := gripped(4, 0.45, false)
	p.Mesh, p.Regions = a.Mesh, a.Regions
	c := must(NewCoarse(context.Background(), a, Settings{}))
	for i, m := range []*Model{&b, a, p, &b, a} {
		want, _ := solveCoarse(t, m, Settings{Steps: 2})
		var got *Frame
		if _, err := c.Solve(context.Background(), m, Settings{Steps: 2}, func(f *Frame) error { got = f; return nil }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.U, want.U) || !slices.Equal(got.VonMisesMPa, want.VonMisesMPa) || got.ErrorRel != want.ErrorRel {
			t.Errorf("candidate %d differs from its own solve", i)
		}
	}
	other := pull(3, 0.45)
	if _, err := c.Solve(context.Background(), other, Settings{}, nil); !isType[*InputError](err) {
		t.Errorf("another mesh: %v", err)
	}
	soft := *a
	soft.Regions = one(must(material.NewNeoHookean(1e-3, 0.4)))
	if _, err := c.Solve(context.Background(), &soft, Settings{}, nil); !isType[*InputError](err) {
		t.Errorf("other regions: %v", err)
	}
}

// Stages: a pull, the removal of a region, and the way back to rest.
func TestCoarseStages(t *testing.T) {
	m := brickMesh(4, 4, 2, 40, 40, 20)
	for e, v := range m.Tets {
		if m.Nodes[v[0]].Y+m.Nodes[v[1]].Y+m.Nodes[v[2]].Y+m.Nodes[v[3]].Y > 80 {
			m.Region[e] = 2
		}
	}
	m = m.Quadratic()
	law := must(material.NewNeoHookean(0.003, 0.4))
	mod := &Model{Mesh: m, Regions: []Region{{Label: liver, Law: law}, {Label: 2, Law: law}}}
	mod.Prescribed = prescribe(m, func(p r3.Vec) bool { return p.X == 0 && p.Y <= 20 }, still)
	grip := func(x float64) []Prescribed {
		return prescribe(m, func(p r3.Vec) bool { return p.X == 40 && p.Y <= 20 }, func(r3.Vec) r3.Vec { return r3.Vec{X: x, Z: x / 2} })
	}
	mod.Stages = []Stage{{Prescribed: grip(4)}, {Remove: []imaging.Label{2}}, {Prescribed: grip(0)}}
	var frames []*Frame
	if _, err := SolveCoarse(context.Background(), mod, Settings{ResidualTol: 1e-8}, func(f *Frame) error { frames = append(frames, f); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(frames) != 4 || frames[3].Stage != 2 || frames[3].TimeS != 3 {
		t.Fatalf("%d frames, last %+v", len(frames), frames[len(frames)-1].Stage)
	}
	force := func(f *Frame) (sum float64) {
		for v, p := range m.Nodes {
			if p.X == 40 {
				sum += f.ReactionN[v].X
			}
		}
		return sum
	}
	if !(force(frames[2]) < 0.9*force(frames[1])) {
		t.Errorf("the grip pulls %g N with and %g N without the region", force(frames[1]), force(frames[2]))
	}
	want, _ := solve(t, &Model{Mesh: mod.Mesh, Regions: mod.Regions, Prescribed: mod.Prescribed, Stages: mod.Stages[:2]}, Settings{Steps: 2})
	if a, b := force(frames[2]), force(want); math.Abs(a/b-1) > 0.1 {
		t.Errorf("after the removal the grip pulls %g N, Solve says %g N", a, b)
	}
	for v, p := range m.Nodes {
		if p.Y <= 20 && r3.Norm(frames[3].U[v]) > 1e-5 {
			t.Fatalf("node %d at %v does not come back: %v", v, p, frames[3].U[v])
		}
	}
}

// An elastic bed stands in the coarse mode as in Solve: a block that lies on it
// and is held at one end sags as there.
func TestCoarseOnAnElasticBed(t *testing.T) {
	m := brickMesh(6, 3, 3, 60, 20, 20).Quadratic()
	mod := &Model{Mesh: m, Regions: one(must(material.NewNeoHookean(0.003, 0.45))), GravityChange: r3.Vec{Z: -5000}}
	mod.Prescribed = prescribe(m, func(p r3.Vec) bool { return p.X == 0 }, still)
	mod.Foundations = []Foundation{{Faces: facesOf(m, func(p r3.Vec) bool { return p.Z == 0 && p.X >= 30 }), NormalMPaPerMM: 1e-4, TangentMPaPerMM: 1e-5}}
	end := slices.Index(m.Nodes, r3.Vec{X: 60, Y: 0, Z: 0})
	want, _ := solve(t, mod, Settings{})
	got, _ := solveCoarse(t, mod, Settings{})
	if a, b := got.U[end].Z, want.U[end].Z; math.Abs(a/b-1) > 0.05 {
		t.Errorf("the end sinks by %g mm, Solve says %g mm", a, b)
	} else {
		t.Logf("the end sinks by %.3f mm, Solve says %.3f mm", a, b)
	}
	mid := m.Mid[0][0]
	mod.Springs = []Spring{{Nodes: [2]int32{mid, -1}, AnchorMM: r3.Vec{Z: 60}, StiffnessNPerMM: 0.01}}
	if _, err := SolveCoarse(context.Background(), mod, Settings{}, nil); !isType[*InputError](err) {
		t.Errorf("a spring at a mid-edge node: %v", err)
	}
}

func TestCoarseRefusesWhatItDoesNotHave(t *testing.T) {
	base := func() *Model { m := gripped(5, 0.45, true); return m }
	act := 0.5
	stretch := material.Mat3{{X: 1.1}, {Y: 1}, {Z: 1}}
	for name, change := range map[string]func(m *Model){
		"contact":  func(m *Model) { m.Contacts = make([]Contact, 1) },
		"tie":      func(m *Model) { m.Ties = make([]Tie, 1) },
		"inertia":  func(m *Model) { m.Dynamic = &Dynamic{} },
		"active":   func(m *Model) { m.Stages = []Stage{{Activation: &act}} },
		"residual": func(m *Model) { m.Natural = slices.Repeat([]material.Mat3{stretch}, len(m.Mesh.Tets)) },
		"no mesh":  func(m *Model) { m.Mesh = &mesh.TetMesh{} },
	} {
		m := base()
		change(m)
		if _, err := SolveCoarse(context.Background(), m, Settings{}, nil); !isType[*InputError](err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	free := base()
	free.Prescribed = nil
	if _, err := SolveCoarse(context.Background(), free, Settings{}, nil); !isType[*UnconstrainedError](err) {
		t.Errorf("free body: %v", err)
	}
	if _, err := SolveCoarse(context.Background(), base(), Settings{MemoryLimit: 1 << 10}, nil); !isType[*MemoryError](err) {
		t.Errorf("memory: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := SolveCoarse(ctx, base(), Settings{}, nil); !errors.Is(err, context.Canceled) || r.Status != StatusCancelled {
		t.Errorf("cancelled: %v, %v", r.Status, err)
	}
	stop := errors.New("stop")
	if _, err := SolveCoarse(context.Background(), base(), Settings{}, func(*Frame) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("emit: %v", err)
	}
}

// A load far beyond reason ends in a state or a typed error, never in NaN.
func TestCoarseHopelessLoad(t *testing.T) {
	m := gripped(3, 0.49, true)
	for i := range m.Loads {
		m.Loads[i].TractionMPa = r3.Vec{X: -1, Z: 3}
	}
	_, err := SolveCoarse(context.Background(), m, Settings{MaxCutbacks: 2, MaxNewton: 20}, func(f *Frame) error { return f.finite() })
	if err != nil && !isType[*NotConvergedError](err) {
		t.Error(err)
	}
}

func TestCoarseSameBitsForAnyCoreCount(t *testing.T) {
	m := gripped(4, 0.45, true)
	run := func(procs int) *Frame {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		f, _ := solveCoarse(t, m, Settings{})
		return f
	}
	want := run(1)
	for _, procs := range []int{2, 7} {
		got := run(procs)
		if !slices.Equal(got.U, want.U) || !slices.Equal(got.Stress, want.Stress) || !slices.Equal(got.ErrorMPa, want.ErrorMPa) || !slices.Equal(got.StrainMax, want.StrainMax) {
			t.Errorf("GOMAXPROCS %d differs", procs)
		}
	}
}

// BenchmarkCoarse is the cost of the coarse mode beside BenchmarkPull's kind of
// model: 34k degrees of freedom of Tet10.
func BenchmarkCoarse(b *testing.B) {
	m := pull(9, 0.45)
	c, err := NewCoarse(b.Context(), m, Settings{})
	if err != nil {
		b.Fatal(err)
	}
	for _, run := range []struct {
		name  string
		solve Solver
	}{{"cold", SolveCoarse}, {"prepared", c.Solve}, {"Solve", Solve}} {
		b.Run(run.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := run.solve(b.Context(), m, Settings{}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
