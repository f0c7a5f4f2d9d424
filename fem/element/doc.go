// Package element holds the shape functions and quadrature rules of the
// elements fem uses: Tet4, Tet10 and their faces Tri3, Tri6.
//
// # Reference elements
//
// The reference tetrahedron has vertices (0,0,0), (1,0,0), (0,1,0), (0,0,1)
// and volume 1/6; a point is (r, s, t) in the X, Y, Z of an r3.Vec. The
// reference triangle has vertices (0,0), (1,0), (0,1) and area 1/2; its Z is 0.
// Nodes are ordered as in mesh.TetMesh and VTK: vertices, then mid-edge nodes
// on edges 01, 12, 20, 03, 13, 23 (a triangle: 01, 12, 20).
//
// Lengths are in the unit of the nodes given (mm in this program); shape
// functions have no unit, gradients 1/length.
//
// All functions write into slices of the caller, allocate nothing, keep
// nothing and are safe for concurrent use. They panic when a slice is too
// short. No element here does material or assembly work: that is fem.
//
// Sources: T. J. R. Hughes, The Finite Element Method (2000), chapter 3 and
// appendix 3.I; every quadrature rule names its own.
package element
