package sparse

import (
	"cmp"
	"context"
	"slices"
)

// supernode is a run of block columns with the same rows below it.
type supernode struct {
	first, cols int32   // first column in elimination order, number of columns
	rows        []int32 // rows below the diagonal block, ascending, in elimination order
	parent      int32   // the supernode that owns rows[0], or -1
	kids        []int32
	at          int   // offset of the panel in the factor
	outAt       int   // offset of the rows' part in the solve's scratch
	work        int64 // multiply-adds of the supernode alone
}

// symbolic is the structure of a Cholesky factor; it depends on the pattern alone.
type symbolic struct {
	n      int
	order  []int32 // order[k] = node eliminated as k-th
	place  []int32 // inverse
	nodes  []supernode
	values int // numbers in the factor (dense panels, 3×3 blocks expanded)
	outs   int
	work   int64
	front  int // largest front, scalar rows
	stack  int // most numbers in waiting updates and the front at work, when fronts run one by one (squares)
}

// analyse orders the pattern and finds the supernodes.
func analyse(n int, ptr, col []int32) *symbolic {
	s, _ := analyseCtx(context.Background(), n, ptr, col)
	return s
}

// analyseCtx is analyse with the error of ctx, seen within some tens of
// milliseconds but for graphs of hundreds of thousands of nodes.
func analyseCtx(ctx context.Context, n int, ptr, col []int32) (*symbolic, error) {
	order := fillOrder(ctx, n, ptr, col)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	parent := etree(n, ptr, col, order)
	post := postorder(parent)
	s := &symbolic{n: n, order: make([]int32, n), place: make([]int32, n)}
	for k, p := range post {
		s.order[k] = order[p]
	}
	parent = relabel(parent, post)
	counts := columnCounts(ptr, col, nil, s.order, parent)
	s.arrange(amalgamate(parent, counts))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.findRows(ptr, col)
	s.layout()
	return s, nil
}

// etree is the elimination tree of the reordered matrix (Liu 1990), with path
// compression; parent −1 marks a root.
func etree(n int, ptr, col []int32, order []int32) []int32 {
	place := make([]int32, n)
	for k, v := range order {
		place[v] = int32(k)
	}
	parent, anc := make([]int32, n), make([]int32, n)
	for k := range n {
		parent[k], anc[k] = -1, -1
		v := order[k]
		for _, w := range col[ptr[v]:ptr[v+1]] {
			for i := place[w]; i < int32(k); {
				up := anc[i]
				anc[i] = int32(k)
				if up == -1 {
					parent[i] = int32(k)
					break
				}
				i = up
			}
		}
	}
	return parent
}

// postorder lists the forest so that children come before parents, children in
// ascending order.
func postorder(parent []int32) []int32 {
	n := len(parent)
	head, next := make([]int32, n+1), make([]int32, n)
	for i := range head {
		head[i] = -1
	}
	for i := n - 1; i >= 0; i-- {
		p := parent[i]
		if p < 0 {
			p = int32(n)
		}
		next[i], head[p] = head[p], int32(i)
	}
	post := make([]int32, 0, n)
	stack := make([]int32, 0, 64)
	for r := head[n]; r >= 0; r = next[r] {
		stack = append(stack, r)
		for len(stack) > 0 {
			top := stack[len(stack)-1]
			if c := head[top]; c >= 0 {
				head[top] = next[c]
				stack = append(stack, c)
				continue
			}
			stack = stack[:len(stack)-1]
			post = append(post, top)
		}
	}
	return post
}

// relabel is the tree in the numbering where vertex post[k] is k.
func relabel(parent, post []int32) []int32 {
	place, out := make([]int32, len(post)), make([]int32, len(post))
	for k, p := range post {
		place[p] = int32(k)
	}
	for k, p := range post {
		out[k] = -1
		if up := parent[p]; up >= 0 {
			out[k] = place[up]
		}
	}
	return out
}

// columnCounts is the number of rows of every column of the factor, the
// diagonal included, without making the factor (Gilbert, Ng & Peyton 1994,
// figure 3). order is a postorder of the tree parent; weight counts a row more
// than once, nil meaning once.
func columnCounts(ptr, col, weight, order, parent []int32) []int32 {
	n := len(order)
	place := make([]int32, n)
	for k, v := range order {
		place[v] = int32(k)
	}
	count, first := make([]int32, n), make([]int32, n)
	widest, leaf, anc := make([]int32, n), make([]int32, n), make([]int32, n)
	of := func(k int32) int32 {
		if weight == nil {
			return 1
		}
		return weight[order[k]]
	}
	for i := range first {
		first[i], widest[i], leaf[i], anc[i] = -1, -1, -1, int32(i)
	}
	for k := range int32(n) {
		if first[k] < 0 { // a leaf of the tree
			count[k] = of(k)
		}
		for j := k; j >= 0 && first[j] < 0; j = parent[j] {
			first[j] = k
		}
	}
	for j := range int32(n) {
		if p := parent[j]; p >= 0 {
			count[p] -= of(j)
		}
		v := order[j]
		for _, u := range col[ptr[v]:ptr[v+1]] {
			i := place[u]
			if i <= j || first[j] <= widest[i] {
				continue
			}
			// j is a leaf of the subtree of row i.
			widest[i] = first[j]
			w := of(i)
			count[j] += w
			if q := leaf[i]; q >= 0 {
				for q != anc[q] { // lowest common ancestor, halving the path
					anc[q] = anc[anc[q]]
					q = anc[q]
				}
				count[q] -= w
			}
			leaf[i] = j
		}
		if p := parent[j]; p >= 0 {
			anc[j] = p
		}
	}
	for j := range int32(n) {
		if p := parent[j]; p >= 0 {
			count[p] += count[j]
		}
	}
	return count
}

// block is a supernode known by its sizes alone: a run of columns of the tree
// and the blocks joined with it.
type block struct {
	first, cols int32 // own run, before joining
	all, rows   int32 // columns with those joined, rows below
	parent      int32 // −1 at a root
	into        int32 // the block this one was joined to, or −1
	kids        []int32
}

// The price of a front in multiply-adds of a good dense kernel: shallow panels
// run slower, an update is cleared, written and scattered, the factor is read
// in every solve.
const (
	slowColumns = 24  // panel depth at which the kernel runs at half speed
	updatePrice = 8   // per number of the update
	panelPrice  = 60  // per number of the panel
	frontPrice  = 2e4 // per front
)

func frontCost(cols, rows int32) float64 {
	c, r := 3*float64(cols), 3*float64(rows)
	work := c*c*c/6 + c*c*r/2 + c*r*r/2
	return work*(1+slowColumns/c) + updatePrice*r*r + panelPrice*c*(c/2+r) + frontPrice
}

// amalgamate finds the columns with equal rows, then joins children with
// parents where the zeros this brings in cost less than the front it saves
// (Ashcraft & Grimes 1989).
func amalgamate(parent, counts []int32) []block {
	n := int32(len(parent))
	var list []block
	owner := make([]int32, n)
	for j := int32(0); j < n; {
		e := j + 1
		for e < n && parent[e-1] == e && counts[e] == counts[e-1]-1 {
			e++
		}
		for k := j; k < e; k++ {
			owner[k] = int32(len(list))
		}
		list = append(list, block{first: j, cols: e - j, all: e - j, rows: counts[e-1] - 1, parent: -1, into: -1})
		j = e
	}
	for k := range list {
		b := &list[k]
		if p := parent[b.first+b.cols-1]; p >= 0 {
			b.parent = owner[p]
			list[b.parent].kids = append(list[b.parent].kids, int32(k))
		}
	}
	for k := range list {
		b := &list[k]
		for {
			// The child whose joining saves most; its own kids become b's.
			best, saved := -1, 0.0
			for at, kid := range b.kids {
				a := &list[kid]
				s := frontCost(a.all, a.rows) + frontCost(b.all, b.rows) - frontCost(a.all+b.all, b.rows)
				if s > saved {
					best, saved = at, s
				}
			}
			if best < 0 {
				break
			}
			kid := b.kids[best]
			a := &list[kid]
			b.kids = append(slices.Delete(b.kids, best, best+1), a.kids...)
			b.all += a.all
			a.into, a.kids = int32(k), nil
		}
	}
	return list
}

// arrange puts the joined blocks in a postorder that needs little memory for
// waiting updates (Liu 1986), and renumbers the columns so.
func (s *symbolic) arrange(list []block) {
	square := func(rows int32) int { return 9 * int(rows) * int(rows) }
	peak := make([]int, len(list))
	var roots []int32
	for k := range list {
		b := &list[k]
		if b.into >= 0 {
			continue
		}
		slices.SortStableFunc(b.kids, func(x, y int32) int {
			return cmp.Compare(peak[y]-square(list[y].rows), peak[x]-square(list[x].rows))
		})
		held := 0
		for _, kid := range b.kids {
			peak[k] = max(peak[k], held+peak[kid])
			held += square(list[kid].rows)
		}
		peak[k] = max(peak[k], held+square(b.all+b.rows))
		if b.parent < 0 {
			roots = append(roots, int32(k))
			s.stack = max(s.stack, peak[k])
		}
	}
	// Parts of every joined block, in ascending order of their columns.
	parts := make([][]int32, len(list))
	for k := len(list) - 1; k >= 0; k-- {
		if to := list[k].into; to >= 0 && list[to].into >= 0 {
			list[k].into = list[to].into // ancestors come first: already at the top
		}
	}
	for k := range list {
		to := int32(k)
		if list[k].into >= 0 {
			to = list[k].into
		}
		parts[to] = append(parts[to], int32(k))
	}
	order := make([]int32, 0, s.n)
	var walk func(k int32)
	var stack []int32
	walk = func(k int32) {
		b := &list[k]
		v := supernode{first: int32(len(order)), cols: b.all, rows: make([]int32, 0, b.rows)}
		for _, part := range parts[k] {
			for c := list[part].first; c < list[part].first+list[part].cols; c++ {
				order = append(order, s.order[c])
			}
		}
		s.nodes = append(s.nodes, v)
	}
	at := make([]int32, len(list)) // next kid to visit
	for _, r := range roots {
		stack = append(stack[:0], r)
		for len(stack) > 0 {
			top := stack[len(stack)-1]
			if kids := list[top].kids; int(at[top]) < len(kids) {
				at[top]++
				stack = append(stack, kids[at[top]-1])
				continue
			}
			stack = stack[:len(stack)-1]
			walk(top)
		}
	}
	s.order = order
	for k, v := range order {
		s.place[v] = int32(k)
	}
}

// findRows fills in the rows, parents and kids of the supernodes.
func (s *symbolic) findRows(ptr, col []int32) {
	owner := make([]int32, s.n)
	for k, v := range s.nodes {
		for c := v.first; c < v.first+v.cols; c++ {
			owner[c] = int32(k)
		}
	}
	seen := make([]int32, s.n)
	for i := range seen {
		seen[i] = -1
	}
	for k := range s.nodes {
		v := &s.nodes[k]
		end := v.first + v.cols
		rows := v.rows
		add := func(i int32) {
			if i >= end && seen[i] != int32(k) {
				seen[i] = int32(k)
				rows = append(rows, i)
			}
		}
		for c := v.first; c < end; c++ {
			node := s.order[c]
			for _, w := range col[ptr[node]:ptr[node+1]] {
				add(s.place[w])
			}
		}
		for _, kid := range v.kids {
			for _, i := range s.nodes[kid].rows {
				add(i)
			}
		}
		slices.Sort(rows)
		v.rows, v.parent = rows, -1
		if len(rows) > 0 {
			v.parent = owner[rows[0]]
			p := &s.nodes[v.parent]
			p.kids = append(p.kids, int32(k))
		}
	}
}

// layout gives every supernode its place in the factor and in the solve's
// scratch, and adds up the work.
func (s *symbolic) layout() {
	for k := range s.nodes {
		v := &s.nodes[k]
		np, nr := 3*int64(v.cols), 3*int64(len(v.rows))
		v.at, v.outAt = s.values, s.outs
		s.values += int(np * (np + nr))
		s.outs += int(nr)
		v.work = np*np*np/6 + np*np*nr/2 + np*nr*nr/2
		s.work += v.work
		s.front = max(s.front, int(np+nr))
	}
}
