package filter

import (
	"context"
	"math"
)

// CutGraph is a graph with two terminals, inside and outside, for a minimum cut
// by the algorithm of Boykov & Kolmogorov, IEEE TPAMI 26 (2004) 1124 (two search
// trees kept between augmentations). Weights are whole numbers, so the cut is
// exact and the same bits for any core count.
//
// A graph is filled by Gain and Arc, and solved once by Solve. Arcs may cost more
// one way than the other and join any nodes; for voxels and their neighbours
// CutProblem is lighter.
type CutGraph struct {
	edges  []cutEdge
	excess []int64 // what a node gains inside, then what is left of it

	first []int32 // the arcs of node n are arcs[first[n]:first[n+1]]
	arcs  []cutArc
	tree  []uint8 // free, or the terminal whose search tree holds the node
	up    []int32 // arc to the parent, or one of the three below
	seen  []int32 // the time at which dist was last right
	dist  []int32 // arcs to the terminal
	queue []int32 // active nodes, used as a ring
	head  int
	count int
	inQ   []bool
	lost  []int32 // orphans
	time  int32
}

type cutEdge struct{ a, b, there, back int32 }

type cutArc struct {
	to, twin int32 // the other end; the arc the other way
	rest     int32 // residual capacity
}

const (
	cutFree, cutInside, cutOutside = uint8(0), uint8(1), uint8(2)
	upNone, upTerminal, upOrphan   = int32(-1), int32(-2), int32(-3)
)

// CutForbidden is the capacity of an arc that is not to be cut.
const CutForbidden = math.MaxInt32 / 4

// NewCutGraph is a graph of n nodes without arcs; arcs is how many calls of Arc
// to make room for.
func NewCutGraph(n, arcs int) *CutGraph {
	return &CutGraph{excess: make([]int64, n), edges: make([]cutEdge, 0, arcs)}
}

// Gain adds to what is gained when node n is inside; negative: lost.
func (c *CutGraph) Gain(n int, gain int64) { c.excess[n] += gain }

// Arc adds the cost there of a inside and b outside, and back of b inside and a
// outside; both from 0 to CutForbidden.
func (c *CutGraph) Arc(a, b int, there, back int32) {
	c.edges = append(c.edges, cutEdge{int32(a), int32(b), there, back})
}

// Solve finds the set of inside nodes that gains most after the cost of the arcs
// it cuts, the smallest such set. It returns ctx.Err() when ctx ends first.
func (c *CutGraph) Solve(ctx context.Context) (inside Mask, err error) {
	c.build()
	current := int32(-1)
	for round := 0; ; round++ {
		if round&1023 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		n := current
		if n < 0 || c.up[n] == upNone {
			if n = c.next(); n < 0 {
				break
			}
		}
		a := c.grow(n)
		c.time++
		if a < 0 {
			current = -1
			continue
		}
		current = n
		c.augment(a)
		for len(c.lost) > 0 {
			o := c.lost[len(c.lost)-1]
			c.lost = c.lost[:len(c.lost)-1]
			c.adopt(o)
		}
	}
	inside = make(Mask, len(c.tree))
	for n, t := range c.tree {
		inside[n] = t == cutInside
	}
	return inside, nil
}

func (c *CutGraph) build() {
	n := len(c.excess)
	c.first = make([]int32, n+1)
	for _, e := range c.edges {
		c.first[e.a+1]++
		c.first[e.b+1]++
	}
	for i := range n {
		c.first[i+1] += c.first[i]
	}
	at := make([]int32, n)
	copy(at, c.first)
	c.arcs = make([]cutArc, 2*len(c.edges))
	for _, e := range c.edges {
		p, q := at[e.a], at[e.b]
		at[e.a]++
		at[e.b]++
		if e.a == e.b { // a loop costs nothing
			q = at[e.a] - 1
		}
		c.arcs[p] = cutArc{e.b, q, e.there}
		c.arcs[q] = cutArc{e.a, p, e.back}
	}
	c.edges = nil
	c.tree, c.up = make([]uint8, n), make([]int32, n)
	c.seen, c.dist = make([]int32, n), make([]int32, n)
	c.queue, c.inQ = make([]int32, n+1), make([]bool, n)
	for i, e := range c.excess {
		c.up[i] = upNone
		if e == 0 {
			continue
		}
		c.tree[i], c.up[i], c.dist[i] = cutInside, upTerminal, 1
		if e < 0 {
			c.tree[i] = cutOutside
		}
		c.activate(int32(i))
	}
}

func (c *CutGraph) activate(n int32) {
	if c.inQ[n] {
		return
	}
	c.inQ[n] = true
	c.queue[(c.head+c.count)%len(c.queue)] = n
	c.count++
}

// next is the first active node that is still in a tree, or −1.
func (c *CutGraph) next() int32 {
	for c.count > 0 {
		n := c.queue[c.head]
		c.head = (c.head + 1) % len(c.queue)
		c.count--
		c.inQ[n] = false
		if c.up[n] != upNone {
			return n
		}
	}
	return -1
}

// open reports whether flow can still pass along arc a in the direction of the
// tree t: away from the source, or towards the sink.
func (c *CutGraph) open(a int32, t uint8) bool {
	if t == cutInside {
		return c.arcs[a].rest > 0
	}
	return c.arcs[c.arcs[a].twin].rest > 0
}

// grow adds the free neighbours of n to its tree; it returns an open arc from
// the inside tree to the outside one when it meets one, else −1.
func (c *CutGraph) grow(n int32) int32 {
	t := c.tree[n]
	for a := c.first[n]; a < c.first[n+1]; a++ {
		if !c.open(a, t) {
			continue
		}
		o, twin := c.arcs[a].to, c.arcs[a].twin
		switch {
		case c.up[o] == upNone:
			c.tree[o], c.up[o], c.seen[o], c.dist[o] = t, twin, c.seen[n], c.dist[n]+1
			c.activate(o)
		case c.tree[o] != t:
			if t == cutInside {
				return a
			}
			return twin
		case c.seen[o] <= c.seen[n] && c.dist[o] > c.dist[n]: // a shorter way
			c.up[o], c.seen[o], c.dist[o] = twin, c.seen[n], c.dist[n]+1
		}
	}
	return -1
}

// augment pushes what fits along the path through the arc a between the trees.
func (c *CutGraph) augment(a int32) {
	push := int64(c.arcs[a].rest)
	from, to := c.arcs[c.arcs[a].twin].to, c.arcs[a].to
	n := from
	for c.up[n] != upTerminal {
		up := c.arcs[c.up[n]]
		push = min(push, int64(c.arcs[up.twin].rest))
		n = up.to
	}
	push = min(push, c.excess[n])
	for n = to; c.up[n] != upTerminal; {
		up := c.arcs[c.up[n]]
		push = min(push, int64(up.rest))
		n = up.to
	}
	push = min(push, -c.excess[n])

	c.move(a, push)
	for n = from; c.up[n] != upTerminal; {
		b := c.up[n]
		up := c.arcs[b]
		c.move(up.twin, push)
		if c.arcs[up.twin].rest == 0 {
			c.orphan(n)
		}
		n = up.to
	}
	if c.excess[n] -= push; c.excess[n] == 0 {
		c.orphan(n)
	}
	for n = to; c.up[n] != upTerminal; {
		b := c.up[n]
		next := c.arcs[b].to
		c.move(b, push)
		if c.arcs[b].rest == 0 {
			c.orphan(n)
		}
		n = next
	}
	if c.excess[n] += push; c.excess[n] == 0 {
		c.orphan(n)
	}
}

func (c *CutGraph) move(a int32, push int64) {
	c.arcs[a].rest -= int32(push)
	c.arcs[c.arcs[a].twin].rest += int32(push)
}

func (c *CutGraph) orphan(n int32) {
	c.up[n] = upOrphan
	c.lost = append(c.lost, n)
}

// adopt finds a new parent for the orphan n, the nearest to the terminal, or
// lets it go free with its children orphaned.
func (c *CutGraph) adopt(n int32) {
	t := c.tree[n]
	best, least := int32(-1), int32(math.MaxInt32)
	for a := c.first[n]; a < c.first[n+1]; a++ {
		o := c.arcs[a].to
		if c.tree[o] != t || c.up[o] == upNone || !c.open(c.arcs[a].twin, t) {
			continue
		}
		if d := c.origin(o); d < least {
			best, least = a, d
		}
	}
	if best >= 0 {
		c.up[n], c.seen[n], c.dist[n] = best, c.time, least+1
		return
	}
	c.up[n], c.tree[n] = upNone, cutFree
	for a := c.first[n]; a < c.first[n+1]; a++ {
		o := c.arcs[a].to
		if c.tree[o] != t || c.up[o] == upNone {
			continue
		}
		if c.open(c.arcs[a].twin, t) {
			c.activate(o)
		}
		if b := c.up[o]; b >= 0 && c.arcs[b].to == n {
			c.orphan(o)
		}
	}
}

// origin is the number of arcs from n to its terminal, or MaxInt32 when its
// branch hangs on an orphan; the distances on the way are marked as right.
func (c *CutGraph) origin(n int32) int32 {
	d, m := int32(0), n
	for {
		if c.seen[m] == c.time && c.up[m] != upOrphan {
			d += c.dist[m]
			break
		}
		if c.up[m] == upTerminal {
			c.seen[m], c.dist[m] = c.time, 1
			d++
			break
		}
		if c.up[m] == upOrphan {
			return math.MaxInt32
		}
		d++
		m = c.arcs[c.up[m]].to
	}
	for m, e := n, d; c.seen[m] != c.time; e-- {
		c.seen[m], c.dist[m] = c.time, e
		m = c.arcs[c.up[m]].to
	}
	return d
}
