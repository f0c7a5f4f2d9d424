package contour

import (
	"context"
	"math/bits"

	"halsted/internal/par"
)

// The twelve edges of a cell are numbered 4a + s: along axis a from the corner
// with offset s&1 along the next axis b and s>>1 along the one after, c.

// cellEdge are the corners at the two ends of each edge.
var cellEdge = func() (e [12][2]uint8) {
	for n := range e {
		a, s := n>>2, n&3
		from := s&1<<((a+1)%3) | s>>1<<((a+2)%3)
		e[n] = [2]uint8{uint8(from), uint8(from | 1<<a)}
	}
	return e
}()

// cellFace are the corners of each face of a cell in turn, and the edges
// between each corner and the next; face 2a+s is at offset s along axis a.
var cellFace = func() (f [6]struct{ corner, edge [4]uint8 }) {
	for n := range f {
		a, b, c := n>>1, (n>>1+1)%3, (n>>1+2)%3
		o := uint8(n & 1 << a)
		f[n].corner = [4]uint8{o, o | 1<<b, o | 1<<b | 1<<c, o | 1<<c}
		for i := range 4 {
			p, q := f[n].corner[i], f[n].corner[(i+1)&3]
			for e, x := range cellEdge {
				if x == [2]uint8{min(p, q), max(p, q)} {
					f[n].edge[i] = uint8(e)
				}
			}
		}
	}
	return f
}()

// crossing is a cell at which a label may touch itself.
type crossing struct {
	v     int32
	label [8]uint8  // of the corners
	group [12]uint8 // of the crossed edges that share a vertex, 0xff: not crossed
	count uint8     // groups
	other uint8     // faces joined the other way round
}

const noGroup = 0xff

// around is the corner of face f from which the pairs of edges are counted
// when all four edges are crossed and fall into two pairs: pair 0 is the edges
// before and after corner 1 or 2. joined is false for the other faces.
func (x *crossing) around(f int) (corner int, paired bool) {
	c := &cellFace[f].corner
	a, b, d, e := x.label[c[0]], x.label[c[1]], x.label[c[2]], x.label[c[3]]
	if a == b || b == d || d == e || e == a || a != d && b != e {
		return 0, false
	}
	switch {
	case a == d && b == e:
		// both labels meet themselves: those of the larger one stay apart
		corner = 1
		if a > b {
			corner = 0
		}
		if x.other>>f&1 == 1 {
			corner ^= 1
		}
	case a == d:
		corner = 1 // b and e are different labels and cannot join
	}
	return corner, true
}

// join finds the groups: the edges of a face belong together, but for faces
// whose four edges fall into two pairs.
func (x *crossing) join() {
	var parent [12]uint8
	for e, c := range cellEdge {
		parent[e] = noGroup
		if x.label[c[0]] != x.label[c[1]] {
			parent[e] = uint8(e)
		}
	}
	find := func(e uint8) uint8 {
		for parent[e] != e {
			e = parent[e]
		}
		return e
	}
	unite := func(a, b uint8) {
		a, b = find(a), find(b)
		parent[max(a, b)] = min(a, b)
	}
	for f := range cellFace {
		edge := &cellFace[f].edge
		if corner, paired := x.around(f); paired {
			unite(edge[(corner+3)&3], edge[corner])
			unite(edge[corner+1], edge[(corner+2)&3])
			continue
		}
		last := uint8(noGroup)
		for _, e := range edge {
			if parent[e] == noGroup {
				continue
			}
			if last != noGroup {
				unite(last, e)
			}
			last = e
		}
	}
	x.count = 0
	for e := range x.group {
		x.group[e] = noGroup
		if parent[e] == noGroup {
			continue
		}
		if r := find(uint8(e)); int(r) < e {
			x.group[e] = x.group[r]
		} else {
			x.group[e] = x.count
			x.count++
		}
	}
}

// doubled reports whether the two pairs of edges of face f end at one vertex.
func (x *crossing) doubled(f int) bool {
	edge := &cellFace[f].edge
	corner, paired := x.around(f)
	return paired && x.group[edge[corner]] == x.group[edge[(corner+2)&3]]
}

// simple reports, for each pattern of a cell with two labels, that its edges
// make one group and no face has all four edges crossed.
var simple = func() (ok [256]bool) {
	for m := range ok {
		x := crossing{}
		for c := range x.label {
			x.label[c] = uint8(m >> c & 1)
		}
		x.join()
		ok[m] = x.count < 2
		for f := range cellFace {
			if _, paired := x.around(f); paired {
				ok[m] = false
			}
		}
	}
	return ok
}()

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
