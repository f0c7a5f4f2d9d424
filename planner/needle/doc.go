// Package needle plans straight insertions (procedure "needle.trajectory"):
// biopsy, ablation, drainage. It looks at every skin point about a millimetre
// apart against every target point in the core of the target, keeps the exact
// set of non-dominated trajectories, covers a tumour with ablation zones, and
// says how likely a structure is hit and where the target moves to.
//
// Lengths are mm, angles degrees, patient space is DICOM LPS, volumes mL where
// the name says so.
//
// # What clearance is
//
// φ_s is the signed distance to structure s at the voxel centres, exact to
// float32 (imaging/distance); between them it is interpolated trilinearly
// (Field). The shaft runs from the tip to the skin and is looked at every
// StepMM = 0.1 mm from the tip. The clearance of s is the least interpolated
// φ_s over these points less the radius of the shaft; negative is a crossing.
//
// φ is 1-Lipschitz. Its interpolant I is not: in a cell the derivative along
// each axis is a mean of differences that are at most 1, so that along the
// unit vector u
//
//	|dI/dt| ≤ |u₁| + |u₂| + |u₃| = L(u), with 1 ≤ L(u) ≤ √3  (u in the grid's axes)
//
// and √3 is reached where three walls meet. With E half the diagonal of a
// voxel, I is no further than E from the distance at any point (it is a mean of
// the values at corners whose mean distance is at most E), hence also
//
//	I(y) ≥ I(x) − |x−y| − 2E.
//
// Both bounds let the march pass over points that cannot be the least; what it
// returns is bit for bit that of looking at all of them. Between two points the
// interpolant is at most L·StepMM/2 ≤ 0.087 mm lower, so that clearance is
// right to 0.1 mm of the interpolated field. What the mask itself is off by (up
// to half a voxel, to the safe side) is not in that. Simulate takes it into
// account: with the scan (Config.Image) clearances from wide vessels in the organ
// and the depth in the target are those of the borders that the image shows, with
// their measured errors (planner/uncertainty); other structures are known to
// Errors.BoundaryMM, and so are those without the scan, with a flag.
//
// The search uses one field: the least, over structures, of φ_s less what the
// hard rule asks of s. Its interpolant is never above the least of the
// interpolants, so that a trajectory that passes has each structure's
// clearance. The least of it over the shaft is the reserve.
//
// # The chance of a hit
//
// The shaft strays by registration, direction, depth and breathing (Errors).
// Simulate moves the needle by a sample of these inputs and measures again; the
// outputs p_hit_… integrate them in closed form, P(d + e < 0) at the likeliest
// point of the shaft, given the border of the structure (clinical.md §4).
//
// # The shift of the target
//
// At L2 the organ (quadratic tetrahedra, neo-Hookean, Glisson's capsule as a
// sheet that carries tension, a stiffer target) is held at the vena cava, lies
// in a bed of fat, and is dragged along the track by friction and pushed by the
// tip. The needle is a line of forces: it does not stiffen the tissue.
//
// # What it does not do
//
// Needles do not bend and are not steered; the skin is where it was in the
// scan; the diaphragm, pleura and bile ducts have no label and are not kept
// clear of unless the case brings a mask.
package needle
