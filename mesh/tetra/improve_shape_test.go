package tetra

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// anyTet is a positive tetrahedron, flattened or stretched at random.
func anyTet(r *rand.Rand) (p [4]r3.Vec) {
	s := r3.Vec{X: math.Exp(r.NormFloat64()), Y: math.Exp(r.NormFloat64()), Z: math.Exp(r.NormFloat64())}
	for i := range p {
		p[i] = r3.Vec{X: s.X * r.NormFloat64(), Y: s.Y * r.NormFloat64(), Z: s.Z * r.NormFloat64()}
	}
	if signed6(p[0], p[1], p[2], p[3]) < 0 {
		p[0], p[1] = p[1], p[0]
	}
	return p
}

// The shape is the least weighted sin² of the angles that atan2 gives, for any
// order of the corners, and the quick test passes nothing that is bad.
func TestTetShapeIsTheWorstAngle(t *testing.T) {
	const below, above = 15., 155.
	good := shapeOf(below)
	obtuse := good / shapeOf(180-above)
	r := rand.New(rand.NewPCG(1, 1))
	bad, passed := 0, 0
	for range 6000 {
		p := anyTet(r)
		want := math.Inf(1)
		lo, hi := 180., 0.
		for _, e := range shapeEdges {
			a, b := p[e[0]], p[e[1]]
			u, v := r3.Cross(r3.Sub(b, a), r3.Sub(p[e[2]], a)), r3.Cross(r3.Sub(b, a), r3.Sub(p[e[3]], a))
			x := math.Atan2(r3.Norm(r3.Cross(u, v)), r3.Dot(u, v))
			s := math.Sin(x) * math.Sin(x)
			if x > math.Pi/2 {
				s *= obtuse
			}
			want = min(want, s)
			lo, hi = min(lo, x*180/math.Pi), max(hi, x*180/math.Pi)
		}
		for range 3 {
			i, j, k := r.IntN(4), r.IntN(4), r.IntN(4)
			if i != j && j != k && i != k { // an even permutation
				p[i], p[j], p[k] = p[j], p[k], p[i]
			}
			if got := tetShape(p[0], p[1], p[2], p[3], obtuse); math.Abs(got-want) > 1e-9*want {
				t.Fatalf("%v: shape %g, want %g", p, got, want)
			}
		}
		if l, h := extremeAngles(p[0], p[1], p[2], p[3]); math.Abs(l-lo)+math.Abs(h-hi) > 1e-6 {
			t.Fatalf("%v: angles %g–%g, want %g–%g", p, l, h, lo, hi)
		}
		if tetShape(p[1], p[0], p[2], p[3], obtuse) != 0 {
			t.Fatal("an inverted tetrahedron has a shape")
		}
		m := &mesh.TetMesh{Nodes: p[:], Tets: [][4]int32{{0, 1, 2, 3}}}
		opt := ImproveOptions{}
		if err := opt.validate(); err != nil {
			t.Fatal(err)
		}
		var rep ImproveReport
		im := newImprover(m, opt, &rep)
		if err := im.scan(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		if (rep.Bad == 1) != (want < good) {
			t.Fatalf("%v: angles %g–%g, bad %d", p, lo, hi, rep.Bad)
		}
		bad += rep.Bad
		if im.shape[0] == 0 {
			passed++
		}
	}
	t.Logf("%d of 6000 bad, %d passed at a glance", bad, passed)
	if bad < 500 || passed < 500 {
		t.Fatal("the test tests nothing")
	}
}

func TestShapeSlopeAgainstDifferences(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	tested := 0
	for range 2000 {
		p := anyTet(r)
		const obtuse = 0.4
		var g, g2 [6]r3.Vec
		var v, v2, v3 [6]float64
		if n := shapeSlope(p[0], p[1], p[2], p[3], obtuse, math.Inf(1), &g, &v); n != 6 {
			t.Fatalf("%d angles", n)
		}
		h := math.Inf(1)
		for _, e := range mesh.TetEdges {
			h = min(h, 1e-5*r3.Norm(r3.Sub(p[e[0]], p[e[1]])))
		}
		for a := range 3 {
			d := r3.Vec{}
			*[]*float64{&d.X, &d.Y, &d.Z}[a] = h
			q, q2 := r3.Add(p[0], d), r3.Sub(p[0], d)
			if shapeSlope(q, p[1], p[2], p[3], obtuse, math.Inf(1), &g2, &v2) == 0 || shapeSlope(q2, p[1], p[2], p[3], obtuse, math.Inf(1), &g2, &v3) == 0 {
				continue
			}
			for e := range v {
				if math.Abs(v2[e]-v3[e]) > 0.1*v[e] || math.Abs(v2[e]+v3[e]-2*v[e]) > 1e-4*v[e] {
					continue // an angle that crosses 90° changes its weight; or too flat for differences
				}
				tested++
				want := (v2[e] - v3[e]) / (2 * h)
				got := []float64{g[e].X, g[e].Y, g[e].Z}[a]
				if math.Abs(got-want) > 1e-4*r3.Norm(g[e])+1e-8*v[e]/h {
					t.Fatalf("%v: slope %g of angle %d along %d, differences %g", p, got, e, a, want)
				}
			}
		}
		least := min(v[0], v[1], v[2], v[3], v[4], v[5])
		if s := tetShape(p[0], p[1], p[2], p[3], obtuse); math.Abs(s-least) > 1e-9*s {
			t.Fatalf("shape %g, least of the angles %g", s, least)
		}
	}
	if tested < 20000 {
		t.Fatalf("%d slopes", tested)
	}
}

// shortest finds the point of a hull nearest to the origin: no other mixture of
// the gradients is shorter, and all gradients rise along it.
func TestShortestInHull(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	var s starWork
	for range 500 {
		n := 1 + r.IntN(maxActive)
		c := r3.Scale(2*r.Float64(), r3.Vec{X: r.NormFloat64(), Y: r.NormFloat64(), Z: r.NormFloat64()})
		for i := range n {
			s.active[i] = r3.Add(c, r3.Vec{X: r.NormFloat64(), Y: r.NormFloat64(), Z: r.NormFloat64()})
		}
		d := r3.Norm(s.shortest(n))
		for range 200 {
			var q r3.Vec
			sum := 0.0
			for i := range n {
				w := math.Pow(r.Float64(), 4)
				q, sum = r3.Add(q, r3.Scale(w, s.active[i])), sum+w
			}
			if l := r3.Norm(q) / sum; l < 0.98*d-0.02 {
				t.Fatalf("%d gradients: found %g, there is %g", n, d, l)
			}
		}
	}
}

// The best triangulation of a ring is found: it equals the best of all.
func TestFillRingIsOptimal(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	var all func(i, j int, q func(i, k, j int) float64) float64
	all = func(i, j int, q func(i, k, j int) float64) float64 {
		if j-i < 2 {
			return math.Inf(1)
		}
		best := 0.0
		for k := i + 1; k < j; k++ {
			best = max(best, min(q(i, k, j), all(i, k, q), all(k, j, q)))
		}
		return best
	}
	found := 0
	for range 3000 {
		n := 3 + r.IntN(maxRing-2)
		im := &improver{obtuse: 0.5, node: []r3.Vec{{X: 0.2 * r.NormFloat64(), Z: -1}, {Z: 1}}}
		im.ring.a, im.ring.b, im.ring.n = 0, 1, n
		for i := range n {
			x := 2 * math.Pi * (float64(i) + 0.6*r.Float64()) / float64(n)
			p := r3.Vec{X: (0.5 + r.Float64()) * math.Cos(x), Y: math.Sin(x), Z: 0.3 * r.NormFloat64()}
			im.fill.p[i] = p
			im.node = append(im.node, p)
			im.ring.v[i] = int32(2 + i)
		}
		want := all(0, n-1, func(i, k, j int) float64 {
			p := &im.fill.p
			return min(tetShape(im.node[0], p[i], p[k], p[j], im.obtuse), tetShape(p[i], p[k], p[j], im.node[1], im.obtuse))
		})
		if got := im.fillRing(0, n-1, 0); got != want {
			t.Fatalf("ring of %d: %g, best is %g", n, got, want)
		}
		if bound := want * 1.001; im.fillRing(0, n-1, bound) != 0 {
			t.Fatal("a bound that cannot be beaten was beaten")
		}
		if want > 0 {
			found++
			im.fillRing(0, n-1, 0)
			im.fill.n = 0
			im.fill.triangles(0, n-1)
			if im.fill.n != n-2 {
				t.Fatalf("%d triangles in a ring of %d", im.fill.n, n)
			}
		}
	}
	if found < 300 {
		t.Fatalf("only %d rings could be filled", found)
	}
}

// Operation by operation: the worst tetrahedron never gets worse, the volume of
// each region changes as accounted, lists stay true.
func TestImproveStepByStep(t *testing.T) {
	m := shakenBall(t, 5, 0.25, 3)
	opt := ImproveOptions{MaxSurfaceMM: 0.3}
	if err := opt.validate(); err != nil {
		t.Fatal(err)
	}
	var rep ImproveReport
	im := newImprover(m, opt, &rep)
	if err := im.scan(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	if err := im.link(context.Background()); err != nil {
		t.Fatal(err)
	}
	im.findSurface()
	measure := func() (worst float64, vol [256]float64) {
		worst = 1
		for t, v := range im.tet {
			if v[0] >= 0 {
				a, b, c, d := im.node[v[0]], im.node[v[1]], im.node[v[2]], im.node[v[3]]
				worst = min(worst, tetShape(a, b, c, d, im.obtuse))
				vol[im.region[t]] += signed6(a, b, c, d)
			}
		}
		return worst, vol
	}
	worst, start := measure()
	steps := 0
	for {
		x := im.queue.pop()
		if x < 0 {
			break
		}
		if im.tet[x][0] < 0 || im.quality(x) >= im.good || !im.mend(x) {
			continue
		}
		steps++
		w, vol := measure()
		if w < worst*(1-1e-9) {
			t.Fatalf("step %d: worst fell from %g to %g", steps, worst, w)
		}
		worst = w
		for l := range vol {
			if d := vol[l] - start[l] - im.delta[l]; math.Abs(d) > 1e-7 {
				t.Fatalf("step %d: region %d is off by %g mm³", steps, l, d/6)
			}
		}
	}
	if steps < 50 {
		t.Fatalf("%d steps", steps)
	}
	count := make([]int32, len(im.node))
	for x, v := range im.tet {
		if v[0] < 0 {
			continue
		}
		for _, n := range v {
			count[n]++
			if im.flag[n] != 0 {
				in := false
				for _, y := range im.starOf(n) {
					in = in || y == int32(x)
				}
				if !in {
					t.Fatalf("tetrahedron %d is not in the list of node %d", x, n)
				}
			}
		}
	}
	for n, c := range count {
		if im.flag[n] != 0 && im.span[n].n != c {
			t.Fatalf("node %d lists %d tetrahedra of %d", n, im.span[n].n, c)
		}
	}
	// the flags agree with the faces
	im.finish(m)
	surface := make([]bool, len(m.Nodes))
	for t, near := range m.Neighbours() {
		for f, o := range near {
			if o < 0 || m.Region[o] != m.Region[t] {
				for _, c := range mesh.TetFaces[f] {
					surface[m.Tets[t][c]] = true
				}
			}
		}
	}
	for n, o := range rep.NodeFrom {
		if o >= 0 && im.flag[o] != 0 && surface[n] != (im.flag[o]&nodeSurface != 0) {
			t.Fatalf("node %d is on a surface: %v, flag %b", n, surface[n], im.flag[o])
		}
		if o < 0 && surface[n] {
			t.Fatalf("new node %d is on a surface", n)
		}
	}
}

// A fan's deviation bounds what sampling finds.
func TestFanDeviation(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	tried := 0
	for range 3000 {
		n := 3 + r.IntN(6)
		im := &improver{}
		im.fan.n, im.fan.normal = n, r3.Vec{Z: 1}
		for i := range n {
			x := 2 * math.Pi * (float64(i) + 0.5*r.Float64()) / float64(n)
			l := 0.6 + r.Float64()
			im.node = append(im.node, r3.Vec{X: l * math.Cos(x), Y: l * math.Sin(x), Z: 0.2 * r.NormFloat64()})
			im.fan.u[i] = int32(i)
		}
		im.fan.u[n] = 0
		p := r3.Vec{Z: 0.2 * r.NormFloat64()}
		to := r3.Vec{X: 0.2 * r.NormFloat64(), Y: 0.2 * r.NormFloat64(), Z: 0.2 * r.NormFloat64()}
		if r.IntN(3) == 0 {
			to = im.node[r.IntN(n)]
		}
		gap, ok := im.deviation(p, to)
		if !ok {
			continue
		}
		tried++
		var u []r3.Vec
		for _, k := range im.fan.u[:n+1] {
			u = append(u, im.node[k])
		}
		worst := 0.0
		for range 300 {
			i, a, b := r.IntN(n), r.Float64(), r.Float64()
			if a+b > 1 {
				a, b = 1-a, 1-b
			}
			q := r3.Add(p, r3.Add(r3.Scale(a, r3.Sub(u[i], p)), r3.Scale(b, r3.Sub(u[i+1], p))))
			h, ok := fanHeight(u, to, q)
			if !ok {
				t.Fatal("the fans do not cover the same")
			}
			worst = max(worst, h)
		}
		if worst > gap+1e-9 || worst < 0.3*gap-1e-3 {
			t.Fatalf("sampled %g, bound %g", worst, gap)
		}
	}
	if tried < 1000 {
		t.Fatalf("%d fans", tried)
	}
}
