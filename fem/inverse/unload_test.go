package inverse

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"halsted/fem"
	"halsted/fem/material"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/spatial/r3"
)

// The acceptance case: outer diameter 55 mm, wall 1.5 mm, mean pressure
// 93 mmHg, wall after Raghavan & Vorp (2000).
const (
	aneurysmOuter    = 27.5                  // mm
	aneurysmInner    = 26.0                  // mm
	aneurysmPressure = 93 * 1.33322387415e-4 // MPa
)

func raghavanVorp(t testing.TB, nu float64) fem.Region {
	law, err := material.NewRaghavanVorp(material.RaghavanVorpAlphaMPa, material.RaghavanVorpBetaMPa, nu)
	if err != nil {
		t.Fatal(err)
	}
	return fem.Region{Label: tissue, Law: law, DensityTPerMM3: 1e-9}
}

func neoHookean(t testing.TB, muMPa, nu float64) fem.Region {
	law, err := material.NewNeoHookean(muMPa, nu)
	if err != nil {
		t.Fatal(err)
	}
	return fem.Region{Label: tissue, Law: law, DensityTPerMM3: 1e-9}
}

// lastU solves and returns the last displacement.
func lastU(t testing.TB, m *fem.Model, s fem.Settings) (u []r3.Vec) {
	t.Helper()
	if _, err := fem.Solve(context.Background(), m, s, func(f *fem.Frame) error { u = f.U; return nil }); err != nil {
		t.Fatal(err)
	}
	return u
}

// reload solves from a reference anew and returns the largest distance of a
// node to its imaged place, mm.
func reload(t testing.TB, m *fem.Model, s fem.Settings, ref *Reference) (d float64) {
	t.Helper()
	fm := *m
	fm.Mesh = ref.Mesh
	for i, u := range lastU(t, &fm, s) {
		d = max(d, r3.Norm(r3.Sub(r3.Add(ref.Mesh.Nodes[i], u), m.Mesh.Nodes[i])))
	}
	return d
}

// unloadedRadius is the stress-free inner radius of an incompressible
// Raghavan–Vorp tube in plane strain with deformed radii a and b under the
// inner pressure p: the root A of
//
//	p = ∫_a^b 2Ψ'(I1)·(λ² − λ⁻²) dr/r,  λ = r/R,  R² = A² + r² − a²,
//
// by bisection.
func unloadedRadius(a, b, p float64) float64 {
	missing := func(inner float64) float64 {
		f := func(r float64) float64 {
			l2 := r * r / (inner*inner + r*r - a*a)
			i1 := l2 + 1/l2 + 1
			return 2 * (material.RaghavanVorpAlphaMPa + 2*material.RaghavanVorpBetaMPa*(i1-3)) * (l2 - 1/l2) / r
		}
		return quad.Fixed(f, a, b, 12, quad.Legendre{}, 0) - p
	}
	lo, hi := 0.7*a, a
	for range 60 {
		if mid := (lo + hi) / 2; missing(mid) > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

func TestZeroPressureTube(t *testing.T) {
	ctx := context.Background()
	m, _ := tubeModel(1, 12, aneurysmInner, aneurysmOuter, 2, aneurysmPressure, raghavanVorp(t, 0.49))
	s := fem.Settings{Steps: 2}
	ref, rep, err := Unload(ctx, m, s, Options{FixedPoint: true})
	if err != nil {
		t.Fatal(err)
	}
	_, plain, err := Unload(ctx, m, s, Options{Window: -1})
	t.Logf("%d forward solves, plain fixed point %d (%v)", rep.ForwardSolves, plain.ForwardSolves, err)
	if d := reload(t, m, fem.Settings{Steps: 3, ResidualTol: 1e-10}, ref); !(d <= 1e-3) || math.Abs(d-rep.MaxMM) > 1e-5 {
		t.Errorf("reinflated %g mm away from the image, the report says %g", d, rep.MaxMM)
	}
	if rep.ForwardSolves > 5 || rep.ForwardSolves >= plain.ForwardSolves || rep.LoadFactor != 1 {
		t.Errorf("%d forward solves, %d without acceleration", rep.ForwardSolves, plain.ForwardSolves)
	}
	if len(rep.History) > rep.ForwardSolves || !rep.History[len(rep.History)-1].Kept || rep.History[0].MaxMM < 1 {
		t.Errorf("history %+v", rep.History)
	}
	// A thousandth of the tolerance.
	if _, rep, err = Unload(ctx, m, fem.Settings{Steps: 2, ResidualTol: 1e-10}, Options{TolMM: 1e-6, FixedPoint: true}); err != nil || rep.ForwardSolves > 25 {
		t.Errorf("to 1e-6 mm: %d forward solves, %v", rep.ForwardSolves, err)
	}
}

// The stress-free radius against the closed form, nearly incompressible.
func TestZeroPressureTubeClosedForm(t *testing.T) {
	m, par := tubeModel(2, 24, aneurysmInner, aneurysmOuter, 2, aneurysmPressure, raghavanVorp(t, 0.4999))
	s := fem.Settings{Formulation: fem.MeanDilatation, Steps: 2}
	ref, rep, err := Unload(context.Background(), m, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := unloadedRadius(aneurysmInner, aneurysmOuter, aneurysmPressure)
	t.Logf("%d forward solves; inner radius %.4f mm in closed form", rep.ForwardSolves, want)
	for i, p := range par {
		x := ref.Mesh.Nodes[i]
		if got := math.Hypot(x.X, x.Y); p.X == aneurysmInner && math.Abs(got-want) > 2e-3 {
			t.Fatalf("stress-free inner radius %.4f mm at θ = %.2f, closed form %.4f", got, p.Y, want)
		}
	}
	if d := reload(t, m, fem.Settings{Formulation: fem.MeanDilatation, Steps: 4, ResidualTol: 1e-9}, ref); d > 1e-3 || rep.ForwardSolves > 5 {
		t.Errorf("reinflated %g mm away from the image after %d forward solves", d, rep.ForwardSolves)
	}
}

// hanging is a block held at its top, under gravity downwards (−z), 20 × 20 ×
// 60 mm with edges of 10 mm.
func hanging(t testing.TB, muMPa, nu float64) *fem.Model {
	m := brick(2, 2, 6, 20, 20, 60).Quadratic()
	mo := &fem.Model{Mesh: m, Regions: []fem.Region{neoHookean(t, muMPa, nu)}, GravityChange: r3.Vec{X: 1000, Z: -9806.65}}
	for axis := range int8(3) {
		mo.Prescribed = append(mo.Prescribed, hold(len(m.Nodes), axis, func(i int) bool { return m.Nodes[i].Z == 60 })...)
	}
	return mo
}

// A known body is hung up; its hanging shape is the image; unloading must give
// the body back, node by node.
func TestGravityFreeBlock(t *testing.T) {
	for _, c := range []struct {
		name      string
		muMPa, nu float64
		form      fem.Formulation
	}{
		{"compressible", 0.002, 0.3, fem.Displacement},
		{"nearly incompressible", 0.002, 0.4999, fem.MeanDilatation},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fem.Settings{Formulation: c.form, Steps: 2}
			truth := hanging(t, c.muMPa, c.nu)
			u := lastU(t, truth, fem.Settings{Formulation: c.form, Steps: 2, ResidualTol: 1e-9})
			me := *truth.Mesh
			me.Nodes = nil
			var far float64
			for i, x := range truth.Mesh.Nodes {
				me.Nodes = append(me.Nodes, r3.Add(x, u[i]))
				far = max(far, r3.Norm(u[i]))
			}
			imaged := *truth
			imaged.Mesh = &me
			ref, rep, err := Unload(context.Background(), &imaged, s, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var d float64
			for i, x := range ref.Mesh.Nodes {
				d = max(d, r3.Norm(r3.Sub(x, truth.Mesh.Nodes[i])))
			}
			t.Logf("moved %.2f mm; back to %.2g mm in %d forward solves", far, d, rep.ForwardSolves)
			if far < 5 || d > 5e-3 {
				t.Errorf("the body moved %.3g mm and came back to %.3g mm", far, d)
			}
		})
	}
}

// A cantilever that sags by more than its length turns by a right angle; the
// original iteration fails there.
func TestGravityFreeCantilever(t *testing.T) {
	truth := build(t, cantilever(brick(8, 1, 1, 80, 10, 10).Quadratic(), g0), 0.02)
	s := fem.Settings{Steps: 10, ResidualTol: 1e-9}
	me := *truth.Mesh
	me.Nodes = nil
	var far float64
	for i, u := range lastU(t, truth, s) {
		me.Nodes = append(me.Nodes, r3.Add(truth.Mesh.Nodes[i], u))
		far = max(far, r3.Norm(u))
	}
	imaged := *truth
	imaged.Mesh = &me
	ref, rep, err := Unload(context.Background(), &imaged, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var d float64
	for i, x := range ref.Mesh.Nodes {
		d = max(d, r3.Norm(r3.Sub(x, truth.Mesh.Nodes[i])))
	}
	_, original, err := Unload(context.Background(), &imaged, s, Options{NoRotation: true, Window: -1, MaxForward: 2 * rep.ForwardSolves})
	t.Logf("moved %.1f mm; back to %.2g mm in %d forward solves; original: %v", far, d, rep.ForwardSolves, err)
	if far < 80 || d > 0.01 || rep.ForwardSolves > 25 {
		t.Errorf("the beam moved %.3g mm and came back to %.3g mm in %d forward solves", far, d, rep.ForwardSolves)
	}
	if err == nil {
		t.Errorf("the original iteration came through in %d forward solves", original.ForwardSolves)
	}
}

func TestRotation(t *testing.T) {
	for _, angle := range []float64{0, 0.3, 2, 3.1} {
		c, s := math.Cos(angle), math.Sin(angle)
		r := material.Mat3{{X: c, Y: s}, {X: -s, Y: c}, {Z: 1}}
		u := material.Mat3{{X: 1.5, Y: 0.2, Z: 0.1}, {X: 0.2, Y: 0.7, Z: -0.1}, {X: 0.1, Y: -0.1, Z: 1.1}}
		got := rotation(product(&r, &u))
		for k := range r {
			if d := r3.Norm(r3.Sub(got[k], r[k])); d > 1e-13 {
				t.Errorf("angle %g, column %d off by %g", angle, k, d)
			}
		}
	}
	if got := rotation(material.Mat3{{X: 1}, {Y: 1}, {Z: -1}}); got != material.Identity {
		t.Errorf("a mirror image gives %v", got)
	}
}

// Prescribed motion: a node that was pushed by v to where the image shows it
// comes from its place less v.
func TestUnloadPrescribed(t *testing.T) {
	m := brick(2, 1, 1, 20, 10, 10).Quadratic()
	mo := &fem.Model{Mesh: m, Regions: []fem.Region{neoHookean(t, 0.01, 0.3)}}
	for axis := range int8(3) {
		mo.Prescribed = append(mo.Prescribed, hold(len(m.Nodes), axis, func(i int) bool { return m.Nodes[i].X == 0 })...)
	}
	for _, p := range hold(len(m.Nodes), 0, func(i int) bool { return m.Nodes[i].X == 20 }) {
		p.ValueMM = 3
		mo.Prescribed = append(mo.Prescribed, p)
	}
	ref, _, err := Unload(context.Background(), mo, fem.Settings{Steps: 1}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := reload(t, mo, fem.Settings{Steps: 1, ResidualTol: 1e-9}, ref); d > 1e-3 {
		t.Errorf("%g mm off", d)
	}
	for i, x := range m.Nodes {
		if x.X == 20 && math.Abs(ref.Mesh.Nodes[i].X-17) > 1e-9 {
			t.Errorf("node %d stands at %v", i, ref.Mesh.Nodes[i])
		}
	}
}

// The forward solve on the imaged shape fails at full load (a wrapped solver
// refuses what moves far), so the loads come off in parts.
func TestUnloadInParts(t *testing.T) {
	m := hanging(t, 0.0015, 0.3)
	m.GravityChange.X = 0
	s := fem.Settings{Steps: 2}
	whole, rep, err := Unload(context.Background(), m, s, Options{FixedPoint: true})
	if err != nil {
		t.Fatal(err)
	}
	far := func(u []r3.Vec) (d float64) {
		for _, v := range u {
			d = max(d, r3.Norm(v))
		}
		return d
	}
	first, last := rep.History[0].MaxMM, far(whole.U)
	t.Logf("the imaged shape moves %.3f mm, the stress-free one %.3f mm", first, last)
	limit := (first + last) / 2
	fussy := func(ctx context.Context, fm *fem.Model, s fem.Settings, emit func(*fem.Frame) error) (fem.Result, error) {
		var moved float64
		res, err := fem.Solve(ctx, fm, s, func(f *fem.Frame) error { moved = far(f.U); return emit(f) })
		if err == nil && moved > limit {
			err = &fem.NotConvergedError{LoadFactor: 0.7, Reason: "the test refuses"}
		}
		return res, err
	}
	ref, rep, err := Unload(context.Background(), m, s, Options{Solve: fussy, FixedPoint: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d forward solves", rep.ForwardSolves)
	if rep.History[0].Failure == "" || rep.History[1].LoadFactor != 0.5 || rep.LoadFactor != 1 {
		t.Errorf("the first solves were %+v, %+v", rep.History[0], rep.History[1])
	}
	if d := reload(t, m, fem.Settings{Steps: 2, ResidualTol: 1e-9}, ref); d > 1e-3 {
		t.Errorf("%g mm off", d)
	}
	always := func(context.Context, *fem.Model, fem.Settings, func(*fem.Frame) error) (fem.Result, error) {
		return fem.Result{}, &fem.NotConvergedError{Reason: "the test refuses"}
	}
	_, rep, err = Unload(context.Background(), m, fem.Settings{}, Options{Solve: always, FixedPoint: true})
	nc, ok := errors.AsType[*NotConvergedError](err)
	if !ok || nc.LoadFactor != 0 || nc.Node != -1 || rep.ForwardSolves != 6 {
		t.Errorf("%d solves, error %v", rep.ForwardSolves, err)
	}
	if _, ok := errors.AsType[*fem.NotConvergedError](err); !ok {
		t.Errorf("%v does not wrap the solver's error", err)
	}
}

// Whatever the load, an unload ends with a shape or with a typed reason, after a
// bounded number of tries.
func TestUnloadEnds(t *testing.T) {
	ended := map[bool]int{}
	for i := range 4 {
		m := build(t, cantilever(brick(3, 1, 1, 30, 10, 10).Quadratic(), g0*math.Pow(3, float64(i))), 0.01)
		o := Options{MaxForward: 20}
		ref, rep, err := Unload(context.Background(), m, fem.Settings{Steps: 3}, o)
		nc, ok := errors.AsType[*NotConvergedError](err)
		if err != nil && !ok {
			t.Errorf("gravity times %g: %v", math.Pow(3, float64(i)), err)
		}
		if ok && (nc.Reason == "" || nc.Node >= 0 && !finite(nc.DistanceMM)) {
			t.Errorf("gravity times %g: %+v", math.Pow(3, float64(i)), nc)
		}
		if err == nil && (rep.MaxMM > 1e-3 || reload(t, m, fem.Settings{Steps: 6, ResidualTol: 1e-9}, ref) > 1e-3) {
			t.Errorf("gravity times %g: %g mm off", math.Pow(3, float64(i)), rep.MaxMM)
		}
		if len(rep.History) > 200 {
			t.Errorf("gravity times %g: %d tries", math.Pow(3, float64(i)), len(rep.History))
		}
		t.Logf("gravity times %g: %d solves, %d tries, load factor %g, %v", math.Pow(3, float64(i)), rep.ForwardSolves, len(rep.History), rep.LoadFactor, err)
		ended[err == nil]++
	}
	if ended[true] < 1 || ended[false] < 1 {
		t.Errorf("%d shapes, %d refusals", ended[true], ended[false])
	}
}

func TestUnloadErrors(t *testing.T) {
	ctx := context.Background()
	m := hanging(t, 0.002, 0.3)
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{TolMM: -1}, "TolMM"}, {Options{TolMM: math.NaN()}, "TolMM"},
		{Options{MaxForward: -1}, "MaxForward"}, {Options{Window: -2}, "Window"},
	} {
		_, _, err := Unload(ctx, m, fem.Settings{}, c.o)
		if e, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(e.Field, c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	if _, _, err := Unload(ctx, &fem.Model{}, fem.Settings{}, Options{}); err == nil {
		t.Error("a model without mesh passed")
	}
	free := *m
	free.Prescribed = nil
	_, _, err := Unload(ctx, &free, fem.Settings{}, Options{})
	if _, ok := errors.AsType[*fem.UnconstrainedError](err); !ok {
		t.Errorf("a free body: %v", err)
	}
	for _, limit := range []int64{1000, 200_000} { // too little for the vectors; for the solver
		_, _, err = Unload(ctx, m, fem.Settings{MemoryLimit: limit}, Options{})
		if _, ok := errors.AsType[*fem.MemoryError](err); !ok {
			t.Errorf("with %d bytes: %v", limit, err)
		}
	}
	ref, rep, err := Unload(ctx, m, fem.Settings{Steps: 1}, Options{MaxForward: 2, FixedPoint: true})
	nc, ok := errors.AsType[*NotConvergedError](err)
	if !ok || ref == nil || nc.ForwardSolves != 2 || !(nc.DistanceMM > 1e-3) || nc.DistanceMM != rep.MaxMM || nc.AtMM != m.Mesh.Nodes[nc.Node] {
		t.Errorf("out of forward solves: %v", err)
	}
	done, cancel := context.WithCancel(ctx)
	count := 0
	_, _, err = Unload(done, m, fem.Settings{Steps: 1}, Options{FixedPoint: true, Progress: func(Iteration) {
		if count++; count == 2 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || count != 2 {
		t.Errorf("cancelled after %d solves: %v", count, err)
	}
	soon, cancel2 := context.WithTimeout(ctx, time.Nanosecond)
	defer cancel2()
	if _, _, err = Unload(soon, m, fem.Settings{}, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestUnloadSameBits(t *testing.T) {
	var first *Reference
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		ref, _, err := Unload(context.Background(), hanging(t, 0.004, 0.3), fem.Settings{Steps: 1}, Options{})
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = ref
		}
		for i, x := range ref.Mesh.Nodes {
			if x != first.Mesh.Nodes[i] {
				t.Fatalf("GOMAXPROCS %d: node %d at %v, else %v", procs, i, x, first.Mesh.Nodes[i])
			}
		}
	}
}
