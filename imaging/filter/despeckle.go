package filter

import (
	"halsted/imaging"
)

// Despeckle drops the pieces of m (voxels that share a face) of fewer than least
// voxels, then fills the holes as small: the pieces of what is not in m. It
// writes to m.
func Despeckle(g imaging.Grid, m Mask, least float64) {
	for _, in := range []bool{true, false} {
		p := piecesOf(g, m, in, byFaces)
		p.each(func(n int) {
			if float64(p.count[p.of[n]]) < least {
				at := m[p.run[n].from:p.run[n].to]
				for i := range at {
					at[i] = !in
				}
			}
		})
	}
}
