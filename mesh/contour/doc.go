// Package contour turns a label map into one surface for all structures:
// multi-label surface nets with shared vertices.
//
// # Promise
//
// Every face knows the two labels it separates (mesh.Sides; Inside is the
// larger label value, so background is always outside) and is counter-clockwise
// seen from Outside, on left-handed grids too. Outside the grid everything is
// background (a pad of one voxel), so the boundary of every label, and of
// every union of labels, is closed. Where two parts of a label touch only
// along an edge or at a corner the surface is closed but not manifold there
// (mesh.Surface.Topology counts such edges).
//
// # Frame, units, layout
//
// Vertices are in LPS mm, one for each dual cell (the box between eight voxel
// centres) whose voxels differ, in order of k, j, i; neighbouring labels share
// them. Faces come in pairs, the two halves of a quadrilateral that crosses a
// lattice edge between two labels, split along the shorter diagonal.
//
// # Smoothing and volume
//
// A vertex starts at the mean of its cell's edge crossings. Each smoothing
// pass moves it half way to the mean of its neighbours across cell faces;
// vertices at which three or more labels meet look only at their like, so
// that junction lines stay lines. A vertex never leaves its cell (it keeps
// 1 % of a voxel from the walls), so no face is further than one voxel from
// the label border.
//
// Averages shrink: so the faces are moved along their normals afterwards, by
// one offset for each pair of labels, until every label has its voxel-count
// volume. The offsets are differences of one pressure per label, which solve
// Σ_B A_LB (p_L − p_B) = missing volume of L (A_LB: area shared by L and B;
// background has p = 0), repeated as the area changes and vertices meet their
// cell walls. Labels of more than a few voxels end within 0.05 %; a structure
// one voxel thin may keep an error where the cell walls stop it.
//
// # Concurrency
//
// Extract is safe for concurrent use on shared input; its result does not
// depend on GOMAXPROCS.
//
// Source: S. F. F. Gibson, "Constrained elastic surface nets", MICCAI 1998,
// doi:10.1007/BFb0056277; shared multi-label vertices after S. Frisken,
// "SurfaceNets for multi-label segmentations with preservation of sharp
// boundaries", J. Comput. Graph. Tech. 11(1), 2022.
package contour
