package contour

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
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
