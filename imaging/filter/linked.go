package filter

import (
	"halsted/imaging"
)

// Linked numbers the pieces of m whose voxels share a face, an edge or a corner
// (26-connected), in the order of their first voxel. A tube one voxel wide that
// runs aslant is one piece here and many in Components.
func Linked(g imaging.Grid, m Mask) *Parts {
	p := &Parts{Of: make([]int32, len(m)), Count: []int{0}}
	nx, ny, nz := g.Size[0], g.Size[1], g.Size[2]
	var stack []int32
	for s, in := range m {
		if !in || p.Of[s] != 0 {
			continue
		}
		id := int32(len(p.Count))
		size := 0
		p.Of[s] = id
		stack = append(stack[:0], int32(s))
		for len(stack) > 0 {
			n := int(stack[len(stack)-1])
			stack = stack[:len(stack)-1]
			size++
			i, j, k := g.IJK(n)
			for c := max(0, k-1); c <= min(nz-1, k+1); c++ {
				for b := max(0, j-1); b <= min(ny-1, j+1); b++ {
					row := nx * (b + ny*c)
					for o := row + max(0, i-1); o <= row+min(nx-1, i+1); o++ {
						if m[o] && p.Of[o] == 0 {
							p.Of[o] = id
							stack = append(stack, int32(o))
						}
					}
				}
			}
		}
		p.Count = append(p.Count, size)
	}
	return p
}

// Hysteresis is the pieces of low (26-connected) that hold a voxel of high and
// at least the given number of voxels.
func Hysteresis(g imaging.Grid, low, high Mask, least float64) Mask {
	p := Linked(g, low)
	begun := make([]bool, len(p.Count))
	for n, in := range high {
		if in {
			begun[p.Of[n]] = true
		}
	}
	return p.Only(func(c int32) bool { return begun[c] && float64(p.Count[c]) >= least })
}
