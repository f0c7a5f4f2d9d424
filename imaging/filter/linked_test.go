package filter

import (
	"math/rand/v2"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Two voxels are of one piece exactly when a chain of touching voxels joins
// them; pieces counted another way agree.
func TestLinkedPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for try := range 20 {
		g := imaging.NewGrid([3]int{7, 6, 5}, r3.Vec{}, [3]float64{1, 1, 2})
		m := Where(g.Len(), func(int) bool { return false })
		for n := range m {
			m[n] = rng.Float64() < 0.03*float64(try)
		}
		p := Linked(g, m)
		if got, want := len(p.Count)-1, pieces(g, m, true); got != want {
			t.Fatalf("try %d: %d pieces, want %d", try, got, want)
		}
		total := 0
		for n, c := range p.Of {
			if m[n] != (c > 0) {
				t.Fatalf("try %d: voxel %d has piece %d", try, n, c)
			}
			total += p.Count[c] // each voxel once for each voxel of its piece
		}
		squares := 0
		for _, c := range p.Count {
			squares += c * c
		}
		if total != squares {
			t.Fatalf("try %d: the counts %v do not fit", try, p.Count)
		}
	}
}

// A line along a space diagonal is one piece; hysteresis keeps it whole when one
// voxel of it is begun, and drops it when it is short.
func TestHysteresisFollowsADiagonal(t *testing.T) {
	g := imaging.NewGrid([3]int{9, 9, 9}, r3.Vec{}, [3]float64{1, 1, 1})
	low, high := make(Mask, g.Len()), make(Mask, g.Len())
	for q := range 8 {
		low[g.Index(q, q, q)] = true
	}
	low[g.Index(8, 0, 0)] = true // apart and not begun
	if n := Hysteresis(g, low, high, 0).Count(); n != 0 {
		t.Errorf("%d voxels without a beginning", n)
	}
	high[g.Index(3, 3, 3)] = true
	if n := Hysteresis(g, low, high, 8).Count(); n != 8 {
		t.Errorf("%d voxels of a line of 8", n)
	}
	if n := Hysteresis(g, low, high, 9).Count(); n != 0 {
		t.Errorf("%d voxels kept of a piece that is too small", n)
	}
}
