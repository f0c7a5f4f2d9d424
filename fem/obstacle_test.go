package fem

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// ballSurface is a sphere of triangles: an octahedron split n times.
func ballSurface(r float64, at r3.Vec, n int) *mesh.Surface {
	v := []r3.Vec{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}, {Z: 1}, {Z: -1}}
	t := [][3]int32{{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4}, {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}}
	for range n {
		half := map[[2]int32]int32{}
		mid := func(a, b int32) int32 {
			k := [2]int32{min(a, b), max(a, b)}
			if _, ok := half[k]; !ok {
				half[k] = int32(len(v))
				v = append(v, r3.Unit(r3.Add(v[a], v[b])))
			}
			return half[k]
		}
		var next [][3]int32
		for _, f := range t {
			a, b, c := mid(f[0], f[1]), mid(f[1], f[2]), mid(f[2], f[0])
			next = append(next, [3]int32{f[0], a, c}, [3]int32{a, f[1], b}, [3]int32{c, b, f[2]}, [3]int32{a, b, c})
		}
		t = next
	}
	s := &mesh.Surface{Tris: t, Region: make([]mesh.Sides, len(t))}
	for _, p := range v {
		s.Verts = append(s.Verts, r3.Add(at, r3.Scale(r, p)))
	}
	for i := range s.Region {
		s.Region[i].Inside = imaging.Label(7)
	}
	return s
}

// The gradient of every distance has length 1 and is its derivative, and the
// bend is the derivative of the gradient.
func TestObstacleDistances(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	at := r3.Vec{X: 1, Y: 2, Z: -1}
	turned := ballSurface(5, at, 2)
	for i, f := range turned.Tris {
		turned.Tris[i] = [3]int32{f[0], f[2], f[1]}
		turned.Region[i] = mesh.Sides{Outside: 7}
	}
	for _, c := range []struct {
		name  string
		shape Shape
		exact func(x r3.Vec) float64 // nil: not asked
		tol   float64
	}{
		{"ball", Sphere{CentreMM: at, RadiusMM: 5}, func(x r3.Vec) float64 { return r3.Norm(r3.Sub(x, at)) - 5 }, 1e-14},
		{"hollow", Sphere{CentreMM: at, RadiusMM: 5, Hollow: true}, func(x r3.Vec) float64 { return 5 - r3.Norm(r3.Sub(x, at)) }, 1e-14},
		{"plane", Plane{AtMM: at, Normal: r3.Vec{Z: 3}}, func(x r3.Vec) float64 { return x.Z + 1 }, 1e-14},
		{"bar", Cylinder{AtMM: at, Axis: r3.Vec{Y: -2}, RadiusMM: 3}, func(x r3.Vec) float64 { return math.Hypot(x.X-1, x.Z+1) - 3 }, 1e-14},
		{"bore", Cylinder{AtMM: at, Axis: r3.Vec{X: 1, Y: 1}, RadiusMM: 3, Hollow: true}, nil, 0},
		{"facets", Solid{Surface: ballSurface(5, at, 2), Label: 7}, nil, 0},
		{"facets turned", Solid{Surface: turned, Label: 7}, nil, 0},
		{"many facets", Solid{Surface: ballSurface(5, at, 4), Label: 7}, func(x r3.Vec) float64 { return r3.Norm(r3.Sub(x, at)) - 5 }, 0.03},
	} {
		if err := c.shape.check("x"); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		f, err := c.shape.field()
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			x := r3.Add(at, r3.Scale(7, r3.Vec{X: 2*rng.Float64() - 1, Y: 2*rng.Float64() - 1, Z: 2*rng.Float64() - 1}))
			g, n, b := f.gap(x)
			if math.Abs(r3.Norm(n)-1) > 1e-12 {
				t.Fatalf("%s: normal %v", c.name, n)
			}
			if c.exact != nil && math.Abs(g-c.exact(x)) > c.tol*10 {
				t.Errorf("%s: distance %g at %v, want %g", c.name, g, x, c.exact(x))
			}
			const h = 1e-5
			smooth := true
			var bad, bend float64
			for i, e := range [3]r3.Vec{{X: h}, {Y: h}, {Z: h}} {
				g1, n1, b1 := f.gap(r3.Add(x, e))
				g0, n0, b0 := f.gap(r3.Sub(x, e))
				smooth = smooth && b1.line == 0 == (b.line == 0) && b0.line == 0 == (b.line == 0) && b1.iso == 0 == (b.iso == 0) && b0.iso == 0 == (b.iso == 0)
				bad = max(bad, math.Abs((g1-g0)/(2*h)-[3]float64{n.X, n.Y, n.Z}[i]))
				dn := r3.Scale(1/(2*h), r3.Sub(n1, n0))
				e = r3.Scale(1/h, e)
				want := r3.Add(r3.Scale(b.iso, r3.Sub(e, r3.Scale(r3.Dot(e, n), n))), r3.Scale(b.line*r3.Dot(e, b.b), b.b))
				bend = max(bend, r3.Norm(r3.Sub(dn, want)))
			}
			if deep := g < -3; !deep && (bad > 1e-3 || smooth && (bad > 1e-8 || bend > 1e-5)) {
				t.Errorf("%s: at %v gradient off by %.1e, bend by %.1e", c.name, x, bad, bend)
			}
		}
	}
}

// A ball of facets presses like a ball: within 2 % for facets of a quarter of
// the contact's width.
func TestSolidPressesLikeItsShape(t *testing.T) {
	var force [2]float64
	centre := r3.Vec{X: 5.1, Y: 4.8, Z: 15}
	for i, shape := range []Shape{Sphere{CentreMM: centre, RadiusMM: 10}, Solid{Surface: ballSurface(10, centre, 5), Label: 7}} {
		m := &Model{Mesh: brickMesh(5, 5, 2, 10, 10, 5).Quadratic(), Regions: both(must(laws()))}
		m.Regions = m.Regions[:1]
		m.Prescribed = prescribe(m.Mesh, atZ(0), still)
		m.Contacts = []Contact{{Faces: facesOf(m.Mesh, atZ(5)), Obstacle: &Obstacle{Shape: shape, MoveMM: []r3.Vec{{Z: -0.5}}}}}
		f, _ := solve(t, m, Settings{Steps: 2})
		force[i] = f.Contacts[0].ForceN.Z
	}
	if math.Abs(force[1]/force[0]-1) > 0.02 {
		t.Errorf("facets %g N, ball %g N", force[1], force[0])
	}
}

// The nearest point of a quadratic surface is found from anywhere: no point of
// a fine net on any face is nearer.
func TestNearestPointOfASkin(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	for _, quadratic := range []bool{false, true} {
		m := brickMesh(3, 3, 1, 9, 9, 3)
		faces := facesOf(m, atZ(3))
		if quadratic {
			m = m.Quadratic()
		}
		sys := must(newSystem(&Model{Mesh: m, Regions: one(must(laws())), Prescribed: prescribe(m, everywhere, still)}, must(Settings{}.withDefaults())))
		k, err := sys.newSkin("x", faces)
		if err != nil {
			t.Fatal(err)
		}
		u := make([]float64, 3*sys.n)
		for v, x := range sys.x {
			u[3*v+2] = 0.6*math.Sin(0.7*x.X)*math.Cos(0.5*x.Y) + 0.05*rng.Float64()
		}
		tree := k.tree(u)
		var p [6]r3.Vec
		var q quad6
		for range 60 {
			x := r3.Vec{X: 10*rng.Float64() - 0.5, Y: 10*rng.Float64() - 0.5, Z: 1 + 5*rng.Float64()}
			f, ok := k.closest(tree, -1, x, u)
			if !ok {
				t.Fatal("nothing found")
			}
			if g, _ := k.closest(tree, int32(rng.IntN(k.faces())), x, u); g != f {
				t.Errorf("the guess changes the answer: %+v, %+v", f, g)
			}
			w := k.walk(f.face, x, u)
			if math.Abs(w.dist-f.dist) > 1e-12 {
				t.Errorf("walking from the nearest face leads away: %g, %g", w.dist, f.dist)
			}
			best := math.Inf(1)
			for o := range int32(k.faces()) {
				k.place(&p, o, u)
				for i := range 21 {
					for j := range 21 - i {
						q.at(&p, float64(i)/20, float64(j)/20)
						best = min(best, r3.Norm(r3.Sub(x, q.y)))
					}
				}
			}
			if f.dist > best*(1+1e-12) || f.dist < best-0.12 {
				t.Errorf("nearest point of %v at %g mm, the net has %g", x, f.dist, best)
			}
		}
	}
}

// Whatever two bodies do to each other sums to nothing: forces, and moments
// without friction.
func TestContactForcesBalance(t *testing.T) {
	for _, quadratic := range []bool{false, true} {
		b := stacked(brickMesh(3, 3, 1, 9, 9, 3), brickMesh(4, 4, 1, 9, 9, 3), r3.Vec{X: 0.3, Y: 0.2, Z: 3})
		m := &Model{Mesh: b, Regions: both(must(laws()))}
		if quadratic {
			m.Mesh = b.Quadratic()
		}
		m.Prescribed = prescribe(m.Mesh, everywhere, still)
		m.Contacts = []Contact{{Faces: facesOn(b, false, atZ(3)), Against: facesOn(b, true, atZ(3))}}
		sys, term := contactOf(t, m)
		u := rippled(sys, 0.1)
		term.search(u, sys.now)
		f := make([]float64, 3*sys.n)
		term.force(f, u, sys.now)
		var sum, moment r3.Vec
		var size float64
		for v, x := range sys.x {
			x = r3.Add(x, r3.Vec{X: u[3*v], Y: u[3*v+1], Z: u[3*v+2]})
			w := r3.Vec{X: f[3*v], Y: f[3*v+1], Z: f[3*v+2]}
			sum = r3.Add(sum, w)
			moment = r3.Add(moment, r3.Cross(x, w))
			size += r3.Norm(w)
		}
		if !(size > 0) || r3.Norm(sum) > 1e-13*size || r3.Norm(moment) > 1e-11*size {
			t.Errorf("%s: of %g N the sum is %v, the moment %v", isTet10(m.Mesh), size, sum, moment)
		}
	}
}
