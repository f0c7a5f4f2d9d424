package filter

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

func testGrid() imaging.Grid {
	return imaging.NewGrid([3]int{11, 9, 8}, r3.Vec{X: 4, Y: -3, Z: 7}, [3]float64{1, 1.4, 2.2})
}

func randomMask(g imaging.Grid, p float64, rng *rand.Rand) Mask {
	m := make(Mask, g.Len())
	for n := range m {
		m[n] = rng.Float64() < p
	}
	return m
}

func apart(g imaging.Grid, a, b int) float64 {
	i, j, k := g.IJK(a)
	x, y, z := g.IJK(b)
	return r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), g.Point(float64(x), float64(y), float64(z))))
}

func TestDilateAndErodeAgainstDefinition(t *testing.T) {
	g := testGrid()
	rng := rand.New(rand.NewPCG(1, 5))
	for _, r := range []float64{0.5, 1.2, 2.5, 4} {
		for _, p := range []float64{0, 0.01, 0.9, 1} {
			m := randomMask(g, p, rng)
			d, err := Dilate(t.Context(), g, m, r)
			if err != nil {
				t.Fatal(err)
			}
			e, err := Erode(t.Context(), g, m, r)
			if err != nil {
				t.Fatal(err)
			}
			for n := range m {
				wantD, wantE := false, m[n]
				for o := range m {
					near := apart(g, n, o) <= r+1e-6
					wantD = wantD || near && m[o]
					wantE = wantE && (!near || m[o])
				}
				if d[n] != wantD || e[n] != wantE {
					t.Fatalf("r %g, density %g, voxel %d: dilated %v, want %v; eroded %v, want %v", r, p, n, d[n], wantD, e[n], wantE)
				}
			}
		}
	}
}

func TestComponentsAreThePartition(t *testing.T) {
	g := testGrid()
	m := randomMask(g, 0.3, rand.New(rand.NewPCG(2, 5)))
	p := Components(g, m)
	count := make([]int, len(p.Count))
	for n, c := range p.Of {
		if (c > 0) != m[n] {
			t.Fatalf("voxel %d: component %d, mask %v", n, c, m[n])
		}
		if c == 0 {
			continue
		}
		count[c]++
		Neighbours(g, n, func(o int) {
			if m[o] && p.Of[o] != c {
				t.Fatalf("neighbours %d and %d have components %d and %d", n, o, c, p.Of[o])
			}
		})
	}
	for c := range count {
		if count[c] != p.Count[c] {
			t.Errorf("component %d has %d voxels, said %d", c, count[c], p.Count[c])
		}
	}
	// each component hangs together: spreading from its first voxel fills it
	for c := int32(1); c < int32(len(count)); c++ {
		one := &Parts{Of: make([]int32, g.Len())}
		for n := range p.Of {
			if p.Of[n] == c {
				one.Of[n] = 1
				break
			}
		}
		one.Spread(g, m, 1000)
		got := 0
		for _, x := range one.Of {
			got += int(x)
		}
		if got != count[c] {
			t.Errorf("component %d: %d of %d voxels are reached", c, got, count[c])
		}
	}
}

func TestFillClosesHolesOnly(t *testing.T) {
	g := imaging.NewGrid([3]int{12, 12, 12}, r3.Vec{}, [3]float64{1, 1, 1})
	shell := Where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		return max(i, j, k) <= 8 && min(i, j, k) >= 2 && (max(i, j, k) == 8 || min(i, j, k) == 2)
	})
	if got := Fill(g, shell).Count(); got != 7*7*7 {
		t.Errorf("filled shell has %d voxels, want 343", got)
	}
	shell[g.Index(5, 5, 8)] = false // a hole in the lid opens it in 3-D, not in the slices below
	if got := Fill(g, shell).Count(); got != shell.Count() {
		t.Errorf("open shell gained %d voxels", got-shell.Count())
	}
	if got := FillSlices(g, shell).Count(); got != 7*7*7 {
		t.Errorf("slices filled: %d voxels, want 343", got)
	}
}

func TestBoxMeanAgainstDefinition(t *testing.T) {
	g := testGrid()
	rng := rand.New(rand.NewPCG(3, 5))
	in := make([]float32, g.Len())
	for n := range in {
		in[n] = float32(rng.NormFloat64() * 100)
	}
	before := append([]float32(nil), in...)
	for _, r := range [][3]int{{0, 0, 0}, {1, 0, 0}, {0, 2, 0}, {0, 0, 3}, {2, 1, 20}} {
		got, err := BoxMean(t.Context(), g, in, r)
		if err != nil {
			t.Fatal(err)
		}
		for n := range in {
			i, j, k := g.IJK(n)
			sum, count := 0.0, 0.0
			for o := range in {
				x, y, z := g.IJK(o)
				if max(i-x, x-i) <= r[0] && max(j-y, y-j) <= r[1] && max(k-z, z-k) <= r[2] {
					sum += float64(in[o])
					count++
				}
			}
			if math.Abs(float64(got[n])-sum/count) > 1e-3 {
				t.Fatalf("radius %v, voxel %d: %g, want %g", r, n, got[n], sum/count)
			}
			if in[n] != before[n] {
				t.Fatal("the input was changed")
			}
		}
	}
}

// Block means keep the mean of the volume and the place of its centre.
func TestReduceKeepsMeanAndPlace(t *testing.T) {
	v := imaging.NewVolume(imaging.NewGrid([3]int{12, 9, 4}, r3.Vec{X: 10, Y: 20, Z: 30}, [3]float64{0.7, 0.7, 2}), imaging.KindHU)
	v.Slope, v.Intercept = 2, -1000
	rng := rand.New(rand.NewPCG(4, 5))
	mean := 0.0
	for n := range v.Data {
		v.Data[n] = int16(rng.IntN(2000))
		mean += v.Value(n) / float64(len(v.Data))
	}
	c, err := Reduce(t.Context(), v, 2)
	if err != nil {
		t.Fatal(err)
	}
	if c.Grid.Size != [3]int{4, 3, 4} || c.Block != [3]int{3, 3, 1} {
		t.Fatalf("size %v, block %v", c.Grid.Size, c.Block)
	}
	got := 0.0
	for _, x := range c.HU {
		got += float64(x) / float64(len(c.HU))
	}
	if math.Abs(got-mean) > 1e-3 {
		t.Errorf("mean %g HU, want %g", got, mean)
	}
	a := r3.Scale(0.5, r3.Add(v.Grid.Point(0, 0, 0), v.Grid.Point(11, 8, 3)))
	b := r3.Scale(0.5, r3.Add(c.Grid.Point(0, 0, 0), c.Grid.Point(3, 2, 3)))
	if r3.Norm(r3.Sub(a, b)) > 1e-9 {
		t.Errorf("centre moved from %v to %v", a, b)
	}
}

// An edge of 200 HU stays where it is and as high; noise of 10 HU falls to a
// third or less.
func TestGuidedKeepsEdges(t *testing.T) {
	g := imaging.NewGrid([3]int{40, 20, 20}, r3.Vec{}, [3]float64{2, 2, 2})
	rng := rand.New(rand.NewPCG(5, 5))
	hu := make([]float32, g.Len())
	for n := range hu {
		if i, _, _ := g.IJK(n); i >= 20 {
			hu[n] = 200
		}
		hu[n] += float32(10 * rng.NormFloat64())
	}
	out, err := Guided(t.Context(), g, hu, [3]int{2, 2, 2}, 20)
	if err != nil {
		t.Fatal(err)
	}
	var sq, count float64
	for n, x := range out {
		i, _, _ := g.IJK(n)
		if (x > 100) != (i >= 20) {
			t.Fatalf("voxel %d at column %d: %g HU", n, i, x)
		}
		if i > 4 && i < 15 {
			sq += float64(x) * float64(x)
			count++
		}
	}
	if sd := math.Sqrt(sq / count); sd > 10.0/3 {
		t.Errorf("noise is still %.1f HU", sd)
	}
}
