package tetra

import "context"

// An octree over the labels decides how fine the lattice is at each place.
// Coordinates are integers: a leaf of the deepest level has side 2, so that
// every corner and every centre is a lattice of whole numbers.

// maxLevel is how often a root cell may be halved.
const maxLevel = 10

// rootSize is the side of a root cell in units.
const rootSize = 2 << maxLevel

// maxRoots bounds the root cells along an axis: keys pack three coordinates of
// 21 bits.
const maxRoots = 1<<21/rootSize - 1

// octree is a grid of root cells, each halved where it must be. Node numbers:
// roots first, i fastest, then blocks of eight children in order of (k,j,i).
type octree struct {
	n     [3]int32 // root cells
	child []int32  // first of eight children, or 0
}

func newOctree(n [3]int32) *octree {
	return &octree{n: n, child: make([]int32, int(n[0])*int(n[1])*int(n[2]))}
}

// octant is a place in the tree: the node, its level, its low corner in units.
type octant struct {
	node  int32
	level int32
	at    [3]int32
}

// size is the side of the octant in units.
func (c *octant) size() int32 { return rootSize >> c.level }

// find returns the deepest node of at most the given level that holds the
// point; ok is false outside the roots.
func (o *octree) find(p [3]int32, level int32) (c octant, ok bool) {
	r := [3]int32{p[0] / rootSize, p[1] / rootSize, p[2] / rootSize}
	if p[0] < 0 || p[1] < 0 || p[2] < 0 || r[0] >= o.n[0] || r[1] >= o.n[1] || r[2] >= o.n[2] {
		return c, false
	}
	c.node = r[0] + o.n[0]*(r[1]+o.n[1]*r[2])
	c.at = [3]int32{r[0] * rootSize, r[1] * rootSize, r[2] * rootSize}
	for c.level < level && o.child[c.node] != 0 {
		c = o.step(c, p)
	}
	return c, true
}

// step goes to the child of c that holds p.
func (o *octree) step(c octant, p [3]int32) octant {
	half := c.size() / 2
	n := o.child[c.node]
	for a := range 3 {
		if p[a] >= c.at[a]+half {
			c.at[a] += half
			n += 1 << a
		}
	}
	return octant{node: n, level: c.level + 1, at: c.at}
}

// halve gives a leaf its eight children.
func (o *octree) halve(node int32) {
	o.child[node] = int32(len(o.child))
	var leaves [8]int32
	o.child = append(o.child, leaves[:]...)
}

// refine makes the leaf at p at least as deep as level, and returns it. p must
// be inside the roots.
func (o *octree) refine(p [3]int32, level int32) octant {
	c, _ := o.find(p, maxLevel)
	for c.level < level {
		o.halve(c.node)
		c = o.step(c, p)
	}
	return c
}

// leaves lists all leaves in depth-first order.
func (o *octree) leaves() []octant {
	out := make([]octant, 0, len(o.child))
	var walk func(c octant)
	walk = func(c octant) {
		first := o.child[c.node]
		if first == 0 {
			out = append(out, c)
			return
		}
		half := c.size() / 2
		for n := range int32(8) {
			d := octant{node: first + n, level: c.level + 1, at: c.at}
			for a := range 3 {
				d.at[a] += half * (n >> a & 1)
			}
			walk(d)
		}
	}
	n := int32(0)
	for k := range o.n[2] {
		for j := range o.n[1] {
			for i := range o.n[0] {
				walk(octant{node: n, at: [3]int32{i * rootSize, j * rootSize, k * rootSize}})
				n++
			}
		}
	}
	return out
}

// balance halves leaves until cells that share a face or an edge differ by one
// level at most.
func (o *octree) balance(ctx context.Context) error {
	queue := o.leaves()
	for steps := 0; len(queue) > 0; steps++ {
		if steps&0xffff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		c := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if c.level < 2 || o.child[c.node] != 0 {
			continue
		}
		// neighbours towards the inside of the parent are siblings or looked
		// after by siblings: only the outer three faces and edges matter
		s := c.size()
		var out [3]int32
		for a := range 3 {
			out[a] = -s
			if c.at[a]&s != 0 {
				out[a] = s
			}
		}
		for m := 1; m < 7; m++ {
			p := c.at
			for a := range 3 {
				p[a] += s / 2
				if m>>a&1 != 0 {
					p[a] += out[a]
				}
			}
			d, ok := o.find(p, c.level-1)
			for ok && d.level < c.level-1 {
				o.halve(d.node)
				for n := range int32(8) {
					e := octant{node: o.child[d.node] + n, level: d.level + 1, at: d.at}
					for a := range 3 {
						e.at[a] += d.size() / 2 * (n >> a & 1)
					}
					queue = append(queue, e)
				}
				d = o.step(d, p)
			}
		}
	}
	return nil
}
