// Package distance computes exact Euclidean distance fields in millimetres.
//
// # Convention
//
// A voxel set is binary; a voxel owns the box of one spacing around its centre.
// Signed is the distance from each voxel centre to the faces between the set
// and its complement, negative inside. So the boundary lies midway between two
// neighbouring centres of which one is inside: a half-space cut along an axis
// gets its exact distance whatever the spacing, and as both sides are treated
// alike the zero level has no bias. A voxel that shares a face with the other
// side has |d| = half that spacing at most. Seen from an oblique plane the
// stair corners stick out by up to half a voxel, so |d| is at most that much
// too small, never too large: a margin read from it errs to the safe side.
//
// Unsigned is the distance between voxel centres: 0 in the set.
//
// # Frame, units, layout
//
// Fields are []float32 in mm, one per voxel in the storage order of
// imaging.Grid. The spacing may differ along the three axes. What lies beyond
// the grid is unknown, not outside: a set that touches the border is not
// closed there. SignedCrop closes it and saves time on small organs;
// SignedBand saves time where only the neighbourhood of the border matters.
// A call holds the field, 4 bytes a voxel, and about a quarter byte a voxel.
//
// The transform is the separable lower envelope of parabolas (Felzenszwalb and
// Huttenlocher, Theory of Computing 8 (2012) 415–428, doi
// 10.4086/toc.2012.v008a019; Maurer et al., IEEE TPAMI 25 (2003) 265–270),
// with the parabolas standing on voxel faces for the signed field. The first
// axis is read off the changes of side in 64-bit words; the others go through
// sixteen neighbouring lines at a time, and only where something is near. It is
// exact up to the rounding of float32 (relative error below 1e-6). Lines are
// worked on in parallel with fixed chunks: same bits for any GOMAXPROCS.
//
// The package does not smooth, does not resample and does not follow curved
// (geodesic) paths.
package distance
