package filter_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"halsted/imaging/filter"
)

// On small random graphs the cut gains as much as the best of all subsets, and
// is the smallest of the best.
func TestCutGraphAgainstEverySubset(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for trial := range 400 {
		n := 2 + rng.IntN(9)
		gain := make([]int64, n)
		type arc struct {
			a, b        int
			there, back int32
		}
		var arcs []arc
		c := filter.NewCutGraph(n, 0)
		for i := range n {
			gain[i] = rng.Int64N(41) - 20
			c.Gain(i, gain[i])
		}
		for range rng.IntN(3 * n) {
			e := arc{rng.IntN(n), rng.IntN(n), rng.Int32N(12), rng.Int32N(12)}
			if rng.IntN(8) == 0 {
				e.there = filter.CutForbidden
			}
			arcs = append(arcs, e)
			c.Arc(e.a, e.b, e.there, e.back)
		}
		value := func(in func(n int) bool) (v int64) {
			for i, g := range gain {
				if in(i) {
					v += g
				}
			}
			for _, e := range arcs {
				if in(e.a) && !in(e.b) {
					v -= int64(e.there)
				}
				if in(e.b) && !in(e.a) {
					v -= int64(e.back)
				}
			}
			return v
		}
		best, size := int64(0), 0
		for s := range 1 << n {
			v, bits := value(func(i int) bool { return s>>i&1 != 0 }), 0
			for i := range n {
				bits += s >> i & 1
			}
			if v > best || v == best && bits < size {
				best, size = v, bits
			}
		}
		m, err := c.Solve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := value(func(i int) bool { return m[i] }); got != best || m.Count() != size {
			t.Fatalf("graph %d of %d nodes: the cut gains %d with %d nodes, the best subset %d with %d", trial, n, got, m.Count(), best, size)
		}
	}
}

func TestCutGraphHonoursCancel(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	c := filter.NewCutGraph(2, 1)
	c.Gain(0, 3)
	c.Gain(1, -2)
	c.Arc(0, 1, 1, 1)
	if _, err := c.Solve(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// BenchmarkCutGraph is a ball of noise-free gain in a cube of 64³ voxels with
// arcs between neighbours.
func BenchmarkCutGraph(b *testing.B) {
	const s = 64
	for b.Loop() {
		rng := rand.New(rand.NewPCG(3, 4))
		c := filter.NewCutGraph(s*s*s, 3*s*s*s)
		for n := range s * s * s {
			i, j, k := n%s-s/2, n/s%s-s/2, n/s/s-s/2
			g := rng.Int64N(400) - 250
			if i*i+j*j+k*k < 400 {
				g += 100
			}
			c.Gain(n, g)
			if i+s/2 < s-1 {
				c.Arc(n, n+1, 60, 60)
			}
			if j+s/2 < s-1 {
				c.Arc(n, n+s, 60, 60)
			}
			if k+s/2 < s-1 {
				c.Arc(n, n+s*s, 60, 60)
			}
		}
		m, err := c.Solve(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(m.Count()), "inside")
	}
}
