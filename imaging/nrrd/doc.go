// Package nrrd reads and writes NRRD images (.nrrd, .nhdr): volumes, and the
// segmentations of 3D Slicer (.seg.nrrd), whose segments may overlap.
//
// # Frame and units
//
// A file names its space: left-posterior-superior, right-anterior-superior or
// left-anterior-superior. Everything handed out is DICOM LPS in mm, voxels in
// stored order; the grid says where each one lies. A file without one of these
// spaces, or without space directions and origin, has no known left and right:
// refused. Space units m, cm, mm and um are understood; none means mm.
//
// # Segmentations
//
// A segment is one number in one layer. Layers are a fourth axis without a
// direction (kind "list"), which is there when segments overlap. The keys
// Segment0_Name, _ID, _LabelValue, _Layer, _Color and _Tags with its
// TerminologyEntry (category, type, modifier and region as coded concepts) say
// what the segments are. Files of Slicer before 4.11, without number and layer,
// hold one segment in each layer. Writers use as few layers as the overlaps of
// the structures need, and SNOMED CT codes (imaging.Label.Property).
//
// # Limits
//
// Formats NRRD0001 to NRRD0005; encodings raw and gzip; every sample type but
// blocks; either byte order. Three axes with a direction, and one without, first
// or last. At most MaxBytes of samples and MaxHeader of header; memory grows with
// the bytes that arrive, not with what a header claims, and compressed data must
// end where the samples end. A detached data file is read by ReadFile alone, and
// only from the folder of its header: its name may hold no path, and a link may
// not lead out of the folder. Lists and patterns of data files are refused, as
// are fractional label maps.
//
// Writers compress, with no time stamp inside (same input, same bytes), and
// leave either the whole file or none. Errors carry no values of keys, which may
// hold names. Nothing here starts goroutines.
//
// Sources: Definition of NRRD file format, https://teem.sourceforge.net/nrrd/format.html;
// 3D Slicer, segmentation labelmap file format,
// https://slicer.readthedocs.io/en/latest/developer_guide/modules/segmentations.html.
package nrrd
