package series

import "fmt"

// NoDICOMError says that a folder holds no DICOM image.
type NoDICOMError struct {
	Files   int // files looked at
	Objects int // DICOM objects without an image among them
}

func (e *NoDICOMError) Error() string {
	if e.Objects > 0 {
		return fmt.Sprintf("series: %d files, %d DICOM objects, none of them an image; give the folder of the CT series", e.Files, e.Objects)
	}
	return fmt.Sprintf("series: none of %d files is DICOM; give the folder of the CT series", e.Files)
}

// GapError says that neighbouring slices are not one step apart.
type GapError struct {
	Before, After string  // files on both sides
	AtMM          float64 // position of Before along the slice normal
	StepMM, GapMM float64 // usual step and the one found
	Missing       int     // slices that would fill the gap; 0 when none would
}

func (e *GapError) Error() string {
	what := "the spacing changes: resample the series to one spacing or plan on another reconstruction"
	if e.Missing > 0 {
		what = fmt.Sprintf("%d missing: fetch the series again", e.Missing)
	}
	return fmt.Sprintf("series: %.3f mm between %s (at %.3f mm) and %s, usually %.3f mm; %s", e.GapMM, e.Before, e.AtMM, e.After, e.StepMM, what)
}

// TiltError says that slices shift sideways along the stack (gantry tilt).
type TiltError struct {
	Before, File string
	ShiftMM      float64 // sideways shift between the two
	AngleDeg     float64 // tilt of the stack at that place
}

func (e *TiltError) Error() string {
	return fmt.Sprintf("series: %s is shifted %.3f mm sideways from %s: the stack is tilted by %.2f°; send a reconstruction without gantry tilt", e.File, e.ShiftMM, e.Before, e.AngleDeg)
}

// DuplicateError says that two slices with different content claim one place.
type DuplicateError struct {
	File, Other  string
	AtMM         float64
	SameInstance bool // both carry the same SOPInstanceUID
}

func (e *DuplicateError) Error() string {
	what := "several phases or echoes in one series: split it (AcquisitionNumber, EchoTime)"
	if e.SameInstance {
		what = "one instance in two versions: fetch the series again"
	}
	return fmt.Sprintf("series: %s and %s differ and both lie at %.3f mm; %s", e.Other, e.File, e.AtMM, what)
}

// OrientationError says that a slice points another way than most.
type OrientationError struct {
	File, Other string
	AngleDeg    float64 // largest angle between their rows, columns or normals
}

func (e *OrientationError) Error() string {
	return fmt.Sprintf("series: %s is turned by %.3f° against %s and most others; take it out of the folder if it is a localiser, else split the series", e.File, e.AngleDeg, e.Other)
}

// MixedSizeError says that a slice has another matrix than most.
type MixedSizeError struct {
	File, Other     string
	Size, OtherSize [2]int // columns, rows
}

func (e *MixedSizeError) Error() string {
	return fmt.Sprintf("series: %s has %d×%d pixels, %s and most others %d×%d; split the series or take the file out",
		e.File, e.Size[0], e.Size[1], e.Other, e.OtherSize[0], e.OtherSize[1])
}

// MixedError says that a slice disagrees with most others in an attribute
// that must be one for a whole volume. It does not carry the values.
type MixedError struct {
	Attribute   string // dictionary keyword
	File, Other string
}

func (e *MixedError) Error() string {
	what := "split the series"
	switch e.Attribute {
	case "PatientID", "PatientName":
		what = "files of two patients are mixed: sort them out before planning"
	case "FrameOfReferenceUID":
		what = "the patient was repositioned: split the series"
	}
	return fmt.Sprintf("series: %s of %s differs from %s and most others; %s", e.Attribute, e.File, e.Other, what)
}

// AttributeError says that an attribute is missing or makes no sense.
type AttributeError struct {
	Attribute string // dictionary keyword
	File      string
	Reason    string
}

func (e *AttributeError) Error() string {
	return fmt.Sprintf("series: %s: %s %s; the slice cannot be placed, fetch the series again or leave the file out", e.File, e.Attribute, e.Reason)
}

// TruncatedError says that a file has fewer pixels than its header promises.
type TruncatedError struct {
	File       string
	Want, Have int64 // bytes
}

func (e *TruncatedError) Error() string {
	return fmt.Sprintf("series: %s is truncated: %d bytes of pixels, %d expected; fetch it again", e.File, e.Have, e.Want)
}

// UnsupportedSyntaxError says that the pixels are compressed.
type UnsupportedSyntaxError struct {
	File   string
	UID    string // transfer syntax
	Name   string
	Remedy string // command that decompresses
}

func (e *UnsupportedSyntaxError) Error() string {
	return fmt.Sprintf("series: %s is compressed (%s, %s); decompress it first: %s", e.File, e.Name, e.UID, e.Remedy)
}

// UnsupportedPixelError says that the pixels are of a kind that is not read.
type UnsupportedPixelError struct {
	File   string
	Reason string
}

func (e *UnsupportedPixelError) Error() string {
	return fmt.Sprintf("series: %s: %s", e.File, e.Reason)
}

// MultiFrameError says that a file holds many frames or keeps its geometry in
// functional groups (enhanced CT, MR, SEG).
type MultiFrameError struct {
	File   string
	Frames int
}

func (e *MultiFrameError) Error() string {
	return fmt.Sprintf("series: %s is an enhanced multi-frame object (%d frames); convert it to single-frame files first, for example with emf2sf (dcm4che)", e.File, e.Frames)
}

// RescaleError says that stored values have no common exact meaning.
type RescaleError struct {
	File   string
	Reason string
}

func (e *RescaleError) Error() string {
	return fmt.Sprintf("series: %s: %s; send a reconstruction with one rescaling", e.File, e.Reason)
}

// TooFewSlicesError says that what is left of a series is no volume.
type TooFewSlicesError struct {
	Slices  int
	Skipped int // localisers and copies left out
}

func (e *TooFewSlicesError) Error() string {
	return fmt.Sprintf("series: %d slices (%d left out) are not a volume; at least 2 are needed", e.Slices, e.Skipped)
}

// ChangedError says that a file is no longer what ReadDir saw.
type ChangedError struct{ File string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("series: %s changed while the series was being read; read the folder again", e.File)
}
