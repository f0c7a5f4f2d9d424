// Package frame packs one displayed state of a run into the payload of a wire
// frame, and unpacks it with every length bounded.
//
// # Layout
//
// Before compression a payload is planes without any header: x of all
// vertices, then y, then z, then each field in turn, little-endian. A plane is
// IEEE 754 binary32 (4 bytes a vertex) or uint16 (2 bytes a vertex). How many
// vertices and fields there are, and in which format, travels outside the
// payload; so does the CRC-32C (Castagnoli) of the planes.
//
// # Frame and units
//
// Positions are DICOM LPS mm. Quantised positions are
//
//	p = OriginMM + StepMM·q,  q = 0 … 65535
//
// with one step for the three axes, the longest side of the frame's bounding
// box divided by 65535; each coordinate is off by at most StepMM/2 and the
// rounding of one float64 operation. A liver of 250 mm has a step of 3.8 µm.
// Quantised fields are v = Min + Step·q in the field's own unit; off by at most
// Step/2 and one rounding to float32. A constant plane is exact (step 0).
//
// # Concurrency and aliasing
//
// Functions keep nothing: Encode returns fresh bytes, Decode writes only to
// the caller's slices. All are safe for concurrent use.
//
// # What it does not do
//
// Frames stand alone: there is no delta against an earlier frame. Triangles,
// names and units belong to the topology and the stream's header.
//
// Sources: S2 block format, github.com/klauspost/compress/s2; CRC-32C, RFC 3720
// appendix B.4.
package frame
