package sparse

// graph is an undirected graph without loops, every edge stored at both ends.
// A vertex weighs vw nodes of the matrix; ew counts the edges a coarse edge
// stands for, nil meaning one each.
type graph struct {
	n, total int32 // vertices, sum of vw
	ptr, adj []int32
	vw, ew   []int32
}

func (g *graph) edges(v int32) []int32 { return g.adj[g.ptr[v]:g.ptr[v+1]] }

// weights is ew at the edges of v, nil if all are 1.
func (g *graph) weights(v int32) []int32 {
	if g.ew == nil {
		return nil
	}
	return g.ew[g.ptr[v]:g.ptr[v+1]]
}

// arena hands out slices that live until a release: the levels of a bisection
// and the parts of a dissection come and go as a stack. Contents are not
// cleared.
type arena struct {
	blocks [][]int32
	at     int // block in use
	used   int // entries of it
}

type arenaMark struct{ at, used int }

const arenaBlock = 1 << 16

func (a *arena) mark() arenaMark     { return arenaMark{a.at, a.used} }
func (a *arena) release(m arenaMark) { a.at, a.used = m.at, m.used }

func (a *arena) take(n int) []int32 {
	for {
		if a.at < len(a.blocks) {
			b := a.blocks[a.at]
			if a.used+n <= len(b) {
				s := b[a.used : a.used+n : a.used+n]
				a.used += n
				return s
			}
			if a.used == 0 { // empty but too small
				a.blocks[a.at] = make([]int32, n+n/8)
				continue
			}
			a.at, a.used = a.at+1, 0
			continue
		}
		a.blocks = append(a.blocks, make([]int32, max(arenaBlock, n)))
	}
}

// giveBack returns the unused end of the slice taken last.
func (a *arena) giveBack(s []int32, used int) []int32 {
	a.used -= len(s) - used
	return s[:used:used]
}

// random is a small generator (xorshift64*, Vigna 2016) for visiting orders;
// seeds are fixed, so that an ordering is a function of the graph alone.
type random64 uint64

func (r *random64) next() uint32 {
	x := uint64(*r)
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	*r = random64(x)
	return uint32((x * 0x2545F4914F6CDD1D) >> 32)
}

// below is a number in [0, n).
func (r *random64) below(n int32) int32 { return int32(uint64(r.next()) * uint64(n) >> 32) }

// child is the seed of one half of a dissection.
func child(seed uint64, side uint64) uint64 {
	seed = (seed ^ (side+1)*0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9
	return seed ^ seed>>31 | 1
}

// split makes the subgraphs of the vertices with where 0 and 1; the separator
// drops out. ids are carried along.
func (s *dissectSpace) split(g *graph, ids []int32, where []uint8) (part [2]graph, partIDs [2][]int32) {
	local := s.take(int(g.n))
	var count, edges [2]int32
	for v := range g.n {
		if w := where[v]; w < 2 {
			local[v] = count[w]
			count[w]++
			edges[w] += g.ptr[v+1] - g.ptr[v]
		}
	}
	for w := range part {
		part[w] = graph{n: count[w], ptr: s.take(int(count[w]) + 1), vw: s.take(int(count[w]))}
		part[w].ptr[0] = 0
		partIDs[w] = s.take(int(count[w]))
		p := &part[w]
		adj := s.take(int(edges[w]))
		at := 0
		for v := range g.n {
			if int(where[v]) != w {
				continue
			}
			l := local[v]
			p.vw[l] = g.vw[v]
			p.total += g.vw[v]
			partIDs[w][l] = ids[v]
			for _, u := range g.edges(v) {
				if where[u] == uint8(w) {
					adj[at] = local[u]
					at++
				}
			}
			p.ptr[l+1] = int32(at)
		}
		p.adj = s.giveBack(adj, at)
	}
	return part, partIDs
}
