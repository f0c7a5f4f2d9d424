package inverse

import (
	"math"

	"halsted/fem"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

const tissue = imaging.LabelLiver

// brick fills [0,a]×[0,b]×[0,c] with nx×ny×nz cells of six tetrahedra each
// (Kuhn's division).
func brick(nx, ny, nz int, a, b, c float64) *mesh.TetMesh {
	id := func(p [3]int) int32 { return int32(p[0] + (nx+1)*(p[1]+(ny+1)*p[2])) }
	m := &mesh.TetMesh{}
	for k := range nz + 1 {
		for j := range ny + 1 {
			for i := range nx + 1 {
				m.Nodes = append(m.Nodes, r3.Vec{X: a * float64(i) / float64(nx), Y: b * float64(j) / float64(ny), Z: c * float64(k) / float64(nz)})
			}
		}
	}
	paths := [6][3]int{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {2, 1, 0}, {1, 0, 2}}
	for k := range nz {
		for j := range ny {
			for i := range nx {
				for n, path := range paths {
					at := [3]int{i, j, k}
					t := [4]int32{id(at)}
					for s, axis := range path {
						at[axis]++
						t[s+1] = id(at)
					}
					if n > 2 { // an odd permutation is a mirror image
						t[1], t[2] = t[2], t[1]
					}
					m.Tets = append(m.Tets, t)
					m.Region = append(m.Region, tissue)
				}
			}
		}
	}
	return m
}

// tubeQuarter is a curved Tet10 mesh of a quarter of a tube slice of length l,
// from radius ra to rb: nr cells through the wall, nt along the quarter circle,
// one along the axis z. It returns the parameters (r, θ, z) of the nodes too.
func tubeQuarter(nr, nt int, ra, rb, l float64) (*mesh.TetMesh, []r3.Vec) {
	m := brick(nr, nt, 1, 1, 1, 1).Quadratic()
	par := make([]r3.Vec, len(m.Nodes))
	for i, p := range m.Nodes {
		q := r3.Vec{X: ra + (rb-ra)*p.X, Y: math.Pi / 2 * p.Y, Z: l * p.Z}
		par[i] = q
		m.Nodes[i] = r3.Vec{X: q.X * math.Cos(q.Y), Y: q.X * math.Sin(q.Y), Z: q.Z}
	}
	return m, par
}

// hold prescribes an axis of the nodes that pass at 0.
func hold(n int, axis int8, pass func(i int) bool) (p []fem.Prescribed) {
	for i := range n {
		if pass(i) {
			p = append(p, fem.Prescribed{Node: int32(i), Axis: axis})
		}
	}
	return p
}

// faces lists element faces whose corners pass.
func faces(m *mesh.TetMesh, pass func(i int32) bool) (out [][3]int32) {
	for _, v := range m.Tets {
		for _, f := range mesh.TetFaces {
			c := [3]int32{v[f[0]], v[f[1]], v[f[2]]}
			if pass(c[0]) && pass(c[1]) && pass(c[2]) {
				out = append(out, c)
			}
		}
	}
	return out
}

// tubeModel is a quarter tube slice in plane strain under inner follower pressure.
func tubeModel(nr, nt int, ra, rb, l, pressureMPa float64, region fem.Region) (*fem.Model, []r3.Vec) {
	m, par := tubeQuarter(nr, nt, ra, rb, l)
	mo := &fem.Model{Mesh: m, Regions: []fem.Region{region}}
	n := len(m.Nodes)
	mo.Prescribed = append(mo.Prescribed, hold(n, 2, func(i int) bool { return par[i].Z == 0 || par[i].Z == l })...)
	mo.Prescribed = append(mo.Prescribed, hold(n, 1, func(i int) bool { return par[i].Y == 0 })...)
	mo.Prescribed = append(mo.Prescribed, hold(n, 0, func(i int) bool { return par[i].Y == math.Pi/2 })...)
	for _, f := range faces(m, func(i int32) bool { return par[i].X == ra }) {
		mo.Loads = append(mo.Loads, fem.FaceLoad{Face: f, PressureMPa: pressureMPa, Follows: true})
	}
	return mo, par
}
