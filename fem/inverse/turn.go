package inverse

import (
	"math"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// turns returns the rotation R of the polar decomposition F = R·U at every
// node, F = ∂x/∂X averaged over the quadrature points of the elements around
// the node. A node without element does not turn.
func turns(ref *mesh.TetMesh, x []r3.Vec) ([]material.Mat3, error) {
	f, err := Gradients(ref, x)
	if err != nil {
		return nil, err
	}
	per := len(f) / len(ref.Tets)
	out := make([]material.Mat3, len(x))
	count := make([]float64, len(x))
	for e, t := range ref.Tets {
		var sum material.Mat3
		for q := range per {
			for k := range sum {
				sum[k] = r3.Add(sum[k], f[e*per+q][k])
			}
		}
		add := func(v int32) {
			count[v]++
			for k := range sum {
				out[v][k] = r3.Add(out[v][k], r3.Scale(1/float64(per), sum[k]))
			}
		}
		for _, v := range t {
			add(v)
		}
		if ref.Mid != nil {
			for _, v := range ref.Mid[e] {
				add(v)
			}
		}
	}
	for v := range out {
		if count[v] == 0 {
			out[v] = material.Identity
			continue
		}
		for k := range out[v] {
			out[v][k] = r3.Scale(1/count[v], out[v][k])
		}
		out[v] = rotation(out[v])
	}
	return out, nil
}

// rotation is R of F = R·U by Newton's iteration R ← (R + R⁻ᵀ)/2 (N. Higham,
// SIAM J. Sci. Stat. Comput. 7 (1986) 1160); the identity where det F ≤ 0.
func rotation(f material.Mat3) material.Mat3 {
	const steps, tol = 30, 1e-14
	for range steps {
		det := f.Det()
		if !(det > 0) {
			return material.Identity
		}
		c := material.Mat3{r3.Cross(f[1], f[2]), r3.Cross(f[2], f[0]), r3.Cross(f[0], f[1])}
		var change float64
		for k := range f {
			next := r3.Scale(0.5, r3.Add(f[k], r3.Scale(1/det, c[k])))
			change = math.Max(change, r3.Norm(r3.Sub(next, f[k])))
			f[k] = next
		}
		if change < tol {
			break
		}
	}
	return f
}

// turnBack replaces f at every node, 3·node + axis, by Rᵀ·f. Prescribed
// components are left alone: they move with the node as they are.
func turnBack(f []float64, rot []material.Mat3, held []fem.Prescribed) {
	keep := make([]float64, len(held))
	for i, p := range held {
		keep[i] = f[3*p.Node+int32(p.Axis)]
	}
	for v := range rot {
		b := r3.Vec{X: f[3*v], Y: f[3*v+1], Z: f[3*v+2]}
		f[3*v], f[3*v+1], f[3*v+2] = r3.Dot(rot[v][0], b), r3.Dot(rot[v][1], b), r3.Dot(rot[v][2], b)
	}
	for i, p := range held {
		f[3*p.Node+int32(p.Axis)] = keep[i]
	}
}
