package tetra

import "math"

const queueBuckets = 64

// bucketQueue holds tetrahedra by how bad they are, in steps of the angle; in a
// bucket the last one in comes first. What has changed since is still there:
// the taker looks.
type bucketQueue struct {
	list [queueBuckets][]int32
	low  int // no bucket below it holds anything
	good float64
}

func (b *bucketQueue) push(t int32, shape float64) {
	if shape >= b.good {
		return
	}
	i := max(0, min(queueBuckets-1, int(queueBuckets*math.Sqrt(shape/b.good))))
	b.list[i] = append(b.list[i], t)
	b.low = min(b.low, i)
}

// pop takes one of the worst out, or returns −1.
func (b *bucketQueue) pop() int32 {
	for ; b.low < queueBuckets; b.low++ {
		if l := b.list[b.low]; len(l) > 0 {
			b.list[b.low] = l[:len(l)-1]
			return l[len(l)-1]
		}
	}
	return -1
}
