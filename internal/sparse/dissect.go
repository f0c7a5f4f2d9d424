package sparse

import (
	"context"
	"runtime"
	"sync"
)

// Nested dissection (George 1973) by multilevel vertex separators (Karypis &
// Kumar 1998, Hendrickson & Rothberg 1998): the graph is shrunk by matching,
// cut where it is small, and the separator refined on the way back. Separators
// come last in the order; parts of at most leafSize vertices are ordered by
// minimum degree with the separators around them as halo.
const (
	leafSize   = 120
	coarseSize = 40   // vertices at which shrinking ends
	manySize   = 2000 // above this the cut is sought on a shrunken graph several times
	manyTries  = 4
	manyLevels = 3
	firstTries = 4    // separators grown at the bottom
	maxShare   = 0.6  // of the weight on one side
	skewPrice  = 0.7  // of unequal sides, see cost
	sweeps     = 6    // of refinement per level
	forkSize   = 3000 // vertices above which the halves run concurrently
)

// dissectSpace is the scratch of one worker. Once ctx is done, what it makes
// is of no use, but quick.
type dissectSpace struct {
	arena
	ctx      context.Context
	flags    []uint8
	flagUsed int
	moves    []int32
	local    []int32 // vertex of the whole graph → vertex of a leaf, or −1
	leaf     minDegree
	halo     []int32
}

type spaceMark struct {
	arenaMark
	flags int
}

func (s *dissectSpace) markAll() spaceMark     { return spaceMark{s.mark(), s.flagUsed} }
func (s *dissectSpace) releaseAll(m spaceMark) { s.release(m.arenaMark); s.flagUsed = m.flags }

// bytes is take for flags.
func (s *dissectSpace) bytes(n int) []uint8 {
	if s.flagUsed+n > len(s.flags) {
		s.flags, s.flagUsed = make([]uint8, 2*len(s.flags)+n+1024), 0 // older slices stay valid
	}
	f := s.flags[s.flagUsed : s.flagUsed+n : s.flagUsed+n]
	s.flagUsed += n
	return f
}

// dissection orders one graph; spaces holds one scratch per worker that may
// still start.
type dissection struct {
	root   *graph
	spaces chan *dissectSpace
}

// nestedDissection orders g: out[k] is the vertex eliminated as k-th. The
// order is a function of the graph alone. When ctx is done it returns soon,
// with nothing of use.
func nestedDissection(ctx context.Context, g *graph) []int32 {
	workers := 1
	if g.n > forkSize {
		workers = runtime.GOMAXPROCS(0)
	}
	d := &dissection{root: g, spaces: make(chan *dissectSpace, workers)}
	for range workers - 1 {
		d.spaces <- &dissectSpace{ctx: ctx}
	}
	ids, out := make([]int32, g.n), make([]int32, g.n)
	for i := range ids {
		ids[i] = int32(i)
	}
	d.order(g, ids, out, &dissectSpace{ctx: ctx}, 1)
	return out
}

func (d *dissection) order(g *graph, ids, out []int32, s *dissectSpace, seed uint64) {
	if g.n <= leafSize {
		d.leafOrder(g, ids, out, s)
		return
	}
	m := s.markAll()
	defer s.releaseAll(m)
	p := separation{where: s.bytes(int(g.n))}
	s.bisectMany(g, &p, seed)
	if s.ctx.Err() != nil {
		return
	}
	var count [3]int32
	for _, w := range p.where {
		count[w]++
	}
	if min(p.w[0], p.w[1]) == 0 || 3*p.w[2] > g.total {
		d.leafOrder(g, ids, out, s) // no separator worth the name
		return
	}
	end := count[0] + count[1]
	at := end
	for v, w := range p.where {
		if w == 2 {
			out[at] = ids[v]
			at++
		}
	}
	part, partIDs := s.split(g, ids, p.where)
	left := func(s *dissectSpace) { d.order(&part[0], partIDs[0], out[:count[0]], s, child(seed, 0)) }
	right := func(s *dissectSpace) { d.order(&part[1], partIDs[1], out[count[0]:end], s, child(seed, 1)) }
	if g.n > forkSize {
		select {
		case other := <-d.spaces:
			var wg sync.WaitGroup
			wg.Go(func() { left(other); d.spaces <- other })
			right(s)
			wg.Wait()
			return
		default:
		}
	}
	left(s)
	right(s)
}

// leafOrder is minimum degree on a part, seen with its halo.
func (d *dissection) leafOrder(g *graph, ids, out []int32, s *dissectSpace) {
	if s.local == nil {
		s.local = make([]int32, d.root.n)
		for i := range s.local {
			s.local[i] = -1
		}
	}
	edges := 0
	for i, v := range ids {
		s.local[v] = int32(i)
		edges += len(d.root.edges(v))
	}
	s.halo = s.halo[:0]
	across, total := 0, g.total
	for _, v := range ids {
		for _, u := range d.root.edges(v) {
			l := s.local[u]
			if l < 0 {
				l = g.n + int32(len(s.halo))
				s.local[u] = l
				s.halo = append(s.halo, u)
				total += d.root.vw[u]
			}
			if l >= g.n {
				across++
			}
		}
	}
	q := &s.leaf
	n := int(g.n) + len(s.halo)
	q.grow(n, edges+across, int(total))
	at := int32(0)
	for i := g.n; i < int32(n); i++ {
		q.size[i] = 0
		q.weight[i] = d.root.vw[s.halo[i-g.n]]
	}
	for i, v := range ids {
		q.start[i], q.weight[i] = at, d.root.vw[v]
		for _, u := range d.root.edges(v) {
			l := s.local[u]
			q.list[at] = l
			at++
			if l >= g.n {
				q.size[l]++
			}
		}
		q.size[i] = at - q.start[i]
	}
	for i := g.n; i < int32(n); i++ {
		q.start[i] = at
		at += q.size[i]
		q.size[i] = 0
	}
	q.used = at
	for i := range g.n {
		for _, l := range q.list[q.start[i] : q.start[i]+q.size[i]] {
			if l >= g.n {
				q.list[q.start[l]+q.size[l]] = i
				q.size[l]++
			}
		}
	}
	q.order(g.n, out)
	for k, v := range out {
		out[k] = ids[v]
	}
	for _, v := range ids {
		s.local[v] = -1
	}
	for _, v := range s.halo {
		s.local[v] = -1
	}
}

func sideLimit(g *graph) int32 { return int32(maxShare*float64(g.total)) + 1 }

// bisectMany shrinks a large graph a little, bisects that several times and
// brings the best back.
func (s *dissectSpace) bisectMany(g *graph, p *separation, seed uint64) {
	r := random64(seed)
	if g.n <= manySize {
		s.bisect(g, p, &r)
		return
	}
	m := s.markAll()
	defer s.releaseAll(m)
	levels, maps := s.shrink(g, manySize/2, manyLevels, &r)
	bottom := levels[len(levels)-1]
	best := separation{where: s.bytes(int(bottom.n))}
	try := separation{where: s.bytes(int(bottom.n))}
	for k := range manyTries {
		if k > 0 && s.ctx.Err() != nil {
			break
		}
		s.bisect(bottom, &try, &r)
		if k == 0 || try.cost() < best.cost() {
			best, try = try, best
		}
	}
	s.expand(levels, maps, best, p)
}

// bisect is one multilevel bisection.
func (s *dissectSpace) bisect(g *graph, p *separation, r *random64) {
	m := s.markAll()
	defer s.releaseAll(m)
	levels, maps := s.shrink(g, coarseSize, 64, r)
	bottom := levels[len(levels)-1]
	best := separation{where: s.bytes(int(bottom.n))}
	try := separation{where: s.bytes(int(bottom.n))}
	if s.ctx.Err() != nil {
		clear(p.where)
		return
	}
	for k := range firstTries {
		s.growSide(bottom, &try, r)
		s.refine(bottom, &try, sideLimit(bottom))
		if k == 0 || try.cost() < best.cost() {
			best, try = try, best
		}
	}
	s.expand(levels, maps, best, p)
}

// shrink coarsens g until it has at most size vertices, count times at most,
// or until it shrinks no more.
func (s *dissectSpace) shrink(g *graph, size int32, count int, r *random64) (levels []*graph, maps [][]int32) {
	levels = []*graph{g}
	limit := max(2, int32(1.5*float64(g.total)/float64(coarseSize)))
	for g.n > size && len(maps) < count && s.ctx.Err() == nil {
		coarse, n := s.match(g, limit, r)
		if 20*n > 19*g.n {
			break
		}
		g = s.contract(g, coarse, n)
		levels, maps = append(levels, g), append(maps, coarse)
	}
	return levels, maps
}

// expand carries the separation of the last level up to the first, refining
// it at each, and leaves it in p.
func (s *dissectSpace) expand(levels []*graph, maps [][]int32, at separation, p *separation) {
	for k := len(maps) - 1; k >= 0; k-- {
		g := levels[k]
		finer := separation{where: p.where, w: at.w}
		if k > 0 {
			finer.where = s.bytes(int(g.n))
		}
		for v, c := range maps[k] {
			finer.where[v] = at.where[c]
		}
		if s.ctx.Err() == nil {
			s.refine(g, &finer, sideLimit(g))
		}
		at = finer
	}
	if len(maps) == 0 {
		copy(p.where, at.where)
	}
	p.w = at.w
}

// growSide grows side 0 from a random vertex, always by the separator vertex
// that pulls least weight in, until it has half the weight; the best state on
// the way beyond a third is kept.
func (s *dissectSpace) growSide(g *graph, p *separation, r *random64) {
	m := s.mark()
	defer s.release(m)
	for i := range p.where {
		p.where[i] = 1
	}
	p.w = [3]int32{0, g.total, 0}
	f := s.newRefiner(g, p)
	bestCost, bestAt := 1e30, -1
	order := s.visit(g, r)
	for 2*f.w[0] < g.total {
		if len(f.heap) == 0 { // a new start, in another component
			v := r.below(g.n)
			for k := 0; f.where[v] != 1 && k < len(order); k++ {
				v = order[k]
			}
			if f.where[v] != 1 {
				break
			}
			f.where[v] = 2
			f.w[1] -= g.vw[v]
			f.w[2] += g.vw[v]
			f.enter(v)
		}
		f.move(f.pop())
		if 3*f.w[0] > g.total {
			if c := f.cost(); c < bestCost {
				bestCost, bestAt = c, len(f.moves)
			}
		}
	}
	if bestAt >= 0 {
		f.undo(bestAt)
	}
	s.moves = f.moves
}
