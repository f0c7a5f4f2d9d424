// Package cut is the surgeon's hand on a tetrahedral mesh: it cuts by a plane, a
// triangulated surface or a Bézier surface.
//
// # Promise
//
// Apply returns a conforming mesh in which the surface is a set of faces; their
// nodes are doubled, so that the parts come apart (Options.Join keeps them
// joined). Only tetrahedra that the surface crosses are divided, and only nodes
// of those move. Corner nodes keep their numbers, new ones come after them; a
// tetrahedron that is not divided keeps its place and the order of its vertices,
// the first piece of a divided one takes its parent's place, and the other pieces
// come last. So all that is away from the cut is the same to the bit. On the
// positive side a node of the cut is a copy: Report.Relinked counts tetrahedra
// that differ in nothing else.
//
// Every tetrahedron that the cut makes or changes has its dihedral angles within
// Options.MinDihedralDeg and MaxDihedralDeg (10° and 160°), or, where its parent
// was beyond one of the two, within that angle of the parent. This is measured, not assumed: where
// no way of cutting keeps the bound, the cut leaves the surface and runs through
// a node nearby (Report.OffNodes, MaxOffMM). A slice of tissue thinner than
// about a third of an edge may so stay on the other side.
//
// # Method
//
// Nodes have a side by their signed distance. Nodes with a crossing within 0.3 of
// an edge are moved onto the surface, nearest first, if the tetrahedra around
// them bear it, and then belong to both sides. The other edges between opposite
// sides are divided at the crossing, the longest first, in an order that depends
// on the edges alone, so that the two tetrahedra at a face divide it alike. Pieces
// below the bound are mended (see mend); pieces below 15° or above 150° are
// smoothed. Tetrahedra are not swapped, so every one has one parent. This is isosurface stuffing (F. Labelle, J. R. Shewchuk, ACM Trans.
// Graph. 26(3), 57, 2007) on any mesh, with guards in place of the lattice; the
// doubling of nodes by what hangs together around them follows N. Molino,
// Z. Bao, R. Fedkiw, "A virtual node algorithm for changing mesh topology during
// simulation", ACM Trans. Graph. 23(3), 2004, section 3.
//
// # Boundary, interfaces, volumes
//
// Labels are inherited. Nodes on the outer boundary and between regions only
// slide within it: at right angles to the area vector of each interface, which
// changes no volume, or along an edge in it; not across creases of 30° or more;
// and lift off the former faces by no more than a twentieth of an edge. Report.Slid lists those where the boundary is
// not flat, SlideMM3 the change of volume, and Options.KeepBoundary forbids it.
// But for SlideMM3 the volumes of the sides add up to the volume before.
//
// # Surfaces that end inside the mesh
//
// The cut goes as far as the surface reaches and not beyond: an edge is divided
// only where the surface itself crosses it. The last faces before the rim end up
// to an edge short of it; there the nodes are single and the sides stay joined.
// A hole in a triangulated surface is such a rim: a bridge stays. A part that
// holds both sides has Side Both, and counts in neither of Report.VolumeMM3.
//
// Folds and sheets closer to each other than an edge are not resolved: an edge
// crossed twice is not cut.
//
// # Tet10
//
// The corner mesh is cut. Edges whose ends stayed keep their mid-edge node; other
// edges of changed tetrahedra get a straight one. Where a curved edge would invert
// a piece beside the cut it is made straight (Report.Straightened). Mid-edge
// nodes are renumbered, as they come after all corners.
//
// # Frame, units, concurrency
//
// LPS mm. The input is not changed. Apply is safe for concurrent use on shared
// input, and gives the same bits for any GOMAXPROCS. A context is honoured
// within 200 ms.
package cut
