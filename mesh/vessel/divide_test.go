package vessel

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// TestDivide divides vessels at small angles, so that the branches run side by
// side in one lumen for a while: the joint lies where the vessel divides, on any
// grid, and not where they part. So it does where they leave at a wide angle, and
// where the vessel tapers before it divides.
func TestDivide(t *testing.T) {
	sum, worst, count := 0.0, 0.0, 0
	for n, c := range []struct {
		stem, a, b  float64 // radii, mm
		left, right float64 // angles with the stem, degrees
		thin        float64 // radius of the stem before the joint
	}{
		{3.6, 2.9, 2.8, 8, -8, 3.6},
		{3.6, 2.9, 2.8, 12, -14, 3.6},
		{3.2, 2.4, 2.7, 16, -10, 3.2},
		{4.2, 3.2, 3.4, 20, -18, 4.2},
		{2.6, 2.0, 2.1, 15, -12, 2.6},
		{3.4, 2.9, 2.0, 6, -24, 3.4},
		{3.4, 2.7, 2.7, 55, -50, 3.4},
		{3.9, 2.6, 2.6, 25, -30, 3.4},
	} {
		for turned := range 4 {
			turn := r3.NewRotation(0.9*float64(turned)+float64(n), r3.Vec{X: 1, Y: 2 - float64(turned), Z: -1})
			shift := r3.Vec{X: 0.31 * float64(turned), Y: 0.17 * float64(n)}
			at := func(x, y float64) r3.Vec { return r3.Add(shift, turn.Rotate(r3.Vec{X: x, Y: y})) }
			out := func(deg float64) r3.Vec {
				s, c := math.Sincos(deg * math.Pi / 180)
				return at(30*c, 30*s)
			}
			truth := &Tree{Branches: []Branch{twig(-1, at(-30, 0), at(0, 0), c.stem), twig(0, at(0, 0), out(c.left), c.a), twig(0, at(0, 0), out(c.right), c.b)}}
			if c.thin < c.stem {
				b := &truth.Branches[0]
				for m := range b.RadiusMM {
					f := float64(m) / float64(len(b.RadiusMM)-1)
					b.RadiusMM[m] += f * (c.thin - c.stem)
				}
			}
			truth.SetOrders()
			spacing := [3]float64{1, 1, 1}
			if turned == 3 {
				spacing = [3]float64{0.8, 0.8, 1.3}
			}
			g := around(spacing, r3.Rotation{Real: 1}, truth)
			got, _, err := Extract(context.Background(), g, truth.Lumen(g), Options{Roots: starts(truth)})
			if err != nil {
				t.Fatal(err)
			}
			if a := compare(t, got, truth); a.Missing+a.Extra > 0 || a.MeanMM > 0.5*spacing[2] {
				t.Errorf("%d, turn %d: %v", n, turned, a)
				continue
			}
			p := got.Branches[0].Points
			d := r3.Norm(r3.Sub(p[len(p)-1], at(0, 0)))
			sum, count, worst = sum+d, count+1, max(worst, d)
			if d > 1.5 {
				t.Errorf("branches of %g and %g mm at %g° and %g°, turn %d: the joint is %.1f mm off", c.a, c.b, c.left, c.right, turned, d)
			}
		}
	}
	t.Logf("%d joints: %.2f mm off on average, %.2f at worst", count, sum/float64(count), worst)
	if mean := sum / float64(count); mean > 0.5 {
		t.Errorf("joints are %.2f mm off on average", mean)
	}
}
