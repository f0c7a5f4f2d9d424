package fem

import (
	"context"
	"math"
	"testing"

	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// points is a mesh of nodes without elements.
func points(p ...r3.Vec) *mesh.TetMesh { return &mesh.TetMesh{Nodes: p} }

// held fixes nodes in all directions.
func held(nodes ...int32) (p []Prescribed) {
	for _, v := range nodes {
		p = append(p, Prescribed{v, 0, 0}, Prescribed{v, 1, 0}, Prescribed{v, 2, 0})
	}
	return p
}

func TestBarForceAndTangent(t *testing.T) {
	m := points(r3.Vec{}, r3.Vec{X: 10}, r3.Vec{X: 3, Y: 8}, r3.Vec{X: 4, Y: 3, Z: 9})
	curve := []SpringPoint{{-1, -0.2}, {0, 0}, {2, 1}, {4, 7}}
	mod := &Model{Mesh: m, Prescribed: held(0, 1, 2), GravityChange: r3.Vec{Z: -9810}}
	mod.Springs = []Spring{
		{Nodes: [2]int32{0, 3}, StiffnessNPerMM: 2},
		{Nodes: [2]int32{3, -1}, AnchorMM: r3.Vec{X: 1, Y: 2, Z: 15}, StiffnessNPerMM: 3, RestMM: 4},
		{Nodes: [2]int32{3, -1}, AnchorMM: m.Nodes[3], StiffnessNPerMM: 1},
		{Nodes: [2]int32{1, 2}, Curve: curve, RestMM: 9},
		{Nodes: [2]int32{1, 3}, Curve: curve, RestMM: 6},
		{Nodes: [2]int32{2, 0}, StiffnessNPerMM: 5, RestMM: 20, TensionOnly: true},
	}
	mod.Trusses = []Truss{
		{Nodes: [2]int32{2, 3}, AreaMM2: 2, EMPa: 7, DensityTPerMM3: 1e-6},
		{Nodes: [2]int32{1, 3}, AreaMM2: 2, EMPa: 7, Strain: LogStrain, RestMM: 8},
		{Nodes: [2]int32{1, 2}, AreaMM2: 2, EMPa: 7, Strain: LogStrain, RestMM: 8, TensionOnly: true},
	}
	sys := must(newSystem(mod, must(Settings{}.withDefaults())))
	checkTerm(t, "bars", sys, sys.terms[0], wavy(sys.n, 0.7), clock{s: 0.6}, 1e-8)
}

// A weight on a spring: F/k, in all directions for a spring of no length; a
// ligament with a toe gives its curve; a slack one gives nothing.
func TestSpringAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		s    []Spring
		want r3.Vec
	}{
		"support": {[]Spring{{Nodes: [2]int32{0, -1}, StiffnessNPerMM: 4}}, r3.Vec{X: 0.25, Y: 0.5, Z: -0.75}},
		"toe": {[]Spring{
			{Nodes: [2]int32{0, -1}, StiffnessNPerMM: 4},
			{Nodes: [2]int32{0, -1}, AnchorMM: r3.Vec{Z: 1e4}, Curve: []SpringPoint{{0, 0}, {0.5, 0.25}, {1, 4}}}, // −4·0.5 + … = −3 + 0.25 + …
		}, r3.Vec{X: 0.25, Y: 0.5, Z: -(3 - 0.25 + 0.5*7.5) / (4 + 7.5)}},
		"slack": {[]Spring{
			{Nodes: [2]int32{0, -1}, StiffnessNPerMM: 4},
			{Nodes: [2]int32{0, -1}, AnchorMM: r3.Vec{Z: -1e4}, StiffnessNPerMM: 1, TensionOnly: true},
		}, r3.Vec{X: 0.25, Y: 0.5, Z: -0.75}},
	} {
		mod := &Model{Mesh: points(r3.Vec{}), Springs: c.s, Forces: []NodalForce{{0, r3.Vec{X: 1, Y: 2, Z: -3}}}}
		f, _ := solve(t, mod, Settings{ResidualTol: 1e-9})
		if e := r3.Norm(r3.Sub(f.U[0], c.want)); e > 1e-4 { // a line of 1e4 mm turns a little
			t.Errorf("%s: %v, want %v", name, f.U[0], c.want)
		}
	}
}

// Two bars from (±b, 0) to an apex at height h that is pushed through: the
// force is 2·N(l)·y/l with the bars' own law (von Mises truss).
func TestTrussPushedThrough(t *testing.T) {
	const b, h, e, area = 10.0, 4.0, 200.0, 0.5
	rest := math.Hypot(b, h)
	for strain, law := range map[TrussStrain]func(l float64) float64{
		GreenStrain: func(l float64) float64 { x := l / rest; return e * area * x * (x*x - 1) / 2 },
		LogStrain:   func(l float64) float64 { return e * area * math.Log(l/rest) * rest / l },
	} {
		m := points(r3.Vec{X: -b}, r3.Vec{X: b}, r3.Vec{Z: h})
		mod := &Model{Mesh: m, Prescribed: append(held(0, 1), Prescribed{2, 1, 0}, Prescribed{2, 2, -2.2 * h})}
		for i := range int32(2) {
			mod.Trusses = append(mod.Trusses, Truss{Nodes: [2]int32{i, 2}, AreaMM2: area, EMPa: e, Strain: strain})
		}
		_, err := Solve(context.Background(), mod, Settings{Steps: 11}, func(f *Frame) error {
			y := h + f.U[2].Z
			l := math.Hypot(b, y)
			want := 2 * law(l) * y / l
			if math.Abs(f.ReactionN[2].Z-want) > 1e-9*e*area {
				t.Errorf("strain %d, y = %.2f: %v N, want %v", strain, y, f.ReactionN[2].Z, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// catenary is the sag in the middle of an elastic cable of unstretched length
// l, stiffness ea (N) and weight w (N per unstretched mm) between two places of
// one height a distance apart (Irvine, Cable Structures, 1981, §1.4):
// x(s) = H·s/EA + H/w·(asinh(V/H) − asinh((V−ws)/H)), V = wl/2,
// z(l/2) = w·l²/(8·EA) + H/w·(√(1+(V/H)²) − 1).
func catenary(l, ea, w, apart float64) (sag, tension float64) {
	v := w * l / 2
	span := func(h float64) float64 { return h*l/ea + 2*h/w*math.Asinh(v/h) }
	lo, hi := 1e-9*ea, ea
	for range 200 {
		if mid := (lo + hi) / 2; span(mid) < apart {
			lo = mid
		} else {
			hi = mid
		}
	}
	return w*l*l/(8*ea) + lo/w*(math.Hypot(1, v/lo)-1), lo
}

// A hanging cable as a chain of springs, tight before its weight comes: the
// error falls with the square of the link.
func TestHangingCable(t *testing.T) {
	const l, ea, w, span = 100.0, 50.0, 0.02, 100.5
	sag, h := catenary(l, ea, w, span)
	var errs []float64
	for _, n := range []int{8, 16, 32} {
		m := points()
		mod := &Model{Mesh: m, Prescribed: held(0, int32(n))}
		for i := range n + 1 {
			m.Nodes = append(m.Nodes, r3.Vec{X: span * float64(i) / float64(n)})
			if i > 0 {
				mod.Springs = append(mod.Springs, Spring{Nodes: [2]int32{int32(i - 1), int32(i)}, StiffnessNPerMM: ea * float64(n) / l, RestMM: l / float64(n), TensionOnly: true})
			}
			mod.Forces = append(mod.Forces, NodalForce{int32(i), r3.Vec{Z: -w * l / float64(n)}})
		}
		f, _ := solve(t, mod, Settings{ResidualTol: 1e-11})
		errs = append(errs, math.Abs(-f.U[n/2].Z-sag))
		if r := f.ReactionN[0]; n == 32 && (math.Abs(r.X/-h-1) > 2e-3 || math.Abs(r.Z-w*l/2) > 1e-9*w*l+w*l/64) {
			t.Errorf("pull at the end %v N, want %v and %v", r, -h, w*l/2)
		}
	}
	t.Logf("sag %.5f mm, errors %.2e", sag, errs)
	if rate := math.Log2(errs[0]/errs[2]) / 2; math.Abs(rate-2) > 0.1 || errs[2] > 2e-3*sag {
		t.Errorf("sag %.5f mm, errors %.3g, rate %.2f, want 2", sag, errs, rate)
	}
}

// The weight of a cable of trusses is what its ends carry.
func TestTrussWeight(t *testing.T) {
	m := points(r3.Vec{}, r3.Vec{X: 10}, r3.Vec{X: 20})
	mod := &Model{Mesh: m, Prescribed: held(0, 2), GravityChange: r3.Vec{Z: -9810}}
	for i := range int32(2) {
		mod.Trusses = append(mod.Trusses, Truss{Nodes: [2]int32{i, i + 1}, AreaMM2: 2, EMPa: 100, RestMM: 9.9, TensionOnly: true, DensityTPerMM3: 1e-6})
	}
	f, _ := solve(t, mod, Settings{ResidualTol: 1e-12})
	if up, want := f.ReactionN[0].Z+f.ReactionN[2].Z, 2*9.9*2*1e-6*9810; math.Abs(up/want-1) > 1e-9 {
		t.Errorf("%v N, want %v", up, want)
	}
}

func TestFoundationForceAndTangent(t *testing.T) {
	m := brickMesh(1, 1, 1, 10, 10, 10).Quadratic()
	for i := range m.Nodes {
		m.Nodes[i].Z += 0.3 * math.Sin(float64(i))
	}
	mod := &Model{Mesh: m, Regions: one(must(material.NewNeoHookean(1, 0.4)))}
	mod.Foundations = []Foundation{{Faces: boundaryFaces(m), NormalMPaPerMM: 2, TangentMPaPerMM: 0.5}}
	sys := must(newSystem(mod, must(Settings{}.withDefaults())))
	checkTerm(t, "foundation", sys, sys.terms[0], wavy(sys.n, 0.7), clock{s: 0.6}, 1e-8)
}

// A block that only its bed holds sinks by p/k under the pressure p and slides
// by τ/k under the shear τ; without a tangent stiffness it is free to slide.
func TestFoundationHolds(t *testing.T) {
	m := brickMesh(2, 2, 2, 10, 10, 10).Quadratic()
	mod := &Model{Mesh: m, Regions: one(must(material.NewNeoHookean(100, 0.3)))}
	bottom := facesOf(m, func(p r3.Vec) bool { return p.Z == 0 })
	mod.Foundations = []Foundation{{Faces: bottom, NormalMPaPerMM: 2e-3, TangentMPaPerMM: 4e-3}}
	for _, f := range bottom { // loads where the bed is: the block stays straight
		mod.Loads = append(mod.Loads, FaceLoad{Face: f, TractionMPa: r3.Vec{X: 2e-4, Z: -1e-4}})
	}
	f, _ := solve(t, mod, Settings{Steps: 1, ResidualTol: 1e-12})
	for v, u := range f.U {
		if e := r3.Norm(r3.Sub(u, r3.Vec{X: 0.05, Z: -0.05})); e > 1e-9 {
			t.Fatalf("node %d moves by %v", v, u)
		}
	}
	mod.Foundations[0].TangentMPaPerMM = 0
	_, err := Solve(context.Background(), mod, Settings{}, nil)
	if free, ok := err.(*UnconstrainedError); !ok || len(free.Modes) != 3 {
		t.Errorf("error %v", err)
	}
}

// A long beam on a soft bed with a force in the middle (Hetényi 1946, §3):
// w(0) = P·β/(2k), β⁴ = k/(4EI); ν = 0 and h·β = 0.05, so that shear is worth
// 0.05 %. Half of it with symmetry.
func TestBeamOnElasticFoundation(t *testing.T) {
	const e, beta, length, p = 1000.0, 0.05, 120.0, 0.01
	const k = 4 * e / 12 * beta * beta * beta * beta // N/mm², width 1 mm
	m := brickMesh(60, 1, 1, length, 1, 1).Quadratic()
	law := must(material.NewLinear(e, 0))
	mod := &Model{Mesh: m, Regions: one(law), Prescribed: symmetric(m, 0, 1)}
	var end []int32
	for i, x := range m.Nodes {
		if x.X == 0 {
			end = append(end, int32(i))
		}
	}
	for _, f := range facesOf(m, func(x r3.Vec) bool { return x.X == 0 }) {
		mod.Loads = append(mod.Loads, FaceLoad{Face: f, TractionMPa: r3.Vec{Z: -p / 2}})
	}
	mod.Foundations = []Foundation{{Faces: facesOf(m, func(x r3.Vec) bool { return x.Z == 0 }), NormalMPaPerMM: k}}
	f, _ := solve(t, mod, Settings{Steps: 1, ResidualTol: 1e-9})
	var w float64
	for _, v := range end {
		w -= f.U[v].Z / float64(len(end))
	}
	want := p * beta / (2 * k)
	t.Logf("w(0) = %.6f mm, closed form %.6f (%.3f %%)", w, want, 100*(w/want-1))
	if math.Abs(w/want-1) > 2e-3 {
		t.Errorf("w(0) = %v mm, want %v", w, want)
	}
}

// Springs hold a block if there are enough of them; one that is taken away
// lets its force fade.
func TestSpringsHoldAndLetGo(t *testing.T) {
	m := brickMesh(1, 1, 1, 10, 10, 10)
	mod := &Model{Mesh: m, Regions: one(must(material.NewNeoHookean(1, 0.3)))}
	add := func(v int32, d r3.Vec) {
		mod.Springs = append(mod.Springs, Spring{Nodes: [2]int32{v, -1}, AnchorMM: r3.Add(m.Nodes[v], r3.Scale(50, d)), StiffnessNPerMM: 1})
	}
	add(0, r3.Vec{X: -1})
	add(0, r3.Vec{Y: -1})
	add(0, r3.Vec{Z: -1})
	add(1, r3.Vec{Y: -1})
	add(1, r3.Vec{Z: -1})
	mod.Forces = []NodalForce{{1, r3.Vec{Y: 0.1}}}
	_, err := Solve(context.Background(), mod, Settings{}, nil)
	if free, ok := err.(*UnconstrainedError); !ok || len(free.Modes) != 1 || free.Modes[0] != "rotation about x" {
		t.Errorf("error %v", err)
	}
	add(2, r3.Vec{Z: -1})
	add(1, r3.Vec{Y: 1})
	mod.Springs[6].Name = "second"
	mod.Stages = []Stage{{Steps: 1}, {Detach: []string{"second"}, Steps: 2}}
	var uy []float64
	_, err = Solve(context.Background(), mod, Settings{ResidualTol: 1e-10}, func(f *Frame) error {
		uy = append(uy, f.U[1].Y)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Two springs, then one; the block itself (μ = 1 MPa) hardly gives.
	t.Logf("%.5f mm", uy)
	if math.Abs(uy[1]-0.05) > 2e-3 || math.Abs(uy[2]-0.075) > 2e-3 || math.Abs(uy[3]-0.1) > 3e-3 {
		t.Errorf("moved by %v mm, want about 0.05, 0.075, 0.1", uy[1:])
	}
}

func TestSpringInput(t *testing.T) {
	m := brickMesh(1, 1, 1, 10, 10, 10)
	for name, change := range map[string]func(*Model){
		"node":      func(m *Model) { m.Springs = []Spring{{Nodes: [2]int32{0, 99}, StiffnessNPerMM: 1}} },
		"same":      func(m *Model) { m.Springs = []Spring{{Nodes: [2]int32{3, 3}, StiffnessNPerMM: 1}} },
		"stiffness": func(m *Model) { m.Springs = []Spring{{Nodes: [2]int32{0, 1}, StiffnessNPerMM: -1}} },
		"rest":      func(m *Model) { m.Springs = []Spring{{Nodes: [2]int32{0, 1}, StiffnessNPerMM: 1, RestMM: math.NaN()}} },
		"anchor": func(m *Model) {
			m.Springs = []Spring{{Nodes: [2]int32{0, -1}, StiffnessNPerMM: 1, AnchorMM: r3.Vec{X: math.Inf(1)}}}
		},
		"curve":       func(m *Model) { m.Springs = []Spring{{Nodes: [2]int32{0, 1}, Curve: []SpringPoint{{0, 0}, {0, 1}}}} },
		"short curve": func(m *Model) { m.Springs = []Spring{{Nodes: [2]int32{0, 1}, Curve: []SpringPoint{{0, 0}}}} },
		"truss area":  func(m *Model) { m.Trusses = []Truss{{Nodes: [2]int32{0, 1}, EMPa: 1}} },
		"truss node":  func(m *Model) { m.Trusses = []Truss{{Nodes: [2]int32{0, -1}, EMPa: 1, AreaMM2: 1}} },
		"strain":      func(m *Model) { m.Trusses = []Truss{{Nodes: [2]int32{0, 1}, EMPa: 1, AreaMM2: 1, Strain: 9}} },
		"no faces":    func(m *Model) { m.Foundations = []Foundation{{NormalMPaPerMM: 1}} },
		"no face":     func(m *Model) { m.Foundations = []Foundation{{Faces: [][3]int32{{0, 1, 99}}, NormalMPaPerMM: 1}} },
		"soft":        func(m *Model) { m.Foundations = []Foundation{{Faces: [][3]int32{{0, 1, 3}}}} },
	} {
		mod := &Model{Mesh: m, Regions: one(must(material.NewNeoHookean(1, 0.3))), Prescribed: prescribe(m, func(p r3.Vec) bool { return p.X == 0 }, still)}
		change(mod)
		if _, err := Solve(context.Background(), mod, Settings{}, nil); !isType[*InputError](err) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
