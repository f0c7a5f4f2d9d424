package cut

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/tetra"

	"gonum.org/v1/gonum/spatial/r3"
)

// ball is a mesh of the ball of radius r around the origin.
func ball(tb testing.TB, r, edge float64) *mesh.TetMesh {
	tb.Helper()
	n := int(4*r/edge) + 8
	g := imaging.NewGrid([3]int{n, n, n}, r3.Vec{}, [3]float64{edge / 2, edge / 2, edge / 2})
	half := float64(n-1) / 4 * edge
	c := r3.Vec{X: half + .21, Y: half - .13, Z: half + .08}
	phi := make([]float32, g.Len())
	for i := range phi {
		x, y, z := g.IJK(i)
		phi[i] = float32(r3.Norm(r3.Sub(g.Point(float64(x), float64(y), float64(z)), c)) - r)
	}
	m, _, err := tetra.Fill(context.Background(), tetra.Domain{Grid: g, Phi: phi}, tetra.Options{EdgeMM: edge})
	if err != nil {
		tb.Fatal(err)
	}
	for i := range m.Nodes {
		m.Nodes[i] = r3.Sub(m.Nodes[i], c)
	}
	return m
}

// cube is [0,n]³ in unit cells with a node in the middle, twelve tetrahedra
// each. Region is 1 for x < n/2, else 2.
func cube(n int) *mesh.TetMesh {
	m := &mesh.TetMesh{}
	corner := func(i, j, k int) int32 { return int32(i + (n+1)*(j+(n+1)*k)) }
	for k := range n + 1 {
		for j := range n + 1 {
			for i := range n + 1 {
				m.Nodes = append(m.Nodes, r3.Vec{X: float64(i), Y: float64(j), Z: float64(k)})
			}
		}
	}
	for k := range n {
		for j := range n {
			for i := range n {
				c := int32(len(m.Nodes))
				m.Nodes = append(m.Nodes, r3.Vec{X: float64(i) + .5, Y: float64(j) + .5, Z: float64(k) + .5})
				v := func(b int) int32 { return corner(i+b&1, j+b>>1&1, k+b>>2) }
				// a pyramid over each face, cut along the face's diagonal of even corners
				for _, f := range [6][4]int{{0, 2, 6, 4}, {1, 5, 7, 3}, {0, 4, 5, 1}, {2, 3, 7, 6}, {0, 1, 3, 2}, {4, 6, 7, 5}} {
					s := 0
					if b := f[0]; (i+j+k+b&1+b>>1&1+b>>2)%2 != 0 {
						s = 1
					}
					for _, t := range [2][3]int{{0, 1, 2}, {0, 2, 3}} {
						w := [4]int32{v(f[(t[0]+s)%4]), v(f[(t[1]+s)%4]), v(f[(t[2]+s)%4]), c}
						if mesh.Signed6(m.Nodes[w[0]], m.Nodes[w[1]], m.Nodes[w[2]], m.Nodes[c]) < 0 {
							w[0], w[1] = w[1], w[0]
						}
						m.Tets = append(m.Tets, w)
						l := imaging.Label(1)
						if 2*i >= n {
							l = 2
						}
						m.Region = append(m.Region, l)
					}
				}
			}
		}
	}
	return m
}

func apply(tb testing.TB, m *mesh.TetMesh, s Surface, opt Options) *Result {
	tb.Helper()
	r, err := Apply(context.Background(), m, s, opt)
	if err != nil {
		tb.Fatal(err)
	}
	sound(tb, m, r, opt)
	return r
}

// sound checks what holds for every result.
func sound(tb testing.TB, m *mesh.TetMesh, r *Result, opt Options) {
	tb.Helper()
	out, rep := r.Mesh, r.Report
	if err := out.Check(); err != nil {
		tb.Fatal(err)
	}
	before, after := mesh.Quality(m), mesh.Quality(out)
	const slack = 1e-6
	if after.MinDihedralDeg < min(DefaultMinDihedralDeg, before.MinDihedralDeg)-slack || after.MaxDihedralDeg > max(DefaultMaxDihedralDeg, before.MaxDihedralDeg)+slack {
		tb.Fatalf("angles %.4f to %.4f, before %.4f to %.4f", after.MinDihedralDeg, after.MaxDihedralDeg, before.MinDihedralDeg, before.MaxDihedralDeg)
	}
	if len(r.Faces) != rep.Faces || len(r.Part) != len(out.Tets) || len(r.Map.Tet) != len(out.Tets) || len(r.Map.Node) != len(out.Nodes) {
		tb.Fatalf("%d faces (%d), %d tets, %d parts, %d parents, %d nodes, %d sources", len(r.Faces), rep.Faces, len(out.Tets), len(r.Part), len(r.Map.Tet), len(out.Nodes), len(r.Map.Node))
	}
	if rep.Faces == 0 {
		if out != m {
			tb.Fatal("nothing was cut, but the mesh is another")
		}
		return
	}
	// volumes
	total := volume(out, func(int) bool { return true })
	if d := total - volume(m, func(int) bool { return true }) - rep.SlideMM3; math.Abs(d) > 1e-12*total {
		tb.Fatalf("volume changed by %g mm³ beyond the %g of slides", d, rep.SlideMM3)
	}
	var parts sum
	tets := 0
	for i, p := range rep.Parts {
		parts.add(p.VolumeMM3)
		tets += p.Tets
		if v := volume(out, func(t int) bool { return r.Part[t] == int32(i) }); math.Abs(v-p.VolumeMM3) > 1e-12*total {
			tb.Fatalf("part %d has %g mm³, said to have %g", i, v, p.VolumeMM3)
		}
	}
	if math.Abs(parts.value()-total) > 1e-12*total || tets != len(out.Tets) {
		tb.Fatalf("parts have %g mm³ and %d tets of %g and %d", parts.value(), tets, total, len(out.Tets))
	}
	// faces: the same place seen from both sides, area, and not shared unless joined
	next := out.Neighbours()
	var area float64
	for _, f := range r.Faces {
		var x [3]r3.Vec
		for i := range 3 {
			x[i] = out.Nodes[f.Minus[i]]
			if x[i] != out.Nodes[f.Plus[i]] {
				tb.Fatalf("face %v: the sides are apart", f)
			}
		}
		n := r3.Cross(r3.Sub(x[1], x[0]), r3.Sub(x[2], x[0]))
		area += r3.Norm(n) / 2
		if !has(out.Tets[f.Tet[0]], f.Minus) || !has(out.Tets[f.Tet[1]], f.Plus) {
			tb.Fatalf("face %v is not of its tetrahedra %v %v", f, out.Tets[f.Tet[0]], out.Tets[f.Tet[1]])
		}
		for i, t := range f.Tet {
			c := out.Tets[t]
			p := r3.Scale(.25, r3.Add(r3.Add(out.Nodes[c[0]], out.Nodes[c[1]]), r3.Add(out.Nodes[c[2]], out.Nodes[c[3]])))
			if up := r3.Dot(n, r3.Sub(p, x[0])) > 0; up != (i == 1) {
				tb.Fatalf("face %v: tetrahedron %d is on the wrong side", f, t)
			}
		}
		met := false
		for _, o := range next[f.Tet[0]] {
			met = met || o == f.Tet[1]
		}
		if met != opt.Join {
			tb.Fatalf("face %v: the tetrahedra meet: %v", f, met)
		}
	}
	if math.Abs(area-rep.CutMM2) > 1e-12*area {
		tb.Fatalf("cut of %g mm², said %g", area, rep.CutMM2)
	}
	sameAwayFromTheCut(tb, m, r)
	mapsLinearFields(tb, m, r)
}

func has(v [4]int32, f [3]int32) bool {
	for _, n := range f {
		if n != v[0] && n != v[1] && n != v[2] && n != v[3] {
			return false
		}
	}
	return true
}

func volume(m *mesh.TetMesh, keep func(t int) bool) float64 {
	var s sum
	for t, v := range m.Tets {
		if keep(t) {
			s.add(mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) / 6)
		}
	}
	return s.value()
}

// sameAwayFromTheCut compares with the mesh before: nodes that the map calls
// old are in the same place to the bit, undivided tetrahedra have the same nodes in
// the same order, and the counts of the report are right.
func sameAwayFromTheCut(tb testing.TB, m *mesh.TetMesh, r *Result) {
	tb.Helper()
	out := r.Mesh
	corners := int32(len(m.Nodes))
	if m.Mid != nil {
		corners = 0
		for _, v := range m.Tets {
			corners = max(corners, v[0]+1, v[1]+1, v[2]+1, v[3]+1)
		}
	}
	for n, o := range r.Map.Node {
		if o >= 0 && out.Nodes[n] != m.Nodes[o] {
			tb.Fatalf("node %d is said to be old node %d but stands elsewhere", n, o)
		}
		if n < int(corners) && o >= 0 && o != int32(n) {
			tb.Fatalf("corner %d became %d", o, n)
		}
	}
	pieces := make([]int, len(m.Tets))
	for _, t := range r.Map.Tet {
		pieces[t]++
	}
	var rep Report
	for t := range m.Tets {
		if r.Map.Tet[t] != int32(t) {
			tb.Fatalf("tetrahedron %d took the place of %d", r.Map.Tet[t], t)
		}
		if pieces[t] > 1 {
			rep.Split++
			continue
		}
		same, stays := true, true
		for i, n := range out.Tets[t] {
			o := m.Tets[t][i]
			stays = stays && out.Nodes[n] == m.Nodes[o]
			same = same && n == o
			if n != o && (r.Map.Node[n] >= 0) != (out.Nodes[n] == m.Nodes[o]) {
				tb.Fatalf("tetrahedron %d: node %d for %d", t, n, o)
			}
		}
		switch {
		case !stays:
			rep.Moved++
		case !same:
			rep.Relinked++
		}
	}
	if rep.Split != r.Report.Split || rep.Moved != r.Report.Moved || rep.Relinked != r.Report.Relinked {
		tb.Fatalf("split, moved, relinked %d %d %d, said %d %d %d", rep.Split, rep.Moved, rep.Relinked, r.Report.Split, r.Report.Moved, r.Report.Relinked)
	}
	for t, o := range r.Map.Tet {
		if m.Region != nil && out.Region[t] != m.Region[o] {
			tb.Fatalf("tetrahedron %d has another label than its parent", t)
		}
	}
}

// mapsLinearFields: a linear field carried over is that field on the new
// nodes.
func mapsLinearFields(tb testing.TB, m *mesh.TetMesh, r *Result) {
	tb.Helper()
	f := func(p r3.Vec) [2]float64 { return [2]float64{3*p.X - 2*p.Y + .5*p.Z + 7, p.Z - p.X} }
	old := make([]float64, 0, 2*len(m.Nodes))
	lo, hi := mesh.Bounds(m.Nodes)
	size := 5 * (r3.Norm(lo) + r3.Norm(hi) + 2)
	for _, p := range m.Nodes {
		v := f(p)
		old = append(old, v[0], v[1])
	}
	got := r.Map.Nodal(old)
	vec := r.Map.NodalVec(m.Nodes)
	for n, p := range r.Mesh.Nodes {
		want := f(p)
		if math.Abs(got[2*n]-want[0])+math.Abs(got[2*n+1]-want[1]) > 1e-12*size || r3.Norm(r3.Sub(vec[n], p)) > 1e-12*size {
			tb.Fatalf("node %d at %v: %v and %v, want %v", n, p, got[2*n:2*n+2], vec[n], want)
		}
		if a, b, t := r.Map.Source(n); a >= 0 && m.Mid == nil {
			if q := r3.Add(m.Nodes[a], r3.Scale(t, r3.Sub(m.Nodes[b], m.Nodes[a]))); r3.Norm(r3.Sub(p, q)) > 1e-12*size {
				tb.Fatalf("node %d is at %v, its source (%d,%d,%g) at %v", n, p, a, b, t, q)
			}
		}
	}
	number := make([]float64, len(m.Tets))
	for t := range number {
		number[t] = float64(t)
	}
	for t, x := range r.Map.Element(number) {
		if int32(x) != r.Map.Tet[t] {
			tb.Fatalf("element %d has the value of %g", t, x)
		}
	}
}

func randomPlane(r *rand.Rand, reach float64) Plane {
	n := r3.Vec{X: r.NormFloat64(), Y: r.NormFloat64(), Z: r.NormFloat64()}
	n = r3.Scale(1/r3.Norm(n), n)
	return Plane{Point: r3.Scale(reach*(2*r.Float64()-1), n), Normal: n}
}

// The volume of the two sides of a ball, and the area of the cut: a cap of
// height h has πh²(3R−h)/3, the cut π(R²−d²). The mesh is a polyhedron whose
// faces are within 0.08 mm of the sphere (edge²/8R), so shares of its volume are
// compared.
func TestBallIsCutInCaps(t *testing.T) {
	const r = 30.
	m := ball(t, r, 4)
	whole := volume(m, func(int) bool { return true })
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, d := range []float64{0, -4.4, 11.3, 20, -25} {
		p := randomPlane(rnd, 0)
		p.Point = r3.Scale(d, p.Normal)
		p.Normal = r3.Scale(17, p.Normal) // any length
		res := apply(t, m, p, Options{})
		h := r + d
		want := h * h * (3*r - h) / (4 * r * r * r)
		got := res.Report.VolumeMM3[0] / whole
		wantArea := math.Pi * (r*r - d*d)
		t.Logf("d %5.1f: %d tets, %d split, %d moved, share %.5f (want %.5f), cut %.1f mm² (want %.1f), %.1f–%.1f°", d, len(res.Mesh.Tets), res.Report.Split, res.Report.Moved, got, want, res.Report.CutMM2, wantArea, res.Report.After.MinDeg, res.Report.After.MaxDeg)
		if math.Abs(got-want) > 1e-3 || math.Abs(res.Report.CutMM2-wantArea) > 2*math.Pi*r*.08 {
			t.Errorf("d %g: share %g, want %g; cut %g mm², want %g", d, got, want, res.Report.CutMM2, wantArea)
		}
		if len(res.Report.Parts) != 2 || res.Report.OffNodes > 0 {
			t.Errorf("d %g: %d parts, %d nodes off by %g mm", d, len(res.Report.Parts), res.Report.OffNodes, res.Report.MaxOffMM)
		}
		for _, f := range res.Faces {
			for _, n := range f.Minus {
				if off := math.Abs(r3.Dot(res.Mesh.Nodes[n], r3.Unit(p.Normal)) - d); off > res.Report.MaxOffMM+1e-6 {
					t.Fatalf("d %g: node %d of the cut is %g mm off", d, n, off)
				}
			}
		}
	}
}

// Ten cuts, one after the other, keep the bound and the volume.
func TestManyCutsKeepTheBound(t *testing.T) {
	for seed := range uint64(3) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		m := ball(t, 20, 4)
		for n := range 10 {
			res := apply(t, m, randomPlane(rnd, 12), Options{})
			if m = res.Mesh; n == 9 {
				_, faces := m.Parts()
				t.Logf("seed %d: %d tets, %d parts (%d by faces), %.2f–%.2f°, %d off by %.2f mm", seed, len(m.Tets), len(res.Report.Parts), faces, res.Report.After.MinDeg, res.Report.After.MaxDeg, res.Report.OffNodes, res.Report.MaxOffMM)
				if len(res.Report.Parts) < 20 {
					t.Errorf("seed %d: %d parts", seed, len(res.Report.Parts))
				}
			}
		}
	}
}
