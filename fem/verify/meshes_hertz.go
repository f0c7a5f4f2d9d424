package verify

import (
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// gradedAxis is 0, h, 2h, … up to about fine, then steps that grow by the factor
// to the end.
func gradedAxis(h, fine, factor, end float64) (x []float64) {
	for i := 0; float64(i)*h < fine-h/2; i++ {
		x = append(x, float64(i)*h)
	}
	v, step := float64(len(x))*h, h
	for v < end {
		x = append(x, v)
		step *= factor
		v += step
	}
	if end-x[len(x)-1] < step/3 {
		x = x[:len(x)-1]
	}
	return append(x, end)
}

// gradedQuarter is the quarter x, y ≥ 0 of a block of the half-width and depth
// size with its top at z = 0: cells of h mm within fine mm of the origin (half
// of that down), then growing.
func gradedQuarter(h, fine, factor, size float64) *mesh.TetMesh {
	x, z := gradedAxis(h, fine, factor, size), gradedAxis(h, fine/2, factor, size)
	n, k := len(x)-1, len(z)-1
	return mapped(brick(n, n, k, float64(n), float64(n), float64(k)), func(p r3.Vec) r3.Vec {
		return r3.Vec{X: x[int(p.X+0.5)], Y: x[int(p.Y+0.5)], Z: -z[k-int(p.Z+0.5)]}
	})
}

// upper is the label of the second of two bodies.
const upper = imaging.LabelLiver + 1

// twoBodies puts mesh b, moved by at and labelled upper, beside mesh a.
func twoBodies(a, b *mesh.TetMesh, at r3.Vec) *mesh.TetMesh {
	m := &mesh.TetMesh{Nodes: append([]r3.Vec(nil), a.Nodes...), Tets: append([][4]int32(nil), a.Tets...), Region: append([]imaging.Label(nil), a.Region...)}
	n := int32(len(a.Nodes))
	for _, p := range b.Nodes {
		m.Nodes = append(m.Nodes, r3.Add(p, at))
	}
	for _, t := range b.Tets {
		m.Tets = append(m.Tets, [4]int32{t[0] + n, t[1] + n, t[2] + n, t[3] + n})
		m.Region = append(m.Region, upper)
	}
	return m
}

// facesOf lists element faces of a region whose three corners pass.
func facesOf(m *mesh.TetMesh, label imaging.Label, keep func(r3.Vec) bool) (faces [][3]int32) {
	for e, v := range m.Tets {
		if m.Region[e] != label {
			continue
		}
		for _, f := range mesh.TetFaces {
			c := [3]int32{v[f[0]], v[f[1]], v[f[2]]}
			if keep(m.Nodes[c[0]]) && keep(m.Nodes[c[1]]) && keep(m.Nodes[c[2]]) {
				faces = append(faces, c)
			}
		}
	}
	return faces
}
