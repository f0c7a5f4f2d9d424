// Package dicomfile reads and writes one DICOM object, safely.
//
// # Reading
//
// Read takes any bytes. A pre-scan of our own walks the whole object first and
// bounds nesting depth, element lengths, element and item counts, inflated
// size and the agreement of PixelData with Rows × Columns × …; only bytes that
// passed reach the parser (github.com/suyashkumar/dicom, used nowhere else in
// this module). Pixel data never goes through the parser: it stays raw bytes,
// in little-endian order, as PixelBytes or, when compressed, Fragments.
//
// Understood: implicit and explicit VR little endian, explicit VR big endian,
// deflated explicit VR, every encapsulated syntax (the fragments stay
// compressed), files with or without preamble and file meta information.
//
// # Writing
//
// Write makes a Part 10 file in explicit VR little endian: elements in tag
// order, sequences of defined length, even padding, file meta information made
// from the dataset. The same dataset gives the same bytes. Objects with
// encapsulated pixel data keep their own transfer syntax.
//
// # Units, layout, concurrency
//
// Values are as DICOM defines them (mm, LPS; PS3.3). Text is UTF-8 in memory.
// Byte slices of a read Dataset alias one buffer that belongs to the Dataset:
// treat them as read only. A Dataset may be read concurrently, not written.
//
// # What it does not do
//
// No pixel decoding, no rescaling (imaging/series), no judgement of whether an
// object fits its IOD. Errors and log records never carry values of patient
// attributes.
//
// Sources: DICOM PS3.5 (encoding; section 7.1 element layout, 7.5 sequences,
// A.4 encapsulation), PS3.10 (file format, section 7.1), PS3.6 (dictionary).
package dicomfile
