package filter

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

func TestGaussianAgainstDefinition(t *testing.T) {
	g := testGrid()
	rng := rand.New(rand.NewPCG(6, 5))
	in := make([]float32, g.Len())
	for n := range in {
		in[n] = float32(rng.NormFloat64() * 100)
	}
	before := append([]float32(nil), in...)
	h := g.SpacingMM()
	for _, sigma := range []float64{0.3, 0.6, 1.1, 4} {
		got, err := Gaussian(t.Context(), g, in, sigma)
		if err != nil {
			t.Fatal(err)
		}
		for n := range in {
			i, j, k := g.IJK(n)
			sum, weight := 0.0, 0.0
			for o := range in {
				x, y, z := g.IJK(o)
				w := 1.0
				for a, d := range [3]int{x - i, y - j, z - k} {
					if r := int(3 * sigma / h[a]); d > r || d < -r {
						w = 0
					}
					w *= math.Exp(-0.5 * float64(d*d) * h[a] * h[a] / (sigma * sigma))
				}
				sum += w * float64(in[o])
				weight += w
			}
			if math.Abs(float64(got[n])-sum/weight) > 1e-3 {
				t.Fatalf("sigma %g, voxel %d: %g, want %g", sigma, n, got[n], sum/weight)
			}
			if in[n] != before[n] {
				t.Fatal("the input was changed")
			}
		}
	}
}

// Variances add: smoothing a Gaussian blob of variance s² gives one of s²+σ².
func TestGaussianOfGaussian(t *testing.T) {
	g := imaging.NewGrid([3]int{60, 60, 40}, r3.Vec{}, [3]float64{0.5, 0.5, 0.8})
	c := g.Point(30, 30, 20)
	in := make([]float32, g.Len())
	const s, sigma = 2.0, 1.5
	for n := range in {
		i, j, k := g.IJK(n)
		in[n] = float32(math.Exp(-r3.Norm2(r3.Sub(g.Point(float64(i), float64(j), float64(k)), c)) / (2 * s * s)))
	}
	got, err := Gaussian(t.Context(), g, in, sigma)
	if err != nil {
		t.Fatal(err)
	}
	want := math.Pow(s*s/(s*s+sigma*sigma), 1.5)
	if x := float64(got[g.Index(30, 30, 20)]); math.Abs(x-want) > 0.01*want {
		t.Errorf("top %g, want %g", x, want)
	}
}
