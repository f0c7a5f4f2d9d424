package fem

import (
	"context"
	"math"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// trussPair is the von Mises truss: two bars from (±b, 0) to an apex at height
// h that is pressed down with the force p; and its force at height y.
func trussPair(strain TrussStrain, p float64) (m *Model, force func(y float64) float64) {
	const b, h, e, area = 10.0, 4.0, 200.0, 0.5
	rest := math.Hypot(b, h)
	mod := &Model{Mesh: points(r3.Vec{X: -b}, r3.Vec{X: b}, r3.Vec{Z: h}), Prescribed: append(held(0, 1), Prescribed{2, 1, 0})}
	for i := range int32(2) {
		mod.Trusses = append(mod.Trusses, Truss{Nodes: [2]int32{i, 2}, AreaMM2: area, EMPa: e, Strain: strain})
	}
	mod.Forces = []NodalForce{{2, r3.Vec{Z: -p}}}
	return mod, func(y float64) float64 {
		l := math.Hypot(b, y)
		n := e * area * math.Log(l/rest) * rest / l
		if strain == GreenStrain {
			x := l / rest
			n = e * area * x * (x*x - 1) / 2
		}
		return -2 * n * y / l
	}
}

// The path of the von Mises truss over both limit points to the whole load:
// every state is on the closed form, the factor falls below zero on the way,
// and the end is the root beyond the snap.
func TestArcLengthVonMisesTruss(t *testing.T) {
	for _, strain := range []TrussStrain{GreenStrain, LogStrain} {
		const p = 6.0
		mod, force := trussPair(strain, p)
		if _, err := Solve(context.Background(), mod, Settings{Steps: 20, MaxCutbacks: 2, MaxNewton: 8}, nil); err == nil {
			t.Log("load steps jumped over the snap")
		}
		up, low, end := 0.0, 1.0, 0.0
		var last *Frame
		r, err := Solve(context.Background(), mod, Settings{Steps: 20, ResidualTol: 1e-10, ArcLength: &ArcLength{StepMM: 0.5}}, func(f *Frame) error {
			y := 4 + f.U[2].Z
			if d := math.Abs(force(y) - p*f.LoadFactor); d > 1e-8*p {
				t.Errorf("strain %d: factor %.6f at y = %.4f, closed form %.6f", strain, f.LoadFactor, y, force(y)/p)
			}
			if y > 2 {
				up = max(up, f.LoadFactor)
			}
			low, end, last = min(low, f.LoadFactor), y, f
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		// The first limit point in closed form, by a fine search.
		top := 0.0
		for y := 4.0; y > 0; y -= 1e-4 {
			top = max(top, force(y)/p)
		}
		t.Logf("strain %d: %d steps, %d Newton, highest factor %.5f of %.5f, lowest %.5f, end at y = %.4f", strain, r.Steps, r.Newton, up, top, low, end)
		if last.LoadFactor != 1 || end > -4 || low > -0.9*top || up > top || up < 0.97*top {
			t.Errorf("strain %d: highest factor %v (limit %v), lowest %v, end at y = %v with factor %v", strain, up, top, low, end, last.LoadFactor)
		}
	}
}

// The balloon beyond its limit point at λ = 7^(1/6): the pressure is that of
// the closed form at every state.
func TestArcLengthBalloon(t *testing.T) {
	const r, mu, th = 10.0, 0.5, 0.1
	p := func(l float64) float64 { return 2 * mu * th / r * (1/l - math.Pow(l, -7)) }
	top := p(math.Pow(7, 1./6))
	m, faces, mid := sphereSheet(r, 3)
	mod := &Model{Mesh: m, Prescribed: symmetric(m, 0, 1, 2)}
	mod.Membranes = []Membrane{{Faces: faces, Mid: mid, Law: rubber(mu, th)}}
	for _, f := range faces {
		mod.Loads = append(mod.Loads, FaceLoad{Face: f, PressureMPa: -1.1 * top, Follows: true})
	}
	var worst, high, far float64
	res, err := Solve(context.Background(), mod, Settings{ArcLength: &ArcLength{MaxMM: 10, StepMM: 1}}, func(f *Frame) error {
		var a, n float64
		for i, x := range m.Nodes {
			a, n = a+r3.Norm(r3.Add(x, f.U[i])), n+1
		}
		far = a / n / r
		worst = max(worst, math.Abs(1.1*f.LoadFactor*top-p(far))/top)
		high = max(high, 1.1*f.LoadFactor)
		return nil
	})
	t.Logf("%d steps, %d Newton, to λ = %.3f: off by %.2g of the limit, highest %.5f of it", res.Steps, res.Newton, far, worst, high)
	if err != nil || far < 2 || worst > 1e-3 || math.Abs(high-1) > 5e-3 {
		t.Errorf("error %v; to λ = %v, off by %v, highest %v of the limit", err, far, worst, high)
	}
}

// The thick sphere of incompressible neo-Hookean tissue bursts at a ≈ 16 of 10
// at rest: the pressure at the limit and after it is that of the closed form.
func TestArcLengthThickSphere(t *testing.T) {
	m := octant(10, 15, 2, 2)
	mod := &Model{Mesh: m, Regions: one(must(material.NewNeoHookean(1, 0.4999))), Prescribed: symmetric(m, 0, 1, 2)}
	inner := func(x r3.Vec) bool { return math.Abs(r3.Norm(x)-10) < 1e-9 }
	const full = 0.6
	for _, f := range facesOf(m, inner) {
		mod.Loads = append(mod.Loads, FaceLoad{Face: f, PressureMPa: full, Follows: true})
	}
	top, at := 0.0, 0.0
	for a := 10.0; a < 25; a += 1e-3 {
		if p := spherePressure(10, 15, a); p > top {
			top, at = p, a
		}
	}
	var worst, high, where, far float64
	res, err := Solve(context.Background(), mod, Settings{Formulation: MeanDilatation, ArcLength: &ArcLength{MaxMM: 9, StepMM: 1}}, func(f *Frame) error {
		var a, n float64
		for i, x := range m.Nodes {
			if inner(x) {
				a, n = a+r3.Norm(r3.Add(x, f.U[i])), n+1
			}
		}
		far = a / n
		p := full * f.LoadFactor
		if far > 11 {
			worst = max(worst, math.Abs(p/spherePressure(10, 15, far)-1))
		}
		if p > high {
			high, where = p, far
		}
		return nil
	})
	t.Logf("%d tets, %d steps, %d Newton: limit p/μ = %.5f at a = %.2f (closed form %.5f at %.2f), worst %.3f %% to a = %.2f", len(m.Tets), res.Steps, res.Newton, high, where, top, at, 100*worst, far)
	if err != nil || far < 18 || worst > 5e-3 || math.Abs(high/top-1) > 5e-3 {
		t.Errorf("error %v; limit %v, want %v; worst %v", err, high, top, worst)
	}
}

// Without a limit point the path ends where load steps end; prescribed motion
// goes along a path too; bounds end it.
func TestArcLengthEndsAndBounds(t *testing.T) {
	m := brickMesh(2, 1, 1, 20, 10, 10)
	mod := &Model{Mesh: m, Regions: one(must(material.NewNeoHookean(1e-3, 0.4))), Prescribed: prescribe(m, func(p r3.Vec) bool { return p.X == 0 }, still)}
	mod.Stages = []Stage{
		{Loads: &LoadCase{GravityChange: r3.Vec{Z: -9810}, Forces: []NodalForce{{2, r3.Vec{X: 0.02}}}}},
		{Prescribed: []Prescribed{{2, 0, 2}, {2, 1, -1}}},
	}
	want, _ := solve(t, mod, Settings{ResidualTol: 1e-10})
	got, r := solve(t, mod, Settings{ResidualTol: 1e-10, ArcLength: &ArcLength{}})
	if got.LoadFactor != 1 || got.Stage != 1 || got.TimeS != 2 {
		t.Errorf("ended in stage %d at factor %v, %v s", got.Stage, got.LoadFactor, got.TimeS)
	}
	for v := range want.U {
		if d := r3.Norm(r3.Sub(want.U[v], got.U[v])); d > 1e-7 {
			t.Fatalf("node %d: %v, by load steps %v", v, got.U[v], want.U[v])
		}
	}
	if _, res := solve(t, mod, Settings{ArcLength: &ArcLength{MaxSteps: 2}}); res.Steps != 2 || r.Steps <= 2 {
		t.Errorf("%d steps, want 2", res.Steps)
	}
	if f, _ := solve(t, mod, Settings{ArcLength: &ArcLength{MaxMM: 0.5, StepMM: 0.2}}); f.LoadFactor >= 1 || f.Stage != 0 {
		t.Errorf("factor %v in stage %d", f.LoadFactor, f.Stage)
	}
	if _, err := Solve(context.Background(), mod, Settings{ArcLength: &ArcLength{MaxMM: -1}}, nil); !isType[*InputError](err) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := Solve(ctx, mod, Settings{ArcLength: &ArcLength{}}, func(*Frame) error { cancel(); return nil }); err != context.Canceled {
		t.Errorf("error %v", err)
	}
	still := *mod
	still.Stages = nil
	if f, _ := solve(t, &still, Settings{ArcLength: &ArcLength{}}); f.LoadFactor != 1 {
		t.Errorf("without load: factor %v", f.LoadFactor)
	}
}

// A path that has no direction to start in ends with a reason.
func TestArcLengthWithoutStiffness(t *testing.T) {
	mod := &Model{Mesh: points(r3.Vec{}), Prescribed: []Prescribed{{0, 0, 0}, {0, 1, 0}}, Forces: []NodalForce{{0, r3.Vec{Z: 1}}}}
	mod.Springs = []Spring{{Nodes: [2]int32{0, -1}, AnchorMM: r3.Vec{Z: 10}, RestMM: 20, StiffnessNPerMM: 1, TensionOnly: true}}
	if _, err := Solve(context.Background(), mod, Settings{ArcLength: &ArcLength{}}, nil); !isType[*NotConvergedError](err) {
		t.Errorf("error %v", err)
	}
}
