package filter

import (
	"context"
	"math"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// dumbbell is two balls of radii a and b, 40 mm apart, joined by a rod of
// radius rod, on voxels of 1×1×2 mm.
func dumbbell(a, b, rod float64) (imaging.Grid, Mask) {
	g := imaging.NewGrid([3]int{90, 50, 25}, r3.Vec{}, [3]float64{1, 1, 2})
	return g, Where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		x, y, z := float64(i), float64(j)-25, 2*float64(k)-25
		r := math.Hypot(y, z)
		return math.Hypot(x-25, r) <= a || math.Hypot(x-65, r) <= b || x > 25 && x < 65 && r <= rod
	})
}

// Two balls part where the rod between them is thinner than the part of the
// smaller ball that was asked for, and only there; the volumes are theirs.
func TestLobesPartAtNecks(t *testing.T) {
	for _, c := range []struct {
		a, b, rod, neck float64
		want            int
	}{
		{18, 12, 4, 0.6, 2}, // 4 of 12
		{18, 12, 10, 0.6, 1},
		{18, 12, 10, 0.95, 2},
		{12, 18, 4, 0.6, 2},
		{18, 18, 4, 0.1, 1},
	} {
		g, m := dumbbell(c.a, c.b, c.rod)
		p, err := Lobes(context.Background(), g, m, c.neck)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Count)-1 != c.want {
			t.Errorf("%+v: %d lobes %v, want %d", c, len(p.Count)-1, p.Count, c.want)
			continue
		}
		sum := 0
		for _, n := range p.Count {
			sum += n
		}
		if sum != m.Count() {
			t.Errorf("%+v: %d voxels in lobes, %d in the mask", c, sum, m.Count())
		}
		for n, in := range m {
			if in != (p.Of[n] > 0) {
				t.Fatalf("%+v: voxel %d of lobe %d, in the mask %v", c, n, p.Of[n], in)
			}
		}
		if c.want == 2 {
			big := 4 * math.Pi / 3 * math.Pow(max(c.a, c.b), 3) / 2
			if r := float64(p.Count[1]) / big; r < 0.95 || r > 1.3 { // with half of the rod
				t.Errorf("%+v: the deepest lobe has %.2f times the volume of its ball", c, r)
			}
		}
	}
}

// A mask that is the whole grid, or nothing, has one lobe or none.
func TestLobesOfAllAndNothing(t *testing.T) {
	g := imaging.NewGrid([3]int{5, 4, 3}, r3.Vec{}, [3]float64{1, 1, 1})
	for _, all := range []bool{true, false} {
		p, err := Lobes(context.Background(), g, Where(g.Len(), func(int) bool { return all }), 0.5)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		if all {
			want = 1
		}
		if len(p.Count)-1 != want {
			t.Errorf("all %v: %d lobes, want %d", all, len(p.Count)-1, want)
		}
	}
}
