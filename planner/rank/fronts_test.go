package rank

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// naive is the definition of Fronts, front by front.
func naive(costs [][]float64) []int {
	front := make([]int, len(costs))
	left := make([]int, len(costs))
	for n := range left {
		left[n] = n
	}
	for f := 0; len(left) > 0; f++ {
		var next []int
		for _, p := range left {
			front[p] = f
			if slices.ContainsFunc(left, func(q int) bool { return Dominates(costs[q], costs[p]) }) {
				next = append(next, p)
			}
		}
		left = next
	}
	return front
}

// cloud draws n points of k objectives; levels 0 draws reals, else integers
// below levels, so that there are ties and duplicates.
func cloud(rng *rand.Rand, n, k, levels int) [][]float64 {
	out := make([][]float64, n)
	for p := range out {
		out[p] = make([]float64, k)
		for o := range out[p] {
			if levels == 0 {
				out[p][o] = rng.NormFloat64()
			} else {
				out[p][o] = float64(rng.IntN(levels))
			}
		}
	}
	return out
}

func TestFrontsAreThoseOfTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for k := 1; k <= 6; k++ {
		for _, levels := range []int{0, 1, 2, 3, 10, 40} {
			for _, n := range []int{0, 1, 2, 3, 20, 150, 400} {
				costs := cloud(rng, n, k, levels)
				if got, want := Fronts(costs), naive(costs); !slices.Equal(got, want) {
					t.Fatalf("%d points, %d objectives, %d levels: fronts differ from the definition", n, k, levels)
				}
			}
		}
	}
	if got := Fronts([][]float64{{}, {}}); !slices.Equal(got, []int{0, 0}) {
		t.Errorf("without objectives: %v", got)
	}
}

// Many fronts, one behind the other, and correlated objectives.
func TestFrontsOfChainsAreThoseOfTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 20 {
		costs := cloud(rng, 300, 4, 30)
		for p := range costs {
			shift := float64(rng.IntN(60))
			for o := range costs[p] {
				costs[p][o] += shift
			}
		}
		if got, want := Fronts(costs), naive(costs); !slices.Equal(got, want) {
			t.Fatal("fronts differ from the definition")
		}
	}
}

func TestFrontsDoNotDependOnOrderShiftOrScale(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	costs := cloud(rng, 500, 5, 12)
	want := Fronts(costs)
	perm := rng.Perm(len(costs))
	other := make([][]float64, len(costs))
	scale := []float64{1e-6, 3, 7e4, 1, 0.1}
	for n, p := range perm {
		for o, v := range costs[p] {
			other[n] = append(other[n], v*scale[o]+100*scale[o]) // monotone in each objective
		}
	}
	for n, f := range Fronts(other) {
		if f != want[perm[n]] {
			t.Fatalf("point %v is in front %d, was in %d", costs[perm[n]], f, want[perm[n]])
		}
	}
}

func TestEachObjectiveTwiceChangesNothing(t *testing.T) {
	costs := cloud(rand.New(rand.NewPCG(4, 4)), 400, 3, 0)
	twice := make([][]float64, len(costs))
	for p, c := range costs {
		twice[p] = slices.Concat(c, c)
	}
	if !slices.Equal(Fronts(costs), Fronts(twice)) {
		t.Error("fronts changed")
	}
}

func TestNaNIsWorseThanAnyNumber(t *testing.T) {
	if got := Fronts([][]float64{{math.NaN(), 1}, {5, 1}, {4, 1}}); !slices.Equal(got, []int{2, 1, 0}) {
		t.Errorf("fronts %v", got)
	}
}

// TestDebsExample is the hand simulation of NSGA-II in Deb, Multi-Objective
// Optimization using Evolutionary Algorithms (Wiley 2001), problem Min-Ex:
// f1 = x1, f2 = (1 + x2)/x1 on the twelve solutions 1–6 and a–f (recalled).
func TestDebsExample(t *testing.T) {
	names := "123456abcdef"
	x := [][2]float64{{0.31, 0.89}, {0.43, 1.92}, {0.22, 0.56}, {0.59, 3.63}, {0.66, 1.41}, {0.83, 2.51},
		{0.21, 0.24}, {0.79, 2.14}, {0.51, 2.32}, {0.27, 0.87}, {0.58, 1.62}, {0.24, 1.05}}
	var costs [][]float64
	for _, p := range x {
		costs = append(costs, []float64{p[0], (1 + p[1]) / p[0]})
	}
	got := make([]string, 4)
	for p, f := range Fronts(costs) {
		got[f] += names[p : p+1]
	}
	if want := []string{"5ae", "13bd", "26cf", "4"}; !slices.Equal(got, want) {
		t.Errorf("fronts %v, want %v", got, want)
	}
}

// TestZDT1 has the Pareto front f2 = 1 − √f1, reached at g = 1 (Zitzler, Deb and
// Thiele 2000; Deb et al. 2002, table I).
func TestZDT1(t *testing.T) {
	var costs [][]float64
	for n := range 201 {
		for _, g := range []float64{1, 1.5, 2} {
			f1 := float64(n) / 200
			costs = append(costs, []float64{f1, g * (1 - math.Sqrt(f1/g))})
		}
	}
	for p, f := range Fronts(costs) {
		if g := p % 3; (f == 0) != (g == 0) {
			t.Errorf("point %v with g = %d is in front %d", costs[p], g, f)
		}
	}
}

func BenchmarkFronts(b *testing.B) {
	for k := 3; k <= 6; k++ {
		costs := cloud(rand.New(rand.NewPCG(5, uint64(k))), 100_000, k, 0)
		b.Run(fmt.Sprintf("1e5x%d", k), func(b *testing.B) {
			for b.Loop() {
				Fronts(costs)
			}
		})
	}
}
