package spatial_test

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

	"halsted/mesh"
	"halsted/mesh/spatial"

	"gonum.org/v1/gonum/spatial/r3"
)

// A cube of side 2: three millimetres beside it, and along a diagonal.
func Example() {
	b, err := spatial.New(context.Background(), block([3]int{2, 2, 2}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(b.Signed(r3.Vec{X: 5, Y: 1, Z: 1}), b.Signed(r3.Vec{X: 1, Y: 1, Z: 1.75}))
	h, ok := b.Ray(r3.Vec{X: -1, Y: -1, Z: -1}, r3.Vec{X: 1, Y: 1, Z: 1}, math.Inf(1))
	fmt.Printf("%.4f %v\n", h.DistMM, ok)
	// Output:
	// 3 -0.25
	// 1.7321 true
}

// The nearest face is that of a search through all, to the bit.
func TestClosestAgainstAll(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 3, 4, 5, 9, 300, 1000} {
		s := soup(r, n)
		b := tree(t, s)
		for q := range 300 {
			p := vec(r, 60)
			switch q % 4 {
			case 0:
				p = s.Verts[r.IntN(len(s.Verts))]
			case 1:
				p = r3.Scale(1e4, p)
			}
			want, best := -1, math.Inf(1)
			var at r3.Vec
			for f := range s.Tris {
				a, bb, c := corners(s, f)
				x, _, _ := mesh.ClosestOnTriangle(p, a, bb, c)
				if d := r3.Norm2(r3.Sub(p, x)); d < best {
					want, best, at = f, d, x
				}
			}
			h := b.Closest(p)
			if int(h.Tri) != want || h.At != at || h.DistMM != math.Sqrt(best) {
				t.Fatalf("%d faces: %v is nearest to face %d at %v, %g mm; want %d, %v, %g", n, p, h.Tri, h.At, h.DistMM, want, at, math.Sqrt(best))
			}
			x, y, z := corners(s, want)
			back := r3.Add(r3.Scale(h.Bary[0], x), r3.Add(r3.Scale(h.Bary[1], y), r3.Scale(h.Bary[2], z)))
			if d := r3.Norm(r3.Sub(back, at)); d > 1e-12*(1+r3.Norm(at)) {
				t.Fatalf("barycentric %v is %g mm off", h.Bary, d)
			}
			if w, ok := b.Within(p, h.DistMM); !ok || w != h {
				t.Fatalf("Within its distance: %v, %v", w, ok)
			}
			if h.DistMM > 0 {
				if w, ok := b.Within(p, h.DistMM*(1-1e-9)); ok || w.Tri != -1 {
					t.Fatalf("Within less than its distance: %v", w)
				}
			}
		}
	}
}

// Rays agree with Möller and Trumbore's test of every face. Faces without area
// are left out: whether a ray hits them is a matter of rounding.
func TestRayAgainstAll(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	hits := 0
	for _, n := range []int{1, 3, 8, 500} {
		s := soup(r, n)
		s.Tris = slices.DeleteFunc(s.Tris, func(v [3]int32) bool {
			a, b, c := s.Verts[v[0]], s.Verts[v[1]], s.Verts[v[2]]
			return r3.Norm(r3.Cross(r3.Sub(b, a), r3.Sub(c, a))) < 1e-9*r3.Norm(r3.Sub(b, a))*r3.Norm(r3.Sub(c, a))+1e-300
		})
		n := len(s.Tris)
		if n == 0 {
			continue
		}
		b := tree(t, s)
		for range 1000 {
			o, d := vec(r, 60), vec(r, math.Exp(20*r.NormFloat64()))
			if r.IntN(2) == 0 { // aimed at a face
				x, y, z := corners(s, r.IntN(n))
				d = r3.Sub(r3.Scale(1./3, r3.Add(x, r3.Add(y, z))), o)
			}
			reach := 200 * r.Float64()
			best := math.Inf(1)
			near := false // some face is hit so close to a side that the tests may differ
			for f := range s.Tris {
				x, y, z := corners(s, f)
				dist, margin := moller(o, r3.Unit(d), x, y, z)
				if math.Abs(margin) < 1e-9 || math.Abs(dist-reach) < 1e-6 || math.Abs(dist) < 1e-6 {
					near = true
				}
				if margin > 0 && dist >= 0 && dist <= reach {
					best = min(best, dist)
				}
			}
			h, ok := b.Ray(o, d, reach)
			if near {
				continue
			}
			if ok != !math.IsInf(best, 1) || ok && math.Abs(h.DistMM-best) > 1e-7*(1+best) {
				t.Fatalf("%d faces: ray from %v along %v: %v %v, want %g", n, o, d, h, ok, best)
			}
			if ok {
				hits++
				x, y, z := corners(s, int(h.Tri))
				back := r3.Add(r3.Scale(h.Bary[0], x), r3.Add(r3.Scale(h.Bary[1], y), r3.Scale(h.Bary[2], z)))
				if e := r3.Norm(r3.Sub(back, h.At)); e > 1e-6 {
					t.Fatalf("barycentric %v is %g mm off", h.Bary, e)
				}
			}
		}
	}
	if hits < 500 {
		t.Fatalf("only %d hits", hits)
	}
}

// moller is the distance to the plane of abc along unit d, and how far inside
// the face that is: the least barycentric coordinate.
func moller(o, d, a, b, c r3.Vec) (dist, margin float64) {
	e1, e2 := r3.Sub(b, a), r3.Sub(c, a)
	p := r3.Cross(d, e2)
	det := r3.Dot(e1, p)
	if math.Abs(det) < 1e-12*r3.Norm(e1)*r3.Norm(e2) {
		return math.Inf(1), -1
	}
	s := r3.Sub(o, a)
	u := r3.Dot(s, p) / det
	q := r3.Cross(s, e1)
	v := r3.Dot(d, q) / det
	return r3.Dot(e2, q) / det, min(u, v, 1-u-v)
}

// A ray from inside a closed surface never leaks, least of all through its
// vertices and edges.
func TestRaysDoNotLeak(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for name, s := range map[string]*mesh.Surface{
		"sphere":      sphere(r3.Vec{X: 3, Y: -4, Z: 5}, 20, 3),
		"thin":        sphere(r3.Vec{}, 1e-3, 2),
		"far":         sphere(r3.Vec{X: 1e6, Y: 1e6, Z: -1e6}, 5, 3),
		"cube":        block([3]int{6, 4, 8}),
		"cube inside": together(sphere(r3.Vec{X: 3, Y: 2, Z: 4}, 30, 2), block([3]int{6, 4, 8})),
	} {
		b := tree(t, s)
		lo, hi := mesh.Bounds(s.Verts)
		mid := r3.Scale(0.5, r3.Add(lo, hi))
		size := r3.Norm(r3.Sub(hi, lo))
		targets := slices.Clone(s.Verts)
		for f := range s.Tris {
			x, y, z := corners(s, f)
			targets = append(targets, r3.Scale(0.5, r3.Add(x, y)), r3.Add(x, r3.Scale(1./3, r3.Sub(z, x))), r3.Scale(1./3, r3.Add(x, r3.Add(y, z))))
		}
		for _, origin := range []r3.Vec{mid, r3.Add(mid, r3.Scale(size/50, vec(r, 0.3))), r3.Add(mid, r3.Vec{X: size / 128})} {
			for _, q := range targets {
				h, ok := b.Ray(origin, r3.Sub(q, origin), math.Inf(1))
				if far := r3.Norm(r3.Sub(q, origin)); !ok || h.DistMM > far*(1+1e-9) {
					t.Fatalf("%s: the ray from %v to %v passes it: %v after %g", name, origin, q, h, far)
				}
			}
		}
		for range 3000 {
			if _, ok := b.Ray(mid, vec(r, 1), 2*size); !ok {
				t.Fatalf("%s: leak", name)
			}
		}
	}
	// along the axes through the lattice itself
	b := tree(t, block([3]int{6, 4, 8}))
	for i := 1; i < 6; i++ {
		for j := 1; j < 4; j++ {
			for k := 1; k < 8; k++ {
				for a, d := range []r3.Vec{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}, {Z: 1}, {Z: -1}, {X: 1, Y: 1}, {Y: -1, Z: 1}, {X: 1, Y: -1, Z: 1}} {
					want := []float64{float64(6 - i), float64(i), float64(4 - j), float64(j), float64(8 - k), float64(k)}
					h, ok := b.Ray(r3.Vec{X: float64(i), Y: float64(j), Z: float64(k)}, d, 100)
					if !ok || a < 6 && h.DistMM != want[a] {
						t.Fatalf("from %d %d %d along %v: %v %v", i, j, k, d, h, ok)
					}
				}
			}
		}
	}
}

func TestOverlapAgainstAll(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, n := range []int{1, 7, 600} {
		s := soup(r, n)
		b := tree(t, s)
		for range 200 {
			c := vec(r, 50)
			size := math.Exp(1 + 1.5*r.NormFloat64())
			lo, hi := r3.Sub(c, r3.Vec{X: size, Y: size * r.Float64(), Z: size}), r3.Add(c, r3.Vec{X: size * r.Float64(), Y: size, Z: size})
			var ball, box []int32
			skip := map[int32]bool{} // too close to call
			for f := range s.Tris {
				x, y, z := corners(s, f)
				at, _, _ := mesh.ClosestOnTriangle(c, x, y, z)
				if r3.Norm(r3.Sub(c, at)) <= size {
					ball = append(ball, int32(f))
				}
				in, out := clips(x, y, z, lo, hi, 1e-9), clips(x, y, z, lo, hi, -1e-9)
				if in {
					box = append(box, int32(f))
				}
				skip[int32(f)] = in != out
			}
			if got := b.InSphere(nil, c, size); !slices.Equal(got, ball) {
				t.Fatalf("sphere: %v, want %v", got, ball)
			}
			drop := func(f int32) bool { return skip[f] }
			if got, want := slices.DeleteFunc(b.InBox([]int32{-7}, lo, hi)[1:], drop), slices.DeleteFunc(box, drop); !slices.Equal(got, want) {
				t.Fatalf("box: %v, want %v", got, want)
			}
		}
	}
}

// clips cuts the triangle with the six sides of a box grown by grow and
// reports whether something is left (I. E. Sutherland, G. W. Hodgman, 1974).
func clips(a, b, c, lo, hi r3.Vec, grow float64) bool {
	poly := []r3.Vec{a, b, c}
	get := func(p r3.Vec, i int) float64 { return [3]float64{p.X, p.Y, p.Z}[i] }
	for i := range 6 {
		axis, sign := i/2, float64(1-i%2*2)
		side := sign*get([]r3.Vec{hi, lo}[i%2], axis) + grow
		var next []r3.Vec
		for n, p := range poly {
			q := poly[(n+1)%len(poly)]
			dp, dq := sign*get(p, axis)-side, sign*get(q, axis)-side
			if dp <= 0 {
				next = append(next, p)
			}
			if dp < 0 && dq > 0 || dp > 0 && dq < 0 {
				next = append(next, r3.Add(p, r3.Scale(dp/(dp-dq), r3.Sub(q, p))))
			}
		}
		if poly = next; len(poly) == 0 {
			return false
		}
	}
	return true
}

func TestBadInput(t *testing.T) {
	var bad *spatial.PointError
	if _, err := spatial.New(t.Context(), &mesh.Surface{Verts: make([]r3.Vec, 3)}); !errors.Is(err, spatial.ErrEmpty) {
		t.Errorf("no face: %v", err)
	}
	if _, err := spatial.NewTets(t.Context(), &mesh.TetMesh{}); !errors.Is(err, spatial.ErrEmpty) {
		t.Errorf("no element: %v", err)
	}
	for _, x := range []float64{math.NaN(), math.Inf(-1), 1e16} {
		s := block([3]int{1, 1, 1})
		s.Verts[3].Y = x
		if _, err := spatial.New(t.Context(), s); !errors.As(err, &bad) || bad.Index != 3 {
			t.Errorf("vertex at %g: %v", x, err)
		}
	}
	s := block([3]int{1, 1, 1})
	s.Verts = append(s.Verts, r3.Vec{X: math.NaN()}) // of no face
	b, err := spatial.New(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	s.Tris[2][1] = 99
	if _, err := spatial.New(t.Context(), s); err == nil {
		t.Error("an index out of range was taken")
	}
	s.Tris[2][1] = 0
	s.Region = make([]mesh.Sides, 1)
	if _, err := spatial.New(t.Context(), s); err == nil {
		t.Error("one region for twelve faces was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := spatial.New(ctx, block([3]int{3, 3, 3})); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := b.ClosestAll(ctx, make([]spatial.Hit, 1), make([]r3.Vec, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), -1e300} {
		p := r3.Vec{Y: x}
		if h := b.Closest(p); h.Tri != -1 {
			t.Errorf("nearest to %v: %v", p, h)
		}
		if !math.IsNaN(b.Signed(p)) || !math.IsNaN(b.Winding(p)) || b.Inside(p) {
			t.Errorf("%v is inside or has a distance", p)
		}
		if _, ok := b.Ray(p, r3.Vec{X: 1}, 1); ok {
			t.Errorf("a ray from %v hits", p)
		}
		if _, ok := b.Ray(r3.Vec{}, p, 1); ok && x != -1e300 {
			t.Errorf("a ray along %v hits", p)
		}
		if got := b.InBox(b.InSphere(nil, p, 1), p, p); got != nil {
			t.Errorf("%v overlaps %v", p, got)
		}
		if err := b.SignedAll(t.Context(), make([]float64, 3), []r3.Vec{{}, {}, p}); !errors.As(err, &bad) || bad.Index != 2 {
			t.Errorf("%v: %v", p, err)
		}
	}
	if _, ok := b.Ray(r3.Vec{X: 0.3, Y: 0.4, Z: 0.5}, r3.Vec{}, 10); ok {
		t.Error("a ray without direction hits")
	}
	if _, ok := b.Ray(r3.Vec{X: 0.3, Y: 0.4, Z: 0.5}, r3.Vec{X: 1}, math.NaN()); ok {
		t.Error("a ray of NaN mm hits")
	}
	if h, ok := b.Ray(r3.Vec{X: 0.3, Y: 0.4, Z: 0.5}, r3.Vec{X: 1e-310}, 10); ok && math.Abs(h.DistMM-0.7) > 1e-12 {
		t.Errorf("a ray along a tiny vector: %v", h)
	}
	if _, ok := b.Within(r3.Vec{}, -1); ok {
		t.Error("within −1 mm")
	}
}

// Faces on one spot, and scales far apart, make deep trees: they still answer.
func TestDeepTrees(t *testing.T) {
	s := &mesh.Surface{Verts: []r3.Vec{{}, {X: 1}, {Y: 1}}}
	for range 5000 {
		s.Tris = append(s.Tris, [3]int32{0, 1, 2})
	}
	if h := tree(t, s).Closest(r3.Vec{X: 0.2, Y: 0.2, Z: 3}); h.Tri != 0 || h.DistMM != 3 {
		t.Fatalf("%v", h)
	}
	for n := range 200 {
		size := math.Pow(2, -float64(n))
		k := int32(len(s.Verts))
		s.Verts = append(s.Verts, r3.Vec{X: size}, r3.Vec{X: size, Y: size}, r3.Vec{Z: size, X: size})
		s.Tris = append(s.Tris, [3]int32{k, k + 1, k + 2})
	}
	s.Verts = append(s.Verts, r3.Vec{X: 1e15, Y: 1e15, Z: -1e15})
	k := int32(len(s.Verts) - 1)
	s.Tris = append(s.Tris, [3]int32{k, k, k})
	b := tree(t, s)
	if h := b.Closest(r3.Vec{X: 1e15, Y: 1e15, Z: -1e15}); int(h.Tri) != len(s.Tris)-1 || h.DistMM != 0 {
		t.Fatalf("%v", h)
	}
	if h := b.Closest(r3.Vec{X: math.Pow(2, -60)}); h.DistMM != 0 {
		t.Fatalf("%v", h)
	}
	if n := len(b.InSphere(nil, r3.Vec{}, 10)); n != len(s.Tris)-1 {
		t.Fatalf("%d faces around the origin of %d", n, len(s.Tris))
	}
}

func TestBatchIsTheSameForAnyCoreCount(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	s := together(sphere(r3.Vec{}, 20, 4), sphere(r3.Vec{X: 12}, 15, 3))
	p := make([]r3.Vec, 5000)
	for i := range p {
		p[i] = vec(r, 15)
	}
	one := tree(t, s)
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		b := tree(t, s)
		hits, dist, in := make([]spatial.Hit, len(p)), make([]float64, len(p)), make([]bool, len(p))
		if err := errors.Join(b.ClosestAll(t.Context(), hits, p), b.SignedAll(t.Context(), dist, p), b.InsideAll(t.Context(), in, p)); err != nil {
			t.Fatal(err)
		}
		runtime.GOMAXPROCS(old)
		for i, q := range p {
			if h := one.Closest(q); !reflect.DeepEqual(h, hits[i]) || dist[i] != one.Signed(q) || in[i] != (dist[i] < 0) {
				t.Fatalf("GOMAXPROCS %d: point %d: %v, %g, %v", procs, i, hits[i], dist[i], in[i])
			}
		}
	}
	if a := testing.AllocsPerRun(10, func() {
		one.Closest(p[0])
		one.Ray(p[0], p[1], 100)
		one.Inside(p[0])
	}); a != 0 {
		t.Fatalf("%g allocations a query", a)
	}
}
