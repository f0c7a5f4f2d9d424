package filter

import (
	"math/rand/v2"
	"slices"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// flooded numbers the pieces of m by flooding, in the order of their first
// voxel.
func flooded(g imaging.Grid, m Mask, corners bool) []int32 {
	of, last := make([]int32, len(m)), int32(0)
	for s := range m {
		if !m[s] || of[s] > 0 {
			continue
		}
		last++
		of[s] = last
		for stack := []int{s}; len(stack) > 0; {
			i, j, k := g.IJK(stack[len(stack)-1])
			stack = stack[:len(stack)-1]
			for q := range 27 {
				a, b, c := q%3-1, q/3%3-1, q/9-1
				if !corners && a*a+b*b+c*c != 1 || !g.Contains(i+a, j+b, k+c) {
					continue
				}
				if o := g.Index(i+a, j+b, k+c); m[o] && of[o] == 0 {
					of[o] = last
					stack = append(stack, o)
				}
			}
		}
	}
	return of
}

// Pieces from runs have the numbers that flooding gives them, over more slices
// than are joined at a time.
func TestPiecesAgainstFlooding(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 5))
	for try := range 40 {
		g := imaging.NewGrid([3]int{1 + rng.IntN(9), 1 + rng.IntN(9), 1 + rng.IntN(4*pieceSlab)}, r3.Vec{}, [3]float64{1, 1, 1})
		m := randomMask(g, 0.02*float64(try), rng)
		if got, want := Components(g, m).Of, flooded(g, m, false); !slices.Equal(got, want) {
			t.Fatalf("try %d: across faces %v, want %v", try, got, want)
		}
		if got, want := Linked(g, m).Of, flooded(g, m, true); !slices.Equal(got, want) {
			t.Fatalf("try %d: across corners %v, want %v", try, got, want)
		}
	}
}

// Reach, LargestOf, Fill and FillSlices by the numbers of the pieces.
func TestMasksOfPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 5))
	for try := range 30 {
		g := imaging.NewGrid([3]int{2 + rng.IntN(9), 2 + rng.IntN(9), 1 + rng.IntN(3*pieceSlab)}, r3.Vec{}, [3]float64{1, 1, 1})
		m, from := randomMask(g, 0.1+0.03*float64(try%20), rng), randomMask(g, 0.01, rng)
		p := Components(g, m)
		hit, open, shut := map[int32]bool{}, map[int32]bool{0: true}, Mask{}
		for n, c := range p.Of {
			hit[c] = hit[c] || from[n] && c > 0
		}
		for n := range m {
			shut = append(shut, !m[n])
		}
		holes := Components(g, shut)
		for n, c := range holes.Of {
			i, j, k := g.IJK(n)
			if i == 0 || j == 0 || k == 0 || i == g.Size[0]-1 || j == g.Size[1]-1 || k == g.Size[2]-1 {
				open[c] = true
			}
		}
		reach, largest, fill, slice := Reach(g, from, m), LargestOf(g, m), Fill(g, m), FillSlices(g, m)
		for n, c := range p.Of {
			if reach[n] != hit[c] || largest[n] != (c > 0 && c == p.Largest()) || fill[n] != (m[n] || !open[holes.Of[n]]) {
				t.Fatalf("try %d: voxel %d of piece %d: reached %v, largest %v, filled %v", try, n, c, reach[n], largest[n], fill[n])
			}
		}
		one, area := g, g.Size[0]*g.Size[1]
		one.Size[2] = 3 // the slice between two walls
		for k := range g.Size[2] {
			wall := make(Mask, 3*area)
			for n := range area {
				wall[n], wall[2*area+n] = true, true
			}
			copy(wall[area:], m[k*area:(k+1)*area])
			holes := Components(one, Where(3*area, func(n int) bool { return !wall[n] }))
			rim := map[int32]bool{0: true}
			for n := range area {
				if i, j := n%g.Size[0], n/g.Size[0]; i == 0 || j == 0 || i == g.Size[0]-1 || j == g.Size[1]-1 {
					rim[holes.Of[area+n]] = true
				}
			}
			for n := range area {
				if want := wall[area+n] || !rim[holes.Of[area+n]]; slice[k*area+n] != want {
					t.Fatalf("try %d: slice %d, voxel %d: filled %v", try, k, n, slice[k*area+n])
				}
			}
		}
	}
}

func BenchmarkComponents(b *testing.B) {
	g := imaging.NewGrid([3]int{171, 171, 119}, r3.Vec{}, [3]float64{2, 2, 2})
	m := randomMask(g, 0.3, rand.New(rand.NewPCG(9, 5)))
	for b.Loop() {
		Components(g, m)
	}
}

// Specks and holes of fewer voxels than asked for are gone, nothing else is.
func TestDespeckle(t *testing.T) {
	g := imaging.NewGrid([3]int{12, 12, 20}, r3.Vec{}, [3]float64{1, 1, 1})
	m := Where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		return min(i, j) >= 2 && max(i, j) <= 9 && k >= 2 && k <= 15
	})
	want := slices.Clone(m)
	for _, at := range [][3]int{{4, 4, 5}, {4, 4, 6}} { // a hole of two
		m[g.Index(at[0], at[1], at[2])] = false
	}
	m[g.Index(0, 0, 0)], m[g.Index(11, 11, 18)], m[g.Index(11, 11, 19)] = true, true, true
	Despeckle(g, m, 3)
	if !slices.Equal(m, want) {
		t.Errorf("%d voxels, want %d", m.Count(), want.Count())
	}
	for k := 5; k < 8; k++ { // a hole and a speck of three stay
		m[g.Index(4, 4, k)], m[g.Index(11, 0, k)] = false, true
	}
	Despeckle(g, m, 3)
	for k := 5; k < 8; k++ {
		if m[g.Index(4, 4, k)] || !m[g.Index(11, 0, k)] {
			t.Errorf("slice %d: what has three voxels changed", k)
		}
	}
}
