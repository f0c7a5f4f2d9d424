// Package inverse asks the solver backwards: from the shape an image shows to
// the shape without loads (Unload), and from measured displacements to the
// constants of the tissue (Calibrate).
//
// # Frame, units
//
// House units: mm, N, MPa, s, tonne; patient space LPS.
package inverse
