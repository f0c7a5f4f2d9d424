package sparse

// match pairs neighbouring vertices by heavy edges (Karypis & Kumar 1998),
// light vertices first, and returns the coarse vertex of each vertex and their
// number. Vertices that find no free neighbour are paired through a common
// neighbour, so that stars shrink too. No pair outweighs limit.
func (s *dissectSpace) match(g *graph, limit int32, r *random64) (coarse []int32, n int32) {
	coarse = s.take(int(g.n))
	m := s.mark()
	defer s.release(m)
	visit := s.visit(g, r)
	for i := range coarse {
		coarse[i] = -1
	}
	lonely := int32(0)
	for _, v := range visit {
		if coarse[v] >= 0 {
			continue
		}
		best, weight, load := int32(-1), int32(0), int32(0)
		own := g.vw[v]
		edges, ew := g.edges(v), g.weights(v)
		for k, u := range edges {
			if coarse[u] >= 0 || own+g.vw[u] > limit {
				continue
			}
			w := int32(1)
			if ew != nil {
				w = ew[k]
			}
			if best < 0 || w > weight || w == weight && g.vw[u] < load {
				best, weight, load = u, w, g.vw[u]
			}
		}
		coarse[v] = n
		if best >= 0 {
			coarse[best] = n
		} else {
			visit[lonely] = v
			lonely++
		}
		n++
	}
	if lonely*4 < g.n { // few are left over
		return coarse, n
	}
	return coarse, s.matchFar(g, coarse, visit[:lonely], limit, n)
}

// matchFar pairs leftover vertices that share a neighbour, and isolated ones
// with each other, then numbers the coarse vertices again.
func (s *dissectSpace) matchFar(g *graph, coarse, lonely []int32, limit, n int32) int32 {
	waiting := s.take(int(g.n) + 1) // by common neighbour; last entry: none
	for i := range waiting {
		waiting[i] = -1
	}
	gone := s.take(int(n))
	clear(gone)
	for _, v := range lonely {
		edges := g.edges(v)
		hub := g.n
		if len(edges) > 0 {
			hub = edges[0]
			for _, u := range edges {
				if w := waiting[u]; w >= 0 && w != v && g.vw[w]+g.vw[v] <= limit {
					hub = u
					break
				}
			}
		}
		w := waiting[hub]
		if w < 0 || g.vw[w]+g.vw[v] > limit {
			waiting[hub] = v
			continue
		}
		waiting[hub] = -1
		gone[coarse[v]] = 1
		coarse[v] = coarse[w]
	}
	at := int32(0)
	for c, x := range gone {
		gone[c] = at
		if x == 0 {
			at++
		}
	}
	for v, c := range coarse {
		coarse[v] = gone[c]
	}
	return at
}

// visit lists the vertices by ascending degree (all degrees above the mean
// alike), in random order within a degree.
func (s *dissectSpace) visit(g *graph, r *random64) []int32 {
	n := int(g.n)
	perm, out := s.take(n), s.take(n)
	for i := range perm {
		perm[i] = int32(i)
	}
	// Shuffled in runs: neighbours in number stay neighbours in time, which
	// keeps large graphs in the cache.
	const run = 512
	for lo := 0; lo < n; lo += run {
		p := perm[lo:min(n, lo+run)]
		for i := len(p) - 1; i > 0; i-- {
			j := r.below(int32(i + 1))
			p[i], p[j] = p[j], p[i]
		}
	}
	mean := int32(0)
	if n > 0 {
		mean = int32(0.7 * float64(len(g.adj)) / float64(n))
	}
	count := s.take(int(mean) + 2)
	clear(count)
	for v := range g.n {
		count[min(mean, g.ptr[v+1]-g.ptr[v])+1]++
	}
	for d := range mean + 1 {
		count[d+1] += count[d]
	}
	for _, v := range perm {
		d := min(mean, g.ptr[v+1]-g.ptr[v])
		out[count[d]] = v
		count[d]++
	}
	return out
}

// contract makes the coarse graph of a matching.
func (s *dissectSpace) contract(g *graph, coarse []int32, n int32) *graph {
	c := &graph{n: n, total: g.total, ptr: s.take(int(n) + 1), vw: s.take(int(n))}
	both := s.take(2 * len(g.adj))
	adj, ew := both[:len(g.adj)], both[len(g.adj):]
	m := s.mark()
	first, second, at := s.take(int(n)), s.take(int(n)), s.take(int(n))
	for i := range n {
		first[i], second[i], at[i] = -1, -1, -1
	}
	for v, k := range coarse {
		if first[k] < 0 {
			first[k] = int32(v)
		} else {
			second[k] = int32(v)
		}
	}
	end := int32(0)
	for k := range n {
		c.ptr[k] = end
		begin := end
		c.vw[k] = 0
		for _, v := range [2]int32{first[k], second[k]} {
			if v < 0 {
				continue
			}
			c.vw[k] += g.vw[v]
			edges, ews := g.edges(v), g.weights(v)
			for e, u := range edges {
				w := int32(1)
				if ews != nil {
					w = ews[e]
				}
				j := coarse[u]
				if j == k {
					continue
				}
				if p := at[j]; p >= begin {
					ew[p] += w
				} else {
					at[j] = end
					adj[end], ew[end] = j, w
					end++
				}
			}
		}
	}
	c.ptr[n] = end
	s.release(m)
	copy(both[end:], ew[:end])
	both = s.giveBack(both, int(2*end))
	c.adj, c.ew = both[:end], both[end:]
	return c
}
