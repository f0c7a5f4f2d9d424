package fem

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// A cube of 10 mm, μ = 1 kPa, pulled 2 mm along x with sliding sides. For an
// incompressible cube the force is μ·A·(λ − 1/λ²): 0.0274 N and 0.0506 N.
func ExampleSolve() {
	m := brickMesh(2, 2, 2, 10, 10, 10).Quadratic()
	law, err := material.NewNeoHookean(1e-3, 0.49)
	if err != nil {
		fmt.Println(err)
		return
	}
	model := &Model{Mesh: m, Regions: []Region{{Label: liver, Law: law}}}
	for i, p := range m.Nodes {
		for axis, v := range []float64{p.X, p.Y, p.Z} {
			if v == 0 { // symmetry planes
				model.Prescribed = append(model.Prescribed, Prescribed{Node: int32(i), Axis: int8(axis)})
			}
		}
		if p.X == 10 {
			model.Prescribed = append(model.Prescribed, Prescribed{Node: int32(i), Axis: 0, ValueMM: 2})
		}
	}
	_, err = Solve(context.Background(), model, Settings{Steps: 2}, func(f *Frame) error {
		var pull float64
		for i, p := range m.Nodes {
			if p.X == 10 {
				pull += f.ReactionN[i].X
			}
		}
		fmt.Printf("step %d: %.4f N, von Mises %.2f kPa\n", f.Step, pull, 1000*f.VonMisesMPa[0])
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// step 0: 0.0000 N, von Mises 0.00 kPa
	// step 1: 0.0272 N, von Mises 0.30 kPa
	// step 2: 0.0501 N, von Mises 0.60 kPa
}

// block is a 20 mm cube, sound in every way, for tests to spoil.
func block(quadratic bool) *Model {
	m := brickMesh(2, 2, 2, 20, 20, 20)
	if quadratic {
		m = m.Quadratic()
	}
	return &Model{Mesh: m, Regions: one(must(material.NewNeoHookean(1e-3, 0.45))),
		Prescribed: prescribe(m, func(p r3.Vec) bool { return p.Z == 0 }, still)}
}

func TestNoLoadNoMotion(t *testing.T) {
	for _, quadratic := range []bool{false, true} {
		frames := 0
		r, err := Solve(context.Background(), block(quadratic), Settings{}, func(f *Frame) error {
			if f.Step != frames {
				t.Errorf("frame %d has step %d", frames, f.Step)
			}
			frames++
			for v, u := range f.U {
				if r3.Norm(u) > 1e-6 || f.VonMisesMPa[v] != 0 {
					t.Fatalf("node %d moves by %v mm without a load", v, u)
				}
			}
			return nil
		})
		if err != nil || frames != 6 || r.Status != StatusConverged {
			t.Errorf("%d frames, %+v, %v", frames, r, err)
		}
	}
}

func TestGravityPressureAndTractionBalanceTheReaction(t *testing.T) {
	for _, quadratic := range []bool{false, true} {
		m := block(quadratic)
		m.GravityChange = r3.Vec{X: 9810, Z: -4000}
		for _, f := range facesOf(m.Mesh, func(p r3.Vec) bool { return p.Z == 20 }) {
			f[0], f[1] = f[1], f[0] // the order of a face's nodes must not matter
			m.Loads = append(m.Loads, FaceLoad{Face: f, TractionMPa: r3.Vec{Y: 2e-5}, PressureMPa: 3e-5})
		}
		f, _ := solve(t, m, Settings{ResidualTol: 1e-9})
		var sum r3.Vec
		for _, r := range f.ReactionN {
			sum = r3.Add(sum, r)
		}
		weight := 1.06e-9 * 20 * 20 * 20
		want := r3.Vec{X: -weight * 9810, Y: -2e-5 * 400, Z: weight*4000 + 3e-5*400}
		if d := r3.Norm(r3.Sub(sum, want)); d > 1e-8*r3.Norm(want) {
			t.Errorf("%s: reaction %v N, want %v", isTet10(m.Mesh), sum, want)
		}
		up, side := 0.0, 0.0
		for v, p := range m.Mesh.Nodes {
			if p.Z == 20 {
				up, side = max(up, f.U[v].Z), max(side, f.U[v].Y)
			}
		}
		if !(side > 0) {
			t.Errorf("traction along y moves the top by %g mm", side)
		}
	}
}

func TestBadModelsAreRefusedByName(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*Model)
		field string
	}{
		{"no mesh", func(m *Model) { m.Mesh = nil }, "Mesh"},
		{"no elements", func(m *Model) { m.Mesh = &mesh.TetMesh{} }, "Mesh"},
		{"NaN node", func(m *Model) { m.Mesh.Nodes[3].Y = math.NaN() }, "Mesh.Nodes"},
		{"node out of range", func(m *Model) { m.Mesh.Tets[1][2] = 999 }, "Mesh.Tets"},
		{"mid node out of range", func(m *Model) { m.Mesh.Mid[1][2] = -1 }, "Mesh.Mid"},
		{"regions missing", func(m *Model) { m.Mesh.Region = m.Mesh.Region[1:] }, "Mesh.Region"},
		{"no material", func(m *Model) { m.Mesh.Region[7] = 9 }, "Regions"},
		{"no law", func(m *Model) { m.Regions[0].Law = nil }, "Regions"},
		{"region twice", func(m *Model) { m.Regions = append(m.Regions, m.Regions[0]) }, "Regions"},
		{"negative density", func(m *Model) { m.Regions[0].DensityTPerMM3 = -1 }, "Regions"},
		{"prescribed NaN", func(m *Model) { m.Prescribed[0].ValueMM = math.NaN() }, "Prescribed"},
		{"prescribed nowhere", func(m *Model) { m.Prescribed[0].Node = -1 }, "Prescribed"},
		{"prescribed axis", func(m *Model) { m.Prescribed[0].Axis = 3 }, "Prescribed"},
		{"prescribed twice", func(m *Model) {
			p := m.Prescribed[0]
			p.ValueMM++
			m.Prescribed = append(m.Prescribed, p)
		}, "Prescribed"},
		{"load on no face", func(m *Model) { m.Loads = []FaceLoad{{Face: [3]int32{0, 1, 26}}} }, "Loads"},
		{"load on an inner face", func(m *Model) {
			v := m.Mesh.Tets[0]
			for _, f := range mesh.TetFaces {
				c := [3]int32{v[f[0]], v[f[1]], v[f[2]]}
				m.Loads = append(m.Loads, FaceLoad{Face: c})
			}
		}, "Loads"},
		{"load on a node twice", func(m *Model) { m.Loads = []FaceLoad{{Face: [3]int32{0, 0, 1}}} }, "Loads"},
		{"load on no node", func(m *Model) { m.Loads = []FaceLoad{{Face: [3]int32{0, 1, 9999}}} }, "Loads"},
		{"infinite traction", func(m *Model) { m.Loads = []FaceLoad{{TractionMPa: r3.Vec{X: math.Inf(1)}}} }, "Loads"},
		{"gravity NaN", func(m *Model) { m.GravityChange.X = math.NaN() }, "GravityChange"},
	} {
		m := block(true)
		c.spoil(m)
		called := false
		_, err := Solve(context.Background(), m, Settings{}, func(*Frame) error { called = true; return nil })
		e, ok := errors.AsType[*InputError](err)
		if !ok || e.Field != c.field || called {
			t.Errorf("%s: got %v, want an error about %s before any frame", c.name, err, c.field)
		}
	}
	for _, s := range []Settings{{Steps: -1}, {MaxNewton: -1}, {MaxCutbacks: -2}, {ResidualTol: -1}, {ResidualTol: math.NaN()}, {MemoryLimit: -1}, {Formulation: 9}} {
		_, err := Solve(context.Background(), block(false), s, nil)
		if e, ok := errors.AsType[*InputError](err); !ok || !strings.HasPrefix(e.Field, "Settings.") {
			t.Errorf("%+v: got %v", s, err)
		}
	}
}

func TestInvertedElementIsNamed(t *testing.T) {
	for _, quadratic := range []bool{false, true} {
		m := block(quadratic)
		v := &m.Mesh.Tets[11]
		v[0], v[1] = v[1], v[0]
		_, err := Solve(context.Background(), m, Settings{}, nil)
		e, ok := errors.AsType[*InvertedError](err)
		if !ok || e.Element != 11 || !(e.DetJ < 0) {
			t.Errorf("got %v", err)
		}
	}
	m := block(false)
	t0 := m.Mesh.Tets[5]
	m.Mesh.Nodes[t0[3]] = m.Mesh.Nodes[t0[0]]
	if _, err := Solve(context.Background(), m, Settings{}, nil); !isType[*InvertedError](err) {
		t.Errorf("flat element: %v", err)
	}
}

func isType[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

func TestFreeRigidModesAreNamed(t *testing.T) {
	m := block(true)
	line := func(keep func(p r3.Vec) bool) []Prescribed { return prescribe(m.Mesh, keep, still) }
	for _, c := range []struct {
		name  string
		held  []Prescribed
		modes []string
	}{
		{"nothing", nil, rigidNames[:]},
		{"a point", line(func(p r3.Vec) bool { return p == r3.Vec{X: 10, Y: 10, Z: 10} }), rigidNames[3:]},
		{"a line along x through the centre", line(func(p r3.Vec) bool { return p.Y == 10 && p.Z == 10 }), rigidNames[3:4]},
		{"a plane that may slide", slices.DeleteFunc(line(func(p r3.Vec) bool { return p.Z == 0 }), func(p Prescribed) bool { return p.Axis != 2 }),
			[]string{"translation along x", "translation along y", "rotation about z"}},
	} {
		m.Prescribed = c.held
		_, err := Solve(context.Background(), m, Settings{}, nil)
		e, ok := errors.AsType[*UnconstrainedError](err)
		if !ok {
			t.Errorf("%s held: %v", c.name, err)
			continue
		}
		slices.Sort(e.Modes)
		want := slices.Sorted(slices.Values(c.modes))
		if !slices.Equal(e.Modes, want) {
			t.Errorf("%s held: free %v, want %v", c.name, e.Modes, want)
		}
	}
	// A second, loose body.
	two := block(false)
	n := int32(len(two.Mesh.Nodes))
	for _, p := range two.Mesh.Nodes[:n] {
		two.Mesh.Nodes = append(two.Mesh.Nodes, r3.Add(p, r3.Vec{X: 100}))
	}
	for _, v := range two.Mesh.Tets {
		two.Mesh.Tets = append(two.Mesh.Tets, [4]int32{v[0] + n, v[1] + n, v[2] + n, v[3] + n})
		two.Mesh.Region = append(two.Mesh.Region, liver)
	}
	_, err := Solve(context.Background(), two, Settings{}, nil)
	if e, ok := errors.AsType[*UnconstrainedError](err); !ok || len(e.Modes) != 6 || e.AtMM.X < 100 {
		t.Errorf("loose second body: %v", err)
	}
}

// Squeezing a cube to nothing cannot converge: a typed error with a place.
func TestHopelessLoadEndsTyped(t *testing.T) {
	m := block(true)
	m.Prescribed = append(m.Prescribed, prescribe(m.Mesh, func(p r3.Vec) bool { return p.Z == 20 }, func(r3.Vec) r3.Vec { return r3.Vec{Z: -21} })...)
	last := 0.0
	r, err := Solve(context.Background(), m, Settings{}, func(f *Frame) error { last = f.TimeS; return nil })
	e, ok := errors.AsType[*NotConvergedError](err)
	if !ok || r.Status != StatusNotConverged || e.LoadFactor < last || e.LoadFactor >= 20./21 || e.Reason == "" || int(e.Element) >= len(m.Mesh.Tets) {
		t.Fatalf("%+v, %v", r, err)
	}
	if c := e.AtMM; !(c.X > 0 && c.X < 20 && c.Z > 0 && c.Z < 20) {
		t.Errorf("the place %v is not in the body", c)
	}
}

func TestMemoryLimit(t *testing.T) {
	_, err := Solve(context.Background(), block(true), Settings{MemoryLimit: 1 << 16}, nil)
	if e, ok := errors.AsType[*MemoryError](err); !ok || e.NeedBytes <= e.LimitBytes {
		t.Errorf("got %v", err)
	}
}

func TestCancelAndEmitErrorEndTheSolve(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	frames := 0
	var at time.Time
	r, err := Solve(ctx, pull(7, 0.49), Settings{Progress: func(done float64) {
		if done > 0.3 && at.IsZero() {
			at = time.Now()
			cancel()
		}
	}}, func(*Frame) error { frames++; return nil })
	if !errors.Is(err, context.Canceled) || r.Status != StatusCancelled || frames > 4 {
		t.Errorf("%v, status %v after %d frames", err, r.Status, frames)
	}
	t.Logf("returned %v after cancel", time.Since(at))
	stop := errors.New("stop")
	r, err = Solve(context.Background(), block(false), Settings{}, func(*Frame) error { return stop })
	if !errors.Is(err, stop) || r.Status == StatusConverged {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestProgressRisesToOne(t *testing.T) {
	var seen []float64
	m := block(true)
	m.GravityChange = r3.Vec{X: 9810}
	solve(t, m, Settings{Progress: func(d float64) { seen = append(seen, d) }})
	if !slices.IsSorted(seen) || len(seen) < 5 || seen[len(seen)-1] != 1 {
		t.Errorf("progress %v", seen)
	}
}

// Twice the steps, half as many and a cut-back path end in the same state.
func TestResultDoesNotDependOnTheSteps(t *testing.T) {
	m := block(true)
	m.Prescribed = append(m.Prescribed, prescribe(m.Mesh, func(p r3.Vec) bool { return p.Z == 20 },
		func(p r3.Vec) r3.Vec { return r3.Vec{X: 14, Z: 9 - 0.5*p.X} })...)
	a, ra := solve(t, m, Settings{Steps: 1, ResidualTol: 1e-9})
	b, _ := solve(t, m, Settings{Steps: 8, ResidualTol: 1e-9})
	for v := range a.U {
		if d := r3.Norm(r3.Sub(a.U[v], b.U[v])); d > 1e-5 {
			t.Fatalf("node %d: %g mm apart; %+v", v, d, ra)
		}
	}
}
