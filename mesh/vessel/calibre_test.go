package vessel

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// TestCalibre drops the radius of thin branches half way, as vessels do where a
// branch too thin to be seen leaves them. A steady change through what is seen would
// widen them inside the vessel they come from: the mean radius must have no such
// bias, and the drop must be where it is. Branches that taper steadily do so still.
func TestCalibre(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 8))
	bias, drop, taper, count := 0.0, 0.0, 0.0, 0
	for range 16 {
		turn := r3.NewRotation(6*rng.Float64(), r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()})
		shift := r3.Vec{X: rng.Float64(), Y: rng.Float64(), Z: rng.Float64()}
		along := func(x, z, s float64) r3.Vec {
			d := r3.Scale(s, r3.Unit(r3.Vec{X: x, Z: z}))
			return r3.Add(shift, turn.Rotate(r3.Add(d, r3.Vec{Z: 18})))
		}
		stepped := Branch{Points: []r3.Vec{along(1, 0.9, 0), along(1, 0.9, 7), along(1, 0.9, 7.5), along(1, 0.9, 15)}, RadiusMM: []float64{2, 2, 1.6, 1.6}}
		tapered := Branch{Points: []r3.Vec{along(-1, 0.9, 0), along(-1, 0.9, 15)}, RadiusMM: []float64{2, 1.6}}
		truth := &Tree{Branches: []Branch{twig(-1, r3.Add(shift, turn.Rotate(r3.Vec{Z: -2})), along(0, 1, 0), 2.5), stepped, tapered}}
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
			b := &got.Branches[n]
			at := func(f float64) float64 { return b.RadiusMM[int(f*float64(len(b.RadiusMM)-1))] }
			switch ours[n] {
			case theirs[1]:
				bias += b.MeanRadiusMM()/truth.Branches[1].MeanRadiusMM() - 1
				drop += math.Log(at(0.35) / at(0.62))
				count++
			case theirs[2]:
				taper += math.Log(at(0.2) / at(0.8))
			}
		}
	}
	w := 1 / float64(count)
	t.Logf("%d branches: radius off by %+.2f %% on average, a drop of %.3f, a taper of %.3f", count, 100*w*bias, w*drop, w*taper)
	if math.Abs(w*bias) > 0.01 || w*drop < 0.15 || w*taper < 0.08 {
		t.Errorf("%d branches: radius off by %+.2f %% on average, a drop of %.3f (true 0.223), a taper of %.3f (0.133)", count, 100*w*bias, w*drop, w*taper)
	}
}
