package fem

import (
	"math/rand/v2"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// brickMesh fills the box [0,a]×[0,b]×[0,c] mm with nx×ny×nz cells of six
// tetrahedra each (Kuhn's division: conforming, all of positive volume).
func brickMesh(nx, ny, nz int, a, b, c float64) *mesh.TetMesh {
	id := func(i, j, k int) int32 { return int32(i + (nx+1)*(j+(ny+1)*k)) }
	m := &mesh.TetMesh{}
	for k := range nz + 1 {
		for j := range ny + 1 {
			for i := range nx + 1 {
				m.Nodes = append(m.Nodes, r3.Vec{X: a * float64(i) / float64(nx), Y: b * float64(j) / float64(ny), Z: c * float64(k) / float64(nz)})
			}
		}
	}
	perms := [6][3]int{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {2, 1, 0}, {1, 0, 2}}
	for k := range nz {
		for j := range ny {
			for i := range nx {
				for n, p := range perms {
					at := [3]int{i, j, k}
					t := [4]int32{id(at[0], at[1], at[2])}
					for s, axis := range p {
						at[axis]++
						t[s+1] = id(at[0], at[1], at[2])
					}
					if n >= 3 { // odd permutations wind the other way
						t[1], t[2] = t[2], t[1]
					}
					m.Tets = append(m.Tets, t)
					m.Region = append(m.Region, liver)
				}
			}
		}
	}
	return m
}

const liver = imaging.Label(1)

// shake moves the inner vertices of a box mesh by at most f mm.
func shake(m *mesh.TetMesh, a, b, c, f float64, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	for i, p := range m.Nodes {
		d := r3.Vec{X: f * (2*rng.Float64() - 1), Y: f * (2*rng.Float64() - 1), Z: f * (2*rng.Float64() - 1)}
		if p.X > 0 && p.X < a && p.Y > 0 && p.Y < b && p.Z > 0 && p.Z < c {
			m.Nodes[i] = r3.Add(p, d)
		}
	}
}

// prescribe holds all three components of the nodes that pass, at u(x).
func prescribe(m *mesh.TetMesh, keep func(r3.Vec) bool, u func(r3.Vec) r3.Vec) (p []Prescribed) {
	for i, x := range m.Nodes {
		if keep(x) {
			v := u(x)
			p = append(p, Prescribed{int32(i), 0, v.X}, Prescribed{int32(i), 1, v.Y}, Prescribed{int32(i), 2, v.Z})
		}
	}
	return p
}

func still(r3.Vec) r3.Vec { return r3.Vec{} }

// facesOf lists element faces whose three corners pass.
func facesOf(m *mesh.TetMesh, keep func(r3.Vec) bool) (faces [][3]int32) {
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
