package fem

import (
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Solid is a region of a triangulated surface as an obstacle. Its facets are
// felt as such: let them be no coarser than the faces that touch them.
type Solid struct {
	Surface *mesh.Surface
	Label   imaging.Label
}

func (s Solid) check(field string) error {
	if s.Surface == nil || len(s.Surface.Tris) == 0 {
		return badInput(field, "is a solid without a surface")
	}
	if err := s.Surface.Check(); err != nil {
		return badInput(field, "is a solid that is not closed: %v", err)
	}
	for _, r := range s.Surface.Region {
		if r.Inside == s.Label || r.Outside == s.Label {
			return nil
		}
	}
	return badInput(field, "is the solid %v, which its surface does not have", s.Label)
}

// facets is the signed distance of a closed triangulated surface; the sign is
// taken from angle-weighted normals (Bærentzen & Aanæs, IEEE Trans. Vis. Comput.
// Graph. 11 (2005) 243).
type facets struct {
	v      []r3.Vec
	tri    [][3]int32 // counter-clockwise from outside
	normal []r3.Vec
	edge   [][3]r3.Vec // sums of the normals at edges 01, 12, 20
	corner []r3.Vec    // per vertex
	tree   *boxTree
}

func (s Solid) field() (distanceField, error) {
	f := &facets{v: s.Surface.Verts, corner: make([]r3.Vec, len(s.Surface.Verts))}
	for i, t := range s.Surface.Tris {
		r := s.Surface.Region[i]
		switch s.Label {
		case r.Inside:
		case r.Outside:
			t[1], t[2] = t[2], t[1]
		default:
			continue
		}
		a, b, c := f.v[t[0]], f.v[t[1]], f.v[t[2]]
		n := r3.Cross(r3.Sub(b, a), r3.Sub(c, a))
		l := r3.Norm(n)
		if l == 0 {
			continue // a sliver without area; its edges belong to its neighbours
		}
		f.tri = append(f.tri, t)
		f.normal = append(f.normal, r3.Scale(1/l, n))
	}
	sums := make(map[[2]int32]r3.Vec, 2*len(f.tri)) // only looked up
	lo, hi := make([]r3.Vec, len(f.tri)), make([]r3.Vec, len(f.tri))
	items := make([]int32, len(f.tri))
	for i, t := range f.tri {
		items[i] = int32(i)
		n := f.normal[i]
		lo[i], hi[i] = f.v[t[0]], f.v[t[0]]
		for e := range 3 {
			p, q, r := t[e], t[(e+1)%3], t[(e+2)%3]
			key := [2]int32{min(p, q), max(p, q)}
			sums[key] = r3.Add(sums[key], n)
			a, b := r3.Sub(f.v[q], f.v[p]), r3.Sub(f.v[r], f.v[p])
			f.corner[p] = r3.Add(f.corner[p], r3.Scale(math.Atan2(r3.Norm(r3.Cross(a, b)), r3.Dot(a, b)), n))
			x := f.v[p]
			lo[i] = r3.Vec{X: min(lo[i].X, x.X), Y: min(lo[i].Y, x.Y), Z: min(lo[i].Z, x.Z)}
			hi[i] = r3.Vec{X: max(hi[i].X, x.X), Y: max(hi[i].Y, x.Y), Z: max(hi[i].Z, x.Z)}
		}
	}
	f.edge = make([][3]r3.Vec, len(f.tri))
	for i, t := range f.tri {
		for e := range 3 {
			f.edge[i][e] = sums[[2]int32{min(t[e], t[(e+1)%3]), max(t[e], t[(e+1)%3])}]
		}
	}
	f.tree = newBoxTree(lo, hi, items)
	return f, nil
}

func (f *facets) gap(x r3.Vec) (float64, r3.Vec, bend) {
	best := math.Inf(1)
	var at int32
	var part int
	var y r3.Vec
	f.tree.nearest(x, best, func(i int32) float64 {
		q, p := f.onFacet(i, x)
		if d := r3.Norm(r3.Sub(x, q)); d < best || d == best && i < at {
			best, at, part, y = d, i, p, q
		}
		return best * (1 + 1e-12)
	})
	n, t := f.normal[at], f.tri[at]
	r := r3.Sub(x, y)
	if part == 0 {
		return r3.Dot(r, n), n, bend{}
	}
	if part < 4 {
		n = f.edge[at][part-1]
	} else {
		n = f.corner[t[part-4]]
	}
	n = r3.Unit(n)
	g := r3.Dot(r, n)
	if best < 1e-9*(1+r3.Norm(x)) {
		return g, n, bend{}
	}
	sign := math.Copysign(1, g)
	n = r3.Scale(sign/best, r)
	if part < 4 {
		along := r3.Unit(r3.Sub(f.v[t[part%3]], f.v[t[part-1]]))
		return sign * best, n, bend{line: sign / best, b: r3.Cross(along, n)}
	}
	return sign * best, n, bend{iso: sign / best}
}

// onFacet is the point of facet i nearest to x, and the part it lies on as in
// foot (C. Ericson, Real-Time Collision Detection (2005), 5.1.5).
func (f *facets) onFacet(i int32, x r3.Vec) (r3.Vec, int) {
	t := f.tri[i]
	a, b, c := f.v[t[0]], f.v[t[1]], f.v[t[2]]
	ab, ac := r3.Sub(b, a), r3.Sub(c, a)
	ax, bx, cx := r3.Sub(x, a), r3.Sub(x, b), r3.Sub(x, c)
	d1, d2 := r3.Dot(ab, ax), r3.Dot(ac, ax)
	if d1 <= 0 && d2 <= 0 {
		return a, 4
	}
	d3, d4 := r3.Dot(ab, bx), r3.Dot(ac, bx)
	if d3 >= 0 && d4 <= d3 {
		return b, 5
	}
	d5, d6 := r3.Dot(ab, cx), r3.Dot(ac, cx)
	if d6 >= 0 && d5 <= d6 {
		return c, 6
	}
	vc := d1*d4 - d3*d2
	if vc <= 0 && d1 >= 0 && d3 <= 0 {
		return r3.Add(a, r3.Scale(d1/(d1-d3), ab)), 1
	}
	vb := d5*d2 - d1*d6
	if vb <= 0 && d2 >= 0 && d6 <= 0 {
		return r3.Add(a, r3.Scale(d2/(d2-d6), ac)), 3
	}
	va := d3*d6 - d5*d4
	if va <= 0 && d4 >= d3 && d5 >= d6 {
		return r3.Add(b, r3.Scale((d4-d3)/((d4-d3)+(d5-d6)), r3.Sub(c, b))), 2
	}
	s := 1 / (va + vb + vc)
	return r3.Add(a, r3.Add(r3.Scale(vb*s, ab), r3.Scale(vc*s, ac))), 0
}
