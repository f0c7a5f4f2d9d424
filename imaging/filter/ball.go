package filter

import (
	"context"
	"encoding/binary"
	"math"

	"halsted/imaging"
	"halsted/internal/par"
)

// bitRows is a mask with 64 voxels of a row to a word, bit i of a row for its
// voxel i; bits beyond the row are 0.
type bitRows struct {
	size  [3]int
	words int // of a row
	w     []uint64
}

func newBitRows(size [3]int) *bitRows {
	words := (size[0] + 63) / 64
	return &bitRows{size: size, words: words, w: make([]uint64, words*size[1]*size[2])}
}

// packed holds the voxels n of box, which lies inside g, with m[n] == in.
func packed(g imaging.Grid, m Mask, box imaging.Box, in bool) *bitRows {
	b := newBitRows(box.Size())
	var flip uint64
	if !in {
		flip = 1
	}
	nx, ny := b.size[0], b.size[1]
	par.Chunks(ny*b.size[2], 64, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := raw(m[g.Index(box.Lo[0], box.Lo[1]+r%ny, box.Lo[2]+r/ny):][:nx])
			for q := range b.words {
				var x uint64
				part := row[q*64 : min(q*64+64, nx)]
				i := 0
				for ; i+8 <= len(part); i += 8 { // one bit of each byte, gathered
					x |= (binary.LittleEndian.Uint64(part[i:]) ^ flip*0x0101010101010101) * 0x0102040810204080 >> 56 << i
				}
				for ; i < len(part); i++ {
					x |= (uint64(part[i]) ^ flip) << i
				}
				b.w[r*b.words+q] = x
			}
		}
	})
	return b
}

// unpack sets the voxels of box in m to whether their bit is set == in.
func (b *bitRows) unpack(g imaging.Grid, m Mask, box imaging.Box, in bool) {
	var want uint64
	if in {
		want = 1
	}
	nx, ny := b.size[0], b.size[1]
	par.Chunks(ny*b.size[2], 64, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := m[g.Index(box.Lo[0], box.Lo[1]+r%ny, box.Lo[2]+r/ny):][:nx]
			for q := range b.words {
				x := b.w[r*b.words+q]
				part := row[q*64 : min(q*64+64, nx)]
				for i := range part {
					part[i] = x>>(i&63)&1 == want
				}
			}
		}
	})
}

// empty reports whether no bit is set.
func (b *bitRows) empty() bool {
	for _, x := range b.w {
		if x != 0 {
			return false
		}
	}
	return true
}

// ball is the voxels within a radius of the one in its middle.
type ball struct {
	// width[c][b] is how far the ball reaches along a row that is b rows and c
	// slices away, in voxels
	width [][]int
	lines int // rows in half the ball
}

// ballOf is the ball of r mm. Distances are rounded as distance.Unsigned rounds
// them, so that a voxel at just r mm falls on the same side.
func ballOf(g imaging.Grid, r float64) *ball {
	h := g.SpacingMM()
	_, exp := math.Frexp(max(h[0], h[1], h[2]))
	unit := math.Ldexp(1, exp)
	for a := range h {
		h[a] /= unit
	}
	hj, hk := float32(h[1]*h[1]), float32(h[2]*h[2])
	within := func(i, j, k int) bool {
		x := float64(i) * h[0]
		d := hj*float32(j)*float32(j) + float32(x*x)
		d = hk*float32(k)*float32(k) + d
		return float32(math.Sqrt(float64(d)))*float32(unit) <= float32(r)
	}
	o := &ball{}
	for k := 0; k < g.Size[2] && within(0, 0, k); k++ {
		var row []int
		for j := 0; j < g.Size[1] && within(0, j, k); j++ {
			i := 0
			if j > 0 {
				i = row[j-1] // no wider than the row before
			} else if k > 0 {
				i = o.width[k-1][0]
			} else {
				i = g.Size[0]
			}
			for i >= g.Size[0] || !within(i, j, k) {
				i--
			}
			row = append(row, i)
		}
		o.width = append(o.width, row)
		o.lines += 2*len(row) - 1
	}
	return o
}

// mostLines is the size of a ball from which a distance field is cheaper.
const mostLines = 3000

// dilated adds every voxel of the grid whose ball meets b.
func (b *bitRows) dilated(ctx context.Context, o *ball) (*bitRows, error) {
	ny, nz := b.size[1], b.size[2]
	slice := b.words * ny
	// each slice by each slice of the ball
	discs := make([][]uint64, nz)
	err := par.ChunksCtx(ctx, nz, 1, func(k, _ int) error {
		if src := b.w[k*slice : (k+1)*slice]; anySet(src) {
			discs[k] = b.discs(src, o)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := newBitRows(b.size)
	err = par.ChunksCtx(ctx, nz, 4, func(lo, hi int) error {
		for k := lo; k < hi; k++ {
			dst := out.w[k*slice : (k+1)*slice]
			for q := max(0, k-len(o.width)+1); q < min(nz, k+len(o.width)); q++ {
				if discs[q] != nil {
					orInto(dst, discs[q][max(k-q, q-k)*slice:])
				}
			}
		}
		return nil
	})
	return out, err
}

// discs is a slice dilated by each slice of the ball, from its middle on.
func (b *bitRows) discs(src []uint64, o *ball) []uint64 {
	slice := len(src)
	out := make([]uint64, len(o.width)*slice)
	wide, now := make([]uint64, slice), 0
	copy(wide, src)
	for w := 0; w <= o.width[0][0]; w++ {
		for ; now < w; now++ {
			b.widen(wide)
		}
		for c, row := range o.width {
			dst := out[c*slice:][:slice]
			for j, is := range row {
				if is == w {
					off := min(j*b.words, slice)
					orInto(dst[off:], wide)
					if j > 0 {
						orInto(dst, wide[off:])
					}
				}
			}
		}
	}
	return out
}

// widen adds the neighbours of each voxel in its row.
func (b *bitRows) widen(w []uint64) {
	last := ^uint64(0) >> (63 - (b.size[0]-1)&63)
	for r := 0; r < len(w); r += b.words {
		row := w[r : r+b.words]
		before := uint64(0) // the word before as it was
		for q, x := range row {
			y := x | x<<1 | before>>63 | x>>1
			if q+1 < len(row) {
				y |= row[q+1] << 63
			} else {
				y &= last
			}
			row[q], before = y, x
		}
	}
}

// orInto adds the bits of src to dst, as far as both go.
func orInto(dst, src []uint64) {
	n := min(len(dst), len(src))
	dst, src = dst[:n], src[:n]
	for i, x := range src {
		dst[i] |= x
	}
}

func anySet(w []uint64) bool {
	for _, x := range w {
		if x != 0 {
			return true
		}
	}
	return false
}
