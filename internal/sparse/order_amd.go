package sparse

// minDegree is the approximate minimum degree method on the quotient graph
// (Amestoy, Davis & Duff 1996): element absorption, aggressive absorption,
// mass elimination and merging of indistinguishable variables. Vertices may
// have weights (how many nodes they stand for). The vertices from free on are
// a halo (Pellegrini, Roman & Amestoy 2000): they count in every degree but
// are never eliminated, so that a part of a graph is ordered with its
// surroundings in sight.
//
// A list of i is list[start[i]:start[i]+size[i]]: for a variable its nElem[i]
// elements and then its variables, for an element its variables.
type minDegree struct {
	list, spare       []int32
	used              int32 // filled part of list
	start, size       []int32
	nElem             []int32
	weight            []int32 // > 0 live variable, < 0 in the new element, 0 gone or an element
	degree            []int32 // variable: approximate external degree; element: weight of its list
	stamp             []int32 // element: 0 dead, ≥ now: now + weight outside the new element
	now, widest       int32
	head, next, prev  []int32 // degree lists; next and prev serve the hash buckets too
	bucket            []int32
	member, last      []int32 // chain of variables ordered behind a principal one
	free, n           int32
	total, eliminated int32
}

// grow makes room for n vertices and a list of m entries.
func (q *minDegree) grow(n, m, total int) {
	for _, v := range []*[]int32{&q.start, &q.size, &q.nElem, &q.weight, &q.degree, &q.stamp, &q.next, &q.prev, &q.bucket, &q.member, &q.last} {
		*v = resize(*v, n)
	}
	q.head = resize(q.head, total+1)
	q.list = resize(q.list, m+m/5+2*n)
	q.n, q.total = int32(n), int32(total)
}

func resize(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n+n/4)[:n]
	}
	return s[:n]
}

// minimumDegree orders a whole graph.
func minimumDegree(g *graph) []int32 {
	var q minDegree
	q.grow(int(g.n), len(g.adj), int(g.total))
	for i := range g.n {
		q.start[i], q.size[i] = g.ptr[i], g.ptr[i+1]-g.ptr[i]
		q.weight[i] = g.vw[i]
	}
	q.used = int32(copy(q.list, g.adj))
	out := make([]int32, g.n)
	q.order(g.n, out)
	return out
}

// order eliminates the vertices below free; start, size, weight and list hold
// the graph, without loops and with both directions of every edge, but for
// those inside the halo. out[k] is the vertex eliminated as k-th.
func (q *minDegree) order(free int32, out []int32) {
	q.free, q.eliminated, q.now, q.widest = free, 0, 2, 0
	for i := range q.head {
		q.head[i] = -1
	}
	for i := range q.n {
		q.nElem[i], q.stamp[i], q.bucket[i] = 0, 1, -1
		q.member[i], q.last[i] = -1, i
		d := int32(0)
		for _, j := range q.list[q.start[i] : q.start[i]+q.size[i]] {
			d += q.weight[j]
		}
		q.degree[i] = d
	}
	for i := free - 1; i >= 0; i-- {
		q.insert(i)
	}
	low := int32(0)
	for at := 0; at < int(free); {
		for q.head[low] < 0 {
			low++
		}
		p := q.head[low]
		q.remove(p)
		low = min(low, q.eliminate(p))
		for v := p; v >= 0; v = q.member[v] {
			out[at] = v
			at++
		}
	}
}

func (q *minDegree) insert(i int32) {
	d := q.degree[i]
	h := q.head[d]
	q.next[i], q.prev[i] = h, -1
	if h >= 0 {
		q.prev[h] = i
	}
	q.head[d] = i
}

func (q *minDegree) remove(i int32) {
	if q.prev[i] >= 0 {
		q.next[q.prev[i]] = q.next[i]
	} else {
		q.head[q.degree[i]] = q.next[i]
	}
	if q.next[i] >= 0 {
		q.prev[q.next[i]] = q.prev[i]
	}
}

// eliminate turns variable p into an element, updates its neighbours, and
// returns the lowest of their new degrees.
func (q *minDegree) eliminate(p int32) int32 {
	from, to, width := q.newElement(p)
	q.widest = max(q.widest, width)
	if q.now > 1<<30-2*q.total {
		q.now = 2
		for i := range q.stamp {
			if q.stamp[i] != 0 {
				q.stamp[i] = 1
			}
		}
	}
	// stamp[e] − now = |L_e \ L_p| for every element next to L_p.
	list, now := q.list, q.now
	for _, i := range list[from:to] {
		w := -q.weight[i]
		for _, e := range list[q.start[i] : q.start[i]+q.nElem[i]] {
			switch s := q.stamp[e]; {
			case s >= now:
				q.stamp[e] = s - w
			case s != 0:
				q.stamp[e] = q.degree[e] + now - w
			}
		}
	}
	for _, i := range list[from:to] {
		width -= q.renew(i, p)
	}
	q.now += q.widest
	q.merge(from, to)
	lowest, end := q.total, from
	left := q.total - q.eliminated
	for k := from; k < to; k++ {
		i := list[k]
		w := -q.weight[i]
		if w == 0 {
			continue
		}
		q.weight[i] = w
		q.degree[i] = max(0, min(q.degree[i]+width-w, left-w))
		if i < q.free {
			q.insert(i)
			lowest = min(lowest, q.degree[i])
		}
		list[end] = i
		end++
	}
	if q.used == to {
		q.used = end
	}
	q.start[p], q.size[p], q.nElem[p] = from, end-from, 0
	q.degree[p], q.weight[p], q.stamp[p] = width, 0, 1
	if end == from {
		q.stamp[p] = 0
	}
	return lowest
}

// newElement gathers the variables next to p in list[from:to]; they leave the
// degree lists and get a negative weight. width is their weight.
func (q *minDegree) newElement(p int32) (from, to, width int32) {
	w := q.weight[p]
	q.eliminated += w
	q.weight[p] = 0
	if q.nElem[p] > 0 {
		need := q.size[p] - q.nElem[p]
		for _, e := range q.list[q.start[p] : q.start[p]+q.nElem[p]] {
			if q.stamp[e] != 0 {
				need += q.size[e]
			}
		}
		if int(q.used)+int(min(need, q.n)) > len(q.list) {
			q.compact(p)
		}
	}
	list := q.list
	first, last := q.start[p], q.start[p]+q.size[p]
	vars := first + q.nElem[p]
	from = first
	if q.nElem[p] > 0 {
		from = q.used
	}
	to = from
	take := func(lo, hi int32) {
		for k := lo; k < hi; k++ {
			i := list[k]
			w := q.weight[i]
			if w <= 0 {
				continue
			}
			q.weight[i] = -w
			width += w
			list[to] = i
			to++
			if i < q.free {
				q.remove(i)
			}
		}
	}
	take(vars, last)
	for k := first; k < vars; k++ {
		e := list[k]
		if q.stamp[e] != 0 {
			take(q.start[e], q.start[e]+q.size[e])
			q.stamp[e] = 0
		}
	}
	if vars > first {
		q.used = to
	}
	return from, to, width
}

// renew rewrites the lists of variable i of the new element p: dead elements
// and neighbours reached through p leave, p comes first. It returns the weight
// of i if i is eliminated together with p.
func (q *minDegree) renew(i, p int32) int32 {
	list, now := q.list, q.now
	first := q.start[i]
	elems, last := first+q.nElem[i], first+q.size[i]
	at, d, hash := first, int32(0), uint32(0)
	for k := first; k < elems; k++ {
		e := list[k]
		s := q.stamp[e]
		if s == 0 {
			continue
		}
		if s == now { // inside the new element: aggressive absorption
			q.stamp[e] = 0
			continue
		}
		d += s - now
		list[at] = e
		at++
		hash += uint32(e)
	}
	n := at - first
	for k := elems; k < last; k++ {
		j := list[k]
		if w := q.weight[j]; w > 0 {
			d += w
			list[at] = j
			at++
			hash += uint32(j)
		}
	}
	if d == 0 && i < q.free {
		w := -q.weight[i]
		q.eliminated += w
		q.weight[i] = 0
		q.append(p, i)
		return w
	}
	// p goes first; the list has room, since p or an element of p left it.
	list[at] = list[first+n]
	list[first+n] = list[first]
	list[first] = p
	q.nElem[i], q.size[i] = n+1, at+1-first
	q.degree[i] = min(q.degree[i], d)
	h := int32(hash % uint32(q.n))
	q.prev[i] = h
	q.next[i] = q.bucket[h]
	q.bucket[h] = i
	return 0
}

func (q *minDegree) append(p, i int32) {
	q.member[q.last[p]] = i
	q.last[p] = q.last[i]
}

// merge joins variables of the new element that have equal lists.
func (q *minDegree) merge(from, to int32) {
	list := q.list
	for k := from; k < to; k++ {
		i := list[k]
		if q.weight[i] >= 0 {
			continue
		}
		h := q.prev[i]
		i = q.bucket[h]
		q.bucket[h] = -1
		for i >= 0 && q.next[i] >= 0 {
			own := list[q.start[i]+1 : q.start[i]+q.size[i]]
			for _, j := range own {
				q.stamp[j] = mark(q.stamp[j], q.now)
			}
			before := i
			for j := q.next[i]; j >= 0; {
				after := q.next[j]
				if q.same(i, j) {
					q.weight[i] += q.weight[j]
					q.weight[j] = 0
					q.append(i, j)
					q.next[before] = after
				} else {
					before = j
				}
				j = after
			}
			q.now++
			i = q.next[i]
		}
	}
}

// mark keeps dead elements dead.
func mark(stamp, now int32) int32 {
	if stamp == 0 {
		return 0
	}
	return now
}

// same compares the lists of j with those of i, which are stamped.
func (q *minDegree) same(i, j int32) bool {
	if q.size[i] != q.size[j] || q.nElem[i] != q.nElem[j] || (i < q.free) != (j < q.free) {
		return false
	}
	for _, k := range q.list[q.start[j]+1 : q.start[j]+q.size[j]] {
		if q.stamp[k] != q.now {
			return false
		}
	}
	return true
}

// compact copies the live lists, and that of p, into the other buffer.
func (q *minDegree) compact(p int32) {
	live := int32(0)
	keep := func(i int32) bool {
		if q.weight[i] != 0 || i == p {
			return true
		}
		return q.stamp[i] != 0 && q.nElem[i] == 0 && q.degree[i] > 0 && q.size[i] > 0
	}
	for i := range q.n {
		if keep(i) {
			live += q.size[i]
		}
	}
	q.spare = resize(q.spare, max(len(q.list), int(live+q.n)))
	at := int32(0)
	for i := range q.n {
		if !keep(i) {
			q.stamp[i] = 0
			q.size[i] = 0
			continue
		}
		n := copy(q.spare[at:], q.list[q.start[i]:q.start[i]+q.size[i]])
		q.start[i] = at
		at += int32(n)
	}
	q.list, q.spare = q.spare, q.list
	q.used = at
}
