package remesh

import (
	"context"
	"math"
	"testing"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/contour"

	"gonum.org/v1/gonum/spatial/r3"
)

// patch maps a grid of n×m quadrilaterals, closed where wrap says, to space.
func patch(n, m int, wrapU, wrapV bool, at func(u, v float64) r3.Vec) *mesh.Surface {
	cols, rows := n+1, m+1
	if wrapU {
		cols = n
	}
	if wrapV {
		rows = m
	}
	s := &mesh.Surface{}
	for j := range rows {
		for i := range cols {
			s.Verts = append(s.Verts, at(float64(i)/float64(n), float64(j)/float64(m)))
		}
	}
	id := func(i, j int) int32 { return int32(i%cols + cols*(j%rows)) }
	for j := range m {
		for i := range n {
			a, b, c, d := id(i, j), id(i+1, j), id(i+1, j+1), id(i, j+1)
			s.Tris = append(s.Tris, [3]int32{a, b, c}, [3]int32{a, c, d})
		}
	}
	s.Region = make([]mesh.Sides, len(s.Tris))
	for t := range s.Region {
		s.Region[t].Inside = imaging.LabelLiver
	}
	return s
}

func torus(n, m int, big, small float64) *mesh.Surface {
	return patch(n, m, true, true, func(u, v float64) r3.Vec {
		su, cu := math.Sincos(2 * math.Pi * u)
		sv, cv := math.Sincos(2 * math.Pi * v)
		return r3.Vec{X: (big + small*cv) * cu, Y: (big + small*cv) * su, Z: small * sv}
	})
}

// sphere is a subdivided octahedron: 8·4^k faces.
func sphere(k int, radius float64) *mesh.Surface {
	s := &mesh.Surface{
		Verts: []r3.Vec{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}, {Z: 1}, {Z: -1}},
		Tris:  [][3]int32{{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4}, {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}},
	}
	for range k {
		s = subdivide(s)
	}
	for v, p := range s.Verts {
		s.Verts[v] = r3.Scale(radius, r3.Unit(p))
	}
	s.Region = make([]mesh.Sides, len(s.Tris))
	for t := range s.Region {
		s.Region[t].Inside = imaging.LabelLiver
	}
	return s
}

// subdivide splits every face into four.
func subdivide(s *mesh.Surface) *mesh.Surface {
	out := &mesh.Surface{Verts: append([]r3.Vec(nil), s.Verts...)}
	mid := map[[2]int32]int32{}
	half := func(a, b int32) int32 {
		k := [2]int32{min(a, b), max(a, b)}
		m, ok := mid[k]
		if !ok {
			m = int32(len(out.Verts))
			out.Verts = append(out.Verts, r3.Scale(0.5, r3.Add(s.Verts[a], s.Verts[b])))
			mid[k] = m
		}
		return m
	}
	for t, v := range s.Tris {
		a, b, c := half(v[0], v[1]), half(v[1], v[2]), half(v[2], v[0])
		out.Tris = append(out.Tris, [3]int32{v[0], a, c}, [3]int32{a, v[1], b}, [3]int32{c, b, v[2]}, [3]int32{a, b, c})
		if s.Region != nil {
			out.Region = append(out.Region, s.Region[t], s.Region[t], s.Region[t], s.Region[t])
		}
	}
	return out
}

// cube has n×n squares on each side, from 0 to edge mm.
func cube(n int, edge float64) *mesh.Surface {
	id := map[[3]int]int32{}
	s := &mesh.Surface{}
	at := func(p [3]int) int32 {
		v, ok := id[p]
		if !ok {
			v = int32(len(s.Verts))
			id[p] = v
			f := edge / float64(n)
			s.Verts = append(s.Verts, r3.Vec{X: f * float64(p[0]), Y: f * float64(p[1]), Z: f * float64(p[2])})
		}
		return v
	}
	for a := range 3 {
		for side := range 2 {
			for i := range n {
				for j := range n {
					q := func(di, dj int) int32 {
						var p [3]int
						p[a], p[(a+1)%3], p[(a+2)%3] = side*n, i+di, j+dj
						return at(p)
					}
					w := [4]int32{q(0, 0), q(1, 0), q(1, 1), q(0, 1)}
					if side == 0 {
						w[1], w[3] = w[3], w[1]
					}
					s.Tris = append(s.Tris, [3]int32{w[0], w[1], w[2]}, [3]int32{w[0], w[2], w[3]})
				}
			}
		}
	}
	s.Region = make([]mesh.Sides, len(s.Tris))
	for t := range s.Region {
		s.Region[t].Inside = imaging.LabelLiver
	}
	return s
}

func labels(size int, at func(i, j, k int) imaging.Label) *imaging.Labels {
	g := imaging.NewGrid([3]int{size, size, size}, r3.Vec{X: -20, Y: 3, Z: 100}, [3]float64{0.7, 0.7, 0.7})
	l := &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}
	for n := range l.ID {
		l.ID[n] = at(g.IJK(n))
	}
	return l
}

func extract(t testing.TB, l *imaging.Labels, passes int) *mesh.Surface {
	t.Helper()
	s, err := contour.Extract(context.Background(), l, contour.Options{SmoothPasses: passes})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// organ is a liver with two crossing vessels and a tumour at the surface, so
// that three and four labels meet along lines and at points.
func organ(size int) *imaging.Labels {
	c := float64(size)/2 - 0.3
	r := 0.44 * float64(size)
	return labels(size, func(i, j, k int) imaging.Label {
		x, y, z := float64(i)-c, float64(j)-c, float64(k)-c
		if math.Sqrt(x*x+1.3*y*y+1.7*z*z) > r {
			return imaging.LabelBackground
		}
		switch {
		case math.Hypot(y-0.1*x, z) < 0.1*r:
			return imaging.LabelPortalVein
		case math.Hypot(x-0.2*r, z-0.3*y) < 0.12*r:
			return imaging.LabelHepaticVein
		case math.Sqrt((x+0.6*r)*(x+0.6*r)+(y-0.5*r)*(y-0.5*r)+z*z) < 0.35*r:
			return imaging.LabelTumour
		}
		return imaging.LabelLiver
	})
}

// minAngle is the least angle of face t in degrees, by another formula than
// the package's.
func minAngle(s *mesh.Surface, t int) float64 {
	v := s.Tris[t]
	least := math.Pi
	for k := range 3 {
		p, q, r := s.Verts[v[k]], s.Verts[v[(k+1)%3]], s.Verts[v[(k+2)%3]]
		a, b := r3.Sub(q, p), r3.Sub(r, p)
		least = min(least, math.Atan2(r3.Norm(r3.Cross(a, b)), r3.Dot(a, b)))
	}
	return least * 180 / math.Pi
}

// parts counts the edge-connected parts of the boundary of l.
func parts(s *mesh.Surface, l imaging.Label) int {
	up := make([]int, len(s.Tris))
	for t := range up {
		up[t] = t
	}
	root := func(t int) int {
		for up[t] != t {
			up[t] = up[up[t]]
			t = up[t]
		}
		return t
	}
	first := map[[2]int32]int{}
	n := 0
	for t, r := range s.Region {
		if r.Inside != l && r.Outside != l {
			continue
		}
		n++
		for k := range 3 {
			a, b := s.Tris[t][k], s.Tris[t][(k+1)%3]
			e := [2]int32{min(a, b), max(a, b)}
			o, ok := first[e]
			if !ok {
				first[e] = t
			} else if x, y := root(t), root(o); x != y {
				up[x] = y
				n--
			}
		}
	}
	return n
}

// only keeps the faces between the labels of r.
func only(s *mesh.Surface, r mesh.Sides) *mesh.Surface {
	out := &mesh.Surface{Verts: s.Verts}
	for t, x := range s.Region {
		if x == r || x.Inside == r.Outside && x.Outside == r.Inside {
			out.Tris = append(out.Tris, s.Tris[t])
			out.Region = append(out.Region, x)
		}
	}
	return out
}

// apart measures both ways between the faces of each pair of labels, from points
// of at least dense faces each.
func apart(in, out *mesh.Surface, dense int) float64 {
	seen := map[mesh.Sides]bool{}
	worst := 0.0
	for _, r := range in.Region {
		if seen[r] {
			continue
		}
		seen[r] = true
		a, b := only(in, r), only(out, r)
		if len(b.Tris) == 0 {
			return math.Inf(1)
		}
		da, db := a, b
		for len(da.Tris) < dense {
			da = subdivide(da)
		}
		for len(db.Tris) < dense {
			db = subdivide(db)
		}
		worst = max(worst, da.DistanceTo(b).MaxMM, db.DistanceTo(a).MaxMM)
	}
	return worst
}
