// Package tetra fills labels with conforming tetrahedra of bounded quality.
//
// # Promise
//
// Mesh takes any label map. The mesh it returns conforms (every inner face
// belongs to exactly two tetrahedra), every tetrahedron is positive with all
// dihedral angles between MinDihedralDeg and MaxDihedralDeg, neighbouring
// labels share the nodes of their interface, and every connected part of every
// label (voxels that share faces) has a tetrahedron at most a voxel away from
// it. That is checked at the end, and the lattice refined where a part was
// missed; should that not help in four rounds, the part is listed in
// Report.Displaced. Fill does the same for one structure given by its signed
// distance.
//
// The bound is kept in three steps. Lattice tetrahedra are split by a fixed set
// of stencils, 294 up to congruence. With every cut in the middle of its edge
// their angles lie between 10.89° and 157.80°; interval branch and bound proves
// MinDihedralDeg and MaxDihedralDeg for these, 9.7° to 159.9° when the cuts are
// within 0.02 of the middle, 8.1° to 163° within 0.05 and 5.7° to 167.7° within
// 0.1 of the edge's length (proof_test.go). Cuts and snapped vertices go where
// the interface is, which may be far from the middle; so every piece is
// measured, and wherever one breaks the bound a vertex is taken back to its
// lattice place or a cut is moved to the middle, until all keep it. Fit and
// Improve refuse what would break it afterwards.
//
// # How
//
//  1. A smoothed multi-label surface net (mesh/contour) places the interfaces
//     between the voxels; labels are not blurred. Each voxel beside an interface
//     gets its distance to it (labelField).
//  2. An octree is refined where the net has vertices: to the side wanted for
//     the labels that meet, and further where a cell holds a junction, several
//     interfaces or a strongly bent one. Neighbouring leaves differ by one level
//     at most; the body-centred cubic lattice on it has four shapes of
//     tetrahedra (bcc).
//  3. Every lattice vertex gets the label at its place. Parts of labels that no
//     vertex hits claim one near them, or have the lattice refined.
//  4. Vertices close to an interface are moved onto it and then carry both
//     labels: where several labels meet first, then in order of distance along
//     the lattice edges.
//  5. Edges whose ends share no label are split, longest first, then faces and
//     tetrahedra, until all corners of a piece share a label (split).
//  6. Interface nodes are moved so that faces lie evenly on both sides of the
//     interface and every label gets its voxel-count volume (fit).
//  7. Improve works on what is still below 15° or above 155°.
//
// # Frame, units, layout
//
// Labels and distances sit at the voxel centres of an imaging.Grid (LPS, mm; any
// rotation, anisotropic spacing, either handedness). The lattice is aligned with
// the axes of the grid. Outside the grid is background: a structure that touches
// the border ends on the outer voxel faces.
//
// # What it does not do
//
// Features of one label thinner than a cell may be pierced or bridged where that
// label goes on elsewhere: only whole parts are kept. Compare with
// mesh.Surface.DistanceTo, or ask for smaller cells with Options.LabelEdgeMM.
//
// # Concurrency
//
// Mesh and Fill are safe for concurrent use on shared input. Domain.Label is
// called from one goroutine. Numbering and coordinates do not depend on
// GOMAXPROCS.
//
// # Sources
//
// F. Labelle, J. R. Shewchuk, "Isosurface stuffing: fast tetrahedral meshes with
// good dihedral angles", ACM Trans. Graph. 26(3), 57 (2007),
// doi:10.1145/1276377.1276448: the lattice, its grading and the warp. J. R.
// Bronson, J. A. Levine, R. T. Whitaker, "Lattice cleaving: a multimaterial
// tetrahedral meshing algorithm with guarantees", IEEE TVCG 20(2), 223–237
// (2014), doi:10.1109/TVCG.2013.115: labels on the vertices of the lattice.
// S. F. F. Gibson, "Constrained elastic surface nets", MICCAI 1998: the net.
package tetra
