// Package planner names what a surgeon names: cases, plans, what a plan does to
// the organ, and how good that is. It does no I/O and starts no goroutines.
//
// Everything here is in house units (mm, N, MPa, s; volumes in ml where the
// name says so) and DICOM LPS. Plans are immutable: an edit makes a child with
// its Parent set. Identifiers are hashes of content, so the same input gives
// the same identifier on any machine, and never contain patient identity.
//
// A number that a person may see is a Quantity: value, unit, interval and
// evidence. Nothing here says "safe" or "unsafe".
package planner
