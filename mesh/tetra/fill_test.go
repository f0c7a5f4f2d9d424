package tetra

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
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
func sound(t testing.TB, m *mesh.TetMesh) mesh.Report {
	t.Helper()
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	q := mesh.Quality(m)
	if q.MinDihedralDeg < MinDihedralDeg-1e-6 || q.MaxDihedralDeg > MaxDihedralDeg+1e-6 {
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
	fmt.Printf("%d part, volume within 0.1 %%: %v\n", rep.Components, math.Abs(m.VolumeMM3(nil)/d.TargetMM3-1) < 1e-3)
	// Output: 1 part, volume within 0.1 %: true
}

// The faces lie evenly on both sides of the sphere, at a distance that falls as
// h², so the volume is not that of an inscribed polyhedron.
func TestSphereConverges(t *testing.T) {
	const r = 30.
	d := ballDomain(70, r)
	exact := 4. / 3 * math.Pi * r * r * r
	centre := r3.Vec{X: 34.71, Y: 34.37, Z: 34.58}
	for _, h := range []float64{12, 8.5, 6, 4.2, 3} {
		m, rep, err := Fill(context.Background(), d, Options{EdgeMM: h})
		if err != nil {
			t.Fatal(err)
		}
		q := sound(t, m)
		e := q.VolumeMM3/exact - 1
		s, _ := m.Boundary()
		var sum, area float64
		for _, v := range s.Tris {
			a, b, c := s.Verts[v[0]], s.Verts[v[1]], s.Verts[v[2]]
			w := r3.Norm(r3.Cross(r3.Sub(b, a), r3.Sub(c, a))) / 2
			for _, p := range facePoints {
				g := r3.Add(r3.Add(r3.Scale(p[0], a), r3.Scale(p[1], b)), r3.Scale(p[2], c))
				sum += w / 3 * math.Abs(r3.Norm(r3.Sub(g, centre))-r)
			}
			area += w
		}
		t.Logf("h %.1f: %d tets, mean distance %.4f mm, volume error %.4f %%, area error %.4f %%, dihedral %.1f–%.1f", h, q.Tets, sum/area, 100*e, 100*(area/(4*math.Pi*r*r)-1), q.MinDihedralDeg, q.MaxDihedralDeg)
		if rep.Components != 1 || len(rep.Dropped) != 0 {
			t.Fatalf("h %g: report %+v", h, rep)
		}
		if math.Abs(e) > 1e-3 { // the voxels' own: trilinear cells bend outwards
			t.Fatalf("h %g: volume error %g", h, e)
		}
		// chords, and what the voxels do not say
		if limit := 2.5e-4*h*h + 0.006; sum/area > limit {
			t.Fatalf("h %g: mean distance %g mm, above %g", h, sum/area, limit)
		}
	}
}

// Whatever the field, the mesh conforms and keeps its angles.
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
			d := Domain{Grid: randomGrid(r, [3]int{11, 10, 9})}
			d.Phi = make([]float32, d.Grid.Len())
			for n := range d.Phi {
				i, j, k := d.Grid.IJK(n)
				d.Phi[n] = f(r, i, j, k)
			}
			m, _, err := Fill(context.Background(), d, Options{EdgeMM: 0.6 + 3*r.Float64()})
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

// randomGrid is anisotropic, and every other time turned and left-handed.
func randomGrid(r *rand.Rand, size [3]int) imaging.Grid {
	sp := [3]float64{0.5 + r.Float64(), 0.5 + r.Float64(), 0.5 + 2*r.Float64()}
	g := imaging.NewGrid(size, r3.Vec{X: -3, Y: 40, Z: 7}, sp)
	if r.IntN(2) == 1 {
		a := r.Float64()
		c, s := math.Cos(a), math.Sin(a)
		g.Axes = [3]r3.Vec{{X: c * sp[0], Y: s * sp[0]}, {X: -s * sp[1], Y: c * sp[1]}, {Z: -sp[2]}}
	}
	return g
}

// A structure that fills its grid is meshed up to the outer voxel faces, which
// stay flat; only the edges of the box are rounded, by half a voxel.
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
	sound(t, m)
	s, _ := m.Boundary()
	flat, worst, sum := 0, 0.0, 0.0
	for _, p := range s.Verts {
		x, y, z := g.Voxel(p)
		var out [3]float64 // voxels beyond the nearest outer face
		for a, u := range [3]float64{x, y, z} {
			half := float64(g.Size[a]) / 2
			out[a] = math.Abs(u+0.5-half) - half
		}
		slices.Sort(out[:])
		if out[1] > -1.5 {
			continue // near an edge of the box
		}
		flat++
		worst, sum = max(worst, math.Abs(out[2])), sum+math.Abs(out[2])
	}
	t.Logf("%d nodes on the faces, %.4f voxels off on average, at most %.3f", flat, sum/float64(flat), worst)
	if flat < 300 || sum > 0.04*float64(flat) || worst > 0.3 {
		t.Fatal("the faces are not flat")
	}
}

func TestTargetVolume(t *testing.T) {
	for _, h := range []float64{4, 8, 12} {
		d := ballDomain(70, 28)
		for _, target := range []float64{90500, 91952.3, 93500} {
			d.TargetMM3 = target
			m, rep, err := Fill(context.Background(), d, Options{EdgeMM: h})
			if err != nil {
				t.Fatal(err)
			}
			sound(t, m)
			e := rep.VolumeErrorRel[imaging.LabelLiver]
			t.Logf("h %g target %g: error %.4f %%", h, target, 100*e)
			if math.Abs(m.VolumeMM3(nil)/target-1) > 2e-3 || math.Abs(e-(m.VolumeMM3(nil)/target-1)) > 1e-9 {
				t.Fatalf("report %+v", rep)
			}
		}
		d.TargetMM3 = 1e7 // far out of reach: the nearest is returned and said
		_, rep, err := Fill(context.Background(), d, Options{EdgeMM: h})
		if err != nil || rep.VolumeErrorRel[imaging.LabelLiver] > -0.9 {
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
	for _, h := range []float64{0.6, 2, 5, 9} {
		m, rep, err := Fill(context.Background(), d, Options{EdgeMM: h})
		if err != nil {
			t.Fatal(err)
		}
		sound(t, m)
		if _, n := m.Parts(); n != 3 || rep.Components != 3 || len(rep.Dropped) != 0 {
			t.Fatalf("h %g: %d parts, report %+v", h, n, rep)
		}
	}
	m, rep, err := Fill(context.Background(), d, Options{EdgeMM: 5, MinComponentMM3: 2000})
	if err != nil || len(rep.Dropped) != 2 || m.VolumeMM3(nil) < 2500 ||
		rep.Dropped[0].AtMM != (r3.Vec{X: 56, Y: 3, Z: 3}) || rep.Dropped[0].VolumeMM3 != 1 || rep.Dropped[0].Voxels != 1 {
		t.Fatalf("%v, report %+v", err, rep)
	}
	if _, n := m.Parts(); n != 1 {
		t.Fatalf("%d parts", n)
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
	d.TargetMM3 = 4. / 3 * math.Pi * 15 * 15 * 15
	ctx := context.Background()
	var limit *LimitError
	for _, e := range []float64{1e-3, 1e-9, 1e-300} {
		if _, _, err := Fill(ctx, d, Options{EdgeMM: e}); !errors.As(err, &limit) || limit.Limit != DefaultMemoryLimit {
			t.Fatalf("absurdly small edge %g: %v", e, err)
		}
	}
	if _, rep, err := Fill(ctx, d, Options{EdgeMM: 3, MemoryLimit: 1 << 20}); !errors.As(err, &limit) {
		t.Fatalf("memory limit: %v %+v", err, rep)
	}
	_, rep, err := Fill(ctx, d, Options{EdgeMM: limit.SuggestEdgeMM, MemoryLimit: 1 << 20})
	if err != nil || rep.MemoryEstimate > 1<<20 {
		t.Fatalf("the suggested edge %g: %v %+v", limit.SuggestEdgeMM, err, rep)
	}
	for _, e := range []float64{1000, 1e6} { // the lattice is refined until it holds the ball
		m, _, err := Fill(ctx, d, Options{EdgeMM: e})
		if err != nil {
			t.Fatalf("absurdly long edge %g: %v", e, err)
		}
		sound(t, m)
	}
	var empty *EmptyError
	none := ballDomain(10, -1)
	if _, _, err := Fill(ctx, none, Options{EdgeMM: 1}); !errors.As(err, &empty) || empty.Dropped != 0 {
		t.Fatalf("empty: %v", err)
	}
	if _, _, err := Fill(ctx, d, Options{EdgeMM: 1, MinComponentMM3: 1e9}); !errors.As(err, &empty) || empty.Dropped != 1 {
		t.Fatalf("all dropped: %v", err)
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
	bad(func(d *Domain, o *Options) { o.MaxEdgeMM = 1 })
	bad(func(d *Domain, o *Options) { o.MaxEdgeMM = 1e9 })
	bad(func(d *Domain, o *Options) { o.MaxEdgeMM = nan })
	bad(func(d *Domain, o *Options) { o.LabelEdgeMM = map[imaging.Label]float64{imaging.LabelLiver: -1} })
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
	d.TargetMM3 = 7e5
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
