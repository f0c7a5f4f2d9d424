package segment

import (
	"math"
	"testing"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// A ball painted from a coarse mask has its volume, and nothing is painted from
// an empty mask.
func TestPaintKeepsVolume(t *testing.T) {
	v := imaging.NewVolume(imaging.NewGrid([3]int{90, 90, 50}, r3.Vec{X: -3}, [3]float64{0.8, 0.8, 1.5}), imaging.KindHU)
	c, err := filter.Reduce(t.Context(), v, 2.4)
	if err != nil {
		t.Fatal(err)
	}
	w := &work{v: v, c: c, rep: &Report{}}
	centre := v.Grid.Point(44, 46, 25)
	for _, radius := range []float64{0, 12, 25} {
		m := filter.Where(c.Grid.Len(), func(n int) bool {
			i, j, k := c.Grid.IJK(n)
			return r3.Norm(r3.Sub(c.Grid.Point(float64(i), float64(j), float64(k)), centre)) < radius
		})
		out := imaging.NewSegments(v.Grid, imaging.LabelLiver)
		if err := w.paint(t.Context(), out, imaging.LabelLiver, m, 0, func(phi float32, _ int) bool { return phi < 0 }); err != nil {
			t.Fatal(err)
		}
		want := 4 * math.Pi / 3 * radius * radius * radius
		if got := out.VolumeMM3(imaging.LabelLiver); math.Abs(got-want) > 0.04*want {
			t.Errorf("ball of radius %g mm: %.0f mm³ painted, want %.0f", radius, got, want)
		}
	}
	all := filter.Where(c.Grid.Len(), func(int) bool { return true })
	out := imaging.NewSegments(v.Grid, imaging.LabelLiver)
	if err := w.paint(t.Context(), out, imaging.LabelLiver, all, 2, func(phi float32, _ int) bool { return phi < 0 }); err != nil {
		t.Fatal(err)
	}
	if out.Count(imaging.LabelLiver) != v.Grid.Len() {
		t.Errorf("a mask that fills the grid painted %d of %d voxels", out.Count(imaging.LabelLiver), v.Grid.Len())
	}
}

// A ball is round, a rod is not.
func TestSphericity(t *testing.T) {
	g := imaging.NewGrid([3]int{60, 40, 24}, r3.Vec{}, [3]float64{1, 1, 1.6})
	w := &work{c: &filter.Coarse{Grid: g}}
	p := filter.Components(g, filter.Where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		q := g.Point(float64(i), float64(j), float64(k))
		return r3.Norm(r3.Sub(q, r3.Vec{X: 15, Y: 15, Z: 18})) < 12 || i >= 35 && i < 38 && j > 1 && j < 38 && k > 9 && k < 12
	}))
	s := w.sphericity(p)
	var ball, rod float64
	for c := 1; c < len(s); c++ {
		if p.Count[c] > 1000 {
			ball = s[c]
		} else {
			rod = s[c]
		}
	}
	if math.Abs(ball-1) > 0.05 || rod > 0.8*ball {
		t.Errorf("ball %.2f, rod %.2f", ball, rod)
	}
}
