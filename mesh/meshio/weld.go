package meshio

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// A welder joins corners at the same place into one vertex, numbered by first
// use. Most corners of a file were last seen a few hundred faces before, so a
// small table of recent places answers five of six; it is two-way, and at 512
// KiB stays in a near cache. A place that is not in it is taken to be new,
// unless a Bloom filter (two bits in one word) has seen something like it: then
// it is suspect. Only suspects are looked up exactly, all together at the end,
// so that no lookup waits for a table larger than the cache. The outcome is
// exact whatever the tables' sizes and the hash, which is keyed anew in each
// process so that no file can be made to collide.
type welder struct {
	verts    []r3.Vec
	hash     []uint32 // upper half of the hash of each vertex
	recent   [1 << recentBits]recentPair
	bloom    []uint64
	shift    uint
	suspects []int32 // vertices that may stand at the place of an earlier one
}

type recentPlace struct {
	xy     uint64 // bits of x, and of y in the upper half
	z      uint32
	vertex int32 // −1: empty
}

type recentPair [2]recentPlace

// get is the vertex at a place, or −1.
func (c *recentPair) get(xy uint64, z uint32) int32 {
	if c[0].xy == xy && c[0].z == z {
		return c[0].vertex
	}
	if c[1].xy == xy && c[1].z == z {
		return c[1].vertex
	}
	return -1
}

const recentBits = 14

// Odd numbers, the key of the hash.
var hashA, hashB, hashC = rand.Uint64() | 1, rand.Uint64() | 1, rand.Uint64() | 1

// newWelder expects about the given number of faces; more make it slower, not
// wrong.
func newWelder(faces int) *welder {
	bits := 12
	for 1<<bits < 4*faces && bits < 24 {
		bits++
	}
	guess := faces/2 + faces/16 + 16 // a closed surface has half as many vertices as faces
	w := &welder{verts: make([]r3.Vec, 0, guess), hash: make([]uint32, 0, guess), bloom: make([]uint64, 1<<bits/64), shift: uint(64 - bits)}
	for i := range w.recent {
		w.recent[i] = recentPair{{vertex: -1}, {vertex: -1}}
	}
	return w
}

const exponent32 = 0x7f800000 // all ones in NaN and infinities

// place returns the vertex at the place given by the bits of its float32
// coordinates, which is not among the recent ones c; −1 when one of them is not
// finite. h is the hash before mixing.
func (w *welder) place(xy uint64, z uint32, h uint64, c *recentPair) int32 {
	x, y := uint32(xy), uint32(xy>>32)
	if x&exponent32 == exponent32 || y&exponent32 == exponent32 || z&exponent32 == exponent32 {
		return -1
	}
	if x == negativeZero || y == negativeZero || z == negativeZero {
		xy, z = uint64(plus(x))|uint64(plus(y))<<32, plus(z)
		h = xy*hashA + uint64(z)*hashB
		c = &w.recent[h>>(64-recentBits)]
		if v := c.get(xy, z); v >= 0 {
			return v
		}
		x, y = uint32(xy), uint32(xy>>32)
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
	w.hash = append(w.hash, uint32(h>>32))
	c[1] = c[0]
	c[0] = recentPlace{xy, z, v}
	return v
}

const negativeZero = 1 << 31

// plus turns −0 into 0: they are the same place.
func plus(bits uint32) uint32 {
	if bits == negativeZero {
		return 0
	}
	return bits
}

func widen(bits uint32) float64 { return float64(math.Float32frombits(bits)) }

func mix(h uint64) uint64 {
	h ^= h >> 32
	return h * hashC
}

// finish joins the suspects with the vertices that stand at their place and
// leaves out faces that then have two equal corners. It returns the vertices
// and the faces, renumbered.
func (w *welder) finish(tris [][3]int32) ([]r3.Vec, [][3]int32) {
	number := w.join()
	kept := 0
	for t := range tris {
		v := tris[t]
		if number != nil {
			v[0], v[1], v[2] = number[v[0]], number[v[1]], number[v[2]]
		}
		if v[0] == v[1] || v[1] == v[2] || v[2] == v[0] {
			continue
		}
		tris[kept] = v
		kept++
	}
	return w.verts, tris[:kept]
}

// join returns the new number of each vertex, or nil when none changes.
func (w *welder) join() []int32 {
	if len(w.suspects) == 0 {
		return nil
	}
	bits := 6
	for 1<<bits < len(w.suspects)+len(w.suspects)/2 {
		bits++
	}
	mask := uint32(1)<<bits - 1
	shift := 32 - bits
	table := make([]uint64, 1<<bits)         // hash, suspect plus one
	stands := make([]int32, len(w.suspects)) // the suspect that stands in the table for this place
	first := make([]int32, len(w.suspects))  // new number of the first vertex at its place
	some := make([]uint64, 8<<bits/64)       // a bit for each eighth of a place in the table
	for i, v := range w.suspects {
		first[i] = -1
		h := w.hash[v]
		b := uint64(h) << 3 >> shift
		some[b>>6] |= 1 << (b & 63)
		at, found := w.find(table, h>>shift, mask, v)
		if !found {
			table[at] = uint64(h)<<32 | uint64(i+1)
		}
		stands[i] = int32(uint32(table[at])) - 1
	}
	number := make([]int32, len(w.verts))
	next, suspect := int32(0), 0
	for v, h := range w.hash {
		at := int32(-1)
		if suspect < len(stands) && w.suspects[suspect] == int32(v) {
			at = stands[suspect]
			suspect++
		} else if b := uint64(h) << 3 >> shift; some[b>>6]>>(b&63)&1 != 0 {
			if i, found := w.find(table, h>>shift, mask, int32(v)); found {
				at = int32(uint32(table[i])) - 1
			}
		}
		if at >= 0 {
			if first[at] >= 0 {
				number[v] = first[at]
				continue
			}
			first[at] = next
		}
		number[v] = next
		next++
	}
	if int(next) == len(number) {
		return nil
	}
	// a vertex that stays moves down; one that is joined is there already
	next = 0
	for v, n := range number {
		if n == next {
			w.verts[n] = w.verts[v]
			next++
		}
	}
	w.verts = w.verts[:next]
	return number
}

// find looks for a suspect at the place of vertex v from place at of the table
// on, and returns where it stands or may stand.
func (w *welder) find(table []uint64, at, mask uint32, v int32) (uint32, bool) {
	for h := uint64(w.hash[v]); table[at] != 0; at = (at + 1) & mask {
		if e := table[at]; e>>32 == h && w.verts[w.suspects[uint32(e)-1]] == w.verts[v] {
			return at, true
		}
	}
	return at, false
}
