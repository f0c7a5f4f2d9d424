// Package shell gives thin walls their elements: prism layers split into
// tetrahedra, or membrane triangles, grown from a lumen surface; and it says
// which vessels are worth meshing at all.
//
// # Promise
//
// Grow takes a conforming tetrahedral mesh in which a lumen is a region, or is
// left hollow, and returns one with a wall of stated thickness (a constant, or
// per node) around it. The result conforms, every tetrahedron is positive, and
// every new or changed one keeps the dihedral bounds, 10 to 160 degrees unless
// Options says otherwise; one that broke a bound before gets no worse. This
// holds for any input, also for surfaces that are not manifold: where the wall
// does not fit it gets thinner, down to nothing, and in the limit the mesh stays
// as it was. Such places are listed with the thickness wanted and got.
// Tetrahedra away from the wall keep their bits.
//
// # Thickness
//
// A node of the lumen surface moves by t·m, where m·n = 1 for the unit normals n
// of the faces around it, in the sense of least squares: so every face moves
// parallel to itself by t. The wall is then the space between a polyhedral
// surface and its parallel surface, whose volume is (J. Steiner, 1840)
//
//	V = t·A + t²/2·Σ l·θ + t³/3·Σ K
//
// with the area A, the length l of each edge and the angle θ between the
// normals at it (positive where the surface is convex seen from the wall), and
// the angle defect K of each node that is not on a rim. Report.SteinerMM3 is
// this number; concave creases that the wall fills twice count twice in it. In
// tight folds, where prisms would cross, directions are combed apart and, if
// that is not enough, heights lowered.
//
// A prism of thickness t on a triangle of edge e has dihedral angles down to
// about atan(0.7·t/e). Under the default bound a wall of 0.3 mm wants edges of
// at most about 1.2 mm. On larger faces give Options.WallMinDihedralDeg, or use
// Membrane: triangles with a thickness. A face with a corner below the bound
// cannot carry a full prism at any thickness.
//
// # Room
//
// The nodes behind the wall give way over a depth of about six thicknesses and
// two edges: the offsets of a quadratic energy in which short edges are stiff
// come first, then the tetrahedra out of bounds are mended node by node (no step
// raises the sum of what is lacking). Where some stay out of bounds the wall
// next to them is lowered by 15 % and the tissue goes back in proportion, again
// and again. Nodes on the border of the mesh and on interfaces slide in them:
// exactly where these are plane, on the old triangles where they are curved, and
// there only near a place where the wall ends on them. The wall ends flush with
// the border; against a region that makes no room it thins out to nothing.
//
// # Large and small vessels
//
// Choose divides the voxels of a vessel by local radius over edge length: large
// vessels stay in the label map and become tetrahedra, thin branches are given to
// the tissue around them and come back as centre lines with radii, to be tied to
// the mesh by mesh.Embed.
//
// # Frame, units, layout
//
// LPS mm. Old nodes and tetrahedra keep their numbers, new ones stand behind
// them; the lumen surface keeps the old nodes (with IntoLumen: the tissue). The
// diagonals of prisms start at their smallest node number.
//
// # What it does not do
//
// It does not refine or repair the lumen surface, does not change the lumen, and
// does not merge two walls that meet: what lies between them stays tissue, and
// both get thinner. Tet10 meshes are refused by Grow; call Quadratic afterwards.
// Centre lines are traced between voxel centres and smoothed.
//
// # Concurrency
//
// Grow, Membrane and Choose are safe for concurrent use on shared input. The
// result does not depend on GOMAXPROCS. Options.Where, Options.ThicknessAt and
// the tissue function of Choose are called from one goroutine.
package shell
