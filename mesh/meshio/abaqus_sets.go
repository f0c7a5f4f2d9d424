package meshio

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// set finds or makes the set of a name.
func (a *abaqusReader) set(name string) int {
	key := strings.ToUpper(name)
	i, ok := a.setOf[key]
	if !ok {
		i = len(a.sets)
		a.setOf[key] = i
		a.sets = append(a.sets, abaqusSet{name: name})
	}
	return i
}

func (a *abaqusReader) elset(k keyword) error {
	name := k.params["ELSET"]
	if name == "" {
		return a.bad("", "*ELSET without a name")
	}
	i := a.set(name)
	_, generate := k.params["GENERATE"]
	for {
		if err := a.alive(); err != nil {
			return err
		}
		b, ok := a.dataLine()
		if !ok {
			return nil
		}
		if generate {
			r := [3]int64{0, 0, 1}
			at := 0
			for w, rest := word(b); len(w) > 0 && at < 3; w, rest = word(rest) {
				if r[at], ok = parseInt(w); !ok {
					return a.bad("", "%s is no whole number", quote(w))
				}
				at++
			}
			if at < 2 || r[2] < 1 {
				return a.bad("", "%s gives no range", quote(b))
			}
			a.sets[i].ranges = append(a.sets[i].ranges, r)
			continue
		}
		for w, rest := word(b); len(w) > 0; w, rest = word(rest) {
			if n, ok := parseInt(w); ok {
				a.sets[i].add(n)
			} else if child, ok := a.setOf[strings.ToUpper(string(bytes.Trim(w, `"`)))]; ok && child != i {
				a.sets[i].children = append(a.sets[i].children, child)
			}
		}
	}
}

// add puts one number into the set; runs become one range.
func (s *abaqusSet) add(n int64) {
	if last := len(s.ranges) - 1; last >= 0 && s.ranges[last][2] == 1 && s.ranges[last][1]+1 == n {
		s.ranges[last][1] = n
		return
	}
	s.ranges = append(s.ranges, [3]int64{n, n, 1})
}

// assign gives every element the key of its region; until now key is the set
// of its *ELEMENT, or −1.
func (a *abaqusReader) assign() error {
	b := &a.b
	order := make([]int32, len(b.tets)) // elements by number
	for t := range order {
		order[t] = int32(t)
	}
	if !slices.IsSorted(b.number) {
		slices.SortStableFunc(order, func(s, t int32) int { return cmp.Compare(b.number[s], b.number[t]) })
	}
	place := make([]int32, len(order))
	for i, t := range order {
		place[t] = int32(i)
	}
	blocks := make([][]int32, len(a.sets)) // by the set of the *ELEMENT
	for i, t := range order {
		if k := b.key[t]; k >= 0 {
			blocks[k] = append(blocks[k], int32(i))
		}
	}
	key := make([]int32, len(order)) // by place in order
	next := make([]int32, len(order)+1)
	for i := range next {
		next[i] = int32(i)
	}
	// free is the first element from i on without a region
	free := func(i int32) int32 {
		for next[i] != i {
			next[i] = next[next[i]]
			i = next[i]
		}
		return i
	}
	visit := make([]int, len(a.sets)) // the last round in which a set was looked at
	for round, rank := range []func(*abaqusSet) bool{
		func(s *abaqusSet) bool {
			_, ok := labelOf(s.name)
			_, mine := a.in.opt.Labels[s.name]
			return ok || mine
		},
		func(s *abaqusSet) bool { return s.section },
		func(s *abaqusSet) bool { return s.block },
		func(*abaqusSet) bool { return true },
	} {
		for n := range a.sets {
			if !rank(&a.sets[n]) {
				continue
			}
			region := int32(-1)
			take := func(i int32) {
				if region < 0 {
					region = b.region(regionKey{name: a.sets[n].name})
				}
				key[i], next[i] = region, i+1
			}
			mark := round*len(a.sets) + n + 1
			for stack := []int{n}; len(stack) > 0; {
				if err := a.alive(); err != nil {
					return err
				}
				s := &a.sets[stack[len(stack)-1]]
				at := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				if visit[at] == mark {
					continue
				}
				visit[at] = mark
				stack = append(stack, s.children...)
				for _, i := range blocks[at] {
					if next[i] == i {
						take(i)
					}
				}
				for _, r := range s.ranges {
					if err := a.alive(); err != nil {
						return err
					}
					from, _ := slices.BinarySearchFunc(order, r[0], func(t int32, n int64) int { return cmp.Compare(b.number[t], n) })
					for i := free(int32(from)); int(i) < len(order) && b.number[order[i]] <= r[1]; i = free(i + 1) {
						if (b.number[order[i]]-r[0])%r[2] == 0 {
							take(i)
						}
					}
				}
			}
		}
	}
	for i := range order {
		if next[i] == int32(i) {
			key[i] = b.region(regionKey{})
		}
	}
	for t := range b.key {
		b.key[t] = key[place[t]]
	}
	return nil
}
