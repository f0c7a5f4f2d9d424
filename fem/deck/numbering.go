package deck

// numbering finds nodes and elements by the numbers a file gives them.
type numbering struct {
	dense  []int32 // place of number n, plus one; while numbers are close together
	sparse map[int64]int32
	tags   []int64 // number of each place
	steps  int     // spent on sets
}

// add gives the next place the number n; false when n is taken.
func (m *numbering) add(n int64) bool {
	at := int32(len(m.tags))
	m.tags = append(m.tags, n)
	if m.sparse == nil && n >= 0 && n < int64(4*len(m.tags)+1024) {
		if int64(len(m.dense)) <= n {
			m.dense = append(m.dense, make([]int32, int(n)+1-len(m.dense))...)
		}
		if m.dense[n] != 0 {
			return false
		}
		m.dense[n] = at + 1
		return true
	}
	if m.sparse == nil {
		m.sparse = make(map[int64]int32, len(m.tags))
		for i, t := range m.tags[:at] {
			m.sparse[t] = int32(i)
		}
		m.dense = nil
	}
	if _, taken := m.sparse[n]; taken {
		return false
	}
	m.sparse[n] = at
	return true
}

// get finds the place of number n; −1 when there is none.
func (m *numbering) get(n int64) int32 {
	if m.sparse != nil {
		if at, ok := m.sparse[n]; ok {
			return at
		}
		return -1
	}
	if n < 0 || n >= int64(len(m.dense)) {
		return -1
	}
	return m.dense[n] - 1
}

// span is the numbers from lo to hi in steps.
type span struct{ lo, hi, step int64 }

// set is a named set of nodes or elements: spans of their numbers, and other
// sets.
type set struct {
	name     string
	spans    []span
	children []*set
	known    []int32 // places, once asked for
}

// add puts one number into the set; runs become one span.
func (s *set) add(n int64) {
	s.known = nil
	if last := len(s.spans) - 1; last >= 0 && s.spans[last].step == 1 && s.spans[last].hi+1 == n {
		s.spans[last].hi = n
		return
	}
	s.spans = append(s.spans, span{n, n, 1})
}

// addSpan puts a range into the set.
func (s *set) addSpan(r span) {
	s.known = nil
	s.spans = append(s.spans, r)
}

// maxSetSteps bounds the work on all sets of a file: honest ones name each
// number a few times.
const maxSetSteps = 1 << 27

// places lists the members that exist, each once, in the order in which they
// are named; false when sets are nested or repeated beyond all reason.
func (s *set) places(of *numbering) ([]int32, bool) {
	if s.known != nil {
		return s.known, true
	}
	seen := make([]bool, len(of.tags))
	out := []int32{}
	visited := map[*set]bool{}
	of.steps += len(of.tags) / 8
	take := func(at int32) {
		if at >= 0 && !seen[at] {
			seen[at] = true
			out = append(out, at)
		}
	}
	var walk func(*set, int) bool
	walk = func(s *set, depth int) bool {
		if visited[s] {
			return true
		}
		visited[s] = true
		for _, r := range s.spans {
			long := (r.hi-r.lo)/r.step > int64(len(of.tags))
			if long {
				of.steps += len(of.tags) + 1
			} else {
				of.steps += int((r.hi-r.lo)/r.step) + 1
			}
			switch {
			case of.steps > maxSetSteps:
				return false
			case long: // go by what there is
				for at, n := range of.tags {
					if n >= r.lo && n <= r.hi && (n-r.lo)%r.step == 0 {
						take(int32(at))
					}
				}
			default:
				for n := r.lo; n <= r.hi; n += r.step {
					take(of.get(n))
				}
			}
		}
		for _, c := range s.children {
			if depth > 100 || !walk(c, depth+1) {
				return false
			}
		}
		return true
	}
	if !walk(s, 0) {
		return nil, false
	}
	s.known = out
	return out, true
}
