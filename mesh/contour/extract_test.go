package contour

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

func labels(size [3]int, sp [3]float64, at func(i, j, k int) imaging.Label) *imaging.Labels {
	g := imaging.NewGrid(size, r3.Vec{X: -20, Y: 3, Z: 100}, sp)
	l := &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}
	for n := range l.ID {
		l.ID[n] = at(g.IJK(n))
	}
	return l
}

// ballLabels is a sphere of radius r voxels (anisotropic in mm) with a ball of
// another label inside.
func ballLabels(n int, r float64) *imaging.Labels {
	c := float64(n)/2 - 0.3
	return labels([3]int{n, n, n}, [3]float64{0.8, 0.8, 1.5}, func(i, j, k int) imaging.Label {
		x, y, z := float64(i)-c, float64(j)-c, float64(k)-c
		switch d := math.Sqrt(x*x + y*y + z*z); {
		case d < r/2 && x > 0:
			return imaging.LabelTumour
		case d < r:
			return imaging.LabelLiver
		}
		return imaging.LabelBackground
	})
}

// sound checks what every surface must keep, against the label map.
func sound(t *testing.T, l *imaging.Labels, s *mesh.Surface) {
	t.Helper()
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	// each vertex lies in its own dual cell, and that cell is mixed
	seen := map[[3]int]bool{}
	at := func(i, j, k int) imaging.Label {
		if !l.Grid.Contains(i, j, k) {
			return 0
		}
		return l.ID[l.Grid.Index(i, j, k)]
	}
	for n, p := range s.Verts {
		x, y, z := l.Grid.Voxel(p)
		c := [3]int{int(math.Floor(x)), int(math.Floor(y)), int(math.Floor(z))}
		if seen[c] {
			t.Fatalf("two vertices in cell %v", c)
		}
		seen[c] = true
		mixed := false
		for b := range 8 {
			mixed = mixed || at(c[0]+b&1, c[1]+b>>1&1, c[2]+b>>2) != at(c[0], c[1], c[2])
		}
		if !mixed {
			t.Fatalf("vertex %d lies in the uniform cell %v", n, c)
		}
	}
	for n, r := range s.Region {
		if r.Inside <= r.Outside {
			t.Fatalf("face %d has sides %+v", n, r)
		}
	}
}

func volume(s *mesh.Surface, l imaging.Label) float64 {
	return s.VolumeMM3(func(x imaging.Label) bool { return x == l })
}

func Example() {
	l := ballLabels(40, 15)
	s, err := Extract(context.Background(), l, Options{SmoothPasses: 20})
	if err != nil {
		panic(err)
	}
	voxels := float64(l.Count(imaging.Label.InOrgan)) * l.Grid.VoxelMM3()
	fmt.Printf("closed: %v, volume within 0.1 %%: %v\n", s.Check() == nil, math.Abs(s.VolumeMM3(imaging.Label.InOrgan)/voxels-1) < 1e-3)
	// Output: closed: true, volume within 0.1 %: true
}

func TestVolumesSurviveSmoothing(t *testing.T) {
	l := ballLabels(48, 19)
	var rough float64
	for _, passes := range []int{0, 5, 20, 100} {
		s, err := Extract(context.Background(), l, Options{SmoothPasses: passes})
		if err != nil {
			t.Fatal(err)
		}
		sound(t, l, s)
		for _, id := range s.Labels() {
			want := float64(l.Count(func(x imaging.Label) bool { return x == id })) * l.Grid.VoxelMM3()
			if e := volume(s, id)/want - 1; math.Abs(e) > 5e-4 {
				t.Fatalf("%d passes: %v has %.4f %% too much volume", passes, id, 100*e)
			}
			euler := 2 // the tumour is a ball, the liver has it as a second shell
			if id == imaging.LabelLiver {
				euler = 4
			}
			if top := s.Topology(id); !top.Manifold() || top.Euler() != euler {
				t.Fatalf("%v: %+v", id, top)
			}
		}
		area := s.AreaMM2(func(r mesh.Sides) bool { return r.Outside == 0 })
		if passes == 0 {
			rough = area
		} else if area >= rough {
			t.Fatalf("%d passes: area %g was %g before", passes, area, rough)
		}
	}
}

// The area is right at any resolution, down to a radius of five voxels, and the
// distance to the true sphere gets better, also in voxels.
func TestSphereConverges(t *testing.T) {
	last, area := math.Inf(1), 0.0
	for _, n := range []int{12, 24, 48, 96} {
		r := 0.42 * float64(n)
		c := float64(n)/2 - 0.41
		l := labels([3]int{n, n, n}, [3]float64{1, 1, 1}, func(i, j, k int) imaging.Label {
			if math.Hypot(math.Hypot(float64(i)-c, float64(j)-c), float64(k)-c) < r {
				return imaging.LabelLiver
			}
			return 0
		})
		s, err := Extract(context.Background(), l, Options{SmoothPasses: 20})
		if err != nil {
			t.Fatal(err)
		}
		centre := l.Grid.Point(c, c, c)
		worst, mean := 0.0, 0.0
		for _, p := range s.Verts {
			d := math.Abs(r3.Norm(r3.Sub(p, centre)) - r)
			worst, mean = max(worst, d), mean+d/float64(len(s.Verts))
		}
		e := math.Abs(s.AreaMM2(nil)/(4*math.Pi*r*r) - 1)
		t.Logf("radius %.1f voxels: area error %.3f %%, distance mean %.3f, max %.3f voxels", r, 100*e, mean, worst)
		if e > 0.005 || worst > 0.45 || mean > 0.07 || mean >= last {
			t.Fatalf("area error %g, distance %g after %g, at most %g", e, mean, last, worst)
		}
		last, area = mean, e
	}
	if area > 0.001 {
		t.Fatalf("area error %g on the finest grid", area)
	}
}

// The normals point outward for both hands, any rotation, any label order.
func TestLeftHandedGridIsNotInsideOut(t *testing.T) {
	l := ballLabels(20, 7)
	g := l.Grid
	for _, axes := range [][3]r3.Vec{
		g.Axes,
		{g.Axes[0], g.Axes[1], r3.Scale(-1, g.Axes[2])},
		{g.Axes[1], g.Axes[0], g.Axes[2]},
		{{X: 0.6, Y: 0.8}, {X: -0.8, Y: 0.6}, {Z: 2}},
	} {
		l.Grid.Axes = axes
		s, err := Extract(context.Background(), l, Options{SmoothPasses: 10})
		if err != nil {
			t.Fatal(err)
		}
		sound(t, l, s)
		for _, id := range s.Labels() {
			want := float64(l.Count(func(x imaging.Label) bool { return x == id })) * l.Grid.VoxelMM3()
			if v := volume(s, id); math.Abs(v/want-1) > 1e-3 {
				t.Fatalf("axes %v: %v has volume %g of %g", axes, id, v, want)
			}
		}
	}
}

func TestAnyLabelsGiveASoundSurface(t *testing.T) {
	maps := map[string]func(r *rand.Rand, i, j, k int) imaging.Label{
		"noise":        func(r *rand.Rand, _, _, _ int) imaging.Label { return imaging.Label(r.IntN(5)) },
		"sparse":       func(r *rand.Rand, _, _, _ int) imaging.Label { return imaging.Label(max(0, r.IntN(60)-56)) },
		"checkerboard": func(_ *rand.Rand, i, j, k int) imaging.Label { return imaging.Label((i + j + k) & 1) },
		"full":         func(*rand.Rand, int, int, int) imaging.Label { return 255 },
		"one voxel": func(_ *rand.Rand, i, j, k int) imaging.Label {
			if i == 3 && j == 2 && k == 0 {
				return 7
			}
			return 0
		},
		"touching corners": func(_ *rand.Rand, i, j, k int) imaging.Label {
			if (i < 4) == (j < 4) && (j < 4) == (k < 4) {
				return 3
			}
			return 0
		},
		"all different": func(_ *rand.Rand, i, j, k int) imaging.Label { return imaging.Label(i + 7*j + 31*k) },
	}
	for name, f := range maps {
		for seed := range uint64(8) {
			r := rand.New(rand.NewPCG(seed, 3))
			size := [3]int{1 + r.IntN(20), 1 + r.IntN(12), 1 + r.IntN(9)}
			if name == "one voxel" {
				size = [3]int{4 + int(seed), 3, 1}
			}
			l := labels(size, [3]float64{0.5 + r.Float64(), 1, 2 * (0.1 + r.Float64())}, func(i, j, k int) imaging.Label { return f(r, i, j, k) })
			if seed&1 == 1 {
				l.Grid.Axes[2] = r3.Scale(-1, l.Grid.Axes[2])
			}
			s, err := Extract(context.Background(), l, Options{SmoothPasses: int(seed) * 3})
			if errors.Is(err, ErrEmpty) && l.Count(func(x imaging.Label) bool { return x > 0 }) == 0 {
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			sound(t, l, s)
			if name == "one voxel" || name == "full" {
				want := float64(l.Count(func(x imaging.Label) bool { return x > 0 })) * l.Grid.VoxelMM3()
				if v := s.VolumeMM3(func(x imaging.Label) bool { return x > 0 }); math.Abs(v/want-1) > 0.07 {
					t.Fatalf("%s: volume %g of %g", name, v, want)
				}
			}
		}
	}
}

func TestKeepLeavesLabelsOut(t *testing.T) {
	l := ballLabels(30, 11)
	s, err := Extract(context.Background(), l, Options{Keep: imaging.Label.IsTumour})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Region {
		if r != (mesh.Sides{Inside: imaging.LabelTumour}) {
			t.Fatalf("face between %v and %v", r.Inside, r.Outside)
		}
	}
	if _, err := Extract(context.Background(), l, Options{Keep: imaging.Label.IsVessel}); !errors.Is(err, ErrEmpty) {
		t.Fatalf("nothing kept: %v", err)
	}
}

func TestSameBitsForAnyCoreCount(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	for name, l := range map[string]*imaging.Labels{
		"balls": ballLabels(64, 27),
		"noise": noise(r, [3]int{20, 21, 32}, 4, 0.6),
		"flat":  noise(r, [3]int{70, 90, 1}, 3, 1),
	} {
		for _, manifold := range []bool{false, true} {
			var first *mesh.Surface
			for _, p := range []int{1, 2, 7} {
				old := runtime.GOMAXPROCS(p)
				s, err := Extract(context.Background(), l, Options{SmoothPasses: 10, Manifold: manifold})
				runtime.GOMAXPROCS(old)
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first = s
				} else if !reflect.DeepEqual(first, s) {
					t.Fatalf("%s: GOMAXPROCS %d gives another surface", name, p)
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(1, 1))
	noise := labels([3]int{40, 40, 40}, [3]float64{1, 1, 1}, func(_, _, _ int) imaging.Label { return imaging.Label(r.IntN(3)) })
	var limit *LimitError
	for _, bytes := range []int64{1, 1 << 20} {
		for _, manifold := range []bool{false, true} {
			_, err := Extract(ctx, noise, Options{MemoryLimit: bytes, Manifold: manifold})
			if !errors.As(err, &limit) || limit.Limit != bytes || limit.Need <= bytes {
				t.Fatalf("limit: %v", err)
			}
		}
	}
	if _, err := Extract(ctx, noise, Options{MemoryLimit: limit.Need}); err != nil {
		t.Fatalf("with what it said it needs: %v", err)
	}
	long := labels([3]int{MaxSide + 1, 1, 1}, [3]float64{1, 1, 1}, func(_, _, _ int) imaging.Label { return 1 })
	if _, err := Extract(ctx, long, Options{}); err == nil {
		t.Fatal("accepted a row that float32 cannot hold")
	}
	empty := labels([3]int{4, 4, 4}, [3]float64{1, 1, 1}, func(_, _, _ int) imaging.Label { return 0 })
	if _, err := Extract(ctx, empty, Options{}); !errors.Is(err, ErrEmpty) {
		t.Fatalf("empty: %v", err)
	}
	for _, change := range []func(l *imaging.Labels, o *Options){
		func(l *imaging.Labels, _ *Options) { l.ID = l.ID[1:] },
		func(l *imaging.Labels, _ *Options) { l.Grid.Size[0] = 0 },
		func(l *imaging.Labels, _ *Options) { l.Grid.Axes[0].X = math.NaN() },
		func(_ *imaging.Labels, o *Options) { o.SmoothPasses = -1 },
		func(_ *imaging.Labels, o *Options) { o.SmoothPasses = MaxSmoothPasses + 1 },
		func(_ *imaging.Labels, o *Options) { o.MemoryLimit = -1 },
	} {
		l, o := *noise, Options{}
		change(&l, &o)
		if s, err := Extract(ctx, &l, o); err == nil || s != nil {
			t.Fatalf("accepted %+v", o)
		}
	}
}
