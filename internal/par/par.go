// Package par runs loops on all cores with the same bits for any core count.
//
// Work is split into chunks of a size the caller fixes, never by the number of
// cores; partial results are reduced in chunk order. So a sum of floats has
// the same rounding on 1, 2 or 64 cores.
package par

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Chunks calls f(lo, hi) for consecutive ranges of at most size indices that
// cover [0, n). Ranges run concurrently and in no fixed order; f must write
// only to what its range owns. It returns when all calls have returned. A
// panic in f is raised again in the caller.
func Chunks(n, size int, f func(lo, hi int)) {
	_ = ChunksCtx(context.Background(), n, size, func(lo, hi int) error { f(lo, hi); return nil })
}

// ChunksCtx is Chunks with cancellation and errors: no new range starts once
// ctx is done or a call failed. It returns the error of the lowest failed
// range, else ctx.Err().
func ChunksCtx(ctx context.Context, n, size int, f func(lo, hi int) error) error {
	if size < 1 {
		panic("par: chunk size < 1")
	}
	chunks := (n + size - 1) / size
	workers := min(runtime.GOMAXPROCS(0), chunks)
	if workers <= 1 {
		for c := range chunks {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f(c*size, min(n, (c+1)*size)); err != nil {
				return err
			}
		}
		return nil
	}
	var (
		next   atomic.Int64
		stop   atomic.Bool
		mu     sync.Mutex // guards the four below
		failAt = chunks
		fail   error
		raised bool
		value  any
		wg     sync.WaitGroup
	)
	for range workers {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					stop.Store(true)
					mu.Lock()
					raised, value = true, r
					mu.Unlock()
				}
			}()
			for !stop.Load() && ctx.Err() == nil {
				c := int(next.Add(1)) - 1
				if c >= chunks {
					return
				}
				if err := f(c*size, min(n, (c+1)*size)); err != nil {
					stop.Store(true)
					mu.Lock()
					if c < failAt {
						failAt, fail = c, err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	switch {
	case raised:
		panic(value)
	case fail != nil:
		return fail
	}
	return ctx.Err()
}

// Sum adds f over consecutive ranges of at most size indices; the partial sums
// are added in range order, so the result does not depend on the core count.
func Sum(n, size int, f func(lo, hi int) float64) float64 {
	part := make([]float64, (n+size-1)/size)
	Chunks(n, size, func(lo, hi int) { part[lo/size] = f(lo, hi) })
	var s float64
	for _, p := range part {
		s += p
	}
	return s
}
