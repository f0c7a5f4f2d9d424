package filter

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/internal/par"
)

// CutProblem asks which of the voxels in Free lie inside an object: each pays
// In[n] for lying inside or Out[n] for lying outside, and each pair of
// neighbours that differ pays Edge. The sum is to be least (Boykov, Jolly,
// ICCV 2001, equation 1). Voxels not in Free are fixed, inside or outside; a
// pair of fixed voxels pays nothing.
type CutProblem struct {
	Grid    imaging.Grid
	Free    Mask
	Fixed   Mask      // value of the voxels not in Free
	In, Out []float32 // ≥ 0, read in Free only
	// Edge is the price ≥ 0 of separating the neighbours n and o; mm is the
	// distance of their centres. It is called once for each pair, concurrently.
	Edge func(n, o int, mm float64) float32
	// Diagonal adds the neighbours across an edge of a voxel (18 in all, not 6):
	// surfaces then cost about the same in every direction.
	Diagonal bool
}

// capScale turns prices into whole numbers: flows are then exact, and end.
const capScale = 1024

// capMost bounds one price, so that sums over a voxel's arcs stay in int32.
const capMost = 1 << 24

// neighbour offsets in pairs of opposite directions
var cutOffsets = [18][3]int{
	{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1},
	{1, 1, 0}, {-1, -1, 0}, {1, -1, 0}, {-1, 1, 0},
	{1, 0, 1}, {-1, 0, -1}, {1, 0, -1}, {-1, 0, 1},
	{0, 1, 1}, {0, -1, -1}, {0, 1, -1}, {0, -1, 1},
}

// Solve is the labelling of least price, exactly, true inside; where several
// are, the one with the fewest voxels inside. Prices are rounded to 1/1024 and
// cut off at 16384. It is the maximum flow by two search trees that are kept
// from path to path (Boykov, Kolmogorov, IEEE TPAMI 26 (2004) 1124, section
// 3.2). The flow runs on one core; about 200 bytes are taken for each free voxel.
func (c *CutProblem) Solve(ctx context.Context) (Mask, error) {
	n := c.Grid.Len()
	if len(c.Free) != n || len(c.Fixed) != n || len(c.In) != n || len(c.Out) != n {
		panic("filter: CutProblem: lengths differ from the grid")
	}
	f, err := c.network(ctx)
	if err != nil {
		return nil, err
	}
	if err := f.run(ctx); err != nil {
		return nil, err
	}
	out := make(Mask, n)
	copy(out, c.Fixed)
	for v, at := range f.at {
		out[at] = f.parent[v] != flowNone && !f.sink[v]
	}
	return out, nil
}

// price is x as a whole number.
func price(x float32) int32 {
	if !(x > 0) {
		return 0
	}
	return int32(math.Round(float64(min(x, capMost/capScale)) * capScale))
}

// network numbers the free voxels and fills in capacities: the source is
// inside, the sink outside.
func (c *CutProblem) network(ctx context.Context) (*flow, error) {
	g := c.Grid
	dirs := 6
	if c.Diagonal {
		dirs = 18
	}
	var mm [18]float64
	h := g.SpacingMM()
	for d, o := range cutOffsets[:dirs] {
		s := 0.0
		for a, x := range o {
			s += float64(x*x) * h[a] * h[a]
		}
		mm[d] = math.Sqrt(s)
	}
	id := make([]int32, g.Len())
	f := &flow{dirs: dirs}
	for n, free := range c.Free {
		if free {
			id[n] = int32(len(f.at))
			f.at = append(f.at, int32(n))
		}
	}
	k := len(f.at)
	if k > math.MaxInt32/dirs {
		return nil, fmt.Errorf("filter: a cut through %d voxels is too large", k)
	}
	f.next, f.cap = make([]int32, k*dirs), make([]int32, k*dirs)
	f.term = make([]int32, k)
	err := par.ChunksCtx(ctx, k, 1<<12, func(lo, hi int) error {
		for v := lo; v < hi; v++ {
			n := int(f.at[v])
			i, j, l := g.IJK(n)
			term := int64(price(c.Out[n])) - int64(price(c.In[n]))
			for d := range dirs {
				o := cutOffsets[d]
				a := v*dirs + d
				f.next[a] = -1
				if !g.Contains(i+o[0], j+o[1], l+o[2]) {
					continue
				}
				m := g.Index(i+o[0], j+o[1], l+o[2])
				switch {
				case c.Free[m] && d&1 == 0: // this one writes both ways
					p := price(c.Edge(n, m, mm[d]))
					f.cap[a] = p
					f.next[a] = id[m]
					f.cap[int(id[m])*dirs+d+1] = p
				case c.Free[m]:
					f.next[a] = id[m]
				case c.Fixed[m]:
					term += int64(price(c.Edge(n, m, mm[d])))
				default:
					term -= int64(price(c.Edge(n, m, mm[d])))
				}
			}
			f.term[v] = int32(min(max(term, -math.MaxInt32/2), math.MaxInt32/2))
		}
		return nil
	})
	return f, err
}

// Parents that are not directions.
const (
	flowNone   = -1 // in no tree
	flowRoot   = -2 // joined to the terminal
	flowOrphan = -3
)

// flow is the state of the two search trees. Arc d of node v is at v·dirs+d and
// leads to next; its opposite is arc d^1 of that node.
type flow struct {
	dirs   int
	at     []int32 // voxel of each node
	next   []int32
	cap    []int32 // residual
	term   []int32 // residual from the source if positive, to the sink if negative
	parent []int8
	sink   []bool
	stamp  []int32
	dist   []int32
	queued []bool
	queue  []int32 // active nodes, first in first out
	head   int
	orphan []int32
	clock  int32
}

func (f *flow) push(v int32) {
	if !f.queued[v] {
		f.queued[v] = true
		f.queue = append(f.queue, v)
	}
}

// pop is the next active node, -1 if there is none.
func (f *flow) pop() int32 {
	for f.head < len(f.queue) {
		v := f.queue[f.head]
		f.head++
		if f.head > 1<<16 && 2*f.head > len(f.queue) {
			f.queue = f.queue[:copy(f.queue, f.queue[f.head:])]
			f.head = 0
		}
		f.queued[v] = false
		if f.parent[v] != flowNone {
			return v
		}
	}
	return -1
}

func (f *flow) run(ctx context.Context) error {
	k := len(f.at)
	f.parent, f.sink, f.queued = make([]int8, k), make([]bool, k), make([]bool, k)
	f.stamp, f.dist = make([]int32, k), make([]int32, k)
	for v := range k {
		f.parent[v] = flowNone
		if f.term[v] != 0 {
			f.parent[v], f.sink[v], f.dist[v] = flowRoot, f.term[v] < 0, 1
			f.push(int32(v))
		}
	}
	v := int32(-1)
	for turn := 0; ; turn++ {
		if turn&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if v < 0 || f.parent[v] == flowNone {
			if v = f.pop(); v < 0 {
				return nil
			}
		}
		node, arc := f.grow(v)
		if arc < 0 {
			v = -1
			continue
		}
		f.clock++
		f.augment(node, arc)
		f.adopt()
	}
}

// grow extends the tree of v; it returns a residual arc from the source tree to
// the sink tree, as node and direction, when it meets one.
func (f *flow) grow(v int32) (node int32, arc int) {
	d0 := f.dirs
	sink := f.sink[v]
	for d := range d0 {
		o := f.next[int(v)*d0+d]
		if o < 0 {
			continue
		}
		if sink {
			if f.cap[int(o)*d0+d^1] == 0 {
				continue
			}
		} else if f.cap[int(v)*d0+d] == 0 {
			continue
		}
		switch {
		case f.parent[o] == flowNone:
			f.parent[o], f.sink[o] = int8(d^1), sink
			f.stamp[o], f.dist[o] = f.stamp[v], f.dist[v]+1
			f.push(o)
		case f.sink[o] != sink:
			if sink {
				return o, d ^ 1
			}
			return v, d
		case f.stamp[o] <= f.stamp[v] && f.dist[o] > f.dist[v]: // a shorter way to the terminal
			f.parent[o] = int8(d ^ 1)
			f.stamp[o], f.dist[o] = f.stamp[v], f.dist[v]+1
		}
	}
	return -1, -1
}

// augment sends what fits along the path through the arc.
func (f *flow) augment(node int32, arc int) {
	d0 := int32(f.dirs)
	far := f.next[node*d0+int32(arc)]
	least := f.cap[node*d0+int32(arc)]
	v := node
	for f.parent[v] != flowRoot {
		p := int32(f.parent[v])
		o := f.next[v*d0+p]
		least = min(least, f.cap[o*d0+p^1])
		v = o
	}
	least = min(least, f.term[v])
	v = far
	for f.parent[v] != flowRoot {
		p := int32(f.parent[v])
		least = min(least, f.cap[v*d0+p])
		v = f.next[v*d0+p]
	}
	least = min(least, -f.term[v])

	f.cap[node*d0+int32(arc)] -= least
	f.cap[far*d0+int32(arc)^1] += least
	v = node
	for f.parent[v] != flowRoot {
		p := int32(f.parent[v])
		o := f.next[v*d0+p]
		f.cap[v*d0+p] += least
		f.cap[o*d0+p^1] -= least
		if f.cap[o*d0+p^1] == 0 {
			f.lose(v)
		}
		v = o
	}
	if f.term[v] -= least; f.term[v] == 0 {
		f.lose(v)
	}
	v = far
	for f.parent[v] != flowRoot {
		p := int32(f.parent[v])
		o := f.next[v*d0+p]
		f.cap[o*d0+p^1] += least
		f.cap[v*d0+p] -= least
		if f.cap[v*d0+p] == 0 {
			f.lose(v)
		}
		v = o
	}
	if f.term[v] += least; f.term[v] == 0 {
		f.lose(v)
	}
}

// lose puts v on the list of nodes without parent. The path is read on through
// its old parent first, so that is left to adopt.
func (f *flow) lose(v int32) { f.orphan = append(f.orphan, v) }

// adopt finds each orphan a new parent in its tree, or sets it free.
func (f *flow) adopt() {
	for _, v := range f.orphan {
		f.parent[v] = flowOrphan
	}
	for at := 0; at < len(f.orphan); at++ {
		f.adoptOne(f.orphan[at])
	}
	f.orphan = f.orphan[:0]
}

func (f *flow) adoptOne(v int32) {
	d0 := f.dirs
	sink := f.sink[v]
	best, bestDist := -1, int32(math.MaxInt32)
	// residual on the way from the terminal to v through arc d
	open := func(d int, o int32) bool {
		if sink {
			return f.cap[int(v)*d0+d] > 0
		}
		return f.cap[int(o)*d0+d^1] > 0
	}
	for d := range d0 {
		o := f.next[int(v)*d0+d]
		if o < 0 || !open(d, o) || f.sink[o] != sink || f.parent[o] == flowNone {
			continue
		}
		if dist := f.rooted(o); dist < bestDist {
			best, bestDist = d, dist
		}
	}
	if best >= 0 {
		f.parent[v] = int8(best)
		f.stamp[v], f.dist[v] = f.clock, bestDist+1
		return
	}
	for d := range d0 {
		o := f.next[int(v)*d0+d]
		if o < 0 || f.sink[o] != sink || f.parent[o] == flowNone {
			continue
		}
		if open(d, o) {
			f.push(o)
		}
		if p := f.parent[o]; p >= 0 && f.next[int(o)*d0+int(p)] == v {
			f.parent[o] = flowOrphan
			f.orphan = append(f.orphan, o)
		}
	}
	f.parent[v] = flowNone
}

// rooted is the number of arcs from v to its terminal, MaxInt32 if its tree has
// lost it. Nodes on the way remember the answer until the next augmentation.
func (f *flow) rooted(v int32) int32 {
	d0 := f.dirs
	steps := int32(0)
	o := v
	for {
		if f.stamp[o] == f.clock && f.parent[o] != flowOrphan {
			steps += f.dist[o]
			break
		}
		p := f.parent[o]
		if p == flowRoot {
			f.stamp[o], f.dist[o] = f.clock, 1
			steps++
			break
		}
		if p == flowOrphan || p == flowNone {
			return math.MaxInt32
		}
		steps++
		o = f.next[int(o)*d0+int(p)]
	}
	total := steps
	for o = v; f.stamp[o] != f.clock; {
		f.stamp[o], f.dist[o] = f.clock, steps
		steps--
		o = f.next[int(o)*d0+int(f.parent[o])]
	}
	return total
}
