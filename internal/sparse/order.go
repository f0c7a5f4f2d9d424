package sparse

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// compareSize is the number of vertices up to which minimum degree is tried
// beside nested dissection and the better order kept.
const compareSize = 20000

// fillOrder orders the nodes of a symmetric pattern (both halves stored, the
// diagonal ignored) for a Cholesky factor of little work: order[k] is the node
// eliminated as k-th. Nodes of degree at most 1 go first, again and again:
// they bring no fill. Nodes coupled to very many others go last. Of the rest,
// nodes with the same neighbours are joined, and every connected component is
// ordered by nested dissection; small ones by minimum degree. When ctx is done
// it returns soon, with nothing of use.
func fillOrder(ctx context.Context, n int, ptr, col []int32) []int32 {
	order := make([]int32, 0, n)
	gone := make([]bool, n)
	order = peel(order, gone, ptr, col)
	last := crowded(gone, ptr, col)
	g, first, next := compress(gone, ptr, col)
	for _, v := range orderComponents(ctx, g) {
		for i := first[v]; i >= 0; i = next[i] {
			order = append(order, i)
		}
	}
	return append(order, last...)
}

// peel appends nodes of degree ≤ 1 to order until none is left.
func peel(order []int32, gone []bool, ptr, col []int32) []int32 {
	n := len(gone)
	degree := make([]int32, n)
	for v := range n {
		for _, u := range col[ptr[v]:ptr[v+1]] {
			if int(u) != v {
				degree[v]++
			}
		}
		if degree[v] <= 1 {
			order = append(order, int32(v))
			gone[v] = true
		}
	}
	for k := 0; k < len(order); k++ {
		v := order[k]
		for _, u := range col[ptr[v]:ptr[v+1]] {
			if gone[u] {
				continue
			}
			if degree[u]--; degree[u] <= 1 {
				order = append(order, u)
				gone[u] = true
			}
		}
	}
	return order
}

// crowded takes out the nodes with more than 10·√n neighbours (Amestoy, Davis &
// Duff 2004), least first.
func crowded(gone []bool, ptr, col []int32) (last []int32) {
	n := len(gone)
	limit := int32(max(64, 10*math.Sqrt(float64(n))))
	for v := range n {
		if !gone[v] && ptr[v+1]-ptr[v] > limit {
			last = append(last, int32(v))
		}
	}
	if 2*len(last) > n {
		return nil // a dense matrix
	}
	for _, v := range last {
		gone[v] = true
	}
	slices.SortStableFunc(last, func(a, b int32) int { return cmp.Compare(ptr[a+1]-ptr[a], ptr[b+1]-ptr[b]) })
	return last
}

// compress makes the graph of the nodes that are not gone, nodes with the same
// closed neighbourhood joined into one vertex (Ashcraft 1995). The nodes of
// vertex v are the chain first[v], next[first[v]], … up to −1.
func compress(gone []bool, ptr, col []int32) (g *graph, first, next []int32) {
	n := len(gone)
	next = make([]int32, n)
	vertex := make([]int32, n) // −1 for those gone
	hash := make([]uint32, n)
	size := make([]int32, n)
	bits := 4
	for 1<<bits < n {
		bits++
	}
	head := make([]int32, 1<<bits)
	for i := range head {
		head[i] = -1
	}
	chain := make([]int32, n) // of representatives with the same hash bits
	stamp := make([]int32, n)
	tail := make([]int32, 0, n)
	entries := 0
	for v := range n {
		vertex[v], next[v] = -1, -1
		if gone[v] {
			continue
		}
		h, d := mix(uint32(v)), int32(0)
		for _, u := range col[ptr[v]:ptr[v+1]] {
			if int(u) != v && !gone[u] {
				h += mix(uint32(u))
				d++
			}
		}
		hash[v], size[v] = h, d
		slot := &head[h>>(32-bits)]
		stamped := false
		for w := *slot; w >= 0; w = chain[w] {
			if hash[w] != h || size[w] != d {
				continue
			}
			if !stamped {
				stamped = true
				stamp[v] = int32(v + 1)
				for _, u := range col[ptr[v]:ptr[v+1]] {
					stamp[u] = int32(v + 1)
				}
			}
			equal := stamp[w] == int32(v+1)
			for _, u := range col[ptr[w]:ptr[w+1]] {
				equal = equal && (gone[u] || stamp[u] == int32(v+1))
			}
			if equal {
				vertex[v] = vertex[w]
				break
			}
		}
		if k := vertex[v]; k >= 0 {
			next[tail[k]] = int32(v)
			tail[k] = int32(v)
			continue
		}
		chain[v], *slot = *slot, int32(v)
		vertex[v] = int32(len(first))
		first, tail = append(first, int32(v)), append(tail, int32(v))
		entries += int(d)
	}
	g = &graph{n: int32(len(first)), ptr: make([]int32, len(first)+1), vw: make([]int32, len(first)), adj: make([]int32, 0, entries)}
	seen := size // of vertices: last vertex that has it as a neighbour
	for i := range seen {
		seen[i] = -1
	}
	for k, v := range first {
		seen[k] = int32(k)
		for _, u := range col[ptr[v]:ptr[v+1]] {
			if j := vertex[u]; j >= 0 && seen[j] != int32(k) {
				seen[j] = int32(k)
				g.adj = append(g.adj, j)
			}
		}
		g.ptr[k+1] = int32(len(g.adj))
		for i := v; i >= 0; i = next[i] {
			g.vw[k]++
		}
		g.total += g.vw[k]
	}
	return g, first, next
}

func mix(x uint32) uint32 {
	x = (x + 0x9E3779B9) * 0x85EBCA6B
	x = (x ^ x>>15) * 0xC2B2AE35
	return x ^ x>>13
}

// orderComponents orders each connected component apart; those of a leaf's
// size are ordered together.
func orderComponents(ctx context.Context, g *graph) []int32 {
	out := make([]int32, 0, g.n)
	seen := make([]bool, g.n)
	var small, part []int32
	for s := range g.n {
		if seen[s] {
			continue
		}
		seen[s] = true
		part = append(part[:0], s)
		for k := 0; k < len(part); k++ {
			for _, u := range g.edges(part[k]) {
				if !seen[u] {
					seen[u] = true
					part = append(part, u)
				}
			}
		}
		switch {
		case len(part) <= leafSize:
			small = append(small, part...)
		case len(part) == int(g.n):
			return orderConnected(ctx, g)
		default:
			sub := subgraph(g, part)
			for _, k := range orderConnected(ctx, sub) {
				out = append(out, part[k])
			}
		}
	}
	for _, k := range minimumDegree(subgraph(g, small)) {
		out = append(out, small[k])
	}
	return out
}

func orderConnected(ctx context.Context, g *graph) []int32 {
	order := nestedDissection(ctx, g)
	if g.n > compareSize || ctx.Err() != nil {
		return order
	}
	if other := minimumDegree(g); orderWork(g, other) < orderWork(g, order) {
		return other
	}
	return order
}

// orderWork is the sum of the squared column lengths of the factor: twice its
// multiply-adds.
func orderWork(g *graph, order []int32) (work float64) {
	parent := etree(int(g.n), g.ptr, g.adj, order)
	post := postorder(parent)
	sorted := make([]int32, g.n)
	for k, p := range post {
		sorted[k] = order[p]
	}
	counts := columnCounts(g.ptr, g.adj, g.vw, sorted, relabel(parent, post))
	for k, c := range counts {
		work += float64(g.vw[sorted[k]]) * float64(c) * float64(c)
	}
	return work
}

// subgraph is the part of g on the listed vertices, in that order.
func subgraph(g *graph, list []int32) *graph {
	local := make([]int32, g.n)
	for i := range local {
		local[i] = -1
	}
	entries := 0
	for k, v := range list {
		local[v] = int32(k)
		entries += len(g.edges(v))
	}
	s := &graph{n: int32(len(list)), ptr: make([]int32, len(list)+1), vw: make([]int32, len(list)), adj: make([]int32, 0, entries)}
	for k, v := range list {
		for _, u := range g.edges(v) {
			if l := local[u]; l >= 0 {
				s.adj = append(s.adj, l)
			}
		}
		s.ptr[k+1] = int32(len(s.adj))
		s.vw[k] = g.vw[v]
		s.total += g.vw[v]
	}
	return s
}
