// Package tetra fills a signed-distance field with tetrahedra of bounded
// quality: isosurface stuffing on a uniform body-centred cubic (BCC) lattice.
//
// # Promise
//
// Fill returns a conforming mesh (every inner face belongs to exactly two
// tetrahedra), every tetrahedron positively oriented and with all dihedral
// angles between MinDihedralDeg and MaxDihedralDeg, whatever the field looks
// like. Labelle and Shewchuk prove 10.7° and 164.8° for this lattice and these
// warp thresholds with their parity rule. The diagonal rule used here (see
// stencil.go) has no such proof yet: hill climbing over all stencils and all
// warps, even those that cannot occur together, found nothing below 9.2° or
// above 161.7°, and the tests drive the lattice with arbitrary signs and
// crossings.
//
// # Frame, units, layout
//
// The field is sampled at the voxel centres of an imaging.Grid (LPS, mm; any
// rotation, anisotropic spacing, either handedness), negative inside, and is
// interpolated trilinearly; the lattice is aligned with the axes of the grid.
// Outside the grid's voxels there is nothing: where the structure touches the
// border of the grid the mesh ends in a flat face on the outer voxel faces.
// Options.EdgeMM is the long lattice edge (the cubic cell); the short edges
// are √3/2 of it and an uncut tetrahedron has volume EdgeMM³/12.
//
// # Volume
//
// A coarse polyhedron inscribed in a curved surface is too small. With
// Domain.TargetMM3 > 0 the iso-level is moved (secant steps inside a bracket,
// at most half an edge either way) until the volume of the tetrahedra is
// within VolumeTol of the target; Report tells the level and the error left.
// A target out of reach is not an error: Report.VolumeErrorRel tells.
//
// # What is kept
//
// A connected part of the structure survives when the lattice can resolve it
// (a lattice point stays inside it after warping); parts thinner than about an
// edge may vanish, and each is listed in Report.Dropped. Nothing else is
// dropped unless Options.MinComponentMM3 asks for it. The other way round,
// fissures, channels and voids thinner than about an edge may be bridged; they
// are not listed (compare mesh.Surface.DistanceTo of the boundary both ways).
//
// # What it does not do
//
// One material surface only: Domain.Label names the structure at a
// tetrahedron's centroid, but inner interfaces are not followed. No grading.
//
// # Concurrency
//
// Fill is safe for concurrent use on shared input. Domain.Label is called from
// one goroutine. Numbering and coordinates do not depend on GOMAXPROCS.
//
// Source: F. Labelle, J. R. Shewchuk, "Isosurface stuffing: fast tetrahedral
// meshes with good dihedral angles", ACM Trans. Graph. 26(3), 57 (2007),
// doi:10.1145/1276377.1276448.
package tetra
