package fem

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// A plate presses a block of 10 mm, E = 10 kPa, by a tenth of its height:
// F = E·A/10.
func ExampleSolve_contact() {
	m := &Model{Mesh: brickMesh(2, 2, 2, 10, 10, 10), Regions: one(must(material.NewLinear(0.01, 0.3)))}
	rollers(m, func(p r3.Vec) bool { return p.X == 0 }, func(p r3.Vec) bool { return p.Y == 0 }, atZ(0))
	m.Contacts = []Contact{{
		Name: "plate", Faces: facesOf(m.Mesh, atZ(10)), GapToleranceMM: 1e-6,
		Obstacle: &Obstacle{Shape: Plane{AtMM: r3.Vec{Z: 10}, Normal: r3.Vec{Z: -1}}, MoveMM: []r3.Vec{{Z: -1}}},
	}}
	var last *Frame
	if _, err := Solve(context.Background(), m, Settings{}, func(f *Frame) error { last = f; return nil }); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.4f N on the plate\n", last.Contacts[0].ForceN.Z)
	// Output: 0.1000 N on the plate
}

// Uniform pressure crosses meshes that do not match: exactly without friction,
// within 5 % with it (points of one side only); the force within 0.1 %.
func TestContactPatch(t *testing.T) {
	for _, c := range []struct {
		fine      int
		quadratic bool
		friction  float64
		two       bool
		tol       float64
	}{
		{5, false, 0, false, 1e-8}, {5, true, 0, false, 1e-8}, {7, false, 0, true, 1e-8}, {3, true, 0, false, 1e-8},
		{5, false, 0.2, false, 0.03}, {5, true, 0.2, false, 0.05},
	} {
		b := stacked(brickMesh(4, 4, 2, 10, 10, 5), brickMesh(c.fine, c.fine, 2, 10, 10, 5), r3.Vec{Z: 5})
		m := &Model{Mesh: b, Regions: both(must(material.NewLinear(0.01, 0.3)))}
		m.Contacts = []Contact{{Name: "pair", Against: facesOn(b, true, atZ(5)), Faces: facesOn(b, false, atZ(5)), Friction: c.friction, TwoPass: c.two, GapToleranceMM: 1e-3}}
		if c.quadratic {
			m.Mesh = b.Quadratic()
		}
		rollers(m, func(p r3.Vec) bool { return p.X == 0 }, func(p r3.Vec) bool { return p.Y == 0 }, atZ(0))
		for i, p := range m.Mesh.Nodes {
			if p.Z == 10 {
				m.Prescribed = append(m.Prescribed, Prescribed{Node: int32(i), Axis: 2, ValueMM: -0.5})
			}
		}
		f, _ := solve(t, m, Settings{Steps: 1, ResidualTol: 1e-9})
		lo, hi := math.Inf(1), 0.0
		for _, s := range f.StressMin {
			lo, hi = min(lo, -s), max(hi, -s)
		}
		if hi-lo > c.tol*hi {
			t.Errorf("%+v: stress from %.6g to %.6g MPa", c, lo, hi)
		}
		if n := -f.Contacts[0].ForceN.Z; math.Abs(n/0.05-1) > 1e-3 {
			t.Errorf("%+v: %g N, want 0.05 N", c, n)
		}
		if a := f.Contacts[0]; c.friction == 0 && math.Abs(a.MaxPressureMPa*a.AreaMM2/0.05-1) > 1e-3 {
			t.Errorf("%+v: %g MPa on %g mm²", c, a.MaxPressureMPa, a.AreaMM2)
		}
	}
}

// A block pressed on a floor and pushed aside slides at T = μN (1e-3), and on
// the way back sticks and unloads as it was loaded: T falls by the same
// stiffness as it rose by.
func TestFriction(t *testing.T) {
	for _, quadratic := range []bool{false, true} {
		const mu = 0.3
		m := &Model{Mesh: brickMesh(3, 3, 2, 10, 10, 6), Regions: one(must(material.NewLinear(0.01, 0.3)))}
		m.Contacts = []Contact{{Name: "floor", Friction: mu, Faces: facesOf(m.Mesh, atZ(0)), Obstacle: &Obstacle{Shape: Plane{Normal: r3.Vec{Z: 1}}}}}
		if quadratic {
			m.Mesh = m.Mesh.Quadratic()
		}
		push := func(x float64) (p []Prescribed) {
			return prescribe(m.Mesh, atZ(6), func(r3.Vec) r3.Vec { return r3.Vec{X: x, Z: -0.3} })
		}
		m.Stages = []Stage{{Prescribed: push(0), Steps: 1}, {Prescribed: push(0.05), Steps: 1}, {Prescribed: push(1.5), Steps: 5}, {Prescribed: push(1.3), Steps: 2}}
		var at []r3.Vec
		_, err := Solve(context.Background(), m, Settings{}, func(f *Frame) error {
			at = append(at, f.Contacts[0].ForceN)
			if f.Stage == 2 && f.TimeS == 3 && f.Contacts[0].Slipping != 1 {
				t.Errorf("%.2f of the floor slides", f.Contacts[0].Slipping)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		stick, slide, back := at[2], at[7], at[9]
		if r := stick.X / -stick.Z; r < 0.01 || r > 0.6*mu {
			t.Errorf("%s: T/N = %g while it should stick", isTet10(m.Mesh), r)
		}
		if r := slide.X / -slide.Z; math.Abs(r/mu-1) > 1e-3 {
			t.Errorf("%s: slides at T/N = %.5f, want %g", isTet10(m.Mesh), r, mu)
		}
		up, down := (at[2].X-at[1].X)/0.05, (slide.X-back.X)/0.2
		if math.Abs(down/up-1) > 0.05 {
			t.Errorf("%s: shear stiffness %.4g N/mm on the way back, %.4g at first", isTet10(m.Mesh), down, up)
		}
	}
}

// A block that lies on a floor by its weight: nothing else holds it, and
// nothing of the springs that stand in stays.
func TestHeldByContactAlone(t *testing.T) {
	const weight = 1.06e-9 * 9810 * 600 // N
	block := func(quadratic bool) *Model {
		m := &Model{Mesh: brickMesh(3, 3, 2, 10, 10, 6), Regions: one(must(material.NewNeoHookean(0.003, 0.45)))}
		m.Contacts = []Contact{{Name: "floor", Faces: facesOf(m.Mesh, atZ(0)), Obstacle: &Obstacle{Shape: Plane{Normal: r3.Vec{Z: 1}}}}}
		if quadratic {
			m.Mesh = m.Mesh.Quadratic()
		}
		m.GravityChange = r3.Vec{Z: -9810}
		return m
	}
	for _, quadratic := range []bool{false, true} {
		f, _ := solve(t, block(quadratic), Settings{Steps: 2})
		if d := r3.Norm(r3.Add(f.Contacts[0].ForceN, r3.Vec{Z: weight})); d > 1e-3*weight {
			t.Errorf("quadratic %v: floor carries %v N of %g N", quadratic, f.Contacts[0].ForceN, weight)
		}
	}
	m := block(false) // a push of 5 % of the weight moves it, unless it rubs
	m.GravityChange.X = 490
	_, err := Solve(context.Background(), m, Settings{Steps: 1, MaxCutbacks: 1}, nil)
	if e, ok := errors.AsType[*NotConvergedError](err); !ok || !strings.Contains(e.Reason, `a body that only contact "floor" holds keeps moving`) {
		t.Errorf("sliding off: %v", err)
	}
	m.Contacts[0].Friction = 0.3
	f, _ := solve(t, m, Settings{Steps: 2})
	if c := f.Contacts[0].ForceN; math.Abs(c.X/(0.05*weight)-490/490.5) > 2e-2 || math.Abs(c.Z/weight+1) > 1e-3 {
		t.Errorf("friction carries %g N, the floor %g N of %g N", c.X, c.Z, weight)
	}
	m = block(false)
	m.Contacts[0].Obstacle.Shape = Plane{AtMM: r3.Vec{Z: -1}, Normal: r3.Vec{Z: 1}}
	if _, err = Solve(context.Background(), m, Settings{}, nil); err == nil || !strings.Contains(err.Error(), "starts 1 mm away") {
		t.Errorf("not touching: %v", err)
	}
}

// A ball comes, presses and goes: the block is as before. Detached, the contact
// lets go in the same way.
func TestContactStages(t *testing.T) {
	m := &Model{Mesh: brickMesh(4, 4, 2, 10, 10, 5), Regions: one(must(material.NewNeoHookean(0.003, 0.4)))}
	m.Prescribed = prescribe(m.Mesh, atZ(0), still)
	m.Contacts = []Contact{{Name: "ball", Faces: facesOf(m.Mesh, atZ(5)), Friction: 0.2, Obstacle: &Obstacle{
		Shape: Sphere{CentreMM: r3.Vec{X: 5.2, Y: 4.7, Z: 10.5}, RadiusMM: 5}, MoveMM: []r3.Vec{{Z: -1}, {Z: 1}, {Z: -1}},
	}}}
	m.Stages = []Stage{{Steps: 2}, {Steps: 2}, {Steps: 2}, {Steps: 1, Detach: []string{"ball"}}}
	var force, moved []float64
	_, err := Solve(context.Background(), m, Settings{ResidualTol: 1e-8}, func(f *Frame) error {
		force = append(force, f.Contacts[0].ForceN.Z)
		var u float64
		for _, v := range f.U {
			u = max(u, r3.Norm(v))
		}
		moved = append(moved, u)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if force[2] < 1e-3 || math.Abs(force[6]/force[2]-1) > 0.02 {
		t.Errorf("%g N pressed first, %g N again", force[2], force[6])
	}
	for _, i := range []int{4, 7} {
		if force[i] != 0 || moved[i] > 1e-6 {
			t.Errorf("frame %d: %g N, moved %g mm; the ball is away", i, force[i], moved[i])
		}
	}
}

// Contact has the same bits for any number of processors.
func TestContactSameBits(t *testing.T) {
	b := stacked(brickMesh(4, 4, 2, 10, 10, 5), brickMesh(5, 5, 2, 10, 10, 5), r3.Vec{X: 1, Z: 5})
	var first *Frame
	for _, friction := range []float64{0, 0.2} {
		first = nil
		for _, procs := range []int{1, 2, 7} {
			old := runtime.GOMAXPROCS(procs)
			m := &Model{Mesh: b.Quadratic(), Regions: both(must(material.NewNeoHookean(0.003, 0.4)))}
			m.Prescribed = append(prescribe(m.Mesh, atZ(0), still), prescribe(m.Mesh, atZ(10), func(r3.Vec) r3.Vec { return r3.Vec{X: 0.1, Y: 0.05, Z: -0.3} })...)
			m.Contacts = []Contact{{Faces: facesOn(b, false, atZ(5)), Against: facesOn(b, true, atZ(5)), Friction: friction, GapToleranceMM: 1e-3}}
			f, _ := solve(t, m, Settings{Steps: 1})
			runtime.GOMAXPROCS(old)
			if first == nil {
				first = f
			} else if !slices.Equal(f.U, first.U) || !slices.Equal(f.Contacts[0].PressureMPa, first.Contacts[0].PressureMPa) {
				t.Errorf("friction %g: %d processors give other bits", friction, procs)
			}
		}
	}
}

func TestContactRefuses(t *testing.T) {
	ball := &Obstacle{Shape: Sphere{CentreMM: r3.Vec{X: 5, Y: 5, Z: 13}, RadiusMM: 3}}
	for _, c := range []struct {
		change func(c *Contact)
		want   string
	}{
		{func(c *Contact) { c.Faces = nil }, "has no faces"},
		{func(c *Contact) { c.Obstacle = nil }, "has nothing to touch"},
		{func(c *Contact) { c.Against = c.Faces }, "both Against and Obstacle"},
		{func(c *Contact) { c.Obstacle, c.Against = nil, c.Faces }, "share node"},
		{func(c *Contact) { c.TwoPass = true }, "TwoPass with an obstacle"},
		{func(c *Contact) { c.Friction = -0.1 }, "friction -0.1"},
		{func(c *Contact) { c.Friction = math.NaN() }, "friction NaN"},
		{func(c *Contact) { c.Penalty = -1 }, "penalty factor -1"},
		{func(c *Contact) { c.GapToleranceMM = math.Inf(1) }, "gap tolerance"},
		{func(c *Contact) { c.Faces = append(c.Faces, c.Faces[0]) }, "are the same"},
		{func(c *Contact) { c.Faces = [][3]int32{{0, 1, 999}} }, "names node 999"},
		{func(c *Contact) { c.Faces = [][3]int32{{0, 1, 26}} }, "no element has a face"},
		{func(c *Contact) { c.Faces = [][3]int32{{0, 13, 1}, {0, 13, 3}, {0, 13, 4}, {0, 13, 9}} }, "between two elements"},
		{func(c *Contact) { c.Obstacle = &Obstacle{} }, "has no shape"},
		{func(c *Contact) { c.Obstacle = &Obstacle{Shape: Sphere{}} }, "radius 0 mm"},
		{func(c *Contact) { c.Obstacle = &Obstacle{Shape: Plane{}} }, "normal that is not zero"},
		{func(c *Contact) { c.Obstacle = &Obstacle{Shape: Cylinder{RadiusMM: 1}} }, "an axis"},
		{func(c *Contact) { c.Obstacle = &Obstacle{Shape: Solid{}} }, "without a surface"},
		{func(c *Contact) { c.Obstacle = &Obstacle{Shape: ball.Shape, MoveMM: make([]r3.Vec, 2)} }, "moves in 2 stages, the model has 1"},
	} {
		m := &Model{Mesh: brickMesh(2, 2, 2, 10, 10, 10), Regions: one(must(material.NewLinear(0.01, 0.3)))}
		m.Prescribed = prescribe(m.Mesh, atZ(0), still)
		m.Contacts = []Contact{{Name: "ball", Faces: facesOf(m.Mesh, atZ(10)), Obstacle: ball}}
		c.change(&m.Contacts[0])
		_, err := Solve(context.Background(), m, Settings{Steps: 1}, nil)
		if in, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(in.Field, "Contacts[0]") {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	m := &Model{Mesh: brickMesh(2, 2, 2, 10, 10, 10), Regions: one(must(material.NewLinear(0.01, 0.3)))}
	m.Prescribed = prescribe(m.Mesh, atZ(0), still)
	m.Contacts = []Contact{{Name: "ball", Faces: facesOf(m.Mesh, atZ(10)), Obstacle: &Obstacle{Shape: Plane{AtMM: r3.Vec{Z: 2}, Normal: r3.Vec{Z: -1}}}}}
	_, err := Solve(context.Background(), m, Settings{Steps: 1}, nil)
	if e, ok := errors.AsType[*ContactError](err); !ok || math.Abs(e.DepthMM-8) > 1e-9 || e.AtMM.Z != 10 {
		t.Errorf("deep overlap: %v", err)
	}
}
