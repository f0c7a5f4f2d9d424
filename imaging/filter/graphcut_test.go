package filter

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// energy is the price of a labelling by the definition.
func (c *CutProblem) energy(m Mask) float64 {
	g, dirs := c.Grid, 6
	if c.Diagonal {
		dirs = 18
	}
	h := g.SpacingMM()
	sum := 0.0
	for n, free := range c.Free {
		if free && m[n] {
			sum += float64(c.In[n])
		} else if free {
			sum += float64(c.Out[n])
		}
		i, j, k := g.IJK(n)
		for d := 0; d < dirs; d += 2 {
			o := cutOffsets[d]
			if !g.Contains(i+o[0], j+o[1], k+o[2]) {
				continue
			}
			p := g.Index(i+o[0], j+o[1], k+o[2])
			if (free || c.Free[p]) && m[n] != m[p] {
				x, y, z := float64(o[0])*h[0], float64(o[1])*h[1], float64(o[2])*h[2]
				sum += float64(c.Edge(n, p, math.Sqrt(x*x+y*y+z*z)))
			}
		}
	}
	return sum
}

// Every labelling of a dozen free voxels is tried.
func TestCutIsTheLeast(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 5))
	for round := range 300 {
		g := imaging.NewGrid([3]int{4, 3, 3}, r3.Vec{}, [3]float64{1, 1.5, 2})
		c := &CutProblem{Grid: g, Free: make(Mask, g.Len()), Fixed: randomMask(g, 0.5, rng), In: make([]float32, g.Len()), Out: make([]float32, g.Len()), Diagonal: round%2 == 0}
		var free []int
		for n := range g.Len() {
			if len(free) < 11 && rng.Float64() < 0.5 {
				c.Free[n] = true
				free = append(free, n)
			}
			// whole numbers of 1/1024, often 0, often equal
			c.In[n], c.Out[n] = float32(rng.IntN(4)), float32(rng.IntN(4))
		}
		w := make([]float32, g.Len()*g.Len())
		for n := range w {
			w[n] = float32(rng.IntN(3))
		}
		c.Edge = func(n, o int, mm float64) float32 { return w[min(n, o)*g.Len()+max(n, o)] }
		got, err := c.Solve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		best, fewest := math.Inf(1), 0
		try := make(Mask, g.Len())
		copy(try, c.Fixed)
		for bits := range 1 << len(free) {
			count := 0
			for b, n := range free {
				try[n] = bits>>b&1 == 1
				if try[n] {
					count++
				}
			}
			if e := c.energy(try); e < best || e == best && count < fewest {
				best, fewest = e, count
			}
		}
		count := 0
		for n, m := range got {
			if c.Free[n] && m {
				count++
			}
			if !c.Free[n] && m != c.Fixed[n] {
				t.Fatalf("round %d: fixed voxel %d changed", round, n)
			}
		}
		if e := c.energy(got); e != best || count != fewest {
			t.Fatalf("round %d: price %g with %d voxels, the least is %g with %d", round, e, count, best, fewest)
		}
	}
}

// cutBall is a noisy ball of 20 mm radius and a price for it.
func cutBall(n int) *CutProblem {
	g := imaging.NewGrid([3]int{n, n, n}, r3.Vec{}, [3]float64{1, 1, 1})
	rng := rand.New(rand.NewPCG(7, 5))
	c := &CutProblem{Grid: g, Free: Where(g.Len(), func(int) bool { return true }), Fixed: make(Mask, g.Len()), In: make([]float32, g.Len()), Out: make([]float32, g.Len()), Diagonal: true}
	mid := float64(n-1) / 2
	for v := range g.Len() {
		i, j, k := g.IJK(v)
		x := rng.NormFloat64()
		if r3.Norm(r3.Vec{X: float64(i) - mid, Y: float64(j) - mid, Z: float64(k) - mid}) < mid*2/3 {
			x++
		}
		// Gaussians of sd 1 around 0 and 1
		c.In[v], c.Out[v] = float32((x-1)*(x-1)/2), float32(x*x/2)
	}
	c.Edge = func(_, _ int, mm float64) float32 { return float32(0.4 / mm) }
	return c
}

// A third of the voxels have the wrong side by their value; the cut has one in
// a hundred.
func TestCutFindsABallInNoise(t *testing.T) {
	c := cutBall(60)
	m, err := c.Solve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wrong, alone, mid := 0, 0, 29.5
	for v := range m {
		i, j, k := c.Grid.IJK(v)
		in := r3.Norm(r3.Vec{X: float64(i) - mid, Y: float64(j) - mid, Z: float64(k) - mid}) < mid*2/3
		if m[v] != in {
			wrong++
		}
		if (c.In[v] < c.Out[v]) != in {
			alone++
		}
	}
	if n := len(m); wrong*100 > n || alone*4 < n {
		t.Errorf("%d of %d voxels are wrong, %d by their value alone", wrong, n, alone)
	}
}

func TestCutStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cutBall(30).Solve(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func BenchmarkCut(b *testing.B) {
	c := cutBall(80)
	for b.Loop() {
		if _, err := c.Solve(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
