package tetra

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"time"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// ball is the exact signed distance of a sphere on a grid.
func ball(g imaging.Grid, centre r3.Vec, r float64) []float32 {
	phi := make([]float32, g.Len())
	for n := range phi {
		i, j, k := g.IJK(n)
		phi[n] = float32(r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), centre)) - r)
	}
	return phi
}

func ballDomain(n int, r float64) Domain {
	g := imaging.NewGrid([3]int{n, n, n}, r3.Vec{}, [3]float64{1, 1, 1})
	c := float64(n-1) / 2
	return Domain{Grid: g, Phi: ball(g, r3.Vec{X: c + 0.21, Y: c - 0.13, Z: c + 0.08}, r)}
}

// sound checks what every mesh must keep, and returns its quality.
func sound(t *testing.T, m *mesh.TetMesh) mesh.Report {
	t.Helper()
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	q := mesh.Quality(m)
	if q.MinDihedralDeg < MinDihedralDeg || q.MaxDihedralDeg > MaxDihedralDeg {
		t.Fatalf("dihedral angles %.3f to %.3f", q.MinDihedralDeg, q.MaxDihedralDeg)
	}
	used := make([]bool, len(m.Nodes))
	for _, v := range m.Tets {
		for _, n := range v {
			used[n] = true
		}
	}
	for n, u := range used {
		if !u {
			t.Fatalf("node %d belongs to no element", n)
		}
	}
	s, _ := m.Boundary()
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	if v := s.VolumeMM3(func(l imaging.Label) bool { return l != 0 }); math.Abs(v-q.VolumeMM3) > 1e-9*q.VolumeMM3 {
		t.Fatalf("boundary encloses %g mm³, elements fill %g", v, q.VolumeMM3)
	}
	return q
}

func Example() {
	d := ballDomain(64, 25)
	d.TargetMM3 = 4. / 3 * math.Pi * 25 * 25 * 25
	m, rep, err := Fill(context.Background(), d, Options{EdgeMM: 6})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d parts, volume within %.1f %%: %v\n", rep.Parts, 100*VolumeTol, math.Abs(m.VolumeMM3(nil)/d.TargetMM3-1) < VolumeTol)
	// Output: 1 parts, volume within 0.1 %: true
}

// The inscribed polyhedron of a sphere loses volume as h²; so does its area.
func TestSphereConverges(t *testing.T) {
	const r = 30.
	d := ballDomain(70, r)
	exact := 4. / 3 * math.Pi * r * r * r
	var x, y []float64
	for _, h := range []float64{12, 8.5, 6, 4.2, 3} {
		m, rep, err := Fill(context.Background(), d, Options{EdgeMM: h})
		if err != nil {
			t.Fatal(err)
		}
		q := sound(t, m)
		e := (exact - q.VolumeMM3) / exact
		s, _ := m.Boundary()
		ea := (4*math.Pi*r*r - area(s)) / (4 * math.Pi * r * r)
		t.Logf("h %.1f: %d tets, volume error %.4f %%, area error %.4f %%, dihedral %.1f–%.1f", h, q.Tets, 100*e, 100*ea, q.MinDihedralDeg, q.MaxDihedralDeg)
		if e <= 0 || ea <= 0 || rep.Parts != 1 || len(rep.Dropped) != 0 {
			t.Fatalf("h %g: error %g, area %g, report %+v", h, e, ea, rep)
		}
		x, y = append(x, math.Log(h)), append(y, math.Log(e))
	}
	rate := slope(x, y)
	if math.Abs(rate-2) > 0.25 || y[len(y)-1] > math.Log(0.01) {
		t.Fatalf("volume error falls as h^%.2f, last %.3g", rate, math.Exp(y[len(y)-1]))
	}
}

func area(s *mesh.Surface) (a float64) {
	for _, v := range s.Tris {
		a += r3.Norm(r3.Cross(r3.Sub(s.Verts[v[1]], s.Verts[v[0]]), r3.Sub(s.Verts[v[2]], s.Verts[v[0]]))) / 2
	}
	return a
}

func slope(x, y []float64) float64 {
	n := float64(len(x))
	var sx, sy, sxx, sxy float64
	for i := range x {
		sx, sy, sxx, sxy = sx+x[i], sy+y[i], sxx+x[i]*x[i], sxy+x[i]*y[i]
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// Whatever the field, the mesh conforms and keeps its angles; the volume of
// the elements lies within that of the lattice points' neighbourhood.
func TestAnyFieldGivesASoundMesh(t *testing.T) {
	fields := map[string]func(r *rand.Rand, i, j, k int) float32{
		"noise":        func(r *rand.Rand, i, j, k int) float32 { return float32(r.Float64()*2 - 1) },
		"checkerboard": func(_ *rand.Rand, i, j, k int) float32 { return float32((i+j+k)&1)*2 - 1 },
		"signs":        func(r *rand.Rand, i, j, k int) float32 { return float32(r.IntN(2))*2 - 1 },
		"zeros":        func(r *rand.Rand, i, j, k int) float32 { return float32(r.IntN(3)) - 1 },
		"all inside":   func(*rand.Rand, int, int, int) float32 { return -1 },
		"touching corners": func(_ *rand.Rand, i, j, k int) float32 {
			if (i < 5) == (j < 5) && (j < 5) == (k < 5) {
				return -1
			}
			return 1
		},
		"sheet": func(_ *rand.Rand, i, j, k int) float32 { return float32(math.Abs(float64(i)-4.3)) - 1.7 },
	}
	worst := mesh.Report{MinDihedralDeg: 180}
	for name, f := range fields {
		for seed := range uint64(6) {
			r := rand.New(rand.NewPCG(seed, 7))
			sp := [3]float64{0.5 + r.Float64(), 0.5 + r.Float64(), 0.5 + 2*r.Float64()}
			g := imaging.NewGrid([3]int{11, 10, 9}, r3.Vec{X: -3, Y: 40, Z: 7}, sp)
			if seed&1 == 1 { // left-handed and turned
				a := r.Float64()
				c, s := math.Cos(a), math.Sin(a)
				g.Axes = [3]r3.Vec{{X: c * sp[0], Y: s * sp[0]}, {X: -s * sp[1], Y: c * sp[1]}, {Z: -sp[2]}}
			}
			d := Domain{Grid: g, Phi: make([]float32, g.Len())}
			for n := range d.Phi {
				i, j, k := g.IJK(n)
				d.Phi[n] = f(r, i, j, k)
			}
			m, _, err := Fill(context.Background(), d, Options{EdgeMM: 0.4 + 0.8*r.Float64()})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			q := sound(t, m)
			worst.MinDihedralDeg = min(worst.MinDihedralDeg, q.MinDihedralDeg)
			worst.MaxDihedralDeg = max(worst.MaxDihedralDeg, q.MaxDihedralDeg)
			worst.Tets += q.Tets
		}
	}
	t.Logf("%d tets, dihedral %.2f to %.2f", worst.Tets, worst.MinDihedralDeg, worst.MaxDihedralDeg)
}

// A structure that fills its grid is meshed up to the outer voxel faces.
func TestFullGridIsABox(t *testing.T) {
	g := imaging.NewGrid([3]int{12, 9, 6}, r3.Vec{X: 5}, [3]float64{1, 1.5, 2})
	d := Domain{Grid: g, Phi: make([]float32, g.Len())}
	for n := range d.Phi {
		d.Phi[n] = -100
	}
	m, _, err := Fill(context.Background(), d, Options{EdgeMM: 0.75})
	if err != nil {
		t.Fatal(err)
	}
	q := sound(t, m)
	want := float64(g.Len()) * g.VoxelMM3()
	if math.Abs(q.VolumeMM3/want-1) > 0.01 { // only the box's edges are bevelled
		t.Fatalf("volume %g of %g", q.VolumeMM3, want)
	}
}

func TestTargetVolume(t *testing.T) {
	for _, h := range []float64{4, 8, 12} {
		d := ballDomain(70, 28)
		for _, target := range []float64{88000, 91952.3, 97000} {
			d.TargetMM3 = target
			m, rep, err := Fill(context.Background(), d, Options{EdgeMM: h})
			if err != nil {
				t.Fatal(err)
			}
			sound(t, m)
			t.Logf("h %g target %g: level %.3f mm, error %.4f %%, %d evaluations", h, target, rep.LevelMM, 100*rep.VolumeErrorRel, rep.Evaluations)
			if math.Abs(m.VolumeMM3(nil)/target-1) > 2e-3 || math.Abs(rep.VolumeErrorRel-(m.VolumeMM3(nil)/target-1)) > 1e-12 {
				t.Fatalf("report %+v", rep)
			}
		}
		d.TargetMM3 = 1e7 // far out of reach: the nearest is returned and said
		_, rep, err := Fill(context.Background(), d, Options{EdgeMM: h})
		if err != nil || rep.LevelMM != h/2 || rep.VolumeErrorRel > -0.9 {
			t.Fatalf("out of reach: %v %+v", err, rep)
		}
	}
}

func TestComponentsAreKeptOrNamed(t *testing.T) {
	g := imaging.NewGrid([3]int{60, 30, 30}, r3.Vec{}, [3]float64{1, 1, 1})
	a, b := ball(g, r3.Vec{X: 15, Y: 15, Z: 15}, 9), ball(g, r3.Vec{X: 42, Y: 15, Z: 15}, 7)
	c := ball(g, r3.Vec{X: 56, Y: 3, Z: 3}, 0.7)
	d := Domain{Grid: g, Phi: make([]float32, g.Len())}
	for n := range d.Phi {
		d.Phi[n] = min(a[n], b[n], c[n])
	}
	m, rep, err := Fill(context.Background(), d, Options{EdgeMM: 5})
	if err != nil {
		t.Fatal(err)
	}
	sound(t, m)
	if rep.Parts != 2 || rep.Components != 3 || len(rep.Dropped) != 1 || rep.Dropped[0].Voxels != 1 ||
		rep.Dropped[0].AtMM != (r3.Vec{X: 56, Y: 3, Z: 3}) || rep.Dropped[0].VolumeMM3 != 1 {
		t.Fatalf("report %+v", rep)
	}
	m, rep, err = Fill(context.Background(), d, Options{EdgeMM: 5, MinComponentMM3: 2000})
	if err != nil || rep.Parts != 1 || len(rep.Dropped) != 2 || m.VolumeMM3(nil) < 2500 {
		t.Fatalf("%v, report %+v", err, rep)
	}
	sound(t, m)
	if m, rep, err = Fill(context.Background(), d, Options{EdgeMM: 0.6}); err != nil || rep.Parts != 3 || len(rep.Dropped) != 0 {
		t.Fatalf("fine lattice: %v, report %+v", err, rep)
	}
	sound(t, m)
}

func TestRegionIsAskedAtTheCentroid(t *testing.T) {
	d := ballDomain(40, 15)
	d.Label = func(p r3.Vec) imaging.Label {
		if p.X > 20 {
			return imaging.LabelTumour
		}
		return imaging.LabelPortalVein
	}
	m, _, err := Fill(context.Background(), d, Options{EdgeMM: 4})
	if err != nil {
		t.Fatal(err)
	}
	for n, v := range m.Tets {
		c := r3.Scale(0.25, r3.Add(r3.Add(m.Nodes[v[0]], m.Nodes[v[1]]), r3.Add(m.Nodes[v[2]], m.Nodes[v[3]])))
		if m.Region[n] != d.Label(c) {
			t.Fatalf("element %d at %v is %v", n, c, m.Region[n])
		}
	}
}

func TestSameBitsForAnyCoreCount(t *testing.T) {
	d := ballDomain(60, 24)
	d.TargetMM3 = 58000
	var first *mesh.TetMesh
	for _, p := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(p)
		m, _, err := Fill(context.Background(), d, Options{EdgeMM: 2.5})
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = m
		} else if !reflect.DeepEqual(first, m) {
			t.Fatalf("GOMAXPROCS %d gives another mesh", p)
		}
	}
}

func TestRefusals(t *testing.T) {
	d := ballDomain(40, 15)
	ctx := context.Background()
	var limit *LimitError
	if _, _, err := Fill(ctx, d, Options{EdgeMM: 1e-3}); !errors.As(err, &limit) || limit.Limit != DefaultMemoryLimit {
		t.Fatalf("absurdly small edge: %v", err)
	}
	if _, rep, err := Fill(ctx, d, Options{EdgeMM: 3, MemoryLimit: 1 << 20}); !errors.As(err, &limit) {
		t.Fatalf("memory limit: %v %+v", err, rep)
	}
	_, rep, err := Fill(ctx, d, Options{EdgeMM: limit.SuggestEdgeMM, MemoryLimit: 1 << 20})
	if err != nil || rep.MemoryEstimate > 1<<20 {
		t.Fatalf("the suggested edge %g: %v %+v", limit.SuggestEdgeMM, err, rep)
	}
	var empty *EmptyError
	if _, _, err := Fill(ctx, d, Options{EdgeMM: 1000}); !errors.As(err, &empty) || empty.Voxels == 0 {
		t.Fatalf("absurdly long edge: %v", err)
	}
	none := ballDomain(10, -1)
	if _, _, err := Fill(ctx, none, Options{EdgeMM: 1}); !errors.As(err, &empty) || empty.Voxels != 0 {
		t.Fatalf("empty: %v", err)
	}
	bad := func(change func(d *Domain, o *Options)) {
		t.Helper()
		d, o := ballDomain(10, 3), Options{EdgeMM: 2}
		change(&d, &o)
		if m, _, err := Fill(ctx, d, o); err == nil || m != nil {
			t.Fatal("accepted")
		} else {
			t.Log(err)
		}
	}
	nan := math.NaN()
	bad(func(d *Domain, o *Options) { o.EdgeMM = 0 })
	bad(func(d *Domain, o *Options) { o.EdgeMM = nan })
	bad(func(d *Domain, o *Options) { o.EdgeMM = math.Inf(1) })
	bad(func(d *Domain, o *Options) { o.MinComponentMM3 = -1 })
	bad(func(d *Domain, o *Options) { o.MemoryLimit = -1 })
	bad(func(d *Domain, o *Options) { d.TargetMM3 = nan })
	bad(func(d *Domain, o *Options) { d.Phi = d.Phi[1:] })
	bad(func(d *Domain, o *Options) { d.Phi[123] = float32(nan) })
	bad(func(d *Domain, o *Options) { d.Phi[123] = float32(math.Inf(1)) })
	bad(func(d *Domain, o *Options) { d.Grid.Axes[1] = d.Grid.Axes[0] })
	bad(func(d *Domain, o *Options) { d.Grid.Origin.X = nan })
}

func TestCancel(t *testing.T) {
	d := ballDomain(120, 55)
	d.TargetMM3 = 1e6
	for _, wait := range []time.Duration{0, 20 * time.Millisecond, 150 * time.Millisecond, 400 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		m, _, err := Fill(ctx, d, Options{EdgeMM: 0.9})
		late, _ := ctx.Deadline()
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || m != nil {
			t.Fatalf("after %v: %v", wait, err)
		}
		t.Logf("returned %v after the deadline", time.Since(late))
	}
}

func BenchmarkFill(b *testing.B) {
	d := ballDomain(128, 60)
	tets := 0
	for b.Loop() {
		m, _, err := Fill(context.Background(), d, Options{EdgeMM: 2.8})
		if err != nil {
			b.Fatal(err)
		}
		tets += len(m.Tets)
	}
	b.ReportMetric(float64(tets)/b.Elapsed().Seconds()/1e6, "Mtet/s")
}
