package filter_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// In an empty box with price 1 the cost to a voxel is the length of the
// shortest path of face, edge and corner steps; a price scales it.
func TestPathCostInTheOpen(t *testing.T) {
	g := imaging.NewGrid([3]int{9, 8, 7}, r3.Vec{}, [3]float64{1, 1, 1})
	all := filter.Where(g.Len(), func(int) bool { return true })
	from := make(filter.Mask, g.Len())
	from[g.Index(2, 3, 1)] = true
	for _, price := range []float32{1, 2.5} {
		d, err := filter.PathCost(t.Context(), g, all, from, func(int) float32 { return price })
		if err != nil {
			t.Fatal(err)
		}
		for n, got := range d {
			i, j, k := g.IJK(n)
			a := []int{max(i-2, 2-i), max(j-3, 3-j), max(k-1, 1-k)}
			lo, hi := min(a[0], a[1], a[2]), max(a[0], a[1], a[2])
			mid := a[0] + a[1] + a[2] - lo - hi
			want := float64(price) * (math.Sqrt(3)*float64(lo) + math.Sqrt2*float64(mid-lo) + float64(hi-mid))
			if math.Abs(float64(got)-want) > 1e-4 {
				t.Fatalf("price %g, voxel %d,%d,%d: cost %g, want %g", price, i, j, k, got, want)
			}
		}
	}
}

// A wall with one door, dear or cheap: the path takes what costs less, and
// nothing behind a closed wall is reached.
func TestPathCostWall(t *testing.T) {
	g := imaging.NewGrid([3]int{11, 11, 1}, r3.Vec{}, [3]float64{2, 2, 2})
	from := make(filter.Mask, g.Len())
	from[g.Index(0, 0, 0)] = true
	for _, c := range []struct {
		door  bool
		price float32
	}{{false, 1}, {true, 1}, {true, 100}} {
		m := filter.Where(g.Len(), func(n int) bool { i, j, _ := g.IJK(n); return i != 5 || c.door && j == 0 })
		d, err := filter.PathCost(t.Context(), g, m, from, func(n int) float32 {
			if i, _, _ := g.IJK(n); i == 5 {
				return c.price
			}
			return 1
		})
		if err != nil {
			t.Fatal(err)
		}
		got := float64(d[g.Index(10, 0, 0)])
		want := 20 + 2*(float64(c.price)-1) // two half steps through the door
		if !c.door {
			want = math.Inf(1)
		}
		if got != want {
			t.Errorf("%+v: cost %g, want %g", c, got, want)
		}
		if !math.IsInf(float64(d[g.Index(5, 5, 0)]), 1) {
			t.Error("a voxel of the wall has a cost")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := filter.PathCost(ctx, g, from, from, func(int) float32 { return 1 }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
