package cut

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

func Example() {
	m := cube(4)
	r, err := Apply(context.Background(), m, Plane{Point: r3.Vec{X: 1.37, Y: 2, Z: 2}, Normal: r3.Vec{X: 1}}, Options{})
	if err != nil {
		panic(err)
	}
	rep := r.Report
	fmt.Printf("%d parts, %.2f and %.2f mm³, cut %.2f mm²\n", len(rep.Parts), rep.VolumeMM3[0], rep.VolumeMM3[1], rep.CutMM2)
	// Output: 2 parts, 21.92 and 42.08 mm³, cut 16.00 mm²
}

// Planes through every vertex of a lattice cut along faces that are there:
// nothing is divided, nothing moves.
func TestPlanesThroughLatticePoints(t *testing.T) {
	m := cube(4)
	for _, c := range []struct {
		p    Plane
		area float64
		free bool // faces of the lattice lie in the plane
	}{
		{Plane{r3.Vec{X: 2}, r3.Vec{X: 1}}, 16, true},
		{Plane{r3.Vec{X: 2, Y: 2, Z: 3}, r3.Vec{Z: -3}}, 16, true},
		{Plane{r3.Vec{}, r3.Vec{X: 1, Y: -1}}, 16 * math.Sqrt2, false},
		{Plane{r3.Vec{X: 4}, r3.Vec{X: 1, Y: 1, Z: 1}}, 16 * math.Sqrt(3) / 2, false},
		{Plane{r3.Vec{X: 1.5}, r3.Vec{X: 1}}, 16, false}, // through all nodes in the middle
	} {
		r := apply(t, m, c.p, Options{})
		rep := r.Report
		if math.Abs(rep.CutMM2-c.area) > 1e-9 || rep.OffNodes != 0 || len(rep.Parts) != 2 {
			t.Errorf("%v: area %g, want %g; %d off by %g, %d parts", c.p, rep.CutMM2, c.area, rep.OffNodes, rep.MaxOffMM, len(rep.Parts))
		}
		if c.free && (rep.Split != 0 || rep.Moved != 0 || rep.Relinked == 0) {
			t.Errorf("%v: %d split, %d moved, %d relinked", c.p, rep.Split, rep.Moved, rep.Relinked)
		}
	}
	// all positions and directions, the worst of them exact: rounding must not matter
	rnd := rand.New(rand.NewPCG(3, 3))
	for range 60 {
		p := Plane{
			r3.Vec{X: float64(rnd.IntN(9)) / 2, Y: float64(rnd.IntN(9)) / 2, Z: float64(rnd.IntN(9)) / 2},
			r3.Vec{X: float64(rnd.IntN(5) - 2), Y: float64(rnd.IntN(5) - 2), Z: float64(rnd.IntN(5)) - 2},
		}
		if p.Normal == (r3.Vec{}) {
			continue
		}
		apply(t, m, p, Options{})
		for _, e := range []float64{1e-15, 1e-9, 1e-4} {
			p.Point.X += e
			apply(t, m, p, Options{})
		}
	}
}

// A plane that misses, or touches a face, an edge or a corner, cuts nothing.
func TestPlanesThatMiss(t *testing.T) {
	m := cube(3)
	for _, p := range []Plane{
		{r3.Vec{X: 7}, r3.Vec{X: 1}}, {r3.Vec{X: -7}, r3.Vec{X: 1}},
		{r3.Vec{X: 3}, r3.Vec{X: 1}}, {r3.Vec{}, r3.Vec{Y: 1}},
		{r3.Vec{}, r3.Vec{X: 1, Y: 1}}, {r3.Vec{X: 3, Y: 3, Z: 3}, r3.Vec{X: 1, Y: 1, Z: 1}},
		{r3.Vec{X: 1e-3}, r3.Vec{X: 1}}, // a slice too thin for the bound
	} {
		r := apply(t, m, p, Options{})
		if r.Mesh != m || r.Report.Faces != 0 || len(r.Report.Parts) != 1 || r.Report.VolumeMM3[0]+r.Report.VolumeMM3[1] != 27 {
			t.Errorf("%v: %+v", p, r.Report)
		}
		for n, o := range r.Map.Node {
			if int(o) != n {
				t.Fatalf("node %d came from %d", n, o)
			}
		}
	}
}

// Away from the cut nothing changes: neither numbers nor bits.
func TestFarTetrahedraAreIdentical(t *testing.T) {
	m := ball(t, 20, 3)
	p := Plane{r3.Vec{X: 2.3}, r3.Vec{X: 1, Y: .4, Z: -.2}}
	r := apply(t, m, p, Options{})
	n := r3.Unit(p.Normal)
	far := 0
	for k, v := range m.Tets {
		away := math.Inf(1)
		for _, c := range v {
			away = min(away, math.Abs(r3.Dot(n, r3.Sub(m.Nodes[c], p.Point))))
		}
		if away < 3.01 { // the longest edge
			continue
		}
		far++
		if r.Mesh.Tets[k] != v {
			t.Fatalf("tetrahedron %d: %v, was %v", k, r.Mesh.Tets[k], v)
		}
		for _, c := range v {
			if r.Mesh.Nodes[c] != m.Nodes[c] || r.Map.Node[c] != c {
				t.Fatalf("node %d moved", c)
			}
		}
	}
	if share := float64(far) / float64(len(m.Tets)); share < .6 {
		t.Errorf("only %.0f %% are far from the cut", 100*share)
	}
}

// Interfaces and the boundary stay: with KeepBoundary each region keeps its
// volume and each face of the cube its area, whatever the plane.
func TestBoundaryAndInterfacesStay(t *testing.T) {
	m := cube(6)
	rnd := rand.New(rand.NewPCG(5, 5))
	before := mesh.Quality(m).RegionMM3
	for n := range 12 {
		p := randomPlane(rnd, 2)
		p.Point = r3.Add(p.Point, r3.Vec{X: 3, Y: 3, Z: 3})
		r := apply(t, m, p, Options{KeepBoundary: n%2 == 0})
		// every wall of the cube is flat, so nodes slide without lifting off either way
		for l, v := range mesh.Quality(r.Mesh).RegionMM3 {
			if math.Abs(v-before[l]) > 1e-9 {
				t.Errorf("%v: region %d has %g mm³, had %g", p, l, v, before[l])
			}
		}
		if len(r.Report.Slid) != 0 {
			t.Errorf("%v: nodes %v slid off a flat wall", p, r.Report.Slid)
		}
		s, _ := r.Mesh.Boundary()
		var on, cut float64
		for _, v := range s.Tris {
			a, b, c := s.Verts[v[0]], s.Verts[v[1]], s.Verts[v[2]]
			area := r3.Norm(r3.Cross(r3.Sub(b, a), r3.Sub(c, a))) / 2
			flat := func(x, y, z float64) bool {
				return math.Abs(x-y)+math.Abs(x-z) < 1e-9 && (math.Abs(x) < 1e-9 || math.Abs(x-6) < 1e-9)
			}
			if flat(a.X, b.X, c.X) || flat(a.Y, b.Y, c.Y) || flat(a.Z, b.Z, c.Z) {
				on += area
			} else {
				cut += area
			}
		}
		if math.Abs(on-6*36) > 1e-9 || math.Abs(cut-2*r.Report.CutMM2) > 1e-9 {
			t.Errorf("%v: %.12g mm² of the cube's faces, want 216; cut faces %g, want %g", p, on, cut, 2*r.Report.CutMM2)
		}
	}
}

// On a curved boundary nodes slide; the report says which, and without them
// every volume stays.
func TestSlidesAreReported(t *testing.T) {
	m := ball(t, 20, 3)
	for i := range m.Region {
		if m.Nodes[m.Tets[i][0]].Y > 3 {
			m.Region[i] = imaging.LabelVessel
		}
	}
	p := Plane{r3.Vec{X: 2.3}, r3.Vec{X: 1, Y: .4, Z: -.2}}
	free, kept := apply(t, m, p, Options{}), apply(t, m, p, Options{KeepBoundary: true})
	if len(free.Report.Slid) == 0 || len(kept.Report.Slid) != 0 || kept.Report.SlideMM3 != 0 {
		t.Fatalf("slid %d, with KeepBoundary %d, %g mm³", len(free.Report.Slid), len(kept.Report.Slid), kept.Report.SlideMM3)
	}
	before, after := mesh.Quality(m).RegionMM3, mesh.Quality(kept.Mesh).RegionMM3
	for l, v := range before {
		if math.Abs(after[l]-v) > 1e-11*v {
			t.Errorf("region %d: %g mm³, was %g", l, after[l], v)
		}
	}
	s, node := m.Boundary()
	onBoundary := map[int32]bool{}
	for i := range s.Verts {
		onBoundary[node[i]] = true
	}
	slid := map[int32]bool{}
	for _, n := range free.Report.Slid {
		slid[n] = true
	}
	for n, at := range m.Nodes {
		if onBoundary[int32(n)] && at != free.Mesh.Nodes[n] && !slid[int32(n)] {
			t.Fatalf("boundary node %d moved and is not listed", n)
		}
		if slid[int32(n)] {
			if d := math.Abs(r3.Norm(free.Mesh.Nodes[n]) - r3.Norm(at)); d > .05*3 {
				t.Errorf("node %d slid %g mm off the sphere", n, d)
			}
		}
	}
}

// Joined sides share their nodes, and the cut is the same otherwise.
func TestJoin(t *testing.T) {
	m := ball(t, 15, 3)
	p := Plane{r3.Vec{X: 1.3}, r3.Vec{X: 1, Z: -.7}}
	apart, joined := apply(t, m, p, Options{}), apply(t, m, p, Options{Join: true})
	if _, n := joined.Mesh.Parts(); n != 1 || len(joined.Report.Parts) != 2 {
		t.Errorf("%d parts by faces, %d reported", n, len(joined.Report.Parts))
	}
	a, b := apart.Report, joined.Report
	a.Relinked = 0
	if !reflect.DeepEqual(a, b) {
		t.Errorf("reports differ:\n%+v\n%+v", a, b)
	}
	cutNodes := map[int32]bool{}
	for i, f := range joined.Faces {
		if f.Plus != f.Minus || f.Minus != apart.Faces[i].Minus {
			t.Fatalf("face %d: %v, apart %v", i, f, apart.Faces[i])
		}
		for _, n := range f.Minus {
			cutNodes[n] = true
		}
	}
	if got := len(apart.Mesh.Nodes) - len(joined.Mesh.Nodes); got != len(cutNodes) {
		t.Errorf("%d copies of %d nodes", got, len(cutNodes))
	}
}

// The same bits whatever the number of cores.
func TestSameBitsForAnyCoreCount(t *testing.T) {
	m := ball(t, 15, 3)
	b := wavy(t, 15)
	var first [2]*Result
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		for i, s := range []Surface{Plane{r3.Vec{X: 1.3}, r3.Vec{X: 1, Z: -.7}}, b} {
			r := apply(t, m, s, Options{})
			if r.Map.old = nil; first[i] == nil {
				first[i] = r
			} else if !reflect.DeepEqual(r, first[i]) {
				t.Errorf("GOMAXPROCS %d: %T gives another result", procs, s)
			}
		}
		runtime.GOMAXPROCS(old)
	}
}

// countdown is a context that is done after some looks at it.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// Wherever the context ends, Apply returns its error.
func TestContext(t *testing.T) {
	m := ball(t, 10, 3)
	s := wavy(t, 10)
	looks := 0
	for left := 0; ; left = left*5/4 + 1 {
		r, err := Apply(&countdown{context.Background(), left}, m, s, Options{})
		if err == nil {
			break
		}
		if looks++; r != nil || !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d looks: %v", left, err)
		}
	}
	if looks < 10 {
		t.Errorf("the context was asked for too seldom: %d", looks)
	}
	ctx, cancel := context.WithCancel(context.Background())
	big := ball(t, 30, 2)
	done := make(chan error)
	go func() {
		for {
			if _, err := Apply(ctx, big, s, Options{}); err != nil {
				done <- err
				return
			}
		}
	}()
	time.Sleep(30 * time.Millisecond)
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("a cancelled cut goes on")
	}
}

func TestMemory(t *testing.T) {
	m := ball(t, 25, 2)
	p := Plane{r3.Vec{X: 1.3}, r3.Vec{X: 1, Z: -.7}}
	_, err := Apply(context.Background(), m, p, Options{MemoryLimit: 1 << 20})
	if limit, ok := errors.AsType[*LimitError](err); !ok || limit.Limit != 1<<20 || limit.Estimate <= limit.Limit {
		t.Fatalf("got %v", err)
	}
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	apply := func() { _, err = Apply(context.Background(), m, p, Options{}) }
	apply()
	runtime.ReadMemStats(&b)
	// all that is allocated, freed or not, bounds the peak
	if used := int64(b.TotalAlloc - a.TotalAlloc); err != nil || used > estimate(m) || used < estimate(m)/4 {
		t.Errorf("%d bytes were allocated, estimated %d: %v", used, estimate(m), err)
	}
}
