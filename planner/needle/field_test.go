package needle

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// sampled is a field of f at the voxel centres of g.
func sampled(t testing.TB, g imaging.Grid, f func(p r3.Vec) float64) *Field {
	d := make([]float32, g.Len())
	for n := range d {
		i, j, k := g.IJK(n)
		d[n] = float32(f(g.Point(float64(i), float64(j), float64(k))))
	}
	out, err := newField(g, [3]int{}, d)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func turnedGrid(seed uint64) imaging.Grid {
	rng := rand.New(rand.NewPCG(seed, 1))
	g := imaging.NewGrid([3]int{40, 36, 24}, r3.Vec{X: -20, Y: 11, Z: 3}, [3]float64{0.5 + rng.Float64(), 0.5 + rng.Float64(), 1 + rng.Float64()})
	rot := r3.NewRotation(rng.Float64()*3, r3.Vec{X: rng.Float64(), Y: rng.Float64(), Z: 1})
	for a := range g.Axes {
		g.Axes[a] = rot.Rotate(g.Axes[a])
	}
	return g
}

func randomPoint(rng *rand.Rand, g *imaging.Grid) r3.Vec {
	return g.Point(rng.Float64()*float64(g.Size[0]-1), rng.Float64()*float64(g.Size[1]-1), rng.Float64()*float64(g.Size[2]-1))
}

func TestInterpolationIsExactForProductsOfLinearFunctions(t *testing.T) {
	g := imaging.NewGrid([3]int{7, 6, 5}, r3.Vec{}, [3]float64{1, 1, 1})
	f := func(p r3.Vec) float64 { return (1 + p.X) * (2 - p.Y) * (3 + 0.5*p.Z) }
	field := sampled(t, g, f)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		p := randomPoint(rng, &g)
		if got, want := field.point(&g, p), f(p); math.Abs(got-want) > 1e-4 {
			t.Fatalf("at %v: %g, want %g", p, got, want)
		}
	}
	// beyond the outermost centres the field goes on as at the nearest point
	if got, want := field.point(&g, r3.Vec{X: -3, Y: 2, Z: 9}), f(r3.Vec{X: 0, Y: 2, Z: 4}); math.Abs(got-want) > 1e-4 {
		t.Errorf("outside: %g, want %g", got, want)
	}
}

// The interpolant of a distance keeps L(u) along every direction and lies
// within half a diagonal of the distance; √3 is reached where three walls meet.
func TestBoundsOfTheInterpolant(t *testing.T) {
	for seed := range uint64(10) {
		g := turnedGrid(seed)
		rng := rand.New(rand.NewPCG(seed, 2))
		var c [6]r3.Vec
		for n := range c {
			c[n] = randomPoint(rng, &g)
		}
		d := func(p r3.Vec) float64 { // 1-Lipschitz: distance to a few balls
			m := math.Inf(1)
			for n, q := range c {
				m = min(m, dist(p, q)-float64(n))
			}
			return m
		}
		f, e := sampled(t, g, d), halfDiagonal(g)
		for range 5000 {
			p, q := randomPoint(rng, &g), randomPoint(rng, &g)
			q = r3.Add(p, r3.Scale(0.3*rng.Float64(), r3.Sub(q, p)))
			s := newShaft(&g, p, q)
			a, b := f.point(&g, p), f.point(&g, q)
			if math.Abs(a-b) > s.l1*s.mm+1e-4 {
				t.Fatalf("grid %d: the interpolant changes by %g over %g mm, L = %g", seed, a-b, s.mm, s.l1)
			}
			if math.Abs(a-d(p)) > e+1e-4 {
				t.Fatalf("grid %d: the interpolant is %g from the distance, more than %g", seed, a-d(p), e)
			}
		}
	}
	g := imaging.NewGrid([3]int{2, 2, 2}, r3.Vec{}, [3]float64{1, 1, 1})
	corner := sampled(t, g, func(p r3.Vec) float64 { // 0 0 0 0 and one step along each edge from the first corner
		return []float64{0, 1, 1, 1}[min(3, int(p.X+p.Y+p.Z+0.5))]
	})
	u := r3.Scale(1e-3, r3.Vec{X: 1, Y: 1, Z: 1})
	if slope := corner.point(&g, u) / r3.Norm(u); math.Abs(slope-math.Sqrt(3)) > 0.01 {
		t.Errorf("the slope in the corner of three walls is %g, want √3", slope)
	}
}

func TestLeastIsThatOfAllPointsAndRightToATenth(t *testing.T) {
	worst := 0.0
	for seed := range uint64(12) {
		g := turnedGrid(seed)
		rng := rand.New(rand.NewPCG(seed, 3))
		a, b := randomPoint(rng, &g), randomPoint(rng, &g)
		wall := tube(a, b, 2)
		d := func(p r3.Vec) float64 { return min(wall(p), dist(p, a)-4) }
		f, blur := sampled(t, g, d), 2*halfDiagonal(g)
		for range 200 {
			s := newShaft(&g, randomPoint(rng, &g), randomPoint(rng, &g))
			want, at := s.leastOfAll(f, 0, s.n, 10, math.Inf(-1))
			got, where := s.least(f, 0, s.n, 10, math.Inf(-1), blur)
			if got != want || (at < 0) != (where < 0) {
				t.Fatalf("grid %d: least %v at %d, of all points %v at %d", seed, got, where, want, at)
			}
			if wide, _ := s.least(f, 0, s.n, 10, math.Inf(-1), math.Inf(1)); wide != want {
				t.Fatalf("grid %d: without the second bound %v, of all points %v", seed, wide, want)
			}
			// what lies between the points, around the least one and at random
			fine := want
			for _, mid := range []int{max(at, 0), rng.IntN(s.n + 1), rng.IntN(s.n + 1)} {
				for i := -500; i <= 500; i++ {
					h := max(0, min(float64(s.n), float64(mid)+float64(i)/100))
					fine = min(fine, f.at(s.from[0]+h*s.step[0], s.from[1]+h*s.step[1], s.from[2]+h*s.step[2]))
				}
			}
			worst = max(worst, want-fine)
			for _, inside := range []bool{true, false} {
				if x, y := s.first(f, 0, s.n, inside), s.firstOfAll(f, 0, s.n, inside); x != y {
					t.Fatalf("grid %d: first point inside %v is %d, of all points %d", seed, inside, x, y)
				}
			}
		}
	}
	if worst > math.Sqrt(3)*StepMM/2 {
		t.Errorf("between the points the field is %g mm lower", worst)
	}
}

// The masks of a ball and of a tube: clearance as the closed form, within the
// half voxel that a mask is off and the tenth of the march, to the safe side.
func TestClearanceOfBallAndTube(t *testing.T) {
	c := closedCase(t)
	half := halfDiagonal(c.Grid) + StepMM
	for n, k := range []struct {
		entry, tip r3.Vec
		vessel     float64 // from the tube's wall to the axis of the needle
		lung       float64
	}{
		{r3.Vec{Y: -40}, r3.Vec{}, 12 - 3, 25 - 6},
		{r3.Vec{X: 20, Y: -35}, r3.Vec{}, 0, 0},
		{r3.Vec{X: -15, Y: -38, Z: 5}, r3.Vec{X: 1, Z: -1}, 0, 0},
	} {
		s := newShaft(&c.Grid, k.tip, k.entry)
		for i := 0; i <= s.n; i++ { // the closed form, finely
			p := c.Grid.Point(s.where(i))
			if i == 0 {
				k.vessel, k.lung = math.Inf(1), math.Inf(1)
			}
			k.vessel = min(k.vessel, tubeAt(p))
			k.lung = min(k.lung, ballAt(p))
		}
		for m, id := range []string{"vessel", "lung"} {
			near, err := c.near(t.Context(), planOf(c, k.entry, k.tip).Needles)
			if err != nil {
				t.Fatal(err)
			}
			want := min(nearMM, [2]float64{k.vessel, k.lung}[m])
			for o := range c.obst {
				if c.obst[o].ID != id {
					continue
				}
				got, _ := s.least(near.fields[o], 0, s.n, nearMM, math.Inf(-1), c.blur)
				if got > want+half || got < want-half {
					t.Errorf("trajectory %d: clearance of %s is %.2f mm, in closed form %.2f mm", n, id, got, want)
				}
			}
		}
	}
}
