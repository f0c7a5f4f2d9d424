package meshio

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// A welder joins corners at the same place into one vertex, numbered by first
// use. Most corners of a file were last seen a few hundred faces before, so a
// small table of recent places answers five of six; it is two-way, and sized
// to the second-level cache. A place that is not in it is taken to be new,
// unless a Bloom filter (two bits in one word) has seen something like it: then
// it is suspect. Only suspects are looked up exactly, all together at the end,
// so that no lookup waits for a table larger than the cache. The outcome is
// exact whatever the tables' sizes and the hash, which is keyed anew in each
// process so that no file can be made to collide.
type welder struct {
	verts    []r3.Vec
	recent   [1 << recentBits][2]recentPlace
	bloom    []uint64
	shift    uint
	suspects []int32 // vertices that may stand at the place of an earlier one
}

type recentPlace struct {
	xy     uint64 // bits of x, and of y in the upper half
	z      uint32
	vertex int32 // −1: empty
}

const recentBits = 12

// Odd numbers, the key of the hash.
var hashA, hashB, hashC = rand.Uint64() | 1, rand.Uint64() | 1, rand.Uint64() | 1

// newWelder expects about the given number of faces; more make it slower, not
// wrong.
func newWelder(faces int) *welder {
	bits := 12
	for 1<<bits < 2*faces && bits < 24 {
		bits++
	}
	w := &welder{verts: make([]r3.Vec, 0, faces/2+faces/16+16), bloom: make([]uint64, 1<<bits/64), shift: uint(64 - bits)}
	for i := range w.recent {
		w.recent[i] = [2]recentPlace{{vertex: -1}, {vertex: -1}}
	}
	return w
}

const exponent32 = 0x7f800000 // all ones in NaN and infinities

// place returns the vertex at the place given by the bits of its float32
// coordinates, which is not among the recent ones c; −1 when one of them is not
// finite. h is the hash before mixing.
func (w *welder) place(xy uint64, z uint32, h uint64, c *[2]recentPlace) int32 {
	x, y := uint32(xy), uint32(xy>>32)
	if x&exponent32 == exponent32 || y&exponent32 == exponent32 || z&exponent32 == exponent32 {
		return -1
	}
	p := r3.Vec{X: widen(x), Y: widen(y), Z: widen(z)}
	h = mix(h)
	v := int32(len(w.verts))
	b := &w.bloom[h>>w.shift>>6]
	two := uint64(1)<<(h>>w.shift&63) | 1<<(h&63)
	if *b&two == two {
		w.suspects = append(w.suspects, v)
	}
	*b |= two
	w.verts = append(w.verts, p)
	c[1] = c[0]
	c[0] = recentPlace{xy, z, v}
	return v
}

// widen turns bits into a number; −0 becomes 0, they are the same place.
func widen(bits uint32) float64 { return float64(math.Float32frombits(bits)) + 0 }

func mix(h uint64) uint64 {
	h ^= h >> 32
	return h * hashC
}

func hashPlace(p *r3.Vec) uint64 {
	x, y, z := math.Float32bits(float32(p.X)), math.Float32bits(float32(p.Y)), math.Float32bits(float32(p.Z))
	return mix((uint64(x)|uint64(y)<<32)*hashA + uint64(z)*hashB)
}

// finish joins what the suspects stand upon, renumbers tris and returns the
// vertices.
func (w *welder) finish(tris [][3]int32) []r3.Vec {
	if len(w.suspects) == 0 {
		return w.verts
	}
	bits := 6
	for 1<<bits < 2*len(w.suspects) {
		bits++
	}
	mask := uint64(1)<<bits - 1
	shift := uint(64 - bits)
	place := make([]r3.Vec, len(w.suspects)) // close together, for the lookups
	first := make([]int32, len(w.suspects))  // new number of the first vertex there
	table := make([]int32, 1<<bits)          // suspect plus one
	some := make([]uint64, (4<<bits+63)/64)  // one bit in four of the table's size
	for i, v := range w.suspects {
		place[i], first[i] = w.verts[v], -1
		h := hashPlace(&place[i])
		b := h >> (shift - 2)
		some[b>>6] |= 1 << (b & 63)
		at := h >> shift
		for table[at] != 0 && place[table[at]-1] != place[i] {
			at = (at + 1) & mask
		}
		if table[at] == 0 {
			table[at] = int32(i) + 1
		}
	}
	number := make([]int32, len(w.verts))
	next := int32(0)
	for v := range w.verts {
		p := &w.verts[v]
		h := hashPlace(p)
		b := h >> (shift - 2)
		if some[b>>6]>>(b&63)&1 != 0 {
			at := h >> shift
			for table[at] != 0 && place[table[at]-1] != *p {
				at = (at + 1) & mask
			}
			if table[at] != 0 {
				f := &first[table[at]-1]
				if *f >= 0 {
					number[v] = *f
					continue
				}
				*f = next
			}
		}
		number[v] = next
		w.verts[next] = *p
		next++
	}
	if int(next) < len(number) {
		w.verts = w.verts[:next]
		for t := range tris {
			v := &tris[t]
			v[0], v[1], v[2] = number[v[0]], number[v[1]], number[v[2]]
		}
	}
	return w.verts
}
