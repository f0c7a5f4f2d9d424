package vessel

import (
	"context"
	"testing"
	"time"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

func TestPhantomTrees(t *testing.T) {
	for _, c := range []struct {
		seed    uint64
		system  imaging.Label
		spacing [3]float64
		turn    r3.Rotation
	}{
		{1, imaging.LabelPortalVein, [3]float64{1, 1, 1}, r3.Rotation{Real: 1}},
		{1, imaging.LabelPortalVein, [3]float64{0.74, 0.74, 1.6}, r3.Rotation{Real: 1}},
		{1, imaging.LabelHepaticVein, [3]float64{1, 1, 1}, r3.NewRotation(0.7, r3.Vec{X: 1, Y: 2, Z: 3})},
		{2, imaging.LabelPortalVein, [3]float64{0.75, 0.75, 0.75}, r3.NewRotation(0.4, r3.Vec{X: 1, Y: -2, Z: 0.5})},
		{2, imaging.LabelHepaticVein, [3]float64{0.8, 0.8, 1.2}, r3.NewRotation(1.1, r3.Vec{X: 3, Y: 2, Z: -1})},
		{3, imaging.LabelPortalVein, [3]float64{1.2, 1.2, 1.2}, r3.NewRotation(2, r3.Vec{X: -1, Y: 2, Z: -1})},
	} {
		vox := max(c.spacing[0], c.spacing[1], c.spacing[2])
		truth := truthOf(liverOf(c.seed), c.system, 1.5*vox)
		g := around(c.spacing, c.turn, truth)
		mask := paint(g, nil, truth)
		start := time.Now()
		got, rep, err := Extract(context.Background(), g, mask, Options{System: c.system, Roots: starts(truth)})
		if err != nil {
			t.Fatal(err)
		}
		s := compare(t, got, truth)
		t.Logf("seed %d %v %v: %v; %v; loops %d pieces %d dropped %d stray %.1f ml lumen %.1f ml, grid %v %v", c.seed, c.system, c.spacing, s, time.Since(start), rep.Loops, rep.Pieces, rep.Dropped, rep.StrayMM3/1000, rep.LumenMM3/1000, g.Size, len(got.Branches))
	}
}
