package imaging_test

import (
	"math"
	"slices"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// oblique is a grid turned about all axes, left-handed when flip is set.
func oblique(flip bool) imaging.Grid {
	rot := r3.NewRotation(0.7, r3.Vec{X: 1, Y: -2, Z: 0.5})
	g := imaging.Grid{Size: [3]int{7, 5, 4}, Origin: r3.Vec{X: -120, Y: 33, Z: 900}}
	for a, s := range []float64{0.743, 0.8, 1.6} {
		e := [3]r3.Vec{{X: s}, {Y: s}, {Z: s}}[a]
		g.Axes[a] = rot.Rotate(e)
	}
	if flip {
		g.Axes[2] = r3.Scale(-1, g.Axes[2])
	}
	return g
}

func TestCropKeepsPlaces(t *testing.T) {
	g := oblique(false)
	s := imaging.NewSegments(g, imaging.LabelLiver)
	l := &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}
	for n := range s.Bits {
		s.Bits[n] = uint32(n + 1)
		l.ID[n] = imaging.Label(n%250 + 1)
	}
	for _, b := range []imaging.Box{
		{Lo: [3]int{1, 2, 0}, Hi: [3]int{5, 4, 3}},
		{Lo: [3]int{-2, 1, -3}, Hi: [3]int{9, 3, 2}},
		{Lo: [3]int{20, 20, 20}, Hi: [3]int{22, 21, 23}},
	} {
		c, cl := s.Crop(b), l.Crop(b)
		if c.Grid.Size != b.Size() || len(c.Bits) != c.Grid.Len() || len(cl.ID) != c.Grid.Len() {
			t.Fatalf("crop %v has size %v and %d voxels", b, c.Grid.Size, len(c.Bits))
		}
		for n, got := range c.Bits {
			i, j, k := c.Grid.IJK(n)
			want, wantL := uint32(0), imaging.LabelBackground
			if g.Contains(i+b.Lo[0], j+b.Lo[1], k+b.Lo[2]) {
				w := g.Index(i+b.Lo[0], j+b.Lo[1], k+b.Lo[2])
				want, wantL = s.Bits[w], l.ID[w]
			}
			p := c.Grid.Point(float64(i), float64(j), float64(k))
			q := g.Point(float64(i+b.Lo[0]), float64(j+b.Lo[1]), float64(k+b.Lo[2]))
			if got != want || cl.ID[n] != wantL || r3.Norm(r3.Sub(p, q)) > 1e-9 {
				t.Fatalf("crop %v voxel %d: %d at %v, want %d at %v", b, n, got, p, want, q)
			}
		}
	}
}

func TestBoundsAndGrow(t *testing.T) {
	g := imaging.NewGrid([3]int{20, 10, 8}, r3.Vec{}, [3]float64{1, 2, 3})
	b := g.Bounds(func(n int) bool { return n == g.Index(3, 4, 5) || n == g.Index(9, 2, 6) })
	if want := (imaging.Box{Lo: [3]int{3, 2, 5}, Hi: [3]int{10, 5, 7}}); b != want {
		t.Errorf("bounds %v, want %v", b, want)
	}
	if !g.Bounds(func(int) bool { return false }).Empty() {
		t.Error("bounds of no voxel are not empty")
	}
	grown := b.Grow(g, 4)
	if want := (imaging.Box{Lo: [3]int{-1, 0, 3}, Hi: [3]int{14, 7, 9}}); grown != want {
		t.Errorf("grown by 4 mm %v, want %v", grown, want)
	}
	if want := (imaging.Box{Lo: [3]int{0, 0, 3}, Hi: [3]int{14, 7, 8}}); grown.Clip(g) != want {
		t.Errorf("clipped %v, want %v", grown.Clip(g), want)
	}
	if g.Box().Size() != g.Size {
		t.Errorf("whole box %v", g.Box())
	}
}

// Every way of storing a lattice is found again, and the index map takes each
// voxel to the one at the same place.
func TestOntoFindsStorageOrder(t *testing.T) {
	g := oblique(false)
	for _, axis := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		for flips := range 8 {
			r := imaging.Reorder{Axis: axis, Flip: [3]bool{flips&1 != 0, flips&2 != 0, flips&4 != 0}}
			stored := r.Grid(g)
			if err := stored.Validate(); err != nil {
				t.Fatal(err)
			}
			back, off, ok := stored.Onto(g, 1e-6)
			if !ok || !back.Grid(stored).Matches(g, 1e-9) {
				t.Fatalf("%v: not found again, off by %g mm", r, off)
			}
			if back.Identity() != (r == imaging.Reorder{Axis: [3]int{0, 1, 2}}) {
				t.Errorf("%v: Identity() = %v", r, back.Identity())
			}
			at := back.Index(stored)
			var seen []int
			for n := range g.Len() {
				m := at(n)
				seen = append(seen, m)
				i, j, k := g.IJK(n)
				x, y, z := stored.IJK(m)
				d := r3.Sub(g.Point(float64(i), float64(j), float64(k)), stored.Point(float64(x), float64(y), float64(z)))
				if r3.Norm(d) > 1e-9 {
					t.Fatalf("%v: voxel %d comes from %d, %g mm away", r, n, m, r3.Norm(d))
				}
			}
			slices.Sort(seen)
			if len(slices.Compact(seen)) != g.Len() {
				t.Fatalf("%v: index map is not one to one", r)
			}
		}
	}
}

func TestOntoRefusesAnotherLattice(t *testing.T) {
	g := oblique(false)
	shifted := g
	shifted.Origin = r3.Add(g.Origin, r3.Vec{Z: 0.8})
	if _, off, ok := shifted.Onto(g, 0.1); ok || math.Abs(off-0.8) > 1e-9 {
		t.Errorf("shifted grid: off %g mm, ok %v; want 0.8, false", off, ok)
	}
	small := g
	small.Size[2]--
	if _, off, ok := small.Onto(g, 0.1); ok || !math.IsInf(off, 1) {
		t.Errorf("smaller grid: off %g mm, ok %v", off, ok)
	}
}

func TestCanonicalRunsLeftPosteriorHead(t *testing.T) {
	g := imaging.NewGrid([3]int{7, 5, 4}, r3.Vec{X: 1, Y: 2, Z: 3}, [3]float64{0.7, 0.8, 1.6})
	for _, axis := range [][3]int{{0, 1, 2}, {1, 2, 0}, {2, 1, 0}} {
		for flips := range 8 {
			stored := imaging.Reorder{Axis: axis, Flip: [3]bool{flips&1 != 0, flips&2 != 0, flips&4 != 0}}.Grid(g)
			if c := stored.Canonical().Grid(stored); !c.Matches(g, 1e-9) || c.SpacingMM() != g.SpacingMM() {
				t.Errorf("axes %v, flips %03b: canonical grid %+v", axis, flips, c)
			}
		}
	}
	turned := oblique(true)
	if c := turned.Canonical().Grid(turned); !c.RightHanded() {
		t.Errorf("canonical grid of an oblique one is left-handed: %+v", c)
	}
}

func TestCropVolume(t *testing.T) {
	v := imaging.NewVolume(oblique(false), imaging.KindHU)
	v.Slope, v.Intercept = 2, -1000
	for n := range v.Data {
		v.Data[n] = int16(n)
	}
	b := imaging.Box{Lo: [3]int{1, 2, 0}, Hi: [3]int{5, 4, 3}}
	c := v.Crop(b)
	for n := range c.Data {
		i, j, k := c.Grid.IJK(n)
		if want := v.Value(v.Grid.Index(i+1, j+2, k)); c.Value(n) != want {
			t.Fatalf("voxel %d is %g, want %g", n, c.Value(n), want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a crop beyond the grid did not panic")
		}
	}()
	v.Crop(b.Grow(v.Grid, 50))
}
