// Package nifti reads and writes NIfTI-1 and NIfTI-2 images (.nii, .nii.gz):
// volumes, label maps (one number per voxel) and bit masks (bit b of a voxel
// belongs to structure b).
//
// # Frame and units
//
// NIfTI world space is RAS: x to the patient's right is negative. Everything
// handed out is DICOM LPS in mm, so the x and y rows of the stored affine change
// sign. The stored order of the voxels is kept by ReadVolume; the grid says
// where each one lies. ReadSegments and ReadLabels return voxels in the order
// of the grid they are asked for, and refuse a file of another lattice.
//
// Where a file has both an sform and a qform the sform counts, unless it only
// places the image in a template (code 3 or more) and the qform in the scanner
// (code 1 or 2). A file with neither has no known left and right: refused.
//
// # Limits
//
// Sample types: uint8, int8, int16, uint16, int32, uint32, float32, float64,
// either byte order, scl_slope and scl_inter applied. Three dimensions (further
// ones of length 1). At most MaxBytes of samples; memory grows with the bytes
// that arrive, not with what a header claims, and a compressed file must end
// where its samples end. Detached .hdr/.img pairs, RGB and complex samples are
// refused. Header extensions are skipped.
//
// Writers make NIfTI-1 with both sform and qform, compress when the name ends
// in .gz with no time stamp inside (same input, same bytes), and leave either
// the whole file or none. Nothing here starts goroutines.
//
// Source: NIfTI-1.1 header nifti1.h and NIfTI-2 header nifti2.h,
// https://nifti.nimh.nih.gov.
package nifti
