package spatial_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/mesh"
	"halsted/mesh/spatial"

	"gonum.org/v1/gonum/spatial/r3"
)

// sphere is an octahedron split n times, on a sphere; closed, outward, without
// regions.
func sphere(centre r3.Vec, radius float64, n int) *mesh.Surface {
	s := &mesh.Surface{
		Verts: []r3.Vec{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}, {Z: 1}, {Z: -1}},
		Tris:  [][3]int32{{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4}, {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}},
	}
	for range n {
		mid := map[[2]int32]int32{}
		at := func(a, b int32) int32 {
			k := [2]int32{min(a, b), max(a, b)}
			if _, ok := mid[k]; !ok {
				mid[k] = int32(len(s.Verts))
				s.Verts = append(s.Verts, r3.Unit(r3.Add(s.Verts[a], s.Verts[b])))
			}
			return mid[k]
		}
		var tris [][3]int32
		for _, v := range s.Tris {
			a, b, c := at(v[0], v[1]), at(v[1], v[2]), at(v[2], v[0])
			tris = append(tris, [3]int32{v[0], a, c}, [3]int32{a, v[1], b}, [3]int32{c, b, v[2]}, [3]int32{a, b, c})
		}
		s.Tris = tris
	}
	for i, p := range s.Verts {
		s.Verts[i] = r3.Add(centre, r3.Scale(radius, p))
	}
	return s
}

// block is a box of unit cubes, each side cut in two triangles: every
// coordinate is a whole number, and every side is along an axis.
func block(n [3]int) *mesh.Surface {
	s := &mesh.Surface{}
	number := map[[3]int]int32{}
	at := func(p [3]int) int32 {
		if _, ok := number[p]; !ok {
			number[p] = int32(len(s.Verts))
			s.Verts = append(s.Verts, r3.Vec{X: float64(p[0]), Y: float64(p[1]), Z: float64(p[2])})
		}
		return number[p]
	}
	for axis := range 3 {
		u, v := (axis+1)%3, (axis+2)%3
		for i := range n[u] {
			for j := range n[v] {
				for side := range 2 {
					var q [4]int32
					for c, d := range [4][2]int{{0, 0}, {1, 0}, {1, 1}, {0, 1}} {
						var p [3]int
						p[axis], p[u], p[v] = side*n[axis], i+d[0], j+d[1]
						q[c] = at(p)
					}
					if side == 0 {
						q[1], q[3] = q[3], q[1]
					}
					s.Tris = append(s.Tris, [3]int32{q[0], q[1], q[2]}, [3]int32{q[0], q[2], q[3]})
				}
			}
		}
	}
	return s
}

// together is the union of the faces, no vertex shared.
func together(parts ...*mesh.Surface) *mesh.Surface {
	s := &mesh.Surface{}
	for _, p := range parts {
		n := int32(len(s.Verts))
		s.Verts = append(s.Verts, p.Verts...)
		for _, v := range p.Tris {
			s.Tris = append(s.Tris, [3]int32{v[0] + n, v[1] + n, v[2] + n})
		}
		s.Region = append(s.Region, p.Region...)
	}
	return s
}

// turned is s with its faces turned over.
func turned(s *mesh.Surface) *mesh.Surface {
	o := &mesh.Surface{Verts: s.Verts, Region: s.Region}
	for _, v := range s.Tris {
		o.Tris = append(o.Tris, [3]int32{v[0], v[2], v[1]})
	}
	return o
}

// soup has faces of all sizes, and every fourth one degenerate: a point, a
// segment, on one line, or a copy.
func soup(r *rand.Rand, n int) *mesh.Surface {
	s := &mesh.Surface{}
	for len(s.Tris) < n {
		a := vec(r, 50)
		size := math.Exp(3 * r.NormFloat64())
		b, c := r3.Add(a, vec(r, size)), r3.Add(a, vec(r, size))
		if r.IntN(4) == 0 {
			switch r.IntN(4) {
			case 0:
				b, c = a, a
			case 1:
				c = b
			case 2:
				c = r3.Add(a, r3.Scale(2*r.Float64(), r3.Sub(b, a)))
			case 3:
				if k := len(s.Tris); k > 0 {
					s.Tris = append(s.Tris, s.Tris[r.IntN(k)])
					continue
				}
			}
		}
		k := int32(len(s.Verts))
		s.Verts = append(s.Verts, a, b, c)
		s.Tris = append(s.Tris, [3]int32{k, k + 1, k + 2})
	}
	return s
}

func vec(r *rand.Rand, size float64) r3.Vec {
	return r3.Vec{X: size * r.NormFloat64(), Y: size * r.NormFloat64(), Z: size * r.NormFloat64()}
}

func tree(tb testing.TB, s *mesh.Surface) *spatial.BVH {
	tb.Helper()
	b, err := spatial.New(tb.Context(), s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func corners(s *mesh.Surface, t int) (a, b, c r3.Vec) {
	v := s.Tris[t]
	return s.Verts[v[0]], s.Verts[v[1]], s.Verts[v[2]]
}
