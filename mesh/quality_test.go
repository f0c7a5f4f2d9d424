package mesh_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// single is a mesh of one tetrahedron.
func single(p ...r3.Vec) *mesh.TetMesh {
	return &mesh.TetMesh{Nodes: p, Tets: [][4]int32{{0, 1, 2, 3}}}
}

// measures are the dihedral angles (degrees, ascending), the radius ratio and
// the scaled Jacobian, each by another way than in Quality.
func measures(p []r3.Vec) (angles []float64, ratio, jacobian float64) {
	for i := range 4 {
		for j := range i {
			k, l := -1, -1
			for c := range 4 {
				if c != i && c != j {
					k, l = l, c
				}
			}
			// the other corners seen along the edge
			e := r3.Unit(r3.Sub(p[j], p[i]))
			u, w := r3.Sub(p[k], p[i]), r3.Sub(p[l], p[i])
			u, w = r3.Sub(u, r3.Scale(r3.Dot(u, e), e)), r3.Sub(w, r3.Scale(r3.Dot(w, e), e))
			angles = append(angles, math.Atan2(r3.Norm(r3.Cross(u, w)), r3.Dot(u, w))*180/math.Pi)
		}
	}
	slices.Sort(angles)
	// the centre x of the circumscribed sphere has 2(p_i−p_0)·x = |p_i|²−|p_0|²
	m := r3.NewMat(nil)
	var rhs [3]float64
	for i := range 3 {
		d := r3.Sub(p[i+1], p[0])
		m.Set(i, 0, d.X)
		m.Set(i, 1, d.Y)
		m.Set(i, 2, d.Z)
		rhs[i] = r3.Norm2(d) / 2
	}
	det := m.Det()
	var x [3]float64
	for c := range 3 {
		k := r3.NewMat(nil)
		k.CloneFrom(m)
		for i := range 3 {
			k.Set(i, c, rhs[i])
		}
		x[c] = k.Det() / det
	}
	outer := r3.Norm(r3.Vec{X: x[0], Y: x[1], Z: x[2]})
	var area float64
	for _, f := range mesh.TetFaces {
		area += r3.Norm(r3.Cross(r3.Sub(p[f[1]], p[f[0]]), r3.Sub(p[f[2]], p[f[0]]))) / 2
	}
	ratio = 3 * (math.Abs(det) / 2 / area) / outer
	jacobian = math.Inf(1)
	for i := range 4 {
		l := 1.0
		for j := range 4 {
			if j != i {
				l *= r3.Norm(r3.Sub(p[j], p[i]))
			}
		}
		jacobian = min(jacobian, math.Sqrt2*math.Abs(det)/l)
	}
	if det < 0 {
		return angles, 0, -jacobian
	}
	return angles, ratio, jacobian
}

func TestQualityOfKnownShapes(t *testing.T) {
	for name, c := range map[string]struct {
		m                *mesh.TetMesh
		ratio, jac       float64
		smallest, widest float64
	}{
		"regular": {regular(), 1, 1, math.Acos(1./3) * 180 / math.Pi, math.Acos(1./3) * 180 / math.Pi},
		// legs 1: r = 1/(3+√3), R = √3/2
		"corner of a cube": {single(r3.Vec{}, r3.Vec{X: 1}, r3.Vec{Y: 1}, r3.Vec{Z: 1}), 6 / (3 + math.Sqrt(3)) / math.Sqrt(3), math.Sqrt2 / 2, math.Acos(1/math.Sqrt(3)) * 180 / math.Pi, 90},
		"flat":             {single(r3.Vec{}, r3.Vec{X: 1}, r3.Vec{Y: 1}, r3.Vec{X: 1, Y: 1}), 0, 0, 0, 180},
		"a point":          {single(r3.Vec{}, r3.Vec{}, r3.Vec{}, r3.Vec{}), 0, 0, 0, 180},
	} {
		q := mesh.Quality(c.m)
		if math.Abs(q.RadiusRatio.Min-c.ratio) > 1e-15 || math.Abs(q.ScaledJacobian.Mean-c.jac) > 1e-15 ||
			math.Abs(q.DihedralDeg.Min-c.smallest) > 1e-12 || math.Abs(q.MaxDihedralDeg-c.widest) > 1e-12 || q.Widest != 0 {
			t.Errorf("%s: %+v", name, q)
		}
	}
	m := regular()
	m.Tets[0] = [4]int32{1, 0, 2, 3}
	if q := mesh.Quality(m); math.Abs(q.ScaledJacobian.Min+1) > 1e-15 || q.RadiusRatio.Max != 0 || q.Inverted != 1 || q.MinDihedralDeg < 70 {
		t.Errorf("inverted: %+v", q)
	}
	q := mesh.Quality(&mesh.TetMesh{})
	if q.RadiusRatio != (mesh.Spread{Worst: -1}) || q.Widest != -1 || q.CurvedJacobian.Worst != -1 {
		t.Errorf("empty: %+v", q)
	}
	m.Nodes[2].X = math.NaN()
	if q := mesh.Quality(m); q.Inverted != 1 {
		t.Errorf("NaN: %+v", q)
	}
}

// Every measure of many random tetrahedra, sums, ranks and counts included.
func TestQualityAgainstDefinitions(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	m := &mesh.TetMesh{}
	var angles, smallest, ratio, jacobian []float64
	var volume [2]float64
	want := [18]int{}
	for n := range 20000 {
		flat := math.Pow(10, -6*r.Float64())
		var p []r3.Vec
		for range 4 {
			p = append(p, r3.Vec{X: 30 + r.NormFloat64(), Y: r.NormFloat64(), Z: flat*r.NormFloat64() - 7})
		}
		if n%50 != 0 && mesh.Signed6(p[0], p[1], p[2], p[3]) < 0 {
			p[0], p[1] = p[1], p[0]
		}
		a, rr, j := measures(p)
		for _, x := range a {
			want[int(x/10)]++
		}
		angles, smallest, ratio, jacobian = append(angles, a...), append(smallest, a[0]), append(ratio, rr), append(jacobian, j)
		k := int32(len(m.Nodes))
		m.Nodes, m.Tets = append(m.Nodes, p...), append(m.Tets, [4]int32{k, k + 1, k + 2, k + 3})
		m.Region = append(m.Region, imaging.Label(3+n%2))
		volume[n%2] += mesh.Signed6(p[0], p[1], p[2], p[3]) / 6
	}
	q := mesh.Quality(m)
	if q.Histogram != want {
		t.Errorf("histogram %v, want %v", q.Histogram, want)
	}
	if math.Abs(q.RegionMM3[3]-volume[0]) > 1e-12*volume[0] || math.Abs(q.RegionMM3[4]-volume[1]) > 1e-12*volume[1] || math.Abs(q.VolumeMM3-volume[0]-volume[1]) > 1e-12*q.VolumeMM3 {
		t.Errorf("volumes %v, %g; want %v", q.RegionMM3, q.VolumeMM3, volume)
	}
	if w := slices.Max(angles); math.Abs(q.MaxDihedralDeg-w) > 1e-6 {
		t.Errorf("largest angle %g, want %g", q.MaxDihedralDeg, w)
	}
	if q.Worst != q.DihedralDeg.Worst || q.MinDihedralDeg != q.DihedralDeg.Min {
		t.Errorf("%+v", q)
	}
	for name, c := range map[string]struct {
		got  mesh.Spread
		want []float64
		tol  float64
	}{
		"dihedral": {q.DihedralDeg, smallest, 1e-6},
		"ratio":    {q.RadiusRatio, ratio, 1e-9},
		"jacobian": {q.ScaledJacobian, jacobian, 1e-9},
	} {
		worst := slices.Index(c.want, slices.Min(c.want))
		var sum float64
		for _, x := range c.want {
			sum += x
		}
		slices.Sort(c.want)
		n := len(c.want)
		at := func(p int) float64 { return c.want[(n-1)*p/100] }
		near := func(a, b, tol float64) bool { return math.Abs(a-b) <= tol+1e-7*math.Abs(b) }
		g := c.got
		if !near(g.Min, c.want[0], c.tol) || !near(g.Max, c.want[n-1], c.tol) || !near(g.Mean, sum/float64(n), c.tol) ||
			!near(g.P01, at(1), c.tol) || !near(g.P05, at(5), c.tol) || !near(g.Median, at(50), c.tol) || !near(g.P95, at(95), c.tol) {
			t.Errorf("%s: %+v, want %g %g %g %g %g %g, mean %g", name, g, c.want[0], at(1), at(5), at(50), at(95), c.want[n-1], sum/float64(n))
		}
		if g.Worst != worst && name != "ratio" { // inverted ones all have ratio 0
			t.Errorf("%s: worst %d, want %d: %v %v", name, g.Worst, worst, c.want[:2], g)
		}
	}
	// the same bits on any number of cores
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		if o := mesh.Quality(m); !reflect.DeepEqual(o, q) {
			t.Errorf("GOMAXPROCS %d: %+v", procs, o)
		}
		runtime.GOMAXPROCS(old)
	}
}

// With straight sides the curved measure is the straight one. A mid-edge node
// at the quarter point makes the Jacobian vanish at the corner (R. D. Henshell,
// K. G. Shaw, 1975), and beyond it turns negative.
func TestCurvedJacobian(t *testing.T) {
	q := mesh.Quality(ball(t, 14, 4).Quadratic())
	a, b := q.CurvedJacobian, q.ScaledJacobian
	if math.Abs(a.Min-b.Min) > 1e-12 || math.Abs(a.Mean-b.Mean) > 1e-12 || math.Abs(a.Median-b.Median) > 1e-6 || q.CurvedInverted != 0 {
		t.Errorf("straight: %+v, %+v", a, b)
	}
	m := regular().Quadratic()
	at := func(share float64) mesh.Report {
		m.Nodes[m.Mid[0][0]] = r3.Add(m.Nodes[0], r3.Scale(share, r3.Sub(m.Nodes[1], m.Nodes[0])))
		return mesh.Quality(m)
	}
	last := at(0.5).CurvedJacobian.Min
	if math.Abs(last-1) > 1e-12 {
		t.Errorf("regular: %g", last)
	}
	for share := 0.49; share > 0.251; share -= 0.02 {
		q := at(share)
		if x := q.CurvedJacobian.Min; !(x < last) || x <= 0 || q.CurvedInverted != 0 || q.ScaledJacobian.Min < 1-1e-12 {
			t.Errorf("mid node at %g: %g after %g", share, x, last)
		}
		last = q.CurvedJacobian.Min
	}
	if q := at(0.25); math.Abs(q.CurvedJacobian.Min) > 1e-12 {
		t.Errorf("quarter point: %g", q.CurvedJacobian.Min)
	}
	if q := at(0.2); q.CurvedJacobian.Min >= 0 || q.CurvedInverted != 1 || m.Check() == nil {
		t.Errorf("beyond the quarter point: %+v", q)
	}
}

// Interfaces bound every region, and what they enclose has the volume of its
// tetrahedra.
func TestInterfaces(t *testing.T) {
	m := ball(t, 14, 4)
	for n, v := range m.Tets {
		switch x := m.Nodes[v[0]]; {
		case x.X > 3 && x.Y > 0:
			m.Region[n] = imaging.LabelTumour
		case x.X > 0:
			m.Region[n] = imaging.LabelBone
		}
	}
	mixed := m
	for _, m := range []*mesh.TetMesh{mixed, mixed.Quadratic()} {
		s := m.Interfaces()
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		labels := s.Labels()
		if len(labels) != 3 {
			t.Fatalf("labels %v", labels)
		}
		q := mesh.Quality(m)
		for _, l := range labels {
			if v := s.VolumeMM3(func(o imaging.Label) bool { return o == l }); math.Abs(v/q.RegionMM3[l]-1) > 1e-12 {
				t.Errorf("%v encloses %g mm³, want %g", l, v, q.RegionMM3[l])
			}
		}
		pairs := map[mesh.Sides]bool{}
		for _, r := range s.Region {
			pairs[r] = true
			if r.Inside <= r.Outside {
				t.Fatalf("inside %v, outside %v", r.Inside, r.Outside)
			}
		}
		if len(pairs) != 6 {
			t.Errorf("pairs %v", pairs)
		}
		outer, _ := s.Bounding(func(l imaging.Label) bool { return l != imaging.LabelBackground })
		b, _ := m.Boundary()
		if len(outer.Tris) != len(b.Tris) || len(outer.Verts) != len(b.Verts) {
			t.Errorf("%d faces and %d vertices to the outside, want %d and %d", len(outer.Tris), len(outer.Verts), len(b.Tris), len(b.Verts))
		}
		per := 1
		if m.Mid != nil {
			per = 4
		}
		count := 0
		for n, next := range m.Neighbours() {
			for _, o := range next {
				if o < 0 || int(o) > n && m.Region[o] != m.Region[n] {
					count += per
				}
			}
		}
		if len(s.Tris) != count {
			t.Errorf("%d faces, want %d", len(s.Tris), count)
		}
	}
	bare := &mesh.TetMesh{Nodes: m.Nodes, Tets: m.Tets}
	b, _ := bare.Boundary()
	if !reflect.DeepEqual(bare.Interfaces(), b) {
		t.Error("a mesh without regions does not give its boundary")
	}
	hole := &mesh.TetMesh{Nodes: m.Nodes, Tets: m.Tets, Region: slices.Clone(m.Region)}
	for n, l := range hole.Region {
		if l == imaging.LabelBone {
			hole.Region[n] = imaging.LabelBackground
		}
	}
	s, want := hole.Interfaces(), m.Keep(func(n int) bool { return hole.Region[n] != 0 }).Interfaces()
	if err := s.Check(); err != nil || len(s.Tris) != len(want.Tris) {
		t.Errorf("tetrahedra of background: %v, %d faces, want %d", err, len(s.Tris), len(want.Tris))
	}
	if s := (&mesh.TetMesh{Region: []imaging.Label{}}).Interfaces(); len(s.Tris) != 0 {
		t.Error("faces of no element")
	}
}

// 328k tetrahedra.
func BenchmarkQuality(b *testing.B) {
	m := ball(b, 60, 2.1)
	for b.Loop() {
		mesh.Quality(m)
	}
	b.ReportMetric(float64(len(m.Tets)*b.N)/b.Elapsed().Seconds()/1e6, "Mtet/s")
}

func BenchmarkQualityTet10(b *testing.B) {
	m := ball(b, 60, 4).Quadratic()
	for b.Loop() {
		mesh.Quality(m)
	}
	b.ReportMetric(float64(len(m.Tets)*b.N)/b.Elapsed().Seconds()/1e6, "Mtet/s")
}

func BenchmarkInterfaces(b *testing.B) {
	m := ball(b, 60, 2.1)
	for n, v := range m.Tets {
		m.Region[n] = imaging.Label(1 + int(m.Nodes[v[0]].X+60)/30)
	}
	for b.Loop() {
		m.Interfaces()
	}
	b.ReportMetric(float64(len(m.Tets)*b.N)/b.Elapsed().Seconds()/1e6, "Mtet/s")
}
