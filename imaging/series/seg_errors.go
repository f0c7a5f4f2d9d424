package series

import (
	"fmt"

	"halsted/imaging"
)

// ObjectError says why a segmentation or structure set cannot be used. Where
// names the place: a frame, segment, ROI or contour by its number. It carries
// no text of the object.
type ObjectError struct {
	Object string // "segmentation" or "structure set"
	Where  string // may be empty
	Reason string
}

func (e *ObjectError) Error() string {
	at := ""
	if e.Where != "" {
		at = ", " + e.Where
	}
	return fmt.Sprintf("series: %s%s: %s", e.Object, at, e.Reason)
}

// FrameOfReferenceError says that an object is not known to lie in the frame
// of reference of the series it is to be used with.
type FrameOfReferenceError struct {
	Object string
	// Missing: one side has no frame of reference of its own and the object
	// does not point to the series or its images either.
	Missing bool
}

func (e *FrameOfReferenceError) Error() string {
	if e.Missing {
		return fmt.Sprintf("series: the %s names no frame of reference in common with the series and does not refer to it: it may belong to another patient or position; allow another frame of reference only if you know that they agree", e.Object)
	}
	return fmt.Sprintf("series: the %s lies in another frame of reference than the series: register the two first, or choose the series it was drawn on", e.Object)
}

// LatticeError says that masks cannot be written because they do not lie on
// the voxels of the series.
type LatticeError struct{ OffMM float64 }

func (e *LatticeError) Error() string {
	return fmt.Sprintf("series: the masks lie up to %.3f mm off the voxels of the series; resample them onto its grid first", e.OffMM)
}

// OverlapError says that two structures share a voxel where the format allows
// one per voxel.
type OverlapError struct {
	A, B  imaging.Label
	Voxel [3]int
}

func (e *OverlapError) Error() string {
	return fmt.Sprintf("series: %v and %v both cover voxel %d,%d,%d: a label map holds one of them; write a binary segmentation or flatten the structures", e.A, e.B, e.Voxel[0], e.Voxel[1], e.Voxel[2])
}

// EmptyError says that there is nothing to write.
type EmptyError struct{ Structures int }

func (e *EmptyError) Error() string {
	return fmt.Sprintf("series: none of %d structures has a voxel: a segmentation without a frame cannot be written", e.Structures)
}

func segError(where, format string, args ...any) error {
	return &ObjectError{"segmentation", where, fmt.Sprintf(format, args...)}
}
