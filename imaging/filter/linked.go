package filter

import (
	"halsted/imaging"
)

// Linked numbers the pieces of m whose voxels share a face, an edge or a corner
// (26-connected), in the order of their first voxel. A tube one voxel wide that
// runs aslant is one piece here and many in Components.
func Linked(g imaging.Grid, m Mask) *Parts { return piecesOf(g, m, true, byCorners).parts() }

// Hysteresis is the pieces of low (26-connected) that hold a voxel of high and
// at least the given number of voxels.
func Hysteresis(g imaging.Grid, low, high Mask, least float64) Mask {
	out := make(Mask, len(low))
	p := piecesOf(g, low, true, byCorners)
	begun := p.meeting(high)
	p.add(out, func(piece int32) bool { return begun[piece] && float64(p.count[piece]) >= least })
	return out
}
