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

// shakenBall is a ball of three regions with a mesh that has been shaken until
// a few per cent of it is bad; its interfaces are as rough as that makes them.
func shakenBall(t testing.TB, edge, amount float64, seed uint64) *mesh.TetMesh {
	const n, r = 56, 24.
	g := imaging.NewGrid([3]int{n, n, n}, r3.Vec{X: -5, Y: 40}, [3]float64{1, 1, 1})
	c := g.Point(27.6, 27.4, 27.9)
	d := Domain{Grid: g, Phi: make([]float32, g.Len()), Label: func(p r3.Vec) imaging.Label {
		switch q := r3.Sub(p, c); {
		case r3.Norm(q) < 10:
			return imaging.LabelTumour
		case q.X < 6*math.Sin(q.Y/7):
			return imaging.LabelLiver
		}
		return imaging.LabelPortalVein
	}}
	for i := range d.Phi {
		x, y, z := g.IJK(i)
		d.Phi[i] = float32(r3.Norm(r3.Sub(g.Point(float64(x), float64(y), float64(z)), c)) - r)
	}
	m, _, err := Fill(context.Background(), d, Options{EdgeMM: edge})
	if err != nil {
		t.Fatal(err)
	}
	shake(m, rand.New(rand.NewPCG(seed, 11)), amount*edge, nil)
	return m
}

// shake moves every node by up to amount along each axis, as far as its
// tetrahedra stay positive. keep, if any, puts it back where it belongs.
func shake(m *mesh.TetMesh, r *rand.Rand, amount float64, keep func(n int, p r3.Vec) r3.Vec) {
	star := make([][]int32, len(m.Nodes))
	for t, v := range m.Tets {
		for _, n := range v {
			star[n] = append(star[n], int32(t))
		}
	}
	for n, p := range m.Nodes {
		d := r3.Vec{X: r.Float64()*2 - 1, Y: r.Float64()*2 - 1, Z: r.Float64()*2 - 1}
		for s := amount; s > amount/100; s /= 2 {
			m.Nodes[n] = r3.Add(p, r3.Scale(s, d))
			if keep != nil {
				m.Nodes[n] = keep(n, m.Nodes[n])
			}
			ok := true
			for _, t := range star[n] {
				v := m.Tets[t]
				l := 0.0 // some volume must be left
				for _, e := range mesh.TetEdges {
					l = max(l, r3.Norm(r3.Sub(m.Nodes[v[e[0]]], m.Nodes[v[e[1]]])))
				}
				ok = ok && mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) > 1e-3*l*l*l
			}
			if ok {
				break
			}
			m.Nodes[n] = p
		}
	}
}

func copyOf(m *mesh.TetMesh) *mesh.TetMesh {
	return &mesh.TetMesh{Nodes: slices.Clone(m.Nodes), Tets: slices.Clone(m.Tets), Region: slices.Clone(m.Region)}
}

// extremes of a mesh, and how many tetrahedra are outside lo…hi.
func extremes(m *mesh.TetMesh, below, above float64) (lo, hi float64, bad int) {
	lo, hi = 180, 0
	for _, v := range m.Tets {
		l, h := extremeAngles(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]])
		lo, hi = min(lo, l), max(hi, h)
		if l < below || h > above {
			bad++
		}
	}
	return lo, hi, bad
}

func volumes(m *mesh.TetMesh) (v [256]float64) {
	for t, x := range m.Tets {
		v[m.Region[t]] += mesh.Signed6(m.Nodes[x[0]], m.Nodes[x[1]], m.Nodes[x[2]], m.Nodes[x[3]]) / 6
	}
	return v
}

// improved runs Improve and checks what must hold whatever the input.
func improved(t *testing.T, m *mesh.TetMesh, opt ImproveOptions) ImproveReport {
	t.Helper()
	was := copyOf(m)
	rep, err := Improve(context.Background(), m, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	below, above := opt.BelowDeg, opt.AboveDeg
	if below == 0 {
		below, above = DefaultBelowDeg, DefaultAboveDeg
	}
	lo, hi, bad := extremes(was, below, above)
	lo2, hi2, bad2 := extremes(m, below, above)
	const tol = 1e-4 // degrees: stored shapes are float32
	if opt.Only == nil && (math.Abs(min(lo, below)-rep.MinBeforeDeg) > tol || math.Abs(max(hi, above)-rep.MaxBeforeDeg) > tol || bad != rep.Bad ||
		math.Abs(min(lo2, below)-rep.MinAfterDeg) > tol || math.Abs(max(hi2, above)-rep.MaxAfterDeg) > tol || bad2 != rep.BadLeft) {
		t.Fatalf("measured %g–%g (%d) and %g–%g (%d), report %+v", lo, hi, bad, lo2, hi2, bad2, brief(rep))
	}
	if lo2 < min(lo, fairShare*below)-tol || hi2 > max(hi, 180-fairShare*(180-above))+tol {
		t.Fatalf("angles fell from %g–%g to %g–%g", lo, hi, lo2, hi2)
	}
	v, v2 := volumes(was), volumes(m)
	for l := range v {
		if d := v2[l] - v[l] - rep.VolumeChangeMM3[imaging.Label(l)]; math.Abs(d) > 1e-9*(v[l]+1) {
			t.Fatalf("region %d went from %g to %g mm³, reported %g", l, v[l], v2[l], rep.VolumeChangeMM3[imaging.Label(l)])
		}
	}
	if rep.SurfaceMM > opt.MaxSurfaceMM+1e-6 {
		t.Fatalf("surface moved %g mm", rep.SurfaceMM)
	}
	checkMaps(t, was, m, rep, opt)
	return rep
}

// checkMaps checks that NodeFrom and TetFrom tell the truth.
func checkMaps(t *testing.T, was, m *mesh.TetMesh, rep ImproveReport, opt ImproveOptions) {
	t.Helper()
	if len(rep.NodeFrom) != len(m.Nodes) || len(rep.TetFrom) != len(m.Tets) {
		t.Fatalf("%d and %d in the maps", len(rep.NodeFrom), len(rep.TetFrom))
	}
	seen := make([]bool, len(was.Tets))
	kept := make([]int32, len(was.Nodes))
	for n := range kept {
		kept[n] = -1
	}
	for n, o := range rep.NodeFrom {
		if o >= 0 {
			kept[o] = int32(n)
		}
	}
	for n, f := range rep.TetFrom {
		if f < 0 {
			if was.Region[^f] != m.Region[n] && opt.MaxSurfaceMM == 0 {
				t.Fatalf("tetrahedron %d of region %d replaces one of region %d", n, m.Region[n], was.Region[^f])
			}
			continue
		}
		for k, x := range m.Tets[n] {
			if rep.NodeFrom[x] != was.Tets[f][k] || m.Region[n] != was.Region[f] || seen[f] {
				t.Fatalf("tetrahedron %d is not %d", n, f)
			}
		}
		seen[f] = true
	}
	used := make([]bool, len(m.Nodes))
	for _, v := range m.Tets {
		for _, n := range v {
			used[n] = true
		}
	}
	if slices.Contains(used, false) {
		t.Fatal("a node has no tetrahedron")
	}
	for n := range was.Nodes {
		if opt.Frozen != nil && opt.Frozen(int32(n)) && (kept[n] < 0 || m.Nodes[kept[n]] != was.Nodes[n]) {
			t.Fatalf("frozen node %d moved or went", n)
		}
	}
	if opt.Only != nil {
		for f := range was.Tets {
			if opt.Only(int32(f)) {
				continue
			}
			if !seen[f] {
				t.Fatalf("tetrahedron %d was not to change", f)
			}
			for _, n := range was.Tets[f] {
				if m.Nodes[kept[n]] != was.Nodes[n] {
					t.Fatalf("node %d of a tetrahedron that was not to change moved", n)
				}
			}
		}
	}
}

func brief(r ImproveReport) ImproveReport {
	r.NodeFrom, r.TetFrom = nil, nil
	return r
}

func ExampleImprove() {
	// a sliver between two pairs of tetrahedra
	m := &mesh.TetMesh{
		Nodes: []r3.Vec{{X: 1, Z: 0.05}, {Y: 1, Z: -0.05}, {X: -1, Z: 0.05}, {Y: -1, Z: -0.05}, {Z: 2}, {Z: -2}},
		Tets:  [][4]int32{{0, 2, 1, 3}, {0, 1, 2, 4}, {0, 2, 3, 4}, {0, 3, 1, 5}, {1, 3, 2, 5}},
	}
	rep, err := Improve(context.Background(), m, ImproveOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d tetrahedra, least angle %.1f° before; %d edge removed\n", len(m.Tets), rep.MinBeforeDeg, rep.EdgesRemoved)
	fmt.Printf("%.3f mm³, all angles within %g° and %g°\n", m.VolumeMM3(nil), rep.MinAfterDeg, rep.MaxAfterDeg)
	// Output:
	// 4 tetrahedra, least angle 8.1° before; 1 edge removed
	// 2.667 mm³, all angles within 15° and 155°
}

func TestImproveNeverWorsens(t *testing.T) {
	for _, x := range []struct {
		edge, amount, surface, share float64
	}{{3, 0.12, 0, 0.4}, {3, 0.12, 0.3, 0.75}, {4, 0.3, 0.1, 0.75}, {2.5, 0.2, 0.05, 0.6}} {
		for seed := range uint64(2) {
			m := shakenBall(t, x.edge, x.amount, seed)
			rep := improved(t, m, ImproveOptions{MaxSurfaceMM: x.surface})
			t.Logf("%+v: %d tets, %+v", x, len(m.Tets), brief(rep))
			if rep.Bad < 50 || float64(rep.BadLeft) > (1-x.share)*float64(rep.Bad) {
				t.Fatalf("%d of %d bad ones left", rep.BadLeft, rep.Bad)
			}
		}
	}
}

// Surfaces that may not move stay as they are, face by face, but for faces in
// one plane.
func TestImproveKeepsSurfaces(t *testing.T) {
	m := shakenBall(t, 3, 0.2, 5)
	was := copyOf(m)
	rep := improved(t, m, ImproveOptions{})
	if len(rep.VolumeChangeMM3) != 0 {
		for _, d := range rep.VolumeChangeMM3 {
			if math.Abs(d) > 1e-6 {
				t.Fatalf("volumes changed: %v", rep.VolumeChangeMM3)
			}
		}
	}
	faces := func(m *mesh.TetMesh, name func(n int32) int32) map[[3]int32]bool {
		out := map[[3]int32]bool{}
		for t, near := range m.Neighbours() {
			for f, o := range near {
				if o < 0 || m.Region[o] != m.Region[t] {
					c, v := mesh.TetFaces[f], m.Tets[t]
					k := []int32{name(v[c[0]]), name(v[c[1]]), name(v[c[2]])}
					slices.Sort(k)
					out[[3]int32(k)] = true
				}
			}
		}
		return out
	}
	a := faces(was, func(n int32) int32 { return n })
	b := faces(m, func(n int32) int32 { return rep.NodeFrom[n] })
	if !reflect.DeepEqual(a, b) {
		t.Fatalf("%d surface faces became %d others", len(a), len(b))
	}
}

// The surface stays within the distance that was allowed.
func TestImproveSurfaceDistance(t *testing.T) {
	m := shakenBall(t, 3, 0.2, 6)
	was := copyOf(m)
	const allowed = 0.25
	rep := improved(t, m, ImproveOptions{MaxSurfaceMM: allowed})
	if rep.SurfaceFlips == 0 || rep.SurfaceMM == 0 {
		t.Fatalf("nothing happened: %+v", brief(rep))
	}
	fine := func(m *mesh.TetMesh) *mesh.Surface { // with points on the edges
		q := *m
		q.Region = nil
		s, _ := q.Quadratic().Boundary()
		return s
	}
	a, b := fine(was), fine(m)
	there, back := a.DistanceTo(b).MaxMM, b.DistanceTo(a).MaxMM
	t.Logf("%+v, distances %.3f and %.3f mm", brief(rep), there, back)
	if worst := max(there, back); worst > rep.SurfaceMM || worst < 0.1*rep.SurfaceMM {
		t.Fatalf("the surface moved %g mm, reported %g", worst, rep.SurfaceMM)
	}
}

// With a projection interface nodes slide along the sphere and stay on it.
func TestImproveProjects(t *testing.T) {
	m, c, r := roundBall(t, 5)
	_, nodes := m.Boundary()
	on := make([]bool, len(m.Nodes))
	for _, n := range nodes {
		on[n] = true
	}
	back := func(p r3.Vec) r3.Vec {
		d := r3.Sub(p, c)
		return r3.Add(c, r3.Scale(r/r3.Norm(d), d))
	}
	shake(m, rand.New(rand.NewPCG(1, 2)), 1.4, func(n int, p r3.Vec) r3.Vec {
		if on[n] {
			return back(p)
		}
		return p
	})
	fixed := copyOf(m)
	before := improved(t, fixed, ImproveOptions{})
	asked := 0
	rep := improved(t, m, ImproveOptions{Project: func(p r3.Vec, n int32) (r3.Vec, bool) {
		if !on[n] {
			t.Fatalf("node %d is inside", n)
		}
		asked++
		return back(p), true
	}})
	t.Logf("fixed: %+v\nprojected: %+v", brief(before), brief(rep))
	if asked == 0 || rep.BadLeft > before.BadLeft {
		t.Fatalf("asked %d times; %d bad left, %d without", asked, rep.BadLeft, before.BadLeft)
	}
	_, nodes = m.Boundary()
	for _, n := range nodes {
		if d := math.Abs(r3.Norm(r3.Sub(m.Nodes[n], c)) - r); d > 1e-9 {
			t.Fatalf("node %d is %g mm off the sphere", n, d)
		}
	}
}

func TestImproveOnlyAndFrozen(t *testing.T) {
	m := shakenBall(t, 3, 0.25, 7)
	only := copyOf(m)
	half := func(m *mesh.TetMesh) func(int32) bool {
		in := make([]bool, len(m.Tets))
		for i, v := range m.Tets {
			in[i] = m.Nodes[v[0]].Z < 28
		}
		return func(t int32) bool { return in[t] }
	}
	rep := improved(t, only, ImproveOptions{MaxSurfaceMM: 0.2, Only: half(m)})
	if rep.Bad == 0 || rep.BadLeft > rep.Bad/2 {
		t.Fatalf("only: %+v", brief(rep))
	}
	frozen := copyOf(m)
	rep = improved(t, frozen, ImproveOptions{MaxSurfaceMM: 0.2, Frozen: func(n int32) bool { return n%2 == 0 }})
	if rep.Bad == 0 || rep.BadLeft > rep.Bad/2 {
		t.Fatalf("frozen: %+v", brief(rep))
	}
	rep = improved(t, m, ImproveOptions{Frozen: func(int32) bool { return true }, Only: func(int32) bool { return false }})
	if rep.Bad != 0 || !reflect.DeepEqual(rep.TetFrom, func() (all []int32) {
		for i := range m.Tets {
			all = append(all, int32(i))
		}
		return all
	}()) {
		t.Fatalf("nothing was to change: %+v", brief(rep))
	}
}

func TestImproveSameBitsForAnyCoreCount(t *testing.T) {
	start := shakenBall(t, 3, 0.25, 8)
	var first *mesh.TetMesh
	var report ImproveReport
	for _, p := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(p)
		m := copyOf(start)
		rep, err := Improve(context.Background(), m, ImproveOptions{MaxSurfaceMM: 0.2})
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first, report = m, rep
		} else if !reflect.DeepEqual(first, m) || !reflect.DeepEqual(report, rep) {
			t.Fatalf("GOMAXPROCS %d gives another mesh", p)
		}
	}
}

// After cancellation the mesh is sound and the maps are right.
func TestImproveCancel(t *testing.T) {
	start := shakenBall(t, 1.6, 0.3, 9)
	for _, wait := range []time.Duration{0, 5 * time.Millisecond, 30 * time.Millisecond, 60 * time.Millisecond} {
		m := copyOf(start)
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		rep, err := Improve(ctx, m, ImproveOptions{MaxSurfaceMM: 0.2})
		late, _ := ctx.Deadline()
		cancel()
		if err == nil && wait > 0 {
			t.Logf("done within %v", wait) // a fast machine
			continue
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		t.Logf("returned %v after the deadline of %v, %+v", time.Since(late), wait, brief(rep))
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		if rep.TetFrom == nil {
			if !reflect.DeepEqual(m, start) {
				t.Fatal("the mesh was changed without a report")
			}
			continue
		}
		checkMaps(t, start, m, rep, ImproveOptions{MaxSurfaceMM: 1})
	}
}

func TestImproveRefusals(t *testing.T) {
	ctx := context.Background()
	good := func() *mesh.TetMesh {
		return &mesh.TetMesh{
			Nodes:  []r3.Vec{{}, {X: 1}, {Y: 1}, {Z: 1}, {X: 1, Y: 1, Z: 1}, {X: 9}},
			Tets:   [][4]int32{{0, 1, 2, 3}, {1, 4, 2, 3}},
			Region: []imaging.Label{1, 1},
		}
	}
	m := good()
	m.Tets[0] = [4]int32{0, 2, 1, 3}
	var inv *mesh.InvertedError
	if _, err := Improve(ctx, m, ImproveOptions{}); !errors.As(err, &inv) || inv.Element != 0 || inv.DetJ != -1 {
		t.Fatalf("inverted: %v", err)
	}
	m = good()
	m.Nodes[4] = r3.Vec{X: 1. / 3, Y: 1. / 3, Z: 1. / 3} // in the plane of 1, 2, 3
	if _, err := Improve(ctx, m, ImproveOptions{}); !errors.As(err, &inv) || inv.Element != 1 {
		t.Fatalf("flat: %v", err)
	}
	for name, change := range map[string]func(m *mesh.TetMesh, o *ImproveOptions){
		"nan":      func(m *mesh.TetMesh, _ *ImproveOptions) { m.Nodes[2].Y = math.NaN() },
		"infinite": func(m *mesh.TetMesh, _ *ImproveOptions) { m.Nodes[5].Y = math.Inf(-1) },
		"index":    func(m *mesh.TetMesh, _ *ImproveOptions) { m.Tets[1][2] = 6 },
		"negative": func(m *mesh.TetMesh, _ *ImproveOptions) { m.Tets[1][2] = -1 },
		"regions":  func(m *mesh.TetMesh, _ *ImproveOptions) { m.Region = m.Region[:1] },
		"tet10":    func(m *mesh.TetMesh, _ *ImproveOptions) { *m = *m.Quadratic() },
		"below":    func(_ *mesh.TetMesh, o *ImproveOptions) { o.BelowDeg = 75 },
		"above":    func(_ *mesh.TetMesh, o *ImproveOptions) { o.AboveDeg = math.NaN() },
		"surface":  func(_ *mesh.TetMesh, o *ImproveOptions) { o.MaxSurfaceMM = -1 },
	} {
		m, o := good(), ImproveOptions{}
		change(m, &o)
		before := copyOf(m)
		before.Mid = m.Mid
		if _, err := Improve(ctx, m, o); err == nil {
			t.Errorf("%s: accepted", name)
		} else if name != "nan" && !reflect.DeepEqual(before, m) {
			t.Errorf("%s: the mesh was changed", name)
		}
	}
	// an empty mesh, a bad one nothing can be done about, a node too many
	m = &mesh.TetMesh{}
	if rep, err := Improve(ctx, m, ImproveOptions{}); err != nil || rep.Bad != 0 {
		t.Fatalf("empty: %v %+v", err, rep)
	}
	m = &mesh.TetMesh{Nodes: []r3.Vec{{}, {X: 1}, {X: 0.4, Y: 1}, {X: 7}, {X: 0.4, Y: 0.3, Z: 0.02}}, Tets: [][4]int32{{0, 1, 2, 4}}}
	rep, err := Improve(ctx, m, ImproveOptions{Frozen: func(int32) bool { return true }})
	if err != nil || rep.Bad != 1 || rep.BadLeft != 1 || len(m.Nodes) != 4 || m.Region != nil || !slices.Equal(rep.NodeFrom, []int32{0, 1, 2, 4}) {
		t.Fatalf("lone: %v %+v %+v", err, rep, m)
	}
}

// Whatever overlapping rubbish comes in: no panic, no hang, nothing inverted.
func TestImproveSurvivesRubbish(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		m := &mesh.TetMesh{}
		for range 5 + r.IntN(20) {
			m.Nodes = append(m.Nodes, r3.Vec{X: r.Float64(), Y: r.Float64(), Z: r.Float64() / 3})
		}
		for range 120 {
			v := [4]int32{}
			for i := range v {
				v[i] = int32(r.IntN(len(m.Nodes)))
			}
			d := mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]])
			if d < 0 {
				v[0], v[1] = v[1], v[0]
			}
			if math.Abs(d) > 1e-9 {
				m.Tets, m.Region = append(m.Tets, v), append(m.Region, imaging.Label(r.IntN(2)))
			}
		}
		if _, err := Improve(context.Background(), m, ImproveOptions{MaxSurfaceMM: 0.1}); err != nil {
			t.Fatal(err)
		}
		for _, v := range m.Tets {
			if !(mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) > 0) {
				t.Fatal("inverted")
			}
		}
	}
}

func BenchmarkImprove(b *testing.B) {
	start := shakenBall(b, 1.6, 0.16, 1)
	_, _, bad := extremes(start, DefaultBelowDeg, DefaultAboveDeg)
	b.ReportMetric(100*float64(bad)/float64(len(start.Tets)), "%bad")
	for b.Loop() {
		b.StopTimer()
		m := copyOf(start)
		b.StartTimer()
		if _, err := Improve(context.Background(), m, ImproveOptions{MaxSurfaceMM: 0.05}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(start.Tets))*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mtets/s")
}
