// Package mesh holds surface and tetrahedral meshes in patient space and says
// whether they are sound.
//
// # Frame, units, layout
//
// Vertices are []r3.Vec in LPS mm; connectivity is [][3]int32 and [][4]int32
// into them. A triangle is counter-clockwise seen from outside the region it
// bounds (its normal (b−a)×(c−a) points from Region[t].Inside to
// Region[t].Outside). A tetrahedron (a,b,c,d) has positive volume
// (b−a)·((c−a)×(d−a))/6.
//
// A TetMesh may carry mid-edge nodes (Tet10). Their order is that of VTK's
// quadratic tetrahedron (VTK_QUADRATIC_TETRA = 24): edges 01, 12, 20, 03, 13,
// 23. Mid-edge nodes are numbered after all vertices.
//
// Meshes are plain data, safe for concurrent reading; functions return new
// meshes unless they say otherwise. Nothing here does I/O.
package mesh
