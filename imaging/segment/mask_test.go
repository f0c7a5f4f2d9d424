package segment

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

func randomMask(g imaging.Grid, p float64, rng *rand.Rand) mask {
	m := make(mask, g.Len())
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
			d, err := dilate(t.Context(), g, m, r)
			if err != nil {
				t.Fatal(err)
			}
			e, err := erode(t.Context(), g, m, r)
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
	p := components(g, m)
	count := make([]int, len(p.count))
	w := &work{c: &coarse{g: g}}
	for n, c := range p.of {
		if (c > 0) != m[n] {
			t.Fatalf("voxel %d: component %d, mask %v", n, c, m[n])
		}
		if c == 0 {
			continue
		}
		count[c]++
		w.neighbours(n, func(o int) {
			if m[o] && p.of[o] != c {
				t.Fatalf("neighbours %d and %d have components %d and %d", n, o, c, p.of[o])
			}
		})
	}
	for c := range count {
		if count[c] != p.count[c] {
			t.Errorf("component %d has %d voxels, said %d", c, count[c], p.count[c])
		}
	}
	// each component hangs together: spreading from its first voxel fills it
	for c := int32(1); c < int32(len(count)); c++ {
		one := &parts{of: make([]int32, g.Len())}
		for n := range p.of {
			if p.of[n] == c {
				one.of[n] = 1
				break
			}
		}
		w.spread(one, m, 1000)
		got := 0
		for _, x := range one.of {
			got += int(x)
		}
		if got != count[c] {
			t.Errorf("component %d: %d of %d voxels are reached", c, got, count[c])
		}
	}
}

func TestFillClosesHolesOnly(t *testing.T) {
	g := imaging.NewGrid([3]int{12, 12, 12}, r3.Vec{}, [3]float64{1, 1, 1})
	shell := where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		return max(i, j, k) <= 8 && min(i, j, k) >= 2 && (max(i, j, k) == 8 || min(i, j, k) == 2)
	})
	if got := fill(g, shell).count(); got != 7*7*7 {
		t.Errorf("filled shell has %d voxels, want 343", got)
	}
	shell[g.Index(5, 5, 8)] = false // a hole in the lid opens it in 3-D, not in the slices below
	if got := fill(g, shell).count(); got != shell.count() {
		t.Errorf("open shell gained %d voxels", got-shell.count())
	}
	if got := fillSlices(g, shell).count(); got != 7*7*7 {
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
		got, err := boxMean(t.Context(), g, in, r)
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
	c, err := reduce(t.Context(), v, 2)
	if err != nil {
		t.Fatal(err)
	}
	if c.g.Size != [3]int{4, 3, 4} || c.block != [3]int{3, 3, 1} {
		t.Fatalf("size %v, block %v", c.g.Size, c.block)
	}
	got := 0.0
	for _, x := range c.hu {
		got += float64(x) / float64(len(c.hu))
	}
	if math.Abs(got-mean) > 1e-3 {
		t.Errorf("mean %g HU, want %g", got, mean)
	}
	a := r3.Scale(0.5, r3.Add(v.Grid.Point(0, 0, 0), v.Grid.Point(11, 8, 3)))
	b := r3.Scale(0.5, r3.Add(c.g.Point(0, 0, 0), c.g.Point(3, 2, 3)))
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
	out, err := guided(t.Context(), g, hu, [3]int{2, 2, 2}, 20)
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

// A ball painted from a coarse mask has its volume, and nothing is painted from
// an empty mask.
func TestPaintKeepsVolume(t *testing.T) {
	v := imaging.NewVolume(imaging.NewGrid([3]int{90, 90, 50}, r3.Vec{X: -3}, [3]float64{0.8, 0.8, 1.5}), imaging.KindHU)
	c, err := reduce(t.Context(), v, 2.4)
	if err != nil {
		t.Fatal(err)
	}
	w := &work{v: v, c: c, rep: &Report{}}
	centre := v.Grid.Point(44, 46, 25)
	for _, radius := range []float64{0, 12, 25} {
		m := where(c.g.Len(), func(n int) bool {
			i, j, k := c.g.IJK(n)
			return r3.Norm(r3.Sub(c.g.Point(float64(i), float64(j), float64(k)), centre)) < radius
		})
		out := imaging.NewSegments(v.Grid, imaging.LabelLiver)
		if err := w.paint(t.Context(), out, imaging.LabelLiver, m, 0, func(phi float32, _ int) bool { return phi < 0 }); err != nil {
			t.Fatal(err)
		}
		want := 4 * math.Pi / 3 * radius * radius * radius
		if got := out.VolumeMM3(imaging.LabelLiver); math.Abs(got-want) > 0.04*want {
			t.Errorf("ball of radius %g mm: %.0f mm³ painted, want %.0f", radius, got, want)
		}
	}
	all := where(c.g.Len(), func(int) bool { return true })
	out := imaging.NewSegments(v.Grid, imaging.LabelLiver)
	if err := w.paint(t.Context(), out, imaging.LabelLiver, all, 2, func(phi float32, _ int) bool { return phi < 0 }); err != nil {
		t.Fatal(err)
	}
	if out.Count(imaging.LabelLiver) != v.Grid.Len() {
		t.Errorf("a mask that fills the grid painted %d of %d voxels", out.Count(imaging.LabelLiver), v.Grid.Len())
	}
}

// A ball is round, a rod is not.
func TestSphericity(t *testing.T) {
	g := imaging.NewGrid([3]int{60, 40, 24}, r3.Vec{}, [3]float64{1, 1, 1.6})
	w := &work{c: &coarse{g: g}}
	p := components(g, where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		q := g.Point(float64(i), float64(j), float64(k))
		return r3.Norm(r3.Sub(q, r3.Vec{X: 15, Y: 15, Z: 18})) < 12 || i >= 35 && i < 38 && j > 1 && j < 38 && k > 9 && k < 12
	}))
	s := w.sphericity(p)
	var ball, rod float64
	for c := 1; c < len(s); c++ {
		if p.count[c] > 1000 {
			ball = s[c]
		} else {
			rod = s[c]
		}
	}
	if math.Abs(ball-1) > 0.05 || rod > 0.8*ball {
		t.Errorf("ball %.2f, rod %.2f", ball, rod)
	}
}
