package rank

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// deb2dk are points of the front of DEB2DK with one knee (Branke, Deb, Dierolf
// and Osswald, PPSN VIII 2004, doi 10.1007/978-3-540-30217-9_73, section 4): it
// lies at x = ½, by symmetry (the formula is recalled).
func deb2dk(n int) [][]float64 {
	var out [][]float64
	for i := range n {
		x := float64(i) / float64(n-1)
		r := 5 + 10*(x-0.5)*(x-0.5) + math.Cos(2*math.Pi*x)
		out = append(out, []float64{r * math.Sin(math.Pi*x/2), r * math.Cos(math.Pi*x/2)})
	}
	return out
}

func TestTheKneeOfAPublishedProblem(t *testing.T) {
	costs := deb2dk(101)
	if k := knee(costs); k != 50 {
		t.Errorf("the knee is at x = %g, want 0.5", float64(k)/100)
	}
}

func TestTheKneeStaysUnderScaleShiftAndOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 1))
	for range 50 {
		k := 2 + rng.IntN(4)
		var front [][]float64
		all := cloud(rng, 120, k, 64)
		for p, f := range Fronts(all) {
			if f == 0 {
				front = append(front, all[p])
			}
		}
		want := knee(front)
		moved := make([][]float64, len(front))
		for p, c := range front {
			for o, v := range c {
				moved[p] = append(moved[p], v*math.Ldexp(1, 5*o-7)+8)
			}
		}
		if got := knee(moved); got != want {
			t.Fatalf("knee %d became %d", want, got)
		}
	}
}

// On part of a sphere seen from its outside, that is a convex front, the knee
// is the point nearest to the ideal; seen from within there is none.
func TestConvexFrontsHaveAKneeAndOthersNot(t *testing.T) {
	var convex, concave, straight [][]float64
	for i := range 21 {
		for j := range 21 {
			u, v := float64(i)/20*math.Pi/2, float64(j)/20*math.Pi/2
			s := []float64{math.Sin(u) * math.Cos(v), math.Sin(u) * math.Sin(v), math.Cos(u)}
			concave = append(concave, s)
			convex = append(convex, []float64{1 - s[0], 1 - s[1], 1 - s[2]})
		}
		x := float64(i) / 16
		straight = append(straight, []float64{x, 20 - x})
	}
	if k := knee(concave); k != -1 {
		t.Errorf("a front that bulges away has a knee at %v", concave[k])
	}
	if k := knee(straight); k != -1 {
		t.Errorf("a straight front has a knee at %v", straight[k])
	}
	k := knee(convex)
	if k < 0 {
		t.Fatal("a convex front has no knee")
	}
	// The normal of the plane of the extremes is (1, 1, 1)/√3.
	if got := slices.Max(convex[k]) - slices.Min(convex[k]); got > 0.08 {
		t.Errorf("knee %v", convex[k])
	}
}

func TestFewOrEqualPointsHaveNoKnee(t *testing.T) {
	for _, c := range [][][]float64{nil, {{1, 2}}, {{1, 2}, {2, 1}}, {{1, 1}, {1, 1}, {1, 1}}, {{1, 5}, {1, 4}, {1, 3}}} {
		if k := knee(c); k != -1 {
			t.Errorf("%v has a knee at %d", c, k)
		}
	}
}
