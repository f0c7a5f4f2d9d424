package vessel

import "math"

// queue is a binary heap of voxels by a cost that is not negative; equal costs
// come in the order of the voxels.
type queue []uint64

func key(cost float32, v int32) uint64 { return uint64(math.Float32bits(cost))<<32 | uint64(uint32(v)) }

func (q *queue) push(cost float32, v int32) {
	h := append(*q, key(cost, v))
	n := len(h) - 1
	for n > 0 {
		up := (n - 1) / 2
		if h[up] <= h[n] {
			break
		}
		h[up], h[n] = h[n], h[up]
		n = up
	}
	*q = h
}

func (q *queue) pop() (cost float32, v int32) {
	h := *q
	top := h[0]
	last := len(h) - 1
	h[0] = h[last]
	h = h[:last]
	n := 0
	for {
		c := 2*n + 1
		if c >= last {
			break
		}
		if c+1 < last && h[c+1] < h[c] {
			c++
		}
		if h[n] <= h[c] {
			break
		}
		h[n], h[c] = h[c], h[n]
		n = c
	}
	*q = h
	return math.Float32frombits(uint32(top >> 32)), int32(uint32(top))
}
