package phantom

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// sample is the patient most tests look at, made once.
var sample = sync.OnceValue(func() *Liver { return NewLiver(1) })

func ExampleNewLiver() {
	l := NewLiver(1)
	organ := l.VolumeML(imaging.LabelLiver)
	counted := l.Truth(l.GridAt([3]float64{3, 3, 3})).VolumeMM3(imaging.LabelLiver) / 1000
	fmt.Printf("liver %.0f ml, 3 mm voxels agree within 0.1 %%: %t\n", organ, math.Abs(counted/organ-1) < 1e-3)
	fmt.Println("tumours:", l.Tumours())
	// Output:
	// liver 1542 ml, 3 mm voxels agree within 0.1 %: true
	// tumours: 2
}

func labels(l *Liver) []imaging.Label {
	return append([]imaging.Label{imaging.LabelLiver, imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelBody},
		imaging.LabelTumour, imaging.LabelTumour+1)
}

func TestVolumesAreConverged(t *testing.T) {
	l := sample()
	for _, c := range []struct {
		label imaging.Label
		fine  float64
	}{
		{imaging.LabelLiver, integrate(l.a.liver, liverBox(l.a.scale), organStep/2) / 1000},
		{imaging.LabelPortalVein, tubesMM3(l.capsules(imaging.LabelPortalVein), vesselStep/2) / 1000},
		{imaging.LabelHepaticVein, tubesMM3(l.capsules(imaging.LabelHepaticVein), vesselStep/2) / 1000},
	} {
		if got := l.VolumeML(c.label); math.Abs(got/c.fine-1) > volumeTol {
			t.Errorf("%v: %.4f ml, with half the step %.4f ml", c.label, got, c.fine)
		}
	}
	for n := range l.Tumours() {
		box := [2]r3.Vec{r3.Sub(l.TumourCentre(n), r3.Vec{X: 25, Y: 25, Z: 25}), r3.Add(l.TumourCentre(n), r3.Vec{X: 25, Y: 25, Z: 25})}
		if got, sum := l.VolumeML(imaging.LabelTumour+imaging.Label(n)), integrate(l.tumours[n].f, box, 0.5)/1000; math.Abs(got/sum-1) > volumeTol {
			t.Errorf("tumour %d: %.4f ml, integrated %.4f ml", n, got, sum)
		}
	}
}

func TestIntegralsOfKnownSolids(t *testing.T) {
	box := [2]r3.Vec{{X: -30, Y: -30, Z: -30}, {X: 30, Y: 30, Z: 30}}
	want := 4.0 / 3 * math.Pi * 20 * 15 * 10
	if got := integrate(ellipsoid(r3.Vec{X: 1, Y: 2, Z: 3}, r3.Vec{X: 20, Y: 15, Z: 10}), box, 0.5); math.Abs(got/want-1) > 5e-4 {
		t.Errorf("ellipsoid %.1f mm³, want %.1f", got, want)
	}
	// One capsule, and the same cut in two overlapping pieces.
	r, l := 2.5, 14.0
	u := unit(r3.Vec{X: 1, Y: -2, Z: 0.7})
	want = math.Pi*r*r*l + 4.0/3*math.Pi*r*r*r
	for _, c := range []struct {
		cs  []capsule
		tol float64
	}{
		{[]capsule{{r3.Vec{}, r3.Scale(l, u), r}}, 5e-4},
		{[]capsule{{r3.Vec{}, r3.Scale(0.6*l, u), r}, {r3.Scale(0.4*l, u), r3.Scale(l, u), r}}, 5e-4},
		// Along the lines every cross-section meets the lattice alike, so errors
		// of a circle's edge do not average out.
		{[]capsule{{r3.Vec{}, r3.Vec{X: l}, r}}, 8e-3},
		{[]capsule{{r3.Vec{}, r3.Vec{Z: l}, r}}, 2e-3},
	} {
		if got := tubesMM3(c.cs, 0.1); math.Abs(got/want-1) > c.tol {
			t.Errorf("capsules %v: %.3f mm³, want %.3f", c.cs, got, want)
		}
	}
}

// The rasterised counts must approach the volumes as the voxels shrink.
func TestTruthConvergesToTheVolumes(t *testing.T) {
	l := sample()
	var last *imaging.Segments
	for _, h := range []float64{4, 2} {
		last = l.Truth(l.GridAt([3]float64{h, h, h}))
		for _, label := range labels(l) {
			want := 1000 * l.VolumeML(label)
			// Each of the A/h² voxels on a surface of area A errs by about h³/√12,
			// independently: h²·√A/√12 in all. Three times that.
			area := 6 * math.Pow(want, 2.0/3)
			if label == imaging.LabelPortalVein || label == imaging.LabelHepaticVein {
				area = want // mean radius 2 mm: A = 2V/r
			}
			tol := 3 * h * h * math.Sqrt(area) / math.Sqrt(12)
			if got := last.VolumeMM3(label); math.Abs(got-want) > tol+volumeTol*want {
				t.Errorf("h %.1f mm, %v: %.1f ml counted, %.1f ml true, tolerance %.2f ml", h, label, got/1000, want/1000, tol/1000)
			}
		}
	}
	if n := last.VolumeMM3(imaging.LabelBone) / 1000; n < 300 || n > 1500 {
		t.Errorf("bone %.0f ml in 24 cm of trunk", n)
	}
	// What lies in what.
	body, bone, organ := last.Bit(imaging.LabelBody), last.Bit(imaging.LabelBone), last.Bit(imaging.LabelLiver)
	tum := last.Bit(imaging.LabelTumour) | last.Bit(imaging.LabelTumour+1)
	portal, hepatic := last.Bit(imaging.LabelPortalVein), last.Bit(imaging.LabelHepaticVein)
	for n, b := range last.Bits {
		switch {
		case b != 0 && b&body == 0:
			t.Fatalf("voxel %d: %b outside the body", n, b)
		case b&bone != 0 && b&^(bone|body) != 0:
			t.Fatalf("voxel %d: bone in an organ: %b", n, b)
		case b&tum != 0 && (b&organ == 0 || b&(portal|hepatic) != 0):
			t.Fatalf("voxel %d: tumour outside the parenchyma: %b", n, b)
		case b&portal != 0 && b&hepatic != 0:
			t.Fatalf("voxel %d: portal and hepatic vein meet", n)
		}
	}
}

func TestTruthIsTheFormulaAtEachVoxelCentre(t *testing.T) {
	l := sample()
	g := l.GridAt([3]float64{5, 5, 5})
	// An oblique grid, so that nothing hangs on axes along x, y, z.
	s, c := math.Sincos(0.3)
	g.Axes[0], g.Axes[1] = r3.Vec{X: 5 * c, Y: 5 * s}, r3.Vec{X: -5 * s, Y: 5 * c}
	seg := l.Truth(g)
	fs := map[imaging.Label]field{imaging.LabelBody: l.a.body, imaging.LabelBone: l.a.bone, imaging.LabelLiver: l.a.liver,
		imaging.LabelPortalVein: l.portal, imaging.LabelHepaticVein: l.hepatic, imaging.LabelTumour: l.tumours[0].f}
	for label, f := range fs {
		for n, b := range seg.Bits {
			i, j, k := g.IJK(n)
			if e, _ := f(g.Point(float64(i), float64(j), float64(k))); e < 0 != (b&seg.Bit(label) != 0) {
				t.Fatalf("%v at voxel (%d,%d,%d): field %.3f mm", label, i, j, k, e)
			}
		}
	}
}

// A random pair of points of a convex body has its midpoint inside; of the
// liver, a good part must not, and a hull by support directions is larger.
func TestLiverIsNotConvex(t *testing.T) {
	l := sample()
	rng := rand.New(rand.NewPCG(7, 7))
	pts := samples(l.a.liver, liverBox(l.a.scale), 6, 0, rng)
	out := 0
	const pairs = 20000
	for range pairs {
		p, q := pts[rng.IntN(len(pts))], pts[rng.IntN(len(pts))]
		if f, _ := l.a.liver(r3.Scale(0.5, r3.Add(p, q))); f > 0 {
			out++
		}
	}
	if out < pairs/50 {
		t.Errorf("%d of %d midpoints outside", out, pairs)
	}
	dirs := directions(600)
	support := make([]float64, len(dirs))
	for n, d := range dirs {
		support[n] = math.Inf(-1)
		for _, p := range pts {
			support[n] = max(support[n], r3.Dot(p, d))
		}
	}
	// The polytope of 600 half-spaces lies outside the hull of the points by
	// well under 1 % of its volume.
	hull := func(p r3.Vec) (float64, r3.Vec) {
		f, g := math.Inf(-1), r3.Vec{}
		for n, d := range dirs {
			if e := r3.Dot(p, d) - support[n]; e > f {
				f, g = e, d
			}
		}
		return f, g
	}
	if part := l.VolumeML(imaging.LabelLiver) / (integrate(hull, liverBox(l.a.scale), 5) / 1000); part > 0.9 || part < 0.5 {
		t.Errorf("the liver fills %.3f of its hull", part)
	}
}

func TestTwentySeedsAreValidAndDiffer(t *testing.T) {
	type figures struct{ organ, portal float64 }
	seen := map[figures]uint64{}
	var all [20]*Liver
	var wg sync.WaitGroup
	for half := range 2 {
		wg.Go(func() {
			for n := half; n < len(all); n += 2 {
				all[n] = NewLiver(uint64(n))
			}
		})
	}
	wg.Wait()
	for seed, l := range all {
		checkTrees(t, l)
		checkTumours(t, l)
		// A little coarser than VolumeML, to keep twenty cheap.
		organ := integrate(l.a.liver, liverBox(l.a.scale), 4) / 1000
		if organ < 1400 || organ > 1800 {
			t.Errorf("seed %d: liver %.0f ml", seed, organ)
		}
		f := figures{organ, tubesMM3(l.capsules(imaging.LabelPortalVein), 0.5)}
		if o, ok := seen[f]; ok {
			t.Errorf("seeds %d and %d are the same patient", o, seed)
		}
		seen[f] = uint64(seed)
		// The organ lies inside the scan, clear of skeleton and skin.
		seg := l.Truth(l.GridAt([3]float64{6, 6, 6}))
		g := seg.Grid
		organBit, bad := seg.Bit(imaging.LabelLiver), seg.Bit(imaging.LabelBone)
		for n, b := range seg.Bits {
			if b&organBit == 0 {
				continue
			}
			i, j, k := g.IJK(n)
			if i == 0 || j == 0 || k == 0 || i == g.Size[0]-1 || j == g.Size[1]-1 || k == g.Size[2]-1 || b&bad != 0 || b&seg.Bit(imaging.LabelBody) == 0 {
				t.Fatalf("seed %d: liver voxel (%d,%d,%d) at the edge, in bone or outside the body", seed, i, j, k)
			}
		}
	}
}

func checkTumours(t *testing.T, l *Liver) {
	t.Helper()
	if l.Tumours() != 2 {
		t.Fatalf("seed %d: %d tumours", l.seed, l.Tumours())
	}
	shell := directions(2000)
	for n, tum := range l.tumours {
		if _, along, across := l.TumourShape(n); 2*along > 40 || 2*along < 25 || across > along || across < 0.8*along {
			t.Errorf("seed %d: tumour %d has semi-axes %.1f and %.1f mm", l.seed, n, along, across)
		}
		u, v, w := basis(tum.axis)
		for _, d := range shell {
			p := r3.Add(tum.centre, r3.Add(r3.Scale(tum.a*d.X, u), r3.Add(r3.Scale(tum.b*d.Y, v), r3.Scale(tum.b*d.Z, w))))
			normal := r3.Add(r3.Scale(d.X/tum.a, u), r3.Add(r3.Scale(d.Y/tum.b, v), r3.Scale(d.Z/tum.b, w)))
			if f, _ := l.a.liver(r3.Add(p, r3.Scale(marginMM, unit(normal)))); f > 0 {
				t.Errorf("seed %d: tumour %d has less than %.0f mm of liver around it", l.seed, n, marginMM)
				break
			}
		}
	}
	pts := samples(l.a.liver, liverBox(l.a.scale), 7, 0, rand.New(rand.NewPCG(1, 1)))
	if left := remnant(pts, l.tumours, directions(300)); left < 0.44 {
		t.Errorf("seed %d: the best plane leaves %.0f %% of the liver", l.seed, 100*left)
	}
}

func TestSeedsLieInTheirStructures(t *testing.T) {
	l := sample()
	count := map[imaging.Label]int{}
	for _, s := range l.Seeds() {
		count[s.Label]++
		if f, _ := l.a.liver(s.LPS); f >= 0 {
			t.Errorf("%v: %v lies outside the liver", s.Label, s.LPS)
		}
		in := map[imaging.Label]field{imaging.LabelPortalVein: l.portal, imaging.LabelHepaticVein: l.hepatic, imaging.LabelTumour: l.tumours[0].f, imaging.LabelTumour + 1: l.tumours[1].f}
		for label, f := range in {
			if e, _ := f(s.LPS); (e < -2) != (label == s.Label) {
				t.Errorf("%v: %v is %.1f mm from %v", s.Label, s.LPS, e, label)
			}
		}
	}
	want := map[imaging.Label]int{imaging.LabelLiver: 1, imaging.LabelPortalVein: 1, imaging.LabelHepaticVein: 3, imaging.LabelTumour: 1, imaging.LabelTumour + 1: 1}
	for label, n := range want {
		if count[label] != n {
			t.Errorf("%d seeds for %v, want %d", count[label], label, n)
		}
	}
}

func TestSameBitsForAnyCoreCount(t *testing.T) {
	var first *imaging.Volume
	var bits []uint32
	var ml float64
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		l := NewLiver(8)
		g := l.GridAt([3]float64{4, 4, 8})
		v, err := l.Volume(context.Background(), g, nil)
		seg := l.Truth(g)
		organ := l.VolumeML(imaging.LabelLiver) + l.VolumeML(imaging.LabelPortalVein)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first, bits, ml = v, seg.Bits, organ
			continue
		}
		if !slices.Equal(first.Data, v.Data) || !slices.Equal(bits, seg.Bits) || organ != ml {
			t.Fatalf("GOMAXPROCS %d: other bits", procs)
		}
	}
}

func TestVolumeStopsWhenCancelled(t *testing.T) {
	l := sample()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	calls, last := 0, 0.0
	_, err := l.Volume(ctx, l.GridAt([3]float64{6, 6, 6}), func(done float64) {
		if done <= last || done > 1 {
			t.Errorf("progress %g after %g", done, last)
		}
		last = done
		if calls++; calls == 3 {
			cancel()
		}
	})
	// A slice already begun on each core may still be counted.
	if !errors.Is(err, context.Canceled) || calls > 3+runtime.GOMAXPROCS(0) {
		t.Errorf("error %v after %d calls", err, calls)
	}
	if _, err := l.Volume(context.Background(), imaging.Grid{}, nil); err == nil {
		t.Error("an empty grid was scanned")
	}
}

func BenchmarkNewLiver(b *testing.B) {
	for seed := uint64(1); b.Loop(); seed++ {
		NewLiver(seed)
	}
}

func BenchmarkVolume(b *testing.B) {
	l := sample()
	for b.Loop() {
		if _, err := l.Volume(context.Background(), l.Grid(), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTruth(b *testing.B) {
	l := sample()
	for b.Loop() {
		l.Truth(l.Grid())
	}
}
