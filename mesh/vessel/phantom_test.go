package vessel

import (
	"context"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// TestPhantomTrees compares trees with the exact ones they were painted from,
// cut to the branches of at least 1.5 voxels (of the longest side): on grids of
// several spacings and turned any way.
func TestPhantomTrees(t *testing.T) {
	for _, c := range []struct {
		seed    uint64
		system  imaging.Label
		spacing [3]float64
		turn    r3.Rotation
	}{
		{1, imaging.LabelPortalVein, [3]float64{1, 1, 1}, r3.Rotation{Real: 1}},
		{1, imaging.LabelHepaticVein, [3]float64{1, 1, 1}, r3.Rotation{Real: 1}},
		{6, imaging.LabelHepaticVein, [3]float64{1, 1, 1}, r3.Rotation{Real: 1}}, // two roots overlap
		{1, imaging.LabelPortalVein, [3]float64{0.74, 0.74, 1.6}, r3.Rotation{Real: 1}},
		{2, imaging.LabelPortalVein, [3]float64{0.75, 0.75, 0.75}, r3.NewRotation(0.4, r3.Vec{X: 1, Y: -2, Z: 0.5})},
		{2, imaging.LabelHepaticVein, [3]float64{0.8, 0.8, 1.2}, r3.NewRotation(1.1, r3.Vec{X: 3, Y: 2, Z: -1})},
		{3, imaging.LabelPortalVein, [3]float64{1.2, 1.2, 1.2}, r3.NewRotation(2, r3.Vec{X: -1, Y: 2, Z: -1})},
	} {
		vox := max(c.spacing[0], c.spacing[1], c.spacing[2])
		truth := truthOf(liverOf(c.seed), c.system, 1.5*vox)
		g := around(c.spacing, c.turn, truth)
		got, rep, err := Extract(context.Background(), g, paint(g, nil, truth), Options{System: c.system, Roots: starts(truth)})
		if err != nil {
			t.Fatal(err)
		}
		s := compare(t, got, truth)
		t.Logf("seed %d %v %v: %v; loops %d, stray %.2f ml", c.seed, c.system, c.spacing, s, rep.Loops, rep.StrayMM3/1000)
		if s.Missing+s.Extra > 0 {
			t.Errorf("seed %d %v %v: %d branches missing, %d extra", c.seed, c.system, c.spacing, s.Missing, s.Extra)
		}
		if s.MeanMM > 0.5*vox || s.BackMM > 0.5*vox {
			t.Errorf("seed %d %v %v: centreline %.3f and %.3f mm off", c.seed, c.system, c.spacing, s.MeanMM, s.BackMM)
		}
		mean := 0.0
		for _, d := range s.JointsMM {
			mean += d / float64(len(s.JointsMM))
		}
		if worst := s.JointsMM[len(s.JointsMM)-1]; mean > 0.4*vox || worst > 3*vox {
			t.Errorf("seed %d %v %v: joints %.2f mm off on average, %.1f at worst", c.seed, c.system, c.spacing, mean, worst)
		}
		if s.RadiusMean() > 0.015 || s.RadiusQuantile(0.95) > 0.04 {
			t.Errorf("seed %d %v %v: branch radius off by %.1f %% on average, %.1f %% at p95", c.seed, c.system, c.spacing, 100*s.RadiusMean(), 100*s.RadiusQuantile(0.95))
		}
	}
}

// TestSameBits runs one case twice; nothing may depend on the order of maps or
// on the number of cores.
func TestSameBits(t *testing.T) {
	truth := truthOf(liverOf(3), imaging.LabelPortalVein, 2.4)
	g := around([3]float64{1.2, 1.2, 1.6}, r3.Rotation{Real: 1}, truth)
	mask := paint(g, nil, truth)
	var first *Tree
	for range 2 {
		got, _, err := Extract(context.Background(), g, mask, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
			continue
		}
		for n := range got.Branches {
			for m, p := range got.Branches[n].Points {
				if p != first.Branches[n].Points[m] || got.Branches[n].RadiusMM[m] != first.Branches[n].RadiusMM[m] {
					t.Fatalf("branch %d point %d differs", n, m)
				}
			}
		}
	}
}
