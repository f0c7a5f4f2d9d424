// Package imaging places volumes and labels in patient space.
//
// # Coordinate frame and units
//
// Patient space is DICOM LPS (PS3.3 C.7.6.2.1.1): x grows to the patient's
// left, y to the posterior, z to the head; right-handed; millimetres. A voxel
// index (i,j,k) names the voxel's centre: i runs along a row (columns), j down
// the rows, k over the slices. Grid maps between the two.
//
// # Layout
//
// Samples are stored i fastest, then j, then k: index i + Size[0]*(j +
// Size[1]*k). Volume holds stored 16-bit samples with one slope and intercept;
// for CT the product is in Hounsfield units (HU).
//
// # Labels
//
// Segments keeps one bit per structure, so structures may overlap (a tumour is
// also liver). Labels is derived from Segments by a stated priority, one Label
// per voxel. Label values carry their SNOMED CT code (PS3.16 CID 7150 ff).
//
// Nothing here does I/O or starts goroutines; values are safe for concurrent
// reading. Slices are shared, not copied, unless a method says otherwise.
package imaging
