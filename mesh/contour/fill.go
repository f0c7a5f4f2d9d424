package contour

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/bits"
	"slices"

	"halsted/imaging"
)

// cellOffset is the mean of the crossings of a cell with two labels, from its
// first corner; bit c is set when corner c (i fastest) has another label than
// corner 0.
var cellOffset = func() (at [256][3]float32) {
	for differ := range at {
		var v [8]byte
		for c := range v {
			v[c] = byte(differ >> c & 1)
		}
		if differ > 0 && differ < 255 {
			at[differ] = meanCrossing(&v, 0)
		}
	}
	return at
}()

// meanCrossing is the mean of the middles of the edges of a cell whose ends
// differ, from its first corner, kept off the walls. out has one bit for each
// axis along which the cell leads out of the grid: the vertex stands half way,
// and the edges that lead out are counted only if there is no other.
func meanCrossing(v *[8]byte, out uint8) (at [3]float32) {
	for _, within := range []bool{true, false} {
		var sum [3]int // in half steps
		m := 0
		for a := range 3 {
			if within && out>>a&1 == 1 {
				continue
			}
			b, c := (a+1)%3, (a+2)%3
			for s := range 4 {
				from := s&1<<b | s>>1<<c
				if v[from] != v[from|1<<a] {
					sum[a]++
					sum[b] += s & 1 * 2
					sum[c] += s >> 1 * 2
					m++
				}
			}
		}
		if m == 0 {
			continue
		}
		for a := range at {
			at[a] = 0.5
			if out>>a&1 == 0 {
				at[a] = min(max(float32(sum[a])*0.5/float32(m), 0.5-CellLimit), 0.5+CellLimit)
			}
		}
		break
	}
	return at
}

// number is the vertex, in its slab, of the cell of a word after those in
// before.
func (x *extraction) number(word int, before uint64) int32 {
	return x.rank[word] + int32(bits.OnesCount64(x.mixed[word]&before))
}

// fill writes the vertices and quadrilaterals of slices lo..hi-1. Around an
// edge whose ends differ all four cells are mixed, so their vertices exist.
func (x *extraction) fill(ctx context.Context, lo, hi int) error {
	n := x.net
	size := n.Grid.Size
	nx := size[0]
	r := newRows(x.id, size)
	v, q := x.verts[lo/slab], x.quads[lo/slab]
	perSlice := (size[1] + 1) * x.words
	for k := lo; k < hi; k++ {
		n.slice[k] = int32(q)
		here := int32(x.verts[k/slab])
		below := int32(x.verts[max(k-1, 0)/slab])
		for j := range size[1] + 1 {
			if j%rowsPerCheck == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			o := j*x.words + k*perSlice
			var a, b, c, d []byte
			for w, m := range x.mixed[o : o+x.words] {
				if m == 0 {
					continue
				}
				if a == nil {
					a, b, c, d = r.at(0, j-1, k-1), r.at(1, j, k-1), r.at(2, j-1, k), r.at(3, j, k)
				}
				for ; m != 0; m &= m - 1 {
					bit := bits.TrailingZeros64(m)
					t := 64*w + bit
					c8 := corners(a, b, c, d, t, nx)
					if x.keep != nil {
						c8 = mapped(c8, x.keep)
					}
					off := c8 ^ c8&255*oneBytes
					one := nonzeroBytes(off)
					differ := one * gather >> 56
					other := off >> (bits.TrailingZeros64(off) &^ 7) & 255
					p := n.Pos[3*v : 3*v+3 : 3*v+3]
					// the bytes that differ from corner 0 all alike, inside the grid
					if off == one*other && uint(t-1) < uint(nx-1) && uint(j-1) < uint(size[1]-1) && uint(k-1) < uint(size[2]-1) {
						f := &cellOffset[differ]
						p[0], p[1], p[2] = float32(t-1)+f[0], float32(j-1)+f[1], float32(k-1)+f[2]
						n.Meet[v] = 2
						l0, l1 := uint8(c8), uint8(c8^other)
						n.pair[v] = [2]uint8{min(l0, l1), max(l0, l1)}
					} else {
						n.special(v, c8, t, j, k)
					}
					if differ&(1<<1|1<<2|1<<4) != 0 {
						before := uint64(1)<<bit - 1
						id := int32(v)
						l0 := imaging.Label(c8)
						if differ&(1<<1) != 0 {
							va := below + x.number(o+w-perSlice, before)
							vb := here + x.number(o+w-x.words, before)
							vc := below + x.number(o+w-perSlice-x.words, before)
							n.Quads[q] = [4]int32{vc, va, id, vb}
							n.Axis[q] = 0
							n.Sides[q] = [2]imaging.Label{l0, imaging.Label(c8 >> 8)}
							q++
						}
						if differ&(1<<2) != 0 {
							va := below + x.number(o+w-perSlice, before)
							n.Quads[q] = [4]int32{va - 1, id - 1, id, va}
							n.Axis[q] = 1
							n.Sides[q] = [2]imaging.Label{l0, imaging.Label(c8 >> 16)}
							q++
						}
						if differ&(1<<4) != 0 {
							vb := here + x.number(o+w-x.words, before)
							n.Quads[q] = [4]int32{vb - 1, vb, id, id - 1}
							n.Axis[q] = 2
							n.Sides[q] = [2]imaging.Label{l0, imaging.Label(c8 >> 32)}
							q++
						}
					}
					v++
				}
			}
		}
	}
	return nil
}

// special writes a vertex of a cell with three labels or more, or at the
// border of the grid; i, j, k count from the pad.
func (n *Net) special(v int, c8 uint64, i, j, k int) {
	var c [8]byte
	binary.LittleEndian.PutUint64(c[:], c8)
	at := [3]int{i, j, k}
	out, upper := uint8(0), 0 // axes that lead out; corners in the upper pad
	for a, x := range at {
		if x == 0 || x == n.Grid.Size[a] {
			out |= 1 << a
		}
		if x == n.Grid.Size[a] {
			upper |= 1 << a
		}
	}
	off := meanCrossing(&c, out)
	for a, x := range at {
		n.Pos[3*v+a] = float32(x-1) + off[a]
	}
	kinds, edge := uint8(0), false
	inner := c[int(out)&^upper] // a corner in the grid
	for x, l := range c {
		if !bytes.Contains(c[:x], c[x:x+1]) {
			kinds++
		}
		if x&int(out) == int(out)&^upper && l != inner {
			edge = true // labels differ in the grid
		}
	}
	n.Meet[v] = kinds
	n.pair[v] = [2]uint8{slices.Min(c[:]), slices.Max(c[:])}
	n.held[v] = out
	if kinds > 2 || out != 0 && edge {
		n.held[v] |= crease
	}
}
