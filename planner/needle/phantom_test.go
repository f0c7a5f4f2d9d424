package needle

import (
	"context"
	"math/rand/v2"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// solid is a body for random phantoms: negative inside.
type solid func(p r3.Vec) float64

func ball(c r3.Vec, r float64) solid {
	return func(p r3.Vec) float64 { return dist(p, c) - r }
}

// tube is a straight tube from a to b.
func tube(a, b r3.Vec, r float64) solid {
	d := r3.Sub(b, a)
	return func(p r3.Vec) float64 {
		t := max(0, min(1, r3.Dot(r3.Sub(p, a), d)/r3.Norm2(d)))
		return dist(p, r3.Add(a, r3.Scale(t, d))) - r
	}
}

// egg is an ellipsoid, not a distance.
func egg(c, r r3.Vec) solid {
	return func(p r3.Vec) float64 {
		q := r3.Sub(p, c)
		return r3.Norm(r3.Vec{X: q.X / r.X, Y: q.Y / r.Y, Z: q.Z / r.Z}) - 1
	}
}

type part struct {
	label imaging.Label
	solid solid
}

func paint(g imaging.Grid, parts ...part) *imaging.Segments {
	var of []imaging.Label
	seen := map[imaging.Label]bool{}
	for _, p := range parts {
		if !seen[p.label] {
			seen[p.label] = true
			of = append(of, p.label)
		}
	}
	s := imaging.NewSegments(g, of...)
	for _, p := range parts {
		bit := s.Bit(p.label)
		for n := range s.Bits {
			i, j, k := g.IJK(n)
			if p.solid(g.Point(float64(i), float64(j), float64(k))) < 0 {
				s.Bits[n] |= bit
			}
		}
	}
	return s
}

// randomPhantom is a trunk with organ, target and obstacles, on a grid that may
// be turned, left-handed and of unequal spacing.
func randomPhantom(seed uint64) *imaging.Segments {
	rng := rand.New(rand.NewPCG(seed, 7))
	u := func(a, b float64) float64 { return a + (b-a)*rng.Float64() }
	at := func(r float64) r3.Vec { return r3.Vec{X: u(-r, r), Y: u(-r, r), Z: u(-r, r)} }
	h := [3]float64{u(1, 2), u(1, 2), u(1.5, 3)}
	var size [3]int
	for a := range size {
		size[a] = int(110 / h[a])
	}
	g := imaging.NewGrid(size, r3.Vec{X: -55, Y: -55, Z: -55}, h)
	if seed%2 == 1 { // turned about two axes
		rot := r3.NewRotation(u(-0.5, 0.5), r3.Vec{X: 1, Y: 0.3, Z: 0.2})
		for a := range g.Axes {
			g.Axes[a] = rot.Rotate(g.Axes[a])
		}
		g.Origin = rot.Rotate(g.Origin)
	}
	if seed%3 == 1 { // left-handed
		g.Origin = r3.Add(g.Origin, r3.Scale(float64(size[1]-1), g.Axes[1]))
		g.Axes[1] = r3.Scale(-1, g.Axes[1])
	}
	target := at(8)
	parts := []part{
		{imaging.LabelBody, egg(r3.Vec{}, r3.Vec{X: u(42, 52), Y: u(38, 50), Z: u(60, 90)})},
		{imaging.LabelLiver, egg(target, r3.Vec{X: u(22, 30), Y: u(20, 26), Z: u(20, 28)})},
		{imaging.LabelTumour, ball(target, u(5, 9))},
	}
	for range 3 {
		a := at(35)
		parts = append(parts, part{imaging.LabelPortalVein, tube(a, r3.Add(a, at(40)), u(1.5, 3))})
	}
	for range 4 {
		parts = append(parts, part{imaging.LabelBone, tube(r3.Vec{X: u(-45, 45), Y: u(-45, 45), Z: u(-40, 40)}, r3.Vec{X: u(-45, 45), Y: u(-45, 45), Z: u(-40, 40)}, u(2, 4))})
	}
	lung := at(35)
	if dist(lung, target) > 25 {
		parts = append(parts, part{imaging.LabelLung, ball(lung, u(6, 12))})
	}
	return paint(g, parts...)
}

// agree searches 20 random phantoms both ways; it counts the mismatches, and
// what brute force found feasible and on the fronts.
func agree(t testing.TB) (mismatches, feasible, points int) {
	t.Helper()
	for seed := range uint64(20) {
		cond := []string{"biopsy", "drain", "ablation"}[seed%3]
		c, err := NewCase(context.Background(), randomPhantom(seed), Config{Condition: cond, Candidates: 4000, SkinMM: 3})
		if err != nil {
			t.Fatalf("phantom %d: %v", seed, err)
		}
		fast, err := c.Search(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		slow, err := BruteForce(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		points += len(slow.Front)
		feasible += slow.Feasible
		if n := Mismatches(fast, slow); n > 0 {
			mismatches += n
			t.Errorf("phantom %d: %d mismatches: fast %d/%d/%d front %d, brute %d/%d/%d front %d", seed, n, fast.Pairs, fast.InReach, fast.Feasible, len(fast.Front), slow.Pairs, slow.InReach, slow.Feasible, len(slow.Front))
		}
	}
	return mismatches, feasible, points
}

func TestSearchEqualsBruteForceOnRandomPhantoms(t *testing.T) {
	_, feasible, points := agree(t)
	if feasible < 1000 || points < 100 {
		t.Errorf("only %d feasible and %d on the fronts: the phantoms test nothing", feasible, points)
	}
	t.Logf("20 phantoms: %d feasible, %d on the fronts", feasible, points)
}

// BenchmarkAgreement reports the mismatches of Search on the same phantoms.
func BenchmarkAgreement(b *testing.B) {
	var mismatches, feasible, points int
	for b.Loop() {
		mismatches, feasible, points = agree(b)
	}
	b.ReportMetric(float64(mismatches), "mismatches")
	b.ReportMetric(float64(feasible), "feasible")
	b.ReportMetric(float64(points), "front")
}
