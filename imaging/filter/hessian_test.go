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

// A quadratic has its own Hessian everywhere but at the border.
func TestBendOfQuadratic(t *testing.T) {
	g := imaging.NewGrid([3]int{7, 8, 9}, r3.Vec{}, [3]float64{0.7, 0.9, 1.6})
	want := Bend{XX: 2, YY: -1, ZZ: 0.5, XY: 0.3, XZ: -0.7, YZ: 1.1}
	f := make([]float32, g.Len())
	for n := range f {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i-3), float64(j-4), float64(k-4))
		f[n] = float32(want.XX*p.X*p.X/2 + want.YY*p.Y*p.Y/2 + want.ZZ*p.Z*p.Z/2 + want.XY*p.X*p.Y + want.XZ*p.X*p.Z + want.YZ*p.Y*p.Z)
	}
	got := newDiffer(g, f).at(3, 4, 4)
	for n, d := range []float64{got.XX - want.XX, got.YY - want.YY, got.ZZ - want.ZZ, got.XY - want.XY, got.XZ - want.XZ, got.YZ - want.YZ} {
		if math.Abs(d) > 1e-4 {
			t.Errorf("entry %d is off by %g", n, d)
		}
	}
	newDiffer(g, f).at(0, 0, 0) // the border reads nothing outside
	newDiffer(g, f).at(6, 7, 8)
}

// Eigenvalues and vectors: characteristic invariants and A·v = e·v.
func TestEigenOfRandomBends(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 5))
	for range 1000 {
		var x [6]float64
		for n := range x {
			x[n] = rng.NormFloat64()
		}
		b := Bend{x[0], x[1], x[2], x[3], x[4], x[5]}
		e1, e2, e3 := b.Eigen()
		if e1 < e2 || e2 < e3 {
			t.Fatalf("%+v: %g, %g, %g do not fall", b, e1, e2, e3)
		}
		det := b.XX*(b.YY*b.ZZ-b.YZ*b.YZ) - b.XY*(b.XY*b.ZZ-b.YZ*b.XZ) + b.XZ*(b.XY*b.YZ-b.YY*b.XZ)
		if math.Abs(e1*e2*e3-det) > 1e-9*(1+math.Abs(det)) {
			t.Fatalf("%+v: product %g, want %g", b, e1*e2*e3, det)
		}
		for _, e := range []float64{e1, e2, e3} {
			v := b.Axis(e)
			r := math.Abs(b.XX*v[0]+b.XY*v[1]+b.XZ*v[2]-e*v[0]) + math.Abs(b.XY*v[0]+b.YY*v[1]+b.YZ*v[2]-e*v[1]) + math.Abs(b.XZ*v[0]+b.YZ*v[1]+b.ZZ*v[2]-e*v[2])
			if r > 1e-5 || math.Abs(v[0]*v[0]+v[1]*v[1]+v[2]*v[2]-1) > 1e-9 {
				t.Fatalf("%+v: eigenvector %v of %g leaves %g", b, v, e, r)
			}
		}
	}
	if e1, e2, e3 := (Bend{XX: 3, YY: 3, ZZ: 3}).Eigen(); e1 != 3 || e2 != 3 || e3 != 3 {
		t.Errorf("multiple of one: %g, %g, %g", e1, e2, e3)
	}
}
