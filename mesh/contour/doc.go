// Package contour turns a label map into one surface for all structures:
// multi-label surface nets with shared vertices.
//
// Extract does it in one call. NewNet, Net.Smooth, Net.Restore and Net.Surface
// are its steps, for callers who want the net itself: which lattice edge a face
// crosses, in which cell a vertex stands.
//
// # Promise
//
// Every face knows the two labels it separates (mesh.Sides; Inside is the
// larger label value, so background is always outside) and is counter-clockwise
// seen from Outside, on left-handed grids too. Outside the grid everything is
// background (a pad of one voxel), so the boundary of every label, and of
// every union of labels, is closed: each edge is used as often one way as the
// other.
//
// Where two parts of a label touch only along an edge or at a corner the
// surface is closed but not manifold there (mesh.Surface.Topology counts such
// edges). With Options.Manifold a cell through which several sheets pass has a
// vertex for each of them, at its own crossings. Parts of the larger label
// that touch along an edge then stay apart, those of the smaller one join,
// turned round where both ends of the edge would fall together again. The
// boundary of a map with one label is a closed 2-manifold then, whatever the
// map. With more labels some places cannot be parted, because the sheets of a
// label that touches itself hang together through a sheet between two others:
// none or single edges in medical maps, a few in a hundred of noise. Two
// vertices of one cell may be smoothed past each other.
//
// # Frame, units, layout
//
// Net is in voxel index coordinates, Surface in LPS mm. There is one vertex
// for each dual cell (the box between eight voxel centres) whose voxels
// differ, in order of k, j, i; neighbouring labels share them; vertices that
// Manifold adds come at the end. A quadrilateral stands on each lattice edge
// between two labels; Surface splits it along its shorter diagonal.
//
// # Smoothing and volume
//
// A vertex starts at the mean of its cell's edge crossings. A smoothing pass
// moves it to the mean of its neighbours across the six cell faces, itself
// counted where there is none, but never out of its cell: it keeps 1 % of a
// voxel from the walls, so no face is further than one voxel from the label
// border. Vertices at which three or more labels meet look only at their like,
// so that junctions stay lines; after the last pass they are drawn to the point
// where the sheets around them meet (the least squares of their tangent planes,
// as in dual contouring). They are less accurate than sheets: see below. Vertices outside the outermost voxel centres stay half
// a voxel out: what the grid cuts off keeps a flat end, with a sharp rim, at the
// border of the outermost voxels.
//
// Averages shrink, and thin vessels most. So after every fourth pass, and the
// last, what each vertex lost along its normal is spread over its sheet by
// diffusion and given back. The noise of the voxels averages out, while a
// sphere or a tube, of which every vertex lost the same, is as large as before,
// down to tubes of three voxels across. No label is blurred.
//
// The raw net is not of voxel-count volume (a tube of radius 1.7 voxels lacks
// 2 %), nor is the smoothed one. Restore moves the faces along their normals, by
// one offset for each pair of labels, until every label has it. The offsets are
// differences of one pressure per label, which solve
// Σ_B A_LB (p_L − p_B) = missing volume of L (A_LB: area shared by L and B;
// background has p = 0), repeated as the area changes and vertices meet their
// cell walls. Labels of more than a few voxels end within 0.05 %; a structure
// one voxel thin may keep an error where the cell walls stop it.
//
// After 20 passes and Restore the vertices of a phantom with ellipsoids and a
// vessel tree (256³ voxels, lumen radius 1.7 to 9 voxels) are 0.042 voxels from
// the analytic truth in the mean, 0.23 in the 99th percentile and 0.71 at most
// (in the crotches of the tree); those of the lumen 0.069 in the mean. After 5
// passes it is 0.052 and 0.069. The vertices of junctions (0.5 %) are 0.21 voxels
// from the uppermost label in the mean and 0.63 at most.
//
// # Concurrency
//
// All functions are safe for concurrent use on shared input; Smooth and Restore
// write their Net. Results have the same bits for any GOMAXPROCS. The inner
// loops have twins in SSE2 assembly and Go with the same roundings.
//
// # Sources
//
// S. F. F. Gibson, "Constrained elastic surface nets", MICCAI 1998,
// doi:10.1007/BFb0056277; shared multi-label vertices after S. Frisken,
// "SurfaceNets for multi-label segmentations with preservation of sharp
// boundaries", J. Comput. Graph. Tech. 11(1), 2022. Giving back the mean of what
// was lost: J. Vollmer, R. Mencl, H. Müller, "Improved Laplacian smoothing of
// noisy surface meshes", Comput. Graph. Forum 18(3), 1999,
// doi:10.1111/1467-8659.00334, here along normals. Least squares of tangent
// planes: T. Ju et al., "Dual contouring of Hermite data", SIGGRAPH 2002,
// doi:10.1145/566570.566586. A vertex for each sheet of a cell: G. M. Nielson,
// "Dual marching cubes", IEEE Visualization 2004, doi:10.1109/VISUAL.2004.28.
package contour
