package contour

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"unsafe"

	"halsted/imaging"
	"halsted/internal/par"
)

const (
	// slab is the number of slices of cells a worker takes at a time.
	slab = 8
	// rowsPerCheck is how many rows pass between two looks at the context.
	rowsPerCheck = 64
	// bytes of result and work space per vertex and per quadrilateral, with
	// those that Smooth, Restore and Surface will want.
	bytesPerVertex = 180
	bytesPerQuad   = 64
	// more per vertex with Options.Manifold, in the worst case
	bytesPerCrossing = 200
	// maxIndex keeps byte offsets of four-byte numbers within int32.
	maxIndex = 1 << 29
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

// extraction is a net under construction. Rows of cells are numbered j first,
// then k, from the pad; a row has words of 64 cells.
type extraction struct {
	net      *Net
	id       []byte
	keep     *[256]uint8 // label → label, or 0; nil keeps all
	words    int         // per row
	manifold bool
	mixed    []uint64 // one bit per cell
	rank     []int32  // per word: vertices before it in its slab
	verts    []int    // before each slab
	quads    []int
}

// run finds the vertices and quadrilaterals: it marks the mixed cells, makes
// room, and fills it.
func (x *extraction) run(ctx context.Context, id []imaging.Label, limit int64) error {
	size := x.net.Grid.Size
	x.id = unsafe.Slice((*byte)(unsafe.SliceData(id)), len(id))
	x.words = size[0]>>6 + 1
	all := (size[1] + 1) * (size[2] + 1) * x.words
	if need := 12 * int64(all); need > limit {
		return &LimitError{Limit: limit, Need: need}
	}
	x.mixed, x.rank = make([]uint64, all), make([]int32, all)
	slabs := size[2]/slab + 1
	x.verts, x.quads = make([]int, slabs+1), make([]int, slabs+1)
	err := par.ChunksCtx(ctx, size[2]+1, slab, func(lo, hi int) error { return x.mark(ctx, lo, hi) })
	if err != nil {
		return err
	}
	for s := range slabs {
		x.verts[s+1] += x.verts[s]
		x.quads[s+1] += x.quads[s]
	}
	v, q := x.verts[slabs], x.quads[slabs]
	perVertex := int64(bytesPerVertex)
	if x.manifold {
		perVertex += bytesPerCrossing
	}
	if need := 12*int64(all) + int64(v)*perVertex + int64(q)*bytesPerQuad; need > limit {
		return &LimitError{Limit: limit, Need: need}
	}
	if max(v, q) > maxIndex {
		return tooMany(v, q)
	}
	n := x.net
	n.Pos, n.Meet, n.held, n.pair = make([]float32, 3*v), make([]uint8, v), make([]uint8, v), make([][2]uint8, v)
	n.Quads, n.Axis, n.Sides = make([][4]int32, q), make([]uint8, q), make([][2]imaging.Label, q)
	n.slice = make([]int32, size[2]+2)
	n.slice[size[2]+1] = int32(q)
	err = par.ChunksCtx(ctx, size[2]+1, slab, func(lo, hi int) error { return x.fill(ctx, lo, hi) })
	if err == nil && x.manifold {
		err = n.split(ctx, x)
	}
	return err
}

func tooMany(verts, quads int) error {
	return fmt.Errorf("contour: a surface of %d vertices and %d quadrilaterals has more than %d; clean or crop the labels", verts, quads, maxIndex)
}

// mark finds the mixed cells of slices lo..hi-1, counted from the pad, and
// counts vertices and quadrilaterals.
func (x *extraction) mark(ctx context.Context, lo, hi int) error {
	size := x.net.Grid.Size
	r := newRows(x.id, size)
	out := make([]scanWords, x.words)
	verts, quads := 0, 0
	for k := lo; k < hi; k++ {
		for j := range size[1] + 1 {
			if j%rowsPerCheck == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			a, b, c, d := r.at(0, j-1, k-1), r.at(1, j, k-1), r.at(2, j-1, k), r.at(3, j, k)
			r.scan(a, b, c, d, out)
			if x.keep != nil {
				x.drop(a, b, c, d, out)
			}
			o := (j + (size[1]+1)*k) * x.words
			for w := range out {
				if m := out[w].mixed; m != 0 {
					x.mixed[o+w] = m
					x.rank[o+w] = int32(verts)
					verts += bits.OnesCount64(m)
					quads += out[w].faces()
				}
			}
		}
	}
	x.verts[lo/slab+1], x.quads[lo/slab+1] = verts, quads
	return nil
}

// corners are the labels of cell t of a row, the first corner in the lowest
// byte, i fastest.
func corners(a, b, c, d []byte, t, nx int) uint64 {
	v := uint64(binary.LittleEndian.Uint16(a[t:])) | uint64(binary.LittleEndian.Uint16(b[t:]))<<16 |
		uint64(binary.LittleEndian.Uint16(c[t:]))<<32 | uint64(binary.LittleEndian.Uint16(d[t:]))<<48
	if t == 0 {
		v &^= 0x00ff00ff00ff00ff
	}
	if t == nx {
		v &= 0x00ff00ff00ff00ff
	}
	return v
}

// mapped is v with each label through keep.
func mapped(v uint64, keep *[256]uint8) (w uint64) {
	for s := 0; s < 64; s += 8 {
		w |= uint64(keep[v>>s&255]) << s
	}
	return w
}

// drop unmarks what differs only in labels that are not kept.
func (x *extraction) drop(a, b, c, d []byte, out []scanWords) {
	for w := range out {
		for m := out[w].mixed; m != 0; m &= m - 1 {
			t := bits.TrailingZeros64(m)
			v := mapped(corners(a, b, c, d, 64*w+t, x.net.Grid.Size[0]), x.keep)
			differ := nonzero(v ^ v&255*oneBytes)
			bit := uint64(1) << t
			if differ == 0 {
				out[w].mixed &^= bit
			}
			if differ&2 == 0 {
				out[w].x &^= bit
			}
			if differ&4 == 0 {
				out[w].y &^= bit
			}
			if differ&16 == 0 {
				out[w].z &^= bit
			}
		}
	}
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
							oa, ob, oc := o+w-perSlice, o+w-x.words, o+w-perSlice-x.words
							va := below + x.rank[oa] + int32(bits.OnesCount64(x.mixed[oa]&before))
							vb := here + x.rank[ob] + int32(bits.OnesCount64(x.mixed[ob]&before))
							vc := below + x.rank[oc] + int32(bits.OnesCount64(x.mixed[oc]&before))
							n.Quads[q] = [4]int32{vc, va, id, vb}
							n.Axis[q] = 0
							n.Sides[q] = [2]imaging.Label{l0, imaging.Label(c8 >> 8)}
							q++
						}
						if differ&(1<<2) != 0 {
							oa := o + w - perSlice
							va := below + x.rank[oa] + int32(bits.OnesCount64(x.mixed[oa]&before))
							n.Quads[q] = [4]int32{va - 1, id - 1, id, va}
							n.Axis[q] = 1
							n.Sides[q] = [2]imaging.Label{l0, imaging.Label(c8 >> 16)}
							q++
						}
						if differ&(1<<4) != 0 {
							ob := o + w - x.words
							vb := here + x.rank[ob] + int32(bits.OnesCount64(x.mixed[ob]&before))
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
