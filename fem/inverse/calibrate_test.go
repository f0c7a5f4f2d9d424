package inverse

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// cantilever is a beam held at x = 0 under a gravity along −z, mm/s²; its
// parameters are Young's modulus in MPa and, if given, the density in t/mm³.
func cantilever(me *mesh.TetMesh, gravity float64) func(p []float64) (*fem.Model, error) {
	return func(p []float64) (*fem.Model, error) {
		const nu = 0.4
		law, err := material.NewNeoHookean(p[0]/(2*(1+nu)), nu)
		if err != nil {
			return nil, err
		}
		m := &fem.Model{Mesh: me, Regions: []fem.Region{{Label: tissue, Law: law, DensityTPerMM3: 1e-9}}, GravityChange: r3.Vec{Z: -gravity}}
		if len(p) > 1 {
			m.Regions[0].DensityTPerMM3 = p[1]
		}
		for axis := range int8(3) {
			m.Prescribed = append(m.Prescribed, hold(len(me.Nodes), axis, func(i int) bool { return me.Nodes[i].X == 0 })...)
		}
		return m, nil
	}
}

// movements takes the displacement at points from a solve, without noise.
func movements(t testing.TB, m *fem.Model, at []r3.Vec, sdMM float64) (o Observations) {
	t.Helper()
	u := lastU(t, m, fem.Settings{Steps: 2, ResidualTol: 1e-10})
	e, err := mesh.Embed(at, m.Mesh)
	if err != nil {
		t.Fatal(err)
	}
	moved := make([]r3.Vec, len(at))
	e.Apply(moved, u)
	for i, d := range moved {
		o.Displacements = append(o.Displacements, Displacement{AtMM: at[i], MovedMM: d, SDMM: r3.Vec{X: sdMM, Y: sdMM, Z: sdMM}})
	}
	return o
}

// noisy adds normal noise of the stated standard deviation.
func noisy(o Observations, rng *rand.Rand) Observations {
	o.Displacements = slices.Clone(o.Displacements)
	for i := range o.Displacements {
		d := &o.Displacements[i]
		d.MovedMM = r3.Add(d.MovedMM, r3.Vec{X: d.SDMM.X * rng.NormFloat64(), Y: d.SDMM.Y * rng.NormFloat64(), Z: d.SDMM.Z * rng.NormFloat64()})
	}
	return o
}

var (
	beamPoints = []r3.Vec{{X: 38, Y: 5, Z: 5}, {X: 30, Y: 2, Z: 7}, {X: 20, Y: 8, Z: 3}, {X: 40, Y: 0, Z: 10}}
	quick      = CalibrateOptions{Settings: fem.Settings{Steps: 2}}
	bg         = context.Background()
)

const g0 = 9806.65 // mm/s²

func young(start float64) []Parameter { return []Parameter{{Name: "E", Unit: "MPa", Start: start}} }

func beamMesh() *mesh.TetMesh { return brick(4, 1, 1, 40, 10, 10).Quadratic() }

func build(t testing.TB, b func([]float64) (*fem.Model, error), p ...float64) *fem.Model {
	t.Helper()
	m, err := b(p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCalibrateTwin(t *testing.T) {
	const truth = 0.02
	b := cantilever(beamMesh(), g0)
	clean := movements(t, build(t, b, truth), beamPoints, 0.1)
	fit, err := Calibrate(bg, b, clean, young(0.2), quick)
	if err != nil {
		t.Fatal(err)
	}
	if e := fit.Parameters[0]; math.Abs(e.Value/truth-1) > 1e-5 || fit.NoiseFactor > 1e-3 {
		t.Errorf("without noise: %+v, noise factor %g", e, fit.NoiseFactor)
	}
	obs := noisy(clean, rand.New(rand.NewPCG(1, 1)))
	var wald Estimate
	for _, k := range []Interval{Wald, Profile, Bootstrap} {
		o := quick
		o.Interval, o.Seed, o.Samples = k, 3, 100
		fit, err := Calibrate(bg, b, obs, young(0.03), o)
		if err != nil {
			t.Fatal(err)
		}
		e := fit.Parameters[0]
		t.Logf("%s: %.5g MPa (%.5g to %.5g), noise factor %.2f, %d iterations, %d solves", k, e.Value, e.Low, e.High, fit.NoiseFactor, fit.Iterations, fit.ForwardSolves)
		if !(e.Low < truth && truth < e.High) || fit.DOF != 11 || fit.NoiseFactor < 0.5 || fit.NoiseFactor > 1.6 {
			t.Errorf("%s interval: %+v, noise factor %g", k, e, fit.NoiseFactor)
		}
		if k == Wald {
			wald = e
		}
		if w := math.Log(e.High/e.Low) / math.Log(wald.High/wald.Low); w < 0.7 || w > 1.2 || k == Profile && math.Abs(w-1) > 0.05 {
			t.Errorf("%s interval is %.2f times as wide as Wald's", k, w)
		}
	}
	for _, start := range []float64{1e-4, 0.5, 1e3} {
		far, err := Calibrate(bg, b, obs, young(start), quick)
		if err != nil {
			t.Fatal(err)
		}
		if d := math.Abs(math.Log(far.Parameters[0].Value / wald.Value)); d > 0.01*wald.LogSD {
			t.Errorf("from %g MPa the fit ends %.2g standard deviations away", start, d/wald.LogSD)
		}
	}
}

// The 95 % interval holds the truth in at least 90 of 100 repetitions, and its
// width is that of the scatter.
func TestCalibrateCoverage(t *testing.T) {
	const truth = 0.03
	b := cantilever(brick(3, 1, 1, 30, 10, 10), g0)
	clean := movements(t, build(t, b, truth), []r3.Vec{{X: 30, Y: 3, Z: 4}, {X: 20, Y: 6, Z: 8}}, 0.1)
	for _, known := range []bool{false, true} {
		held, rng := 0, rand.New(rand.NewPCG(2026, 4))
		var sum, sum2, stated float64
		for range 100 {
			o := quick
			o.Settings.Steps, o.NoiseKnown = 1, known
			fit, err := Calibrate(bg, b, noisy(clean, rng), young(0.05), o)
			if err != nil {
				t.Fatal(err)
			}
			e := fit.Parameters[0]
			if e.Low <= truth && truth <= e.High {
				held++
			}
			l := math.Log(e.Value / truth)
			sum, sum2, stated = sum+l, sum2+l*l, stated+e.LogSD*e.LogSD
		}
		scatter := math.Sqrt((sum2 - sum*sum/100) / 99)
		t.Logf("noise known %v: %d of 100 hold the truth; scatter %.3g, stated %.3g, mean %.2g", known, held, scatter, math.Sqrt(stated/100), sum/100)
		if held < 90 || math.Abs(scatter/math.Sqrt(stated/100)-1) > 0.25 {
			t.Errorf("noise known %v: %d of 100 hold the truth; scatter %g, stated %g", known, held, scatter, math.Sqrt(stated/100))
		}
	}
}

// Twice the gravity wants twice the stiffness for the same motion; so does a
// body twice as large that moves twice as far. Standard deviations that are
// all ten times larger change nothing when the noise is estimated.
func TestCalibrateScaling(t *testing.T) {
	me := beamMesh()
	obs := noisy(movements(t, build(t, cantilever(me, g0), 0.02), beamPoints, 0.1), rand.New(rand.NewPCG(7, 0)))
	get := func(me *mesh.TetMesh, gravity float64, obs Observations) *Fit {
		fit, err := Calibrate(bg, cantilever(me, gravity), obs, young(0.03), quick)
		if err != nil {
			t.Fatal(err)
		}
		return fit
	}
	same := func(name string, a, b, tol float64) {
		if math.Abs(a/b-1) > tol {
			t.Errorf("%s: %.8g, want %.8g", name, a, b)
		}
	}
	one := get(me, g0, obs)
	two := get(me, 2*g0, obs)
	same("E at twice the gravity", two.Parameters[0].Value, 2*one.Parameters[0].Value, 1e-4)
	same("its interval", two.Parameters[0].High, 2*one.Parameters[0].High, 1e-4)
	large, far := *me, Observations{Displacements: slices.Clone(obs.Displacements)}
	large.Nodes = slices.Clone(me.Nodes)
	for i, p := range large.Nodes {
		large.Nodes[i] = r3.Scale(2, p)
	}
	loose := Observations{Displacements: slices.Clone(obs.Displacements)}
	for i := range far.Displacements {
		d := &far.Displacements[i]
		d.AtMM, d.MovedMM, d.SDMM = r3.Scale(2, d.AtMM), r3.Scale(2, d.MovedMM), r3.Scale(2, d.SDMM)
		loose.Displacements[i].SDMM = r3.Scale(10, loose.Displacements[i].SDMM)
	}
	same("E of twice the body", get(&large, g0, far).Parameters[0].Value, 2*one.Parameters[0].Value, 1e-4)
	free := get(me, g0, loose)
	same("E with other weights", free.Parameters[0].Value, one.Parameters[0].Value, 1e-4)
	same("its interval", free.Parameters[0].Low, one.Parameters[0].Low, 1e-4)
	same("noise factor", free.NoiseFactor, one.NoiseFactor/10, 1e-4)
}

// In the linear theory the displacement is as 1/E, so its derivative by ln E is
// −u; central differences with step h are sinh(h)/h times that.
func TestSensitivity(t *testing.T) {
	me := beamMesh()
	b := func(p []float64) (*fem.Model, error) {
		law, err := material.NewLinear(p[0], 0.3)
		if err != nil {
			return nil, err
		}
		m, err := cantilever(me, g0)(p)
		if err == nil {
			m.Regions[0].Law = law
		}
		return m, err
	}
	obs := movements(t, build(t, b, 0.1), beamPoints, 0.1)
	o := quick
	f, _, err := prepare(bg, b, &obs, young(0.1), &o)
	if err != nil {
		t.Fatal(err)
	}
	f.x = slices.Clone(f.centre)
	if f.y, err = f.predict(f.x); err != nil {
		t.Fatal(err)
	}
	if err := f.differentiate(); err != nil {
		t.Fatal(err)
	}
	for i, y := range f.y {
		if d := f.jac.At(i, 0) + y*math.Sinh(diffStep)/diffStep; math.Abs(d) > 1e-6*math.Abs(f.y[2]) {
			t.Errorf("row %d: sensitivity %g of %g", i, f.jac.At(i, 0), y)
		}
	}
}

// Two tissues in one beam, seen at two load levels.
func TestCalibrateTwoTissues(t *testing.T) {
	me := beamMesh()
	for e, v := range me.Tets {
		var x float64
		for _, n := range v {
			x += me.Nodes[n].X / 4
		}
		if x > 20 {
			me.Region[e] = imaging.LabelTumour
		}
	}
	b := func(p []float64) (*fem.Model, error) {
		m, err := cantilever(me, g0)(p[:1])
		if err != nil {
			return nil, err
		}
		law, err := material.NewNeoHookean(p[1]/2.8, 0.4)
		m.Regions = append(m.Regions, fem.Region{Label: imaging.LabelTumour, Law: law, DensityTPerMM3: 1e-9})
		return m, err
	}
	truth := []float64{0.03, 0.012}
	obs := movements(t, build(t, b, truth...), beamPoints, 0.05)
	half := map[int][]r3.Vec{}
	if _, err := fem.Solve(bg, build(t, b, truth...), fem.Settings{Steps: 2, ResidualTol: 1e-9}, func(f *fem.Frame) error { half[f.Step] = f.U; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int32{4, 9} {
		obs.Displacements = append(obs.Displacements, Displacement{Name: "at half load", OnNode: true, Node: n, MovedMM: half[1][n], SDMM: r3.Vec{X: 0.05, Z: 0.05}, Step: 1})
	}
	obs = noisy(obs, rand.New(rand.NewPCG(5, 5)))
	params := []Parameter{{Name: "E of liver", Unit: "MPa", Start: 0.02}, {Name: "E of tumour", Unit: "MPa", Start: 0.02}}
	fit, err := Calibrate(bg, b, obs, params, quick)
	if err != nil {
		t.Fatal(err)
	}
	for j, e := range fit.Parameters {
		t.Logf("%+v", e)
		if !(e.Low < truth[j] && truth[j] < e.High) || e.High/e.Low > 1.5 {
			t.Errorf("%s = %g (%g to %g), truth %g", e.Name, e.Value, e.Low, e.High, truth[j])
		}
	}
	if c := fit.Correlation; math.Abs(c[0][0]-1) > 1e-12 || c[0][1] != c[1][0] || !(math.Abs(c[0][1]) < 1) || fit.DOF != 12+4-2 {
		t.Errorf("correlation %v, %d degrees of freedom", c, fit.DOF)
	}
	if r := fit.Residuals[len(fit.Residuals)-1]; r.Name != "at half load" || r.Axis != 2 || math.Abs(r.Fitted-r.Measured) > 5*r.SD {
		t.Errorf("residual %+v", r)
	}
	late := obs
	late.Displacements = slices.Clone(obs.Displacements)
	late.Displacements[0].Step = 9
	if _, err := Calibrate(bg, b, late, params, quick); err == nil || !strings.Contains(err.Error(), "step 9") {
		t.Errorf("an observation after the end: %v", err)
	}
}

// pulled stretches the beam by 4 mm at its free end, by prescription.
func pulled(me *mesh.TetMesh) func(p []float64) (*fem.Model, error) {
	return func(p []float64) (*fem.Model, error) {
		m, err := cantilever(me, 0)(p)
		if err != nil {
			return nil, err
		}
		for _, h := range hold(len(me.Nodes), 0, func(i int) bool { return me.Nodes[i].X == 40 }) {
			h.ValueMM = 4
			m.Prescribed = append(m.Prescribed, h)
		}
		return m, nil
	}
}

func TestUnidentifiable(t *testing.T) {
	me := beamMesh()
	b := cantilever(me, g0)
	obs := noisy(movements(t, build(t, b, 0.02), beamPoints, 0.1), rand.New(rand.NewPCG(1, 1)))
	both := []Parameter{{Name: "E", Unit: "MPa", Start: 0.03}, {Name: "density", Unit: "t/mm³", Start: 1e-9}}
	_, err := Calibrate(bg, b, obs, both, quick)
	u, ok := errors.AsType[*UnidentifiableError](err)
	if !ok || !slices.Equal(u.Parameters, []string{"E", "density"}) || math.Abs(u.Direction[0]-u.Direction[1]) > 1e-3 {
		t.Errorf("E and density: %v", err)
	}
	both[1].LogSD = 0.05
	fit, err := Calibrate(bg, b, obs, both, quick)
	if err != nil {
		t.Fatal(err)
	}
	if e, d := fit.Parameters[0], fit.Parameters[1]; math.Abs(d.PriorShare-1) > 1e-6 || math.Abs(d.Value/1e-9-1) > 1e-6 || math.Abs(e.LogSD-0.05) > 0.002 || math.Abs(e.Value/0.02-1) > 0.01 {
		t.Errorf("with a prior on the density: %+v, %+v", e, d)
	}

	// Prescribed motion alone.
	b = pulled(me)
	m := build(t, b, 0.02)
	obs = movements(t, m, beamPoints, 0.1)
	_, err = Calibrate(bg, b, obs, young(0.03), quick)
	if u, ok := errors.AsType[*UnidentifiableError](err); !ok || !strings.Contains(u.Reason, "prescribed motion alone") || u.Parameters[0] != "E" {
		t.Errorf("without force: %v", err)
	}
	var force r3.Vec
	var grip []int32
	for i, p := range me.Nodes {
		if p.X == 40 {
			grip = append(grip, int32(i))
		}
	}
	if _, err := fem.Solve(bg, m, fem.Settings{Steps: 2, ResidualTol: 1e-9}, func(f *fem.Frame) error {
		force = r3.Vec{}
		for _, n := range grip {
			force = r3.Add(force, f.ReactionN[n])
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	obs.Reactions = []Reaction{{Name: "grip", Nodes: grip, ForceN: r3.Scale(1.01, force), SDN: r3.Vec{X: 0.01 * force.X}}}
	o := quick
	o.NoiseKnown = true
	if fit, err = Calibrate(bg, b, obs, young(0.03), o); err != nil {
		t.Fatal(err)
	}
	if e := fit.Parameters[0]; math.Abs(e.Value/0.0202-1) > 1e-5 || math.Abs(e.LogSD-0.01/1.01) > 1e-4 {
		t.Errorf("with the force of the grip: %+v", e)
	}

	// Noise far above the motion.
	b = cantilever(me, g0)
	obs = movements(t, build(t, b, 10), beamPoints[:1], 5)
	_, err = Calibrate(bg, b, obs, young(10), o)
	if u, ok := errors.AsType[*UnidentifiableError](err); !ok || !strings.Contains(u.Reason, "of the noise") {
		t.Errorf("noise: %v", err)
	}
	// A point that is held.
	obs = Observations{Displacements: []Displacement{{AtMM: r3.Vec{Y: 5, Z: 5}, SDMM: r3.Vec{X: 1, Y: 1, Z: 1}}}}
	_, err = Calibrate(bg, b, obs, young(0.03), quick)
	if u, ok := errors.AsType[*UnidentifiableError](err); !ok || !strings.Contains(u.Reason, "nothing that was measured moves") {
		t.Errorf("held point: %v", err)
	}
}

func TestCalibrateBounds(t *testing.T) {
	b := cantilever(beamMesh(), g0)
	obs := noisy(movements(t, build(t, b, 0.02), beamPoints, 0.1), rand.New(rand.NewPCG(1, 1)))
	p := young(0.05)
	p[0].Min, p[0].Max = 0.04, 0.1
	fit, err := Calibrate(bg, b, obs, p, quick)
	if err != nil {
		t.Fatal(err)
	}
	if e := fit.Parameters[0]; !e.AtBound || math.Abs(e.Value-0.04) > 1e-12 {
		t.Errorf("%+v", e)
	}
}

func TestCalibrateErrors(t *testing.T) {
	b := cantilever(beamMesh(), g0)
	obs := movements(t, build(t, b, 0.02), beamPoints, 0.1)
	one := func(change func(d *Displacement)) Observations {
		o := Observations{Displacements: slices.Clone(obs.Displacements)}
		change(&o.Displacements[1])
		return o
	}
	nan := math.NaN()
	for _, c := range []struct {
		name string
		obs  Observations
		p    []Parameter
		o    CalibrateOptions
		want string
	}{
		{"no observations", Observations{}, young(1), quick, "Observations"},
		{"no parameters", obs, nil, quick, "params"},
		{"start", obs, young(0), quick, "params[0]"},
		{"start NaN", obs, young(nan), quick, "params[0]"},
		{"same name", obs, append(young(1), young(1)...), quick, "params[1]"},
		{"bounds", obs, []Parameter{{Name: "E", Start: 1, Min: 2}}, quick, "params[0]"},
		{"prior", obs, []Parameter{{Name: "E", Start: 1, LogSD: -1}}, quick, "params[0]"},
		{"no deviation", one(func(d *Displacement) { d.SDMM = r3.Vec{} }), young(1), quick, "Displacements[1]"},
		{"negative deviation", one(func(d *Displacement) { d.SDMM.X = -1 }), young(1), quick, "Displacements[1]"},
		{"NaN", one(func(d *Displacement) { d.MovedMM.Y = nan }), young(1), quick, "Displacements[1]"},
		{"NaN place", one(func(d *Displacement) { d.AtMM.Y = nan }), young(1), quick, "Displacements[1]"},
		{"step", one(func(d *Displacement) { d.Step = -1 }), young(1), quick, "Displacements[1]"},
		{"node", one(func(d *Displacement) { d.OnNode, d.Node = true, 1e6 }), young(1), quick, "Displacements[1]"},
		{"reaction", Observations{Reactions: []Reaction{{SDN: r3.Vec{X: 1}}}}, young(1), quick, "Reactions[0]"},
		{"reaction node", Observations{Displacements: obs.Displacements, Reactions: []Reaction{{Nodes: []int32{-1}, SDN: r3.Vec{X: 1}}}}, young(1), quick, "Reactions[0]"},
		{"too few", Observations{Displacements: []Displacement{{SDMM: r3.Vec{X: 1}}}}, young(1), quick, "Observations"},
		{"iterations", obs, young(1), CalibrateOptions{MaxIterations: -1}, "MaxIterations"},
		{"samples", obs, young(1), CalibrateOptions{Samples: 3}, "Samples"},
		{"interval", obs, young(1), CalibrateOptions{Interval: 9}, "Interval"},
	} {
		_, err := Calibrate(bg, b, c.obs, c.p, c.o)
		if e, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(e.Field, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := Calibrate(bg, nil, obs, young(1), quick); err == nil {
		t.Error("no build function passed")
	}
	_, err := Calibrate(bg, b, one(func(d *Displacement) { d.AtMM.X = 500 }), young(1), quick)
	if e, ok := errors.AsType[*mesh.FarError](err); !ok || e.Point != 1 {
		t.Errorf("far point: %v", err)
	}
	none := func([]float64) (*fem.Model, error) { return nil, nil }
	if _, err := Calibrate(bg, none, obs, young(1), quick); err == nil {
		t.Error("no model passed")
	}
	o := quick
	o.MaxIterations = 1
	_, err = Calibrate(bg, b, obs, young(0.5), o)
	if e, ok := errors.AsType[*FitError](err); !ok || e.Iterations != 1 || !strings.Contains(e.Parameters, "MPa") {
		t.Errorf("one iteration: %v", err)
	}
	done, cancel := context.WithCancel(bg)
	solves := 0
	o = quick
	o.Solve = func(ctx context.Context, m *fem.Model, s fem.Settings, emit func(*fem.Frame) error) (fem.Result, error) {
		if solves++; solves == 3 {
			cancel()
		}
		return fem.Solve(ctx, m, s, emit)
	}
	if _, err = Calibrate(done, b, obs, young(0.5), o); !errors.Is(err, context.Canceled) || solves != 3 {
		t.Errorf("cancelled: %v after %d solves", err, solves)
	}
}

func TestCalibrateSameBits(t *testing.T) {
	b := cantilever(beamMesh(), g0)
	obs := noisy(movements(t, build(t, b, 0.02), beamPoints, 0.1), rand.New(rand.NewPCG(1, 1)))
	var first *Fit
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		o := quick
		o.Interval, o.Samples = Bootstrap, 40
		fit, err := Calibrate(bg, b, obs, young(0.03), o)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = fit
		}
		if fit.Parameters[0] != first.Parameters[0] || fit.ForwardSolves != first.ForwardSolves {
			t.Errorf("GOMAXPROCS %d: %+v, else %+v", procs, fit.Parameters[0], first.Parameters[0])
		}
	}
}
