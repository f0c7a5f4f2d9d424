package main

import (
	"math"
	"path/filepath"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// fan fills a ball around c with tets from the middle to a sphere of triangles
// about edge long.
func fan(c r3.Vec, radius, edge float64) *mesh.TetMesh {
	m := &mesh.TetMesh{Nodes: []r3.Vec{c}}
	around := int(math.Ceil(2 * math.Pi * radius / edge))
	rings := around / 2
	at := func(i, j int) int32 { return int32(1 + (i-1)*around + j%around) }
	for i := 1; i < rings; i++ {
		for j := range around {
			sin, cos := math.Sincos(math.Pi * float64(i) / float64(rings))
			y, x := math.Sincos(2 * math.Pi * float64(j) / float64(around))
			m.Nodes = append(m.Nodes, r3.Add(c, r3.Scale(radius, r3.Vec{X: sin * x, Y: sin * y, Z: cos})))
		}
	}
	north, south := int32(len(m.Nodes)), int32(len(m.Nodes)+1)
	m.Nodes = append(m.Nodes, r3.Add(c, r3.Vec{Z: radius}), r3.Add(c, r3.Vec{Z: -radius}))
	for j := range around {
		m.Tets = append(m.Tets, [4]int32{0, north, at(1, j), at(1, j+1)}, [4]int32{0, south, at(rings-1, j+1), at(rings-1, j)})
		for i := 1; i < rings-1; i++ {
			m.Tets = append(m.Tets, [4]int32{0, at(i, j), at(i+1, j), at(i+1, j+1)}, [4]int32{0, at(i, j), at(i+1, j+1), at(i, j+1)})
		}
	}
	m.Region = make([]imaging.Label, len(m.Tets))
	for t := range m.Region {
		m.Region[t] = organ
	}
	return m
}

func TestMeasuresABall(t *testing.T) {
	s := &scene{Dims: [3]int{40, 40, 40}, Sp: [3]float64{1, 1, 1.5}, Ell: []ellipsoid{{triple{20, 20, 29}, triple{10, 10, 10}}}}
	labels := s.paint()
	// a part that the mesh has not, and one that only shares a corner with the ball
	labels.ID[labels.Grid.Index(3, 3, 3)] = organ
	m := fan(r3.Vec{X: 20, Y: 20, Z: 29}, 10.4, 1)
	f := measureMesh(m, labels, s)
	if f.Defect != "" || f.Inverted != 0 || f.Tets != len(m.Tets) {
		t.Fatalf("%+v", f)
	}
	if f.Components != 2 || len(f.Lost) != 1 || f.Lost[0].Voxels != 1 || f.Lost[0].AtMM != (r3.Vec{X: 3, Y: 3, Z: 4.5}) {
		t.Errorf("%d components, lost %+v", f.Components, f.Lost)
	}
	// the corners are 0.4 outside, the middles of faces a little less
	for name, d := range map[string]deviation{"to": f.ToTruth, "from": f.FromTruth, "to any": f.ToAny, "from any": f.FromAny} {
		if d.Max > .4+1e-9 || d.Max < .39 || d.Mean > .4 || d.Mean < .36 {
			t.Errorf("%s truth: %+v", name, d)
		}
	}
	want := m.VolumeMM3(nil)
	if l := f.Labels[0]; math.Abs(l.TetMM3-want) > 1e-9*want || math.Abs(l.VoxelMM3-1.5*float64(labels.Count(func(l imaging.Label) bool { return l == organ }))) > 1e-9 {
		t.Errorf("%+v", l)
	}
	q := mesh.Quality(m)
	if math.Abs(q.MinDihedralDeg-f.MinDihedral) > 1e-6 || math.Abs(q.MaxDihedralDeg-f.MaxDihedral) > 1e-6 {
		t.Errorf("dihedral angles %v to %v, mesh.Quality says %v to %v", f.MinDihedral, f.MaxDihedral, q.MinDihedralDeg, q.MaxDihedralDeg)
	}
	if half := fan(r3.Vec{X: 20, Y: 20, Z: 29}, 10, 1); true {
		half.Tets, half.Region = half.Tets[:len(half.Tets)/2], half.Region[:len(half.Tets)/2]
		if f := measureMesh(half, labels, s); f.FromTruth.Max < 5 {
			t.Errorf("half a ball is only %v voxels off", f.FromTruth.Max)
		}
	}
}

func TestDumpsComeBack(t *testing.T) {
	m := fan(r3.Vec{X: 1, Y: 2, Z: 3}, 5, 2)
	path := filepath.Join(t.TempDir(), "m.bin")
	if err := writeDump(path, m); err != nil {
		t.Fatal(err)
	}
	back, err := readDump(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range m.Nodes {
		if m.Nodes[n] != back.Nodes[n] {
			t.Fatal("a node moved")
		}
	}
	for n := range m.Tets {
		if m.Tets[n] != back.Tets[n] || m.Region[n] != back.Region[n] {
			t.Fatal("a tet changed")
		}
	}
}

func TestNearestOfBins(t *testing.T) {
	var p []r3.Vec
	for n := range 500 {
		x := float64(n)
		p = append(p, r3.Vec{X: math.Mod(x*7.31, 10), Y: math.Mod(x*3.17, 4), Z: math.Mod(x*1.93, 6)})
	}
	g := newBins(len(p), .5, func(n int) (lo, hi r3.Vec) { return p[n], p[n] })
	for n := range 200 {
		x := float64(n)
		q := r3.Vec{X: math.Mod(x*5.3, 14) - 2, Y: math.Mod(x*2.7, 8) - 2, Z: math.Mod(x*4.1, 9) - 2}
		want := math.Inf(1)
		for _, o := range p {
			want = min(want, length(r3.Sub(o, q)))
		}
		if _, got := g.nearest(q, math.Inf(1), func(n int32) float64 { return length(r3.Sub(p[n], q)) }); got != want {
			t.Fatalf("%v: nearest at %v, want %v", q, got, want)
		}
	}
}

func TestSurfaceCountsAndHausdorff(t *testing.T) {
	a, b := ball(100, 51), ball(100, 51)
	if c := surfaceCounts(a); c.Triangles != 10_000 || c.NonManifold != 0 {
		t.Errorf("%+v", c)
	}
	small := func(s *mesh.Surface) *mesh.Surface { // the cap around the pole
		var out mesh.Surface
		out.Verts, out.Tris, out.Region = s.Verts, s.Tris[:200:200], s.Region[:200:200]
		return &out
	}
	for n := range b.Verts {
		b.Verts[n].Z += .25
	}
	if d := hausdorff(small(a), small(b), .5); d.Max < .49 || d.Max > .51 {
		t.Errorf("%+v", d)
	}
}
