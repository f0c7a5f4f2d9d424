package distance_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"halsted/imaging"
	"halsted/imaging/distance"

	"gonum.org/v1/gonum/spatial/r3"
)

func randomMask(rng *rand.Rand, n int, p float64) []bool {
	m := make([]bool, n)
	for i := range m {
		m[i] = rng.Float64() < p
	}
	return m
}

// bruteSigned is the definition: the distance from a centre to the nearest box
// of a voxel of the other side.
func bruteSigned(g imaging.Grid, m []bool, n int) float64 {
	h := g.SpacingMM()
	x := [3]int{}
	x[0], x[1], x[2] = g.IJK(n)
	best := math.Inf(1)
	for o := range m {
		if m[o] == m[n] {
			continue
		}
		y := [3]int{}
		y[0], y[1], y[2] = g.IJK(o)
		d2 := 0.0
		for a := range 3 {
			d := max(0, math.Abs(float64(x[a]-y[a]))-0.5) * h[a]
			d2 += d * d
		}
		best = min(best, d2)
	}
	if m[n] {
		return -math.Sqrt(best)
	}
	return math.Sqrt(best)
}

func bruteUnsigned(g imaging.Grid, m []bool, n int) float64 {
	h := g.SpacingMM()
	i, j, k := g.IJK(n)
	best := math.Inf(1)
	for o := range m {
		if m[o] {
			x, y, z := g.IJK(o)
			best = min(best, r3.Norm(r3.Vec{X: float64(i-x) * h[0], Y: float64(j-y) * h[1], Z: float64(k-z) * h[2]}))
		}
	}
	return best
}

// relTol is the promised rounding of the float32 fields.
const relTol = 1e-6

func TestAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		size    [3]int
		spacing [3]float64
		p       float64
	}{
		{[3]int{13, 11, 9}, [3]float64{1, 1, 1}, 0.5},
		{[3]int{17, 9, 12}, [3]float64{0.743, 0.743, 1.6}, 0.02},
		{[3]int{17, 9, 12}, [3]float64{0.743, 0.9, 5}, 0.98},
		{[3]int{1, 19, 21}, [3]float64{0.3, 7, 1.1}, 0.05},
		{[3]int{23, 1, 1}, [3]float64{2, 1, 1}, 0.2},
		{[3]int{33, 18, 2}, [3]float64{1.25, 0.6, 3}, 0.004},
		{[3]int{130, 4, 5}, [3]float64{0.7, 0.7, 0.7}, 0.01}, // rows of three words
		{[3]int{64, 3, 7}, [3]float64{0.7, 2, 0.1}, 0.5},
		{[3]int{12, 11, 10}, [3]float64{1e-20, 2e-20, 3e-20}, 0.1}, // squares far below float32
		{[3]int{12, 11, 10}, [3]float64{1e25, 1e25, 3e25}, 0.1},
		{[3]int{8, 9, 7}, [3]float64{1e-4, 1, 300}, 0.3},
	} {
		for range 4 {
			g := imaging.NewGrid(c.size, r3.Vec{X: -3, Y: 8, Z: 1}, c.spacing)
			m := randomMask(rng, g.Len(), c.p)
			m[0], m[len(m)-1] = true, false
			in := func(n int) bool { return m[n] }
			s, err := distance.Signed(t.Context(), g, in)
			if err != nil {
				t.Fatal(err)
			}
			u, err := distance.Unsigned(t.Context(), g, in)
			if err != nil {
				t.Fatal(err)
			}
			for n := range m {
				if want := bruteSigned(g, m, n); math.Abs(float64(s[n])-want) > relTol*math.Abs(want) {
					t.Fatalf("%v: signed[%d] = %g, want %g", c, n, s[n], want)
				}
				if want := bruteUnsigned(g, m, n); math.Abs(float64(u[n])-want) > relTol*want {
					t.Fatalf("%v: unsigned[%d] = %g, want %g", c, n, u[n], want)
				}
			}
		}
	}
}

// A band is the whole field cut off at its width.
func TestBandEqualsWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, p := range []float64{0.001, 0.03, 0.5} {
		g := imaging.NewGrid([3]int{75, 31, 40}, r3.Vec{}, [3]float64{0.7, 1.1, 0.4})
		m := randomMask(rng, g.Len(), p)
		for n := range m { // a half-space and far corners without any boundary
			if i, _, k := g.IJK(n); i+k > 60 {
				m[n] = k < 38
			}
		}
		in := func(n int) bool { return m[n] }
		whole, err := distance.Signed(t.Context(), g, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []float64{0.1, 0.35, 1, 2.5, 8, 1000} {
			d, err := distance.SignedBand(t.Context(), g, in, w)
			if err != nil {
				t.Fatal(err)
			}
			for n, v := range d {
				want := min(max(float64(whole[n]), -float64(float32(w))), float64(float32(w)))
				if math.Abs(float64(v)-want) > relTol*math.Abs(want) || math.Abs(float64(v)) > float64(float32(w)) {
					t.Fatalf("p %g, band %g: voxel %d is %g, want %g", p, w, n, v, want)
				}
			}
		}
		box := imaging.Box{Lo: [3]int{-3, 2, 5}, Hi: [3]int{70, 40, 30}}
		_, whole, err = distance.SignedCrop(t.Context(), g, box, in)
		if err != nil {
			t.Fatal(err)
		}
		sub, d, err := distance.SignedBandCrop(t.Context(), g, box, in, 3)
		if err != nil || sub.Size != box.Size() {
			t.Fatal(sub, err)
		}
		for n, v := range d {
			if want := min(max(whole[n], -3), 3); math.Abs(float64(v-want)) > relTol*math.Abs(float64(want)) {
				t.Fatalf("p %g, crop: voxel %d is %g, want %g", p, n, v, want)
			}
		}
	}
	g := imaging.NewGrid([3]int{4, 5, 6}, r3.Vec{}, [3]float64{1, 1, 1})
	for _, w := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := distance.SignedBand(t.Context(), g, func(int) bool { return true }, w); err == nil || errors.Is(err, distance.ErrNoBoundary) {
			t.Errorf("a band of %g: %v", w, err)
		}
	}
	if _, err := distance.SignedBand(t.Context(), g, func(int) bool { return true }, 2); !errors.Is(err, distance.ErrNoBoundary) {
		t.Errorf("a full grid: %v", err)
	}
}

// A half-space cut along an axis has its exact distance at every depth.
func TestHalfSpaceIsExact(t *testing.T) {
	g := imaging.NewGrid([3]int{9, 10, 11}, r3.Vec{}, [3]float64{0.75, 1, 1.5})
	for axis := range 3 {
		at := func(n int) int { i, j, k := g.IJK(n); return [3]int{i, j, k}[axis] }
		d, err := distance.Signed(t.Context(), g, func(n int) bool { return at(n) < 4 })
		if err != nil {
			t.Fatal(err)
		}
		for n := range d {
			if want := (float64(at(n)) - 3.5) * g.SpacingMM()[axis]; float64(d[n]) != want {
				t.Fatalf("axis %d, voxel %d: %g mm, want %g", axis, n, d[n], want)
			}
		}
	}
}

// The level set of a sphere is unbiased: near the surface the mean error over
// both sides is far below a voxel, and |d| is never too large by more than the
// sampling of the mask itself.
func TestSphereIsUnbiased(t *testing.T) {
	h := [3]float64{0.8, 0.8, 1.25}
	g := imaging.NewGrid([3]int{64, 64, 42}, r3.Vec{}, h)
	const radius = 20.0
	centre := r3.Vec{X: 25.3, Y: 25.1, Z: 25.7}
	exact := func(n int) float64 {
		i, j, k := g.IJK(n)
		return r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), centre)) - radius
	}
	d, err := distance.Signed(t.Context(), g, func(n int) bool { return exact(n) < 0 })
	if err != nil {
		t.Fatal(err)
	}
	var sum, count float64
	half := math.Sqrt(h[0]*h[0]+h[1]*h[1]+h[2]*h[2]) / 2
	for n := range d {
		e := exact(n)
		if math.Abs(e) < 1.5 {
			sum += float64(d[n]) - e
			count++
		}
		if diff := math.Abs(float64(d[n]) - e); diff > 2*half {
			t.Fatalf("voxel %d: %g mm, exact %g", n, d[n], e)
		}
	}
	if bias := sum / count; math.Abs(bias) > 0.02 {
		t.Errorf("mean error near the surface %.4f mm over %v voxels", bias, count)
	}
}

func TestCropEqualsWhole(t *testing.T) {
	g := imaging.NewGrid([3]int{30, 26, 20}, r3.Vec{X: 5, Y: -7, Z: 2}, [3]float64{1, 0.7, 2})
	in := func(n int) bool {
		i, j, k := g.IJK(n)
		return i > 8 && i < 20 && j > 6 && j < 15 && k < 9 && (i+j+k)%5 != 0
	}
	whole, err := distance.Signed(t.Context(), g, in)
	if err != nil {
		t.Fatal(err)
	}
	box := g.Bounds(in).Grow(g, 2).Clip(g)
	sub, d, err := distance.SignedCrop(t.Context(), g, box, in)
	if err != nil {
		t.Fatal(err)
	}
	for n := range d {
		i, j, k := sub.IJK(n)
		p := sub.Point(float64(i), float64(j), float64(k))
		x, y, z := g.Voxel(p)
		w := g.Index(int(math.Round(x)), int(math.Round(y)), int(math.Round(z)))
		if d[n] != whole[w] {
			t.Fatalf("crop voxel %d: %g, whole grid %g", n, d[n], whole[w])
		}
	}
	// A margin beyond the grid closes a set that touches the border.
	_, d, err = distance.SignedCrop(t.Context(), g, g.Box().Grow(g, 2), func(int) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if low, want := slices.Min(d), float32(-12.5*0.7); math.Abs(float64(low-want)) > 1e-5 {
		t.Errorf("deepest point of a closed full grid %g mm, want %g", low, want)
	}
}

func TestNoBoundary(t *testing.T) {
	g := imaging.NewGrid([3]int{4, 5, 6}, r3.Vec{}, [3]float64{1, 1, 1})
	for _, full := range []bool{false, true} {
		if _, err := distance.Signed(t.Context(), g, func(int) bool { return full }); !errors.Is(err, distance.ErrNoBoundary) {
			t.Errorf("Signed of a set that is all %v: %v", full, err)
		}
	}
	if _, err := distance.Unsigned(t.Context(), g, func(int) bool { return false }); !errors.Is(err, distance.ErrEmptySet) {
		t.Errorf("Unsigned of no voxel: %v", err)
	}
	if _, err := distance.Signed(t.Context(), imaging.Grid{}, nil); err == nil {
		t.Error("Signed took a grid without voxels")
	}
	g.Axes[2] = r3.Vec{Z: 1e12}
	if _, err := distance.Signed(t.Context(), g, func(n int) bool { return n == 0 }); err == nil {
		t.Error("Signed took spacings of 1 and 1e12 mm")
	}
}

// A cancel is seen within a plane: the set is asked for few voxels more.
func TestCancel(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	g := imaging.NewGrid([3]int{64, 640, 30}, r3.Vec{}, [3]float64{1, 1, 1})
	for _, at := range []int{0, 1000, g.Len() - 1} {
		ctx, cancel := context.WithCancel(t.Context())
		asked := 0
		_, err := distance.Signed(ctx, g, func(n int) bool {
			if n == at {
				cancel()
			}
			asked++
			return n%7 == 0
		})
		if !errors.Is(err, context.Canceled) || asked > at+64*65 {
			t.Errorf("cancelled at voxel %d: %v after %d", at, err, asked)
		}
	}
}

func TestSameBitsOnAnyCoreCount(t *testing.T) {
	g := imaging.NewGrid([3]int{70, 61, 50}, r3.Vec{}, [3]float64{0.7, 0.7, 1.3})
	m := randomMask(rand.New(rand.NewPCG(3, 4)), g.Len(), 0.001)
	var first, band []float32
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		d, err := distance.Signed(t.Context(), g, func(n int) bool { return m[n] })
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = d
		}
		if !slices.Equal(first, d) {
			t.Errorf("GOMAXPROCS=%d gives other bits", procs)
		}
		old = runtime.GOMAXPROCS(procs)
		d, err = distance.SignedBand(t.Context(), g, func(n int) bool { return m[n] }, 4)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if band == nil {
			band = d
		}
		if !slices.Equal(band, d) {
			t.Errorf("GOMAXPROCS=%d gives other bits in a band", procs)
		}
	}
}

// A slab of 3 voxels, 2 mm apart: the middle voxel is 3 mm from both faces.
func ExampleSigned() {
	g := imaging.NewGrid([3]int{7, 1, 1}, r3.Vec{}, [3]float64{2, 1, 1})
	d, err := distance.Signed(context.Background(), g, func(n int) bool { return n >= 2 && n <= 4 })
	fmt.Println(d, err)
	// Output: [3 1 -1 -3 -1 1 3] <nil>
}

func benchmarkMask() (imaging.Grid, func(int) bool) {
	g := imaging.NewGrid([3]int{256, 256, 256}, r3.Vec{}, [3]float64{0.75, 0.75, 1.6})
	m := make([]bool, g.Len())
	for n := range m {
		i, j, k := g.IJK(n)
		x, y, z := float64(i-128), float64(j-120), float64(k-130)
		m[n] = x*x+y*y+z*z < 80*80*(1+0.2*math.Sin(x/9)*math.Cos(z/7))
	}
	return g, func(n int) bool { return m[n] }
}

func BenchmarkSigned256(b *testing.B) {
	g, in := benchmarkMask()
	for b.Loop() {
		if _, err := distance.Signed(b.Context(), g, in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(g.Len())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mvoxel/s")
}

func BenchmarkSignedBand256(b *testing.B) {
	g, in := benchmarkMask()
	for b.Loop() {
		if _, err := distance.SignedBand(b.Context(), g, in, 2.5); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(g.Len())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mvoxel/s")
}

func BenchmarkUnsigned256(b *testing.B) {
	g, in := benchmarkMask()
	for b.Loop() {
		if _, err := distance.Unsigned(b.Context(), g, in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(g.Len())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mvoxel/s")
}
