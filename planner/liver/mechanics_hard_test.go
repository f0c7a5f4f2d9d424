package liver

import (
	"context"
	"math"
	"slices"
	"testing"

	"halsted/imaging"
	"halsted/planner"
)

// hardSamples are the corners of the inputs that are hardest to solve: the
// softest liver of two hundred, under a capsule of the median and under the
// stiffest, for every boundary condition.
func hardSamples(t testing.TB) []MechanicalSample {
	in := MechanicalInputs()
	x := medians(t)
	var out []MechanicalSample
	for b := range Boundary(len(boundaryShare)) {
		x.Boundary = b
		for _, q := range []float64{0.5, 0.995} {
			x.ShearKPa, x.CapsuleMPa = in[0].Spread.Quantile(0.005), in[2].Spread.Quantile(q)
			out = append(out, x)
		}
	}
	return out
}

// Hard samples converge on the sample patient at the mesh for ranking, to the
// same bits in whatever order they are asked for, and where a solve starts does
// not change what it finds.
func TestHardSamplesConverge(t *testing.T) {
	ctx := context.Background()
	a, p := phantomCase()
	r, err := a.Resect(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.prepare(ctx, r, planner.L2, []int{startDOF, rankingDOF}, 1)
	if err != nil {
		t.Fatal(err)
	}
	again := &Mechanics{Plan: m.Plan, Level: m.Level, body: m.body, median: m.median, gap: m.gap, slots: m.slots}
	again.start[BoundaryMobilised].guess = m.median.states
	samples := hardSamples(t)
	got := make([][]planner.Value, len(samples))
	for i, x := range samples {
		if got[i], err = m.Sample(ctx, x); err != nil {
			t.Fatalf("%+v: %v", x, err)
		}
	}
	const last, softStiff = 5, 1
	v, err := again.Sample(ctx, samples[last])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(v, got[last], func(x, y planner.Value) bool { return x.ID == y.ID && x.V == y.V && *x.Solution == *y.Solution }) {
		t.Errorf("%+v: %v asked first, %v asked last", samples[last], v, got[last])
	}
	cold, err := m.body.solve(ctx, samples[softStiff], nil, coldSteps)
	if err != nil {
		t.Fatalf("%+v without a guess: %v", samples[softStiff], err)
	}
	for k, q := range got[softStiff] {
		if math.Abs(q.V-cold.values[k]) > 0.005*math.Abs(q.V)+1e-6 {
			t.Errorf("%+v: %s is %.5g with a guess, %.5g without", samples[softStiff], q.ID, q.V, cold.values[k])
		}
	}
}

// No element hangs on its side of the cut by one face and touches the other side
// with more, and taking those away moves next to nothing.
func TestNoElementHangsByOneFace(t *testing.T) {
	ctx := context.Background()
	a, p := phantomCase()
	r, err := a.Resect(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	o, err := a.meshOrgan(ctx, r, 18, halved{1, 1}, false)
	if err != nil {
		t.Fatal(err)
	}
	next := o.Neighbours()
	for e, l := range o.Region {
		own, other := 0, 0
		for _, n := range next[e] {
			if n >= 0 && resectedRegion(o.Region[n]) == resectedRegion(l) {
				own++
			} else if n >= 0 {
				other++
			}
		}
		if own <= 1 && other > own {
			t.Errorf("element %d of %v has %d neighbours on its side and %d on the other", e, l, own, other)
		}
	}
	all := o.VolumeMM3(func(imaging.Label) bool { return true })
	if left := o.VolumeMM3(func(l imaging.Label) bool { return !resectedRegion(l) }); math.Abs(left-r.RemnantMM3) > 0.01*all {
		t.Errorf("the mesh of the remnant has %.0f mm³, the remnant %.0f mm³", left, r.RemnantMM3)
	}
}
