package main

import (
	"math"
	"slices"
	"testing"
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
