package par

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"
)

func ExampleSum() {
	x := []float64{1, 2, 3, 4, 5}
	fmt.Println(Sum(len(x), 2, func(lo, hi int) float64 {
		var s float64
		for _, v := range x[lo:hi] {
			s += v
		}
		return s
	}))
	// Output: 15
}

func TestChunksCoverEachIndexOnce(t *testing.T) {
	for _, procs := range []int{1, 2, 7} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		for _, n := range []int{0, 1, 6, 7, 8, 1000} {
			seen := make([]int, n)
			Chunks(n, 7, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					seen[i]++
				}
			})
			for i, c := range seen {
				if c != 1 {
					t.Fatalf("procs %d, n %d: index %d visited %d times", procs, n, i, c)
				}
			}
		}
	}
}

func TestSumHasTheSameBitsForAnyCoreCount(t *testing.T) {
	want := uint64(0)
	for n, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		got := math.Float64bits(Sum(100003, 64, func(lo, hi int) float64 {
			var s float64
			for i := lo; i < hi; i++ {
				s += 1 / float64(i+1)
			}
			return s
		}))
		runtime.GOMAXPROCS(old)
		if n == 0 {
			want = got
		} else if got != want {
			t.Fatalf("GOMAXPROCS %d: bits %x, want %x", procs, got, want)
		}
	}
}

func TestChunksCtxReturnsTheLowestErrorAndHonoursCancel(t *testing.T) {
	bad := errors.New("bad")
	err := ChunksCtx(context.Background(), 100, 1, func(lo, _ int) error {
		if lo == 40 {
			return bad
		}
		return nil
	})
	if !errors.Is(err, bad) {
		t.Fatalf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	err = ChunksCtx(ctx, 100, 1, func(lo, _ int) error {
		calls++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Fatalf("got %v after %d calls", err, calls)
	}
}

func TestPanicReachesTheCaller(t *testing.T) {
	defer func() {
		if recover() != "boom" {
			t.Fatal("panic lost")
		}
	}()
	Chunks(10, 1, func(lo, _ int) {
		if lo == 5 {
			panic("boom")
		}
	})
}
