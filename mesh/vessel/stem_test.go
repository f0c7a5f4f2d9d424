package vessel

import (
	"context"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// TestStems divides a vessel into two branches that run side by side for some of
// their radii: it ends where it divides and not where they part. One that grows
// thinner on the way without dividing keeps its length.
func TestStems(t *testing.T) {
	bow := func(x0, x1, off, side float64) (p []r3.Vec) { // starts along X, bends away at x0
		for x := 0.0; x <= x1; x++ {
			y := off * math.Min(x/5, 1)
			if x > x0 {
				y += 0.035 * (x - x0) * (x - x0)
			}
			p = append(p, r3.Vec{X: x, Y: side * y})
		}
		return p
	}
	branch := func(parent int, p []r3.Vec, r float64) Branch {
		return Branch{Parent: parent, Points: p, RadiusMM: slices.Repeat([]float64{r}, len(p))}
	}
	trunk := []r3.Vec{{X: -22}, {X: -11}, {}}
	beside := &Tree{Branches: []Branch{branch(-1, trunk, 3.6), branch(0, bow(14, 34, 0.3, 1), 2.9), branch(0, bow(14, 34, 0.3, -1), 2.8)}}
	thinner := &Tree{Branches: []Branch{branch(-1, []r3.Vec{{X: -22}, {X: -11}, {}, {X: 7}, {X: 14}}, 3.6), branch(0, nil, 2.5), branch(0, nil, 2.5)}}
	for m := 2; m < 5; m++ {
		thinner.Branches[0].RadiusMM[m] = 3.15
	}
	for n, side := range []float64{1, -1} {
		p := bow(0, 20, 0, side)
		for m := range p {
			p[m].X += 14
		}
		thinner.Branches[n+1] = branch(0, p, 2.5)
	}
	for _, c := range []struct {
		name           string
		truth          *Tree
		length, within float64
	}{{"side by side", beside, 22, 4}, {"thinner", thinner, 36, 8}} {
		c.truth.SetOrders()
		for turn := range 3 {
			g := around([3]float64{1, 1, 1}, r3.NewRotation(0.5*float64(turn), r3.Vec{X: 1, Y: 2, Z: -1}), c.truth)
			got, _, err := Extract(context.Background(), g, c.truth.Lumen(g), Options{Roots: starts(c.truth)})
			if err != nil {
				t.Fatal(err)
			}
			s := compare(t, got, c.truth)
			if s.Missing+s.Extra > 0 || s.RadiusQuantile(1) > 0.05 {
				t.Errorf("%s, turn %d: %v", c.name, turn, s)
			}
			if l := got.Branches[0].LengthMM(); math.Abs(l-c.length) > c.within {
				t.Errorf("%s, turn %d: the vessel is %.1f mm long, want %.1f", c.name, turn, l, c.length)
			}
		}
	}
}

// TestRunningAsOne is a regression: hepatic veins with two branches that run as one
// at first (radius 7 % wrong, 20 mm too long) and a bridge between two veins of
// which a stub stayed as a root of its own.
func TestRunningAsOne(t *testing.T) {
	truth := truthOf(liverOf(23), imaging.LabelHepaticVein, 1.5)
	g := around([3]float64{1, 1, 1}, r3.NewRotation(22*0.7, r3.Vec{X: 1, Y: -2, Z: 0.5}), truth)
	for a := range g.Axes { // the very lattice
		g.Origin = r3.Sub(g.Origin, r3.Scale(0.37, g.Axes[a]))
	}
	got, _, err := Extract(context.Background(), g, truth.Lumen(g), Options{System: imaging.LabelHepaticVein, Roots: starts(truth)})
	if err != nil {
		t.Fatal(err)
	}
	s := compare(t, got, truth)
	t.Log(s)
	if s.Missing+s.Extra > 0 || s.RadiusQuantile(1) > 0.05 || s.MeanMM > 0.2 {
		t.Errorf("%v", s)
	}
}
