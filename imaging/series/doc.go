// Package series turns a folder of DICOM files into volumes.
//
// # Promise
//
// ReadDir groups images by study and series; Volume stacks one series into an
// imaging.Volume, or refuses with a typed error that names the file, the
// millimetres and what to do. Slices are ordered by the projection of
// ImagePositionPatient on the slice normal, never by file name or
// InstanceNumber. A stack that is not a regular, orthogonal grid is refused:
// GapError, TiltError, DuplicateError, OrientationError and their kin. Nothing
// is stretched, guessed or dropped in silence; what is left out without harm
// (localisers, a slice sent twice) stands in Series.Notes.
//
// # Coordinate frame and units
//
// LPS mm. Axes[0] runs along a row (columns grow), Axes[1] down the rows,
// Axes[2] along their cross product, so every grid is right-handed
// (PS3.3 C.7.6.2.1.1). CT values are Hounsfield units, slope 1 and intercept
// 0, whenever each of them is a whole number that fits int16; otherwise the
// stored values are kept with the common slope and intercept. Slices whose
// rescaling differs and has no common exact form are refused.
//
// # What is read
//
// Uncompressed single-frame images of one sample per pixel, MONOCHROME2, 8 or
// 16 bits allocated, any BitsStored and HighBit, signed or unsigned; bits
// outside BitsStored (old overlays) are masked off. MONOCHROME1, colour,
// compressed and enhanced multi-frame objects are refused with the tool that
// converts them. Declared pixel padding below −1024 HU is read as −1024 HU
// (air); other padding keeps its value.
//
// # Concurrency and memory
//
// Files are read in parallel with the same result for any GOMAXPROCS. Pixels
// are not kept between ReadDir and Volume; a digest makes sure that Volume
// sees what ReadDir checked. A Series may be used concurrently.
//
// # What it does not do
//
// No decompression, no unshearing of tilted stacks, no multi-frame, no
// splitting of phases within a series.
package series
