// Package series turns a folder of DICOM files into volumes, and DICOM
// segmentations and structure sets into structures on the voxels of a volume
// and back.
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
// # Segmentations
//
// ReadSEG reads segmentation objects of any type (binary, fractional, label
// map; PS3.3 A.51 and C.8.20, Supplement 243), native or compressed by RLE or
// deflate; WriteSEG writes them, with SNOMED CT codes (imaging.Label.Property),
// a reference to every source image, and structures that overlap in frames of
// their own, except in a label map, where overlap is an OverlapError. Equal
// input gives equal bytes: UIDs follow from series and content.
//
// SEG.Onto brings the segments onto the grid of a series: exactly where the
// lattices agree (turned, mirrored, cropped or with planes left out), else
// resampled. A segment is a structure of this module by its code and modifiers,
// or by its label where the code leaves it open; all others are listed and to
// be had by SEG.MaskOn.
//
// # Structure sets
//
// ReadRTStruct reads radiotherapy structure sets (PS3.3 A.19 and C.8.8.6).
// RTStruct.Onto fills their closed planar contours: a voxel is inside when its
// centre lies inside an odd number of the contours of its plane, so that holes
// may be drawn as contours of their own or by a keyhole. Between contours that
// are further apart than the slices the shape is interpolated (Raya and Udupa,
// IEEE Trans Med Imaging 9 (1990) 32); contours on planes across the slices go
// through a finer lattice of their own. Structure sets are not written.
//
// An object of another frame of reference is refused (FrameOfReferenceError),
// and a StructureReport says what was resampled, interpolated, cut, united or
// left out, with each structure's volume before and after. Reports name
// segments and ROIs by number in Notes; PlacedStructure.Name holds their names,
// which may be those of people.
//
// # Concurrency and memory
//
// Files are read in parallel with the same result for any GOMAXPROCS. Pixels
// are not kept between ReadDir and Volume; a digest makes sure that Volume
// sees what ReadDir checked. A Series may be used concurrently, as may a SEG,
// whose frames stay packed until they are asked for, and an RTStruct.
//
// # What it does not do
//
// No decompression of images, no unshearing of tilted stacks, no multi-frame
// images, no splitting of phases within a series, no concatenations, no
// writing of structure sets.
package series
