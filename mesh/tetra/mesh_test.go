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
	"halsted/internal/par"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// randomLabels makes a small label volume of one of several unkind sorts.
func randomLabels(seed uint64) (*imaging.Labels, string) {
	r := rand.New(rand.NewPCG(seed, 3))
	size := [3]int{1 + r.IntN(6), 1 + r.IntN(6), 1 + r.IntN(6)}
	if seed%61 == 0 {
		size = [3]int{6 + r.IntN(6), 6 + r.IntN(6), 6 + r.IntN(6)}
	}
	l := &imaging.Labels{Grid: randomGrid(r, size)}
	l.ID = make([]imaging.Label, l.Grid.Len())
	kinds := 1 + r.IntN(5)
	set := func(f func(i, j, k int) int) {
		for n := range l.ID {
			i, j, k := l.Grid.IJK(n)
			l.ID[n] = imaging.Label(f(i, j, k))
		}
	}
	a, b, c := r.IntN(size[0]), r.IntN(size[1]), r.IntN(size[2])
	switch seed % 10 {
	case 0:
		set(func(i, j, k int) int { return r.IntN(kinds + 1) })
		return l, "noise"
	case 1:
		set(func(i, j, k int) int { return (i + j + k) & 1 })
		return l, "checkerboard"
	case 2:
		set(func(i, j, k int) int { return 1 + (i+j+k)%(kinds+1) })
		return l, "diagonal layers"
	case 3:
		set(func(i, j, k int) int {
			if r.IntN(12) == 0 {
				return 1 + r.IntN(kinds)
			}
			return 0
		})
		return l, "specks"
	case 4:
		set(func(i, j, k int) int {
			if (i < a) == (j < b) && (j < b) == (k < c) {
				return 1
			}
			return 0
		})
		return l, "touching corners"
	case 5:
		set(func(i, j, k int) int {
			if i == a && j == b && k == c {
				return 2
			}
			return 1
		})
		return l, "one voxel inside"
	case 6:
		set(func(i, j, k int) int {
			if i == a && j == b && k == c {
				return 1
			}
			return 0
		})
		return l, "one voxel alone"
	case 7:
		set(func(i, j, k int) int { return 1 })
		return l, "full"
	case 8:
		set(func(i, j, k int) int { return 1 + btoi(i < a) + 2*btoi(j < b) + 4*btoi(k < c) })
		return l, "eight corners"
	}
	set(func(i, j, k int) int { return btoi(i == a) + 2*btoi(j == b) })
	return l, "crossing sheets"
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// lost counts the connected parts of l that no tetrahedron of m stands for: one
// of the part's label with its centroid within a voxel of one of the part's
// centres.
func lost(l *imaging.Labels, m *mesh.TetMesh) (n int) {
	p, err := findParts(context.Background(), l)
	if err != nil {
		return len(l.ID)
	}
	held := make([]bool, len(p.size))
	for e, v := range m.Tets {
		c := r3.Scale(0.25, r3.Add(r3.Add(m.Nodes[v[0]], m.Nodes[v[1]]), r3.Add(m.Nodes[v[2]], m.Nodes[v[3]])))
		x, y, z := l.Grid.Voxel(c)
		i, j, k := int(math.Floor(x+0.5)), int(math.Floor(y+0.5)), int(math.Floor(z+0.5))
		for d := range 27 {
			a, b, c := i+d%3-1, j+d/3%3-1, k+d/9-1
			near := math.Pow(float64(a)-x, 2)+math.Pow(float64(b)-y, 2)+math.Pow(float64(c)-z, 2) <= 1
			if q := p.at(a, b, c); near && q >= 0 && p.name[q] == uint8(m.Region[e]) {
				held[q] = true
			}
		}
	}
	for _, h := range held {
		if !h {
			n++
		}
	}
	return n
}

// Any labels give a mesh that conforms, is oriented, keeps its angles before
// anything is improved, and keeps every connected part of every label.
func TestAnyLabelsGiveASoundMesh(t *testing.T) {
	volumes := 10000
	if testing.Short() {
		volumes = 500
	}
	type result struct {
		lo, hi float64
		tets   int
		fault  string
	}
	results := make([]result, volumes)
	par.Chunks(volumes, 50, func(from, to int) {
		for seed := from; seed < to; seed++ {
			r := &results[seed]
			r.lo, r.hi, r.tets, r.fault = anyLabels(uint64(seed))
		}
	})
	lo, hi, tets := 180.0, 0.0, 0
	for seed, r := range results {
		if r.fault != "" {
			t.Fatalf("volume %d: %s", seed, r.fault)
		}
		lo, hi, tets = min(lo, r.lo), max(hi, r.hi), tets+r.tets
	}
	t.Logf("%d volumes, %d tets, dihedral %.2f to %.2f", volumes, tets, lo, hi)
}

// anyLabels meshes one random volume and says what is wrong with the mesh.
func anyLabels(seed uint64) (lo, hi float64, tets int, fault string) {
	l, kind := randomLabels(seed)
	r := rand.New(rand.NewPCG(seed, 4))
	sp := l.Grid.SpacingMM()
	opt := Options{EdgeMM: min(sp[0], sp[1], sp[2]) * (0.9 + 4*r.Float64()), JunctionLevels: r.IntN(3) - 1}
	if seed%5 != 0 { // the bound does not rest on Improve
		opt.ImproveBelowDeg = -1
	}
	what := fmt.Sprintf("%s %v, edge %.2f mm", kind, l.Grid.Size, opt.EdgeMM)
	m, rep, err := Mesh(context.Background(), l, opt)
	var empty *EmptyError
	if errors.As(err, &empty) && l.Count(func(x imaging.Label) bool { return x != 0 }) == 0 {
		return 180, 0, 0, ""
	}
	if err == nil {
		err = m.Check()
	}
	if err != nil {
		return 180, 0, 0, fmt.Sprint(what, ": ", err)
	}
	q := mesh.Quality(m)
	if q.MinDihedralDeg < MinDihedralDeg-1e-6 || q.MaxDihedralDeg > MaxDihedralDeg+1e-6 {
		fault = fmt.Sprintf("%s: dihedral angles %.3f to %.3f", what, q.MinDihedralDeg, q.MaxDihedralDeg)
	}
	if n := lost(l, m); n > 0 {
		fault = fmt.Sprintf("%s: %d of %d parts lost", what, n, rep.Components)
	}
	return q.MinDihedralDeg, q.MaxDihedralDeg, len(m.Tets), fault
}

// nested is a ball in a ball, with a thin tube through both.
func nested(n int) *imaging.Labels {
	l := &imaging.Labels{Grid: imaging.NewGrid([3]int{n, n, n}, r3.Vec{X: 10}, [3]float64{0.8, 0.9, 1.1})}
	l.ID = make([]imaging.Label, l.Grid.Len())
	mid := l.Grid.Point(float64(n)/2, float64(n)/2, float64(n)/2)
	for m := range l.ID {
		i, j, k := l.Grid.IJK(m)
		p := r3.Sub(l.Grid.Point(float64(i), float64(j), float64(k)), mid)
		switch d := r3.Norm(p); {
		case math.Hypot(p.X, p.Y-3) < 3:
			l.ID[m] = imaging.LabelPortalVein
		case d < 0.2*float64(n):
			l.ID[m] = imaging.LabelTumour
		case d < 0.38*float64(n):
			l.ID[m] = imaging.LabelLiver
		}
	}
	return l
}

func ExampleMesh() {
	l := nested(40)
	m, rep, err := Mesh(context.Background(), l, Options{EdgeMM: 4})
	if err != nil {
		panic(err)
	}
	q := mesh.Quality(m)
	fmt.Printf("%d parts; angles within bounds: %v; liver volume error below 0.5 %%: %v\n", rep.Components,
		q.MinDihedralDeg > MinDihedralDeg && q.MaxDihedralDeg < MaxDihedralDeg, math.Abs(rep.VolumeErrorRel[imaging.LabelLiver]) < 0.005)
	// Output: 3 parts; angles within bounds: true; liver volume error below 0.5 %: true
}

func TestLabelsKeepTheirVolume(t *testing.T) {
	l := nested(48)
	for _, e := range []float64{2, 3, 5} {
		m, rep, err := Mesh(context.Background(), l, Options{EdgeMM: e, LabelEdgeMM: map[imaging.Label]float64{imaging.LabelPortalVein: 1.5}})
		if err != nil {
			t.Fatal(err)
		}
		q := sound(t, m)
		for x, d := range rep.VolumeErrorRel {
			want := float64(l.Count(func(y imaging.Label) bool { return y == x })) * l.Grid.VoxelMM3()
			t.Logf("edge %g, %v: %.3f %% of %.0f mm³", e, x, 100*d, want)
			if math.Abs(d) > 0.01 || math.Abs(q.RegionMM3[x]/want-1-d) > 1e-9 {
				t.Fatalf("edge %g, %v: reported error %g, volume %g of %g", e, x, d, q.RegionMM3[x], want)
			}
		}
	}
}

func TestLabelsSameBitsForAnyCoreCount(t *testing.T) {
	l := nested(40)
	var first *mesh.TetMesh
	for _, p := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(p)
		m, _, err := Mesh(context.Background(), l, Options{EdgeMM: 3})
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

func TestSizesFollowTheLabels(t *testing.T) {
	l := nested(48)
	edge := func(opt Options) map[imaging.Label]int {
		m, _, err := Mesh(context.Background(), l, opt)
		if err != nil {
			t.Fatal(err)
		}
		n := map[imaging.Label]int{}
		for _, x := range m.Region {
			n[x]++
		}
		return n
	}
	plain := edge(Options{EdgeMM: 4, JunctionLevels: -1})
	fine := edge(Options{EdgeMM: 4, JunctionLevels: -1, LabelEdgeMM: map[imaging.Label]float64{imaging.LabelPortalVein: 1}})
	if fine[imaging.LabelPortalVein] < 8*plain[imaging.LabelPortalVein] || fine[imaging.LabelLiver] > 8*plain[imaging.LabelLiver] {
		t.Fatalf("coarse %v, fine vein %v", plain, fine)
	}
}

// Quadratic elements follow the interfaces: their volume is right without any
// offset, and the sides of a ball lie on the sphere.
func TestQuadraticSidesFollowTheInterface(t *testing.T) {
	const r = 28.
	d := ballDomain(70, r)
	centre := r3.Vec{X: 34.71, Y: 34.37, Z: 34.58}
	for _, h := range []float64{6, 10} {
		m, rep, err := Fill(context.Background(), d, Options{EdgeMM: h, Quadratic: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		v := regionVolumes(m)
		vol := v[imaging.LabelLiver]/(4./3*math.Pi*r*r*r) - 1
		s, _ := m.Boundary()
		var worst float64
		for _, p := range s.Verts {
			worst = max(worst, math.Abs(r3.Norm(r3.Sub(p, centre))-r))
		}
		t.Logf("h %g: volume error %.4f %%, farthest node %.4f mm, straight %.4f %%, %+v", h, 100*vol, worst, 100*(m.VolumeMM3(nil)/(4./3*math.Pi*r*r*r)-1), rep.Curve)
		if math.Abs(vol) > 1e-3 || worst > 0.05 {
			t.Fatal("not on the sphere")
		}
	}
	l := nested(40)
	m, rep, err := Mesh(context.Background(), l, Options{EdgeMM: 4, Quadratic: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	t.Logf("nested: volumes %v, %+v", rep.VolumeErrorRel, rep.Curve)
	if rep.Curve.Moved == 0 || rep.Curve.MinJacobian <= 0 {
		t.Fatalf("%+v", rep.Curve)
	}
	// a left-handed grid gives the mirrored mesh, not an inverted one
	l.Grid.Axes[2] = r3.Scale(-1, l.Grid.Axes[2])
	if m, _, err = Mesh(context.Background(), l, Options{EdgeMM: 4, Quadratic: true}); err != nil {
		t.Fatal(err)
	}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
}

// Cells far larger than the labels are refined until every label is there.
func TestAbsurdEdgesKeepAllLabels(t *testing.T) {
	l := nested(40)
	for _, e := range []float64{50, 1e3, 1e5} {
		m, rep, err := Mesh(context.Background(), l, Options{EdgeMM: e})
		if err != nil {
			t.Fatal(err)
		}
		sound(t, m)
		if n := lost(l, m); n > 0 || len(rep.Displaced) > 0 {
			t.Fatalf("edge %g: %d parts lost, %+v", e, n, rep.Displaced)
		}
		t.Logf("edge %g: %d tets, volumes %v", e, len(m.Tets), rep.VolumeErrorRel)
	}
	var limit *LimitError
	if _, _, err := Mesh(context.Background(), l, Options{EdgeMM: 1e-4}); !errors.As(err, &limit) {
		t.Fatal(err)
	}
}

// A cancelled call returns at once and without a mesh, wherever it is.
func TestLabelsCancel(t *testing.T) {
	l := nested(150)
	for _, wait := range []time.Duration{0, 10 * time.Millisecond, 60 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		m, _, err := Mesh(ctx, l, Options{EdgeMM: 1})
		late, _ := ctx.Deadline()
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || m != nil {
			t.Fatalf("after %v: %v", wait, err)
		}
		t.Logf("returned %v after the deadline", time.Since(late))
	}
}
