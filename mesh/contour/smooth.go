package contour

import (
	"context"

	"halsted/internal/par"
)

// chunk is the number of vertices or faces a worker takes at a time.
const chunk = 16384

// relax is the share of the way to the neighbours' mean a pass covers.
const relax = 0.5

// near lists the neighbours of each vertex across the −i −j −k +i +j +k walls
// of its cell; −1: none.
func (n *Net) near() [][6]int32 {
	near := make([][6]int32, n.Len())
	for v := range near {
		near[v] = [6]int32{-1, -1, -1, -1, -1, -1}
	}
	link := func(lo, hi int32, axis int) { near[hi][axis], near[lo][axis+3] = lo, hi }
	for m, q := range n.Quads {
		// corner 0 to 1 and 3 to 2 is one step along the next axis
		b, c := (int(n.Axis[m])+1)%3, (int(n.Axis[m])+2)%3
		link(q[0], q[1], b)
		link(q[3], q[2], b)
		link(q[0], q[3], c)
		link(q[1], q[2], c)
	}
	return near
}

// confine keeps x in the cell it is in.
func confine(x, mid float32) float32 { return min(max(x, mid-CellLimit), mid+CellLimit) }

// middle is the middle of the cell that x is in.
func middle(x float32) float32 { return float32(int32(x+1)) - 0.5 }

// Smooth runs constrained relaxation passes. A vertex never leaves its cell;
// vertices at which three or more labels meet look only at their like, so
// that junctions stay lines; vertices outside the outermost voxel centres do
// not move along the axis that leads out of the grid, so that structures that
// are cut off by the grid keep a flat end.
//
// Errors: a number of passes out of range, ctx.Err(); Pos is then as after
// some earlier pass.
func (n *Net) Smooth(ctx context.Context, passes int) error {
	if err := checkPasses(passes); err != nil {
		return err
	}
	if passes == 0 {
		return ctx.Err()
	}
	near := n.near()
	from, to := n.Pos, make([]float32, len(n.Pos))
	for range passes {
		err := par.ChunksCtx(ctx, n.Len(), chunk, func(lo, hi int) error {
			for v := lo; v < hi; v++ {
				var all, like [3]float32
				na, nl := 0, 0
				for _, w := range near[v] {
					if w < 0 {
						continue
					}
					for a := range 3 {
						all[a] += from[3*w+int32(a)]
					}
					na++
					if n.Meet[w] >= 3 {
						for a := range 3 {
							like[a] += from[3*w+int32(a)]
						}
						nl++
					}
				}
				if n.Meet[v] >= 3 && nl >= 2 {
					all, na = like, nl
				}
				for a := range 3 {
					x := from[3*v+a]
					if n.held[v]>>a&1 == 0 {
						mean := all[a] / float32(na)
						x = confine(x+float32(relax*(mean-x)), middle(x))
					}
					to[3*v+a] = x
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		from, to = to, from
		n.Pos = from
	}
	return nil
}
