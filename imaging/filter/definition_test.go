package filter

import (
	"math/rand/v2"
	"slices"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Holes, bounds and box means against their definitions, on random masks that
// touch some borders of the grid and not others.
func TestAgainstDefinitions(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	for range 200 {
		size := [3]int{1 + rng.IntN(9), 1 + rng.IntN(8), 1 + rng.IntN(7)}
		g := imaging.NewGrid(size, r3.Vec{}, [3]float64{1, 2, 1.5})
		m, hu := make(Mask, g.Len()), make([]float32, g.Len())
		part := []float64{0, 0.05, 0.5, 0.8, 0.97}[rng.IntN(5)]
		margin := rng.IntN(3)
		for n := range m {
			i, j, k := g.IJK(n)
			m[n] = rng.Float64() < part && i >= margin && j < size[1]-margin && k >= margin
			hu[n] = float32(rng.IntN(300) - 100)
		}
		if a, b := Bounds(g, m), g.Bounds(func(n int) bool { return m[n] }); a != b {
			t.Fatalf("%v: bounds %v, want %v", size, a, b)
		}
		p := Components(g, Where(len(m), func(n int) bool { return !m[n] }))
		open := make([]bool, len(p.Count))
		for n, c := range p.Of {
			i, j, k := g.IJK(n)
			open[c] = open[c] || i == 0 || j == 0 || k == 0 || i == size[0]-1 || j == size[1]-1 || k == size[2]-1
		}
		if want := Where(len(m), func(n int) bool { return m[n] || !open[p.Of[n]] }); !slices.Equal(Fill(g, m), want) {
			t.Fatalf("%v: holes filled otherwise", size)
		}
		r := [3]int{rng.IntN(4), rng.IntN(4), rng.IntN(4)}
		got, err := BoxMean(t.Context(), g, hu, r)
		if err != nil {
			t.Fatal(err)
		}
		for n := range got {
			i, j, k := g.IJK(n)
			sum, count := 0.0, 0.0
			for z := max(0, k-r[2]); z <= min(size[2]-1, k+r[2]); z++ {
				for y := max(0, j-r[1]); y <= min(size[1]-1, j+r[1]); y++ {
					for x := max(0, i-r[0]); x <= min(size[0]-1, i+r[0]); x++ {
						sum += float64(hu[g.Index(x, y, z)])
						count++
					}
				}
			}
			if d := float64(got[n]) - sum/count; d > 1e-3 || d < -1e-3 {
				t.Fatalf("%v: mean %g at %d, want %g", size, got[n], n, sum/count)
			}
		}
	}
}
