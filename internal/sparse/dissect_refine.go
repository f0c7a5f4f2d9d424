package sparse

// separation is a state of a graph cut in two: where is 0 or 1 for the sides
// and 2 for the separator, w the weight of each.
type separation struct {
	where []uint8
	w     [3]int32
}

// cost is what a bisection is chosen by: the separator's weight, raised as the
// sides become unequal.
func (p *separation) cost() float64 {
	total := float64(p.w[0] + p.w[1])
	if total == 0 {
		return float64(p.w[2]) * 2
	}
	skew := float64(p.w[0]-p.w[1]) / total
	return (float64(p.w[2]) + 0.01) * (1 + skewPrice*skew*skew)
}

// refiner moves vertices out of a separator one by one, all to side to in one
// pass: a vertex that goes there pulls its neighbours of the other side into
// the separator (Fiduccia & Mattheyses 1982; Ashcraft & Liu 1998 for vertex
// separators). The separator is swept through the graph, and the best state of
// the pass is kept.
type refiner struct {
	g *graph
	*separation
	to    uint8
	pull  []int32 // weight of the neighbours on the other side, for separator vertices
	pos   []int32 // place in the heap, −1 outside
	heap  []int32 // separator vertices, largest gain first
	moves []int32 // of each move: vertex, what it pulled in, count of that
}

// newRefiner takes its scratch from s.
func (s *dissectSpace) newRefiner(g *graph, p *separation) *refiner {
	n := int(g.n)
	f := &refiner{g: g, separation: p, moves: s.moves[:0], pull: s.take(n), pos: s.take(n), heap: s.take(n)[:0]}
	for i := range f.pos {
		f.pos[i] = -1
	}
	return f
}

// gain of moving separator vertex v.
func (f *refiner) gain(v int32) int32 { return f.g.vw[v] - f.pull[v] }

// enter puts separator vertex v into the heap.
func (f *refiner) enter(v int32) {
	w := int32(0)
	for _, u := range f.g.edges(v) {
		if f.where[u] == 1-f.to {
			w += f.g.vw[u]
		}
	}
	f.pull[v] = w
	f.heap = append(f.heap, v)
	f.rise(int32(len(f.heap) - 1))
}

// refine improves p in at most sweeps passes, to the lighter side first, then
// to and fro; no side may outweigh limit.
func (s *dissectSpace) refine(g *graph, p *separation, limit int32) {
	m := s.mark()
	defer s.release(m)
	f := s.newRefiner(g, p)
	if f.w[1] < f.w[0] {
		f.to = 1
	}
	failed := 0
	for range sweeps {
		failed++
		if f.pass(limit) {
			failed = 0
		}
		if failed == 2 {
			break
		}
		f.to = 1 - f.to
	}
	s.moves = f.moves
}

// pass moves vertices until no move has helped for a while, goes back to the
// best state, and says whether that is better than the first one.
func (f *refiner) pass(limit int32) bool {
	for v, w := range f.where {
		if w == 2 {
			f.enter(int32(v))
		}
	}
	f.moves = f.moves[:0]
	best, bestAt := f.cost(), 0
	if max(f.w[0], f.w[1]) > limit { // out of balance: any balance is better
		best = 1e30
	}
	start := best
	patience := max(10, min(len(f.heap), 300))
	for since := 0; since < patience && len(f.heap) > 0; since++ {
		v := f.pop()
		if f.w[f.to]+f.g.vw[v] > limit {
			break
		}
		f.move(v)
		if max(f.w[0], f.w[1]) <= limit {
			if c := f.cost(); c < best {
				best, bestAt, since = c, len(f.moves), 0
			}
		}
	}
	f.undo(bestAt)
	for _, v := range f.heap {
		f.pos[v] = -1
	}
	f.heap = f.heap[:0]
	return best < start
}

// move takes v, which has left the heap, out of the separator.
func (f *refiner) move(v int32) {
	g, other := f.g, 1-f.to
	f.where[v] = f.to
	f.w[2] -= g.vw[v]
	f.w[f.to] += g.vw[v]
	at := len(f.moves)
	f.moves = append(f.moves, v)
	for _, u := range g.edges(v) {
		if f.where[u] != other {
			continue
		}
		w := g.vw[u]
		f.where[u] = 2
		f.w[other] -= w
		f.w[2] += w
		f.moves = append(f.moves, u)
		sum := int32(0)
		for _, x := range g.edges(u) {
			switch f.where[x] {
			case other:
				sum += g.vw[x]
			case 2:
				if f.pos[x] >= 0 {
					f.pull[x] -= w
					f.rise(f.pos[x])
				}
			}
		}
		f.pull[u] = sum
		f.heap = append(f.heap, u)
		f.rise(int32(len(f.heap) - 1))
	}
	f.moves = append(f.moves, int32(len(f.moves)-at-1))
}

// undo takes moves back until the list has length to.
func (f *refiner) undo(to int) {
	g := f.g
	for len(f.moves) > to {
		end := len(f.moves) - 1
		at := end - int(f.moves[end]) - 1
		v := f.moves[at]
		f.where[v] = 2
		f.w[f.to] -= g.vw[v]
		f.w[2] += g.vw[v]
		for _, u := range f.moves[at+1 : end] {
			f.where[u] = 1 - f.to
			f.w[2] -= g.vw[u]
			f.w[1-f.to] += g.vw[u]
		}
		f.moves = f.moves[:at]
	}
}

// The heap: ties by the order of arrival.

func (f *refiner) pop() int32 {
	h := f.heap
	v, end := h[0], len(h)-1
	f.pos[v] = -1
	f.heap = h[:end]
	if end > 0 {
		h[0] = h[end]
		f.sink(0)
	}
	return v
}

func (f *refiner) rise(i int32) {
	h, pos := f.heap, f.pos
	v := h[i]
	gain := f.gain(v)
	for i > 0 {
		up := (i - 1) / 2
		if f.gain(h[up]) >= gain {
			break
		}
		h[i] = h[up]
		pos[h[i]] = i
		i = up
	}
	h[i] = v
	pos[v] = i
}

func (f *refiner) sink(i int32) {
	h, pos := f.heap, f.pos
	n := int32(len(h))
	v := h[i]
	gain := f.gain(v)
	for {
		c := 2*i + 1
		if c >= n {
			break
		}
		if c+1 < n && f.gain(h[c+1]) > f.gain(h[c]) {
			c++
		}
		if f.gain(h[c]) <= gain {
			break
		}
		h[i] = h[c]
		pos[h[i]] = i
		i = c
	}
	h[i] = v
	pos[v] = i
}
