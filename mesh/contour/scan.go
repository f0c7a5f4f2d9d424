package contour

import (
	"encoding/binary"
	"math/bits"
)

// scanWords is what scan writes for 64 cells; bit t is cell 64w+t. A cell has
// the columns t and t+1 of four rows.
type scanWords struct {
	mixed uint64 // the eight voxels differ
	x     uint64 // a[t] and a[t+1] differ
	y     uint64 // a[t] and b[t] differ
	z     uint64 // a[t] and c[t] differ
}

const (
	lowBits  = 0x7f7f7f7f7f7f7f7f
	highBits = 0x8080808080808080
	oneBytes = 0x0101010101010101
	gather   = 0x0102040810204080
)

// nonzeroBytes has 1 in each byte of w that is not zero.
func nonzeroBytes(w uint64) uint64 { return ((w & lowBits) + lowBits | w) >> 7 & oneBytes }

// nonzero has one bit for each byte of w that is not zero, the lowest first.
func nonzero(w uint64) uint64 { return nonzeroBytes(w) * gather >> 56 }

// scanPortable compares four rows column by column. It reads 64·len(out)
// bytes of each row, one more of a. The last bit of the last word does not
// know the column after it.
func scanPortable(a, b, c, d []byte, out []scanWords) {
	carry := uint64(0) // column 0 of the next word is not uniform
	for w := len(out) - 1; w >= 0; w-- {
		var col, x, y, z uint64
		for s := 0; s < 64; s += 8 {
			o := 64*w + s
			va := binary.LittleEndian.Uint64(a[o:])
			va1 := va ^ (va>>8 | uint64(a[o+8])<<56)
			vb := va ^ binary.LittleEndian.Uint64(b[o:])
			vc := va ^ binary.LittleEndian.Uint64(c[o:])
			vd := va ^ binary.LittleEndian.Uint64(d[o:])
			if va1|vb|vc|vd == 0 {
				continue
			}
			x |= nonzero(va1) << s
			y |= nonzero(vb) << s
			z |= nonzero(vc) << s
			col |= nonzero(vb|vc|vd) << s
		}
		out[w] = scanWords{mixed: col | col>>1 | carry<<63 | x, x: x, y: y, z: z}
		carry = col & 1
	}
}

// rows hands out the rows of a label map as scan wants them: with one byte
// before them and enough after them to be read in whole words.
type rows struct {
	id    []byte
	size  [3]int
	words int       // of 64 cells in a row of cells
	zero  []byte    // the row of the pad
	spare [4][]byte // copies of rows too close to the ends of id
}

func newRows(id []byte, size [3]int) *rows {
	r := &rows{id: id, size: size, words: size[0]>>6 + 1}
	r.zero = make([]byte, r.span())
	return r
}

// span is the number of bytes of a row, from the voxel before the first.
func (r *rows) span() int { return 64*r.words + 1 }

// at is row (j,k) from voxel −1; s is the spare to use for a copy. What stands
// at voxel −1 and after the last voxel means nothing.
func (r *rows) at(s, j, k int) []byte {
	if uint(j) >= uint(r.size[1]) || uint(k) >= uint(r.size[2]) {
		return r.zero
	}
	o := r.size[0]*(j+r.size[1]*k) - 1
	if o >= 0 && o+r.span() <= len(r.id) {
		return r.id[o : o+r.span()]
	}
	if r.spare[s] == nil {
		r.spare[s] = make([]byte, r.span())
	}
	copy(r.spare[s][1:], r.id[o+1:])
	return r.spare[s]
}

// scan compares the rows around a row of cells and writes the truth about the
// cells at both ends, where the pad is.
func (r *rows) scan(a, b, c, d []byte, out []scanWords) {
	scanWide(a, b, c, d, out)
	n := r.size[0]
	first, last := &out[0], &out[n>>6]
	bit, beyond := uint64(1)<<(n&63), ^uint64(1)<<(n&63)
	first.mixed &^= 1
	first.x &^= 1
	first.y &^= 1
	first.z &^= 1
	if a[1]|b[1]|c[1]|d[1] != 0 {
		first.mixed |= 1
	}
	if a[1] != 0 {
		first.x |= 1
	}
	last.mixed &^= beyond | bit
	last.x &^= beyond | bit
	last.y &^= beyond
	last.z &^= beyond
	if a[n]|b[n]|c[n]|d[n] != 0 {
		last.mixed |= bit
	}
	if a[n] != 0 {
		last.x |= bit
	}
}

// faces is the number of faces at the first corners of the cells.
func (s *scanWords) faces() int {
	return bits.OnesCount64(s.x) + bits.OnesCount64(s.y) + bits.OnesCount64(s.z)
}
