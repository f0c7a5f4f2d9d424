package vessel

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// TestSampler draws the radius of a tube between two voxels: one inside 0.2 mm
// below the surface, one outside 0.6 mm above it. Every radius between is as
// likely: the mean is 0.2 mm up, the standard deviation 0.8 mm over √12. The
// blur must be found to be the sharpest.
func TestSampler(t *testing.T) {
	const r = 10.0
	s := newSampler(1, 1)
	s.tight[0] = 1
	p := s.param(param{kind: widen, step: 0.02, most: 0.2})
	for c, gap := range []float64{-0.2, 0.6} {
		s.cell(gap < 0)
		s.effect(p, int32(c), s.offer(int32(c), gap), -r)
	}
	s.settle()
	if err := s.run(context.Background(), 200, 20000); err != nil {
		t.Fatal(err)
	}
	if s.blur != blurLow {
		t.Errorf("two voxels that agree with the tube: a blur of %g mm", s.blur)
	}
	scale, sd, _ := s.radius(0)
	if want := 0.8 / math.Sqrt(12); math.Abs(r*scale-0.2) > 0.02 || math.Abs(r*sd/want-1) > 0.07 {
		t.Errorf("the radius grows by %.3f mm (want 0.2) with a standard deviation of %.3f (want %.3f)", r*scale, r*sd, want)
	}
	// A voxel on the wrong side by 0.3 mm either way takes a blur to explain.
	s = newSampler(1, 1)
	p = s.param(param{kind: widen, step: 0.02, most: 0.2})
	for c, gap := range []float64{0.3, -0.3, 0.1, -0.2, -0.4, 0.4} {
		s.cell(c == 0 || c > 1 && gap < 0)
		s.effect(p, int32(c), s.offer(int32(c), gap), -r)
	}
	s.settle()
	if s.focus(); s.blur < 3*blurLow {
		t.Errorf("voxels 0.3 mm on the wrong side: a blur of %g mm", s.blur)
	}
}

// TestShortBranches places trees of short, thin branches at random on a grid of
// 1 mm. Few voxels tell their radii: the errors are those that these allow, and
// as large as the trees say.
func TestShortBranches(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 5))
	sq, z, within, count := 0.0, 0.0, 0, 0
	for range 16 {
		turn := r3.NewRotation(6*rng.Float64(), r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()})
		shift := r3.Vec{X: rng.Float64(), Y: rng.Float64(), Z: rng.Float64()}
		at := func(x, y, z float64) r3.Vec { return r3.Add(shift, turn.Rotate(r3.Vec{X: x, Y: y, Z: z})) }
		grow := 1 + 0.15*rng.Float64()
		truth := &Tree{Branches: []Branch{
			twig(-1, at(0, 0, 0), at(0, 0, 16), 2.4*grow),
			twig(0, at(0, 0, 16), at(4.5, 0, 22), 2*grow),
			twig(0, at(0, 0, 16), at(-5, 2, 22), 1.7*grow),
			twig(1, at(4.5, 0, 22), at(10, 3, 25.5), 1.6*grow),
			twig(1, at(4.5, 0, 22), at(4, -4, 28), 1.6*grow),
		}}
		truth.SetOrders()
		g := around([3]float64{1, 1, 1}, r3.Rotation{Real: 1}, truth)
		got, _, err := Extract(context.Background(), g, truth.Lumen(g), Options{Roots: starts(truth)})
		if err != nil {
			t.Fatal(err)
		}
		if a := compare(t, got, truth); a.Missing+a.Extra > 0 {
			t.Fatalf("%v", a)
		}
		ours, theirs := leaves(got, truth), leaves(truth, truth)
		for n := range got.Branches {
			for m := range truth.Branches {
				if ours[n] != theirs[m] {
					continue
				}
				b, want := &got.Branches[n], truth.Branches[m].MeanRadiusMM()
				if b.RadiusSDMM <= 0 || b.RadiusSDMM > 0.1*want {
					t.Errorf("branch %d: radius %.2f ± %.2f mm, true %.2f", m, b.MeanRadiusMM(), b.RadiusSDMM, want)
				}
				d := b.MeanRadiusMM() - want
				sq, z, count = sq+d/want*d/want, z+d/b.RadiusSDMM*d/b.RadiusSDMM, count+1
				if math.Abs(d) <= 2*b.RadiusSDMM {
					within++
				}
			}
		}
	}
	rms, ratio := math.Sqrt(sq/float64(count)), math.Sqrt(z/float64(count))
	t.Logf("%d branches: radius off by %.2f %% rms, %.2f standard errors, %d within two", count, 100*rms, ratio, within)
	if rms > 0.0125 || ratio > 1.4 || ratio < 0.7 || within < count*85/100 {
		t.Errorf("%d branches: radius off by %.2f %% rms, %.2f standard errors, %d within two", count, 100*rms, ratio, within)
	}
}
