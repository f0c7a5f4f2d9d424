package needle

import (
	"context"
	"fmt"
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

// agreement is how Search compares with BruteForce.
type agreement struct {
	feasible, front int      // by brute force
	wrong           []string // every mismatch
}

// agree searches a random phantom both ways.
func agree(seed uint64) (a agreement, err error) {
	ctx := context.Background()
	cond := []string{"biopsy", "drain", "ablation"}[seed%3]
	c, err := NewCase(ctx, randomPhantom(seed), Config{Condition: cond, Candidates: 6000, SkinMM: 3})
	if err != nil {
		return a, err
	}
	fast, err := c.Search(ctx)
	if err != nil {
		return a, err
	}
	slow, err := BruteForce(ctx, c)
	if err != nil {
		return a, err
	}
	a.feasible, a.front = slow.Feasible, len(slow.Front)
	if fast.Pairs != slow.Pairs || fast.InReach != slow.InReach || fast.Feasible != slow.Feasible || len(fast.Front) != len(slow.Front) {
		a.wrong = append(a.wrong, fmt.Sprintf("fast %d/%d/%d front %d, brute %d/%d/%d front %d", fast.Pairs, fast.InReach, fast.Feasible, len(fast.Front), slow.Pairs, slow.InReach, slow.Feasible, len(slow.Front)))
		return a, nil
	}
	for n := range slow.Front {
		if fast.Front[n] != slow.Front[n] {
			a.wrong = append(a.wrong, fmt.Sprintf("trajectory %d of the front is %+v, by brute force %+v", n, fast.Front[n], slow.Front[n]))
		}
	}
	return a, nil
}

const agreePhantoms = 20

func TestSearchEqualsBruteForceOnRandomPhantoms(t *testing.T) {
	points, feasible := 0, 0
	for seed := range uint64(agreePhantoms) {
		a, err := agree(seed)
		if err != nil {
			t.Fatalf("phantom %d: %v", seed, err)
		}
		points, feasible = points+a.front, feasible+a.feasible
		for _, w := range a.wrong {
			t.Errorf("phantom %d: %s", seed, w)
		}
	}
	if feasible < 1000 || points < 100 {
		t.Errorf("only %d feasible and %d on the fronts: the phantoms test nothing", feasible, points)
	}
	t.Logf("%d phantoms: %d feasible, %d on the fronts", agreePhantoms, feasible, points)
}

// BenchmarkAgreement reports the mismatches of Search on the same phantoms.
func BenchmarkAgreement(b *testing.B) {
	var sum agreement
	for b.Loop() {
		sum = agreement{}
		for seed := range uint64(agreePhantoms) {
			a, err := agree(seed)
			if err != nil {
				b.Fatal(err)
			}
			sum.feasible, sum.front, sum.wrong = sum.feasible+a.feasible, sum.front+a.front, append(sum.wrong, a.wrong...)
		}
	}
	b.ReportMetric(float64(len(sum.wrong)), "mismatches")
	b.ReportMetric(float64(sum.feasible), "feasible")
	b.ReportMetric(float64(sum.front), "front")
}
