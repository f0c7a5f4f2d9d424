package inverse

import (
	"fmt"
	"math"

	"halsted/fem/material"
	"halsted/internal/par"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// gradientChunk is the number of elements of one task.
const gradientChunk = 256

// A Tet10 has its four quadrature points (degree 2) at the barycentric
// coordinates nearQ of one vertex and farQ of the others, in the order of the
// vertices: (5 ± 3√5, 5 ∓ √5)/20 (A. H. Stroud, Approximate Calculation of
// Multiple Integrals (1971), T3: 2-1).
var nearQ, farQ = (5 + 3*math.Sqrt(5)) / 20, (5 - math.Sqrt(5)) / 20

// Gradients returns F = ∂x/∂X at every quadrature point of the solver
// (element·points + point; Tet10 has 4 points, Tet4 has 1), for nodes that
// stand at X in ref and at x, both LPS mm. An inverted element of ref is an
// error that names it.
func Gradients(ref *mesh.TetMesh, x []r3.Vec) ([]material.Mat3, error) {
	if len(x) != len(ref.Nodes) {
		return nil, badInput("x", "has %d places for %d nodes", len(x), len(ref.Nodes))
	}
	nq := 1
	if ref.Mid != nil {
		nq = 4
	}
	out := make([]material.Mat3, nq*len(ref.Tets))
	bad := make([]float64, len(ref.Tets))
	par.Chunks(len(ref.Tets), gradientChunk, func(lo, hi int) {
		for e := lo; e < hi; e++ {
			for q := range nq {
				before, after := jacobian(ref, e, q, ref.Nodes), jacobian(ref, e, q, x)
				det := before.Det()
				if !(det > 0) {
					bad[e] = min(bad[e], det, -1e-300)
					continue
				}
				// F = J_x·J_X⁻¹, whose rows are the cross products of J_X's columns over det
				inv := material.Mat3{r3.Cross(before[1], before[2]), r3.Cross(before[2], before[0]), r3.Cross(before[0], before[1])}
				f := &out[e*nq+q]
				for k := range inv {
					g := r3.Scale(1/det, inv[k])
					f[0] = r3.Add(f[0], r3.Scale(g.X, after[k]))
					f[1] = r3.Add(f[1], r3.Scale(g.Y, after[k]))
					f[2] = r3.Add(f[2], r3.Scale(g.Z, after[k]))
				}
			}
		}
	})
	for e, det := range bad {
		if det < 0 {
			v := ref.Tets[e]
			c := r3.Scale(0.25, r3.Add(r3.Add(ref.Nodes[v[0]], ref.Nodes[v[1]]), r3.Add(ref.Nodes[v[2]], ref.Nodes[v[3]])))
			return nil, fmt.Errorf("inverse: element %d at (%.1f, %.1f, %.1f) mm is inverted (det J %.3g mm³)", e, c.X, c.Y, c.Z, det)
		}
	}
	return out, nil
}

// jacobian is J with the columns ∂x/∂L_k − ∂x/∂L_0, k = 1 to 3, at quadrature
// point q of element e with nodes at x; for a Tet10
// ∂x/∂L_a = (4L_a − 1)·x_a + 4·Σ_b L_b·x_ab.
func jacobian(m *mesh.TetMesh, e, q int, x []r3.Vec) (j material.Mat3) {
	var d [4]r3.Vec
	t := m.Tets[e]
	if m.Mid == nil {
		for a, v := range t {
			d[a] = x[v]
		}
	} else {
		l := [4]float64{farQ, farQ, farQ, farQ}
		l[q] = nearQ
		for a, v := range t {
			d[a] = r3.Scale(4*l[a]-1, x[v])
		}
		for k, v := range m.Mid[e] {
			a, b := mesh.TetEdges[k][0], mesh.TetEdges[k][1]
			d[a] = r3.Add(d[a], r3.Scale(4*l[b], x[v]))
			d[b] = r3.Add(d[b], r3.Scale(4*l[a], x[v]))
		}
	}
	for k := range j {
		j[k] = r3.Sub(d[k+1], d[0])
	}
	return j
}

// Natural returns the prestress for the imaged mesh: F·G per quadrature point,
// with F from the stress-free to the imaged shape and G the Natural of the
// model that was unloaded (per point, per element, or none). A model with the
// imaged mesh, this Natural and the same loads stays where it is: at every
// quadrature point dv = det F·dV, so its internal forces are those of the
// reinflated mesh to rounding. Loads must act on the imaged shape to be the
// same: follower pressure and nodal forces do; dead tractions and pressures act
// on the face area, gravity on the volume of the mesh they are given on. Mean
// dilatation takes only det G = 1 and so not this map; use the displacement
// form (compare M. Gee, C. Förster & W. Wall, Int. J. Numer. Meth. Biomed. Eng.
// 26 (2010) 52, who update the same F incrementally).
func (r *Reference) Natural(g []material.Mat3) ([]material.Mat3, error) {
	f, err := Gradients(r.Mesh, r.Imaged)
	if err != nil || len(g) == 0 {
		return f, err
	}
	per := len(f) / len(r.Mesh.Tets)
	switch len(g) {
	case len(f):
		per = 1
	case len(r.Mesh.Tets):
	default:
		return nil, badInput("Natural", "has %d entries; give one per element (%d) or per quadrature point (%d)", len(g), len(r.Mesh.Tets), len(f))
	}
	for i := range f {
		f[i] = product(&f[i], &g[i/per])
	}
	return f, nil
}

// product is a·b.
func product(a, b *material.Mat3) (c material.Mat3) {
	for j := range c {
		c[j] = r3.Add(r3.Scale(b[j].X, a[0]), r3.Add(r3.Scale(b[j].Y, a[1]), r3.Scale(b[j].Z, a[2])))
	}
	return c
}
