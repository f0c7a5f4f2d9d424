package main

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"halsted/imaging"
	"halsted/imaging/phantom"
	"halsted/planner"
	"halsted/planner/liver"

	"gonum.org/v1/gonum/spatial/r3"
)

func TestBenchLinesAreRead(t *testing.T) {
	out := []byte("goos: linux\nBenchmarkOther 1 2 ns/op\nBenchmarkX/sub-2 1 3 ns/op\nBenchmarkX-2   \t       5\t 187654321 ns/op\t         1.25e+06 in_reach\t 0 B/op\nPASS\n")
	m, err := parseBench(out, "BenchmarkX")
	if err != nil || m["ns/op"] != 187654321 || m["in_reach"] != 1.25e6 || len(m) != 3 {
		t.Errorf("%v %v", m, err)
	}
	if m, err := parseBench(out, "BenchmarkY"); m != nil || err != nil {
		t.Errorf("a benchmark that is not there: %v %v", m, err)
	}
	if _, err := parseBench([]byte("BenchmarkX 1 much ns/op\n"), "BenchmarkX"); err == nil {
		t.Error("a number that is none passed")
	}
}

// The ends of the interval are where the binomial tail is half of what is left
// out, summed here term by term.
func TestExactInterval(t *testing.T) {
	tail := func(k, n int, p float64) (sum float64) { // P(X ≥ k)
		for i := k; i <= n; i++ {
			lg := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
			sum += math.Exp(lg(n) - lg(i) - lg(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log(1-p))
		}
		return sum
	}
	for _, k := range []int{1, 200, 367, 380, 399} {
		low, high := exactInterval(k, 400, 0.99)
		if a, b := tail(k, 400, low), 1-tail(k+1, 400, high); math.Abs(a-0.005) > 1e-9 || math.Abs(b-0.005) > 1e-9 {
			t.Errorf("%d of 400: tails of %g and %g at %g and %g", k, a, b, low, high)
		}
	}
	if low, high := exactInterval(0, 10, 0.99); low != 0 || math.Abs(high-(1-math.Pow(0.005, 0.1))) > 1e-12 {
		t.Errorf("none of 10: %g to %g", low, high)
	}
	if low, high := exactInterval(10, 10, 0.99); high != 1 || math.Abs(low-math.Pow(0.005, 0.1)) > 1e-12 {
		t.Errorf("all of 10: %g to %g", low, high)
	}
}

func TestCoverageRows(t *testing.T) {
	rows, err := coverageRows(map[string]float64{"cases": 400, "ns/op": 1, "a:hits": 380, "a:width": 1.1, "b:hits": 350, "b:width": 1.3})
	if err != nil {
		t.Fatal(err)
	}
	var holds []bool
	for _, r := range rows {
		holds = append(holds, r.Holds)
	}
	if !slices.Equal(holds, []bool{true, true, false, false}) {
		t.Errorf("%+v", rows)
	}
	if rows, _ := coverageRows(map[string]float64{"cases": 40, "a:hits": 38, "a:width": 1}); rows[0].Holds {
		t.Error("forty cases are enough")
	}
	if _, err := coverageRows(map[string]float64{"ns/op": 1}); err == nil {
		t.Error("no quantity passed")
	}
}

func TestPlannerPartsAreNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range plannerParts {
		if seen[p.name] || p.item == "" {
			t.Errorf("part %q", p.name)
		}
		seen[p.name] = true
	}
	if _, err := plannerBench([]string{"no-such-part"}); err == nil {
		t.Error("a part that is not there passed")
	}
}

func TestLargestPart(t *testing.T) {
	size := [3]int{9, 7, 6}
	in := make([]bool, size[0]*size[1]*size[2])
	put := func(i, j, k int) { in[i+size[0]*(j+size[1]*k)] = true }
	for i := 1; i < 4; i++ { // 12 points
		for j := 1; j < 3; j++ {
			put(i, j, 1)
			put(i, j, 2)
		}
	}
	put(4, 3, 3) // touches by a corner
	for i := 5; i < 8; i++ {
		put(i, 5, 4)
	}
	if got := largestPart(size, in); got != 12 {
		t.Errorf("%d points, want 12", got)
	}
	if got := largestPart(size, in); got != 0 {
		t.Errorf("%d points are left", got)
	}
}

// The remnant of a plane far outside is the organ, of which the tumours are not
// in the denominator.
func TestFLRTruthAgreesWithTheVolumes(t *testing.T) {
	l := phantom.NewLiver(1)
	p := planner.Plan{Cuts: []planner.Plane{{Point: r3.Vec{X: 1e6}, Normal: r3.Vec{X: 1}}}}
	organ := l.VolumeML(imaging.LabelLiver)
	want := 100 * organ / (organ - l.VolumeML(imaging.LabelTumour) - l.VolumeML(imaging.LabelTumour+1))
	if got := newLattice(l).flrPercent(&p); math.Abs(got-want) > 0.05 {
		t.Errorf("%.3f %%, want %.3f", got, want)
	}
}

func TestDifferingBytes(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"abc", "axc", 1}, {"abc", "ab", 1}, {"", "xyz", 3}, {"abcd", "xb", 3}} {
		if got := differingBytes([]byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("%q and %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestSeedFlags(t *testing.T) {
	got, err := seedFlags([]byte(`{"seeds":[{"label":` + strconv.Itoa(int(imaging.LabelTumour)) + `,"lps_mm":{"X":-1.5,"Y":2,"Z":1e-7}}]}`))
	if err != nil || !slices.Equal(got, []string{"--seed", "tumour_1=-1.5,2,1e-07"}) {
		t.Errorf("%q %v", got, err)
	}
}

func TestMechanicalQuantitiesAreCounted(t *testing.T) {
	all := liver.MechanicalOutputs()
	e := planner.Evaluation{Warnings: []string{"L2 on 12000 degrees of freedom"}}
	for n, o := range all {
		q := planner.Quantity{ID: o.ID, Value: 1}
		if n > 0 {
			q.Solution = &planner.Solution{MeshError: float64(n - 1)}
		}
		if n == 2 { // exactly zero
			q.Value, q.Solution.MeshError = 0, 0
		}
		e.Quantities = append(e.Quantities, q)
	}
	d := planner.Decision{Evaluations: []planner.Evaluation{e, {}}}
	if have, lack := meshErrors(&d); have != len(all)-2 || lack != len(all)+2 {
		t.Errorf("%d with and %d without, of twice %d", have, lack, len(all))
	}
	if meshesNotStated(&d) != 1 {
		t.Error("the plan without a mesh is not found")
	}
}
