// Package filter holds the operators on voxel grids that segmentation and
// vessel analysis are built from: smoothing that keeps edges, local moments,
// morphology with millimetre radii, connected components, filling.
//
// # Frame, units, layout
//
// Fields are []float32 and masks []bool (Mask), one entry per voxel in the
// storage order of imaging.Grid; radii are in mm, values in HU or whatever the
// image holds. Balls are Euclidean whatever the spacing. What lies beyond the
// grid is unknown: it neither erodes nor dilates.
//
// # Determinism and concurrency
//
// Work is split into fixed chunks: same bits for any GOMAXPROCS. Arguments are
// not written to unless a function says so; results are fresh memory. Calls
// that take a context return within 200 ms of its end.
//
// Sources: Serra, Image analysis and mathematical morphology (1982) for the
// morphology; He, Sun, Tang, Guided image filtering, IEEE TPAMI 35 (2013) 1397.
package filter
