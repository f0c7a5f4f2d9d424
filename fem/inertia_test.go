package fem

import (
	"context"
	"math"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

func heavy(law material.Law, rho float64) []Region {
	return []Region{{Label: liver, Law: law, DensityTPerMM3: rho}}
}

// The force of the masses is that of its energy, the tangent its derivative.
func TestInertiaForceAndTangent(t *testing.T) {
	for _, quadratic := range []bool{false, true} {
		m := brickMesh(1, 1, 1, 10, 10, 10)
		if quadratic {
			m = m.Quadratic()
		}
		for _, d := range []Dynamic{{SpectralRadius: 0.8, RayleighMassPerS: 3}, {Method: Newmark, SpectralRadius: 1}} {
			mod := &Model{Mesh: m, Regions: heavy(must(material.NewNeoHookean(1, 0.4)), 2e-3), Dynamic: &d}
			sys := must(newSystem(mod, must(Settings{}.withDefaults())))
			x := sys.terms[0].(*inertia)
			copy(x.u0, wavy(sys.n, 0.3))
			copy(x.v0, wavy(sys.n, 5))
			copy(x.a0, wavy(sys.n, 70))
			copy(x.g0, wavy(sys.n, 0.01))
			u := wavy(sys.n, 0.5)
			for i := range u {
				u[i] += 0.1 * math.Cos(float64(i))
			}
			checkTerm(t, isTet10(m), sys, x, u, clock{s: 0.6, dt: 0.05}, 1e-7)
			var mass float64
			for _, v := range x.mass {
				mass += v
			}
			if math.Abs(mass/2-1) > 1e-12 {
				t.Errorf("%s: mass %v t, want 2", isTet10(m), mass)
			}
		}
	}
}

// A body thrown without support flies on the exact parabola, by every method:
// u = v·t + g·t²/2, and stays free of stress.
func TestInertiaFlight(t *testing.T) {
	m := brickMesh(2, 1, 1, 20, 10, 10).Quadratic()
	v := r3.Vec{X: 300, Y: -20, Z: 2000}
	g := r3.Vec{Z: -9810}
	for _, d := range []Dynamic{{}, {SpectralRadius: 0.8}, {SpectralRadius: 1}, {Method: Newmark, SpectralRadius: 1}, {Method: Newmark, SpectralRadius: 0.5}} {
		mod := &Model{Mesh: m, Regions: heavy(must(material.NewNeoHookean(1e-3, 0.45)), 1e-9), Dynamic: &d, GravityChange: g}
		for range m.Nodes {
			d.VelocityMMPerS = append(d.VelocityMMPerS, v)
		}
		mod.Stages = []Stage{{DurationS: 0.3, Steps: 6, Sudden: true}}
		_, err := Solve(context.Background(), mod, Settings{ResidualTol: 1e-10}, func(f *Frame) error {
			want := r3.Add(r3.Scale(f.TimeS, v), r3.Scale(f.TimeS*f.TimeS/2, g))
			speed := r3.Add(v, r3.Scale(f.TimeS, g))
			for i, u := range f.U {
				if e := r3.Norm(r3.Sub(u, want)); e > 1e-6 {
					t.Fatalf("%+v: t = %v s: node %d is %g mm off the parabola", d.Method, f.TimeS, i, e)
				}
				if e := r3.Norm(r3.Sub(f.VelocityMMPerS[i], speed)); e > 1e-4 {
					t.Fatalf("%+v: t = %v s: node %d is %g mm/s off", d.Method, f.TimeS, i, e)
				}
				if f.VonMisesMPa[i] > 1e-9 {
					t.Fatalf("stress %v MPa in free flight", f.VonMisesMPa[i])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// rod is a bar of length 100 mm held at x = 0 that swings lengthwise in its
// first mode, u = a·sin(πx/2L)·sin(ωt), ω = π/(2L)·√(E/ρ); ν = 0.
func rod(d Dynamic) (mod *Model, omega float64, tip int) {
	const length, e, rho, a = 100.0, 0.1, 1e-9, 1e-2
	m := brickMesh(8, 1, 1, length, 10, 10).Quadratic()
	omega = math.Pi / (2 * length) * math.Sqrt(e/rho)
	mod = &Model{Mesh: m, Regions: heavy(must(material.NewLinear(e, 0)), rho), Prescribed: symmetric(m, 0, 1, 2), Dynamic: &d}
	d.VelocityMMPerS = make([]r3.Vec, len(m.Nodes))
	for i, x := range m.Nodes {
		d.VelocityMMPerS[i].X = a * omega * math.Sin(math.Pi*x.X/(2*length))
		if x == (r3.Vec{X: length}) {
			tip = i
		}
	}
	return mod, omega, tip
}

// The swinging bar against its closed form after a period and a quarter: the
// error falls with the square of the step (Newmark with losses: with the step).
func TestInertiaFrequencyAndOrder(t *testing.T) {
	for _, c := range []struct {
		d    Dynamic
		rate float64
	}{
		{Dynamic{SpectralRadius: 1}, 2}, {Dynamic{SpectralRadius: 0.8}, 2}, {Dynamic{}, 2},
		{Dynamic{Method: Newmark, SpectralRadius: 1}, 2}, {Dynamic{Method: Newmark, SpectralRadius: 0.8}, 1},
	} {
		var xs, ys []float64
		for _, n := range []int{48, 96, 192} {
			mod, omega, tip := rod(c.d)
			mod.Stages = []Stage{{DurationS: 2.5 * math.Pi / omega, Steps: n}}
			var sum, count float64
			_, err := Solve(context.Background(), mod, Settings{ResidualTol: 1e-9}, func(f *Frame) error {
				e := f.U[tip].X/1e-2 - math.Sin(omega*f.TimeS)
				sum, count = sum+e*e, count+1
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			xs, ys = append(xs, -math.Log(float64(n))), append(ys, math.Log(math.Sqrt(sum/count)))
		}
		rate := slopeOf(xs, ys)
		t.Logf("method %d, ρ∞ = %v: error %.2e to %.2e of the amplitude, rate %.3f", c.d.Method, c.d.SpectralRadius, math.Exp(ys[0]), math.Exp(ys[2]), rate)
		if math.Abs(rate-c.rate) > 0.1 {
			t.Errorf("method %d, ρ∞ = %v: rate %.3f, want %v", c.d.Method, c.d.SpectralRadius, rate, c.rate)
		}
	}
}

// energies are the kinetic and the stored energy of a frame, mJ.
func energies(sys *system, f *Frame) (kinetic, stored float64) {
	x := sys.terms[0].(*inertia)
	v, u, mv := make([]float64, 3*sys.n), make([]float64, 3*sys.n), make([]float64, 3*sys.n)
	for i := range f.U {
		v[3*i], v[3*i+1], v[3*i+2] = f.VelocityMMPerS[i].X, f.VelocityMMPerS[i].Y, f.VelocityMMPerS[i].Z
		u[3*i], u[3*i+1], u[3*i+2] = f.U[i].X, f.U[i].Y, f.U[i].Z
	}
	x.times(mv, v)
	for i := range v {
		kinetic += v[i] * mv[i] / 2
	}
	sys.now.dt = 0
	return kinetic, sys.energy(u)
}

// Energy: kept by the trapezoidal rule and by generalised-α without losses,
// never gained with losses (linear law).
func TestInertiaEnergy(t *testing.T) {
	for _, d := range []Dynamic{{SpectralRadius: 1}, {Method: Newmark, SpectralRadius: 1}, {SpectralRadius: 0.5}} {
		mod, omega, _ := rod(d)
		mod.Stages = []Stage{{DurationS: 4 * math.Pi / omega, Steps: 50}}
		sys := must(newSystem(mod, must(Settings{}.withDefaults())))
		var first, worst, last float64
		_, err := Solve(context.Background(), mod, Settings{ResidualTol: 1e-11}, func(f *Frame) error {
			k, w := energies(sys, f)
			if f.Step == 0 {
				first, last = k, k
			}
			worst = max(worst, math.Abs((k+w)/first-1))
			if d.SpectralRadius < 1 && k+w > last*(1+1e-3) {
				t.Errorf("step %d: energy rises from %v to %v", f.Step, last, k+w)
			}
			last = k + w
			return nil
		})
		t.Logf("method %d, ρ∞ = %v: energy within %.2g, in the end %.6f of the first", d.Method, d.SpectralRadius, worst, last/first)
		if err != nil || d.SpectralRadius == 1 && d.Method == Newmark && worst > 1e-6 || d.SpectralRadius == 1 && worst > 1e-2 {
			t.Errorf("method %d, ρ∞ = %v: error %v, energy off by %v", d.Method, d.SpectralRadius, err, worst)
		}
	}
}

// Rayleigh damping: a mode decays as exp(−ζωt), ζ = r/(2ω) + k·ω/2.
func TestInertiaDamping(t *testing.T) {
	_, omega, _ := rod(Dynamic{})
	for _, d := range []Dynamic{
		{SpectralRadius: 1, RayleighMassPerS: 0.1 * omega},
		{SpectralRadius: 1, RayleighStiffnessS: 0.1 / omega},
		{Method: Newmark, SpectralRadius: 1, RayleighMassPerS: 0.05 * omega, RayleighStiffnessS: 0.05 / omega},
	} {
		mod, _, tip := rod(d)
		mod.Stages = []Stage{{DurationS: 4 * math.Pi / omega, Steps: 200}}
		const zeta = 0.05
		wd := omega * math.Sqrt(1-zeta*zeta)
		var worst float64
		_, err := Solve(context.Background(), mod, Settings{ResidualTol: 1e-9}, func(f *Frame) error {
			want := 1e-2 * omega / wd * math.Exp(-zeta*omega*f.TimeS) * math.Sin(wd*f.TimeS)
			worst = max(worst, math.Abs(f.U[tip].X-want)/1e-2)
			return nil
		})
		t.Logf("damping %v /s, %v s: off by %.2g of the amplitude", d.RayleighMassPerS, d.RayleighStiffnessS, worst)
		if err != nil || worst > 1e-2 {
			t.Errorf("damping %v /s, %v s: error %v, off by %.3g of the amplitude", d.RayleighMassPerS, d.RayleighStiffnessS, err, worst)
		}
	}
}

// A weight put on at once swings the tip to twice the static motion; strongly
// damped it comes to rest there; put on slowly it hardly swings.
func TestInertiaSuddenLoad(t *testing.T) {
	m := brickMesh(6, 1, 1, 60, 10, 10).Quadratic()
	static := &Model{Mesh: m, Regions: heavy(must(material.NewLinear(0.1, 0)), 1e-9), Prescribed: symmetric(m, 0, 1, 2), GravityChange: r3.Vec{X: 9810}}
	tip := func(f *Frame) float64 {
		for i, x := range m.Nodes {
			if x == (r3.Vec{X: 60}) {
				return f.U[i].X
			}
		}
		return math.NaN()
	}
	f, _ := solve(t, static, Settings{ResidualTol: 1e-9})
	still := tip(f)
	omega := math.Pi / 120 * math.Sqrt(0.1/1e-9)
	run := func(d Dynamic, st Stage) (high, last float64) {
		mod := *static
		mod.Dynamic, mod.Stages = &d, []Stage{st}
		_, err := Solve(context.Background(), &mod, Settings{ResidualTol: 1e-8}, func(f *Frame) error {
			last = tip(f)
			high = max(high, last)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return high, last
	}
	high, _ := run(Dynamic{SpectralRadius: 0.9}, Stage{Sudden: true, DurationS: 2 * math.Pi / omega, Steps: 60})
	t.Logf("sudden: %.4f of the static motion", high/still)
	if math.Abs(high/still-2) > 0.02 {
		t.Errorf("sudden load: %v of the static motion, want 2", high/still)
	}
	if _, last := run(Dynamic{RayleighMassPerS: 2 * omega}, Stage{Sudden: true, DurationS: 20 / omega, Steps: 40}); math.Abs(last/still-1) > 1e-3 {
		t.Errorf("damped: ends at %v of the static motion", last/still)
	}
	if high, _ := run(Dynamic{SpectralRadius: 0.9}, Stage{DurationS: 100 * math.Pi / omega, Steps: 100}); high/still > 1.02 {
		t.Errorf("slow load: %v of the static motion", high/still)
	}
}

// A soft block that tumbles and swings keeps its momentum and moment of
// momentum, and does not gain energy (large rotation, neo-Hookean).
func TestInertiaTumblingBlock(t *testing.T) {
	m := brickMesh(2, 1, 1, 20, 10, 10).Quadratic()
	d := Dynamic{SpectralRadius: 0.9}
	spin := r3.Vec{X: 3, Y: 1, Z: 20}
	c := r3.Vec{X: 10, Y: 5, Z: 5}
	for _, x := range m.Nodes {
		d.VelocityMMPerS = append(d.VelocityMMPerS, r3.Add(r3.Cross(spin, r3.Sub(x, c)), r3.Vec{X: 50}))
	}
	mod := &Model{Mesh: m, Regions: heavy(must(material.NewNeoHookean(1e-3, 0.4)), 1e-9), Dynamic: &d, Stages: []Stage{{DurationS: 0.3, Steps: 60}}}
	sys := must(newSystem(mod, must(Settings{}.withDefaults())))
	x := sys.terms[0].(*inertia)
	var p0, l0 r3.Vec
	var e0, turned float64
	_, err := Solve(context.Background(), mod, Settings{ResidualTol: 1e-9}, func(f *Frame) error {
		mv, v := make([]float64, 3*sys.n), make([]float64, 3*sys.n)
		for i, w := range f.VelocityMMPerS {
			v[3*i], v[3*i+1], v[3*i+2] = w.X, w.Y, w.Z
		}
		x.times(mv, v)
		var p, l r3.Vec
		for i := range f.U {
			q := r3.Vec{X: mv[3*i], Y: mv[3*i+1], Z: mv[3*i+2]}
			p, l = r3.Add(p, q), r3.Add(l, r3.Cross(r3.Sub(r3.Add(m.Nodes[i], f.U[i]), c), q))
		}
		k, w := energies(sys, f)
		if f.Step == 0 {
			p0, l0, e0 = p, l, k
		}
		l = r3.Sub(l, r3.Cross(r3.Scale(f.TimeS*50, r3.Vec{X: 1}), p)) // about the middle
		if r3.Norm(r3.Sub(p, p0)) > 1e-6*r3.Norm(p0) || r3.Norm(r3.Sub(l, l0)) > 0.02*r3.Norm(l0) || k+w > 1.01*e0 {
			t.Errorf("t = %.3f s: momentum %v of %v, moment %v of %v, energy %v of %v", f.TimeS, p, p0, l, l0, k+w, e0)
		}
		turned = f.TimeS * r3.Norm(spin)
		return nil
	})
	if err != nil || turned < 6 {
		t.Errorf("error %v", err)
	}
}

// A mass of trusses on a cable swings as a pendulum: T = 2π·√(l/g) for small
// angles.
func TestInertiaPendulum(t *testing.T) {
	const l, g, angle = 100.0, 9810.0, 0.05
	m := points(r3.Vec{}, r3.Vec{X: l * math.Sin(angle), Z: -l * math.Cos(angle)})
	d := Dynamic{SpectralRadius: 0.9}
	mod := &Model{Mesh: m, Prescribed: append(held(0), Prescribed{1, 1, 0}), Dynamic: &d, GravityChange: r3.Vec{Z: -g}}
	mod.Trusses = []Truss{{Nodes: [2]int32{0, 1}, AreaMM2: 1, EMPa: 1000, DensityTPerMM3: 1e-6}}
	period := 2 * math.Pi * math.Sqrt(2./3*l/g) // a rod
	mod.Stages = []Stage{{Sudden: true, DurationS: period, Steps: 200}}
	f, _ := solve(t, mod, Settings{ResidualTol: 1e-8})
	if e := math.Abs(f.U[1].X) / (l * angle); e > 0.01 {
		t.Errorf("after a period the rod is %v of its swing away", e)
	}
}

func TestInertiaInput(t *testing.T) {
	m := brickMesh(1, 1, 1, 10, 10, 10)
	law := must(material.NewNeoHookean(1, 0.3))
	for name, c := range map[string]struct {
		d   Dynamic
		rho float64
	}{
		"no mass":  {Dynamic{}, 0},
		"radius":   {Dynamic{SpectralRadius: 1.1}, 1e-9},
		"NaN":      {Dynamic{SpectralRadius: math.NaN()}, 1e-9},
		"method":   {Dynamic{Method: 9}, 1e-9},
		"damping":  {Dynamic{RayleighMassPerS: -1}, 1e-9},
		"velocity": {Dynamic{VelocityMMPerS: make([]r3.Vec, 3)}, 1e-9},
	} {
		if _, err := Solve(context.Background(), &Model{Mesh: m, Regions: heavy(law, c.rho), Dynamic: &c.d}, Settings{}, nil); !isType[*InputError](err) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := Solve(context.Background(), &Model{Mesh: m, Regions: heavy(law, 1e-9), Dynamic: &Dynamic{}}, Settings{ArcLength: &ArcLength{}}, nil); !isType[*InputError](err) {
		t.Errorf("with arc length: error %v", err)
	}
}
