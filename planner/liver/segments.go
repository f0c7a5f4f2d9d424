package liver

// segmentsAtMost is how many portal territories stand for the segments: the
// tree is divided by what it feeds, not by a scheme, for only 29 % of patients
// have the standard anatomy (doi 10.1007/s00423-020-01862-7).
const segmentsAtMost = 8

// keptShare of a territory must stay, and of that with inflow and outflow, for
// it to count as kept.
const keptShare = 0.5

// keptSegments is the largest number of neighbouring portal territories that
// the plan leaves with inflow and outflow.
func (t *Trees) keptSegments(c *cutaway) int {
	s, b := t.Portal, t.blocks
	roots := s.Supply.Subtrees(segmentsAtMost)
	if len(roots) == 0 {
		return 0
	}
	seg := make([]int, len(s.Tree.Branches)) // of each branch, −1 for none
	for n := range seg {
		seg[n] = -1
		if p := s.Tree.Branches[n].Parent; p >= 0 {
			seg[n] = seg[p]
		}
		for k, r := range roots {
			if r == n {
				seg[n] = k
			}
		}
	}
	of := func(v int) int {
		if s.Of[v] < 0 {
			return -1
		}
		return seg[s.Of[v]]
	}
	all, left, fed := make([]float64, len(roots)), make([]float64, len(roots)), make([]float64, len(roots))
	for v := range b.vox {
		k := of(v)
		if k < 0 {
			continue
		}
		stay := b.ml[v] * float64(1-c.gone[v])
		all[k] += b.ml[v]
		left[k] += stay
		if !c.cutOff(0, v) && !c.cutOff(1, v) {
			fed[k] += stay
		}
	}
	kept := make([]bool, len(roots))
	group := make([]int, len(roots))
	for k := range kept {
		kept[k] = left[k] >= keptShare*all[k] && fed[k] >= keptShare*left[k] && left[k] > 0
		group[k] = k
	}
	root := func(k int) int {
		for group[k] != k {
			k = group[k]
		}
		return k
	}
	for v := range b.vox {
		k := of(v)
		if k < 0 || !kept[k] || c.gone[v] > 0.5 {
			continue
		}
		for _, o := range b.next[v] {
			if o < 0 || c.gone[o] > 0.5 {
				continue
			}
			if m := of(int(o)); m >= 0 && kept[m] {
				if x, y := root(k), root(m); x != y {
					group[max(x, y)] = min(x, y)
				}
			}
		}
	}
	count, most := make([]int, len(roots)), 0
	for k := range kept {
		if kept[k] {
			r := root(k)
			count[r]++
			most = max(most, count[r])
		}
	}
	return most
}
