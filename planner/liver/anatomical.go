package liver

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"halsted/planner"
)

const (
	// unionsAtMost bounds the unions of subtrees for one set of tumours, and
	// rootsAtMost the branches of one: nobody divides more one by one.
	unionsAtMost = 60
	rootsAtMost  = 6
	// looseAtMost of them are joined with a curved cut.
	looseAtMost = 16
	// stemShare of the organ hangs at least on a branch that is divided alone.
	stemShare = 0.015
)

// cover says how closely unions of subtrees hold what must go.
type cover struct {
	// own is how much of it may hang on a branch itself and not on its children,
	// for the children to be divided instead; least of it is worth dividing a
	// branch for.
	own, least float64
}

// Whole unions take the tumours with their margin by themselves; with loose
// ones a curved cut takes what is left.
var (
	whole = cover{0.01, 0.002}
	loose = cover{0.3, 0.05}
)

// needed is the volume within margin of the named tumours that hangs on each
// branch itself, ml.
func (t *Trees) needed(tumours []int, marginMM float64) []float64 {
	s, b := t.Portal, t.blocks
	out := make([]float64, len(s.Tree.Branches))
	reach := marginMM + b.wide/2
	for v, c := range b.centre {
		if of := s.Of[v]; of >= 0 {
			if mm, ok := t.near.nearest(c, tumours); ok && mm <= reach {
				out[of] += b.ml[v]
			}
		}
	}
	return out
}

// unions are the sets of portal branches, none below another, whose subtrees
// feed the named tumours with their margin, each of them needed: all cuts
// through the tree below the trunk. They are ordered by what they feed.
func (t *Trees) unions(tumours []int, marginMM float64, k cover) [][]int {
	s := t.Portal
	own := t.needed(tumours, marginMM)
	sub := slices.Clone(own)
	total := 0.0
	for n := len(sub) - 1; n >= 0; n-- {
		total += own[n]
		if p := s.Tree.Branches[n].Parent; p >= 0 {
			sub[p] += sub[n]
		}
	}
	if total == 0 {
		return nil
	}
	need, least := k.own*total, k.least*total
	var below func(n int) [][]int
	all := func(children []int) [][]int {
		sets := [][]int{nil}
		for _, c := range children {
			if sub[c] < least {
				continue
			}
			var next [][]int
			for _, x := range sets {
				for _, y := range below(c) {
					next = append(next, append(slices.Clone(x), y...))
				}
			}
			next = slices.DeleteFunc(next, func(x []int) bool { return len(x) > rootsAtMost })
			slices.SortStableFunc(next, func(x, y []int) int { return cmp.Compare(s.feeds(x), s.feeds(y)) })
			sets = sets[:0]
			sets = append(sets, thinOut(next, unionsAtMost)...)
		}
		return sets
	}
	below = func(n int) [][]int {
		var out [][]int
		if own[n] < need && s.feedsML[n] > stemShare*t.blocks.total {
			out = all(s.Tree.Branches[n].Children)
			if len(out) == 1 && len(out[0]) == 0 { // nothing below it is worth a name
				out = nil
			}
		}
		if s.feedsML[n] < trunkShare*t.blocks.total {
			out = append(out, []int{n})
		}
		return out
	}
	sets := all(s.Tree.Roots())
	slices.SortStableFunc(sets, func(x, y []int) int { return cmp.Compare(s.feeds(x), s.feeds(y)) })
	return slices.DeleteFunc(sets, func(x []int) bool { return len(x) == 0 })
}

// thinOut takes at most count of a list, evenly.
func thinOut[T any](list []T, count int) []T {
	if len(list) <= count {
		return list
	}
	out := make([]T, count)
	for k := range out {
		out[k] = list[k*len(list)/count]
	}
	return out
}

// feeds is the expected volume of a union of subtrees that lie apart.
func (s *System) feeds(roots []int) (ml float64) {
	for _, r := range roots {
		ml += s.feedsML[r]
	}
	return ml
}

// divide is the plan that takes what roots feed.
func (s *System) divide(roots []int) (of []planner.Branch, name string) {
	var names []string
	for _, r := range roots {
		b := planner.Branch{System: s.Name, Index: r, Name: s.name(r)}
		of = append(of, b)
		n := b.Name
		if of, ok := strings.CutPrefix(n, "branch of "); ok {
			n = fmt.Sprintf("branch %d of %s", r, of)
		} else if n == "" {
			n = fmt.Sprintf("branch %d", r)
		}
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return of, "territory of " + strings.Join(names, ", ")
}
