package uncertainty

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

func offset(t *testing.T, seed, sd, length float64) *Offset {
	t.Helper()
	o, err := NewOffset(seed, sd, length)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Over many seeds the offsets at two points are Gaussian with mean 0, variance
// sd² and covariance sd²·exp(−τ²/(2·length²)), at any place and direction.
func TestOffsetsHaveTheirCovariance(t *testing.T) {
	const n, sd, length = 4000, 0.4, 7.0
	p := r3.Vec{X: -120, Y: 33, Z: 900}
	dirs := []r3.Vec{{X: 1}, {Y: -1}, r3.Unit(r3.Vec{X: 1, Y: 1, Z: 1})}
	taus := []float64{0, 3, 7, 14, 28}
	rng := rand.New(rand.NewPCG(1, 1))
	var cov [3][5]float64
	mean, fourth := 0.0, 0.0
	for range n {
		o := offset(t, open01(rng), sd, length)
		a := o.At(p)
		mean += a / n
		fourth += a * a * a * a / n
		for k, d := range dirs {
			for j, tau := range taus {
				cov[k][j] += a * o.At(r3.Add(p, r3.Scale(tau, d))) / n
			}
		}
	}
	se := sd * sd * math.Sqrt(2./n) // of a variance; covariances vary less
	for k := range dirs {
		for j, tau := range taus {
			want := sd * sd * math.Exp(-tau*tau/(2*length*length))
			if math.Abs(cov[k][j]-want) > 4*se {
				t.Errorf("direction %d, %g mm apart: covariance %.4f, want %.4f ± %.4f", k, tau, cov[k][j], want, se)
			}
		}
	}
	if math.Abs(mean) > 4*sd/math.Sqrt(n) {
		t.Errorf("mean %.4f mm", mean)
	}
	// a sum of 64 cosines of random phase has a kurtosis of 3 − 1.5/64; its standard error is √(96/n)
	if k := fourth / (sd * sd * sd * sd); math.Abs(k-3) > 4*math.Sqrt(96./n) {
		t.Errorf("kurtosis %.2f", k)
	}
}

// One field alone has nearly its variance over a body much larger than the
// correlation length.
func TestOneOffsetFieldHasItsVariance(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 5 {
		o := offset(t, open01(rng), 0.5, 6)
		sq := 0.0
		for range 20000 {
			v := o.At(r3.Vec{X: 400 * rng.Float64(), Y: 400 * rng.Float64(), Z: 400 * rng.Float64()})
			sq += v * v / 20000
		}
		if sd := math.Sqrt(sq); math.Abs(sd-0.5) > 0.02 {
			t.Errorf("standard deviation %.3f mm, want 0.5", sd)
		}
	}
}

func TestOffsetsOnAGridAreThoseAtItsPoints(t *testing.T) {
	rot := r3.NewRotation(0.7, r3.Vec{X: 1, Y: -2, Z: 0.5})
	g := imaging.Grid{Size: [3]int{200, 9, 7}, Origin: r3.Vec{X: -120, Y: 33, Z: 900},
		Axes: [3]r3.Vec{rot.Rotate(r3.Vec{X: 0.7}), rot.Rotate(r3.Vec{Y: 0.8}), rot.Rotate(r3.Vec{Z: 2.5})}}
	o := offset(t, 0.3, 0.5, 5)
	dst := make([]float32, g.Len())
	o.OnGrid(dst, g)
	for n, got := range dst {
		i, j, k := g.IJK(n)
		if want := o.At(g.Point(float64(i), float64(j), float64(k))); math.Abs(float64(got)-want) > 1e-6 {
			t.Fatalf("voxel %d %d %d: %g, want %g mm", i, j, k, got, want)
		}
	}
	b := imaging.Box{Lo: [3]int{50, 2, 1}, Hi: [3]int{61, 8, 4}}
	crop := g.Crop(b)
	sub := make([]float32, crop.Len())
	o.OnGrid(sub, crop)
	for n, got := range sub {
		i, j, k := crop.IJK(n)
		if want := dst[g.Index(i+50, j+2, k+1)]; math.Abs(float64(got-want)) > 1e-6 {
			t.Fatalf("crop differs at %d: %g, %g", n, got, want)
		}
	}
}

func TestTheMedianFieldIsZero(t *testing.T) {
	o := offset(t, FieldSeed{}.Quantile(0.5), 0.5, 5)
	if v := o.At(r3.Vec{X: 3}); v != 0 {
		t.Errorf("offset %g mm", v)
	}
	g := imaging.NewGrid([3]int{3, 3, 3}, r3.Vec{}, [3]float64{1, 1, 1})
	dst := []float32{26: 1}
	o.OnGrid(dst, g)
	if dst[26] != 0 {
		t.Error("the grid is not 0")
	}
}

func TestOffsetRefusesWhatMakesNoField(t *testing.T) {
	nan := math.NaN()
	for _, c := range [][3]float64{{0, 1, 5}, {1, 1, 5}, {nan, 1, 5}, {0.3, -1, 5}, {0.3, nan, 5}, {0.3, 1, 0}, {0.3, 1, nan}, {0.3, 1, math.Inf(1)}} {
		var e *OffsetError
		if _, err := NewOffset(c[0], c[1], c[2]); !errors.As(err, &e) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// BenchmarkOffsetOnGrid fills 128³ voxels.
func BenchmarkOffsetOnGrid(b *testing.B) {
	o, _ := NewOffset(0.3, 0.5, 7)
	g := imaging.NewGrid([3]int{128, 128, 128}, r3.Vec{}, [3]float64{1, 1, 1})
	dst := make([]float32, g.Len())
	for b.Loop() {
		o.OnGrid(dst, g)
	}
	b.ReportMetric(float64(g.Len())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mvoxel/s")
}

func TestCosTurns(t *testing.T) {
	for i := -4000; i <= 4000; i++ {
		x := float64(i) / 777
		if got, want := cosTurns(x), math.Cos(2*math.Pi*x); math.Abs(got-want) > 1e-9 {
			t.Fatalf("cos of %g turns is %.12f, want %.12f", x, got, want)
		}
	}
}

// BenchmarkOffsetAt is one offset at one point.
func BenchmarkOffsetAt(b *testing.B) {
	o, _ := NewOffset(0.3, 0.5, 7)
	p, s := r3.Vec{X: 1, Y: 2, Z: 3}, 0.0
	for b.Loop() {
		p.X += 0.1
		s += o.At(p)
	}
	_ = s
}
