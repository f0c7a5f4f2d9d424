package sparse

import "slices"

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
}

// analyse orders the pattern and finds the supernodes.
func analyse(n int, ptr, col []int32) *symbolic {
	first := minimumDegree(n, ptr, col)
	parent := etree(n, ptr, col, first)
	post := postorder(parent)
	s := &symbolic{n: n, order: make([]int32, n), place: make([]int32, n)}
	for k, p := range post {
		s.order[k] = first[p]
		s.place[first[p]] = int32(k)
	}
	parent = etree(n, ptr, col, s.order)
	rows := s.columns(ptr, col, parent)
	s.supernodes(rows, parent)
	s.layout()
	return s
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

// columns finds the rows below the diagonal of every column of the factor.
func (s *symbolic) columns(ptr, col []int32, parent []int32) [][]int32 {
	rows := make([][]int32, s.n)
	kids := make([][]int32, s.n)
	seen := make([]int32, s.n)
	for j := range s.n {
		mark := int32(j + 1)
		seen[j] = mark
		var r []int32
		v := s.order[j]
		for _, w := range col[ptr[v]:ptr[v+1]] {
			if i := s.place[w]; i > int32(j) && seen[i] != mark {
				seen[i] = mark
				r = append(r, i)
			}
		}
		for _, c := range kids[j] {
			for _, i := range rows[c] {
				if i > int32(j) && seen[i] != mark {
					seen[i] = mark
					r = append(r, i)
				}
			}
		}
		slices.Sort(r)
		rows[j] = r
		if p := parent[j]; p >= 0 {
			kids[p] = append(kids[p], int32(j))
		}
	}
	return rows
}

// supernodes joins columns with equal rows, then a child with its parent while
// the zeros that brings in stay few: larger dense blocks are worth them.
func (s *symbolic) supernodes(rows [][]int32, parent []int32) {
	var list []supernode
	for j := 0; j < s.n; {
		e := j + 1
		for e < s.n && parent[e-1] == int32(e) && len(rows[e]) == len(rows[e-1])-1 {
			e++
		}
		list = append(list, supernode{first: int32(j), cols: int32(e - j), rows: rows[e-1]})
		j = e
	}
	// Walk upwards; out is a stack of finished supernodes in column order.
	out := list[:0:0]
	zeros := make([]int64, 0, len(list))
	for _, b := range list {
		zb := int64(0)
		for len(out) > 0 {
			a := out[len(out)-1]
			if len(a.rows) == 0 || a.rows[0] < b.first || a.rows[0] >= b.first+b.cols {
				break
			}
			// a's parent is b, and a stands just before it.
			extra := int64(a.cols) * (int64(b.cols) + int64(len(b.rows)) - int64(len(a.rows)))
			z := zb + zeros[len(zeros)-1] + extra
			c := int64(a.cols + b.cols)
			total := c*(c+1)/2 + c*int64(len(b.rows))
			if !(c <= 4 || z*8 <= total || (c <= 16 && z*3 <= total)) {
				break
			}
			b = supernode{first: a.first, cols: a.cols + b.cols, rows: b.rows}
			zb = z
			out, zeros = out[:len(out)-1], zeros[:len(zeros)-1]
		}
		out, zeros = append(out, b), append(zeros, zb)
	}
	s.nodes = out
}

func (s *symbolic) layout() {
	owner := make([]int32, s.n)
	for k, v := range s.nodes {
		for c := v.first; c < v.first+v.cols; c++ {
			owner[c] = int32(k)
		}
	}
	for k := range s.nodes {
		v := &s.nodes[k]
		v.parent = -1
		if len(v.rows) > 0 {
			v.parent = owner[v.rows[0]]
			p := &s.nodes[v.parent]
			p.kids = append(p.kids, int32(k))
		}
		np, nr := 3*int64(v.cols), 3*int64(len(v.rows))
		v.at, v.outAt = s.values, s.outs
		s.values += int(np * (np + nr))
		s.outs += int(nr)
		v.work = np*np*np/6 + np*np*nr/2 + np*nr*nr/2
		s.work += v.work
		s.front = max(s.front, int(np+nr))
	}
}
