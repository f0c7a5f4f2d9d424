package sparse

import "slices"

// minimumDegree orders the graph (rows of a symmetric pattern; the diagonal is
// ignored) for little fill: the approximate minimum degree method on the
// quotient graph (Amestoy, Davis & Duff 1996) with element absorption and
// merging of indistinguishable nodes. order[k] is the node eliminated as k-th.
func minimumDegree(n int, ptr, col []int32) (order []int32) {
	q := &quotient{
		n: n, vars: make([][]int32, n), elems: make([][]int32, n),
		weight: make([]int32, n), degree: make([]int32, n), state: make([]uint8, n),
		mark: make([]int32, n), outside: make([]int32, n), stamp: make([]int32, n),
		next: make([]int32, n), prev: make([]int32, n), head: make([]int32, n+1),
		members: make([]int32, n), tail: make([]int32, n),
	}
	for i := range q.head {
		q.head[i] = -1
	}
	for i := range n {
		r := make([]int32, 0, ptr[i+1]-ptr[i])
		for _, j := range col[ptr[i]:ptr[i+1]] {
			if int(j) != i {
				r = append(r, j)
			}
		}
		q.vars[i] = r
		q.weight[i] = 1
		q.members[i], q.tail[i] = -1, int32(i)
		q.insert(int32(i), int32(len(r)))
	}
	order = make([]int32, 0, n)
	low := int32(0)
	for len(order) < n {
		for q.head[low] < 0 {
			low++
		}
		p := q.head[low]
		q.remove(p)
		q.eliminate(p, int32(n-len(order)))
		for v := p; v >= 0; v = q.members[v] {
			order = append(order, v)
		}
		low = min(low, q.lowest)
	}
	return order
}

const (
	live     = iota // a principal variable
	merged          // stands in the member list of another variable
	element         // eliminated
	absorbed        // an element inside another
)

// quotient is the graph after some eliminations: variables know neighbouring
// variables (vars) and elements (elems); an element's vars are its variables.
type quotient struct {
	n             int
	vars, elems   [][]int32
	weight        []int32 // nodes a principal variable stands for
	degree        []int32 // approximate external degree, in nodes
	state         []uint8
	mark, stamp   []int32 // last round a node was seen in
	outside       []int32 // nodes of an element outside the new element, valid if stamp is now
	round         int32
	next, prev    []int32 // degree lists
	head          []int32
	members, tail []int32 // chain of merged nodes behind a principal variable
	lowest        int32
}

func (q *quotient) insert(i, d int32) {
	d = min(d, int32(q.n))
	q.degree[i] = d
	h := q.head[d]
	q.next[i], q.prev[i] = h, -1
	if h >= 0 {
		q.prev[h] = i
	}
	q.head[d] = i
}

func (q *quotient) remove(i int32) {
	if q.prev[i] >= 0 {
		q.next[q.prev[i]] = q.next[i]
	} else {
		q.head[q.degree[i]] = q.next[i]
	}
	if q.next[i] >= 0 {
		q.prev[q.next[i]] = q.prev[i]
	}
}

// eliminate turns variable p into an element and updates its neighbours; left
// counts the nodes not yet ordered, p's included.
func (q *quotient) eliminate(p, left int32) {
	q.round++
	now := q.round
	q.mark[p] = now
	var lp []int32
	size := int32(0)
	add := func(list []int32) {
		for _, i := range list {
			if q.state[i] == live && q.mark[i] != now {
				q.mark[i] = now
				lp = append(lp, i)
				size += q.weight[i]
			}
		}
	}
	add(q.vars[p])
	for _, e := range q.elems[p] {
		if q.state[e] == element {
			add(q.vars[e])
			q.state[e], q.vars[e] = absorbed, nil
		}
	}
	q.state[p], q.elems[p], q.vars[p] = element, nil, lp
	left -= q.weight[p]
	q.lowest = int32(q.n)
	// outside[e] = |L_e \ L_p| for every element next to L_p.
	for _, i := range lp {
		for _, e := range q.elems[i] {
			if q.state[e] != element {
				continue
			}
			if q.stamp[e] != now {
				q.stamp[e] = now
				s := int32(0)
				for _, v := range q.vars[e] {
					if q.state[v] == live {
						s += q.weight[v]
					}
				}
				q.outside[e] = s
			}
			q.outside[e] -= q.weight[i]
		}
	}
	buckets := make(map[uint64][]int32, len(lp)) // only looked up, never ranged over
	for _, i := range lp {
		q.remove(i)
		var hash uint64
		es := q.elems[i][:0]
		d := int32(0)
		for _, e := range q.elems[i] {
			if q.state[e] != element {
				continue
			}
			if q.outside[e] == 0 { // inside the new element: aggressive absorption
				q.state[e], q.vars[e] = absorbed, nil
				continue
			}
			es = append(es, e)
			d += q.outside[e]
			hash += uint64(e) * 0x9E3779B97F4A7C15
		}
		es = append(es, p)
		q.elems[i] = es
		vs := q.vars[i][:0]
		for _, v := range q.vars[i] {
			if q.state[v] == live && q.mark[v] != now {
				vs = append(vs, v)
				d += q.weight[v]
				hash += uint64(v) * 0xC2B2AE3D27D4EB4F
			}
		}
		q.vars[i] = vs
		own := size - q.weight[i]
		d = min(d+own, q.degree[i]+own, left-q.weight[i])
		q.degree[i] = d
		buckets[hash] = append(buckets[hash], i)
		for _, j := range buckets[hash][:len(buckets[hash])-1] {
			if q.state[j] == live && sameSet(q.elems[i], q.elems[j]) && sameSet(q.vars[i], q.vars[j]) {
				q.weight[j] += q.weight[i]
				q.degree[j] -= q.weight[i]
				q.members[q.tail[j]] = i
				q.tail[j] = q.tail[i]
				q.state[i], q.vars[i], q.elems[i] = merged, nil, nil
				break
			}
		}
	}
	keep := lp[:0]
	for _, i := range lp {
		if q.state[i] == live {
			keep = append(keep, i)
			q.insert(i, max(q.degree[i], 0))
			q.lowest = min(q.lowest, q.degree[i])
		}
	}
	q.vars[p] = keep
}

// sameSet compares lists without repeats; sorting them in place is harmless.
func sameSet(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
