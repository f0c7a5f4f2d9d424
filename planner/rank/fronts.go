package rank

import (
	"cmp"
	"math"
	"slices"
)

// Dominates reports whether costs a are no worse than b everywhere and better
// somewhere.
func Dominates(a, b []float64) bool {
	better := false
	for n := range a {
		if a[n] > b[n] {
			return false
		}
		better = better || a[n] < b[n]
	}
	return better
}

// Fronts sorts points into non-dominated fronts: front 0 is dominated by no
// point, front 1 only by points of front 0, and so on (Deb et al. 2002, section
// III A). costs[p] has one entry per objective, smaller is better; NaN counts
// as worse than any number. The result gives each point's front.
//
// It divides and conquers over the objectives (Jensen, IEEE Trans. Evol.
// Comput. 7:503, 2003, doi 10.1109/TEVC.2003.817234, with the treatment of ties
// of Fortin et al., GECCO 2013, doi 10.1145/2463372.2463454) and sweeps the
// last two: O(N log^(M−1) N) for N points and M objectives. Equal points share
// a front, and the result does not depend on the order of the points.
func Fronts(costs [][]float64) []int {
	front := make([]int, len(costs))
	if len(costs) == 0 || len(costs[0]) == 0 {
		return front
	}
	s, of := newSorter(costs)
	all := make([]int32, s.points)
	for n := range all {
		all[n] = int32(n)
	}
	if s.k == 1 {
		for n := range all {
			s.front[n] = int32(n)
		}
	} else {
		s.inside(all, s.k)
	}
	for p := range front {
		front[p] = int(s.front[of[p]])
	}
	return front
}

// sorter holds the different points of Fronts in lexicographic order, each
// objective replaced by the place of its value among all values.
type sorter struct {
	k      int     // objectives
	points int     // different points
	at     []int32 // at[p*k+o]
	front  []int32 // found so far: a lower bound
	tree   []int32 // Fenwick tree of the sweep, 1 + the highest front
	values []int32 // of the second objective in the sweep
}

// newSorter builds it, and tells which different point each point is.
func newSorter(costs [][]float64) (s *sorter, of []int32) {
	n, k := len(costs), len(costs[0])
	places := make([]int32, n*k)
	order := make([]int32, n)
	for o := range k {
		for p := range order {
			order[p] = int32(p)
		}
		key := func(p int32) float64 {
			if v := costs[p][o]; !math.IsNaN(v) {
				return v
			}
			return math.Inf(1)
		}
		compare := func(a, b int32) int { return cmp.Compare(key(a), key(b)) }
		slices.SortFunc(order, compare)
		place := int32(0)
		for i, p := range order {
			if i > 0 && compare(order[i-1], p) != 0 {
				place++
			}
			places[int(p)*k+o] = place
		}
	}
	row := func(p int32) []int32 { return places[int(p)*k : int(p)*k+k] }
	slices.SortFunc(order, func(a, b int32) int { return slices.Compare(row(a), row(b)) })
	s = &sorter{k: k}
	of = make([]int32, n)
	for i, p := range order {
		if i == 0 || slices.Compare(row(order[i-1]), row(p)) != 0 {
			s.at = append(s.at, row(p)...)
			s.points++
		}
		of[p] = int32(s.points - 1)
	}
	s.front = make([]int32, s.points)
	return s, of
}

// few is the number of pairs below which comparing them all is faster than
// dividing; it changes the time, not the result.
const few = 4096

func (s *sorter) key(p int32, o int) int32 { return s.at[int(p)*s.k+o] }

// covers reports whether a is no worse than b in the first k objectives.
func (s *sorter) covers(a, b int32, k int) bool {
	x, y := s.at[int(a)*s.k:int(a)*s.k+k], s.at[int(b)*s.k:int(b)*s.k+k]
	for o := range x {
		if x[o] > y[o] {
			return false
		}
	}
	return true
}

// inside sorts points that are equal in all objectives from k on and different
// before; they stand in lexicographic order.
func (s *sorter) inside(ps []int32, k int) {
	if len(ps) < 2 {
		return
	}
	if len(ps)*len(ps) <= few {
		for i, p := range ps {
			for _, q := range ps[:i] {
				if s.front[q] >= s.front[p] && s.covers(q, p, k) {
					s.front[p] = s.front[q] + 1
				}
			}
		}
		return
	}
	if k == 2 {
		s.sweep(nil, ps)
		return
	}
	low, high := s.span(ps, k-1)
	if low == high {
		s.inside(ps, k-1)
		return
	}
	less, same, more := s.split(ps, k-1, s.median(ps, nil, k-1))
	s.inside(less, k)
	s.between(less, same, k-1)
	s.inside(same, k-1)
	upTo := s.merge(less, same)
	s.between(upTo, more, k-1)
	s.inside(more, k)
}

// between raises the fronts of ps by those of qs, which are final and better
// or equal in all objectives from k on, better in one of them.
func (s *sorter) between(qs, ps []int32, k int) {
	if len(qs) == 0 || len(ps) == 0 {
		return
	}
	if len(qs)*len(ps) <= few {
		for _, p := range ps {
			for _, q := range qs {
				if s.front[q] >= s.front[p] && s.covers(q, p, k) {
					s.front[p] = s.front[q] + 1
				}
			}
		}
		return
	}
	if k == 2 {
		s.sweep(qs, ps)
		return
	}
	lowQ, highQ := s.span(qs, k-1)
	lowP, highP := s.span(ps, k-1)
	if highQ <= lowP {
		s.between(qs, ps, k-1)
		return
	}
	if lowQ > highP {
		return
	}
	m := s.median(qs, ps, k-1)
	lessQ, sameQ, moreQ := s.split(qs, k-1, m)
	lessP, sameP, moreP := s.split(ps, k-1, m)
	s.between(lessQ, lessP, k)
	upTo := s.merge(lessQ, sameQ)
	s.between(upTo, sameP, k-1)
	s.between(upTo, moreP, k-1)
	s.between(moreQ, moreP, k)
}

func (s *sorter) span(ps []int32, o int) (low, high int32) {
	low, high = math.MaxInt32, -1
	for _, p := range ps {
		v := s.key(p, o)
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// median is a middle value of objective o over both sets, by quickselect.
func (s *sorter) median(ps, qs []int32, o int) int32 {
	v := make([]int32, 0, len(ps)+len(qs))
	for _, p := range ps {
		v = append(v, s.key(p, o))
	}
	for _, p := range qs {
		v = append(v, s.key(p, o))
	}
	want := len(v) / 2
	for len(v) > 1 {
		a, b, c := v[0], v[len(v)/2], v[len(v)-1]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j, n := 0, 0, len(v) // below i: less; i to j: the pivot; from n: more
		for j < n {
			switch {
			case v[j] < pivot:
				v[i], v[j] = v[j], v[i]
				i++
				j++
			case v[j] > pivot:
				n--
				v[j], v[n] = v[n], v[j]
			default:
				j++
			}
		}
		switch {
		case want < i:
			v = v[:i]
		case want >= n:
			v, want = v[n:], want-n
		default:
			return pivot
		}
	}
	return v[0]
}

// split keeps the order within each part.
func (s *sorter) split(ps []int32, o int, at int32) (less, same, more []int32) {
	a, b := 0, 0
	for _, p := range ps {
		switch v := s.key(p, o); {
		case v < at:
			a++
		case v == at:
			b++
		}
	}
	out := make([]int32, len(ps))
	less, same, more = out[:0:a], out[a:a:a+b], out[a+b:a+b]
	for _, p := range ps {
		switch v := s.key(p, o); {
		case v < at:
			less = append(less, p)
		case v == at:
			same = append(same, p)
		default:
			more = append(more, p)
		}
	}
	return less, same, more
}

// merge joins two sets; the points are numbered in lexicographic order.
func (s *sorter) merge(a, b []int32) []int32 {
	out := make([]int32, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0] < b[0] {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// sweep goes over the points by their first objective and keeps, for every
// value of the second, the highest front up to it. With qs nil the points of
// ps raise each other; else those of qs raise them.
func (s *sorter) sweep(qs, ps []int32) {
	s.values = s.values[:0]
	source := qs
	if qs == nil {
		source = ps
	}
	for _, q := range source {
		s.values = append(s.values, s.key(q, 1))
	}
	slices.Sort(s.values)
	s.values = slices.Compact(s.values)
	s.tree = append(s.tree[:0], make([]int32, len(s.values)+1)...)
	add := func(q int32) {
		i, _ := slices.BinarySearch(s.values, s.key(q, 1))
		for i++; i < len(s.tree); i += i & -i {
			s.tree[i] = max(s.tree[i], s.front[q]+1)
		}
	}
	raise := func(p int32) {
		i, found := slices.BinarySearch(s.values, s.key(p, 1))
		if found {
			i++
		}
		f := s.front[p]
		for ; i > 0; i -= i & -i {
			f = max(f, s.tree[i])
		}
		s.front[p] = f
	}
	if qs == nil {
		for _, p := range ps {
			raise(p)
			add(p)
		}
		return
	}
	n := 0
	for _, p := range ps {
		for ; n < len(qs) && s.key(qs[n], 0) <= s.key(p, 0); n++ {
			add(qs[n])
		}
		raise(p)
	}
}
