// Package pipeline walks one study through the house, one function per arrow:
//
//	Open → Segment → Subject.Open → Decide
//
// takes a case to a procedure and its plans to a decision; the quick walk with
// displayed frames is
//
//	Open → Segment → Prepare → Propose → Simulate → Rank
//
// that is DICOM → Volume → Labels → Mesh → Model → Frames → Evaluation. It is
// the one place where all rooms meet; it computes nothing itself that a room
// could. Units are mm, N, MPa, LPS; displayed fields carry their unit.
//
// Everything is deterministic: the same input gives the same bits on any
// number of cores, and nothing holds a clock time. Every function takes a
// context and honours it, and reports progress per stage. Memory for one case
// of 512×512×120 voxels stays under 2 GiB.
package pipeline
