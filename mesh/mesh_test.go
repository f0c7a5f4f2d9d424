package mesh_test

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

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/tetra"

	"gonum.org/v1/gonum/spatial/r3"
)

// ball meshes a sphere of radius r mm around the origin.
func ball(tb testing.TB, r, edge float64) *mesh.TetMesh {
	tb.Helper()
	n := int(2*r) + 8
	c := -float64(n-1) / 2
	g := imaging.NewGrid([3]int{n, n, n}, r3.Vec{X: c, Y: c, Z: c}, [3]float64{1, 1, 1})
	d := tetra.Domain{Grid: g, Phi: make([]float32, g.Len())}
	for v := range d.Phi {
		i, j, k := g.IJK(v)
		d.Phi[v] = float32(r3.Norm(g.Point(float64(i), float64(j), float64(k))) - r)
	}
	m, _, err := tetra.Fill(context.Background(), d, tetra.Options{EdgeMM: edge})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func regular() *mesh.TetMesh {
	return &mesh.TetMesh{
		Nodes:  []r3.Vec{{X: 1, Y: 1, Z: 1}, {X: -1, Y: 1, Z: -1}, {X: 1, Y: -1, Z: -1}, {X: -1, Y: -1, Z: 1}},
		Tets:   [][4]int32{{0, 1, 2, 3}},
		Region: []imaging.Label{imaging.LabelLiver},
	}
}

func ExampleQuality() {
	q := mesh.Quality(regular()) // edge 2√2, volume 8/3, dihedral angle acos(1/3)
	fmt.Printf("%.3f mm³, %.3f° to %.3f°, %d inverted\n", q.VolumeMM3, q.MinDihedralDeg, q.MaxDihedralDeg, q.Inverted)
	// Output: 2.667 mm³, 70.529° to 70.529°, 0 inverted
}

func TestQualityNamesDefects(t *testing.T) {
	m := regular()
	m.Tets[0] = [4]int32{1, 0, 2, 3}
	if q := mesh.Quality(m); q.Inverted != 1 || q.VolumeMM3 > 0 || q.RegionMM3[imaging.LabelLiver] != q.VolumeMM3 {
		t.Fatalf("%+v", q)
	}
	m = regular()
	m.Nodes[3] = r3.Scale(1./3, r3.Add(m.Nodes[0], r3.Add(m.Nodes[1], m.Nodes[2]))) // flat
	if q := mesh.Quality(m); q.MinDihedralDeg > 1e-5 || q.MaxDihedralDeg < 180-1e-5 || q.Worst != 0 {
		t.Fatalf("%+v", q)
	}
	if q := mesh.Quality(&mesh.TetMesh{}); q.Tets != 0 || q.Worst != -1 || q.VolumeMM3 != 0 {
		t.Fatalf("%+v", q)
	}
}

func TestCheckNamesTheDefect(t *testing.T) {
	var inv *mesh.InvertedError
	var conf *mesh.ConformityError
	m := ball(t, 10, 4)
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	clone := func() *mesh.TetMesh {
		return &mesh.TetMesh{Nodes: append([]r3.Vec(nil), m.Nodes...), Tets: append([][4]int32(nil), m.Tets...), Region: m.Region}
	}
	b := clone()
	b.Tets[17][0], b.Tets[17][1] = b.Tets[17][1], b.Tets[17][0]
	if err := b.Check(); !errors.As(err, &inv) || inv.Element != 17 || !(inv.DetJ < 0) {
		t.Fatalf("swapped: %v", err)
	}
	b = clone()
	b.Tets = append(b.Tets, b.Tets[3])
	b.Region = append(append([]imaging.Label(nil), b.Region...), 0)
	if err := b.Check(); !errors.As(err, &conf) || !slices.Contains(conf.Elements, 3) {
		t.Fatalf("doubled: %v", err)
	}
	for what, spoil := range map[string]func(m *mesh.TetMesh){
		"NaN":      func(m *mesh.TetMesh) { m.Nodes[5].Y = math.NaN() },
		"Inf":      func(m *mesh.TetMesh) { m.Nodes[5].Y = math.Inf(-1) },
		"negative": func(m *mesh.TetMesh) { m.Tets[5][2] = -1 },
		"beyond":   func(m *mesh.TetMesh) { m.Tets[5][2] = int32(len(m.Nodes)) },
		"regions":  func(m *mesh.TetMesh) { m.Region = m.Region[1:] },
		"mid rows": func(m *mesh.TetMesh) { m.Mid = make([][6]int32, 2) },
		"mid node": func(m *mesh.TetMesh) { *m = *m.Quadratic(); m.Mid[4][3] = 1 << 30 },
	} {
		b := clone()
		spoil(b)
		if err := b.Check(); err == nil {
			t.Fatalf("%s: accepted", what)
		}
	}
	q := m.Quadratic()
	if err := q.Check(); err != nil {
		t.Fatal(err)
	}
	crack := m.Quadratic()
	crack.Nodes = append(crack.Nodes, crack.Nodes[crack.Mid[20][1]]) // the same place, another node
	crack.Mid[20][1] = int32(len(crack.Nodes) - 1)
	if err := crack.Check(); !errors.As(err, &conf) || !slices.Contains(conf.Elements, 20) {
		t.Fatalf("crack: %v", err)
	}
	// a mid node pushed through the opposite side folds the element
	v := q.Tets[2]
	q.Nodes[q.Mid[2][0]] = r3.Add(q.Nodes[q.Mid[2][0]], r3.Scale(2, r3.Sub(q.Nodes[v[3]], q.Nodes[v[0]])))
	if err := q.Check(); !errors.As(err, &inv) {
		t.Fatalf("folded: %v", err)
	}
}

// V − E + F − T of a ball is 1; edges and faces are counted apart from the
// code under test.
func TestQuadraticAndBoundaryCount(t *testing.T) {
	m := ball(t, 14, 4)
	q := m.Quadratic()
	edges := map[[2]int32]int32{}
	faces := map[[3]int32]int{}
	for e, v := range m.Tets {
		for i, c := range mesh.TetEdges {
			k := [2]int32{min(v[c[0]], v[c[1]]), max(v[c[0]], v[c[1]])}
			mid := q.Mid[e][i]
			if old, ok := edges[k]; ok && old != mid {
				t.Fatalf("edge %v has two mid nodes", k)
			}
			edges[k] = mid
			if d := r3.Norm(r3.Sub(q.Nodes[mid], r3.Scale(0.5, r3.Add(m.Nodes[k[0]], m.Nodes[k[1]])))); d > 1e-12 {
				t.Fatalf("mid node of %v is %g mm off", k, d)
			}
			if int(mid) < len(m.Nodes) {
				t.Fatalf("mid node %d is among the corners", mid)
			}
		}
		for _, c := range mesh.TetFaces {
			a, b, d := v[c[0]], v[c[1]], v[c[2]]
			lo, hi := min(a, b, d), max(a, b, d)
			faces[[3]int32{lo, a + b + d - lo - hi, hi}]++
		}
	}
	if len(q.Nodes) != len(m.Nodes)+len(edges) {
		t.Fatalf("%d nodes for %d corners and %d edges", len(q.Nodes), len(m.Nodes), len(edges))
	}
	if x := len(m.Nodes) - len(edges) + len(faces) - len(m.Tets); x != 1 {
		t.Fatalf("Euler characteristic %d", x)
	}
	outer := 0
	for _, n := range faces {
		if n == 1 {
			outer++
		}
	}
	for name, b := range map[string]*mesh.TetMesh{"Tet4": m, "Tet10": q} {
		s, node := b.Boundary()
		want := outer
		if b.Mid != nil {
			want *= 4
		}
		if len(s.Tris) != want || len(node) != len(s.Verts) {
			t.Fatalf("%s: %d faces, want %d", name, len(s.Tris), want)
		}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		if top := s.Topology(imaging.LabelLiver); !top.Manifold() || top.Euler() != 2 {
			t.Fatalf("%s: %+v", name, top)
		}
		for v, n := range node {
			if s.Verts[v] != b.Nodes[n] {
				t.Fatalf("%s: vertex %d is not node %d", name, v, n)
			}
		}
		if v := s.VolumeMM3(func(l imaging.Label) bool { return l == imaging.LabelLiver }); math.Abs(v/m.VolumeMM3(nil)-1) > 1e-12 {
			t.Fatalf("%s: boundary encloses %g", name, v)
		}
	}
	if q.Quadratic() != q {
		t.Fatal("a quadratic mesh was made quadratic again")
	}
}

func TestKeepAndParts(t *testing.T) {
	m := ball(t, 12, 4)
	right := func(n int) bool { return m.Nodes[m.Tets[n][0]].X > 4 }
	left := func(n int) bool { return m.Nodes[m.Tets[n][0]].X < -4 }
	for _, full := range []*mesh.TetMesh{m, m.Quadratic()} {
		k := full.Keep(func(n int) bool { return right(n) || left(n) })
		if err := k.Check(); err != nil {
			t.Fatal(err)
		}
		part, count := k.Parts()
		if count < 2 || len(part) != len(k.Tets) {
			t.Fatalf("%d parts", count)
		}
		for n, next := range k.Neighbours() {
			for _, o := range next {
				if o >= 0 && part[o] != part[n] {
					t.Fatalf("neighbours %d and %d are in different parts", n, o)
				}
			}
		}
		var want float64
		for n, v := range m.Tets {
			if right(n) || left(n) {
				want += mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) / 6
			}
		}
		if math.Abs(k.VolumeMM3(nil)-want) > 1e-9*want {
			t.Fatalf("volume %g, want %g", k.VolumeMM3(nil), want)
		}
	}
}

// Points inside and just outside follow linear fields exactly; with mid-edge
// nodes, points inside follow quadratic fields exactly.
func TestEmbeddingReproducesPolynomials(t *testing.T) {
	m := ball(t, 20, 5)
	r := rand.New(rand.NewPCG(1, 2))
	var p []r3.Vec
	for range 3000 {
		v := r3.Vec{X: r.NormFloat64(), Y: r.NormFloat64(), Z: r.NormFloat64()}
		p = append(p, r3.Scale(20.8*math.Cbrt(r.Float64())/r3.Norm(v), v))
	}
	p = append(p, m.Nodes...) // shared corners
	lin := func(x r3.Vec) r3.Vec { return r3.Vec{X: 3 + x.Y, Y: x.X - 2*x.Z, Z: 0.5*x.X + x.Y + x.Z} }
	quad := func(x r3.Vec) float64 { return 1 + x.X*x.X - 2*x.Y*x.Z + 0.3*x.X*x.Y + x.Z }
	for _, m := range []*mesh.TetMesh{m, m.Quadratic()} {
		e, err := mesh.Embed(p, m)
		if err != nil {
			t.Fatal(err)
		}
		if e.Outside == 0 || e.MaxOutsideMM > 3 || e.Len() != len(p) {
			t.Fatalf("%d outside, at most %g mm", e.Outside, e.MaxOutsideMM)
		}
		u, f := make([]r3.Vec, len(m.Nodes)), make([]float64, len(m.Nodes))
		for n, x := range m.Nodes {
			u[n], f[n] = lin(x), quad(x)
		}
		got, gotF := make([]r3.Vec, len(p)), make([]float64, len(p))
		e.Apply(got, u)
		e.ApplyScalar(gotF, f)
		inside := 0
		for n, x := range p {
			if d := r3.Norm(r3.Sub(got[n], lin(x))); d > 1e-10 {
				t.Fatalf("point %v is %g mm off a linear field", x, d)
			}
			if m.Mid != nil && r3.Norm(x) < 18 {
				inside++
				if d := math.Abs(gotF[n] - quad(x)); d > 1e-9 {
					t.Fatalf("point %v is %g off a quadratic field", x, d)
				}
			}
		}
		if m.Mid != nil && inside < 1000 {
			t.Fatalf("only %d points inside", inside)
		}
		if a := testing.AllocsPerRun(3, func() { e.Apply(got, u) }); a != 0 {
			t.Fatalf("Apply allocates %g times", a)
		}
	}
}

// A point far out moves as a bounded extrapolation; one farther is refused.
func TestEmbeddingFarOutside(t *testing.T) {
	m := ball(t, 20, 5)
	e, err := mesh.Embed([]r3.Vec{{X: 33}, {}}, m)
	if err != nil {
		t.Fatal(err)
	}
	if e.Outside != 1 || math.Abs(e.MaxOutsideMM-13) > 1 {
		t.Fatalf("%+v", e)
	}
	for _, w := range e.Weight {
		if math.Abs(w) > 5 {
			t.Fatalf("weight %g", w)
		}
	}
	u := make([]r3.Vec, len(m.Nodes)) // a rigid shift moves everything alike
	for n := range u {
		u[n] = r3.Vec{X: 1, Y: 2, Z: 3}
	}
	got := make([]r3.Vec, 2)
	e.Apply(got, u)
	for _, g := range got {
		if r3.Norm(r3.Sub(g, u[0])) > 1e-12 {
			t.Fatalf("moved by %v", g)
		}
	}
	var far *mesh.FarError
	if _, err := mesh.Embed([]r3.Vec{{}, {X: 0.04, Y: 90}}, m); !errors.As(err, &far) || far.Point != 1 || math.Abs(far.DistanceMM-70) > 1 {
		t.Fatalf("far: %v", err)
	}
	if _, err := mesh.Embed([]r3.Vec{{Z: math.NaN()}}, m); err == nil {
		t.Fatal("NaN accepted")
	}
	if _, err := mesh.Embed(nil, &mesh.TetMesh{}); err == nil {
		t.Fatal("empty mesh accepted")
	}
	if e, err := mesh.Embed(nil, m); err != nil || e.Len() != 0 {
		t.Fatalf("no points: %v", err)
	}
}

func TestEmbeddingSameBitsForAnyCoreCount(t *testing.T) {
	m := ball(t, 15, 4)
	s, _ := m.Quadratic().Boundary()
	var first *mesh.Embedding
	for _, p := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(p)
		e, err := mesh.Embed(s.Verts, m)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = e
		} else if !reflect.DeepEqual(first, e) {
			t.Fatalf("GOMAXPROCS %d ties the points otherwise", p)
		}
	}
}

func TestSurfaceCheckNamesTheDefect(t *testing.T) {
	good, _ := ball(t, 10, 4).Boundary()
	clone := func() *mesh.Surface {
		return &mesh.Surface{Verts: append([]r3.Vec(nil), good.Verts...), Tris: append([][3]int32(nil), good.Tris...), Region: append([]mesh.Sides(nil), good.Region...)}
	}
	var open *mesh.SurfaceError
	s := clone()
	s.Tris, s.Region = s.Tris[1:], s.Region[1:]
	if err := s.Check(); !errors.As(err, &open) || open.Label != imaging.LabelLiver {
		t.Fatalf("hole: %v", err)
	}
	if top := s.Topology(imaging.LabelLiver); top.OpenEdges != 3 || top.Closed() || top.Manifold() {
		t.Fatalf("hole: %+v", top)
	}
	s = clone()
	s.Tris[9][0], s.Tris[9][1] = s.Tris[9][1], s.Tris[9][0]
	if err := s.Check(); !errors.As(err, &open) || open.Faces[0] == open.Faces[1] {
		t.Fatalf("turned face: %v", err)
	}
	for what, spoil := range map[string]func(s *mesh.Surface){
		"NaN":     func(s *mesh.Surface) { s.Verts[1].X = math.NaN() },
		"index":   func(s *mesh.Surface) { s.Tris[1][0] = int32(len(s.Verts)) },
		"repeat":  func(s *mesh.Surface) { s.Tris[1][0] = s.Tris[1][2] },
		"regions": func(s *mesh.Surface) { s.Region = s.Region[1:] },
		"sides":   func(s *mesh.Surface) { s.Region[4].Outside = s.Region[4].Inside },
	} {
		s := clone()
		spoil(s)
		if err := s.Check(); err == nil {
			t.Fatalf("%s: accepted", what)
		}
	}
}

func TestBoundingTurnsFacesOutward(t *testing.T) {
	s, _ := ball(t, 10, 4).Boundary()
	for n := range s.Tris { // state the same surface from the other side
		if n%2 == 0 {
			s.Tris[n][1], s.Tris[n][2] = s.Tris[n][2], s.Tris[n][1]
			s.Region[n].Inside, s.Region[n].Outside = s.Region[n].Outside, s.Region[n].Inside
		}
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	b, from := s.Bounding(imaging.Label.InOrgan)
	if len(b.Tris) != len(s.Tris) || len(from) != len(b.Verts) {
		t.Fatalf("%d faces of %d", len(b.Tris), len(s.Tris))
	}
	for v, f := range from {
		if b.Verts[v] != s.Verts[f] {
			t.Fatalf("vertex %d is not %d of the source", v, f)
		}
	}
	for n, p := range b.Normals() {
		if r3.Dot(p, b.Verts[n]) < 0.9*r3.Norm(b.Verts[n]) || math.Abs(r3.Norm(p)-1) > 1e-12 {
			t.Fatalf("normal %v at %v", p, b.Verts[n])
		}
	}
	none, _ := s.Bounding(imaging.Label.IsTumour)
	if len(none.Tris) != 0 || len(none.Verts) != 0 {
		t.Fatal("faces of a tumour that is not there")
	}
}

// The distance between concentric spheres is the difference of their radii.
func TestDistanceTo(t *testing.T) {
	a, _ := ball(t, 20, 3).Boundary()
	b, _ := ball(t, 14, 3).Boundary()
	for _, d := range []mesh.Deviation{a.DistanceTo(b), b.DistanceTo(a)} {
		if math.Abs(d.MeanMM-6) > 0.15 || math.Abs(d.MaxMM-6) > 0.3 || d.P95MM > d.MaxMM || d.P95MM < d.MeanMM-0.1 {
			t.Fatalf("%+v", d)
		}
	}
	if d := a.DistanceTo(a); d.MaxMM != 0 {
		t.Fatalf("to itself: %+v", d)
	}
	// against every face, one by one
	r := rand.New(rand.NewPCG(4, 4))
	probe := &mesh.Surface{Tris: [][3]int32{{0, 1, 2}}}
	for range 3 {
		probe.Verts = append(probe.Verts, r3.Vec{X: 40 * r.NormFloat64(), Y: 40 * r.NormFloat64(), Z: r.NormFloat64()})
	}
	if got, want := probe.DistanceTo(a).MaxMM, bruteMax(probe.Verts, a); math.Abs(got-want) > 0.25 || got < want-0.25 {
		t.Fatalf("distance %g, sampled %g", got, want)
	}
	if d := a.DistanceTo(&mesh.Surface{}); !math.IsNaN(d.MaxMM) {
		t.Fatalf("to nothing: %+v", d)
	}
}

// The nearest point x of a convex set to p is the one with (p−x)·(y−x) ≤ 0 for
// every y of the set; for a triangle it is enough to look at the corners.
func TestClosestOnTriangle(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	vec := func(size float64) r3.Vec {
		return r3.Vec{X: size * r.NormFloat64(), Y: size * r.NormFloat64(), Z: size * r.NormFloat64()}
	}
	for n := range 50000 {
		a, p := vec(10), vec(10)
		size := math.Exp(3 * r.NormFloat64())
		b, c := r3.Add(a, vec(size)), r3.Add(a, vec(size))
		switch n % 8 {
		case 0: // slim
			c = r3.Add(r3.Add(a, r3.Scale(3*r.Float64()-1, r3.Sub(b, a))), vec(size*math.Pow(10, -16*r.Float64())))
		case 1: // short
			c = r3.Add(b, vec(size*math.Pow(10, -16*r.Float64())))
		case 2: // on one line
			c = r3.Add(a, r3.Scale(3*r.Float64()-1, r3.Sub(b, a)))
		case 3: // a segment, a point
			c = b
			if n&8 != 0 {
				b, c = a, a
			}
		case 4: // p on it
			u, v := r.Float64(), r.Float64()
			p = r3.Add(a, r3.Add(r3.Scale(u*(1-v), r3.Sub(b, a)), r3.Scale(u*v, r3.Sub(c, a))))
		}
		x, v, w := mesh.ClosestOnTriangle(p, a, b, c)
		if v < 0 || w < 0 || v+w > 1+1e-15 {
			t.Fatalf("coordinates %g, %g of %v on %v %v %v", v, w, p, a, b, c)
		}
		scale := r3.Norm(a) + r3.Norm(p) + size
		back := r3.Add(a, r3.Add(r3.Scale(v, r3.Sub(b, a)), r3.Scale(w, r3.Sub(c, a))))
		if d := r3.Norm(r3.Sub(back, x)); d > 1e-13*scale {
			t.Fatalf("coordinates %g, %g are %g mm off", v, w, d)
		}
		d := r3.Norm(r3.Sub(p, x))
		for _, y := range []r3.Vec{a, b, c} {
			// how much nearer a step towards y could come
			s := r3.Sub(y, x)
			if l := r3.Norm(s); l > 0 && d > 0 {
				along := r3.Dot(r3.Sub(p, x), s) / l
				step := min(along, l)
				if gain := d - math.Sqrt(max(0, d*d-2*step*along+step*step)); along > 0 && gain > 1e-10*scale {
					t.Fatalf("%v on %v %v %v: %v is not the nearest, by %g mm", p, a, b, c, x, gain)
				}
			}
		}
	}
}

// bruteMax samples each face of s densely: an upper bound of the distance.
func bruteMax(p []r3.Vec, s *mesh.Surface) (worst float64) {
	for _, x := range p {
		best := math.Inf(1)
		for _, v := range s.Tris {
			a, b, c := s.Verts[v[0]], s.Verts[v[1]], s.Verts[v[2]]
			for i := range 11 {
				for j := range 11 - i {
					u, w := float64(i)/10, float64(j)/10
					q := r3.Add(a, r3.Add(r3.Scale(u, r3.Sub(b, a)), r3.Scale(w, r3.Sub(c, a))))
					best = min(best, r3.Norm(r3.Sub(x, q)))
				}
			}
		}
		worst = max(worst, best)
	}
	return worst
}

func BenchmarkEmbed(b *testing.B) {
	m := ball(b, 40, 8)
	s, _ := ball(b, 40, 1.2).Boundary()
	for b.Loop() {
		if _, err := mesh.Embed(s.Verts, m); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(s.Verts)*b.N)/b.Elapsed().Seconds()/1e6, "Mpoint/s")
}
