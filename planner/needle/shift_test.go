package needle

import (
	"context"
	"math"
	"testing"

	"halsted/imaging"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// Small forces move the target as the linear theory says; the first-order shift
// is linear in the force and, where nothing else holds the organ, inverse to the
// stiffness; a thinner bed holds more.
func TestShiftOfTheTarget(t *testing.T) {
	c := closedCase(t)
	p := planOf(c, r3.Vec{X: -14, Y: -42}, r3.Vec{})
	in := c.Inputs()
	get := func(change func(x []float64)) (shift, puncture planner.Value) {
		x := planner.Medians(in)
		change(x)
		o, err := c.Simulate(context.Background(), p, planner.L2, x)
		if err != nil {
			t.Fatal(err)
		}
		shift, ok := o.Value("target_shift_mm")
		puncture, ok2 := o.Value("puncture_shift_mm")
		if !ok || !ok2 || shift.Solution == nil || puncture.Solution == nil {
			t.Fatal("no shift, or one without its solution")
		}
		return shift, puncture
	}
	base, push := get(func([]float64) {})
	if !(base.V > 0.2 && base.V < 20) || !(push.V > 0.2 && push.V < 20) {
		t.Fatalf("shift %.2f mm, before puncture %.2f mm", base.V, push.V)
	}
	for _, v := range []planner.Value{base, push} {
		if !(v.Solution.Residual <= 1e-6) || !(v.Solution.MeshError < 0.15*v.V) || v.Solution.MeshError == 0 {
			t.Errorf("%s = %.3f: residual %g, mesh error %g", v.ID, v.V, v.Solution.Residual, v.Solution.MeshError)
		}
	}
	near := func(name string, got, want float64) {
		if math.Abs(got-want) > 1e-4*want {
			t.Errorf("%s: %.6f mm, want %.6f mm", name, got, want)
		}
	}
	more, q := get(func(x []float64) { x[inFriction] *= 1.5; x[inTipForce] *= 1.5; x[inPuncture] *= 3 })
	near("three times the puncture force", q.V, 3*push.V)
	if !(more.V > 1.2*base.V && more.V < 1.8*base.V) {
		t.Errorf("one and a half times the force: %.3f mm, once %.3f mm", more.V, base.V)
	}
	little, _ := get(func(x []float64) { x[inFriction] *= 1e-3; x[inTipForce] *= 1e-3 })
	thin, _ := get(func(x []float64) { x[inBed] = 0 })
	thick, _ := get(func(x []float64) { x[inBed] = 2 })
	if !(thin.V < base.V && base.V < thick.V) {
		t.Errorf("in 5, 10 and 20 mm of fat the target moves %.2f, %.2f and %.2f mm", thin.V, base.V, thick.V)
	}
	// the linear answers in the bed, and without
	sh := newShaft(&c.Grid, p.Needles[0].Tip, p.Needles[0].Entry)
	u := make([]r3.Vec, len(c.shift.coarse.m.Nodes))
	c.shift.coarse.capsule = nil
	f, err := c.factor(context.Background(), c.shift.coarse, planner.Medians(in)[inShear]/1000, planner.Medians(in)[inRatio], 10.0001)
	if err != nil {
		t.Fatal(err)
	}
	loads, _ := c.needleLoads(c.shift.coarse, &sh, planner.Medians(in))
	if _, err := f.prepared.Solve(context.Background(), u, &loads[0], 1e-10); err != nil {
		t.Fatal(err)
	}
	if linear := r3.Norm(c.shift.coarse.moved(u)); math.Abs(1000*little.V-linear) > 0.03*linear { // 1 % of the capsule holds too
		t.Errorf("a thousandth of the force moves the target by %.6f mm, the linear theory says %.6f mm", little.V, linear/1000)
	}
	var moved [2]float64
	for n, mu := range []float64{0.9e-3, 1.8e-3} {
		f, err := c.factor(context.Background(), c.shift.coarse, mu, 4, math.Inf(1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.prepared.Solve(context.Background(), u, &loads[0], 1e-10); err != nil {
			t.Fatal(err)
		}
		moved[n] = r3.Norm(c.shift.coarse.moved(u))
	}
	near("twice as stiff, without a bed", moved[1], moved[0]/2)
}

// The mean of the shape functions over the target is a mean: it gives back
// linear displacements at the target's centre.
func TestMeanOverTheTarget(t *testing.T) {
	c := closedCase(t)
	o, err := c.newOrganMesh(context.Background(), coarseEdgeMM)
	if err != nil {
		t.Fatal(err)
	}
	u := make([]r3.Vec, len(o.m.Nodes))
	for n, p := range o.m.Nodes {
		u[n] = r3.Vec{X: 1 + 0.1*p.Y, Y: 0.2*p.X - 2, Z: 0.05 * p.Z}
	}
	want := r3.Vec{X: 1 + 0.1*c.centre.Y, Y: 0.2*c.centre.X - 2, Z: 0.05 * c.centre.Z}
	if got := o.moved(u); dist(got, want) > 0.05 {
		t.Errorf("mean %v, at the centre %v", got, want)
	}
	vol := 0.0
	for e, v := range o.m.Tets {
		a, b, d, f := o.m.Nodes[v[0]], o.m.Nodes[v[1]], o.m.Nodes[v[2]], o.m.Nodes[v[3]]
		vol += o.target[e] * r3.Dot(r3.Sub(b, a), r3.Cross(r3.Sub(d, a), r3.Sub(f, a))) / 6
	}
	if want := 4 * math.Pi / 3 * tumourRadius * tumourRadius * tumourRadius; math.Abs(vol-want) > 0.15*want {
		t.Errorf("the elements' shares make %.0f mm³ of target, want %.0f", vol, want)
	}
	if len(o.held) < 3*leastHeld {
		t.Errorf("%d components are held", len(o.held))
	}
}

// Without a vena cava the organ is held at the back.
func TestShiftWithoutAVenaCava(t *testing.T) {
	c := newCase(t, without(imaging.LabelVenaCava), Config{Candidates: 5000, SkinMM: 3})
	o, err := c.Simulate(context.Background(), planOf(c, r3.Vec{X: -14, Y: -42}, r3.Vec{}), planner.L2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := o.Value("target_shift_mm"); !ok || !(v.V > 0 && v.V < 30) {
		t.Errorf("shift %v", v)
	}
	// a needle beside the organ moves nothing that could be told
	if _, err := c.Simulate(context.Background(), planOf(c, r3.Vec{X: -44}, r3.Vec{X: -36}), planner.L2, nil); err == nil {
		t.Error("a needle outside the organ has a shift")
	}
}
