package cut

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

func sheet(tb testing.TB, s *mesh.Surface) *Sheet {
	tb.Helper()
	c, err := NewSheet(context.Background(), s)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func bezier(tb testing.TB, net [][]r3.Vec) *Bezier {
	tb.Helper()
	b, err := NewBezier(net)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// wavy is a 4×4 net that reaches past a ball of radius r, as it is drawn by
// hand for a resection.
func wavy(tb testing.TB, r float64) *Bezier {
	net := make([][]r3.Vec, 4)
	for i := range net {
		for j := range 4 {
			net[i] = append(net[i], r3.Vec{X: r * (-1.2 + .8*float64(i)), Y: r * (-1.2 + .8*float64(j)), Z: r * .8 * math.Sin(float64(3*i+5*j))})
		}
	}
	return bezier(tb, net)
}

// grid is the square [lo,hi]² at height z(x,y) in 2n² triangles.
func grid(lo, hi float64, n int, z func(x, y float64) float64) *mesh.Surface {
	s := &mesh.Surface{}
	for j := range n + 1 {
		for i := range n + 1 {
			x, y := lo+(hi-lo)*float64(i)/float64(n), lo+(hi-lo)*float64(j)/float64(n)
			s.Verts = append(s.Verts, r3.Vec{X: x, Y: y, Z: z(x, y)})
		}
	}
	for j := range n {
		for i := range n {
			a := int32(i + (n+1)*j)
			b := a + int32(n+1)
			s.Tris = append(s.Tris, [3]int32{a, a + 1, b + 1}, [3]int32{a, b + 1, b})
		}
	}
	return s
}

// sphere is a closed surface of an octahedron divided n times in each direction.
func sphere(c r3.Vec, r float64, n int) *mesh.Surface {
	s := &mesh.Surface{}
	id := map[[3]int]int32{}
	vert := func(i, j, k int) int32 {
		key := [3]int{i, j, k}
		v, ok := id[key]
		if !ok {
			v = int32(len(s.Verts))
			id[key] = v
			s.Verts = append(s.Verts, r3.Add(c, r3.Scale(r, r3.Unit(r3.Vec{X: float64(i), Y: float64(j), Z: float64(k)}))))
		}
		return v
	}
	for o := range 8 {
		sx, sy, sz := 1-2*(o&1), 1-2*(o>>1&1), 1-2*(o>>2)
		at := func(i, j int) int32 { return vert(sx*i, sy*j, sz*(n-i-j)) }
		tri := func(a, b, c int32) {
			if sx*sy*sz < 0 {
				b, c = c, b
			}
			s.Tris = append(s.Tris, [3]int32{a, b, c})
		}
		for i := range n {
			for j := range n - i {
				tri(at(i, j), at(i+1, j), at(i, j+1))
				if i+j < n-1 {
					tri(at(i+1, j), at(i+1, j+1), at(i, j+1))
				}
			}
		}
	}
	return s
}

// A flat sheet, and a bilinear Bézier surface, that reach past the mesh cut as
// the plane does.
func TestFlatSurfacesCutLikeThePlane(t *testing.T) {
	m := ball(t, 15, 3)
	plane := apply(t, m, Plane{r3.Vec{Z: 2.2}, r3.Vec{Z: 1}}, Options{})
	flat := func(x, y float64) float64 { return 2.2 }
	for name, s := range map[string]Surface{
		"two triangles": sheet(t, grid(-40, 40, 1, flat)),
		"a grid":        sheet(t, grid(-40, 40, 17, flat)),
		"Bézier": bezier(t, [][]r3.Vec{
			{{X: -40, Y: -40, Z: 2.2}, {X: -40, Y: 40, Z: 2.2}},
			{{X: 40, Y: -40, Z: 2.2}, {X: 40, Y: 40, Z: 2.2}}}),
	} {
		r := apply(t, m, s, Options{})
		a, b := r.Report, plane.Report
		if a.Faces != b.Faces || a.Split != b.Split || math.Abs(a.CutMM2-b.CutMM2) > 1e-3 || math.Abs(a.VolumeMM3[0]-b.VolumeMM3[0]) > 1e-2 || len(a.Parts) != 2 {
			t.Errorf("%s:\n%+v\nplane:\n%+v", name, a, b)
		}
	}
}

// A closed surface takes a ball out of the middle of a cube, half of one off a
// face and an eighth off a corner. The faces of the cut are chords of about an
// edge, those of the sheet are chords of a third of an edge: that costs
// up to edge²/8r of the area each.
func TestClosedSheet(t *testing.T) {
	m := cube(14)
	for _, c := range []struct {
		at    r3.Vec
		share float64
	}{{r3.Vec{X: 7.1, Y: 6.8, Z: 7.3}, 1}, {r3.Vec{X: 7.1, Y: 0, Z: 7.3}, .5}, {r3.Vec{X: 14, Y: 14}, .125}} {
		const r, edge = 5.3, 1.
		res := apply(t, m, sheet(t, sphere(c.at, r, 24)), Options{})
		volume, area := c.share*4./3*math.Pi*r*r*r, c.share*4*math.Pi*r*r
		rep := res.Report
		loss := area * (1 + 1./9) * edge * edge / 8 / r
		t.Logf("share %g: %.1f of %.1f mm³, loss up to %.1f; %.1f of %.1f mm²; %.1f–%.1f°", c.share, rep.VolumeMM3[0], volume, loss, rep.CutMM2, area, rep.After.MinDeg, rep.After.MaxDeg)
		if d := volume - rep.VolumeMM3[0]; d < 0 || d > loss || rep.CutMM2 > area || rep.CutMM2 < .96*area || len(rep.Parts) != 2 || rep.OffNodes != 0 {
			t.Errorf("share %g: %+v, want %g mm³ inside and %g mm²", c.share, rep, volume, area)
		}
	}
}

// Surfaces that end inside: the cut goes up to the rim and not beyond; there
// the nodes are single.
func TestPartialCut(t *testing.T) {
	const edge = 3.
	m := ball(t, 20, edge)
	z := func(x, y float64) float64 { return 1.1 + .02*x*x }
	hole := grid(-16, 8, 8, z)
	inside := func(x, y float64) bool { return x > -16 && x < 8 && y > -16 && y < 8 }
	kept := hole.Tris[:0]
	for _, v := range hole.Tris {
		a := r3.Scale(1./3, r3.Add(hole.Verts[v[0]], r3.Add(hole.Verts[v[1]], hole.Verts[v[2]])))
		if math.Abs(a.X+4) > 4 || math.Abs(a.Y+4) > 4 { // cells are 3 mm: a hole of 6×6 or so
			kept = append(kept, v)
		}
	}
	hole.Tris = kept
	b := make([][]r3.Vec, 3) // the same parabola exactly: Z along u is 1.1 + .02 x²
	for i, x := range []float64{-16, -4, 8} {
		zz := []float64{1.1 + .02*256, 1.1 + .02*(-16)*8, 1.1 + .02*64}[i]
		b[i] = []r3.Vec{{X: x, Y: -16, Z: zz}, {X: x, Y: 8, Z: zz}}
	}
	for name, s := range map[string]Surface{
		"sheet":  sheet(t, grid(-16, 8, 40, z)),
		"Bézier": bezier(t, b),
		"hole":   sheet(t, hole),
	} {
		r := apply(t, m, s, Options{})
		rep := r.Report
		if len(rep.Parts) != 1 || rep.Parts[0].Side != Both || rep.VolumeMM3 != [2]float64{} {
			t.Errorf("%s: %+v", name, rep)
		}
		// the open cut is a surface of the mesh: closed, once for each side
		surf, _ := r.Mesh.Boundary()
		if err := surf.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		single := 0
		seen := map[int32]bool{}
		for _, f := range r.Faces {
			c := r3.Vec{}
			for i, n := range f.Minus {
				p := r.Mesh.Nodes[n]
				c = r3.Add(c, r3.Scale(1./3, p))
				if n == f.Plus[i] && !seen[n] {
					seen[n] = true
					if single++; name != "hole" {
						away := max(math.Abs(p.X+4), math.Abs(p.Y+4)) - 12 // from the rim, inside < 0
						if away > 1e-6 || away < -2*edge {
							t.Errorf("%s: front node at %v, %g mm from the rim", name, p, away)
						}
					}
				}
			}
			if !inside(c.X, c.Y) {
				t.Fatalf("%s: a face of the cut at %v is beyond the rim", name, c)
			}
		}
		if single == 0 {
			t.Errorf("%s: no front", name)
		}
		// the surface's area within the ball, but for a strip of an edge at the rim
		var want, strip float64
		const h = .05
		for x := -16 + h/2; x < 8; x += h {
			for y := -16 + h/2; y < 8; y += h {
				if x*x+y*y+z(x, y)*z(x, y) < 400 && (name != "hole" || math.Abs(x+4) > 4.5 || math.Abs(y+4) > 4.5) {
					a := h * h * math.Sqrt(1+.0016*x*x)
					want += a
					if max(math.Abs(x+4), math.Abs(y+4)) > 12-edge || name == "hole" && max(math.Abs(x+4), math.Abs(y+4)) < 4.5+edge {
						strip += a
					}
				}
			}
		}
		t.Logf("%s: cut %.1f mm² of %.1f (strip %.1f), %d front nodes", name, rep.CutMM2, want, strip, single)
		if rep.CutMM2 > want*1.01 || rep.CutMM2 < .98*(want-strip) {
			t.Errorf("%s: cut %g mm² of %g, strip of %g", name, rep.CutMM2, want, strip)
		}
	}
}

// Bernstein sums are compared with de Casteljau's construction, derivatives
// with differences, and the nearest point with a search.
func TestBezierSurface(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for _, deg := range [][2]int{{1, 1}, {3, 3}, {2, 5}, {MaxDegree, 1}} {
		net := make([][]r3.Vec, deg[0]+1)
		for i := range net {
			for j := range deg[1] + 1 {
				net[i] = append(net[i], r3.Vec{X: 30*float64(i)/float64(deg[0]) + rnd.Float64(), Y: 30*float64(j)/float64(deg[1]) + rnd.Float64(), Z: 5 * rnd.Float64()})
			}
		}
		b := bezier(t, net)
		f, err := b.prepare(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			u, v := rnd.Float64(), rnd.Float64()
			s, su, sv := b.At(u, v)
			if d := r3.Norm(r3.Sub(s, casteljau(net, u, v))); d > 1e-12 {
				t.Errorf("degree %v: S(%g,%g) is %g mm off", deg, u, v, d)
			}
			const h = 1e-6
			du := r3.Scale(.5/h, r3.Sub(casteljau(net, u+h, v), casteljau(net, u-h, v)))
			dv := r3.Scale(.5/h, r3.Sub(casteljau(net, u, v+h), casteljau(net, u, v-h)))
			if r3.Norm(r3.Sub(su, du))+r3.Norm(r3.Sub(sv, dv)) > 1e-6*(1+r3.Norm(su)+r3.Norm(sv)) {
				t.Errorf("degree %v: derivatives %v %v, differences %v %v", deg, su, sv, du, dv)
			}
			// along the normal the nearest point is where one came from
			n := r3.Unit(r3.Cross(su, sv))
			for _, d := range []float64{.3, -.2, 0} {
				got := f.at(r3.Add(s, r3.Scale(d, n)))
				if math.Abs(got.dist-d) > 1e-7 || got.beyond {
					t.Errorf("degree %v: distance %g (beyond %v), want %g", deg, got.dist, got.beyond, d)
				}
			}
			// the first-order condition, anywhere
			p := r3.Vec{X: 50*rnd.Float64() - 10, Y: 50*rnd.Float64() - 10, Z: 10*rnd.Float64() - 3}
			got := f.at(p)
			for i := range 41 {
				for j := range 41 {
					q, _, _ := b.At(float64(i)/40, float64(j)/40)
					if d := r3.Norm(r3.Sub(p, q)); d < math.Abs(got.dist)-1e-3 {
						t.Fatalf("degree %v: %v is %g from the surface, not %g", deg, p, d, got.dist)
					}
				}
			}
		}
	}
}

func casteljau(net [][]r3.Vec, u, v float64) r3.Vec {
	line := func(p []r3.Vec, t float64) r3.Vec {
		q := append([]r3.Vec(nil), p...)
		for n := len(q) - 1; n > 0; n-- {
			for i := range n {
				q[i] = r3.Add(q[i], r3.Scale(t, r3.Sub(q[i+1], q[i])))
			}
		}
		return q[0]
	}
	var row []r3.Vec
	for _, p := range net {
		row = append(row, line(p, v))
	}
	return line(row, u)
}

// A resection surface drawn with a 4×4 net: nodes of the cut are on it, and
// the volumes are those of the prism under it.
func TestBezierCut(t *testing.T) {
	m := ball(t, 20, 2.5)
	b := wavy(t, 20)
	r := apply(t, m, b, Options{})
	rep := r.Report
	f, _ := b.prepare(context.Background())
	for _, g := range r.Faces {
		for _, n := range g.Minus {
			if d := f.at(r.Mesh.Nodes[n]).dist; math.Abs(d) > rep.MaxOffMM+1e-6 {
				t.Fatalf("node %d is %g mm off the surface", n, d)
			}
		}
	}
	// Monte Carlo would be rough: midpoint rule over (u,v) with the height of the ball's column
	var below, whole float64
	const k = 600
	for i := range k {
		for j := range k {
			s, su, sv := b.At((float64(i)+.5)/k, (float64(j)+.5)/k)
			top2 := 400 - s.X*s.X - s.Y*s.Y
			if top2 <= 0 {
				continue
			}
			top := math.Sqrt(top2)
			da := (su.X*sv.Y - su.Y*sv.X) / (k * k)
			below += da * (min(max(s.Z, -top), top) + top)
			whole += da * 2 * top
		}
	}
	share := rep.VolumeMM3[0] / (rep.VolumeMM3[0] + rep.VolumeMM3[1])
	t.Logf("share %.4f, want %.4f; cut %.1f mm², %d tets, %.1f–%.1f°, %d off by %.2f", share, below/whole, rep.CutMM2, len(r.Mesh.Tets), rep.After.MinDeg, rep.After.MaxDeg, rep.OffNodes, rep.MaxOffMM)
	if math.Abs(share-below/whole) > 2e-3 || len(rep.Parts) != 2 {
		t.Errorf("share %g, want %g; %d parts", share, below/whole, len(rep.Parts))
	}
}

// Whatever the triangles, crossing, folded, in tatters: the mesh stays sound.
func TestAnySheetGivesASoundMesh(t *testing.T) {
	m := cube(4)
	rnd := rand.New(rand.NewPCG(11, 11))
	cut := 0
	for range 40 {
		s := &mesh.Surface{}
		for n := range int32(1 + rnd.IntN(12)) {
			for range 3 {
				s.Verts = append(s.Verts, r3.Vec{X: 5*rnd.Float64() - .5, Y: 5*rnd.Float64() - .5, Z: 5*rnd.Float64() - .5})
			}
			s.Tris = append(s.Tris, [3]int32{3 * n, 3*n + 1, 3*n + 2})
		}
		if r := apply(t, m, sheet(t, s), Options{}); r.Report.Faces > 0 {
			cut++
		}
	}
	if cut < 20 {
		t.Errorf("only %d of 40 heaps of triangles cut anything", cut)
	}
}
