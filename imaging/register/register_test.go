package register

import (
	"context"
	"math"
	"testing"
)

// The phantom CT turned by up to ±15° and shifted by up to 30 mm comes back
// within a fifth of a voxel (8 mm); the issue asks for half.
func TestRigidFindsKnownMoves(t *testing.T) {
	fixed := fixedScan(t, fixedGrid(8))
	var sum, worst float64
	const seeds = 20
	for seed := range uint64(seeds) {
		truth := randomRigid(seed, 15, 30)
		got, rep, err := Rigid(context.Background(), fixed, scan(t, movingGrid(fixed.Grid), truth), Options{Samples: 10000})
		if err != nil {
			t.Fatalf("seed %d: %v (%+v)", seed, err, rep)
		}
		mean, most := targetError(fixed, tissue, got, truth)
		sum += mean
		worst = math.Max(worst, most)
		if mean > 0.2*8 {
			t.Errorf("seed %d: off by %.2f mm on the mean, %.2f mm at most (%+v)", seed, mean, most, rep)
		}
		if mean > rep.MaxErrorMM*2+0.1 {
			t.Errorf("seed %d: stated error %.2f/%.2f mm, true %.2f mm", seed, rep.MeanErrorMM, rep.MaxErrorMM, mean)
		}
		if !got.IsRigid() {
			t.Errorf("seed %d: not rigid: %v", seed, got)
		}
	}
	t.Logf("%d moves, 8 mm voxels: mean error %.3f mm, greatest %.3f mm", seeds, sum/seeds, worst)
}
