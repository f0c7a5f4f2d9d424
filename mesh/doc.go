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
// # What is here
//
// TetMesh.Check and Surface.Check say whether a mesh can be computed with, and
// name the first defect; Quality measures shape. TetMesh.Boundary, Quadratic,
// Interfaces, Keep and Parts, and Surface.Bounding, derive meshes from meshes.
// Surface.Defects counts every fault of a triangle set. Embed ties a
// fine surface to a coarser tetrahedral mesh. Surface.DistanceTo compares two
// surfaces; mesh/spatial does so per label. Making meshes is the work of
// mesh/contour and mesh/tetra.
//
// Meshes are plain data, safe for concurrent reading; functions return new
// meshes unless they say otherwise, and give the same bits for any GOMAXPROCS.
// Nothing here does I/O.
package mesh
