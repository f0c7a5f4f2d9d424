package filter

import (
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/imaging/distance"

	"gonum.org/v1/gonum/spatial/r3"
)

// The ball is what the distance field calls near, to the bit: also at radii that
// are the distance of two voxels, with spacings that binary fractions do not
// hold.
func TestBallAgainstDistances(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 8))
	for try := range 60 {
		size := [3]int{1 + rng.IntN(140), 1 + rng.IntN(12), 1 + rng.IntN(12)}
		h := [3]float64{0.5 + 2*rng.Float64(), 0.5 + 2*rng.Float64(), 0.5 + 4*rng.Float64()}
		if try%3 == 0 {
			h = [3]float64{0.7, 0.7, 2.1}
		}
		g := imaging.NewGrid(size, r3.Vec{X: 3}, h)
		m := randomMask(g, []float64{0.001, 0.02, 0.5}[try%3], rng)
		m[rng.IntN(len(m))] = true
		d, err := distance.Unsigned(t.Context(), g, func(n int) bool { return m[n] })
		if err != nil {
			t.Fatal(err)
		}
		r := float64(d[rng.IntN(len(d))])
		if try%2 == 0 {
			r = 8 * rng.Float64()
		}
		b, err := packed(g, m, g.Box(), true).dilated(t.Context(), ballOf(g, r))
		if err != nil {
			t.Fatal(err)
		}
		got := make(Mask, len(m))
		b.unpack(g, got, g.Box(), true)
		for n := range got {
			if want := d[n] <= float32(r); got[n] != want {
				t.Fatalf("grid %v, %v mm, radius %v: voxel %d at %v mm is %v", size, h, r, n, d[n], got[n])
			}
		}
	}
}

// Where a ball has too many rows the distance field does the same.
func TestLargeBalls(t *testing.T) {
	g := imaging.NewGrid([3]int{70, 90, 80}, r3.Vec{}, [3]float64{0.5, 0.5, 0.5})
	for _, r := range []float64{10, 25} {
		o := ballOf(g, r)
		if large := o.lines > mostLines; large != (r == 25) {
			t.Fatalf("%d rows in half a ball of %g mm", o.lines, r)
		}
		m := make(Mask, g.Len())
		at := g.Index(30, 40, 35)
		m[at] = true
		got, err := Dilate(t.Context(), g, m, r)
		if err != nil {
			t.Fatal(err)
		}
		for n := range got {
			if want := apart(g, at, n) <= r; got[n] != want {
				t.Fatalf("radius %g mm: voxel %d at %v mm is %v", r, n, apart(g, at, n), got[n])
			}
		}
	}
}

func BenchmarkDilate(b *testing.B) {
	g := imaging.NewGrid([3]int{171, 171, 119}, r3.Vec{}, [3]float64{2, 2, 2})
	m := Where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		return (i-80)*(i-80)+(j-80)*(j-80)+(k-60)*(k-60) < 1600
	})
	for b.Loop() {
		if _, err := Dilate(b.Context(), g, m, 10); err != nil {
			b.Fatal(err)
		}
	}
}
