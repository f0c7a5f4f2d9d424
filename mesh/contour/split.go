package contour

import (
	"context"
	"math/bits"

	"halsted/internal/par"
)

// split gives every group of edges of a cell a vertex of its own.
func (n *Net) split(ctx context.Context, x *extraction) error {
	size := n.Grid.Size
	r := newRows(x.id, size)
	slot := make([]int32, n.Len()) // vertex → number in list, plus one
	var list []crossing
	v := int32(0)
	for k := range size[2] + 1 {
		for j := range size[1] + 1 {
			if j%rowsPerCheck == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			o := (j + (size[1]+1)*k) * x.words
			for w, m := range x.mixed[o : o+x.words] {
				if m == 0 {
					continue
				}
				a, b, c, d := r.at(0, j-1, k-1), r.at(1, j, k-1), r.at(2, j-1, k), r.at(3, j, k)
				for ; m != 0; m &= m - 1 {
					c8 := corners(a, b, c, d, 64*w+bits.TrailingZeros64(m), size[0])
					if x.keep != nil {
						c8 = mapped(c8, x.keep)
					}
					if n.Meet[v] > 2 || !simple[nonzero(c8^c8&255*oneBytes)] {
						y := crossing{v: v}
						for i := range y.label {
							y.label[i] = uint8(c8 >> (8 * i))
						}
						y.join()
						list = append(list, y)
						slot[v] = int32(len(list))
					}
					v++
				}
			}
		}
	}
	if err := n.untangle(ctx, list, slot); err != nil {
		return err
	}
	return n.renumber(ctx, list, slot)
}

// untangle joins faces the other way round where their two pairs of edges end
// at the same vertices on both sides, if that helps. With two labels it always
// does: the groups are closed curves on the cell, which do not cross, so each
// of the two cells falls into one more group.
func (n *Net) untangle(ctx context.Context, list []crossing, slot []int32) error {
	// the cell after along each axis is that of corner 1 or 3 of some face
	next := make([][3]int32, len(list))
	for m, q := range n.Quads {
		if m%chunk == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		b, c := (n.Axis[m]+1)%3, (n.Axis[m]+2)%3
		for _, s := range [4][3]int32{{q[0], q[1], int32(b)}, {q[3], q[2], int32(b)}, {q[0], q[3], int32(c)}, {q[1], q[2], int32(c)}} {
			if l := slot[s[0]]; l > 0 {
				next[l-1][s[2]] = slot[s[1]]
			}
		}
	}
	for i := range list {
		if i%chunk == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for a, o := range next[i] {
			if o == 0 {
				continue
			}
			x, y := &list[i], &list[o-1]
			if !x.doubled(2*a+1) || !y.doubled(2*a) {
				continue
			}
			before := [2]crossing{*x, *y}
			x.other ^= 1 << (2*a + 1)
			y.other ^= 1 << (2 * a)
			x.join()
			y.join()
			if x.doubled(2*a+1) && y.doubled(2*a) || x.count < before[0].count || y.count < before[1].count {
				*x, *y = before[0], before[1]
			}
		}
	}
	return nil
}

// renumber adds the vertices of further groups at the end and tells the faces.
func (n *Net) renumber(ctx context.Context, list []crossing, slot []int32) error {
	first := make([]int32, len(list)) // vertex of group 1
	total := n.Len()
	for i := range list {
		first[i] = int32(total)
		total += max(int(list[i].count), 1) - 1
	}
	if total > maxIndex {
		return tooMany(total, len(n.Quads))
	}
	grow := total - n.Len()
	n.Pos = append(n.Pos, make([]float32, 3*grow)...)
	n.Meet = append(n.Meet, make([]uint8, grow)...)
	n.held = append(n.held, make([]uint8, grow)...)
	n.pair = append(n.pair, make([][2]uint8, grow)...)
	err := par.ChunksCtx(ctx, len(list), chunk, func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			if list[i].count > 1 {
				n.place(&list[i], first[i])
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return par.ChunksCtx(ctx, len(n.Quads), chunk, func(lo, hi int) error {
		for m := lo; m < hi; m++ {
			q := &n.Quads[m]
			for c, s := range [4]uint8{3, 2, 0, 1} { // offset of the crossed edge in the cell of corner c
				l := slot[q[c]]
				if l == 0 {
					continue
				}
				if g := list[l-1].group[4*n.Axis[m]+s]; g > 0 {
					q[c] = first[l-1] + int32(g) - 1
				}
			}
		}
		return nil
	})
}

// place puts the vertex of each group at the mean of its own crossings.
func (n *Net) place(x *crossing, first int32) {
	i, j, k := n.Cell(x.v)
	cell := [3]int{i, j, k}
	held := n.held[x.v]
	for g := range x.count {
		v := x.v
		if g > 0 {
			v = first + int32(g) - 1
		}
		var seen [256]bool
		var sum [2][3]float32 // of crossings along held axes, along others
		var count [2]float32
		kinds, small, large := uint8(0), uint8(255), uint8(0)
		for e, c := range cellEdge {
			if x.group[e] != g {
				continue
			}
			for _, p := range c {
				l := x.label[p]
				if !seen[l] {
					seen[l] = true
					kinds++
				}
				small, large = min(small, l), max(large, l)
			}
			w := 1
			if held>>(e>>2)&1 == 1 {
				w = 0
			}
			for a := range 3 {
				sum[w][a] += (float32(c[0]>>a&1) + float32(c[1]>>a&1)) / 2
			}
			count[w]++
		}
		w := 1
		if count[1] == 0 {
			w = 0
		}
		for a := range 3 {
			at := min(max(sum[w][a]/count[w], 0.5-CellLimit), 0.5+CellLimit)
			if held>>a&1 == 1 {
				at = 0.5
			}
			n.Pos[3*int(v)+a] = float32(cell[a]) + at
		}
		n.Meet[v], n.pair[v], n.held[v] = kinds, [2]uint8{small, large}, held
		if kinds > 2 {
			n.held[v] |= crease
		} else if held&^crease == 0 {
			n.held[v] = 0
		}
	}
}
