package verify

import (
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// ellipticPlate is a quarter of the plate 0 ≤ z ≤ thickness between the
// ellipses with half axes a·x, a·y and b·x, b·y: curved Tet10, nr cells between
// the ellipses in equal steps, nt around, nz through the thickness.
func ellipticPlate(ax, ay, bx, by, thickness float64, nr, nt, nz int) *mesh.TetMesh {
	return mapped(brick(nr, nt, nz, 1, 1, thickness).Quadratic(), func(p r3.Vec) r3.Vec {
		sin, cos := math.Sincos(p.Y * math.Pi / 2)
		if p.Y == 1 {
			cos = 0
		}
		return r3.Vec{X: (ax + (bx-ax)*p.X) * cos, Y: (ay + (by-ay)*p.X) * sin, Z: p.Z}
	})
}

// ventricle is a quarter (x, y ≥ 0) of Land's ellipsoid: the points (s·sin ψ·cos v,
// s·sin ψ·sin v, −l·cos ψ), half axes s and l from inner to outer, apex at
// ψ = 0, up to the plane z = base. Curved Tet10, nr layers, three patches of
// nt×nt cells in each. depth is 0 at the inner and 1 at the outer surface of
// every node.
func ventricle(innerS, innerL, outerS, outerL, base float64, nr, nt int) (m *mesh.TetMesh, depth []float64) {
	radii := make([]float64, nr+1)
	for i := range radii {
		radii[i] = 1 + float64(i)/float64(nr)
	}
	m = octant(radii, nt)
	depth = make([]float64, len(m.Nodes))
	for i, p := range m.Nodes {
		r := r3.Norm(p)
		t := r - 1
		if math.Abs(t) < near || math.Abs(t-1) < near {
			t = math.Round(t)
		}
		depth[i] = t
		s, l := innerS+(outerS-innerS)*t, innerL+(outerL-innerL)*t
		// The pole of the octant becomes the apex; x and y change places, since
		// the apex is below. At the pole both are 0.
		around := math.Hypot(p.X, p.Y)
		psi := math.Atan2(around, p.Z) / (math.Pi / 2) * (math.Pi - math.Acos(base/l))
		sin, cos := math.Sincos(psi)
		q := r3.Vec{Z: -l * cos}
		if around > near*r {
			q.X, q.Y = s*sin*p.Y/around, s*sin*p.X/around
		}
		for _, c := range []*float64{&q.X, &q.Y} {
			if math.Abs(*c) < near {
				*c = 0
			}
		}
		if math.Abs(q.Z-base) < near {
			q.Z = base
		}
		m.Nodes[i] = q
	}
	return m, depth
}

// facesAmong lists element faces whose three corners are among the nodes.
func facesAmong(m *mesh.TetMesh, among func(int32) bool) (faces [][3]int32) {
	for _, v := range m.Tets {
		for _, f := range mesh.TetFaces {
			if c := [3]int32{v[f[0]], v[f[1]], v[f[2]]}; among(c[0]) && among(c[1]) && among(c[2]) {
				faces = append(faces, c)
			}
		}
	}
	return faces
}
