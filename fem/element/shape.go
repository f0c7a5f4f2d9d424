package element

import "gonum.org/v1/gonum/spatial/r3"

// Nodes per element.
const (
	Tet4Nodes  = 4
	Tet10Nodes = 10
	Tri3Nodes  = 3
	Tri6Nodes  = 6
)

// Shape writes the shape functions n and their reference gradients d at p;
// both hold as many entries as the element has nodes, and either may be nil.
type Shape func(n []float64, d []r3.Vec, p r3.Vec)

// Tet4 is the linear tetrahedron: N_a = L_a, the barycentric coordinates.
func Tet4(n []float64, d []r3.Vec, p r3.Vec) {
	if n != nil {
		n = n[:Tet4Nodes]
		n[0], n[1], n[2], n[3] = 1-p.X-p.Y-p.Z, p.X, p.Y, p.Z
	}
	if d != nil {
		copy(d[:Tet4Nodes], baryGrad[:])
	}
}

// baryGrad are the reference gradients of L0 = 1−r−s−t, L1 = r, L2 = s, L3 = t.
var baryGrad = [4]r3.Vec{{X: -1, Y: -1, Z: -1}, {X: 1}, {Y: 1}, {Z: 1}}

// TetNodes are the places of a Tet10's nodes in the reference element, the
// first four those of a Tet4.
var TetNodes = [Tet10Nodes]r3.Vec{
	{}, {X: 1}, {Y: 1}, {Z: 1},
	{X: .5}, {X: .5, Y: .5}, {Y: .5}, {Z: .5}, {X: .5, Z: .5}, {Y: .5, Z: .5},
}

var tetEdges = [6][2]int{{0, 1}, {1, 2}, {2, 0}, {0, 3}, {1, 3}, {2, 3}}

// Tet10 is the quadratic tetrahedron: N_a = L_a(2L_a−1) at the vertices and
// N_ab = 4·L_a·L_b on the edges.
func Tet10(n []float64, d []r3.Vec, p r3.Vec) {
	l := [4]float64{1 - p.X - p.Y - p.Z, p.X, p.Y, p.Z}
	if n != nil {
		n = n[:Tet10Nodes]
		for a, la := range l {
			n[a] = la * (2*la - 1)
		}
		for e, v := range tetEdges {
			n[4+e] = 4 * l[v[0]] * l[v[1]]
		}
	}
	if d != nil {
		d = d[:Tet10Nodes]
		for a, la := range l {
			d[a] = r3.Scale(4*la-1, baryGrad[a])
		}
		for e, v := range tetEdges {
			d[4+e] = r3.Add(r3.Scale(4*l[v[1]], baryGrad[v[0]]), r3.Scale(4*l[v[0]], baryGrad[v[1]]))
		}
	}
}

var triGrad = [3]r3.Vec{{X: -1, Y: -1}, {X: 1}, {Y: 1}}

// Tri3 is the linear triangle.
func Tri3(n []float64, d []r3.Vec, p r3.Vec) {
	if n != nil {
		n = n[:Tri3Nodes]
		n[0], n[1], n[2] = 1-p.X-p.Y, p.X, p.Y
	}
	if d != nil {
		copy(d[:Tri3Nodes], triGrad[:])
	}
}

// Tri6 is the quadratic triangle, the face of a Tet10.
func Tri6(n []float64, d []r3.Vec, p r3.Vec) {
	l := [3]float64{1 - p.X - p.Y, p.X, p.Y}
	if n != nil {
		n = n[:Tri6Nodes]
		for a, la := range l {
			n[a] = la * (2*la - 1)
			n[3+a] = 4 * la * l[(a+1)%3]
		}
	}
	if d != nil {
		d = d[:Tri6Nodes]
		for a, la := range l {
			b := (a + 1) % 3
			d[a] = r3.Scale(4*la-1, triGrad[a])
			d[3+a] = r3.Add(r3.Scale(4*l[b], triGrad[a]), r3.Scale(4*la, triGrad[b]))
		}
	}
}

// Gradients turns reference gradients d into gradients in space g = J⁻ᵀ·d for
// an element with nodes x, where J = Σ x_a ⊗ d_a, and returns det J (six times
// the volume of a straight tetrahedron). g is left alone when det J is 0.
func Gradients(g, d, x []r3.Vec) (detJ float64) {
	x, g = x[:len(d)], g[:len(d)]
	var c0, c1, c2 r3.Vec // columns of J: ∂x/∂r, ∂x/∂s, ∂x/∂t
	o := x[0]             // gradients sum to zero: subtract a node, lose no digits
	for a, da := range d {
		v := r3.Sub(x[a], o)
		c0 = r3.Add(c0, r3.Scale(da.X, v))
		c1 = r3.Add(c1, r3.Scale(da.Y, v))
		c2 = r3.Add(c2, r3.Scale(da.Z, v))
	}
	k0, k1, k2 := r3.Cross(c1, c2), r3.Cross(c2, c0), r3.Cross(c0, c1) // columns of cof J
	detJ = r3.Dot(c0, k0)
	if detJ == 0 {
		return 0
	}
	s := 1 / detJ
	k0, k1, k2 = r3.Scale(s, k0), r3.Scale(s, k1), r3.Scale(s, k2)
	for a, da := range d {
		g[a] = r3.Add(r3.Scale(da.X, k0), r3.Add(r3.Scale(da.Y, k1), r3.Scale(da.Z, k2)))
	}
	return detJ
}

// AreaVector is ∂x/∂r × ∂x/∂s of a face with nodes x: its length times the
// reference area element is the area element, its direction the normal that
// sees the nodes counter-clockwise.
func AreaVector(d, x []r3.Vec) r3.Vec {
	x = x[:len(d)]
	var c0, c1 r3.Vec
	for a, da := range d {
		c0 = r3.Add(c0, r3.Scale(da.X, x[a]))
		c1 = r3.Add(c1, r3.Scale(da.Y, x[a]))
	}
	return r3.Cross(c0, c1)
}
