package filter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func ExampleRanked() {
	x := []int{9, 2, 7, 4, 5}
	fmt.Println(Ranked(x, len(x)/2))
	// Output: 5
}

func TestRankedIsWhatSortingGives(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 5))
	for try := range 300 {
		x := make([]float32, 1+rng.IntN(400))
		for n := range x {
			switch try % 4 {
			case 0:
				x[n] = float32(rng.IntN(5)) // many alike
			case 1:
				x[n] = float32(n)
			case 2:
				x[n] = float32(max(n, len(x)-n)) // a pipe
			default:
				x[n] = float32(rng.NormFloat64())
			}
		}
		sorted := slices.Sorted(slices.Values(x))
		k := rng.IntN(len(x))
		if got := Ranked(slices.Clone(x), k); got != sorted[k] {
			t.Fatalf("%v at %d: %v, want %v", x, k, got, sorted[k])
		}
	}
}
