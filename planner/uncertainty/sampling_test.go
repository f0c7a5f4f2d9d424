package uncertainty

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func design(t *testing.T, k Kind, seed uint64, n, d int) [][]float64 {
	t.Helper()
	p, err := Points(Method{Kind: k, Seed: seed}, n, d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// cells counts points per elementary interval with 2^k[j] divisions of
// dimension dims[j].
func cells(points [][]float64, dims, k []int) map[string]int {
	count := map[string]int{}
	for _, p := range points {
		key := ""
		for j, d := range dims {
			key += fmt.Sprint(int(p[d]*float64(int(1)<<k[j])), ",")
		}
		count[key]++
	}
	return count
}

// splits calls f with all ways to write m as a sum of s parts.
func splits(m, s int, f func([]int)) {
	var walk func(left int, k []int)
	walk = func(left int, k []int) {
		if len(k) == s-1 {
			f(append(k, left))
			return
		}
		for x := range left + 1 {
			walk(left-x, append(k[:len(k):len(k)], x))
		}
	}
	walk(m, nil)
}

// The first 2^m points are a (t,m,s)-net in base 2 with t the sum of the
// degrees of the primitive polynomials less one (Sobol 1967; Niederreiter 1988):
// every elementary interval of volume 2^(t−m) holds exactly 2^t points.
// Scrambling keeps it.
func TestSobolPointsAreANet(t *testing.T) {
	for _, c := range []struct{ s, m, t int }{{2, 9, 0}, {3, 9, 1}, {4, 9, 3}} {
		for _, seed := range []uint64{1, 77} {
			points := design(t, SobolPoints, seed, 1<<c.m, c.s)
			dims := []int{0, 1, 2, 3}[:c.s]
			splits(c.m-c.t, c.s, func(k []int) {
				got := cells(points, dims, k)
				if len(got) != 1<<(c.m-c.t) {
					t.Fatalf("s %d, divisions %v: %d of %d intervals hold points", c.s, k, len(got), 1<<(c.m-c.t))
				}
				for cell, n := range got {
					if n != 1<<c.t {
						t.Fatalf("s %d, divisions %v: interval %s holds %d points, want %d", c.s, k, cell, n, 1<<c.t)
					}
				}
			})
		}
	}
}

// Every dimension by itself is a (0,m,1)-net, and later blocks of points are
// too (a (t,s)-sequence).
func TestEverySobolDimensionIsStratified(t *testing.T) {
	points := design(t, SobolPoints, 5, 512, MaxDimensions)
	for d := range MaxDimensions {
		for block := 0; block < 512; block += 128 {
			if got := cells(points[block:block+128], []int{d}, []int{7}); len(got) != 128 {
				t.Fatalf("dimension %d, points %d to %d: %d of 128 layers hold a point", d+1, block, block+127, len(got))
			}
		}
	}
}

// Unscrambled points as published: the first points of dimensions 1 to 3 in
// natural order (Joe and Kuo 2008; Bratley and Fox 1988, table I).
func TestSobolDigitsAsPublished(t *testing.T) {
	want := [][3]float64{{0, 0, 0}, {.5, .5, .5}, {.25, .75, .75}, {.75, .25, .25}, {.125, .625, .375}, {.625, .125, .875}}
	for n, w := range want {
		for d := range 3 {
			if got := float64(sobolDigits(d, uint32(n))) / (1 << 32); got != w[d] {
				t.Errorf("point %d, dimension %d: %g, want %g", n, d+1, got, w[d])
			}
		}
	}
}

// product is a smooth function with mean 1 over the unit cube (Sobol's g
// function is its rough sister).
func product(p []float64) float64 {
	v := 1.0
	for j, x := range p {
		v *= 1 + (x*x-1./3)/float64(j+1)
	}
	return v
}

// rmse is the error of the mean over 16 seeds.
func rmse(t *testing.T, k Kind, n, d int) float64 {
	sum := 0.0
	for seed := range uint64(16) {
		m := 0.0
		for _, p := range design(t, k, seed, n, d) {
			m += product(p) / float64(n)
		}
		sum += (m - 1) * (m - 1) / 16
	}
	return math.Sqrt(sum)
}

// The error of an integral falls like 1/√N for random samples and at least
// like 1/N for scrambled Sobol points (Owen, Ann. Stat. 25 (1997) 1541: N^−1.5
// up to logarithms for smooth functions).
func TestIntegrationErrorRates(t *testing.T) {
	rate := func(k Kind) float64 {
		return math.Log2(rmse(t, k, 1<<6, 5)/rmse(t, k, 1<<12, 5)) / 6
	}
	if r := rate(Random); r < 0.35 || r > 0.65 {
		t.Errorf("random samples: error ~ N^-%.2f, want N^-0.5", r)
	}
	if r := rate(SobolPoints); r < 0.95 {
		t.Errorf("Sobol points: error ~ N^-%.2f, want N^-1 or faster", r)
	}
	if a, b := rmse(t, LatinHypercube, 256, 5), rmse(t, Random, 256, 5); a > b/2 {
		t.Errorf("Latin hypercube: error %.3g, random %.3g: want less than half", a, b)
	}
}

func TestLatinHypercubeFillsEveryLayerOnce(t *testing.T) {
	for _, n := range []int{1, 2, 59, 100} {
		points := design(t, LatinHypercube, 3, n, 20)
		for d := range 20 {
			seen := make([]bool, n)
			for _, p := range points {
				seen[int(p[d]*float64(n))] = true
			}
			for layer, ok := range seen {
				if !ok {
					t.Fatalf("n %d, dimension %d: layer %d is empty", n, d, layer)
				}
			}
		}
	}
}

// Coordinates are uniform, strictly inside, uncorrelated; seeds differ; the
// first points of more are the same where that is promised.
func TestPointsAreUniform(t *testing.T) {
	for _, k := range []Kind{Random, LatinHypercube, SobolPoints, Chaos} {
		points := design(t, k, 9, 4096, 6)
		other := design(t, k, 10, 4096, 6)
		differ := 0
		for j := range 6 {
			mean, sq, cross, low, high := 0.0, 0.0, 0.0, 1.0, 0.0
			for i, p := range points {
				mean += p[j] / 4096
				sq += p[j] * p[j] / 4096
				cross += (p[j] - 0.5) * (p[(j+1)%6] - 0.5) * 12 / 4096
				low, high = min(low, p[j]), max(high, p[j])
				if p[j] != other[i][j] {
					differ++
				}
			}
			// five standard errors of 4096 random samples
			if math.Abs(mean-0.5) > 5*0.2887/64 || math.Abs(sq-1./3) > 5*0.298/64 || math.Abs(cross) > 5./64 || low <= 0 || high >= 1 {
				t.Errorf("%s dimension %d: mean %.4f, square %.4f, correlation %.4f, from %g to %g", k, j, mean, sq, cross, low, high)
			}
		}
		if differ < 6*4096*99/100 {
			t.Errorf("%s: two seeds share coordinates", k)
		}
	}
	for _, k := range []Kind{Random, SobolPoints} {
		few, many := design(t, k, 4, 10, 3), design(t, k, 4, 1000, 3)
		for i := range few {
			if !sameBits(few[i], many[i]) {
				t.Errorf("%s: point %d depends on the number of points", k, i)
			}
		}
	}
}

// Nested scrambling makes every single point uniform, the origin among them.
func TestScramblingMovesTheOrigin(t *testing.T) {
	mean := 0.0
	for seed := range uint64(1000) {
		mean += scrambledSobol(3, 0, seed) / 1000
	}
	if math.Abs(mean-0.5) > 5*0.2887/math.Sqrt(1000) {
		t.Errorf("the first point has mean %.3f over seeds", mean)
	}
}

func TestMethodsSayWhatTheyNeed(t *testing.T) {
	for _, c := range []struct {
		m    Method
		d, n int
	}{
		{Method{Kind: Random}, 5, 59}, {Method{Kind: LatinHypercube}, 5, 100}, {Method{Kind: SobolPoints}, 5, 128},
		{Method{Kind: Chaos}, 5, 42}, {Method{Kind: Chaos}, 8, 90}, {Method{Kind: Chaos}, 12, 182},
		{Method{Kind: Random, Runs: 93}, 300, 93},
	} {
		if n, err := c.m.runs(c.d); err != nil || n != c.n {
			t.Errorf("%s over %d inputs: %d runs, %v; want %d", c.m.Kind, c.d, n, err, c.n)
		}
	}
	var tooFew *RunsError
	if _, err := (Method{Kind: Chaos, Runs: 21}).runs(5); !errors.As(err, &tooFew) || tooFew.Want != 22 {
		t.Errorf("21 terms from 21 runs: %v", err)
	}
	var tooWide *DimensionsError
	if _, err := (Method{Kind: SobolPoints}).runs(129); !errors.As(err, &tooWide) {
		t.Errorf("129 Sobol dimensions: %v", err)
	}
	for _, k := range []Kind{Random, LatinHypercube, SobolPoints, Chaos} {
		b, _ := k.MarshalText()
		var back Kind
		if err := back.UnmarshalText(b); err != nil || back != k {
			t.Errorf("%s became %s, %v", k, back, err)
		}
	}
	if new(Kind).UnmarshalText([]byte("dice")) == nil {
		t.Error("an unknown method passed")
	}
}

func FuzzPointsStayInside(f *testing.F) {
	f.Add(uint8(0), uint64(1), 5, 3)
	f.Add(uint8(2), uint64(1)<<63, 1000, 128)
	f.Fuzz(func(t *testing.T, k uint8, seed uint64, n, d int) {
		n, d = n&255, d&127
		points, err := Points(Method{Kind: Kind(k % 4), Seed: seed}, n, d)
		if err != nil {
			t.Skip()
		}
		for _, p := range points {
			for _, v := range p {
				if !(v > 0 && v < 1) {
					t.Fatalf("coordinate %g", v)
				}
			}
		}
	})
}

func BenchmarkSobolPoints(b *testing.B) {
	for b.Loop() {
		if _, err := Points(Method{Kind: SobolPoints, Seed: rand.Uint64()}, 1024, 16); err != nil {
			b.Fatal(err)
		}
	}
}
