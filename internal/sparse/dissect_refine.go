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

// refiner moves vertices out of a separator one by one: a vertex that goes to
// one side pulls its neighbours of the other side in (Fiduccia & Mattheyses
// 1982; Ashcraft & Liu 1998 for vertex separators). The best state of a pass
// is kept.
type refiner struct {
	g *graph
	*separation
	pull    [2][]int32 // weight of the neighbours on each side, for separator vertices
	pos     [2][]int32 // place in the heap, −1 outside
	heap    [2][]int32
	locked  []uint8
	moves   []int32 // moved vertex and what it pulled in: v<<1|side, count, u…
	changed []int32
}

// newRefiner takes its scratch from s.
func (s *dissectSpace) newRefiner(g *graph, p *separation) *refiner {
	n := int(g.n)
	f := &refiner{g: g, separation: p, locked: s.bytes(n), moves: s.moves[:0]}
	for k := range 2 {
		f.pull[k], f.pos[k], f.heap[k] = s.take(n), s.take(n), s.take(n)[:0]
		for i := range f.pos[k] {
			f.pos[k][i] = -1
		}
	}
	clear(f.locked)
	for v := range g.n {
		if p.where[v] == 2 {
			f.count(v)
		}
	}
	return f
}

func (f *refiner) count(v int32) {
	var w [3]int32
	for _, u := range f.g.edges(v) {
		w[f.where[u]] += f.g.vw[u]
	}
	f.pull[0][v], f.pull[1][v] = w[0], w[1]
}

// gain of moving separator vertex v to side k.
func (f *refiner) gain(k int, v int32) int32 { return f.g.vw[v] - f.pull[1-k][v] }

// refine improves p in at most passes passes; no side may outweigh limit.
func (s *dissectSpace) refine(g *graph, p *separation, limit int32, passes int) {
	m := s.markAll()
	defer s.releaseAll(m)
	f := s.newRefiner(g, p)
	for range passes {
		if !f.pass(limit) {
			break
		}
	}
	s.moves = f.moves
}

// pass moves vertices until no move has helped for a while, goes back to the
// best state, and says whether that is better than the first one.
func (f *refiner) pass(limit int32) bool {
	g := f.g
	for v := range g.n {
		if f.where[v] == 2 {
			f.push(0, v)
			f.push(1, v)
		}
	}
	f.moves = f.moves[:0]
	bestCost, bestAt := f.cost(), 0
	over := max(f.w[0], f.w[1])
	if over > limit { // out of balance: any better balance is an improvement
		bestCost = 1e30
	}
	start := bestCost
	patience := max(10, min(len(f.heap[0]), 300))
	moved, since := 0, 0
	for since < patience {
		k := f.choose(limit)
		if k < 0 {
			break
		}
		v := f.pop(k)
		f.move(k, v)
		moved++
		since++
		if max(f.w[0], f.w[1]) <= limit {
			if c := f.cost(); c < bestCost {
				bestCost, bestAt, since = c, len(f.moves), 0
			}
		}
	}
	f.undo(bestAt)
	for k := range 2 {
		for _, v := range f.heap[k] {
			f.pos[k][v] = -1
		}
		f.heap[k] = f.heap[k][:0]
	}
	for _, v := range f.changed {
		f.locked[v] = 0
	}
	f.changed = f.changed[:0]
	return bestCost < start
}

// choose is the side whose best move gains most and keeps to the limit; the
// lighter side wins a tie.
func (f *refiner) choose(limit int32) int {
	pick, best := -1, int32(0)
	light := 0
	if f.w[1] < f.w[0] {
		light = 1
	}
	for _, k := range [2]int{light, 1 - light} {
		if len(f.heap[k]) == 0 {
			continue
		}
		v := f.heap[k][0]
		if k != light && f.w[k]+f.g.vw[v] > limit {
			continue
		}
		if gain := f.gain(k, v); pick < 0 || gain > best {
			pick, best = k, gain
		}
	}
	return pick
}

// move takes v out of the separator to side k.
func (f *refiner) move(k int, v int32) {
	g, other := f.g, uint8(1-k)
	if f.pos[1-k][v] >= 0 {
		f.drop(1-k, v)
	}
	w := g.vw[v]
	f.where[v] = uint8(k)
	f.w[2] -= w
	f.w[k] += w
	f.locked[v] = 1
	f.changed = append(f.changed, v)
	at := len(f.moves)
	f.moves = append(f.moves, v<<1|int32(k), 0)
	for _, u := range g.edges(v) {
		switch f.where[u] {
		case 2:
			f.pull[k][u] += w
			if f.pos[1-k][u] >= 0 {
				f.sink(1-k, f.pos[1-k][u])
			}
		case other:
			f.where[u] = 2
			f.w[1-k] -= g.vw[u]
			f.w[2] += g.vw[u]
			f.moves = append(f.moves, u)
			var sum [3]int32
			for _, x := range g.edges(u) {
				side := f.where[x]
				sum[side] += g.vw[x]
				if side == 2 {
					f.pull[1-k][x] -= g.vw[u]
					if f.pos[k][x] >= 0 {
						f.rise(k, f.pos[k][x])
					}
				}
			}
			f.pull[0][u], f.pull[1][u] = sum[0], sum[1]
			if f.locked[u] == 0 {
				f.push(0, u)
				f.push(1, u)
			}
		}
	}
	f.moves[at+1] = int32(len(f.moves) - at - 2)
	// The count goes last, so that the list can be read from its end.
	n := f.moves[at+1]
	copy(f.moves[at+1:], f.moves[at+2:])
	f.moves[len(f.moves)-1] = n
}

// undo takes moves back until the list has length to.
func (f *refiner) undo(to int) {
	g := f.g
	for len(f.moves) > to {
		end := len(f.moves) - 1
		n := int(f.moves[end])
		at := end - n - 1
		v, k := f.moves[at]>>1, int(f.moves[at]&1)
		f.where[v] = 2
		f.w[k] -= g.vw[v]
		f.w[2] += g.vw[v]
		f.count(v) // neighbours put back below correct it
		for _, u := range g.edges(v) {
			if f.where[u] == 2 {
				f.pull[k][u] -= g.vw[v]
			}
		}
		for _, u := range f.moves[at+1 : end] {
			f.where[u] = uint8(1 - k)
			f.w[2] -= g.vw[u]
			f.w[1-k] += g.vw[u]
			for _, x := range g.edges(u) {
				if f.where[x] == 2 {
					f.pull[1-k][x] += g.vw[u]
				}
			}
		}
		f.moves = f.moves[:at]
	}
}

// The heaps: largest gain first, ties by the order of arrival in the heap.

func (f *refiner) push(k int, v int32) {
	f.heap[k] = append(f.heap[k], v)
	f.rise(k, int32(len(f.heap[k])-1))
}

func (f *refiner) pop(k int) int32 {
	v := f.heap[k][0]
	f.drop(k, v)
	return v
}

func (f *refiner) drop(k int, v int32) {
	h := f.heap[k]
	i, end := f.pos[k][v], int32(len(h)-1)
	f.pos[k][v] = -1
	f.heap[k] = h[:end]
	if i == end {
		return
	}
	h[i] = h[end]
	f.pos[k][h[i]] = i
	f.rise(k, i)
	f.sink(k, f.pos[k][h[end]])
}

func (f *refiner) rise(k int, i int32) {
	h, pos := f.heap[k], f.pos[k]
	v := h[i]
	gain := f.gain(k, v)
	for i > 0 {
		up := (i - 1) / 2
		if f.gain(k, h[up]) >= gain {
			break
		}
		h[i] = h[up]
		pos[h[i]] = i
		i = up
	}
	h[i] = v
	pos[v] = i
}

func (f *refiner) sink(k int, i int32) {
	h, pos := f.heap[k], f.pos[k]
	n := int32(len(h))
	v := h[i]
	gain := f.gain(k, v)
	for {
		c := 2*i + 1
		if c >= n {
			break
		}
		if c+1 < n && f.gain(k, h[c+1]) > f.gain(k, h[c]) {
			c++
		}
		if f.gain(k, h[c]) <= gain {
			break
		}
		h[i] = h[c]
		pos[h[i]] = i
		i = c
	}
	h[i] = v
	pos[v] = i
}
