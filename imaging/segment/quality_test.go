package segment_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// Two half-spaces 3 voxels apart: every border voxel is 3 spacings away.
func TestSurfaceDistanceOfParallelPlanes(t *testing.T) {
	g := imaging.NewGrid([3]int{12, 6, 5}, r3.Vec{}, [3]float64{0.75, 1, 2})
	x := func(n int) int { i, _, _ := g.IJK(n); return i }
	s, err := segment.SurfaceDistance(t.Context(), g, func(n int) bool { return x(n) < 4 }, func(n int) bool { return x(n) < 7 })
	if err != nil {
		t.Fatal(err)
	}
	if want := (segment.SurfaceMM{MeanMM: 2.25, P95MM: 2.25, MaxMM: 2.25}); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
}

func TestSurfaceDistanceAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	g := imaging.NewGrid([3]int{9, 8, 7}, r3.Vec{}, [3]float64{0.7, 1.1, 2.3})
	for range 5 {
		var m, border [2][]bool
		for s := range m {
			m[s], border[s] = make([]bool, g.Len()), make([]bool, g.Len())
			for n := range m[s] {
				m[s][n] = rng.Float64() < 0.15
			}
			for n := range m[s] {
				i, j, k := g.IJK(n)
				for _, d := range [][3]int{{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}} {
					if m[s][n] && g.Contains(i+d[0], j+d[1], k+d[2]) && !m[s][g.Index(i+d[0], j+d[1], k+d[2])] {
						border[s][n] = true
					}
				}
			}
		}
		var all []float64
		for s := range border {
			for n, in := range border[s] {
				if !in {
					continue
				}
				best := math.Inf(1)
				for o, in := range border[1-s] {
					if in {
						a, b, c := g.IJK(n)
						x, y, z := g.IJK(o)
						best = min(best, r3.Norm(r3.Vec{X: 0.7 * float64(a-x), Y: 1.1 * float64(b-y), Z: 2.3 * float64(c-z)}))
					}
				}
				all = append(all, best)
			}
		}
		slices.Sort(all)
		sum := 0.0
		for _, d := range all {
			sum += d
		}
		got, err := segment.SurfaceDistance(t.Context(), g, func(n int) bool { return m[0][n] }, func(n int) bool { return m[1][n] })
		if err != nil {
			t.Fatal(err)
		}
		p95 := all[int(math.Ceil(0.95*float64(len(all))))-1]
		if math.Abs(got.MeanMM-sum/float64(len(all))) > 1e-6 || math.Abs(got.P95MM-p95) > 1e-6 || math.Abs(got.MaxMM-all[len(all)-1]) > 1e-6 {
			t.Errorf("%+v, want mean %g, p95 %g, max %g", got, sum/float64(len(all)), p95, all[len(all)-1])
		}
	}
}

func TestDiceAndVolumeError(t *testing.T) {
	g := imaging.NewGrid([3]int{20, 10, 10}, r3.Vec{}, [3]float64{1, 1, 10})
	ours, truth := imaging.NewSegments(g, imaging.LabelLiver), imaging.NewSegments(g, imaging.LabelBody, imaging.LabelLiver)
	for n := range ours.Bits {
		i, _, _ := g.IJK(n)
		if i < 9 {
			ours.Bits[n] = 1
		}
		if i >= 1 && i < 11 {
			truth.Bits[n] = 2
		}
	}
	c, err := segment.Compare(t.Context(), ours, truth, imaging.LabelLiver)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * 8.0 / 19; math.Abs(c.Dice-want) > 1e-12 || math.Abs(c.VolumePercent+10) > 1e-9 || c.TruthML != 10 || c.VolumeML != 9 {
		t.Errorf("%+v, want Dice %g, −10 %% of 10 ml", c, want)
	}
	// ours ends at voxel 8, where the truth begins at voxel 1 there is none of it
	if c.MaxMM != 7 {
		t.Errorf("largest distance %g mm, want 7", c.MaxMM)
	}
	if segment.Dice(5, func(int) bool { return false }, func(int) bool { return false }) != 1 {
		t.Error("two empty sets do not agree")
	}
	if _, err := segment.Compare(t.Context(), ours, truth, imaging.LabelBone); err == nil {
		t.Error("a comparison of nothing gave numbers")
	}
	if _, err := segment.SurfaceDistance(t.Context(), g, func(int) bool { return false }, func(n int) bool { return n == 3 }); !errors.Is(err, distance.ErrEmptySet) {
		t.Errorf("empty set: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := segment.Compare(ctx, ours, truth, imaging.LabelLiver); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	small := imaging.NewSegments(imaging.NewGrid([3]int{2, 2, 2}, r3.Vec{}, [3]float64{1, 1, 1}), imaging.LabelLiver)
	if _, err := segment.Compare(t.Context(), ours, small, imaging.LabelLiver); err == nil {
		t.Error("masks of different size were compared")
	}
}
