package spatial

import (
	"context"
	"fmt"
	"math"
	"math/bits"

	"gonum.org/v1/gonum/spatial/r3"
)

// box holds an item, rounded outward.
type box struct{ lo, hi [3]float32 }

// node holds the boxes of its two children: one cache line. A child with
// count > 0 is a leaf: items child … child+count−1 of the order; else it is a
// node. A tree of one leaf has the empty box, which nothing meets, as its
// second child.
type node struct {
	at    [2]box
	child [2]int32
	count [2]int32
}

// tree is a bounding volume hierarchy over boxes.
type tree struct {
	nodes []node
	order []int32 // item of each place in a leaf
	all   box
}

const (
	// leafItems bounds the items of a leaf.
	leafItems = 4
	// maxItems keeps indices of items and nodes within int32.
	maxItems = math.MaxInt32 / 2
	// stackDepth bounds the depth of a tree: 63 bits of key, then halves.
	stackDepth = 96
	// maxCoordMM bounds coordinates so that their squares fit a float32.
	maxCoordMM = 1e15
)

var inf32 = float32(math.Inf(1))

// emptyBox meets nothing, and join with it changes nothing.
func emptyBox() box {
	return box{lo: [3]float32{inf32, inf32, inf32}, hi: [3]float32{-inf32, -inf32, -inf32}}
}

// around is the box of the points, a few steps of float32 larger.
func around(points ...r3.Vec) box {
	b := emptyBox()
	for _, p := range points {
		for a, x := range [3]float64{p.X, p.Y, p.Z} {
			lo, hi := padded(x)
			b.lo[a], b.hi[a] = min(b.lo[a], lo), max(b.hi[a], hi)
		}
	}
	return b
}

// padded are float32 numbers just below and above x.
func padded(x float64) (lo, hi float32) {
	y := float32(x)
	e := max(y, -y)*(1.0/(1<<22)) + math.SmallestNonzeroFloat32
	return y - e, y + e
}

func (b *box) join(o *box) {
	for a := range 3 {
		b.lo[a], b.hi[a] = min(b.lo[a], o.lo[a]), max(b.hi[a], o.hi[a])
	}
}

// newTree sorts the boxes along a Morton curve and splits them where the
// highest bit changes (Lauterbach et al., Comput. Graph. Forum 28 (2009)
// 375–384, doi 10.1111/j.1467-8659.2009.01377.x).
func newTree(ctx context.Context, boxes []box) (*tree, error) {
	n := len(boxes)
	if n > maxItems {
		return nil, fmt.Errorf("spatial: %d items, more than %d: split the mesh", n, maxItems)
	}
	t := &tree{order: make([]int32, n), all: emptyBox()}
	centres := emptyBox() // of the middles
	for i := range boxes {
		b := &boxes[i]
		t.all.join(b)
		for a := range 3 {
			m := b.lo[a] + b.hi[a]
			centres.lo[a], centres.hi[a] = min(centres.lo[a], m), max(centres.hi[a], m)
		}
	}
	extent := max(centres.hi[0]-centres.lo[0], centres.hi[1]-centres.lo[1], centres.hi[2]-centres.lo[2])
	var scale float32
	if extent > 0 {
		scale = (1<<21 - 2) / extent
	}
	keys := make([]uint64, n)
	for i := range boxes {
		b := &boxes[i]
		t.order[i] = int32(i)
		keys[i] = spread(uint64((b.lo[0]+b.hi[0]-centres.lo[0])*scale)) |
			spread(uint64((b.lo[1]+b.hi[1]-centres.lo[1])*scale))<<1 |
			spread(uint64((b.lo[2]+b.hi[2]-centres.lo[2])*scale))<<2
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var err error
	if keys, t.order, err = radixSort(ctx, keys, t.order); err != nil {
		return nil, err
	}
	t.nodes = make([]node, 1, max(1, n/8*3))
	b := builder{tree: t, ctx: ctx, boxes: boxes, keys: keys}
	if n <= leafItems {
		r := &t.nodes[0]
		r.at = [2]box{t.all, emptyBox()}
		r.count = [2]int32{int32(n), 0}
		return t, nil
	}
	b.split(0, 0, int32(n))
	return t, ctx.Err()
}

// spread puts two zero bits between the bits of x < 2²¹.
func spread(x uint64) uint64 {
	x &= 1<<21 - 1
	x = (x | x<<32) & 0x1f00000000ffff
	x = (x | x<<16) & 0x1f0000ff0000ff
	x = (x | x<<8) & 0x100f00f00f00f00f
	x = (x | x<<4) & 0x10c30c30c30c30c3
	return (x | x<<2) & 0x1249249249249249
}

// radixSort sorts the keys and carries the items along; equal keys keep their
// order. It may return other slices than it was given.
func radixSort(ctx context.Context, keys []uint64, item []int32) ([]uint64, []int32, error) {
	const digit = 11
	var high uint64
	for _, k := range keys {
		high |= k
	}
	otherKeys, otherItem := make([]uint64, len(keys)), make([]int32, len(item))
	for shift := 0; high>>shift != 0; shift += digit {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		var start [1<<digit + 1]int32
		for _, k := range keys {
			start[k>>shift&(1<<digit-1)+1]++
		}
		for d := range 1 << digit {
			start[d+1] += start[d]
		}
		for i, k := range keys {
			d := k >> shift & (1<<digit - 1)
			otherKeys[start[d]], otherItem[start[d]] = k, item[i]
			start[d]++
		}
		keys, otherKeys, item, otherItem = otherKeys, keys, otherItem, item
	}
	return keys, item, nil
}

type builder struct {
	*tree
	ctx   context.Context
	boxes []box
	keys  []uint64
}

// split makes node r of places lo … hi−1, more than a leaf holds.
func (b *builder) split(r, lo, hi int32) box {
	if hi-lo > 1<<16 && b.ctx.Err() != nil {
		return emptyBox() // newTree returns the error
	}
	mid := (lo + hi) / 2
	if d := b.keys[lo] ^ b.keys[hi-1]; d != 0 {
		top := uint64(1) << (63 - bits.LeadingZeros64(d))
		low, high := lo, hi-1 // key[low] lacks the bit, key[high] has it
		for high-low > 1 {
			if m := (low + high) / 2; b.keys[m]&top != 0 {
				high = m
			} else {
				low = m
			}
		}
		mid = high
	}
	all := emptyBox()
	for c, part := range [2][2]int32{{lo, mid}, {mid, hi}} {
		in := emptyBox()
		if count := part[1] - part[0]; count <= leafItems {
			for _, i := range b.order[part[0]:part[1]] {
				in.join(&b.boxes[i])
			}
			b.nodes[r].child[c], b.nodes[r].count[c] = part[0], count
		} else {
			child := int32(len(b.nodes))
			b.nodes = append(b.nodes, node{})
			b.nodes[r].child[c] = child
			in = b.split(child, part[0], part[1])
		}
		b.nodes[r].at[c] = in
		all.join(&in)
	}
	return all
}
