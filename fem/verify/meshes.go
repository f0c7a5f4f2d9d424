package verify

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// tissue is the label of meshes of one region.
const tissue = imaging.LabelLiver

// brick fills [0,a]×[0,b]×[0,c] mm with nx×ny×nz cells of six Tet4 each (Kuhn's
// division: conforming, all of positive volume).
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

// mapped moves every node, also those on edges, so that a Tet10 mesh is curved
// as the map is; the map must keep the orientation.
func mapped(m *mesh.TetMesh, f func(r3.Vec) r3.Vec) *mesh.TetMesh {
	for i, p := range m.Nodes {
		m.Nodes[i] = f(p)
	}
	return m
}

// distorted moves the vertices of a Tet4 mesh of [0,a]³ that are inside it by
// at most f mm in each direction.
func distorted(m *mesh.TetMesh, a, f float64, seed uint64) *mesh.TetMesh {
	rng := rand.New(rand.NewPCG(seed, 0))
	in := func(v float64) bool { return v > 0 && v < a }
	for i, p := range m.Nodes {
		d := r3.Vec{X: f * (2*rng.Float64() - 1), Y: f * (2*rng.Float64() - 1), Z: f * (2*rng.Float64() - 1)}
		if in(p.X) && in(p.Y) && in(p.Z) {
			m.Nodes[i] = r3.Add(p, d)
		}
	}
	return m
}

// quarterTube is a curved Tet10 mesh of a quarter of a tube a ≤ r ≤ b about z,
// 0 ≤ z ≤ length, nr cells through the wall, nt along the quarter circle.
func quarterTube(a, b, length float64, nr, nt, nz int) *mesh.TetMesh {
	return mapped(brick(nr, nt, nz, b-a, 1, length).Quadratic(), func(p r3.Vec) r3.Vec {
		sin, cos := math.Sincos(p.Y * math.Pi / 2)
		if p.Y == 1 {
			cos = 0
		}
		return r3.Vec{X: (a + p.X) * cos, Y: (a + p.X) * sin, Z: p.Z}
	})
}

// octant is an eighth of a hollow sphere with the given radii of its layers, mm:
// three patches of nt×nt cells on each, Tet10 with all nodes on their spheres.
func octant(radii []float64, nt int) *mesh.TetMesh {
	cube := brick(nt, nt, nt, 1, 1, 1)
	id := map[r3.Vec]int32{}
	var dirs []r3.Vec // the faces x=1, y=1, z=1 of a cube, projected
	for _, p := range cube.Nodes {
		if p.X == 1 || p.Y == 1 || p.Z == 1 {
			id[p] = int32(len(dirs))
			dirs = append(dirs, r3.Unit(r3.Vec{X: math.Tan(p.X * math.Pi / 4), Y: math.Tan(p.Y * math.Pi / 4), Z: math.Tan(p.Z * math.Pi / 4)}))
		}
	}
	surf, _ := cube.Boundary()
	var tris [][3]int32
	for _, f := range surf.Tris {
		p, q, r := surf.Verts[f[0]], surf.Verts[f[1]], surf.Verts[f[2]]
		if p.X == 1 && q.X == 1 && r.X == 1 || p.Y == 1 && q.Y == 1 && r.Y == 1 || p.Z == 1 && q.Z == 1 && r.Z == 1 {
			tris = append(tris, [3]int32{id[p], id[q], id[r]})
		}
	}
	m := &mesh.TetMesh{}
	for _, r := range radii {
		for _, d := range dirs {
			m.Nodes = append(m.Nodes, r3.Scale(r, d))
		}
	}
	nd := int32(len(dirs))
	for l := range int32(len(radii) - 1) {
		for _, f := range tris { // a prism in three, split by the order of the node numbers
			slices.Sort(f[:])
			lo, up := l*nd, (l+1)*nd
			for _, v := range [3][4]int32{
				{f[0] + lo, f[1] + lo, f[2] + lo, f[2] + up},
				{f[0] + lo, f[1] + lo, f[1] + up, f[2] + up},
				{f[0] + lo, f[0] + up, f[1] + up, f[2] + up},
			} {
				if mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) < 0 {
					v[0], v[1] = v[1], v[0]
				}
				m.Tets = append(m.Tets, v)
				m.Region = append(m.Region, tissue)
			}
		}
	}
	q := m.Quadratic()
	for t, v := range q.Tets {
		for e, ends := range mesh.TetEdges {
			p, o := q.Nodes[v[ends[0]]], q.Nodes[v[ends[1]]]
			q.Nodes[q.Mid[t][e]] = r3.Scale((r3.Norm(p)+r3.Norm(o))/2, r3.Unit(r3.Add(p, o)))
		}
	}
	return q
}

// layers are n+1 radii from a to b in equal ratio, so that the cells keep their
// shape.
func layers(a, b float64, n int) []float64 {
	r := make([]float64, n+1)
	for i := range r {
		r[i] = a * math.Pow(b/a, float64(i)/float64(n))
	}
	r[n] = b
	return r
}

// facesWhere lists element faces whose three corners pass.
func facesWhere(m *mesh.TetMesh, keep func(r3.Vec) bool) (faces [][3]int32) {
	for _, v := range m.Tets {
		for _, f := range mesh.TetFaces {
			c := [3]int32{v[f[0]], v[f[1]], v[f[2]]}
			if keep(m.Nodes[c[0]]) && keep(m.Nodes[c[1]]) && keep(m.Nodes[c[2]]) {
				faces = append(faces, c)
			}
		}
	}
	return faces
}

// nodesWhere lists the nodes that pass.
func nodesWhere(m *mesh.TetMesh, keep func(r3.Vec) bool) (nodes []int32) {
	for i, p := range m.Nodes {
		if keep(p) {
			nodes = append(nodes, int32(i))
		}
	}
	return nodes
}

// kind is the element of a mesh.
func kind(m *mesh.TetMesh) string {
	if m.Mid != nil {
		return "Tet10"
	}
	return "Tet4"
}

// described is what the table says of a mesh: the number of elements and their
// kind after what is special.
func described(special string, m *mesh.TetMesh) string {
	s := fmt.Sprintf("%d %s", len(m.Tets), kind(m))
	if special != "" {
		s = special + ", " + s
	}
	return s
}

// straight puts the mid-edge nodes of a Tet10 mesh in the middle of their edges.
func straight(m *mesh.TetMesh) {
	for t, v := range m.Tets {
		for e, ends := range mesh.TetEdges {
			m.Nodes[m.Mid[t][e]] = r3.Scale(0.5, r3.Add(m.Nodes[v[ends[0]]], m.Nodes[v[ends[1]]]))
		}
	}
}
