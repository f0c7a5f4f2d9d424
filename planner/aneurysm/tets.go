package aneurysm

import (
	"math"
	"slices"

	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// place is where a node stands in the lattice: row and column of the lattice
// and depth in half layers, 0 at the lumen.
type place struct{ row, col, depth int }

// mesh divides the lattice into prisms and these into tetrahedra. The corners
// of a prism are ranked by the number of their column, so that neighbours agree
// on the diagonals (J. Dompierre et al., 8th Int. Meshing Roundtable (1999)
// 195). Where there is no thrombus the depths of a column are one node, and the
// tetrahedra between them drop out.
func (g *wallGrid) mesh() *Wall {
	o := g.o
	depth := o.ThrombusLayers + o.WallLayers // corner depths 0 to depth
	w := &Wall{Mesh: &mesh.TetMesh{}, ThicknessMM: g.t, lengthMM: g.s.LengthMM()}
	id := make([]int32, (o.Rows+1)*o.Angles*(depth+1))
	var at []place
	for i := range o.Rows + 1 {
		for j := range o.Angles {
			base := (i*o.Angles + j) * (depth + 1)
			for k := range depth + 1 {
				if k > 0 && k <= o.ThrombusLayers && g.ilt[2*i*g.cols+2*j] == 0 {
					id[base+k] = id[base]
					continue
				}
				id[base+k] = int32(len(at))
				at = append(at, place{2 * i, 2 * j, 2 * k})
			}
		}
	}
	corner := func(i, j, k int) int32 { return id[(i*o.Angles+j%o.Angles)*(depth+1)+k] }
	add := func(v [4]int32, l imaging.Label) {
		for a, x := range v {
			if slices.Contains(v[:a], x) {
				return
			}
		}
		w.Mesh.Tets = append(w.Mesh.Tets, v)
		w.Mesh.Region = append(w.Mesh.Region, l)
	}
	for i := range o.Rows {
		for j := range o.Angles {
			a, b, c, d := [2]int{i, j}, [2]int{i + 1, j}, [2]int{i + 1, j + 1}, [2]int{i, j + 1}
			for _, tri := range [2][3][2]int{{a, b, c}, {a, c, d}} {
				rank := func(p [2]int) int { return p[0]*o.Angles + p[1]%o.Angles }
				slices.SortFunc(tri[:], func(p, q [2]int) int { return rank(p) - rank(q) })
				for k := range depth {
					var lo, hi [3]int32
					for n, p := range tri {
						lo[n], hi[n] = corner(p[0], p[1], k), corner(p[0], p[1], k+1)
					}
					l := WallRegion
					if k < o.ThrombusLayers {
						l = ThrombusRegion
					}
					add([4]int32{lo[0], lo[1], lo[2], hi[2]}, l)
					add([4]int32{lo[0], lo[1], hi[1], hi[2]}, l)
					add([4]int32{lo[0], hi[0], hi[1], hi[2]}, l)
				}
				w.Luminal = append(w.Luminal, [3]int32{corner(tri[0][0], tri[0][1], 0), corner(tri[1][0], tri[1][1], 0), corner(tri[2][0], tri[2][1], 0)})
			}
		}
	}
	g.place(w, at, id, depth)
	return w
}

// place puts the corner nodes where they belong, turns the tetrahedra to be
// positive and adds the mid-edge nodes.
func (g *wallGrid) place(w *Wall, at []place, id []int32, depth int) {
	m := w.Mesh
	for _, p := range at {
		m.Nodes = append(m.Nodes, g.point(p))
	}
	for e, v := range m.Tets {
		if mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) < 0 {
			m.Tets[e] = [4]int32{v[0], v[2], v[1], v[3]}
		}
	}
	corners := len(m.Nodes)
	q := m.Quadratic()
	q.Nodes = slices.Clip(q.Nodes)
	at = append(at, make([]place, len(q.Nodes)-corners)...)
	for e, v := range q.Tets {
		for n, c := range mesh.TetEdges {
			x := q.Mid[e][n]
			if at[x] != (place{}) {
				continue
			}
			at[x], q.Nodes[x] = g.between(at[v[c[0]]], at[v[c[1]]])
		}
	}
	w.Mesh = q
	for n, p := range at {
		cell := p.row*g.cols + p.col
		w.ArcMM = append(w.ArcMM, g.arc(p.row))
		w.Angle = append(w.Angle, g.angle(p.col))
		w.ThrombusMM = append(w.ThrombusMM, g.ilt[cell])
		w.RadiusMM = append(w.RadiusMM, g.across[cell])
		w.outside = append(w.outside, p.depth == 2*depth)
		switch p.row {
		case 0:
			w.Ends[0] = append(w.Ends[0], int32(n))
		case g.rows - 1:
			w.Ends[1] = append(w.Ends[1], int32(n))
		}
	}
	_, u, v := g.s.frame(0)
	w.EndNormal[0] = r3.Cross(u, v)
	_, u, v = g.s.frame(g.s.LengthMM())
	w.EndNormal[1] = r3.Cross(u, v)
	w.isWall = make([]bool, len(q.Nodes))
	for e, v := range q.Tets {
		if q.Region[e] == WallRegion {
			for _, x := range v {
				w.isWall[x] = true
			}
			for _, x := range q.Mid[e] {
				w.isWall[x] = true
			}
		}
		for q := range 4 {
			w.Axes = append(w.Axes, g.axes(at, v, q))
		}
	}
	w.judge()
}

// judge finds the nodes whose stress counts: of the wall alone, since at a node
// shared with thrombus a frame has the mean of both tissues, and away from the
// held ends, where the stress of a clamp is not that of an aorta: by 3·√(r·t),
// three lengths in which the bending of a thin shell decays.
func (w *Wall) judge() {
	m := w.Mesh
	w.judged, w.volume = slices.Clone(w.isWall), make([]float64, len(m.Nodes))
	for e, v := range m.Tets {
		part := mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) / 6 / 10
		for _, list := range [][]int32{v[:], m.Mid[e][:]} {
			for _, n := range list {
				if m.Region[e] == ThrombusRegion {
					w.judged[n] = false
				} else {
					w.volume[n] += part
				}
			}
		}
	}
	for n, s := range w.ArcMM {
		if away := 3 * math.Sqrt(w.RadiusMM[n]*w.ThicknessMM); s < away || s > w.lengthMM-away {
			w.judged[n] = false
		}
	}
}

// between is the middle of two corners: the place, and the point on the
// lattice's surfaces. In thrombus that runs out, where the lattice has no
// surface, it stands inside the inner surface of the wall by the mean of what
// the corners do.
func (g *wallGrid) between(a, b place) (place, r3.Vec) {
	top := 2 * g.o.ThrombusLayers
	cell := func(q place) int { return q.row*g.cols + q.col%g.cols }
	bare := func(q place) bool { return g.ilt[cell(q)] == 0 }
	for _, q := range []*place{&a, &b} {
		if bare(*q) && q.depth < top {
			q.depth = top
		}
	}
	p := place{(a.row + b.row) / 2, (a.col + b.col) / 2, (a.depth + b.depth) / 2}
	if d := a.col - b.col; d > g.cols/2 || d < -g.cols/2 {
		p.col += g.cols / 2
	}
	p.col %= g.cols
	if p.depth >= top || !bare(a) && !bare(b) && !bare(p) {
		return p, g.point(p)
	}
	from := func(q place) r3.Vec { return r3.Sub(g.point(q), g.inner[cell(q)]) }
	return p, r3.Add(g.inner[cell(p)], r3.Scale(0.5, r3.Add(from(a), from(b))))
}

// point is a place in space: between lumen and wall, or through the wall.
func (g *wallGrid) point(p place) r3.Vec {
	at := p.row*g.cols + p.col
	top := 2 * g.o.ThrombusLayers
	if p.depth < top {
		return mix(g.lumen[at], g.inner[at], float64(p.depth)/float64(top))
	}
	return mix(g.inner[at], g.outer[at], float64(p.depth-top)/float64(2*g.o.WallLayers))
}

func mix(a, b r3.Vec, t float64) r3.Vec { return r3.Add(r3.Scale(1-t, a), r3.Scale(t, b)) }

// A Tet10 has its four quadrature points at the barycentric coordinates near of
// one corner and far of the others: (5 ± 3√5)/20, (5 ∓ √5)/20 (A. Stroud,
// Approximate Calculation of Multiple Integrals (1971), T3: 2-1).
const near, far = 0.5854101966249685, 0.1381966011250105

// axes are the directions of the tissue at quadrature point q of an element:
// around, along, outward.
func (g *wallGrid) axes(at []place, v [4]int32, q int) material.Mat3 {
	var out r3.Vec
	row := 0.0
	for a, n := range v {
		w := far
		if a == q {
			w = near
		}
		p := at[n]
		cell := p.row*g.cols + p.col
		row += w * float64(p.row)
		out = r3.Add(out, r3.Scale(w, r3.Sub(g.outer[cell], g.inner[cell])))
	}
	_, x, y := g.s.frame(row / float64(g.rows-1) * g.s.LengthMM())
	out = r3.Unit(out)
	around := r3.Unit(r3.Cross(r3.Cross(x, y), out))
	return material.Mat3{around, r3.Cross(out, around), out}
}

// minJacobian is the least determinant of the map of a Tet10 at its corners and
// its quadrature points of degree 2.
func minJacobian(m *mesh.TetMesh, e int) float64 {
	least := math.Inf(1)
	for _, at := range [2][2]float64{{near, far}, {1, 0}} {
		for q := range 4 {
			l := [4]float64{at[1], at[1], at[1], at[1]}
			l[q] = at[0]
			var d [4]r3.Vec
			for a, n := range m.Tets[e] {
				d[a] = r3.Scale(4*l[a]-1, m.Nodes[n])
			}
			for k, n := range m.Mid[e] {
				a, b := mesh.TetEdges[k][0], mesh.TetEdges[k][1]
				d[a] = r3.Add(d[a], r3.Scale(4*l[b], m.Nodes[n]))
				d[b] = r3.Add(d[b], r3.Scale(4*l[a], m.Nodes[n]))
			}
			least = min(least, r3.Dot(r3.Sub(d[1], d[0]), r3.Cross(r3.Sub(d[2], d[0]), r3.Sub(d[3], d[0]))))
		}
	}
	return least
}
