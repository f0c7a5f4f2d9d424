package series

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// TestParallelLatticesAgreeWithPoints compares resampling along the axes with
// the interpolation point by point, for lattices of other spacings, orders,
// directions and places.
func TestParallelLatticesAgreeWithPoints(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(8, 3))
	for range 30 {
		from := imaging.NewGrid([3]int{9 + rng.IntN(8), 7 + rng.IntN(8), 6 + rng.IntN(8)}, r3.Vec{X: 3, Y: -4, Z: 5}, [3]float64{0.5 + rng.Float64(), 0.5 + rng.Float64(), 1 + rng.Float64()})
		base := imaging.NewGrid([3]int{5 + rng.IntN(20), 5 + rng.IntN(20), 5 + rng.IntN(20)},
			r3.Add(from.Origin, r3.Vec{X: 6*rng.Float64() - 3, Y: 6*rng.Float64() - 3, Z: 6*rng.Float64() - 3}),
			[3]float64{0.3 + 2*rng.Float64(), 0.3 + 2*rng.Float64(), 0.3 + 2*rng.Float64()})
		axis := rng.Perm(3)
		to := imaging.Reorder{Axis: [3]int{axis[0], axis[1], axis[2]}, Flip: [3]bool{rng.IntN(2) == 0, rng.IntN(2) == 0, rng.IntN(2) == 0}}.Grid(base)
		mask := make([]bool, from.Len())
		for n := range mask {
			i, j, k := from.IJK(n)
			mask[n] = math.Sin(float64(i)*0.7)+math.Cos(float64(j)*0.9)+math.Sin(float64(k)*0.8) > 0.2
		}
		p := place(from, to)
		axes, ok := p.separate()
		if p.exact || !ok {
			t.Fatalf("exact %v, parallel %v", p.exact, ok)
		}
		got := make([]uint32, to.Len())
		voxels, set, cut, err := p.putSeparate(ctx, got, 4, mask, axes)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]uint32, to.Len())
		wantSet, err := p.resample(ctx, want, 4, mask)
		if err != nil {
			t.Fatal(err)
		}
		wantVoxels, wantCut := 0, 0
		for n, m := range mask {
			if !m {
				continue
			}
			wantVoxels++
			i, j, k := from.IJK(n)
			a, b, c := to.Voxel(from.Point(float64(i), float64(j), float64(k)))
			if !(a >= -0.5 && b >= -0.5 && c >= -0.5 && a < float64(to.Size[0])-0.5 && b < float64(to.Size[1])-0.5 && c < float64(to.Size[2])-0.5) {
				wantCut++
			}
		}
		if voxels != wantVoxels || cut != wantCut {
			t.Errorf("%d voxels, %d cut; want %d and %d", voxels, cut, wantVoxels, wantCut)
		}
		// Sums of rounded weights may fall on the other side of one half where
		// the point by point sum is within rounding of it.
		differ := 0
		for n := range got {
			if got[n] != want[n] {
				differ++
			}
		}
		if differ > to.Len()/1000 || math.Abs(float64(set-wantSet)) > float64(to.Len())/1000 {
			t.Errorf("%d of %d voxels differ, %d and %d set", differ, to.Len(), set, wantSet)
		}
	}
	// Turned by a degree it is none of its cases.
	from := cube(2)
	c, s := math.Cos(0.02), math.Sin(0.02)
	from.Axes[0], from.Axes[1] = r3.Vec{X: 2 * c, Y: 2 * s}, r3.Vec{X: -2 * s, Y: 2 * c}
	p := place(from, cube(1))
	if _, ok := p.separate(); ok {
		t.Error("turned lattices pass for parallel")
	}
}
