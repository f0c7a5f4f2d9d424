package filter

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// pieces counts the 26-connected pieces of m, or of its complement joined
// across faces, the outside of the grid included.
func pieces(g imaging.Grid, m Mask, inside bool) int {
	count := 0
	big := imaging.NewGrid([3]int{g.Size[0] + 2, g.Size[1] + 2, g.Size[2] + 2}, r3.Vec{}, [3]float64{1, 1, 1})
	in := make(Mask, big.Len())
	for n, x := range m {
		i, j, k := g.IJK(n)
		in[big.Index(i+1, j+1, k+1)] = x
	}
	seen := make(Mask, big.Len())
	for s := range in {
		if in[s] != inside || seen[s] {
			continue
		}
		count++
		stack := []int{s}
		seen[s] = true
		for len(stack) > 0 {
			n := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			i, j, k := big.IJK(n)
			for d := range 27 {
				x, y, z := d%3-1, d/3%3-1, d/9-1
				if !inside && x*x+y*y+z*z != 1 || !big.Contains(i+x, j+y, k+z) {
					continue
				}
				if o := big.Index(i+x, j+y, k+z); in[o] == inside && !seen[o] {
					seen[o] = true
					stack = append(stack, o)
				}
			}
		}
	}
	return count
}

// euler is the Euler number of m as a set of closed cubes: corners − edges +
// faces − cubes (26-connectivity).
func euler(g imaging.Grid, m Mask) int {
	at := func(i, j, k int) bool { return g.Contains(i, j, k) && m[g.Index(i, j, k)] }
	// cells are (i,j,k) with doubled coordinates; odd means extended along that axis
	e := 0
	for k := 0; k <= 2*g.Size[2]; k++ {
		for j := 0; j <= 2*g.Size[1]; j++ {
			for i := 0; i <= 2*g.Size[0]; i++ {
				has := false
				span := func(c int) (lo, hi int) {
					if c%2 == 1 {
						return c / 2, c / 2
					}
					return c/2 - 1, c / 2
				}
				x0, x1 := span(i)
				y0, y1 := span(j)
				z0, z1 := span(k)
				for z := z0; z <= z1; z++ {
					for y := y0; y <= y1; y++ {
						for x := x0; x <= x1; x++ {
							has = has || at(x, y, z)
						}
					}
				}
				if has {
					e += 1 - 2*((i+j+k)&1)
				}
			}
		}
	}
	return e
}

// Thinning keeps pieces, cavities and the Euler number (so also the tunnels),
// stays inside, and cannot be thinned further.
func TestThinKeepsTopology(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 5))
	g := imaging.NewGrid([3]int{13, 11, 9}, r3.Vec{}, [3]float64{1, 1, 1})
	for _, p := range []float64{0.1, 0.3, 0.5, 0.7, 0.9, 1} {
		for range 5 {
			m := randomMask(g, p, rng)
			thin, err := Thin(t.Context(), g, m)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := pieces(g, m, true), pieces(g, thin, true); a != b {
				t.Fatalf("density %g: %d pieces became %d", p, a, b)
			}
			if a, b := pieces(g, m, false), pieces(g, thin, false); a != b {
				t.Fatalf("density %g: %d cavities became %d", p, a-1, b-1)
			}
			if a, b := euler(g, m), euler(g, thin); a != b {
				t.Fatalf("density %g: Euler number %d became %d", p, a, b)
			}
			again, err := Thin(t.Context(), g, thin)
			if err != nil {
				t.Fatal(err)
			}
			for n := range m {
				if thin[n] && !m[n] || thin[n] != again[n] {
					t.Fatalf("voxel %d: %v, thinned %v, again %v", n, m[n], thin[n], again[n])
				}
			}
		}
	}
}

// A rod becomes a line of its length along its axis, a ring a closed line, a
// solid ball one voxel or a short line.
func TestThinOfShapes(t *testing.T) {
	g := imaging.NewGrid([3]int{41, 41, 41}, r3.Vec{X: -20, Y: -20, Z: -20}, [3]float64{1, 1, 1})
	at := func(n int) r3.Vec {
		i, j, k := g.IJK(n)
		return g.Point(float64(i), float64(j), float64(k))
	}
	rod := Where(g.Len(), func(n int) bool { p := at(n); return p.X*p.X+p.Y*p.Y < 16.5 && p.Z*p.Z < 226 })
	line, err := Thin(t.Context(), g, rod)
	if err != nil {
		t.Fatal(err)
	}
	for n, in := range line {
		if p := at(n); in && p.X*p.X+p.Y*p.Y > 2 && p.Z*p.Z < 100 {
			t.Errorf("line of the rod at %v", p)
		}
	}
	if c := line.Count(); c < 21 || c > 40 {
		t.Errorf("rod of 31 voxels: line of %d", c)
	}
	ring := Where(g.Len(), func(n int) bool {
		p := at(n)
		d := r3.Norm(r3.Vec{X: p.X, Y: p.Y}) - 12
		return d*d+p.Z*p.Z < 9.5
	})
	if line, err = Thin(t.Context(), g, ring); err != nil {
		t.Fatal(err)
	}
	th := thinner{nx: g.Size[0], nxy: g.Size[0] * g.Size[1], in: line}
	for n, in := range line {
		if in && bits.OnesCount32(th.around(n)) != 2 {
			t.Errorf("line of the ring at %v has %d neighbours", at(n), bits.OnesCount32(th.around(n)))
		}
	}
	if c := line.Count(); c < 50 || c > 90 {
		t.Errorf("ring of circumference 75: line of %d", c)
	}
}

// simple against its meaning: pieces and cavities of the block with and without
// the centre, and the Euler number.
func TestSimpleAgainstTopology(t *testing.T) {
	g := imaging.NewGrid([3]int{3, 3, 3}, r3.Vec{}, [3]float64{1, 1, 1})
	rng := rand.New(rand.NewPCG(9, 5))
	for range 2000 {
		c := rng.Uint32() & (1<<27 - 1)
		if rng.IntN(2) == 0 {
			c &= rng.Uint32()
		} else {
			c |= rng.Uint32() & (1<<27 - 1)
		}
		m := make(Mask, 27)
		for b := range m {
			m[b] = c>>b&1 == 1
		}
		m[13] = true
		p1, q1, e1 := pieces(g, m, true), pieces(g, m, false), euler(g, m)
		m[13] = false
		same := p1 == pieces(g, m, true) && q1 == pieces(g, m, false) && e1 == euler(g, m)
		got := simple(c &^ (1 << 13))
		if got && !same {
			t.Fatalf("%027b: called simple, but the topology changes", c)
		}
		if p1 == 1 && q1 == 1 && same && !got && e1 == 1 {
			t.Fatalf("%027b: nothing changes, but not called simple", c)
		}
	}
}

func TestThinCancels(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := testGrid()
	if _, err := Thin(ctx, g, Where(g.Len(), func(int) bool { return true })); err == nil {
		t.Error("no error after cancel")
	}
}

// A bent tube becomes a line of as many voxels as scikit-image 0.19 leaves of it
// (skeletonize in three dimensions, Lee's method), to within what the order of
// the axes changes there.
func TestThinOfABentTube(t *testing.T) {
	g := imaging.NewGrid([3]int{61, 61, 61}, r3.Vec{}, [3]float64{1, 1, 1})
	for _, c := range []struct {
		radius      float64
		least, most int
	}{{1, 56, 59}, {1.3, 59, 62}, {1.6, 59, 61}, {2.2, 60, 60}} {
		m := make(Mask, g.Len())
		for s := range 193 {
			x := 0.25 * float64(s)
			at := r3.Vec{X: 6 + x, Y: 30 + 15*math.Sin(x/9), Z: 12 + 0.7*x}
			for n := range m {
				i, j, k := g.IJK(n)
				m[n] = m[n] || r3.Norm2(r3.Sub(g.Point(float64(i), float64(j), float64(k)), at)) < c.radius*c.radius
			}
		}
		line, err := Thin(t.Context(), g, m)
		if err != nil {
			t.Fatal(err)
		}
		if got := line.Count(); got < c.least || got > c.most {
			t.Errorf("a tube of %d voxels: a line of %d, want %d to %d", m.Count(), got, c.least, c.most)
		}
	}
}
