package needle

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSweepFrontIsThatOfAllPairs(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 5))
		all := make([]candidate, 1+rng.IntN(1200))
		span := [costs]int{2 + rng.IntN(120), 2 + rng.IntN(100), 1 + rng.IntN(60), 1 + rng.IntN(20), 1 + rng.IntN(70)}
		for n := range all {
			all[n].skin = int32(n)
			for a := range all[n].cost {
				all[n].cost[a] = uint16(rng.IntN(span[a]))
			}
			if n > 0 && rng.IntN(4) == 0 {
				all[n].cost = all[rng.IntN(n)].cost
			}
		}
		fast, err := sweepFront(context.Background(), all)
		if err != nil {
			t.Fatal(err)
		}
		slow, err := naiveFront(context.Background(), all)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(fast, slow) {
			t.Fatalf("seed %d, %d candidates: %d by the sweep, %d by all pairs", seed, len(all), len(fast), len(slow))
		}
	}
}

func TestThinnedFrontDiffers(t *testing.T) {
	c := newCase(t, randomPhantom(5), Config{Candidates: 20000, SkinMM: 2})
	f, err := c.Search(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	thin := Thin(f.Front, shownMost)
	if len(thin) == 0 || len(thin) > shownMost {
		t.Fatalf("%d of a front of %d", len(thin), len(f.Front))
	}
	for n := range thin {
		if !slices.Contains(f.Front, thin[n]) {
			t.Error("a thinned trajectory is not on the front")
		}
		for m := range n {
			if worse(&thin[n].cost, &thin[m].cost) && worse(&thin[m].cost, &thin[n].cost) {
				t.Errorf("%v and %v do not differ", thin[n].cost, thin[m].cost)
			}
		}
	}
	if Thin(nil, 7) != nil || len(Thin(f.Front, 1)) != 1 {
		t.Error("ends")
	}
}
