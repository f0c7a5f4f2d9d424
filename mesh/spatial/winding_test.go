package spatial_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// angles is the winding number by its definition: the solid angles of all
// faces.
func angles(s *mesh.Surface, p r3.Vec) float64 {
	var sum float64
	for f := range s.Tris {
		w := 1.0
		if s.Region != nil {
			switch r := s.Region[f]; {
			case r.Inside != 0 && r.Outside != 0:
				continue
			case r.Inside == 0:
				w = -1
			}
		}
		a, b, c := corners(s, f)
		a, b, c = r3.Sub(a, p), r3.Sub(b, p), r3.Sub(c, p)
		la, lb, lc := r3.Norm(a), r3.Norm(b), r3.Norm(c)
		sum += 2 * w * math.Atan2(r3.Dot(a, r3.Cross(b, c)), la*lb*lc+r3.Dot(a, b)*lc+r3.Dot(b, c)*la+r3.Dot(c, a)*lb)
	}
	return sum / (4 * math.Pi)
}

// twoRegions are two blocks side by side with the faces between them shared;
// some faces are stated from outside.
func twoRegions() *mesh.Surface {
	const a, b = imaging.Label(1), imaging.Label(7)
	left, right := block([3]int{3, 2, 2}), block([3]int{3, 2, 2})
	for i := range right.Verts {
		right.Verts[i].X += 3
	}
	s := &mesh.Surface{}
	number := map[r3.Vec]int32{}
	for side, part := range []*mesh.Surface{left, right} {
		for f, v := range part.Tris {
			x, y, z := corners(part, f)
			shared := x.X == 3 && y.X == 3 && z.X == 3
			if shared && side == 1 {
				continue
			}
			for i, n := range v {
				p := part.Verts[n]
				if _, ok := number[p]; !ok {
					number[p] = int32(len(s.Verts))
					s.Verts = append(s.Verts, p)
				}
				v[i] = number[p]
			}
			r := mesh.Sides{Inside: []imaging.Label{a, b}[side]}
			if shared {
				r.Outside = b
			} else if f%3 == 0 { // stated from the other side
				v[1], v[2] = v[2], v[1]
				r.Inside, r.Outside = r.Outside, r.Inside
			}
			s.Tris, s.Region = append(s.Tris, v), append(s.Region, r)
		}
	}
	return s
}

func TestWindingNumber(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	ball := sphere(r3.Vec{X: 1, Y: 2, Z: 3}, 20, 3)
	hole := &mesh.Surface{Verts: ball.Verts, Tris: ball.Tris[40:]}
	for _, c := range []struct {
		name   string
		s      *mesh.Surface
		closed bool
	}{
		{"sphere", ball, true},
		{"inside out", turned(ball), true},
		{"hollow", together(ball, turned(sphere(r3.Vec{X: 1, Y: 2, Z: 3}, 12, 2))), true},
		{"two that overlap", together(ball, sphere(r3.Vec{X: 15}, 15, 3)), true},
		{"the same twice", together(ball, ball), true},
		{"lattice", block([3]int{12, 9, 15}), true},
		{"two regions", twoRegions(), true},
		{"a hole", hole, false},
		{"a hole and a copy", together(hole, hole), false},
		{"one face", &mesh.Surface{Verts: ball.Verts, Tris: ball.Tris[:1]}, false},
		{"soup", soup(r, 400), false},
	} {
		b := tree(t, c.s)
		lo, hi := mesh.Bounds(c.s.Verts)
		size := r3.Sub(hi, lo)
		worst, met := 0.0, map[float64]int{}
		for n := range 2000 {
			p := r3.Add(lo, r3.Vec{X: size.X * (1.4*r.Float64() - 0.2), Y: size.Y * (1.4*r.Float64() - 0.2), Z: size.Z * (1.4*r.Float64() - 0.2)})
			switch n % 3 {
			case 1: // in line with vertices and edges
				v := c.s.Verts[r.IntN(len(c.s.Verts))]
				q := c.s.Verts[r.IntN(len(c.s.Verts))]
				p = r3.Vec{X: v.X, Y: q.Y, Z: p.Z}
				if n%2 == 0 {
					p = r3.Vec{X: p.X, Y: v.Y, Z: v.Z}
				}
			case 2:
				p = r3.Vec{X: math.Round(p.X), Y: math.Round(p.Y), Z: math.Round(2*p.Z) / 2}
			}
			if b.Closest(p).DistMM < 1e-9 {
				continue
			}
			got, want := b.Winding(p), angles(c.s, p)
			if c.closed {
				met[got]++
				if got != math.Round(want) || math.Abs(want-got) > 1e-6 {
					t.Fatalf("%s: winding number %g at %v, want %g", c.name, got, p, want)
				}
			}
			worst = max(worst, math.Abs(got-want))
			if b.Inside(p) != (got > 0.5) {
				t.Fatalf("%s: Inside and Winding differ", c.name)
			}
		}
		if worst > 0.005 {
			t.Errorf("%s: %g off", c.name, worst)
		}
		if c.closed && len(met) < 2 {
			t.Errorf("%s: only %v", c.name, met)
		}
	}
}

// Across a hole the number is one half at the rim of what is enclosed.
func TestInsideWithAHole(t *testing.T) {
	ball := sphere(r3.Vec{}, 20, 4)
	open := &mesh.Surface{Verts: ball.Verts}
	for f, v := range ball.Tris {
		if f%37 != 0 {
			open.Tris = append(open.Tris, v)
		}
	}
	b := tree(t, open)
	r := rand.New(rand.NewPCG(7, 7))
	for range 2000 {
		p := vec(r, 12)
		if d := r3.Norm(p); math.Abs(d-20) > 1 && b.Inside(p) != (d < 20) {
			t.Fatalf("%v, %g mm from the centre: inside %v", p, d, b.Inside(p))
		}
	}
}

func TestSignedDistanceOfASphere(t *testing.T) {
	b := tree(t, sphere(r3.Vec{X: 40}, 20, 5))
	r := rand.New(rand.NewPCG(8, 8))
	for range 500 {
		p := vec(r, 40)
		want := r3.Norm(r3.Sub(p, r3.Vec{X: 40})) - 20
		if got := b.Signed(p); math.Abs(got-want) > 0.03 {
			t.Fatalf("%v: %g mm, want %g", p, got, want)
		}
	}
	if d := b.Signed(r3.Vec{X: 60}); d != 0 {
		t.Fatalf("a vertex is %g mm off", d)
	}
}
